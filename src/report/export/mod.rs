//! Downloads: what spreadsheet programs and scripts take away.

pub mod csv;
pub mod xlsx;

use std::borrow::Cow;
use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
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
///
/// # Errors
/// `Internal` where the record is damaged.
fn values(record: &str) -> Result<Values<'_>> {
    Ok(serde_json::from_str(record)?)
}

/// The members of a record in their order, which is that of the report's members as a rule.
struct Values<'r> {
    list: Vec<(Text<'r>, &'r RawValue)>,
    /// The one behind the last that was asked for.
    next: usize,
}

/// Text without a copy of it, where it needs none.
#[derive(Deserialize)]
struct Text<'r>(#[serde(borrow)] Cow<'r, str>);

impl<'r> Values<'r> {
    fn get(&mut self, name: &str) -> Option<&'r RawValue> {
        let is_it = |(other, _): &&(Text<'r>, &RawValue)| other.0 == name;
        let at = match self.list.get(self.next).filter(is_it) {
            Some(_) => self.next,
            None => self.list.iter().position(|member| is_it(&member))?,
        };
        self.next = at + 1;
        self.list.get(at).map(|(_, value)| *value)
    }
}

impl<'de> Deserialize<'de> for Values<'de> {
    fn deserialize<D: Deserializer<'de>>(json: D) -> std::result::Result<Self, D::Error> {
        json.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Values<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(
        self,
        mut map: A,
    ) -> std::result::Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(member) = map.next_entry()? {
            list.push(member);
        }
        Ok(Values { list, next: 0 })
    }
}

/// A value as text: a number with the digits that it was stored with, a year with four, with which it can be
/// read again. `None`: there is no value.
fn plain<'v>(member: &Member, value: &'v RawValue) -> Result<Option<Cow<'v, str>>> {
    let json = value.get();
    if json == "null" {
        return Ok(None);
    }
    if json.starts_with('"') {
        return Ok(Some(serde_json::from_str::<Text<'_>>(json)?.0));
    }
    let year = (member.kind == "year").then(|| json.parse::<u32>());
    Ok(Some(match year {
        Some(Ok(year @ 0..1_000)) => Cow::Owned(format!("{year:04}")),
        Some(_) | None => Cow::Borrowed(json),
    }))
}
