//! Checks the rows of one sheet against a template, one after another: what each becomes, what is
//! wrong with it, and what was changed on the way in.

mod header;
mod settle;
mod update;

use std::collections::HashMap;

use super::defuse;
use super::keys::{Found, Key, KeyKind, KeySpec, Keys};
use super::line::{Line, check_cell, normalize_cells, restore_extra};
use super::mapping::{Choices, Mapping};
use super::messages;
use super::order::{self, DateOrders, Watch};
use super::problem::{Problem, RowProblems, Tally};
use super::profile::Profile;
use super::report::{Columns, Report, Stats};
use super::seen::Seen;
use super::template::{Field, Template};
use super::types::FieldType;
use super::value::Value;
use crate::error::Result;
use crate::record::Fields;
use crate::sheet::{Cell, Column, Notice, Row};
use crate::words::{Fault, How};

/// Bytes by which a record may be longer than the one before without being moved, and the room made for
/// one at most.
const RECORD_BYTES_MORE: usize = 64;
const RECORD_BYTES_MAX: usize = 4_096;

/// What is known of the sheet before its rows.
#[derive(Debug, Clone)]
pub struct SourceFacts {
    pub columns: Vec<Column>,
    /// 1-based.
    pub header_row: u32,
    /// Whether cells have types of their own; in text files all are text.
    pub workbook: bool,
    /// What people decided about the columns.
    pub choices: Choices,
    /// What is known of the order of day and month.
    pub date_orders: DateOrders,
    /// The first rows, to know columns by what stands in them.
    pub sample: Vec<Row>,
    /// What reading dropped, guessed or changed; the report says it again.
    pub notices: Vec<Notice>,
}

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A new record.
    Valid,
    /// A new version of a record of the list.
    Updated,
    /// It was to update a record of the list, which has all its values already.
    Unchanged,
    /// It is in the file or in the list already.
    Duplicate,
    Invalid,
}

/// A row that was checked by itself and against the rows before it, but not yet against the list.
#[derive(Debug)]
pub struct Checked {
    pub(super) row: u32,
    pub(super) data: String,
    pub(super) changes: Option<String>,
    pub(super) problems: RowProblems,
    /// What to look for in the office's list; empty where the row is out of question.
    pub keys: Vec<Key>,
}

impl Checked {
    /// Whether nothing is wrong with it so far.
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }
}

/// A record of the office's list that has a key of the row.
#[derive(Debug, Clone)]
pub struct Collision {
    pub record_id: i64,
    /// The record: `{"field": value, …}`.
    pub data: String,
    /// Where it came from.
    pub file: String,
    pub row: u32,
    /// Which of the row's keys it has; `None`: it is the same row of the same file, put back before.
    pub key: Option<usize>,
}

/// A row with all that is to be stored of it.
#[derive(Debug)]
pub struct Settled {
    pub row: u32,
    pub outcome: Outcome,
    /// The record: `[value, …]` in the order of [`Checker::members`]; `{"field": value, …}` where it has
    /// others.
    pub data: String,
    /// The changed values as a JSON array, where there are any.
    pub changes: Option<String>,
    /// What is wrong, as a JSON array; empty where nothing is.
    pub problems: String,
    /// What is wrong, in sentences.
    pub messages: Vec<(Option<usize>, String)>,
    /// The hashes by which the record is found again.
    pub keys: Vec<i64>,
}

impl Settled {
    /// Whether the row is in the clean list.
    pub fn is_record(&self) -> bool {
        match self.outcome {
            Outcome::Valid | Outcome::Updated | Outcome::Unchanged => true,
            Outcome::Duplicate | Outcome::Invalid => false,
        }
    }
}

/// The checking of one sheet.
pub struct Checker {
    template: Template,
    facts: SourceFacts,
    mapping: Mapping,
    /// For each field, the sheet column that serves it.
    places: Vec<Option<usize>>,
    /// Positions in `facts.columns` of the columns that serve no field.
    extras: Vec<usize>,
    /// The names of a record's members: the fields, then the extra columns.
    members: Vec<String>,
    /// Room that is made for the next record: the last one's length, and a little.
    record_bytes: usize,
    /// Fields of a whole record of a text file; `None` for workbooks.
    width: Option<usize>,
    /// Columns of dates whose order has to be found out.
    watches: Vec<Watch>,
    keys: Keys,
    profiles: Vec<Profile>,
    tally: Tally,
    stats: Stats,
    /// Records of the list that this file has updated, and by which row.
    updated: HashMap<i64, u32>,
    /// Keys that records have only since rows of this file updated them.
    by_update: Seen,
}

