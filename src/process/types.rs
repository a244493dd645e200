//! The types of Table Schema: from a cell to a value, as Frictionless reads it.

use std::borrow::Cow;
use std::collections::HashMap;

use super::decimal::Decimal;
use super::duration;
use super::formats;
use super::guess;
use super::moment::{self, Moment};
use super::pattern::Pattern;
use super::value::{NotFinite, Value};
use crate::sheet::Cell;
use crate::words::DayOrder;

/// A field's type with all that belongs to it.
#[derive(Debug, Clone)]
pub enum FieldType {
    Any,
    Text(TextFormat),
    Number(NumberForm),
    Integer(NumberForm),
    /// What stands for true and for false.
    Bool(HashMap<String, bool>),
    Date(MomentForm),
    Time(MomentForm),
    DateTime(MomentForm),
    Year,
    YearMonth,
    Duration,
}

/// The `format` of a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextFormat {
    Plain,
    Email,
    Uri,
    Uuid,
    Binary,
}

/// Digits of a year with a month.
const YEAR_DIGITS_MAX: usize = 12;

/// How numbers are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberForm {
    /// The text between whole and fraction; `.` as a rule.
    pub decimal: String,
    /// The text between groups of digits; empty where there are none.
    pub group: String,
    /// Whether the number stands alone; otherwise `$` or `pcs` may stand beside it.
    pub bare: bool,
}

impl Default for NumberForm {
    fn default() -> NumberForm {
        NumberForm {
            decimal: ".".to_owned(),
            group: String::new(),
            bare: true,
        }
    }
}

/// How dates or times are written.
#[derive(Debug, Clone)]
pub enum MomentForm {
    /// As ISO 8601 has it.
    Default,
    /// In any of the usual forms; `None`: only in those that can be read in one way.
    Any(Option<DayOrder>),
    /// As a strptime pattern says.
    Pattern(Pattern),
}

impl FieldType {
    /// Whether it takes text alone.
    pub fn is_text(&self) -> bool {
        matches!(self, FieldType::Text(_))
    }

