//! `v_clean_TEMPLATE`: the office's list with a template's fields as columns, for whoever looks into the
//! database. SQLite keeps the views; the program makes them anew where templates have changed.

use std::collections::{BTreeMap, HashSet};

use rusqlite::Connection;
use serde_json::Value;

use super::all;
use crate::db::Tx;
use crate::error::Result;
use crate::process::template::Template;
use crate::store::templates;

/// What the names of these views begin with.
const PREFIX: &str = "v_clean_";

/// Columns that say where a record is from, after its fields: name, and expression on `v_stored`.
const SOURCE: [(&str, &str); 6] = [
    ("record", "id"),
    ("file", "file"),
    ("row", "row"),
    ("uploader", "uploader"),
    ("job", "job"),
    ("stored_at", "stored_at"),
];

/// Fields that are shown: SQLite shows 2,000 columns at most.
const FIELDS_MAX: usize = 1_990;

/// Makes, replaces and drops views until there is the right one for each template in use. Where they are
/// right already, nothing is written.
///
/// # Errors
/// `Database`.
pub fn refresh(tx: &Tx<'_>) -> Result<()> {
    let wanted = wanted(tx)?;
    let there = there(tx)?;
    for name in there.keys().filter(|name| !wanted.contains_key(*name)) {
        tx.execute_batch(&format!("DROP VIEW {}", quoted(name)))?;
    }
    for (name, sql) in &wanted {
        if there.get(name) != Some(sql) {
            tx.execute_batch(&format!("DROP VIEW IF EXISTS {}; {sql}", quoted(name)))?;
        }
    }
    Ok(())
}

/// Whether [`refresh`] would write.
///
/// # Errors
/// `Database`.
pub fn are_stale(connection: &Connection) -> Result<bool> {
    Ok(wanted(connection)? != there(connection)?)
}

/// The text of each view by its name. The names of views don't know case: of templates whose names differ in
/// case only, as there may be in older databases, the later ones' views get a number.
fn wanted(connection: &Connection) -> Result<BTreeMap<String, String>> {
    let mut views = BTreeMap::new();
    let mut entries = all(connection)?;
    let ages = templates::names_by_age(connection)?;
    // What is built in was there first.
    entries.sort_by_cached_key(|entry| {
        let is_own = Template::built_in_schema(&entry.name).is_none();
        is_own.then(|| ages.iter().position(|name| *name == entry.name))
    });
    let known: HashSet<String> = entries
        .iter()
        .map(|entry| entry.name.to_lowercase())
        .collect();
    let mut taken = HashSet::new();
    for entry in entries {
        let schema: Value = serde_json::from_str(&entry.schema)?;
        let fields = schema
            .get("fields")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|field| field.get("name").and_then(Value::as_str));
        let mut own = entry.name.clone();
        let mut number = 1;
        while (number > 1 && known.contains(&own.to_lowercase()))
            || !taken.insert(own.to_lowercase())
        {
            number += 1;
            own = format!("{}_{number}", entry.name);
        }
        let name = format!("{PREFIX}{own}");
        let sql = view(&name, &entry.name, fields);
        views.insert(name, sql);
    }
    Ok(views)
}

fn there(connection: &Connection) -> Result<BTreeMap<String, String>> {
    let mut statement = connection.prepare_cached(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'view' AND substr(name, 1, 8) = ?1",
    )?;
    let rows = statement.query_map([PREFIX], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn view<'a>(name: &str, template: &str, fields: impl Iterator<Item = &'a str>) -> String {
    let mut taken = HashSet::new();
    let mut columns: Vec<String> = fields
        // SQL ends at one.
        .filter(|field| !field.contains('\0'))
        .take(FIELDS_MAX)
        .map(|field| {
            // SQLite's column names don't know case; ours do.
            let mut column = field.to_owned();
            let mut number = 1;
            while !taken.insert(column.to_lowercase()) {
                number += 1;
                column = format!("{field}_{number}");
            }
            format!("{} AS {}", value(field), quoted(&column))
        })
        .collect();
    columns.extend(
        SOURCE
            .iter()
            .filter(|(column, _)| !taken.contains(*column))
            .map(|(column, expression)| format!("{expression} AS {}", quoted(column))),
    );
    format!(
        "CREATE VIEW {} AS\nSELECT {}\nFROM v_stored WHERE template = {}",
        quoted(name),
        columns.join(",\n       "),
        text(template)
    )
}

/// The value of a field: at the place that the job's fields give it, or under its name.
fn value(field: &str) -> String {
    let name = text(field);
    // A path can't name every field: SQLite knows no escape in one.
    let named = if field.contains(|c: char| c == '"' || c == '\\' || c.is_control()) {
        format!("(SELECT value FROM json_each(v_stored.data) WHERE key = {name})")
    } else {
        format!("data ->> {}", text(&format!("$.\"{field}\"")))
    };
    format!(
        "iif(substr(data, 1, 1) = '[', \
         data ->> (SELECT position FROM job_fields WHERE job_id = v_stored.job AND name = {name}), {named})"
    )
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_field_is_called_its_value_is_found_under_its_name() {
        let names = [
            "plain",
            "two words",
            "it's",
            "quo\"te",
            "back\\slash",
            "a.b",
            "$",
            "[0]",
            "12",
            "Größe",
            "select",
            "row",
            "ROW",
            "new\nline",
            "; DROP TABLE v_stored",
        ];
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE v_stored (id, template, data, file, row, uploader, job, stored_at);
                 CREATE TABLE job_fields (job_id, position, name)",
            )
            .unwrap();
        let file = |id: i64, job: i64, data: String| {
            connection
                .execute(
                    "INSERT INTO v_stored VALUES (?1, 'it''s', ?2, 'a.csv', 2, 'anna', ?3, '')",
                    (id, data, job),
                )
                .unwrap();
        };
        // In any order, beside the values or for the job.
        let data: serde_json::Map<String, Value> = (0..)
            .zip(names)
            .map(|(at, name)| (name.to_owned(), Value::from(at)))
            .collect();
        let values: Vec<i64> = (0..).take(names.len()).collect();
        file(7, 1, Value::Object(data).to_string());
        file(
            8,
            2,
            format!("{:?}", values.iter().rev().collect::<Vec<_>>()),
        );
        for (position, name) in (0_i64..).zip(names.iter().rev()) {
            connection
                .execute(
                    "INSERT INTO job_fields VALUES (2, ?1, ?2)",
                    (position, name),
                )
                .unwrap();
        }
        let sql = view("v_clean_it's", "it's", names.into_iter());
        connection.execute_batch(&sql).unwrap();
        let mut statement = connection
            .prepare("SELECT * FROM \"v_clean_it's\"")
            .unwrap();
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query([]).unwrap();
        for _ in 0..2 {
            let row = rows.next().unwrap().unwrap();
            for (at, (name, value)) in names.iter().zip(&values).enumerate() {
                assert_eq!(row.get::<_, i64>(at).unwrap(), *value, "{name}");
            }
        }
        assert_eq!(columns[0], "plain");
        assert_eq!(columns[12], "ROW_2");
        assert_eq!(columns[13], "new\nline");
        // "row" is a field here; what the view says of the file is there under the other names.
        assert!(!columns[15..].contains(&"row".to_owned()));
        assert_eq!(columns.last().unwrap(), "stored_at");
    }
}
