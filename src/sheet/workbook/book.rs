//! What all formats have in common: the list of worksheets, the sheet that matters, the bounds of
//! a cell's place, and the way from cells to the assembler.

use std::collections::HashSet;
use std::hash::Hash;

use super::super::assemble::{Assembler, Found, Merge, Sheet};
use super::super::notices::{counted, quote};
use super::super::protocol::Output;
use super::super::{FileInfo, Limits, ReadOptions, SheetInfo, Visibility, summary};
use super::damaged;
use crate::error::{Error, Result};
use crate::words::Code;

/// A worksheet in the workbook's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) visibility: Visibility,
}

/// Refuses a workbook of which two sheets are the same part: no program writes one, and a small
/// file could make any amount of work with it.
///
/// # Errors
/// `unreadable-file`.
pub(super) fn no_part_twice<T: Eq + Hash>(mut parts: impl Iterator<Item = T>) -> Result<()> {
    let mut seen = HashSet::new();
    if parts.all(|part| seen.insert(part)) {
        Ok(())
    } else {
        Err(damaged())
    }
}

/// Takes the worksheets of a workbook in their order.
pub(super) struct Book<'a, 'w> {
    options: &'a ReadOptions,
    out: &'a mut Output<'w>,
    list: Vec<Listed>,
    /// The sheet that was asked for.
    wanted: Option<usize>,
    read: Vec<SheetInfo>,
    /// Rows of the sheets read so far, for the estimate.
    rows: u64,
    /// What a web page was decoded with.
    encoding: Option<String>,
    /// Names of sheets that hold no cells: charts and the like.
    others: Vec<String>,
}

impl<'a, 'w> Book<'a, 'w> {
    pub(super) fn new(options: &'a ReadOptions, out: &'a mut Output<'w>) -> Book<'a, 'w> {
        Book {
            options,
            out,
            list: Vec::new(),
            wanted: None,
            read: Vec::new(),
            rows: 0,
            encoding: None,
            others: Vec::new(),
        }
    }

    /// The names of sheets that hold no cells, before the first sheet is read.
    pub(super) fn leave_out(&mut self, names: Vec<String>) {
        self.others = names;
    }

    /// The encoding that a person gave, for the formats that are text.
    pub(super) fn encoding(&self) -> Option<&'a str> {
        self.options.encoding.as_deref()
    }

    pub(super) fn decoded_with(&mut self, encoding: &str) {
        self.encoding = Some(encoding.to_owned());
    }

    pub(super) fn limits(&self) -> &'w Limits {
        self.out.limits()
    }

    /// The worksheets that follow, before the first of them is read.
    ///
    /// # Errors
    /// `no-such-sheet`; `unreadable-file` where there is none at all; `too-complex` where there
    /// are too many.
    pub(super) fn list(&mut self, list: Vec<Listed>) -> Result<()> {
        if list.is_empty() {
            return Err(Error::problem(
                Code::UnreadableFile,
                "The file has no worksheet. Open it in Excel, copy the table to a worksheet, and add that.",
            ));
        }
        let most = self.out.limits().sheets_max;
        if list.len() > most {
            return Err(Error::problem(
                Code::TooComplex,
                format!(
                    "The file has more than {}. Split it.",
                    counted(most, "sheets")
                ),
            ));
        }
        if let Some(wanted) = &self.options.sheet {
            let infos: Vec<SheetInfo> = list.iter().enumerate().map(bare).collect();
            let found = summary::by_name(&infos, wanted)?;
            self.wanted = usize::try_from(found.position).ok();
        }
        self.list = list;
        Ok(())
    }

    /// Reads the next worksheet. `rows_seem` is how many rows it says it has.
    ///
    /// # Errors
    /// Those of `fill` and of the assembler.
    pub(super) fn sheet(
        &mut self,
        merges: Vec<Merge>,
        rows_seem: u64,
        fill: impl FnOnce(&mut Rows<'_, 'w>) -> Result<()>,
    ) -> Result<()> {
        let at = self.read.len();
        let listed = self.list.get(at).ok_or_else(damaged)?;
        let sheet = Sheet {
            position: position(at),
            name: Some(listed.name.clone()),
            visibility: listed.visibility,
            merges,
            header_row: self.header_row(at),
            workbook: true,
        };
        if rows_seem > 0 {
            self.out.estimate(self.rows.saturating_add(rows_seem))?;
        }
        self.out.sheet(sheet.position)?;
        let mut rows = Rows {
            assembler: Assembler::new(sheet, self.out),
        };
        for name in std::mem::take(&mut self.others) {
            let sentence = format!("Sheet {} is no worksheet; it was left out.", quote(&name));
            rows.notice("sheet-left-out", None, &sentence);
        }
        fill(&mut rows)?;
        let info = rows.assembler.finish()?;
        self.rows = self.rows.saturating_add(info.rows);
        self.read.push(info);
        Ok(())
    }

    /// A header row that the user gave is meant for the sheet that matters: the one that was asked
    /// for, else the first visible one that turns out to have rows.
    fn header_row(&self, at: usize) -> Option<u32> {
        let matters = match self.wanted {
            Some(wanted) => wanted == at,
            None => {
                self.list.get(at).map(|listed| listed.visibility) == Some(Visibility::Visible)
                    && !self.read.iter().any(is_visible_with_rows)
            }
        };
        self.options.header_row.filter(|_| matters)
    }

    /// All sheets have been read: which one "the rows of the file" means.
    ///
    /// # Errors
    /// `empty-file`.
    pub(super) fn finish(self) -> Result<FileInfo> {
        let default = match self.wanted {
            Some(wanted) => self.read.get(wanted).filter(|info| info.rows > 0),
            None => self
                .read
                .iter()
                .find(|info| is_visible_with_rows(info))
                .or_else(|| self.read.iter().find(|info| info.rows > 0)),
        };
        match default {
            Some(info) => Ok(FileInfo {
                default_sheet: info.position,
                encoding: self.encoding,
                delimiter: None,
            }),
            None => Err(self.empty()),
        }
    }

    fn empty(&self) -> Error {
        let with_header = match self.wanted {
            Some(wanted) => self.read.get(wanted),
            None => self.read.iter().find(|info| info.header_row.is_some()),
        };
        let sentence = match with_header {
            Some(info) => summary::without_rows(info),
            None => "No sheet has any data. Add the file that holds the table.".to_owned(),
        };
        Error::problem(Code::EmptyFile, sentence)
    }
}

