//! xls: the worksheets of an Excel 2 to 2003 file ([MS-XLS]). Its cells may come in any order, so
//! that those of one sheet are kept and sorted: cells, not a grid.

use std::borrow::Cow;
use std::path::Path;

use super::super::assemble::{Found, Merge};
use super::super::{Limits, bounds, sniff};
use super::book::{Book, Rows, no_part_twice};
use super::moment;
use super::ole::Ole;
use super::record::{Bytes, error_name, rk};
use super::xls_globals::{BOF, EOF, Globals, Record, Records};
use super::xls_old::{self, BOF_OLD};
use super::{damaged, html, password, xml2003};
use crate::error::{Error, Result};
use crate::words::Code;

/// Reads all worksheets.
///
/// # Errors
/// As [`super::read`].
pub(super) fn read(path: &Path, book: &mut Book<'_, '_>) -> Result<()> {
    let file = std::fs::read(path)?;
    if is_xml(&file) {
        drop(file);
        return match sniff::content(path, book.limits())? {
            sniff::Content::Html => html::read(path, book),
            _ => xml2003::read(path, book),
        };
    }
    let stream = stream(file)?;
    // Excel 2, 3 and 4 know no workbooks.
    let old = Bytes(&stream).u16().filter(|kind| BOF_OLD.contains(kind));
    let globals = match old {
        Some(_) => xls_old::globals(&stream)?,
        None => Globals::read(&stream, book.limits())?,
    };
    book.leave_out(globals.others.clone());
    let places = places(&stream, &globals);
    no_part_twice(places.iter())?;
    book.list(globals.sheets.iter().map(|sheet| sheet.0.clone()).collect())?;
    for place in places {
        let mut sheet = Sheet {
            globals: &globals,
            limits: book.limits(),
            excel_2: old == Some(BOF_OLD[0]),
            cells: Vec::new(),
            computed: false,
            merges: Vec::new(),
        };
        sheet.read(&stream, place)?;
        let rows = sheet.sort();
        book.sheet(std::mem::take(&mut sheet.merges), rows, |rows| {
            sheet.emit(rows)
        })?;
    }
    Ok(())
}

/// Where the worksheets begin in the stream. Where one is said to be somewhere else than any of them,
/// and all sheets are there, their order tells.
fn places(stream: &[u8], globals: &Globals) -> Vec<usize> {
    let told: Vec<usize> = globals.sheets.iter().map(|(_, place)| *place).collect();
    let is_sheet = |place: &usize| begins_sheet(stream, *place);
    let only_sheets = globals.others.is_empty();
    if told.iter().all(is_sheet) || !only_sheets {
        return told;
    }
    match substreams(stream) {
        Some(found) if found.len() == told.len() => found,
        Some(_) | None => told,
    }
}

fn begins_sheet(stream: &[u8], place: usize) -> bool {
    let kind = Bytes(stream.get(place..).unwrap_or_default()).u16();
    kind.is_some_and(|kind| kind == BOF || BOF_OLD.contains(&kind))
}

