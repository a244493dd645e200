//! Promises of the office's list: no two of its records share a key, also where an update or a new version of
//! the template would make them.

use std::time::Duration;

use serde_json::{Value, json};
use sheetline::faults::{self, Kind};
use sheetline::store::soundness;
use sheetline::worker::leftovers::forget_undone;

use crate::office::{Office, Person};

fn put(root: &Person<'_>, schema: &Value) {
    let status = root.send("PUT", "/api/templates/things", schema).status;
    assert!(status == 200 || status == 201, "{status}");
}

fn schema(keys: &Value) -> Value {
    let mut schema = json!({"fields": [
        {"name": "id", "type": "string"}, {"name": "u", "type": "string"}, {"name": "x", "type": "string"}]});
    let members = schema.as_object_mut().unwrap();
    members.extend(keys.as_object().unwrap().clone());
    schema
}

/// Stored new, updated, duplicates; and the report.
fn import(person: &Person<'_>, text: &str, on_duplicate: &str) -> ([i64; 3], Value) {
    let fields = [("template", "things"), ("on_duplicate", on_duplicate)];
    let id = person
        .upload("upload-and-process", "a.csv", text.as_bytes(), &fields)
        .expect(202)["job_id"]
        .as_i64()
        .unwrap();
    person.office.work_all();
    let job = person.job(id);
    assert_eq!(job["status"], "completed", "{job}");
    let count = |name: &str| job["counts"][name].as_i64().unwrap();
    let report = person.get(&format!("/api/jobs/{id}/report")).expect(200);
    let counts = ["valid", "updated", "duplicates"].map(count);
    (counts, report)
}

fn list(person: &Person<'_>) -> Vec<String> {
    let page = person.get("/api/records?template=things").expect(200);
    let records = page["records"].as_array().unwrap();
    let of = |record: &Value| {
        ["id", "u", "x"].map(|field| record["data"][field].as_str().unwrap_or("-").to_owned())
    };
    let mut list: Vec<String> = records.iter().map(|record| of(record).join(" ")).collect();
    list.sort();
    list
}

#[test]
fn an_update_makes_no_record_like_another_one_by_a_column_that_the_file_lacks() {
    for key in [
        json!({"uniqueKeys": [["id"], ["u", "x"]]}),
        json!({"primaryKey": ["u", "x"], "uniqueKeys": [["id"]]}),
    ] {
        let office = Office::new();
        let root = office.admin("root");
        put(&root, &schema(&key));
        let (counts, _) = import(&root, "id,u,x\na,U,p\nb,U,q\nc,V,p\n", "skip");
        assert_eq!(counts, [3, 0, 0]);
        let (counts, report) = import(&root, "id,x\nb,p\nc,r\n", "update");
        assert_eq!(counts, [0, 1, 1], "{key}");
        let error = &report["errors"][0];
        assert_eq!(
            (&error["type"], &error["row"]),
            (&json!("duplicate-record"), &json!(2))
        );
        let message = error["message"].as_str().unwrap();
        assert!(
            message.contains("row 3") && message.contains("row 2"),
            "{message}"
        );
        assert_eq!(list(&root), ["a U p", "b U q", "c V r"]);
        // Nor two rows of one file.
        let (counts, report) = import(&root, "id,x\na,z\nb,z\n", "update");
        assert_eq!(counts, [0, 1, 1], "{key}");
        assert_eq!(
            report["errors"][0]["message"],
            "Row 2 has given another record the same u and x already."
        );
        assert_eq!(list(&root), ["a U z", "b U q", "c V r"]);
    }
}

#[test]
fn a_templates_new_version_finds_the_records_that_were_filed_before() {
    let file = "id,u,x\n1,A,p\n2,B,q\n";
    for (before, after) in [
        (
            json!({"uniqueKeys": [["id"]]}),
            json!({"uniqueKeys": [["u"]]}),
        ),
        (
            json!({"uniqueKeys": [["id"]]}),
            json!({"primaryKey": ["id"]}),
        ),
        (
            json!({"uniqueKeys": [["id", "u"]]}),
            json!({"uniqueKeys": [["u", "id"]]}),
        ),
        (json!({}), json!({"uniqueKeys": [["id"]]})),
        (
            json!({"uniqueKeys": [["id"]]}),
            json!({"uniqueKeys": [["id"], ["u"]]}),
        ),
    ] {
        let office = Office::new();
        let root = office.admin("root");
        put(&root, &schema(&before));
        assert_eq!(import(&root, file, "skip").0, [2, 0, 0]);
        put(&root, &schema(&after));
        assert_eq!(import(&root, file, "skip").0, [0, 0, 2], "{before} {after}");
        assert_eq!(import(&root, "id,u,x\n2,B,r\n", "update").0, [0, 1, 0]);
        assert_eq!(list(&root), ["1 A p", "2 B r"]);
        put(&root, &schema(&before));
        let again = import(&root, file, "skip").0;
        let found = before.as_object().is_some_and(|keys| !keys.is_empty());
        assert_eq!(
            again,
            if found { [0, 0, 2] } else { [2, 0, 0] },
            "{before} {after}"
        );
    }
}

