//! What was dropped, guessed or changed while reading, kept within bounds: the first of each kind,
//! and then how many more.

use std::collections::BTreeMap;

use super::Notice;
use super::row::cell_name;

/// Notices kept of each code.
const OF_A_CODE_MAX: u64 = 100;

/// Characters kept of a text that is quoted in a notice.
const QUOTE_CHARS_MAX: usize = 80;

/// The notices of one sheet.
#[derive(Debug, Default)]
pub(super) struct Notices {
    kept: Vec<Notice>,
    counts: BTreeMap<String, u64>,
}

impl Notices {
    /// Whether another notice of this code would still be kept; where not, it need not be worded.
    pub(super) fn wants(&mut self, code: &str) -> bool {
        match self.counts.get_mut(code) {
            Some(count) if *count >= OF_A_CODE_MAX => {
                *count += 1;
                false
            }
            Some(count) => {
                *count += 1;
                true
            }
            None => {
                self.counts.insert(code.to_owned(), 1);
                true
            }
        }
    }

    /// Adds a notice that is wanted; `cell` is a 0-based column and a 1-based row.
    pub(super) fn keep(&mut self, code: &str, cell: Option<(usize, u32)>, message: String) {
        self.kept.push(Notice {
            code: code.to_owned(),
            cell: cell.map(|(column, row)| cell_name(column, row)),
            message,
        });
    }

    /// Adds a notice, as far as there is room for its code.
    pub(super) fn add(&mut self, code: &str, cell: Option<(usize, u32)>, message: &str) {
        if self.wants(code) {
            self.keep(code, cell, message.to_owned());
        }
    }

    /// All of them, each code that had too many followed by how many more there were.
    pub(super) fn finish(mut self) -> Vec<Notice> {
        for (code, count) in self.counts {
            if count > OF_A_CODE_MAX {
                self.kept.push(Notice {
                    code,
                    cell: None,
                    message: format!("And {} more like it.", thousands(count - OF_A_CODE_MAX)),
                });
            }
        }
        self.kept
    }
}

/// `1234567` as `1,234,567`.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 row`, `20,000,000 rows`: a count and what is counted, in the plural.
pub(super) fn counted(count: impl TryInto<u64>, plural: &str) -> String {
    match count.try_into().unwrap_or(u64::MAX) {
        1 => format!("1 {}", plural.strip_suffix('s').unwrap_or(plural)),
        count => format!("{} {plural}", thousands(count)),
    }
}

/// A text from the file, short enough for a sentence.
pub(super) fn quote(text: &str) -> String {
    let mut short: String = text.chars().take(QUOTE_CHARS_MAX).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("\"{short}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_notices_of_a_kind_are_kept_and_the_rest_is_counted() {
        let mut notices = Notices::default();
        notices.add("other", None, "Something else.");
        for row in 1..=1_334 {
            notices.add("ragged-row", Some((0, row)), "A row.");
        }
        let kept = notices.finish();
        assert_eq!(kept.len(), 102);
        assert_eq!(kept[1].cell.as_deref(), Some("A1"));
        assert_eq!(kept[101].message, "And 1,234 more like it.");
        assert_eq!(kept[101].code, "ragged-row");
    }

    #[test]
    fn numbers_are_grouped_and_quotes_are_cut() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_000), "1,000");
        assert_eq!(thousands(1_048_576), "1,048,576");
        assert_eq!(counted(1_u64, "rows"), "1 row");
        assert_eq!(counted(0_u64, "rows"), "0 rows");
        assert_eq!(counted(20_000_000_usize, "cells"), "20,000,000 cells");
        assert_eq!(quote("ab"), "\"ab\"");
        assert!(quote(&"ä".repeat(200)).chars().count() == QUOTE_CHARS_MAX + 3);
    }
}
