//! Processing without database and reader: rows in, findings out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use calamine::Reader;
use serde_json::{Value, json};
use sheetline::process::{
    Checker, Choices, Collision, DateOrders, Inference, Outcome, Settled, SourceFacts, Template,
};
use sheetline::sheet::{Column, Row};
use sheetline::words::DayOrder;

/// A sheet as the reader hands it on.
struct Table {
    columns: Vec<Column>,
    rows: Vec<Row>,
    workbook: bool,
    date_order: Option<DayOrder>,
}

/// Splits text into records, each with the number of its row: a quoted line break starts none.
fn records(text: &str) -> Vec<(u32, Vec<String>)> {
    let mut records = Vec::new();
    let mut record = vec![String::new()];
    let mut quoted = false;
    let mut number = 1;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                record.last_mut().unwrap().push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(String::new()),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                records.push((number, std::mem::replace(&mut record, vec![String::new()])));
                number += 1;
            }
            other => record.last_mut().unwrap().push(other),
        }
    }
    if record != vec![String::new()] {
        records.push((number, record));
    }
    records
}

/// A field as the document of a text file has it: a number only where its text is JSON as it is.
fn text_cell(text: &str) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    match serde_json::from_str::<serde_json::Number>(text) {
        Ok(number) if number.to_string() == text => Value::Number(number),
        _ => json!(text),
    }
}

fn columns(labels: &[String]) -> Vec<Column> {
    let mut names: Vec<String> = Vec::new();
    labels
        .iter()
        .enumerate()
        .map(|(index, label)| {
            let label = (!label.is_empty()).then(|| label.clone());
            let mut name = label
                .clone()
                .unwrap_or_else(|| format!("column_{}", index + 1));
            let base = name.clone();
            let mut number = 2;
            while names.contains(&name) {
                name = format!("{base}_{number}");
                number += 1;
            }
            names.push(name.clone());
            Column { index, name, label }
        })
        .collect()
}

fn from_csv(text: &str) -> Table {
    let mut records = records(text).into_iter();
    let (_, labels) = records.next().unwrap();
    let mut table = Table {
        columns: columns(&labels),
        rows: Vec::new(),
        workbook: false,
        date_order: None,
    };
    for (number, fields) in records {
        if fields.iter().all(String::is_empty) {
            continue;
        }
        let mut cells: Vec<Value> = fields.iter().map(|field| text_cell(field)).collect();
        while cells.last() == Some(&Value::Null) {
            cells.pop();
        }
        table.rows.push(Row {
            number,
            cells: json!(cells).to_string(),
            kinds: None,
            width: (fields.len() != labels.len()).then(|| u32::try_from(fields.len()).unwrap()),
        });
    }
    table
}

fn from_xlsx(path: &Path) -> Table {
    use calamine::{Data, ExcelDateTime, Reader};
    let mut book: calamine::Xlsx<_> = calamine::open_workbook(path).unwrap();
    let sheet = book.sheet_names()[0].clone();
    let range = book.worksheet_range(&sheet).unwrap();
    let moment = |at: &ExcelDateTime| {
        let (year, month, day, hour, minute, second, _) = at.to_ymd_hms_milli();
        let time = format!("{hour:02}:{minute:02}:{second:02}");
        match at.as_f64() {
            value if value < 1.0 => (time, 't'),
            _ => (format!("{year:04}-{month:02}-{day:02}T{time}"), 'D'),
        }
    };
    let mut rows = range.rows();
    let labels: Vec<String> = rows.next().unwrap().iter().map(Data::to_string).collect();
    let mut table = Table {
        columns: columns(&labels),
        rows: Vec::new(),
        workbook: true,
        date_order: None,
    };
    for (at, row) in rows.enumerate() {
        let mut kinds = String::new();
        let cells: Vec<Value> = row
            .iter()
            .map(|cell| {
                let (value, kind) = match cell {
                    Data::Int(number) => (json!(number), '.'),
                    Data::Float(number) if number.fract() == 0.0 => (json!(*number as i64), '.'),
                    Data::Float(number) => (json!(number), '.'),
                    Data::String(text) => (json!(text), '.'),
                    Data::Bool(flag) => (json!(flag), '.'),
                    Data::DateTime(at) => {
                        let (text, kind) = moment(at);
                        (json!(text), kind)
                    }
                    _ => (Value::Null, '.'),
                };
                kinds.push(kind);
                value
            })
            .collect();
        table.rows.push(Row {
            number: u32::try_from(at + 2).unwrap(),
            cells: json!(cells).to_string(),
            kinds: Some(kinds),
            width: None,
        });
    }
    table
}

