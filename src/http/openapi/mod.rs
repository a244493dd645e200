//! The description of the API, OpenAPI 3.1: made from the route table and from what `described` says of
//! each route; the shapes are in `schemas.json`.

mod described;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use self::described::{ALL_ROUTES, Body, Content, Described};
use crate::error::{Error, Result};
use crate::http::problem;
use crate::http::routes::{self, Route, Who};
use crate::settings::Settings;
use crate::words::Code;

const SCHEMAS: &str = include_str!("schemas.json");

/// The description; the bounds of a file are told besides, so that clients can look before they send.
///
/// # Errors
/// `Internal` where a route is not described; a test sees to it that each is.
pub(in crate::http) fn document(settings: &Settings) -> Result<Value> {
    let mut paths: Map<String, Value> = Map::new();
    for route in routes::all() {
        let described = find(route).ok_or_else(|| {
            Error::Internal(format!("{} {} is not described", route.method, route.path))
        })?;
        let methods = paths
            .entry(route.path.to_owned())
            .or_insert_with(|| json!({}));
        if let Value::Object(methods) = methods {
            methods.insert(route.method.to_lowercase(), operation(route, described)?);
        }
    }
    let schemas: Value = serde_json::from_str(SCHEMAS)?;
    Ok(json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Sheetline",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Spreadsheets in, clean records out. Errors are application/problem+json with a code.",
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "paths": paths,
        "x-limits": limits(settings),
        "components": {
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "description": "a session, or an API token" },
                "header": { "type": "apiKey", "in": "header", "name": "X-Session-Id" },
                "cookie": { "type": "apiKey", "in": "cookie", "name": "session" },
            },
            "schemas": schemas,
        },
    }))
}

fn find(route: &Route) -> Option<&'static Described> {
    ALL_ROUTES
        .iter()
        .find(|described| described.method == route.method && described.path == route.path)
}

fn operation(route: &Route, described: &Described) -> Result<Value> {
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": route.summary,
        "parameters": parameters(route, described)?,
        "responses": responses(route, described),
    });
    if let Value::Object(members) = &mut operation {
        if let Some(body) = body(described.body) {
            members.insert("requestBody".to_owned(), body);
        }
        if route.who != Who::Anyone {
            members.insert(
                "security".to_owned(),
                json!([{ "bearer": [] }, { "header": [] }, { "cookie": [] }]),
            );
        }
    }
    Ok(operation)
}

/// `get-api-files-id`: stays the same as long as the address does.
fn operation_id(route: &Route) -> String {
    let words: Vec<&str> = route
        .path
        .split(['/', '{', '}', '.'])
        .filter(|word| !word.is_empty())
        .collect();
    format!("{}-{}", route.method.to_lowercase(), words.join("-"))
}

fn parameters(route: &Route, described: &Described) -> Result<Vec<Value>> {
    let mut parameters = Vec::new();
    let names = route
        .path
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    for name in names {
        let schema = if name == "id" && route.path.starts_with("/api/files/") {
            json!({ "type": "string", "format": "uuid" })
        } else if name == "id" {
            json!({ "type": "integer", "minimum": 1, "maximum": i64::MAX })
        } else if route.method == "PUT" {
            json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$" })
        } else {
            json!({ "type": "string", "minLength": 1 })
        };
        parameters.push(json!({ "name": name, "in": "path", "required": true, "schema": schema }));
    }
    for one in described.parameters {
        let schema: Value = serde_json::from_str(one.schema)?;
        parameters.push(json!({
            "name": one.name,
            "in": one.place,
            "required": false,
            "description": one.about,
            "schema": schema,
        }));
    }
    Ok(parameters)
}

