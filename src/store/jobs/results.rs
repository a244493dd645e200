//! The end of a job with a result, its report, and its undoing.

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::{Claim, held};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::JobId;
use crate::words::Code;

/// What became of a file's rows: `rows` = `valid` + `invalid` + `duplicates` + `updated`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub rows: i64,
    pub valid: i64,
    pub invalid: i64,
    pub duplicates: i64,
    pub updated: i64,
    /// Those of `updated` that the list had already as they are.
    #[serde(skip_serializing_if = "is_none", default)]
    pub unchanged: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_none(count: &i64) -> bool {
    *count == 0
}

/// Ends the job with its result: from this commit on its records are in the list. Not where somebody was
/// promised that it will be cancelled.
///
/// # Errors
/// `Stopped` where the job is no longer this claim's, or is to be cancelled.
pub fn complete(
    tx: &Tx<'_>,
    claim: &Claim,
    counts: &Counts,
    report: &str,
    work_ms: u64,
) -> Result<()> {
    let changed = tx
        .prepare_cached(
            "UPDATE jobs SET status = 'completed', finished_at = ?3, changed_at = ?3, change_detail = NULL,
                    phase = 'done', rows_done = ?4, rows_total = ?4, beat_at = ?3,
                    rows = ?4, valid = ?5, invalid = ?6, duplicates = ?7, updated = ?8,
                    report = ?9, work_ms = ?10, unchanged = ?11
             WHERE id = ?1 AND status = 'processing' AND attempt = ?2 AND cancel_asked_at IS NULL",
        )?
        .execute(params![
            claim.job.0,
            claim.attempt,
            tx.now,
            counts.rows,
            counts.valid,
            counts.invalid,
            counts.duplicates,
            counts.updated,
            report,
            i64::try_from(work_ms).unwrap_or(i64::MAX),
            counts.unchanged,
        ])?;
    held(changed)
}

/// The report of a job, as it was stored.
///
/// # Errors
/// `Database`.
pub fn report(connection: &Connection, job: JobId) -> Result<Option<String>> {
    Ok(connection
        .prepare_cached("SELECT report FROM jobs WHERE id = ?1")?
        .query_row(params![job.0], |row| row.get(0))
        .optional()?
        .flatten())
}

/// Takes the job's records out of the list. What it replaced is in the list again.
///
/// # Errors
/// `not-active` where the job has no result or was undone before.
pub fn undo(tx: &Tx<'_>, job: JobId, by: &str) -> Result<()> {
    let changed = tx.execute(
        "UPDATE jobs SET undone_at = ?2, undone_by = ?3
         WHERE id = ?1 AND status = 'completed' AND undone_at IS NULL",
        params![job.0, tx.now, by],
    )?;
    if changed == 1 {
        Ok(())
    } else {
        Err(not_undoable())
    }
}

/// What is said of a job that can't be undone.
pub fn not_undoable() -> Error {
    Error::problem(
        Code::NotActive,
        "Only a completed job can be undone, and only once.",
    )
}
