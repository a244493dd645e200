//! What a request says of a file's columns: where they go, and which of day and month comes first.

use serde_json::{Value, json};

use crate::office::{Office, Person};

const FIRMS: &[u8] = b"A1,A2,Link\nAcme,Bolt,https://www.linkedin.com/company/a\n";

/// Code and sentence of a refusal.
#[track_caller]
fn refused(answer: &crate::office::Answer) -> String {
    assert_eq!(
        (answer.status, answer.code()),
        (400, "bad-request".to_owned())
    );
    answer.json()["detail"].as_str().unwrap().to_owned()
}

#[test]
fn two_columns_for_one_field_are_refused_at_once() {
    let office = Office::new();
    let anna = office.member("anna");
    let mapping = r#"{"A1": "company_name", "A2": "company_name", "Link": "linkedin_url"}"#;
    for route in ["upload-and-process", "preview"] {
        let answer = anna.upload(route, "a.csv", FIRMS, &[("mapping", mapping)]);
        let told = refused(&answer);
        assert!(told.contains("both \"A1\" and \"A2\""), "{told}");
    }
    assert_eq!(office.number("SELECT count(*) FROM jobs"), 0);
    assert_eq!(office.number("SELECT count(*) FROM uploads"), 0);
}

#[test]
fn a_column_that_the_file_does_not_have_is_told_as_soon_as_its_columns_are_known() {
    let office = Office::new();
    let anna = office.member("anna");
    let mapping = r#"{"ZZ": "company_name", "Link": "linkedin_url"}"#;
    let sentence = "The mapping names the column \"ZZ\", and the file has none of that name. Its columns: A1, A2, Link.";
    let answer = anna.upload("preview", "a.csv", FIRMS, &[("mapping", mapping)]);
    assert_eq!(refused(&answer), sentence);
    // Before the file is read nobody knows: the job says it, with the same code.
    let answer = anna.upload(
        "upload-and-process",
        "a.csv",
        FIRMS,
        &[("mapping", mapping)],
    );
    let id = answer.expect(202)["job_id"].as_i64().unwrap();
    office.work_all();
    let job = anna.job(id);
    assert_eq!(job["status"], "failed");
    assert_eq!(job["error"]["code"], "bad-request");
    assert_eq!(job["error"]["message"], sentence);
    assert_eq!(office.number("SELECT count(*) FROM mappings"), 0);
    // Of a file that was read before it is known at once.
    let stored = anna.upload("upload-json", "a.csv", FIRMS, &[]).expect(201);
    let url = format!(
        "/api/files/{}/process",
        stored["file_upload_id"].as_str().unwrap()
    );
    let mapping: Value = serde_json::from_str(mapping).unwrap();
    let answer = anna.send("POST", &url, &json!({ "mapping": mapping }));
    assert_eq!(refused(&answer), sentence);
    let mapping = json!({ "a1": "company_name", "Link": "linkedin_url", "A2": null });
    anna.send("POST", &url, &json!({ "mapping": mapping }))
        .expect(202);
    office.work_all();
    assert_eq!(office.number("SELECT count(*) FROM records"), 1);
}

