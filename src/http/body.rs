//! JSON bodies: read into what a handler wants, or refused in words of their sender's.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::words::Code;

/// Fields up to which a wrong one is looked for by its name.
const MEMBERS_MAX: usize = 100;

/// A body as a `T`.
///
/// # Errors
/// `invalid-json` where it is no JSON object, or not of the shape.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    // A struct would be read from a list of its values as well.
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    if first.is_some_and(|byte| *byte != b'{') {
        return Err(Error::problem(
            Code::InvalidJson,
            "The body must be a JSON object.",
        ));
    }
    serde_json::from_slice(bytes)
        .map_err(|_| Error::problem(Code::InvalidJson, what_is_wrong::<T>(bytes)))
}

/// What keeps a body from being read as a `T`, in words of its sender's.
fn what_is_wrong<T: DeserializeOwned>(bytes: &[u8]) -> String {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return "The body is empty. It must be a JSON object.".to_owned();
    }
    let Ok(members) = serde_json::from_slice::<Map<String, Value>>(bytes) else {
        return "The body is not JSON.".to_owned();
    };
    if members.len() > MEMBERS_MAX {
        return "The body is not of the documented shape.".to_owned();
    }
    // Member by member, so that the first wrong one can be named.
    let mut sofar = Map::new();
    for (name, value) in members {
        sofar.insert(name.clone(), value);
        let Err(error) = serde_json::from_value::<T>(Value::Object(sofar.clone())) else {
            continue;
        };
        let words = error.to_string();
        let name = quoted(&name);
        if words.starts_with("missing field") {
            continue;
        }
        return if words.starts_with("unknown field") {
            format!("The body has a field {name} that means nothing here.")
        } else {
            match words
                .rsplit_once("expected ")
                .and_then(|(_, kind)| wanted(kind))
            {
                Some(wanted) => format!("The field {name} must be {wanted}."),
                None => format!("The field {name} has a value that it can't have."),
            }
        };
    }
    match serde_json::from_value::<T>(Value::Object(sofar)) {
        Err(error) => match error.to_string().split('`').nth(1) {
            Some(name) => format!("The field {} is missing.", quoted(name)),
            None => "A field is missing from the body.".to_owned(),
        },
        Ok(_) => "The body has a field twice.".to_owned(),
    }
}

/// What a value should have been.
fn wanted(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "a string" => "a text",
        "a boolean" => "true or false",
        "i64" | "i32" | "u64" | "u32" | "u16" | "u8" | "usize" => "a whole number",
        "f64" | "f32" => "a number",
        "a sequence" => "a list",
        "a map" => "an object",
        _ => return None,
    })
}

/// A field's name, short enough for a sentence.
fn quoted(name: &str) -> String {
    let short: String = name.chars().take(40).collect();
    if short.len() < name.len() {
        format!("\"{short}…\"")
    } else {
        format!("\"{short}\"")
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only parsed")]
    struct Body {
        name: String,
        size: Option<u64>,
    }

    #[test]
    fn what_is_wrong_with_a_body_is_said_without_a_parsers_words() {
        for (body, sentence) in [
            ("", "The body is empty. It must be a JSON object."),
            (" \n", "The body is empty. It must be a JSON object."),
            ("{", "The body is not JSON."),
            ("{\"name\": oops}", "The body is not JSON."),
            ("hello", "The body must be a JSON object."),
            ("[\"a\", 1]", "The body must be a JSON object."),
            ("{}", "The field \"name\" is missing."),
            ("{\"size\": 1}", "The field \"name\" is missing."),
            ("{\"name\": 5}", "The field \"name\" must be a text."),
            (
                "{\"size\": \"x\", \"name\": \"a\"}",
                "The field \"size\" must be a whole number.",
            ),
            (
                "{\"name\": \"a\", \"x\": 1}",
                "The body has a field \"x\" that means nothing here.",
            ),
            (
                "{\"name\": \"a\", \"name\": \"b\"}",
                "The body has a field twice.",
            ),
        ] {
            match parse::<Body>(body.as_bytes()) {
                Err(Error::Problem(problem)) => assert_eq!(problem.detail, sentence, "{body}"),
                other => panic!("{body}: {other:?}"),
            }
        }
    }
}
