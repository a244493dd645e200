//! Promises of stored records: whether a record's fields stand once for its job or beside its values, as in older
//! databases and after updates under another version of a template, everybody is told the same.

use std::io::{Cursor, Read};
use std::time::Duration;

use rusqlite::types::Value as Sql;
use serde_json::{Value, json};
use sheetline::catalog;
use sheetline::worker::leftovers;

use crate::office::{Office, Person};
use crate::random::Random;

/// Names that something could happen to.
const NAMES: [&str; 12] = [
    "id",
    "it's",
    "quo\"te",
    "back\\slash",
    "a.b",
    "$",
    "[0]",
    "1",
    "Größe 日本",
    "two words",
    "name",
    "data",
];

const VALUES: [&str; 24] = [
    "",
    "1e5",
    "9223372036854775808",
    "-9223372036854775809",
    "0.1",
    "1.50",
    "-0",
    "12345678901234567890123",
    "1e400",
    "plain",
    "say \"no\"",
    "it's",
    "back\\slash",
    "[1,2]",
    "{\"a\":1}",
    "]",
    "null",
    "true",
    "two\nlines",
    "a\u{b}b\u{1}",
    "Ünï 日本 🎉",
    "a;b,c",
    "=1+1",
    "\u{7f}\u{2028}",
];

fn put(root: &Person<'_>, names: &[&str], keys: &Value) {
    let kinds = ["string", "any", "string", "number"];
    let fields: Vec<Value> = names
        .iter()
        .enumerate()
        .map(|(at, name)| json!({"name": name, "type": kinds[at % kinds.len()]}))
        .collect();
    let schema = json!({"fields": fields, "uniqueKeys": keys});
    let status = root.send("PUT", "/api/templates/things", &schema).status;
    assert!(status == 200 || status == 201, "{status}");
}

#[track_caller]
fn import(person: &Person<'_>, name: &str, bytes: &[u8], on_duplicate: &str) -> i64 {
    let fields = [("template", "things"), ("on_duplicate", on_duplicate)];
    let id = person
        .upload("upload-and-process", name, bytes, &fields)
        .expect(202)["job_id"]
        .as_i64()
        .unwrap();
    person.office.work_all();
    let job = person.job(id);
    assert_eq!(job["status"], "completed", "{job}");
    id
}

/// Changes what nobody may change.
fn meddle(office: &Office, sql: &str) {
    let stay = office.texts("SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name IN ('records', 'job_fields')",
    );
    office
        .app
        .db
        .write(|tx| {
            tx.execute_batch(
                "DROP TRIGGER records_stay; DROP TRIGGER job_fields_stay;
                 DROP TRIGGER job_fields_are_kept; DROP TRIGGER job_fields_come_before_the_end;",
            )?;
            tx.execute_batch(sql)?;
            for trigger in stay
                .iter()
                .filter(|sql| sql.contains("_stay BEFORE UPDATE") || sql.contains(" job_fields_"))
            {
                tx.execute_batch(trigger)?;
            }
            Ok(())
        })
        .unwrap();
}

/// Makes of the records such as earlier versions of the program filed.
fn as_before(office: &Office) {
    meddle(
        office,
        "CREATE TEMP TABLE named AS SELECT r.id, (
             SELECT json_group_object(name, json(r.data -> position))
             FROM (SELECT name, position FROM job_fields f WHERE f.job_id = r.job_id ORDER BY position)) AS data
         FROM records r WHERE r.data LIKE '[%';
         UPDATE records SET data = (SELECT n.data FROM named n WHERE n.id = records.id)
         WHERE id IN (SELECT id FROM named);
         DROP TABLE named;
         DELETE FROM job_fields;",
    );
    let arrays = "SELECT count(*) FROM records WHERE data LIKE '[%'";
    assert_eq!(office.number(arrays), 0);
}

