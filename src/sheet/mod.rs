//! The workshop: bytes of an office file → rows that know their sheet, row and column. Parsing
//! itself runs in a child process of the same executable, so that a hostile file costs only itself.

mod above;
pub mod assemble;
mod bounds;
mod cells;
mod charset;
pub mod child;
mod decode;
pub mod delimited;
mod dialect;
pub mod document;
mod doubt;
mod encoding;
mod fill;
mod found;
mod guess;
mod header;
mod json;
pub(crate) mod lines;
mod names;
mod notices;
mod prose;
pub mod protocol;
mod quotes;
pub mod reader;
mod refusal;
pub mod row;
pub mod sniff;
mod storages;
pub mod summary;
mod titles;
pub mod workbook;

use serde::{Deserialize, Serialize};

pub use above::TitleRow;
pub use row::{Cell, Cells, ERROR_TEXT, Kind, Row, Stored, cell_name, column_letters};

use crate::error::{Error, Result};
pub use crate::limits::Limits;
use crate::words::{Code, Format};

/// How a file is to be read, where the user said so. What is `None` is found out by looking.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadOptions {
    /// The sheet that matters (the default one); all sheets are read in any case.
    pub sheet: Option<String>,
    /// 1-based row of the headers in that sheet.
    pub header_row: Option<u32>,
    /// Text files: the character between fields.
    pub delimiter: Option<char>,
    /// Text files: an encoding label of the WHATWG standard, for example `windows-1252`, or a code page of DOS, `cp850`.
    pub encoding: Option<String>,
}

/// Who sees a sheet in the spreadsheet program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    Visible,
    Hidden,
    VeryHidden,
}

/// A column of a sheet that has a name or a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// 0-based column in the sheet: the place of its values in [`Row::cells`].
    pub index: usize,
    /// Unique within the sheet; `column_N` where the file has no name.
    pub name: String,
    /// The header as it stands in the file, `None` where the cell is blank.
    pub label: Option<String>,
}

/// Something that was dropped, guessed or changed while reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// A fixed word, for example `ragged-row`.
    pub code: String,
    /// The cell concerned, as the spreadsheet shows it.
    pub cell: Option<String>,
    /// A sentence for a person.
    pub message: String,
}

/// What is known of a sheet when its last row has been read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetInfo {
    /// 0-based position among the worksheets.
    pub position: u32,
    /// `None` for text files.
    pub name: Option<String>,
    pub visibility: Visibility,
    /// 1-based row of the headers; `None` where the sheet has no value at all.
    pub header_row: Option<u32>,
    pub columns: Vec<Column>,
    /// Rows below the header that hold a value.
    pub rows: u64,
    /// Number of error cells (`#N/A`), and the first 100 of them.
    pub error_cells: u64,
    pub error_cells_first: Vec<String>,
    pub notices: Vec<Notice>,
    /// The first rows above the headers, for a copy of the sheet.
    #[serde(default)]
    pub above: Vec<TitleRow>,
}

/// What is known of a file when all of it has been read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileInfo {
    /// The [`SheetInfo::position`] of the sheet that "the rows of the file" means: the one that
    /// was asked for, else the first visible one with a row.
    pub default_sheet: u32,
    /// Text files only: what the text was decoded with, and what separates its fields.
    pub encoding: Option<String>,
    pub delimiter: Option<char>,
}

/// What a reader tells, in this order: `Sheet Row* SheetEnd` for each worksheet, then `Done`.
/// `Estimate` may come at any time. A file whose reading ends without `Done` was not read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A worksheet begins: its position.
    Sheet(u32),
    /// A row below the header.
    Row(Row),
    SheetEnd(Box<SheetInfo>),
    /// How many rows the whole file seems to have; for progress only.
    Estimate(u64),
    Done(FileInfo),
}

/// The character between fields as a person gives it: itself, perhaps with blanks around it, or the
/// word `tab`.
///
/// # Errors
/// `bad-request` where it is no single plain character.
pub fn delimiter(text: &str) -> Result<char> {
    let word = match text.trim() {
        "" => text,
        word => word,
    };
    match word.chars().collect::<Vec<_>>().as_slice() {
        _ if word.eq_ignore_ascii_case("tab") || word == "\\t" => Ok('\t'),
        [one] if one.is_ascii_graphic() || matches!(one, ' ' | '\t') => Ok(*one),
        _ => Err(Error::problem(
            Code::BadRequest,
            "The delimiter must be one plain character, such as a semicolon, or the word tab.",
        )),
    }
}

/// What is said of a file without a byte, or without a sheet that holds anything.
pub const NOTHING: &str = "The file is empty. Save the table again, and add that.";

/// The formats as people know them, for sentences.
pub const FORMATS_SENTENCE: &str = "xlsx, xlsm, xlsb, xls, ods, csv, tsv or txt";

/// Whether cells of this format carry types of their own (a workbook) or are all text.
pub fn is_workbook(format: Format) -> bool {
    match format {
        Format::Xlsx | Format::Xlsm | Format::Xlsb | Format::Xls | Format::Ods => true,
        Format::Csv | Format::Tsv => false,
    }
}
