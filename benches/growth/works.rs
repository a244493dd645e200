//! The works that are measured, each at three sizes.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use crate::Curve;
use crate::client::{self, Served};
use crate::forms::companies;
use crate::office::{Office, memory, office_with, workbook};

/// For how long one kind of request is asked again and again, and how often at least; the middle one counts.
const ASKED: Duration = Duration::from_secs(1);
const ASKED_MIN: usize = 9;

/// Every curve. `part`: all sizes are divided by it.
pub(crate) fn all(part: usize) -> Vec<Curve> {
    let sizes = |smallest: usize| [1, 10, 100].map(|times| (smallest * times / part).max(10));
    let mut curves = commands(sizes(10_000));
    curves.extend(jobs(sizes(10_000)));
    curves.extend(people(sizes(10)));
    curves.extend(history(sizes(1_000)));
    curves
}

/// A curve without its points.
fn curve(work: &'static str, of: &'static str, unit: &'static str, grows: bool) -> Curve {
    Curve {
        work,
        of,
        unit,
        grows,
        points: Vec::new(),
    }
}

/// What `convert` and `process` take.
fn commands(sizes: [usize; 3]) -> Vec<Curve> {
    let folder = tempfile::tempdir().unwrap();
    let mut csv = curve("convert, csv", "rows", "ms", true);
    let mut xlsx = curve("convert, xlsx", "rows", "ms", true);
    let mut process = curve("process, four outputs", "rows", "ms", true);
    for rows in sizes {
        let (text, book) = (folder.path().join("a.csv"), folder.path().join("a.xlsx"));
        std::fs::write(&text, companies("firm", rows)).unwrap();
        std::fs::write(&book, workbook(rows)).unwrap();
        csv.points.push((rows, run(&["convert"], &text, &[])));
        xlsx.points.push((rows, run(&["convert"], &book, &[])));
        let out = folder.path().join(format!("out{rows}"));
        let out = ["--template", "companies", "--out", out.to_str().unwrap()];
        process.points.push((rows, run(&["process"], &text, &out)));
    }
    vec![csv, xlsx, process]
}

/// Milliseconds of a command on a file.
fn run(before: &[&str], file: &Path, after: &[&str]) -> f64 {
    let began = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_sheetline"))
        .args(before)
        .arg(file)
        .args(after)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{before:?} {}", file.display());
    ms(began)
}

fn ms(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1_000.0
}

/// One job of so many rows in an empty office, and what the office is like with its records.
fn jobs(sizes: [usize; 3]) -> Vec<Curve> {
    let mut whole = curve("upload and process, to the report", "rows", "ms", true);
    let mut room = curve("database after it", "rows", "MB", true);
    let mut peak = curve("memory of the server, at most", "rows", "MiB", false);
    let mut later = curve("then a job of 1,000 rows", "records", "ms", false);
    let mut page = curve("first page of the list", "records", "ms", false);
    let mut search = curve("search that finds one record", "records", "ms", true);
    let mut status = curve("status", "records", "ms", false);
    let mut undo = curve("undo", "records", "ms", true);
    let mut ready = curve("start on that database", "records", "ms", false);
    for rows in sizes {
        let Office {
            served,
            sessions,
            folder,
        } = office_with(1, &["--max-upload-mb", "500"]);
        let session = sessions.first().unwrap();
        let (took, first) = job(&served, session, &companies("first", rows));
        whole.points.push((rows, took));
        peak.points.push((rows, memory(&served, "VmHWM:")));
        room.points
            .push((rows, megabytes(&folder.path().join("office.db"))));
        let (took, _) = job(&served, session, &companies("later", 1_000));
        later.points.push((rows, took));
        let ask = |path: &str| ask(&served, session, path);
        page.points
            .push((rows, ask("/api/records?template=companies&limit=50")));
        let rare = format!("/api/records?template=companies&q=first%20{}%20", rows / 2);
        search.points.push((rows, ask(&rare)));
        status
            .points
            .push((rows, ask("/api/files/processing-status")));
        let bearer = format!("Bearer {session}");
        served.kill();
        let began = Instant::now();
        let served = client::serve(folder.path(), &[]);
        ready.points.push((rows, ms(began)));
        let began = Instant::now();
        let path = format!("/api/jobs/{first}/undo");
        let undone = served.ask("POST", &path, &[("Authorization", &bearer)], b"");
        undone.unwrap().expect(200);
        undo.points.push((rows, ms(began)));
    }
    vec![whole, room, peak, later, page, search, status, undo, ready]
}

/// What the database takes, also where part of it is in its log still.
fn megabytes(database: &Path) -> f64 {
    let connection = Connection::open(database).unwrap();
    let number = |pragma| {
        connection
            .pragma_query_value(None, pragma, |row| row.get::<_, f64>(0))
            .unwrap()
    };
    number("page_count") * number("page_size") / 1e6
}

