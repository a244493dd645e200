//! The cells of an xlsx worksheet, as a stream: the part is taken in pieces that end with a row,
//! so that neither its size nor its extent costs memory.

use std::borrow::Cow;
use std::io::BufRead;

use memchr::memmem;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::super::assemble::Found;
use super::book::Rows;
use super::damaged;
use super::moment;
use super::plain::{self, Plain};
use super::strings::{Strings, decode_escapes};
use super::styles::Styles;
use super::xlsx_facts::{BORDER_BYTES, PIECE_BYTES, ends_an_element, reference, take};
use super::xml::{as_utf8, attributes, push_reference, settle};
use crate::error::Result;

/// Reads the cells of one worksheet.
pub(super) struct Cells<'s> {
    strings: &'s Strings,
    styles: &'s Styles,
    date1904: bool,
    /// Between the start and the end of `sheetData`.
    in_data: bool,
    in_row: bool,
    /// The end of `sheetData` has been seen, so that nothing is missing.
    whole: bool,
    /// The row that is being read, 1-based, or was read last.
    row: u32,
    /// Whether the row began more than once.
    begun_anew: bool,
    /// Whether the row itself has told its number.
    row_is_told: bool,
    column_next: usize,
    cells: Vec<(usize, Found<'s>)>,
    /// The text of the cell that is being read.
    text: String,
}

/// Where in a cell the next text belongs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Elsewhere,
    Value,
    Text,
    /// A value beside an inline string, or instead of it.
    Spare,
}