impl Table {
    fn checker(&self, template: &Template) -> Checker {
        Checker::new(
            template,
            SourceFacts {
                columns: self.columns.clone(),
                header_row: 1,
                workbook: self.workbook,
                choices: Choices::default(),
                date_orders: DateOrders {
                    chosen: self.date_order,
                    ..DateOrders::default()
                },
                sample: Vec::new(),
                notices: Vec::new(),
            },
        )
        .unwrap()
    }

    /// Checks all rows, with an empty list; the settled rows and the report.
    fn process(&self, template: &Template) -> (Vec<Settled>, Value) {
        let mut checker = self.checker(template);
        let mut settled = Vec::new();
        if checker.missing_required().is_empty() {
            for row in &self.rows {
                let checked = checker.check(row).unwrap();
                let mut done = checker.settle(checked, &[], false);
                done.data = data(&checker, &done).to_string();
                settled.push(done);
            }
        }
        let report = serde_json::to_value(checker.report(0.5)).unwrap();
        (settled, report)
    }
}

fn companies() -> Template {
    Template::parse(
        "companies",
        0,
        Template::built_in_schema("companies").unwrap(),
    )
    .unwrap()
}

/// The record of a row.
fn data(checker: &Checker, settled: &Settled) -> Value {
    serde_json::from_str(&checker.fields().object(&settled.data).unwrap()).unwrap()
}

/// The record of a row that [`Table::process`] checked.
fn record(settled: &Settled) -> Value {
    serde_json::from_str(&settled.data).unwrap()
}

// The shared cases ---------------------------------------------------------------------------------

type Finding = (String, Option<u64>, Option<String>);

/// What counts when findings are compared with Frictionless's.
fn finding(error: &Value, column: Option<String>) -> Option<Finding> {
    let kind = error["type"].as_str().unwrap();
    let row = error["row"].as_u64();
    let field = error["field"].as_str().map(str::to_owned);
    match kind {
        // The reader drops blank rows.
        "blank-row" => None,
        "blank-label" | "duplicate-label" | "extra-cell" => Some((kind.to_owned(), row, column)),
        "primary-key" => Some((kind.to_owned(), row, None)),
        _ => Some((kind.to_owned(), row, field)),
    }
}

/// The report of the library alone.
fn by_library(file: &Path, schema: &Path) -> Value {
    let schema = std::fs::read_to_string(schema).unwrap();
    let template = Template::parse("case", 1, &schema).unwrap();
    let table = match file.extension().and_then(|ending| ending.to_str()) {
        Some("xlsx") => from_xlsx(file),
        _ => from_csv(&std::fs::read_to_string(file).unwrap()),
    };
    table.process(&template).1
}

/// The report of the program, reader included.
fn by_program(file: &Path, schema: &Path) -> Value {
    let out = tempfile::tempdir().unwrap();
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_sheetline"))
        .arg("process")
        .arg(file)
        .arg("--template")
        .arg(schema)
        .arg("--out")
        .arg(out.path())
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    let report = std::fs::read_to_string(out.path().join("report.json")).unwrap();
    serde_json::from_str(&report).unwrap()
}

fn compare(folder: &Path, expected: &str, report: fn(&Path, &Path) -> Value) {
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let expected: Value = serde_json::from_str(&read(expected)).unwrap();
    let file = folder.join(expected["file"].as_str().unwrap());
    let schema = folder.join(expected["schema"].as_str().unwrap());
    let report = report(&file, &schema);
    let mut theirs: BTreeSet<Finding> = expected["errors"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|error| {
            let column = error["column"]
                .as_u64()
                .map(|at| sheetline::sheet::column_letters(usize::try_from(at).unwrap() - 1));
            finding(error, column)
        })
        .collect();
    let keys: BTreeSet<u64> = expected["unique_keys"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|found| found["row"].as_u64().unwrap())
        .collect();
    theirs.extend(
        keys.iter()
            .map(|row| ("unique-error".to_owned(), Some(*row), None)),
    );
    let ours: BTreeSet<Finding> = report["errors"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|error| finding(error, error["column"].as_str().map(str::to_owned)))
        .collect();
    let missed: Vec<_> = theirs.difference(&ours).collect();
    let invented: Vec<_> = ours.difference(&theirs).collect();
    assert!(
        missed.is_empty() && invented.is_empty(),
        "{}: missed {missed:#?}, invented {invented:#?}",
        folder.display()
    );
}

