//! A template made from a file itself (`auto`): a column is of a type where all its values are,
//! and text as soon as one is not. Nothing is outvoted.

use serde_json::{Map, Value as Json, json};

use super::moment;
use super::template::Template;
use crate::error::Result;
use crate::sheet::{Cell, Column, Row};

/// Digits that a float keeps; longer numbers are identifiers.
const DIGITS_MAX: usize = 15;

/// Looks at the rows of a sheet.
pub struct Inference {
    columns: Vec<(Column, Guess)>,
}

/// What all values of a column so far have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guess {
    Nothing,
    Integer,
    Number,
    Bool,
    Date,
    DateTime,
    Time,
    Text,
}

impl Guess {
    fn of(cell: &Cell<'_>) -> Guess {
        match cell {
            Cell::Empty | Cell::Error => Guess::Nothing,
            Cell::Number(json) => number(json),
            Cell::Bool(_) => Guess::Bool,
            Cell::Date(_) => Guess::Date,
            Cell::DateTime(_) => Guess::DateTime,
            Cell::Time(_) => Guess::Time,
            Cell::Duration(_) => Guess::Text,
            Cell::Text(text) => of_text(text),
        }
    }

    fn and(self, other: Guess) -> Guess {
        match (self, other) {
            (a, b) if a == b => a,
            (Guess::Nothing, guess) | (guess, Guess::Nothing) => guess,
            (Guess::Integer, Guess::Number) | (Guess::Number, Guess::Integer) => Guess::Number,
            (Guess::Date, Guess::DateTime) | (Guess::DateTime, Guess::Date) => Guess::DateTime,
            _ => Guess::Text,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Guess::Nothing | Guess::Text => "any",
            Guess::Integer => "integer",
            Guess::Number => "number",
            Guess::Bool => "boolean",
            Guess::Date => "date",
            Guess::DateTime => "datetime",
            Guess::Time => "time",
        }
    }
}

fn number(json: &str) -> Guess {
    let digits = json.bytes().filter(u8::is_ascii_digit).count();
    if digits > DIGITS_MAX {
        Guess::Text
    } else if json
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'-')
    {
        Guess::Integer
    } else {
        Guess::Number
    }
}

fn of_text(text: &str) -> Guess {
    if text.is_empty() {
        return Guess::Nothing;
    }
    let whole_date = text.len() == 10;
    if whole_date && moment::parse_date(text).is_some() {
        Guess::Date
    } else if text.as_bytes().get(10) == Some(&b'T') && moment::parse_datetime(text).is_some() {
        Guess::DateTime
    } else if text == "true" || text == "false" {
        Guess::Bool
    } else {
        Guess::Text
    }
}

impl Inference {
    pub fn new(columns: &[Column]) -> Inference {
        Inference {
            columns: columns
                .iter()
                .map(|column| (column.clone(), Guess::Nothing))
                .collect(),
        }
    }

    /// # Errors
    /// `Internal` where the row is damaged.
    pub fn observe(&mut self, row: &Row) -> Result<()> {
        let cells = row.values()?;
        for (column, guess) in &mut self.columns {
            if *guess != Guess::Text {
                let cell = cells.get(column.index).unwrap_or(&Cell::Empty);
                *guess = guess.and(Guess::of(cell));
            }
        }
        Ok(())
    }

    /// The template that all rows seen keep to.
    ///
    /// # Errors
    /// As [`Template::parse`], which here is our own mistake.
    pub fn template(self) -> Result<Template> {
        let fields: Vec<Json> = self
            .columns
            .into_iter()
            .map(|(column, guess)| {
                let mut field = Map::new();
                field.insert("name".to_owned(), json!(column.name));
                if let Some(label) = column.label.filter(|label| label.chars().count() <= 255) {
                    field.insert("title".to_owned(), json!(label));
                }
                field.insert("type".to_owned(), json!(guess.name()));
                Json::Object(field)
            })
            .collect();
        Template::parse("auto", 0, &json!({ "fields": fields }).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inferred(rows: &[&str]) -> Vec<&'static str> {
        let columns: Vec<Column> = (0..8)
            .map(|index| Column {
                index,
                name: format!("c{index}"),
                label: Some(format!("c{index}")),
            })
            .collect();
        let mut inference = Inference::new(&columns);
        for cells in rows {
            inference
                .observe(&Row {
                    number: 2,
                    cells: (*cells).to_owned(),
                    kinds: None,
                    width: None,
                })
                .unwrap();
        }
        let template = inference.template().unwrap();
        template
            .fields
            .iter()
            .map(|field| field.kind.name())
            .collect()
    }

    #[test]
    fn one_value_that_is_no_number_makes_a_column_text() {
        assert_eq!(
            inferred(&[
                r#"[1,1.5,"007","2024-01-02","true",1,"2024-01-02T10:00:00",1234567890123456]"#,
                r#"[2,3,8,"2024-02-30","false","0164A",null,5]"#,
            ]),
            vec![
                "integer", "number", "any", "any", "boolean", "any", "datetime", "any"
            ]
        );
    }
}