impl<'s> Cells<'s> {
    pub(super) fn new(strings: &'s Strings, styles: &'s Styles, date1904: bool) -> Cells<'s> {
        Cells {
            strings,
            styles,
            date1904,
            in_data: false,
            in_row: false,
            whole: false,
            row: 0,
            begun_anew: false,
            row_is_told: false,
            column_next: 0,
            cells: Vec::new(),
            text: String::new(),
        }
    }

    /// # Errors
    /// `unreadable-file`; those of the assembler.
    pub(super) fn read(
        mut self,
        source: Box<dyn BufRead + '_>,
        rows: &mut Rows<'_, '_>,
    ) -> Result<()> {
        let mut source = as_utf8(source)?;
        let mut piece = Vec::with_capacity(2 * PIECE_BYTES);
        let end_of_row = memmem::FinderRev::new("row>");
        while !self.whole {
            // What was searched before is not searched again, however long a row is.
            let searched = piece.len().saturating_sub(BORDER_BYTES);
            let read = take(&mut source, &mut piece)?;
            if read == 0 {
                self.piece(&piece, rows)?;
                break;
            }
            let cut = end_of_row
                .rfind_iter(piece.get(searched..).unwrap_or_default())
                .map(|at| searched + at)
                .find(|at| ends_an_element(&piece, *at));
            if let Some(at) = cut {
                let (now, _) = piece.split_at(at + 4);
                self.piece(now, rows)?;
                piece.drain(..at + 4);
            }
        }
        if self.whole { Ok(()) } else { Err(damaged()) }
    }

    fn piece(&mut self, piece: &[u8], rows: &mut Rows<'_, '_>) -> Result<()> {
        let mut reader = Reader::from_reader(piece);
        settle(&mut reader);
        loop {
            match reader.read_event().map_err(|_| damaged())? {
                Event::Start(start) => match start.local_name().as_ref() {
                    "c" if self.in_row => {
                        self.cell(&mut reader, &start, rows)?;
                        self.plain_cells(&mut reader, rows)?;
                    }
                    // A cell without a row belongs nowhere.
                    "c" if self.in_data => return Err(damaged()),
                    "row" if self.in_data => {
                        self.begin_row(&start, rows)?;
                        let read = piece.len().saturating_sub(reader.get_ref().len());
                        if !piece.get(..read).is_some_and(|read| read.ends_with(b"/>")) {
                            self.plain_cells(&mut reader, rows)?;
                        }
                    }
                    "sheetData" => self.in_data = true,
                    _ => {}
                },
                Event::End(end) => match end.local_name().as_ref() {
                    "row" if self.in_row => self.in_row = false,
                    "sheetData" if self.in_data && !self.in_row => {
                        self.end_row(rows)?;
                        self.in_data = false;
                        self.whole = true;
                        return Ok(());
                    }
                    _ => {}
                },
                Event::DocType(_) => return Err(damaged()),
                Event::Eof => return Ok(()),
                _ => {}
            }
        }
    }

    /// Takes the plain cells that come next, without the parser, which must be between two elements: not
    /// behind a text, nor where an empty element's end is still to come.
    fn plain_cells(&mut self, reader: &mut Reader<&[u8]>, rows: &mut Rows<'_, '_>) -> Result<()> {
        while let Some((plain, rest)) = plain::cell(reader.get_ref()) {
            *reader.get_mut() = rest;
            let Plain {
                told,
                style,
                kind,
                value,
            } = plain;
            let column = match self.place(told) {
                Ok(column) => column,
                // Where a cell is that holds nothing doesn't matter.
                Err(_) if value.is_none_or(str::is_empty) => continue,
                Err(error) => return Err(error),
            };
            if let Some(text) = value {
                self.text.clear();
                self.text.push_str(text);
                self.store(column, kind, style, rows)?;
            }
        }
        Ok(())
    }

    fn begin_row(&mut self, start: &BytesStart<'_>, rows: &mut Rows<'_, '_>) -> Result<()> {
        let mut told = None;
        for (key, value) in attributes(start.attributes_raw()) {
            match key {
                "r" => told = Some(value),
                "" => return Err(damaged()),
                _ => {}
            }
        }
        // A row that begins in another one: its end is missing.
        if self.in_row {
            return Err(damaged());
        }
        self.in_row = true;
        let number = match told {
            Some(number) => number.trim().parse().map_err(|_| damaged())?,
            None => self.row.saturating_add(1),
        };
        // Some writers begin a row anew for each of its cells.
        if number != self.row {
            self.end_row(rows)?;
            self.row = number;
        } else if !self.cells.is_empty() {
            self.begun_anew = true;
        }
        self.column_next = 0;
        self.row_is_told = told.is_some();
        Ok(())
    }

    /// The row that was read last has no more cells.
    fn end_row(&mut self, rows: &mut Rows<'_, '_>) -> Result<()> {
        if !self.cells.is_empty() {
            // Two rows of one number that hold the same cell contradict each other.
            if std::mem::take(&mut self.begun_anew) && has_equal(&self.cells) {
                return Err(damaged());
            }
            rows.unsorted(self.row, &mut self.cells)?;
            self.cells.clear();
        }
        Ok(())
    }

    /// Where a cell is: by its reference, or right of the one before.
    fn place(&mut self, told: Option<&str>) -> Result<usize> {
        let column = match told {
            // From which of the row's beginnings it would be counted, nobody knows.
            None if self.begun_anew => return Err(damaged()),
            None => self.column_next,
            Some(text) => {
                let (row, column) = reference(text).ok_or_else(damaged)?;
                if row != self.row {
                    // A row that doesn't tell its number has that of its cells.
                    if self.row_is_told || !self.cells.is_empty() {
                        return Err(damaged());
                    }
                    self.row = row;
                    self.row_is_told = true;
                }
                column
            }
        };
        self.column_next = column.saturating_add(1);
        Ok(column)
    }

    fn cell(
        &mut self,
        reader: &mut Reader<&[u8]>,
        start: &BytesStart<'_>,
        rows: &mut Rows<'_, '_>,
    ) -> Result<()> {
        let (mut told, mut style, mut kind) = (None, 0, "");
        for (key, value) in attributes(start.attributes_raw()) {
            match key {
                "r" => told = Some(value),
                "s" => style = value.parse().unwrap_or(0),
                "t" => kind = value,
                // A place that can't be read must not become another one.
                "" => return Err(damaged()),
                _ => {}
            }
        }
        let place = self.place(told);
        let (has_value, has_formula) = self.content(reader, kind == "inlineStr")?;
        // Where a cell is that holds nothing doesn't matter.
        if place.is_err() && self.text.is_empty() && !has_formula {
            return Ok(());
        }
        let column = place?;
        let missing = !has_value || (self.text.is_empty() && kind != "str");
        if has_formula && missing {
            rows.formula_without_value(column, self.row);
        }
        self.store(column, kind, style, rows)
    }

    /// Adds the cell whose text was collected to its row.
    fn store(
        &mut self,
        column: usize,
        kind: &str,
        style: usize,
        rows: &mut Rows<'_, '_>,
    ) -> Result<()> {
        if let Some(found) = self.value(kind, style)? {
            if kind == "d"
                && let Some(sentence) = moment::zone(&self.text, &found)
            {
                rows.notice("time-zone", Some((column, self.row)), sentence);
            }
            self.cells.push((column, found));
        }
        Ok(())
    }

    /// Collects the text of a cell. Tells whether it has a value and a formula. An inline string
    /// may come with a value besides, which is then not its own; where there is only the value, it is.
    fn content(&mut self, reader: &mut Reader<&[u8]>, inline: bool) -> Result<(bool, bool)> {
        self.text.clear();
        let (mut has_value, mut has_formula) = (false, false);
        let mut part = Part::Elsewhere;
        let mut depth = 0_u32;
        let mut phonetic = false;
        let mut spare = String::new();
        loop {
            let text_of = match part {
                Part::Spare => &mut spare,
                Part::Elsewhere | Part::Value | Part::Text => &mut self.text,
            };
            match reader.read_event().map_err(|_| damaged())? {
                Event::Start(start) => {
                    part = Part::Elsewhere;
                    match start.local_name().as_ref() {
                        "v" if inline => part = Part::Spare,
                        "v" => {
                            has_value = true;
                            part = Part::Value;
                        }
                        "t" if inline && !phonetic => {
                            has_value = true;
                            part = Part::Text;
                        }
                        "f" => has_formula = true,
                        "rPh" => phonetic = true,
                        _ => {}
                    }
                    depth += 1;
                }
                Event::End(end) => {
                    if depth == 0 {
                        if inline && !has_value && !spare.is_empty() {
                            self.text = spare;
                            has_value = true;
                        }
                        return Ok((has_value, has_formula));
                    }
                    if phonetic && end.local_name().as_ref() == "rPh" {
                        phonetic = false;
                    }
                    part = Part::Elsewhere;
                    depth -= 1;
                }
                Event::Text(text) if part != Part::Elsewhere => {
                    text_of.push_str(&text.xml10_content());
                }
                Event::CData(text) if part != Part::Elsewhere => {
                    text_of.push_str(&text.xml10_content());
                }
                Event::GeneralRef(reference) if part != Part::Elsewhere => {
                    push_reference(text_of, &reference)?;
                }
                Event::Eof | Event::DocType(_) => return Err(damaged()),
                _ => {}
            }
        }
    }

    /// The collected text as a value of that type (ECMA-376, ST_CellType).
    fn value(&self, kind: &str, style: usize) -> Result<Option<Found<'s>>> {
        let text = self.text.as_str();
        if text.is_empty() {
            return Ok(None);
        }
        Ok(Some(match kind {
            "" | "n" => {
                let number: f64 = text.trim().parse().map_err(|_| damaged())?;
                moment::number(number, self.styles.shape(style), self.date1904)
            }
            "s" => {
                let index: usize = text.trim().parse().map_err(|_| damaged())?;
                match self.strings.get(index) {
                    Some("") => return Ok(None),
                    Some(text) => Found::Text(Cow::Borrowed(text)),
                    None => return Err(damaged()),
                }
            }
            "b" => match text.trim() {
                "1" | "true" | "TRUE" | "True" => Found::Bool(true),
                "0" | "false" | "FALSE" | "False" => Found::Bool(false),
                _ => return Err(damaged()),
            },
            "e" => Found::Error(Cow::Owned(text.to_owned())),
            "d" => owned(moment::iso(text, self.styles.shape(style))),
            _ => Found::Text(Cow::Owned(decode_escapes(text).into_owned())),
        }))
    }
}

/// Whether two of these cells are in the same column.
fn has_equal(cells: &[(usize, Found<'_>)]) -> bool {
    let mut columns: Vec<usize> = cells.iter().map(|(column, _)| *column).collect();
    columns.sort_unstable();
    !columns.is_sorted_by(|a, b| a < b)
}

fn owned<'a>(found: Found<'_>) -> Found<'a> {
    match found {
        Found::Text(text) => Found::Text(Cow::Owned(text.into_owned())),
        Found::Moment(kind, text) => Found::Moment(kind, Cow::Owned(text.into_owned())),
        Found::Error(text) => Found::Error(Cow::Owned(text.into_owned())),
        Found::Number(number) => Found::Number(number),
        Found::Bare(number) => Found::Bare(number),
        Found::Bool(value) => Found::Bool(value),
        Found::Json(text) => Found::Json(Cow::Owned(text.into_owned())),
    }
}
