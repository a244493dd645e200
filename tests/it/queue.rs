//! Promises of the queue.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use serde_json::{Value, json};
use sheetline::id::JobId;
use sheetline::runs::Run;
use sheetline::stop::{Reason, Stop};
use sheetline::store::filing::{Filer, NewKeys, NewRecord};
use sheetline::store::jobs::{self, Claim};
use sheetline::words::{Phase, State};
use sheetline::worker::{Ran, leftovers};

use crate::forms::companies;
use crate::office::{Office, Person};

fn claim(office: &Office) -> Claim {
    office
        .app
        .db
        .write(jobs::claim)
        .unwrap()
        .expect("a job waits")
}

fn begin(office: &Office, claim: &Claim) -> Stop {
    let stop = Stop::new();
    office.app.runs.begin(Run {
        job: claim.job,
        attempt: claim.attempt,
        since: sheetline::clock::Clock::monotonic(&office.clock),
        held_before: Duration::ZERO,
        over: false,
        stop: stop.clone(),
    });
    stop
}

fn states(job: &Value) -> Vec<(Value, Value)> {
    job["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (event["from"].clone(), event["to"].clone()))
        .collect()
}

fn status(person: &Person<'_>) -> Value {
    person.get("/api/files/processing-status").expect(200)
}

#[test]
fn of_fifty_uploads_at_once_exactly_one_is_queued_and_nothing_else_is_kept() {
    let office = Office::new();
    let person = office.member("anna");
    let barrier = Barrier::new(50);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..50)
            .map(|n| {
                let (person, barrier) = (&person, &barrier);
                scope.spawn(move || {
                    let bytes = companies(&format!("c{n}"), 3);
                    barrier.wait();
                    person
                        .upload("upload-and-process", "c.csv", &bytes, &[])
                        .status
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|s| **s == 202).count(), 1);
    assert_eq!(statuses.iter().filter(|s| **s == 409).count(), 49);
    assert_eq!(office.number("SELECT count(*) FROM jobs"), 1);
    assert_eq!(
        office.number("SELECT count(*) FROM uploads WHERE status <> 'deleted'"),
        1
    );
    assert_eq!(
        office.number("SELECT count(DISTINCT upload_no) FROM upload_chunks"),
        1
    );
}

#[test]
fn a_second_job_is_refused_with_the_first_one_described() {
    let office = Office::new();
    let person = office.member("anna");
    let job = person.queue("a.csv", &companies("a", 2));
    let answer = person.upload("upload-and-process", "b.csv", &companies("b", 2), &[]);
    let body = answer.expect(409);
    assert_eq!(answer.code(), "job-in-progress");
    assert_eq!(body["detail"], "You already have a job in progress");
    assert_eq!(body["job"]["job_id"], json!(job));
    assert_eq!(body["job"]["filename"], "a.csv");
    person
        .upload("upload-json", "b.csv", &companies("b", 2), &[])
        .expect(201);
}

#[test]
fn twenty_users_are_served_in_the_order_of_their_arrival() {
    let office = Office::new();
    let jobs: Vec<i64> = (0..20)
        .map(|n| {
            let name = format!("user{n}");
            let person = office.member(&name);
            person.queue("c.csv", &companies(&name, 2))
        })
        .collect();
    // The clock goes back meanwhile: the order is not taken from it.
    office
        .clock
        .set_wall(sheetline::clock::Timestamp::from_unix_ms(0));
    let done: Vec<i64> = office
        .work_all()
        .into_iter()
        .map(|ran| match ran {
            sheetline::worker::Ran::Job(job, _) => job.0,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(done, jobs);
}

#[test]
fn everybody_sees_how_many_are_before_them() {
    let office = Office::new();
    let anna = office.member("anna");
    let ben = office.member("ben");
    let idle = status(&anna);
    assert_eq!(idle["processing_status"]["status"], "idle");
    assert_eq!(idle["processing_status"]["job_id"], Value::Null);
    assert_eq!(idle["queue_info"]["queue_position"], Value::Null);
    assert_eq!(idle["queue_info"]["estimated_wait_seconds"], Value::Null);

    let first = anna.queue("a.csv", &companies("a", 2));
    ben.queue("b.csv", &companies("b", 2));
    let waiting = status(&ben);
    assert_eq!(waiting["queue_info"]["queue_position"], 2);
    assert_eq!(waiting["queue_info"]["total_active_jobs"], 2);
    assert_eq!(waiting["processing_status"]["progress"], Value::Null);
    assert!(waiting["queue_info"]["estimated_wait_seconds"].as_i64() > Some(0));

    // Who comes behind puts nobody back: while nothing is in work, nobody is ahead of the first.
    assert_eq!(status(&anna)["queue_info"]["ahead"], 0);
    assert_eq!(waiting["queue_info"]["ahead"], 1);

    let claimed = claim(&office);
    assert_eq!(claimed.job.0, first);
    assert_eq!(status(&anna)["queue_info"]["queue_position"], 0);
    assert_eq!(status(&ben)["queue_info"]["queue_position"], 1);
    assert_eq!(status(&anna)["processing_status"]["counts"], Value::Null);
    // What is in work is ahead, too.
    assert_eq!(status(&anna)["queue_info"]["ahead"], 0);
    assert_eq!(status(&ben)["queue_info"]["ahead"], 1);
}

#[test]
fn an_unchanged_status_is_not_sent_again_and_a_change_ends_the_wait() {
    let office = Office::new();
    let anna = office.member("anna");
    let first = anna.get("/api/files/processing-status");
    let etag = first.header("ETag").unwrap().to_owned();
    let ask = |wait: &str| {
        let bearer = format!("Bearer {}", anna.session);
        office.call(
            "GET",
            &format!("/api/files/processing-status{wait}"),
            &[("Authorization", &bearer), ("If-None-Match", &etag)],
            Vec::new(),
        )
    };
    assert_eq!(ask("").status, 304);
    assert_eq!(ask("?wait=x").status, 400);
    assert_eq!(ask("?wait=").status, 400);
    assert_eq!(ask("?wait=0.01").status, 304);
    assert_eq!(ask("?wait=1e-2").status, 304);
    for none in ["-1", "inf", "nan", "1e", "%2B1"] {
        assert_eq!(ask(&format!("?wait={none}")).status, 400, "{none}");
    }
    let answer = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| ask("?wait=1e9"));
        anna.queue("a.csv", &companies("a", 1));
        waiting.join().unwrap()
    });
    assert_eq!(answer.expect(200)["processing_status"]["status"], "pending");
}

#[test]
fn a_session_that_ends_while_it_waits_gets_no_news() {
    let office = Office::new();
    let anna = office.member("anna");
    let first = anna.get("/api/files/processing-status");
    let etag = first.header("ETag").unwrap().to_owned();
    let bearer = format!("Bearer {}", anna.session);
    let answer = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            office.call(
                "GET",
                "/api/files/processing-status?wait=25",
                &[("Authorization", &bearer), ("If-None-Match", &etag)],
                Vec::new(),
            )
        });
        // Long enough to be waited for on most machines; on the others the answer is the same.
        std::thread::sleep(std::time::Duration::from_millis(300));
        office
            .app
            .db
            .write(|tx| {
                Ok(tx.execute(
                    "UPDATE sessions SET revoked_at = '2026-01-01T00:00:00.000Z'",
                    [],
                )?)
            })
            .unwrap();
        office.app.bell.news();
        waiting.join().unwrap()
    });
    assert_eq!(answer.status, 401);
    assert_eq!(answer.code(), "session-revoked");
}