/// The parts of a workbook but those that tell the time.
fn parts(workbook: &[u8]) -> Vec<String> {
    let mut zip = zip::ZipArchive::new(Cursor::new(workbook)).unwrap();
    let mut parts = Vec::new();
    for at in 0..zip.len() {
        let mut file = zip.by_index(at).unwrap();
        let name = file.name().unwrap().into_owned();
        if !name.starts_with("docProps") {
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            parts.push(format!("{name}: {text}"));
        }
    }
    parts
}

/// All that anybody is told of the list and of a job's records.
fn told(person: &Person<'_>, job: i64) -> Vec<String> {
    let mut told = Vec::new();
    for download in ["records.json", "records.ndjson", "records.csv", "changes"] {
        told.push(person.get(&format!("/api/jobs/{job}/{download}")).text());
    }
    let workbook = person.get(&format!("/api/jobs/{job}/records.xlsx"));
    told.extend(parts(&workbook.bytes));
    for query in [
        "",
        "&q=say%20%22NO",
        "&q=id",
        "&q=Gr%C3%B6%C3%9Fe",
        "&q=1.5",
    ] {
        told.push(
            person
                .get(&format!("/api/records?template=things&limit=100{query}"))
                .text(),
        );
    }
    let office = person.office;
    told.extend(office.texts("SELECT data FROM v_records ORDER BY id"));
    office.app.db.write(catalog::views::refresh).unwrap();
    let clean = office.app.db.read(|c| {
        let mut statement = c.prepare("SELECT * FROM v_clean_things ORDER BY record")?;
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            let values: Vec<Sql> = (0..columns)
                .map(|at| row.get(at))
                .collect::<rusqlite::Result<_>>()?;
            Ok(format!("{values:?}"))
        })?;
        Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?)
    });
    told.extend(clean.unwrap());
    told
}

/// A file with odd values under odd names, and a column that belongs to no field.
fn file(random: &mut Random, rows: usize) -> Vec<u8> {
    let mut file = csv::Writer::from_writer(Vec::new());
    file.write_record(NAMES.iter().chain(&["ex\"tra'[]"]))
        .unwrap();
    for row in 0..rows {
        let mut cells = vec![format!("row {row}")];
        for at in 1..=NAMES.len() {
            cells.push(match at % 4 {
                3 => random.of(&VALUES[..9]).to_owned(),
                _ => random.of(&VALUES).to_owned(),
            });
        }
        file.write_record(cells).unwrap();
    }
    file.into_inner().unwrap()
}

#[test]
fn whether_fields_stand_beside_the_values_or_once_for_the_job_everybody_is_told_the_same() {
    let office = Office::new();
    let root = office.admin("root");
    put(&root, &NAMES, &json!([["id"]]));
    let mut random = Random(0x00F1_E1D5);
    let job = import(&root, "a.csv", &file(&mut random, 60), "skip");
    let stored = office.number("SELECT count(*) FROM records WHERE data LIKE '[%'");
    assert!(stored > 40, "{stored}");
    let fields = office.texts("SELECT name FROM job_fields ORDER BY position");
    assert_eq!(fields[..NAMES.len()], NAMES);
    let before = told(&root, job);
    as_before(&office);
    let after = told(&root, job);
    for (one, two) in before.iter().zip(&after) {
        let same = one.chars().zip(two.chars()).take_while(|(a, b)| a == b);
        let at = same.count().saturating_sub(40);
        let some = |text: &str| text.chars().skip(at).take(120).collect::<String>();
        assert!(one == two, "{}\n{}", some(one), some(two));
    }
    assert_eq!(before.len(), after.len());
    // It was not nothing that was the same.
    for odd in [r#""back\\slash":1.50,"#, r#""quo\"te":"a\u000bb\u0001","#] {
        assert!(before[1].contains(odd), "{odd}");
    }
    let found = root.get("/api/records?template=things&q=say%20%22NO");
    let found = found.expect(200)["records"].as_array().unwrap().len();
    assert!((1..=50).contains(&found), "{found}");
    // Names are not searched, nor found in values.
    let by_name = root.get("/api/records?template=things&q=Gr%C3%B6%C3%9Fe");
    assert_eq!(by_name.expect(200)["records"], json!([]));
}

