//! The sheet as it was uploaded, every row in its place, with a column that says what is wrong in
//! each row and the bad cells marked.

use std::collections::HashSet;
use std::fs::File;
use std::path::Path;

use super::{Book, column_number, failed, write_cell, write_text};
use crate::error::Result;
use crate::sheet::{Cell, Cells, Column, Row, SheetInfo, TitleRow, column_letters};

/// What is wrong in a row: sentences, each with the 0-based sheet column that it speaks of.
pub type Remarks = Vec<(Option<usize>, String)>;

/// The sheet on its way into a workbook.
pub struct Annotated {
    book: Book,
    sheet: usize,
    /// Where the remarks stand.
    remarks_column: u16,
    /// Rows beyond what a sheet holds.
    left_out: u64,
}

impl Annotated {
    /// # Errors
    /// As [`Book::new`].
    pub fn begin(folder: &Path, info: &SheetInfo) -> Result<Annotated> {
        let columns = &info.columns;
        let mut book = Book::new(folder)?;
        let sheet = book.add_sheet(&sheet_name(info.name.as_deref()))?;
        let last = columns.iter().map(|column| column.index + 1).max();
        let remarks_column = last
            .and_then(column_number)
            .unwrap_or_else(|| if last.is_some() { 16_383 } else { 0 });
        let header = book.formats.header.clone();
        let row = info.header_row.unwrap_or(1).saturating_sub(1);
        let target = book.workbook.worksheet_from_index(sheet).map_err(failed)?;
        target.set_freeze_panes(row + 1, 0).map_err(failed)?;
        target
            .set_column_width(remarks_column, 60)
            .map_err(failed)?;
        for title in info.above.iter().map(TitleRow::to_row) {
            let at = title.number.saturating_sub(1);
            for (index, cell) in title.values()?.iter() {
                if let Some(column) = column_number(index).filter(|_| at < row) {
                    write_cell(target, at, column, cell, &book.formats.bare, false)?;
                    book.cuts.note(target, at, column, cell)?;
                }
            }
        }
        for column in columns {
            if let (Some(at), Some(label)) = (column_number(column.index), &column.label) {
                write_text(target, row, at, label, &header)?;
            }
        }
        write_text(target, row, remarks_column, "What is wrong", &header)?;
        let covered = |column: &&Column| column.index >= usize::from(remarks_column);
        if let Some(column) = columns.iter().find(covered) {
            let told = format!(
                "This column stands in the place of the file's last one, {}: a sheet has no room for more. The JSON of the file has that, too.",
                in_words(column)
            );
            book.note_header(sheet, (row, remarks_column), &told)?;
        }
        Ok(Annotated {
            book,
            sheet,
            remarks_column,
            left_out: 0,
        })
    }

    /// Adds a row; rows come top to bottom.
    ///
    /// # Errors
    /// `Io` where the disk is full.
    pub fn add(&mut self, row: &Row, remarks: &Remarks) -> Result<()> {
        let at = row.number.saturating_sub(1);
        if at >= super::ROWS_MAX {
            self.left_out += 1;
            return Ok(());
        }
        let formats = &self.book.formats;
        let sheet = self
            .book
            .workbook
            .worksheet_from_index(self.sheet)
            .map_err(failed)?;
        let cells = row.values()?;
        let marked: HashSet<usize> = remarks.iter().filter_map(|(column, _)| *column).collect();
        for index in places(&cells, marked.iter().copied()) {
            let Some(column) = column_number(index).filter(|at| *at != self.remarks_column) else {
                continue;
            };
            let bad = marked.contains(&index);
            let looks = if bad { &formats.bad } else { &formats.bare };
            let cell = cells.get(index).unwrap_or(&Cell::Empty);
            write_cell(sheet, at, column, cell, looks, bad)?;
            self.book.cuts.note(sheet, at, column, cell)?;
        }
        if !remarks.is_empty() {
            let text = joined(remarks);
            write_text(sheet, at, self.remarks_column, &text, &formats.message)?;
        }
        Ok(())
    }

    /// # Errors
    /// As [`Book::finish`].
    pub fn finish(mut self, file: &mut File) -> Result<()> {
        self.book.tell_left_out(self.left_out)?;
        self.book.finish(file)
    }
}

/// The columns to write of a row, ascending: those of its cells, and of what is wrong in it.
pub(super) fn places(cells: &Cells<'_>, marked: impl Iterator<Item = usize>) -> Vec<usize> {
    let own = cells.iter().map(|(column, _)| column);
    let mut places: Vec<usize> = own.chain(marked).collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// A column of the file for a sentence.
pub(super) fn in_words(column: &Column) -> String {
    let name: String = column.name.chars().take(60).collect();
    format!("\"{name}\" ({})", column_letters(column.index))
}

/// All sentences of a row, one after another.
pub(super) fn joined(remarks: &Remarks) -> String {
    let sentences: Vec<&str> = remarks.iter().map(|(_, text)| text.as_str()).collect();
    sentences.join(" ")
}

/// A name that a worksheet may have.
pub(super) fn sheet_name(name: Option<&str>) -> String {
    let name: String = name
        .unwrap_or("Sheet1")
        .chars()
        .map(|c| if "[]:*?/\\".contains(c) { '_' } else { c })
        .take(31)
        .collect();
    let name = name.trim_matches('\'');
    if name.is_empty() {
        "Sheet1".to_owned()
    } else {
        name.to_owned()
    }
}