#[test]
fn every_state_change_is_an_event() {
    let office = Office::new();
    let anna = office.member("anna");
    let job = anna.queue("a.csv", &companies("a", 2));
    office.work_all();
    let job = anna.job(job);
    assert_eq!(
        states(&job),
        vec![
            (Value::Null, json!("pending")),
            (json!("pending"), json!("processing")),
            (json!("processing"), json!("completed")),
        ]
    );
    assert_eq!(job["attempt"], 1);
    assert_eq!(job["counts"]["valid"], 2);
}

#[test]
fn a_job_that_runs_too_long_is_stopped_and_its_worker_can_write_nothing_more() {
    let mut office = Office::new();
    {
        let anna = office.member("anna");
        anna.queue("a.csv", &companies("a", 2));
    }
    let claimed = claim(&office);
    let stop = begin(&office, &claimed);
    office.pass(1_799);
    office.sweep();
    assert_eq!(stop.reason(), None);
    office.pass(1);
    office.sweep();
    assert_eq!(stop.reason(), Some(Reason::TimedOut));

    let anna = office.sign_in("anna");
    let job = anna.job(claimed.job.0);
    assert_eq!(job["status"], "timeout");
    assert_eq!(job["error"]["code"], "timeout");
    let late = office
        .app
        .db
        .write(|tx| jobs::progress(tx, &claimed, Phase::Saving, 1, None));
    assert!(matches!(late, Err(sheetline::error::Error::Stopped)));
    let next = anna.queue("b.csv", &companies("b", 2));
    office.app.runs.end(claimed.job);
    office.work_all();
    assert_eq!(anna.job(next)["status"], "completed");
}

