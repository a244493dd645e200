//! From a parser's raw rows to a sheet: finds the header, names the columns, writes the rows below
//! it, and notes what was dropped, guessed or changed.

use std::borrow::Cow;

use super::protocol::Output;
use super::{Kind, SheetInfo, Visibility};
use crate::error::Result;

/// A cell's value as a parser found it. Empty cells are left out.
#[derive(Debug, Clone, PartialEq)]
pub enum Found<'a> {
    Text(Cow<'a, str>),
    /// A number of a workbook: the 64-bit float that every spreadsheet program reads.
    Number(f64),
    /// A number of a text file whose text is already the JSON that prints it.
    Json(&'a str),
    Bool(bool),
    /// A date, date-time, time or duration, in the text form of [`Kind`].
    Moment(Kind, Cow<'a, str>),
    /// A spreadsheet error, such as `#N/A`.
    Error(Cow<'a, str>),
}

/// A range of merged cells: 0-based columns, 1-based rows, ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Merge {
    pub first_row: u32,
    pub last_row: u32,
    pub first_column: usize,
    pub last_column: usize,
}

/// What is known of a sheet before its first row.
#[derive(Debug, Clone)]
pub struct Sheet {
    pub position: u32,
    /// `None` for text files.
    pub name: Option<String>,
    pub visibility: Visibility,
    pub merges: Vec<Merge>,
    /// 1-based header row, where the user said so.
    pub header_row: Option<u32>,
    /// Whether the header has to be found among the first rows (workbooks and text alike).
    pub workbook: bool,
}

/// Takes the rows of one sheet, top to bottom.
pub struct Assembler<'o, 'w> {
    sheet: Sheet,
    out: &'o mut Output<'w>,
}

impl<'o, 'w> Assembler<'o, 'w> {
    pub fn new(sheet: Sheet, out: &'o mut Output<'w>) -> Assembler<'o, 'w> {
        Assembler { sheet, out }
    }

    /// A row that holds at least one value: its 1-based number, and its cells by 0-based column,
    /// ascending. `width` is the number of fields of a text file's record.
    ///
    /// # Errors
    /// `too-complex` over a bound; `Io` where the parent is gone.
    pub fn row(
        &mut self,
        _number: u32,
        _cells: &[(usize, Found<'_>)],
        _width: Option<u32>,
    ) -> Result<()> {
        let _ = (&self.sheet, &self.out);
        Ok(())
    }

    /// Notes something that the parser dropped, guessed or changed; at most so many of each code
    /// are kept, and then only counted.
    pub fn notice(&mut self, _code: &str, _cell: Option<(usize, u32)>, _message: &str) {}

    /// The last row has come: writes the sheet's end.
    ///
    /// # Errors
    /// As [`Assembler::row`].
    pub fn finish(self) -> Result<SheetInfo> {
        Err(crate::error::Error::Internal("to come".to_owned()))
    }
}
