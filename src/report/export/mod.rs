//! Downloads: what spreadsheet programs and scripts take away.

pub mod csv;
pub mod xlsx;

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::Result;

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

/// The members of a stored record, `{"field": value}`, each as it stands there.
fn values(record: &str) -> Result<HashMap<Cow<'_, str>, &RawValue>> {
    Ok(serde_json::from_str(record)?)
}

/// A value as text: a number with the digits that it was stored with, a year with four, with which it can be
/// read again. `None`: there is no value.
fn plain<'v>(member: &Member, value: &'v RawValue) -> Result<Option<Cow<'v, str>>> {
    let json = value.get();
    if json == "null" {
        return Ok(None);
    }
    if json.starts_with('"') {
        return Ok(Some(Cow::Owned(serde_json::from_str(json)?)));
    }
    let year = (member.kind == "year").then(|| json.parse::<u32>());
    Ok(Some(match year {
        Some(Ok(year @ 0..1_000)) => Cow::Owned(format!("{year:04}")),
        Some(_) | None => Cow::Borrowed(json),
    }))
}
