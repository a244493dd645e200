//! Writes a row below the header, with what is to be told of its cells.

use super::{Assembler, Found};
use crate::error::Result;
use crate::sheet::notices::counted;
use crate::sheet::{Kind, bounds, json};

impl Assembler<'_, '_> {
    /// Writes a row below the header.
    pub(super) fn write(
        &mut self,
        number: u32,
        cells: &[(usize, Found<'_>)],
        width: Option<u32>,
    ) -> Result<()> {
        self.line.clear();
        if self.filler.is_idle(number) {
            for (column, found) in cells {
                self.cell(*column, number, found)?;
            }
        } else {
            let cells = self.filler.fill(number, cells, &mut self.notices);
            for (column, found) in &cells {
                self.cell(*column, number, found)?;
            }
        }
        self.end_line(number, width)
    }

    /// Writes the line out, where it holds anything.
    pub(super) fn end_line(&mut self, number: u32, width: Option<u32>) -> Result<()> {
        if self.line.filled() == 0 {
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
        if let Some(first) = self.line.only_spaces()
            && self.notices.wants("spaces-only")
        {
            let message = format!("Row {number} holds nothing but spaces; it was kept.");
            self.notices
                .keep("spaces-only", Some((first, number)), message);
        }
        let width = self.ragged(number, width);
        let filled = u64::try_from(self.line.filled()).unwrap_or(u64::MAX);
        let (cells, kinds) = self.line.finish();
        self.out.row(number, width, kinds, cells, filled)
    }

    /// Goes on to the column of a cell that holds a value.
    #[inline]
    pub(super) fn begin_cell(&mut self, column: usize, number: u32) -> Result<()> {
        if column < self.line.next() {
            return Err(bounds::out_of_order(number));
        }
        if column >= self.used.len() {
            bounds::column(column, self.out.limits().columns_max)?;
            self.used.resize(column + 1, false);
        }
        self.used[column] = true;
        self.line.begin(column);
        Ok(())
    }

    /// Appends one cell.
    pub(super) fn cell(&mut self, column: usize, number: u32, found: &Found<'_>) -> Result<()> {
        if found.is_empty() {
            return Ok(());
        }
        self.begin_cell(column, number)?;
        match found {
            Found::Text(text) => {
                bounds::size(&self.sheet, self.out.limits(), (column, number), found)?;
                json::text(self.line.text(), text);
            }
            Found::Number(value) | Found::Bare(value) => {
                if matches!(found, Found::Bare(_)) {
                    self.notices.add(
                        "zeros-dropped",
                        Some((column, number)),
                        "The cell's format shows leading zeros that are no part of its number; the number was stored without them.",
                    );
                }
                if !json::number(self.line.text(), *value) {
                    self.line.text().extend_from_slice(b"null");
                    self.notices.add(
                        "not-a-number",
                        Some((column, number)),
                        "The cell's number is not a number or infinite; it was left empty.",
                    );
                }
            }
            Found::Json(text) => self.line.text().extend_from_slice(text.as_bytes()),
            Found::Bool(true) => self.line.text().extend_from_slice(b"true"),
            Found::Bool(false) => self.line.text().extend_from_slice(b"false"),
            Found::Moment(kind, text) => {
                if let Some(sentence) = no_day(text) {
                    self.notices
                        .add("no-such-day", Some((column, number)), sentence);
                }
                json::text(self.line.text(), text);
                self.line.kind(*kind);
            }
            Found::Error(_) => {
                self.line.text().extend_from_slice(b"null");
                self.line.kind(Kind::Error);
                self.error_cell(column, number);
            }
        }
        Ok(())
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
