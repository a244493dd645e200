//! The type of a field: `type` and `format`, and what belongs to numbers and booleans.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::field::{text, texts};
use super::findings::Findings;
use crate::process::pattern::Pattern;
use crate::process::types::{FieldType, MomentForm, NumberForm, TextFormat};

pub(super) fn kind(value: &Map<String, Json>, pointer: &str, findings: &mut Findings) -> FieldType {
    let word = text(value, "type", pointer, findings);
    let format = text(value, "format", pointer, findings).filter(|format| format != "default");
    let at = format!("{pointer}/format");
    let kind = match word.as_deref() {
        None | Some("any") => FieldType::Any,
        Some("string") => FieldType::Text(text_format(format.as_deref(), &at, findings)),
        Some("number") => FieldType::Number(number_form(value, pointer, findings)),
        Some("integer") => FieldType::Integer(number_form(value, pointer, findings)),
        Some("boolean") => FieldType::Bool(bool_words(value, pointer, findings)),
        Some("date") => FieldType::Date(moment_form(format.as_deref(), &at, findings)),
        Some("time") => FieldType::Time(moment_form(format.as_deref(), &at, findings)),
        Some("datetime") => FieldType::DateTime(moment_form(format.as_deref(), &at, findings)),
        Some("year") => FieldType::Year,
        Some("yearmonth") => FieldType::YearMonth,
        Some("duration") => FieldType::Duration,
        Some(other) => {
            findings.add(
                &format!("{pointer}/type"),
                format!(
                    "The type \"{other}\" can't be used here. There are: string, number, integer, boolean, date, time, datetime, year, yearmonth, duration, any."
                ),
            );
            FieldType::Any
        }
    };
    let takes_format = matches!(
        kind,
        FieldType::Text(_) | FieldType::Date(_) | FieldType::Time(_) | FieldType::DateTime(_)
    );
    if let Some(format) = format
        && !takes_format
        && word.as_deref().is_none_or(|word| word == kind.name())
    {
        findings.add(
            &at,
            format!("The type {} has no format \"{format}\".", kind.name()),
        );
    }
    kind
}

fn text_format(format: Option<&str>, pointer: &str, findings: &mut Findings) -> TextFormat {
    match format {
        None => TextFormat::Plain,
        Some("email") => TextFormat::Email,
        Some("uri") => TextFormat::Uri,
        Some("uuid") => TextFormat::Uuid,
        Some("binary") => TextFormat::Binary,
        Some(other) => {
            findings.add(
                pointer,
                format!(
                    "The format \"{other}\" can't be used here. There are: default, email, uri, uuid, binary."
                ),
            );
            TextFormat::Plain
        }
    }
}

fn moment_form(format: Option<&str>, pointer: &str, findings: &mut Findings) -> MomentForm {
    match format {
        None => MomentForm::Default,
        Some("any") => MomentForm::Any(None),
        Some(pattern) => {
            // Version 0 of the standard wrote fmt: before a pattern.
            match Pattern::parse(pattern.strip_prefix("fmt:").unwrap_or(pattern)) {
                Ok(pattern) => MomentForm::Pattern(pattern),
                Err(why) => {
                    findings.add(
                        pointer,
                        format!("\"{pattern}\" is no pattern for dates and times: {why}."),
                    );
                    MomentForm::Default
                }
            }
        }
    }
}

fn number_form(value: &Map<String, Json>, pointer: &str, findings: &mut Findings) -> NumberForm {
    let form = NumberForm {
        decimal: text(value, "decimalChar", pointer, findings).unwrap_or_else(|| ".".to_owned()),
        group: text(value, "groupChar", pointer, findings).unwrap_or_default(),
        bare: match value.get("bareNumber") {
            None => true,
            Some(Json::Bool(bare)) => *bare,
            Some(_) => {
                findings.add(
                    &format!("{pointer}/bareNumber"),
                    "This must be true or false.",
                );
                true
            }
        },
    };
    let mut decimal = form.decimal.chars();
    let is_mark = match (decimal.next(), decimal.next()) {
        (Some(mark), None) => !mark.is_alphanumeric() && !"+-".contains(mark),
        (None | Some(_), _) => false,
    };
    if !is_mark {
        findings.add(
            &format!("{pointer}/decimalChar"),
            "decimalChar is one character, and no letter, digit or sign.",
        );
    }
    let has_fraction = value.get("type").and_then(Json::as_str) != Some("integer");
    if is_mark && has_fraction && form.decimal == form.group {
        findings.add(
            &format!("{pointer}/groupChar"),
            "groupChar and decimalChar must differ.",
        );
    }
    form
}

fn bool_words(
    value: &Map<String, Json>,
    pointer: &str,
    findings: &mut Findings,
) -> HashMap<String, bool> {
    let mut words = HashMap::new();
    for (member, meaning, usual) in [
        ("trueValues", true, ["true", "True", "TRUE", "1"]),
        ("falseValues", false, ["false", "False", "FALSE", "0"]),
    ] {
        let list = texts(value, member, pointer, findings)
            .unwrap_or_else(|| usual.map(str::to_owned).to_vec());
        for word in list {
            if words.insert(word.clone(), meaning) == Some(!meaning) {
                findings.add(
                    &format!("{pointer}/{member}"),
                    format!("\"{word}\" can't stand for both true and false."),
                );
            }
        }
    }
    words
}
