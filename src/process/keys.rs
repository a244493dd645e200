//! Which rows are the same: the values of unique fields and keys, seen in this file so far, and
//! the form in which they are found again in the office's list.

use std::borrow::Cow;
use std::collections::HashMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};

use super::messages;
use super::normalize;
use super::seen::Seen;
use super::template::{Field, Template};
use super::types::FieldType;
use super::value::{NotFinite, Value};
use crate::error::Result;
use crate::words::Fault;

/// What makes rows the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyKind {
    /// The constraint `unique` of one field.
    Unique,
    Primary,
    /// One of `uniqueKeys`.
    UniqueKey,
}

/// A key of a template all of whose fields the file has.
#[derive(Debug, Clone)]
pub(super) struct KeySpec {
    pub kind: KeyKind,
    /// Positions of its fields.
    pub fields: Vec<usize>,
    /// For each field: whether letter case and spaces make no difference.
    fold: Vec<bool>,
    /// Part of every hash: keys of other fields never collide with it.
    names: String,
}

impl KeySpec {
    /// What a row is told that has it again.
    pub(super) fn fault(&self) -> Fault {
        match self.kind {
            KeyKind::Primary => Fault::PrimaryKey,
            KeyKind::Unique | KeyKind::UniqueKey => Fault::UniqueError,
        }
    }

    /// Whether the office's list is searched by it.
    pub(super) fn is_listed(&self) -> bool {
        match self.kind {
            KeyKind::Primary | KeyKind::UniqueKey => true,
            KeyKind::Unique => false,
        }
    }
}

/// The value of a key in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Position among [`Keys::specs`].
    pub number: usize,
    /// What the database finds it by; values that differ may share one.
    pub hash: i64,
    /// Equal for equal keys and only for them.
    pub text: String,
}

/// A key by which a stored record is found again.
#[derive(Debug, PartialEq, Eq)]
pub struct RecordKey {
    kind: KeyKind,
    /// Positions of its fields.
    pub(super) fields: Vec<usize>,
    /// As [`Key::hash`].
    pub hash: i64,
    /// As [`Key::text`].
    text: String,
    /// What tells it from others within a file.
    pub(super) seen: [u32; 3],
}

impl RecordKey {
    pub(super) fn labels<'t>(&self, template: &'t Template) -> Vec<&'t str> {
        let fields = self.fields.iter();
        let known = fields.filter_map(|field| template.fields.get(*field));
        known.map(Field::label).collect()
    }
}

/// The keys by which a list's records are found, with the positions of their fields.
fn listed_keys(template: &Template) -> impl Iterator<Item = (KeyKind, &Vec<usize>)> {
    let primary = std::iter::once((KeyKind::Primary, &template.primary_key));
    let unique = template.unique_keys.iter();
    primary
        .chain(unique.map(|key| (KeyKind::UniqueKey, key)))
        .filter(|(_, fields)| !fields.is_empty())
}

/// What the keys of a list's records are made by: templates of which this is the same find each other's
/// records. Empty where a template has no keys.
pub fn key_form(template: &Template) -> String {
    let forms: Vec<String> = listed_keys(template)
        .map(|(kind, fields)| {
            let spec = spec(template, kind, fields);
            let of = |at: &usize| template.fields.get(*at);
            let types = fields.iter().filter_map(of).map(|field| field.kind.name());
            let parts: Vec<String> = spec
                .names
                .split('\u{1f}')
                .zip(types)
                .zip(&spec.fold)
                .map(|((name, kind), fold)| {
                    format!("{name}:{kind}{}", if *fold { "~" } else { "" })
                })
                .collect();
            format!("{}({})", char::from(kind_byte(kind)), parts.join(","))
        })
        .collect();
    forms.join(" ")
}

/// What people call the key of a stored record that has this hash: "Company Name and Website_URL".
///
/// # Errors
/// `Internal` where `data` is no JSON object.
pub fn key_label(template: &Template, data: &str, hash: i64) -> Result<Option<String>> {
    let keys = Keys::of_record(template, data)?;
    let key = keys.iter().find(|key| key.hash == hash);
    Ok(key.map(|key| messages::listed(&key.labels(template))))
}

