//! An office into which one large file is brought, and what it is like with its records.

use std::path::Path;
use std::time::Instant;

use rusqlite::Connection;

use crate::forms::companies;
use crate::office::{Office, memory, office_with, workbook};
use crate::works::{ROUNDS, ask, crowd, curve, fastest, job, middle, ms};
use crate::{Curve, Kind, client};

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
        let book = workbook(rows);
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
        let database = folder.path().join("office.db");
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
        search.points.push((rows, ask(&rare)));
        status
            .points
            .push((rows, ask("/api/files/processing-status")));
        many.points.push((rows, crowd(&served, &sessions)));
        // The log that the jobs have left is read at the start that follows, and at no later one.
        served.kill();
        let (served, took) = start(folder.path());
        killed.points.push((rows, took));
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

/// A server, and the milliseconds until it was ready.
fn start(folder: &Path) -> (client::Served, f64) {
    let began = Instant::now();
    let served = client::serve(folder, &[]);
    (served, ms(began))
}

/// Some stops as an administrator does them, each with a start behind it: the middle start.
fn stop_and_start(mut served: client::Served, folder: &Path) -> (client::Served, f64) {
    let mut took = Vec::new();
    for _ in 0..STARTS {
        let (status, _) = served.terminate();
        assert!(status.success());
        let (next, ms) = start(folder);
        took.push(ms);
        served = next;
    }
    (served, middle(took))
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
