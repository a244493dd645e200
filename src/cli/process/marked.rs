//! Rows on their way to the thread that writes the outputs: what stands in them, what they became, and what
//! is wrong with some of them.

use crate::error::Result;
use crate::process::Settled;
use crate::report::export::xlsx::annotated::Remarks;
use crate::sheet::Row;
use crate::sheet::protocol::{self, RowLine};

/// Bytes of rows that are handed on at a time.
const BYTES: usize = 64 << 10;

/// Remarks for which there is room from the beginning.
const REMARKS: usize = 256;

/// Some rows. They go over as few large pieces of memory: each small one that a thread frees is its own from
/// then on, and wherever it lets it grow it waits for the thread that made it, and that one for it.
pub(super) struct Marked {
    /// The records, `[value, …]`, one a line.
    pub(super) records: String,
    /// The rows as the reader's lines.
    lines: String,
    remarks: Vec<Remark>,
    /// The remarks' sentences, one after another.
    sentences: String,
}

struct Remark {
    row: u32,
    column: Option<usize>,
    /// Where its sentence ends in `sentences`.
    end: usize,
}

impl Default for Marked {
    fn default() -> Marked {
        Marked {
            records: String::with_capacity(BYTES + BYTES / 4),
            lines: String::with_capacity(BYTES + BYTES / 4),
            remarks: Vec::with_capacity(REMARKS),
            sentences: String::with_capacity(BYTES / 4),
        }
    }
}

impl Marked {
    /// Adds a row with the reader's line; rows come top to bottom.
    pub(super) fn add(&mut self, row: &Settled, line: &str) {
        self.lines.push_str(line);
        self.lines.push('\n');
        if row.is_record() {
            self.records.push_str(&row.data);
            self.records.push('\n');
        }
        for (column, sentence) in &row.messages {
            self.sentences.push_str(sentence);
            self.remarks.push(Remark {
                row: row.row,
                column: *column,
                end: self.sentences.len(),
            });
        }
    }

    /// Whether it is time to hand them on.
    pub(super) fn is_full(&self) -> bool {
        self.lines.len() >= BYTES
    }

    /// Calls `each` for every row.
    ///
    /// # Errors
    /// Those of `each`.
    pub(super) fn each(&self, mut each: impl FnMut(&Row, &Remarks) -> Result<()>) -> Result<()> {
        let mut remarks = self.remarks.iter().peekable();
        let mut from = 0;
        let mut own = Remarks::new();
        for row in protocol::lines(&self.lines).filter_map(RowLine::parse) {
            own.clear();
            while let Some(remark) = remarks.next_if(|remark| remark.row == row.number) {
                let sentence = self.sentences.get(from..remark.end).unwrap_or("");
                own.push((remark.column, sentence.to_owned()));
                from = remark.end;
            }
            each(&row.to_row(), &own)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Outcome;

    fn settled(row: u32, outcome: Outcome, messages: &[(Option<usize>, &str)]) -> Settled {
        let messages = messages.iter();
        Settled {
            row,
            outcome,
            data: format!("[\"value {row}\"]"),
            changes: None,
            problems: String::new(),
            messages: messages
                .map(|(column, text)| (*column, (*text).to_owned()))
                .collect(),
            keys: Vec::new(),
        }
    }

    #[test]
    fn every_row_comes_out_with_its_own_remarks_and_every_record_once() {
        let rows = [
            settled(2, Outcome::Valid, &[]),
            settled(
                3,
                Outcome::Invalid,
                &[(Some(1), "One."), (None, "Two\nlines.")],
            ),
            settled(7, Outcome::Valid, &[]),
            settled(8, Outcome::Duplicate, &[(Some(0), "Ünï.")]),
        ];
        let mut marked = Marked::default();
        for settled in &rows {
            let row = settled.row;
            marked.add(settled, &format!("R{row}\t\t\t[\"row {row}\"]"));
        }
        assert_eq!(marked.records, "[\"value 2\"]\n[\"value 7\"]\n");
        let mut seen = Vec::new();
        marked
            .each(|row, remarks| {
                assert_eq!(row.cells, format!("[\"row {}\"]", row.number));
                seen.push((row.number, remarks.clone()));
                Ok(())
            })
            .unwrap();
        let added = rows.map(|settled| (settled.row, settled.messages));
        assert_eq!(seen, added);
    }
}
