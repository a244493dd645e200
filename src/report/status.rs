//! Where a user stands: their newest job and the queue.

use rusqlite::Connection;
use serde::Serialize;

use super::estimate::{Estimates, Moment};
use super::jobs::{Members, ahead};
use crate::error::Result;
use crate::id::UserId;
use crate::store::jobs;
use crate::store::pauses::{self, Pause};
use crate::turns::Turns;
use crate::words::State;

#[derive(Serialize)]
struct Status<'s> {
    success: bool,
    username: &'s str,
    processing_status: Members<'s>,
    queue_info: QueueInfo,
}

#[derive(Serialize)]
struct QueueInfo {
    total_active_jobs: i64,
    user_has_active_job: bool,
    queue_position: Option<i64>,
    ahead: Option<i64>,
    estimated_wait_seconds: Option<u64>,
    paused: Option<Pause>,
}

/// The body of `GET /api/files/processing-status`, as JSON.
///
/// # Errors
/// `Database`.
pub fn processing_status(
    connection: &Connection,
    user: UserId,
    username: &str,
    turns: &Turns,
    (estimates, moment): (&Estimates, Moment),
) -> Result<String> {
    let (pending, processing) = jobs::counts(connection)?;
    let newest = jobs::newest_of(connection, user)?;
    // The unique index has it that an active job is the user's newest one.
    let active = newest.as_ref().filter(|job| job.status.is_active());
    let (position, wait) = match active {
        Some(job) => {
            let position = match job.status {
                State::Pending => jobs::position(connection, job.id)?,
                State::Processing
                | State::Completed
                | State::Failed
                | State::Timeout
                | State::Cancelled => 0,
            };
            let wait = estimates.seconds_until_done(connection, job.id, moment)?;
            (Some(position), Some(wait))
        }
        None => (None, None),
    };
    Ok(serde_json::to_string(&Status {
        success: true,
        username,
        processing_status: match &newest {
            Some(job) => Members::of(job, turns),
            None => Members::idle(),
        },
        queue_info: QueueInfo {
            total_active_jobs: pending + processing,
            user_has_active_job: active.is_some(),
            queue_position: position,
            ahead: ahead(connection, position)?,
            estimated_wait_seconds: wait,
            paused: pauses::current(connection)?,
        },
    })?)
}
