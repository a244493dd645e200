//! Jobs: where they stand, their lists, and cancel, retry and undo.

use std::time::{Duration, Instant};

use rouille::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::bell::Seen;
use crate::catalog;
use crate::error::{Error, Result};
use crate::http::call::Call;
use crate::http::handlers::{files, undo};
use crate::http::reply;
use crate::http::routes::{self, Route, Who};
use crate::id::{self, JobId, UserId};
use crate::intake::{self, Order};
use crate::logged::word;
use crate::report::estimate::Moment;
use crate::report::{jobs as job_report, status};
use crate::stop::Reason;
use crate::store::audit::{self, Action};
use crate::store::jobs::{self, Cancelled, Job, JobOptions};
use crate::store::{pauses, sessions, uploads};
use crate::words::{Code, OnDuplicate, State};

pub(in crate::http) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/api/files/processing-status",
        who: Who::SignedIn,
        summary: "Where the caller's newest job stands; ?wait= answers when something changed",
        handle: processing_status,
    },
    Route {
        method: "GET",
        path: "/api/jobs",
        who: Who::SignedIn,
        summary: "The caller's jobs, newest first",
        handle: list,
    },
    Route {
        method: "GET",
        path: "/api/jobs/{id}",
        who: Who::Owner,
        summary: "One job with every state change",
        handle: show,
    },
    Route {
        method: "POST",
        path: "/api/jobs/{id}/cancel",
        who: Who::Owner,
        summary: "Cancel a pending job at once, a processing one within 2 s",
        handle: cancel,
    },
    Route {
        method: "POST",
        path: "/api/jobs/{id}/retry",
        who: Who::Owner,
        summary: "Queue a new job on the same upload",
        handle: retry,
    },
    Route {
        method: "POST",
        path: "/api/jobs/{id}/undo",
        who: Who::Owner,
        summary: "Take a completed job's records out of the list",
        handle: undo::undo,
    },
    Route {
        method: "GET",
        path: "/api/admin/queue",
        who: Who::Admin,
        summary: "All active jobs in order, and whether the queue is paused",
        handle: queue,
    },
    Route {
        method: "POST",
        path: "/api/admin/queue/pause",
        who: Who::Admin,
        summary: "Hold the queue: the job in work goes on, no other begins",
        handle: pause,
    },
    Route {
        method: "POST",
        path: "/api/admin/queue/resume",
        who: Who::Admin,
        summary: "Let the queue go on",
        handle: resume,
    },
];

/// Seconds that `?wait=` waits at most.
const WAIT_SECONDS_MAX: f64 = 25.0;

/// How often a thread that waits looks whether its client is still there.
const LOOK_EVERY: Duration = Duration::from_millis(1_000);

fn processing_status(call: &mut Call<'_, '_>) -> Result<Response> {
    let known = call.header("If-None-Match").map(str::to_owned);
    let wait = wait(call.query("wait").as_deref())?;
    let user = call.caller()?.user.clone();
    let until = Instant::now() + wait;
    loop {
        let seen = call.app.bell.seen(user.id);
        let app = call.app;
        let moment = Moment {
            now: app.clock.monotonic(),
            changes: app.bell.changes(),
            workers: app.settings.workers,
        };
        let text = app.db.read(|c| {
            let estimates = (&app.estimates, moment);
            status::processing_status(c, user.id, &user.username, &app.turns, estimates)
        })?;
        let etag = etag(&text);
        let changed = !known
            .as_deref()
            .is_some_and(|tags| reply::tag_matches(tags, &etag));
        if changed {
            return Ok(Response::from_data("application/json", text.into_bytes())
                .with_additional_header("ETag", etag)
                .with_additional_header("Cache-Control", "no-cache"));
        }
        let is_over = !news(call, user.id, seen, until);
        // Whoever was signed out meanwhile learns no more.
        if !wait.is_zero() {
            routes::identify_again(call)?;
        }
        if is_over {
            return Ok(reply::not_modified(&etag));
        }
    }
}

