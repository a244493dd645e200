//! Promises of the program as a whole, kept by the real executable: it starts, it is killed, it
//! starts again, and nothing that it promised is lost.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{self, Served, add_user, serve, sheetline, wait_until};
use crate::forms::{PASSWORD, companies};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// A number that a query on the database file of a stopped server gives.
fn number(served_folder: &std::path::Path, sql: &str) -> i64 {
    rusqlite::Connection::open(served_folder.join("office.db"))
        .unwrap()
        .query_row(sql, [], |row| row.get(0))
        .unwrap()
}

#[test]
fn a_new_office_sets_itself_up_with_the_printed_code_and_does_its_first_job() {
    let folder = folder();
    let served = serve(folder.path(), &[]);
    let code = served
        .printed
        .split("#setup=")
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap()
        .to_owned();
    let body = json!({ "token": code, "username": "maria", "password": PASSWORD }).to_string();
    let headers = [("Content-Type", "application/json")];
    served
        .ask("POST", "/api/auth/setup", &headers, body.as_bytes())
        .unwrap()
        .expect(201);
    let again = served
        .ask("POST", "/api/auth/setup", &headers, body.as_bytes())
        .unwrap();
    assert_eq!(again.status, 409);
    let session = served.sign_in("maria");
    let queued = served
        .upload(
            &session,
            "upload-and-process",
            "c.csv",
            &companies("c", 20),
            None,
        )
        .unwrap()
        .expect(202);
    let job = served.wait_for_end(&session, queued["job_id"].as_i64().unwrap());
    assert_eq!(job["status"], "completed", "{job}");
    assert_eq!(job["counts"]["valid"], 20);
}

/// Starts a server, gives it a job and ends it, by `end`, when the job has begun; again with a larger
/// one where the job was done first. The job, its rows, and the session.
fn end_in_mid_job(
    folder: &std::path::Path,
    left_as: &str,
    end: impl Fn(Served),
) -> (i64, usize, String) {
    let mut rows = 40_000;
    loop {
        let served = serve(folder, &[]);
        let session = served.sign_in("anna");
        let job = queue(&served, &session, "big.csv", rows);
        served.wait_for(&session, job, |job| job["status"] != "pending");
        end(served);
        let left = number(
            folder,
            &format!("SELECT count(*) FROM jobs WHERE id = {job} AND status = '{left_as}'"),
        );
        if left == 1 {
            return (job, rows, session);
        }
        rows *= 2;
        assert!(rows < 2_000_000, "it can't be ended in mid-job");
    }
}

#[test]
fn sigterm_ends_it_soon_and_puts_the_running_job_back_unharmed() {
    let folder = folder();
    add_user_on_new_database(folder.path());
    let (job, rows, session) = end_in_mid_job(folder.path(), "pending", |served| {
        let folder = served.folder.clone();
        let (status, took) = served.terminate();
        assert_eq!(status.code(), Some(0), "{}", client::log(&folder));
        assert!(took < Duration::from_secs(5), "{took:?}");
    });
    let count = |sql: &str| number(folder.path(), &format!("{sql} {job}"));
    assert_eq!(count("SELECT attempt FROM jobs WHERE id ="), 0);
    assert_eq!(count("SELECT count(*) FROM records WHERE job_id ="), 0);

    let served = serve(folder.path(), &[]);
    // The session is the one from before.
    let job = served.wait_for_end(&session, job);
    assert_eq!(job["counts"]["rows"], rows, "{job}");
}

#[test]
fn a_job_in_work_when_the_process_was_killed_runs_again() {
    let folder = folder();
    add_user_on_new_database(folder.path());
    let (job, rows, session) = end_in_mid_job(folder.path(), "processing", Served::kill);
    let served = serve(folder.path(), &[]);
    let job = served.wait_for_end(&session, job);
    assert_eq!(job["status"], "completed", "{job}");
    assert_eq!(job["attempt"], 2);
    assert_eq!(job["counts"]["rows"], rows);
}

