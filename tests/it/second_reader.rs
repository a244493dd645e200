//! Promises of reading, beside calamine, a reader that others wrote: every cell that it finds is
//! found, not only those that the corpus samples.
//!
//! The files come from `../shared/corpus`; without it there is nothing to check.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use calamine::{Data, Range, Reader, SheetType, Sheets};
use sheetline::sheet::{Cell, ReadOptions, Row, SheetInfo, sniff};
use sheetline::words::Format;

use crate::reader::{Whole, read_whole};

/// Where calamine 0.38 is known to be wrong; the corpus has the right values.
const KNOWN: &[(&str, &str)] = &[
    (
        "company_list_biff5.xls",
        "its date formats have numbers that calamine passes over",
    ),
    (
        "sheetjs_CRLFR9.xls",
        "calamine leaves NULs between the letters",
    ),
    (
        "sheetjs_biff5_NumberFormatCondition.xls",
        "calamine takes `[Red][<-25]General` for a date",
    ),
];

/// A dense range of a larger file costs more than it shows.
const FILE_BYTES_MAX: u64 = 300_000;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/files");
    let mut files: Vec<PathBuf> = ["xlsx", "xlsm", "xlsb", "xls", "ods"]
        .iter()
        .filter_map(|kind| std::fs::read_dir(folder.join(kind)).ok())
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.metadata().unwrap().len() < FILE_BYTES_MAX)
        .collect();
    files.sort();
    files
}

#[test]
fn every_cell_that_calamine_finds_is_found() {
    let mut differ = Vec::new();
    for path in files() {
        let Ok(whole) = read_whole(&path, &ReadOptions::default()) else {
            continue;
        };
        let Some(theirs) = theirs(&path) else {
            continue;
        };
        let wrong = compare(&whole, &theirs);
        if !wrong.is_empty() {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let shown: Vec<_> = wrong.iter().take(4).collect();
            println!("{name}: {} differ: {shown:#?}", wrong.len());
            differ.push(name);
        }
    }
    let differ: BTreeSet<&str> = differ.iter().map(String::as_str).collect();
    let known: BTreeSet<&str> = KNOWN.iter().map(|(name, _)| *name).collect();
    if !files().is_empty() {
        assert_eq!(differ, known, "left: what differs; right: what is known to");
    }
}

/// The worksheets that calamine finds, where it opens the file.
fn theirs(path: &Path) -> Option<Vec<(String, Range<Data>)>> {
    let format = sniff::sniff(path, &sheetline::limits::Limits::default()).ok()?;
    let file = std::io::BufReader::new(std::fs::File::open(path).ok()?);
    let mut sheets = match format {
        Format::Xlsx | Format::Xlsm => Sheets::Xlsx(calamine::Xlsx::new(file).ok()?),
        Format::Xlsb => Sheets::Xlsb(calamine::Xlsb::new(file).ok()?),
        Format::Xls => Sheets::Xls(calamine::Xls::new(file).ok()?),
        Format::Ods => Sheets::Ods(calamine::Ods::new(file).ok()?),
        _ => return None,
    };
    let names: Vec<String> = sheets
        .sheets_metadata()
        .iter()
        .filter(|sheet| sheet.typ == SheetType::WorkSheet)
        .map(|sheet| sheet.name.clone())
        .collect();
    names
        .into_iter()
        .map(|name| {
            let range = sheets.worksheet_range(&name).ok()?;
            Some((name, range))
        })
        .collect()
}

fn compare(whole: &Whole, theirs: &[(String, Range<Data>)]) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, range) in theirs {
        let ours = whole
            .sheets
            .iter()
            .find(|(_, info)| info.name.as_ref() == Some(name));
        let Some((rows, info)) = ours else {
            wrong.push(format!("no sheet {name}"));
            continue;
        };
        let (top, left) = range.start().unwrap_or((0, 0));
        for (row, column, data) in range.used_cells() {
            let number = top + u32::try_from(row).unwrap() + 1;
            let column = left as usize + column;
            if !same(rows, info, number, column, data) {
                wrong.push(format!("{name} row {number} column {column}: {data:?}"));
            }
        }
    }
    wrong
}

/// Whether a text is that number with leading zeros and what its format puts between the digits.
fn shows(text: &str, number: f64) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.parse() == Ok(number.abs())
}

fn same(rows: &[Row], info: &SheetInfo, number: u32, column: usize, data: &Data) -> bool {
    if number <= info.header_row.unwrap_or(0) {
        return true;
    }
    let at = rows.binary_search_by_key(&number, |row| row.number);
    let values = at.map(|at| rows[at].values().unwrap()).unwrap_or_default();
    let found = values.get(column).cloned().unwrap_or(Cell::Empty);
    let plain = |text: &str| text.replace("\r\n", "\n").trim().to_owned();
    match (data, found) {
        (Data::String(text), Cell::Text(found)) => plain(text) == plain(&found),
        (Data::String(text), Cell::Empty) => text.trim().is_empty(),
        // In ods an error is a text to calamine.
        (Data::String(_) | Data::Error(_), Cell::Error) => true,
        (Data::Float(number), Cell::Number(text)) => *number == text.parse::<f64>().unwrap(),
        (Data::Float(number), Cell::Empty) => !number.is_finite(),
        (Data::Int(number), Cell::Number(text)) => *number as f64 == text.parse::<f64>().unwrap(),
        // A number under `00000` or `000-00-0000`.
        (Data::Float(number), Cell::Text(text)) => shows(&text, *number),
        (Data::Int(number), Cell::Text(text)) => shows(&text, *number as f64),
        (Data::Bool(value), Cell::Bool(found)) => *value == found,
        // LibreOffice's `=TRUE()` under a number's format.
        (Data::Float(number), Cell::Bool(found)) => *number == f64::from(u8::from(found)),
        (
            Data::DateTime(_) | Data::DateTimeIso(_) | Data::DurationIso(_),
            Cell::Date(_) | Cell::DateTime(_) | Cell::Time(_) | Cell::Duration(_),
        ) => true,
        // A number that no date can have.
        (Data::DateTime(moment), Cell::Number(text)) => {
            let number = text.parse::<f64>().unwrap();
            moment.as_f64() == number && !(0.0..2_958_466.0).contains(&number)
        }
        (Data::Empty, _) => true,
        _ => false,
    }
}