/// Waits until there is news. False: the time was over, the server stops, or the client has ended its side
/// of the connection. Then what is known is told at once: one that has gone gets its seat taken, one
/// that only sends no more has an answer.
fn news(call: &Call<'_, '_>, user: UserId, seen: Seen, until: Instant) -> bool {
    let bell = &call.app.bell;
    loop {
        let look = (Instant::now() + LOOK_EVERY).min(until);
        if bell.wait_for_news(user, seen, look) {
            return true;
        }
        if look >= until || bell.is_closed() || call.incoming.body.line().is_at_its_end() {
            return false;
        }
    }
}

/// How long `?wait=` waits: seconds, cut at [`WAIT_SECONDS_MAX`].
fn wait(text: Option<&str>) -> Result<Duration> {
    let Some(text) = text else {
        return Ok(Duration::ZERO);
    };
    // Neither a sign nor `inf` or `nan`, which Rust takes for numbers.
    let is_number = text.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    match text.parse::<f64>() {
        Ok(seconds) if is_number => Ok(Duration::from_secs_f64(seconds.min(WAIT_SECONDS_MAX))),
        Ok(_) | Err(_) => Err(Error::problem(
            Code::BadRequest,
            "wait must be a number of seconds from 0 to 25.",
        )),
    }
}

fn etag(text: &str) -> String {
    let hash = id::sha256_hex(text.as_bytes());
    format!("\"{}\"", hash.get(..32).unwrap_or(&hash))
}

fn list(call: &mut Call<'_, '_>) -> Result<Response> {
    let page = call.page()?;
    let status = match call.query("status") {
        None => None,
        Some(text) => Some(State::parse(&text).ok_or_else(|| {
            Error::problem(
                Code::BadRequest,
                "status must be pending, processing, completed, failed, timeout or cancelled.",
            )
        })?),
    };
    let everybody = call.wants_all("Only administrators see everybody's jobs.")?;
    let owner = if everybody {
        None
    } else {
        Some(call.caller()?.user.id)
    };
    let body = call.app.db.read(|c| {
        let mut found = jobs::page(c, owner, status, page.cursor, page.fetch())?;
        let next = page.cut(&mut found, |job| job.id.0);
        let lines: Vec<Value> = found
            .iter()
            .map(|job| job_report::line(job, &call.app.turns))
            .collect();
        Ok(json!({ "success": true, "jobs": lines, "next_cursor": next }))
    })?;
    Ok(reply::json(200, &body))
}

fn show(call: &mut Call<'_, '_>) -> Result<Response> {
    let job = find(call)?;
    answer_with(call, job.id, 200, None)
}

fn cancel(call: &mut Call<'_, '_>) -> Result<Response> {
    let job = find(call)?;
    let by = call.caller()?.user.username.clone();
    let actor = call.actor()?;
    let cancelled = call.app.db.write(|tx| {
        let cancelled = jobs::cancel(tx, job.id, &by)?;
        audit::note(tx, &actor, Action::JobCancelled, Some(&job.named()))?;
        if cancelled == Cancelled::AtOnce {
            sessions::extend_for_user(tx, job.user, tx.now.plus(call.app.settings.session_ttl))?;
        }
        Ok(cancelled)
    })?;
    log::info!("user={} job={} cancel asked", word(&by), job.id);
    match cancelled {
        Cancelled::AtOnce => {
            call.app.bell.news();
            answer_with(call, job.id, 200, Some("The job was cancelled."))
        }
        Cancelled::Asked => {
            call.app.runs.stop(job.id, Reason::Cancelled);
            answer_with(call, job.id, 202, Some("The job is being stopped."))
        }
    }
}

