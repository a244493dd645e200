//! The clean list as a workbook.

use std::fs::File;
use std::path::Path;

use super::{Book, ROWS_MAX, column_number, failed, write_cell, write_text};
use crate::error::Result;
use crate::report::export::{Member, plain, values};
use crate::sheet::Cell;

/// Records on their way into a workbook.
pub struct Records {
    book: Book,
    members: Vec<Member>,
    sheet: usize,
    /// The next row, counted from 0.
    row: u32,
    sheets: u32,
}

impl Records {
    /// # Errors
    /// As [`Book::new`].
    pub fn begin(folder: &Path, members: Vec<Member>) -> Result<Records> {
        let mut records = Records {
            book: Book::new(folder)?,
            members,
            sheet: 0,
            row: 0,
            sheets: 0,
        };
        records.next_sheet()?;
        Ok(records)
    }

    /// A sheet with the header; a list longer than a sheet goes on in the next one.
    fn next_sheet(&mut self) -> Result<()> {
        self.sheets += 1;
        let name = match self.sheets {
            1 => "Records".to_owned(),
            number => format!("Records {number}"),
        };
        self.sheet = self.book.add_sheet(&name)?;
        let header = self.book.formats.header.clone();
        let sheet = self.book.sheet(self.sheet)?;
        sheet.set_freeze_panes(1, 0).map_err(failed)?;
        for (at, member) in self.members.iter().enumerate() {
            if let Some(column) = column_number(at) {
                sheet.set_column_width(column, 22).map_err(failed)?;
                write_text(sheet, 0, column, &member.name, &header)?;
            }
        }
        self.row = 1;
        Ok(())
    }

    /// Adds a record, `{"field": value}`.
    ///
    /// # Errors
    /// `Io` where the disk is full, `Internal` where the record is damaged.
    pub fn add(&mut self, record: &str) -> Result<()> {
        if self.row >= ROWS_MAX {
            self.next_sheet()?;
        }
        let sheet = self
            .book
            .workbook
            .worksheet_from_index(self.sheet)
            .map_err(failed)?;
        let mut values = values(record)?;
        for (at, member) in self.members.iter().enumerate() {
            let Some(column) = column_number(at) else {
                break;
            };
            let Some(value) = values.get(member.name.as_str()) else {
                continue;
            };
            let Some(text) = plain(member, value)? else {
                continue;
            };
            let cell = match value.get().as_bytes().first() {
                Some(b't') => Cell::Bool(true),
                Some(b'f') => Cell::Bool(false),
                Some(b'"') => match member.kind.as_str() {
                    "date" => Cell::Date(text),
                    "datetime" => Cell::DateTime(text),
                    "time" => Cell::Time(text),
                    _ => Cell::Text(text),
                },
                // A year of four digits.
                Some(b'0'..=b'9') if member.kind == "year" && text.starts_with('0') => {
                    Cell::Text(text)
                }
                Some(b'-' | b'0'..=b'9') => Cell::Number(&text),
                Some(_) | None => Cell::Text(text),
            };
            let looks = &self.book.formats.bare;
            write_cell(sheet, self.row, column, &cell, looks, false)?;
            self.book.cuts.note(sheet, self.row, column, &cell)?;
        }
        self.row += 1;
        Ok(())
    }

    /// # Errors
    /// As [`Book::finish`].
    pub fn finish(self, file: &mut File) -> Result<()> {
        self.book.finish(file)
    }
}
