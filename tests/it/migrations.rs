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
use crate::office::Office;

/// Came with the next ones.
const NEVER_RELEASED: [i64; 1] = [5];

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
    for version in (1..migrate::VERSION).filter(|version| !NEVER_RELEASED.contains(version)) {
        let folder = tempfile::tempdir().unwrap();
        let path = released(folder.path(), version);
        let rows = "SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM upload_rows)
            + (SELECT count(*) FROM records) + (SELECT count(*) FROM job_events) + (SELECT count(*) FROM audit)";
        let before = number(&path, rows);
        assert!(before > 20);
        let ours = "CREATE VIEW v_clean_ours AS SELECT id, data FROM v_records";
        Connection::open(&path)
            .unwrap()
            .execute_batch(ours)
            .unwrap();
        if version == 4 {
            // A record with four keys.
            Connection::open(&path)
                .unwrap()
                .execute_batch(
                    "UPDATE records SET keys = json_insert(keys, '$[#]', 7, '$[#]', 8) WHERE id = 1;
                     INSERT INTO record_keys VALUES (7, 1), (8, 1);",
                )
                .unwrap();
        }
        drop(open(&path).unwrap());
        assert_eq!(schema(&path), schema(&fresh), "from schema {version}");
        assert_eq!(number(&path, "PRAGMA user_version"), migrate::VERSION);
        assert_eq!(number(&path, rows), before);
        let keys = number(&path, "SELECT count(*) FROM record_keys");
        let named = "SELECT count(*) FROM record_keys q JOIN records r ON r.id = q.record_id
                     WHERE q.hash IN (r.key_1, r.key_2) OR q.hash IN (SELECT value FROM json_each(r.keys))";
        assert!(keys > 0);
        assert_eq!(number(&path, named), keys);
        let no_others = "SELECT sum((key_1 IS NOT NULL) + (key_2 IS NOT NULL) + coalesce(json_array_length(keys), 0))
                         FROM records";
        assert_eq!(number(&path, no_others), keys);
        // A view of the office's own shows what it showed.
        assert_eq!(number(&path, "SELECT count(data) FROM v_clean_ours"), 3);
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
    let path = released(folder.path(), 1);
    let theirs = "CREATE VIEW by_template AS SELECT template FROM records";
    Connection::open(path)
        .unwrap()
        .execute_batch(theirs)
        .unwrap();
    let served = serve(folder.path(), &[]);
    let told = log(folder.path());
    assert!(told.contains("schema 1 becomes"), "{told}");
    assert!(told.contains("the view by_template does not fit"), "{told}");
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
fn records_filed_by_an_older_version_are_listed_exported_found_updated_and_undone() {
    let office = Office::with(|settings| {
        let folder = settings.db.parent().unwrap().to_owned();
        released(&folder, 4);
    });
    let ben = office.sign_in("ben");
    let old = r#"{"company_name":"Abend GmbH","linkedin_url":"https://www.linkedin.com/company/abend","website_url":"https://abend.example","company_size":12,"industry":"Publishing","revenue":100,"Note":"first"}"#;
    let lines = |job: i64| ben.get(&format!("/api/jobs/{job}/records.ndjson")).text();
    assert_eq!(lines(1).lines().next(), Some(old));
    let list = |query: &str| {
        let list = ben.get(&format!("/api/records?template=companies{query}"));
        list.expect(200)["records"].as_array().unwrap().clone()
    };
    assert_eq!(list("&q=ABEND").len(), 1);
    assert_eq!(list("&q=ABEND")[0]["data"].to_string(), old);
    let table = ben.get("/api/jobs/1/records.csv").text();
    assert!(table.contains("Abend GmbH,https://www.linkedin.com/company/abend,"));
    // An update keeps what the file does not have; what is new stands beside it.
    let file = b"Company Name,LinkedIn_URL,Revenue\nAbend GmbH,https://www.linkedin.com/company/abend,7\nNeu,linkedin.com/company/neu,1\n";
    let fields = [("on_duplicate", "update")];
    let job = ben.upload("upload-and-process", "b.csv", file, &fields);
    let job = job.expect(202)["job_id"].as_i64().unwrap();
    office.work_all();
    assert_eq!(ben.job(job)["counts"]["updated"], 1);
    let new = old.replace("\"revenue\":100", "\"revenue\":7");
    assert_eq!(lines(job).lines().next(), Some(new.as_str()));
    assert_eq!(list("").len(), 3);
    office
        .app
        .db
        .write(sheetline::catalog::views::refresh)
        .unwrap();
    let revenues = "SELECT sum(revenue) FROM v_clean_companies";
    assert_eq!(office.number(revenues), 208);
    ben.post(&format!("/api/jobs/{job}/undo")).expect(200);
    assert_eq!(list("&q=abend")[0]["data"].to_string(), old);
    assert_eq!(office.number(revenues), 300);
    ben.post("/api/jobs/1/undo").expect(200);
    assert_eq!(list(""), [] as [serde_json::Value; 0]);
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
    let path = released(folder.path(), 4);
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
    assert_eq!(number(&path, "PRAGMA user_version"), 4);
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

/// A database of schema 4 with what the office added to it.
fn with(folder: &Path, additions: &str) -> PathBuf {
    let path = released(folder, 4);
    Connection::open(&path)
        .unwrap()
        .execute_batch(additions)
        .unwrap();
    path
}

#[test]
fn the_offices_own_triggers_stay_and_take_no_part_in_the_migration() {
    let folder = tempfile::tempdir().unwrap();
    let additions = "CREATE TABLE our_log (what TEXT);
        CREATE VIEW our_list AS SELECT id, data FROM v_records;
        CREATE TRIGGER our_list_in INSTEAD OF INSERT ON our_list BEGIN SELECT 1; END;
        CREATE TRIGGER our_records INSTEAD OF DELETE ON v_records BEGIN SELECT 1; END;
        CREATE TRIGGER our_update AFTER UPDATE ON records BEGIN INSERT INTO our_log VALUES ('update'); END;
        CREATE TRIGGER our_count AFTER INSERT ON records BEGIN
            INSERT INTO our_log SELECT count(*) FROM v_records; END;";
    let path = with(folder.path(), additions);
    drop(open(&path).unwrap());
    let ours = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'our_%'";
    assert_eq!(number(&path, ours), 6);
    assert_eq!(number(&path, "SELECT count(*) FROM our_log"), 0);
}

#[test]
fn a_trigger_that_could_not_run_any_more_is_told_before_anything_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let additions = "CREATE TABLE our_log (what TEXT);
        CREATE TRIGGER our_insert AFTER INSERT ON records BEGIN INSERT INTO our_log VALUES (NEW.template); END;";
    let path = with(folder.path(), additions);
    let said = open(&path).err().unwrap().to_string();
    assert!(
        said.contains("\"records\"") && said.contains("template"),
        "{said}"
    );
    assert_eq!(number(&path, "PRAGMA user_version"), 4);
}
