//! Operations: health, and the description of the API.

use std::io::Read;
use std::net::IpAddr;
use std::time::Duration;

use rouille::Response;
use serde_json::json;

use crate::error::{Error, Problem, Result};
use crate::http::call::Call;
use crate::http::routes::{Route, Who};
use crate::http::{carriers, exposition, openapi, reply};
use crate::report::figures;
use crate::store::{audit, jobs, pauses, users};
use crate::words::{Code, Role};

pub(in crate::http) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/api/health",
        who: Who::Anyone,
        summary: "Whether the server can do its work",
        handle: health,
    },
    Route {
        method: "GET",
        path: "/metrics",
        who: Who::Anyone,
        summary: "Counters for Prometheus; from this machine, or for administrators",
        handle: metrics,
    },
    Route {
        method: "GET",
        path: "/api/admin/figures",
        who: Who::Admin,
        summary: "Jobs and waiting times of the last 24 hours",
        handle: day,
    },
    Route {
        method: "POST",
        path: "/api/admin/sink",
        who: Who::Admin,
        summary: "Take a body of any size up to the upload limit and throw it away: what a proxy lets through",
        handle: sink,
    },
    Route {
        method: "GET",
        path: "/api/openapi.json",
        who: Who::Anyone,
        summary: "This description",
        handle: openapi,
    },
];

/// A worker that nobody has seen for longer, and that has no job in hand, hangs: it looks every few
/// seconds, and waits half a minute at most when the database troubles it.
const WORKER_SILENT_MAX: Duration = Duration::from_secs(90);

fn health(call: &mut Call<'_, '_>) -> Result<Response> {
    let app = call.app;
    let writable = app.db.probe();
    let queue = app.db.read(|c| {
        Ok((
            jobs::counts(c)?,
            pauses::current(c)?.is_some(),
            !users::any(c)?,
        ))
    });
    let room = app.db.free_bytes();
    let now = app.clock.monotonic();
    let silent = now.saturating_sub(app.pulse.last_beat().max(app.started));
    let works =
        app.pulse.workers_alive() && (silent <= WORKER_SILENT_MAX || !app.runs.all().is_empty());
    let status = match &writable {
        Err(error) if error.is_disk_full() => "disk-full",
        _ if app.db.room().is_full() => "disk-full",
        Err(_) => "database-not-writable",
        Ok(()) if queue.is_err() => "database-not-readable",
        Ok(()) if !works => "worker-gone",
        Ok(()) => "ok",
    };
    if let Err(error) = &writable {
        log::warn!("health: {error}");
    }
    let ((pending, processing), paused, no_users) = queue.unwrap_or_default();
    let body = json!({
        "status": status,
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_seconds": now.saturating_sub(app.started).as_secs(),
        "scheduler_running": app.pulse.scheduler_alive(),
        "queue": { "pending": pending, "processing": processing, "paused": paused },
        "setup_needed": no_users,
        "database_writable": writable.is_ok(),
        "disk_free_bytes": room,
        "worker": { "running": works, "silent_seconds": silent.as_secs() },
    });
    Ok(reply::json(if status == "ok" { 200 } else { 503 }, &body))
}

/// For whoever is on this machine, and for administrators.
fn metrics(call: &mut Call<'_, '_>) -> Result<Response> {
    if !is_local(call) {
        let token = carriers::carried(call.incoming);
        let caller = call.app.accounts.identify(&call.app.db, token.as_ref())?;
        if caller.user.role != Role::Admin {
            return Err(Error::problem(
                Code::Forbidden,
                "Only administrators can do this.",
            ));
        }
    }
    let text = exposition::text(call.app)?;
    Ok(Response::from_data(
        "text/plain; version=0.0.4; charset=utf-8",
        text.into_bytes(),
    )
    .with_additional_header("Cache-Control", "no-store"))
}

/// From this machine, to this machine, and not handed on by a proxy on it.
fn is_local(call: &Call<'_, '_>) -> bool {
    let handed_on = call
        .incoming
        .request
        .headers()
        .any(|(name, _)| is_forwarding(name));
    let host = call.header("Host").unwrap_or("");
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    let loopback = name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    call.incoming.peer.ip().is_loopback() && loopback && !handed_on
}

fn is_forwarding(header: &str) -> bool {
    let header = header.to_ascii_lowercase();
    header == "forwarded"
        || header == "via"
        || header == "x-real-ip"
        || header.starts_with("x-forwarded-")
}

fn day(call: &mut Call<'_, '_>) -> Result<Response> {
    let now = call.app.clock.now();
    let mut body = call.app.db.read(|c| figures::last_day(c, now))?;
    let last_backup = call.app.db.read(audit::last_backup)?;
    if let Some(members) = body.as_object_mut() {
        members.insert("last_backup".to_owned(), json!(last_backup));
    }
    Ok(reply::json(200, &body))
}

/// A form's own bytes around a file, which a proxy's limit counts, too.
const FORM_BYTES: u64 = 64 << 10;

/// For `sheetline check --through`: takes as much as an upload could have, keeps nothing, and says how
/// the request came.
fn sink(call: &mut Call<'_, '_>) -> Result<Response> {
    let limit = call
        .app
        .settings
        .upload_bytes_max
        .saturating_add(FORM_BYTES);
    if call
        .incoming
        .body
        .declared()
        .is_some_and(|bytes| bytes > limit)
    {
        return Err(too_large(limit));
    }
    let mut bytes = 0_u64;
    let mut piece = vec![0; 64 << 10];
    loop {
        match call.incoming.body.read(&mut piece)? {
            0 => break,
            more => bytes += more as u64,
        }
        if bytes > limit {
            return Err(too_large(limit));
        }
    }
    let peer = call.incoming.peer.ip().to_canonical();
    let forwarded = call
        .incoming
        .request
        .headers()
        .any(|(name, _)| is_forwarding(name));
    Ok(reply::json(
        200,
        &json!({
            "success": true,
            "bytes": bytes,
            "limit": limit,
            "seen": {
                "address": call.address.to_string(),
                "peer": peer.to_string(),
                "peer_trusted": carriers::is_trusted(call.app, peer),
                "forwarded": forwarded,
                "https": call.https,
            },
        }),
    ))
}

fn too_large(limit: u64) -> Error {
    Problem::new(
        Code::TooLarge,
        format!("The request is too large; at most {limit} bytes are taken here."),
    )
    .with("limit", limit)
    .into()
}

fn openapi(call: &mut Call<'_, '_>) -> Result<Response> {
    let document = openapi::document(&call.app.settings)?;
    Ok(Response::from_data(
        "application/json",
        document.to_string().into_bytes(),
    ))
}