impl Checker {
    /// # Errors
    /// `Internal` where a row of the sample is damaged.
    pub fn new(template: &Template, mut facts: SourceFacts) -> Result<Checker> {
        let sample = std::mem::take(&mut facts.sample);
        let mapping = Mapping::find(
            template,
            &facts.columns,
            &facts.choices,
            &sample,
            facts.workbook,
        )?;
        let places = mapping.places(template, &facts.columns);
        let extras: Vec<usize> = mapping
            .columns
            .iter()
            .enumerate()
            // Of one that was given or remembered, somebody said that it goes nowhere.
            .filter(|(_, (field, how))| {
                field.is_none() && !matches!(how, How::Given | How::Remembered)
            })
            .map(|(at, _)| at)
            .collect();
        let members = record_names(template, &facts, &extras);
        let width = (!facts.workbook).then(|| {
            let labelled = facts.columns.iter().filter(|column| column.label.is_some());
            labelled.map(|column| column.index + 1).max().unwrap_or(0)
        });
        let mut checker = Checker {
            watches: order::watches(template, &places, &facts.date_orders),
            keys: Keys::new(template, |field| {
                places.get(field).is_some_and(Option::is_some)
            }),
            profiles: members
                .iter()
                .map(|_| Profile::new(members.len()))
                .collect(),
            template: template.clone(),
            facts,
            mapping,
            places,
            extras,
            members,
            record_bytes: RECORD_BYTES_MORE,
            width,
            tally: Tally::default(),
            stats: Stats::default(),
            updated: HashMap::new(),
            by_update: Seen::default(),
        };
        checker.check_header();
        Ok(checker)
    }

    /// Names of the required fields that the file has no column for. Where there are any, rows
    /// can't be checked.
    pub fn missing_required(&self) -> Vec<String> {
        self.mapping.missing_required(&self.template)
    }

