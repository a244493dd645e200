//! docs/sqlite.md: every question that it answers is answered by its query, on a database in which all
//! of that has happened.

use rusqlite::{Connection, OpenFlags};
use serde_json::json;
use sheetline::clock::{Clock, SystemClock};
use sheetline::server::Server;

use crate::forms::companies;
use crate::office::Office;

const DOCUMENT: &str = include_str!("../../docs/sqlite.md");

/// An office with a little of everything. The queries ask SQLite for the time, so it is now here.
fn lively() -> Office {
    let office = Office::new();
    office.clock.set_wall(SystemClock::new().now());
    let anna = office.member("anna");
    let root = office.admin("root");
    root.send(
        "PUT",
        "/api/templates/stock",
        &json!({ "fields": [{ "name": "item" }, { "name": "price", "type": "number" }] }),
    )
    .expect(201);
    let mut list = companies("Abend", 3);
    list.extend_from_slice(b",https://www.linkedin.com/company/nameless,,1,Retail,\n  Wide GmbH ,linkedin.com/company/wide,wide.example,1,Retail,1\n");
    let first = anna.queue("a.csv", &list);
    office.work_all();
    assert_eq!(anna.job(first)["counts"]["valid"], 4);
    let undone = root.queue("b.csv", &companies("later", 5));
    office.work_all();
    root.post(&format!("/api/jobs/{undone}/undo")).expect(200);
    let stock = root.upload(
        "upload-and-process",
        "stock.csv",
        b"Thing,Cost\nPen,1.5\n",
        &[
            ("template", "stock"),
            ("mapping", r#"{"Thing":"item","Cost":"price"}"#),
        ],
    );
    stock.expect(202);
    anna.queue("no-such-columns.csv", b"x,y\n1,2\n");
    office.work_all();
    root.send(
        "POST",
        "/api/admin/queue/pause",
        &json!({ "reason": "The disk is being replaced." }),
    )
    .expect(200);
    root.send("POST", "/api/auth/tokens", &json!({ "name": "nightly" }))
        .expect(201);
    let wrong = json!({ "username": "anna", "password": "not this one" }).to_string();
    let json = [("Content-Type", "application/json")];
    office.call("POST", "/api/auth/login", &json, wrong.into_bytes());
    anna.upload("upload-json", "a.csv", &list, &[]).expect(201);
    anna.queue("waiting.csv", &companies("waiting", 2));
    office
}

/// The queries of the document, each with its question.
fn queries() -> Vec<(String, String)> {
    DOCUMENT
        .split("\n### ")
        .skip(1)
        .map(|part| {
            let (question, rest) = part.split_once('\n').unwrap();
            let sql = rest.split("```sql\n").nth(1).expect(question);
            (
                question.to_owned(),
                sql.split("```").next().unwrap().to_owned(),
            )
        })
        .collect()
}

/// What a query promises to show: the names in its SELECT.
fn named(sql: &str) -> Vec<String> {
    let list = sql.trim().strip_prefix("SELECT ").unwrap();
    let mut depth = 0_i32;
    let mut columns = vec![String::new()];
    for word in list.split_whitespace() {
        if depth == 0 && word == "FROM" {
            break;
        }
        depth += i32::try_from(word.matches('(').count()).unwrap();
        depth -= i32::try_from(word.matches(')').count()).unwrap();
        let last = columns.last_mut().unwrap();
        last.clear();
        last.push_str(word.trim_end_matches(','));
        if depth == 0 && word.ends_with(',') {
            columns.push(String::new());
        }
    }
    columns
        .iter()
        .map(|column| column.rsplit('.').next().unwrap().to_owned())
        .collect()
}

#[test]
fn every_question_is_answered_with_the_columns_that_the_query_names() {
    let office = lively();
    // As a start of the server does.
    let server = Server::start(office.app.clone()).unwrap();
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let path = office.app.db.path();
    let connection = Connection::open_with_flags(path, flags).unwrap();
    let queries = queries();
    assert!(queries.len() >= 20, "{}", queries.len());
    for (question, sql) in &queries {
        let mut statement = connection
            .prepare(sql)
            .unwrap_or_else(|error| panic!("{question}: {error}"));
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        assert_eq!(columns, named(sql), "{question}");
        let mut rows = statement.query([]).unwrap();
        assert!(
            rows.next()
                .unwrap_or_else(|error| panic!("{question}: {error}"))
                .is_some(),
            "{question} has no answer"
        );
    }
    drop(connection);
    server.stop();
}

#[test]
fn every_view_is_in_the_document_and_every_view_of_the_document_is_there() {
    let office = Office::new();
    let views: Vec<String> = office
        .app
        .db
        .read(|c| {
            let mut statement = c.prepare("SELECT name FROM sqlite_schema WHERE type = 'view'")?;
            let names = statement.query_map([], |row| row.get(0))?;
            Ok(names.collect::<rusqlite::Result<_>>()?)
        })
        .unwrap();
    let mut documented: Vec<&str> = DOCUMENT
        .lines()
        .filter_map(|line| line.strip_prefix("| `v_")?.split('`').next())
        .collect();
    documented.retain(|name| *name != "clean_TEMPLATE");
    documented.sort_unstable();
    let mut views: Vec<&str> = views
        .iter()
        .filter_map(|name| name.strip_prefix("v_"))
        .collect();
    views.sort_unstable();
    assert_eq!(views, documented);
}

#[test]
fn a_template_s_view_changes_with_it_and_goes_with_it() {
    let office = Office::new();
    let root = office.admin("root");
    let put = |fields: serde_json::Value| {
        root.send("PUT", "/api/templates/stock", &json!({ "fields": fields }))
    };
    // A connection looks for changes of the schema when it runs a statement, not when it prepares one.
    let columns = || -> Option<Vec<String>> {
        let fresh = Connection::open(office.app.db.path()).unwrap();
        let statement = fresh.prepare("SELECT * FROM v_clean_stock");
        statement
            .ok()
            .map(|s| s.column_names().map(str::to_owned).collect())
    };
    put(json!([{ "name": "item" }])).expect(201);
    let source = ["record", "file", "row", "uploader", "job", "stored_at"];
    assert_eq!(columns().unwrap(), [&["item"][..], &source].concat());
    put(json!([{ "name": "it's \"new\"" }, { "name": "row" }])).expect(200);
    assert_eq!(
        columns().unwrap(),
        [
            "it's \"new\"",
            "row",
            "record",
            "file",
            "uploader",
            "job",
            "stored_at"
        ]
    );
    let nul = put(json!([{ "name": "a\u{0}b" }, { "name": "c" }]));
    assert!(nul.status < 500);
    root.send("DELETE", "/api/templates/stock", &json!({}))
        .expect(200);
    assert_eq!(columns(), None);
}
