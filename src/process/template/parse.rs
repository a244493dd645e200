//! From the text of a Table Schema to a [`Template`]; collects everything that is wrong with it,
//! each with the place as a JSON pointer.

use std::collections::{HashMap, HashSet};

use regex::RegexBuilder;
use serde_json::{Map, Value as Json, json};

use super::{Field, FieldsMatch, Template};
use crate::error::{Error, Problem, Result};
use crate::process::constraints::{Allowed, Bound, Constraints};
use crate::process::normalize::Step;
use crate::process::pattern::Pattern;
use crate::process::types::{FieldType, MomentForm, NumberForm, TextFormat};
use crate::process::value::Value;
use crate::sheet::Cell;
use crate::words::Code;

/// Fields of a template: as many as a sheet has columns.
const FIELDS_MAX: usize = 16_384;
/// Letters of a field's name or title.
const NAME_CHARS_MAX: usize = 255;
/// Letters of a `pattern`, and bytes that it may take when compiled.
const PATTERN_CHARS_MAX: usize = 2_000;
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// Problems listed of one template.
const PROBLEMS_MAX: usize = 50;

/// What is wrong with a schema, and where.
struct Findings(Vec<(String, String)>);

impl Findings {
    fn add(&mut self, pointer: &str, message: impl Into<String>) {
        self.0.push((pointer.to_owned(), message.into()));
    }
}

pub(super) fn template(name: &str, version: i64, schema: &str) -> Result<Template> {
    let mut findings = Findings(Vec::new());
    let parsed = match serde_json::from_str::<Json>(schema) {
        Ok(Json::Object(schema)) => read(name, version, &schema, &mut findings),
        Ok(_) => {
            findings.add("", "A Table Schema is a JSON object with fields.");
            None
        }
        Err(error) => {
            findings.add("", format!("This is no JSON: {error}."));
            None
        }
    };
    match parsed {
        Some(template) if findings.0.is_empty() => Ok(template),
        Some(_) | None => Err(refusal(&findings)),
    }
}

fn refusal(findings: &Findings) -> Error {
    let first = findings
        .0
        .first()
        .map_or("", |(_, message)| message.as_str());
    let place = findings.0.first().map_or("", |(at, _)| at.as_str());
    let others = match findings.0.len() {
        0 | 1 => String::new(),
        2 => " One more thing is wrong.".to_owned(),
        count => format!(" {} more things are wrong.", count - 1),
    };
    let place = if place.is_empty() {
        String::new()
    } else {
        format!(" at {place}")
    };
    let errors: Vec<Json> = findings
        .0
        .iter()
        .take(PROBLEMS_MAX)
        .map(|(pointer, message)| json!({ "pointer": pointer, "message": message }))
        .collect();
    Problem::new(
        Code::InvalidTemplate,
        format!("This template can't be used{place}: {first}{others}"),
    )
    .with("errors", errors)
    .into()
}

fn read(
    name: &str,
    version: i64,
    schema: &Map<String, Json>,
    findings: &mut Findings,
) -> Option<Template> {
    let Some(Json::Array(list)) = schema.get("fields") else {
        findings.add("/fields", "There must be a list of fields.");
        return None;
    };
    if list.is_empty() {
        findings.add("/fields", "There must be at least one field.");
    }
    if list.len() > FIELDS_MAX {
        findings.add(
            "/fields",
            format!("There may be at most {FIELDS_MAX} fields."),
        );
        return None;
    }
    let missing = match schema.get("missingValues") {
        None => vec![String::new()],
        Some(value) => missing_values(value, "/missingValues", findings),
    };
    let mut fields = Vec::with_capacity(list.len());
    let mut names: HashMap<String, usize> = HashMap::new();
    for (at, value) in list.iter().enumerate() {
        let pointer = format!("/fields/{at}");
        let Json::Object(value) = value else {
            findings.add(&pointer, "A field is an object with a name.");
            continue;
        };
        let field = field(value, &pointer, &missing, findings);
        if names.insert(field.name.clone(), at).is_some() {
            findings.add(
                &format!("{pointer}/name"),
                format!("There are two fields \"{}\".", field.name),
            );
        }
        fields.push(field);
    }
    let primary_key = match schema.get("primaryKey") {
        None => Vec::new(),
        Some(value) => key(value, "/primaryKey", &names, findings),
    };
    let mut unique_keys = Vec::new();
    match schema.get("uniqueKeys") {
        None => {}
        Some(Json::Array(keys)) => {
            for (at, value) in keys.iter().enumerate() {
                unique_keys.push(key(value, &format!("/uniqueKeys/{at}"), &names, findings));
            }
        }
        Some(_) => findings.add(
            "/uniqueKeys",
            "This must be a list of lists of field names.",
        ),
    }
    let fields_match = fields_match(schema.get("fieldsMatch"), findings);
    if schema
        .get("foreignKeys")
        .and_then(Json::as_array)
        .is_some_and(|keys| !keys.is_empty())
    {
        findings.add("/foreignKeys", "Foreign keys can't be checked here.");
    }
    Some(Template {
        name: name.to_owned(),
        version,
        fields,
        primary_key,
        unique_keys,
        fields_match,
    })
}