    /// What people call these fields.
    pub fn labels_of<'n>(&'n self, names: &'n [String]) -> Vec<&'n str> {
        let fields = &self.template.fields;
        let label = |name: &'n String| {
            let field = fields.iter().find(|field| field.name == *name);
            field.map_or(name.as_str(), Field::label)
        };
        names.iter().map(label).collect()
    }

    pub fn mapping(&self) -> &Mapping {
        &self.mapping
    }

    /// The names of a record's members and their types, in their order.
    pub fn members(&self) -> impl Iterator<Item = (&str, &'static str)> {
        let kinds = self.template.fields.iter().map(|field| field.kind.name());
        let kinds = kinds.chain(std::iter::repeat("any"));
        self.members.iter().map(String::as_str).zip(kinds)
    }

    /// The fields of a record, which name the values of [`Settled::data`].
    pub fn fields(&self) -> Fields {
        Fields::new(&self.members)
    }

    /// Whether all rows have to be shown to [`Checker::observe`] before the first is checked.
    pub fn needs_observation(&self) -> bool {
        !self.watches.is_empty()
    }

    /// Looks at a row before any is checked.
    ///
    /// # Errors
    /// `Internal` where the row is damaged.
    pub fn observe(&mut self, row: &Row) -> Result<()> {
        let cells = row.values()?;
        for watch in &mut self.watches {
            watch.observe(row, &cells)?;
        }
        Ok(())
    }

    /// All rows have been shown.
    pub fn observed(&mut self) {
        for watch in &self.watches {
            watch.settle(&mut self.template);
        }
    }

    /// Checks a row. Rows come in the order of the file.
    ///
    /// # Errors
    /// `Internal` where the row is damaged.
    pub fn check(&mut self, row: &Row) -> Result<Checked> {
        let cells = row.values()?;
        let mut line = Line::new(row.number, self.record_bytes);
        let mut values: Vec<Option<Value<'_>>> = Vec::with_capacity(self.template.fields.len());
        let workbook = self.facts.workbook;
        // Text that normalising made anew; values borrow from it.
        let normalized = normalize_cells(&self.template, &self.places, &cells, workbook);
        for (at, field) in self.template.fields.iter().enumerate() {
            let place = self.places.get(at).copied().flatten();
            let cell = place
                .and_then(|place| cells.get(place))
                .unwrap_or(&Cell::Empty);
            let checked = match normalized.get(at).and_then(Option::as_ref) {
                Some((cell, steps)) => check_cell(field, cell, workbook, steps),
                None => check_cell(field, cell, workbook, &[]),
            };
            if let (Some(place), Some(profile)) = (place, self.profiles.get_mut(at)) {
                line.take(field, cell, place, &checked, profile);
            } else {
                line.value(None);
            }
            values.push(checked.value);
        }
        for (at, extra) in self.extras.iter().enumerate() {
            let at = at + self.template.fields.len();
            let column = self.facts.columns.get(*extra);
            let (Some(column), Some(name)) = (column, self.members.get(at)) else {
                // A record has a value for each of its members.
                line.value(None);
                continue;
            };
            let cell = cells.get(column.index).unwrap_or(&Cell::Empty);
            let restored = restore_extra(cell, workbook);
            let read = restored.as_ref().map_or(cell, |(cell, _)| cell);
            let value = FieldType::Any.read(read, workbook);
            if let (Some(value), Some(profile)) = (&value, self.profiles.get_mut(at)) {
                profile.add(value);
                line.has_values = true;
            }
            line.extra(name, cell, column.index, value.as_ref(), &restored);
        }
        if let Some(width) = self.width {
            let extras = self.missing_extras();
            line.check_width(row, width, &self.template, &self.places, &extras, &cells);
        }
        // Frictionless says of a row without any value just this.
        if values.iter().all(Option::is_none) && !line.has_values {
            line.problems = RowProblems::default();
            line.problems.add(Fault::BlankRow, || {
                Problem::of_row(
                    Fault::BlankRow,
                    row.number,
                    "This row has no value: what stands in it stands for none.".to_owned(),
                )
            });
        }
        let keys = self.check_keys(row.number, &values, &mut line.problems);
        let checked = line.finish(keys);
        self.record_bytes = (checked.data.len() + RECORD_BYTES_MORE).min(RECORD_BYTES_MAX);
        Ok(checked)
    }

    /// The columns of no field that a row must not end before: a template that says which columns a
    /// file may have besides its fields means whole rows of them.
    fn missing_extras(&self) -> Vec<&Column> {
        if self.template.fields_match.is_none() {
            return Vec::new();
        }
        let extras = self.extras.iter();
        extras
            .filter_map(|at| self.facts.columns.get(*at))
            .collect()
    }

    fn check_keys(
        &mut self,
        row: u32,
        values: &[Option<Value<'_>>],
        problems: &mut RowProblems,
    ) -> Vec<Key> {
        let mut new = Vec::new();
        for number in 0..self.keys.specs().len() {
            match self.keys.note(number, row, values) {
                Found::Incomplete => {}
                Found::New(key) => new.push(key),
                Found::Again(first) => {
                    if let Some(spec) = self.keys.specs().get(number) {
                        problems.add(spec.fault(), || self.again(spec, row, first, values));
                    }
                }
                Found::Empty => {
                    if let Some(spec) = self.keys.specs().get(number) {
                        let unread = problems.kept.iter().any(|problem| {
                            problem.fault == Fault::TypeError && self.is_in(spec, problem)
                        });
                        problems.keyless = true;
                        problems.add(Fault::PrimaryKey, || self.empty(spec, row, unread));
                    }
                }
            }
        }
        if problems.is_empty() {
            new.retain(|key| {
                self.keys
                    .specs()
                    .get(key.number)
                    .is_some_and(KeySpec::is_listed)
            });
            new
        } else {
            Vec::new()
        }
    }

    fn again(&self, spec: &KeySpec, row: u32, first: u32, values: &[Option<Value<'_>>]) -> Problem {
        let message = format!("Same {} as row {first}.", self.labels(Some(spec)));
        let problem = self.of_key(spec, row, message);
        let value = |field: &usize| values.get(*field)?.as_ref().map(Value::text);
        let shown: Vec<_> = spec.fields.iter().filter_map(value).collect();
        let problem = if shown.is_empty() {
            problem
        } else {
            problem.with_value(&shown.join(", "))
        };
        let [field] = spec.fields.as_slice() else {
            return problem;
        };
        match self.template.fields.get(*field) {
            Some(field) if spec.kind != KeyKind::Primary => problem.with_field(&field.name),
            _ => problem,
        }
    }

    /// A row without a primary key; `unread`: its cells hold something, which is wrong.
    fn empty(&self, spec: &KeySpec, row: u32, unread: bool) -> Problem {
        let names = self.labels(Some(spec));
        let message = if unread {
            format!("{names} can't be read as it stands, so that nothing tells this row apart.")
        } else {
            format!("{names} must not be empty: it tells rows apart.")
        };
        let mut problem = self.of_key(spec, row, message);
        // Unlike a key that is there twice it is a wrong value.
        problem.constraint = Some("required");
        if let [field] = spec.fields.as_slice() {
            let field = self.template.fields.get(*field);
            problem.field = field.map(|field| field.name.clone());
        }
        problem
    }

    /// Something wrong with a key, whose fields it names where they are several.
    fn of_key(&self, spec: &KeySpec, row: u32, message: String) -> Problem {
        let mut problem = Problem::of_key(spec.fault(), row, &self.columns_of(spec), message);
        if spec.fields.len() > 1 {
            let fields = spec.fields.iter();
            let fields = fields.filter_map(|field| self.template.fields.get(*field));
            problem.fields = fields.map(|field| field.name.clone()).collect();
        }
        problem
    }

    /// The sheet columns of a key's fields.
    fn columns_of(&self, spec: &KeySpec) -> Vec<usize> {
        let places = spec.fields.iter();
        places
            .filter_map(|field| self.places.get(*field).copied().flatten())
            .collect()
    }

    /// Whether a problem is about a field of this key.
    fn is_in(&self, spec: &KeySpec, problem: &Problem) -> bool {
        let fields = spec.fields.iter();
        let mut fields = fields.filter_map(|field| self.template.fields.get(*field));
        fields.any(|field| problem.field.as_deref() == Some(&field.name))
    }

    fn labels(&self, spec: Option<&KeySpec>) -> String {
        let labels: Vec<&str> = spec
            .map_or(&[][..], |spec| &spec.fields)
            .iter()
            .filter_map(|field| self.template.fields.get(*field).map(Field::label))
            .collect();
        messages::listed(&labels)
    }

    /// Whether a stored record really has a key that its hash promises.
    ///
    /// # Errors
    /// `Internal` where the record is damaged.
    pub fn has_key(&self, key: &Key, data: &str) -> Result<bool> {
        self.keys.is_of(key, &self.template, data)
    }

    /// The report on what was checked so far; `seconds` is how long it took.
    pub fn report(&self, seconds: f64) -> Report {
        let mut columns: Vec<_> = self
            .template
            .fields
            .iter()
            .zip(&self.profiles)
            .map(|(field, profile)| profile.to_column(&field.name, field.kind.name()))
            .collect();
        columns.extend(
            self.members
                .iter()
                .zip(&self.profiles)
                .skip(self.template.fields.len())
                .map(|(name, profile)| profile.to_column(name, "any")),
        );
        Report::new(
            &self.template,
            self.stats,
            &self.tally,
            Columns {
                notices: self.facts.notices.clone(),
                mapping: self.mapping.to_json(&self.template, &self.facts.columns),
                columns,
                dates: self
                    .watches
                    .iter()
                    .filter_map(|watch| watch.told(&self.template))
                    .collect(),
            },
            seconds,
        )
    }

    pub fn counts(&self) -> Stats {
        self.stats
    }
}

/// Names of a record's members: the fields, then the columns that serve none. A column whose name
/// a field has already gets a number.
fn record_names(template: &Template, facts: &SourceFacts, extras: &[usize]) -> Vec<String> {
    let mut names: Vec<String> = template
        .fields
        .iter()
        .map(|field| field.name.clone())
        .collect();
    let mut taken: std::collections::HashSet<String> = names.iter().cloned().collect();
    for column in extras.iter().filter_map(|at| facts.columns.get(*at)) {
        // As it was before an export defused it.
        let own = defuse::restored(&column.name).filter(|_| !facts.workbook);
        let own = own.unwrap_or(&column.name);
        let mut name = own.to_owned();
        let mut number = 2;
        while !taken.insert(name.clone()) {
            name = format!("{own}_{number}");
            number += 1;
        }
        names.push(name);
    }
    names
}
