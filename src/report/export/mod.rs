//! Downloads: what spreadsheet programs and scripts take away.

pub mod csv;
pub mod xlsx;

use std::borrow::Cow;

use serde_json::Value;

/// A member of the records, and its type in the template.
#[derive(Debug, Clone)]
pub struct Member {
    pub name: String,
    pub kind: String,
}

/// The members of a job's records, as its report tells them.
pub fn members(report: &Value) -> Vec<Member> {
    let columns = report.get("columns").and_then(Value::as_array);
    let text = |column: &Value, name: &str| Some(column.get(name)?.as_str()?.to_owned());
    columns
        .into_iter()
        .flatten()
        .filter_map(|column| {
            Some(Member {
                name: text(column, "name")?,
                kind: text(column, "type")?,
            })
        })
        .collect()
}

/// A value as text; a year has four digits, with which it can be read again.
fn plain<'v>(member: &Member, value: &'v Value) -> Cow<'v, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Number(number) if member.kind == "year" => match number.as_i64() {
            Some(year) if (0..1_000).contains(&year) => Cow::Owned(format!("{year:04}")),
            Some(_) | None => Cow::Owned(number.to_string()),
        },
        other @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Array(_)
        | Value::Object(_)) => Cow::Owned(other.to_string()),
    }
}
