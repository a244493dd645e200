//! Promises of the bounds of reading: each is a named setting, and each holds on both sides.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use sheetline::error::Error;
use sheetline::sheet::{Limits, ReadOptions};

use crate::client::{self, serve, sheetline};
use crate::reader::{package, read_within};

const CONTENT_TYPES: &str = r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"#;
const RELATIONSHIPS: &str = r#"<Relationships><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const WORKBOOK: &str =
    r#"<workbook><sheets><sheet name="First" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const WORKBOOK_RELATIONSHIPS: &str = r#"<Relationships><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="sheet1.xml"/></Relationships>"#;
const STRINGS: &str = "<sst><si><t>Name</t></si><si><t>Size</t></si><si><t>Acme</t></si></sst>";
/// Headers in A and C, two rows, three values.
const SHEET: &str = "<worksheet><sheetData>\
    <row r='1'><c r='A1' t='s'><v>0</v></c><c r='C1' t='s'><v>1</v></c></row>\
    <row r='2'><c r='A2' t='s'><v>2</v></c><c r='C2'><v>5</v></c></row>\
    <row r='3'><c r='A3' t='s'><v>2</v></c></row></sheetData></worksheet>";
const PARTS: [(&str, &str); 6] = [
    ("[Content_Types].xml", CONTENT_TYPES),
    ("_rels/.rels", RELATIONSHIPS),
    ("xl/workbook.xml", WORKBOOK),
    ("xl/_rels/workbook.xml.rels", WORKBOOK_RELATIONSHIPS),
    ("xl/sharedStrings.xml", STRINGS),
    ("xl/sheet1.xml", SHEET),
];
const TEXT: &str = "Name,,Size\nAcme,,5\nAcme,,\n";

/// A bound: its name, its flag, the file, and how much of it that file takes.
fn bounds() -> Vec<(&'static str, &'static str, &'static str, u64)> {
    let sizes = PARTS.map(|(_, part)| u64::try_from(part.len()).unwrap());
    let largest = sizes.into_iter().max().unwrap();
    let all = sizes.into_iter().sum();
    let rows = r#"["Acme",null,5]["Acme"]"#.len();
    let rows = u64::try_from(rows).unwrap();
    vec![
        ("rows_text_max", "max-rows-text", "csv", 2),
        ("rows_workbook_max", "max-rows", "xlsx", 2),
        ("columns_max", "max-columns", "csv", 3),
        ("columns_max", "max-columns", "xlsx", 3),
        ("columns_stored_max", "max-stored-columns", "csv", 2),
        ("columns_stored_max", "max-stored-columns", "xlsx", 2),
        ("cells_max", "max-cells", "csv", 3),
        ("cells_max", "max-cells", "xlsx", 3),
        ("cell_chars_workbook_max", "max-cell-letters", "xlsx", 4),
        ("cell_bytes_text_max", "max-field-kb", "csv", 4),
        // Twelve letters, and four bytes for each of three strings.
        ("strings_bytes_max", "max-strings-mb", "xlsx", 24),
        ("member_bytes_max", "max-member-mb", "xlsx", largest),
        ("inflated_bytes_max", "max-inflated-mb", "xlsx", all),
        ("output_bytes_max", "max-output-mb", "csv", rows),
        ("output_bytes_max", "max-output-mb", "xlsx", rows),
        ("members_max", "max-members", "xlsx", 6),
        ("sheets_max", "max-sheets", "xlsx", 1),
    ]
}

/// Bounds of the child process as a whole, which other tests cross.
const OF_THE_CHILD: [(&str, &str); 3] = [
    ("child_memory_bytes_max", "read-memory-mb"),
    ("child_cpu_seconds_max", "read-seconds"),
    ("child_wall_seconds_max", "read-seconds"),
];

/// How the file of that kind is read with one bound set so: `ok`, or the code.
fn outcome(folder: &Path, kind: &str, bound: &str, value: u64) -> String {
    let path = folder.join(format!("list.{kind}"));
    let mut limits = serde_json::to_value(Limits::default()).unwrap();
    limits[bound] = json!(value);
    let limits: Limits = serde_json::from_value(limits).unwrap();
    match read_within(&path, &ReadOptions::default(), &limits) {
        Ok(whole) => {
            assert_eq!(whole.sheets[0].0.len(), 2);
            "ok".to_owned()
        }
        Err(Error::Problem(problem)) => problem.code.as_str().to_owned(),
        Err(error) => panic!("{bound}: {error}"),
    }
}

