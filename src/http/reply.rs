//! The usual answers.

use rouille::Response;
use serde_json::Value;

/// A JSON answer that nobody may keep.
pub fn json(status: u16, body: &Value) -> Response {
    Response::from_data("application/json", body.to_string().into_bytes())
        .with_status_code(status)
        .with_additional_header("Cache-Control", "no-store")
}

/// 304: the client has it already.
pub fn not_modified(etag: &str) -> Response {
    Response::text("")
        .with_status_code(304)
        .without_header("Content-Type")
        .with_additional_header("ETag", etag.to_owned())
        .with_additional_header("Cache-Control", "no-cache")
}

/// Whether an `If-None-Match` names this tag (RFC 9110, 13.1.2: weak comparison).
pub fn tag_matches(if_none_match: &str, etag: &str) -> bool {
    if_none_match
        .split(',')
        .map(str::trim)
        .any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_tag_of_a_list_counts() {
        assert!(tag_matches("\"a\", W/\"b\"", "\"b\""));
        assert!(tag_matches("*", "\"b\""));
        assert!(!tag_matches("\"a\"", "\"b\""));
    }
}
