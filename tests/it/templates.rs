//! Templates over HTTP and on the command line: versions, size, the empty workbook, the office's own
//! from a database.

use std::io::Cursor;
use std::process::{Command, Output};

use calamine::{Reader, Xlsx};
use serde_json::{Value, json};

use crate::office::Office;

fn one_field(name: &str) -> Value {
    json!({ "fields": [{ "name": name, "type": "string" }] })
}

#[test]
fn every_version_of_a_template_can_be_read() {
    let office = Office::new();
    let root = office.admin("root");
    let anna = office.member("anna");
    root.send("PUT", "/api/templates/stock", &one_field("item"))
        .expect(201);
    office.pass(60);
    root.send("PUT", "/api/templates/stock", &one_field("article"))
        .expect(200);
    // What is stored as it is becomes no other version.
    office.pass(60);
    let again = root.send("PUT", "/api/templates/stock", &one_field("article"));
    assert_eq!(again.expect(200)["template"]["version"], 2);
    let field_of = |url: &str| {
        let template = anna.get(url).expect(200)["template"].clone();
        (
            template["version"].clone(),
            template["schema"]["fields"][0]["name"].clone(),
        )
    };
    assert_eq!(
        field_of("/api/templates/stock"),
        (json!(2), json!("article"))
    );
    assert_eq!(
        field_of("/api/templates/stock?version=1"),
        (json!(1), json!("item"))
    );
    assert_eq!(
        anna.get("/api/templates/stock").expect(200)["template"]["versions"],
        json!([
            { "version": 2, "created_at": "2026-11-23T10:01:00.000Z", "created_by": "root", "deleted": false },
            { "version": 1, "created_at": "2026-11-23T10:00:00.000Z", "created_by": "root", "deleted": false },
        ])
    );
    for version in ["0", "3", "-1"] {
        let answer = anna.get(&format!("/api/templates/stock?version={version}"));
        assert_eq!(
            (answer.status, answer.code()),
            (404, "not-found".to_owned())
        );
    }
    let answer = anna.get("/api/templates/stock?version=new");
    assert_eq!(
        (answer.status, answer.code()),
        (400, "bad-request".to_owned())
    );
    // A job says with which version it ran: that one can be read after all are deleted.
    root.send("DELETE", "/api/templates/stock", &Value::Null)
        .expect(200);
    assert_eq!(anna.get("/api/templates/stock").status, 404);
    assert_eq!(field_of("/api/templates/stock?version=1").1, json!("item"));
    assert_eq!(anna.get("/api/templates/stock?version=3").status, 404);
    // A built-in one is version 0, whatever the office puts over it.
    root.send("PUT", "/api/templates/companies", &one_field("name"))
        .expect(200);
    assert_eq!(
        field_of("/api/templates/companies?version=0").1,
        json!("company_name")
    );
}

/// A template with so many article numbers of six digits.
fn articles(count: u32) -> Value {
    let numbers: Vec<String> = (0..count).map(|n| format!("{:06}", 100_000 + n)).collect();
    json!({ "fields": [{ "name": "article", "type": "string", "constraints": { "enum": numbers } }] })
}

#[test]
fn a_template_may_have_two_megabytes() {
    let office = Office::new();
    let root = office.admin("root");
    root.send("PUT", "/api/templates/articles", &articles(10_000))
        .expect(201);
    let list = office.member("anna");
    let id = list
        .upload(
            "upload-and-process",
            "a.csv",
            b"article\n109999\n110000\n",
            &[("template", "articles")],
        )
        .expect(202)["job_id"]
        .as_i64()
        .unwrap();
    office.work_all();
    assert_eq!(list.job(id)["counts"]["valid"], 1);
    assert_eq!(list.job(id)["counts"]["invalid"], 1);
    // To the byte.
    let mut schema = articles(10_000);
    let spare = (2 << 20) - schema.to_string().len() - r#""description":"","#.len();
    schema["description"] = json!("x".repeat(spare));
    assert_eq!(schema.to_string().len(), 2 << 20);
    root.send("PUT", "/api/templates/articles", &schema)
        .expect(200);
    schema["description"] = json!("x".repeat(spare + 1));
    let answer = root.send("PUT", "/api/templates/articles", &schema);
    assert_eq!(
        (answer.status, answer.code()),
        (413, "too-large".to_owned())
    );
    assert_eq!(answer.json()["limit"], 2 << 20);
    assert!(
        answer.json()["detail"]
            .as_str()
            .unwrap()
            .contains("2097152"),
        "{}",
        answer.json()
    );
    // Other bodies keep their limit.
    let long = json!({ "username": "x".repeat(70_000), "password": "x" });
    let answer = root.send("POST", "/api/users", &long);
    assert_eq!(
        (answer.status, answer.json()["limit"].clone()),
        (413, json!(65_536))
    );
}

#[test]
fn no_name_of_a_template_spoils_its_empty_workbook() {
    let office = Office::new();
    let root = office.admin("root");
    for (name, first) in [
        ("lists", "lists"),
        ("LISTS", "LISTS"),
        ("history", "history_2"),
    ] {
        root.send("PUT", &format!("/api/templates/{name}"), &articles(300))
            .expect(201);
        let sample = root.get(&format!("/api/templates/{name}/sample.xlsx"));
        assert_eq!(sample.status, 200, "{name}");
        let mut book: Xlsx<_> = Xlsx::new(Cursor::new(sample.bytes.clone())).unwrap();
        let sheets = book.sheet_names();
        assert_eq!(sheets[0], first);
        let lists = book.worksheet_range(&sheets[1]).unwrap();
        assert_eq!(lists.height(), 300);
        // The drop-down names the sheet that is there.
        let mut zip = zip::ZipArchive::new(Cursor::new(sample.bytes)).unwrap();
        let sheet = std::io::read_to_string(zip.by_name("xl/worksheets/sheet1.xml").unwrap());
        let wanted = format!("<formula1>{}!$A$1:$A$300</formula1>", sheets[1]);
        assert!(sheet.unwrap().contains(&wanted), "{name}: {wanted}");
        root.send("DELETE", &format!("/api/templates/{name}"), &Value::Null)
            .expect(200);
    }
}

