//! Workbooks, written row by row in constant memory: text stays text, and nothing in them runs.

pub mod annotated;
pub mod cuts;
mod lists;
pub mod records;
pub mod repair;
pub mod sample;

use std::any::Any;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use rust_xlsxwriter::{
    Color, DocProperties, ExcelDateTime, Format, FormatAlign, Note, Workbook, Worksheet, XlsxError,
};
use zip::result::ZipError;

use self::cuts::{Cuts, clean, clean_note};
use crate::error::{Error, Result};
use crate::sheet::{Cell, ERROR_TEXT};

/// Rows of a worksheet.
const ROWS_MAX: u32 = 1_048_576;
/// Columns of a worksheet.
pub const SHEET_COLUMNS: usize = 16_384;
/// Digits that a spreadsheet program keeps of a number.
const DIGITS_MAX: usize = 15;

/// How hard the parts of a workbook are packed, of 9: as hard as Excel does it. The writer's own 6 takes
/// twice as long, for a file that is smaller by a fiftieth to a tenth.
const LEVEL: u8 = 3;

/// A workbook on its way to a file.
pub struct Book {
    workbook: Workbook,
    formats: Formats,
    /// Worksheets so far, to find them by number.
    sheets: usize,
    cuts: Cuts,
}

/// How cells look.
struct Formats {
    header: Format,
    /// Plain and marked, of each kind.
    plain: Looks,
    bad: Looks,
    /// As plain, on sheets whose columns have no look of their own.
    bare: Looks,
    message: Format,
}

struct Looks {
    general: Format,
    /// Whether `general` is what a cell has that has no format: the writer compares formats whole, which
    /// takes longer than the cell does.
    is_bare: bool,
    /// What is typed into such a cell stays what was typed: `01067` keeps its zero.
    text: Format,
    date: Format,
    datetime: Format,
    time: Format,
    duration: Format,
}

impl Looks {
    fn of(base: &Format) -> Looks {
        Looks {
            general: base.clone(),
            is_bare: false,
            // "@", by its number in ECMA-376, 18.8.30.
            text: base.clone().set_num_format_index(49),
            date: base.clone().set_num_format("yyyy-mm-dd"),
            datetime: base.clone().set_num_format("yyyy-mm-dd hh:mm:ss"),
            time: base.clone().set_num_format("hh:mm:ss"),
            // "[h]:mm:ss", by its number.
            duration: base.clone().set_num_format_index(46),
        }
    }
}

impl Book {
    /// An empty one; what can't be kept in memory waits in `folder`.
    ///
    /// # Errors
    /// `Io` where the folder can't be written.
    pub fn new(folder: &Path) -> Result<Book> {
        let mut workbook = Workbook::new();
        workbook.set_zip_compression_level(LEVEL);
        std::fs::create_dir_all(folder)?;
        workbook.set_tempdir(folder).map_err(failed)?;
        // The same content is the same bytes, whenever it is made.
        let made = ExcelDateTime::from_ymd(2000, 1, 1).map_err(failed)?;
        workbook.set_properties(&DocProperties::new().set_creation_datetime(&made));
        let bad = Format::new()
            .set_background_color(Color::RGB(0x00FF_C7CE))
            .set_font_color(Color::RGB(0x009C_0006));
        Ok(Book {
            workbook,
            formats: Formats {
                header: Format::new()
                    .set_bold()
                    .set_background_color(Color::RGB(0x00E7_EEF7)),
                plain: Looks::of(&Format::new()),
                bad: Looks::of(&bad),
                bare: Looks {
                    is_bare: true,
                    ..Looks::of(&Format::new())
                },
                message: Format::new()
                    .set_font_color(Color::RGB(0x009C_0006))
                    .set_align(FormatAlign::Top),
            },
            sheets: 0,
            cuts: Cuts::default(),
        })
    }

    /// Adds a worksheet whose rows are then written top to bottom; under another name where that one
    /// is taken.
    fn add_sheet(&mut self, name: &str) -> Result<usize> {
        let taken: Vec<String> = self
            .workbook
            .worksheets()
            .iter()
            .map(|sheet| sheet.name().to_lowercase())
            .collect();
        let name = free_name(name, &taken);
        let sheet = self
            .workbook
            .add_worksheet_with_constant_memory()
            .map_err(failed)?;
        sheet.set_name(&name).map_err(failed)?;
        self.sheets += 1;
        Ok(self.sheets - 1)
    }

    fn sheet(&mut self, number: usize) -> Result<&mut Worksheet> {
        self.workbook.worksheet_from_index(number).map_err(failed)
    }