fn is_visible_with_rows(info: &SheetInfo) -> bool {
    info.visibility == Visibility::Visible && info.rows > 0
}

fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn bare((at, listed): (usize, &Listed)) -> SheetInfo {
    SheetInfo {
        position: position(at),
        name: Some(listed.name.clone()),
        visibility: listed.visibility,
        header_row: None,
        columns: Vec::new(),
        rows: 0,
        error_cells: 0,
        error_cells_first: Vec::new(),
        notices: Vec::new(),
        above: Vec::new(),
    }
}

/// Takes the rows of one worksheet, top to bottom.
pub(super) struct Rows<'o, 'w> {
    assembler: Assembler<'o, 'w>,
}

impl Rows<'_, '_> {
    /// A row's cells, by column; blank rows may be left out. `number` is 1-based.
    ///
    /// # Errors
    /// As [`Assembler::row`].
    pub(super) fn row(&mut self, number: u32, cells: &[(usize, Found<'_>)]) -> Result<()> {
        self.assembler.row(number, cells, None)
    }

    /// As [`Rows::row`] for cells in any order; of two in the same place the later one stays.
    ///
    /// # Errors
    /// As [`Assembler::row`].
    pub(super) fn unsorted(
        &mut self,
        number: u32,
        cells: &mut Vec<(usize, Found<'_>)>,
    ) -> Result<()> {
        for column in in_order(cells) {
            self.assembler.notice(
                "cell-twice",
                Some((column, number)),
                "The file holds the cell more than once; the last one was taken.",
            );
        }
        self.row(number, cells)
    }

    /// Notes what was left out or changed.
    pub(super) fn notice(&mut self, code: &str, cell: Option<(usize, u32)>, message: &str) {
        self.assembler.notice(code, cell, message);
    }

    /// A formula whose result the file doesn't hold: the cell stays empty, and says so.
    pub(super) fn formula_without_value(&mut self, column: usize, row: u32) {
        self.assembler.notice(
            "formula-without-value",
            Some((column, row)),
            "The formula has no saved result; open the file in Excel and save it.",
        );
    }
}

/// Sorts a row's cells by column; of two in the same place the later one stays. The columns of those.
fn in_order(cells: &mut Vec<(usize, Found<'_>)>) -> Vec<usize> {
    let mut twice = Vec::new();
    if cells.is_sorted_by(|a, b| a.0 < b.0) {
        return twice;
    }
    cells.reverse();
    cells.sort_by_key(|cell| cell.0);
    cells.dedup_by(|again, kept| {
        let same = again.0 == kept.0;
        if same && twice.last() != Some(&kept.0) {
            twice.push(kept.0);
        }
        same
    });
    twice
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_out_of_order_are_put_in_order_and_the_later_of_two_stays() {
        let mut cells = vec![
            (3, Found::Number(1.0)),
            (0, Found::Number(2.0)),
            (3, Found::Number(3.0)),
        ];
        assert_eq!(in_order(&mut cells), [3]);
        assert_eq!(
            cells,
            vec![(0, Found::Number(2.0)), (3, Found::Number(3.0))]
        );
    }
}