/// Uploads and processes a list: milliseconds to its end, and its number.
fn job(served: &Served, session: &str, list: &[u8]) -> (f64, i64) {
    let began = Instant::now();
    let queued = served
        .upload(session, "upload-and-process", "list.csv", list, None)
        .unwrap()
        .expect(202);
    let job = queued["job_id"].as_i64().unwrap();
    let ended = served.wait_for_end(session, job);
    assert_eq!(ended["status"], "completed", "{ended}");
    (ms(began), job)
}

/// The middle one of some requests in turn, in milliseconds, the connection included.
fn ask(served: &Served, session: &str, path: &str) -> f64 {
    let (mut times, all) = (Vec::new(), Instant::now());
    while times.len() < ASKED_MIN || all.elapsed() < ASKED {
        let began = Instant::now();
        served.get(session, path).unwrap().expect(200);
        times.push(ms(began));
    }
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap()
}

/// An office of so many people, each with a session.
fn people(sizes: [usize; 3]) -> Vec<Curve> {
    let mut status = curve("status", "users", "ms", false);
    let mut list = curve("list of users", "users", "ms", false);
    let mut sign_in = curve("sign-in", "users", "ms", false);
    for users in sizes {
        let folder = tempfile::tempdir().unwrap();
        client::serve(folder.path(), &[]).kill();
        client::add_user(folder.path(), "user0", &["--admin"]);
        fill_with_people(&folder.path().join("office.db"), users);
        let served = client::serve(folder.path(), &[]);
        let session = served.sign_in("user0");
        status.points.push((
            users,
            ask(&served, &session, "/api/files/processing-status"),
        ));
        list.points
            .push((users, ask(&served, &session, "/api/users?limit=50")));
        let began = Instant::now();
        served.sign_in(&format!("user{}", users - 1));
        sign_in.points.push((users, ms(began)));
    }
    vec![status, list, sign_in]
}

/// More people with the password of the first, and a session for each.
fn fill_with_people(database: &Path, users: usize) {
    let mut connection = Connection::open(database).unwrap();
    let tx = connection.transaction().unwrap();
    for n in 1..users {
        tx.execute(
            "INSERT INTO users (username, username_key, role, password_hash, created_at)
             SELECT ?1, ?1, 'member', password_hash, created_at FROM users WHERE id = 1",
            [format!("user{n}")],
        )
        .unwrap();
        tx.execute(
            "INSERT INTO sessions (token_hash, user_id, created_at, last_seen_at, expires_at, ends_at)
             SELECT ?1, ?2, created_at, created_at, '2999-01-01T00:00:00.000Z', '2999-01-01T00:00:00.000Z'
             FROM users WHERE id = 1",
            params![format!("{n:064x}"), tx.last_insert_rowid()],
        )
        .unwrap();
    }
    tx.commit().unwrap();
}

/// An office with so many ended jobs behind it.
fn history(sizes: [usize; 3]) -> Vec<Curve> {
    let mut status = curve("status", "jobs", "ms", false);
    let mut page = curve("a page of the history", "jobs", "ms", false);
    let mut queue = curve("a job of 100 rows", "jobs", "ms", false);
    for jobs in sizes {
        let folder = tempfile::tempdir().unwrap();
        client::serve(folder.path(), &[]).kill();
        client::add_user(folder.path(), "user0", &["--admin"]);
        let served = client::serve(folder.path(), &[]);
        let session = served.sign_in("user0");
        job(&served, &session, &companies("first", 10));
        served.kill();
        fill_with_jobs(&folder.path().join("office.db"), jobs);
        let served = client::serve(folder.path(), &[]);
        status
            .points
            .push((jobs, ask(&served, &session, "/api/files/processing-status")));
        page.points
            .push((jobs, ask(&served, &session, "/api/jobs?limit=50")));
        let (took, _) = self::job(&served, &session, &companies("last", 100));
        queue.points.push((jobs, took));
    }
    vec![status, page, queue]
}

/// Jobs that failed, made the way the database allows.
fn fill_with_jobs(database: &Path, jobs: usize) {
    let mut connection = Connection::open(database).unwrap();
    let tx = connection.transaction().unwrap();
    for _ in 0..jobs {
        tx.execute(
            "INSERT INTO jobs (user_id, upload_no, operation, template, on_duplicate, queued_at, changed_at)
             SELECT user_id, upload_no, 'process', template, on_duplicate, queued_at, changed_at FROM jobs WHERE id = 1",
            [],
        )
        .unwrap();
        tx.execute(
            "UPDATE jobs SET status = 'cancelled', finished_at = queued_at WHERE id = ?1",
            [tx.last_insert_rowid()],
        )
        .unwrap();
    }
    tx.commit().unwrap();
}
