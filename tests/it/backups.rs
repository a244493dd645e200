//! Promises of backup and restore: a backup is whole whoever writes meanwhile, and a restore leaves a whole
//! database under its name at every moment, and the replaced one beside it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;

use crate::client::{add_user, serve, sheetline};
use crate::forms::companies;

fn office() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    add_user(folder.path(), "anna", &["--admin"]);
    folder
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    sheetline(folder).args(arguments).output().unwrap()
}

#[track_caller]
fn said(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    let bytes = if code == 0 {
        &output.stdout
    } else {
        &output.stderr
    };
    String::from_utf8(bytes.clone()).unwrap()
}

fn number(path: &Path, sql: &str) -> i64 {
    Connection::open(path)
        .unwrap()
        .query_row(sql, [], |row| row.get(0))
        .unwrap()
}

fn users(path: &Path) -> i64 {
    number(path, "SELECT count(*) FROM users")
}

/// The files in a folder whose names hold `part`.
fn files(folder: &Path, part: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_str().unwrap().contains(part))
        .collect();
    found.sort();
    found
}

#[test]
fn a_backup_made_while_jobs_run_is_whole_and_holds_no_half_of_one() {
    let folder = office();
    let served = serve(folder.path(), &[]);
    let session = served.sign_in("anna");
    let over = AtomicBool::new(false);
    let (mut taken, mut most) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut round = 0;
            while !over.load(Ordering::SeqCst) {
                round += 1;
                let list = companies(&format!("r{round}"), 2_000);
                let queued = served
                    .upload(&session, "upload-and-process", "a.csv", &list, None)
                    .unwrap()
                    .expect(202);
                served.wait_for_end(&session, queued["job_id"].as_i64().unwrap());
            }
        });
        while taken < 5 || most < 2 {
            taken += 1;
            let name = format!("copy{taken}.db");
            said(&run(folder.path(), &["backup", &name]), 0);
            let copy = folder.path().join(name);
            let done = number(
                &copy,
                "SELECT count(*) FROM jobs WHERE status = 'completed'",
            );
            assert_eq!(
                number(&copy, "SELECT count(*) FROM v_records"),
                done * 2_000
            );
            assert_eq!(
                number(&copy, "SELECT count(*) FROM pragma_foreign_key_check"),
                0
            );
            assert!(done >= most);
            most = done;
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                let mode = fs::metadata(&copy).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600);
            }
        }
        over.store(true, Ordering::SeqCst);
    });
    assert!(files(folder.path(), ".partial").is_empty());
}

#[test]
fn a_backup_replaces_nothing_unasked() {
    let folder = office();
    said(&run(folder.path(), &["backup", "copy.db"]), 0);
    said(&run(folder.path(), &["backup", "copy.db"]), 2);
    said(&run(folder.path(), &["backup", "copy.db", "--force"]), 0);
    for itself in ["office.db", "./office.db", "office.db-wal"] {
        let refused = said(&run(folder.path(), &["backup", itself, "--force"]), 2);
        assert!(refused.contains("the database itself"), "{refused}");
    }
    assert_eq!(users(&folder.path().join("office.db")), 1);
}

#[test]
fn of_the_backups_in_a_folder_the_newest_are_kept() {
    let folder = office();
    let kept = folder.path().join("kept");
    fs::create_dir(&kept).unwrap();
    fs::write(kept.join("notes.db"), "mine").unwrap();
    for _ in 0..4 {
        said(&run(folder.path(), &["backup", "kept", "--keep", "2"]), 0);
    }
    assert_eq!(files(&kept, "office-").len(), 2);
    assert_eq!(files(&kept, "").len(), 3);
    assert_eq!(users(&files(&kept, "office-")[1]), 1);
    let refused = said(&run(folder.path(), &["backup", "new.db", "--keep", "2"]), 2);
    assert!(refused.contains("folder"), "{refused}");
}

