//! A checked value: what a cell's text or number stands for under its field's type.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::decimal::Decimal;
use super::duration;
use super::moment::Moment;
use crate::record::write_text;

/// What a cell holds, read as its field's type says.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    Text(Cow<'a, str>),
    /// A number; `json` is its text where that is JSON already.
    Number {
        value: Decimal,
        json: Option<&'a str>,
    },
    NotFinite(NotFinite),
    Bool(bool),
    Date(Moment),
    Time(Moment),
    DateTime(Moment),
    Year(i64),
    /// Months since year 0.
    YearMonth(i64),
    Duration(Cow<'a, str>),
    /// A number of a field of type `any`, as it stands.
    Raw(&'a str),
}

/// Numbers that are no numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotFinite {
    Nan,
    Infinity,
    MinusInfinity,
}

impl NotFinite {
    /// As the standard writes them, in any letter case.
    pub fn parse(text: &str) -> Option<NotFinite> {
        let (sign, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        match rest.to_ascii_lowercase().as_str() {
            "nan" => Some(NotFinite::Nan),
            "inf" | "infinity" if sign => Some(NotFinite::MinusInfinity),
            "inf" | "infinity" => Some(NotFinite::Infinity),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            NotFinite::Nan => "NaN",
            NotFinite::Infinity => "INF",
            NotFinite::MinusInfinity => "-INF",
        }
    }
}

impl<'a> Value<'a> {
    /// How the value prints.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Value::Text(text) | Value::Duration(text) => Cow::Borrowed(text.as_ref()),
            Value::Number { value, .. } => Cow::Owned(value.to_json()),
            Value::NotFinite(which) => Cow::Borrowed(which.as_str()),
            Value::Bool(true) => Cow::Borrowed("true"),
            Value::Bool(false) => Cow::Borrowed("false"),
            Value::Date(moment) => Cow::Owned(moment.date_text()),
            Value::Time(moment) => Cow::Owned(moment.time_text()),
            Value::DateTime(moment) => Cow::Owned(moment.datetime_text()),
            Value::Year(year) => Cow::Owned(year.to_string()),
            Value::YearMonth(months) => {
                Cow::Owned(format!("{:04}-{:02}", months / 12, months % 12 + 1))
            }
            Value::Raw(json) => Cow::Borrowed(json),
        }
    }

    /// A text that is the same for all ways to write one value of a field: what keys and lists of
    /// allowed values compare.
    pub fn canonical(&self) -> Cow<'_, str> {
        match self {
            Value::Raw(json) => match Decimal::parse(json) {
                Some(decimal) => Cow::Owned(decimal.to_json()),
                None => Cow::Borrowed(json),
            },
            Value::Duration(text) => match duration::length(text) {
                Some((months, micros)) => Cow::Owned(format!("{months}M{micros}")),
                None => Cow::Borrowed(text.as_ref()),
            },
            Value::Time(moment) | Value::DateTime(moment) if moment.offset.is_some() => {
                Cow::Owned(format!("{}Z", moment.instant()))
            }
            Value::Text(_)
            | Value::Number { .. }
            | Value::NotFinite(_)
            | Value::Bool(_)
            | Value::Date(_)
            | Value::Time(_)
            | Value::DateTime(_)
            | Value::Year(_)
            | Value::YearMonth(_) => self.text(),
        }
    }

    /// Appends the value as JSON.
    pub fn write_json(&self, out: &mut String) {
        match self {
            Value::Number {
                json: Some(json), ..
            }
            | Value::Raw(json) => out.push_str(json),
            Value::Number { value, json: None } if value.fits_float() => {
                out.push_str(&value.to_json());
            }
            Value::Bool(_) | Value::Year(_) => out.push_str(&self.text()),
            Value::Text(_)
            | Value::Number { json: None, .. }
            | Value::NotFinite(_)
            | Value::Date(_)
            | Value::Time(_)
            | Value::DateTime(_)
            | Value::YearMonth(_)
            | Value::Duration(_) => write_text(out, &self.text()),
        }
    }

    /// Which of two values of one field is larger; `None` where that can't be said.
    pub fn compare(&self, other: &Value<'_>) -> Option<Ordering> {
        match (self, other) {
            (Value::Number { value: a, .. }, Value::Number { value: b, .. }) => Some(a.cmp(b)),
            (Value::NotFinite(NotFinite::Nan), _) | (_, Value::NotFinite(NotFinite::Nan)) => None,
            (Value::NotFinite(a), Value::NotFinite(b)) if a == b => Some(Ordering::Equal),
            (Value::NotFinite(NotFinite::Infinity), _)
            | (_, Value::NotFinite(NotFinite::MinusInfinity)) => Some(Ordering::Greater),
            (Value::NotFinite(NotFinite::MinusInfinity), _)
            | (_, Value::NotFinite(NotFinite::Infinity)) => Some(Ordering::Less),
            (Value::Date(a), Value::Date(b))
            | (Value::Time(a), Value::Time(b))
            | (Value::DateTime(a), Value::DateTime(b)) => Some(a.instant().cmp(&b.instant())),
            (Value::Year(a), Value::Year(b)) | (Value::YearMonth(a), Value::YearMonth(b)) => {
                Some(a.cmp(b))
            }
            (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// The value without what it borrows.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Value::Duration(text) => Value::Duration(Cow::Owned(text.into_owned())),
            Value::Number { value, .. } => Value::Number { value, json: None },
            Value::Raw(json) => match Decimal::parse(json) {
                Some(value) => Value::Number { value, json: None },
                None => Value::Text(Cow::Owned(json.to_owned())),
            },
            Value::NotFinite(which) => Value::NotFinite(which),
            Value::Bool(value) => Value::Bool(value),
            Value::Date(moment) => Value::Date(moment),
            Value::Time(moment) => Value::Time(moment),
            Value::DateTime(moment) => Value::DateTime(moment),
            Value::Year(year) => Value::Year(year),
            Value::YearMonth(months) => Value::YearMonth(months),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_prints_as_json_that_reads_back() {
        for text in [
            "",
            "a",
            "a\"b\\c",
            "\u{0}\u{1f}\n\r\t",
            "Ünï – 日本 🎉",
            "\u{7f}\u{2028}",
        ] {
            let mut out = String::new();
            write_text(&mut out, text);
            let back: String = serde_json::from_str(&out).unwrap();
            assert_eq!(back, text);
        }
    }

    #[test]
    fn infinities_are_at_the_ends_and_nan_is_nowhere() {
        let one = Value::Number {
            value: Decimal::parse("1").unwrap(),
            json: None,
        };
        let inf = Value::NotFinite(NotFinite::parse("INF").unwrap());
        let minus = Value::NotFinite(NotFinite::parse("-Infinity").unwrap());
        let nan = Value::NotFinite(NotFinite::parse("nan").unwrap());
        assert_eq!(one.compare(&inf), Some(Ordering::Less));
        assert_eq!(one.compare(&minus), Some(Ordering::Greater));
        assert_eq!(minus.compare(&inf), Some(Ordering::Less));
        assert_eq!(nan.compare(&one), None);
    }
}
