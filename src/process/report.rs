//! The report on a file: the same bytes for the same file, template and version, but for the time
//! that it took.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value as Json;

use super::checker::Outcome;
use super::order::Order;
use super::problem::{Kind, Problem, Tally};
use super::profile::Column;
use super::template::Template;
use crate::id;
use crate::sheet::Notice;

/// What became of the rows: `rows` = `valid` + `invalid` + `duplicates` + `updated`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    pub rows: i64,
    pub valid: i64,
    pub invalid: i64,
    pub duplicates: i64,
    pub updated: i64,
    /// Those of `updated` that the list had already as they are.
    pub unchanged: i64,
}

impl Stats {
    pub(super) fn count(&mut self, outcome: Outcome) {
        self.rows += 1;
        match outcome {
            Outcome::Valid => self.valid += 1,
            Outcome::Updated | Outcome::Unchanged => self.updated += 1,
            Outcome::Duplicate => self.duplicates += 1,
            Outcome::Invalid => self.invalid += 1,
        }
    }
}

/// What a report says of the sheet and its columns.
pub(super) struct Columns {
    pub(super) notices: Vec<Notice>,
    pub(super) mapping: Vec<Json>,
    pub(super) columns: Vec<Column>,
    pub(super) dates: Vec<Order>,
}

/// The report as it is stored and shown.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Whether nothing at all is wrong.
    pub valid: bool,
    pub stats: StatsShown,
    pub template: TemplateShown,
    pub mapping: Vec<Json>,
    pub columns: Vec<Column>,
    /// How dates that can be read in two ways were read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dates: Vec<Order>,
    /// What reading dropped, guessed or changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notices: Vec<Notice>,
    pub errors_by_type: BTreeMap<&'static str, u64>,
    pub errors_total: u64,
    /// How many there are of each kind, the most frequent first: up to [`super::problem::KINDS_MAX`].
    pub problems: Vec<Kind>,
    /// The first [`super::problem::LISTED_MAX`].
    pub errors: Vec<Problem>,
    /// Whose rows these were, where a repair workbook came home.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repairs: Option<Json>,
    /// SHA-256 over the compact JSON of the report without this member and `stats.seconds`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hash: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct StatsShown {
    pub rows: i64,
    pub valid: i64,
    pub invalid: i64,
    pub duplicates: i64,
    pub updated: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unchanged: Option<i64>,
    pub errors: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

#[derive(Debug, Clone, Serialize)]
pub struct TemplateShown {
    pub name: String,
    pub version: i64,
}

impl Report {
    pub(super) fn new(
        template: &Template,
        stats: Stats,
        tally: &Tally,
        columns: Columns,
        seconds: f64,
    ) -> Report {
        let mut report = Report {
            valid: tally.total == 0,
            stats: StatsShown {
                rows: stats.rows,
                valid: stats.valid,
                invalid: stats.invalid,
                duplicates: stats.duplicates,
                updated: stats.updated,
                unchanged: (stats.unchanged > 0).then_some(stats.unchanged),
                errors: tally.total,
                seconds: None,
            },
            template: TemplateShown {
                name: template.name.clone(),
                version: template.version,
            },
            mapping: columns.mapping,
            columns: columns.columns,
            dates: columns.dates,
            notices: columns.notices,
            errors_by_type: tally.by_type.clone(),
            errors_total: tally.total,
            problems: tally.kinds(),
            errors: tally.listed.clone(),
            repairs: None,
            hash: String::new(),
        };
        report.seal();
        report.stats.seconds = Some(seconds);
        report
    }

    /// The report on rows that belong to the file of another job.
    #[must_use]
    pub fn repairing(mut self, home: Json) -> Report {
        self.repairs = Some(home);
        self.seal();
        self
    }

    fn seal(&mut self) {
        self.hash.clear();
        let seconds = self.stats.seconds.take();
        // A struct of plain values always prints.
        let bytes = serde_json::to_vec(&self).unwrap_or_default();
        self.hash = id::sha256_hex(&bytes);
        self.stats.seconds = seconds;
    }
}
