//! xlsb: the binary parts of a workbook ([MS-XLSB]), record by record.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{BufRead, Read};
use std::path::Path;

use super::super::assemble::{Found, Merge};
use super::super::{Limits, Visibility};
use super::book::{Book, Listed, Rows, no_part_twice};
use super::damaged;
use super::formats::shape;
use super::moment;
use super::package::{Package, in_part};
use super::parts::{Relationships, beside, main_part};
use super::record::{Bytes, error_name, rk};
use super::strings::Strings;
use super::styles::Styles;
use crate::error::Result;

/// Bytes of a record; the longest that a program writes is a text of 32,767 characters.
const RECORD_BYTES_MAX: u64 = 16 << 20;

/// Reads all worksheets.
///
/// # Errors
/// As [`super::read`].
pub(super) fn read(path: &Path, book: &mut Book<'_, '_>) -> Result<()> {
    let mut package = Package::open(path, book.limits())?;
    let main = main_part(&mut package, "xl/workbook.bin")?;
    let relationships = Relationships::read(&mut package, &main)?;
    let mut workbook = Workbook::read(package.part(&main)?.ok_or_else(damaged)?, &relationships)?;
    book.leave_out(std::mem::take(&mut workbook.others));
    no_part_twice(workbook.sheets.iter().map(|(_, part)| part.to_lowercase()))?;
    let part = |package: &Package, kind, usual| beside(package, &main, &relationships, kind, usual);
    let strings = match part(&package, "sharedStrings", "sharedStrings.bin") {
        Some(name) => strings(package.part(&name)?.ok_or_else(damaged)?, book.limits())?,
        None => Strings::default(),
    };
    let styles = match part(&package, "styles", "styles.bin") {
        Some(name) => styles(package.part(&name)?.ok_or_else(damaged)?)?,
        // Without the number formats that it names, dates would pass as numbers.
        None if relationships.of_kind("styles").is_some() => return Err(damaged()),
        None => Styles::default(),
    };
    package.beside(strings.bytes());
    book.list(
        workbook
            .sheets
            .iter()
            .map(|sheet| sheet.0.clone())
            .collect(),
    )?;
    for (_, part) in &workbook.sheets {
        let (merges, rows_seem) = look(package.part_again(part)?.ok_or_else(damaged)?)?;
        book.sheet(merges, rows_seem, |rows| {
            let source = package.part_again(part)?.ok_or_else(damaged)?;
            let cells = Cells {
                strings: &strings,
                styles: &styles,
                date1904: workbook.date1904,
                row: 0,
                column_next: 0,
                cells: Vec::new(),
            };
            cells.read(source, rows)
        })?;
        package.forget();
    }
    Ok(())
}

/// A binary part, record by record.
struct Records<'r> {
    source: Box<dyn BufRead + 'r>,
    body: Vec<u8>,
}

