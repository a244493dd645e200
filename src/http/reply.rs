//! The usual answers.

use rouille::Response;
use serde_json::Value;

/// A JSON answer that nobody may keep.
pub fn json(status: u16, body: &Value) -> Response {
    Response::from_data("application/json", body.to_string().into_bytes())
        .with_status_code(status)
        .with_additional_header("Cache-Control", "no-store")
}

/// What the page may load, and from where: from here and nowhere else.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// With the headers that every answer carries (OWASP ASVS 5, V3.4).
pub fn guarded(response: Response, https: bool) -> Response {
    let response = response
        .with_unique_header("X-Content-Type-Options", "nosniff")
        .with_unique_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        .with_unique_header("X-Frame-Options", "DENY")
        .with_unique_header("Referrer-Policy", "same-origin")
        .with_unique_header("Cross-Origin-Resource-Policy", "same-origin");
    if https {
        // Over plain http browsers ignore the first and say so at every load.
        response
            .with_unique_header("Cross-Origin-Opener-Policy", "same-origin")
            .with_unique_header("Strict-Transport-Security", "max-age=31536000")
    } else {
        response
    }
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
