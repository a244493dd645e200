//! What is wrong with a cell, in a sentence for the person who has the spreadsheet open.

use super::constraints::{Bound, Constraints, Rule};
use super::guess::{self, Told};
use super::moment::{Moment, SECOND};
use super::template::Field;
use super::types::{FieldType, MomentForm, NumberForm, TextFormat};
use super::value::Value;
use crate::sheet::Cell;
use crate::words::DayOrder;

/// Letters of a value that are shown.
pub const SHOWN_CHARS_MAX: usize = 200;
/// Allowed values that are listed.
const LISTED_MAX: usize = 12;
/// How alike a value must be to an allowed one to be taken for it.
const MEANT_LEAST: f64 = 0.85;

/// The first letters of a text, with … where it was cut.
pub fn cut(text: &str, chars_max: usize) -> String {
    // No text has more letters than bytes.
    if text.len() <= chars_max {
        return text.to_owned();
    }
    match text.char_indices().nth(chars_max) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", &text[..at]),
    }
}

fn found(text: &str) -> String {
    format!("found '{}'", cut(text, 60))
}

/// A cell that is no value of its field's type.
pub fn wrong_type(field: &Field, cell: &Cell<'_>, text: &str) -> String {
    if matches!(cell, Cell::Error) {
        return "The spreadsheet shows an error here (such as #N/A).".to_owned();
    }
    let found = found(text);
    let short = cut(text, 60);
    match &field.kind {
        FieldType::Text(TextFormat::Email) if text.matches('@').count() != 1 => {
            "An e-mail address has one @.".to_owned()
        }
        FieldType::Text(TextFormat::Email) => format!("'{short}' is not an e-mail address."),
        FieldType::Text(TextFormat::Uri) => {
            format!("'{short}' is not a web address. One begins with https://.")
        }
        FieldType::Text(TextFormat::Uuid) => format!("'{short}' is not a UUID."),
        FieldType::Text(TextFormat::Binary) => "Must be base64.".to_owned(),
        FieldType::Text(TextFormat::Plain) => format!("Must be text; {found}."),
        FieldType::Number(form) => format!("Must be a number{}; {found}.", marks(form)),
        FieldType::Integer(_) => format!("Must be a whole number; {found}."),
        FieldType::Bool(words) => {
            let mut words: Vec<&str> = words.keys().map(String::as_str).collect();
            words.sort_unstable();
            words.truncate(LISTED_MAX);
            format!("Must be one of: {}; {found}.", words.join(", "))
        }
        FieldType::Date(form) => not_a_moment("date", "2024-10-31", form, cell, text),
        FieldType::DateTime(form) => {
            not_a_moment("date and time", "2024-10-31T09:30:00", form, cell, text)
        }
        FieldType::Time(form) => not_a_moment("time of day", "09:30:00", form, cell, text),
        FieldType::Year => format!("Must be a year such as 2024; {found}."),
        FieldType::YearMonth => format!("Must be a month such as 2024-05; {found}."),
        FieldType::Duration => format!("Must be a duration such as P1DT12H; {found}."),
        FieldType::Any => format!("This can't be used; {found}."),
    }
}

/// How numbers are written where that is not the usual form: ` with , before the decimals`.
fn marks(form: &NumberForm) -> String {
    let shown = |mark: &str| match mark {
        " " | "\u{a0}" | "\u{202f}" => "a space".to_owned(),
        other => other.to_owned(),
    };
    let mut marks = Vec::new();
    if form.decimal != "." {
        marks.push(format!("{} before the decimals", shown(&form.decimal)));
    }
    if !form.group.is_empty() {
        marks.push(format!("{} between thousands", shown(&form.group)));
    }
    match marks.as_slice() {
        [] => String::new(),
        marks => format!(" with {}", marks.join(" and ")),
    }
}

/// The date that a text means in one of the two orders.
fn day(text: &str, order: DayOrder) -> Option<String> {
    guess::guess(text, Some(order)).map(|moment| moment.date_text())
}

