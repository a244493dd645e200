//! Merged cells in the data: the value of a cell that is merged over several rows is put into every
//! one of them that holds a value of its own.

use std::collections::BTreeMap;

use super::assemble::{Found, Merge};
use super::notices::Notices;
use super::row::cell_name;

/// The merges of one sheet, as its rows go by.
#[derive(Default)]
pub(super) struct Filler {
    /// Merges of several rows below the header, by their first row, the last one first.
    coming: Vec<Merge>,
    /// What is being filled down, by column.
    active: BTreeMap<usize, Filling>,
}

impl Filler {
    pub(super) fn new(merges: &[Merge], header_row: u32) -> Filler {
        let mut coming: Vec<Merge> = merges
            .iter()
            .filter(|merge| merge.first_row > header_row && merge.last_row > merge.first_row)
            .copied()
            .collect();
        coming.sort_unstable_by_key(|merge| std::cmp::Reverse(merge.first_row));
        Filler {
            coming,
            active: BTreeMap::new(),
        }
    }

    /// Whether no merge concerns this row.
    pub(super) fn is_idle(&self, number: u32) -> bool {
        self.active.is_empty()
            && self
                .coming
                .last()
                .is_none_or(|merge| merge.first_row > number)
    }

    /// The row's cells with what merges bring.
    pub(super) fn fill<'a>(
        &mut self,
        number: u32,
        cells: &'a [(usize, Found<'a>)],
        notices: &mut Notices,
    ) -> Vec<(usize, Found<'a>)> {
        self.active
            .retain(|_, filling| filling.merge.last_row >= number);
        let mut row = Vec::with_capacity(cells.len() + self.active.len());
        let mut own = cells.iter().peekable();
        for (column, filling) in &mut self.active {
            while let Some(cell) = own.next_if(|cell| cell.0 < *column) {
                row.push(cell.clone());
            }
            if own
                .peek()
                .is_some_and(|cell| cell.0 == *column && !cell.1.is_empty())
            {
                continue;
            }
            own.next_if(|cell| cell.0 == *column);
            row.push((*column, filling.value.clone()));
            filling.tell(notices);
        }
        row.extend(own.cloned());
        while let Some(merge) = self.coming.pop_if(|merge| merge.first_row <= number) {
            let own = cells.iter().find(|cell| cell.0 == merge.first_column);
            if let Some((column, found)) = own
                && merge.first_row == number
                && !found.is_empty()
            {
                let value = found.keep();
                let told = false;
                self.active.insert(*column, Filling { merge, value, told });
            }
        }
        row
    }
}

/// A merged cell whose value is being filled down.
struct Filling {
    merge: Merge,
    value: Found<'static>,
    told: bool,
}

impl Filling {
    fn tell(&mut self, notices: &mut Notices) {
        if self.told {
            return;
        }
        self.told = true;
        if notices.wants("merged-filled") {
            let (column, row) = (self.merge.first_column, self.merge.first_row);
            let message = format!(
                "{} is merged down to {}; the rows in between that hold anything got its value, where they have none of their own.",
                cell_name(column, row),
                cell_name(column, self.merge.last_row)
            );
            notices.keep("merged-filled", Some((column, row)), message);
        }
    }
}