#[test]
fn of_another_office_s_backups_in_the_folder_none_is_removed() {
    let (east, west) = (office(), office());
    let shared = tempfile::tempdir().unwrap();
    let kept = shared.path();
    let into = kept.to_str().unwrap();
    // Nothing that only has such a name: no database, another program's, one that can't be read.
    fs::write(kept.join("office-2020-01-01T000000.000Z.db"), "mine").unwrap();
    Connection::open(kept.join("office-2020-01-02T000000.000Z.db"))
        .unwrap()
        .execute_batch("CREATE TABLE theirs (x)")
        .unwrap();
    for _ in 0..3 {
        said(&run(east.path(), &["backup", into, "--keep", "3"]), 0);
    }
    let of_east = files(kept, "office-202");
    add_user(west.path(), "ben", &[]);
    for _ in 0..3 {
        said(&run(west.path(), &["backup", into, "--keep", "2"]), 0);
    }
    let all = files(kept, "office-202");
    assert!(of_east.iter().all(|file| all.contains(file)), "{all:?}");
    assert_eq!(all.len(), of_east.len() + 2);
}

#[test]
fn the_copies_of_an_office_that_has_not_begun_yet_are_kept_by_number_too() {
    let folder = tempfile::tempdir().unwrap();
    serve(folder.path(), &[]).terminate();
    for _ in 0..3 {
        said(&run(folder.path(), &["backup", ".", "--keep", "2"]), 0);
    }
    assert_eq!(files(folder.path(), "office-").len(), 2);
    add_user(folder.path(), "anna", &["--admin"]);
    for _ in 0..3 {
        said(&run(folder.path(), &["backup", ".", "--keep", "2"]), 0);
    }
    let left = files(folder.path(), "office-");
    assert_eq!(left.iter().map(|file| users(file)).sum::<i64>(), 2);
}

#[test]
fn a_restore_brings_the_backup_back_and_keeps_what_it_replaced() {
    let folder = office();
    let db = folder.path().join("office.db");
    said(&run(folder.path(), &["backup", "copy.db"]), 0);
    add_user(folder.path(), "ben", &[]);
    let refused = said(&run(folder.path(), &["restore", "copy.db"]), 2);
    assert!(refused.contains("--force"), "{refused}");
    said(&run(folder.path(), &["restore", "copy.db", "--force"]), 0);
    assert_eq!(users(&db), 1);
    let replaced = files(folder.path(), ".replaced-");
    assert_eq!(users(&replaced[0]), 2);
    // And back again.
    let name = replaced[0].to_str().unwrap();
    said(&run(folder.path(), &["restore", name, "--force"]), 0);
    assert_eq!(users(&db), 2);
    // Onto a server that has none yet.
    fs::remove_file(&db).unwrap();
    said(&run(folder.path(), &["restore", "copy.db"]), 0);
    let served = serve(folder.path(), &[]);
    served.sign_in("anna");
}

