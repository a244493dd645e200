//! Workbooks: the worksheets of an xlsx, xlsb, xls or ods file, cell by cell, into the assembler.
//! One file per format family; every format streams or keeps cells only, never a grid.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "of the many events of XML only a few matter at each place"
)]

mod book;
mod formats;
mod html;
mod html_styles;
mod html_tables;
mod moment;
mod ods;
mod ods_styles;
mod ods_text;
mod ole;
mod package;
mod parts;
mod plain;
mod record;
mod strings;
mod styles;
mod xls;
mod xls_globals;
mod xls_old;
mod xls_text;
mod xlsb;
mod xlsx;
mod xlsx_cells;
mod xlsx_facts;
mod xml;
mod xml2003;
mod zeros;

use super::refusal::{damaged, password};
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::protocol::Output;
use super::{FileInfo, ReadOptions};
use crate::error::{Error, Result};
use crate::words::Format;

/// Reads all worksheets of the workbook at `path`.
///
/// # Errors
/// `unreadable-file`, `password-protected`, `too-complex`, `empty-file`, `no-such-sheet`; `Io`
/// where the reader of the output is gone or the file can't be opened.
pub fn read(
    path: &Path,
    format: Format,
    options: &ReadOptions,
    out: &mut Output<'_>,
) -> Result<FileInfo> {
    let mut book = book::Book::new(options, out);
    // A protected workbook of any kind is a compound file, as an xls is.
    match if is_ole(path)? { Format::Xls } else { format } {
        Format::Xlsx | Format::Xlsm => xlsx::read(path, &mut book)?,
        Format::Xlsb => xlsb::read(path, &mut book)?,
        Format::Xls => xls::read(path, &mut book)?,
        Format::Ods => ods::read(path, &mut book)?,
        Format::Csv | Format::Tsv => {
            return Err(Error::Internal("text is no workbook".to_owned()));
        }
    }
    book.finish()
}

fn is_ole(path: &Path) -> Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(8).read_to_end(&mut head)?;
    Ok(ole::is_ole(&head))
}