fn not_a_moment(
    what: &str,
    example: &str,
    form: &MomentForm,
    cell: &Cell<'_>,
    text: &str,
) -> String {
    if let Cell::Number(json) = cell
        && let Some(meant) = serial_moment(what, json)
    {
        return format!(
            "{} is a number, not a {what}. As a spreadsheet's day count it is {meant}; format the cell as a {what}.",
            cut(text, 60)
        );
    }
    let short = cut(text, 60);
    match form {
        // What is written in that form already is no such day or time.
        MomentForm::Default if shape(text) == shape(example) => format!("{short} is not a {what}."),
        MomentForm::Default => format!("{short} is not a {what}. Write it as {example}."),
        MomentForm::Any(None) if guess::order_of(text) == Some(Told::Either) => {
            match (
                day(text, DayOrder::DayFirst),
                day(text, DayOrder::MonthFirst),
            ) {
                (Some(one), Some(two)) => format!(
                    "{short} could be {one} or {two}, and no other date in this column tells which. Choose whether day or month comes first, and process the file again."
                ),
                _ => format!("{short} is not a {what}."),
            }
        }
        MomentForm::Pattern(pattern) if !pattern.has_form(text) => format!(
            "{short} is not a {what} in the form of this field; write it as in {}.",
            pattern.example()
        ),
        MomentForm::Any(_) | MomentForm::Pattern(_) => format!("{short} is not a {what}."),
    }
}

/// Text with every digit alike.
fn shape(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect()
}

/// What a spreadsheet's day count means where a date, a date and time or a time of day is wanted.
fn serial_moment(what: &str, json: &str) -> Option<String> {
    let days: f64 = json.parse().ok()?;
    let time = || {
        #[expect(clippy::cast_possible_truncation, reason = "seconds of a day")]
        let seconds = (days.fract() * 86_400.0).round() as i64;
        let moment = Moment {
            day: 0,
            micros: seconds * SECOND,
            offset: None,
        };
        (0..86_400).contains(&seconds).then(|| moment.time_text())
    };
    match what {
        "date" => serial_date(json),
        "time of day" => time().filter(|_| days.fract() != 0.0 && (0.0..1.0).contains(&days)),
        _ => Some(format!("{}T{}", serial_date(json)?, time()?)),
    }
}

/// The date that a spreadsheet's day count means, for the days that an office writes.
pub fn serial_date(json: &str) -> Option<String> {
    let days: f64 = json.parse().ok()?;
    if !(20_000.0..60_000.0).contains(&days) {
        return None;
    }
    // Day 0 is 1899-12-30, Julian day 2,415,019.
    #[expect(clippy::cast_possible_truncation, reason = "below 60,000")]
    let day = days.floor() as i32 + 2_415_019;
    Some(
        Moment {
            day,
            micros: 0,
            offset: None,
        }
        .date_text(),
    )
}

/// `1 letter`, `2 letters`.
pub(super) fn letters(count: usize) -> String {
    format!("{count} {}", if count == 1 { "letter" } else { "letters" })
}

/// A value that breaks a rule; `written` is how it stands in the file.
pub fn broken(field: &Field, rule: Rule, value: Option<&Value<'_>>, written: &str) -> String {
    let rules = &field.constraints;
    let text = value
        .map(|value| value.text().into_owned())
        .unwrap_or_default();
    let length = || text.chars().count();
    match rule {
        Rule::Required => format!("{} is empty.", field.label()),
        Rule::MinLength => format!(
            "Shorter than {} ({}).{}",
            letters(rules.length_min.unwrap_or(0)),
            length(),
            question(meant_value(field, rule, value))
        ),
        Rule::MaxLength => format!(
            "Longer than {} ({}).",
            letters(rules.length_max.unwrap_or(0)),
            length()
        ),
        Rule::Minimum | Rule::Maximum | Rule::ExclusiveMinimum | Rule::ExclusiveMaximum => {
            format!(
                "Must be {}; found {}.",
                range(rules),
                cut(written.trim(), 60)
            )
        }
        Rule::Pattern => {
            let pattern = rules
                .pattern
                .as_ref()
                .map_or("", |(_, shown)| shown.as_str());
            let meant = question(meant_value(field, rule, value));
            let short = cut(&text, 60);
            let described = field.description.as_deref().map(described);
            let told = described.filter(|told| !told.is_empty());
            match (&rules.form, told, &field.example) {
                (Some(words), ..) => format!("'{short}' must be {words}.{meant}"),
                (None, Some(told), _) => {
                    format!("'{short}' does not have the form of this field: {told}.{meant}")
                }
                (None, None, Some(example)) => format!(
                    "'{short}' does not have the form of this field, such as {}.{meant}",
                    cut(example, 60)
                ),
                (None, None, None) => {
                    let pattern = cut(pattern, 100);
                    format!("'{short}' does not have the form {pattern}.{meant}")
                }
            }
        }
        Rule::Enum => {
            let shown = rules
                .allowed
                .as_ref()
                .map_or(&[][..], |allowed| &allowed.shown);
            let listed: Vec<&str> = shown.iter().take(LISTED_MAX).map(String::as_str).collect();
            let more = if shown.len() > LISTED_MAX {
                ", …"
            } else {
                ""
            };
            let meant = question(meant_value(field, rule, value));
            format!(
                "Must be one of: {}{more}; {}.{meant}",
                listed.join(", "),
                found(&text)
            )
        }
    }
}

