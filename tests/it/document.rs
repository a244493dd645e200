//! A stored file's JSON: the document, its rows a line each, and what keeps them whole.

use serde_json::{Value, json};
use sheetline::id::{UploadNo, UserId};
use sheetline::sheet::{Column, FileInfo, ReadOptions, Row, SheetInfo, Visibility};
use sheetline::store::rows;
use sheetline::store::uploads::{self, NewUpload, Status};
use sheetline::words::Format;

use crate::office::Office;

fn sheet(position: u32, name: &str, count: u64) -> SheetInfo {
    let column = |index, name: &str| Column {
        index,
        name: name.to_owned(),
        label: Some(name.to_owned()),
    };
    SheetInfo {
        position,
        name: Some(name.to_owned()),
        visibility: Visibility::Visible,
        header_row: Some(1),
        columns: vec![column(0, "name"), column(1, "n")],
        rows: count,
        error_cells: 0,
        error_cells_first: Vec::new(),
        notices: Vec::new(),
        above: Vec::new(),
    }
}

/// Stores a workbook with sheets of so many rows, the first one the default.
fn store(office: &Office, id: &str, sheets: &[(&str, u32)]) -> UploadNo {
    let user = UserId(office.number("SELECT min(id) FROM users"));
    let infos: Vec<SheetInfo> = (0..)
        .zip(sheets)
        .map(|(position, (name, count))| sheet(position, name, u64::from(*count)))
        .collect();
    office
        .app
        .db
        .write(|tx| {
            let new = NewUpload {
                id: id.to_owned(),
                user,
                filename: "List 1.xlsx".to_owned(),
                size: 3,
                sha256: "ab".to_owned(),
                format: Format::Xlsx,
                options: ReadOptions::default(),
            };
            let no = uploads::insert(tx, &new, Status::Stored)?;
            for (info, (name, count)) in infos.iter().zip(sheets) {
                let rows: Vec<Row> = (0..*count)
                    .map(|n| Row {
                        number: n + 2,
                        cells: format!("[\"{name} {n}\",{n}]"),
                        kinds: None,
                        width: None,
                    })
                    .collect();
                rows::insert(tx, no, info.position, &rows)?;
            }
            let file = FileInfo {
                default_sheet: 0,
                encoding: None,
                delimiter: None,
            };
            uploads::keep_sheets(tx, no, &file, &infos)?;
            Ok(no)
        })
        .unwrap()
}

#[test]
fn the_document_holds_every_row_of_the_sheet_that_is_asked_for() {
    let office = Office::new();
    let anna = office.member("anna");
    store(&office, "one", &[("First", 5_001), ("Second", 2)]);
    let answer = anna.get("/api/files/one/json");
    let value = answer.expect(200);
    assert_eq!(value["columns"], json!(["name", "n"]));
    let data = value["data"].as_array().unwrap();
    assert_eq!(data.len(), 5_001);
    assert_eq!(data[5_000], json!({ "name": "First 5000", "n": 5_000 }));
    let metadata = &value["metadata"];
    assert_eq!(metadata["row_numbers"].as_array().unwrap().len(), 5_001);
    assert_eq!(metadata["sheet"], "First");
    assert_eq!(metadata["sheets"][1]["name"], "Second");
    assert_eq!(metadata["total_rows"], 5_001);
    assert_eq!(metadata["uploaded_by"], "anna");
    assert_eq!(metadata["uploaded_at"], "2026-11-23T10:00:00.000Z");
    assert_eq!(metadata["format"], "xlsx");
    assert!(
        answer
            .header("Content-Disposition")
            .unwrap()
            .contains("List 1.json")
    );

    let second = anna.get("/api/files/one/json?sheet=second").expect(200);
    assert_eq!(second["data"].as_array().unwrap().len(), 2);
    assert_eq!(
        anna.get("/api/files/one/json?sheet=Third").code(),
        "no-such-sheet"
    );
}

#[test]
fn ndjson_is_a_row_a_line() {
    let office = Office::new();
    let anna = office.member("anna");
    store(&office, "one", &[("S", 3)]);
    let answer = anna.get("/api/files/one/json?format=ndjson");
    assert_eq!(answer.status, 200);
    let text = answer.text();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[2], json!({ "name": "S 2", "n": 2 }));
    let first = anna.get("/api/files/one/json?format=ndjson&limit=2");
    assert_eq!(first.text().lines().count(), 2);
    let more = anna.get("/api/files/one/json?format=ndjson&limit=9");
    assert_eq!(more.text().lines().count(), 3);
    for bad in ["format=ndjson&limit=x", "limit=2"] {
        let answer = anna.get(&format!("/api/files/one/json?{bad}"));
        assert_eq!(answer.code(), "bad-request", "{bad}");
    }
    assert_eq!(
        anna.get("/api/files/one/json?format=xml").code(),
        "bad-request"
    );
}

#[test]
fn only_the_owner_and_administrators_get_the_rows() {
    let office = Office::new();
    let anna = office.member("anna");
    store(&office, "one", &[("S", 1)]);
    assert_eq!(
        office.member("ben").get("/api/files/one/json").code(),
        "not-found"
    );
    assert_eq!(anna.get("/api/files/two/json").code(), "not-found");
    office.admin("root").get("/api/files/one/json").expect(200);
    let unknown = office.call("GET", "/api/files/one/json", &[], Vec::new());
    assert_eq!(unknown.code(), "session-missing");
}

#[test]
fn a_file_whose_rows_were_not_read_says_so() {
    let office = Office::new();
    let anna = office.member("anna");
    let no = store(&office, "one", &[("S", 1)]);
    office
        .app
        .db
        .write(|tx| uploads::change_status(tx, no, Status::Stored, Status::Received))
        .unwrap();
    assert_eq!(anna.get("/api/files/one/json").code(), "not-finished");
}

#[test]
fn pages_of_large_rows_are_small() {
    let office = Office::new();
    office.member("anna");
    let no = store(&office, "one", &[("S", 0)]);
    let large = |number| Row {
        number,
        cells: format!("[\"{}\"]", "x".repeat(1 << 20)),
        kinds: None,
        width: None,
    };
    let rows: Vec<Row> = (1..=9).map(large).collect();
    office
        .app
        .db
        .write(|tx| rows::insert(tx, no, 0, &rows))
        .unwrap();
    let (mut after, mut sizes) = (0, Vec::new());
    loop {
        let page = office
            .app
            .db
            .read(|c| rows::page(c, no, 0, after, 1_000))
            .unwrap();
        let Some(last) = page.last() else { break };
        after = last.number;
        sizes.push(page.len());
    }
    assert_eq!(sizes, [4, 4, 1]);
}

#[test]
fn a_file_deleted_while_it_is_sent_is_not_taken_for_whole() {
    use std::io::Read;
    let office = Office::new();
    let anna = office.member("anna");
    let no = store(&office, "one", &[("S", 9_000)]);
    let mut body = anna.get_slowly("/api/files/one/json?format=ndjson");
    let mut some = [0; 1_000];
    body.read_exact(&mut some).unwrap();
    while !office
        .app
        .db
        .write(|tx| uploads::purge_rows_step(tx, no, 5_000))
        .unwrap()
    {}
    let rest = body.read_to_end(&mut Vec::new());
    assert!(rest.is_err());
}