/// Any JSON, as text.
fn any_json(random: &mut Random, depth: usize) -> String {
    match random.below(if depth == 0 { 3 } else { 5 }) {
        0 => random
            .of(&[
                "null",
                "true",
                "false",
                "0",
                "-0",
                "1.50",
                "1e5",
                "1E+5",
                "0.1",
                "-9223372036854775808",
                "9223372036854775808",
                "12345678901234567890123",
                "0.30000000000000004",
                "1e-400",
            ])
            .to_owned(),
        1 => json!(random.of(&VALUES)).to_string(),
        2 => random
            .of(&[r#""\u0041\/""#, r#""\ud83c\udf89""#, r#""""#, r#""\b\f""#])
            .to_owned(),
        3 => {
            let values: Vec<String> = (0..random.below(4))
                .map(|_| any_json(random, depth - 1))
                .collect();
            format!("[{}]", values.join(","))
        }
        _ => {
            let members: Vec<String> = (0..random.below(4))
                .map(|at| {
                    let name = json!(format!("{at}{}", random.of(&NAMES)));
                    format!("{name}:{}", any_json(random, depth - 1))
                })
                .collect();
            format!("{{{}}}", members.join(","))
        }
    }
}

#[test]
fn any_values_are_shown_with_their_fields_just_as_they_are_stored() {
    let office = Office::new();
    let root = office.admin("root");
    put(&root, &NAMES, &json!([["id"]]));
    let mut random = Random(0xA11);
    let job = import(&root, "a.csv", &file(&mut random, 60), "skip");
    let records = office.number("SELECT count(*) FROM records");
    let names = office.texts("SELECT name FROM job_fields ORDER BY position");
    let mut meant = Vec::new();
    let mut updates = String::new();
    for id in 1..=records {
        let values: Vec<String> = names.iter().map(|_| any_json(&mut random, 3)).collect();
        let array = format!("[{}]", values.join(","));
        updates.push_str(&format!(
            "UPDATE records SET data = '{}' WHERE id = {id};",
            array.replace('\'', "''")
        ));
        let members: Vec<String> = names
            .iter()
            .zip(values)
            .map(|(name, value)| format!("{}:{value}", json!(name)))
            .collect();
        meant.push(format!("{{{}}}", members.join(",")));
    }
    meddle(&office, &updates);
    let lines = root.get(&format!("/api/jobs/{job}/records.ndjson")).text();
    assert_eq!(lines.lines().collect::<Vec<_>>(), meant);
    let shown = office.texts("SELECT data FROM v_records ORDER BY id");
    assert_eq!(shown, meant);
}

/// The records of the list as everybody sees them, and how they are stored.
fn list(office: &Office) -> Vec<(String, bool)> {
    let shown = office.texts("SELECT data FROM v_records ORDER BY id");
    let stored = office.texts("SELECT data FROM v_stored ORDER BY id");
    let arrays = stored.iter().map(|data| data.starts_with('['));
    shown.into_iter().zip(arrays).collect()
}

#[test]
fn an_update_of_a_record_of_another_version_keeps_its_fields_and_their_order() {
    let office = Office::new();
    let root = office.admin("root");
    let key = json!([["id"]]);
    put(&root, &["id", "u"], &key);
    import(&root, "a.csv", b"id,u\n1,one\n2,two\n", "skip");
    let with = |data: &str, array: bool| (data.to_owned(), array);
    assert_eq!(
        list(&office),
        [
            with(r#"{"id":"1","u":"one"}"#, true),
            with(r#"{"id":"2","u":"two"}"#, true)
        ]
    );
    // A field between the others: the record has it last.
    put(&root, &["id", "x", "u"], &key);
    let second = import(&root, "b.csv", b"id,x,u\n1,7,uno\n3,8,three\n", "update");
    assert_eq!(
        list(&office),
        [
            with(r#"{"id":"2","u":"two"}"#, true),
            with(r#"{"id":"1","u":"uno","x":7}"#, false),
            with(r#"{"id":"3","x":8,"u":"three"}"#, true),
        ]
    );
    let columns = || {
        office.app.db.write(catalog::views::refresh).unwrap();
        office.texts(
            "SELECT id || '-' || coalesce(x, '') || '-' || u FROM v_clean_things ORDER BY id",
        )
    };
    assert_eq!(columns(), ["1-7-uno", "2--two", "3-8-three"]);
    // Without a column the old value stays; the same fields in the same order need no names.
    import(&root, "c.csv", b"id,x\n3,9\n", "update");
    assert_eq!(
        list(&office)[2],
        with(r#"{"id":"3","x":9,"u":"three"}"#, true)
    );
    // What is updated again keeps what it had.
    import(&root, "d.csv", b"id,u\n1,ein\n", "update");
    assert_eq!(
        list(&office)[2],
        with(r#"{"id":"1","u":"ein","x":7}"#, false)
    );
    // Undone, each is again what it was.
    root.post(&format!("/api/jobs/{second}/undo")).expect(200);
    let last = office.texts("SELECT CAST(max(id) AS TEXT) FROM jobs");
    root.post(&format!("/api/jobs/{}/undo", last[0]))
        .expect(200);
    assert_eq!(columns(), ["1--one", "2--two", "3-9-three"]);
    // A field less: what it held is kept, and found.
    put(&root, &["id"], &key);
    import(&root, "e.csv", b"id\n3\n4\n", "update");
    assert_eq!(columns_of(&office, "id"), ["1", "2", "3", "4"]);
    let found = root.get("/api/records?template=things&q=THREE").expect(200);
    assert_eq!(
        found["records"][0]["data"],
        json!({"id": "3", "x": 9, "u": "three"})
    );
}

fn columns_of(office: &Office, column: &str) -> Vec<String> {
    office.app.db.write(catalog::views::refresh).unwrap();
    office.texts(&format!("SELECT {column} FROM v_clean_things ORDER BY 1"))
}

#[test]
fn records_of_both_forms_are_known_again_updated_and_given_other_keys() {
    let office = Office::new();
    let root = office.admin("root");
    put(&root, &["id", "u"], &json!([["id"]]));
    import(&root, "a.csv", b"id,u,beside\n1,A,x\n2,B,y\n", "skip");
    as_before(&office);
    import(&root, "b.csv", b"id,u\n3,C\n4,D\n", "skip");
    let arrays: Vec<bool> = list(&office).into_iter().map(|(_, array)| array).collect();
    assert_eq!(arrays, [false, false, true, true]);
    let counts = |job: i64| {
        let counts = root.job(job)["counts"].clone();
        ["valid", "updated", "duplicates"].map(|name| counts[name].as_i64().unwrap())
    };
    // Duplicates of both, told with what differs.
    let job = import(&root, "c.csv", b"id,u\n1,A2\n3,C2\n", "skip");
    assert_eq!(counts(job), [0, 0, 2]);
    let report = root.get(&format!("/api/jobs/{job}/report")).expect(200);
    for (at, differs) in ["u differs: A2 / A.", "u differs: C2 / C."]
        .iter()
        .enumerate()
    {
        let message = report["errors"][at]["message"].as_str().unwrap();
        assert!(message.ends_with(differs), "{message}");
    }
    // Both get the keys of another version of the template, and are updated by them.
    put(&root, &["id", "u"], &json!([["u"]]));
    let job = import(&root, "d.csv", b"id,u\n5,A\n6,C\n7,E\n", "update");
    assert_eq!(counts(job), [1, 2, 0]);
    let shown: Vec<String> = list(&office).into_iter().map(|(data, _)| data).collect();
    assert_eq!(
        shown,
        [
            r#"{"id":"2","u":"B","beside":"y"}"#,
            r#"{"id":"4","u":"D"}"#,
            r#"{"id":"5","u":"A","beside":"x"}"#,
            r#"{"id":"6","u":"C"}"#,
            r#"{"id":"7","u":"E"}"#,
        ]
    );
    // What stays when an import is undone is told by its key, whichever form it has.
    put(&root, &["id", "u"], &json!([["id"], ["u"]]));
    let renamed = import(&root, "e.csv", b"id,u\n2,BB\n4,DD\n", "update");
    import(&root, "f.csv", b"id,u\n8,B\n9,D\n", "skip");
    let answer = root.post(&format!("/api/jobs/{renamed}/undo")).expect(200);
    let message = answer["message"].as_str().unwrap();
    assert!(
        message.contains("is now that of row 2 of f.csv: id 2 stays as it is."),
        "{message}"
    );
}

#[test]
fn an_attempt_begun_anew_says_its_fields_in_place_of_what_stood_there() {
    let office = Office::new();
    let root = office.admin("root");
    put(&root, &["id", "u"], &json!([["id"]]));
    let answer = root.upload(
        "upload-and-process",
        "a.csv",
        b"id,u\n1,A\n",
        &[("template", "things")],
    );
    let job = answer.expect(202)["job_id"].as_i64().unwrap();
    office
        .app
        .db
        .write(|tx| {
            Ok(tx.execute_batch(&format!(
                "INSERT INTO job_fields VALUES ({job}, 0, 'u'), ({job}, 1, 'id'), ({job}, 2, 'x');"
            ))?)
        })
        .unwrap();
    office.work_all();
    assert_eq!(
        office.texts("SELECT name FROM job_fields ORDER BY position"),
        ["id", "u"]
    );
    assert_eq!(list(&office)[0].0, r#"{"id":"1","u":"A"}"#);
    // From then on they are as lasting as the records.
    for change in [
        "UPDATE job_fields SET name = 'x'",
        "DELETE FROM job_fields",
        "INSERT INTO job_fields SELECT job_id, 9, 'x' FROM job_fields LIMIT 1",
    ] {
        let refused = office.app.db.write(|tx| Ok(tx.execute_batch(change)?));
        let said = refused.unwrap_err().to_string();
        assert!(said.contains("the fields of a job"), "{said}");
    }
}

#[test]
fn a_record_that_lost_a_value_is_not_shown_under_wrong_fields() {
    let office = Office::new();
    let root = office.admin("root");
    put(&root, &["id", "u"], &json!([["id"]]));
    import(&root, "a.csv", b"id,u\n1,A\n", "skip");
    meddle(&office, "UPDATE records SET data = '[\"A\"]'");
    let answer = root.get("/api/records?template=things");
    assert_eq!((answer.status, answer.code()), (500, "internal".to_owned()));
}

#[test]
fn records_get_numbers_of_their_own_though_the_count_of_them_was_lost() {
    let office = Office::new();
    let anna = office.member("anna");
    anna.queue("a.csv", &crate::forms::companies("a", 20));
    office.work_all();
    meddle(&office, "DELETE FROM sqlite_sequence");
    anna.queue("b.csv", &crate::forms::companies("b", 20));
    office.work_all();
    assert_eq!(office.number("SELECT count(*) FROM v_records"), 40);
}

#[test]
fn a_job_without_result_leaves_no_names_of_fields() {
    let office = Office::new();
    let anna = office.member("anna");
    let name_a_field = |job: i64| {
        let sql = format!("INSERT INTO job_fields VALUES ({job}, 0, 'u')");
        let db = &office.app.db;
        db.write(|tx| Ok(tx.execute_batch(&sql)?)).unwrap();
    };
    let job = anna.queue("a.csv", b"Company Name,LinkedIn_URL\n");
    name_a_field(job);
    office.work_all();
    assert_eq!(anna.job(job)["status"], "failed");
    assert_eq!(office.number("SELECT count(*) FROM job_fields"), 0);
    // Of one that could not clear up after itself they go later.
    let job = anna.queue("b.csv", b"Company Name,LinkedIn_URL\n");
    anna.post(&format!("/api/jobs/{job}/cancel")).expect(200);
    name_a_field(job);
    assert!(leftovers::clear(&office.app, Duration::from_secs(9)).unwrap());
    assert_eq!(office.number("SELECT count(*) FROM job_fields"), 0);
}