#[test]
fn the_reading_child_ends_with_the_server() {
    ends_with_the_server(&[]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_reading_child_that_was_stopped_ends_with_the_server_too() {
    ends_with_the_server(&["-STOP"]);
}

/// Kills a server while its child reads, once the child has had `signals`.
fn ends_with_the_server(signals: &[&str]) {
    let folder = folder();
    add_user_on_new_database(folder.path());
    let served = serve(folder.path(), &[]);
    let session = served.sign_in("anna");
    let mut rows = 60_000;
    let child = loop {
        let job = queue(&served, &session, "big.csv", rows);
        let seen = wait_until(|| {
            let status = served.get(&session, &format!("/api/jobs/{job}")).unwrap();
            let over = status.expect(200)["job"]["finished"] != Value::Null;
            // Its second thread begins when the system knows what to do at the parent's end.
            let child = children_of(served.pid())
                .into_iter()
                .find(|child| threads_of(*child) > 1);
            (over || child.is_some()).then_some(child)
        });
        match seen {
            Some(child) => break child,
            None => rows *= 2,
        }
        assert!(rows < 2_000_000, "no child is ever seen");
    };
    for signal in signals {
        // Where it has ended meanwhile there is nothing to stop.
        let _ = std::process::Command::new("kill")
            .arg(signal)
            .arg(child.to_string())
            .status();
    }
    served.kill();
    wait_until(|| (!is_alive(child)).then_some(()));
}

#[test]
#[cfg(target_os = "linux")]
fn jobs_give_way_to_whoever_waits_for_an_answer() {
    let folder = folder();
    let served = serve(folder.path(), &[]);
    for name in ["worker-1", "ahead"] {
        wait_until(|| {
            let own = niceness(served.pid(), "listener")?;
            (niceness(served.pid(), name)? == (own + 5).min(19)).then_some(())
        });
    }
    served.kill();
}

/// The niceness of a thread by its name.
#[cfg(target_os = "linux")]
fn niceness(process: u32, name: &str) -> Option<i32> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).ok()?;
    threads.flatten().find_map(|thread| {
        let stat = std::fs::read_to_string(thread.path().join("stat")).ok()?;
        let after = stat.split_once(&format!("({name})"))?.1;
        after.split_whitespace().nth(16)?.parse().ok()
    })
}

fn threads_of(process: u32) -> usize {
    std::fs::read_dir(format!("/proc/{process}/task")).map_or(0, Iterator::count)
}

/// The processes whose parent is `parent`.
fn children_of(parent: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // The name in brackets may hold anything; the state and the parent follow it.
        let after = stat.rsplit(')').next().unwrap_or("");
        if after.split_whitespace().nth(1) == Some(&parent.to_string()) {
            found.push(pid);
        }
    }
    found
}

fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit(')')
        .next()
        .and_then(|rest| rest.split_whitespace().next());
    state.is_some_and(|state| state != "Z")
}

#[test]
fn an_upload_that_is_under_way_when_it_is_told_to_stop_is_finished() {
    let folder = folder();
    add_user_on_new_database(folder.path());
    let served = serve(folder.path(), &[]);
    let session = served.sign_in("anna");
    let (content_type, body) = crate::forms::multipart("c.csv", &companies("c", 500), &[]);
    let mut stream = std::net::TcpStream::connect(&served.address).unwrap();
    let head = format!(
        "POST /api/files/upload-json HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {session}\r\n\
         Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        served.address,
        body.len()
    );
    let (first, second) = body.split_at(body.len() / 2);
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(first).unwrap();
    // It is being received: there is a spool file.
    let spool = folder.path().join("office.db-spool");
    wait_until(|| {
        let mut files = std::fs::read_dir(&spool).ok()?;
        files.next().map(|_| ())
    });
    let answer = std::thread::scope(|scope| {
        let address = served.address.clone();
        let stopped = scope.spawn(|| served.terminate());
        // Once it has begun to stop, nobody is let in any more.
        wait_until(|| {
            std::net::TcpStream::connect(&address)
                .is_err()
                .then_some(())
        });
        stream.write_all(second).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert_eq!(stopped.join().unwrap().0.code(), Some(0));
        answer
    });
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(
        number(
            folder.path(),
            "SELECT count(*) FROM uploads WHERE status = 'stored'"
        ),
        1
    );
}

