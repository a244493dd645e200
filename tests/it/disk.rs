//! What SQLite itself asks of the disk while a job runs (writes, syncs, cuts) fails once, in the real
//! executable: `strace` answers in the place of the kernel. Where it is missing, or may not look at other
//! processes, nothing is tried, and the test says so.

use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::client::{self, Served, add_user, serve, wait_until};
use crate::forms::companies;

const ROWS: usize = 60;

/// System calls, and every how-manieth of them fails: there are many small writes. `SHEETLINE_STEPS=all`
/// for the long run.
const CALLS: [(&str, usize); 4] = [
    ("fdatasync", 1),
    ("fsync", 1),
    ("ftruncate", 1),
    ("pwrite64", 41),
];

/// What `strace` itself has to say.
const SAID: &str = "strace.txt";

/// Lets the `nth` such call of each of the server's threads fail.
struct Tracer(Child);

impl Tracer {
    fn attach(served: &Served, call: &str, nth: usize) -> Option<Tracer> {
        let mut child = Command::new("strace")
            .args(["-f", "-o", "trace.txt", "-e"])
            .arg(format!("trace={call}"))
            .arg("-e")
            .arg(format!("inject={call}:error=EIO:when={nth}"))
            .args(["-p", &served.pid().to_string()])
            .current_dir(&served.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(served.folder.join(SAID)).ok()?)
            .spawn()
            .ok()?;
        let said = || std::fs::read_to_string(served.folder.join(SAID)).unwrap_or_default();
        wait_until(|| {
            (said().contains("attached") || child.try_wait().is_ok_and(|end| end.is_some()))
                .then_some(())
        });
        if said().contains("attached") {
            return Some(Tracer(child));
        }
        println!("no step is made to fail: {}", said().trim());
        None
    }

    /// How many calls were made to fail.
    fn end(mut self, served: &Served) -> usize {
        // Asked nicely, it lets go of the server.
        let ended = Command::new("sh")
            .args(["-c", &format!("kill -INT {}", self.0.id())])
            .status();
        assert!(ended.unwrap().success());
        self.0.wait().unwrap();
        let trace = std::fs::read_to_string(served.folder.join("trace.txt")).unwrap();
        trace
            .lines()
            .filter(|line| line.contains("(INJECTED)"))
            .count()
    }
}

fn pause(served: &Served, session: &str, how: &str) {
    let bearer = format!("Bearer {session}");
    let headers = [
        ("Authorization", bearer.as_str()),
        ("Content-Type", "application/json"),
    ];
    let body = json!({ "reason": "a test" }).to_string();
    let path = format!("/api/admin/queue/{how}");
    served
        .ask("POST", &path, &headers, body.as_bytes())
        .unwrap()
        .expect(200);
}