impl<'r> Records<'r> {
    fn new(source: Box<dyn BufRead + 'r>) -> Records<'r> {
        Records {
            source,
            body: Vec::new(),
        }
    }

    /// The next record: its type and its bytes; `None` at the end of the part.
    fn next(&mut self) -> Result<Option<(u16, Bytes<'_>)>> {
        let Some(low) = self.byte()? else {
            return Ok(None);
        };
        let mut kind = u16::from(low);
        if low & 0x80 != 0 {
            let high = self.byte()?.ok_or_else(damaged)?;
            kind = (kind & 0x7F) | (u16::from(high & 0x7F) << 7);
        }
        let mut length: u64 = 0;
        for at in 0..4 {
            let byte = self.byte()?.ok_or_else(damaged)?;
            length |= u64::from(byte & 0x7F) << (7 * at);
            if byte & 0x80 == 0 {
                break;
            }
        }
        if length > RECORD_BYTES_MAX {
            return Err(damaged());
        }
        self.body.clear();
        let read = (&mut self.source)
            .take(length)
            .read_to_end(&mut self.body)
            .map_err(in_part)?;
        if u64::try_from(read) != Ok(length) {
            return Err(damaged());
        }
        Ok(Some((kind, Bytes(&self.body))))
    }

    fn byte(&mut self) -> Result<Option<u8>> {
        let available = self.source.fill_buf().map_err(in_part)?;
        let byte = available.first().copied();
        if byte.is_some() {
            self.source.consume(1);
        }
        Ok(byte)
    }
}

/// An XLWideString: a count of units and UTF-16. `None` where it is null or cut off.
fn wide(bytes: &mut Bytes<'_>) -> Option<String> {
    let units = bytes.length()?;
    let raw = bytes.take(units.checked_mul(2)?)?;
    Some(
        encoding_rs::UTF_16LE
            .decode_without_bom_handling(raw)
            .0
            .into_owned(),
    )
}

/// What the workbook part says.
#[derive(Debug, Default)]
struct Workbook {
    /// The worksheets and the names of their parts.
    sheets: Vec<(Listed, String)>,
    /// The names of other sheets.
    others: Vec<String>,
    date1904: bool,
}

impl Workbook {
    fn read(source: Box<dyn BufRead + '_>, relationships: &Relationships) -> Result<Workbook> {
        let mut workbook = Workbook::default();
        let mut records = Records::new(source);
        let mut whole = false;
        while let Some((kind, mut bytes)) = records.next()? {
            match kind {
                // BrtWbProp
                0x0099 => workbook.date1904 = bytes.u32().is_some_and(|flags| flags & 1 != 0),
                // BrtBundleSh
                0x009C => match worksheet(bytes, relationships)? {
                    Some((listed, Some(part))) => workbook.sheets.push((listed, part)),
                    Some((listed, None)) => workbook.others.push(listed.name),
                    None => {}
                },
                // BrtEndBundleShs
                0x0090 => whole = true,
                _ => {}
            }
        }
        if whole { Ok(workbook) } else { Err(damaged()) }
    }
}

fn worksheet(
    mut bytes: Bytes<'_>,
    relationships: &Relationships,
) -> Result<Option<(Listed, Option<String>)>> {
    let state = bytes.u32().ok_or_else(damaged)?;
    bytes.u32().ok_or_else(damaged)?;
    let mut peek = bytes;
    if peek.u32() == Some(u32::MAX) {
        // A sheet without a part: a module of Excel 95.
        return Ok(None);
    }
    let id = wide(&mut bytes).ok_or_else(damaged)?;
    let name = wide(&mut bytes).ok_or_else(damaged)?;
    let relationship = relationships.by_id(&id).ok_or_else(damaged)?;
    let visibility = match state {
        1 => Visibility::Hidden,
        2 => Visibility::VeryHidden,
        _ => Visibility::Visible,
    };
    let is_worksheet = relationship.kind == "worksheet";
    Ok(Some((
        Listed { name, visibility },
        is_worksheet.then(|| relationship.target.clone()),
    )))
}

fn strings(source: Box<dyn BufRead + '_>, limits: &Limits) -> Result<Strings> {
    let mut strings = Strings::within(limits);
    let mut records = Records::new(source);
    while let Some((kind, mut bytes)) = records.next()? {
        // BrtSSTItem: flags, then the text, then its runs.
        if kind == 0x0013 {
            bytes.u8().ok_or_else(damaged)?;
            strings.push(&wide(&mut bytes).ok_or_else(damaged)?)?;
        }
    }
    Ok(strings)
}

fn styles(source: Box<dyn BufRead + '_>) -> Result<Styles> {
    let mut codes = HashMap::new();
    let mut ids = Vec::new();
    let mut in_cells = false;
    let mut records = Records::new(source);
    while let Some((kind, mut bytes)) = records.next()? {
        match kind {
            // BrtBeginCellXFs, BrtEndCellXFs
            0x0269 => in_cells = true,
            0x026A => in_cells = false,
            // BrtFmt
            0x002C => {
                let id = bytes.u16().ok_or_else(damaged)?;
                let code = wide(&mut bytes).ok_or_else(damaged)?;
                codes.insert(u32::from(id), shape(&code));
            }
            // BrtXF: its parent, then its number format
            0x002F if in_cells => {
                bytes.u16().ok_or_else(damaged)?;
                ids.push(u32::from(bytes.u16().ok_or_else(damaged)?));
            }
            _ => {}
        }
    }
    Ok(Styles::new(&ids, &codes))
}

/// The merged ranges of a sheet and how many rows it says it has.
fn look(source: Box<dyn BufRead + '_>) -> Result<(Vec<Merge>, u64)> {
    let mut merges = Vec::new();
    let mut rows_seem = 0;
    let mut records = Records::new(source);
    while let Some((kind, mut bytes)) = records.next()? {
        match kind {
            // BrtWsDim
            0x0094 => {
                bytes.u32();
                rows_seem = u64::from(bytes.u32().unwrap_or(0)).min(1 << 20) + 1;
            }
            // BrtMergeCell
            0x00B0 => merges.extend(merge(&mut bytes)),
            _ => {}
        }
    }
    Ok((merges, rows_seem))
}

fn merge(bytes: &mut Bytes<'_>) -> Option<Merge> {
    let (first_row, last_row) = (bytes.u32()?, bytes.u32()?);
    let (first_column, last_column) = (bytes.length()?, bytes.length()?);
    (first_row <= last_row && first_column <= last_column).then_some(Merge {
        first_row: first_row.checked_add(1)?,
        last_row: last_row.checked_add(1)?,
        first_column,
        last_column,
    })
}

/// Reads the cells of one worksheet.
struct Cells<'s> {
    strings: &'s Strings,
    styles: &'s Styles,
    date1904: bool,
    /// The row that is being read, 1-based; 0 before the first.
    row: u32,
    column_next: usize,
    cells: Vec<(usize, Found<'s>)>,
}

impl<'s> Cells<'s> {
    fn read(mut self, source: Box<dyn BufRead + '_>, rows: &mut Rows<'_, '_>) -> Result<()> {
        let mut records = Records::new(source);
        let mut in_data = false;
        while let Some((kind, mut bytes)) = records.next()? {
            match kind {
                // BrtBeginSheetData
                0x0091 => in_data = true,
                // BrtEndSheetData
                0x0092 => {
                    return self.end_row(rows);
                }
                _ if !in_data => {}
                // BrtRowHdr
                0x0000 => {
                    self.end_row(rows)?;
                    let row = bytes.u32().ok_or_else(damaged)?;
                    self.row = row.checked_add(1).ok_or_else(damaged)?;
                    self.column_next = 0;
                }
                // The cells, and the short ones that leave out the column because it is the next.
                1..=11 | 62 => self.cell(kind, true, bytes)?,
                12..=18 => self.cell(kind - 11, false, bytes)?,
                _ => {}
            }
        }
        Err(damaged())
    }