/// Sends a file on a connection whose answer nobody reads yet.
fn begin_upload(served: &Served, session: &str, route: &str, list: &[u8]) -> std::net::TcpStream {
    let (content_type, body) = crate::forms::multipart("c.csv", list, &[]);
    let mut stream = std::net::TcpStream::connect(&served.address).unwrap();
    let head = format!(
        "POST /api/files/{route} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {session}\r\n\
         Content-Type: {content_type}\r\nContent-Length: {}\r\n\r\n",
        served.address,
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body).unwrap();
    stream
}

#[test]
fn a_client_that_hangs_up_has_no_file_read_for_it_any_more() {
    let folder = folder();
    add_user_on_new_database(folder.path());
    let served = serve(folder.path(), &[]);
    let session = served.sign_in("anna");
    // Long enough to be read for seconds, even where it is read fast.
    let list = companies("c", 600_000);
    for route in ["upload-json", "preview"] {
        let stream = begin_upload(&served, &session, route, &list);
        let child = wait_until(|| children_of(served.pid()).first().copied());
        drop(stream);
        let began = std::time::Instant::now();
        wait_until(|| (!is_alive(child)).then_some(()));
        assert!(
            began.elapsed() < std::time::Duration::from_secs(2),
            "{route}"
        );
    }
    // Nothing of it is kept.
    wait_until(|| {
        let left = number(folder.path(), "SELECT count(*) FROM uploads");
        (left == 0).then_some(())
    });
}

#[test]
fn a_client_that_only_sends_no_more_has_its_file_stored() {
    let folder = folder();
    add_user_on_new_database(folder.path());
    let served = serve(folder.path(), &[]);
    let session = served.sign_in("anna");
    // Long enough to be asked whether it is still there.
    let list = companies("c", 200_000);
    let mut stream = begin_upload(&served, &session, "upload-json", &list);
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let answer = answer.replace("HTTP/1.1 100 Continue\r\n\r\n", "");
    if cfg!(target_os = "linux") {
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
        assert_eq!(number(folder.path(), "SELECT count(*) FROM uploads"), 1);
    }
}

/// What a second server says that is to serve the file called `name`; it does not start.
fn refused_server(folder: &Path, name: &str) -> String {
    let output = sheetline(folder)
        .args(["serve", "--listen", "127.0.0.1:0", "--db", name])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_second_server_on_the_same_database_is_refused_with_a_sentence() {
    let folder = folder();
    let _served = serve(folder.path(), &[]);
    let said = refused_server(folder.path(), "office.db");
    assert!(said.contains("serves") && said.contains("--db"), "{said}");
}

#[test]
#[cfg(unix)]
fn another_name_of_the_database_is_no_other_database() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    std::os::unix::fs::symlink("office.db", path("link.db")).unwrap();
    let _served = serve(folder.path(), &[]);
    let said = refused_server(folder.path(), "link.db");
    assert!(said.contains("serves"), "{said}");
    std::fs::hard_link(path("office.db"), path("hard.db")).unwrap();
    let said = refused_server(folder.path(), "hard.db");
    assert!(said.contains("a second name (a hard link)"), "{said}");
}

#[test]
fn a_backup_of_a_working_server_is_whole() {
    let folder = folder();
    add_user_on_new_database(folder.path());
    let served = serve(folder.path(), &[]);
    let session = served.sign_in("anna");
    queue(&served, &session, "big.csv", 20_000);
    let dest = folder.path().join("copy.db");
    let output = sheetline(folder.path())
        .arg("backup")
        .arg(&dest)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let refused = sheetline(folder.path())
        .arg("backup")
        .arg(&dest)
        .output()
        .unwrap();
    assert_eq!(
        refused.status.code(),
        Some(2),
        "it must not be written over"
    );
    let copy = rusqlite::Connection::open(&dest).unwrap();
    let verdict: String = copy
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(verdict, "ok");
    let users: i64 = copy
        .query_row("SELECT count(*) FROM users", [], |row| row.get(0))
        .unwrap();
    assert_eq!(users, 1);
}

