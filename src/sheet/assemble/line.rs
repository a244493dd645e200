//! Writes a row below the header: its cells as a JSON array, with what is to be told of them.

use super::{Assembler, Found};
use crate::error::Result;
use crate::sheet::notices::counted;
use crate::sheet::{Kind, bounds, json};

/// A row that is being written.
#[derive(Default)]
pub(super) struct Line {
    /// The column that would come next.
    next: usize,
    /// Cells that hold a value.
    filled: u64,
}

impl Assembler<'_, '_> {
    /// Writes a row below the header.
    pub(super) fn write(
        &mut self,
        number: u32,
        cells: &[(usize, Found<'_>)],
        width: Option<u32>,
    ) -> Result<()> {
        let mut line = self.begin_line();
        if self.filler.is_idle(number) {
            for (column, found) in cells {
                self.cell(&mut line, *column, number, found)?;
            }
        } else {
            let cells = self.filler.fill(number, cells, &mut self.notices);
            for (column, found) in &cells {
                self.cell(&mut line, *column, number, found)?;
            }
        }
        self.end_line(&line, number, width)
    }

    pub(super) fn begin_line(&mut self) -> Line {
        self.cells.clear();
        self.cells.push(b'[');
        self.kinds.clear();
        Line::default()
    }

    /// Writes the line out, where it holds anything.
    pub(super) fn end_line(&mut self, line: &Line, number: u32, width: Option<u32>) -> Result<()> {
        if line.filled == 0 {
            return Ok(());
        }
        self.rows += 1;
        if self.rows > self.rows_max {
            return Err(bounds::too_complex(&format!(
                "{} has more than {}. Split it.",
                if self.sheet.workbook {
                    "The sheet"
                } else {
                    "The file"
                },
                counted(self.rows_max, "rows")
            )));
        }
        if is_only_spaces(&self.cells, line.filled) && self.notices.wants("spaces-only") {
            let message = format!("Row {number} holds nothing but spaces; it was kept.");
            let first = self.cells.iter().position(|byte| *byte == b'"');
            let nulls = first.map_or(0, |at| at.saturating_sub(1) / b"null,".len());
            self.notices
                .keep("spaces-only", Some((nulls, number)), message);
        }
        self.cells.push(b']');
        let width = self.ragged(number, width);
        let kinds = if self.kinds.is_empty() {
            None
        } else {
            while self.kinds.len() < line.next {
                self.kinds.push('.');
            }
            Some(self.kinds.as_str())
        };
        self.out.row(number, width, kinds, &self.cells, line.filled)
    }

    /// Goes on to the column of a cell that holds a value.
    #[inline]
    pub(super) fn begin_cell(&mut self, line: &mut Line, column: usize, number: u32) -> Result<()> {
        if column < line.next {
            return Err(bounds::out_of_order(number));
        }
        if column >= self.used.len() {
            bounds::column(column, self.out.limits().columns_max)?;
            self.used.resize(column + 1, false);
        }
        self.used[column] = true;
        if line.next > 0 {
            self.cells.push(b',');
        }
        for _ in line.next..column {
            self.cells.extend_from_slice(b"null,");
        }
        line.next = column + 1;
        line.filled += 1;
        Ok(())
    }

    /// Appends one cell.
    pub(super) fn cell(
        &mut self,
        line: &mut Line,
        column: usize,
        number: u32,
        found: &Found<'_>,
    ) -> Result<()> {
        if found.is_empty() {
            return Ok(());
        }
        self.begin_cell(line, column, number)?;
        match found {
            Found::Text(text) => {
                bounds::size(&self.sheet, self.out.limits(), (column, number), found)?;
                json::text(&mut self.cells, text);
            }
            Found::Number(value) | Found::Bare(value) => {
                if matches!(found, Found::Bare(_)) {
                    self.notices.add(
                        "zeros-dropped",
                        Some((column, number)),
                        "The cell's format shows leading zeros that are no part of its number; the number was stored without them.",
                    );
                }
                if !json::number(&mut self.cells, *value) {
                    self.cells.extend_from_slice(b"null");
                    self.notices.add(
                        "not-a-number",
                        Some((column, number)),
                        "The cell's number is not a number or infinite; it was left empty.",
                    );
                }
            }
            Found::Json(text) => self.cells.extend_from_slice(text.as_bytes()),
            Found::Bool(true) => self.cells.extend_from_slice(b"true"),
            Found::Bool(false) => self.cells.extend_from_slice(b"false"),
            Found::Moment(kind, text) => {
                if let Some(sentence) = no_day(text) {
                    self.notices
                        .add("no-such-day", Some((column, number)), sentence);
                }
                json::text(&mut self.cells, text);
                self.kind(*kind, line.next);
            }
            Found::Error(_) => {
                self.cells.extend_from_slice(b"null");
                self.kind(Kind::Error, line.next);
                self.error_cell(column, number);
            }
        }
        Ok(())
    }

    /// Sets the letter of the cell that is the `count`-th of the row.
    fn kind(&mut self, kind: Kind, count: usize) {
        while self.kinds.len() + 1 < count {
            self.kinds.push('.');
        }
        self.kinds.push(kind.letter());
    }

    /// The width of a record that has not as many fields as the header, with a notice.
    fn ragged(&mut self, number: u32, width: Option<u32>) -> Option<u32> {
        let wanted = self.header.as_ref()?.width?;
        let width = width.filter(|width| *width != wanted)?;
        if self.notices.wants("ragged-row") {
            let column = usize::try_from(width.min(wanted)).unwrap_or(0);
            let message = format!(
                "Row {number} has {width} {}, the header has {wanted}.",
                if width == 1 { "field" } else { "fields" }
            );
            self.notices
                .keep("ragged-row", Some((column, number)), message);
        }
        Some(width)
    }
}

/// What is to be said of a date that only spreadsheets have.
fn no_day(moment: &str) -> Option<&'static str> {
    match moment.get(..10)? {
        "1900-02-29" => Some(
            "Excel's calendar has a 29 February 1900, which never was; it was stored as it stands. Correct the date.",
        ),
        "1899-12-31" | "1899-12-30" => Some(
            "The date is before Excel's first day: most likely the cell holds 0 under a date format. Empty it, or correct the date.",
        ),
        _ => None,
    }
}

/// Whether the cells of a row, a JSON array without its end, are texts of mere white space, `filled` of
/// them. Most rows show at their first letter that they are not.
fn is_only_spaces(cells: &[u8], filled: u64) -> bool {
    let mut rest = cells;
    let mut quotes = 0;
    loop {
        rest = match rest {
            // Error cells and what is no number are null, too.
            [] => return quotes == 2 * filled,
            [b'"', after @ ..] => {
                quotes += 1;
                after
            }
            [b'n', b'u', b'l', b'l', after @ ..] => after,
            [b'\\', b't' | b'n' | b'r', after @ ..] | [0xC2, 0xA0, after @ ..] => after,
            [b'[' | b',' | b' ', after @ ..] => after,
            _ => return false,
        };
    }
}