/// By what people know a stored record: its first key with its values, "Company Name Acme".
///
/// # Errors
/// `Internal` where `data` is no JSON object.
pub fn record_label(template: &Template, data: &str) -> Result<Option<String>> {
    let keys = Keys::of_record(template, data)?;
    let Some(key) = keys.first() else {
        return Ok(None);
    };
    let members: Map<String, Json> = serde_json::from_str(data)?;
    let known = key.fields.iter().filter_map(|at| template.fields.get(*at));
    let told: Vec<String> = known
        .filter_map(|field| {
            let value = members.get(&field.name).filter(|value| !value.is_null())?;
            let value = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            Some(format!("{} {}", field.label(), messages::cut(&value, 60)))
        })
        .collect();
    Ok(Some(told.join(", ")))
}

/// The keys of a template and the rows that had them.
pub(super) struct Keys {
    specs: Vec<KeySpec>,
    seen: Seen,
}

/// What a row's values are under a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing to compare: a value is missing.
    Incomplete,
    /// All values of a primary key are missing.
    Empty,
    New(Key),
    /// The same as in this row before it.
    Again(u32),
}

impl Keys {
    /// The keys of `template` that can be checked in a file that has the fields `has` names.
    pub(super) fn new(template: &Template, has: impl Fn(usize) -> bool) -> Keys {
        let mut specs: Vec<KeySpec> = Vec::new();
        let mut add = |kind, fields: &[usize]| {
            if !fields.is_empty() && fields.iter().all(|field| has(*field)) {
                specs.push(spec(template, kind, fields));
            }
        };
        for (at, field) in template.fields.iter().enumerate() {
            if field.constraints.unique {
                add(KeyKind::Unique, &[at]);
            }
        }
        add(KeyKind::Primary, &template.primary_key);
        for key in &template.unique_keys {
            add(KeyKind::UniqueKey, key);
        }
        Keys {
            specs,
            seen: Seen::default(),
        }
    }

    pub(super) fn specs(&self) -> &[KeySpec] {
        &self.specs
    }

