//! First answers, kept for clients that ask again with the same Idempotency-Key.

use rusqlite::{Connection, OptionalExtension, params};

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::Result;
use crate::id::UserId;

/// An answer as it was first given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// The `Location` header, if it had one.
    pub location: Option<String>,
    /// The JSON body.
    pub body: String,
}

/// A kept answer and what it was the answer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub fingerprint: String,
    pub answer: Answer,
}

/// The answer kept under the key since `since`.
///
/// # Errors
/// `Database`.
pub fn find(
    connection: &Connection,
    user: UserId,
    key: &str,
    since: Timestamp,
) -> Result<Option<Kept>> {
    Ok(connection
        .prepare_cached(
            "SELECT fingerprint, status, location, body FROM idempotency
             WHERE user_id = ?1 AND key = ?2 AND created_at > ?3",
        )?
        .query_row(params![user.0, key, since], |row| {
            Ok(Kept {
                fingerprint: row.get(0)?,
                answer: Answer {
                    status: row.get(1)?,
                    location: row.get(2)?,
                    body: row.get(3)?,
                },
            })
        })
        .optional()?)
}

/// Keeps an answer, in the place of one that is too old to count.
///
/// # Errors
/// `Database`.
pub fn keep(
    tx: &Tx<'_>,
    user: UserId,
    key: &str,
    fingerprint: &str,
    answer: &Answer,
) -> Result<()> {
    tx.prepare_cached(
        "INSERT OR REPLACE INTO idempotency (user_id, key, fingerprint, status, location, body, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        user.0,
        key,
        fingerprint,
        answer.status,
        answer.location,
        answer.body,
        tx.now
    ])?;
    Ok(())
}

/// Forgets what is older than `before`.
///
/// # Errors
/// `Database`.
pub fn sweep(tx: &Tx<'_>, before: Timestamp) -> Result<usize> {
    Ok(tx.execute(
        "DELETE FROM idempotency WHERE created_at <= ?1",
        params![before],
    )?)
}
