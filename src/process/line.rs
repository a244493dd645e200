//! One row on its way to a record: cell by cell through normalising, type and constraints, with the
//! problems and the changes that come up.

use super::checker::Checked;
use super::constraints::Rule;
use super::keys::Key;
use super::messages;
use super::normalize::{self, Step};
use super::problem::{Problem, RowProblems};
use super::profile::Profile;
use super::template::{Field, Template};
use super::value::Value;
use crate::record::write_text;
use crate::sheet::{Cell, Cells, Column, ERROR_TEXT, Row, cell_name};
use crate::words::Fault;

/// A cell after its template's `normalize`, where that changed something.
pub(super) type Normalized<'c> = Option<(Cell<'c>, Vec<Step>)>;

pub(super) fn normalize_cells<'c>(
    template: &Template,
    places: &[Option<usize>],
    cells: &'c Cells<'c>,
    workbook: bool,
) -> Vec<Normalized<'c>> {
    template
        .fields
        .iter()
        .zip(places)
        .map(|(field, place)| {
            let Some(Cell::Text(text)) = cells.get((*place)?) else {
                return None;
            };
            if !workbook && text.starts_with('\'') {
                let steps: Vec<Step> = [Step::Defused]
                    .iter()
                    .chain(&field.normalize)
                    .copied()
                    .collect();
                normalized(&steps, text)
            } else {
                normalized(&field.normalize, text)
            }
        })
        .collect()
}

/// The text of a column that serves no field, as exports had it before they defused it.
pub(super) fn restore_extra<'c>(cell: &'c Cell<'c>, workbook: bool) -> Normalized<'c> {
    let Cell::Text(text) = cell else {
        return None;
    };
    if workbook {
        return None;
    }
    normalized(&[Step::Defused], text)
}

fn normalized<'c>(steps: &[Step], text: &'c str) -> Normalized<'c> {
    if steps.is_empty() {
        return None;
    }
    let (value, steps) = normalize::apply(steps, text);
    (!steps.is_empty()).then_some((Cell::Text(value), steps))
}

/// What a cell came to.
pub(super) struct CheckedCell<'c> {
    pub(super) value: Option<Value<'c>>,
    wrong_type: bool,
    broken: Vec<Rule>,
    /// What changed the value, in words.
    rules: Vec<&'static str>,
}

pub(super) fn check_cell<'c>(
    field: &Field,
    cell: &'c Cell<'c>,
    workbook: bool,
    steps: &[Step],
) -> CheckedCell<'c> {
    let mut checked = CheckedCell {
        value: None,
        wrong_type: false,
        broken: Vec::new(),
        rules: steps.iter().map(|step| step.as_str()).collect(),
    };
    let text = cell_text(cell);
    let missing = match cell {
        Cell::Empty => true,
        Cell::Error => false,
        Cell::Text(_)
        | Cell::Number(_)
        | Cell::Bool(_)
        | Cell::Date(_)
        | Cell::DateTime(_)
        | Cell::Time(_)
        | Cell::Duration(_) => field.missing.iter().any(|missing| missing == text),
    };
    if missing {
        if !text.is_empty() {
            checked.rules.push("missing");
        }
    } else {
        checked.value = field.kind.read(cell, workbook);
        if checked.value.is_none() {
            checked.wrong_type = true;
            return checked;
        }
    }
    let broken = &mut checked.broken;
    field
        .constraints
        .check(checked.value.as_ref(), |rule| broken.push(rule));
    checked
}

/// A cell's text as the file has it.
pub(super) fn cell_text<'c>(cell: &'c Cell<'_>) -> &'c str {
    match cell {
        Cell::Empty => "",
        Cell::Error => ERROR_TEXT,
        Cell::Text(text)
        | Cell::Date(text)
        | Cell::DateTime(text)
        | Cell::Time(text)
        | Cell::Duration(text) => text,
        Cell::Number(json) => json,
        Cell::Bool(true) => "true",
        Cell::Bool(false) => "false",
    }
}

/// A row on its way to a record.
pub(super) struct Line {
    row: u32,
    data: String,
    changes: String,
    pub(super) problems: RowProblems,
    /// Whether a cell holds something that is no value of its field, or one of no field has a value.
    pub(super) has_values: bool,
}

impl Line {
    /// `bytes`: about as long as the record will be.
    pub(super) fn new(row: u32, bytes: usize) -> Line {
        let mut data = String::with_capacity(bytes);
        data.push('[');
        Line {
            row,
            data,
            changes: String::new(),
            problems: RowProblems::default(),
            has_values: false,
        }
    }

    /// Adds the next value to the record.
    pub(super) fn value(&mut self, value: Option<&Value<'_>>) {
        if self.data.len() > 1 {
            self.data.push(',');
        }
        match value {
            Some(value) => value.write_json(&mut self.data),
            None => self.data.push_str("null"),
        }
    }

