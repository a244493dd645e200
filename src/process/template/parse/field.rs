//! One field of a template, and how its members are read.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::findings::Findings;
use super::{kinds, rules};
use crate::process::constraints::Constraints;
use crate::process::normalize::Step;
use crate::process::template::{Field, NAME_CHARS_MAX};

/// Plain texts, or objects with `value` as version 2 has them.
pub(super) fn missing_values(value: &Json, pointer: &str, findings: &mut Findings) -> Vec<String> {
    let Json::Array(list) = value else {
        findings.add(pointer, "This must be a list of texts.");
        return Vec::new();
    };
    list.iter()
        .filter_map(|item| {
            let text = item.get("value").unwrap_or(item).as_str();
            if text.is_none() {
                findings.add(pointer, "This must be a list of texts.");
            }
            text.map(str::to_owned)
        })
        .collect()
}

pub(super) fn field(
    value: &Map<String, Json>,
    pointer: &str,
    missing: &Arc<[String]>,
    findings: &mut Findings,
) -> Field {
    let at = |member: &str| format!("{pointer}/{member}");
    let name = text(value, "name", pointer, findings).unwrap_or_default();
    if name.trim().is_empty() {
        findings.add(&at("name"), "A field must have a name.");
    }
    if name.chars().any(char::is_control) {
        findings.add(
            &at("name"),
            "A field's name must not hold control characters such as line breaks.",
        );
    }
    let title = text(value, "title", pointer, findings);
    for (member, text) in [("name", Some(&name)), ("title", title.as_ref())] {
        if text.is_some_and(|text| text.chars().count() > NAME_CHARS_MAX) {
            findings.add(
                &at(member),
                format!("This must have at most {NAME_CHARS_MAX} letters."),
            );
        }
    }
    let kind = kinds::kind(value, pointer, findings);
    let constraints = match value.get("constraints") {
        None => Constraints::default(),
        Some(Json::Object(constraints)) => {
            rules::constraints(&kind, constraints, &at("constraints"), findings)
        }
        Some(_) => {
            findings.add(&at("constraints"), "This must be an object.");
            Constraints::default()
        }
    };
    if value.contains_key("required") {
        findings.add(
            &at("required"),
            "\"required\" belongs into \"constraints\".",
        );
    }
    Field {
        name,
        title: title.filter(|title| !title.trim().is_empty()),
        description: text(value, "description", pointer, findings),
        example: value
            .get("example")
            .filter(|example| example.is_string() || example.is_number())
            .map(|example| match example.as_str() {
                Some(text) => text.to_owned(),
                None => example.to_string(),
            }),
        aliases: texts(value, "aliases", pointer, findings).unwrap_or_default(),
        normalize: steps(value, pointer, findings),
        kind,
        constraints,
        missing: match value.get("missingValues") {
            None => Arc::clone(missing),
            Some(own) => missing_values(own, &at("missingValues"), findings).into(),
        },
    }
}

fn steps(value: &Map<String, Json>, pointer: &str, findings: &mut Findings) -> Vec<Step> {
    let words = texts(value, "normalize", pointer, findings).unwrap_or_default();
    words
        .iter()
        .filter_map(|word| {
            let step = Step::parse(word);
            if step.is_none() {
                findings.add(
                    &format!("{pointer}/normalize"),
                    format!("\"{word}\" is no step. There are: trim, spaces, lower, url."),
                );
            }
            step
        })
        .collect()
}

pub(super) fn text(
    value: &Map<String, Json>,
    member: &str,
    pointer: &str,
    findings: &mut Findings,
) -> Option<String> {
    let text = value.get(member)?.as_str();
    if text.is_none() {
        findings.add(&format!("{pointer}/{member}"), "This must be a text.");
    }
    text.map(str::to_owned)
}

pub(super) fn texts(
    value: &Map<String, Json>,
    member: &str,
    pointer: &str,
    findings: &mut Findings,
) -> Option<Vec<String>> {
    let list = value.get(member)?.as_array().and_then(|list| {
        list.iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect::<Option<Vec<String>>>()
    });
    if list.is_none() {
        findings.add(
            &format!("{pointer}/{member}"),
            "This must be a list of texts.",
        );
    }
    list
}
