//! What people meet while another program holds the database: they are told soon, all of them, and no job
//! pays for it.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use sheetline::db::patience;
use sheetline::runs::Run;
use sheetline::stop::Stop;
use sheetline::store::jobs;

use crate::forms::companies;
use crate::office::Office;

/// Another program that holds the database for writing.
fn hold(office: &Office) -> Connection {
    let other = Connection::open(&office.app.settings.db).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    other
}

/// Twice what a request waits, and a fraction of what twelve would that wait one after another.
const SOON: Duration = Duration::from_secs(5);

#[test]
fn twelve_who_send_a_file_and_one_who_asks_for_health_are_all_told_soon() {
    let office = Office::new();
    let people: Vec<_> = (0..12)
        .map(|n| office.member(&format!("user{n}")))
        .collect();
    let other = hold(&office);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for (n, person) in people.iter().enumerate() {
            scope.spawn(move || {
                let bytes = companies(&format!("c{n}"), 3);
                let answer = person.upload("upload-and-process", "c.csv", &bytes, &[]);
                assert_eq!(answer.status, 503, "{}", answer.text());
                assert_eq!(answer.code(), "busy");
                assert!(answer.header("Retry-After").is_some());
                assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
            });
        }
        let health = office.call("GET", "/api/health", &[], Vec::new());
        assert_eq!(health.status, 503);
        assert_eq!(health.json()["status"], "database-not-writable");
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    });
    other.execute_batch("ROLLBACK").unwrap();
    for person in &people {
        person.queue("c.csv", &companies("d", 3));
    }
    assert_eq!(office.work_all().len(), 12);
    // Nothing of what was refused is there.
    assert_eq!(office.number("SELECT count(*) FROM uploads"), 12);
}

#[test]
fn a_short_hold_is_waited_for() {
    let office = Office::new();
    let anna = office.member("anna");
    let other = hold(&office);
    std::thread::scope(|scope| {
        let sent = scope.spawn(|| anna.upload("upload-json", "c.csv", &companies("c", 3), &[]));
        // It has met the lock.
        crate::client::wait_until(|| {
            office.pass(1);
            (office.app.db.held_by_others() > Duration::ZERO).then_some(())
        });
        other.execute_batch("ROLLBACK").unwrap();
        sent.join().unwrap().expect(201);
    });
}

#[test]
fn the_time_that_another_program_holds_the_database_counts_against_no_job() {
    let mut office = Office::new();
    let id = office.member("anna").queue("a.csv", &companies("a", 2));
    let claim = office.app.db.write(jobs::claim).unwrap().unwrap();
    office.app.runs.begin(Run {
        job: claim.job,
        attempt: claim.attempt,
        since: office.app.clock.monotonic(),
        held_before: office.app.db.held_by_others(),
        over: false,
        stop: Stop::new(),
    });
    office.pass(1_000);
    let other = hold(&office);
    {
        let _hurry = patience::hurry(Duration::from_millis(1));
        assert!(office.app.db.write(|_| Ok(())).unwrap_err().is_busy());
    }
    office.pass(3_600);
    other.execute_batch("ROLLBACK").unwrap();
    office.sweep();
    let status = |office: &Office| {
        let sql = format!("SELECT count(*) FROM jobs WHERE id = {id} AND status = 'timeout'");
        office.number(&sql)
    };
    assert_eq!(status(&office), 0);
    office.pass(799);
    office.sweep();
    assert_eq!(status(&office), 0);
    office.pass(1);
    office.sweep();
    assert_eq!(status(&office), 1);
}

#[test]
fn a_job_whose_end_can_not_be_written_yet_has_not_taken_too_long() {
    let mut office = Office::new();
    office.member("anna").queue("a.csv", &companies("a", 2));
    let claim = office.app.db.write(jobs::claim).unwrap().unwrap();
    office.app.runs.begin(Run {
        job: claim.job,
        attempt: claim.attempt,
        since: office.app.clock.monotonic(),
        held_before: Duration::ZERO,
        over: false,
        stop: Stop::new(),
    });
    office.app.runs.over(claim.job);
    office.pass(3_600);
    office.sweep();
    let processing = "SELECT count(*) FROM jobs WHERE status = 'processing'";
    assert_eq!(office.number(processing), 1);
}

#[test]
fn a_server_that_finds_the_database_held_starts_and_catches_up() {
    let office = Office::with(|settings| {
        settings.trouble_wait = Duration::from_millis(5);
        settings.listen = "127.0.0.1:0".to_owned();
    });
    let id = office.member("anna").queue("a.csv", &companies("a", 2));
    assert!(office.app.db.write(jobs::claim).unwrap().is_some());
    let office = office.restart();
    let other = hold(&office);
    let server = sheetline::server::Server::start(std::sync::Arc::clone(&office.app)).unwrap();
    assert!(*office.app.disorder.lock().unwrap());
    other.execute_batch("ROLLBACK").unwrap();
    crate::client::wait_until(|| {
        let sql = format!(
            "SELECT attempt FROM jobs WHERE id = {id} AND status = 'completed' UNION ALL SELECT 0"
        );
        (office.number(&sql) == 2).then_some(())
    });
    assert!(server.stop());
}