fn fields_match(value: Option<&Json>, findings: &mut Findings) -> Option<FieldsMatch> {
    // The standard's own examples give a list of one.
    let word = match value?.as_array().map(Vec::as_slice) {
        Some([one]) => one.as_str(),
        Some(_) => None,
        None => value?.as_str(),
    };
    let parsed = word.and_then(FieldsMatch::parse);
    if parsed.is_none() {
        findings.add(
            "/fieldsMatch",
            "This must be exact, equal, subset, superset or partial.",
        );
    }
    parsed
}

fn key(
    value: &Json,
    pointer: &str,
    names: &HashMap<String, usize>,
    findings: &mut Findings,
) -> Vec<usize> {
    let listed: Vec<&Json> = match value.as_array() {
        Some(list) => list.iter().collect(),
        None if value.is_string() => vec![value],
        None => Vec::new(),
    };
    if listed.is_empty() {
        findings.add(pointer, "A key is a list of field names.");
    }
    let mut fields = Vec::new();
    for name in listed {
        match name.as_str().map(|name| (name, names.get(name))) {
            Some((_, Some(at))) if !fields.contains(at) => fields.push(*at),
            Some((name, Some(_))) => {
                findings.add(pointer, format!("\"{name}\" stands twice in this key."));
            }
            Some((name, None)) => {
                findings.add(pointer, format!("There is no field \"{name}\"."));
            }
            None => findings.add(pointer, "A key is a list of field names."),
        }
    }
    fields
}

