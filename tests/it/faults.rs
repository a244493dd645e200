//! Every single step of the database and of the disk, on the way of a file, fails once; after each
//! the office goes on by itself.

use sheetline::faults::{self, Kind};
use sheetline::words::State;
use sheetline::worker::{self, Ran};

use crate::forms::companies;
use crate::office::{Answer, Office, Person};

const KINDS: [Kind; 3] = [Kind::Full, Kind::Broken, Kind::Busy];

/// Rows of the job: several batches.
const ROWS: usize = 2_500;

fn office() -> Office {
    Office::with(|settings| settings.trouble_wait = std::time::Duration::ZERO)
}

/// Works on through errors, as the worker's loop does.
fn work_through(office: &Office) {
    for _ in 0..20 {
        if let Ok(Ran::Nothing) = worker::run_next(&office.app) {
            return;
        }
        // A full disk is looked at again after some seconds.
        office.pass(5);
    }
    panic!("the queue does not come to rest");
}

fn spooled(office: &Office) -> usize {
    let folder = office.app.settings.spool();
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

#[test]
fn whichever_step_of_a_job_fails_the_job_ends_well_and_the_next_one_runs() {
    let bytes = companies("c", ROWS);
    let steps = {
        let office = office();
        office.member("anna").queue("c.csv", &bytes);
        faults::count(|| work_through(&office))
    };
    assert!(steps > 10, "{steps}: the steps are not counted");
    for kind in KINDS {
        for step in 0..steps {
            let office = office();
            let first = office.member("anna").queue("c.csv", &bytes);
            faults::with_failure(step, kind, || work_through(&office));
            goes_on(office, first, &format!("step {step} {kind:?}"));
        }
    }
}

/// The job has ended well in spite of `what`, nothing of it is there twice or left over, and the next one
/// runs.
fn goes_on(mut office: Office, first: i64, what: &str) {
    // What a lost end left behind, the scheduler finds in its second round.
    office.sweep();
    office.sweep();
    work_through(&office);
    let anna = office.sign_in("anna");
    let job = anna.job(first);
    assert_eq!(job["status"], "completed", "{what}: {job}");
    assert_eq!(job["counts"]["valid"], ROWS, "{what}: {job}");
    let rows = i64::try_from(ROWS).unwrap();
    for (sql, wanted) in [
        ("SELECT count(*) FROM records", rows),
        ("SELECT count(DISTINCT row) FROM records", rows),
        ("SELECT sum(row_count) FROM upload_row_packs", rows),
        ("SELECT max(last_row) FROM upload_row_packs", rows + 1),
        ("SELECT count(*) FROM record_keys", 2 * rows),
        (
            "SELECT count(*) FROM job_events WHERE to_status = 'completed'",
            1,
        ),
    ] {
        assert_eq!(office.number(sql), wanted, "{what}: {sql}");
    }
    assert_eq!(spooled(&office), 0, "{what}");
    let next = anna.queue("d.csv", &companies("d", 3));
    work_through(&office);
    assert_eq!(anna.job(next)["status"], "completed", "{what}");
}

#[test]
fn whichever_row_of_a_job_can_not_be_written_the_job_ends_well_and_the_next_one_runs() {
    let bytes = companies("c", ROWS);
    let queued = || {
        let office = office();
        office.app.db.watch_writes().unwrap();
        let first = office.member("anna").queue("c.csv", &bytes);
        (office, first)
    };
    let writes = {
        let (office, _) = queued();
        faults::writes(|| work_through(&office))
    };
    for table in [
        "jobs",
        "job_events",
        "upload_row_packs",
        "upload_sheets",
        "records",
        "record_keys",
    ] {
        assert!(
            writes.keys().any(|what| what.ends_with(table)),
            "{writes:?}"
        );
    }
    for (what, times) in writes {
        let mut moments = vec![0, times / 2, times - 1];
        moments.dedup();
        for at in moments {
            for kind in KINDS {
                let (office, first) = queued();
                faults::with_failing_write(&what, at, kind, || work_through(&office));
                goes_on(office, first, &format!("{what} {at} {kind:?}"));
            }
        }
    }
}

#[test]
fn whichever_step_of_an_upload_fails_it_is_there_whole_or_not_at_all() {
    let bytes = companies("c", 50);
    for route in ["upload-json", "upload-and-process"] {
        let steps = {
            let office = office();
            let anna = office.member("anna");
            faults::count(|| {
                anna.upload(route, "c.csv", &bytes, &[]);
            })
        };
        assert!(steps > 3, "{steps}: the steps are not counted");
        let writes = {
            let office = office();
            office.app.db.watch_writes().unwrap();
            let anna = office.member("anna");
            faults::writes(|| {
                anna.upload(route, "c.csv", &bytes, &[]);
            })
        };
        assert!(writes.contains_key("INSERT upload_chunks"), "{writes:?}");
        for kind in KINDS {
            for step in 0..steps {
                let office = office();
                let anna = office.member("anna");
                let answer =
                    faults::with_failure(step, kind, || anna.upload(route, "c.csv", &bytes, &[]));
                is_whole_or_gone(&anna, route, &answer, &format!("step {step} {kind:?}"));
            }
            for what in writes.keys() {
                let office = office();
                office.app.db.watch_writes().unwrap();
                let anna = office.member("anna");
                let answer = faults::with_failing_write(what, 0, kind, || {
                    anna.upload(route, "c.csv", &bytes, &[])
                });
                is_whole_or_gone(&anna, route, &answer, &format!("{what} {kind:?}"));
            }
        }
    }
}

fn is_whole_or_gone(anna: &Person<'_>, route: &str, answer: &Answer, what: &str) {
    let bytes = companies("c", 50);
    let office = anna.office;
    let promised = matches!(answer.status, 201 | 202);
    assert!(
        promised || matches!(answer.status, 500 | 503 | 507),
        "{}",
        answer.text()
    );
    let seen = office.number("SELECT count(*) FROM uploads WHERE status IN ('received', 'stored')");
    assert_eq!(seen, i64::from(promised), "{what}");
    assert_eq!(spooled(office), 0, "{what}");
    let again = anna.upload(route, "c.csv", &bytes, &[]);
    assert!(matches!(again.status, 201 | 202 | 409), "{}", again.text());
    assert_eq!(
        again.status == 409,
        promised && route == "upload-and-process"
    );
}

#[test]
fn whichever_step_panics_the_worker_lives_on_and_the_job_ends_well() {
    let bytes = companies("c", 50);
    let steps = {
        let office = office();
        office.member("anna").queue("c.csv", &bytes);
        faults::count(|| work_through(&office))
    };
    for step in 0..steps {
        let mut office = office();
        let app = std::sync::Arc::clone(&office.app);
        let first = office.member("anna").queue("c.csv", &bytes);
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| faults::with_panic(step, || worker::run(&app)));
            crate::client::wait_until(|| {
                office.sweep();
                let ended = "SELECT count(*) FROM jobs WHERE finished_at IS NOT NULL";
                (worker.is_finished() || office.number(ended) == 1).then_some(())
            });
            assert!(!worker.is_finished(), "step {step}: the worker is gone");
            app.bell.close();
            app.bell.work();
        });
        let job = office.sign_in("anna").job(first);
        assert_eq!(job["status"], "completed", "step {step}: {job}");
        assert_eq!(job["counts"]["valid"], 50, "step {step}: {job}");
    }
}