    /// Says on a sheet of its own how many rows found no room.
    /// Puts a note on a header.
    fn note_header(&mut self, sheet: usize, place: (u32, u16), text: &str) -> Result<()> {
        let note = Note::new(clean_note(text)).add_author_prefix(false);
        let sheet = self.sheet(sheet)?;
        sheet.insert_note(place.0, place.1, &note).map_err(failed)?;
        Ok(())
    }

    fn tell_left_out(&mut self, rows: u64) -> Result<()> {
        if rows == 0 {
            return Ok(());
        }
        let number = self.add_sheet("Left out")?;
        let look = self.formats.plain.general.clone();
        let text = if rows == 1 {
            "1 row more than a sheet can hold was left out.".to_owned()
        } else {
            format!("{rows} rows more than a sheet can hold were left out.")
        };
        write_text(self.sheet(number)?, 0, 0, &text, &look)
    }

    /// Writes the whole workbook to `file` and goes back to its beginning.
    ///
    /// # Errors
    /// `Io` where the disk is full.
    pub fn finish(mut self, file: &mut File) -> Result<()> {
        if let Some(text) = self.cuts.more() {
            let number = self.add_sheet("Cut texts")?;
            let look = self.formats.plain.general.clone();
            write_text(self.sheet(number)?, 0, 0, &text, &look)?;
        }
        self.workbook.save_to_writer(&mut *file).map_err(failed)?;
        file.flush()?;
        file.seek(SeekFrom::Start(0))?;
        Ok(())
    }
}

/// A name for a sheet that no other has, in whatever letter case; `taken` are lower case. "History"
/// Excel keeps for itself.
fn free_name(name: &str, taken: &[String]) -> String {
    let is_free = |name: &str| {
        let name = name.to_lowercase();
        name != "history" && !taken.contains(&name)
    };
    if is_free(name) {
        return name.to_owned();
    }
    // A name has at most 31 letters.
    let stem: String = name.chars().take(26).collect();
    let mut number = 2;
    loop {
        let other = format!("{stem}_{number}");
        if is_free(&other) {
            return other;
        }
        number += 1;
    }
}

fn failed(error: XlsxError) -> Error {
    if let XlsxError::IoError(error)
    | XlsxError::TempFileError(_, error)
    | XlsxError::ZipError(ZipError::Io(error)) = error
    {
        return Error::Io(error);
    }
    Error::Internal(format!("workbook: {error}"))
}

/// Runs `write`, which makes a workbook. `rust_xlsxwriter` panics where the system takes no more of a row into its
/// temporary file: here that is the error that it is.
///
/// # Errors
/// What `write` returned; `Io` where the disk is full, or the file gets larger than it may.
pub fn without_panic<T>(write: impl FnOnce() -> Result<T>) -> Result<T> {
    match panic::catch_unwind(AssertUnwindSafe(write)) {
        Ok(written) => written,
        Err(panicked) => match refused(panicked.as_ref()) {
            Some(error) => Err(error.into()),
            None => panic::resume_unwind(panicked),
        },
    }
}

/// From now on nothing is printed of a panic that [`without_panic`] makes an error of. For commands; a server's
/// log may have it.
pub fn hush() {
    let tell = panic::take_hook();
    panic::set_hook(Box::new(move |panicked| {
        if refused(panicked.payload()).is_none() {
            tell(panicked);
        }
    }));
}

/// The system's error, where a panic is that of an `expect` or `unwrap` on one: all that is left of it is how it
/// prints.
fn refused(panicked: &(dyn Any + Send)) -> Option<io::Error> {
    let message = panicked.downcast_ref::<String>()?;
    let (_, code) = message.split_once("Os { code: ")?;
    let code = code.split(',').next()?.parse().ok()?;
    Some(io::Error::from_raw_os_error(code))
}

/// Writes text as text, whatever it looks like.
fn write_text(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    text: &str,
    format: &Format,
) -> Result<()> {
    sheet
        .write_string_with_format(row, column, clean(text), format)
        .map_err(failed)?;
    Ok(())
}

/// Writes text of a cell.
fn write_cell_text(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    text: &str,
    looks: &Looks,
) -> Result<()> {
    if !looks.is_bare || text.is_empty() {
        return write_text(sheet, row, column, text, &looks.general);
    }
    sheet
        .write_string(row, column, clean(text))
        .map_err(failed)?;
    Ok(())
}