fn body(body: Body) -> Option<Value> {
    let (media, schema, required) = match body {
        Body::None => return None,
        Body::Json(name) => ("application/json", reference(name), true),
        Body::JsonOrNothing(name) => ("application/json", reference(name), false),
        Body::Form(name) => ("multipart/form-data", reference(name), true),
        Body::Bytes => ("application/octet-stream", json!({}), false),
    };
    Some(json!({ "required": required, "content": { media: { "schema": schema } } }))
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn responses(route: &Route, described: &Described) -> Value {
    let mut responses: Map<String, Value> = Map::new();
    for (status, content) in described.answers {
        responses.insert(status.to_string(), answer(*status, *content, route));
    }
    for (status, codes) in codes(route, described) {
        let names: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
        let schema = json!({
            "allOf": [reference("Problem")],
            "properties": { "status": { "const": status }, "code": { "enum": names } },
        });
        let response = responses
            .entry(status.to_string())
            .or_insert_with(|| json!({ "description": names.join(", "), "content": {} }));
        response["content"]["application/problem+json"] = json!({ "schema": schema });
        if codes.contains(&Code::Busy) || codes.contains(&Code::TooManyAttempts) {
            response["headers"] = json!({ "Retry-After": { "schema": { "type": "integer" } } });
        }
    }
    Value::Object(responses)
}

fn answer(status: u16, content: Content, route: &Route) -> Value {
    let description = match status {
        202 => "It is on its way",
        201 => "It is made",
        206 => "The part that was asked for",
        304 => "The client has it already",
        503 => "It can't do its work",
        _ => "Here it is",
    };
    let mut answer = json!({ "description": description });
    match content {
        Content::Nothing => {}
        Content::Json(name) => {
            answer["content"] = json!({ "application/json": { "schema": reference(name) } });
        }
        Content::File(media) => {
            let types: Map<String, Value> = media
                .iter()
                .map(|media| ((*media).to_owned(), json!({})))
                .collect();
            answer["content"] = Value::Object(types);
        }
    }
    if route.path == "/api/files/{id}/json" && status == 200 {
        answer["content"]["application/x-ndjson"] = json!({});
    }
    if status == 202 && matches!(content, Content::Json("Queued")) {
        answer["headers"] = json!({
            "Location": { "description": "the job", "schema": { "type": "string", "format": "uri-reference" } }
        });
    }
    answer
}

/// The codes of a route's problems by status: its own, and those of its kind.
fn codes(route: &Route, described: &Described) -> BTreeMap<u16, Vec<Code>> {
    let mut all = vec![
        Code::BadRequest,
        Code::RequestTimeout,
        Code::HeadTooLarge,
        Code::Internal,
        Code::HttpVersion,
        Code::Busy,
    ];
    if route.who != Who::Anyone {
        all.extend([
            Code::SessionMissing,
            Code::SessionInvalid,
            Code::SessionExpired,
            Code::SessionRevoked,
            Code::AccountDisabled,
            Code::MustChange,
        ]);
    }
    match route.who {
        Who::Anyone | Who::SignedIn | Who::Owner => {}
        Who::Session | Who::OwnSession | Who::Admin | Who::AdminSession => {
            all.push(Code::Forbidden);
        }
    }
    if route.method != "GET" {
        all.extend([Code::CrossOrigin, Code::DiskFull, Code::LengthRequired]);
    }
    if route.path.contains('{') {
        all.push(Code::NotFound);
    }
    match described.body {
        Body::None => {}
        Body::Json(_) | Body::JsonOrNothing(_) => all.extend([Code::InvalidJson, Code::TooLarge]),
        Body::Form(_) | Body::Bytes => all.push(Code::TooLarge),
    }
    all.extend(described.problems);
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in all {
        let codes = by_status.entry(problem::status(code)).or_default();
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    by_status
}

/// The bounds of files and requests, by their names in the settings.
fn limits(settings: &Settings) -> Value {
    let mut limits = serde_json::to_value(&settings.limits).unwrap_or_default();
    if let Value::Object(members) = &mut limits {
        let mut tell = |name: &str, value: Value| members.insert(name.to_owned(), value);
        tell("upload_bytes_max", settings.upload_bytes_max.into());
        let (door, bodies) = (&settings.door, &settings.bodies);
        for (name, value) in [
            ("connections_max", settings.connections_max),
            (
                "connections_per_address_max",
                settings.connections_per_address_max,
            ),
            ("head_bytes_max", door.head_bytes_max),
            ("headers_max", door.headers_max),
            ("target_bytes_max", door.target_bytes_max),
            ("json_bytes_max", bodies.json_bytes_max),
            ("form_fields_max", bodies.form_fields_max),
            ("form_name_bytes_max", bodies.form_name_bytes_max),
            ("form_value_bytes_max", bodies.form_value_bytes_max),
            ("form_overhead_bytes_max", bodies.form_overhead_bytes_max),
        ] {
            tell(name, value.into());
        }
        for (name, time) in [
            ("head_seconds_max", door.head_time_max),
            ("body_seconds_grace", door.body_time_grace),
            ("answer_seconds_grace", door.answer_time_grace),
            ("idle_seconds_max", door.idle_time_max),
        ] {
            tell(name, time.as_secs().into());
        }
        tell("body_bytes_per_second", door.body_bytes_per_second.into());
        tell(
            "answer_bytes_per_second",
            door.answer_bytes_per_second.into(),
        );
    }
    limits
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_route_is_described_and_nothing_else() {
        let routes: HashSet<(&str, &str)> = routes::all().map(|r| (r.method, r.path)).collect();
        let described: HashSet<(&str, &str)> =
            ALL_ROUTES.iter().map(|d| (d.method, d.path)).collect();
        assert_eq!(routes, described);
        assert_eq!(ALL_ROUTES.len(), described.len(), "one is described twice");
        let document = document(&Settings::new("a.db".into())).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let mut operations = HashSet::new();
        for (path, methods) in paths {
            for (method, operation) in methods.as_object().unwrap() {
                assert!(routes.contains(&(method.to_uppercase().as_str(), path.as_str())));
                assert!(operations.insert(operation["operationId"].to_string()));
            }
        }
        assert_eq!(operations.len(), routes.len());
    }

    /// Every `$ref` in a value.
    fn references(value: &Value, found: &mut HashSet<String>) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(target)) = members.get("$ref") {
                    found.insert(target.clone());
                }
                members.values().for_each(|inner| references(inner, found));
            }
            Value::Array(items) => items.iter().for_each(|inner| references(inner, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn every_shape_is_there_and_each_is_used() {
        let document = document(&Settings::new("a.db".into())).unwrap();
        let mut used = HashSet::new();
        references(&document, &mut used);
        let there: HashSet<String> = document["components"]["schemas"]
            .as_object()
            .unwrap()
            .keys()
            .map(|name| format!("#/components/schemas/{name}"))
            .collect();
        assert_eq!(used, there);
    }

    #[test]
    fn states_and_formats_are_those_of_the_program() {
        let document = document(&Settings::new("a.db".into())).unwrap();
        let schemas = &document["components"]["schemas"];
        let states: Vec<&str> = crate::words::State::ALL
            .iter()
            .map(|s| s.as_str())
            .collect();
        assert_eq!(schemas["JobState"]["enum"], json!(states));
        let formats: Vec<&str> = crate::words::Format::ALL
            .iter()
            .map(|f| f.as_str())
            .collect();
        assert_eq!(schemas["Format"]["enum"], json!(formats));
    }
}
