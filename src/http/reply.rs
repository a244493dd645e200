//! The usual answers.

use rouille::Response;
use serde_json::Value;

/// A JSON answer that nobody may keep.
pub fn json(status: u16, body: &Value) -> Response {
    Response::from_data("application/json", body.to_string().into_bytes())
        .with_status_code(status)
        .with_additional_header("Cache-Control", "no-store")
}
