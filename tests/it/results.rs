//! What a job makes of a file: records, report, ledger and downloads, through the routes.

use std::collections::HashMap;
use std::io::Cursor;

use calamine::{Data, Reader};
use serde_json::{Value, json};

use crate::forms;
use crate::office::{Office, Person};

const LIST: &str = "Company Name,LinkedIn_URL,Website_URL,Company_Size,Industry,Revenue,Note\n\
    \" ACME  Ltd\",linkedin.com/company/acme,https://acme.example,11-50,Tools,7,=1+1\n\
    Berg AG,https://linkedin.com/company/berg,berg.example,12,Beer,8,+49 170 1234567\n\
    ,https://linkedin.com/company/none,,,,,\n\
    Acme Ltd,https://linkedin.com/company/ACME,,,,,\n\
    Dorn,nowhere,,,,,01067\n";

fn done(person: &Person<'_>, name: &str, text: &str, fields: &[(&str, &str)]) -> i64 {
    let id = person
        .upload("upload-and-process", name, text.as_bytes(), fields)
        .expect(202)["job_id"]
        .as_i64()
        .unwrap();
    person.office.work_all();
    assert_eq!(person.job(id)["status"], "completed", "{}", person.job(id));
    id
}

fn records(person: &Person<'_>, id: i64) -> Vec<Value> {
    let body = person
        .get(&format!("/api/jobs/{id}/records.json"))
        .expect(200);
    body["records"].as_array().unwrap().clone()
}

fn list(person: &Person<'_>) -> Vec<Value> {
    let body = person.get("/api/records?template=companies").expect(200);
    body["records"].as_array().unwrap().clone()
}

fn cells(bytes: &[u8], sheet: &str) -> Vec<Vec<Data>> {
    let mut book = calamine::Xlsx::new(Cursor::new(bytes.to_vec())).unwrap();
    let range = book.worksheet_range(sheet).unwrap();
    let (rows, columns) = range.end().unwrap();
    (0..=rows)
        .map(|row| {
            (0..=columns)
                .map(|column| {
                    range
                        .get_value((row, column))
                        .cloned()
                        .unwrap_or(Data::Empty)
                })
                .collect()
        })
        .collect()
}

fn text(value: &str) -> Data {
    Data::String(value.to_owned())
}

#[test]
fn a_job_keeps_the_good_rows_and_parks_the_bad_ones() {
    let office = Office::new();
    let anna = office.member("anna");
    let id = done(&anna, "list.csv", LIST, &[]);
    assert_eq!(
        anna.job(id)["counts"],
        json!({"rows": 5, "valid": 2, "invalid": 2, "duplicates": 1, "updated": 0})
    );
    let records = records(&anna, id);
    assert_eq!(records.len(), 2);
    assert_eq!(records[0]["company_name"], "ACME Ltd");
    assert_eq!(records[0]["Note"], "=1+1");
    let report = anna.get(&format!("/api/jobs/{id}/report")).expect(200);
    assert_eq!(report["stats"]["invalid"], 2);
    assert_eq!(report["errors_total"], 3);
    assert_eq!(report["errors"][0]["cell"], "A4");
    assert_eq!(
        report["template"],
        json!({"name": "companies", "version": 0})
    );
}

#[test]
fn every_changed_value_is_in_the_ledger() {
    let office = Office::new();
    let anna = office.member("anna");
    let id = done(&anna, "list.csv", LIST, &[]);
    let changes = anna.get(&format!("/api/jobs/{id}/changes")).expect(200);
    assert_eq!(
        changes["changes"],
        json!([
            {"cell": "A2", "field": "company_name", "original": " ACME  Ltd", "stored": "ACME Ltd", "rule": "trim, spaces"},
            {"cell": "B2", "field": "linkedin_url", "original": "linkedin.com/company/acme",
             "stored": "https://linkedin.com/company/acme", "rule": "url"},
            {"cell": "C3", "field": "website_url", "original": "berg.example",
             "stored": "https://berg.example", "rule": "url"},
        ])
    );
}

#[test]
fn csv_runs_nothing_and_has_a_mark_for_excel_only_in_a_browser() {
    let office = Office::new();
    let anna = office.member("anna");
    let id = done(&anna, "list.csv", LIST, &[]);
    let path = format!("/api/jobs/{id}/records.csv");
    let answer = anna.get(&path);
    assert_eq!(answer.status, 200);
    let table = answer.text();
    assert_eq!(
        table.lines().collect::<Vec<_>>(),
        vec![
            "company_name,linkedin_url,website_url,company_size,industry,revenue,Note",
            "ACME Ltd,https://linkedin.com/company/acme,https://acme.example,11-50,Tools,7,'=1+1",
            "Berg AG,https://linkedin.com/company/berg,https://berg.example,12,Beer,8,+49 170 1234567",
        ]
    );
    let bearer = format!("Bearer {}", anna.session);
    let browser = office.call(
        "GET",
        &path,
        &[
            ("Authorization", &bearer),
            ("Accept", "text/html,*/*;q=0.8"),
        ],
        Vec::new(),
    );
    assert!(browser.text().starts_with('\u{feff}'));
}

