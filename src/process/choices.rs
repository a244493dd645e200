//! What people decided about the columns of a file, with a request or before.

use std::collections::HashMap;

use serde_json::{Map, Value as Json, json};

use super::fold::{fold_label, fold_labels};
use super::messages::cut;
use super::template::Template;
use crate::error::{Error, Result};
use crate::sheet::Column;
use crate::words::{Code, How};

/// Columns that somebody decided on.
const CHOICES_MAX: usize = 16_384;
/// Columns of a file that a sentence lists.
const LISTED_MAX: usize = 20;
/// Letters of a name in a sentence.
const SHOWN_CHARS_MAX: usize = 60;

/// What people decided: where a column goes, by its name, or that it goes nowhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choices(pub(super) Vec<Choice>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) column: String,
    pub(super) field: Option<String>,
    pub(super) how: How,
}

impl Choices {
    /// From `{"column": "field"}` with a request; null where a column belongs to no field.
    ///
    /// # Errors
    /// `bad-request` where it is something else.
    pub fn parse(text: Option<&str>) -> Result<Choices> {
        match text {
            None => Ok(Choices::default()),
            Some(text) => {
                let choices = Choices::read(text, How::Given).ok_or_else(|| {
                    Error::problem(
                        Code::BadRequest,
                        "mapping must be a JSON object: {\"column\": \"field\"}, or null for a column that belongs to no field.",
                    )
                })?;
                choices.check_fields()?;
                Ok(choices)
            }
        }
    }

    /// Refuses two columns for one field.
    fn check_fields(&self) -> Result<()> {
        let mut owners: HashMap<&str, &str> = HashMap::new();
        for choice in &self.0 {
            let Some(field) = &choice.field else { continue };
            if let Some(other) = owners.insert(field, &choice.column) {
                return Err(Error::problem(
                    Code::BadRequest,
                    format!(
                        "The mapping sends both \"{}\" and \"{}\" to the field {}. A field takes one column.",
                        shown(other),
                        shown(&choice.column),
                        shown(field)
                    ),
                ));
            }
        }
        Ok(())
    }

    /// Says which column is none of the file's, or is spoken of twice.
    ///
    /// # Errors
    /// `bad-request`.
    pub fn check_columns(&self, columns: &[Column]) -> Result<()> {
        let folded = fold_labels(columns);
        let mut spoken: HashMap<usize, &str> = HashMap::new();
        for choice in &self.0 {
            let Some(column) = column_of(&choice.column, columns, &folded) else {
                return Err(Error::problem(
                    Code::BadRequest,
                    format!(
                        "The mapping names the column \"{}\", and the file has none of that name. Its columns: {}.",
                        shown(&choice.column),
                        listed(columns)
                    ),
                ));
            };
            if let Some(other) = spoken.insert(column, &choice.column) {
                return Err(Error::problem(
                    Code::BadRequest,
                    format!(
                        "The mapping names one column twice: \"{}\" and \"{}\".",
                        shown(other),
                        shown(&choice.column)
                    ),
                ));
            }
        }
        Ok(())
    }

    /// From what was remembered.
    pub fn remembered(text: &str) -> Choices {
        Choices::read(text, How::Remembered).unwrap_or_default()
    }

    fn read(text: &str, how: How) -> Option<Choices> {
        let map: Map<String, Json> = serde_json::from_str(text).ok()?;
        if map.len() > CHOICES_MAX {
            return None;
        }
        let choices = map.into_iter().map(|(column, field)| {
            let field = match field {
                Json::Null => None,
                Json::String(field) => Some(field),
                Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => return None,
            };
            Some(Choice { column, field, how })
        });
        choices.collect::<Option<Vec<_>>>().map(Choices)
    }

    /// These, and `others` for the columns that these don't speak of.
    #[must_use]
    pub fn before(mut self, others: Choices) -> Choices {
        for other in others.0 {
            let spoken = self.0.iter().any(|own| {
                own.column == other.column || (own.field.is_some() && own.field == other.field)
            });
            if !spoken {
                self.0.push(other);
            }
        }
        self
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Says which field is none of the template's.
    ///
    /// # Errors
    /// `bad-request`.
    pub fn check(&self, template: &Template) -> Result<()> {
        let strange = self.0.iter().find_map(|choice| {
            let field = choice.field.as_ref()?;
            let known = template.fields.iter().any(|known| known.name == *field);
            (!known).then_some(field)
        });
        match strange {
            None => Ok(()),
            Some(field) => Err(Error::problem(
                Code::BadRequest,
                format!("The template {} has no field \"{field}\".", template.name),
            )),
        }
    }

    /// As [`Choices::parse`] reads it.
    pub fn to_json(&self) -> Json {
        let members = self
            .0
            .iter()
            .map(|choice| (choice.column.clone(), json!(choice.field)));
        Json::Object(members.collect())
    }
}

/// The position of the column that is called so: by its name, or else by a header that differs in letter
/// case, accents and punctuation only. `folded` are the columns' headers.
pub(super) fn column_of(name: &str, columns: &[Column], folded: &[String]) -> Option<usize> {
    let exact = columns
        .iter()
        .position(|column| column.name == name || column.label.as_deref() == Some(name));
    exact.or_else(|| {
        let name = fold_label(name);
        let like = folded.iter().position(|label| *label == name);
        like.filter(|_| !name.is_empty())
    })
}

fn shown(name: &str) -> String {
    cut(name, SHOWN_CHARS_MAX)
}

/// The names of a file's columns.
fn listed(columns: &[Column]) -> String {
    let names: Vec<String> = columns
        .iter()
        .take(LISTED_MAX)
        .map(|column| shown(&column.name))
        .collect();
    match columns.len().saturating_sub(LISTED_MAX) {
        0 => names.join(", "),
        more => format!("{}, and {more} more", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(labels: &[&str]) -> Vec<Column> {
        labels
            .iter()
            .enumerate()
            .map(|(index, label)| Column {
                index,
                name: (*label).to_owned(),
                label: Some((*label).to_owned()),
            })
            .collect()
    }

    fn said(result: Result<()>) -> String {
        match result {
            Ok(()) => "fine".to_owned(),
            Err(Error::Problem(problem)) => {
                assert_eq!(problem.code, Code::BadRequest);
                problem.detail.to_string()
            }
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn two_columns_for_one_field_are_refused() {
        let twice = Choices::parse(Some(r#"{"A1": "company", "A2": "company"}"#));
        assert_eq!(
            said(twice.map(|_| ())),
            "The mapping sends both \"A1\" and \"A2\" to the field company. A field takes one column."
        );
        assert!(Choices::parse(Some(r#"{"A1": null, "A2": null}"#)).is_ok());
    }

    #[test]
    fn a_column_that_is_not_there_is_refused() {
        let columns = columns(&["Company", "E-Mail"]);
        let given = |text: &str| Choices::parse(Some(text)).unwrap().check_columns(&columns);
        assert_eq!(said(given(r#"{"company": "a", "email": null}"#)), "fine");
        assert_eq!(
            said(given(r#"{"ZZ": "a"}"#)),
            "The mapping names the column \"ZZ\", and the file has none of that name. Its columns: Company, E-Mail."
        );
        assert_eq!(
            said(given(r#"{"E-Mail": "a", "email": "b"}"#)),
            "The mapping names one column twice: \"E-Mail\" and \"email\"."
        );
    }
}
