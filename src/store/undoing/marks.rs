//! Marks on versions that say, before a job is undone, which of them stay in the list and which go.

use std::collections::HashSet;

use rusqlite::params;

use crate::db::Tx;
use crate::error::Result;
use crate::id::JobId;

/// What has to be marked before the job is undone.
#[derive(Debug, Default)]
pub struct Marks {
    /// Versions of the job that stay in the list.
    pub keep: Vec<i64>,
    /// Those that are marked so, and do not.
    pub no_more: Vec<i64>,
    /// Versions of others that go with the job.
    pub go: Vec<i64>,
    /// Those that are marked so, and do not.
    pub stay: Vec<i64>,
}

/// What is wanted and not there, and what is there and not wanted.
pub(super) fn differences(mut wanted: Vec<i64>, there: &[i64]) -> (Vec<i64>, Vec<i64>) {
    wanted.sort_unstable();
    wanted.dedup();
    let is_wanted = |version: &&i64| wanted.binary_search(version).is_ok();
    let (right, wrong): (Vec<i64>, Vec<i64>) = there.iter().partition(is_wanted);
    let right: HashSet<i64> = right.into_iter().collect();
    wanted.retain(|version| !right.contains(version));
    (wanted, wrong)
}

/// Says of versions whether they stay in the list though their job is undone; before it is.
///
/// # Errors
/// `Database`.
pub fn mark(tx: &Tx<'_>, versions: &[i64], kept: bool) -> Result<()> {
    let mut statement = tx.prepare_cached("UPDATE records SET kept = ?2 WHERE id = ?1")?;
    for version in versions {
        statement.execute(params![version, kept])?;
    }
    Ok(())
}

/// Says of versions that stayed when their jobs were undone with which job they go, or that they stay; before
/// that job is undone.
///
/// # Errors
/// `Database`.
pub fn let_go(tx: &Tx<'_>, versions: &[i64], with: Option<JobId>) -> Result<()> {
    let mut statement = tx.prepare_cached("UPDATE records SET let_go = ?2 WHERE id = ?1")?;
    for version in versions {
        statement.execute(params![version, with.map(|job| job.0)])?;
    }
    Ok(())
}
