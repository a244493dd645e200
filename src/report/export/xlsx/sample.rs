//! An empty workbook to fill in for a template: headers with notes, drop-downs for allowed values,
//! and two rows that show what is meant.

use std::collections::HashSet;
use std::fs::File;
use std::path::Path;

use rust_xlsxwriter::Note;

use super::lists::Lists;
use super::{Book, column_number, failed, write_text};
use crate::error::Result;
use crate::process::template::Template;

/// Rows that get drop-downs.
const ROWS: u32 = 5_000;

/// A column of the workbook.
#[derive(Debug, Clone)]
pub struct SampleColumn {
    pub label: String,
    /// What the header's note says.
    pub note: String,
    pub allowed: Vec<String>,
    /// Whether it takes text, which must stay as it is typed.
    pub is_text: bool,
    /// Values of the two sample rows.
    pub examples: [String; 2],
}

/// The columns of a template's workbook.
pub fn columns(template: &Template) -> Vec<SampleColumn> {
    let keys = template.unique_keys.iter().chain([&template.primary_key]);
    // Rows of which one field of a key differs have another key.
    let keys: HashSet<usize> = keys.filter_map(|key| key.last().copied()).collect();
    let fields = template.fields.iter().enumerate();
    fields
        .map(|(at, field)| SampleColumn {
            label: field.label().to_owned(),
            note: field.note(),
            allowed: field.allowed().to_vec(),
            is_text: field.kind.is_text(),
            examples: field.examples(keys.contains(&at)),
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
    let general = book.formats.plain.general.clone();
    let text = book.formats.plain.text.clone();
    let sheet = book.sheet(number)?;
    sheet.set_freeze_panes(1, 0).map_err(failed)?;
    for row in 0..3 {
        for (at, column) in columns.iter().enumerate() {
            let Some(place) = column_number(at) else {
                break;
            };
            let look = if column.is_text { &text } else { &general };
            match row {
                0 => {
                    sheet.set_column_format(place, look).map_err(failed)?;
                    sheet.set_column_width(place, 26).map_err(failed)?;
                    write_text(sheet, 0, place, &column.label, &header)?;
                    let note = Note::new(super::clean_note(&column.note)).add_author_prefix(false);
                    sheet.insert_note(0, place, &note).map_err(failed)?;
                }
                1 => write_text(sheet, 1, place, &column.examples[0], look)?,
                _ => write_text(sheet, 2, place, &column.examples[1], look)?,
            }
        }
    }
    let mut lists = Lists::default();
    for (at, column) in columns.iter().enumerate() {
        if let Some(place) = column_number(at) {
            lists.add(place, &column.allowed);
        }
    }
    lists.write(&mut book, number, (1, ROWS))?;
    book.finish(file)
}