    /// Looks at the key `number` of a row, and notes it. `values` are by field.
    pub(super) fn note(&mut self, number: usize, row: u32, values: &[Option<Value<'_>>]) -> Found {
        let Some(spec) = self.specs.get(number) else {
            return Found::Incomplete;
        };
        let of = |field: &usize| values.get(*field).and_then(Option::as_ref);
        let is_nan = |value: &Value<'_>| matches!(value, Value::NotFinite(NotFinite::Nan));
        if spec.fields.iter().filter_map(of).any(is_nan) {
            // NaN is not even like itself.
            return Found::Incomplete;
        }
        let missing = spec
            .fields
            .iter()
            .filter(|field| of(field).is_none())
            .count();
        match spec.kind {
            KeyKind::Primary if missing == spec.fields.len() => return Found::Empty,
            // The standard compares keys as SQL does: no value is like no other.
            KeyKind::Unique | KeyKind::UniqueKey if missing > 0 => return Found::Incomplete,
            KeyKind::Primary | KeyKind::Unique | KeyKind::UniqueKey => {}
        }
        let parts = spec
            .fields
            .iter()
            .map(|field| of(field).map(Value::canonical));
        let text = joined(spec, parts);
        let (mut seen, hash) = hashes_of(spec, &text);
        if let Some(told) = typed_cells(spec, values) {
            seen = hashes_of(spec, &format!("{text}{told}")).0;
        }
        match self.seen.note(seen, row) {
            Some(first) => Found::Again(first),
            None => Found::New(Key { number, hash, text }),
        }
    }

    /// All keys that a record has by which it is found again, those included that its file could not
    /// check.
    ///
    /// # Errors
    /// `Internal` where `data` is no JSON object.
    pub(super) fn of_record(template: &Template, data: &str) -> Result<Vec<RecordKey>> {
        let members: HashMap<String, &RawValue> = serde_json::from_str(data)?;
        let mut keys = Vec::new();
        for (kind, fields) in listed_keys(template) {
            let spec = spec(template, kind, fields);
            let parts: Vec<Option<Cow<'_, str>>> = fields
                .iter()
                .map(|field| {
                    let field = template.fields.get(*field)?;
                    stored(members.get(&field.name)?, &field.kind).map(Cow::Owned)
                })
                .collect();
            let missing = parts.iter().filter(|part| part.is_none()).count();
            let complete = match kind {
                KeyKind::Primary => missing < parts.len(),
                KeyKind::Unique | KeyKind::UniqueKey => missing == 0,
            };
            if complete {
                let text = joined(&spec, parts.into_iter());
                let (seen, hash) = hashes_of(&spec, &text);
                keys.push(RecordKey {
                    kind,
                    fields: fields.clone(),
                    hash,
                    text,
                    seen,
                });
            }
        }
        Ok(keys)
    }

    /// Whether a stored record really has this key, and not only its hash.
    ///
    /// # Errors
    /// `Internal` where `data` is no JSON object.
    pub(super) fn is_of(&self, key: &Key, template: &Template, data: &str) -> Result<bool> {
        let Some(spec) = self.specs.get(key.number) else {
            return Ok(false);
        };
        let members: HashMap<String, &RawValue> = serde_json::from_str(data)?;
        let parts = spec.fields.iter().map(|field| {
            let field = template.fields.get(*field)?;
            stored(members.get(&field.name)?, &field.kind).map(Cow::Owned)
        });
        Ok(joined(spec, parts) == key.text)
    }
}

/// Tells the number 1 from the text "1", and a boolean from the text "true", in fields that take any
/// value, as the standard's keys do within a file: which of the values are what; `None` where all are
/// text. An office's list doesn't mind how something was typed, and `uniqueKeys` neither.
fn typed_cells(spec: &KeySpec, values: &[Option<Value<'_>>]) -> Option<String> {
    if spec.kind == KeyKind::UniqueKey {
        return None;
    }
    let told: String = spec
        .fields
        .iter()
        .map(|field| match values.get(*field) {
            Some(Some(Value::Raw(_))) => '#',
            Some(Some(Value::Bool(_))) => '?',
            Some(_) | None => '=',
        })
        .collect();
    told.contains(['#', '?']).then_some(told)
}

/// 48 bits: SQLite keeps each number in two places, and values that share one are told apart anyway.
const HASH_BITS: i64 = (1 << 48) - 1;

/// What a key is noted by in this file, and found by in the database.
fn hashes_of(spec: &KeySpec, text: &str) -> ([u32; 3], i64) {
    let digest = Sha256::new()
        .chain_update([kind_byte(spec.kind)])
        .chain_update(spec.names.as_bytes())
        .chain_update([0])
        .chain_update(text.as_bytes())
        .finalize();
    let word = |at: usize| {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&digest[at..at + 4]);
        u32::from_le_bytes(bytes)
    };
    let mut hash = [0; 8];
    hash.copy_from_slice(&digest[16..24]);
    let hash = i64::from_le_bytes(hash) & HASH_BITS;
    ([word(0), word(4), word(8)], hash)
}

fn kind_byte(kind: KeyKind) -> u8 {
    match kind {
        KeyKind::Unique => b'u',
        KeyKind::Primary => b'p',
        KeyKind::UniqueKey => b'k',
    }
}

fn spec(template: &Template, kind: KeyKind, fields: &[usize]) -> KeySpec {
    let of = |field: &usize| template.fields.get(*field);
    KeySpec {
        kind,
        fields: fields.to_vec(),
        // Where a template says nothing of normalising, values are compared as they stand.
        fold: fields
            .iter()
            .map(|field| {
                kind == KeyKind::UniqueKey
                    && of(field).is_some_and(|field| !field.normalize.is_empty())
            })
            .collect(),
        names: fields
            .iter()
            .filter_map(of)
            .map(|field| field.name.as_str())
            .collect::<Vec<_>>()
            .join("\u{1f}"),
    }
}

/// The parts with their lengths, so that no two lists give the same text.
fn joined<'v>(spec: &KeySpec, parts: impl Iterator<Item = Option<Cow<'v, str>>>) -> String {
    let mut text = String::with_capacity(96);
    for (part, fold) in parts.zip(&spec.fold) {
        match part {
            None => text.push('-'),
            Some(part) => {
                let from = text.len();
                if *fold {
                    normalize::fold_into(&part, &mut text);
                } else {
                    text.push_str(&part);
                }
                let length = text.len() - from;
                text.push(':');
                push_number(&mut text, length);
                text.push(';');
            }
        }
    }
    text
}

/// Appends a number; formatting does the same for a length three times a row, in ten times the time.
fn push_number(text: &mut String, number: usize) {
    if number >= 10 {
        push_number(text, number / 10);
    }
    text.extend(char::from_digit(
        u32::try_from(number % 10).unwrap_or(0),
        10,
    ));
}

