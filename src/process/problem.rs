//! What is wrong with a file, item by item: counted exactly, listed up to a bound.

use std::collections::BTreeMap;

use serde::Serialize;

use super::messages;
use crate::sheet::{cell_name, column_letters};
use crate::words::Fault;

/// Errors listed in a report; all are counted.
pub const LISTED_MAX: usize = 1_000;

/// Kinds of problems that are counted one by one.
pub const KINDS_MAX: usize = 200;

/// Problems of one row that are kept; all are counted.
pub const ROW_MAX: usize = 200;

/// What is wrong with one row.
#[derive(Debug, Clone, Default)]
pub struct RowProblems {
    /// The first [`ROW_MAX`].
    pub kept: Vec<Problem>,
    /// How many more there are of each type.
    pub more: BTreeMap<Fault, u64>,
    /// Whether the row has no primary key at all: then it is nowhere else already, whatever its
    /// other keys are.
    pub keyless: bool,
}

impl RowProblems {
    /// Adds a problem, which is made only where there is still room for it.
    pub fn add(&mut self, fault: Fault, problem: impl FnOnce() -> Problem) {
        if self.kept.len() < ROW_MAX {
            self.kept.push(problem());
        } else {
            *self.more.entry(fault).or_default() += 1;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Whether the row is only somewhere else already.
    pub fn are_duplicates(&self) -> bool {
        !self.keyless
            && self.kept.iter().all(|problem| problem.fault.is_duplicate())
            && self.more.keys().all(|fault| fault.is_duplicate())
    }

    /// How many are counted and not kept.
    pub fn more_total(&self) -> u64 {
        self.more.values().sum()
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Problem {
    #[serde(rename = "type", serialize_with = "as_word")]
    pub fault: Fault,
    /// 1-based row in the file; `None` for headers.
    pub row: Option<u32>,
    pub field: Option<String>,
    /// The letters of the sheet's column.
    pub column: Option<String>,
    /// As the spreadsheet shows it: `B17`.
    pub cell: Option<String>,
    /// All cells of a key of more than one field; `cell` is the first of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cells: Vec<String>,
    /// The fields of such a key.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// The cell as it stands in the file, cut where it is long.
    pub value: Option<String>,
    /// The constraint that is broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraint: Option<&'static str>,
    /// A value that was probably meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    pub message: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn as_word<S: serde::Serializer>(fault: &Fault, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(fault.as_str())
}

impl Problem {
    /// Something wrong with a whole row.
    pub fn of_row(fault: Fault, row: u32, message: String) -> Problem {
        Problem {
            fault,
            row: Some(row),
            field: None,
            column: None,
            cell: None,
            cells: Vec::new(),
            fields: Vec::new(),
            value: None,
            constraint: None,
            suggestion: None,
            message,
        }
    }

    /// Something wrong with a cell in a 0-based column.
    pub fn of_cell(fault: Fault, row: u32, column: usize, message: String) -> Problem {
        Problem {
            column: Some(column_letters(column)),
            cell: Some(cell_name(column, row)),
            ..Problem::of_row(fault, row, message)
        }
    }

    /// Something wrong with a key, whose fields stand in these 0-based columns.
    pub fn of_key(fault: Fault, row: u32, columns: &[usize], message: String) -> Problem {
        let Some(first) = columns.first() else {
            return Problem::of_row(fault, row, message);
        };
        let mut problem = Problem::of_cell(fault, row, *first, message);
        if columns.len() > 1 {
            problem.cells = columns.iter().map(|at| cell_name(*at, row)).collect();
        }
        problem
    }

    #[must_use]
    pub fn with_field(mut self, field: &str) -> Problem {
        self.field = Some(field.to_owned());
        self
    }

    #[must_use]
    pub fn with_value(mut self, value: &str) -> Problem {
        self.value = Some(messages::cut(value, messages::SHOWN_CHARS_MAX));
        self
    }
}

/// Problems that are one thing to mend: of a type, in a field, against a constraint.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Kind {
    /// How many there are, listed or not.
    pub count: u64,
    /// The first of them.
    #[serde(flatten)]
    pub first: Problem,
}

impl Kind {
    fn is_of(&self, problem: &Problem) -> bool {
        let Problem {
            fault,
            constraint,
            field,
            fields,
            ..
        } = &self.first;
        *fault == problem.fault
            && *constraint == problem.constraint
            && *field == problem.field
            && *fields == problem.fields
    }
}

/// All problems of a file.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    pub total: u64,
    pub by_type: BTreeMap<&'static str, u64>,
    /// The first ones.
    pub listed: Vec<Problem>,
    /// The first [`KINDS_MAX`], in the order in which they were met.
    kinds: Vec<Kind>,
    /// Where the last problem was counted: the next is often of the kind behind it.
    last: usize,
}

impl Tally {
    /// Counts all problems of a row.
    pub fn add_row(&mut self, problems: &RowProblems) {
        for problem in &problems.kept {
            self.add(problem);
        }
        for (fault, count) in &problems.more {
            self.total += count;
            *self.by_type.entry(fault.as_str()).or_default() += count;
        }
    }

    pub fn add(&mut self, problem: &Problem) {
        self.total += 1;
        *self.by_type.entry(problem.fault.as_str()).or_default() += 1;
        if self.listed.len() < LISTED_MAX {
            self.listed.push(problem.clone());
        }
        let (before, after) = self.kinds.split_at(self.last.min(self.kinds.len()));
        let found = after.iter().position(|kind| kind.is_of(problem));
        let found = found
            .map(|at| before.len() + at)
            .or_else(|| before.iter().position(|kind| kind.is_of(problem)));
        let at = found.unwrap_or(self.kinds.len());
        if let Some(kind) = self.kinds.get_mut(at) {
            kind.count += 1;
            self.last = at;
        } else if at < KINDS_MAX {
            self.kinds.push(Kind {
                count: 1,
                first: problem.clone(),
            });
        }
    }

    /// What there is to mend, the most frequent first.
    pub fn kinds(&self) -> Vec<Kind> {
        let mut kinds = self.kinds.clone();
        kinds.sort_by_key(|kind| std::cmp::Reverse(kind.count));
        kinds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_ends_and_the_count_goes_on() {
        let mut tally = Tally::default();
        for row in 0..1_500 {
            tally.add(&Problem::of_row(Fault::BlankRow, row, String::new()));
        }
        assert_eq!(tally.listed.len(), LISTED_MAX);
        assert_eq!(tally.total, 1_500);
        assert_eq!(tally.by_type["blank-row"], 1_500);
    }

    fn in_field(row: u32, field: &str) -> Problem {
        Problem::of_cell(Fault::TypeError, row, 0, String::new()).with_field(field)
    }

    #[test]
    fn what_comes_after_the_list_is_counted_by_its_kind_all_the_same() {
        let mut tally = Tally::default();
        for row in 0..1_200 {
            tally.add(&in_field(row, "a"));
        }
        for row in 0..1_500 {
            tally.add(&in_field(row, "b"));
            tally.add(&in_field(row, "a"));
            let mut other = in_field(row, "b");
            other.constraint = Some("pattern");
            tally.add(&other);
        }
        let told: Vec<_> = tally
            .kinds()
            .into_iter()
            .map(|kind| (kind.count, kind.first))
            .collect();
        let (mut against, b) = (in_field(0, "b"), in_field(0, "b"));
        against.constraint = Some("pattern");
        let wanted = [(2_700, in_field(0, "a")), (1_500, b), (1_500, against)];
        assert_eq!(told, wanted);
        assert!(
            tally
                .listed
                .iter()
                .all(|one| one.field.as_deref() == Some("a"))
        );
    }

    #[test]
    fn so_many_kinds_are_counted_and_no_more() {
        let mut tally = Tally::default();
        for field in 0..=KINDS_MAX {
            tally.add(&in_field(1, &field.to_string()));
            tally.add(&in_field(2, "0"));
        }
        let kinds = tally.kinds();
        assert_eq!(kinds.len(), KINDS_MAX);
        assert_eq!(kinds[0].count, KINDS_MAX as u64 + 2);
        assert_eq!(tally.total, 2 * (KINDS_MAX as u64 + 1));
    }
}
