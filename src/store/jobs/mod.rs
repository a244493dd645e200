//! The job queue: arrival, claim, and every change of state. Which changes are legal, how attempts
//! count and what is logged is enforced by triggers in schema.sql; a worker's writes are fenced by
//! the attempt that it claimed.

mod read;
mod results;

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

pub use read::{
    Ended, Event, Job, Load, Past, ToRead, active, any_pending, by_id, count_by_state, counts,
    ended_by_hour, events, loads, newest_of, newest_of_upload, next_to_read, page, past, position,
    still_active,
};
pub use results::{Counts, complete, not_undoable, report, undo};

use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{JobId, UploadNo, UserId};
use crate::words::{Code, DayOrder, OnDuplicate, Phase};

/// After so many attempts that ended with the process a job is given up.
pub const ATTEMPTS_MAX: i64 = 3;

/// What a job was asked to do beyond its template.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobOptions {
    /// The sheet to process; `None` is the file's default sheet.
    pub sheet: Option<String>,
    /// Where columns go, as asked for: `{"column": "field"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<serde_json::Value>,
    /// Which of day and month comes first where a column's own dates don't tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_order: Option<DayOrder>,
}

/// A job about to be queued.
#[derive(Debug, Clone)]
pub struct NewJob {
    pub user: UserId,
    pub upload: UploadNo,
    /// `upload_and_process`, `process` or `retry`.
    pub operation: &'static str,
    pub template: String,
    pub template_version: i64,
    pub on_duplicate: OnDuplicate,
    pub options: JobOptions,
}

/// How queueing ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    Queued(JobId),
    /// The user has this active job already.
    HasActive(JobId),
}

/// A worker's right to work on a job: exactly one worker holds it, until it finishes the job or
/// loses it.
#[derive(Debug)]
pub struct Claim {
    pub job: JobId,
    pub attempt: i64,
    pub user: UserId,
    pub username: String,
    pub upload: UploadNo,
    pub template: String,
    pub template_version: i64,
    pub on_duplicate: OnDuplicate,
    pub options: JobOptions,
}

/// How a job ended without a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub code: Code,
    /// A sentence for the person who sent the file.
    pub message: String,
    /// A report, where there is one all the same (missing columns).
    pub report: Option<String>,
}

/// Lets a job that is being worked on run with another template.
///
/// # Errors
/// `Stopped` where the job is no longer this claim's.
pub fn use_template(tx: &Tx<'_>, claim: &Claim, name: &str, version: i64) -> Result<()> {
    let changed = tx.execute(
        "UPDATE jobs SET template = ?3, template_version = ?4
         WHERE id = ?1 AND status = 'processing' AND attempt = ?2",
        params![claim.job.0, claim.attempt, name, version],
    )?;
    held(changed)
}