#[test]
fn every_bound_holds_on_both_sides() {
    let folder = tempfile::tempdir().unwrap();
    package(&folder.path().join("list.xlsx"), &PARTS);
    std::fs::write(folder.path().join("list.csv"), TEXT).unwrap();
    for (bound, _, kind, takes) in bounds() {
        let at = outcome(folder.path(), kind, bound, takes);
        assert_eq!(at, "ok", "{bound} of {kind}: {takes}");
        let over = outcome(folder.path(), kind, bound, takes - 1);
        assert_eq!(over, "too-complex", "{bound} of {kind}: {}", takes - 1);
    }
}

#[test]
fn every_bound_has_a_test_a_flag_and_a_place_in_the_description() {
    let limits = serde_json::to_value(Limits::default()).unwrap();
    let names: BTreeSet<&str> = limits
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let bounds = bounds();
    let of_a_file = bounds.iter().map(|(bound, flag, ..)| (*bound, *flag));
    let tested: Vec<(&str, &str)> = of_a_file.chain(OF_THE_CHILD).collect();
    assert_eq!(
        tested.iter().map(|bound| bound.0).collect::<BTreeSet<_>>(),
        names
    );

    let folder = tempfile::tempdir().unwrap();
    for command in ["serve", "convert", "process"] {
        let help = sheetline(folder.path())
            .args([command, "--help"])
            .output()
            .unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        for (_, flag) in &tested {
            assert!(help.contains(&format!("--{flag} ")), "{command} --{flag}");
        }
    }

    let served = serve(folder.path(), &["--max-stored-columns", "1000"]);
    let answer = served.ask("GET", "/api/openapi.json", &[], b"").unwrap();
    let description: Value = serde_json::from_slice(&answer.body).unwrap();
    for name in names {
        assert!(description["x-limits"][name].is_u64(), "{name}");
    }
    assert_eq!(description["x-limits"]["columns_stored_max"], 1_000);
    served.terminate();
    assert!(!client::log(folder.path()).contains("panic"));
}

#[test]
fn by_default_every_column_of_a_spreadsheet_is_kept_and_not_one_more() {
    let folder = tempfile::tempdir().unwrap();
    let wide = |columns: usize| {
        let names: Vec<String> = (1..=columns).map(|n| format!("h{n}")).collect();
        let path = folder.path().join(format!("{columns}.csv"));
        let row = vec!["1"; columns].join(",");
        std::fs::write(&path, format!("{}\n{row}\n", names.join(","))).unwrap();
        read_within(&path, &ReadOptions::default(), &Limits::default())
    };
    let whole = wide(16_384).unwrap();
    assert_eq!(whole.sheets[0].1.columns.len(), 16_384);
    assert_eq!(whole.sheets[0].1.columns[16_383].name, "h16384");
    let refused = wide(16_385).err().unwrap();
    assert!(matches!(refused, Error::Problem(p) if p.detail.contains("column XFE")));
}

/// Rows of the workbook with which memory is measured. A build without optimisation takes fewer, and
/// its figures are reckoned up.
#[cfg(target_os = "linux")]
const ROWS: u32 = if cfg!(debug_assertions) {
    60_000
} else {
    ROWS_MEANT
};

/// Rows of the workbook that is meant.
#[cfg(target_os = "linux")]
const ROWS_MEANT: u32 = 1_000_000;

