//! The service as its users feel it: `cargo bench --bench service`. Prints each figure; docs/bench.md
//! says how they compare. Starts the real executable on a free port of this computer, with databases
//! in temporary folders, and ends by itself after about a minute; `-- --million` only asks beside a job of
//! 1,000,000 rows.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a bench prints its figures and gives up where something fails"
)]

#[path = "../tests/it/client.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod client;
#[path = "../tests/it/forms.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod forms;
#[allow(dead_code, reason = "shared with the other benches")]
mod office;

use std::time::{Duration, Instant};

use forms::companies;
use office::{Asker, Office, memory, office, office_with, processor, watch_to_the_end, workbook};

fn main() {
    // `cargo test --benches` asks with --test: then there is nothing to do.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    if std::env::args().any(|argument| argument == "--million") {
        status_beside_jobs(1, scaled(1_000_000), Duration::ZERO);
        return;
    }
    ready();
    status();
    upload_as_json();
    upload_and_process();
    // Beside one job there are too few requests for a p99 that says much.
    let jobs = if is_quick() { 1 } else { 5 };
    status_beside_jobs(jobs, scaled(200_000), Duration::from_millis(10));
    status_beside_jobs(1, scaled(200_000), Duration::ZERO);
}

/// Whether this is a short run (`-- --quick`) that only sees to it that the bench still works.
fn is_quick() -> bool {
    std::env::args().any(|argument| argument == "--quick")
}

/// So many rows, or a fiftieth of them in a short run.
fn scaled(rows: usize) -> usize {
    if is_quick() { rows / 50 } else { rows }
}

fn say(work: &str, figure: &str) {
    println!("{work:<58} {figure}");
}

fn ready() {
    let mut times: Vec<Duration> = (0..10)
        .map(|_| {
            let folder = tempfile::tempdir().unwrap();
            let began = Instant::now();
            let served = client::serve(folder.path(), &[]);
            let took = began.elapsed();
            served.kill();
            took
        })
        .collect();
    times.sort();
    let office = office(1);
    say(
        "ready, new database (median of 10)",
        &format!("{:?}", times[5]),
    );
    say(
        "memory of an idle server",
        &format!("{:.1} MiB", memory(&office.served, "VmRSS:")),
    );
}

/// Asks from so many threads over so many connections each, with that pause after each answer, until
/// `until`; all times, sorted. A thread asks over all its connections, then takes all answers.
fn ask_all(
    office: &Office,
    threads: usize,
    connections: usize,
    pause: Duration,
    until: impl Fn() -> bool + Sync,
) -> Vec<Duration> {
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|thread| {
                let until = &until;
                scope.spawn(move || {
                    let mut askers: Vec<Asker> = (0..connections)
                        .map(|n| {
                            let at = (thread * connections + n) % office.sessions.len();
                            Asker::new(&office.served, &office.sessions[at])
                        })
                        .collect();
                    let mut times = Vec::new();
                    while !until() {
                        askers.iter_mut().for_each(Asker::send);
                        times.extend(askers.iter_mut().map(Asker::receive));
                        if !pause.is_zero() {
                            std::thread::sleep(pause);
                        }
                    }
                    times
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    times.sort();
    times
}

fn p99(times: &[Duration]) -> Duration {
    times[times.len() * 99 / 100]
}

fn status() {
    let office = office(4);
    let before = processor(&office.served);
    let long = Duration::from_secs(if is_quick() { 1 } else { 5 });
    let end = Instant::now() + long;
    let times = ask_all(&office, 2, 8, Duration::ZERO, || Instant::now() >= end);
    let cpu = processor(&office.served) - before;
    say(
        "status, session checked in the database, 16 clients",
        &format!(
            "{:.0}/s, p99 {:?}, {:.0} us of processor each",
            times.len() as f64 / long.as_secs_f64(),
            p99(&times),
            cpu * 1e6 / times.len() as f64
        ),
    );
}

fn upload_as_json() {
    let office = office(8);
    let book = workbook(scaled(10_000));
    let before = processor(&office.served);
    let began = Instant::now();
    const EACH: usize = 5;
    std::thread::scope(|scope| {
        for session in &office.sessions {
            let (served, book) = (&office.served, &book);
            scope.spawn(move || {
                for _ in 0..EACH {
                    served
                        .upload(session, "upload-json", "book.xlsx", book, None)
                        .unwrap()
                        .expect(201);
                }
            });
        }
    });
    let files = (EACH * office.sessions.len()) as f64;
    let cpu = processor(&office.served) - before;
    say(
        "upload as JSON, 8 users, 10,000-row xlsx",
        &format!(
            "{:.1} files/s, {:.0} ms of processor a file, memory at most {:.0} MiB",
            files / began.elapsed().as_secs_f64(),
            cpu * 1e3 / files,
            memory(&office.served, "VmHWM:")
        ),
    );
}

fn upload_and_process() {
    let office = office(20);
    let lists = (0..20).map(|n| companies(&format!("u{n}"), scaled(5_000)));
    let lists: Vec<Vec<u8>> = lists.collect();
    let began = Instant::now();
    std::thread::scope(|scope| {
        for (session, list) in office.sessions.iter().zip(&lists) {
            let served = &office.served;
            scope.spawn(move || {
                served
                    .upload(session, "upload-and-process", "list.csv", list, None)
                    .unwrap()
                    .expect(202);
                let status = watch_to_the_end(served, session);
                assert_eq!(status["counts"]["valid"], scaled(5_000), "{status}");
            });
        }
    });
    let took = began.elapsed();
    say(
        "upload and process, 20 users x 5,000 rows",
        &format!(
            "{took:.2?}, {:.0} rows/s, memory at most {:.0} MiB",
            scaled(100_000) as f64 / took.as_secs_f64(),
            memory(&office.served, "VmHWM:")
        ),
    );
}

/// Of all requests beside so many jobs, each in an office of its own.
fn status_beside_jobs(jobs: usize, rows: usize, pause: Duration) {
    let (mut times, mut took, mut most) = (Vec::new(), Vec::new(), 0.0_f64);
    for _ in 0..jobs {
        let (asked, job, memory) = status_beside_a_job(rows, pause);
        times.extend(asked);
        took.push(job);
        most = most.max(memory);
    }
    took.sort();
    times.sort();
    say(
        &format!("status p99 beside a job of {rows} rows, pause {pause:?}; the job"),
        &format!(
            "{:?} (of {} requests beside {jobs}); {:.2?}, memory at most {most:.0} MiB",
            p99(&times),
            times.len(),
            took[took.len() / 2],
        ),
    );
}

/// With four clients that ask with that pause after each answer: how long their answers and the job took, and
/// the server's memory at most.
fn status_beside_a_job(rows: usize, pause: Duration) -> (Vec<Duration>, Duration, f64) {
    // A million rows are 120 MB.
    let office = office_with(5, &["--max-upload-mb", "256"]);
    let began = Instant::now();
    office
        .served
        .upload(
            &office.sessions[4],
            "upload-and-process",
            "large.csv",
            &companies("large", rows),
            None,
        )
        .unwrap()
        .expect(202);
    let done = std::sync::atomic::AtomicBool::new(false);
    let times = std::thread::scope(|scope| {
        scope.spawn(|| {
            let status = watch_to_the_end(&office.served, &office.sessions[4]);
            assert_eq!(status["counts"]["valid"], rows, "{status}");
            done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        ask_all(&office, 4, 1, pause, || {
            done.load(std::sync::atomic::Ordering::Relaxed)
        })
    });
    (times, began.elapsed(), memory(&office.served, "VmHWM:"))
}
