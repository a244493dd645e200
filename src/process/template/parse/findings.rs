//! What is wrong with a template, collected and told.

use serde_json::{Value as Json, json};

use crate::error::{Error, Problem};
use crate::words::Code;

/// Bytes that all patterns of a template may take when compiled.
const PATTERNS_BYTES_MAX: usize = 64 << 20;
/// Problems listed of one template.
const PROBLEMS_MAX: usize = 50;

/// What is wrong with a schema, and where.
pub(super) struct Findings {
    list: Vec<(String, String)>,
    /// Bytes left for compiled patterns.
    pub(super) pattern_bytes_left: usize,
}

impl Findings {
    pub(super) fn new() -> Findings {
        Findings {
            list: Vec::new(),
            pattern_bytes_left: PATTERNS_BYTES_MAX,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn add(&mut self, pointer: &str, message: impl Into<String>) {
        self.list.push((pointer.to_owned(), message.into()));
    }

    /// The first thing in words, and all of them as members.
    pub(super) fn refusal(&self) -> Error {
        let first = self
            .list
            .first()
            .map_or("", |(_, message)| message.as_str());
        let place = self.list.first().map_or("", |(at, _)| at.as_str());
        let others = match self.list.len() {
            0 | 1 => String::new(),
            2 => " One more thing is wrong.".to_owned(),
            count => format!(" {} more things are wrong.", count - 1),
        };
        let place = if place.is_empty() {
            String::new()
        } else {
            format!(" ({})", in_words(place))
        };
        let errors: Vec<Json> = self
            .list
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
}

/// `/fields/0/type` as people say it.
fn in_words(pointer: &str) -> String {
    let mut parts = pointer.trim_start_matches('/').split('/');
    let (Some("fields"), Some(Ok(index))) = (parts.next(), parts.next().map(str::parse::<usize>))
    else {
        return pointer.to_owned();
    };
    let mut words = format!("field {}", index.saturating_add(1));
    for part in parts {
        words.push_str(", ");
        words.push_str(part);
    }
    words
}