/// Where the substreams behind the globals begin; `None` where the last of them has no end.
fn substreams(stream: &[u8]) -> Option<Vec<usize>> {
    let mut records = Records::at(stream, 0);
    let mut found = Vec::new();
    let mut depth = 0_u32;
    while let Some(place) = records.place(stream) {
        match records.next().ok()?.kind {
            BOF => {
                if depth == 0 && place > 0 {
                    found.push(place);
                }
                depth += 1;
            }
            EOF => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    (depth == 0).then_some(found)
}

/// Whether this is XML, which the first of its letters tells in any encoding.
fn is_xml(file: &[u8]) -> bool {
    let mut letters = file
        .iter()
        .filter(|byte| !matches!(byte, 0 | 0xEF | 0xBB | 0xBF | 0xFE | 0xFF))
        .skip_while(|byte| byte.is_ascii_whitespace());
    letters.next() == Some(&b'<')
}

/// The workbook's stream in the compound file.
fn stream(file: Vec<u8>) -> Result<Vec<u8>> {
    // Excel 4 and before, and some writers since, leave out the compound file around it.
    if matches!(
        file.as_slice(),
        [0x09, 0x00 | 0x02 | 0x04 | 0x08, _, 0x00, ..]
    ) {
        return Ok(file);
    }
    let ole = Ole::open(&file)?;
    if ole.has("EncryptedPackage") || ole.has("EncryptionInfo") {
        return Err(password());
    }
    for name in ["Workbook", "Book"] {
        if let Some(stream) = ole.stream(name)? {
            return Ok(stream);
        }
    }
    Err(Error::problem(
        Code::UnsupportedFormat,
        format!(
            "The file must be {}: save the table as one of these, and add that.",
            super::super::FORMATS_SENTENCE
        ),
    ))
}

/// A cell; its row and column are 0-based.
struct Cell {
    row: u16,
    column: u16,
    value: Value,
}

enum Value {
    /// A number, and the index of its style.
    Number(f64, u16),
    Text(Box<str>),
    /// An index of the shared strings.
    Shared(u32),
    Bool(bool),
    Error(u8),
    /// A formula whose result is a text that has not come yet.
    Pending,
    /// A formula whose result is an empty text.
    Blank,
}

/// A worksheet that is being read.
struct Sheet<'g> {
    globals: &'g Globals,
    limits: &'g Limits,
    /// Its records are those of Excel 2, which are shorter.
    excel_2: bool,
    cells: Vec<Cell>,
    /// Whether any formula has a result that is more than an empty text. Programs that can't compute
    /// write such a text for every formula.
    computed: bool,
    merges: Vec<Merge>,
}

impl Sheet<'_> {
    fn read(&mut self, stream: &[u8], place: usize) -> Result<()> {
        let mut records = Records::at(stream, place);
        let kind = records.next()?.kind;
        if kind != BOF && !BOF_OLD.contains(&kind) {
            return Err(damaged());
        }
        // Charts lie inside a sheet as substreams of their own.
        let mut depth = 0_u32;
        loop {
            let record = records.next()?;
            match record.kind {
                BOF => depth += 1,
                EOF if depth == 0 => return Ok(()),
                EOF => depth -= 1,
                _ if depth > 0 => {}
                // Excel 2 reads the longer records of its successors, too.
                0x0002..=0x0007 if self.excel_2 => self.take_2(&record).ok_or_else(damaged)?,
                _ => self.take(record).ok_or_else(damaged)?,
            }
            if u64::try_from(self.cells.len()).unwrap_or(u64::MAX) > self.limits.cells_max {
                return Err(bounds::cells(self.limits));
            }
        }
    }

    /// `None` where the record is cut off.
    fn take(&mut self, record: Record<'_>) -> Option<()> {
        let mut bytes = record.bytes();
        match record.kind {
            // NUMBER
            0x0203 => {
                let place = place(&mut bytes)?;
                let number = bytes.f64()?;
                self.push(place, Value::Number(number, place.style));
            }
            // RK
            0x027E => {
                let place = place(&mut bytes)?;
                let number = rk(bytes.u32()?);
                self.push(place, Value::Number(number, place.style));
            }
            // MULRK
            0x00BD => self.many(bytes)?,
            // LABEL, RSTRING
            0x0204 | 0x00D6 => {
                let place = place(&mut bytes)?;
                let text = self.text(record, 6)?;
                self.push(place, Value::Text(text));
            }
            // LABELSST
            0x00FD => {
                let place = place(&mut bytes)?;
                let index = bytes.u32()?;
                self.push(place, Value::Shared(index));
            }
            // BOOLERR
            0x0205 => {
                let place = place(&mut bytes)?;
                let (value, is_error) = (bytes.u8()?, bytes.u8()?);
                let value = if is_error == 0 {
                    Value::Bool(value != 0)
                } else {
                    Value::Error(value)
                };
                self.push(place, value);
            }
            // FORMULA; of Excel 3 and 4, and of writers that mix them up
            0x0006 | 0x0206 | 0x0406 => {
                let place = place(&mut bytes)?;
                let result = result(bytes.take(8)?, place.style)?;
                self.computed |= !matches!(result, Value::Blank);
                self.push(place, result);
            }
            // STRING: the text that a formula before it gave
            0x0207 => {
                let text = self.text(record, 0)?;
                if let Some(cell) = self.cells.last_mut()
                    && matches!(cell.value, Value::Pending)
                {
                    cell.value = Value::Text(text);
                }
            }
            // MERGEDCELLS
            0x00E5 => {
                for _ in 0..bytes.u16()? {
                    let merge = merge(&mut bytes)?;
                    self.merges.push(merge);
                }
            }
            _ => {}
        }
        Some(())
    }

    /// A record of Excel 2; `None` where it is cut off.
    fn take_2(&mut self, record: &Record<'_>) -> Option<()> {
        let mut bytes = record.bytes();
        // STRING: the text that a formula before it gave
        if record.kind == 0x0007 {
            let text = self.short_text(bytes)?;
            if let Some(cell) = self.cells.last_mut()
                && matches!(cell.value, Value::Pending)
            {
                cell.value = Value::Text(text);
            }
            return Some(());
        }
        let (row, column) = (bytes.u16()?, bytes.u16()?);
        let attributes = bytes.take(3)?;
        let style = u16::from(attributes.get(1)? & 0x3F);
        let value = match record.kind {
            // INTEGER
            0x0002 => Value::Number(f64::from(bytes.u16()?), style),
            // NUMBER
            0x0003 => Value::Number(bytes.f64()?, style),
            // LABEL
            0x0004 => Value::Text(self.short_text(bytes)?),
            // BOOLERR
            0x0005 => match (bytes.u8()?, bytes.u8()?) {
                (value, 0) => Value::Bool(value != 0),
                (value, _) => Value::Error(value),
            },
            // FORMULA
            _ => {
                let result = result(bytes.take(8)?, style)?;
                self.computed |= !matches!(result, Value::Blank);
                result
            }
        };
        self.push(Place { row, column, style }, value);
        Some(())
    }

    fn short_text(&self, mut bytes: Bytes<'_>) -> Option<Box<str>> {
        let count = usize::from(bytes.u8()?);
        let text = self.globals.page.decode(bytes.take(count)?);
        Some(text.into_boxed_str())
    }

    fn push(&mut self, place: Place, value: Value) {
        self.cells.push(Cell {
            row: place.row,
            column: place.column,
            value,
        });
    }

    /// Numbers side by side: row, first column, pairs of style and number, last column.
    fn many(&mut self, mut bytes: Bytes<'_>) -> Option<()> {
        let row = bytes.u16()?;
        let first = bytes.u16()?;
        let count = bytes.0.len().checked_sub(2)? / 6;
        for at in 0..count {
            let style = bytes.u16()?;
            let number = rk(bytes.u32()?);
            let column = first.checked_add(u16::try_from(at).ok()?)?;
            let place = Place { row, column, style };
            self.push(place, Value::Number(number, style));
        }
        Some(())
    }

    fn text(&self, record: Record<'_>, skip: usize) -> Option<Box<str>> {
        let mut pieces = record.pieces(skip);
        let text = if self.globals.unicode {
            pieces.string()?
        } else {
            pieces.byte_string(self.globals.page)?
        };
        Some(text.into_boxed_str())
    }

    /// Puts the cells in order, and counts their rows.
    fn sort(&mut self) -> u64 {
        if !self.cells.is_sorted_by_key(|cell| cell.row) {
            self.cells.sort_by_key(|cell| cell.row);
        }
        let rows = self.cells.chunk_by(|a, b| a.row == b.row).count();
        u64::try_from(rows).unwrap_or(u64::MAX)
    }

    fn emit(&self, rows: &mut Rows<'_, '_>) -> Result<()> {
        for row in self.cells.chunk_by(|a, b| a.row == b.row) {
            let Some(first) = row.first() else { continue };
            let number = u32::from(first.row) + 1;
            let mut cells = Vec::with_capacity(row.len());
            for cell in row {
                let column = usize::from(cell.column);
                match &cell.value {
                    Value::Pending => rows.formula_without_value(column, number),
                    Value::Blank if !self.computed => rows.formula_without_value(column, number),
                    value => cells.extend(self.found(value)?.map(|found| (column, found))),
                }
            }
            rows.unsorted(number, &mut cells)?;
        }
        Ok(())
    }

    fn found<'v>(&'v self, value: &'v Value) -> Result<Option<Found<'v>>> {
        Ok(Some(match value {
            Value::Number(number, style) => moment::number(
                *number,
                self.globals.styles.shape(usize::from(*style)),
                self.globals.date1904,
            ),
            Value::Text(text) if text.is_empty() => return Ok(None),
            Value::Text(text) => Found::Text(Cow::Borrowed(text)),
            Value::Shared(index) => {
                let index = usize::try_from(*index).unwrap_or(usize::MAX);
                match self.globals.strings.get(index) {
                    Some("") => return Ok(None),
                    Some(text) => Found::Text(Cow::Borrowed(text)),
                    None => return Err(damaged()),
                }
            }
            Value::Bool(value) => Found::Bool(*value),
            Value::Error(code) => Found::Error(Cow::Borrowed(error_name(*code))),
            Value::Pending | Value::Blank => return Ok(None),
        }))
    }
}

