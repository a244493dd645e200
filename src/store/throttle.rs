//! The table `sign_in_failures`: what the throttle remembers over a restart.

use rusqlite::{Connection, params};

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::Result;

/// A wrong guess.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub at: Timestamp,
    pub address: String,
    pub name_hash: String,
}

/// Keeps a wrong guess.
///
/// # Errors
/// `Database`.
pub fn insert(tx: &Tx<'_>, address: &str, name_hash: &str) -> Result<()> {
    tx.prepare_cached("INSERT INTO sign_in_failures (at, address, name_hash) VALUES (?1, ?2, ?3)")?
        .execute(params![tx.now, address, name_hash])?;
    Ok(())
}

/// Forgets the wrong guesses at a name: from one address, or from all.
///
/// # Errors
/// `Database`.
pub fn clear(tx: &Tx<'_>, address: Option<&str>, name_hash: &str) -> Result<()> {
    tx.prepare_cached(
        "DELETE FROM sign_in_failures WHERE name_hash = ?1 AND (?2 IS NULL OR address = ?2)",
    )?
    .execute(params![name_hash, address])?;
    Ok(())
}

/// The newest `limit` wrong guesses since `since`, oldest first.
///
/// # Errors
/// `Database`.
pub fn since(connection: &Connection, since: Timestamp, limit: u32) -> Result<Vec<Failure>> {
    let mut statement = connection.prepare_cached(
        "SELECT at, address, name_hash FROM sign_in_failures
         WHERE at > ?1 ORDER BY id DESC LIMIT ?2",
    )?;
    let rows = statement.query_map(params![since, limit], |row| {
        Ok(Failure {
            at: row.get(0)?,
            address: row.get(1)?,
            name_hash: row.get(2)?,
        })
    })?;
    let mut found: Vec<Failure> = rows.collect::<rusqlite::Result<_>>()?;
    found.reverse();
    Ok(found)
}

/// Forgets what is older than `before`.
///
/// # Errors
/// `Database`.
pub fn sweep(tx: &Tx<'_>, before: Timestamp) -> Result<usize> {
    Ok(tx
        .prepare_cached("DELETE FROM sign_in_failures WHERE at < ?1")?
        .execute([before])?)
}
