//! What a template tells people of a field: a note in words, and values that show what is meant.

use super::constraints::Constraints;
use super::example;
use super::messages::letters;
use super::normalize;
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
        let unknown = self.examples(false)[0].is_empty();
        // A description says it better than a pattern does.
        if let Some((_, shown)) = &self.constraints.pattern
            && (unknown || self.description.is_none())
        {
            lines.push(match &self.constraints.form {
                Some(words) => format!("Must be {words}."),
                None => format!("Has the form {shown}."),
            });
        }
        if unknown {
            lines.push("The sample rows have no example of it: write your own.".to_owned());
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

    /// Two values that the field takes; empty where none is known. Where there is one only, it comes twice
    /// unless it must not; `differ`: two rows must not have the same.
    pub fn examples(&self, differ: bool) -> [String; 2] {
        let differ = differ || self.constraints.unique;
        let candidates = self.candidates(differ).into_iter();
        let mut fitting = candidates.filter(|text| self.fits(text));
        let first = fitting.next().unwrap_or_default();
        let second = match fitting.find(|second| *second != first) {
            Some(second) => second,
            None if differ => String::new(),
            None => first.clone(),
        };
        [first, second]
    }

    /// Whether the field takes this text.
    fn fits(&self, text: &str) -> bool {
        let text = normalize::apply(&self.normalize, text).0;
        if text.is_empty() || self.missing.iter().any(|missing| *missing == text) {
            return false;
        }
        let Some(value) = self.kind.read_text(&text) else {
            return false;
        };
        let mut fits = true;
        self.constraints.check(Some(&value), |_| fits = false);
        fits
    }

    /// What may do as an example, the best first.
    fn candidates(&self, differ: bool) -> Vec<String> {
        if !self.allowed().is_empty() {
            return self.allowed().to_vec();
        }
        let [one, two] = self.usual();
        let mut candidates = Vec::new();
        if let Some(example) = self.example.clone().filter(|example| self.fits(example)) {
            if example.starts_with("http") {
                candidates.push(format!("{}-2", example.trim_end_matches('/')));
            } else if !one.starts_with("Example") {
                candidates.push(two.clone());
            }
            candidates.insert(0, example);
            if !differ {
                return candidates;
            }
        }
        let rules = &self.constraints;
        let ends = [&rules.minimum, &rules.maximum];
        let ends = ends.into_iter().flatten().map(|bound| bound.shown.clone());
        candidates.extend([one, two].into_iter().chain(ends));
        // The short ones where a text must be short.
        candidates.extend(["A", "B"].map(str::to_owned));
        if let Some((_, pattern)) = &rules.pattern {
            let least = rules.length_min.and_then(|least| u32::try_from(least).ok());
            candidates.extend(example::texts(pattern, &[1, 0, 2, least.unwrap_or(8)]));
        }
        candidates
    }

    /// Two usual values of the type.
    fn usual(&self) -> [String; 2] {
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
            FieldType::Date(MomentForm::Pattern(pattern))
            | FieldType::Time(MomentForm::Pattern(pattern))
            | FieldType::DateTime(MomentForm::Pattern(pattern)) => {
                (pattern.example(), pattern.example())
            }
            FieldType::Date(MomentForm::Default | MomentForm::Any(_)) => {
                ("2024-10-06", "2024-12-24")
            }
            FieldType::Time(MomentForm::Default | MomentForm::Any(_)) => ("09:30:00", "17:00:00"),
            FieldType::DateTime(MomentForm::Default | MomentForm::Any(_)) => {
                ("2024-10-06T09:30:00", "2024-12-24T17:00:00")
            }
            FieldType::Year => ("2023", "2024"),
            FieldType::YearMonth => ("2024-05", "2024-06"),
            FieldType::Duration => ("P1D", "PT36H"),
        };
        [one.to_owned(), two.to_owned()]
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
    use crate::process::template::{Field, Template};

    fn field(json: &str) -> Field {
        let schema = format!("{{\"fields\":[{json}]}}");
        Template::parse("t", 1, &schema).unwrap().fields.remove(0)
    }

    #[test]
    fn an_example_is_a_value_that_the_field_takes_or_there_is_none() {
        for (json, examples) in [
            (
                r#"{"name":"a","type":"string","constraints":{"pattern":"[0-9]{5}"}}"#,
                ["11111", "22222"],
            ),
            (
                r#"{"name":"a","type":"string","example":"01067","constraints":{"pattern":"[0-9]{5}"}}"#,
                ["01067", "01067"],
            ),
            (
                r#"{"name":"a","type":"string","example":"1067","constraints":{"pattern":"[0-9]{5}"}}"#,
                ["11111", "22222"],
            ),
            (
                r#"{"name":"a","type":"string","constraints":{"pattern":"[A-Z]+-\\d*","minLength":6}}"#,
                ["AAAAAA-111111", "BBBBBB-222222"],
            ),
            (
                r#"{"name":"a","type":"string","constraints":{"pattern":"[0-9]{300}"}}"#,
                ["", ""],
            ),
            (
                r#"{"name":"a","type":"string","example":"x","constraints":{"unique":true}}"#,
                ["x", "Example 1"],
            ),
            (
                r#"{"name":"a","type":"string","constraints":{"unique":true,"enum":["x"]}}"#,
                ["x", ""],
            ),
            (
                r#"{"name":"a","type":"string","constraints":{"pattern":"[a-z]","enum":["A","b"]}}"#,
                ["b", "b"],
            ),
            (
                r#"{"name":"a","type":"string","constraints":{"maxLength":3}}"#,
                ["A", "B"],
            ),
            (
                r#"{"name":"a","type":"integer","constraints":{"minimum":100,"maximum":200}}"#,
                ["100", "200"],
            ),
            (
                r#"{"name":"a","type":"datetime","format":"%d.%m.%Y %H:%M"}"#,
                ["31.12.2024 14:30", "31.12.2024 14:30"],
            ),
            (
                r#"{"name":"a","type":"date","format":"%A, %d %B %y"}"#,
                ["Tuesday, 31 December 24", "Tuesday, 31 December 24"],
            ),
        ] {
            let field = field(json);
            assert_eq!(field.examples(false), examples, "{json}");
            assert_eq!(
                field.note().contains("have no example"),
                examples[0].is_empty(),
                "{json}"
            );
        }
    }

    #[test]
    fn the_examples_of_the_built_in_templates_are_valid() {
        for name in Template::built_in_names() {
            let schema = Template::built_in_schema(name).unwrap();
            for field in Template::parse(name, 0, schema).unwrap().fields {
                for example in field.examples(true) {
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
