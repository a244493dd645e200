//! The counters as text in Prometheus' exposition format.

use std::fmt::{Display, Write};
use std::fs;
use std::path::Path;

use crate::app::App;
use crate::error::Result;
use crate::metrics::{BUCKETS, Histogram};
use crate::sheet::reader;
use crate::store::{jobs, sessions};
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
    jobs(out, app);
    children(out);
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

fn jobs(out: &mut String, app: &App) {
    let jobs = app.metrics.jobs();
    let name = "sheetline_jobs_ended_total";
    about(
        out,
        name,
        "counter",
        "Jobs that ended, by their last state.",
    );
    for state in State::ALL.into_iter().filter(|state| !state.is_active()) {
        let count = jobs.ended.get(state.as_str()).copied().unwrap_or(0);
        line(out, name, &[("state", state.as_str())], count);
    }
    let name = "sheetline_rows_total";
    about(
        out,
        name,
        "counter",
        "Rows of completed jobs, by what became of them.",
    );
    for result in ["valid", "invalid", "duplicate", "updated"] {
        let count = jobs.rows.get(result).copied().unwrap_or(0);
        line(out, name, &[("result", result)], count);
    }
    histogram(
        out,
        "sheetline_job_queue_seconds",
        "From a job's arrival to the begin of its last attempt.",
        &jobs.waited,
    );
    histogram(
        out,
        "sheetline_job_seconds",
        "The last attempt of a job.",
        &jobs.worked,
    );
}

fn histogram(out: &mut String, name: &str, help: &str, histogram: &Histogram) {
    about(out, name, "histogram", help);
    let bucket = format!("{name}_bucket");
    for (end, count) in BUCKETS.iter().zip(histogram.at_most) {
        line(out, &bucket, &[("le", &end.to_string())], count);
    }
    line(out, &bucket, &[("le", "+Inf")], histogram.count);
    line(out, &format!("{name}_sum"), &[], histogram.seconds);
    line(out, &format!("{name}_count"), &[], histogram.count);
}

fn children(out: &mut String) {
    let children = reader::children();
    one(
        out,
        "sheetline_children_running",
        "gauge",
        "Child processes that read a file now.",
        children.running,
    );
    one(
        out,
        "sheetline_children_total",
        "counter",
        "Child processes started to read a file.",
        children.started,
    );
    one(
        out,
        "sheetline_children_killed_total",
        "counter",
        "Child processes that the server ended: over a limit, cancelled, or nothing more was wanted.",
        children.killed,
    );
}

fn database(out: &mut String, app: &App) -> Result<()> {
    let now = app.clock.now();
    let (jobs, sessions) = app
        .db
        .read(|c| Ok((jobs::count_by_state(c)?, sessions::count_alive(c, now)?)))?;
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
    use std::time::Duration;

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
        let (waited, worked) = (Duration::from_millis(1_500), Duration::from_millis(250));
        let rows = [("valid", 7), ("duplicate", 2)];
        app.metrics.job_ended("completed", waited, worked, &rows);
        let text = text(&app).unwrap();
        let sample = regex::Regex::new(
            r#"^([a-z_]+)(\{[a-z]+="[^"\\]*"(,[a-z]+="[^"\\]*")*\})? (0|[1-9][0-9]*)(\.[0-9]+)?$"#,
        )
        .unwrap();
        let mut typed: Option<&str> = None;
        let mut seen = HashSet::new();
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                assert!(help.split_once(' ').unwrap().1.ends_with('.'), "{line}");
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').unwrap();
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
                assert!(seen.insert(name.to_owned()), "{name} stands twice");
                typed = Some(name);
            } else {
                let parts = sample.captures(line).unwrap_or_else(|| panic!("{line}"));
                let family = ["_bucket", "_sum", "_count"]
                    .iter()
                    .find_map(|end| parts[1].strip_suffix(end))
                    .filter(|family| Some(*family) == typed)
                    .unwrap_or(&parts[1]);
                assert_eq!(Some(family), typed, "{line}");
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
            "sheetline_jobs_ended_total{state=\"completed\"} 1\n",
            "sheetline_rows_total{result=\"valid\"} 7\n",
            "sheetline_job_queue_seconds_bucket{le=\"1\"} 0\n",
            "sheetline_job_queue_seconds_bucket{le=\"5\"} 1\n",
            "sheetline_job_seconds_sum 0.25\n",
            "sheetline_children_running ",
        ] {
            assert!(text.contains(wanted), "{wanted}");
        }
        assert!(!text.contains("sheetline_database_bytes 0\n"));
    }
}