#[test]
fn a_field_that_an_inferred_template_does_not_have_is_told() {
    let office = Office::new();
    let anna = office.member("anna");
    let fields = [("mapping", r#"{"A1": "nothing"}"#), ("template", "auto")];
    let answer = anna.upload("upload-and-process", "a.csv", FIRMS, &fields);
    let id = answer.expect(202)["job_id"].as_i64().unwrap();
    office.work_all();
    assert_eq!(anna.job(id)["error"]["code"], "bad-request");
}

/// An office with a template of dates in any form.
fn with_dates() -> Office {
    let office = Office::new();
    let schema = json!({ "fields": [{ "name": "on", "type": "date", "format": "any" }] });
    office
        .admin("root")
        .send("PUT", "/api/templates/days", &schema)
        .expect(201);
    office
}

/// Uploads dates; the days stored and what the report says of them.
fn days(person: &Person<'_>, text: &str, fields: &[(&str, &str)]) -> (Vec<Value>, Value) {
    let mut all = vec![("template", "days")];
    all.extend_from_slice(fields);
    let id = person
        .upload("upload-and-process", "d.csv", text.as_bytes(), &all)
        .expect(202)["job_id"]
        .as_i64()
        .unwrap();
    person.office.work_all();
    let records = person
        .get(&format!("/api/jobs/{id}/records.json"))
        .expect(200);
    let stored = records["records"].as_array().unwrap();
    let report = person.get(&format!("/api/jobs/{id}/report")).expect(200);
    (
        stored.iter().map(|record| record["on"].clone()).collect(),
        report["dates"].clone(),
    )
}

#[test]
fn whoever_brings_the_file_may_say_whether_day_or_month_comes_first() {
    let office = with_dates();
    let anna = office.member("anna");
    let text = "on\n03/08/2024\n05/05/2024\n";
    let (stored, told) = days(&anna, text, &[]);
    assert_eq!(
        stored,
        vec![json!("2024-05-05")],
        "that one is the same both ways"
    );
    assert_eq!(told[0]["order"], "undecided");
    assert_eq!(told[0]["ambiguous"], 1);
    assert_eq!(told[0]["chosen"], Value::Null);
    for (order, first) in [("day-month", "2024-08-03"), ("month-day", "2024-03-08")] {
        let (stored, told) = days(&anna, text, &[("date_order", order)]);
        assert_eq!(stored, vec![json!(first), json!("2024-05-05")]);
        assert_eq!(
            told,
            json!([{ "field": "on", "order": order, "evidence": [], "chosen": true, "ambiguous": 1,
                "example": { "cell": "A2", "value": "03/08/2024", "day-month": "2024-08-03", "month-day": "2024-03-08" } }])
        );
    }
    let newest: String = office
        .app
        .db
        .read(|c| {
            Ok(c.query_row(
                "SELECT options ->> 'date_order' FROM jobs ORDER BY id DESC LIMIT 1",
                [],
                |row| row.get(0),
            )?)
        })
        .unwrap();
    assert_eq!(newest, "month-day");
    // The same file again from what is stored, and a job tried again.
    let id = office.number("SELECT max(id) FROM jobs");
    let again = anna.post(&format!("/api/jobs/{id}/retry")).expect(202)["job_id"].clone();
    office.work_all();
    let report = anna.get(&format!("/api/jobs/{again}/report")).expect(200);
    assert_eq!(report["dates"][0]["order"], "month-day");
    let file = anna.job(id)["file_upload_id"].as_str().unwrap().to_owned();
    let body = json!({ "template": "days", "date_order": "day-month" });
    let url = format!("/api/files/{file}/process");
    let job = anna.send("POST", &url, &body).expect(202)["job_id"].clone();
    office.work_all();
    let report = anna.get(&format!("/api/jobs/{job}/report")).expect(200);
    assert_eq!(report["dates"][0]["order"], "day-month");
}

#[test]
fn what_the_dates_themselves_tell_comes_before_what_somebody_says() {
    let office = with_dates();
    let anna = office.member("anna");
    let chosen = [("date_order", "month-day")];
    let (stored, told) = days(&anna, "on\n03/08/2024\n26/06/2024\n", &chosen);
    assert_eq!(stored, vec![json!("2024-08-03"), json!("2024-06-26")]);
    assert_eq!(
        (&told[0]["order"], &told[0]["chosen"]),
        (&json!("day-month"), &Value::Null)
    );
    // Where they tell both, the rest is as it was said.
    let (stored, told) = days(&anna, "on\n03/08/2024\n26/06/2024\n06/27/2024\n", &chosen);
    let wanted = ["2024-03-08", "2024-06-26", "2024-06-27"];
    assert_eq!(stored, wanted.map(|day| json!(day)).to_vec());
    assert_eq!(
        (&told[0]["order"], &told[0]["chosen"]),
        (&json!("month-day"), &json!(true))
    );
    assert_eq!(told[0]["evidence"].as_array().unwrap().len(), 2);
    let (_, told) = days(&anna, "on\n26/06/2024\n06/27/2024\n", &chosen);
    assert_eq!(
        (&told[0]["order"], &told[0]["chosen"]),
        (&json!("mixed"), &Value::Null)
    );
}

#[test]
fn rows_that_come_home_are_read_in_the_order_that_their_file_had() {
    let office = Office::new();
    let schema = json!({ "fields": [
        { "name": "on", "type": "date", "format": "any" },
        { "name": "n", "type": "integer" },
    ] });
    let root = office.admin("root");
    root.send("PUT", "/api/templates/days", &schema).expect(201);
    let errors = |job: &Value| {
        let report = root.get(&format!("/api/jobs/{job}/report")).expect(200);
        let errors = report["errors"].as_array().unwrap().clone();
        let fields = errors.iter().map(|error| error["field"].clone());
        (fields.collect::<Vec<_>>(), report["dates"].clone())
    };
    let text = "on,n\n26/06/2024,1\n03/08/2024,x\n";
    let fields = [("template", "days")];
    let job = root
        .upload("upload-and-process", "d.csv", text.as_bytes(), &fields)
        .expect(202)["job_id"]
        .clone();
    office.work_all();
    assert_eq!(errors(&job).0, vec![json!("n")]);
    // Its one row can't tell what the whole column told.
    let repair = root.get(&format!("/api/jobs/{job}/repair.xlsx")).bytes;
    let seen = root
        .upload("preview", "repair.xlsx", &repair, &[])
        .expect(200);
    assert_eq!(seen["dates"][0]["order"], "day-month");
    let chosen = [("date_order", "month-day")];
    let again = root
        .upload("upload-and-process", "repair.xlsx", &repair, &chosen)
        .expect(202)["job_id"]
        .clone();
    office.work_all();
    let (fields, dates) = errors(&again);
    assert_eq!(fields, vec![json!("n")]);
    assert_eq!(dates[0]["order"], "day-month");
}

#[test]
fn a_preview_tells_how_dates_would_be_read_and_takes_the_order() {
    let office = with_dates();
    let anna = office.member("anna");
    let look = |fields: &[(&str, &str)]| {
        let mut all = vec![("template", "days")];
        all.extend_from_slice(fields);
        anna.upload("preview", "d.csv", b"on\n03/08/2024\n", &all)
    };
    let undecided = look(&[]).expect(200)["dates"][0].clone();
    assert_eq!(undecided["order"], "undecided");
    // What a person chooses by: a cell of the file, and what it is in each order.
    assert_eq!(
        undecided["example"],
        json!({ "cell": "A2", "value": "03/08/2024", "day-month": "2024-08-03", "month-day": "2024-03-08" })
    );
    let decided = anna.upload(
        "preview",
        "d.csv",
        b"on\n03/08/2024\n26/08/2024\n",
        &[("template", "days")],
    );
    assert_eq!(decided.expect(200)["dates"][0]["example"], Value::Null);
    let seen = look(&[("date_order", "day-month")]).expect(200);
    assert_eq!(seen["dates"][0]["order"], "day-month");
    assert_eq!(seen["dates"][0]["chosen"], true);
    let told = refused(&look(&[("date_order", "american")]));
    assert_eq!(told, "date_order must be day-month or month-day.");
}

#[test]
fn the_command_line_takes_the_order_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("d.csv"), "on\n03/08/2024\n").unwrap();
    std::fs::write(
        path("t.json"),
        r#"{"fields":[{"name":"on","type":"date","format":"any"}]}"#,
    )
    .unwrap();
    let run = |arguments: &[&str]| {
        std::process::Command::new(env!("CARGO_BIN_EXE_sheetline"))
            .current_dir(folder.path())
            .args(["process", "d.csv", "--template", "t.json", "--out", "out"])
            .args(arguments)
            .output()
            .unwrap()
    };
    assert_eq!(run(&[]).status.code(), Some(1));
    let report = std::fs::read_to_string(path("out/report.json")).unwrap();
    assert!(
        report.contains("Choose whether day or month comes first"),
        "{report}"
    );
    assert_eq!(run(&["--date-order", "month-day"]).status.code(), Some(0));
    let records = std::fs::read_to_string(path("out/records.ndjson")).unwrap();
    assert_eq!(records, "{\"on\":\"2024-03-08\"}\n");
    assert_eq!(run(&["--date-order", "american"]).status.code(), Some(2));
}