    /// The type's name in Table Schema.
    pub fn name(&self) -> &'static str {
        match self {
            FieldType::Any => "any",
            FieldType::Text(_) => "string",
            FieldType::Number(_) => "number",
            FieldType::Integer(_) => "integer",
            FieldType::Bool(_) => "boolean",
            FieldType::Date(_) => "date",
            FieldType::Time(_) => "time",
            FieldType::DateTime(_) => "datetime",
            FieldType::Year => "year",
            FieldType::YearMonth => "yearmonth",
            FieldType::Duration => "duration",
        }
    }

    /// The order of day and month, where it has to be found out.
    pub fn day_order_mut(&mut self) -> Option<&mut Option<DayOrder>> {
        match self {
            FieldType::Date(MomentForm::Any(order))
            | FieldType::DateTime(MomentForm::Any(order)) => Some(order),
            FieldType::Any
            | FieldType::Text(_)
            | FieldType::Number(_)
            | FieldType::Integer(_)
            | FieldType::Bool(_)
            | FieldType::Date(_)
            | FieldType::Time(_)
            | FieldType::DateTime(_)
            | FieldType::Year
            | FieldType::YearMonth
            | FieldType::Duration => None,
        }
    }

    /// Reads text. `None`: it is no value of this type.
    pub fn read_text<'a>(&self, text: &'a str) -> Option<Value<'a>> {
        match self {
            FieldType::Any => Some(Value::Text(Cow::Borrowed(text))),
            FieldType::Text(format) => {
                let fine = match format {
                    TextFormat::Plain => true,
                    TextFormat::Email => formats::is_email(text),
                    TextFormat::Uri => formats::is_uri(text),
                    TextFormat::Uuid => formats::is_uuid(text),
                    TextFormat::Binary => formats::is_base64(text),
                };
                fine.then_some(Value::Text(Cow::Borrowed(text)))
            }
            FieldType::Number(form) => number(form, text),
            FieldType::Integer(form) => integer(form, text),
            FieldType::Bool(words) => words.get(text).copied().map(Value::Bool),
            FieldType::Date(form) => {
                let moment = match form {
                    MomentForm::Default => moment::parse_date(text),
                    MomentForm::Any(order) => guess::guess(text, *order),
                    MomentForm::Pattern(pattern) => pattern.read(text),
                };
                moment.map(Value::Date)
            }
            FieldType::Time(form) => {
                let moment = match form {
                    MomentForm::Default => moment::parse_time(text),
                    MomentForm::Any(order) => {
                        guess::guess_time(text).or_else(|| guess::guess(text, *order))
                    }
                    MomentForm::Pattern(pattern) => pattern.read(text),
                };
                moment.map(|moment| Value::Time(moment.time_of_day()))
            }
            FieldType::DateTime(form) => {
                let moment = match form {
                    MomentForm::Default => moment::parse_datetime(text),
                    MomentForm::Any(order) => guess::guess(text, *order),
                    MomentForm::Pattern(pattern) => pattern.read(text),
                };
                moment.map(Value::DateTime)
            }
            FieldType::Year => match text.len() {
                4 if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                    text.parse().ok().map(Value::Year)
                }
                _ => None,
            },
            FieldType::YearMonth => year_month(text),
            FieldType::Duration => {
                let length = duration::length(text);
                length.map(|_| Value::Duration(Cow::Borrowed(text)))
            }
        }
    }

    /// Reads text of a record, which is written in the default form whatever form the file's has.
    pub fn read_stored<'a>(&self, text: &'a str) -> Value<'a> {
        let read = match self {
            FieldType::Date(_) => moment::parse_date(text).map(Value::Date),
            FieldType::Time(_) => moment::parse_time(text).map(Value::Time),
            FieldType::DateTime(_) => moment::parse_datetime(text).map(Value::DateTime),
            FieldType::YearMonth => year_month(text),
            FieldType::Duration => Some(Value::Duration(Cow::Borrowed(text))),
            FieldType::Any
            | FieldType::Text(_)
            | FieldType::Number(_)
            | FieldType::Integer(_)
            | FieldType::Bool(_)
            | FieldType::Year => None,
        };
        read.unwrap_or(Value::Text(Cow::Borrowed(text)))
    }

    /// Reads a cell that a workbook holds; a number of a text file counts as its text.
    pub fn read<'a>(&self, cell: &'a Cell<'a>, workbook: bool) -> Option<Value<'a>> {
        match cell {
            Cell::Text(text) => self.read_text(text),
            Cell::Number(json) if !workbook && !self.is_any() => self.read_text(json),
            Cell::Bool(value) if !workbook => self.read_text(if *value { "true" } else { "false" }),
            Cell::Number(json) => self.read_number(json),
            Cell::Bool(value) => {
                let takes = self.is_any() || matches!(self, FieldType::Bool(_));
                takes.then_some(Value::Bool(*value))
            }
            Cell::Date(text) => self.read_day(&moment::parse_date(text)?),
            Cell::DateTime(text) => self.read_day(&moment::parse_datetime(text)?),
            Cell::Time(text) | Cell::Duration(text) if self.is_any() => {
                Some(Value::Text(Cow::Borrowed(text)))
            }
            Cell::Time(text) => {
                let takes = matches!(self, FieldType::Time(_));
                takes.then(|| moment::parse_time(text).map(|at| Value::Time(at.time_of_day())))?
            }
            Cell::Duration(text) => {
                let takes = matches!(self, FieldType::Duration);
                takes.then_some(Value::Duration(Cow::Borrowed(text)))
            }
            Cell::Empty | Cell::Error => None,
        }
    }

    fn is_any(&self) -> bool {
        matches!(self, FieldType::Any)
    }

    /// A number of a workbook.
    fn read_number<'a>(&self, json: &'a str) -> Option<Value<'a>> {
        match self {
            FieldType::Any => Some(Value::Raw(json)),
            FieldType::Text(_) => self.read_text(json),
            FieldType::Number(_) => Some(Value::Number {
                value: Decimal::parse(json)?,
                json: Some(json),
            }),
            FieldType::Integer(_) => {
                let value = Decimal::parse(json)?;
                value.is_integer().then_some(Value::Number {
                    value,
                    json: Some(json),
                })
            }
            FieldType::Year => match json.parse() {
                Ok(year @ 0..=9999) => Some(Value::Year(year)),
                _ => None,
            },
            FieldType::Bool(words) => words.get(json).copied().map(Value::Bool),
            FieldType::Date(_)
            | FieldType::Time(_)
            | FieldType::DateTime(_)
            | FieldType::YearMonth
            | FieldType::Duration => None,
        }
    }

    /// A date or date-time of a workbook.
    fn read_day<'a>(&self, moment: &Moment) -> Option<Value<'a>> {
        match self {
            FieldType::Date(_) if moment.is_midnight() => Some(Value::Date(*moment)),
            FieldType::DateTime(_) => Some(Value::DateTime(*moment)),
            FieldType::Any if moment.is_midnight() => {
                Some(Value::Text(Cow::Owned(moment.date_text())))
            }
            FieldType::Any => Some(Value::Text(Cow::Owned(moment.datetime_text()))),
            FieldType::Date(_)
            | FieldType::Text(_)
            | FieldType::Number(_)
            | FieldType::Integer(_)
            | FieldType::Bool(_)
            | FieldType::Time(_)
            | FieldType::Year
            | FieldType::YearMonth
            | FieldType::Duration => None,
        }
    }
}

