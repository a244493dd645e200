//! What becomes of a row that was checked, beside the records of the office's list.

use std::fmt::Write;

use serde_json::{Map, Value as Json};

use super::{Checked, Checker, Collision, Outcome, Settled};
use crate::process::messages;
use crate::process::normalize;
use crate::process::problem::{Problem, RowProblems};
use crate::sheet::row::column_index;
use crate::words::Fault;

impl Checker {
    /// Decides what becomes of a row. `collisions` are the records of the list that have one of
    /// its keys; with `update` the row gives its values to the one that it collides with.
    pub fn settle(&mut self, checked: Checked, collisions: &[Collision], update: bool) -> Settled {
        let Checked {
            row,
            data,
            changes,
            mut problems,
            keys,
        } = checked;
        let mut outcome = Outcome::Valid;
        if let Some(first) = collisions.first() {
            match self.may_update(collisions, update) {
                // What is wrong with it stands there already.
                Ok(()) if !problems.is_empty() => {}
                Ok(()) => {
                    self.updated.insert(first.record_id, row);
                    outcome = Outcome::Updated;
                }
                Err(message) => problems.add(Fault::DuplicateRecord, || {
                    let mut problem = Problem::of_row(Fault::DuplicateRecord, row, message);
                    self.point_at(&mut problem, row, first, &data);
                    problem
                }),
            }
        }
        if !problems.is_empty() {
            outcome = if problems.are_duplicates() {
                Outcome::Duplicate
            } else {
                Outcome::Invalid
            };
        }
        self.stats.count(outcome);
        self.tally.add_row(&problems);
        let problems_json = if problems.is_empty() {
            String::new()
        } else {
            // A list of plain structs always prints.
            serde_json::to_string(&problems.kept).unwrap_or_else(|_| "[]".to_owned())
        };
        Settled {
            row,
            outcome,
            data,
            changes,
            problems: problems_json,
            messages: messages_of(problems),
            keys: keys.iter().map(|key| key.hash).collect(),
        }
    }

    fn may_update(
        &self,
        collisions: &[Collision],
        update: bool,
    ) -> std::result::Result<(), String> {
        let Some(first) = collisions.first() else {
            return Ok(());
        };
        if !update {
            return Err(match first.key {
                Some(_) => format!("Already stored from {}, row {}.", first.file, first.row),
                None => format!(
                    "This row was put back before; it is stored from {}, row {}.",
                    first.file, first.row
                ),
            });
        }
        if let Some(other) = collisions
            .iter()
            .find(|other| other.record_id != first.record_id)
        {
            return Err(format!(
                "Two records are like this row: {}, row {}, and {}, row {}. It can't update both.",
                first.file, first.row, other.file, other.row
            ));
        }
        match self.updated.get(&first.record_id) {
            Some(earlier) => Err(format!(
                "Row {earlier} has updated the same record already ({}, row {}).",
                first.file, first.row
            )),
            None => Ok(()),
        }
    }

    /// Adds the place of a key's field, and what differs from the record.
    fn point_at(&self, problem: &mut Problem, row: u32, record: &Collision, data: &str) {
        let spec = record.key.and_then(|key| self.keys.specs().get(key));
        if let Some(spec) = spec {
            let message = std::mem::take(&mut problem.message);
            let fault = problem.fault;
            *problem = self.of_key(spec, row, message);
            problem.fault = fault;
            if let [field] = spec.fields.as_slice()
                && let Some(field) = self.template.fields.get(*field)
            {
                problem.field = Some(field.name.clone());
            }
        }
        let (Ok(old), Ok(new)) = (
            serde_json::from_str::<Map<String, Json>>(&record.data),
            self.named(data),
        ) else {
            return;
        };
        let keyed = problem.field.iter().chain(&problem.fields);
        let values = keyed.filter_map(|field| new.get(field));
        let shown: Vec<String> = values.filter(|v| !v.is_null()).map(plain).collect();
        if !shown.is_empty() {
            *problem = problem.clone().with_value(&shown.join(", "));
        }
        let differs = |old: &Json, new: &Json| {
            !old.is_null()
                && !new.is_null()
                && normalize::fold(&plain(old)) != normalize::fold(&plain(new))
        };
        let mut differ = new
            .iter()
            .filter(|(name, value)| old.get(*name).is_some_and(|old| differs(old, value)));
        if let Some((name, value)) = differ.next() {
            let label = self.labels_of(std::slice::from_ref(name)).concat();
            problem.message.pop();
            // Writing to a String can't fail.
            let _ = write!(
                problem.message,
                "; {label} differs: {} / {}.",
                messages::cut(&plain(value), 60),
                messages::cut(&old.get(name).map(plain).unwrap_or_default(), 60)
            );
        }
    }
}

/// The sentences of a row, each with the column that it speaks of.
fn messages_of(problems: RowProblems) -> Vec<(Option<usize>, String)> {
    let more = problems.more_total();
    let mut messages: Vec<(Option<usize>, String)> = problems
        .kept
        .into_iter()
        .map(|problem| {
            let column = problem.column.as_deref().and_then(column_index);
            (column, problem.message)
        })
        .collect();
    if more > 0 {
        messages.push((None, format!("And {more} more.")));
    }
    messages
}

fn plain(value: &Json) -> String {
    match value.as_str() {
        Some(text) => text.to_owned(),
        None => value.to_string(),
    }
}
