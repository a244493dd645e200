//! The reading ahead: files of jobs that wait are read while every worker is busy.

use std::sync::Arc;
use std::time::Duration;

use sheetline::id::{JobId, UploadNo};
use sheetline::runs::Run;
use sheetline::stop::Stop;
use sheetline::store::jobs::{self, ToRead};
use sheetline::words::State;
use sheetline::worker::{Ran, ahead, run_next};

use crate::forms::companies;
use crate::office::Office;

fn uploads(office: &Office, status: &str) -> i64 {
    office.number(&format!(
        "SELECT count(*) FROM uploads WHERE status = '{status}'"
    ))
}

fn rows_of(office: &Office, upload: i64) -> i64 {
    office.number(&format!(
        "SELECT coalesce(sum(row_count), 0) FROM upload_row_packs WHERE upload_no = {upload}"
    ))
}

const FIRST: ToRead = ToRead {
    job: JobId(1),
    upload: UploadNo(1),
};

#[test]
fn while_every_worker_is_busy_the_file_of_the_next_job_is_read() {
    let office = Office::new();
    let app = Arc::clone(&office.app);
    for name in ["anna", "ben", "clara"] {
        office
            .member(name)
            .queue("list.csv", &companies(name, 5_000));
    }
    // The first job's worker is busy until this is dropped.
    let list = app
        .turns
        .take("companies", JobId(99), &Stop::new(), || {})
        .unwrap();
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| ahead::run(&app, &Stop::new()));
        let working = scope.spawn(|| run_next(&app).unwrap());
        while uploads(&office, "stored") < 2 {
            assert!(!working.is_finished() && !reading.is_finished());
            std::thread::yield_now();
        }
        drop(list);
        assert_eq!(
            working.join().unwrap(),
            Ran::Job(JobId(1), State::Completed)
        );
        app.bell.close();
    });
    assert_eq!(
        office.number("SELECT count(*) FROM jobs WHERE status = 'pending' AND attempt = 0"),
        2
    );
    // No more of them than there are workers.
    assert_eq!(uploads(&office, "received"), 1);
    let office = office.restart();
    assert_eq!(office.work_all().len(), 2);
    assert_eq!(office.number("SELECT sum(valid) FROM jobs"), 15_000);
    assert_eq!(rows_of(&office, 2), 5_000);
}

#[test]
fn an_idle_worker_reads_the_file_itself_and_a_large_one_is_left_to_its_job() {
    let office = Office::new();
    let next = |after| ahead::next(&office.app, JobId(after)).unwrap();
    office.member("anna").queue("a.csv", &companies("a", 3));
    assert_eq!(next(0), None);
    let busy = |job| {
        office.app.runs.begin(Run {
            job: JobId(job),
            attempt: 1,
            since: Duration::ZERO,
            held_before: Duration::ZERO,
            over: false,
            stop: Stop::new(),
        });
    };
    busy(99);
    assert_eq!(next(0), Some(FIRST));
    assert_eq!(next(1), None);
    office.app.db.write(jobs::claim).unwrap();
    office.member("ben").queue("b.csv", &companies("b", 60_000));
    assert_eq!(next(0), None);
}

#[test]
fn nothing_is_kept_for_a_job_that_was_cancelled() {
    let office = Office::new();
    let anna = office.member("anna");
    let job = anna.queue("a.csv", &companies("a", 3));
    anna.post(&format!("/api/jobs/{job}/cancel")).expect(200);
    ahead::read(&office.app, &FIRST, &Stop::new()).unwrap_err();
    assert_eq!((uploads(&office, "received"), rows_of(&office, 1)), (1, 0));
    anna.post(&format!("/api/jobs/{job}/retry")).expect(202);
    office.work_all();
    assert_eq!(office.number("SELECT sum(valid) FROM jobs"), 3);
}

#[test]
fn a_file_that_cannot_be_read_fails_its_own_job_when_its_turn_comes() {
    let office = Office::new();
    let anna = office.member("anna");
    let job = anna.queue("a.csv", b"name;city\n");
    ahead::read(&office.app, &FIRST, &Stop::new()).unwrap_err();
    assert_eq!(anna.job(job)["status"], "pending");
    office.work_all();
    let job = anna.job(job);
    assert_eq!(
        (&job["status"], &job["error"]["code"]),
        (&"failed".into(), &"empty-file".into())
    );
}

#[test]
fn a_job_whose_file_somebody_reads_waits_for_that_and_can_be_cancelled_meanwhile() {
    let office = Office::new();
    let app = Arc::clone(&office.app);
    let anna = office.member("anna");
    let job = anna.queue("a.csv", &companies("a", 3));
    let theirs = app
        .reading
        .take("1", JobId(1), &Stop::new(), || {})
        .unwrap();
    std::thread::scope(|scope| {
        let working = scope.spawn(|| run_next(&app).unwrap());
        while anna.job(job)["status"] != "processing" {
            assert!(!working.is_finished());
            std::thread::yield_now();
        }
        anna.post(&format!("/api/jobs/{job}/cancel")).expect(202);
        assert_eq!(
            working.join().unwrap(),
            Ran::Job(JobId(1), State::Cancelled)
        );
    });
    drop(theirs);
    assert_eq!(rows_of(&office, 1), 0);
}

#[test]
fn a_shutdown_ends_the_reading() {
    let office = Office::new();
    office.member("anna").queue("a.csv", &companies("a", 3));
    let stop = Stop::new();
    stop.ask(sheetline::stop::Reason::Shutdown);
    ahead::read(&office.app, &FIRST, &stop).unwrap_err();
    assert_eq!(uploads(&office, "received"), 1);
}