/// What a template says of a field, ready to stand in a sentence.
fn described(description: &str) -> String {
    let line = description.split_whitespace().collect::<Vec<_>>().join(" ");
    cut(line.trim_end_matches('.'), 200)
}

fn question(meant: Option<String>) -> String {
    meant.map_or_else(String::new, |meant| format!(" Meant {meant}?"))
}

/// The value that a person probably meant who broke a rule: an allowed one that is spelt almost
/// alike, or digits whose leading zeros a spreadsheet has eaten.
pub fn meant_value(field: &Field, rule: Rule, value: Option<&Value<'_>>) -> Option<String> {
    let text = value?.text();
    let rules = &field.constraints;
    match rule {
        Rule::Enum => {
            let shown = &rules.allowed.as_ref()?.shown;
            meant(shown, &text).map(str::to_owned)
        }
        Rule::Pattern | Rule::MinLength => {
            let digits = (2..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            let padded = (1..=3).map(|zeros| format!("{}{text}", "0".repeat(zeros)));
            padded.filter(|_| digits).find(|padded| {
                let mut fine = true;
                let value = field.kind.read_text(padded);
                rules.check(value.as_ref(), |_| fine = false);
                fine && value.is_some()
            })
        }
        Rule::Required
        | Rule::MaxLength
        | Rule::Minimum
        | Rule::Maximum
        | Rule::ExclusiveMinimum
        | Rule::ExclusiveMaximum => None,
    }
}

/// The date that a number in a field of dates means as a spreadsheet's day count.
pub fn meant_date(field: &Field, cell: &Cell<'_>) -> Option<String> {
    match (&field.kind, cell) {
        (FieldType::Date(_), Cell::Number(json)) => serial_moment("date", json),
        (FieldType::DateTime(_), Cell::Number(json)) => serial_moment("date and time", json),
        (FieldType::Time(_), Cell::Number(json)) => serial_moment("time of day", json),
        _ => None,
    }
}

/// The range of values that are allowed; empty where all are.
pub(super) fn range(rules: &Constraints) -> String {
    let shown = |bound: &Option<Bound>| bound.as_ref().map(|bound| bound.shown.clone());
    let low = match (shown(&rules.minimum), shown(&rules.exclusive_minimum)) {
        (Some(at), _) => Some((at, "at least")),
        (None, Some(at)) => Some((at, "more than")),
        (None, None) => None,
    };
    let high = match (shown(&rules.maximum), shown(&rules.exclusive_maximum)) {
        (Some(at), _) => Some((at, "at most")),
        (None, Some(at)) => Some((at, "less than")),
        (None, None) => None,
    };
    match (low, high) {
        (Some((low, "at least")), Some((high, "at most"))) => format!("between {low} and {high}"),
        (Some((low, from)), Some((high, to))) => format!("{from} {low} and {to} {high}"),
        (Some((low, from)), None) => format!("{from} {low}"),
        (None, Some((high, to))) => format!("{to} {high}"),
        (None, None) => String::new(),
    }
}

/// The allowed value that a person probably meant.
pub fn meant<'a>(allowed: &'a [String], text: &str) -> Option<&'a str> {
    let wanted = text.trim().to_lowercase();
    if wanted.is_empty() || wanted.chars().count() > 60 {
        return None;
    }
    allowed
        .iter()
        .take(1_000)
        .map(|word| (strsim::jaro_winkler(&word.to_lowercase(), &wanted), word))
        .filter(|(score, _)| *score >= MEANT_LEAST)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word.as_str())
}

