//! Mappings that people made by hand, remembered for the same headers under the same template.

use rusqlite::{Connection, OptionalExtension, params};

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::Result;

/// A remembered mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Remembered {
    pub id: i64,
    pub template: String,
    /// The headers as a JSON array, as they stood in the file.
    pub headers: String,
    /// `{"header": "field"}`, null where a column belongs to none.
    pub mapping: String,
    pub created_at: Timestamp,
    pub created_by: String,
}

fn remembered(row: &rusqlite::Row<'_>) -> rusqlite::Result<Remembered> {
    Ok(Remembered {
        id: row.get(0)?,
        template: row.get(1)?,
        headers: row.get(2)?,
        mapping: row.get(3)?,
        created_at: row.get(4)?,
        created_by: row.get(5)?,
    })
}

/// Remembers a mapping; the newest one for a set of headers counts.
///
/// # Errors
/// `Database`.
pub fn remember(
    tx: &Tx<'_>,
    template: &str,
    headers_key: &str,
    headers: &str,
    mapping: &str,
    by: &str,
) -> Result<()> {
    tx.execute(
        "INSERT INTO mappings (template, headers_key, headers, mapping, created_at, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (template, headers_key) DO UPDATE SET
             headers = ?3, mapping = ?4, created_at = ?5, created_by = ?6",
        params![template, headers_key, headers, mapping, tx.now, by],
    )?;
    Ok(())
}

/// The mapping for a set of headers.
///
/// # Errors
/// `Database`.
pub fn find(
    connection: &Connection,
    template: &str,
    headers_key: &str,
) -> Result<Option<Remembered>> {
    Ok(connection
        .prepare_cached(
            "SELECT id, template, headers, mapping, created_at, created_by FROM mappings
             WHERE template = ?1 AND headers_key = ?2",
        )?
        .query_row(params![template, headers_key], remembered)
        .optional()?)
}

/// One mapping.
///
/// # Errors
/// `Database`.
pub fn by_id(connection: &Connection, id: i64) -> Result<Option<Remembered>> {
    Ok(connection
        .query_row(
            "SELECT id, template, headers, mapping, created_at, created_by FROM mappings
             WHERE id = ?1",
            params![id],
            remembered,
        )
        .optional()?)
}

/// A page of the mappings, newest first, before `before`.
///
/// # Errors
/// `Database`.
pub fn page(connection: &Connection, before: Option<i64>, limit: u32) -> Result<Vec<Remembered>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, template, headers, mapping, created_at, created_by FROM mappings
         WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
    )?;
    let rows = statement.query_map(params![before.unwrap_or(i64::MAX), limit], remembered)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Forgets a mapping. False: there is none.
///
/// # Errors
/// `Database`.
pub fn forget(tx: &Tx<'_>, id: i64) -> Result<bool> {
    Ok(tx.execute("DELETE FROM mappings WHERE id = ?1", params![id])? == 1)
}