#[test]
fn findings_agree_with_frictionless_on_the_shared_cases() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/validation");
    if !root.is_dir() {
        println!("skipped: the shared cases are not here");
        return;
    }
    let mut cases: Vec<PathBuf> = std::fs::read_dir(&root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    assert!(cases.len() >= 6);
    for folder in cases {
        for report in [by_library, by_program] {
            compare(&folder, "expected.json", report);
            if folder.join("expected-2.json").exists() {
                compare(&folder, "expected-2.json", report);
            }
        }
    }
}

// Companies ----------------------------------------------------------------------------------------

#[test]
fn good_rows_become_records_and_bad_ones_say_why() {
    let table = from_csv(
        "Firma,LinkedIn URL,Website_URL,Mitarbeiter,Industry,Revenue,Note\n\
         \"  ACME  Ltd \",linkedin.com/company/acme,www.acme.com,11-50,Software,5000,hello\n\
         ,https://www.linkedin.com/company/b,,12,Retail,,\n\
         C GmbH,not a url,,,,,\n\
         Acme Ltd,https://linkedin.com/company/ACME/,,,,,\n",
    );
    let (rows, report) = table.process(&companies());
    let outcomes: Vec<Outcome> = rows.iter().map(|row| row.outcome).collect();
    assert_eq!(
        outcomes,
        vec![
            Outcome::Valid,
            Outcome::Invalid,
            Outcome::Invalid,
            Outcome::Duplicate
        ]
    );
    assert_eq!(
        record(&rows[0]),
        json!({
            "company_name": "ACME Ltd",
            "linkedin_url": "https://linkedin.com/company/acme",
            "website_url": "https://www.acme.com",
            "company_size": "11-50",
            "industry": "Software",
            "revenue": 5000,
            "Note": "hello",
        })
    );
    let changes: Value = serde_json::from_str(rows[0].changes.as_ref().unwrap()).unwrap();
    assert_eq!(
        changes,
        json!([
            {"cell": "A2", "field": "company_name", "original": "  ACME  Ltd ", "stored": "ACME Ltd", "rule": "trim, spaces"},
            {"cell": "B2", "field": "linkedin_url", "original": "linkedin.com/company/acme", "stored": "https://linkedin.com/company/acme", "rule": "url"},
            {"cell": "C2", "field": "website_url", "original": "www.acme.com", "stored": "https://www.acme.com", "rule": "url"},
        ])
    );
    assert_eq!(
        report["stats"],
        json!({"rows": 4, "valid": 1, "invalid": 2, "duplicates": 1, "updated": 0, "errors": 3, "seconds": 0.5})
    );
    assert_eq!(
        report["errors"],
        json!([
            {"type": "constraint-error", "row": 3, "field": "company_name", "column": "A", "cell": "A3",
             "value": null, "constraint": "required", "message": "Company Name is empty."},
            {"type": "type-error", "row": 4, "field": "linkedin_url", "column": "B", "cell": "B4",
             "value": "not a url", "message": "'not a url' is not a web address. One begins with https://."},
            {"type": "unique-error", "row": 5, "field": "linkedin_url", "column": "B", "cell": "B5",
             "value": "https://linkedin.com/company/ACME/", "message": "Same LinkedIn_URL as row 2."},
        ])
    );
    let hows: Vec<&str> = report["mapping"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| column["how"].as_str().unwrap())
        .collect();
    assert_eq!(
        hows,
        vec!["alias", "exact", "exact", "alias", "exact", "exact", "none"]
    );
    assert_eq!(report["valid"], json!(false));
    assert_eq!(report["columns"][5]["max"], json!(5000));
}

#[test]
fn a_file_without_a_required_column_is_not_checked_but_reported() {
    let table = from_csv("Company Name,Website\nACME,acme.com\n");
    let template = companies();
    assert_eq!(
        table.checker(&template).missing_required(),
        vec!["linkedin_url"]
    );
    let (rows, report) = table.process(&template);
    assert!(rows.is_empty());
    assert_eq!(report["errors_by_type"], json!({"missing-label": 1}));
    assert_eq!(report["errors"][0]["field"], json!("linkedin_url"));
    assert_eq!(report["errors"][0]["row"], Value::Null);
}