/// A company list of six columns: three of texts that never repeat, and numbers. The white space
/// makes its sheet larger than what a reader keeps in memory, as it is with a million rows.
#[cfg(target_os = "linux")]
fn companies(path: &Path, rows: u32) {
    use std::io::Write;
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    let fast = zip::write::SimpleFileOptions::default().compression_level(Some(1));
    for (name, part) in PARTS.into_iter().take(4) {
        zip.start_file(name, fast).unwrap();
        zip.write_all(part.as_bytes()).unwrap();
    }
    zip.start_file("xl/sharedStrings.xml", fast).unwrap();
    zip.write_all(b"<sst>").unwrap();
    let mut out = std::io::BufWriter::new(&mut zip);
    for name in ["Name", "URL", "Site", "Size", "Revenue", "Since"] {
        write!(out, "<si><t>{name}</t></si>").unwrap();
    }
    for row in 0..rows {
        write!(
            out,
            "<si><t>Company {row} GmbH</t></si><si><t>https://www.linkedin.com/company/c-{row}</t></si><si><t>https://c-{row}.example</t></si>"
        )
        .unwrap();
    }
    out.write_all(b"</sst>").unwrap();
    drop(out);
    zip.start_file("xl/sheet1.xml", fast).unwrap();
    let mut out = std::io::BufWriter::new(&mut zip);
    let blank = " ".repeat(if cfg!(debug_assertions) { 2_600 } else { 0 });
    out.write_all(b"<worksheet><sheetData><row>").unwrap();
    for name in 0..6 {
        write!(out, "<c t='s'><v>{name}</v></c>").unwrap();
    }
    out.write_all(b"</row>").unwrap();
    for row in 0..rows {
        let text = 6 + row * 3;
        write!(
            out,
            "<row><c t='s'><v>{text}</v></c><c t='s'><v>{}</v></c><c t='s'><v>{}</v></c><c><v>{row}</v></c><c><v>{row}.5</v></c><c><v>{row}</v></c></row>{blank}",
            text + 1,
            text + 2
        )
        .unwrap();
    }
    out.write_all(b"</sheetData></worksheet>").unwrap();
    drop(out);
    zip.finish().unwrap();
}

/// The most memory that a process has had, in KiB.
#[cfg(target_os = "linux")]
fn most_memory(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

/// The most memory that the reading child takes for that file, in KiB. Its mark is looked at all the
/// time; it can't end before its last lines have been taken.
#[cfg(target_os = "linux")]
fn memory_of_the_child(path: &Path, rows: u32) -> u64 {
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Command, Stdio};
    let mut child = Command::new(crate::program::executable())
        .arg("read-child")
        .arg(path)
        .env("MALLOC_ARENA_MAX", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let job = json!({ "options": ReadOptions::default(), "limits": Limits::default() });
    writeln!(stdin, "{job}").unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = Vec::new();
    let (mut count, mut most) = (0, 0);
    while lines.read_until(b'\n', &mut line).unwrap() > 0 {
        if line.starts_with(b"R") {
            count += 1;
            if count % 500 == 0 {
                most = most.max(most_memory(child.id()).unwrap_or(0));
            }
        }
        line.clear();
    }
    assert!(child.wait().unwrap().success());
    assert_eq!(count, rows);
    assert!(most > 0);
    most
}

#[test]
#[cfg(target_os = "linux")]
fn a_sheet_of_a_million_rows_is_read_in_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let (half, whole) = (
        folder.path().join("half.xlsx"),
        folder.path().join("whole.xlsx"),
    );
    companies(&whole, ROWS);
    let all = memory_of_the_child(&whole, ROWS);
    let meant = if ROWS < ROWS_MEANT {
        companies(&half, ROWS / 2);
        let some = memory_of_the_child(&half, ROWS / 2);
        all + all.checked_sub(some).unwrap() * u64::from(ROWS_MEANT - ROWS) / u64::from(ROWS / 2)
    } else {
        all
    };
    assert!(meant < 300 << 10, "the child takes {meant} KiB");

    client::add_user(folder.path(), "anna", &[]);
    let served = serve(folder.path(), &[]);
    let session = served.sign_in("anna");
    let bytes = std::fs::read(&whole).unwrap();
    let stored = served
        .upload(&session, "upload-json", "whole.xlsx", &bytes, None)
        .unwrap()
        .expect(201);
    assert_eq!(stored["rows"], ROWS);
    let most = most_memory(served.pid()).unwrap();
    assert!(most < 150 << 10, "the server takes {most} KiB");
    println!("the child takes {meant} KiB ({all} with {ROWS} rows), the server {most} KiB");
    served.terminate();
}