#[test]
fn a_workbook_of_records_keeps_text_as_text() {
    let office = Office::new();
    let anna = office.member("anna");
    let id = done(&anna, "list.csv", LIST, &[]);
    let answer = anna.get(&format!("/api/jobs/{id}/records.xlsx"));
    assert_eq!(answer.status, 200);
    let rows = cells(&answer.bytes, "Records");
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0][0], text("company_name"));
    assert_eq!(rows[1][6], text("=1+1"));
    assert_eq!(rows[1][5], Data::Float(7.0));
    assert_eq!(rows[2][6], text("+49 170 1234567"));
}

#[test]
fn the_marked_copy_has_every_row_in_its_place() {
    let office = Office::new();
    let anna = office.member("anna");
    let id = done(&anna, "list.csv", LIST, &[]);
    let answer = anna.get(&format!("/api/jobs/{id}/annotated.xlsx"));
    assert_eq!(answer.status, 200);
    let rows = cells(&answer.bytes, "Sheet1");
    assert_eq!(rows.len(), 6);
    assert_eq!(rows[0][7], text("What is wrong"));
    assert_eq!(rows[1][0], text(" ACME  Ltd"));
    assert_eq!(rows[1][7], Data::Empty);
    assert_eq!(rows[3][7], text("Company Name is empty."));
    assert_eq!(rows[5][6], text("01067"));
    assert_eq!(rows[4][7], text("Same LinkedIn_URL as row 2."));
}

#[test]
fn the_workbook_to_repair_has_the_rows_to_fix_only() {
    let office = Office::new();
    let anna = office.member("anna");
    let id = done(&anna, "list.csv", LIST, &[]);
    let answer = anna.get(&format!("/api/jobs/{id}/repair.xlsx"));
    assert_eq!(answer.status, 200);
    let rows = cells(&answer.bytes, "Rows to fix");
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[1][0], text("Company Name is empty."));
    assert_eq!(rows[1][1], Data::Float(4.0));
    assert_eq!(rows[2][2], text("Dorn"));
    let home: HashMap<String, String> = cells(&answer.bytes, "sheetline_repair")
        .iter()
        .map(|row| (row[0].to_string(), row[1].to_string()))
        .collect();
    assert_eq!(home["job_id"], id.to_string());
}

#[test]
fn the_same_list_again_is_all_duplicates_that_say_where_they_are() {
    let office = Office::new();
    let anna = office.member("anna");
    done(&anna, "old.csv", LIST, &[]);
    let text = "Company Name,LinkedIn_URL,Revenue\n\
        Acme Ltd,https://linkedin.com/company/acme/,9\nBerg,https://other.example,\n";
    let id = done(&anna, "new.csv", text, &[]);
    let report = anna.get(&format!("/api/jobs/{id}/report")).expect(200);
    assert_eq!(report["errors_by_type"], json!({"duplicate-record": 1}));
    let message = report["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("old.csv, row 2"), "{message}");
    assert!(message.contains("revenue differs: 9 / 7"), "{message}");
    assert_eq!(report["stats"]["duplicates"], 1);
    assert_eq!(list(&anna).len(), 3);
}

#[test]
fn an_update_changes_only_columns_that_the_file_has_and_can_be_undone() {
    let office = Office::new();
    let anna = office.member("anna");
    done(&anna, "old.csv", LIST, &[]);
    let text =
        "Company Name,LinkedIn_URL,Revenue\nACME Group,https://linkedin.com/company/acme,9\n";
    let id = done(&anna, "new.csv", text, &[("on_duplicate", "update")]);
    assert_eq!(anna.job(id)["counts"]["updated"], 1);
    let acme = |person: &Person<'_>| {
        let list = list(person);
        assert_eq!(list.len(), 2);
        list.iter()
            .find(|record| record["data"]["linkedin_url"] == "https://linkedin.com/company/acme")
            .unwrap()["data"]
            .clone()
    };
    let after = acme(&anna);
    assert_eq!(after["company_name"], "ACME Group");
    assert_eq!(after["revenue"], 9);
    assert_eq!(after["industry"], "Tools");
    assert_eq!(after["Note"], "=1+1");
    anna.post(&format!("/api/jobs/{id}/undo")).expect(200);
    let back = acme(&anna);
    assert_eq!(back["company_name"], "ACME Ltd");
    assert_eq!(back["revenue"], 7);
}

