//! The service as its users feel it: `cargo bench --bench service`. Prints each figure; docs/bench.md
//! says how they compare. Starts the real executable on a free port of this computer, with databases
//! in temporary folders, and ends by itself after about a minute and a half; `-- --million` only asks beside a
//! job of 1,000,000 rows. A figure that has a bound has it behind it in brackets.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a bench prints its figures and gives up where something fails"
)]

#[path = "service/bare.rs"]
mod bare;
#[path = "../tests/it/client.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod client;
#[path = "../tests/it/forms.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod forms;
#[allow(dead_code, reason = "shared with the other benches")]
mod lists;
#[allow(dead_code, reason = "shared with the other benches")]
mod office;
#[path = "office/program.rs"]
mod program;

use std::time::{Duration, Instant};

use forms::companies;
use lists::{Texts, as_workbook};
use office::starts::start;
use office::{
    Office, ask_all, ask_from_16, memory, middle, office, office_with, processor, spread,
    watch_to_the_end,
};

fn main() {
    // `cargo test --benches` and `--all-targets` start it, too, without this: then there is nothing to do.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    if std::env::args().any(|argument| argument == "--million") {
        for pause in [Duration::from_millis(10), Duration::ZERO] {
            status_beside_jobs(1, scaled(1_000_000), pause, Some("25 ms"), None);
        }
        return;
    }
    ready();
    status();
    upload_as_json();
    upload_and_process();
    process_on_one_core();
    // Beside one job there are too few requests for a p99 that says much.
    let jobs = if is_quick() { 1 } else { 5 };
    let (rows, pause) = (scaled(200_000), Duration::from_millis(10));
    status_beside_jobs(jobs, rows, pause, Some("3 ms"), Some("1.6 s"));
    status_beside_jobs(1, rows, Duration::ZERO, None, None);
    writes_beside_jobs(jobs, rows);
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
    let times = (0..10)
        .map(|_| {
            let folder = tempfile::tempdir().unwrap();
            let (served, took) = start(folder.path(), &[]);
            served.kill();
            took.as_secs_f64() * 1e3
        })
        .collect();
    say(
        "ready, new database (median of 10)",
        &format!("{} ms", spread(times)),
    );
}

fn p99(times: &[Duration]) -> Duration {
    times[times.len() * 99 / 100]
}

const SECOND: Duration = Duration::from_secs(1);

fn status() {
    let office = office(4);
    let bare = bare::listener();
    let seconds = if is_quick() { 1 } else { 5 };
    let (mut bound, mut times, mut cpu) = (0, Vec::new(), 0.0);
    // In turns, so that whatever else the machine does slows both alike.
    for _ in 0..seconds {
        bound += ask_from_16(&bare, &office.sessions, SECOND).len();
        let before = processor(&office.served);
        times.extend(ask_from_16(
            &office.served.address,
            &office.sessions,
            SECOND,
        ));
        cpu += processor(&office.served) - before;
    }
    times.sort();
    let (bound, asked) = (bound as f64, times.len() as f64);
    say(
        "rouille's types on a bare listener, the same 16 clients",
        &format!("{:.0}/s", bound / f64::from(seconds)),
    );
    say(
        "status, session checked in the database, 16 clients",
        &format!(
            "{:.0}/s (at least 50,000), {:.2} x the bare listener, p99 {:.2?} (at most 2 ms), {:.0} us of processor \
             each (at most 25)",
            asked / f64::from(seconds),
            asked / bound,
            p99(&times),
            cpu * 1e6 / asked
        ),
    );
}

fn upload_as_json() {
    let office = office(8);
    let book = as_workbook(&companies("book", scaled(10_000)), Texts::Inline);
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
            "{:.1} files/s (at least 50), {:.0} ms of processor a file (at most 40), memory of the \
             server at most {:.0} MiB",
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
            "{took:.2?}, {:.0} rows/s (at least 120,000), plain csv of {} bytes a row, memory of \
             the server at most {:.0} MiB",
            scaled(100_000) as f64 / took.as_secs_f64(),
            lists[0].len() / scaled(5_000),
            memory(&office.served, "VmHWM:")
        ),
    );
}

/// From rows stored before to the report, the whole server on one core.
fn process_on_one_core() {
    let work = "checking and storing, the whole server on one core";
    let office = office(1);
    let pid = office.served.pid().to_string();
    let bound = std::process::Command::new("taskset")
        .args(["-acp", "0", &pid])
        .stdout(std::process::Stdio::null())
        .status();
    if !bound.is_ok_and(|status| status.success()) {
        say(work, "left out: taskset could not bind it");
        return;
    }
    let session = &office.sessions[0];
    let rows = scaled(100_000);
    let list = companies("core", rows);
    let kept = office
        .served
        .upload(session, "upload-json", "list.csv", &list, None)
        .unwrap()
        .expect(201);
    let path = format!(
        "/api/files/{}/process",
        kept["file_upload_id"].as_str().unwrap()
    );
    let bearer = format!("Bearer {session}");
    let began = Instant::now();
    let queued = office
        .served
        .ask("POST", &path, &[("Authorization", &bearer)], b"");
    queued.unwrap().expect(202);
    let status = watch_to_the_end(&office.served, session);
    let took = began.elapsed();
    assert_eq!(status["counts"]["valid"], rows, "{status}");
    say(
        work,
        &format!(
            "{took:.2?}, {:.0} rows/s (at least 100,000 a core)",
            rows as f64 / took.as_secs_f64()
        ),
    );
}

