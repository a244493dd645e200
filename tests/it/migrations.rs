//! Promises of an upgrade: a database of every released schema becomes what a new one is, nothing in it is
//! lost, a copy from before is kept, and whatever interrupts it, it can be begun again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use rusqlite::Connection;
use sheetline::clock::SystemClock;
use sheetline::db::{Db, lock, migrate};

use crate::client::{log, serve, sheetline, wait_until};

/// A database as a released version made it.
fn released(folder: &Path, version: i64) -> PathBuf {
    let fixture =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/schema-v{version}.sql"));
    let dump = fs::read_to_string(&fixture)
        .unwrap_or_else(|_| panic!("keep a dump of schema {version} as {}", fixture.display()));
    let path = folder.join("office.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch(&dump)
        .unwrap();
    path
}

fn open(path: &Path) -> sheetline::error::Result<Db> {
    Db::open(path, Arc::new(SystemClock::new()))
}

/// Everything in a schema by type and name, comments and spaces apart.
fn schema(path: &Path) -> BTreeMap<(String, String), String> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection
        .prepare(
            "SELECT type, name, sql FROM sqlite_schema
             WHERE name NOT LIKE 'sqlite_%' AND name NOT LIKE 'v_clean_%'",
        )
        .unwrap();
    let rows = statement
        .query_map([], |row| {
            let sql: String = row.get(2)?;
            let bare: Vec<&str> = sql
                .lines()
                .map(|line| line.split("--").next().unwrap())
                .flat_map(str::split_whitespace)
                .collect();
            // A column that was added stands right before the end.
            let bare = bare.join(" ").replace(" ,", ",").replace(" )", ")");
            Ok(((row.get(0)?, row.get(1)?), bare))
        })
        .unwrap();
    rows.map(Result::unwrap).collect()
}

fn number(path: &Path, sql: &str) -> i64 {
    Connection::open(path)
        .unwrap()
        .query_row(sql, [], |row| row.get(0))
        .unwrap()
}

#[test]
fn a_database_of_every_released_schema_becomes_what_a_new_one_is() {
    let folder = tempfile::tempdir().unwrap();
    let fresh = folder.path().join("fresh.db");
    drop(open(&fresh).unwrap());
    for version in 1..migrate::VERSION {
        let folder = tempfile::tempdir().unwrap();
        let path = released(folder.path(), version);
        let rows = "SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM upload_rows)
            + (SELECT count(*) FROM records) + (SELECT count(*) FROM job_events) + (SELECT count(*) FROM audit)";
        let before = number(&path, rows);
        assert!(before > 20);
        drop(open(&path).unwrap());
        assert_eq!(schema(&path), schema(&fresh), "from schema {version}");
        assert_eq!(number(&path, "PRAGMA user_version"), migrate::VERSION);
        assert_eq!(number(&path, rows), before);
        let keys = number(&path, "SELECT count(*) FROM record_keys");
        let named = "SELECT count(*) FROM record_keys q JOIN records r ON r.id = q.record_id
                     JOIN json_each(r.keys) k ON k.value = q.hash";
        assert!(keys > 0);
        assert_eq!(number(&path, named), keys);
        let copy = migrate::copy_name(&path, migrate::VERSION);
        assert_eq!(number(&copy, "PRAGMA user_version"), version);
        assert_eq!(number(&copy, rows), before);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&copy).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}