fn health(office: &Office) -> String {
    let answer = office.call("GET", "/api/health", &[], Vec::new());
    assert_eq!(answer.status, 503);
    answer.json()["status"].as_str().unwrap().to_owned()
}

#[test]
fn health_says_that_the_disk_is_full_from_the_first_refused_upload_on() {
    let bytes = companies("c", 50);
    let (mut refused, mut step) = (0, 0);
    loop {
        let office = office();
        let anna = office.member("anna");
        // No worker runs here.
        assert_eq!(health(&office), "worker-gone");
        let answer = faults::with_failure(step, Kind::Full, || {
            anna.upload("upload-json", "c.csv", &bytes, &[])
        });
        if answer.status == 507 {
            assert_eq!(health(&office), "disk-full", "step {step}");
            office.pass(4);
            assert_eq!(health(&office), "disk-full", "step {step}");
            office.pass(1);
            assert_eq!(health(&office), "worker-gone", "step {step}");
            refused += 1;
        } else if refused > 0 && answer.status == 201 {
            break;
        }
        step += 1;
        assert!(step < 100, "{refused}");
    }
    assert!(refused > 4, "{refused}");
}

#[test]
fn a_disk_that_is_for_reading_only_is_said_until_it_takes_something() {
    let bytes = companies("c", 50);
    let (mut refused, mut step) = (0, 0);
    loop {
        let office = office();
        let anna = office.member("anna");
        let answer = faults::with_failure(step, Kind::ReadOnly, || {
            anna.upload("upload-json", "c.csv", &bytes, &[])
        });
        if answer.status == 201 && refused > 0 {
            break;
        }
        // The start of a child process and its pipe are no disk: a failure there is one like any other.
        if answer.status != 201 && answer.status != 500 {
            assert_eq!(answer.status, 503, "step {step}: {}", answer.text());
            refused += 1;
            // The commit of health's own try.
            let seen = faults::with_failure(1, Kind::ReadOnly, || health(&office));
            assert_eq!(seen, "database-not-writable", "step {step}");
            assert_eq!(health(&office), "worker-gone", "step {step}");
        }
        step += 1;
        assert!(step < 100, "{refused}");
    }
    assert!(refused > 4, "{refused}");
}