/// A value of a record's JSON as keys compare it.
fn stored(json: &RawValue, kind: &FieldType) -> Option<String> {
    let json = json.get();
    match json.as_bytes().first() {
        None | Some(b'n') => None,
        Some(b'"') => {
            let text: String = serde_json::from_str(json).ok()?;
            let value = kind.read_stored(&text);
            Some(value.canonical().into_owned())
        }
        Some(b't' | b'f' | b'[' | b'{') => Some(json.to_owned()),
        Some(_) => Some(Value::Raw(json).canonical().into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::decimal::Decimal;

    fn keys(schema: &str) -> (Template, Keys) {
        let template = Template::parse("t", 1, schema).unwrap();
        let keys = Keys::new(&template, |_| true);
        (template, keys)
    }

    fn text(text: &str) -> Option<Value<'_>> {
        Some(Value::Text(text.into()))
    }

    #[test]
    fn keys_are_compared_as_the_template_says() {
        let (_, mut exact) = keys(r#"{"fields":[{"name":"a"}],"uniqueKeys":[["a"]]}"#);
        assert!(matches!(exact.note(0, 2, &[text("ACME")]), Found::New(_)));
        assert!(matches!(exact.note(0, 3, &[text("acme")]), Found::New(_)));
        assert_eq!(exact.note(0, 4, &[text("ACME")]), Found::Again(2));
        let (_, mut folded) =
            keys(r#"{"fields":[{"name":"a","normalize":["trim"]}],"uniqueKeys":[["a"]]}"#);
        assert!(matches!(
            folded.note(0, 2, &[text("ACME  Ltd")]),
            Found::New(_)
        ));
        assert_eq!(folded.note(0, 3, &[text("acme ltd")]), Found::Again(2));
    }

    #[test]
    fn a_number_cell_is_no_text_cell_within_a_file_but_the_list_knows_both() {
        let (_, mut keys) = keys(
            r#"{"fields":[{"name":"a","constraints":{"unique":true}}],"primaryKey":"a","uniqueKeys":[["a"]]}"#,
        );
        let mut found = |row: u32, value: Value<'static>| -> Vec<Found> {
            let values = [Some(value)];
            (0..3).map(|key| keys.note(key, row, &values)).collect()
        };
        let number = found(2, Value::Raw("1"));
        let text = found(3, Value::Text("1".into()));
        assert!(matches!(text[0], Found::New(_)), "unique");
        let (Found::New(one), Found::New(other)) = (&number[1], &text[1]) else {
            panic!("{number:?} {text:?}");
        };
        assert_eq!(one, other, "the list minds no difference");
        assert_eq!(text[2], Found::Again(2), "nor do unique keys");
        assert!(matches!(
            found(5, Value::Text("true".into()))[0],
            Found::New(_)
        ));
        assert!(matches!(found(6, Value::Bool(true))[0], Found::New(_)));
        let again = found(4, Value::Raw("1.0"));
        assert_eq!(again[..2], [Found::Again(2), Found::Again(2)]);
    }

    #[test]
    fn a_missing_value_is_like_no_other() {
        let (_, mut keys) = keys(
            r#"{"fields":[{"name":"a"},{"name":"b"}],"uniqueKeys":[["a","b"]],"primaryKey":["a","b"]}"#,
        );
        // 0 is the primary key, 1 the unique key.
        assert_eq!(keys.note(1, 2, &[text("x"), None]), Found::Incomplete);
        assert_eq!(keys.note(0, 2, &[None, None]), Found::Empty);
        assert!(matches!(keys.note(0, 3, &[text("x"), None]), Found::New(_)));
        assert_eq!(keys.note(0, 4, &[text("x"), None]), Found::Again(3));
    }

    #[test]
    fn the_border_between_two_values_counts() {
        let (_, mut keys) =
            keys(r#"{"fields":[{"name":"a"},{"name":"b"}],"uniqueKeys":[["a","b"]]}"#);
        assert!(matches!(
            keys.note(0, 2, &[text("ab"), text("c")]),
            Found::New(_)
        ));
        assert!(matches!(
            keys.note(0, 3, &[text("a"), text("bc")]),
            Found::New(_)
        ));
    }

    #[test]
    fn a_stored_record_is_known_by_its_values() {
        let (template, mut keys) = keys(
            r#"{"fields":[{"name":"a","type":"number"},{"name":"b"}],"uniqueKeys":[["a","b"]]}"#,
        );
        let one = Some(Value::Number {
            value: Decimal::parse("1.50").unwrap(),
            json: None,
        });
        let Found::New(key) = keys.note(0, 2, &[one, text("x\"y")]) else {
            panic!("new");
        };
        assert!(
            keys.is_of(&key, &template, r#"{"a":1.5,"b":"x\"y"}"#)
                .unwrap()
        );
        assert!(!keys.is_of(&key, &template, r#"{"a":1.5,"b":"x"}"#).unwrap());
        assert!(!keys.is_of(&key, &template, r#"{"a":1.5}"#).unwrap());
    }
}