#[test]
fn nothing_is_restored_under_a_server_or_under_another_program() {
    let folder = office();
    said(&run(folder.path(), &["backup", "copy.db"]), 0);
    add_user(folder.path(), "ben", &[]);
    let served = serve(folder.path(), &[]);
    let refused = said(&run(folder.path(), &["restore", "copy.db", "--force"]), 2);
    assert!(refused.contains("serves"), "{refused}");
    served.terminate();
    let shell = Connection::open(folder.path().join("office.db")).unwrap();
    let count = "SELECT count(*) FROM users";
    let seen = |c: &Connection| c.query_row(count, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(seen(&shell), 2);
    let refused = said(&run(folder.path(), &["restore", "copy.db", "--force"]), 2);
    assert!(refused.contains("Another program"), "{refused}");
    assert_eq!(seen(&shell), 2);
    assert!(files(folder.path(), ".restored").is_empty());
}

#[test]
fn nothing_is_restored_over_what_was_just_restored_and_is_in_use() {
    let folder = office();
    said(&run(folder.path(), &["backup", "copy.db"]), 0);
    said(&run(folder.path(), &["restore", "copy.db", "--force"]), 0);
    let db = folder.path().join("office.db");
    // Somebody who looked into it and has it open; and somebody who writes, into one without a log.
    let shell = Connection::open(&db).unwrap();
    let count = "SELECT count(*) FROM users";
    let seen = |c: &Connection| c.query_row(count, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(seen(&shell), 1);
    let refused = said(&run(folder.path(), &["restore", "copy.db", "--force"]), 2);
    assert!(refused.contains("Another program"), "{refused}");
    drop(shell);
    fs::copy(folder.path().join("copy.db"), &db).unwrap();
    let shell = Connection::open(&db).unwrap();
    shell.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = said(&run(folder.path(), &["restore", "copy.db", "--force"]), 2);
    assert!(refused.contains("Another program"), "{refused}");
    shell
        .execute_batch("UPDATE users SET email = 'a@b'; COMMIT")
        .unwrap();
    drop(shell);
    said(&run(folder.path(), &["restore", "copy.db", "--force"]), 0);
    let served = serve(folder.path(), &[]);
    served.sign_in("anna");
}

#[test]
fn what_is_no_sound_backup_is_refused() {
    let folder = office();
    let path = |name: &str| folder.path().join(name);
    said(&run(folder.path(), &["backup", "copy.db"]), 0);
    let whole = fs::read(path("copy.db")).unwrap();
    let mut damaged = whole.clone();
    let end = damaged.len();
    damaged[end / 4..end / 2].fill(7);
    fs::write(path("damaged.db"), damaged).unwrap();
    fs::write(path("cut.db"), &whole[..whole.len() / 2]).unwrap();
    fs::write(
        path("text.db"),
        "not a database at all, only a text that is long enough",
    )
    .unwrap();
    fs::write(path("empty.db"), "").unwrap();
    fs::copy(path("copy.db"), path("newer.db")).unwrap();
    Connection::open(path("newer.db"))
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    Connection::open(path("theirs.db"))
        .unwrap()
        .execute_batch("CREATE TABLE theirs (x)")
        .unwrap();
    for name in [
        "damaged", "cut", "text", "empty", "newer", "theirs", "missing",
    ] {
        let file = format!("{name}.db");
        let refused = said(&run(folder.path(), &["restore", &file, "--force"]), 2);
        assert!(!refused.is_empty());
        assert_eq!(users(&path("office.db")), 1, "{name}");
        assert!(files(folder.path(), ".replaced-").is_empty(), "{name}");
    }
}

#[test]
fn a_damaged_database_is_replaced_and_its_log_never_meets_the_backup() {
    let folder = office();
    said(&run(folder.path(), &["backup", "copy.db"]), 0);
    let served = serve(folder.path(), &[]);
    served.sign_in("anna");
    served.kill();
    let db = folder.path().join("office.db");
    let log = folder.path().join("office.db-wal");
    assert!(log.exists());
    // The disk wrote nonsense over the head of the file.
    let mut bytes = fs::read(&db).unwrap();
    bytes[..200].fill(0xee);
    fs::write(&db, &bytes).unwrap();
    said(&run(folder.path(), &["restore", "copy.db", "--force"]), 0);
    assert!(!log.exists());
    assert_eq!(users(&db), 1);
    assert_eq!(
        number(&db, "SELECT count(*) FROM pragma_integrity_check"),
        1
    );
    // And over everything, the log included.
    bytes.fill(0xee);
    fs::write(&db, &bytes).unwrap();
    fs::write(&log, "what is left of a log").unwrap();
    said(&run(folder.path(), &["restore", "copy.db", "--force"]), 0);
    assert!(!log.exists());
    assert_eq!(users(&db), 1);
    let replaced = files(folder.path(), ".replaced-");
    assert_eq!(fs::read(&replaced[1]).unwrap(), bytes);
}

#[test]
fn the_log_of_a_database_that_is_gone_never_meets_the_backup() {
    let folder = office();
    said(&run(folder.path(), &["backup", "copy.db"]), 0);
    let served = serve(folder.path(), &[]);
    served.sign_in("anna");
    served.kill();
    let db = folder.path().join("office.db");
    fs::remove_file(&db).unwrap();
    assert!(folder.path().join("office.db-wal").exists());
    said(&run(folder.path(), &["restore", "copy.db"]), 0);
    assert_eq!(number(&db, "SELECT count(*) FROM sessions"), 0);
    assert_eq!(users(&db), 1);
    assert_eq!(files(folder.path(), ".replaced-").len(), 1);
}

#[test]
fn an_emptied_database_is_no_database_for_any_command() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("office.db"), b"").unwrap();
    for command in [&["backup", "copy.db"][..], &["user", "list"]] {
        let ran = sheetline(folder.path()).args(command).output().unwrap();
        let said = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(2), "{command:?}: {said}");
        assert!(
            said.contains("is empty") && said.contains("restore"),
            "{command:?}: {said}"
        );
    }
    assert!(!folder.path().join("copy.db").exists());
    let size = fs::metadata(folder.path().join("office.db")).unwrap().len();
    assert_eq!(size, 0, "nothing wrote a new schema into it");
}

