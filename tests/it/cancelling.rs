//! A cancel that was answered with 202 holds, whatever the job was about to come to.

use sheetline::error::Error;
use sheetline::faults::{self, Kind};
use sheetline::store::jobs::{self, Claim, Counts, Failure};
use sheetline::words::{Code, State};
use sheetline::worker::{self, Ran};

use crate::forms::companies;
use crate::office::{Office, Person};

/// From here on, whoever reads a file finds that somebody asked to cancel the job when that was done, and its
/// worker has not been told yet.
fn cancel_when_the_file_is_read(office: &Office) {
    let sql = "CREATE TRIGGER asked AFTER UPDATE OF status ON uploads WHEN NEW.status = 'stored'
               BEGIN UPDATE jobs SET cancel_asked_at = '2026-11-23T10:00:00.000Z',
                                     change_detail = 'Cancelled by anna.'
                     WHERE status = 'processing'; END";
    office
        .app
        .db
        .write(|tx| Ok(tx.execute_batch(sql)?))
        .unwrap();
}

#[track_caller]
fn assert_is_cancelled(anna: &Person<'_>, id: i64) {
    let job = anna.job(id);
    assert_eq!(job["status"], "cancelled", "{job}");
    let last = job["events"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&last["to"], &last["detail"]),
        (&"cancelled".into(), &"Cancelled by anna.".into())
    );
    assert!(job["error"].is_null(), "{job}");
    assert_eq!(anna.office.number("SELECT count(*) FROM records"), 0);
    assert_eq!(anna.office.number("SELECT count(*) FROM v_records"), 0);
}

#[test]
fn a_job_that_was_asked_to_cancel_neither_completes_nor_fails_nor_waits_again() {
    let office = Office::new();
    let anna = office.member("anna");
    let id = anna.queue("a.csv", &companies("a", 2));
    let claim = office.app.db.write(jobs::claim).unwrap().unwrap();
    anna.post(&format!("/api/jobs/{id}/cancel")).expect(202);

    let db = &office.app.db;
    let failure = Failure {
        code: Code::MissingColumns,
        message: "It lacks a column.".to_owned(),
        report: None,
    };
    let counts = Counts::default();
    for (end, refused) in [
        (
            "completed",
            db.write(|tx| jobs::complete(tx, &claim, &counts, "{}", 1)),
        ),
        ("failed", db.write(|tx| jobs::fail(tx, &claim, &failure))),
        (
            "put back",
            db.write(|tx| jobs::put_back(tx, &claim, "A restart.", false)),
        ),
    ] {
        assert!(matches!(refused, Err(Error::Stopped)), "{end}: {refused:?}");
    }
    assert_eq!(anna.job(id)["cancel_requested"], true);
    assert!(db.write(|tx| jobs::cancel_claimed(tx, &claim)).unwrap());
    assert_is_cancelled(&anna, id);
}

#[test]
fn a_job_that_nobody_asked_to_cancel_is_not_cancelled_by_its_worker() {
    let office = Office::new();
    let anna = office.member("anna");
    anna.queue("a.csv", &companies("a", 2));
    let claim = office.app.db.write(jobs::claim).unwrap().unwrap();
    let cancelled = office.app.db.write(|tx| jobs::cancel_claimed(tx, &claim));
    assert!(!cancelled.unwrap());
}

#[test]
fn a_worker_that_was_not_told_of_the_cancel_ends_the_job_as_cancelled_all_the_same() {
    // One that would complete, and one whose columns are missing.
    for file in [companies("a", 400), b"Name,Town\nx,y\n".to_vec()] {
        let office = Office::new();
        let anna = office.member("anna");
        let id = anna.queue("a.csv", &file);
        cancel_when_the_file_is_read(&office);
        let ran = worker::run_next(&office.app).unwrap();
        assert!(matches!(ran, Ran::Job(_, State::Cancelled)), "{ran:?}");
        assert_is_cancelled(&anna, id);
        let again = anna.post(&format!("/api/jobs/{id}/cancel"));
        assert_eq!((again.status, again.code().as_str()), (409, "not-active"));
    }
}

#[test]
fn a_job_that_finds_the_disk_full_after_it_was_asked_to_cancel_does_not_wait_again() {
    let office = Office::new();
    office.app.db.watch_writes().unwrap();
    let anna = office.member("anna");
    let id = anna.queue("a.csv", &companies("a", 400));
    cancel_when_the_file_is_read(&office);
    let ran = faults::with_failing_write("INSERT records", 10, Kind::Full, || {
        worker::run_next(&office.app)
    });
    assert!(matches!(ran, Ok(Ran::Job(_, State::Cancelled))), "{ran:?}");
    office.app.db.room().is_back();
    while worker::leftovers::when_idle(&office.app).unwrap() {}
    assert_is_cancelled(&anna, id);
}

#[test]
fn a_job_that_hangs_after_it_was_asked_to_cancel_is_no_timeout() {
    let office = Office::new();
    let anna = office.member("anna");
    let id = anna.queue("a.csv", &companies("a", 2));
    let Claim { job, attempt, .. } = office.app.db.write(jobs::claim).unwrap().unwrap();
    anna.post(&format!("/api/jobs/{id}/cancel")).expect(202);
    let ended = office
        .app
        .db
        .write(|tx| jobs::time_out(tx, job, attempt, "It took too long."));
    assert!(ended.unwrap());
    assert_is_cancelled(&anna, id);
}

#[test]
fn a_job_that_was_asked_to_cancel_does_not_run_again_after_a_restart() {
    let office = Office::new();
    let id = {
        let anna = office.member("anna");
        let id = anna.queue("a.csv", &companies("a", 2));
        office.app.db.write(jobs::claim).unwrap().unwrap();
        anna.post(&format!("/api/jobs/{id}/cancel")).expect(202);
        id
    };
    let office = office.restart();
    office.app.db.write(|tx| jobs::recover(tx, None)).unwrap();
    assert!(office.work_all().is_empty());
    assert_is_cancelled(&office.sign_in("anna"), id);
}
