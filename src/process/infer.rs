//! A template made from a file itself (`auto`): a column is of a type where all its values are,
//! and text as soon as one is not (anything, where a spreadsheet has dates or truth values among
//! texts). Nothing is outvoted.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value as Json, json};

use super::moment;
use super::template::{AUTO, NAME_CHARS_MAX, Template};
use crate::error::Result;
use crate::sheet::{Cell, Column, Row};

/// Digits that a float keeps; longer numbers are identifiers.
const DIGITS_MAX: usize = 15;

/// Looks at the rows of a sheet.
pub struct Inference {
    columns: Vec<Seen>,
}

struct Seen {
    column: Column,
    guess: Guess,
    /// Whether there were dates, times or truth values of a spreadsheet, which are no text.
    typed: bool,
}

/// What all values of a column so far have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guess {
    Nothing,
    Integer,
    Number,
    Bool,
    Date,
    /// A date written as text, which is no date and time as it stands.
    WrittenDate,
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
            (Guess::Date, Guess::WrittenDate) | (Guess::WrittenDate, Guess::Date) => {
                Guess::WrittenDate
            }
            (Guess::Date, Guess::DateTime) | (Guess::DateTime, Guess::Date) => Guess::DateTime,
            _ => Guess::Text,
        }
    }

    fn name(self, typed: bool) -> &'static str {
        match self {
            Guess::Text if !typed => "string",
            Guess::Nothing | Guess::Text => "any",
            Guess::Integer => "integer",
            Guess::Number => "number",
            Guess::Bool => "boolean",
            Guess::Date | Guess::WrittenDate => "date",
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
        Guess::WrittenDate
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
                .map(|column| Seen {
                    column: column.clone(),
                    guess: Guess::Nothing,
                    typed: false,
                })
                .collect(),
        }
    }

    /// # Errors
    /// `Internal` where the row is damaged.
    pub fn observe(&mut self, row: &Row) -> Result<()> {
        let cells = row.values()?;
        for seen in &mut self.columns {
            let cell = cells.get(seen.column.index).unwrap_or(&Cell::Empty);
            if seen.guess != Guess::Text {
                seen.guess = seen.guess.and(Guess::of(cell));
            }
            seen.typed |= match cell {
                Cell::Empty | Cell::Error | Cell::Number(_) | Cell::Text(_) => false,
                Cell::Bool(_)
                | Cell::Date(_)
                | Cell::DateTime(_)
                | Cell::Time(_)
                | Cell::Duration(_) => true,
            };
        }
        Ok(())
    }

    /// The template that all rows seen keep to: a field for each column, in their order.
    ///
    /// # Errors
    /// As [`Template::parse`], which here is our own mistake.
    pub fn template(self) -> Result<Template> {
        let mut names = Taken::default();
        let mut titles = HashSet::new();
        let fields: Vec<Json> = self
            .columns
            .into_iter()
            .map(|seen| {
                let (column, kind) = (seen.column, seen.guess.name(seen.typed));
                let mut field = Map::new();
                field.insert("name".to_owned(), json!(names.free(&column.name)));
                // A title belongs to one field, whatever its case; another one goes by its name.
                let is_free = |label: &String| {
                    label.chars().count() <= NAME_CHARS_MAX
                        && titles.insert(label.trim().to_lowercase())
                };
                if let Some(label) = column.label.filter(is_free) {
                    field.insert("title".to_owned(), json!(label));
                }
                field.insert("type".to_owned(), json!(kind));
                Json::Object(field)
            })
            .collect();
        Template::parse(AUTO, 0, &json!({ "fields": fields }).to_string())
    }
}

/// Names that a template has already, which has no long ones, with the number that the last one made of
/// each has.
#[derive(Default)]
struct Taken(HashMap<String, u32>);

impl Taken {
    /// The name, or one like it that nobody has.
    fn free(&mut self, name: &str) -> String {
        let first = cut(name, NAME_CHARS_MAX);
        let mut number = self.0.get(&first).copied().unwrap_or(1);
        let mut free = first.clone();
        while self.0.contains_key(&free) {
            number += 1;
            let end = format!("_{number}");
            free = cut(name, NAME_CHARS_MAX - end.len()) + &end;
        }
        self.0.insert(free.clone(), 1);
        self.0.insert(first, number);
        free
    }
}

fn cut(name: &str, chars_max: usize) -> String {
    name.chars().take(chars_max).collect()
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
                "integer", "number", "string", "string", "boolean", "string", "datetime", "string"
            ]
        );
    }

    #[test]
    fn a_written_date_beside_times_is_text_and_one_of_a_spreadsheet_a_time_too() {
        let kinds = |cells: [&str; 2], kinds: [Option<&str>; 2]| {
            let column = Column {
                index: 0,
                name: "c".to_owned(),
                label: None,
            };
            let mut inference = Inference::new(&[column]);
            for (text, kinds) in cells.iter().zip(kinds) {
                inference
                    .observe(&Row {
                        number: 2,
                        cells: format!(r#"["{text}"]"#),
                        kinds: kinds.map(str::to_owned),
                        width: None,
                    })
                    .unwrap();
            }
            inference.template().unwrap().fields[0].kind.name()
        };
        let cells = ["1999-12-31", "2024-01-02T10:00:00"];
        assert_eq!(kinds(cells, [None, None]), "string");
        assert_eq!(kinds(cells, [Some("d"), Some("D")]), "datetime");
        assert_eq!(kinds(cells, [None, Some("D")]), "any");
        assert_eq!(
            kinds(["1999-12-31", "2000-01-01"], [None, Some("d")]),
            "date"
        );
    }

    #[test]
    fn headers_that_are_alike_or_long_make_fields_of_their_own() {
        let long = "x".repeat(300);
        let labels = ["Tel", "tel ", "ID", &long, &format!("{long}y"), "Tel_2"];
        let columns: Vec<Column> = labels
            .iter()
            .enumerate()
            .map(|(index, label)| Column {
                index,
                name: (*label).to_owned(),
                label: Some((*label).to_owned()),
            })
            .collect();
        let template = Inference::new(&columns).template().unwrap();
        let names: Vec<&str> = template.fields.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names[..3], ["Tel", "tel ", "ID"]);
        let titles: Vec<bool> = template.fields.iter().map(|f| f.title.is_some()).collect();
        assert_eq!(titles, [true, false, true, false, false, true]);
        assert_eq!((names[3].len(), &names[4][253..]), (255, "_2"));
        assert_eq!(names[5], "Tel_2");
    }

    #[test]
    fn a_column_of_texts_and_typed_cells_takes_anything() {
        let columns = [Column {
            index: 0,
            name: "c".to_owned(),
            label: None,
        }];
        let mut inference = Inference::new(&columns);
        for (cells, kinds) in [(r#"["a"]"#, None), (r#"["2024-01-02"]"#, Some("d"))] {
            let row = Row {
                number: 2,
                cells: cells.to_owned(),
                kinds: kinds.map(str::to_owned),
                width: None,
            };
            inference.observe(&row).unwrap();
        }
        assert_eq!(inference.template().unwrap().fields[0].kind.name(), "any");
    }
}
