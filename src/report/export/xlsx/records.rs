//! The clean list as a workbook.

use std::fs::File;
use std::path::Path;

use serde_json::Value;

use super::{Book, ROWS_MAX, column_number, failed, write_cell, write_text};
use crate::error::Result;
use crate::report::export::{Member, plain};
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
    /// `Io` where the disk is full.
    pub fn add(&mut self, record: &Value) -> Result<()> {
        if self.row >= ROWS_MAX {
            self.next_sheet()?;
        }
        let sheet = self
            .book
            .workbook
            .worksheet_from_index(self.sheet)
            .map_err(failed)?;
        for (at, member) in self.members.iter().enumerate() {
            let Some(column) = column_number(at) else {
                break;
            };
            let number;
            let cell = match record.get(&member.name) {
                None | Some(Value::Null) => continue,
                Some(Value::Bool(value)) => Cell::Bool(*value),
                Some(value @ Value::Number(_)) => {
                    number = plain(member, value);
                    if number.len() > 1 && number.starts_with('0') && !number.contains('.') {
                        Cell::Text(number.as_ref().into())
                    } else {
                        Cell::Number(&number)
                    }
                }
                Some(Value::String(text)) => match member.kind.as_str() {
                    "date" => Cell::Date(text.as_str().into()),
                    "datetime" => Cell::DateTime(text.as_str().into()),
                    "time" => Cell::Time(text.as_str().into()),
                    _ => Cell::Text(text.as_str().into()),
                },
                Some(other) => Cell::Text(other.to_string().into()),
            };
            let looks = &self.book.formats.plain;
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