/// Takes away what stands beside a number that isn't bare: `$12.- pcs`.
fn bared(text: &str) -> &str {
    let from = text
        .find(|c: char| c == '-' || c.is_ascii_digit())
        .unwrap_or(text.len());
    let rest = &text[from..];
    let to = rest
        .rfind(|c: char| c.is_ascii_digit())
        .map_or(0, |at| at + 1);
    &rest[..to]
}

fn number<'a>(form: &NumberForm, text: &'a str) -> Option<Value<'a>> {
    let text = text.trim();
    let text = if form.bare { text } else { bared(text) };
    let plain = form.group.is_empty() && form.decimal == ".";
    let (value, json) = if plain {
        (Decimal::parse(text), is_json_number(text).then_some(text))
    } else {
        let mut digits = Cow::Borrowed(text);
        if !form.group.is_empty() {
            digits = Cow::Owned(digits.replace(form.group.as_str(), ""));
        }
        if form.decimal != "." {
            if digits.contains('.') {
                return None;
            }
            digits = Cow::Owned(digits.replace(form.decimal.as_str(), "."));
        }
        (Decimal::parse(&digits), None)
    };
    match value {
        Some(value) => {
            let json = json.filter(|_| value.fits_float());
            Some(Value::Number { value, json })
        }
        None => NotFinite::parse(text).map(Value::NotFinite),
    }
}

fn integer<'a>(form: &NumberForm, text: &'a str) -> Option<Value<'a>> {
    let text = text.trim();
    let text = if form.bare { text } else { bared(text) };
    let digits = if form.group.is_empty() {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.replace(form.group.as_str(), ""))
    };
    let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(&digits);
    if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value = Decimal::parse(&digits)?;
    let json = match digits {
        Cow::Borrowed(text) if is_json_number(text) && value.fits_float() => Some(text),
        Cow::Borrowed(_) | Cow::Owned(_) => None,
    };
    Some(Value::Number { value, json })
}

/// Whether a number's text is JSON as it stands (RFC 8259) and no negative zero.
fn is_json_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let digits = unsigned.iter().take_while(|b| b.is_ascii_digit()).count();
    let leading = digits > 1 && unsigned.first() == Some(&b'0');
    let fraction = match unsigned.get(digits) {
        None => text != "-0",
        Some(b'.') => unsigned.get(digits + 1).is_some_and(u8::is_ascii_digit),
        Some(_) => false,
    };
    let plain = unsigned.iter().all(|b| b.is_ascii_digit() || *b == b'.');
    digits > 0 && !leading && fraction && plain
}

