//! The constraints of a field.

use std::cmp::Ordering;
use std::collections::HashSet;

use regex::RegexBuilder;
use serde_json::{Map, Value as Json};

use super::findings::Findings;
use crate::process::constraints::{Allowed, Bound, Constraints};
use crate::process::form;
use crate::process::types::FieldType;
use crate::process::value::Value;
use crate::sheet::Cell;

/// Letters of a `pattern`, and bytes that it may take when compiled.
const PATTERN_CHARS_MAX: usize = 2_000;
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// The constraints that a type knows, beside `required` and `unique`, which all know.
fn known_constraints(kind: &FieldType) -> &'static [&'static str] {
    match kind {
        FieldType::Text(_) => &["minLength", "maxLength", "pattern", "enum"],
        FieldType::Any | FieldType::Bool(_) | FieldType::Duration => &["enum"],
        FieldType::Number(_)
        | FieldType::Integer(_)
        | FieldType::Date(_)
        | FieldType::Time(_)
        | FieldType::DateTime(_)
        | FieldType::Year
        | FieldType::YearMonth => &[
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "enum",
        ],
    }
}

pub(super) fn constraints(
    kind: &FieldType,
    value: &Map<String, Json>,
    pointer: &str,
    findings: &mut Findings,
) -> Constraints {
    let known = known_constraints(kind);
    for name in value.keys() {
        if name != "required" && name != "unique" && !known.contains(&name.as_str()) {
            findings.add(
                &format!("{pointer}/{name}"),
                format!("The type {} has no constraint \"{name}\".", kind.name()),
            );
        }
    }
    let flag = |name: &str, findings: &mut Findings| match value.get(name) {
        None => false,
        Some(Json::Bool(flag)) => *flag,
        Some(_) => {
            findings.add(&format!("{pointer}/{name}"), "This must be true or false.");
            false
        }
    };
    let length = |name: &str, findings: &mut Findings| {
        let length = value.get(name)?.as_u64();
        if length.is_none() {
            findings.add(
                &format!("{pointer}/{name}"),
                "This must be a whole number from 0 on.",
            );
        }
        length.and_then(|length| usize::try_from(length).ok())
    };
    let bound = |name: &str, findings: &mut Findings| {
        let given = value.get(name).filter(|_| known.contains(&name))?;
        let bound = read_value(kind, given);
        if bound.is_none() {
            findings.add(
                &format!("{pointer}/{name}"),
                format!("This is no value of the type {}.", kind.name()),
            );
        }
        bound.map(|(value, shown)| Bound { value, shown })
    };
    let constraints = Constraints {
        required: flag("required", findings),
        unique: flag("unique", findings),
        length_min: length("minLength", findings),
        length_max: length("maxLength", findings),
        minimum: bound("minimum", findings),
        maximum: bound("maximum", findings),
        exclusive_minimum: bound("exclusiveMinimum", findings),
        exclusive_maximum: bound("exclusiveMaximum", findings),
        form: value
            .get("pattern")
            .and_then(Json::as_str)
            .and_then(form::in_words),
        pattern: pattern(
            value.get("pattern"),
            &format!("{pointer}/pattern"),
            findings,
        ),
        allowed: allowed(
            kind,
            value.get("enum"),
            &format!("{pointer}/enum"),
            findings,
        ),
    };
    if let (Some(least), Some(most)) = (constraints.length_min, constraints.length_max)
        && least > most
    {
        findings.add(
            &format!("{pointer}/minLength"),
            "minLength is larger than maxLength.",
        );
    }
    check_range(&constraints, pointer, findings);
    constraints
}