/// `A`, `A and B`, `A, B and C`.
pub fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::template::Template;

    fn field(json: &str) -> Field {
        let schema = format!(r#"{{"fields":[{json}]}}"#);
        Template::parse("t", 1, &schema).unwrap().fields.remove(0)
    }

    #[test]
    fn one_letter_is_one_letter() {
        let said = |rules: &str, rule, text: &str| {
            let field = field(&format!(
                r#"{{"name":"a","type":"string","constraints":{rules}}}"#
            ));
            broken(&field, rule, Some(&Value::Text(text.into())), text)
        };
        assert_eq!(
            said(r#"{"maxLength":1}"#, Rule::MaxLength, "abc"),
            "Longer than 1 letter (3)."
        );
        let short = said(r#"{"minLength":2}"#, Rule::MinLength, "a");
        assert!(short.starts_with("Shorter than 2 letters (1)."), "{short}");
    }

    fn type_error(json: &str, text: &str) -> String {
        wrong_type(&field(json), &Cell::Text(text.into()), text)
    }

    #[test]
    fn sentences_say_what_is_found_and_what_is_meant() {
        let number = r#"{"name":"n","type":"integer"}"#;
        assert_eq!(
            type_error(number, "12,5"),
            "Must be a whole number; found '12,5'."
        );
        let mail = r#"{"name":"m","type":"string","format":"email"}"#;
        assert_eq!(
            type_error(mail, "anna(at)example.de"),
            "An e-mail address has one @."
        );
        let date = r#"{"name":"d","type":"date","format":"%d.%m.%Y"}"#;
        assert_eq!(type_error(date, "31.02.2026"), "31.02.2026 is not a date.");
        assert_eq!(
            type_error(date, "2024-01-05"),
            "2024-01-05 is not a date in the form of this field; write it as in 31.12.2024."
        );
        let price = r#"{"name":"p","type":"number","decimalChar":","}"#;
        assert_eq!(
            type_error(price, "1.5"),
            "Must be a number with , before the decimals; found '1.5'."
        );
        let grouped = r#"{"name":"p","type":"number","decimalChar":",","groupChar":" "}"#;
        assert_eq!(
            type_error(grouped, "1.5"),
            "Must be a number with , before the decimals and a space between thousands; found '1.5'."
        );
        let number = r#"{"name":"p","type":"number"}"#;
        assert_eq!(type_error(number, "x"), "Must be a number; found 'x'.");
        let serial = wrong_type(&field(date), &Cell::Number("45581"), "45581");
        assert!(serial.contains("2024-10-16"), "{serial}");
        let stamp = field(r#"{"name":"d","type":"datetime"}"#);
        let serial = wrong_type(&stamp, &Cell::Number("45581.75"), "45581.75");
        assert_eq!(
            serial,
            "45581.75 is a number, not a date and time. As a spreadsheet's day count it is 2024-10-16T18:00:00; format the cell as a date and time."
        );
        let clock = field(r#"{"name":"t","type":"time"}"#);
        let serial = wrong_type(&clock, &Cell::Number("0.5"), "0.5");
        assert!(serial.contains("it is 12:00:00;"), "{serial}");
        // Nobody is told to write what is written.
        let day = r#"{"name":"d","type":"date"}"#;
        assert_eq!(type_error(day, "2024-02-30"), "2024-02-30 is not a date.");
        assert_eq!(
            type_error(day, "30.12.2024"),
            "30.12.2024 is not a date. Write it as 2024-10-31."
        );
        let since = field(
            r#"{"name":"s","type":"date","format":"%d.%m.%Y","constraints":{"minimum":"01.01.2020"}}"#,
        );
        let value = since.kind.read_text("31.12.2019");
        assert_eq!(
            broken(&since, Rule::Minimum, value.as_ref(), "31.12.2019"),
            "Must be at least 01.01.2020; found 31.12.2019."
        );
    }

    #[test]
    fn rules_are_told_with_their_bounds() {
        let age =
            field(r#"{"name":"age","type":"integer","constraints":{"minimum":1,"maximum":120}}"#);
        let value = age.kind.read_text("430");
        assert_eq!(
            broken(&age, Rule::Maximum, value.as_ref(), "430"),
            "Must be between 1 and 120; found 430."
        );
        let state = field(
            r#"{"name":"s","title":"State","type":"string","constraints":{"required":true,"enum":["active","dormant","closed"]}}"#,
        );
        let value = state.kind.read_text("aktive");
        assert_eq!(
            broken(&state, Rule::Enum, value.as_ref(), "aktive"),
            "Must be one of: active, dormant, closed; found 'aktive'. Meant active?"
        );
        assert_eq!(broken(&state, Rule::Required, None, ""), "State is empty.");
        let said = |more: &str, text: &str| {
            let field = field(&format!(r#"{{"name":"plz","type":"string",{more}}}"#));
            broken(
                &field,
                Rule::Pattern,
                field.kind.read_text(text).as_ref(),
                text,
            )
        };
        assert_eq!(
            said(r#""constraints":{"pattern":"\\d{5}"}"#, "1067"),
            "'1067' must be 5 digits. Meant 01067?"
        );
        assert_eq!(
            said(r#""constraints":{"pattern":"A|B"}"#, "C"),
            "'C' does not have the form A|B."
        );
        assert_eq!(
            said(r#""example":"B","constraints":{"pattern":"A|B"}"#, "C"),
            "'C' does not have the form of this field, such as B."
        );
        assert_eq!(
            said(
                r#""description":"The postcode,\nfive digits.","constraints":{"pattern":"(0|1)[0-9]{4}"}"#,
                "1067"
            ),
            "'1067' does not have the form of this field: The postcode, five digits. Meant 01067?"
        );
    }
}
