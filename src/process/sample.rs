//! What a template tells people of a field: a note in words, and values that show what is meant.

use super::constraints::Constraints;
use super::messages::letters;
use super::template::Field;
use super::types::{FieldType, MomentForm, TextFormat};

impl Field {
    /// What the field is for and what it takes, a line each.
    pub fn note(&self) -> String {
        let mut lines = Vec::new();
        lines.extend(self.description.clone());
        lines.push(
            if self.constraints.required {
                "Needed in every row."
            } else {
                "May be empty."
            }
            .to_owned(),
        );
        lines.push(format!("Takes {}.", takes(&self.kind)));
        lines.extend(limits(&self.constraints));
        // A description says it better than a pattern does.
        if let (Some((_, shown)), None) = (&self.constraints.pattern, &self.description) {
            lines.push(format!("Has the form {shown}."));
        }
        lines.join("\n")
    }

    /// The allowed values; empty where there is no such list.
    pub fn allowed(&self) -> &[String] {
        self.constraints
            .allowed
            .as_ref()
            .map_or(&[], |allowed| &allowed.shown)
    }

    /// Two values that the field takes, as far as that can be known.
    pub fn examples(&self) -> [String; 2] {
        if let [first, rest @ ..] = self.allowed() {
            return [first.clone(), rest.first().unwrap_or(first).clone()];
        }
        let (one, two) = match &self.kind {
            FieldType::Any | FieldType::Text(TextFormat::Plain) => ("Example 1", "Example 2"),
            FieldType::Text(TextFormat::Email) => ("anna@example.com", "ben@example.com"),
            FieldType::Text(TextFormat::Uri) => ("https://example.com", "https://example.org"),
            FieldType::Text(TextFormat::Uuid) => (
                "6f1f5c1e-9d0a-4d6b-8a57-3f4e2a9b1c01",
                "6f1f5c1e-9d0a-4d6b-8a57-3f4e2a9b1c02",
            ),
            FieldType::Text(TextFormat::Binary) => ("QQ==", "Qg=="),
            FieldType::Number(_) => ("12", "13"),
            FieldType::Integer(_) => ("1", "2"),
            FieldType::Bool(words) => {
                let word = |meaning: bool| {
                    let mut known: Vec<&String> = words
                        .iter()
                        .filter(|(_, means)| **means == meaning)
                        .map(|(word, _)| word)
                        .collect();
                    known.sort();
                    known.pop().cloned().unwrap_or_default()
                };
                return [word(true), word(false)];
            }
            FieldType::Date(MomentForm::Default | MomentForm::Any(_)) => {
                ("2024-10-06", "2024-12-24")
            }
            FieldType::Time(MomentForm::Default | MomentForm::Any(_)) => ("09:30:00", "17:00:00"),
            FieldType::DateTime(MomentForm::Default | MomentForm::Any(_)) => {
                ("2024-10-06T09:30:00", "2024-12-24T17:00:00")
            }
            // How a pattern looks is not written backwards from it.
            FieldType::Date(_) | FieldType::Time(_) | FieldType::DateTime(_) => ("", ""),
            FieldType::Year => ("2023", "2024"),
            FieldType::YearMonth => ("2024-05", "2024-06"),
            FieldType::Duration => ("P1D", "PT36H"),
        };
        match &self.example {
            Some(example) => [example.clone(), two_of(example, two)],
            None => [one.to_owned(), two.to_owned()],
        }
    }
}

/// A second example beside one that the template gives.
fn two_of(example: &str, fallback: &str) -> String {
    if example.starts_with("http") {
        format!("{}-2", example.trim_end_matches('/'))
    } else if fallback.starts_with("Example") {
        example.to_owned()
    } else {
        fallback.to_owned()
    }
}

fn takes(kind: &FieldType) -> String {
    match kind {
        FieldType::Any => "text and numbers".to_owned(),
        FieldType::Text(TextFormat::Plain) => "text".to_owned(),
        FieldType::Text(TextFormat::Email) => "an e-mail address".to_owned(),
        FieldType::Text(TextFormat::Uri) => "a web address".to_owned(),
        FieldType::Text(TextFormat::Uuid) => "a UUID".to_owned(),
        FieldType::Text(TextFormat::Binary) => "base64".to_owned(),
        FieldType::Number(_) => "a number".to_owned(),
        FieldType::Integer(_) => "a whole number".to_owned(),
        FieldType::Bool(words) => {
            let mut words: Vec<&str> = words.keys().map(String::as_str).collect();
            words.sort_unstable();
            format!("one of: {}", words.join(", "))
        }
        FieldType::Date(_) => "a date".to_owned(),
        FieldType::Time(_) => "a time of day".to_owned(),
        FieldType::DateTime(_) => "a date and time".to_owned(),
        FieldType::Year => "a year".to_owned(),
        FieldType::YearMonth => "a month such as 2024-05".to_owned(),
        FieldType::Duration => "a duration such as P1DT12H".to_owned(),
    }
}

fn limits(rules: &Constraints) -> Vec<String> {
    let mut lines = Vec::new();
    if rules.unique {
        lines.push("No value may stand twice.".to_owned());
    }
    match (rules.length_min, rules.length_max) {
        (None, None) => {}
        (Some(least), None) => lines.push(format!("At least {}.", letters(least))),
        (None, Some(most)) => lines.push(format!("At most {}.", letters(most))),
        (Some(least), Some(most)) => lines.push(format!("{least} to {}.", letters(most))),
    }
    let range = super::messages::range(rules);
    if !range.is_empty() {
        lines.push(format!("Must be {range}."));
    }
    lines
}

#[cfg(test)]
mod tests {
    use crate::process::template::Template;

    #[test]
    fn the_examples_of_the_built_in_templates_are_valid() {
        for name in Template::built_in_names() {
            let schema = Template::built_in_schema(name).unwrap();
            for field in Template::parse(name, 0, schema).unwrap().fields {
                for example in field.examples() {
                    let value = field.kind.read_text(&example);
                    assert!(value.is_some(), "{} {example}", field.name);
                    field.constraints.check(value.as_ref(), |rule| {
                        panic!("{} {example} breaks {}", field.name, rule.as_str());
                    });
                }
            }
        }
    }
}