#[test]
fn a_key_of_two_fields_names_all_its_cells() {
    let schema = r#"{"fields":[{"name":"a"},{"name":"b"},{"name":"c"}],"primaryKey":["c","a"],"uniqueKeys":[["a","b"]]}"#;
    let template = Template::parse("t", 1, schema).unwrap();
    let (_, report) = from_csv("a,b,c\n1,2,3\n1,2,3\n").process(&template);
    let cells = |at: usize| {
        (
            report["errors"][at]["cell"].clone(),
            report["errors"][at]["cells"].clone(),
        )
    };
    assert_eq!(report["errors"][0]["type"], json!("primary-key"));
    assert_eq!(cells(0), (json!("C3"), json!(["C3", "A3"])));
    assert_eq!(report["errors"][1]["type"], json!("unique-error"));
    assert_eq!(cells(1), (json!("A3"), json!(["A3", "B3"])));
    assert_eq!(report["errors"][1]["field"], json!(null));
}

#[test]
fn a_row_of_the_list_is_skipped_or_updated() {
    let table = from_csv(
        "Company Name,LinkedIn_URL,Revenue\n\
         ACME,https://linkedin.com/company/acme,7\n\
         ACME,https://linkedin.com/company/acme-2,8\n",
    );
    let template = companies();
    let old = r#"{"company_name":"ACME","linkedin_url":"https://linkedin.com/company/acme","website_url":"https://acme.com","company_size":null,"industry":"Tools","revenue":5}"#;
    let collision = || Collision {
        record_id: 1,
        data: old.to_owned(),
        file: "old.csv".to_owned(),
        row: 40,
        key: Some(0),
    };
    let mut checker = table.checker(&template);
    let checked = checker.check(&table.rows[0]).unwrap();
    assert!(checker.has_key(&checked.keys[0], old).unwrap());
    let settled = checker.settle(checked, &[collision()], false);
    assert_eq!(settled.outcome, Outcome::Duplicate);
    assert!(
        settled
            .problems
            .contains("Already stored from old.csv, row 40; Revenue differs: 7 / 5."),
        "{}",
        settled.problems
    );

    let mut checker = table.checker(&template);
    let checked = checker.check(&table.rows[0]).unwrap();
    let mut settled = checker.settle(checked, &[collision()], true);
    assert_eq!(settled.outcome, Outcome::Updated);
    // Only columns that the file has are changed.
    checker.merge(old, &mut settled).unwrap();
    assert_eq!(settled.outcome, Outcome::Updated);
    let merged = data(&checker, &settled);
    assert_eq!(
        merged,
        json!({"company_name": "ACME", "linkedin_url": "https://linkedin.com/company/acme",
               "website_url": "https://acme.com", "company_size": null, "industry": "Tools", "revenue": 7})
    );
    // A second row can't update the same record.
    let checked = checker.check(&table.rows[1]).unwrap();
    let settled = checker.settle(checked, &[collision()], true);
    assert_eq!(settled.outcome, Outcome::Duplicate);
    assert!(settled.problems.contains("Row 2 has updated"));
    let counts = checker.counts();
    assert_eq!((counts.rows, counts.updated, counts.duplicates), (2, 1, 1));
}

#[test]
fn the_same_file_and_template_give_the_same_report() {
    let text = format!(
        "Company Name,LinkedIn_URL\n{}",
        (0..500)
            .map(|n| format!("C{},https://linkedin.com/company/{}\n", n % 7, n % 100))
            .collect::<String>()
    );
    let table = from_csv(&text);
    let (_, one) = table.process(&companies());
    let (_, two) = table.process(&companies());
    assert_eq!(one, two);
    assert_eq!(one["hash"].as_str().unwrap().len(), 64);
    let (_, other) = from_csv(&text.replace("C3", "D3")).process(&companies());
    assert_ne!(one["hash"], other["hash"]);
}

