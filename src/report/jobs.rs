//! Jobs as people see them.

use rusqlite::Connection;
use serde::Serialize;
use serde_json::{Value, json};

use crate::clock::Timestamp;
use crate::error::Result;
use crate::store::jobs::{self, Counts, Event, Job};
use crate::turns::Turns;
use crate::words::State;

/// What a job says that waits for another one's end.
const WAITS_FOR_LIST: &str =
    "Another file for the same list is being checked; this one goes on right after it.";

/// What the status, the list and the single job have in common. Without a job all but its status is null.
#[derive(Debug, Default, Serialize)]
pub struct Members<'j> {
    status: &'static str,
    job_id: Option<i64>,
    file_upload_id: Option<&'j str>,
    filename: Option<&'j str>,
    operation: Option<&'j str>,
    queued: Option<Timestamp>,
    started: Option<Timestamp>,
    finished: Option<Timestamp>,
    progress: Option<Progress<'j>>,
    error: Option<Failure<'j>>,
    detail: Option<&'j str>,
    cancel_requested: bool,
    begins_again: Option<&'j str>,
    counts: Option<Counts>,
    undone: Option<Timestamp>,
    undone_by: Option<&'j str>,
}

#[derive(Debug, Serialize)]
struct Progress<'j> {
    phase: Option<&'j str>,
    rows_done: i64,
    rows_total: Option<i64>,
    percent: i64,
    /// Told of jobs in work only.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_for: Option<Option<&'static str>>,
}

#[derive(Debug, Serialize)]
struct Failure<'j> {
    code: &'static str,
    message: &'j str,
}

impl<'j> Members<'j> {
    /// Of somebody who never had a job.
    pub fn idle() -> Members<'static> {
        Members {
            status: "idle",
            ..Members::default()
        }
    }

    pub fn of(job: &'j Job, turns: &Turns) -> Members<'j> {
        Members {
            status: job.status.as_str(),
            job_id: Some(job.id.0),
            file_upload_id: Some(&job.upload_id),
            filename: Some(&job.filename),
            operation: Some(&job.operation),
            queued: Some(job.queued_at),
            started: job.started_at,
            finished: job.finished_at,
            progress: progress(job, turns),
            error: job.error.as_ref().map(|(code, message)| Failure {
                code: code.as_str(),
                message,
            }),
            detail: job.detail.as_deref(),
            cancel_requested: job.cancel_asked_at.is_some() && job.status == State::Processing,
            begins_again: job.begins_again.as_deref(),
            counts: job.counts,
            undone: job.undone_at,
            undone_by: job.undone_by.as_deref(),
        }
    }
}

/// How far a job is; `None` while it waits.
fn progress<'j>(job: &'j Job, turns: &Turns) -> Option<Progress<'j>> {
    let stands = Progress {
        phase: job.phase.as_deref(),
        rows_done: job.rows_done,
        rows_total: total(job),
        percent: percent(job),
        waiting_for: None,
    };
    match job.status {
        State::Pending => None,
        State::Processing => Some(Progress {
            waiting_for: Some(turns.waits(job.id).then_some(WAITS_FOR_LIST)),
            ..stands
        }),
        State::Completed => Some(Progress {
            phase: Some("done"),
            rows_total: job.rows_total,
            percent: 100,
            ..stands
        }),
        // It stands where it stopped.
        State::Failed | State::Timeout | State::Cancelled => job.phase.as_ref().map(|_| stands),
    }
}

/// `rows_done` of `rows_total`. While the file is read its rows are only guessed at, so there is no
/// total yet; that is the shorter part of a job.
fn percent(job: &Job) -> i64 {
    match total(job) {
        Some(total) if total > 0 => (job.rows_done.saturating_mul(100) / total).clamp(0, 100),
        _ => 0,
    }
}

fn total(job: &Job) -> Option<i64> {
    job.rows_total
        .filter(|_| job.phase.as_deref() != Some("reading"))
}

#[derive(Serialize)]
struct Line<'j> {
    #[serde(flatten)]
    members: Members<'j>,
    id: i64,
    username: &'j str,
    attempt: i64,
    template: &'j str,
    template_version: i64,
    on_duplicate: &'j str,
    file_deleted: bool,
}

/// A job in a list.
pub fn line(job: &Job, turns: &Turns) -> Value {
    json!(Line {
        members: Members::of(job, turns),
        id: job.id.0,
        username: &job.username,
        attempt: job.attempt,
        template: &job.template,
        template_version: job.template_version,
        on_duplicate: &job.on_duplicate,
        file_deleted: job.upload_deleted,
    })
}

/// A job with its place in the queue and its events.
///
/// # Errors
/// `Database`.
pub fn whole(connection: &Connection, job: &Job, turns: &Turns) -> Result<Value> {
    let mut value = line(job, turns);
    let position = match job.status {
        State::Processing => Some(0),
        State::Pending => Some(jobs::position(connection, job.id)?),
        State::Completed | State::Failed | State::Timeout | State::Cancelled => None,
    };
    let events: Vec<Value> = jobs::events(connection, job.id)?
        .iter()
        .map(event)
        .collect();
    let ahead = ahead(connection, position)?;
    if let Value::Object(members) = &mut value {
        members.insert("queue_position".to_owned(), json!(position));
        members.insert("ahead".to_owned(), json!(ahead));
        members.insert("last_sign_of_life".to_owned(), json!(job.beat_at));
        members.insert("events".to_owned(), Value::Array(events));
    }
    Ok(value)
}

/// How many jobs come before the one at a place of the queue: those that came earlier and wait, and those
/// in work.
///
/// # Errors
/// `Database`.
pub(super) fn ahead(connection: &Connection, position: Option<i64>) -> Result<Option<i64>> {
    Ok(match position {
        None => None,
        Some(0) => Some(0),
        Some(place) => {
            let (_, processing) = jobs::counts(connection)?;
            Some(place - 1 + processing)
        }
    })
}

fn event(event: &Event) -> Value {
    json!({
        "at": event.at,
        "from": event.from,
        "to": event.to,
        "attempt": event.attempt,
        "detail": event.detail,
    })
}
