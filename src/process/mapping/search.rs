//! Looks for the field of each column, in one way after another; what was found stays.

use std::collections::HashMap;

use super::own_names;
use super::spelling;
use crate::error::Result;
use crate::process::choices::{self, Choices};
use crate::process::content;
use crate::process::fold::{fold_label, fold_labels};
use crate::process::template::Template;
use crate::process::types::FieldType;
use crate::sheet::{Column, Row};
use crate::words::How;

pub(super) struct Search<'a> {
    template: &'a Template,
    columns: &'a [Column],
    /// Each column's header, folded; empty where it is blank.
    folded: Vec<String>,
    /// For each column, whether it has a header that none before it has.
    own_names: Vec<bool>,
    pub(super) found: Vec<(Option<usize>, How)>,
    served: Vec<bool>,
    /// Columns that people keep out of every field.
    closed: Vec<bool>,
}

impl<'a> Search<'a> {
    pub(super) fn new(template: &'a Template, columns: &'a [Column]) -> Search<'a> {
        Search {
            template,
            columns,
            folded: fold_labels(columns),
            own_names: own_names(columns),
            found: vec![(None, How::None); columns.len()],
            served: vec![false; template.fields.len()],
            closed: vec![false; columns.len()],
        }
    }

    /// Whether a column still looks for its field.
    fn is_open(&self, column: usize) -> bool {
        matches!(self.found.get(column), Some((None, _))) && self.closed.get(column) == Some(&false)
    }

    fn has_own_name(&self, column: usize) -> bool {
        self.own_names.get(column) == Some(&true)
    }

    pub(super) fn by_choice(&mut self, choices: &Choices) {
        for choice in &choices.0 {
            let column = choices::column_of(&choice.column, self.columns, &self.folded);
            let Some(column) = column.filter(|column| self.is_open(*column)) else {
                continue;
            };
            let field = choice.field.as_ref().map(|field| {
                let mut fields = self.template.fields.iter();
                fields.position(|known| known.name == *field)
            });
            match field {
                // The template has changed since: let the header speak.
                Some(None) => {}
                Some(Some(field)) if self.served.get(field) == Some(&false) => {
                    self.take(column, field, choice.how);
                }
                Some(Some(_)) => {}
                None => {
                    if let (Some(closed), Some(found)) =
                        (self.closed.get_mut(column), self.found.get_mut(column))
                    {
                        *closed = true;
                        *found = (None, choice.how);
                    }
                }
            }
        }
    }

    pub(super) fn by_content(&mut self, sample: &[Row], workbook: bool) -> Result<()> {
        let found = content::find(self.template, self.columns, sample, workbook, |at| {
            self.is_open(at)
        })?;
        for (column, field) in found {
            if self.served.get(field) == Some(&false) {
                self.take(column, field, How::Content);
            }
        }
        Ok(())
    }

    fn take(&mut self, column: usize, field: usize, how: How) {
        if let (Some(found), Some(served)) =
            (self.found.get_mut(column), self.served.get_mut(field))
        {
            *found = (Some(field), how);
            *served = true;
        }
    }

    /// Gives each column without a field the first one not served yet that has its name.
    fn each(&mut self, how: How, names: &Names, name: impl Fn(&Column, &str) -> Option<String>) {
        for (at, column) in self.columns.iter().enumerate() {
            if !self.is_open(at) {
                continue;
            }
            let folded = self.folded.get(at).map_or("", String::as_str);
            let field = name(column, folded)
                .filter(|name| !name.is_empty())
                .and_then(|name| names.get(&name))
                .and_then(|fields| {
                    fields
                        .iter()
                        .find(|field| self.served.get(**field) == Some(&false))
                });
            if let Some(field) = field.copied() {
                self.take(at, field, how);
            }
        }
    }

    /// Each column takes the field that was made of it.
    pub(super) fn by_column(&mut self) {
        if self.columns.len() != self.template.fields.len() {
            return;
        }
        for at in 0..self.columns.len() {
            if self.is_open(at) && self.served.get(at) == Some(&false) {
                let how = if self.has_own_name(at) {
                    How::Exact
                } else {
                    How::Position
                };
                self.take(at, at, how);
            }
        }
    }

    pub(super) fn by_name(&mut self) {
        let fields = self.template.fields.iter().enumerate();
        let exact =
            names(fields.clone().flat_map(|(at, field)| {
                [(at, field.name.clone()), (at, field.label().to_owned())]
            }));
        self.each(How::Exact, &exact, |column, _| column.label.clone());
        let folded = names(fields.flat_map(|(at, field)| {
            [
                (at, fold_label(&field.name)),
                (at, fold_label(field.label())),
            ]
        }));
        self.each(How::Exact, &folded, |_, folded| Some(folded.to_owned()));
    }

    pub(super) fn by_alias(&mut self) {
        let aliases = self.folded_aliases();
        let aliases = names(
            aliases
                .into_iter()
                .enumerate()
                .flat_map(|(at, list)| list.into_iter().map(move |alias| (at, alias))),
        );
        self.each(How::Alias, &aliases, |_, folded| Some(folded.to_owned()));
    }

    fn folded_aliases(&self) -> Vec<Vec<String>> {
        self.template
            .fields
            .iter()
            .map(|field| {
                field
                    .aliases
                    .iter()
                    .map(|alias| fold_label(alias))
                    .collect()
            })
            .collect()
    }

    /// The most alike pairs first; a field that is served already still counts as a rival.
    pub(super) fn by_spelling(&mut self) {
        let names = self.folded_aliases().into_iter().zip(&self.template.fields);
        let names = names.map(|(mut names, field)| {
            names.push(fold_label(&field.name));
            names.push(fold_label(field.label()));
            names
        });
        let open = self.folded.iter().map(String::as_str).enumerate();
        let open = open.filter(|(at, _)| self.is_open(*at));
        for (column, field) in spelling::pairs(open, names) {
            if self.served.get(field) == Some(&false) {
                self.take(column, field, How::Fuzzy);
            }
        }
    }

    /// A column without a name of its own (blank, or used before) takes the field at its place, if
    /// that takes any value, where the file is plainly made for the template: as many columns as
    /// fields, every named one at the place of its field. Not for templates with aliases: those go
    /// by names alone.
    pub(super) fn by_place(&mut self) {
        let by_names = self.template.fields.iter().any(|f| !f.aliases.is_empty());
        // What lies right of the last header are cells too many, not columns.
        let last = self
            .columns
            .iter()
            .rposition(|column| column.label.is_some());
        let width = last.map_or(0, |at| at + 1);
        let in_order = self
            .found
            .iter()
            .take(width)
            .enumerate()
            .all(|(at, (field, _))| {
                *field == Some(at) || (field.is_none() && !self.has_own_name(at))
            });
        let any = self.found.iter().any(|(field, _)| field.is_some());
        if by_names || !in_order || !any || width != self.template.fields.len() {
            return;
        }
        for at in 0..width {
            let (Some(field), Some(false)) = (self.template.fields.get(at), self.served.get(at))
            else {
                continue;
            };
            let takes_all = matches!(field.kind, FieldType::Any) && !field.constraints.required;
            if takes_all && self.is_open(at) && !self.has_own_name(at) {
                self.take(at, at, How::Position);
            }
        }
    }
}

/// The fields that have a name, in the template's order.
type Names = HashMap<String, Vec<usize>>;

fn names(pairs: impl Iterator<Item = (usize, String)>) -> Names {
    let mut names = Names::new();
    for (field, name) in pairs {
        names.entry(name).or_default().push(field);
    }
    names
}