/// Puts a job at the end of the queue.
///
/// # Errors
/// `Database`.
pub fn enqueue(tx: &Tx<'_>, new: &NewJob) -> Result<Enqueued> {
    let inserted = tx
        .prepare_cached(
            "INSERT INTO jobs (user_id, upload_no, operation, template, template_version,
                               on_duplicate, options, queued_at, changed_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
        )?
        .execute(params![
            new.user.0,
            new.upload.0,
            new.operation,
            new.template,
            new.template_version,
            new.on_duplicate.as_str(),
            serde_json::to_string(&new.options)?,
            tx.now,
        ]);
    match inserted {
        Ok(_) => {
            // last_insert_rowid() would be the event that the trigger wrote, were it not restored
            // by SQLite when the trigger ends.
            Ok(Enqueued::Queued(JobId(tx.last_insert_rowid())))
        }
        Err(error) if is_second_active(&error) => {
            let active = tx
                .query_row(
                    "SELECT id FROM jobs WHERE user_id = ?1 AND status IN ('pending', 'processing')",
                    params![new.user.0],
                    |row| row.get(0).map(JobId),
                )
                .optional()?;
            match active {
                Some(job) => Ok(Enqueued::HasActive(job)),
                None => Err(error.into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether the database refused a second active job: with the index, or with the sentence of the
/// trigger that stands before it.
fn is_second_active(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(failure, said) = error else {
        return false;
    };
    let said = said.as_deref().unwrap_or_default();
    failure.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_UNIQUE
        || failure.extended_code == rusqlite::ffi::SQLITE_CONSTRAINT_TRIGGER
            && said.contains("jobs_one_active_per_user")
}

/// Takes the oldest pending job; none while the queue is paused.
///
/// # Errors
/// `Database`.
pub fn claim(tx: &Tx<'_>) -> Result<Option<Claim>> {
    let claimed = tx
        .prepare_cached(
            "UPDATE jobs SET status = 'processing', attempt = attempt + 1, started_at = ?1, beat_at = ?1,
                    changed_at = ?1, change_detail = NULL, phase = 'reading', rows_done = 0, rows_total = NULL
             WHERE id = (SELECT id FROM jobs WHERE status = 'pending' ORDER BY id LIMIT 1)
               AND NOT EXISTS (SELECT 1 FROM queue_pauses WHERE resumed_at IS NULL)
             RETURNING id, attempt, user_id, upload_no, template, template_version, on_duplicate, options,
                       (SELECT username FROM users WHERE users.id = jobs.user_id)",
        )?
        .query_row(params![tx.now], |row| {
            Ok((
                JobId(row.get(0)?),
                row.get(1)?,
                UserId(row.get(2)?),
                UploadNo(row.get(3)?),
                row.get(4)?,
                row.get(5)?,
                row.get::<_, String>(6)?,
                row.get::<_, String>(7)?,
                row.get(8)?,
            ))
        })
        .optional()?;
    let Some((job, attempt, user, upload, template, version, duplicate, options, username)) =
        claimed
    else {
        return Ok(None);
    };
    Ok(Some(Claim {
        job,
        attempt,
        user,
        username,
        upload,
        template,
        template_version: version,
        on_duplicate: OnDuplicate::parse(&duplicate).unwrap_or(OnDuplicate::Skip),
        options: serde_json::from_str(&options)?,
    }))
}

/// Writes how far the job is, and proves that the claim still holds: to be called first in every
/// transaction of a worker.
///
/// # Errors
/// `Stopped` where the job is no longer this claim's.
pub fn progress(
    tx: &Tx<'_>,
    claim: &Claim,
    phase: Phase,
    rows_done: u64,
    rows_total: Option<u64>,
) -> Result<()> {
    let changed = tx
        .prepare_cached(
            "UPDATE jobs SET phase = ?3, rows_done = ?4, rows_total = ?5, beat_at = ?6
             WHERE id = ?1 AND status = 'processing' AND attempt = ?2",
        )?
        .execute(params![
            claim.job.0,
            claim.attempt,
            phase.as_str(),
            i64::try_from(rows_done).unwrap_or(i64::MAX),
            rows_total.map(|n| i64::try_from(n).unwrap_or(i64::MAX)),
            tx.now
        ])?;
    held(changed)
}

/// Ends the job without a result.
///
/// # Errors
/// `Stopped` where the job is no longer this claim's, or is to be cancelled.
pub fn fail(tx: &Tx<'_>, claim: &Claim, failure: &Failure) -> Result<()> {
    let changed = tx
        .prepare_cached(
            "UPDATE jobs SET status = 'failed', finished_at = ?3, changed_at = ?3, change_detail = ?5,
                    error_code = ?4, error_message = ?5, report = ?6
             WHERE id = ?1 AND status = 'processing' AND attempt = ?2 AND cancel_asked_at IS NULL",
        )?
        .execute(params![
            claim.job.0,
            claim.attempt,
            tx.now,
            failure.code.as_str(),
            failure.message,
            failure.report
        ])?;
    held(changed)
}

/// Puts a claimed job back to its place in the queue. `counts`: whether the attempt counts towards
/// [`ATTEMPTS_MAX`].
///
/// # Errors
/// `Stopped` where the job is no longer this claim's, or is to be cancelled.
pub fn put_back(tx: &Tx<'_>, claim: &Claim, why: &str, counts: bool) -> Result<()> {
    let changed = tx
        .prepare_cached(
            "UPDATE jobs SET status = 'pending', attempt = attempt - ?4, changed_at = ?3, change_detail = ?5,
                    started_at = NULL, phase = NULL, rows_done = 0, rows_total = NULL, beat_at = NULL
             WHERE id = ?1 AND status = 'processing' AND attempt = ?2 AND cancel_asked_at IS NULL",
        )?
        .execute(params![
            claim.job.0,
            claim.attempt,
            tx.now,
            i64::from(!counts),
            why
        ])?;
    held(changed)
}

/// Ends a claimed job where a person asked for it, however its work ended: they were promised that. False:
/// nobody did, or the job is no longer this claim's.
///
/// # Errors
/// `Database`.
pub fn cancel_claimed(tx: &Tx<'_>, claim: &Claim) -> Result<bool> {
    let changed = tx
        .prepare_cached(
            "UPDATE jobs SET status = 'cancelled', finished_at = ?3, changed_at = ?3,
                    change_detail = coalesce(change_detail, 'Cancelled.')
             WHERE id = ?1 AND status = 'processing' AND attempt = ?2 AND cancel_asked_at IS NOT NULL",
        )?
        .execute(params![claim.job.0, claim.attempt, tx.now])?;
    Ok(changed == 1)
}

/// Ends a pending job at once, or asks the worker of a processing one to stop: from this commit on that
/// one can end in no other way than cancelled.
///
/// # Errors
/// `not-active` where the job has ended.
pub fn cancel(tx: &Tx<'_>, job: JobId, by: &str) -> Result<Cancelled> {
    let why = format!("Cancelled by {by}.");
    let ended = tx
        .prepare_cached(
            "UPDATE jobs SET status = 'cancelled', finished_at = ?2, changed_at = ?2, change_detail = ?3
             WHERE id = ?1 AND status = 'pending'",
        )?
        .execute(params![job.0, tx.now, why])?;
    if ended == 1 {
        return Ok(Cancelled::AtOnce);
    }
    let asked = tx
        .prepare_cached(
            "UPDATE jobs SET cancel_asked_at = coalesce(cancel_asked_at, ?2), change_detail = ?3
             WHERE id = ?1 AND status = 'processing'",
        )?
        .execute(params![job.0, tx.now, why])?;
    if asked == 1 {
        return Ok(Cancelled::Asked);
    }
    Err(Error::problem(
        Code::NotActive,
        "This job has ended already; there is nothing to cancel.",
    ))
}

/// How a cancel took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// The job waited and has ended.
    AtOnce,
    /// The job is being processed; its worker stops soon.
    Asked,
}

/// Ends a job that was processed for too long; one that a person asked to cancel is cancelled. False: that
/// attempt is over already.
///
/// # Errors
/// `Database`.
pub fn time_out(tx: &Tx<'_>, job: JobId, attempt: i64, message: &str) -> Result<bool> {
    let changed = tx
        .prepare_cached(
            "UPDATE jobs SET finished_at = ?3, changed_at = ?3,
                    status = iif(cancel_asked_at IS NULL, 'timeout', 'cancelled'),
                    change_detail = iif(cancel_asked_at IS NULL, ?4, change_detail),
                    error_code = iif(cancel_asked_at IS NULL, 'timeout', NULL),
                    error_message = iif(cancel_asked_at IS NULL, ?4, NULL)
             WHERE id = ?1 AND status = 'processing' AND attempt = ?2",
        )?
        .execute(params![job.0, attempt, tx.now, message])?;
    Ok(changed == 1)
}

/// What a start found in state `processing`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Jobs that will run again.
    pub again: usize,
    /// Jobs that were cancelled before the process died.
    pub cancelled: usize,
    /// Jobs that were given up.
    pub given_up: usize,
}

/// Puts jobs that a process or worker died on back into the queue: all of them, before the first
/// claim of a new process, or one.
///
/// # Errors
/// `Database`.
pub fn recover(tx: &Tx<'_>, only: Option<JobId>) -> Result<Recovered> {
    let only = only.map(|job| job.0);
    let cancelled = tx.execute(
        "UPDATE jobs SET status = 'cancelled', finished_at = ?1, changed_at = ?1,
                change_detail = coalesce(change_detail, 'Cancelled.')
         WHERE status = 'processing' AND cancel_asked_at IS NOT NULL AND (?2 IS NULL OR id = ?2)",
        params![tx.now, only],
    )?;
    let given_up = tx.execute(
        "UPDATE jobs SET status = 'failed', finished_at = ?1, changed_at = ?1, error_code = 'abandoned',
                error_message = 'The server stopped ' || attempt || ' times while it worked on this file (last: '
                    || coalesce(phase, 'reading') || ', row ' || rows_done
                    || '). Nothing was stored. Send the file to your administrator.',
                change_detail = 'given up after ' || attempt || ' attempts'
         WHERE status = 'processing' AND attempt >= ?2 AND (?3 IS NULL OR id = ?3)",
        params![tx.now, ATTEMPTS_MAX, only],
    )?;
    let again = tx.execute(
        "UPDATE jobs SET status = 'pending', changed_at = ?1, started_at = NULL, phase = NULL,
                rows_done = 0, rows_total = NULL, beat_at = NULL,
                change_detail = 'The server was restarted; the file starts again from the beginning.'
         WHERE status = 'processing' AND (?2 IS NULL OR id = ?2)",
        params![tx.now, only],
    )?;
    Ok(Recovered {
        again,
        cancelled,
        given_up,
    })
}

/// Hands the jobs of a user's files over to another, who has the files already.
///
/// # Errors
/// `Database`.
pub fn transfer(tx: &Tx<'_>, from: UserId, to: UserId) -> Result<()> {
    tx.execute(
        "UPDATE jobs SET user_id = ?2
         WHERE user_id = ?1
           AND upload_no IN (SELECT no FROM uploads WHERE user_id = ?2 AND status <> 'deleted')",
        [from.0, to.0],
    )?;
    Ok(())
}

/// Jobs in state `processing`, with their attempts: for the scheduler to compare with what really
/// runs.
///
/// # Errors
/// `Database`.
pub fn processing(connection: &Connection) -> Result<Vec<(JobId, i64)>> {
    let mut statement =
        connection.prepare_cached("SELECT id, attempt FROM jobs WHERE status = 'processing'")?;
    let rows = statement.query_map([], |row| Ok((JobId(row.get(0)?), row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn held(changed: usize) -> Result<()> {
    if changed == 1 {
        Ok(())
    } else {
        Err(Error::Stopped)
    }
}
