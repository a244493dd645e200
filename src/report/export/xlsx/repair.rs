//! The rows to fix and nothing else: reasons first, bad cells marked and explained, allowed values
//! to choose from. A hidden sheet says where the rows belong, so that the workbook is recognised
//! when it is dropped back.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::Path;

use rust_xlsxwriter::Note;

use super::annotated::{Remarks, in_words, joined, places, sheet_name};
use super::lists::Lists;
use super::{Book, column_number, failed, write_cell, write_text};
use crate::error::Result;
use crate::sheet::{Cell, Column, Row};

/// The hidden sheet's name.
pub const HOME_SHEET: &str = "sheetline_repair";
/// Headers of the two columns before the file's own.
pub const REASONS_LABEL: &str = "What is wrong";
pub const ROW_LABEL: &str = "Row in the file";
/// Columns before the file's own.
pub const OWN_COLUMNS: usize = 2;
/// Notes in a workbook; beyond that cells are only marked.
const NOTES_MAX: usize = 5_000;

/// Where the rows of a repair workbook belong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    pub upload_id: String,
    pub job_id: i64,
    pub template: String,
    /// `None` for text files.
    pub sheet: Option<String>,
}

/// What the template wants of a column of the file.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// 0-based sheet column of the file.
    pub column: usize,
    /// The values that it may have; empty where that is open.
    pub allowed: Vec<String>,
    /// Whether it takes text, which must stay as it is typed.
    pub is_text: bool,
}

/// What is to be said of the file's columns for which a sheet has no room beside ours.
fn no_room(columns: &[Column]) -> Option<String> {
    let left = columns
        .iter()
        .filter(|column| column_number(column.index + OWN_COLUMNS).is_none());
    let names: Vec<String> = left.map(in_words).collect();
    if names.is_empty() {
        return None;
    }
    Some(format!(
        "A sheet has no room here for the last columns of the file: {}. Drop this workbook back all the same: these columns are taken from the file, as they stand there.",
        names.join(", ")
    ))
}

/// Rows to fix on their way into a workbook.
pub struct Repair {
    book: Book,
    sheet: usize,
    row: u32,
    notes: usize,
    /// Rows beyond what a sheet holds.
    left_out: u64,
    /// Columns of the file that take text.
    texts: HashSet<usize>,
    lists: Lists,
    /// What is said of columns that have no place here.
    no_room: Option<String>,
}

impl Repair {
    /// # Errors
    /// As [`Book::new`].
    pub fn begin(
        folder: &Path,
        home: &Home,
        columns: &[Column],
        wanted: &[Wanted],
    ) -> Result<Repair> {
        let mut book = Book::new(folder)?;
        let sheet = book.add_sheet(&sheet_name(Some("Rows to fix")))?;
        let header = book.formats.header.clone();
        let text = book.formats.plain.text.clone();
        let mut lists = Lists::default();
        let mut texts = HashSet::new();
        let target = book.sheet(sheet)?;
        target.set_freeze_panes(1, 2).map_err(failed)?;
        target.set_column_width(0, 60).map_err(failed)?;
        write_text(target, 0, 0, REASONS_LABEL, &header)?;
        write_text(target, 0, 1, ROW_LABEL, &header)?;
        for column in columns {
            if let Some(at) = column_number(column.index + OWN_COLUMNS) {
                target.set_column_width(at, 22).map_err(failed)?;
                write_text(
                    target,
                    0,
                    at,
                    column.label.as_deref().unwrap_or(&column.name),
                    &header,
                )?;
            }
        }
        for wanted in wanted {
            if let Some(at) = column_number(wanted.column + OWN_COLUMNS) {
                lists.add(at, &wanted.allowed);
                if wanted.is_text {
                    texts.insert(wanted.column);
                    target.set_column_format(at, &text).map_err(failed)?;
                }
            }
        }
        let mut repair = Repair {
            book,
            sheet,
            row: 1,
            notes: 0,
            left_out: 0,
            texts,
            lists,
            no_room: no_room(columns),
        };
        repair.write_home(home)?;
        Ok(repair)
    }

