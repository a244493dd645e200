//! What is exported and read again gives the same records, whatever is in them.

use serde_json::{Value, json};

use crate::office::{Office, Person};
use crate::random::Random;

/// Texts that something could happen to on the way out and in.
const TEXTS: [&str; 36] = [
    "plain",
    "=1+1",
    "'=1+1",
    "''=1",
    "+x",
    "-x",
    "-",
    "@home",
    "'",
    "''",
    "'s",
    "\t=1",
    "'\tx",
    "＝1",
    "'＋2",
    "+49 351 123456",
    "-5",
    "007",
    "1e5",
    "12345678901234567890",
    "true",
    "2024-01-02",
    "10:30",
    "a;b,c",
    "say \"no\"",
    "two\nlines",
    "two\r\nlines",
    "Ünï 日本 🎉",
    "M\u{fc}ller",
    "Mu\u{308}ller",
    "_x0041_",
    "a\u{b}b\u{1}",
    "_x000B_\u{1f}",
    "NaN",
    "#N/A",
    "\"",
];

/// A value of each column as a person writes it into a text file.
fn row(random: &mut Random, number: usize) -> Vec<String> {
    let n = random.below(3_000);
    let or_empty = |random: &mut Random, value: String| {
        if random.below(6) == 0 {
            String::new()
        } else {
            value
        }
    };
    let text = random.of(&TEXTS).to_owned();
    let wide = format!(
        "{}{}",
        random.of(&TEXTS),
        random.of(&["", " ", "x", "\u{a0}"])
    );
    let moment = format!("20{:02}-{:02}-{:02}", n % 100, n % 12 + 1, n % 28 + 1);
    let clock = format!("{:02}:{:02}:{:02}", n % 24, n % 60, n % 59);
    let zone = random.of(&["", "Z", "+02:00", "-03:30"]);
    let cells = vec![
        text,
        wide,
        format!("{}{n}.{:02}", random.of(&["", "-"]), n % 100),
        format!("{}{n}", random.of(&["", "-", "+", "00"])),
        random.of(&["true", "FALSE", "1", "0"]).to_owned(),
        moment.clone(),
        format!("{clock}{}", random.of(&["", "Z"])),
        format!("{moment}T{clock}{zone}"),
        random
            .of(&["0099", "0007", "1066", "2024", "0000"])
            .to_owned(),
        format!("{}-{:02}", 1900 + n % 200, n % 12 + 1),
        random
            .of(&["PT36H15M", "P1Y2M", "P3D", "-PT1H", "PT0.5S"])
            .to_owned(),
        random
            .of(&["x", "=2", "007", "+49 351 654321", "'@a", "2024-01-02"])
            .to_owned(),
        random
            .of(&["beside", "=3", "'=3", "0049", " edge "])
            .to_owned(),
    ];
    let mut cells: Vec<String> = cells
        .into_iter()
        .map(|cell| or_empty(random, cell))
        .collect();
    cells.insert(0, number.to_string());
    cells
}

const HEADERS: [&str; 14] = [
    "id", "s", "w", "n", "i", "b", "d", "t", "dt", "y", "ym", "du", "a", "=extra",
];

fn template() -> Value {
    let kinds = [
        "integer",
        "string",
        "string",
        "number",
        "integer",
        "boolean",
        "date",
        "time",
        "datetime",
        "year",
        "yearmonth",
        "duration",
        "any",
    ];
    let fields: Vec<Value> = HEADERS
        .iter()
        .zip(kinds)
        .map(|(name, kind)| json!({"name": name, "type": kind}))
        .collect();
    json!({"fields": fields, "primaryKey": "id"})
}

fn stored(person: &Person<'_>, name: &str, bytes: &[u8]) -> (i64, Vec<Value>) {
    let fields = [("template", "kinds")];
    let answer = person.upload("upload-and-process", name, bytes, &fields);
    let id = answer.expect(202)["job_id"].as_i64().unwrap();
    person.office.work_all();
    let report = person.get(&format!("/api/jobs/{id}/report")).expect(200);
    assert_eq!(report["errors_total"], 0, "{name}: {:?}", report["errors"]);
    let path = format!("/api/jobs/{id}/records.json");
    let records = person.get(&path).expect(200)["records"]
        .as_array()
        .unwrap()
        .clone();
    (id, records)
}

/// 1800.00 and 1800 are one number.
fn with_numbers_alike(record: &Value) -> Value {
    let mut record = record.clone();
    if let Some(number) = record["n"].as_f64() {
        record["n"] = json!(number);
    }
    record
}

#[test]
fn whatever_is_in_records_their_exports_read_again_give_the_same() {
    let office = Office::new();
    let root = office.admin("root");
    root.send("PUT", "/api/templates/kinds", &template())
        .expect(201);
    let mut random = Random(0x5EED);
    for round in 0..12 {
        let mut file = csv::Writer::from_writer(Vec::new());
        file.write_record(HEADERS).unwrap();
        for number in 0..40 {
            file.write_record(row(&mut random, number)).unwrap();
        }
        let (id, before) = stored(&root, "first.csv", &file.into_inner().unwrap());
        let table = root.get(&format!("/api/jobs/{id}/records.csv")).bytes;
        let workbook = root.get(&format!("/api/jobs/{id}/records.xlsx")).bytes;
        root.post(&format!("/api/jobs/{id}/undo")).expect(200);
        for (name, bytes) in [("again.csv", &table), ("again.xlsx", &workbook)] {
            let (id, after) = stored(&root, name, bytes);
            assert_eq!(after.len(), before.len());
            for (one, two) in before.iter().zip(&after) {
                let (one, two) = (with_numbers_alike(one), with_numbers_alike(two));
                assert_eq!(one, two, "{name} in round {round}");
            }
            root.post(&format!("/api/jobs/{id}/undo")).expect(200);
        }
    }
}