/// XML Schema's gYearMonth: a year of four digits, or of more where the first is no zero; white
/// space around it means nothing. A month of one digit is taken, too.
fn year_month<'a>(text: &str) -> Option<Value<'a>> {
    let (year, month) = text.trim().split_once('-')?;
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let is_year = match year.len() {
        4 => true,
        5..=YEAR_DIGITS_MAX => !year.starts_with('0'),
        _ => false,
    };
    if !is_year || !(1..=2).contains(&month.len()) || !plain(year) || !plain(month) {
        return None;
    }
    let year: i64 = year.parse().ok()?;
    match month.parse::<i64>() {
        Ok(month @ 1..=12) => Some(Value::YearMonth(year * 12 + month - 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(kind: &FieldType, text: &str) -> Option<String> {
        kind.read_text(text).map(|value| {
            let mut json = String::new();
            value.write_json(&mut json);
            json
        })
    }

    #[test]
    fn numbers_are_read_in_their_written_form() {
        let german = FieldType::Number(NumberForm {
            decimal: ",".to_owned(),
            group: ".".to_owned(),
            bare: false,
        });
        for (text, json) in [
            ("1.250,75", Some("1250.75")),
            ("12,50 €", Some("12.50")),
            ("EUR -3", Some("-3")),
            ("007", Some("7")),
            ("about", None),
        ] {
            let wanted = json.map(|json| Decimal::parse(json).unwrap().to_json());
            assert_eq!(shown(&german, text), wanted, "{text}");
        }
        let plain = FieldType::Number(NumberForm::default());
        assert_eq!(shown(&plain, " 5 ").as_deref(), Some("5"));
        assert_eq!(shown(&plain, "1.50").as_deref(), Some("1.50"));
        assert_eq!(shown(&plain, "nan").as_deref(), Some("\"NaN\""));
        // Valid JSON that hardly any program reads is written as text.
        assert_eq!(shown(&plain, "1e400").as_deref(), Some("\"1e400\""));
        let long = "9".repeat(400);
        assert!(shown(&plain, &long).unwrap().starts_with('"'));
        for text in ["12,5", "ten", "", "1_000", "0x10", "1 000"] {
            assert_eq!(shown(&plain, text), None, "{text}");
        }
    }

    #[test]
    fn whole_numbers_have_no_point() {
        let kind = FieldType::Integer(NumberForm::default());
        assert_eq!(shown(&kind, "0010").as_deref(), Some("10"));
        assert_eq!(shown(&kind, "-0").as_deref(), Some("0"));
        assert_eq!(shown(&kind, "8.5"), None);
        assert_eq!(shown(&kind, "1.0"), None);
        let cell = Cell::Number("2.5");
        assert_eq!(kind.read(&cell, true), None);
        assert!(kind.read(&Cell::Number("2"), true).is_some());
    }

    #[test]
    fn typed_cells_are_held_to_their_type() {
        let date = FieldType::Date(MomentForm::Default);
        let midnight = Cell::DateTime("2024-05-01T00:00:00".into());
        let later = Cell::DateTime("2024-05-01T10:30:00".into());
        assert!(date.read(&midnight, true).is_some());
        assert!(date.read(&later, true).is_none());
        assert!(date.read(&Cell::Number("45000"), true).is_none());
        let at = FieldType::DateTime(MomentForm::Default);
        assert!(at.read(&Cell::Date("2024-05-01".into()), true).is_some());
        let yes_or_no = |words: [&str; 2]| {
            FieldType::Bool(HashMap::from([
                (words[0].to_owned(), true),
                (words[1].to_owned(), false),
            ]))
        };
        let flag = yes_or_no(["1", "0"]);
        for (cell, value) in [
            (Cell::Bool(true), Some(true)),
            (Cell::Number("1"), Some(true)),
            (Cell::Number("0"), Some(false)),
            (Cell::Number("2"), None),
            (Cell::Number("1.5"), None),
        ] {
            assert_eq!(flag.read(&cell, true), value.map(Value::Bool), "{cell:?}");
        }
        let said = yes_or_no(["ja", "nein"]);
        assert_eq!(
            said.read(&Cell::Bool(false), true),
            Some(Value::Bool(false))
        );
        assert_eq!(said.read(&Cell::Number("1"), true), None);
        let number = FieldType::Number(NumberForm::default());
        assert!(number.read(&Cell::Bool(true), true).is_none());
        let text = FieldType::Text(TextFormat::Plain);
        assert!(text.read(&Cell::Date("2024-05-01".into()), true).is_none());
        assert!(text.read(&Cell::Number("1848"), true).is_some());
    }

    #[test]
    fn years_and_months_have_their_digits() {
        assert_eq!(shown(&FieldType::Year, "1990").as_deref(), Some("1990"));
        for text in ["24", "12345", "soon", "-123"] {
            assert_eq!(shown(&FieldType::Year, text), None);
        }
        assert_eq!(
            shown(&FieldType::YearMonth, "2024-05").as_deref(),
            Some("\"2024-05\"")
        );
        for (text, json) in [
            ("2024-5", "\"2024-05\""),
            (" 2024-05\t", "\"2024-05\""),
            ("0024-01", "\"0024-01\""),
            ("10000-01", "\"10000-01\""),
        ] {
            assert_eq!(shown(&FieldType::YearMonth, text).as_deref(), Some(json));
        }
        for text in [
            "2024-13",
            "2024",
            "May 2024",
            "2024-00",
            "2024-05-01",
            "24-01",
            "02024-01",
            "2024-012",
            "2024 - 1",
            "9999999999999-01",
        ] {
            assert_eq!(shown(&FieldType::YearMonth, text), None, "{text}");
        }
    }
}