#[test]
fn the_program_writes_the_same_bytes_again_but_for_the_time_it_took() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let rows = (0..300).map(|n| {
        let name = if n % 9 == 0 { " A  B " } else { "C\u{b}D" };
        format!("{name} {n},linkedin.com/company/{},{n}.50\n", n % 290)
    });
    let text: String = rows.collect();
    std::fs::write(
        path("list.csv"),
        format!("Company Name,LinkedIn_URL,Revenue\n{text},nowhere,\n"),
    )
    .unwrap();
    let made = |out: &str| -> Vec<(&str, Vec<u8>)> {
        let ran = std::process::Command::new(env!("CARGO_BIN_EXE_sheetline"))
            .args(["process", "--template", "companies", "--out"])
            .args([path(out), path("list.csv")])
            .output()
            .unwrap();
        assert_eq!(ran.status.code(), Some(1), "{ran:?}");
        let read = |name: &str| std::fs::read(path(out).join(name)).unwrap();
        let report = String::from_utf8(read("report.json")).unwrap();
        let lines: Vec<&str> = report.lines().collect();
        let bare = lines.iter().filter(|line| !line.contains("\"seconds\": "));
        let bare: Vec<&str> = bare.copied().collect();
        assert_eq!(bare.len() + 1, lines.len(), "{report}");
        let names = ["records.ndjson", "records.csv", "annotated.xlsx"];
        let files = names.map(|name| (name, read(name)));
        let report = ("report.json", bare.join("\n").into_bytes());
        files.into_iter().chain([report]).collect()
    };
    for ((name, once), (_, again)) in made("once").iter().zip(&made("again")) {
        assert!(once == again, "{name} differs");
    }
}

#[test]
fn a_list_of_many_pieces_is_written_whole_and_in_its_order() {
    const ROWS: usize = 5_000;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let is_good = |n: &usize| !n.is_multiple_of(7);
    let row = |n: usize| {
        let address = if is_good(&n) {
            "linkedin.com/company/"
        } else {
            "nowhere "
        };
        format!("Acme {n},{address}{n}\n")
    };
    let text: String = (0..ROWS).map(row).collect();
    std::fs::write(
        path("list.csv"),
        format!("Company Name,LinkedIn_URL\n{text}"),
    )
    .unwrap();
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_sheetline"))
        .args(["process", "--template", "companies", "--out"])
        .args([path("out"), path("list.csv")])
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
    let read = |name: &str| std::fs::read_to_string(path("out").join(name)).unwrap();
    let good: Vec<String> = (0..ROWS)
        .filter(is_good)
        .map(|n| format!("Acme {n}"))
        .collect();
    let ndjson: Vec<String> = read("records.ndjson")
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["company_name"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(ndjson, good);
    let table: Vec<String> = read("records.csv")
        .lines()
        .skip(1)
        .map(|line| line.split(',').next().unwrap().to_owned())
        .collect();
    assert_eq!(table, good);
    let mut book: calamine::Xlsx<_> =
        calamine::open_workbook(path("out").join("annotated.xlsx")).unwrap();
    let sheet = book.worksheet_range_at(0).unwrap().unwrap();
    let marked: Vec<(String, bool)> = sheet
        .rows()
        .skip(1)
        .map(|row| (row[0].to_string(), row[2].to_string().is_empty()))
        .collect();
    let expected: Vec<(String, bool)> = (0..ROWS)
        .map(|n| (format!("Acme {n}"), is_good(&n)))
        .collect();
    assert!(
        marked == expected,
        "{:?}",
        marked.iter().zip(&expected).find(|(a, b)| a != b)
    );
}

#[test]
fn a_row_with_values_beside_the_fields_alone_is_told_what_it_lacks() {
    let schema = r#"{"fields":[{"name":"a","constraints":{"required":true}},{"name":"b"}],"primaryKey":"b"}"#;
    let template = Template::parse("t", 1, schema).unwrap();
    let told = |text: &str| {
        let (_, report) = from_csv(text).process(&template);
        report["errors_by_type"].clone()
    };
    assert_eq!(
        told("a,b,note\n,,see above\n"),
        json!({"constraint-error": 1, "primary-key": 1})
    );
    assert_eq!(
        told("a,b,a\n,,x\n"),
        json!({"constraint-error": 1, "duplicate-label": 1, "primary-key": 1})
    );
    let missing = schema.replace("}],", "}],\"missingValues\":[\"\",\"-\"],");
    let template = Template::parse("t", 1, &missing).unwrap();
    let (_, report) = from_csv("a,b,note\n-,-,\n").process(&template);
    assert_eq!(
        report["errors_by_type"],
        json!({"blank-row": 1, "primary-key": 1})
    );
}

#[test]
fn errors_are_all_counted_and_the_first_thousand_listed() {
    let text = format!(
        "Company Name,LinkedIn_URL\n{}",
        (0..1_500).map(|n| format!("C{n},x\n")).collect::<String>()
    );
    let (_, report) = from_csv(&text).process(&companies());
    assert_eq!(report["errors_total"], json!(1_500));
    assert_eq!(report["errors"].as_array().unwrap().len(), 1_000);
    assert_eq!(report["stats"]["invalid"], json!(1_500));
    let [kind] = report["problems"].as_array().unwrap().as_slice() else {
        panic!("{}", report["problems"]);
    };
    assert_eq!(kind["count"], 1_500);
    assert_eq!(kind["field"], "linkedin_url");
    assert_eq!(kind["cell"], "B2");
    assert_eq!(kind["message"], report["errors"][0]["message"]);
}

#[test]
fn a_fault_that_only_later_rows_have_is_counted_in_the_report_all_the_same() {
    let row = |n: u32| match n {
        0..1_000 => format!("C{n},x\n"),
        _ if n.is_multiple_of(2) => format!(",https://l.example/{n}\n"),
        _ => format!("C{n},https://l.example/{n}\n"),
    };
    let rows: String = (0..6_000).map(row).collect();
    let (_, report) = from_csv(&format!("Company Name,LinkedIn_URL\n{rows}")).process(&companies());
    let told: Vec<Value> = report["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kind| {
            json!([
                kind["count"],
                kind["field"],
                kind["constraint"],
                kind["cell"]
            ])
        })
        .collect();
    let wanted = [
        json!([2_500, "company_name", "required", "A1002"]),
        json!([1_000, "linkedin_url", null, "B2"]),
    ];
    assert_eq!(told, wanted);
    assert_eq!(report["errors_total"], 3_500);
}