#[test]
fn the_wall_clock_neither_ends_nor_saves_a_job() {
    let mut office = Office::new();
    office.member("anna").queue("a.csv", &companies("a", 2));
    let claimed = claim(&office);
    let stop = begin(&office, &claimed);
    office
        .clock
        .set_wall(sheetline::clock::Timestamp::parse("2036-01-01T00:00:00Z").unwrap());
    office.sweep();
    assert_eq!(stop.reason(), None);
}

#[test]
fn a_job_running_when_the_process_died_runs_again_and_three_deaths_end_it() {
    let mut office = Office::new();
    office.member("anna").queue("a.csv", &companies("a", 2));
    for attempt in 1..=3 {
        assert_eq!(claim(&office).attempt, attempt);
        office = office.restart();
        office.app.db.write(|tx| jobs::recover(tx, None)).unwrap();
    }
    let anna = office.sign_in("anna");
    let job = anna.job(1);
    assert_eq!(job["status"], "failed");
    assert_eq!(job["error"]["code"], "abandoned");
    assert_eq!(job["attempt"], 3);
}

#[test]
#[cfg(unix)]
fn a_job_whose_reader_is_killed_from_outside_is_tried_again_and_then_says_so() {
    // The stand-in runs the file that it is to read: this one kills its reader, as a system does that
    // has no memory left.
    let office = Office::with(|settings| {
        settings.executable =
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/reader.sh").into();
    });
    let anna = office.member("anna");
    let deadly = b"a=1,b=2\nkill -KILL $$\n";
    let job = anna.queue("a.csv", deadly);
    office.work_all();
    let job = anna.job(job);
    assert_eq!(
        (&job["status"], &job["attempt"]),
        (&json!("failed"), &json!(3))
    );
    let said = job["error"]["message"].as_str().unwrap();
    assert!(said.contains("ended from outside"), "{said}");
    assert!(said.ends_with("It was tried 3 times."), "{said}");
    // Where nobody tries again, the person is asked to.
    let refused = anna.upload("upload-json", "a.csv", deadly, &[]);
    assert_eq!((refused.status, refused.code().as_str()), (503, "busy"));
    assert!(refused.header("Retry-After").is_some());
}

#[test]
fn a_job_put_back_at_shutdown_has_lost_no_attempt() {
    let office = Office::new();
    let anna = office.member("anna");
    let id = anna.queue("a.csv", &companies("a", 2));
    office.app.bell.close();
    office.work_all_until_put_back();
    let job = anna.job(id);
    assert_eq!(job["status"], "pending");
    assert_eq!(job["attempt"], 0);
    let told = anna.get("/api/files/processing-status").expect(200);
    assert_eq!(
        told["processing_status"]["begins_again"],
        "The server was restarted; the file starts again from the beginning."
    );
    assert_eq!(office.number("SELECT count(*) FROM records"), 0);
}

#[test]
fn a_waiting_job_is_cancelled_at_once_and_can_be_tried_again() {
    let office = Office::new();
    let anna = office.member("anna");
    let id = anna.queue("a.csv", &companies("a", 2));
    anna.post(&format!("/api/jobs/{id}/cancel")).expect(200);
    assert_eq!(anna.job(id)["status"], "cancelled");
    let again = anna.post(&format!("/api/jobs/{id}/cancel"));
    assert_eq!((again.status, again.code().as_str()), (409, "not-active"));
    assert!(office.work_all().is_empty());
    let retried = anna.post(&format!("/api/jobs/{id}/retry")).expect(202);
    office.work_all();
    assert_eq!(
        anna.job(retried["job_id"].as_i64().unwrap())["status"],
        "completed"
    );
}

#[test]
fn what_ended_jobs_left_is_removed_when_there_is_time_and_what_is_in_work_stays() {
    let office = Office::new();
    let anna = office.member("anna");
    let ben = office.member("ben");
    let ended = anna.queue("a.csv", &companies("a", 3));
    anna.post(&format!("/api/jobs/{ended}/cancel")).expect(200);
    let working = ben.queue("b.csv", &companies("b", 3));
    office.app.db.write(jobs::claim).unwrap().unwrap();
    let left = |job: i64| {
        office.number(&format!(
            "SELECT count(*) FROM records WHERE job_id = {job}"
        ))
    };
    office
        .app
        .db
        .write(|tx| {
            let hashes: Vec<[i64; 1]> = (2..1_002).map(|hash| [hash]).collect();
            for job in [ended, working] {
                let mut keys = NewKeys::default();
                let mut filer = Filer::begin(tx, JobId(job), &mut keys)?;
                for (row, keys) in (2..1_002).zip(&hashes) {
                    filer.insert(NewRecord {
                        row,
                        source: None,
                        data: "{}",
                        changes: None,
                        replaces: None,
                        keys,
                    })?;
                }
                filer.end()?;
                keys.file(tx, u32::MAX)?;
            }
            Ok(())
        })
        .unwrap();
    // No time at all is enough for one step, and says that there is more.
    assert!(!leftovers::clear(&office.app, Duration::ZERO).unwrap());
    assert!((1..1_000).contains(&left(ended)));
    assert!(leftovers::clear(&office.app, Duration::from_secs(9)).unwrap());
    assert_eq!((left(ended), left(working)), (0, 1_000));
}