#[test]
fn a_key_without_regard_to_case_finds_what_was_filed_with_it() {
    let office = Office::new();
    let root = office.admin("root");
    let key = json!({"uniqueKeys": [["id"]]});
    put(&root, &schema(&key));
    assert_eq!(import(&root, "id,u\nAB,1\n", "skip").0, [1, 0, 0]);
    let mut folded = schema(&key);
    folded["fields"][0]["normalize"] = json!(["lower"]);
    put(&root, &folded);
    assert_eq!(import(&root, "id,u\nab,1\n", "skip").0, [0, 0, 1]);
}

#[test]
fn new_keys_that_were_cut_off_are_made_by_the_next_job() {
    let rows: String = (0..40).map(|n| format!("{n},u{n},x\n")).collect();
    let file = format!("id,u,x\n{rows}");
    let other = json!({"uniqueKeys": [["u"]]});
    let run = |step: Option<u64>| {
        let office = Office::new();
        office.app.db.watch_writes().unwrap();
        let root = office.admin("root");
        put(&root, &schema(&json!({"uniqueKeys": [["id"]]})));
        assert_eq!(import(&root, &file, "skip").0, [40, 0, 0]);
        put(&root, &schema(&other));
        let fields = [("template", "things")];
        let job = root
            .upload("upload-and-process", "b.csv", file.as_bytes(), &fields)
            .expect(202)["job_id"]
            .as_i64()
            .unwrap();
        if let Some(step) = step {
            faults::with_failing_write("UPDATE records", step, Kind::Full, || {
                office.work_all_until_put_back();
            });
            let made = office.number("SELECT count(*) FROM list_keys WHERE form IS NOT NULL");
            assert_eq!(made, 0);
        }
        for _ in 0..3 {
            office.pass(60);
            office.work_all();
        }
        let counts = root.job(job)["counts"].clone();
        assert_eq!(
            (&counts["duplicates"], &counts["valid"]),
            (&json!(40), &json!(0)),
            "{step:?}"
        );
        assert_eq!(office.number("SELECT count(*) FROM record_keys"), 40);
    };
    run(None);
    run(Some(20));
}

#[test]
fn a_workbook_without_rows_to_fix_has_none_when_it_comes_home() {
    let office = Office::new();
    let root = office.admin("root");
    put(&root, &schema(&json!({})));
    let fields = [("template", "things")];
    let job = root
        .upload("upload-and-process", "a.csv", b"id,u\n1,2\n", &fields)
        .expect(202)["job_id"]
        .as_i64()
        .unwrap();
    office.work_all();
    let workbook = root.get(&format!("/api/jobs/{job}/repair.xlsx")).bytes;
    let job = root
        .upload("upload-and-process", "repair.xlsx", &workbook, &fields)
        .expect(202)["job_id"]
        .as_i64()
        .unwrap();
    office.work_all();
    assert_eq!(root.job(job)["error"]["code"], "empty-file");
}

#[test]
fn a_record_of_many_keys_is_found_by_each_and_takes_all_of_them_along() {
    let office = Office::new();
    let root = office.admin("root");
    let names = ["a", "b", "c", "d"];
    let put_keys = |keys: &Value| {
        let fields: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
        put(&root, &json!({"fields": fields, "uniqueKeys": keys}));
    };
    let every = json!([["a"], ["b"], ["c"], ["d"]]);
    put_keys(&every);
    let keys = || office.number("SELECT count(*) FROM record_keys");
    let dangling = || office.app.db.read(soundness::dangling).unwrap();
    assert_eq!(import(&root, "a,b,c,d\n1,2,3,4\n5,6,7,8\n", "skip").0[0], 2);
    assert_eq!((keys(), dangling()), (8, 0));
    for alike in ["1,,,", ",2,,", ",,3,", ",,,4"] {
        let file = format!("a,b,c,d\n{alike}\n");
        assert_eq!(import(&root, &file, "skip").0, [0, 0, 1], "{alike}");
    }
    // Each that is lost is told.
    for hash in ["key_1", "key_2", "keys ->> 0", "keys ->> 1"] {
        let lost = format!(
            "SELECT hash FROM record_keys WHERE record_id = 1 AND hash = (SELECT {hash} FROM records WHERE id = 1)"
        );
        let hash = office.number(&lost);
        let run = |sql: String| {
            office.app.db.write(|tx| Ok(tx.execute(&sql, [])?)).unwrap();
        };
        run(format!("DELETE FROM record_keys WHERE hash = {hash}"));
        assert_eq!(dangling(), 1);
        run(format!("INSERT INTO record_keys VALUES ({hash}, 1)"));
    }
    // Fewer, and more again.
    put_keys(&json!([["d"]]));
    assert_eq!(import(&root, "a,b,c,d\n,,,8\n", "skip").0, [0, 0, 1]);
    assert_eq!((keys(), dangling()), (2, 0));
    put_keys(&json!([["a"], ["c"], ["d"]]));
    assert_eq!(import(&root, "a,b,c,d\n,,7,\n", "skip").0, [0, 0, 1]);
    assert_eq!((keys(), dangling()), (6, 0));
    root.post("/api/jobs/1/undo").expect(200);
    assert!(forget_undone(&office.app, Duration::from_secs(9)).unwrap());
    assert_eq!((keys(), dangling()), (0, 0));
    assert_eq!(office.number("SELECT count(*) FROM records"), 0);
}