fn retry(call: &mut Call<'_, '_>) -> Result<Response> {
    let job = find(call)?;
    if job.status.is_active() {
        return Err(Error::problem(
            Code::NotActive,
            "This job has not ended yet; there is nothing to try again.",
        ));
    }
    if job.upload_deleted {
        return Err(Error::problem(
            Code::NotFound,
            "The file of this job was deleted. Upload it again.",
        ));
    }
    let options: JobOptions = serde_json::from_str(&job.options)?;
    let order = call.app.db.read(|c| {
        Ok(Order {
            template: job.template.clone(),
            template_version: catalog::version_for_job(c, &job.template)?,
            on_duplicate: OnDuplicate::parse(&job.on_duplicate).unwrap_or(OnDuplicate::Skip),
            sheet: options.sheet.clone(),
            mapping: options.mapping.clone(),
            date_order: options.date_order,
        })
    })?;
    let upload = call.app.db.read(|c| uploads::by_no(c, job.upload))?;
    let answer = intake::queue(&call.app.db, call.caller()?, &upload, "retry", &order)
        .map_err(|error| files::describe_active(call, error))?;
    call.app.bell.work();
    Ok(files::respond(&answer))
}

fn queue(call: &mut Call<'_, '_>) -> Result<Response> {
    call.page()?;
    let body = call.app.db.read(|c| {
        let mut waiting = 0;
        let lines: Vec<Value> = jobs::active(c)?
            .iter()
            .map(|job| {
                let position = if job.status == State::Pending {
                    waiting += 1;
                    waiting
                } else {
                    0
                };
                let mut line = job_report::line(job, &call.app.turns);
                if let Value::Object(members) = &mut line {
                    members.insert("queue_position".to_owned(), json!(position));
                }
                line
            })
            .collect();
        Ok(json!({
            "success": true,
            "jobs": lines,
            "next_cursor": null,
            "paused": pauses::current(c)?,
        }))
    })?;
    Ok(reply::json(200, &body))
}

#[derive(Deserialize)]
struct PauseBody {
    reason: String,
}

/// Letters of a pause's reason.
const REASON_CHARS_MAX: usize = 200;

fn pause(call: &mut Call<'_, '_>) -> Result<Response> {
    let body: PauseBody = call.json()?;
    let reason = body.reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_CHARS_MAX {
        return Err(Error::problem(
            Code::BadRequest,
            format!(
                "reason must say why, in 1 to {REASON_CHARS_MAX} letters; everybody who waits sees it."
            ),
        ));
    }
    let by = call.caller()?.user.username.clone();
    let actor = call.actor()?;
    call.app.db.write(|tx| {
        pauses::begin(tx, &by, reason)?;
        audit::note(tx, &actor, Action::QueuePaused, Some(reason))
    })?;
    log::info!("user={} queue paused", word(&by));
    call.app.bell.news();
    queue(call)
}

fn resume(call: &mut Call<'_, '_>) -> Result<Response> {
    let by = call.caller()?.user.username.clone();
    let actor = call.actor()?;
    let ended = call.app.db.write(|tx| {
        let ended = pauses::end(tx, &by)?;
        if ended {
            audit::note(tx, &actor, Action::QueueResumed, None)?;
        }
        Ok(ended)
    })?;
    if !ended {
        return Err(Error::problem(Code::NotActive, "The queue is not paused."));
    }
    log::info!("user={} queue resumed", word(&by));
    call.app.bell.work();
    queue(call)
}

/// The job in the path, if the caller may see it.
pub(in crate::http) fn find(call: &Call<'_, '_>) -> Result<Job> {
    let id = JobId(call.id(0)?);
    let job = call
        .app
        .db
        .read(|c| jobs::by_id(c, id))?
        .ok_or_else(Error::not_found)?;
    let caller = call.caller()?.user.id;
    if job.user == caller || call.is_admin() {
        return Ok(job);
    }
    // What an administrator has done with somebody's file is theirs to see.
    let upload = call.app.db.read(|c| uploads::by_no(c, job.upload))?;
    if upload.user == caller {
        Ok(job)
    } else {
        Err(Error::not_found())
    }
}

fn answer_with(
    call: &Call<'_, '_>,
    id: JobId,
    status: u16,
    message: Option<&str>,
) -> Result<Response> {
    let job = call.app.db.read(|c| match jobs::by_id(c, id)? {
        Some(job) => job_report::whole(c, &job, &call.app.turns),
        None => Err(Error::not_found()),
    })?;
    let mut body = json!({ "success": true, "job": job });
    if let (Some(message), Value::Object(members)) = (message, &mut body) {
        members.insert("message".to_owned(), json!(message));
    }
    Ok(reply::json(status, &body))
}
