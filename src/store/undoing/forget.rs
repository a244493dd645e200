//! Removing what undone jobs left: versions that are not in the list any more.

use rusqlite::{Connection, OptionalExtension, params};

use super::versions::stays;
use crate::db::Tx;
use crate::error::Result;
use crate::id::JobId;

/// An undone job that still has records that are not in the list.
///
/// # Errors
/// `Database`.
pub fn next_to_forget(connection: &Connection) -> Result<Option<JobId>> {
    let stays = stays();
    Ok(connection
        .prepare_cached(&format!(
            "SELECT j.id FROM jobs j WHERE j.undone_at IS NOT NULL
               AND EXISTS (SELECT 1 FROM records r WHERE r.job_id = j.id AND NOT ({stays}))
             LIMIT 1"
        ))?
        .query_row([], |row| row.get(0).map(JobId))
        .optional()?)
}

/// Removes some records of an undone job that are not in the list, those after `after`: the last of them,
/// or none where nothing is left.
///
/// # Errors
/// `Database`.
pub fn forget_step(tx: &Tx<'_>, job: JobId, after: i64, at_most: u32) -> Result<Option<i64>> {
    let stays = stays();
    let last: Option<i64> = tx
        .prepare_cached(&format!(
            "SELECT max(id) FROM (SELECT r.id FROM records r
                                  WHERE r.job_id = ?1 AND r.id > ?2 AND NOT ({stays})
                                  ORDER BY r.id LIMIT ?3)"
        ))?
        .query_row(params![job.0, after, at_most], |row| row.get(0))?;
    if let Some(last) = last {
        tx.prepare_cached(&format!(
            "DELETE FROM records AS r WHERE r.job_id = ?1 AND r.id > ?2 AND r.id <= ?3 AND NOT ({stays})
               AND (SELECT undone_at FROM jobs WHERE id = ?1) IS NOT NULL"
        ))?
        .execute(params![job.0, after, last])?;
    }
    Ok(last)
}