#[test]
fn undone_rows_are_no_duplicates() {
    let office = Office::new();
    let anna = office.member("anna");
    let first = done(&anna, "a.csv", LIST, &[]);
    anna.post(&format!("/api/jobs/{first}/undo")).expect(200);
    assert_eq!(list(&anna).len(), 0);
    let second = done(&anna, "b.csv", LIST, &[]);
    assert_eq!(anna.job(second)["counts"]["valid"], 2);
    assert_eq!(list(&anna).len(), 2);
}

#[test]
fn a_job_without_a_required_column_fails_with_its_report() {
    let office = Office::new();
    let anna = office.member("anna");
    let id = anna.queue("bad.csv", b"Company Name,Website\nACME,acme.example\n");
    office.work_all();
    let job = anna.job(id);
    assert_eq!(job["status"], "failed");
    assert_eq!(job["error"]["code"], "missing-columns");
    let report = anna.get(&format!("/api/jobs/{id}/report")).expect(200);
    assert_eq!(report["errors"][0]["type"], "missing-label");
    assert_eq!(report["mapping"][1]["field"], "website_url");
    assert_eq!(
        anna.get(&format!("/api/jobs/{id}/records.json")).code(),
        "not-finished"
    );
}

#[test]
fn the_list_is_searched_whatever_the_case_and_paged() {
    let office = Office::new();
    let anna = office.member("anna");
    let bytes = forms::companies("Ärger", 120);
    let id = anna.queue("a.csv", &bytes);
    office.work_all();
    assert_eq!(anna.job(id)["counts"]["valid"], 120);
    let found = anna.get("/api/records?q=%C3%A4rger%207%20gmbh").expect(200);
    assert_eq!(found["records"].as_array().unwrap().len(), 1);
    assert_eq!(found["records"][0]["file"], "a.csv");
    assert_eq!(found["records"][0]["row"], 9);
    assert_eq!(found["records"][0]["uploader"], "anna");
    let mut seen = 0;
    let mut cursor = String::new();
    loop {
        let page = anna
            .get(&format!("/api/records?limit=50&cursor={cursor}"))
            .expect(200);
        seen += page["records"].as_array().unwrap().len();
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, 120);
}

// Templates ----------------------------------------------------------------------------------------

#[test]
fn a_template_is_made_used_and_deleted() {
    let office = Office::new();
    let root = office.admin("root");
    let anna = office.member("anna");
    let schema = json!({"fields": [
        {"name": "code", "type": "string", "constraints": {"required": true, "enum": ["a", "b"]}},
        {"name": "amount", "type": "number"},
    ]});
    assert_eq!(
        anna.send("PUT", "/api/templates/codes", &schema).code(),
        "forbidden"
    );
    root.send("PUT", "/api/templates/codes", &schema)
        .expect(201);
    let id = done(
        &anna,
        "codes.csv",
        "Code,Amount\na,1\nc,x\n",
        &[("template", "codes")],
    );
    assert_eq!(anna.job(id)["counts"]["invalid"], 1);
    assert_eq!(anna.job(id)["template_version"], 1);
    let sample = anna.get("/api/templates/codes/sample.xlsx");
    assert_eq!(sample.status, 200);
    let rows = cells(&sample.bytes, "codes");
    assert_eq!(rows[0], vec![text("code"), text("amount")]);
    assert_eq!(rows[2][0], text("b"));
    root.send("DELETE", "/api/templates/codes", &Value::Null)
        .expect(200);
    assert_eq!(anna.get("/api/templates/codes").status, 404);
    // What was made with it can still be had.
    assert_eq!(records(&anna, id).len(), 1);
    assert_eq!(anna.get(&format!("/api/jobs/{id}/repair.xlsx")).status, 200);
}

#[test]
fn a_template_that_is_none_is_refused_with_the_place() {
    let office = Office::new();
    let root = office.admin("root");
    let answer = root.send(
        "PUT",
        "/api/templates/bad",
        &json!({"fields": [{"name": "a", "type": "colour"}]}),
    );
    assert_eq!(answer.code(), "invalid-template");
    assert_eq!(answer.status, 422);
    assert_eq!(answer.json()["errors"][0]["pointer"], "/fields/0/type");
}

#[test]
fn the_sample_of_companies_is_itself_valid() {
    let office = Office::new();
    let anna = office.member("anna");
    let sample = anna.get("/api/templates/companies/sample.xlsx");
    assert_eq!(sample.status, 200);
    let id = anna.queue("sample.xlsx", &sample.bytes);
    office.work_all();
    let job = anna.job(id);
    assert_eq!(
        job["counts"],
        json!({"rows": 2, "valid": 2, "invalid": 0, "duplicates": 0, "updated": 0})
    );
}
