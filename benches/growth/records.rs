//! An office into which one large file is brought, and what it is like with its records.

use std::path::Path;
use std::time::Instant;

use rusqlite::Connection;

use crate::client::Served;
use crate::forms::companies;
use crate::lists::{Texts, as_workbook};
use crate::office::starts::{DATABASE, after_a_kill, start};
use crate::office::{Office, memory, middle, office_with};
use crate::works::{ROUNDS, ask, crowd, curve, fastest, job, ms};
use crate::{Curve, Kind};

/// A file of 1,000,000 rows has more than the 50 MB that are let in as it comes.
const LARGE_FILES: [&str; 2] = ["--max-upload-mb", "500"];

/// Starts after a clean stop, of which the middle one counts.
const STARTS: usize = 5;

/// A workbook that is kept as JSON.
pub(crate) fn uploads(sizes: [usize; 3]) -> Vec<Curve> {
    let mut upload = curve("upload as JSON, xlsx", "rows", "ms", Kind::Work);
    let mut peak = curve("server, upload as JSON", "rows", "MiB", Kind::Memory);
    for rows in sizes {
        let office = office_with(1, &LARGE_FILES);
        let book = as_workbook(&companies("book", rows), Texts::Inline);
        let session = office.sessions.first().unwrap();
        let took = fastest(|| {
            let began = Instant::now();
            office
                .served
                .upload(session, "upload-json", "book.xlsx", &book, None)
                .unwrap()
                .expect(201);
            ms(began)
        });
        upload.points.push((rows, took));
        peak.points.push((rows, memory(&office.served, "VmHWM:")));
    }
    vec![upload, peak]
}

/// One job of so many rows in an empty office, and requests to the office that has its records.
pub(crate) fn jobs(sizes: [usize; 3]) -> Vec<Curve> {
    let mut whole = curve(
        "upload and process, to the report",
        "rows",
        "ms",
        Kind::Work,
    );
    let mut room = curve("database after it", "rows", "MB", Kind::Work);
    let mut peak = curve("server, upload and process", "rows", "MiB", Kind::Memory);
    let mut later = curve("then a job of 1,000 rows", "records", "ms", Kind::Request);
    let mut page = curve("first page of the list", "records", "ms", Kind::Request);
    let mut search = curve("search that finds one record", "records", "ms", Kind::Work);
    let mut status = curve("status", "records", "ms", Kind::Request);
    let mut many = curve("status, 16 clients", "records", "us", Kind::Request);
    let mut undo = curve("undo", "records", "ms", Kind::Work);
    let mut killed = curve(
        "start right after `kill -9`",
        "records",
        "ms",
        Kind::Request,
    );
    let mut stopped = curve("start after a clean stop", "records", "ms", Kind::Request);
    for rows in sizes {
        let Office {
            served,
            sessions,
            folder,
        } = office_with(1, &LARGE_FILES);
        let session = sessions.first().unwrap();
        let (took, first) = job(&served, session, &companies("first", rows));
        whole.points.push((rows, took));
        peak.points.push((rows, memory(&served, "VmHWM:")));
        let database = folder.path().join(DATABASE);
        room.points.push((rows, megabytes(&database)));
        // Each with records of its own.
        let jobs = (0..ROUNDS).map(|n| {
            let list = companies(&format!("later{n}"), 1_000);
            job(&served, session, &list).0
        });
        later.points.push((rows, middle(jobs.collect())));
        let ask = |path: &str| ask(&served, session, path);
        page.points
            .push((rows, ask("/api/records?template=companies&limit=50")));
        let rare = format!("/api/records?template=companies&q=first%20{}%20", rows / 2);
        let found = served.get(session, &rare).unwrap().expect(200);
        assert_eq!(found["records"].as_array().unwrap().len(), 1, "{found}");
        search.points.push((rows, ask(&rare)));
        status
            .points
            .push((rows, ask("/api/files/processing-status")));
        many.points.push((rows, crowd(&served, &sessions)));
        served.kill();
        let took = middle(after_a_kill(folder.path(), &LARGE_FILES));
        killed.points.push((rows, took));
        // This start moves the log home that the jobs have left: those behind it find none.
        let (served, _) = start(folder.path(), &LARGE_FILES);
        let (served, took) = stop_and_start(served, folder.path());
        stopped.points.push((rows, took));
        let bearer = format!("Bearer {session}");
        let began = Instant::now();
        let path = format!("/api/jobs/{first}/undo");
        let undone = served.ask("POST", &path, &[("Authorization", &bearer)], b"");
        undone.unwrap().expect(200);
        undo.points.push((rows, ms(began)));
    }
    vec![
        whole, room, peak, later, page, search, status, many, undo, killed, stopped,
    ]
}

/// Some stops as an administrator does them, each with a start behind it: the middle start, in milliseconds.
fn stop_and_start(mut served: Served, folder: &Path) -> (Served, f64) {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let (status, _) = served.terminate();
        assert!(status.success());
        let (next, took) = start(folder, &LARGE_FILES);
        times.push(took.as_secs_f64() * 1e3);
        served = next;
    }
    (served, middle(times))
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
