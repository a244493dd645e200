//! What all works share: their sizes, a curve to fill, and how one request is measured.

use std::time::{Duration, Instant};

use crate::client::Served;
use crate::office::{ask_from_16, middle, watch_to_the_end};
use crate::{Curve, Kind, commands, is_quick, past, people, records};

/// How often one kind of request is asked at least, and for how long; the middle one counts.
const ASKED_MIN: usize = 9;

fn asked() -> Duration {
    Duration::from_millis(if is_quick() { 20 } else { 1_000 })
}

/// Of a work that takes long, and that can be done again.
pub(crate) const ROUNDS: usize = 3;

/// Rows of the smallest size of all works that grow with them.
pub(crate) const ROWS: usize = 10_000;

/// Every curve, of a thousandth of each size in a short run.
pub(crate) fn all() -> Vec<Curve> {
    let part = if is_quick() { 1_000 } else { 1 };
    let sizes = |smallest: usize| [1, 10, 100].map(|times| (smallest * times / part).max(10));
    let mut curves = commands::curves(sizes(ROWS));
    curves.extend(records::uploads(sizes(ROWS)));
    curves.extend(records::jobs(sizes(ROWS)));
    curves.extend(people::curves(sizes(10)));
    curves.extend(past::history(sizes(1_000)));
    curves.extend(past::queue(sizes(1_000)));
    curves
}

/// A curve without its points.
pub(crate) fn curve(work: &'static str, of: &'static str, unit: &'static str, kind: Kind) -> Curve {
    Curve {
        work,
        of,
        unit,
        kind,
        points: Vec::new(),
    }
}

pub(crate) fn ms(began: Instant) -> f64 {
    began.elapsed().as_secs_f64() * 1_000.0
}

/// The fastest of some rounds.
pub(crate) fn fastest(work: impl FnMut() -> f64) -> f64 {
    std::iter::repeat_with(work)
        .take(ROUNDS)
        .fold(f64::MAX, f64::min)
}

/// The middle one of some requests in turn, in milliseconds, the connection included.
pub(crate) fn ask(served: &Served, session: &str, path: &str) -> f64 {
    let (mut times, all) = (Vec::new(), Instant::now());
    while times.len() < ASKED_MIN || all.elapsed() < asked() {
        let began = Instant::now();
        served.get(session, path).unwrap().expect(200);
        times.push(ms(began));
    }
    middle(times)
}

/// The status, asked by 16 clients over kept connections: microseconds of the whole machine for each answer.
pub(crate) fn crowd(served: &Served, sessions: &[String]) -> f64 {
    let long = asked();
    let answers = ask_from_16(&served.address, sessions, long).len();
    long.as_secs_f64() * 1e6 / answers as f64
}

/// Uploads and processes a list: milliseconds to its end, and its number.
pub(crate) fn job(served: &Served, session: &str, list: &[u8]) -> (f64, i64) {
    let began = Instant::now();
    let queued = served
        .upload(session, "upload-and-process", "list.csv", list, None)
        .unwrap()
        .expect(202);
    let job = queued["job_id"].as_i64().unwrap();
    let ended = watch_to_the_end(served, session);
    let took = ms(began);
    assert_eq!(ended["status"], "completed", "{ended}");
    (took, job)
}
