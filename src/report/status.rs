//! Where a user stands: their newest job and the queue.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::estimate::{Estimates, Moment};
use super::jobs as job_report;
use crate::error::Result;
use crate::id::UserId;
use crate::store::{jobs, pauses};
use crate::turns::Turns;
use crate::words::State;

/// The body of `GET /api/files/processing-status`.
///
/// # Errors
/// `Database`.
pub fn processing_status(
    connection: &Connection,
    user: UserId,
    username: &str,
    turns: &Turns,
    (estimates, moment): (&Estimates, Moment),
) -> Result<Value> {
    let (pending, processing) = jobs::counts(connection)?;
    let job = jobs::newest_of(connection, user)?;
    let status = match &job {
        Some(job) => Value::Object(job_report::members(job, turns)),
        None => json!({
            "status": "idle",
            "job_id": null,
            "file_upload_id": null,
            "filename": null,
            "operation": null,
            "queued": null,
            "started": null,
            "finished": null,
            "progress": null,
            "error": null,
            "detail": null,
            "cancel_requested": false,
            "begins_again": null,
        }),
    };
    // The unique index has it that an active job is the user's newest one.
    let active = job.filter(|job| job.status.is_active());
    let (position, wait) = match &active {
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
    Ok(json!({
        "success": true,
        "username": username,
        "processing_status": status,
        "queue_info": {
            "total_active_jobs": pending + processing,
            "user_has_active_job": active.is_some(),
            "queue_position": position,
            "estimated_wait_seconds": wait,
            "paused": pauses::current(connection)?,
        },
    }))
}