fn process(folder: &std::path::Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sheetline"))
        .current_dir(folder)
        .env_remove("SHEETLINE_DB")
        .args(["process", "list.csv"])
        .args(arguments)
        .output()
        .unwrap()
}

#[track_caller]
fn said(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_template_of_the_office_can_be_named_on_the_command_line() {
    let office = Office::new();
    let root = office.admin("root");
    let schema = json!({ "fields": [{ "name": "n", "type": "integer" }] });
    root.send("PUT", "/api/templates/numbers", &schema)
        .expect(201);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("list.csv"), "n\n1\nx\n").unwrap();
    let db = office.app.settings.db.to_str().unwrap();
    let ran = process(
        folder.path(),
        &["--template", "numbers", "--out", "out", "--db", db],
    );
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    let report = std::fs::read_to_string(folder.path().join("out/report.json")).unwrap();
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(
        report["template"],
        json!({ "name": "numbers", "version": 1 })
    );
    let unknown = said(&process(
        folder.path(),
        &["--template", "letters", "--out", "out", "--db", db],
    ));
    assert!(
        unknown.contains("There is: companies, numbers, auto."),
        "{unknown}"
    );
    let without = said(&process(
        folder.path(),
        &["--template", "numbers", "--out", "out"],
    ));
    assert!(without.contains("--db"), "{without}");
    let missing = said(&process(
        folder.path(),
        &["--template", "companies", "--out", "out", "--db", "none.db"],
    ));
    assert!(
        missing.contains("There is no database none.db."),
        "{missing}"
    );
    assert!(!folder.path().join("none.db").exists());
}

#[test]
fn a_file_in_the_place_of_the_folder_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("list.csv"), "n\n1\n").unwrap();
    let told = said(&process(
        folder.path(),
        &["--template", "auto", "--out", "list.csv"],
    ));
    assert_eq!(
        told,
        "sheetline: list.csv is a file; name a folder. (bad-request)\n"
    );
}

#[test]
fn a_template_s_file_has_the_limit_that_the_server_has() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("list.csv"), "n\n1\n").unwrap();
    let schema = |bytes: usize| {
        let schema = r#"{"fields":[{"name":"n"}]}"#;
        let text = format!("{schema}{}", " ".repeat(bytes - schema.len()));
        std::fs::write(folder.path().join("t.json"), text).unwrap();
        process(folder.path(), &["--template", "t.json", "--out", "out"])
    };
    assert_eq!(schema(2 << 20).status.code(), Some(0));
    let told = said(&schema((2 << 20) + 1));
    assert!(told.contains("2 MB at most"), "{told}");
}

#[test]
fn a_template_whose_name_differs_from_another_only_by_case_is_refused() {
    let office = Office::new();
    let root = office.admin("root");
    root.send("PUT", "/api/templates/stock", &one_field("item"))
        .expect(201);
    for name in ["Stock", "STOCK", "Companies", "Auto"] {
        let url = format!("/api/templates/{name}");
        let refused = root.send("PUT", &url, &one_field("x"));
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (409, "name-taken"),
            "{name}"
        );
    }
    // A name is free again when nothing has it any more.
    root.send("DELETE", "/api/templates/stock", &Value::Null)
        .expect(200);
    root.send("PUT", "/api/templates/Stock", &one_field("x"))
        .expect(201);
    assert_eq!(office.number("SELECT count(x) FROM v_clean_stock"), 0);
}

#[test]
fn of_older_templates_whose_names_differ_only_by_case_each_has_its_view() {
    let office = Office::new();
    let root = office.admin("root");
    root.send("PUT", "/api/templates/inv", &one_field("item"))
        .expect(201);
    office
        .app
        .db
        .write(|tx| {
            tx.execute_batch(
                r#"INSERT INTO templates (name, version, schema, created_at) VALUES
                   ('INV', 1, '{"fields":[{"name":"x"}]}', '2026-11-24T10:00:00.000Z'),
                   ('Companies', 1, '{"fields":[{"name":"y"}]}', '2026-11-24T10:00:00.000Z'),
                   ('INV_2', 1, '{"fields":[{"name":"z"}]}', '2026-11-24T10:00:00.000Z');"#,
            )?;
            sheetline::catalog::views::refresh(tx)
        })
        .unwrap();
    for (column, view) in [
        ("item", "v_clean_inv"),
        ("x", "v_clean_INV_3"),
        ("z", "v_clean_INV_2"),
        ("company_name", "v_clean_companies"),
        ("y", "v_clean_Companies_2"),
    ] {
        let sql = format!("SELECT count({column}) FROM {view}");
        assert_eq!(office.number(&sql), 0, "{view}");
    }
    // They can be changed as before.
    root.send("PUT", "/api/templates/INV", &one_field("w"))
        .expect(200);
    assert_eq!(office.number("SELECT count(w) FROM v_clean_INV_3"), 0);
}