    fn write_home(&mut self, home: &Home) -> Result<()> {
        let number = self.book.add_sheet(HOME_SHEET)?;
        let looks = self.book.formats.plain.general.clone();
        let sheet = self.book.sheet(number)?;
        sheet.set_very_hidden(true);
        let job = home.job_id.to_string();
        let lines = [
            ("key", "value"),
            ("upload_id", home.upload_id.as_str()),
            ("job_id", job.as_str()),
            ("template", home.template.as_str()),
            ("sheet", home.sheet.as_deref().unwrap_or("")),
        ];
        for (row, (key, value)) in (0..).zip(lines) {
            write_text(sheet, row, 0, key, &looks)?;
            write_text(sheet, row, 1, value, &looks)?;
        }
        Ok(())
    }

    /// Adds a row with what is wrong in it.
    ///
    /// # Errors
    /// `Io` where the disk is full.
    pub fn add(&mut self, row: &Row, remarks: &Remarks) -> Result<()> {
        if self.row >= super::ROWS_MAX {
            self.left_out += 1;
            return Ok(());
        }
        let at = self.row;
        self.row += 1;
        let formats = &self.book.formats;
        let sheet = self
            .book
            .workbook
            .worksheet_from_index(self.sheet)
            .map_err(failed)?;
        write_text(sheet, at, 0, &joined(remarks), &formats.message)?;
        sheet
            .write_number(at, 1, f64::from(row.number))
            .map_err(failed)?;
        let cells = row.values()?;
        let mut reasons: HashMap<usize, Vec<&str>> = HashMap::new();
        for (column, text) in remarks {
            if let Some(column) = column {
                reasons.entry(*column).or_default().push(text);
            }
        }
        for index in places(&cells, reasons.keys().copied()) {
            let Some(column) = column_number(index + OWN_COLUMNS) else {
                break;
            };
            let reasons = reasons.get(&index);
            let bad = reasons.is_some();
            let looks = if bad { &formats.bad } else { &formats.plain };
            let cell = cells.get(index).unwrap_or(&Cell::Empty);
            match cell {
                Cell::Text(text) => write_text(sheet, at, column, text, &looks.text)?,
                Cell::Number(text) if self.texts.contains(&index) => {
                    write_text(sheet, at, column, text, &looks.text)?;
                }
                Cell::Empty if bad && self.texts.contains(&index) => {
                    sheet.write_blank(at, column, &looks.text).map_err(failed)?;
                }
                Cell::Empty
                | Cell::Number(_)
                | Cell::Bool(_)
                | Cell::Date(_)
                | Cell::DateTime(_)
                | Cell::Time(_)
                | Cell::Duration(_)
                | Cell::Error => write_cell(sheet, at, column, cell, looks, bad)?,
            }
            let cut = self.book.cuts.of_cell(cell);
            let cut = cut.map(|cut| format!("{cut} Left as it is here, it comes home whole."));
            let explained = reasons.filter(|_| self.notes < NOTES_MAX);
            self.notes += usize::from(explained.is_some());
            if explained.is_some() || cut.is_some() {
                let sentences = explained.into_iter().flatten().copied();
                let sentences: Vec<&str> = sentences.chain(cut.as_deref()).collect();
                let note =
                    Note::new(super::clean_note(&sentences.join(" "))).add_author_prefix(false);
                sheet.insert_note(at, column, &note).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// # Errors
    /// As [`Book::finish`].
    pub fn finish(mut self, file: &mut File) -> Result<()> {
        let rows = (1, self.row.max(2) - 1);
        let many = (self.notes >= NOTES_MAX).then(|| format!(
            "The first {NOTES_MAX} bad cells have a note. The others are marked only; what is wrong with them stands in this column."
        ));
        let told: Vec<String> = self.no_room.take().into_iter().chain(many).collect();
        if !told.is_empty() {
            self.book.note_header(self.sheet, (0, 0), &told.join(" "))?;
        }
        self.lists.write(&mut self.book, self.sheet, rows)?;
        self.book.tell_left_out(self.left_out)?;
        self.book.finish(file)
    }
}