#[test]
fn an_emptied_database_is_not_served_as_a_new_office_and_a_new_empty_file_is() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("office.db");
    fs::write(&db, b"").unwrap();
    // Made for it beforehand, as many scripts do; the log says what happens.
    serve(folder.path(), &[]).terminate();
    assert!(crate::client::log(folder.path()).contains("is empty (0 bytes)"));
    add_user(folder.path(), "anna", &["--admin"]);
    serve(folder.path(), &[]).terminate();
    fs::write(&db, b"").unwrap();
    for command in [&["serve"][..], &["user", "add", "eve", "--admin"]] {
        let refused = said(&run(folder.path(), command), 2);
        assert!(
            refused.contains("what it held is lost") && refused.contains("restore"),
            "{refused}"
        );
    }
    assert_eq!(fs::metadata(&db).unwrap().len(), 0);
}

#[test]
fn a_database_that_can_not_be_opened_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("text.db"), b"no database").unwrap();
    fs::create_dir(folder.path().join("folder.db")).unwrap();
    add_user(folder.path(), "anna", &[]);
    let whole = fs::read(folder.path().join("office.db")).unwrap();
    fs::write(folder.path().join("cut.db"), &whole[..whole.len() / 2]).unwrap();
    for command in [&["backup", "copy.db"][..], &["user", "list"]] {
        let ran = sheetline(folder.path())
            .args(command)
            .args(["--db", "cut.db"])
            .output()
            .unwrap();
        let said = String::from_utf8(ran.stderr).unwrap();
        assert!(
            said.contains("cut.db") && said.contains("sheetline restore"),
            "{command:?}: {said}"
        );
    }
    for name in ["text.db", "folder.db"] {
        let ran = sheetline(folder.path())
            .args(["serve", "--listen", "127.0.0.1:0", "--db", name])
            .output()
            .unwrap();
        let said = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(2), "{name}: {said}");
        assert!(
            said.contains(name) && said.contains("--db"),
            "{name}: {said}"
        );
    }
}

#[test]
fn an_administrator_sees_when_the_last_backup_was() {
    let folder = office();
    let served = serve(folder.path(), &[]);
    let anna = served.sign_in("anna");
    let last = || {
        let figures = served.get(&anna, "/api/admin/figures").unwrap().expect(200);
        figures["last_backup"].clone()
    };
    assert!(last().is_null());
    said(&run(folder.path(), &["backup", "copy.db"]), 0);
    let first = last();
    assert!(first.is_string(), "{first}");
    // One that failed is none.
    said(&run(folder.path(), &["backup", "copy.db"]), 2);
    assert_eq!(last(), first);
    assert_eq!(
        number(
            &folder.path().join("office.db"),
            "SELECT count(*) FROM audit WHERE action = 'backed-up'"
        ),
        1
    );
}
