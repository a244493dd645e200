//! The fields of a JSON body, read one by one: what is missing or wrong is told all at once.

use serde_json::{Map, Value, json};

use crate::error::{Problem, Result};
use crate::http::call::Call;
use crate::words::Code;

/// The fields that are left to read, and what was wrong with those read.
pub struct Fields {
    members: Map<String, Value>,
    errors: Vec<(String, String)>,
}

impl Fields {
    /// The body's fields.
    ///
    /// # Errors
    /// As [`Call::json`], for what is no JSON object.
    pub fn of(call: &mut Call<'_, '_>) -> Result<Fields> {
        Ok(Fields {
            members: call.json()?,
            errors: Vec::new(),
        })
    }

    /// A text that must be there.
    pub fn text(&mut self, name: &str) -> String {
        match self.members.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Null) | None => {
                self.wrong(name, &format!("{name} is missing."));
                String::new()
            }
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                self.wrong(name, &format!("{name} must be a text."));
                String::new()
            }
        }
    }

    /// Whether there is such a field, `null` included.
    pub fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// A text that may be left away, or null.
    pub fn optional_text(&mut self, name: &str) -> Option<String> {
        match self.members.get(name) {
            Some(Value::Null) | None => None,
            Some(_) => Some(self.text(name)),
        }
    }

    /// A whole number that may be left away, or null.
    pub fn optional_number(&mut self, name: &str) -> Option<i64> {
        match self.members.get(name) {
            Some(Value::Null) | None => None,
            Some(value) => {
                // 1.0 is a whole number to JSON, which knows but one kind.
                let number = value.as_i64().or_else(|| whole(value.as_f64()?));
                if number.is_none() {
                    self.wrong(name, &format!("{name} must be a whole number."));
                }
                number
            }
        }
    }

    /// true or false; it may be left away.
    pub fn optional_flag(&mut self, name: &str) -> Option<bool> {
        match self.members.get(name) {
            None => None,
            Some(Value::Bool(flag)) => Some(*flag),
            Some(_) => {
                self.wrong(name, &format!("{name} must be true or false."));
                None
            }
        }
    }

    /// Notes that a field is wrong.
    pub fn wrong(&mut self, name: &str, sentence: &str) {
        self.errors.push((name.to_owned(), sentence.to_owned()));
    }

    /// The end of the reading.
    ///
    /// # Errors
    /// `bad-request` with every `errors` that there were.
    pub fn check(self) -> Result<()> {
        let Some((_, first)) = self.errors.first() else {
            return Ok(());
        };
        let errors: Vec<Value> = self
            .errors
            .iter()
            .map(|(field, message)| json!({ "field": field, "message": message }))
            .collect();
        Err(Problem::new(Code::BadRequest, first.clone())
            .with("errors", errors)
            .into())
    }
}

/// A number without a fraction, where it is one that a fraction can still be told of.
#[expect(
    clippy::cast_possible_truncation,
    reason = "it has no fraction and is within the bounds"
)]
fn whole(number: f64) -> Option<i64> {
    let exact = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() <= exact).then_some(number as i64)
}
