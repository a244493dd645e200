//! The counters as text in Prometheus' exposition format.

use std::fmt::{Display, Write};
use std::fs;
use std::path::Path;

use crate::app::App;
use crate::error::Result;
use crate::words::State;

/// Everything that is counted, and what can be looked up at once.
///
/// # Errors
/// Where the database can't be read.
pub fn text(app: &App) -> Result<String> {
    let mut text = String::new();
    let out = &mut text;
    let uptime = app.clock.monotonic().saturating_sub(app.started);
    about(
        out,
        "sheetline_build_info",
        "gauge",
        "The version that runs.",
    );
    line(
        out,
        "sheetline_build_info",
        &[("version", env!("CARGO_PKG_VERSION"))],
        1,
    );
    one(
        out,
        "sheetline_uptime_seconds",
        "gauge",
        "Seconds since the start.",
        uptime.as_secs(),
    );
    requests(out, app);
    let metrics = &app.metrics;
    one(
        out,
        "sheetline_upload_bytes_total",
        "counter",
        "Bytes of files that came in.",
        metrics.upload_bytes(),
    );
    one(
        out,
        "sheetline_connections_open",
        "gauge",
        "Connections open now.",
        metrics.connections_open(),
    );
    one(
        out,
        "sheetline_connections_total",
        "counter",
        "Connections accepted.",
        metrics.connections_total(),
    );
    one(
        out,
        "sheetline_connections_refused_total",
        "counter",
        "Connections turned away because all were taken.",
        metrics.connections_refused(),
    );
    one(
        out,
        "sheetline_workers_alive",
        "gauge",
        "1 while a worker runs.",
        u64::from(app.pulse.workers_alive()),
    );
    one(
        out,
        "sheetline_scheduler_alive",
        "gauge",
        "1 while the scheduler runs.",
        u64::from(app.pulse.scheduler_alive()),
    );
    database(out, app)?;
    Ok(text)
}

fn requests(out: &mut String, app: &App) {
    let name = "sheetline_http_requests_total";
    about(out, name, "counter", "Answers by route and status.");
    for (method, route, status, count) in app.metrics.requests() {
        let status = status.to_string();
        line(
            out,
            name,
            &[("method", method), ("route", route), ("code", &status)],
            count,
        );
    }
}

fn database(out: &mut String, app: &App) -> Result<()> {
    let now = app.clock.now();
    let (jobs, sessions) = app.db.read(|c| {
        let mut jobs = Vec::new();
        let mut by_state = c.prepare_cached("SELECT count(*) FROM jobs WHERE status = ?1")?;
        for state in State::ALL {
            let count: i64 = by_state.query_row([state.as_str()], |row| row.get(0))?;
            jobs.push((state, count));
        }
        let sessions: i64 = c.query_row(
            "SELECT count(*) FROM sessions WHERE expires_at > ?1 AND ends_at > ?1 AND revoked_at IS NULL",
            [now],
            |row| row.get(0),
        )?;
        Ok((jobs, sessions))
    })?;
    about(out, "sheetline_jobs", "gauge", "Jobs by state.");
    for (state, count) in jobs {
        line(out, "sheetline_jobs", &[("state", state.as_str())], count);
    }
    one(
        out,
        "sheetline_sessions_active",
        "gauge",
        "Sessions that are valid now.",
        sessions,
    );
    let path = &app.settings.db;
    one(
        out,
        "sheetline_database_bytes",
        "gauge",
        "Bytes of the database file.",
        size(path),
    );
    let mut wal = path.clone().into_os_string();
    wal.push("-wal");
    one(
        out,
        "sheetline_wal_bytes",
        "gauge",
        "Bytes of the database's write-ahead log.",
        size(Path::new(&wal)),
    );
    Ok(())
}

/// Bytes of a file; 0 where there is none.
fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |about| about.len())
}

fn one(out: &mut String, name: &str, kind: &str, help: &str, value: impl Display) {
    about(out, name, kind, help);
    line(out, name, &[], value);
}

fn about(out: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a String can't fail.
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn line(out: &mut String, name: &str, labels: &[(&str, &str)], value: impl Display) {
    let labels: Vec<String> = labels
        .iter()
        .map(|(label, text)| format!("{label}=\"{}\"", escape(text)))
        .collect();
    let labels = if labels.is_empty() {
        String::new()
    } else {
        format!("{{{}}}", labels.join(","))
    };
    let _ = writeln!(out, "{name}{labels} {value}");
}

fn escape(label: &str) -> String {
    label
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Arc;

    use super::*;
    use crate::clock::SystemClock;
    use crate::settings::Settings;

    #[test]
    fn every_line_is_as_prometheus_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::new(folder.path().join("a.db"));
        let app = App::open(settings, Arc::new(SystemClock::new())).unwrap();
        app.metrics.request("GET", "/api/files/{id}", 200);
        app.metrics.request("GET", "/api/files/{id}", 200);
        let _open = app.metrics.connection();
        let text = text(&app).unwrap();
        let sample = regex::Regex::new(
            r#"^([a-z_]+)(\{[a-z]+="[^"\\]*"(,[a-z]+="[^"\\]*")*\})? (0|[1-9][0-9]*)$"#,
        )
        .unwrap();
        let mut typed: Option<&str> = None;
        let mut seen = HashSet::new();
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                assert!(help.split_once(' ').unwrap().1.ends_with('.'), "{line}");
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                assert!(["counter", "gauge"].contains(&kind), "{line}");
                assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
                assert!(seen.insert(name.to_owned()), "{name} stands twice");
                typed = Some(name);
            } else {
                let parts = sample.captures(line).unwrap_or_else(|| panic!("{line}"));
                assert_eq!(Some(&parts[1]), typed, "{line}");
                assert!(
                    seen.insert(line.rsplit_once(' ').unwrap().0.to_owned() + " "),
                    "{line}"
                );
            }
        }
        assert!(text.ends_with('\n'));
        for wanted in [
            "sheetline_http_requests_total{method=\"GET\",route=\"/api/files/{id}\",code=\"200\"} 2\n",
            "sheetline_connections_open 1\n",
            "sheetline_jobs{state=\"pending\"} 0\n",
            "sheetline_sessions_active 0\n",
        ] {
            assert!(text.contains(wanted), "{wanted}");
        }
        assert!(!text.contains("sheetline_database_bytes 0\n"));
    }
}