#[test]
fn a_repeated_key_of_two_fields_names_both_and_their_values() {
    let table = from_csv("name,plz\nAnna,1067\nAnna,1067\n");
    let keys = r#"{"fields":[{"name":"name"},{"name":"plz"}],"uniqueKeys":[["name","plz"]]}"#;
    let (_, report) = table.process(&template(keys));
    let error = &report["errors"][0];
    assert_eq!(error["fields"], json!(["name", "plz"]));
    assert_eq!(error["cells"], json!(["A3", "B3"]));
    assert_eq!(error["value"], "Anna, 1067");
}

#[test]
fn an_inferred_template_takes_every_row_and_keeps_leading_zeros() {
    let table = from_csv("PLZ,Count,Since\n01067,5,2024-01-02\n80331,6,2024-02-03\n99999,7,\n");
    let mut inference = Inference::new(&table.columns);
    for row in &table.rows {
        inference.observe(row).unwrap();
    }
    let template = inference.template().unwrap();
    let (rows, report) = table.process(&template);
    assert_eq!(report["valid"], json!(true));
    assert_eq!(
        record(&rows[0]),
        json!({"PLZ": "01067", "Count": 5, "Since": "2024-01-02"})
    );
    let types: Vec<&str> = report["columns"]
        .as_array()
        .unwrap()
        .iter()
        .map(|column| column["type"].as_str().unwrap())
        .collect();
    assert_eq!(types, vec!["string", "integer", "date"]);
}

#[test]
fn an_error_cell_of_a_spreadsheet_is_told_and_not_taken_for_empty() {
    let table = Table {
        columns: columns(&["Company Name".to_owned(), "LinkedIn_URL".to_owned()]),
        rows: vec![Row {
            number: 2,
            cells: r#"[null,"https://linkedin.com/company/a"]"#.to_owned(),
            kinds: Some("e.".to_owned()),
            width: None,
        }],
        workbook: true,
        date_order: None,
    };
    let (rows, report) = table.process(&companies());
    assert_eq!(rows[0].outcome, Outcome::Invalid);
    assert_eq!(report["errors_by_type"], json!({"type-error": 1}));
}

fn template(schema: &str) -> Template {
    Template::parse("t", 1, schema).unwrap()
}

fn errors(report: &Value) -> Vec<(String, String)> {
    report["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| {
            (
                error["type"].as_str().unwrap().to_owned(),
                error["cell"].as_str().unwrap_or("-").to_owned(),
            )
        })
        .collect()
}