#[test]
fn what_undone_jobs_left_is_removed_where_a_worker_is_never_idle() {
    let office = Office::new();
    let anna = office.member("anna");
    let undone = anna.queue("a.csv", &companies("a", 3_000));
    office.work_all();
    anna.post(&format!("/api/jobs/{undone}/undo")).expect(200);
    let left = || {
        office.number(&format!(
            "SELECT count(*) FROM records WHERE job_id = {undone}"
        ))
    };
    assert_eq!(left(), 3_000);
    for n in 0..4 {
        let name = format!("user{n}");
        office.member(&name).queue("c.csv", &companies(&name, 20));
    }
    let app = Arc::clone(&office.app);
    std::thread::scope(|scope| {
        scope.spawn(|| sheetline::worker::run(&app));
        crate::client::wait_until(|| {
            let sql = format!(
                "SELECT NOT EXISTS (SELECT 1 FROM records WHERE job_id = {undone})
                     OR NOT EXISTS (SELECT 1 FROM jobs WHERE status = 'pending')"
            );
            (office.number(&sql) == 1).then_some(())
        });
        let removed = left();
        let waiting = office.number("SELECT count(*) FROM jobs WHERE status = 'pending'");
        app.bell.close();
        app.bell.work();
        assert!(
            removed == 0 && waiting > 0,
            "{removed} left, {waiting} wait"
        );
    });
}

#[test]
fn a_running_job_is_stopped_when_it_is_cancelled() {
    let office = Office::new();
    let anna = office.member("anna");
    let id = anna.queue("a.csv", &companies("a", 2));
    let claimed = claim(&office);
    let stop = begin(&office, &claimed);
    anna.post(&format!("/api/jobs/{id}/cancel")).expect(202);
    assert_eq!(stop.reason(), Some(Reason::Cancelled));
    let ended = office.app.db.write(|tx| jobs::cancel_claimed(tx, &claimed));
    assert!(ended.unwrap());
    let job = anna.job(id);
    assert_eq!(job["status"], "cancelled");
    assert_eq!(
        job["events"].as_array().unwrap().last().unwrap()["detail"],
        "Cancelled by anna."
    );
}

#[test]
fn while_the_queue_is_paused_no_job_begins_and_everybody_sees_why() {
    let office = Office::new();
    let anna = office.member("anna");
    let admin = office.admin("root");
    let id = anna.queue("a.csv", &companies("a", 2));
    let pause = json!({ "reason": "The disk is being replaced." });
    assert_eq!(
        anna.send("POST", "/api/admin/queue/pause", &pause).code(),
        "forbidden"
    );
    admin
        .send("POST", "/api/admin/queue/pause", &json!({ "reason": " " }))
        .expect(400);
    admin
        .send("POST", "/api/admin/queue/pause", &pause)
        .expect(200);
    assert!(office.work_all().is_empty());
    let shown = &status(&anna)["queue_info"]["paused"];
    assert_eq!(shown["reason"], "The disk is being replaced.");
    assert_eq!(shown["by"], "root");
    admin.post("/api/admin/queue/resume").expect(200);
    assert_eq!(admin.post("/api/admin/queue/resume").code(), "not-active");
    assert_eq!(status(&anna)["queue_info"]["paused"], Value::Null);
    // It stops everybody's work: who did it stays known.
    let audit = admin.get("/api/admin/audit").expect(200);
    let deed = |at: usize| {
        [
            &audit["entries"][at]["action"],
            &audit["entries"][at]["target"],
        ]
    };
    assert_eq!(deed(0), [&json!("queue-resumed"), &Value::Null]);
    assert_eq!(deed(1), [&json!("queue-paused"), &pause["reason"]]);
    office.work_all();
    assert_eq!(anna.job(id)["status"], "completed");
}

