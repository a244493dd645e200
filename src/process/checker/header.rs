//! What is wrong with a sheet's headers.

use super::Checker;
use crate::process::mapping::own_names;
use crate::process::messages;
use crate::process::problem::Problem;
use crate::process::template::{Field, FieldsMatch};
use crate::sheet::column_letters;
use crate::words::Fault;

impl Checker {
    pub(super) fn check_header(&mut self) {
        let header_row = self.facts.header_row;
        let mut problems = Vec::new();
        let own_names = own_names(&self.facts.columns);
        for (at, column) in self.facts.columns.iter().enumerate() {
            let beyond = self.width.is_some_and(|width| column.index >= width);
            if beyond || own_names.get(at) == Some(&true) {
                continue;
            }
            let (fault, message) = match &column.label {
                None => (
                    Fault::BlankLabel,
                    format!(
                        "Column {} has values but no header; it is called {}.",
                        column_letters(column.index),
                        column.name
                    ),
                ),
                Some(label) => (
                    Fault::DuplicateLabel,
                    format!(
                        "Another column is called \"{}\" too; this one is called {}.",
                        messages::cut(label, 60),
                        column.name
                    ),
                ),
            };
            let field = match self.mapping.columns.get(at) {
                Some((Some(field), _)) => self.template.fields.get(*field),
                _ => None,
            };
            let mut problem = Problem::of_cell(fault, header_row, column.index, message);
            problem.row = None;
            problem.field = Some(field.map_or(&column.name, |field| &field.name).clone());
            problems.push(problem);
        }
        self.check_fields_match(&mut problems);
        for (at, field) in self.template.fields.iter().enumerate() {
            if self.template.needs_column(field) && self.places.get(at) == Some(&None) {
                let message = format!(
                    "\"{}\" is needed and no column was matched to it.",
                    field.label()
                );
                let mut problem = Problem::of_row(Fault::MissingLabel, header_row, message)
                    .with_field(&field.name);
                problem.row = None;
                problems.push(problem);
            }
        }
        for problem in &problems {
            self.tally.add(problem);
        }
    }

    /// Whether a column is wrong for being none of the template's.
    fn refuses_extra(&self) -> bool {
        match self.template.fields_match {
            Some(FieldsMatch::Exact | FieldsMatch::Equal | FieldsMatch::Superset) => true,
            Some(FieldsMatch::Subset | FieldsMatch::Partial) | None => false,
        }
    }

    /// What `fieldsMatch` has against the columns.
    fn check_fields_match(&self, problems: &mut Vec<Problem>) {
        let header_row = self.facts.header_row;
        for (at, column) in self.facts.columns.iter().enumerate() {
            let beyond = self.width.is_some_and(|width| column.index >= width);
            let field = self.mapping.columns.get(at).and_then(|(field, _)| *field);
            let (fault, message) = match field {
                None if self.refuses_extra() && !beyond => (
                    Fault::ExtraLabel,
                    format!("The template has no field for \"{}\".", column.name),
                ),
                Some(field)
                    if field != at && self.template.fields_match == Some(FieldsMatch::Exact) =>
                {
                    let expected = self.template.fields.get(at).map_or("", Field::label);
                    (
                        Fault::IncorrectLabel,
                        format!(
                            "\"{expected}\" is expected here; found \"{}\".",
                            column.name
                        ),
                    )
                }
                None | Some(_) => continue,
            };
            let mut problem = Problem::of_cell(fault, header_row, column.index, message);
            problem.row = None;
            problems.push(problem);
        }
    }
}
