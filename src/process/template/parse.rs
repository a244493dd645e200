//! From the text of a Table Schema to a [`Template`]; collects everything that is wrong with it,
//! each with the place as a JSON pointer.

mod field;
mod findings;
mod kinds;
mod rules;

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::{Field, FieldsMatch, Template};
use crate::error::Result;
use crate::process::fold::fold_label;
use field::{field, missing_values};
use findings::Findings;

/// Fields of a template: as many as a sheet has columns.
const FIELDS_MAX: usize = 16_384;
pub(super) fn template(name: &str, version: i64, schema: &str) -> Result<Template> {
    let mut findings = Findings::new();
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
        Some(template) if findings.is_empty() => Ok(template),
        Some(_) | None => Err(findings.refusal()),
    }
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
    let missing: Arc<[String]> = match schema.get("missingValues") {
        None => Arc::from([String::new()]),
        Some(value) => missing_values(value, "/missingValues", findings).into(),
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
    check_profile(schema.get("$schema"), findings);
    check_titles(&fields, findings);
    check_aliases(&fields, findings);
    let primary_key = match schema.get("primaryKey") {
        None => Vec::new(),
        Some(value) => key(value, "/primaryKey", &names, findings),
    };
    let mut unique_keys = Vec::new();
    match schema.get("uniqueKeys") {
        None => {}
        Some(Json::Array(keys)) => {
            for (at, value) in keys.iter().enumerate() {
                let pointer = format!("/uniqueKeys/{at}");
                // A text stands for a list of one in primaryKey alone.
                if let Json::String(name) = value {
                    findings.add(
                        &pointer,
                        format!("A key is a list of field names: [\"{name}\"]."),
                    );
                } else {
                    unique_keys.push(key(value, &pointer, &names, findings));
                }
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

/// Anybody may have a profile of Table Schema, but what says that it is something else is that.
fn check_profile(value: Option<&Json>, findings: &mut Findings) {
    let Some(value) = value else { return };
    let Some(profile) = value.as_str() else {
        findings.add("/$schema", "This must be a text.");
        return;
    };
    let of_standard = ["datapackage.org/", "specs.frictionlessdata.io/"];
    let is_other = profile.contains("json-schema.org/")
        || (of_standard.iter().any(|host| profile.contains(host))
            && !profile.replace('-', "").contains("tableschema"));
    if is_other {
        findings.add(
            "/$schema",
            "This says that it is something else than a Table Schema.",
        );
    }
}

/// A header must not be the title of two fields.
fn check_titles(fields: &[Field], findings: &mut Findings) {
    let mut owners: HashMap<String, &str> = HashMap::new();
    for (at, field) in fields.iter().enumerate() {
        let Some(title) = &field.title else { continue };
        if let Some(owner) = owners.insert(title.trim().to_lowercase(), &field.name) {
            findings.add(
                &format!("/fields/{at}/title"),
                format!("\"{title}\" is the title of \"{owner}\" already."),
            );
        }
    }
}

/// A header must not be the alias of two fields, and there is none without a letter.
fn check_aliases(fields: &[Field], findings: &mut Findings) {
    let mut owners: HashMap<String, usize> = HashMap::new();
    for (at, field) in fields.iter().enumerate() {
        for (place, alias) in field.aliases.iter().enumerate() {
            if alias.trim().is_empty() {
                findings.add(
                    &format!("/fields/{at}/aliases/{place}"),
                    "An alias must not be empty.",
                );
                continue;
            }
            let folded = fold_label(alias);
            let owner = *owners.entry(folded.clone()).or_insert(at);
            if owner != at && !folded.is_empty() {
                let name = fields.get(owner).map_or("", |owner| owner.name.as_str());
                findings.add(
                    &format!("/fields/{at}/aliases/{place}"),
                    format!("\"{alias}\" is an alias of \"{name}\" already."),
                );
            }
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::words::Code;

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
                r#"{"fields":[{"name":"a","type":"integer","constraints":{"minimum":5,"maximum":3}}]}"#,
                "/fields/0/constraints/minimum",
            ),
            (
                r#"{"fields":[{"name":"a","type":"date","constraints":{"minimum":"2024-01-02","exclusiveMaximum":"2024-01-02"}}]}"#,
                "/fields/0/constraints/minimum",
            ),
            (
                r#"{"fields":[{"name":"a","type":"number","constraints":{"exclusiveMinimum":1.5,"maximum":1.50}}]}"#,
                "/fields/0/constraints/exclusiveMinimum",
            ),
            (
                r#"{"fields":[{"name":"a","aliases":["x","E-Mail"]},{"name":"b","aliases":["email"]}]}"#,
                "/fields/1/aliases/0",
            ),
            (
                r#"{"fields":[{"name":"a","aliases":["x"," "]}]}"#,
                "/fields/0/aliases/1",
            ),
            (
                r#"{"fields":[{"name":"a","title":"X"},{"name":"b","title":"x "}]}"#,
                "/fields/1/title",
            ),
            (
                r#"{"fields":[{"name":"a","type":"any","format":"email"}]}"#,
                "/fields/0/format",
            ),
            (
                r#"{"fields":[{"name":"a","format":"email"}]}"#,
                "/fields/0/format",
            ),
            (
                r#"{"fields":[{"name":"a"}],"uniqueKeys":["a"]}"#,
                "/uniqueKeys/0",
            ),
            (r#"{"fields":[{"name":"a"}],"$schema":2}"#, "/$schema"),
            (
                r#"{"fields":[{"name":"a"}],"$schema":"https://json-schema.org/draft/2020-12/schema"}"#,
                "/$schema",
            ),
            (
                r#"{"fields":[{"name":"a"}],"$schema":"https://datapackage.org/profiles/2.0/datapackage.json"}"#,
                "/$schema",
            ),
            (r#"{"fields":[{"name":"a\u0000b"}]}"#, "/fields/0/name"),
            (r#"{"fields":[{"name":"a\nb"}]}"#, "/fields/0/name"),
            (
                r#"{"fields":[{"name":"a","type":"integer","constraints":{"enum":[1,2,"01"]}}]}"#,
                "/fields/0/constraints/enum/2",
            ),
            (
                r#"{"fields":[{"name":"a","type":"number","decimalChar":".."}]}"#,
                "/fields/0/decimalChar",
            ),
            (
                r#"{"fields":[{"name":"a","type":"number","decimalChar":""}]}"#,
                "/fields/0/decimalChar",
            ),
            (
                r#"{"fields":[{"name":"a","type":"number","decimalChar":"1"}]}"#,
                "/fields/0/decimalChar",
            ),
            (
                r#"{"fields":[{"name":"a","type":"number","decimalChar":",","groupChar":","}]}"#,
                "/fields/0/groupChar",
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
    fn bounds_and_aliases_that_make_sense_are_taken() {
        for schema in [
            r#"{"fields":[{"name":"a","type":"integer","constraints":{"minimum":3,"maximum":3}}]}"#,
            r#"{"fields":[{"name":"a","type":"number","constraints":{"minimum":"-INF","maximum":"INF"}}]}"#,
            r#"{"fields":[{"name":"a","aliases":["x","X"]},{"name":"b","aliases":["№","y"]}]}"#,
            r#"{"fields":[{"name":"a","type":"number","decimalChar":",","groupChar":"."}]}"#,
        ] {
            assert_eq!(pointers(schema), Vec::<String>::new(), "{schema}");
        }
    }

    #[test]
    fn patterns_that_are_too_large_together_are_refused() {
        let fields = |count: usize| {
            let field = |n| {
                format!(
                    r#"{{"name":"f{n}","constraints":{{"pattern":"(\\w{{4}}){{4}}"}},"type":"string"}}"#
                )
            };
            let fields: Vec<String> = (0..count).map(field).collect();
            pointers(&format!(r#"{{"fields":[{}]}}"#, fields.join(",")))
        };
        assert_eq!(fields(20), Vec::<String>::new());
        let refused = fields(5_000);
        assert!(refused[0].ends_with("/constraints/pattern"), "{refused:?}");
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
        assert_eq!(*template.fields[0].missing, ["", "-"]);
        assert_eq!(*template.fields[1].missing, ["never"]);
        assert_eq!(template.fields_match, Some(FieldsMatch::Subset));
    }

    #[test]
    fn deeply_nested_json_is_refused_like_any_other_nonsense() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(pointers(&deep), vec![String::new()]);
    }
}
