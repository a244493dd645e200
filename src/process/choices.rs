//! What people decided about the columns of a file, with a request or before.

use serde_json::{Map, Value as Json, json};

use super::template::Template;
use crate::error::{Error, Result};
use crate::words::{Code, How};

/// Columns that somebody decided on.
const CHOICES_MAX: usize = 16_384;

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
            Some(text) => Choices::read(text, How::Given).ok_or_else(|| {
                Error::problem(
                    Code::BadRequest,
                    "mapping must be a JSON object: {\"column\": \"field\"}, or null for a column that belongs to no field.",
                )
            }),
        }
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