/// Uploads and processes a list of so many rows for the office's last user, and does `beside` until it is told that
/// the job has ended; what that found, and how long the job took.
fn beside_a_job<T>(
    office: &Office,
    rows: usize,
    beside: impl FnOnce(&(dyn Fn() -> bool + Sync)) -> T,
) -> (T, Duration) {
    let session = office.sessions.last().unwrap();
    let list = companies("large", rows);
    let began = Instant::now();
    office
        .served
        .upload(session, "upload-and-process", "large.csv", &list, None)
        .unwrap()
        .expect(202);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let status = watch_to_the_end(&office.served, session);
            let took = began.elapsed();
            assert_eq!(status["counts"]["valid"], rows, "{status}");
            took
        });
        // It is finished where the job has failed, too.
        let found = beside(&|| watcher.is_finished());
        (found, watcher.join().unwrap())
    })
}

/// Of all requests beside so many jobs, each in an office of its own: four clients ask with that pause after each
/// answer. With the bounds of the status and of the job where there are any.
fn status_beside_jobs(
    jobs: usize,
    rows: usize,
    pause: Duration,
    status_max: Option<&str>,
    job_max: Option<&str>,
) {
    let (mut times, mut took, mut most) = (Vec::new(), Vec::new(), 0.0_f64);
    for _ in 0..jobs {
        // A million rows are 120 MB.
        let office = office_with(5, &["--max-upload-mb", "256"]);
        let (asked, job) = beside_a_job(&office, rows, |is_over| {
            ask_all(
                &office.served.address,
                &office.sessions,
                4,
                1,
                pause,
                is_over,
            )
        });
        times.extend(asked);
        took.push(job.as_secs_f64());
        most = most.max(memory(&office.served, "VmHWM:"));
    }
    times.sort();
    let bound =
        |most: Option<&str>| most.map_or(String::new(), |most| format!(" (at most {most})"));
    say(
        &format!("status p99 beside a job of {rows} rows, pause {pause:?}; the job"),
        &format!(
            "{:.2?}{} of {} requests beside {jobs}; {:.2} s{}, memory of the server at most {most:.0} MiB",
            p99(&times),
            bound(status_max),
            times.len(),
            middle(took),
            bound(job_max),
        ),
    );
}

/// How long somebody else's writes take beside so many jobs, each in an office of its own. One who does nothing but
/// write a little waits for the disk, and for the writer, in which a job files its rows: 50 ms at most. An upload is a
/// reading child and a file besides, and has no bound.
fn writes_beside_jobs(jobs: usize, rows: usize) {
    let (mut tokens, mut uploads) = (Vec::new(), Vec::new());
    for _ in 0..jobs {
        let office = office(2);
        let (session, row) = (&office.sessions[0], companies("small", 1));
        beside_a_job(&office, rows, |is_over| {
            loop {
                tokens.extend(make_and_revoke_a_token(&office, session));
                let began = Instant::now();
                office
                    .served
                    .upload(session, "upload-json", "small.csv", &row, None)
                    .unwrap()
                    .expect(201);
                uploads.push(began.elapsed());
                if is_over() {
                    break;
                }
            }
        });
    }
    for (work, mut times, bound) in [
        ("an API token made or revoked", tokens, " (at most 50 ms)"),
        ("one row uploaded as JSON", uploads, ""),
    ] {
        times.sort();
        say(
            &format!("{work}, beside a job of {rows} rows"),
            &format!(
                "p99 {:.1?}{bound}, at most {:.1?}, median {:.1?}, of {} beside {jobs}",
                p99(&times),
                times[times.len() - 1],
                times[times.len() / 2],
                times.len()
            ),
        );
    }
}

/// Two writes of a few bytes each, and how long they took.
fn make_and_revoke_a_token(office: &Office, session: &str) -> [Duration; 2] {
    let bearer = format!("Bearer {session}");
    let headers = [
        ("Authorization", bearer.as_str()),
        ("Content-Type", "application/json"),
    ];
    let ask = |method: &str, path: &str, body: &[u8]| {
        office.served.ask(method, path, &headers, body).unwrap()
    };
    let began = Instant::now();
    let made = ask("POST", "/api/auth/tokens", br#"{"name": "bench"}"#).expect(201);
    let making = began.elapsed();
    let began = Instant::now();
    ask("DELETE", &format!("/api/auth/tokens/{}", made["id"]), b"").expect(200);
    [making, began.elapsed()]
}