#[test]
fn two_workers_file_nothing_twice() {
    let office = Office::new();
    let bytes = companies("same", 2_500);
    for name in ["anna", "ben", "clara"] {
        office.member(name).queue("same.csv", &bytes);
    }
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| sheetline::worker::run_next(&office.app).unwrap());
        }
    });
    let sum = |column: &str| office.number(&format!("SELECT sum({column}) FROM jobs"));
    assert_eq!((sum("valid"), sum("duplicates")), (2_500, 5_000));
    assert_eq!(office.number("SELECT count(*) FROM v_records"), 2_500);
}

#[test]
fn a_job_that_waits_for_another_ones_list_says_so_and_its_time_does_not_run() {
    let mut office = Office::new();
    let app = Arc::clone(&office.app);
    office.member("anna").queue("a.csv", &companies("a", 3));
    let theirs = app
        .turns
        .take("companies", JobId(99), &Stop::new(), || {})
        .unwrap();
    std::thread::scope(|scope| {
        let working = scope.spawn(|| sheetline::worker::run_next(&app).unwrap());
        let anna = office.sign_in("anna");
        let waits = |shown: &Value| shown["processing_status"]["progress"]["waiting_for"].clone();
        let mut shown = status(&anna);
        while waits(&shown).is_null() {
            assert!(!working.is_finished(), "{shown}");
            shown = status(&anna);
        }
        assert_eq!(shown["processing_status"]["status"], "processing");
        assert!(waits(&shown).as_str().unwrap().contains("same list"));
        office.pass(3_600);
        office.sweep();
        drop(theirs);
        assert!(matches!(
            working.join().unwrap(),
            Ran::Job(_, State::Completed)
        ));
    });
    let shown = status(&office.sign_in("anna"));
    assert_eq!(shown["processing_status"]["status"], "completed");
    assert!(shown["processing_status"]["progress"]["waiting_for"].is_null());
    assert_eq!(office.number("SELECT work_ms FROM jobs"), 0);
}

