//! What was answered with 201 or 202 holds, whatever happens in the same moment; and what can't hold is not
//! answered so.

use sheetline::accounts::Caller;
use sheetline::error::{Error, Result};
use sheetline::faults::{self, Kind};
use sheetline::id::Token;
use sheetline::intake::{self, Arrived, Order, Spool, Turn, once};
use sheetline::sheet::ReadOptions;
use sheetline::stop::Stop;
use sheetline::store::idempotency::Answer;
use sheetline::store::jobs::{self, Claim, Counts, Failure};
use sheetline::store::uploads;
use sheetline::words::{Code, Format, OnDuplicate, State};
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

fn caller(anna: &Person<'_>) -> Caller {
    let office = anna.office;
    let token = Token::received(&anna.session);
    office
        .app
        .accounts
        .identify(&office.app.db, Some(&token))
        .unwrap()
}

fn order() -> Order {
    Order {
        template: "companies".to_owned(),
        template_version: 0,
        on_duplicate: OnDuplicate::Skip,
        sheet: None,
        mapping: None,
        date_order: None,
    }
}

/// What a handler does when a body is in, by somebody who was looked at before.
fn store(office: &Office, sender: &Caller, and_queue: bool) -> Result<Answer> {
    let app = &office.app;
    let mut spool = Spool::new(&app.settings.spool()).unwrap();
    std::io::Write::write_all(&mut spool, &companies("a", 2)).unwrap();
    let arrived = Arrived {
        spool,
        filename: "a.csv".to_owned(),
        format: Format::Csv,
        options: ReadOptions::default(),
    };
    let user = sender.user.id;
    let Turn::First(first) =
        once::turn(&app.db, &app.in_flight, user, Some("key"), String::new()).unwrap()
    else {
        panic!("answered before");
    };
    if and_queue {
        intake::store_and_queue(&app.db, sender, arrived, &order(), &first)
    } else {
        intake::store_json(
            &app.db,
            &app.settings,
            sender,
            arrived,
            &first,
            &Stop::new(),
        )
    }
}

#[track_caller]
fn assert_refused(refused: Result<Answer>, code: Code) {
    match refused {
        Err(Error::Problem(problem)) => assert_eq!(problem.code, code),
        other => panic!("{:?}", other.map(|answer| answer.body)),
    }
}

#[test]
fn nothing_is_stored_for_somebody_who_was_locked_out_before_it_was() {
    let office = Office::new();
    let root = office.admin("root");
    for and_queue in [false, true] {
        let name = format!("anna{and_queue}");
        let anna = office.member(&name);
        let caller = caller(&anna);
        let id = caller.user.id.0;
        let disable = serde_json::json!({ "disabled": true });
        root.send("PATCH", &format!("/api/users/{id}"), &disable)
            .expect(200);
        assert_refused(store(&office, &caller, and_queue), Code::AccountDisabled);
        root.send(
            "DELETE",
            &format!("/api/users/{id}"),
            &serde_json::Value::Null,
        )
        .expect(200);
        assert_refused(store(&office, &caller, and_queue), Code::SessionRevoked);
    }
    for table in [
        "uploads",
        "upload_chunks",
        "upload_rows",
        "upload_row_packs",
        "jobs",
        "idempotency",
    ] {
        assert_eq!(office.number(&format!("SELECT count(*) FROM {table}")), 0);
    }
}

#[test]
fn no_job_is_queued_for_a_file_that_was_deleted_in_the_same_moment() {
    let office = Office::new();
    let anna = office.member("anna");
    let caller = caller(&anna);
    let stored = anna.upload("upload-json", "a.csv", &companies("a", 2), &[]);
    let id = stored.expect(201)["file_upload_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let db = &office.app.db;
    let upload = db.read(|c| uploads::by_id(c, &id)).unwrap().unwrap();
    anna.send(
        "DELETE",
        &format!("/api/files/{id}"),
        &serde_json::Value::Null,
    )
    .expect(200);
    for operation in ["process", "retry"] {
        let refused = intake::queue(db, &caller, &upload, operation, &order());
        assert_refused(refused, Code::NotFound);
    }
    assert_eq!(office.number("SELECT count(*) FROM jobs"), 0);
}

#[test]
fn a_job_that_an_administrator_made_of_somebodys_file_is_theirs_to_see() {
    let office = Office::new();
    let root = office.admin("root");
    let anna = office.member("anna");
    let ben = office.member("ben");
    let first = anna.queue("a.csv", &companies("a", 2));
    office.work_all();
    let again = root.post(&format!("/api/jobs/{first}/retry")).expect(202);
    assert_eq!(again["message"], "a.csv waits to be processed.");
    office.work_all();
    let path = format!("/api/jobs/{}", again["job_id"]);
    let files = anna.get("/api/files").expect(200);
    assert_eq!(files["files"][0]["last_job"]["job_id"], again["job_id"]);
    for kind in ["", "/report", "/records.json"] {
        assert_eq!(anna.get(&format!("{path}{kind}")).status, 200, "{kind}");
        assert_eq!(ben.get(&format!("{path}{kind}")).status, 404, "{kind}");
    }
}