/// Writes a number that a spreadsheet keeps as it is; a longer one as text.
fn write_number(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    json: &str,
    looks: &Looks,
) -> Result<()> {
    let written = json.split(['e', 'E']).next().unwrap_or("");
    // 1.50 is 1.5 to a spreadsheet.
    let written = match written.contains('.') {
        true => written.trim_end_matches('0'),
        false => written,
    };
    let digits = written
        .trim_start_matches(['-', '0', '.'])
        .bytes()
        .filter(u8::is_ascii_digit)
        .count();
    match json.parse::<f64>() {
        Ok(number) if number.is_finite() && digits <= DIGITS_MAX => {
            match looks.is_bare {
                true => sheet.write_number(row, column, number),
                false => sheet.write_number_with_format(row, column, number, &looks.general),
            }
            .map_err(failed)?;
            Ok(())
        }
        _ => write_cell_text(sheet, row, column, json, looks),
    }
}

/// Writes a cell as it was in the uploaded sheet.
fn write_cell(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    cell: &Cell<'_>,
    looks: &Looks,
    mark_empty: bool,
) -> Result<()> {
    match cell {
        Cell::Empty if mark_empty => {
            sheet
                .write_blank(row, column, &looks.general)
                .map_err(failed)?;
            Ok(())
        }
        Cell::Empty => Ok(()),
        Cell::Text(text) => write_cell_text(sheet, row, column, text, looks),
        Cell::Duration(text) => match days(text) {
            Some(days) => {
                sheet
                    .write_number_with_format(row, column, days, &looks.duration)
                    .map_err(failed)?;
                Ok(())
            }
            None => write_cell_text(sheet, row, column, text, looks),
        },
        Cell::Number(json) => write_number(sheet, row, column, json, looks),
        Cell::Bool(value) => {
            sheet
                .write_boolean_with_format(row, column, *value, &looks.general)
                .map_err(failed)?;
            Ok(())
        }
        Cell::Date(text) => write_moment(sheet, row, column, text, &looks.date, looks),
        Cell::DateTime(text) => write_moment(sheet, row, column, text, &looks.datetime, looks),
        Cell::Time(text) => write_moment(sheet, row, column, text, &looks.time, looks),
        Cell::Error => write_text(sheet, row, column, ERROR_TEXT, &looks.general),
    }
}

/// A date or time as one, where a spreadsheet can count it; else as text.
fn write_moment(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    text: &str,
    format: &Format,
    looks: &Looks,
) -> Result<()> {
    // Day 60 of 1900 never was, and what lies before it is counted in two ways; no cell has an offset.
    let clock = text.split_once('T').map_or(text, |(_, clock)| clock);
    let has_offset = clock.contains(['Z', '+']) || (clock.contains(':') && clock.contains('-'));
    let countable = (!text.contains('-') || text >= "1900-03-01") && !has_offset;
    match ExcelDateTime::parse_from_str(text) {
        Ok(moment) if countable => {
            sheet
                .write_datetime_with_format(row, column, &moment, format)
                .map_err(failed)?;
            Ok(())
        }
        _ => write_cell_text(sheet, row, column, text, looks),
    }
}

/// A duration as a spreadsheet counts it, in days; `None` for months and what is longer, and for less than
/// nothing, which it can't show.
fn days(duration: &str) -> Option<f64> {
    let (months, micros) = crate::process::duration_length(duration)?;
    (months == 0.0 && micros >= 0.0).then_some(micros / 86_400_000_000.0)
}

/// A spreadsheet column as the writer counts it; `None` beyond the last one.
fn column_number(index: usize) -> Option<u16> {
    let column = u16::try_from(index).ok();
    column.filter(|_| index < SHEET_COLUMNS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_without_room_is_told_as_such_however_the_library_says_it() {
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        for error in [
            XlsxError::IoError(full()),
            XlsxError::ZipError(ZipError::Io(full())),
            XlsxError::TempFileError(std::path::PathBuf::new(), full()),
        ] {
            assert!(failed(error).is_disk_full());
        }
        let library = |error: io::Error| -> io::Result<()> { Err(error) };
        let expect = |error: io::Error| {
            without_panic(move || -> Result<()> {
                library(error).expect("as rust_xlsxwriter does it");
                Ok(())
            })
        };
        // ENOSPC, and EFBIG: the file gets larger than it may.
        #[cfg(unix)]
        for (code, is_full) in [(28, true), (27, false)] {
            let error = expect(io::Error::from_raw_os_error(code)).unwrap_err();
            assert!(matches!(&error, Error::Io(error) if error.raw_os_error() == Some(code)));
            assert_eq!(error.is_disk_full(), is_full);
        }
        let other = panic::catch_unwind(|| expect(io::Error::other("something else")));
        assert!(other.is_err());
    }
}
