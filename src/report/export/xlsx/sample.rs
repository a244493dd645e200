//! An empty workbook to fill in for a template: headers with notes, drop-downs for allowed values,
//! and two rows that show what is meant.

use std::fs::File;
use std::path::Path;

use rust_xlsxwriter::Note;

use super::{Book, allow_only, column_number, failed, write_text};
use crate::error::Result;
use crate::process::template::Template;

/// Rows that get drop-downs.
const ROWS: u32 = 5_000;
/// Allowed values listed in the workbook.
const ALLOWED_MAX: usize = 10_000;

/// A column of the workbook.
#[derive(Debug, Clone)]
pub struct SampleColumn {
    pub label: String,
    /// What the header's note says.
    pub note: String,
    pub allowed: Vec<String>,
    /// Values of the two sample rows.
    pub examples: [String; 2],
}

/// The columns of a template's workbook.
pub fn columns(template: &Template) -> Vec<SampleColumn> {
    template
        .fields
        .iter()
        .map(|field| SampleColumn {
            label: field.label().to_owned(),
            note: field.note(),
            allowed: field.allowed().to_vec(),
            examples: field.examples(),
        })
        .collect()
}

/// Writes the workbook.
///
/// # Errors
/// As [`Book::finish`].
pub fn write(folder: &Path, title: &str, columns: &[SampleColumn], file: &mut File) -> Result<()> {
    let mut book = Book::new(folder)?;
    let number = book.add_sheet(&super::annotated::sheet_name(Some(title)))?;
    let header = book.formats.header.clone();
    let plain = book.formats.plain.general.clone();
    let sheet = book.sheet(number)?;
    sheet.set_freeze_panes(1, 0).map_err(failed)?;
    for row in 0..3 {
        for (at, column) in columns.iter().enumerate() {
            let Some(place) = column_number(at) else {
                break;
            };
            match row {
                0 => {
                    sheet.set_column_width(place, 26).map_err(failed)?;
                    write_text(sheet, 0, place, &column.label, &header)?;
                    let note = Note::new(super::clean(&column.note)).add_author_prefix(false);
                    sheet.insert_note(0, place, &note).map_err(failed)?;
                }
                1 => write_text(sheet, 1, place, &column.examples[0], &plain)?,
                _ => write_text(sheet, 2, place, &column.examples[1], &plain)?,
            }
        }
    }
    let lists: Vec<(u16, &SampleColumn)> = columns
        .iter()
        .enumerate()
        .filter(|(_, column)| !column.allowed.is_empty())
        .filter_map(|(at, column)| Some((column_number(at)?, column)))
        .collect();
    for (list, (place, column)) in (0_u16..).zip(&lists) {
        let allowed = column.allowed.get(..ALLOWED_MAX).unwrap_or(&column.allowed);
        allow_only(sheet, *place, (1, ROWS), allowed, Some(("Lists", list)))?;
    }
    if !lists.is_empty() {
        write_lists(&mut book, &lists)?;
    }
    book.finish(file)
}

/// The allowed values, a column for each field that has some.
fn write_lists(book: &mut Book, lists: &[(u16, &SampleColumn)]) -> Result<()> {
    let number = book.add_sheet("Lists")?;
    let plain = book.formats.plain.general.clone();
    let sheet = book.sheet(number)?;
    sheet.set_hidden(true);
    let longest = lists.iter().map(|(_, column)| column.allowed.len()).max();
    for row in 0..longest.unwrap_or(0).min(ALLOWED_MAX) {
        for (at, (_, column)) in (0_u16..).zip(lists) {
            if let (Some(word), Ok(line)) = (column.allowed.get(row), u32::try_from(row)) {
                write_text(sheet, line, at, word, &plain)?;
            }
        }
    }
    Ok(())
}