/// What a person with sqlite3 may try, and a piece of the sentence that refuses it. Jobs: 1 completed,
/// 2 undone, 3 failed, 4 processing, 5 pending.
const REFUSED: &[(&str, &str)] = &[
    // arrival
    ("INSERT INTO jobs (user_id, upload_no, operation, template, on_duplicate, queued_at, changed_at)
      SELECT user_id, upload_no, 'process', 'companies', 'skip', '', '' FROM jobs WHERE id = 4", "active job already"),
    ("INSERT OR REPLACE INTO jobs (user_id, upload_no, operation, template, on_duplicate, queued_at, changed_at)
      SELECT user_id, upload_no, 'process', 'companies', 'skip', '', '' FROM jobs WHERE id = 4", "active job already"),
    ("INSERT INTO jobs (user_id, upload_no, operation, template, on_duplicate, queued_at, changed_at)
      VALUES (999, 1, 'process', 'companies', 'skip', '', '')", "a user and an upload that exist"),
    ("INSERT INTO jobs (user_id, upload_no, operation, template, on_duplicate, queued_at, changed_at)
      VALUES (1, 999, 'process', 'companies', 'skip', '', '')", "a user and an upload that exist"),
    ("INSERT INTO jobs (id, user_id, upload_no, operation, template, on_duplicate, queued_at, changed_at)
      VALUES (0, 1, 1, 'process', 'companies', 'skip', '', '')", "end of the line"),
    ("INSERT OR REPLACE INTO jobs (id, user_id, upload_no, operation, template, on_duplicate, queued_at, changed_at)
      VALUES (1, 1, 1, 'process', 'companies', 'skip', '', '')", "end of the line"),
    ("INSERT INTO jobs (id, user_id, upload_no, operation, template, on_duplicate, queued_at, changed_at)
      SELECT -1, id, 1, 'process', 'companies', 'skip', '', '' FROM users
      WHERE id NOT IN (SELECT user_id FROM jobs WHERE status IN ('pending', 'processing'))", "end of the line"),
    ("UPDATE jobs SET rowid = 500 WHERE id = 5", "keeps its place"),
    ("UPDATE OR REPLACE jobs SET rowid = 1 WHERE id = 5", "keeps its place"),
    ("UPDATE jobs SET template = 'auto' WHERE id = 5", "keeps what was asked for"),
    ("UPDATE records SET rowid = 500 WHERE job_id = 1", "a record does not change"),
    ("INSERT INTO jobs (user_id, upload_no, operation, template, on_duplicate, queued_at, changed_at, status, attempt, started_at)
      VALUES (1, 1, 'process', 'companies', 'skip', '', '', 'processing', 1, '')", "a new job is pending"),
    ("INSERT INTO jobs (user_id, upload_no, operation, template, on_duplicate, queued_at, changed_at, attempt)
      VALUES (1, 1, 'process', 'companies', 'skip', '', '', 2)", "a new job is pending"),
    ("INSERT INTO jobs (user_id, upload_no, operation, template, on_duplicate, queued_at, changed_at, status, finished_at)
      VALUES (1, 1, 'process', 'companies', 'skip', '', '', 'completed', '')", "a new job is pending"),
    // states
    ("UPDATE jobs SET status = 'completed', finished_at = '' WHERE id = 5", "from pending to processing"),
    ("UPDATE jobs SET status = 'timeout', finished_at = '', error_code = 'x', error_message = 'x' WHERE id = 5", "from pending to processing"),
    ("UPDATE jobs SET status = 'asleep' WHERE id = 5", "from pending to processing"),
    ("UPDATE jobs SET status = NULL WHERE id = 5", "from pending to processing"),
    ("UPDATE jobs SET status = 'asleep' WHERE id = 4", "from pending to processing"),
    ("UPDATE jobs SET status = 'pending', finished_at = NULL WHERE id = 1", "ended job stays"),
    ("UPDATE jobs SET status = 'processing', attempt = 2, finished_at = NULL WHERE id = 1", "ended job stays"),
    ("UPDATE jobs SET status = 'pending', finished_at = NULL, error_code = NULL, error_message = NULL WHERE id = 3", "ended job stays"),
    ("UPDATE jobs SET status = 'failed', error_code = 'x', error_message = 'x' WHERE id = 1", "ended job stays"),
    ("UPDATE OR IGNORE jobs SET status = 'cancelled' WHERE id = 1", "ended job stays"),
    // attempts
    ("UPDATE jobs SET status = 'processing', started_at = '' WHERE id = 5", "attempt goes up by one"),
    ("UPDATE jobs SET status = 'processing', started_at = '', attempt = 2 WHERE id = 5", "attempt goes up by one"),
    ("UPDATE jobs SET attempt = 7 WHERE id = 4", "attempt goes up by one"),
    ("UPDATE jobs SET attempt = NULL WHERE id = 4", "attempt goes up by one"),
    ("UPDATE jobs SET status = 'pending', attempt = 2 WHERE id = 4", "attempt goes up by one"),
    // ends
    ("UPDATE jobs SET status = 'completed' WHERE id = 4", "has finished_at when it has ended"),
    ("UPDATE jobs SET status = 'cancelled' WHERE id = 5", "has finished_at when it has ended"),
    ("UPDATE jobs SET finished_at = '' WHERE id = 5", "has finished_at when it has ended"),
    ("UPDATE jobs SET status = 'failed', finished_at = '' WHERE id = 4", "error_code and error_message"),
    ("UPDATE jobs SET status = 'failed', finished_at = '', error_code = 'x' WHERE id = 4", "error_code and error_message"),
    ("UPDATE jobs SET status = 'completed', finished_at = '', error_code = 'x', error_message = 'x' WHERE id = 4", "error_code and error_message"),
    ("UPDATE jobs SET error_code = 'x', error_message = 'x' WHERE id = 5", "error_code and error_message"),
    ("UPDATE jobs SET started_at = NULL WHERE id = 4", "processing has started_at"),
    ("UPDATE jobs SET valid = 7 WHERE id = 1", "ended job stays"),
    ("UPDATE jobs SET report = '{}' WHERE id = 1", "ended job stays"),
    ("UPDATE jobs SET finished_at = '2030' WHERE id = 1", "ended job stays"),
    ("UPDATE jobs SET error_message = 'all is well' WHERE id = 3", "ended job stays"),
    ("UPDATE jobs SET undone_at = '' WHERE id = 3", "only a completed job can be undone"),
    ("UPDATE jobs SET undone_at = '' WHERE id = 5", "only a completed job can be undone"),
    ("UPDATE jobs SET undone_at = NULL WHERE id = 2", "only a completed job can be undone"),
    // what a job is
    ("UPDATE jobs SET id = 99 WHERE id = 5", "keeps its place"),
    ("UPDATE jobs SET queued_at = '2020' WHERE id = 5", "keeps its place"),
    ("UPDATE jobs SET user_id = 1 WHERE id = 5", "keeps its user"),
    ("UPDATE jobs SET user_id = 2 WHERE id = 1", "keeps its user"),
    ("UPDATE OR REPLACE jobs SET user_id = (SELECT user_id FROM jobs WHERE id = 4) WHERE id = 5", "keeps its user"),
    ("UPDATE jobs SET upload_no = 1 WHERE id = 5", "keeps its upload"),
    ("UPDATE jobs SET on_duplicate = 'update' WHERE id = 5", "keeps its upload"),
    ("UPDATE jobs SET operation = 'retry' WHERE id = 5", "keeps its upload"),
    ("UPDATE jobs SET options = '{}' WHERE id = 5", "keeps its upload"),
    ("DELETE FROM jobs WHERE id = 1", "are not deleted"),
    ("DELETE FROM jobs WHERE id = 5", "are not deleted"),
    // history
    ("DELETE FROM job_events", "are not deleted"),
    ("UPDATE job_events SET to_status = 'completed'", "do not change"),
    ("INSERT INTO job_events (job_id, at, from_status, to_status, attempt) VALUES (5, '', 'pending', 'completed', 1)", "by the database itself"),
    ("INSERT INTO job_events (job_id, at, from_status, to_status, attempt) VALUES (5, '', NULL, 'pending', 0)", "by the database itself"),
    ("INSERT INTO job_events (job_id, at, from_status, to_status, attempt) VALUES (5, '', 'pending', 'pending', 0)", "by the database itself"),
    ("INSERT OR REPLACE INTO job_events (id, job_id, at, from_status, to_status, attempt) VALUES (1, 1, '', NULL, 'pending', 0)", "by the database itself"),
    ("INSERT INTO job_events (job_id, at, from_status, to_status, attempt) VALUES (999, '', NULL, 'pending', 0)", "by the database itself"),
    // results
    ("UPDATE records SET data = '{}' WHERE job_id = 1", "a record does not change"),
    ("UPDATE records SET kept = 1, data = '{}' WHERE job_id = 1", "a record does not change"),
    ("UPDATE records SET kept = 1 WHERE job_id = 2", "decided when the job is undone"),
    ("UPDATE records SET kept = 2 WHERE job_id = 1", "CHECK constraint"),
    ("DELETE FROM records WHERE job_id = 1", "are kept"),
    // files and pauses
    ("DELETE FROM uploads WHERE no = 1", "are not deleted"),
    ("UPDATE uploads SET status = 'deleted' WHERE no = (SELECT upload_no FROM jobs WHERE id = 5)", "a job is at work"),
    ("INSERT INTO queue_pauses (paused_at, paused_by, reason) VALUES ('', 'b', 'too')", "paused already"),
];

/// An office with a job in each state that matters.
fn five_jobs() -> Office {
    let office = Office::new();
    let anna = office.member("anna");
    anna.queue("a.csv", &companies("a", 2));
    office.work_all();
    let undone = anna.queue("u.csv", &companies("u", 2));
    office.work_all();
    anna.post(&format!("/api/jobs/{undone}/undo")).expect(200);
    anna.queue("f.csv", b"Name\nx\n");
    office.work_all();
    office.member("ben").queue("p.csv", &companies("p", 2));
    claim(&office);
    office.member("clara").queue("w.csv", &companies("w", 2));
    office
        .app
        .db
        .write(|tx| sheetline::store::pauses::begin(tx, "root", "a reason"))
        .unwrap();
    let states: String = office
        .app
        .db
        .read(|c| {
            let sql = "SELECT group_concat(status, ' ' ORDER BY id) FROM jobs";
            Ok(c.query_row(sql, [], |row| row.get(0))?)
        })
        .unwrap();
    assert_eq!(states, "completed completed failed processing pending");
    office
}

#[test]
fn the_database_itself_refuses_what_breaks_a_rule_with_a_sentence() {
    let office = five_jobs();
    // As the sqlite3 shell opens it: foreign keys off.
    let shell = rusqlite::Connection::open(office.app.db.path()).unwrap();
    shell.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    for (sql, sentence) in REFUSED {
        match shell.execute(sql, []) {
            Ok(changed) => panic!("{changed} changed: {sql}"),
            Err(error) => assert!(error.to_string().contains(sentence), "{sql}: {error}"),
        }
    }
}

#[test]
fn what_breaks_no_rule_is_not_refused() {
    let office = five_jobs();
    let shell = rusqlite::Connection::open(office.app.db.path()).unwrap();
    for sql in [
        "UPDATE jobs SET status = 'cancelled', finished_at = '', changed_at = '' WHERE id = 5",
        "UPDATE jobs SET status = 'pending', attempt = 0, started_at = NULL WHERE id = 4",
        "UPDATE records SET kept = 1 WHERE job_id = 1 AND row = 2",
        "UPDATE jobs SET undone_at = '', undone_by = 'x' WHERE id = 1",
        "DELETE FROM records WHERE job_id = 2 AND row = 2",
        "UPDATE uploads SET status = 'deleted' WHERE no = 1",
        "UPDATE queue_pauses SET resumed_at = '', resumed_by = 'x'",
        "INSERT INTO jobs (user_id, upload_no, operation, template, on_duplicate, queued_at, changed_at)
         VALUES (1, 2, 'process', 'companies', 'skip', '', '')",
    ] {
        assert_eq!(shell.execute(sql, []), Ok(1), "{sql}");
    }
}

#[test]
fn the_index_refuses_a_second_active_job_where_its_trigger_is_gone() {
    let office = Office::new();
    let anna = office.member("anna");
    let first = anna.queue("a.csv", &companies("a", 2));
    office
        .app
        .db
        .write(|tx| Ok(tx.execute_batch("DROP TRIGGER jobs_begin_pending")?))
        .unwrap();
    let second = anna.upload("upload-and-process", "b.csv", &companies("b", 2), &[]);
    assert_eq!(second.expect(409)["job"]["job_id"], json!(first));
}

#[test]
fn a_broken_file_fails_its_own_job_and_the_next_one_runs() {
    let office = Office::new();
    let anna = office.member("anna");
    let ben = office.member("ben");
    // A zip that promises a workbook and holds none of its sheets.
    let broken = anna.upload(
        "upload-and-process",
        "b.csv",
        b"Company Name,LinkedIn_URL\n",
        &[],
    );
    let next = ben.queue("c.csv", &companies("c", 2));
    office.work_all();
    if broken.status == 202 {
        let job = anna.job(broken.json()["job_id"].as_i64().unwrap());
        assert_eq!(job["status"], "failed");
        assert_eq!(job["error"]["code"], "empty-file");
    } else {
        assert_eq!(broken.code(), "empty-file");
    }
    assert_eq!(ben.job(next)["status"], "completed");
}

#[test]
fn the_figures_of_the_day_tell_jobs_and_waiting_times_by_the_hour() {
    let office = Office::new();
    let anna = office.member("anna");
    let admin = office.admin("root");
    let empty = admin.get("/api/admin/figures").expect(200);
    assert_eq!(empty["hours"].as_array().map(Vec::len), Some(24));
    assert_eq!(empty["day"]["wait_seconds"], Value::Null);

    anna.queue("a.csv", &companies("a", 2));
    office.pass(20);
    office.member("ben").queue("b.csv", &companies("b", 2));
    office.pass(20);
    office.work_all();
    office.pass(2 * 3_600);
    let cancelled = anna.queue("b.csv", &companies("b", 2));
    anna.post(&format!("/api/jobs/{cancelled}/cancel"))
        .expect(200);
    let figures = admin.get("/api/admin/figures").expect(200);
    let hour = |ago: usize| &figures["hours"][23 - ago];
    assert_eq!(hour(2)["completed"], 2);
    assert_eq!(hour(2)["rows"], 4);
    let waited = hour(2)["wait_seconds"].as_f64().unwrap();
    assert!((waited - 30.0).abs() < 0.01, "{waited}");
    // The longest wait is that of a job, not an hour's average.
    let longest = figures["day"]["wait_seconds_max"].as_f64().unwrap();
    assert!((longest - 40.0).abs() < 0.01, "{longest}");
    assert_eq!(hour(0)["other"], 1);
    assert_eq!(hour(0)["wait_seconds"], Value::Null);
    assert_eq!(hour(0)["from"], "2026-11-23T12:00:00.000Z");
    assert_eq!(figures["day"]["completed"], 2);

    office.pass(24 * 3_600); // the sessions have ended, too
    let later = office.admin("root2").get("/api/admin/figures").expect(200);
    assert_eq!(later["day"]["completed"], 0);
}

#[test]
fn a_member_sees_nothing_of_somebody_elses_job() {
    let office = Office::new();
    let anna = office.member("anna");
    let ben = office.member("ben");
    let id = anna.queue("a.csv", &companies("a", 2));
    let theirs = ben.get(&format!("/api/jobs/{id}"));
    let none = ben.get("/api/jobs/999999");
    assert_eq!(theirs.status, 404);
    assert_eq!(theirs.bytes, none.bytes);
    assert_eq!(ben.post(&format!("/api/jobs/{id}/cancel")).status, 404);
    assert_eq!(ben.get("/api/admin/queue").code(), "forbidden");
    let admin = office.admin("root");
    let queue = admin.get("/api/admin/queue").expect(200);
    assert_eq!(queue["jobs"][0]["job_id"], json!(id));
}

#[test]
fn the_worker_sleeps_until_the_bell_rings() {
    let office = Office::new();
    let seen = office.app.bell.work_seen();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            office.app.bell.wait_for_work(seen, Duration::from_secs(60));
        });
        office.app.bell.work();
        waiting.join().unwrap();
    });
}