#[derive(Clone, Copy)]
struct Place {
    row: u16,
    column: u16,
    style: u16,
}

fn place(bytes: &mut Bytes<'_>) -> Option<Place> {
    Some(Place {
        row: bytes.u16()?,
        column: bytes.u16()?,
        style: bytes.u16()?,
    })
}

/// The cached result of a formula: a number, or what its last two bytes say.
fn result(raw: &[u8], style: u16) -> Option<Value> {
    let mut bytes = Bytes(raw);
    let (kind, _, value) = (bytes.u8()?, bytes.u8()?, bytes.u8()?);
    if raw.ends_with(&[0xFF, 0xFF]) {
        return Some(match kind {
            0 => Value::Pending,
            1 => Value::Bool(value != 0),
            2 => Value::Error(value),
            _ => Value::Blank,
        });
    }
    Some(Value::Number(Bytes(raw).f64()?, style))
}

fn merge(bytes: &mut Bytes<'_>) -> Option<Merge> {
    let (first_row, last_row) = (bytes.u16()?, bytes.u16()?);
    let (first_column, last_column) = (bytes.u16()?, bytes.u16()?);
    Some(Merge {
        first_row: u32::from(first_row) + 1,
        last_row: u32::from(last_row) + 1,
        first_column: usize::from(first_column),
        last_column: usize::from(last_column),
    })
}
