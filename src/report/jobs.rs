//! Jobs as people see them.

use rusqlite::Connection;
use serde_json::{Map, Value, json};

use crate::error::Result;
use crate::store::jobs::{self, Event, Job};
use crate::turns::Turns;
use crate::words::State;

/// What a job says that waits for another one's end.
const WAITS_FOR_LIST: &str =
    "Another file for the same list is being checked; this one goes on right after it.";

/// The members that the status, the list and the single job have in common.
pub fn members(job: &Job, turns: &Turns) -> Map<String, Value> {
    let mut members = Map::new();
    let mut put = |name: &str, value: Value| {
        members.insert(name.to_owned(), value);
    };
    put("status", json!(job.status.as_str()));
    put("job_id", json!(job.id.0));
    put("file_upload_id", json!(job.upload_id));
    put("filename", json!(job.filename));
    put("operation", json!(job.operation));
    put("queued", json!(job.queued_at));
    put("started", json!(job.started_at));
    put("finished", json!(job.finished_at));
    put("progress", progress(job, turns));
    put("error", error(job));
    put("detail", json!(job.detail));
    put(
        "cancel_requested",
        json!(job.cancel_asked_at.is_some() && job.status == State::Processing),
    );
    put("begins_again", json!(job.begins_again));
    members
}

/// How far a job is; null while it waits.
fn progress(job: &Job, turns: &Turns) -> Value {
    match job.status {
        State::Pending => Value::Null,
        State::Processing => json!({
            "phase": job.phase,
            "rows_done": job.rows_done,
            "rows_total": total(job),
            "percent": percent(job),
            "waiting_for": turns.waits(job.id).then_some(WAITS_FOR_LIST),
        }),
        State::Completed => json!({
            "phase": "done",
            "rows_done": job.rows_done,
            "rows_total": job.rows_total,
            "percent": 100,
        }),
        // It stands where it stopped.
        State::Failed | State::Timeout | State::Cancelled => match &job.phase {
            Some(phase) => json!({
                "phase": phase,
                "rows_done": job.rows_done,
                "rows_total": total(job),
                "percent": percent(job),
            }),
            None => Value::Null,
        },
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

fn error(job: &Job) -> Value {
    match &job.error {
        Some((code, message)) => json!({ "code": code.as_str(), "message": message }),
        None => Value::Null,
    }
}

/// A job in a list.
pub fn line(job: &Job, turns: &Turns) -> Value {
    let mut members = members(job, turns);
    members.insert("id".to_owned(), json!(job.id.0));
    members.insert("username".to_owned(), json!(job.username));
    members.insert("attempt".to_owned(), json!(job.attempt));
    members.insert("template".to_owned(), json!(job.template));
    members.insert("template_version".to_owned(), json!(job.template_version));
    members.insert("on_duplicate".to_owned(), json!(job.on_duplicate));
    members.insert("undone".to_owned(), json!(job.undone_at));
    members.insert("undone_by".to_owned(), json!(job.undone_by));
    members.insert("file_deleted".to_owned(), json!(job.upload_deleted));
    members.insert(
        "counts".to_owned(),
        match &job.counts {
            Some(counts) => json!(counts),
            None => Value::Null,
        },
    );
    Value::Object(members)
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
    if let Value::Object(members) = &mut value {
        members.insert("queue_position".to_owned(), json!(position));
        members.insert("last_sign_of_life".to_owned(), json!(job.beat_at));
        members.insert("events".to_owned(), Value::Array(events));
    }
    Ok(value)
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