#[test]
fn while_the_disk_is_full_a_waiting_job_makes_no_history() {
    let office = office();
    let anna = office.member("anna");
    let id = anna.queue("c.csv", &companies("c", 5));
    let events = || office.number("SELECT count(*) FROM job_events");
    // The claim, and what an earlier attempt left: then the file.
    let ran = faults::with_failure(5, Kind::Full, || worker::run_next(&office.app));
    assert!(matches!(ran, Ok(Ran::Job(_, State::Pending))), "{ran:?}");
    assert_eq!((anna.job(id)["attempt"].as_i64(), events()), (Some(0), 3));
    for _ in 0..10 {
        assert!(worker::run_next(&office.app).unwrap_err().is_disk_full());
    }
    assert_eq!(events(), 3);
    office.pass(5);
    worker::run_next(&office.app).unwrap();
    assert_eq!(anna.job(id)["status"], "completed");
}

#[test]
fn a_job_that_finds_the_disk_full_says_so_and_removes_nothing_first() {
    // Removing takes room as well: it must not take what is held back for the end.
    let office = office();
    office.app.db.watch_writes().unwrap();
    let anna = office.member("anna");
    let id = anna.queue("c.csv", &companies("c", ROWS));
    let late = u64::try_from(ROWS).unwrap() - 10;
    let ran = faults::with_failing_write("INSERT records", late, Kind::Full, || {
        worker::run_next(&office.app)
    });
    assert!(matches!(ran, Ok(Ran::Job(_, State::Pending))), "{ran:?}");
    assert!(office.number("SELECT count(*) FROM records") > 0);
    anna.post(&format!("/api/jobs/{id}/cancel")).expect(200);
    // Nobody removes them while there is no room; then an idle worker does.
    let removed = faults::writes(|| {
        for _ in 0..3 {
            sheetline::worker::leftovers::when_idle(&office.app).unwrap();
        }
    });
    assert!(!removed.contains_key("DELETE records"), "{removed:?}");
    office.pass(5);
    while sheetline::worker::leftovers::when_idle(&office.app).unwrap() {}
    assert_eq!(office.number("SELECT count(*) FROM records"), 0);
}

#[test]
fn a_workbook_that_finds_no_room_is_refused_as_such() {
    let office = office();
    let anna = office.member("anna");
    let id = anna.queue("c.csv", &companies("c", 5));
    work_through(&office);
    for path in [
        format!("/api/jobs/{id}/annotated.xlsx"),
        format!("/api/jobs/{id}/records.xlsx"),
        format!("/api/jobs/{id}/repair.xlsx"),
        "/api/templates/companies/sample.xlsx".to_owned(),
    ] {
        let steps = faults::count(|| assert_eq!(anna.get(&path).status, 200));
        assert!(steps > 1, "{path}");
        for step in 0..steps {
            let answer = faults::with_failure(step, Kind::Full, || anna.get(&path));
            assert_eq!(answer.status, 507, "{path} {step}");
            office.app.db.room().is_back();
        }
    }
}

/// The database of `office` in a new process that died with a job in work.
fn with_a_job_that_died() -> (Office, i64) {
    let office = Office::with(|settings| {
        settings.trouble_wait = std::time::Duration::from_millis(5);
        settings.listen = "127.0.0.1:0".to_owned();
    });
    let id = office.member("anna").queue("c.csv", &companies("c", 50));
    let claimed = office.app.db.write(sheetline::store::jobs::claim).unwrap();
    assert!(claimed.is_some());
    (office.restart(), id)
}

#[test]
fn a_server_that_finds_the_disk_full_starts_and_catches_up_when_there_is_room() {
    let start =
        |office: &Office| sheetline::server::Server::start(std::sync::Arc::clone(&office.app));
    let steps = {
        let (office, _) = with_a_job_that_died();
        let mut server = None;
        let steps = faults::count(|| server = start(&office).ok());
        assert!(server.unwrap().stop());
        steps
    };
    for kind in [Kind::Full, Kind::ReadOnly] {
        let mut refused = 0;
        for step in 0..steps {
            let (office, id) = with_a_job_that_died();
            let started = faults::with_failure(step, kind, || start(&office));
            let server = started.unwrap_or_else(|error| panic!("{kind:?} {step}: {error}"));
            let waits = *office.app.disorder.lock().unwrap();
            // Whatever it could not write, people can read.
            let anna = office.sign_in("anna");
            crate::client::wait_until(|| {
                office.pass(5);
                (anna.job(id)["status"] == "completed").then_some(())
            });
            assert_eq!(anna.job(id)["attempt"], 2);
            assert!(!*office.app.disorder.lock().unwrap());
            assert!(server.stop());
            refused += u64::from(waits);
        }
        // A disk that is for reading only for a moment may have been written before it was asked; a full one
        // is looked at again when the clock goes on.
        assert!(refused > 0 || kind == Kind::ReadOnly, "{kind:?}");
    }
}
