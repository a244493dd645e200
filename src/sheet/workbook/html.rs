//! A web page that an office system called `.xls`: each of its tables is a worksheet. The page is gone
//! through twice, because merged cells have to be known before the first row.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::super::assemble::{Found, Merge};
use super::super::encoding::{self, Detected};
use super::super::notices::quote;
use super::super::{Visibility, delimited};
use super::book::{Book, Listed};
use super::damaged;
use super::formats::{Shape, shape};
use super::html_tables::{Page, Part};
use super::moment;
use crate::error::{Error, Result};
use crate::words::Code;

/// Bytes in which a page names its encoding, as in the HTML standard.
const DECLARATION_BYTES: u64 = 1_024;

/// Reads all tables of at least two columns.
///
/// # Errors
/// As [`super::read`]; `unreadable-file` where there is no such table, or where it can't be told
/// whether a table around others is the layout of the page or holds rows.
pub(super) fn read(path: &Path, book: &mut Book<'_, '_>) -> Result<()> {
    let mut file = File::open(path)?;
    let (detected, declared) = encoding_of(&mut file, book.encoding())?;
    let limits = book.limits();
    let mut look = Look::default();
    let mut page = Page::open(&mut file, detected, limits)?;
    while let Some(part) = page.next()? {
        look.take(part);
    }
    let doubts = page.doubts();
    let tables: Vec<&Looked> = look.tables.iter().filter(|table| table.is_data()).collect();
    if tables.is_empty() || look.tables.iter().any(Looked::is_doubtful) {
        return Err(no_table());
    }
    let listed = |at: usize| Listed {
        name: format!("Sheet{}", at + 1),
        visibility: Visibility::Visible,
    };
    book.list((0..tables.len()).map(listed).collect())?;
    book.decoded_with(detected.encoding.name());
    let mut page = Page::open(&mut file, detected, limits)?;
    for (at, looked) in tables.into_iter().enumerate() {
        book.sheet(looked.merges.clone(), u64::from(looked.rows), |rows| {
            if let Some(text) = look.outside.as_ref().filter(|_| at == 0) {
                let message = format!("Text outside the tables was left out: {}.", quote(text));
                rows.notice("text-left-out", None, &message);
            }
            let said = match &declared {
                Some(label) => format!("The page says that its letters are encoded as {}, which they are not", quote(label)),
                None => "The page does not say how its letters are encoded".to_owned(),
            };
            if let Some(sentence) = detected.guess(&said).filter(|_| at == 0) {
                rows.notice("encoding-guessed", None, &sentence);
            }
            loop {
                match page.next()?.ok_or_else(damaged)? {
                    Part::Row {
                        table,
                        number,
                        cells,
                        formats,
                        unseen,
                        ..
                    } if table == looked.number => {
                        for column in unseen {
                            rows.notice(
                                "text-left-out",
                                Some((column, number)),
                                "The cell offers a choice, or has words for a browser without scripts; they were left out.",
                            );
                        }
                        for (column, text) in &cells {
                            if let Some(sentence) = doubts.sentence(text, detected) {
                                rows.notice("undecodable", Some((*column, number)), &sentence);
                            }
                        }
                        let mut cells: Vec<(usize, Found<'_>)> = cells
                            .iter()
                            .map(|(column, text)| {
                                let format = formats.iter().find(|format| format.0 == *column);
                                let code = format.map(|format| format.1.as_str());
                                (*column, found(text, code))
                            })
                            .collect();
                        rows.unsorted(number, &mut cells)?;
                    }
                    Part::End { table, .. } if table == looked.number => return Ok(()),
                    Part::Row { .. } | Part::End { .. } | Part::Outside(_) => {}
                }
            }
        })?;
    }
    Ok(())
}

/// A text under a number format: as in a text file, but a text stays one, and zeros that show are kept.
fn found<'t>(text: &'t str, code: Option<&str>) -> Found<'t> {
    let found = delimited::found(text);
    match (code, text.parse()) {
        (Some("@"), _) => Found::Text(text.into()),
        (Some(code), Ok(number)) if matches!(found, Found::Json(_)) => match shape(code) {
            zeros @ Shape::Zeros(_) => moment::number(number, &zeros, false),
            Shape::Number | Shape::Date | Shape::DateTime | Shape::Time | Shape::Duration => found,
        },
        _ => found,
    }
}

/// The encoding of the page, and the label that it names itself, true or not. What a person says wins.
/// Whether a page is UTF-8 can be seen, and need not be believed.
fn encoding_of(file: &mut File, given: Option<&str>) -> Result<(Detected, Option<String>)> {
    let declared = declared(file)?;
    let known = declared
        .as_deref()
        .and_then(|label| encoding::by_label(label).ok())
        // A page that could be read as far as here is no UTF-16 without a mark.
        .filter(|encoding| encoding.is_ascii_compatible() && !encoding.is_utf8())
        .map(|encoding| encoding.name());
    Ok((encoding::detect(file, given.or(known))?, declared))
}

/// The label of an encoding that the beginning of the page names.
fn declared(file: &mut File) -> Result<Option<String>> {
    let mut head = Vec::new();
    file.take(DECLARATION_BYTES).read_to_end(&mut head)?;
    file.seek(SeekFrom::Start(0))?;
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let label = head.split_once("charset=").map(|(_, rest)| {
        let rest = rest.trim_start_matches(['"', '\'', ' ']);
        rest.split(['"', '\'', ' ', ';', '>', '/'])
            .next()
            .unwrap_or("")
    });
    Ok(label.map(str::to_owned))
}

/// What has to be known of the page before its first row.
#[derive(Default)]
struct Look {
    /// By their numbers.
    tables: Vec<Looked>,
    /// The first text outside of them.
    outside: Option<String>,
}

#[derive(Default)]
struct Looked {
    number: usize,
    rows: u32,
    /// Rows of two texts or more.
    rows_wide: u32,
    merges: Vec<Merge>,
    holds_tables: bool,
}

impl Look {
    fn take(&mut self, part: Part) {
        match part {
            Part::Row {
                table,
                number,
                cells,
                merges,
                formats: _,
                unseen: _,
            } => {
                let looked = self.table(table);
                looked.rows = number;
                looked.rows_wide += u32::from(cells.len() > 1);
                looked.merges.extend(merges);
            }
            Part::End {
                table,
                holds_tables,
            } => self.table(table).holds_tables = holds_tables,
            Part::Outside(text) => {
                self.outside.get_or_insert(text);
            }
        }
    }

    fn table(&mut self, number: usize) -> &mut Looked {
        while self.tables.len() <= number {
            let number = self.tables.len();
            self.tables.push(Looked {
                number,
                ..Looked::default()
            });
        }
        &mut self.tables[number]
    }
}

impl Looked {
    fn is_data(&self) -> bool {
        !self.holds_tables && self.rows_wide > 0
    }

    /// Tables around others mostly lay out the page; their own rows would be lost.
    fn is_doubtful(&self) -> bool {
        self.holds_tables && self.rows_wide > 1
    }
}

/// What is said of a page that holds no table that could be told to be one.
fn no_table() -> Error {
    Error::problem(
        Code::UnreadableFile,
        "This file is really a web page. Open it in Excel or LibreOffice and save it as .xlsx.",
    )
}