#[test]
fn whatever_the_disk_refuses_sqlite_the_job_ends_well_and_the_next_one_runs() {
    if Command::new("strace").arg("-V").output().is_err() {
        println!("no step is made to fail: strace is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    serve(folder.path(), &[]).kill();
    add_user(folder.path(), "root", &["--admin"]);
    let served = serve(folder.path(), &[]);
    let session = served.sign_in("root");
    let all = std::env::var("SHEETLINE_STEPS").is_ok_and(|steps| steps == "all");
    let (mut failed, mut jobs) = (0, Vec::new());
    for (call, every) in CALLS {
        for nth in (1..).step_by(if all { 1 } else { every }) {
            pause(&served, &session, "pause");
            let list = companies(&format!("{call}{nth}"), ROWS);
            let queued = served
                .upload(&session, "upload-and-process", "c.csv", &list, None)
                .unwrap()
                .expect(202);
            let Some(tracer) = Tracer::attach(&served, call, nth) else {
                return;
            };
            resume(&served, &session);
            let job = served.wait_for_end(&session, queued["job_id"].as_i64().unwrap());
            let times = tracer.end(&served);
            assert_eq!(job["status"], "completed", "{call} {nth}: {job}");
            assert_eq!(job["counts"]["valid"], json!(ROWS), "{call} {nth}: {job}");
            jobs.push(job["id"].clone());
            failed += times;
            if times == 0 {
                break;
            }
        }
    }
    assert!(failed > 5, "{failed}: nothing was made to fail");
    let health = served.ask("GET", "/api/health", &[], b"").unwrap();
    assert_eq!(health.status, 200, "{}", client::log(folder.path()));
    assert_eq!(served.terminate().0.code(), Some(0));
    whole(folder.path(), &jobs);
}

/// The write that resumes the queue may be the one that fails; then it is asked again.
fn resume(served: &Served, session: &str) {
    let bearer = format!("Bearer {session}");
    wait_until(|| {
        let headers = [("Authorization", bearer.as_str())];
        let answer = served
            .ask("POST", "/api/admin/queue/resume", &headers, b"")
            .unwrap();
        matches!(answer.status, 200 | 409).then_some(())
    });
}

fn whole(folder: &std::path::Path, jobs: &[Value]) {
    let connection = rusqlite::Connection::open(folder.join("office.db")).unwrap();
    let text = |sql: &str| -> String { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
    assert_eq!(text("PRAGMA integrity_check"), "ok");
    let rows = jobs.len() * ROWS;
    for sql in [
        "SELECT count(*) || '' FROM records",
        "SELECT count(*) || '' FROM v_records",
        "SELECT count(*) || '' FROM (SELECT DISTINCT job_id, row FROM records)",
    ] {
        assert_eq!(text(sql), rows.to_string(), "{sql}");
    }
    let ends = "SELECT count(*) || '' FROM job_events WHERE to_status = 'completed'";
    assert_eq!(text(ends), jobs.len().to_string());
}

/// Runs a command where the folder `full` is a disk of a few kilobytes, if this user may have one.
fn beside_a_full_disk(folder: &std::path::Path, command: &str) -> Option<(Option<i32>, String)> {
    let program = env!("CARGO_BIN_EXE_sheetline");
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c"])
        .arg(format!(
            "mount -t tmpfs -o size=16k tmpfs full && echo mounted && '{program}' {command}
             code=$?; [ ! -d full/out ] || ls full/out; exit $code"
        ))
        .current_dir(folder)
        .output();
    let output = output.ok()?;
    let said = String::from_utf8(output.stderr).unwrap();
    if !output.stdout.starts_with(b"mounted\n") {
        println!("not tried beside a full disk: {}", said.trim());
        return None;
    }
    let left = String::from_utf8_lossy(&output.stdout);
    assert_eq!(left, "mounted\n", "half of an output is left");
    Some((output.status.code(), said))
}

#[test]
fn a_command_that_finds_the_disk_full_says_where_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("full")).unwrap();
    add_user(folder.path(), "anna", &[]);
    let list = companies("a", 2_000);
    std::fs::write(folder.path().join("list.csv"), list).unwrap();
    for (command, sentence) in [
        (
            "process list.csv --template companies --out full/out",
            "sheetline: There is no room left where full/out lies. Make some, or name another folder with --out. (disk-full)\n",
        ),
        (
            "backup full/copy.db --db office.db",
            "sheetline: The backup full/copy.db can't be made: there is no room left where it goes. Make some, or name another place.\n",
        ),
    ] {
        let Some((code, said)) = beside_a_full_disk(folder.path(), command) else {
            return;
        };
        assert_eq!((code, said.as_str()), (Some(2), sentence));
    }
}

#[test]
fn outputs_that_get_larger_than_they_may_are_refused_in_one_line_and_taken_away() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("list.csv"), companies("a", 2_000)).unwrap();
    let program = env!("CARGO_BIN_EXE_sheetline");
    let output = Command::new("sh")
        .arg("-c")
        .arg(format!(
            "trap '' XFSZ; ulimit -f 40; exec '{program}' process list.csv --template companies --out out"
        ))
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("too large"), "{said}");
    let mut left = std::fs::read_dir(folder.path().join("out")).unwrap();
    assert!(left.next().is_none());
}