    fn end_row(&mut self, rows: &mut Rows<'_, '_>) -> Result<()> {
        if !self.cells.is_empty() {
            rows.unsorted(self.row, &mut self.cells)?;
            self.cells.clear();
        }
        Ok(())
    }

    fn cell(&mut self, kind: u16, with_column: bool, mut bytes: Bytes<'_>) -> Result<()> {
        if self.row == 0 {
            return Err(damaged());
        }
        let column = if with_column {
            bytes.length().ok_or_else(damaged)?
        } else {
            self.column_next
        };
        self.column_next = column.saturating_add(1);
        let style = bytes.u32().ok_or_else(damaged)? & 0x00FF_FFFF;
        if let Some(found) = self.value(kind, style, bytes).ok_or_else(damaged)? {
            self.cells.push((column, found));
        }
        Ok(())
    }

    /// A cell's value. The outer `None` is a record that is cut off, the inner one an empty cell.
    fn value(&self, kind: u16, style: u32, mut bytes: Bytes<'_>) -> Option<Option<Found<'s>>> {
        let number = |number: f64| {
            let shape = self
                .styles
                .shape(usize::try_from(style).unwrap_or(usize::MAX));
            moment::number(number, shape, self.date1904)
        };
        let text = |text: String| (!text.is_empty()).then_some(Found::Text(Cow::Owned(text)));
        Some(match kind {
            // BrtCellRk
            2 => Some(number(rk(bytes.u32()?))),
            // BrtCellError, BrtFmlaError
            3 | 11 => Some(Found::Error(Cow::Borrowed(error_name(bytes.u8()?)))),
            // BrtCellBool, BrtFmlaBool
            4 | 10 => Some(Found::Bool(bytes.u8()? != 0)),
            // BrtCellReal, BrtFmlaNum
            5 | 9 => Some(number(bytes.f64()?)),
            // BrtCellSt, BrtFmlaString
            6 | 8 => text(wide(&mut bytes)?),
            // BrtCellIsst
            7 => match self.strings.get(bytes.length()?)? {
                "" => None,
                shared => Some(Found::Text(Cow::Borrowed(shared))),
            },
            // BrtCellRString: flags, then the text
            62 => {
                bytes.u8()?;
                text(wide(&mut bytes)?)
            }
            // BrtCellBlank
            _ => None,
        })
    }
}