/// A range must have room for a value.
fn check_range(rules: &Constraints, pointer: &str, findings: &mut Findings) {
    let lower = [
        ("minimum", &rules.minimum, false),
        ("exclusiveMinimum", &rules.exclusive_minimum, true),
    ];
    let upper = [
        ("maximum", &rules.maximum, false),
        ("exclusiveMaximum", &rules.exclusive_maximum, true),
    ];
    for (low_name, low, low_excluded) in &lower {
        for (high_name, high, high_excluded) in &upper {
            let (Some(low), Some(high)) = (low, high) else {
                continue;
            };
            let wrong = match low.value.compare(&high.value) {
                Some(Ordering::Greater) => "is larger than",
                Some(Ordering::Equal) if *low_excluded || *high_excluded => "leaves no value below",
                Some(Ordering::Less | Ordering::Equal) | None => continue,
            };
            findings.add(
                &format!("{pointer}/{low_name}"),
                format!(
                    "{low_name} ({}) {wrong} {high_name} ({}).",
                    low.shown, high.shown
                ),
            );
        }
    }
}

/// A value written in a template, and the text that it is shown as.
fn read_value(kind: &FieldType, value: &Json) -> Option<(Value<'static>, String)> {
    let text = match value {
        Json::String(text) => text.clone(),
        Json::Number(_) | Json::Bool(_) => value.to_string(),
        Json::Null | Json::Array(_) | Json::Object(_) => return None,
    };
    let cell = match value.as_bool() {
        Some(flag) => Cell::Bool(flag),
        None if value.is_number() => Cell::Number(&text),
        None => Cell::Text(text.as_str().into()),
    };
    let read = kind.read(&cell, true)?.into_owned();
    Some((read, text))
}

fn pattern(
    value: Option<&Json>,
    pointer: &str,
    findings: &mut Findings,
) -> Option<(regex::Regex, String)> {
    let Some(pattern) = value?.as_str() else {
        findings.add(pointer, "This must be a text.");
        return None;
    };
    if pattern.chars().count() > PATTERN_CHARS_MAX {
        findings.add(
            pointer,
            format!("A pattern must have at most {PATTERN_CHARS_MAX} letters."),
        );
        return None;
    }
    // A compiled pattern does not tell its size: the smallest bound that it keeps is counted.
    const BOUNDS: [usize; 4] = [1 << 14, 1 << 16, 1 << 18, PATTERN_BYTES_MAX];
    for bytes in BOUNDS {
        if findings.pattern_bytes_left < bytes {
            findings.pattern_bytes_left = 0;
            findings.add(
                pointer,
                "The patterns of this template are too large together.",
            );
            return None;
        }
        let compiled = RegexBuilder::new(&format!("^(?:{pattern})$"))
            .size_limit(bytes)
            .build();
        match compiled {
            Ok(regex) => {
                findings.pattern_bytes_left -= bytes;
                return Some((regex, pattern.to_owned()));
            }
            Err(regex::Error::CompiledTooBig(_)) => {}
            Err(_) => {
                findings.add(
                    pointer,
                    "This is no regular expression that can be used here (look-around and back-references can't).",
                );
                return None;
            }
        }
    }
    findings.add(pointer, "This pattern is too large.");
    None
}

fn allowed(
    kind: &FieldType,
    value: Option<&Json>,
    pointer: &str,
    findings: &mut Findings,
) -> Option<Allowed> {
    let Some(list) = value?.as_array().filter(|list| !list.is_empty()) else {
        findings.add(pointer, "This must be a list with at least one value.");
        return None;
    };
    let mut texts = HashSet::with_capacity(list.len());
    let mut shown = Vec::with_capacity(list.len());
    for (at, item) in list.iter().enumerate() {
        match read_value(kind, item) {
            Some((value, text)) => {
                if texts.insert(value.canonical().into_owned()) {
                    shown.push(text);
                } else {
                    findings.add(
                        &format!("{pointer}/{at}"),
                        format!("\"{text}\" stands here twice."),
                    );
                }
            }
            None => findings.add(
                &format!("{pointer}/{at}"),
                format!("This is no value of the type {}.", kind.name()),
            ),
        }
    }
    Some(Allowed { texts, shown })
}
