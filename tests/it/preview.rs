//! The preview: what would be read, and where it would go, before anything is stored.

use serde_json::{Value, json};

use crate::office::{Office, Person};

fn preview(person: &Person<'_>, bytes: impl AsRef<[u8]>, fields: &[(&str, &str)]) -> Value {
    person
        .upload("preview", "list.csv", bytes.as_ref(), fields)
        .expect(200)
}

fn refused(person: &Person<'_>, bytes: impl AsRef<[u8]>, fields: &[(&str, &str)]) -> (u16, String) {
    let answer = person.upload("preview", "list.csv", bytes.as_ref(), fields);
    (answer.status, answer.code())
}

const LIST: &str = "Kunden 2024\n\nCompany Name;linkedin url;Compny Size;Other\n\
    Acme;https://www.linkedin.com/company/acme;11-50;x\nBolt;;7;y\n";

#[test]
fn a_preview_tells_what_would_be_read_and_stores_nothing() {
    let office = Office::new();
    let anna = office.member("anna");
    let seen = preview(&anna, LIST, &[]);
    assert_eq!(seen["success"], true);
    assert_eq!(seen["header_row"], 3);
    assert_eq!(seen["delimiter"], ";");
    assert_eq!(seen["encoding"], "UTF-8");
    assert_eq!(seen["format"], "csv");
    assert_eq!(seen["sheets"][0]["rows"], 2);
    assert_eq!(seen["sheets"][0]["columns"], 4);
    let mapping: Vec<(&str, &Value, &str)> = seen["mapping"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| {
            (
                m["column"].as_str().unwrap(),
                &m["field"],
                m["how"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        mapping[0],
        ("Company Name", &json!("company_name"), "exact")
    );
    assert_eq!(
        mapping[1],
        ("linkedin url", &json!("linkedin_url"), "exact")
    );
    assert_eq!(mapping[2], ("Compny Size", &json!("company_size"), "fuzzy"));
    assert_eq!(mapping[3], ("Other", &Value::Null, "none"));
    assert_eq!(seen["missing"], json!([]));
    assert_eq!(
        seen["rows"],
        json!([
            {
                "Company Name": "Acme",
                "linkedin url": "https://www.linkedin.com/company/acme",
                "Compny Size": "11-50",
                "Other": "x"
            },
            { "Company Name": "Bolt", "linkedin url": null, "Compny Size": 7, "Other": "y" }
        ])
    );
    assert_eq!(seen["row_numbers"], json!([4, 5]));
    assert_eq!(seen["notices"][0]["code"], "title-row");
    for table in [
        "uploads",
        "upload_rows",
        "upload_row_packs",
        "upload_chunks",
        "jobs",
        "idempotency",
    ] {
        assert_eq!(
            office.number(&format!("SELECT count(*) FROM {table}")),
            0,
            "{table}"
        );
    }
    let spool = office.app.settings.spool();
    assert_eq!(std::fs::read_dir(spool).unwrap().count(), 0);
}

#[test]
fn what_the_user_says_changes_what_is_seen() {
    let office = Office::new();
    let anna = office.member("anna");
    let seen = preview(&anna, LIST, &[("header_row", "4"), ("delimiter", ";")]);
    assert_eq!(seen["header_row"], 4);
    assert_eq!(seen["columns"][0], "Acme");
    assert_eq!(seen["missing"], json!(["company_name", "linkedin_url"]));
    for tab in ["\t", " tab ", "\\t"] {
        let seen = preview(&anna, "a,b\tc\n1,2\t3\n", &[("delimiter", tab)]);
        assert_eq!(seen["columns"], json!(["a,b", "c"]), "{tab:?}");
    }
    let seen = preview(&anna, "a,b\n\u{4e},2\n", &[("encoding", "windows-1250")]);
    assert_eq!(seen["encoding"], "windows-1250");
    let seen = preview(&anna, "a,b\n1,2\n", &[("template", "auto")]);
    assert_eq!(seen["mapping"][1]["field"], "b");
    assert_eq!(seen["mapping"][1]["how"], "exact");
}

#[test]
fn twenty_rows_are_shown_of_many() {
    let office = Office::new();
    let anna = office.member("anna");
    let seen = preview(&anna, format!("a,b\n{}", "1,2\n".repeat(5_000)), &[]);
    assert_eq!(seen["rows"].as_array().unwrap().len(), 20);
    assert_eq!(seen["sheets"][0]["rows"], 5_000);
    let wide = format!(
        "a,b\n{}",
        format!("{},2\n", "x".repeat(1_000_000)).repeat(30)
    );
    let seen = preview(&anna, wide, &[]);
    assert_eq!(seen["rows"].as_array().unwrap().len(), 5);
}

#[test]
fn a_preview_is_refused_as_the_upload_would_be() {
    let office = Office::with(|settings| settings.upload_bytes_max = 1 << 20);
    let anna = office.member("anna");
    for (bytes, fields, refusal) in [
        (&b""[..], &[][..], (422, "empty-file")),
        (b"a,b\n", &[], (422, "empty-file")),
        (b"%PDF-1.7", &[], (415, "unsupported-format")),
        (b"PK\x03\x04", &[], (422, "unreadable-file")),
        (b"a,b\n1,2\n", &[("sheet", "S")], (422, "no-such-sheet")),
        (b"a,b\n1,2\n", &[("header_row", "0")], (400, "bad-request")),
        (b"a,b\n1,2\n", &[("header_row", "99")], (400, "bad-request")),
        (
            b"a,b\n1,2\n",
            &[("encoding", "klingon")],
            (400, "bad-request"),
        ),
        (b"a,b\n1,2\n", &[("delimiter", "ab")], (400, "bad-request")),
        (b"a,b\n1,2\n", &[("delimiter", "\n")], (400, "bad-request")),
        (b"a,b\n1,2\n", &[("delimiter", "\"")], (400, "bad-request")),
        (
            b"a,b\n1,2\n",
            &[("template", "nothing")],
            (422, "no-such-template"),
        ),
    ] {
        let (status, code) = refused(&anna, bytes, fields);
        assert_eq!((status, code.as_str()), refusal);
    }
    let large = vec![b'x'; (1 << 20) + 1];
    assert_eq!(refused(&anna, large, &[]), (413, "too-large".to_owned()));
    let nobody = office.call("POST", "/api/files/preview", &[], Vec::new());
    assert_eq!(nobody.code(), "session-missing");
}

#[test]
fn a_file_that_was_here_before_is_named_before_it_is_sent_again() {
    let office = Office::new();
    let anna = office.member("anna");
    assert_eq!(preview(&anna, LIST, &[])["same_file"], Value::Null);
    anna.upload("upload-and-process", "first.csv", LIST.as_bytes(), &[])
        .expect(202);
    office.work_all();
    let same = preview(&anna, LIST, &[])["same_file"].clone();
    assert_eq!(same["filename"], "first.csv");
    assert_eq!(same["last_job"]["counts"]["rows"], 2);
    // Somebody else's file is none of hers.
    let otto = office.member("otto");
    assert_eq!(preview(&otto, LIST, &[])["same_file"], Value::Null);
}

#[test]
fn a_file_that_is_here_can_be_looked_at_again() {
    let office = Office::new();
    let anna = office.member("anna");
    let fields = [("header_row", "3")];
    let sent = preview(&anna, LIST, &fields);
    let id = anna
        .upload("upload-json", "list.csv", LIST.as_bytes(), &fields)
        .expect(201)["file_upload_id"]
        .clone();
    let url = format!("/api/files/{}/preview", id.as_str().unwrap());
    let again = anna.post(&url).expect(200);
    for member in ["mapping", "rows", "missing", "header_row", "dates"] {
        assert_eq!(again[member], sent[member], "{member}");
    }
    assert_eq!(again["same_file"], Value::Null);
    let mapped = anna
        .send("POST", &url, &json!({ "mapping": { "Other": "industry" } }))
        .expect(200);
    assert_eq!(mapped["mapping"][3]["field"], "industry");
    let no_sheet = anna.send("POST", &url, &json!({ "sheet": "Nowhere" }));
    assert_eq!(
        (no_sheet.status, no_sheet.code()),
        (422, "no-such-sheet".to_owned())
    );
    assert_eq!(office.member("otto").post(&url).status, 404);
    assert_eq!(
        std::fs::read_dir(office.app.settings.spool())
            .unwrap()
            .count(),
        0,
        "nothing is left of the look"
    );
}