#[test]
fn the_order_of_day_and_month_is_the_columns_and_has_its_evidence() {
    let schema = r#"{"fields":[{"name":"on","type":"date","format":"any"}]}"#;
    let read = |text: &str| {
        let table = from_csv(text);
        let mut checker = table.checker(&template(schema));
        assert!(checker.needs_observation());
        for row in &table.rows {
            checker.observe(row).unwrap();
        }
        checker.observed();
        let settled: Vec<Value> = table
            .rows
            .iter()
            .map(|row| {
                let checked = checker.check(row).unwrap();
                let settled = checker.settle(checked, &[], false);
                data(&checker, &settled)["on"].clone()
            })
            .collect();
        (settled, serde_json::to_value(checker.report(0.0)).unwrap())
    };
    let (days, report) = read("on\n03/08/2024\n26/06/2026\n");
    assert_eq!(days, vec![json!("2024-08-03"), json!("2026-06-26")]);
    assert_eq!(
        report["dates"],
        json!([{"field": "on", "order": "day-month", "ambiguous": 1,
                "evidence": [{"cell": "A3", "value": "26/06/2026"}]}])
    );
    let (days, _) = read("on\n03/08/2024\n06/26/2026\n");
    assert_eq!(days[0], json!("2024-03-08"));
    // Nothing decides: it is asked, and not guessed.
    let (days, report) = read("on\n03/08/2024\n2024-01-02\n");
    assert_eq!(days, vec![Value::Null, json!("2024-01-02")]);
    assert_eq!(report["dates"][0]["order"], "undecided");
    let message = report["errors"][0]["message"].as_str().unwrap();
    assert!(
        message.contains("could be 2024-08-03 or 2024-03-08"),
        "{message}"
    );
    // The same both ways.
    let (days, report) = read("on\n05/05/2024\n");
    assert_eq!(days, vec![json!("2024-05-05")]);
    assert_eq!(report["dates"], Value::Null);
    let (_, report) = read("on\n03/08/2024\n26/06/2026\n06/26/2026\n");
    assert_eq!(report["dates"][0]["order"], "mixed");
    assert_eq!(report["stats"]["invalid"], 1);
}

#[test]
fn fields_match_says_which_columns_a_file_must_have() {
    let table = from_csv("b,a,c\n1,2,3\n");
    let with = |word: &str| {
        template(&format!(
            r#"{{"fields":[{{"name":"a"}},{{"name":"b"}},{{"name":"d"}}],"fieldsMatch":"{word}"}}"#
        ))
    };
    let found = |word: &str| {
        let template = with(word);
        let missing = table.checker(&template).missing_required();
        (missing, errors(&table.process(&template).1))
    };
    let pair = |kind: &str, cell: &str| (kind.to_owned(), cell.to_owned());
    let d = vec!["d".to_owned()];
    assert_eq!(
        found("equal"),
        (
            d.clone(),
            vec![pair("extra-label", "C1"), pair("missing-label", "-")]
        )
    );
    assert_eq!(
        found("exact").1,
        vec![
            pair("incorrect-label", "A1"),
            pair("incorrect-label", "B1"),
            pair("extra-label", "C1"),
            pair("missing-label", "-")
        ]
    );
    assert_eq!(found("subset"), (d, vec![pair("missing-label", "-")]));
    assert_eq!(found("superset"), (vec![], vec![pair("extra-label", "C1")]));
    assert_eq!(found("partial"), (vec![], vec![]));
}

