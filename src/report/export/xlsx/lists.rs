//! Drop-downs of allowed values.

use rust_xlsxwriter::{DataValidation, Formula};

use super::{Book, failed, write_text};
use crate::error::Result;
use crate::sheet::column_letters;

/// The hidden sheet where long lists stand.
const SHEET: &str = "Lists";
/// Letters that a list may have where it stands in the cell's own rule.
const CHARS_MAX: usize = 255;
/// Values of a list.
const WORDS_MAX: usize = 10_000;

/// The lists of a workbook's first sheet.
#[derive(Default)]
pub(super) struct Lists {
    lists: Vec<(u16, Vec<String>)>,
}

impl Lists {
    /// The values that a column may have; an empty list is none.
    pub(super) fn add(&mut self, column: u16, words: &[String]) {
        let words = words.get(..WORDS_MAX).unwrap_or(words);
        if !words.is_empty() {
            self.lists.push((column, words.to_vec()));
        }
    }

    /// Puts the drop-downs over those rows of the sheet, and the long lists into a sheet of their own.
    ///
    /// # Errors
    /// As [`Book::finish`].
    pub(super) fn write(&self, book: &mut Book, sheet: usize, rows: (u32, u32)) -> Result<()> {
        // The sheet of the lists is made first, so that the rules can name it; its rows come last.
        let is_long = |(_, words): &&(u16, Vec<String>)| !is_short(words);
        let lists_sheet = match self.lists.iter().find(is_long) {
            Some(_) => Some(book.add_sheet(SHEET)?),
            None => None,
        };
        let name = match lists_sheet {
            Some(number) => book.sheet(number)?.name(),
            None => String::new(),
        };
        let target = book.sheet(sheet)?;
        let mut long: Vec<&[String]> = Vec::new();
        for (column, words) in &self.lists {
            let rule = if is_short(words) {
                DataValidation::new()
                    .allow_list_strings(words)
                    .map_err(failed)?
            } else {
                let letters = column_letters(long.len());
                long.push(words);
                let range = format!("={name}!${letters}$1:${letters}${}", words.len());
                DataValidation::new().allow_list_formula(Formula::new(range))
            };
            target
                .add_data_validation(rows.0, *column, rows.1, *column, &rule)
                .map_err(failed)?;
        }
        let Some(number) = lists_sheet else {
            return Ok(());
        };
        let plain = book.formats.plain.text.clone();
        let sheet = book.sheet(number)?;
        sheet.set_hidden(true);
        // Row by row, as the workbook wants it.
        let longest = long.iter().map(|words| words.len()).max().unwrap_or(0);
        for row in 0..longest {
            for (column, words) in (0_u16..).zip(&long) {
                if let (Some(word), Ok(line)) = (words.get(row), u32::try_from(row)) {
                    write_text(sheet, line, column, word, &plain)?;
                }
            }
        }
        Ok(())
    }
}

/// Whether the list fits into the rule itself, where a comma divides the values.
fn is_short(words: &[String]) -> bool {
    let chars: usize = words.iter().map(|word| word.chars().count() + 1).sum();
    chars <= CHARS_MAX && !words.iter().any(|word| word.contains(','))
}
