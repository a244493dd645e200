//! Templates that the office made; the built-in ones live in the program.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::Result;

/// A stored version of a template.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    pub name: String,
    pub version: i64,
    /// The Table Schema's text; `None` where this version says that the template was deleted.
    pub schema: Option<String>,
    pub created_at: Timestamp,
    pub created_by: Option<String>,
}

fn stored(row: &rusqlite::Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        name: row.get(0)?,
        version: row.get(1)?,
        schema: row.get(2)?,
        created_at: row.get(3)?,
        created_by: row.get(4)?,
    })
}

/// The newest version of a template, a deletion included.
///
/// # Errors
/// `Database`.
pub fn newest(connection: &Connection, name: &str) -> Result<Option<Stored>> {
    Ok(connection
        .prepare_cached(
            "SELECT name, version, schema, created_at, created_by FROM templates
             WHERE name = ?1 ORDER BY version DESC LIMIT 1",
        )?
        .query_row(params![name], stored)
        .optional()?)
}

/// One version of a template.
///
/// # Errors
/// `Database`.
pub fn version(connection: &Connection, name: &str, version: i64) -> Result<Option<Stored>> {
    Ok(connection
        .prepare_cached(
            "SELECT name, version, schema, created_at, created_by FROM templates
             WHERE name = ?1 AND version = ?2",
        )?
        .query_row(params![name, version], stored)
        .optional()?)
}

/// When a version of a template was made, and by whom.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Version {
    pub version: i64,
    pub created_at: Timestamp,
    pub created_by: Option<String>,
    /// Whether this version says that the template was deleted.
    pub deleted: bool,
}

/// The newest versions of a template, at most `limit`, newest first.
///
/// # Errors
/// `Database`.
pub fn versions(connection: &Connection, name: &str, limit: u32) -> Result<Vec<Version>> {
    let mut statement = connection.prepare_cached(
        "SELECT version, created_at, created_by, schema IS NULL FROM templates
         WHERE name = ?1 ORDER BY version DESC LIMIT ?2",
    )?;
    let rows = statement.query_map(params![name, limit], |row| {
        Ok(Version {
            version: row.get(0)?,
            created_at: row.get(1)?,
            created_by: row.get(2)?,
            deleted: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The newest version of every template, deletions included, by name.
///
/// # Errors
/// `Database`.
pub fn all_newest(connection: &Connection) -> Result<Vec<Stored>> {
    let mut statement = connection.prepare_cached(
        "SELECT name, version, schema, created_at, created_by FROM templates t
         WHERE version = (SELECT max(version) FROM templates n WHERE n.name = t.name)
         ORDER BY name",
    )?;
    let rows = statement.query_map([], stored)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The names of all templates that ever were, in the order in which they were first made.
///
/// # Errors
/// `Database`.
pub fn names_by_age(connection: &Connection) -> Result<Vec<String>> {
    let mut statement = connection
        .prepare_cached("SELECT name FROM templates WHERE version = 1 ORDER BY created_at, name")?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Adds a version.
///
/// # Errors
/// `Database`.
pub fn add(tx: &Tx<'_>, name: &str, version: i64, schema: Option<&str>, by: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO templates (name, version, schema, created_at, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5)",
        params![name, version, schema, tx.now, by],
    )?;
    Ok(())
}
