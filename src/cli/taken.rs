//! What the reader told of a file, kept until it is needed: only at its end is it known that the file is
//! whole, and which columns its sheets have.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::progress::Progress;
use crate::error::{Error, Result};
use crate::sheet::protocol::{self, RowLine};
use crate::sheet::reader::{self, ReadJob};
use crate::sheet::{Event, FileInfo, SheetInfo, lines};
use crate::stop::Stop;

/// A file that has been read whole.
pub(super) struct Taken {
    pub(super) file: FileInfo,
    pub(super) sheets: Vec<SheetInfo>,
    /// What the reader told, line by line.
    pub(super) lines: Kept,
}

/// Reads a file.
///
/// # Errors
/// The file's `Problem`; `Io` where there is no room for what is kept.
pub(super) fn read(job: &ReadJob<'_>, kept: Kept) -> Result<Taken> {
    let mut reader = reader::read_lines(job, &Stop::new())?;
    Taken::of(|| reader.next_batch(), kept)
}

impl Taken {
    /// Takes all lines of a reader.
    pub(super) fn of(
        mut next: impl FnMut() -> Result<Option<String>>,
        mut kept: Kept,
    ) -> Result<Taken> {
        let mut progress = Progress::new("Reading");
        let mut sheets = Vec::new();
        let mut file = None;
        while let Some(text) = next()? {
            for line in protocol::lines(&text) {
                if line.as_bytes().first() == Some(&b'R') {
                    progress.row();
                    continue;
                }
                match protocol::parse(line)? {
                    Event::SheetEnd(info) => sheets.push(*info),
                    Event::Estimate(rows) => progress.total = Some(rows),
                    Event::Done(info) => file = Some(info),
                    Event::Sheet(_) | Event::Row(_) => {}
                }
            }
            kept.add(text)?;
        }
        let file =
            file.ok_or_else(|| Error::Internal("the reader ended without saying so".to_owned()))?;
        Ok(Taken {
            file,
            sheets,
            lines: kept,
        })
    }
}

/// The reader's lines, in pieces of whole ones: in memory, then in a file without a name.
pub(super) struct Kept {
    memory: Vec<String>,
    bytes: usize,
    bytes_max: usize,
    folder: PathBuf,
    pub(super) file: Option<File>,
}

impl Kept {
    /// Keeps up to so many bytes in memory, and more in a file in `folder`.
    pub(super) fn new(bytes_max: usize, folder: PathBuf) -> Kept {
        Kept {
            memory: Vec::new(),
            bytes: 0,
            bytes_max,
            folder,
            file: None,
        }
    }

    /// Calls `each` for every row of a sheet: with what its line tells, and the line.
    ///
    /// # Errors
    /// Those of `each`; `Io` where what was kept can't be read.
    pub(super) fn each_row(
        &mut self,
        position: u32,
        mut each: impl FnMut(&RowLine<'_>, &str) -> Result<()>,
    ) -> Result<()> {
        let mut is_wanted = false;
        self.each(|text| {
            for line in protocol::lines(text) {
                if is_wanted && let Some(row) = RowLine::parse(line) {
                    each(&row, line)?;
                } else if let Some(begun) = line.strip_prefix('S') {
                    is_wanted = begun.parse() == Ok(position);
                }
            }
            Ok(())
        })
    }

    fn add(&mut self, text: String) -> Result<()> {
        self.bytes += text.len();
        self.memory.push(text);
        if self.bytes >= self.bytes_max {
            self.write_out()?;
        }
        Ok(())
    }

    fn write_out(&mut self) -> Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(tempfile::tempfile_in(&self.folder)?),
        };
        for text in self.memory.drain(..) {
            file.write_all(text.as_bytes())?;
        }
        self.bytes = 0;
        Ok(())
    }

    /// Gives all of it, in its order.
    fn each(&mut self, mut each: impl FnMut(&str) -> Result<()>) -> Result<()> {
        if let Some(file) = &mut self.file {
            file.seek(SeekFrom::Start(0))?;
            let mut lines = lines::Lines::new(file);
            while let Some(text) = lines.next() {
                each(&text?)?;
            }
        }
        // What came last.
        self.memory.iter().try_for_each(|text| each(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(kept: &mut Kept, position: u32) -> Vec<u32> {
        let mut numbers = Vec::new();
        let each = |row: &RowLine<'_>, line: &str| {
            assert!(line.starts_with(&format!("R{}\t", row.number)));
            numbers.push(row.number);
            Ok(())
        };
        kept.each_row(position, each).unwrap();
        numbers
    }

    #[test]
    fn the_rows_of_a_sheet_can_be_gone_through_again_wherever_they_are_kept() {
        for bytes_max in [0, 40, 1 << 20] {
            let mut kept = Kept::new(bytes_max, std::env::temp_dir());
            for text in [
                "S0\nR2\t\t\t[1]\nR3\t\t\t[2]\n",
                "R9\t\t\t[3]\nS1\nR5\t\t\t[\"S0\"]\n",
                "R6\t\t\t[5]\nS2\n",
            ] {
                kept.add(text.to_owned()).unwrap();
            }
            assert_eq!(kept.file.is_none(), bytes_max == 1 << 20);
            for _ in 0..2 {
                assert_eq!(numbers(&mut kept, 0), [2, 3, 9]);
                assert_eq!(numbers(&mut kept, 1), [5, 6]);
                assert_eq!(numbers(&mut kept, 2), [0; 0]);
            }
        }
    }
}
