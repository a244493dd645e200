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
    let listed = changes["changes"].as_array().map(Vec::len);
    assert_eq!(changes["total"], json!(listed));
}

#[test]
fn csv_runs_nothing_and_has_a_mark_for_excel_unless_it_is_not_wanted() {
    let office = Office::new();
    let anna = office.member("anna");
    let id = done(&anna, "list.csv", LIST, &[]);
    let path = format!("/api/jobs/{id}/records.csv");
    let answer = anna.get(&path);
    assert_eq!(answer.status, 200);
    let table = answer.text();
    let table = table.strip_prefix('\u{feff}').unwrap();
    assert_eq!(table.matches("\r\n").count(), 3);
    assert_eq!(
        table.lines().collect::<Vec<_>>(),
        vec![
            "company_name,linkedin_url,website_url,company_size,industry,revenue,Note",
            "ACME Ltd,https://linkedin.com/company/acme,https://acme.example,11-50,Tools,7,'=1+1",
            "Berg AG,https://linkedin.com/company/berg,https://berg.example,12,Beer,8,+49 170 1234567",
        ]
    );
    let plain = anna.get(&format!("{path}?bom=0"));
    assert_eq!(plain.text(), table);
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
fn a_number_has_the_same_digits_in_every_download_and_is_one_in_a_workbook() {
    let office = Office::new();
    let root = office.admin("root");
    let schema =
        json!({"fields": [{"name": "n", "type": "number"}, {"name": "t", "type": "string"}]});
    root.send("PUT", "/api/templates/sums", &schema).expect(201);
    let file = "n,t\n1.50,a\u{b}b\n10.0000000000000000,c\n";
    let id = done(&root, "a.csv", file, &[("template", "sums")]);
    let lines = root.get(&format!("/api/jobs/{id}/records.ndjson")).text();
    assert!(lines.starts_with("{\"n\":1.50,"), "{lines}");
    let table = root
        .get(&format!("/api/jobs/{id}/records.csv?bom=0"))
        .text();
    assert_eq!(table, "n,t\r\n1.50,a\u{b}b\r\n10.0000000000000000,c\r\n");
    let workbook = root.get(&format!("/api/jobs/{id}/records.xlsx")).bytes;
    let rows = cells(&workbook, "Records");
    assert_eq!(rows[1][0], Data::Float(1.5));
    assert_eq!(rows[2][0], Data::Float(10.0));
    assert_eq!(rows[1][1], text("a\u{b}b"));
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
fn the_marked_copy_shows_what_stands_above_the_headers() {
    let office = Office::new();
    let anna = office.member("anna");
    let list = "Our companies,as of May\n\nCompany Name,LinkedIn_URL,Size\n\
        Acme,https://l.example/a,5\n\nBerg,bad,6\n";
    let id = done(&anna, "list.csv", list, &[]);
    let copy = |id| {
        let answer = anna.get(&format!("/api/jobs/{id}/annotated.xlsx"));
        assert_eq!(answer.status, 200);
        cells(&answer.bytes, "Sheet1")
    };
    let rows = copy(id);
    assert_eq!(rows[0][..2], [text("Our companies"), text("as of May")]);
    assert_eq!(rows[1], vec![Data::Empty; 4]);
    assert_eq!(rows[2][..2], [text("Company Name"), text("LinkedIn_URL")]);
    assert_eq!(rows[2][3], text("What is wrong"));
    assert_eq!(rows[5][0], text("Berg"));
    // What was stored when such rows were not kept.
    office
        .app
        .db
        .write(|tx| {
            tx.execute(
                "UPDATE upload_sheets SET facts = json_remove(facts, '$.above')",
                [],
            )?;
            Ok(())
        })
        .unwrap();
    let rows = copy(id);
    assert_eq!(rows[0][0], Data::Empty);
    assert_eq!(rows[2][3], text("What is wrong"));
}

#[test]
fn a_text_that_no_cell_holds_is_cut_and_says_so() {
    let office = Office::new();
    let anna = office.member("anna");
    let long = "x".repeat(40_000);
    let list = format!(
        "Company Name,LinkedIn_URL,Note\nAcme,https://l.example/a,{long}\nBerg,bad,{long}\n"
    );
    let id = done(&anna, "list.csv", &list, &[]);
    for (name, cut) in [("records", 1), ("annotated", 2), ("repair", 1)] {
        let answer = anna.get(&format!("/api/jobs/{id}/{name}.xlsx"));
        assert_eq!(answer.status, 200, "{name}");
        let mut package = zip::ZipArchive::new(Cursor::new(answer.bytes)).unwrap();
        let mut notes = String::new();
        let mut part = package.by_name("xl/comments1.xml").unwrap();
        std::io::Read::read_to_string(&mut part, &mut notes).unwrap();
        let said = notes.matches("Cut off: the text has 40000 letters").count();
        assert_eq!(said, cut, "{name}");
    }
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
fn what_is_typed_into_a_workbook_to_repair_stays_text_and_long_lists_are_dropped_down() {
    let office = Office::new();
    let root = office.admin("root");
    let schema = json!({"fields": [
        {"name": "plz", "type": "string", "constraints": {"minLength": 5}},
        {"name": "kind", "type": "string", "constraints": {"enum": ["a", "b, c", "d"]}},
    ]});
    root.send("PUT", "/api/templates/places", &schema)
        .expect(201);
    let id = done(
        &root,
        "places.csv",
        "plz,kind\n1067,a\n01067,a\n01067,x\n",
        &[("template", "places")],
    );
    for path in [
        format!("/api/jobs/{id}/repair.xlsx"),
        "/api/templates/places/sample.xlsx".to_owned(),
    ] {
        let bytes = root.get(&path).bytes;
        let part = |name: &str| {
            let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&bytes)).unwrap();
            std::io::read_to_string(archive.by_name(name).unwrap()).unwrap()
        };
        assert!(part("xl/styles.xml").contains("numFmtId=\"49\""), "{path}");
        let sheet = part("xl/worksheets/sheet1.xml");
        assert!(sheet.contains("Lists!$A$1:$A$3"), "{path}: {sheet}");
        // The columns that take text have a look of their own, for rows that are to come.
        assert!(sheet.contains(" style=\""), "{path}: {sheet}");
    }
    let rows = cells(
        &root.get(&format!("/api/jobs/{id}/repair.xlsx")).bytes,
        "Rows to fix",
    );
    assert_eq!(
        rows[1][2],
        text("1067"),
        "a number of a text file in a field of text"
    );
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
    assert!(message.contains("Revenue differs: 9 / 7"), "{message}");
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
fn an_update_that_changes_nothing_is_told_as_such_and_leaves_the_record_where_it_is_from() {
    let office = Office::new();
    let anna = office.member("anna");
    let one = "Company Name,LinkedIn_URL,Industry\nACME,https://linkedin.com/company/acme,Tools\n\
               Berg,https://linkedin.com/company/berg,Beer\n";
    done(&anna, "old.csv", one, &[]);
    let two = "Company Name,LinkedIn_URL,Industry\nACME,https://linkedin.com/company/acme,\n\
               Berg,linkedin.com/company/berg,Beer\nCool,https://linkedin.com/company/cool,\n";
    let id = done(&anna, "new.csv", two, &[("on_duplicate", "update")]);
    assert_eq!(
        anna.job(id)["counts"],
        json!({"rows": 3, "valid": 1, "invalid": 0, "duplicates": 0, "updated": 2, "unchanged": 1})
    );
    let report = anna.get(&format!("/api/jobs/{id}/report")).expect(200);
    assert_eq!(report["stats"]["unchanged"], 1);
    assert_eq!(report["valid"], true);
    let files: Vec<(Value, Value)> = list(&anna)
        .iter()
        .map(|record| {
            (
                record["data"]["company_name"].clone(),
                record["file"].clone(),
            )
        })
        .collect();
    assert_eq!(files.len(), 3, "{files:?}");
    assert!(
        files.contains(&(json!("Berg"), json!("old.csv"))),
        "{files:?}"
    );
    assert!(
        files.contains(&(json!("ACME"), json!("new.csv"))),
        "{files:?}"
    );
    assert_eq!(records(&anna, id).len(), 2);
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
    let misspelt = anna.get("/api/records?template=companeis").expect(422);
    assert_eq!(misspelt["code"], "no-such-template");
    anna.get("/api/records?template=auto").expect(200);
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

#[test]
fn the_sample_of_a_template_with_patterns_and_keys_is_itself_valid() {
    let office = Office::new();
    let root = office.admin("root");
    let schema = json!({"fields": [
        {"name": "number", "type": "string", "constraints": {"required": true, "pattern": "K-[0-9]{4,6}"}},
        {"name": "code", "type": "string", "constraints": {"required": true, "pattern": "(AT|DE)[A-Z]+", "minLength": 7}},
        {"name": "short", "type": "string", "example": "x", "constraints": {"required": true, "unique": true, "maxLength": 3}},
        {"name": "day", "type": "datetime", "format": "%d.%m.%Y %H:%M", "constraints": {"required": true}},
        {"name": "kind", "type": "string", "constraints": {"required": true, "enum": ["a", "b"]}},
        {"name": "amount", "type": "number", "decimalChar": ",", "constraints": {"required": true, "minimum": 20, "maximum": 30}},
    ], "primaryKey": "number", "uniqueKeys": [["kind", "code"]]});
    root.send("PUT", "/api/templates/strict", &schema)
        .expect(201);
    let sample = root.get("/api/templates/strict/sample.xlsx");
    let fields = [("template", "strict")];
    let id = root
        .upload("upload-and-process", "sample.xlsx", &sample.bytes, &fields)
        .expect(202)["job_id"]
        .as_i64()
        .unwrap();
    office.work_all();
    let report = root.get(&format!("/api/jobs/{id}/report")).expect(200);
    assert_eq!(report["stats"]["valid"], 2, "{report:#}");
}

#[test]
fn the_same_file_again_makes_the_same_bytes_but_for_the_time_it_took() {
    let office = Office::new();
    let anna = office.member("anna");
    let made = |id: i64| {
        let get = |name: &str| anna.get(&format!("/api/jobs/{id}/{name}")).bytes;
        let report = String::from_utf8(get("report")).unwrap();
        let (before, behind) = report.split_once("\"seconds\":").unwrap();
        let behind = behind.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let mut all = vec![("report", format!("{before}{behind}").into_bytes())];
        for name in [
            "records.json",
            "records.ndjson",
            "records.csv",
            "records.xlsx",
            "annotated.xlsx",
            "changes",
        ] {
            all.push((name, get(name)));
        }
        all
    };
    let first = done(&anna, "list.csv", LIST, &[]);
    let once = made(first);
    // What is in the list already belongs to the answer: so it has to go before.
    anna.post(&format!("/api/jobs/{first}/undo")).expect(200);
    let again = made(done(&anna, "list.csv", LIST, &[]));
    for ((name, once), (_, again)) in once.iter().zip(&again) {
        assert!(
            once == again,
            "{name}:\n{}\n{}",
            String::from_utf8_lossy(once),
            String::from_utf8_lossy(again)
        );
    }
}

// Mapping ------------------------------------------------------------------------------------------

const ODD: &str = "Haus,Link,Zahl\nACME,https://linkedin.com/company/a,7\nBerg,https://linkedin.com/company/b,8\n";

fn hows(report: &Value) -> Vec<(String, String)> {
    report["mapping"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            (
                line["field"].as_str().unwrap_or("-").to_owned(),
                line["how"].as_str().unwrap().to_owned(),
            )
        })
        .collect()
}

#[test]
fn a_mapping_that_somebody_gives_is_used_and_remembered() {
    let office = Office::new();
    let anna = office.member("anna");
    let ben = office.member("ben");
    let mapping = r#"{"Haus": "company_name", "Link": "linkedin_url"}"#;
    let id = done(&anna, "odd.csv", ODD, &[("mapping", mapping)]);
    let report = anna.get(&format!("/api/jobs/{id}/report")).expect(200);
    let pair = |field: &str, how: &str| (field.to_owned(), how.to_owned());
    assert_eq!(
        hows(&report),
        vec![
            pair("company_name", "given"),
            pair("linkedin_url", "given"),
            pair("-", "none")
        ]
    );
    // The same headers in another order and another user's file.
    let again = done(
        &ben,
        "again.csv",
        "zahl,LINK,haus\n1,https://l.example/x,X\n",
        &[],
    );
    let report = ben.get(&format!("/api/jobs/{again}/report")).expect(200);
    assert_eq!(
        hows(&report),
        vec![
            pair("-", "none"),
            pair("linkedin_url", "remembered"),
            pair("company_name", "remembered")
        ]
    );
    let list = ben.get("/api/mappings").expect(200);
    assert_eq!(list["mappings"][0]["created_by"], "anna");
    let remembered = list["mappings"][0]["id"].as_i64().unwrap();
    let path = format!("/api/mappings/{remembered}");
    // Whoever it hits may forget it, and it is known who did.
    ben.send("DELETE", &path, &Value::Null).expect(200);
    assert_eq!(anna.send("DELETE", &path, &Value::Null).status, 404);
    let noted = "SELECT count(*) FROM audit WHERE action = 'mapping-forgotten' AND who = 'ben'
                 AND target LIKE 'companies by anna: %company_name%'";
    assert_eq!(office.number(noted), 1);
    let id = ben.queue("third.csv", ODD.as_bytes());
    office.work_all();
    assert_eq!(ben.job(id)["error"]["code"], "missing-columns");
}

#[test]
fn a_mapping_onto_no_field_is_refused_at_once() {
    let office = Office::new();
    let anna = office.member("anna");
    for mapping in [r#"{"Haus": "house"}"#, "[1]", "{"] {
        let answer = anna.upload(
            "upload-and-process",
            "odd.csv",
            ODD.as_bytes(),
            &[("mapping", mapping)],
        );
        assert_eq!(answer.code(), "bad-request", "{mapping}");
    }
    assert_eq!(office.number("SELECT count(*) FROM jobs"), 0);
}

#[test]
fn a_preview_shows_where_columns_go_and_stores_nothing() {
    let office = Office::new();
    let anna = office.member("anna");
    let text = format!(
        "Firma,Website,Notes\n{}",
        (0..30)
            .map(|n| format!("F{n},f{n}.example,n\n"))
            .collect::<String>()
    );
    let seen = anna
        .upload("preview", "p.csv", text.as_bytes(), &[])
        .expect(200);
    assert_eq!(seen["header_row"], 1);
    assert_eq!(seen["missing"], json!(["linkedin_url"]));
    assert_eq!(seen["mapping"][0]["column"], "Firma");
    assert_eq!(seen["mapping"][0]["field"], "company_name");
    assert_eq!(seen["mapping"][0]["how"], "alias");
    assert_eq!(seen["mapping"][2]["field"], Value::Null);
    assert_eq!(seen["rows"].as_array().unwrap().len(), 20);
    assert_eq!(seen["rows"][0]["Firma"], "F0");
    assert_eq!(seen["sheets"][0]["rows"], 30);
    assert_eq!(office.number("SELECT count(*) FROM uploads"), 0);
    let given = anna
        .upload(
            "preview",
            "p.csv",
            text.as_bytes(),
            &[("mapping", r#"{"Notes": "linkedin_url"}"#)],
        )
        .expect(200);
    assert_eq!(given["missing"], json!([]));
    assert_eq!(
        anna.upload("preview", "p.csv", b"", &[]).code(),
        "empty-file"
    );
    assert_eq!(
        anna.upload("preview", "p.csv", text.as_bytes(), &[("template", "none")])
            .code(),
        "no-such-template"
    );
}

#[test]
fn a_text_that_was_cut_for_the_workbook_comes_home_whole() {
    let office = Office::new();
    let anna = office.member("anna");
    let long = format!("{}end", "x".repeat(40_000));
    let list = format!("Company Name,LinkedIn_URL,Note\nBerg,bad,{long}\n");
    let id = done(&anna, "list.csv", &list, &[]);
    let workbook = anna.get(&format!("/api/jobs/{id}/repair.xlsx")).bytes;
    let mended = mended(&workbook, &[(1, 3, "https://l.example/b")]);
    let back = anna
        .upload("upload-and-process", "list.to-fix.xlsx", &mended, &[])
        .expect(202)["job_id"]
        .as_i64()
        .unwrap();
    office.work_all();
    assert_eq!(anna.job(back)["counts"]["valid"], 1, "{}", anna.job(back));
    let records = records(&anna, back);
    assert!(records[0]["Note"] == long.as_str(), "the text was cut");
    // Without the file it can't be, and that is said.
    let preview = |name: &str| anna.upload("preview", name, &mended, &[]).expect(200);
    assert_eq!(preview("a.xlsx")["notices"], json!([]));
    let files = anna.get("/api/files").expect(200);
    let mut files = files["files"].as_array().unwrap().iter();
    let file = files.find(|file| file["filename"] == "list.csv").unwrap();
    let url = format!("/api/files/{}", file["id"].as_str().unwrap());
    anna.send("DELETE", &url, &json!({})).expect(200);
    let notices = preview("a.xlsx")["notices"].clone();
    assert_eq!(notices[0]["code"], "repair-without-file", "{notices}");
}

/// The texts of the notes in a workbook.
fn notes(bytes: &[u8]) -> String {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut text = String::new();
    if let Ok(mut part) = zip.by_name("xl/comments1.xml") {
        std::io::Read::read_to_string(&mut part, &mut text).unwrap();
    }
    text
}

#[test]
fn columns_that_do_not_fit_beside_the_reasons_come_home_all_the_same() {
    let office = Office::new();
    let root = office.admin("root");
    let schema = json!({"fields": [
        {"name": "c0", "type": "integer", "constraints": {"maximum": 1}},
        {"name": "c16383", "type": "integer", "constraints": {"required": true}},
    ]});
    root.send("PUT", "/api/templates/wide", &schema).expect(201);
    for width in [300, 16_384] {
        let line =
            |cell: &dyn Fn(usize) -> String| (0..width).map(cell).collect::<Vec<_>>().join(",");
        let names = line(&|at| match at {
            _ if at + 1 == width => "c16383".to_owned(),
            _ => format!("c{at}"),
        });
        let numbers = line(&|at| (at + 2).to_string());
        let list = format!("{names}\n{numbers}\n");
        let id = done(&root, "wide.csv", &list, &[("template", "wide")]);
        assert_eq!(root.job(id)["counts"]["invalid"], 1);
        let annotated = root.get(&format!("/api/jobs/{id}/annotated.xlsx")).bytes;
        let told = notes(&annotated).contains("no room for more");
        assert_eq!(told, width == 16_384, "{width}: {}", notes(&annotated));
        let workbook = root.get(&format!("/api/jobs/{id}/repair.xlsx")).bytes;
        let told = notes(&workbook).contains("no room here for the last columns");
        assert_eq!(told, width > 16_382, "{width}: {}", notes(&workbook));
        let mended = mended(&workbook, &[(1, 2, "1")]);
        let seen = root
            .upload("preview", "home.xlsx", &mended, &[])
            .expect(200);
        assert_eq!(seen["missing"], json!([]), "{width}");
        let back = root.queue("home.xlsx", &mended);
        office.work_all();
        assert_eq!(root.job(back)["counts"]["valid"], 1, "{}", root.job(back));
        let record = records(&root, back).remove(0);
        let record = record.as_object().unwrap();
        assert_eq!(record.len(), width);
        assert_eq!(
            (&record["c0"], &record["c16383"]),
            (&json!(1), &json!(width + 1))
        );
        let last = format!("c{}", width - 2);
        assert_eq!(record[&last], json!(width), "{last}");
    }
}

// Repair, undo ---------------------------------------------------------------------------------------

/// The workbook with some cells written anew: `(row, column, text)`, counted from 0.
fn mended(bytes: &[u8], changes: &[(u32, u16, &str)]) -> Vec<u8> {
    let mut book = calamine::Xlsx::new(Cursor::new(bytes.to_vec())).unwrap();
    let mut copy = rust_xlsxwriter::Workbook::new();
    for name in book.sheet_names() {
        let range = book.worksheet_range(&name).unwrap();
        let sheet = copy.add_worksheet();
        sheet.set_name(&name).unwrap();
        if name == "sheetline_repair" {
            sheet.set_very_hidden(true);
        }
        for (row, column, cell) in range.used_cells() {
            let (row, column) = (u32::try_from(row).unwrap(), u16::try_from(column).unwrap());
            match cell {
                Data::Float(number) => sheet.write_number(row, column, *number).unwrap(),
                other => sheet.write_string(row, column, other.to_string()).unwrap(),
            };
        }
        if name == "Rows to fix" {
            for (row, column, text) in changes {
                let empty = rust_xlsxwriter::Format::new();
                match *text {
                    "" => sheet.write_blank(*row, *column, &empty).unwrap(),
                    text => sheet.write_string(*row, *column, text).unwrap(),
                };
            }
        }
    }
    copy.save_to_buffer().unwrap()
}

#[test]
fn an_error_cell_that_nobody_mended_comes_home_as_one() {
    let office = Office::new();
    let anna = office.member("anna");
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (column, header) in (0..).zip(["Company Name", "LinkedIn_URL", "Industry"]) {
        sheet.write_string(0, column, header).unwrap();
    }
    for (row, name) in [(1, "a"), (2, "b")] {
        let address = format!("https://www.linkedin.com/company/{name}");
        sheet.write_string(row, 0, name).unwrap();
        sheet.write_string(row, 1, address).unwrap();
        let error = rust_xlsxwriter::Formula::new("=NA()").set_result("#N/A");
        sheet.write_formula(row, 2, error).unwrap();
    }
    let send = |name: &str, bytes: &[u8]| {
        let queued = anna.upload("upload-and-process", name, bytes, &[]);
        let id = queued.expect(202)["job_id"].as_i64().unwrap();
        office.work_all();
        (id, anna.job(id)["counts"].clone())
    };
    let (id, counts) = send("a.xlsx", &book.save_to_buffer().unwrap());
    assert_eq!(
        (&counts["valid"], &counts["invalid"]),
        (&json!(0), &json!(2))
    );
    let workbook = anna.get(&format!("/api/jobs/{id}/repair.xlsx")).bytes;
    // One of the two is mended.
    let (_, counts) = send("a.to-fix.xlsx", &mended(&workbook, &[(2, 4, "Tools")]));
    assert_eq!(
        (&counts["valid"], &counts["invalid"]),
        (&json!(1), &json!(1))
    );
}

#[test]
fn rows_to_fix_of_an_inferred_template_come_home_too() {
    let office = Office::new();
    let anna = office.member("anna");
    let fields = [("template", "auto")];
    let id = done(&anna, "a.csv", "Name,Ort,Ort\nx,1,007\ny,2,8,zz\n", &fields);
    assert_eq!(anna.job(id)["counts"]["invalid"], 1);
    let workbook = anna.get(&format!("/api/jobs/{id}/repair.xlsx")).bytes;
    let preview = anna.upload("preview", "a.to-fix.xlsx", &workbook, &[]);
    let preview = preview.expect(200);
    assert_eq!(preview["repairs"]["job_id"], id);
    assert_eq!(preview["mapping"][2]["field"], "Ort_2");
    // The cell too many is emptied.
    let mended = mended(&workbook, &[(1, 5, "")]);
    let back = anna
        .upload("upload-and-process", "a.to-fix.xlsx", &mended, &[])
        .expect(202)["job_id"]
        .as_i64()
        .unwrap();
    office.work_all();
    let job = anna.job(back);
    assert_eq!(
        (&job["status"], &job["template"]),
        (&json!("completed"), &json!("auto"))
    );
    let record = &records(&anna, back)[0];
    assert_eq!(
        (&record["Name"], &record["Ort"], &record["Ort_2"]),
        (&json!("y"), &json!(2), &json!("8"))
    );
    // Where the file is gone, nobody knows any more what was inferred from it.
    let list = anna.get("/api/files").expect(200);
    let file = list["files"]
        .as_array()
        .unwrap()
        .iter()
        .find(|file| file["filename"] == "a.csv");
    let file = file.unwrap()["id"].as_str().unwrap();
    anna.send("DELETE", &format!("/api/files/{file}"), &json!({}))
        .expect(200);
    let preview = anna
        .upload("preview", "a.to-fix.xlsx", &mended, &fields)
        .expect(200);
    assert_eq!(preview["repairs"], json!(null));
    assert_eq!(preview["notices"][0]["code"], "repair-not-recognised");
}

#[test]
fn repaired_rows_go_to_where_they_belong() {
    let office = Office::new();
    let root = office.admin("root");
    let anna = office.member("anna");
    let ben = office.member("ben");
    let schema = json!({"fields": [
        {"name": "code", "type": "string", "constraints": {"required": true}},
        {"name": "amount", "type": "integer", "constraints": {"minimum": 1}},
    ], "uniqueKeys": [["code"]]});
    root.send("PUT", "/api/templates/codes", &schema)
        .expect(201);
    let fields = [("template", "codes"), ("mapping", r#"{"Menge": "amount"}"#)];
    let id = done(
        &anna,
        "codes.csv",
        "Code,Menge,Note\na,1,\nb,x,keep\nc,0,\nd,4,\n",
        &fields,
    );
    assert_eq!(anna.job(id)["counts"]["invalid"], 2);
    let workbook = anna.get(&format!("/api/jobs/{id}/repair.xlsx")).bytes;
    // Row 2 of the workbook is mended, row 3 is not.
    let first = mended(&workbook, &[(1, 3, "7")]);
    let back = anna
        .upload("upload-and-process", "codes.to-fix.xlsx", &first, &[])
        .expect(202)["job_id"]
        .as_i64()
        .unwrap();
    office.work_all();
    let job = anna.job(back);
    assert_eq!(job["status"], "completed", "{job}");
    assert_eq!(job["template"], "codes");
    assert_eq!(
        job["counts"],
        json!({"rows": 2, "valid": 1, "invalid": 1, "duplicates": 0, "updated": 0})
    );
    let report = anna.get(&format!("/api/jobs/{back}/report")).expect(200);
    assert_eq!(
        report["repairs"],
        json!({"job_id": id, "filename": "codes.csv"})
    );
    // Anybody can compute the hash again.
    let mut bare = report.clone();
    bare.as_object_mut().unwrap().shift_remove("hash");
    let stats = bare["stats"].as_object_mut().unwrap();
    stats.shift_remove("seconds");
    let again = sheetline::id::sha256_hex(bare.to_string().as_bytes());
    assert_eq!(report["hash"], again);
    assert_eq!(report["errors"][0]["cell"], "D3");
    let list = anna.get("/api/records?template=codes").expect(200);
    let list = list["records"].as_array().unwrap();
    assert_eq!(list.len(), 3);
    assert_eq!(
        list[2]["data"],
        json!({"code": "b", "amount": 7, "Note": "keep"})
    );
    assert_eq!(
        (&list[2]["file"], &list[2]["row"]),
        (&json!("codes.csv"), &json!(3))
    );
    // What is still wrong comes home from a second round, too.
    let workbook = anna.get(&format!("/api/jobs/{back}/repair.xlsx")).bytes;
    let rows = cells(&workbook, "Rows to fix");
    let labels = ["What is wrong", "Row in the file", "Code", "Menge", "Note"].map(text);
    assert_eq!(rows[0], labels);
    assert_eq!((&rows[1][1], &rows[1][2]), (&Data::Float(4.0), &text("c")));
    let seen = anna
        .upload("preview", "again.xlsx", &workbook, &[])
        .expect(200);
    assert_eq!(
        seen["repairs"],
        json!({"job_id": id, "filename": "codes.csv"})
    );
    assert_eq!(seen["missing"], json!([]), "{seen}");
    let again = mended(&workbook, &[(1, 3, "9")]);
    let second = anna.queue("again.xlsx", &again);
    office.work_all();
    assert_eq!(anna.job(second)["counts"]["valid"], 1);
    let list = anna.get("/api/records?template=codes").expect(200);
    let last = list["records"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["data"], &last["file"], &last["row"]),
        (
            &json!({"code": "c", "amount": 9, "Note": null}),
            &json!("codes.csv"),
            &json!(4)
        )
    );
    // In somebody else's hands it is a file like any other.
    let theirs = ben
        .upload(
            "upload-and-process",
            "codes.to-fix.xlsx",
            &first,
            &[("template", "codes")],
        )
        .expect(202)["job_id"]
        .as_i64()
        .unwrap();
    office.work_all();
    let report = ben.get(&format!("/api/jobs/{theirs}/report")).expect(200);
    assert!(report.get("repairs").is_none());
    // What was wrong with the rows is nobody's data all the same.
    assert!(!report["mapping"].to_string().contains("What is wrong"));
}

#[test]
fn the_status_tells_of_an_undoing() {
    let office = Office::new();
    let root = office.admin("root");
    let job = done(
        &root,
        "a.csv",
        &String::from_utf8(forms::companies("a", 2)).unwrap(),
        &[],
    );
    let status =
        || root.get("/api/files/processing-status").expect(200)["processing_status"].clone();
    assert_eq!(
        (&status()["undone"], &status()["undone_by"]),
        (&json!(null), &json!(null))
    );
    root.post(&format!("/api/jobs/{job}/undo")).expect(200);
    assert_eq!(status()["undone_by"], "root");
    assert!(status()["undone"].is_string());
}

#[test]
fn a_workbook_dropped_back_twice_stores_its_rows_once_though_nothing_else_tells_them_apart() {
    let office = Office::new();
    let root = office.admin("root");
    let schema =
        json!({"fields": [{"name": "a", "type": "integer"}, {"name": "b", "type": "string"}]});
    root.send("PUT", "/api/templates/keyless", &schema)
        .expect(201);
    let id = done(
        &root,
        "k.csv",
        "a,b\n1,x\nq,y\nr,z\n",
        &[("template", "keyless")],
    );
    let workbook = root.get(&format!("/api/jobs/{id}/repair.xlsx")).bytes;
    let drop_back = |bytes: &[u8], fields: &[(&str, &str)]| {
        let answer = root.upload("upload-and-process", "k.to-fix.xlsx", bytes, fields);
        let job = answer.expect(202)["job_id"].as_i64().unwrap();
        office.work_all();
        root.job(job)
    };
    let values = || -> Vec<(i64, String)> {
        let list = root.get("/api/records?template=keyless").expect(200);
        let mut values: Vec<(i64, String)> = list["records"]
            .as_array()
            .unwrap()
            .iter()
            .map(|record| (record["row"].as_i64().unwrap(), record["data"].to_string()))
            .collect();
        values.sort();
        values
    };
    let one = mended(&workbook, &[(1, 2, "2")]);
    assert_eq!(drop_back(&one, &[])["counts"]["valid"], 1);
    let both = mended(&workbook, &[(1, 2, "2"), (2, 2, "3")]);
    let job = drop_back(&both, &[]);
    assert_eq!(
        job["counts"],
        json!({"rows": 2, "valid": 1, "invalid": 0, "duplicates": 1, "updated": 0})
    );
    let path = format!("/api/jobs/{}/report", job["job_id"]);
    let error = &root.get(&path).expect(200)["errors"][0];
    assert_eq!(error["type"], "duplicate-record");
    assert_eq!(
        error["message"],
        "This row was put back before; it is stored from k.csv, row 3."
    );
    let all = values();
    assert_eq!(
        all.iter().map(|(row, _)| *row).collect::<Vec<_>>(),
        vec![2, 3, 4]
    );
    // Mended otherwise, it changes what it became.
    let other = mended(&workbook, &[(1, 2, "20"), (2, 2, "3")]);
    let job = drop_back(&other, &[("on_duplicate", "update")]);
    assert_eq!(
        job["counts"],
        json!({"rows": 2, "valid": 0, "invalid": 0, "duplicates": 0, "updated": 2, "unchanged": 1})
    );
    assert_eq!(values()[1], (3, json!({"a": 20, "b": "y"}).to_string()));
    // Once more: it is known by what it is now.
    assert_eq!(drop_back(&one, &[])["counts"]["duplicates"], 1);
    assert_eq!(values().len(), 3);
    root.post(&format!("/api/jobs/{}/undo", job["job_id"]))
        .expect(200);
    assert_eq!(values(), all);
}

#[test]
fn rows_to_fix_that_nobody_knows_are_read_as_a_new_file_and_told() {
    let office = Office::new();
    let anna = office.member("anna");
    let ben = office.member("ben");
    let id = done(&anna, "list.csv", LIST, &[]);
    let workbook = anna.get(&format!("/api/jobs/{id}/repair.xlsx")).bytes;
    let mine = mended(&workbook, &[(1, 2, "Ernst")]);
    let job = ben
        .upload("upload-and-process", "fix.xlsx", &mine, &[])
        .expect(202);
    office.work_all();
    let report = format!("/api/jobs/{}/report", job["job_id"]);
    let report = ben.get(&report).expect(200);
    assert_eq!(report["repairs"], Value::Null);
    assert_eq!(report["notices"][0]["code"], "repair-not-recognised");
    assert_eq!(report["stats"]["valid"], 1);
    let shown = ben.upload("preview", "fix.xlsx", &mine, &[]).expect(200);
    assert_eq!(shown["notices"][0]["code"], "repair-not-recognised");
    assert_eq!(
        anna.upload("preview", "fix.xlsx", &mine, &[]).expect(200)["notices"],
        json!([])
    );
    // Saved as text it no longer knows where it is from; and without the columns it is told why.
    let text = b"What is wrong,Row in the file,code\nCode is empty.,3,a\n";
    let job = anna
        .upload("upload-and-process", "fix.csv", text, &[])
        .expect(202);
    office.work_all();
    let said = anna.job(job["job_id"].as_i64().unwrap())["error"]["message"].to_string();
    assert!(
        said.contains("drop the workbook itself back") && said.contains("Company Name"),
        "{said}"
    );
}

#[test]
fn a_column_called_like_one_of_the_workbooks_own_comes_home_under_its_name() {
    let office = Office::new();
    let anna = office.member("anna");
    let text = "Company Name,LinkedIn_URL,Row in the file\n,https://l.example/a,7\n";
    let id = done(&anna, "list.csv", text, &[]);
    let workbook = anna.get(&format!("/api/jobs/{id}/repair.xlsx")).bytes;
    let home = anna.queue("fix.xlsx", &mended(&workbook, &[(1, 2, "Ernst")]));
    office.work_all();
    let report = anna.get(&format!("/api/jobs/{home}/report")).expect(200);
    assert!(
        !report.to_string().contains("Row in the file_2"),
        "{report}"
    );
    assert_eq!(
        list(&anna)[0]["data"]["Row in the file"],
        7,
        "{:?}",
        list(&anna)
    );
}

#[test]
fn companies_have_addresses_that_a_browser_only_opens_and_names_are_alike_however_accents_stand() {
    let office = Office::new();
    let anna = office.member("anna");
    let text = "Company Name,LinkedIn_URL,Website_URL\n\
        Evil,javascript:alert(1),https://evil.example\n\
        M\u{fc}ller,https://l.example/m1,https://mueller.example\n\
        Mu\u{308}ller,HTTP://l.example/m2,https://mueller.example\n\
        Post,https://l.example/p,ftp://p.example\n";
    let id = done(&anna, "list.csv", text, &[]);
    assert_eq!(
        anna.job(id)["counts"],
        json!({"rows": 4, "valid": 1, "invalid": 2, "duplicates": 1, "updated": 0})
    );
    let report = anna.get(&format!("/api/jobs/{id}/report")).expect(200);
    assert_eq!(
        report["errors"][0]["message"],
        "'javascript:alert(1)' does not have the form of this field: The address of the company's page at \
         LinkedIn; it begins with https:// or http://."
    );
    assert_eq!(
        report["errors"][1]["message"],
        "Same Company Name and Website_URL as row 3."
    );
    assert_eq!(report["errors"][2]["cell"], "C5");
}

#[test]
fn the_same_content_is_the_same_workbook() {
    let office = Office::new();
    let anna = office.member("anna");
    let id = done(&anna, "list.csv", LIST, &[]);
    for name in ["records.xlsx", "annotated.xlsx", "repair.xlsx"] {
        let path = format!("/api/jobs/{id}/{name}");
        let bytes = anna.get(&path).bytes;
        assert!(bytes == anna.get(&path).bytes, "{name}");
        // The only time in it is none of today's.
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        let about = archive.by_name("docProps/core.xml").unwrap();
        let about = std::io::read_to_string(about).unwrap();
        assert_eq!(about.matches("2000-01-01T00:00:00Z").count(), 2, "{about}");
    }
}

#[test]
fn a_row_without_its_primary_key_is_to_be_fixed_and_is_nowhere_twice() {
    let office = Office::new();
    let root = office.admin("root");
    let schema = json!({"fields": [{"name": "id", "type": "integer"}, {"name": "v", "type": "string"}],
        "primaryKey": "id"});
    root.send("PUT", "/api/templates/keyed", &schema)
        .expect(201);
    let text = "id,v\n1,a\n,b\nx,c\n1,d\n";
    let id = done(&root, "k.csv", text, &[("template", "keyed")]);
    assert_eq!(
        root.job(id)["counts"],
        json!({"rows": 4, "valid": 1, "invalid": 2, "duplicates": 1, "updated": 0})
    );
    let report = root.get(&format!("/api/jobs/{id}/report")).expect(200);
    let errors = report["errors"].as_array().unwrap();
    // One that is empty is a wrong value of its field, one that is there twice is not.
    let constraint = |at: usize| (&errors[at]["field"], &errors[at]["constraint"]);
    assert_eq!(constraint(0), (&json!("id"), &json!("required")));
    assert_eq!(constraint(3).1, &Value::Null);
    let told: Vec<(Value, Value, Value)> = errors
        .iter()
        .map(|error| {
            let of = |name: &str| error[name].clone();
            (of("type"), of("cell"), of("message"))
        })
        .collect();
    let line = |kind: &str, cell: &str, message: &str| (json!(kind), json!(cell), json!(message));
    assert_eq!(
        told,
        vec![
            line(
                "primary-key",
                "A3",
                "id must not be empty: it tells rows apart."
            ),
            line("type-error", "A4", "Must be a whole number; found 'x'."),
            line(
                "primary-key",
                "A4",
                "id can't be read as it stands, so that nothing tells this row apart."
            ),
            line("primary-key", "A5", "Same id as row 2."),
        ]
    );
    let bytes = root.get(&format!("/api/jobs/{id}/repair.xlsx")).bytes;
    assert_eq!(cells(&bytes, "Rows to fix").len(), 3);
}

#[test]
fn undoing_says_what_went_what_came_back_and_what_stays() {
    let office = Office::new();
    let anna = office.member("anna");
    let head = "Company Name,LinkedIn_URL,Revenue\n";
    let file = |rows: &[(&str, i64)]| {
        let rows: Vec<String> = rows
            .iter()
            .map(|(name, revenue)| format!("{name},https://l.example/{name},{revenue}\n"))
            .collect();
        format!("{head}{}", rows.concat())
    };
    let update = [("on_duplicate", "update")];
    let first = done(&anna, "1.csv", &file(&[("a", 1), ("b", 1)]), &[]);
    let second = done(
        &anna,
        "2.csv",
        &file(&[("a", 2), ("b", 2), ("c", 2)]),
        &update,
    );
    let third = done(&anna, "3.csv", &file(&[("a", 3)]), &update);
    let values = |person: &Person<'_>| {
        let mut values: Vec<(String, i64)> = list(person)
            .iter()
            .map(|record| {
                (
                    record["data"]["company_name"].as_str().unwrap().to_owned(),
                    record["data"]["revenue"].as_i64().unwrap(),
                )
            })
            .collect();
        values.sort();
        values
    };
    let pairs = |list: &[(&str, i64)]| -> Vec<(String, i64)> {
        list.iter()
            .map(|(name, n)| ((*name).to_owned(), *n))
            .collect()
    };
    assert_eq!(values(&anna), pairs(&[("a", 3), ("b", 2), ("c", 2)]));
    let undone = anna.post(&format!("/api/jobs/{second}/undo")).expect(200);
    assert_eq!(
        (&undone["removed"], &undone["restored"], &undone["kept"]),
        (&json!(1), &json!(1), &json!(1))
    );
    assert_eq!(values(&anna), pairs(&[("a", 3), ("b", 1)]));
    assert_eq!(
        anna.post(&format!("/api/jobs/{second}/undo")).code(),
        "not-active"
    );
    // Tried again, it makes what it made before, on top of what there is now.
    anna.post(&format!("/api/jobs/{second}/retry")).expect(202);
    office.work_all();
    assert_eq!(values(&anna), pairs(&[("a", 2), ("b", 2), ("c", 2)]));
    for id in [third, first] {
        anna.post(&format!("/api/jobs/{id}/undo")).expect(200);
    }
    assert_eq!(values(&anna), pairs(&[("a", 2), ("b", 2), ("c", 2)]));
}

#[test]
fn a_record_updated_by_a_narrow_file_is_still_found_by_all_its_keys() {
    let office = Office::new();
    let anna = office.member("anna");
    done(
        &anna,
        "1.csv",
        "Company Name,LinkedIn_URL,Website_URL\nACME,https://l.example/acme,https://acme.example\n",
        &[],
    );
    done(
        &anna,
        "2.csv",
        "Company Name,LinkedIn_URL,Revenue\nACME,https://l.example/acme,5\n",
        &[("on_duplicate", "update")],
    );
    let id = done(
        &anna,
        "3.csv",
        "Company Name,LinkedIn_URL,Website_URL\nAcme,https://l.example/other,https://acme.example/\n",
        &[],
    );
    assert_eq!(anna.job(id)["counts"]["duplicates"], 1);
}

#[test]
fn a_row_that_is_like_two_records_updates_neither() {
    let office = Office::new();
    let anna = office.member("anna");
    done(
        &anna,
        "1.csv",
        "Company Name,LinkedIn_URL,Website_URL\n\
         A,https://l.example/a,https://a.example\nB,https://l.example/b,https://b.example\n",
        &[],
    );
    let id = done(
        &anna,
        "2.csv",
        "Company Name,LinkedIn_URL,Website_URL\nB,https://l.example/a,https://b.example\n",
        &[("on_duplicate", "update")],
    );
    assert_eq!(anna.job(id)["counts"]["duplicates"], 1);
    let report = anna.get(&format!("/api/jobs/{id}/report")).expect(200);
    let message = report["errors"][0]["message"].as_str().unwrap();
    assert!(
        message.starts_with("Two records are like this row"),
        "{message}"
    );
}

#[test]
fn an_export_read_again_gives_the_same_records() {
    let office = Office::new();
    let anna = office.member("anna");
    let text = "Company Name,LinkedIn_URL,Company_Size,Revenue,Note\n\
        Ünï & Söhne,https://l.example/u,007,12.5,\"two\nlines\"\n\
        =1+1,https://l.example/f,12,-3,\"a,\"\"b\"\"\"\n\
        true,https://l.example/t,1e5,12345678901234567890,2024-01-02\n";
    let id = done(&anna, "a.csv", text, &[]);
    let before = records(&anna, id);
    assert_eq!(before.len(), 3);
    let workbook = anna.get(&format!("/api/jobs/{id}/records.xlsx")).bytes;
    let lines = anna.get(&format!("/api/jobs/{id}/records.csv")).text();
    anna.post(&format!("/api/jobs/{id}/undo")).expect(200);
    let again = anna.queue("b.xlsx", &workbook);
    office.work_all();
    assert_eq!(records(&anna, again), before);
    anna.post(&format!("/api/jobs/{again}/undo")).expect(200);
    let third = done(&anna, "c.csv", &lines, &[]);
    assert_eq!(records(&anna, third), before);
}

#[test]
fn a_column_without_a_field_is_kept_beside_them_unless_somebody_leaves_it_out() {
    let office = Office::new();
    let anna = office.member("anna");
    let file = b"Company Name,LinkedIn_URL,Note,Secret\nAcme,https://l.example/acme,call,x\n";
    let mapping = [("mapping", r#"{"Secret": null}"#)];
    let queued = anna
        .upload("upload-and-process", "a.csv", file, &mapping)
        .expect(202);
    office.work_all();
    let records = anna.get(&format!("/api/jobs/{}/records.json", queued["job_id"]));
    let record = &records.expect(200)["records"][0];
    assert_eq!(record["Note"], "call", "{record}");
    assert_eq!(record.get("Secret"), None, "{record}");
}

#[test]
fn files_are_found_by_name_and_by_what_became_of_them_on_every_page() {
    let office = Office::new();
    let anna = office.member("anna");
    let good = String::from_utf8(forms::companies("good", 3)).unwrap();
    anna.upload("upload-json", "Kunden ÄRGER.csv", good.as_bytes(), &[])
        .expect(201);
    done(&anna, "fine.csv", &good, &[]);
    done(&anna, "to fix.csv", LIST, &[]);
    let taken_out = done(&anna, "taken out.csv", LIST, &[]);
    anna.post(&format!("/api/jobs/{taken_out}/undo"))
        .expect(200);
    anna.upload("upload-and-process", "columns.csv", b"a,b\n1,2\n", &[])
        .expect(202);
    office.work_all();
    anna.upload("upload-and-process", "waiting.csv", good.as_bytes(), &[])
        .expect(202);
    office
        .member("ben")
        .upload("upload-json", "fine.csv", good.as_bytes(), &[])
        .expect(201);

    let found = |query: &str| -> Vec<String> {
        let mut names = Vec::new();
        let mut cursor = String::new();
        loop {
            let body = anna
                .get(&format!("/api/files?limit=1{cursor}&{query}"))
                .expect(200);
            names.extend(
                body["files"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|file| file["filename"].as_str().unwrap().to_owned()),
            );
            match body["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return names,
            }
        }
    };
    assert_eq!(found("").len(), 6);
    assert_eq!(found("q=").len(), 6);
    assert_eq!(found("q=%C3%A4rger"), ["Kunden ÄRGER.csv"]);
    assert_eq!(found("q=FI"), ["to fix.csv", "fine.csv"]);
    assert_eq!(found("q=%25"), Vec::<String>::new());
    assert_eq!(found("status=not-processed"), ["Kunden ÄRGER.csv"]);
    assert_eq!(found("status=to-fix"), ["to fix.csv"]);
    assert_eq!(
        found("status=completed"),
        ["taken out.csv", "to fix.csv", "fine.csv"]
    );
    assert_eq!(found("status=failed,timeout"), ["columns.csv"]);
    assert_eq!(found("status=pending,processing"), ["waiting.csv"]);
    assert_eq!(found("status=completed&q=fix"), ["to fix.csv"]);
    for wrong in [
        "status=",
        "status=done",
        "status=completed,",
        "status=stored",
    ] {
        let refused = anna.get(&format!("/api/files?{wrong}")).expect(400);
        assert_eq!(refused["code"], "bad-request");
    }
}