    pub(super) fn take(
        &mut self,
        field: &Field,
        cell: &Cell<'_>,
        place: usize,
        checked: &CheckedCell<'_>,
        profile: &mut Profile,
    ) {
        let text = cell_text(cell);
        if checked.wrong_type {
            self.has_values = true;
            profile.add_text(text);
            self.problems.add(Fault::TypeError, || {
                let message = messages::wrong_type(field, cell, text);
                let mut problem = Problem::of_cell(Fault::TypeError, self.row, place, message)
                    .with_field(&field.name)
                    .with_value(text);
                problem.suggestion = messages::meant_date(field, cell);
                problem
            });
        }
        for rule in &checked.broken {
            self.problems.add(Fault::ConstraintError, || {
                let value = checked.value.as_ref();
                let message = messages::broken(field, *rule, value, text);
                let mut problem =
                    Problem::of_cell(Fault::ConstraintError, self.row, place, message)
                        .with_field(&field.name);
                if *rule != Rule::Required || !text.is_empty() {
                    problem = problem.with_value(text);
                }
                problem.constraint = Some(rule.as_str());
                problem.suggestion = messages::meant_value(field, *rule, value);
                problem
            });
        }
        if let Some(value) = &checked.value {
            profile.add(value);
        }
        let from = self.data.len();
        self.value(checked.value.as_ref());
        self.note_change(field, cell, place, from, checked);
    }

    /// Puts the cell into the ledger where the record does not hold it as it stands in the file.
    fn note_change(
        &mut self,
        field: &Field,
        cell: &Cell<'_>,
        place: usize,
        from: usize,
        checked: &CheckedCell<'_>,
    ) {
        if checked.wrong_type || matches!(cell, Cell::Empty) {
            return;
        }
        let comma = usize::from(from > 1);
        let stored = self.data.get(from + comma..).unwrap_or("");
        let text = cell_text(cell);
        let same = match &checked.value {
            None => text.is_empty(),
            Some(Value::Text(stored)) => stored == text,
            Some(_) => stored == text || stored.trim_matches('"') == text,
        };
        if same {
            return;
        }
        let stored = stored.to_owned();
        let rule = if checked.rules.is_empty() {
            field.kind.name().to_owned()
        } else {
            checked.rules.join(", ")
        };
        self.write_change(&field.name, cell, place, &stored, &rule);
    }

    /// Adds the value of a column that serves no field; `normalized` is what became of its cell.
    pub(super) fn extra(
        &mut self,
        name: &str,
        cell: &Cell<'_>,
        place: usize,
        value: Option<&Value<'_>>,
        normalized: &Normalized<'_>,
    ) {
        self.value(value);
        if let (Some((_, steps)), Some(value)) = (normalized, value) {
            let mut stored = String::new();
            value.write_json(&mut stored);
            let rules: Vec<&str> = steps.iter().map(|step| step.as_str()).collect();
            self.write_change(name, cell, place, &stored, &rules.join(", "));
        }
    }

    fn write_change(
        &mut self,
        field: &str,
        cell: &Cell<'_>,
        place: usize,
        stored: &str,
        rule: &str,
    ) {
        let text = cell_text(cell);
        self.changes
            .push_str(if self.changes.is_empty() { "[" } else { "," });
        self.changes.push_str("{\"cell\":");
        write_text(&mut self.changes, &cell_name(place, self.row));
        self.changes.push_str(",\"field\":");
        write_text(&mut self.changes, field);
        self.changes.push_str(",\"original\":");
        if matches!(cell, Cell::Number(_) | Cell::Bool(_)) {
            self.changes.push_str(text);
        } else {
            write_text(&mut self.changes, text);
        }
        self.changes.push_str(",\"stored\":");
        self.changes.push_str(stored);
        self.changes.push_str(",\"rule\":");
        write_text(&mut self.changes, rule);
        self.changes.push('}');
    }

    /// Cells that a record of a text file has too few or too many.
    pub(super) fn check_width(
        &mut self,
        row: &Row,
        width: usize,
        template: &Template,
        places: &[Option<usize>],
        extras: &[&Column],
        cells: &Cells<'_>,
    ) {
        let Some(has) = row.width.and_then(|has| usize::try_from(has).ok()) else {
            return;
        };
        for (field, place) in template.fields.iter().zip(places) {
            if let Some(place) = place
                && *place >= has
            {
                self.problems.add(Fault::MissingCell, || {
                    let label = field.label();
                    let message = format!("This row ends before {label} (it has {has} cells).");
                    Problem::of_cell(Fault::MissingCell, self.row, *place, message)
                        .with_field(&field.name)
                });
            }
        }
        for column in extras
            .iter()
            .filter(|column| (has..width).contains(&column.index))
        {
            self.problems.add(Fault::MissingCell, || {
                let name = &column.name;
                let message = format!("This row ends before {name} (it has {has} cells).");
                let problem = Problem::of_cell(Fault::MissingCell, self.row, column.index, message);
                match column.label {
                    Some(_) => problem.with_field(name),
                    None => problem,
                }
            });
        }
        for place in width..has {
            self.problems.add(Fault::ExtraCell, || {
                let message = format!("This row has {has} cells, and there are {width} headers.");
                let text = cells.get(place).map_or("", cell_text);
                Problem::of_cell(Fault::ExtraCell, self.row, place, message).with_value(text)
            });
        }
    }

    pub(super) fn finish(mut self, keys: Vec<Key>) -> Checked {
        self.data.push(']');
        if !self.changes.is_empty() {
            self.changes.push(']');
        }
        Checked {
            row: self.row,
            data: self.data,
            changes: (!self.changes.is_empty()).then_some(self.changes),
            problems: self.problems,
            keys,
        }
    }
}