#[test]
fn an_old_office_goes_on_with_the_new_version() {
    let folder = tempfile::tempdir().unwrap();
    released(folder.path(), 1);
    let served = serve(folder.path(), &[]);
    assert!(log(folder.path()).contains("schema 1 becomes"));
    let session = served.sign_in("ben");
    let records = served.get(&session, "/api/records?template=companies");
    let records = records.unwrap().expect(200);
    assert_eq!(records["records"][0]["data"]["company_name"], "Abend GmbH");
    // Its rows stand one by one, as they did then.
    let files = served.get(&session, "/api/files").unwrap().expect(200);
    let file = files["files"].as_array().unwrap().last().unwrap();
    let url = format!("/api/files/{}/json", file["id"].as_str().unwrap());
    let document = served.get(&session, &url).unwrap().expect(200);
    assert_eq!(document["data"].as_array().unwrap().len(), file["rows"]);
    let (status, _) = served.terminate();
    assert!(status.success());
    let path = folder.path().join("office.db");
    assert_eq!(
        number(&path, "SELECT count(company_name) FROM v_clean_companies"),
        2
    );
    assert_eq!(number(&path, "SELECT count(price) FROM v_clean_stock"), 1);
    assert_eq!(
        number(&path, "SELECT count(*) FROM v_problems WHERE job = 1"),
        3
    );
    assert_eq!(
        number(&path, "SELECT count(*) FROM v_changes WHERE job = 1"),
        2
    );
}

#[test]
fn a_newer_database_is_refused_with_a_sentence_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = released(folder.path(), 1);
    let newer = migrate::VERSION + 1;
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", newer)
        .unwrap();
    let before = fs::read(&path).unwrap();
    let said = open(&path).err().unwrap().to_string();
    assert!(
        said.contains("newer version") && said.contains(&newer.to_string()),
        "{said}"
    );
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_schema_that_never_was_is_not_called_a_newer_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = released(folder.path(), 1);
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 0)
        .unwrap();
    let said = open(&path).err().unwrap().to_string();
    assert!(
        !said.contains("newer") && said.contains("restore"),
        "{said}"
    );
}

#[test]
fn a_step_that_fails_is_told_with_the_copy_and_takes_no_other_file_s_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = released(folder.path(), migrate::VERSION - 1);
    let mine = migrate::copy_name(&path, migrate::VERSION);
    fs::write(&mine, "mine").unwrap();
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch("CREATE TABLE upload_row_packs (id INTEGER)")
        .unwrap();
    drop(connection);
    let said = open(&path).err().unwrap().to_string();
    assert!(
        said.contains("Nothing was changed") && said.contains("-2.bak"),
        "{said}"
    );
    assert_eq!(fs::read(&mine).unwrap(), b"mine");
    assert_eq!(number(&path, "PRAGMA user_version"), migrate::VERSION - 1);
}

#[test]
fn while_a_server_works_on_an_old_database_nothing_migrates_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = released(folder.path(), 1);
    let held = lock::take(&path).unwrap();
    assert!(open(&path).is_err());
    assert_eq!(number(&path, "PRAGMA user_version"), 1);
    // A backup of it can be made all the same.
    let made = sheetline(folder.path())
        .args(["backup", "copy.db"])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    assert_eq!(
        number(&folder.path().join("copy.db"), "PRAGMA user_version"),
        1
    );
    drop(held);
    open(&path).unwrap();
    assert_eq!(number(&path, "PRAGMA user_version"), migrate::VERSION);
}

#[test]
fn a_migration_that_was_killed_is_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = released(folder.path(), 1);
    // Large enough to be met at work.
    Connection::open(&path)
        .unwrap()
        .execute_batch(
            "CREATE TABLE ballast (bytes BLOB);
             WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
             INSERT INTO ballast SELECT randomblob(1000000) FROM n;",
        )
        .unwrap();
    let copy = migrate::copy_name(&path, migrate::VERSION);
    let partial = copy.with_extension("bak.partial");
    let mut child = sheetline(folder.path())
        .args(["user", "list"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_until(|| partial.exists().then_some(()));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        partial.exists() && !copy.exists(),
        "it was not killed at work"
    );
    assert_eq!(number(&path, "PRAGMA user_version"), 1);

    let again = sheetline(folder.path())
        .args(["user", "list"])
        .output()
        .unwrap();
    assert!(again.status.success(), "{again:?}");
    assert!(String::from_utf8(again.stdout).unwrap().contains("maria"));
    assert!(!partial.exists() && copy.exists());
    assert_eq!(number(&path, "PRAGMA user_version"), migrate::VERSION);
}