#[test]
fn a_row_that_ends_before_a_column_of_no_field_is_wrong_where_the_template_speaks_of_columns() {
    let table = from_csv("a,b,extra\n1,2,3\n4,5\n6\n");
    let found = |more: &str| {
        let schema = format!(r#"{{"fields":[{{"name":"a"}},{{"name":"b"}}]{more}}}"#);
        let (_, report) = table.process(&template(&schema));
        let errors = report["errors"].as_array().unwrap();
        let told = errors
            .iter()
            .filter(|error| error["type"] == "missing-cell");
        let told = told.map(|error| (error["row"].as_u64(), error["field"].as_str()));
        told.map(|(row, field)| format!("{} {}", row.unwrap(), field.unwrap()))
            .collect::<Vec<_>>()
    };
    let all = ["3 extra", "4 b", "4 extra"];
    for word in ["subset", "partial", "superset", "equal", "exact"] {
        assert_eq!(found(&format!(r#","fieldsMatch":"{word}""#)), all, "{word}");
    }
    // Else such columns pass, and so does a row without.
    assert_eq!(found(""), ["4 b"]);
}

#[test]
fn what_was_probably_meant_is_offered() {
    let schema = r#"{"fields":[
        {"name":"plz","type":"string","constraints":{"pattern":"[0-9]{5}"}},
        {"name":"state","type":"string","constraints":{"enum":["active","closed"]}}]}"#;
    let (_, report) = from_csv("plz,state\n1067,activ\n").process(&template(schema));
    assert_eq!(report["errors"][0]["suggestion"], "01067");
    assert_eq!(report["errors"][1]["suggestion"], "active");
}

#[test]
fn strange_text_is_kept_as_it_is() {
    let odd = "\u{0}\u{1f}\u{202e}🎉\u{feff}x";
    let table = Table {
        columns: columns(&["a".to_owned()]),
        rows: vec![Row {
            number: 2,
            cells: json!([odd, "y".repeat(40_000)]).to_string(),
            kinds: None,
            width: None,
        }],
        workbook: true,
        date_order: None,
    };
    let (rows, _) = table.process(&template(r#"{"fields":[{"name":"a","type":"string"}]}"#));
    assert_eq!(record(&rows[0])["a"], json!(odd));
}

#[test]
fn a_template_of_very_many_fields_and_values_is_quick_enough() {
    let fields: Vec<Value> = (0..10_000)
        .map(|n| json!({"name": format!("field {n}"), "aliases": [format!("alias {n}")]}))
        .collect();
    let values: Vec<String> = (0..100_000).map(|n| n.to_string()).collect();
    let mut schema = json!({ "fields": fields });
    schema["fields"][0]["constraints"] = json!({ "enum": values });
    let template = template(&schema.to_string());
    let labels: Vec<String> = (0..2_000).map(|n| format!("fieldd {n}")).collect();
    let mut text = format!("{}\n", labels.join(","));
    for _ in 0..20 {
        text.push_str(&vec!["1"; 2_000].join(","));
        text.push('\n');
    }
    let began = std::time::Instant::now();
    let (rows, _) = from_csv(&text).process(&template);
    assert_eq!(rows.len(), 20);
    assert!(began.elapsed().as_secs() < 60);
}

#[test]
fn a_row_with_thousands_of_problems_is_counted_whole_and_kept_short() {
    let wide = vec!["x"; 5_000].join(",");
    let (rows, report) = from_csv(&format!("a\n{wide}\n"))
        .process(&template(r#"{"fields":[{"name":"a","type":"integer"}]}"#));
    assert_eq!(
        report["errors_by_type"],
        json!({"extra-cell": 4_999, "type-error": 1})
    );
    assert_eq!(report["errors_total"], 5_000);
    let kept: Vec<Value> = serde_json::from_str(&rows[0].problems).unwrap();
    assert_eq!(kept.len(), 200);
    assert_eq!(rows[0].messages.last().unwrap().1, "And 4800 more.");
    assert_eq!(rows[0].outcome, Outcome::Invalid);
}

#[test]
fn the_ledger_applied_backwards_gives_the_files_text() {
    let text = "Company Name,LinkedIn_URL,Website_URL,Company_Size,Industry,Revenue\n\
        \"  A  B \",l.example/a,www.a.example,  12 ,X,5\n\
        C,https://l.example/c,,11-50,\" Y\",6.5\n";
    let table = from_csv(text);
    let (rows, _) = table.process(&companies());
    for (row, settled) in table.rows.iter().zip(&rows) {
        assert_eq!(settled.outcome, Outcome::Valid);
        let file: Vec<Value> = serde_json::from_str(&row.cells).unwrap();
        let changes: Vec<Value> =
            serde_json::from_str(settled.changes.as_deref().unwrap_or("[]")).unwrap();
        let record = record(settled);
        let back: Vec<Value> = record
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, stored)| {
                match changes.iter().find(|change| change["field"] == json!(name)) {
                    Some(change) => {
                        assert_eq!(change["stored"], *stored);
                        change["original"].clone()
                    }
                    None => stored.clone(),
                }
            })
            .collect();
        assert_eq!(back, file);
    }
}