/// Plain texts, or objects with `value` as version 2 has them.
fn missing_values(value: &Json, pointer: &str, findings: &mut Findings) -> Vec<String> {
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

fn field(
    value: &Map<String, Json>,
    pointer: &str,
    missing: &[String],
    findings: &mut Findings,
) -> Field {
    let at = |member: &str| format!("{pointer}/{member}");
    let name = text(value, "name", pointer, findings).unwrap_or_default();
    if name.trim().is_empty() {
        findings.add(&at("name"), "A field must have a name.");
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
    let kind = kind(value, pointer, findings);
    let constraints = match value.get("constraints") {
        None => Constraints::default(),
        Some(Json::Object(constraints)) => {
            read_constraints(&kind, constraints, &at("constraints"), findings)
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
            None => missing.to_vec(),
            Some(own) => missing_values(own, &at("missingValues"), findings),
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

fn text(
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

fn texts(
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

fn kind(value: &Map<String, Json>, pointer: &str, findings: &mut Findings) -> FieldType {
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
        && word.as_deref().is_some_and(|word| word == kind.name())
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
    if form.decimal.is_empty() {
        findings.add(
            &format!("{pointer}/decimalChar"),
            "This must be at least one letter.",
        );
    }
    let has_fraction = value.get("type").and_then(Json::as_str) != Some("integer");
    if has_fraction && form.decimal == form.group {
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

fn read_constraints(
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
    constraints
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
    let compiled = RegexBuilder::new(&format!("^(?:{pattern})$"))
        .size_limit(PATTERN_BYTES_MAX)
        .build();
    match compiled {
        Ok(regex) => Some((regex, pattern.to_owned())),
        Err(regex::Error::CompiledTooBig(_)) => {
            findings.add(pointer, "This pattern is too large.");
            None
        }
        Err(_) => {
            findings.add(
                pointer,
                "This is no regular expression that can be used here (look-around and back-references can't).",
            );
            None
        }
    }
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
                texts.insert(value.canonical().into_owned());
                shown.push(text);
            }
            None => findings.add(
                &format!("{pointer}/{at}"),
                format!("This is no value of the type {}.", kind.name()),
            ),
        }
    }
    Some(Allowed { texts, shown })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointers(schema: &str) -> Vec<String> {
        match Template::parse("t", 1, schema) {
            Ok(_) => Vec::new(),
            Err(Error::Problem(problem)) => {
                assert_eq!(problem.code, Code::InvalidTemplate);
                problem.members["errors"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|error| error["pointer"].as_str().unwrap().to_owned())
                    .collect()
            }
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn the_built_in_template_can_be_used() {
        for name in Template::built_in_names() {
            let schema = Template::built_in_schema(name).unwrap();
            let template = Template::parse(name, 0, schema).unwrap();
            assert_eq!(template.fields.len(), 6);
            assert_eq!(template.unique_keys, vec![vec![1], vec![0, 2]]);
        }
    }

    #[test]
    fn what_is_wrong_with_a_template_is_said_with_its_place() {
        for (schema, pointer) in [
            ("[]", ""),
            ("{", ""),
            ("{}", "/fields"),
            (r#"{"fields":[]}"#, "/fields"),
            (r#"{"fields":["a"]}"#, "/fields/0"),
            (r#"{"fields":[{"title":"A"}]}"#, "/fields/0/name"),
            (
                r#"{"fields":[{"name":"a"},{"name":"a"}]}"#,
                "/fields/1/name",
            ),
            (
                r#"{"fields":[{"name":"a","type":"geopoint"}]}"#,
                "/fields/0/type",
            ),
            (
                r#"{"fields":[{"name":"a","type":"string","format":"phone"}]}"#,
                "/fields/0/format",
            ),
            (
                r#"{"fields":[{"name":"a","type":"year","format":"x"}]}"#,
                "/fields/0/format",
            ),
            (
                r#"{"fields":[{"name":"a","type":"date","format":"DD.MM.YYYY"}]}"#,
                "/fields/0/format",
            ),
            (
                r#"{"fields":[{"name":"a","type":"date","constraints":{"minimum":"soon"}}]}"#,
                "/fields/0/constraints/minimum",
            ),
            (
                r#"{"fields":[{"name":"a","type":"string","constraints":{"minimum":1}}]}"#,
                "/fields/0/constraints/minimum",
            ),
            (
                r#"{"fields":[{"name":"a","type":"string","constraints":{"pattern":"(?=x)"}}]}"#,
                "/fields/0/constraints/pattern",
            ),
            (
                r#"{"fields":[{"name":"a","type":"string","constraints":{"pattern":"(x{1000}){1000}"}}]}"#,
                "/fields/0/constraints/pattern",
            ),
            (
                r#"{"fields":[{"name":"a","type":"integer","constraints":{"enum":[1,"x"]}}]}"#,
                "/fields/0/constraints/enum/1",
            ),
            (
                r#"{"fields":[{"name":"a","required":true}]}"#,
                "/fields/0/required",
            ),
            (
                r#"{"fields":[{"name":"a","normalize":["shout"]}]}"#,
                "/fields/0/normalize",
            ),
            (
                r#"{"fields":[{"name":"a","aliases":"b"}]}"#,
                "/fields/0/aliases",
            ),
            (
                r#"{"fields":[{"name":"a"}],"uniqueKeys":[["b"]]}"#,
                "/uniqueKeys/0",
            ),
            (
                r#"{"fields":[{"name":"a"}],"primaryKey":"b"}"#,
                "/primaryKey",
            ),
            (
                r#"{"fields":[{"name":"a"}],"fieldsMatch":"some"}"#,
                "/fieldsMatch",
            ),
            (
                r#"{"fields":[{"name":"a"}],"missingValues":"-"}"#,
                "/missingValues",
            ),
        ] {
            assert_eq!(pointers(schema), vec![pointer.to_owned()], "{schema}");
        }
    }

    #[test]
    fn both_versions_of_the_standard_are_read() {
        let schema = r#"{
            "fields": [
                {"name": "id", "type": "integer", "groupChar": ".", "constraints": {"unique": true}},
                {"name": "on", "type": "date", "format": "%d.%m.%Y", "missingValues": ["never"],
                 "constraints": {"exclusiveMinimum": "01.01.2020"}}
            ],
            "primaryKey": "id",
            "fieldsMatch": ["subset"],
            "missingValues": [{"value": "", "label": "empty"}, "-"]
        }"#;
        let template = Template::parse("t", 1, schema).unwrap();
        assert_eq!(template.primary_key, vec![0]);
        assert_eq!(template.fields[0].missing, vec!["", "-"]);
        assert_eq!(template.fields[1].missing, vec!["never"]);
        assert_eq!(template.fields_match, Some(FieldsMatch::Subset));
    }

    #[test]
    fn deeply_nested_json_is_refused_like_any_other_nonsense() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(pointers(&deep), vec![String::new()]);
    }
}
