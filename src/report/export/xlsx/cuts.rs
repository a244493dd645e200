//! Texts longer than a cell holds: they are cut, and a note on the cell says so.

use rust_xlsxwriter::{Note, Worksheet};

use super::failed;
use crate::error::Result;
use crate::sheet::Cell;

/// Letters of a cell, as spreadsheets count them.
pub(super) const CELL_CHARS_MAX: usize = 32_767;
/// Notes on cut texts in a workbook; beyond that they are only counted.
const NOTES_MAX: usize = 5_000;

/// Text that a cell can hold: at most 32,767 letters as spreadsheets count them. Control characters, which XML
/// can't say, are written as spreadsheets write them (`_x000B_`) and read again.
pub fn clean(text: &str) -> String {
    if letters_too_many(text).is_none() {
        return text.to_owned();
    }
    let room = CELL_CHARS_MAX - 1;
    let mut clean = String::with_capacity(text.len().min(4 * room));
    let mut units = 0;
    for c in text.chars() {
        units += c.len_utf16();
        if units > room {
            clean.push('…');
            break;
        }
        clean.push(c);
    }
    clean
}

/// Text of a note: as [`clean`], and without control characters, which nothing decodes there.
pub fn clean_note(text: &str) -> String {
    let control =
        |c: char| (c.is_ascii_control() && c != '\n') || matches!(c, '\u{fffe}' | '\u{ffff}');
    clean(text).replace(control, "\u{fffd}")
}

/// Whether a text may be what [`clean`] left of a longer one.
pub fn may_be_cut(text: &str) -> bool {
    text.len() >= CELL_CHARS_MAX && text.ends_with('…')
}

/// How many letters a text has that no cell holds; `None` where one does.
fn letters_too_many(text: &str) -> Option<usize> {
    if text.len() <= CELL_CHARS_MAX {
        return None;
    }
    let letters = text.encode_utf16().count();
    (letters > CELL_CHARS_MAX).then_some(letters)
}

/// What to say of a text that was cut.
fn sentence(text: &str) -> Option<String> {
    letters_too_many(text).map(|letters| {
        format!(
            "Cut off: the text has {letters} letters, and a cell holds {CELL_CHARS_MAX}. The JSON download has all of it."
        )
    })
}

/// The cut texts of a workbook.
#[derive(Debug, Default)]
pub(super) struct Cuts {
    notes: usize,
    /// Those that got no note.
    more: u64,
}

impl Cuts {
    /// What to say of a cell that was cut, as long as the workbook has room for notes.
    pub(super) fn of_cell(&mut self, cell: &Cell<'_>) -> Option<String> {
        match cell {
            Cell::Text(text) | Cell::Duration(text) => self.of_text(text),
            Cell::Number(text) => self.of_text(text),
            Cell::Empty
            | Cell::Bool(_)
            | Cell::Date(_)
            | Cell::DateTime(_)
            | Cell::Time(_)
            | Cell::Error => None,
        }
    }

    fn of_text(&mut self, text: &str) -> Option<String> {
        let sentence = sentence(text)?;
        if self.notes == NOTES_MAX {
            self.more += 1;
            return None;
        }
        self.notes += 1;
        Some(sentence)
    }

    /// Puts the note on a cell that was written.
    ///
    /// # Errors
    /// `Internal` where the place is beyond the sheet.
    pub(super) fn note(
        &mut self,
        sheet: &mut Worksheet,
        row: u32,
        column: u16,
        cell: &Cell<'_>,
    ) -> Result<()> {
        if let Some(sentence) = self.of_cell(cell) {
            let note = Note::new(sentence).add_author_prefix(false);
            sheet.insert_note(row, column, &note).map_err(failed)?;
        }
        Ok(())
    }

    /// What to say at the end of those that got no note.
    pub(super) fn more(&self) -> Option<String> {
        (self.more > 0).then(|| {
            format!(
                "Cut to the {CELL_CHARS_MAX} letters that a cell holds, and ending with \"…\", without a note: {} more. The JSON download has all of the text.",
                self.more
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_to_what_a_cell_holds() {
        let long = "🎉".repeat(20_000);
        let cut = clean(&long);
        assert!(cut.encode_utf16().count() <= CELL_CHARS_MAX);
        assert!(cut.ends_with('…'));
        assert_eq!(clean("a\u{b}b\td"), "a\u{b}b\td");
        assert_eq!(clean_note("a\u{0}b\u{1f}c\nd"), "a\u{fffd}b\u{fffd}c\nd");
        let whole = "x".repeat(CELL_CHARS_MAX);
        assert_eq!(clean(&whole), whole);
        assert_eq!(
            clean(&format!("{whole}x")).len(),
            CELL_CHARS_MAX - 1 + '…'.len_utf8()
        );
    }

    #[test]
    fn what_is_cut_is_said_and_what_gets_no_note_is_counted() {
        let mut cuts = Cuts::default();
        let fits = Cell::Text("ä".repeat(CELL_CHARS_MAX).into());
        assert_eq!(cuts.of_cell(&fits), None);
        let long = Cell::Text("x".repeat(CELL_CHARS_MAX + 1).into());
        assert!(cuts.of_cell(&long).unwrap().contains("32768"));
        assert_eq!(cuts.more(), None);
        cuts.notes = NOTES_MAX;
        assert_eq!(cuts.of_cell(&long), None);
        assert!(cuts.more().unwrap().contains("1 more"));
    }
}