fn add_user_on_new_database(folder: &std::path::Path) {
    // `user` works on a database that is there: the server makes it.
    serve(folder, &[]).kill();
    add_user(folder, "anna", &[]);
}

fn queue(served: &Served, session: &str, name: &str, rows: usize) -> i64 {
    served
        .upload(
            session,
            "upload-and-process",
            name,
            &companies("big", rows),
            None,
        )
        .unwrap()
        .expect(202)["job_id"]
        .as_i64()
        .unwrap()
}

/// How often the server is killed in the next test. `SHEETLINE_KILLS=200` for the long run.
fn kills() -> usize {
    std::env::var("SHEETLINE_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(12)
}

/// What users believe to have been promised: job ids by their upload's key.
#[derive(Default)]
struct Promised {
    jobs: BTreeMap<i64, String>,
    stored: BTreeSet<String>,
}

#[test]
fn whatever_moment_it_is_killed_at_nothing_promised_is_lost_and_nothing_half_done_is_seen() {
    const USERS: usize = 4;
    const ROWS: usize = 1_500;
    let folder = folder();
    serve(folder.path(), &[]).kill();
    for n in 0..USERS {
        add_user(folder.path(), &format!("user{n}"), &[]);
    }
    let promised = Mutex::new(Promised::default());
    let mut sessions: Vec<String> = Vec::new();
    let mut seed: u64 = 0x5eed;
    for round in 0..kills() {
        let served = serve(folder.path(), &[]);
        if sessions.is_empty() {
            sessions = (0..USERS)
                .map(|n| served.sign_in(&format!("user{n}")))
                .collect();
        }
        // xorshift: moments from a fixed seed, spread over the life of some jobs.
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let moment = Duration::from_millis(seed % 400);
        let until = Instant::now() + moment;
        std::thread::scope(|scope| {
            for (n, session) in sessions.iter().enumerate() {
                let (served, promised) = (&served, &promised);
                scope.spawn(move || {
                    let mut step = 0;
                    while Instant::now() < until {
                        step += 1;
                        send(
                            served,
                            session,
                            &format!("u{n}r{round}s{step}"),
                            ROWS,
                            promised,
                        );
                    }
                });
            }
            std::thread::sleep(moment);
            // Killed while they are still sending.
            kill_process(served.pid());
        });
        served.kill();
    }
    // Everything goes to its end in peace.
    let served = serve(folder.path(), &[]);
    let promised = promised.into_inner().unwrap();
    for session in &sessions {
        wait_until(|| {
            let status = served
                .get(session, "/api/files/processing-status")
                .unwrap()
                .expect(200);
            (status["queue_info"]["total_active_jobs"] == 0).then_some(())
        });
    }
    check_promises(&served, &sessions, &promised, ROWS);
    let folder_path = served.folder.clone();
    let (status, _) = served.terminate();
    assert_eq!(status.code(), Some(0));
    check_database(&folder_path, ROWS);
}

fn kill_process(pid: u32) {
    let _ = std::process::Command::new("sh")
        .args(["-c", &format!("kill -KILL {pid}")])
        .stderr(Stdio::null())
        .status();
}

/// One upload; what its answer promised, if one came.
fn send(served: &Served, session: &str, key: &str, rows: usize, promised: &Mutex<Promised>) {
    let process = !key.ends_with('3');
    let route = if process {
        "upload-and-process"
    } else {
        "upload-json"
    };
    let Ok(reply) = served.upload(session, route, "c.csv", &companies(key, rows), Some(key)) else {
        return;
    };
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    let mut promised = promised.lock().unwrap();
    match reply.status {
        202 => {
            promised
                .jobs
                .insert(body["job_id"].as_i64().unwrap(), key.to_owned());
        }
        201 => {
            promised
                .stored
                .insert(body["file_upload_id"].as_str().unwrap().to_owned());
        }
        409 => {
            // A job of theirs is at work.
            drop(promised);
            std::thread::sleep(Duration::from_millis(10));
        }
        503 => {}
        other => panic!("{other}: {body}"),
    }
}

fn check_promises(served: &Served, sessions: &[String], promised: &Promised, rows: usize) {
    assert!(
        !promised.jobs.is_empty(),
        "nothing was promised: the test has shown nothing"
    );
    let mut jobs = BTreeMap::new();
    let mut files = BTreeMap::new();
    for session in sessions {
        for job in all(served, session, "/api/jobs?limit=1000", "jobs") {
            jobs.insert(job["id"].as_i64().unwrap(), job);
        }
        for file in all(served, session, "/api/files?limit=1000", "files") {
            files.insert(file["id"].as_str().unwrap().to_owned(), file);
        }
    }
    for job in promised.jobs.keys() {
        let job = jobs.get(job).unwrap_or_else(|| panic!("job {job} is lost"));
        // Killed three times in the same job: it says so. Anything else went through.
        match job["status"].as_str().unwrap() {
            "completed" => assert_eq!(job["counts"]["valid"], json!(rows), "{job}"),
            "failed" => assert_eq!(job["error"]["code"], "abandoned", "{job}"),
            other => panic!("{other}: {job}"),
        }
    }
    for id in &promised.stored {
        let file = files.get(id).unwrap_or_else(|| panic!("file {id} is lost"));
        assert_eq!(file["rows"], json!(rows), "{file}");
    }
}

fn all(served: &Served, session: &str, path: &str, name: &str) -> Vec<Value> {
    served.get(session, path).unwrap().expect(200)[name]
        .as_array()
        .unwrap()
        .clone()
}

fn check_database(folder: &std::path::Path, rows: usize) {
    let connection = rusqlite::Connection::open(folder.join("office.db")).unwrap();
    let verdict: String = connection
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(verdict, "ok");
    let number = |sql: &str| -> i64 { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(number("SELECT count(*) FROM pragma_foreign_key_check"), 0);
    assert_eq!(
        number("SELECT count(*) FROM jobs WHERE status IN ('pending', 'processing')"),
        0
    );
    // Each job ended once.
    assert_eq!(
        number(
            "SELECT count(*) FROM jobs j WHERE 1 <> (SELECT count(*) FROM job_events e
             WHERE e.job_id = j.id AND e.to_status IN ('completed', 'failed', 'timeout', 'cancelled'))"
        ),
        0
    );
    // The list is exactly the rows of the completed jobs.
    let completed = number("SELECT count(*) FROM jobs WHERE status = 'completed'");
    let rows = i64::try_from(rows).unwrap();
    assert_eq!(number("SELECT count(*) FROM v_records"), completed * rows);
    assert_eq!(number("SELECT count(*) FROM records"), completed * rows);
    // First starts came in the order of arrival.
    assert_eq!(
        number(
            "SELECT count(*) FROM (SELECT job_id, lag(job_id) OVER (ORDER BY first) AS before FROM
             (SELECT job_id, min(id) AS first FROM job_events WHERE to_status = 'processing' GROUP BY job_id))
             WHERE before > job_id"
        ),
        0
    );
    // Nothing of what was never promised takes room.
    assert_eq!(
        number(
            "SELECT count(*) FROM upload_chunks c JOIN uploads u ON u.no = c.upload_no
             WHERE u.status NOT IN ('received', 'stored')"
        ),
        0
    );
    let spool = folder.join("office.db-spool");
    let left = spool
        .exists()
        .then(|| std::fs::read_dir(&spool).unwrap().count());
    assert_eq!(left.unwrap_or(0), 0, "temporary files are left");
}
