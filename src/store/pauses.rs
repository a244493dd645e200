//! Pauses of the queue: while one lasts, no job is claimed.

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::Result;

/// A pause that lasts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pause {
    pub since: Timestamp,
    /// The administrator's name.
    pub by: String,
    /// For everybody who waits.
    pub reason: String,
}

/// The pause that lasts now, if any.
///
/// # Errors
/// `Database`.
pub fn current(connection: &Connection) -> Result<Option<Pause>> {
    Ok(connection
        .prepare_cached(
            "SELECT paused_at, paused_by, reason FROM queue_pauses WHERE resumed_at IS NULL",
        )?
        .query_row([], |row| {
            Ok(Pause {
                since: row.get(0)?,
                by: row.get(1)?,
                reason: row.get(2)?,
            })
        })
        .optional()?)
}

/// Begins a pause, or gives the one that lasts a new reason.
///
/// # Errors
/// `Database`.
pub fn begin(tx: &Tx<'_>, by: &str, reason: &str) -> Result<()> {
    let changed = tx.execute(
        "UPDATE queue_pauses SET reason = ?1 WHERE resumed_at IS NULL",
        params![reason],
    )?;
    if changed == 0 {
        tx.execute(
            "INSERT INTO queue_pauses (paused_at, paused_by, reason) VALUES (?1, ?2, ?3)",
            params![tx.now, by, reason],
        )?;
    }
    Ok(())
}

/// Ends the pause. False: there was none.
///
/// # Errors
/// `Database`.
pub fn end(tx: &Tx<'_>, by: &str) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE queue_pauses SET resumed_at = ?1, resumed_by = ?2 WHERE resumed_at IS NULL",
        params![tx.now, by],
    )?;
    Ok(changed > 0)
}
