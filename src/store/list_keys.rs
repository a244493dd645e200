//! By which keys the records of a list are found, and giving them others.

use rusqlite::{Connection, OptionalExtension, params};

use super::filing::{FILE_KEY, further_keys};
use super::records::OfJob;
use crate::db::Tx;
use crate::error::Result;
use crate::id::JobId;

/// What the keys of a list's records are made by. `None`: unknown, or they are being made.
///
/// # Errors
/// `Database`.
pub fn form(connection: &Connection, template: &str) -> Result<Option<String>> {
    let form = connection
        .prepare_cached("SELECT form FROM list_keys WHERE template = ?1")?
        .query_row([template], |row| row.get(0))
        .optional()?;
    Ok(form.flatten())
}

/// Says what they are made by from now on.
///
/// # Errors
/// `Database`.
pub fn set_form(tx: &Tx<'_>, template: &str, form: Option<&str>) -> Result<()> {
    tx.prepare_cached("INSERT OR REPLACE INTO list_keys (template, form) VALUES (?1, ?2)")?
        .execute(params![template, form])?;
    Ok(())
}

/// The jobs that filed records into a list, the oldest first.
///
/// # Errors
/// `Database`.
pub fn jobs(connection: &Connection, template: &str) -> Result<Vec<JobId>> {
    let mut statement = connection.prepare(
        "SELECT j.id FROM jobs j
         WHERE j.template = ?1 AND EXISTS (SELECT 1 FROM records r WHERE r.job_id = j.id)
         ORDER BY j.id",
    )?;
    let rows = statement.query_map([template], |row| row.get(0).map(JobId))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The hashes that a record has in the index.
///
/// # Errors
/// `Database`.
pub(super) fn of_record(connection: &Connection, record: i64) -> Result<Vec<i64>> {
    let mut statement =
        connection.prepare_cached("SELECT key_1, key_2, keys FROM records WHERE id = ?1")?;
    let found = statement.query_row([record], |row| {
        let columns: [Option<i64>; 2] = [row.get(0)?, row.get(1)?];
        Ok((columns, row.get::<_, Option<String>>(2)?))
    });
    let Some((columns, further)) = found.optional()? else {
        return Ok(Vec::new());
    };
    let further: Vec<i64> = serde_json::from_str(further.as_deref().unwrap_or("[]"))?;
    Ok(columns.into_iter().flatten().chain(further).collect())
}

/// Gives a record these keys in place of those that it has.
///
/// # Errors
/// `Database`.
pub fn change(tx: &Tx<'_>, record: &OfJob, keys: &[i64]) -> Result<()> {
    for hash in of_record(tx, record.id)? {
        tx.prepare_cached("DELETE FROM record_keys WHERE hash = ?1 AND record_id = ?2")?
            .execute([hash, record.id])?;
    }
    tx.prepare_cached("UPDATE records SET key_1 = ?2, key_2 = ?3, keys = ?4 WHERE id = ?1")?
        .execute(params![
            record.id,
            keys.first(),
            keys.get(1),
            further_keys(keys)
        ])?;
    let mut statement = tx.prepare_cached(FILE_KEY)?;
    for hash in keys {
        statement.execute(params![hash, record.id])?;
    }
    Ok(())
}
