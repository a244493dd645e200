//! Promises of the reading child process.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::json;
use sheetline::error::{Error, Result};
use sheetline::sheet::reader::{ReadJob, Reader, read};
use sheetline::sheet::{Event, FileInfo, Limits, ReadOptions, Row, SheetInfo, Visibility};
use sheetline::stop::{Reason, Stop};

use crate::program::executable;

/// A file read whole.
pub(crate) struct Whole {
    pub(crate) sheets: Vec<(Vec<Row>, SheetInfo)>,
    pub(crate) file: FileInfo,
}

/// Reads a file with the usual limits.
pub(crate) fn read_whole(path: &Path, options: &ReadOptions) -> Result<Whole> {
    read_within(path, options, &Limits::default())
}

pub(crate) fn read_within(path: &Path, options: &ReadOptions, limits: &Limits) -> Result<Whole> {
    let mut reader = read(
        &ReadJob {
            executable: executable(),
            path,
            format: None,
            options,
            limits,
        },
        &Stop::new(),
    )?;
    let mut sheets = Vec::new();
    let mut rows = Vec::new();
    let mut file = None;
    while let Some(events) = reader.next_batch()? {
        for event in events {
            match event {
                Event::Sheet(position) => assert_eq!(position as usize, sheets.len()),
                Event::Row(row) => rows.push(row),
                Event::SheetEnd(info) => sheets.push((std::mem::take(&mut rows), *info)),
                Event::Estimate(_) => {}
                Event::Done(info) => file = Some(info),
            }
        }
    }
    Ok(Whole {
        sheets,
        file: file.expect("a file that was read whole says so"),
    })
}

/// A program that stands in for the reader: it runs the file that it is to read.
#[cfg(unix)]
fn stand_in() -> &'static Path {
    Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/reader.sh"
    ))
}

/// What reading comes to where the reader does this.
#[cfg(unix)]
fn read_with(script: &str) -> Result<Vec<Event>> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("script");
    std::fs::write(&file, script).unwrap();
    let mut events = Vec::new();
    let limits = Limits::default();
    let mut reader = start(stand_in(), &file, &limits, &Stop::new())?;
    while let Some(batch) = reader.next_batch()? {
        events.extend(batch);
    }
    Ok(events)
}

#[cfg(unix)]
fn start(executable: &Path, path: &Path, limits: &Limits, stop: &Stop) -> Result<Reader> {
    read(
        &ReadJob {
            executable,
            path,
            format: None,
            options: &ReadOptions::default(),
            limits,
        },
        stop,
    )
}

fn code(outcome: Result<impl Sized>) -> &'static str {
    match outcome {
        Err(Error::Problem(problem)) => problem.code.as_str(),
        Err(Error::Internal(_)) => "internal",
        Err(Error::Stopped) => "stopped",
        Err(Error::Io(_)) => "io",
        Err(Error::Database(_)) => "database",
        Ok(_) => "ok",
    }
}

/// A file that makes the stand-in write down its process id and then hang.
#[cfg(unix)]
fn hangs(folder: &Path, name: &str) -> std::path::PathBuf {
    let file = folder.join(name);
    std::fs::write(&file, "echo $$ > \"$0.pid\"; exec sleep 600").unwrap();
    file
}

/// Waits until the script has written down its process id.
#[cfg(unix)]
fn pid(path: &Path) -> String {
    let mut name = path.as_os_str().to_owned();
    name.push(".pid");
    loop {
        match std::fs::read_to_string(&name) {
            Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
            _ => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

#[cfg(target_os = "linux")]
fn lives(pid: &str) -> bool {
    Path::new("/proc").join(pid).exists()
}

#[test]
#[cfg(target_os = "linux")]
fn a_reader_that_hangs_ends_with_the_work_that_wanted_it() {
    let folder = tempfile::tempdir().unwrap();
    let stop = Stop::new();
    let limits = Limits::default();

    let file = hangs(folder.path(), "stopped");
    let mut reader = start(stand_in(), &file, &limits, &stop).unwrap();
    let child = pid(&file);
    assert!(lives(&child));
    let asks = stop.clone();
    let asking = std::thread::spawn(move || asks.ask(Reason::Cancelled));
    let asked = Instant::now();
    assert_eq!(code(reader.next_batch()), "stopped");
    // Soon; how soon, a machine at work on other things does not tell.
    assert!(asked.elapsed() < Duration::from_secs(20));
    asking.join().unwrap();
    assert!(!lives(&child), "it is ended and reaped");

    let file = hangs(folder.path(), "dropped");
    let reader = start(stand_in(), &file, &limits, &Stop::new()).unwrap();
    let child = pid(&file);
    drop(reader);
    assert!(!lives(&child));

    let file = hangs(folder.path(), "late");
    let short = Limits {
        child_wall_seconds_max: 1,
        ..Limits::default()
    };
    let mut reader = start(stand_in(), &file, &short, &Stop::new()).unwrap();
    let child = pid(&file);
    assert_eq!(code(reader.next_batch()), "too-complex");
    assert!(!lives(&child));
}

#[test]
#[cfg(target_os = "linux")]
fn a_reader_ends_when_its_parent_does() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("never.csv");
    let made = Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    // The child hangs at opening a pipe that nobody writes to.
    let mut child = Command::new(executable())
        .arg("read-child")
        .arg(&fifo)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let job = json!({
        "format": "csv",
        "options": ReadOptions::default(),
        "limits": Limits::default(),
    });
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{job}").unwrap();
    assert_eq!(child.try_wait().unwrap(), None);
    // The system closes a dead parent's end of the pipe.
    drop(stdin);
    let status = child.wait().unwrap();
    assert!(!status.success());
}

#[test]
#[cfg(unix)]
fn a_readers_end_is_told_in_words_that_a_person_can_act_on() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(code(read_with("kill -SEGV $$")), "unreadable-file");
    // Whoever does that, it says nothing of the file. (Not HUP and INT: in the background nobody hears them.)
    for signal in ["KILL", "TERM"] {
        assert_eq!(code(read_with(&format!("kill -{signal} $$"))), "busy");
    }
    assert_eq!(code(read_with("exit 5")), "too-complex", "no memory");
    assert_eq!(code(read_with("kill -XCPU $$")), "too-complex");
    let out_of_memory = "echo memory allocation of 9 bytes failed >&2; kill -ABRT $$";
    assert_eq!(code(read_with(out_of_memory)), "too-complex");
    let overflow = "echo thread main has overflowed its stack >&2; kill -ABRT $$";
    assert_eq!(code(read_with(overflow)), "unreadable-file");
    assert_eq!(code(read_with("exit 3")), "unreadable-file", "a panic");
    assert_eq!(code(read_with("exit 4")), "internal");
    assert_eq!(code(read_with("echo nonsense")), "internal");
    let refusal = r#"echo 'X{"code":"password-protected","detail":"Remove it."}'"#;
    assert_eq!(code(read_with(refusal)), "password-protected");
    let missing = folder.path().join("no-such-program");
    let started = start(&missing, folder.path(), &Limits::default(), &Stop::new());
    assert_eq!(code(started), "internal");
}

#[test]
#[cfg(unix)]
fn a_reader_that_was_told_to_end_together_with_its_parent_is_no_news_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("script");
    std::fs::write(&file, "kill -TERM $$").unwrap();
    let stop = Stop::new();
    let mut reader = start(stand_in(), &file, &Limits::default(), &stop).unwrap();
    let read = std::thread::scope(|scope| {
        let read = scope.spawn(|| reader.next_batch());
        std::thread::sleep(Duration::from_millis(100));
        stop.ask(Reason::Shutdown);
        read.join().unwrap()
    });
    assert_eq!(code(read), "stopped");
}

#[test]
#[cfg(unix)]
fn rows_without_the_last_word_are_never_the_whole_file() {
    assert_eq!(
        code(read_with("echo S0; printf 'R1\\t\\t\\t[1]\\n'")),
        "internal"
    );
    assert_eq!(
        code(read_with(
            "echo S0; printf 'R1\\t\\t\\t[1]\\nR2\\t'; kill -SEGV $$"
        )),
        "unreadable-file"
    );
    let done = r#"D{"default_sheet":0,"encoding":null,"delimiter":null}"#;
    assert_eq!(code(read_with(&format!("echo '{done}'"))), "ok");
    assert_eq!(
        code(read_with(&format!("echo '{done}'; exit 4"))),
        "internal"
    );
}

#[test]
#[cfg(unix)]
fn a_reader_knows_nothing_of_its_parents_environment() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("script");
    std::fs::write(&file, "/usr/bin/env > \"$0.environment\"").unwrap();
    let mut reader = start(stand_in(), &file, &Limits::default(), &Stop::new()).unwrap();
    assert_eq!(code(reader.next_batch()), "internal");
    let environment = std::fs::read_to_string(folder.path().join("script.environment")).unwrap();
    assert!(environment.contains("MALLOC_ARENA_MAX=1"), "{environment}");
    assert!(!environment.contains("HOME="), "{environment}");
    assert!(!environment.contains("CARGO"), "{environment}");
}

#[test]
#[cfg(unix)]
fn as_many_files_are_read_at_once_as_there_are_cores() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits::default();
    let cores = std::thread::available_parallelism().unwrap().get();
    let stop = Stop::new();
    let held = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        // One more than can run: it waits until it is told to stop. Other tests read files too,
        // so that these may have to wait for their turn as well.
        let waiting: Vec<_> = (0..=cores)
            .map(|number| {
                let file = hangs(folder.path(), &format!("file{number}"));
                let (limits, stop, held) = (&limits, &stop, &held);
                scope.spawn(move || {
                    let reader = start(stand_in(), &file, limits, stop);
                    let outcome = code(reader.as_ref().map_err(|_| Error::Stopped));
                    held.lock().unwrap().extend(reader.ok());
                    outcome
                })
            })
            .collect();
        while held.lock().unwrap().len() < cores {
            std::thread::sleep(Duration::from_millis(5));
        }
        stop.ask(Reason::Shutdown);
        let outcomes: Vec<&str> = waiting.into_iter().map(|w| w.join().unwrap()).collect();
        assert_eq!(
            outcomes.iter().filter(|outcome| **outcome == "ok").count(),
            cores
        );
    });
}

/// A workbook made of these parts.
pub(crate) fn package(path: &Path, parts: &[(&str, &str)]) {
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    for (name, text) in parts {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
}

pub(crate) const CONTENT_TYPES: &str = r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"#;
pub(crate) const RELATIONSHIPS: &str = r#"<Relationships><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
pub(crate) const WORKBOOK: &str =
    r#"<workbook><sheets><sheet name="First" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const WORKBOOK_RELATIONSHIPS: &str = r#"<Relationships><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;

/// An xlsx with one sheet of that XML.
pub(crate) fn xlsx(path: &Path, sheet: &str) {
    package(
        path,
        &[
            ("[Content_Types].xml", CONTENT_TYPES),
            ("_rels/.rels", RELATIONSHIPS),
            ("xl/workbook.xml", WORKBOOK),
            ("xl/_rels/workbook.xml.rels", WORKBOOK_RELATIONSHIPS),
            ("xl/worksheets/sheet1.xml", sheet),
        ],
    );
}

/// Rows of inline strings, as a worksheet.
fn sheet(rows: &[&[&str]]) -> String {
    let mut xml = String::from("<worksheet><sheetData>");
    for row in rows {
        xml.push_str("<row>");
        for text in *row {
            xml.push_str(&format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>"));
        }
        xml.push_str("</row>");
    }
    xml.push_str("</sheetData></worksheet>");
    xml
}

#[test]
#[cfg(target_os = "linux")]
fn memory_and_processor_time_are_limited() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.xlsx");
    let long = "x".repeat(30 << 20);
    xlsx(&path, &sheet(&[&["Name"], &[&long]]));
    let little = Limits {
        child_memory_bytes_max: 64 << 20,
        ..Limits::default()
    };
    let outcome = read_within(&path, &ReadOptions::default(), &little);
    assert_eq!(code(outcome), "too-complex");
    // However little it is, also less than a setting may say, what is told is that it is too little.
    for mb in [1, 4, 16, 24, 32, 40, 48, 56] {
        let less = Limits {
            child_memory_bytes_max: mb << 20,
            ..Limits::default()
        };
        let outcome = read_within(&path, &ReadOptions::default(), &less);
        assert_eq!(code(outcome), "too-complex", "{mb} MiB");
    }
    let enough = Limits {
        cell_chars_workbook_max: 32 << 20,
        ..Limits::default()
    };
    assert_eq!(
        code(read_within(&path, &ReadOptions::default(), &enough)),
        "ok"
    );

    let many = "<row><c><v>1</v></c></row>".repeat(1_000_000);
    let text = format!("<worksheet><sheetData>{many}</sheetData></worksheet>");
    xlsx(&path, &text);
    let hasty = Limits {
        child_cpu_seconds_max: 1,
        ..Limits::default()
    };
    let began = Instant::now();
    let outcome = code(read_within(&path, &ReadOptions::default(), &hasty));
    // A fast machine may do it within the second.
    assert!(matches!(outcome, "too-complex" | "ok"), "{outcome}");
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[test]
fn the_sheet_that_was_asked_for_matters_else_the_first_visible_one_with_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.xlsx");
    let mut book = rust_xlsxwriter::Workbook::new();
    let hidden = book.add_worksheet();
    hidden.set_name("Hidden").unwrap().set_hidden(true);
    hidden.write_column(0, 0, ["Name", "Secret"]).unwrap();
    book.add_worksheet().set_name("Empty").unwrap();
    let list = book.add_worksheet().set_name("List").unwrap();
    list.write_column(0, 0, ["Name", "Acme"]).unwrap();
    let header = book.add_worksheet().set_name("Header").unwrap();
    header.write(0, 0, "Name").unwrap();
    // The first sheet can't be hidden while it is the active one.
    book.worksheet_from_index(2).unwrap().set_active(true);
    book.save(&path).unwrap();

    let whole = read_whole(&path, &ReadOptions::default()).unwrap();
    assert_eq!(whole.sheets.len(), 4);
    assert_eq!(whole.file.default_sheet, 2);
    assert_eq!(whole.sheets[0].1.visibility, Visibility::Hidden);

    let asked = |sheet: &str| ReadOptions {
        sheet: Some(sheet.to_owned()),
        ..ReadOptions::default()
    };
    let whole = read_whole(&path, &asked("hidden")).unwrap();
    assert_eq!(whole.file.default_sheet, 0);
    let refused = read_whole(&path, &asked("Nowhere")).err().unwrap();
    assert!(matches!(refused, Error::Problem(p) if p.detail.contains("\"List\"")));
    let refused = read_whole(&path, &asked("Header")).err().unwrap();
    assert!(
        matches!(refused, Error::Problem(p) if p.detail.starts_with("Sheet \"Header\" has headers in row 1 but no rows below them."))
    );
    let refused = read_whole(&path, &asked("Empty")).err().unwrap();
    assert!(
        matches!(refused, Error::Problem(p) if p.detail.starts_with("Sheet \"Empty\" is empty. Choose another sheet"))
    );
}

#[test]
fn a_file_of_one_empty_sheet_offers_no_other_sheet() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.xlsx");
    let mut book = rust_xlsxwriter::Workbook::new();
    book.add_worksheet();
    book.save(&path).unwrap();
    let refused = read_whole(&path, &ReadOptions::default()).err().unwrap();
    assert!(
        matches!(refused, Error::Problem(p) if p.detail == "No sheet has any data. Add the file that holds the table.")
    );
}

#[test]
fn numbers_are_what_their_format_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.xlsx");
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    let formats = [
        ("Postcode", "00000", 1_067.0),
        ("Date", "dd.mm.yyyy", 45_571.0),
        ("Moment", "dd.mm.yyyy hh:mm", 45_571.0),
        ("Time", "hh:mm", 0.437_5),
        ("Hours", "[h]:mm", 1.510_416_666_666_666_7),
        ("Number", "0.00", 12.5),
        ("Whole", "General", 7.0),
    ];
    for (column, (name, code, value)) in (0..).zip(formats) {
        let format = rust_xlsxwriter::Format::new().set_num_format(code);
        sheet.write(0, column, name).unwrap();
        sheet.write_with_format(1, column, value, &format).unwrap();
    }
    book.save(&path).unwrap();
    let whole = read_whole(&path, &ReadOptions::default()).unwrap();
    let (rows, _) = &whole.sheets[0];
    assert_eq!(
        rows[0].cells,
        r#"["01067","2024-10-06","2024-10-06T00:00:00","10:30:00","PT36H15M",12.5,7]"#
    );
    assert_eq!(rows[0].kinds.as_deref(), Some(".dDtp.."));
}

#[test]
fn a_formula_without_a_result_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.xlsx");
    let text = "<worksheet><sheetData>\
        <row r='1'><c r='A1' t='inlineStr'><is><t>Sum</t></is></c></row>\
        <row r='2'><c r='A2'><f>1+1</f><v>2</v></c></row>\
        <row r='3'><c r='A3'><f>1+2</f></c><c r='B3'><v>5</v></c></row>\
        </sheetData></worksheet>";
    xlsx(&path, text);
    let whole = read_whole(&path, &ReadOptions::default()).unwrap();
    let notices = &whole.sheets[0].1.notices;
    let told: Vec<_> = notices
        .iter()
        .filter(|notice| notice.code == "formula-without-value")
        .map(|notice| notice.cell.as_deref())
        .collect();
    assert_eq!(told, [Some("A3")]);
}

#[test]
fn what_a_workbook_holds_besides_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.xlsx");
    let text = "<worksheet><sheetData>\
        <row r='1'><c r='A1' t='str'><v>Name</v></c><c r='B1' t='str'><v>At</v></c></row>\
        <row r='2'><c r='A2'><v>1</v></c><c r='B2' t='d'><v>2026-05-04T10:30:00Z</v></c>\
        <c r='A2'><v>2</v></c></row>\
        <row r='3'><c r='A3'><v>3</v></c><c r='B3' t='d'><v>2026-05-04T10:30:00+02:00</v></c></row>\
        <row r='4'><c r='A4'><v>4</v></c><c r='B4' t='d'><v>2026-05-04T10:30:00</v></c></row>\
        </sheetData></worksheet>";
    let workbook = "<workbook><sheets><sheet name='Chart' sheetId='1' id='r2'/>\
        <sheet name='List' sheetId='2' id='r1'/></sheets></workbook>";
    let relationships = "<Relationships>\
        <Relationship Id='r1' Type='x/worksheet' Target='worksheets/sheet1.xml'/>\
        <Relationship Id='r2' Type='x/chartsheet' Target='chartsheets/sheet1.xml'/></Relationships>";
    package(
        &path,
        &[
            ("[Content_Types].xml", CONTENT_TYPES),
            ("_rels/.rels", RELATIONSHIPS),
            ("xl/workbook.xml", workbook),
            ("xl/_rels/workbook.xml.rels", relationships),
            ("xl/worksheets/sheet1.xml", text),
        ],
    );
    let whole = read_whole(&path, &ReadOptions::default()).unwrap();
    let (rows, info) = &whole.sheets[0];
    assert_eq!(rows[0].cells, r#"[2,"2026-05-04T10:30:00"]"#);
    assert_eq!(rows[1].cells, r#"[3,"2026-05-04T10:30:00+02:00"]"#);
    let told = info.notices.iter();
    let told: Vec<_> = told.map(|n| (&*n.code, n.cell.as_deref())).collect();
    assert_eq!(
        told,
        [
            ("sheet-left-out", None),
            ("time-zone", Some("B2")),
            ("cell-twice", Some("A2")),
            ("time-zone", Some("B3")),
        ]
    );
    assert!(info.notices[0].message.contains("Chart"));
}

#[test]
fn a_sheet_that_is_cut_off_or_contradicts_itself_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.xlsx");
    let head = "<worksheet><sheetData><row r='1'><c r='A1'><v>1</v></c></row>";
    for (rest, why) in [
        ("", "the end is missing"),
        ("<row r='2'><c r='A2'><v>1</v>", "it ends in a cell"),
        (
            "<row r='1'><c r='A1'/></row></sheetData>",
            "a row twice, but empty",
        ),
        (
            "<row r='1'><c r='A1'><v>2</v></c></row></sheetData>",
            "a row twice",
        ),
        (
            "<row r='2'><c r='A3'><v>2</v></c></row></sheetData>",
            "a cell of another row",
        ),
        (
            "<row r='2'><c r='A3'/><c r='B3'><v></v></c><c r=\"C3\"/></row></sheetData>",
            "cells of another row, but empty",
        ),
        (
            "<row r='2'><c r='A2'><v>abc</v></c></row></sheetData>",
            "a number that is none",
        ),
        (
            "<row r='2'><c r='A2' t='s'><v>0</v></c></row></sheetData>",
            "a string that is not there",
        ),
    ] {
        xlsx(&path, &format!("{head}{rest}</worksheet>"));
        let outcome = code(read_whole(&path, &ReadOptions::default()));
        let expected = if why.ends_with("but empty") {
            "empty-file"
        } else {
            "unreadable-file"
        };
        assert_eq!(outcome, expected, "{why}");
    }
}

#[test]
fn a_row_that_is_begun_anew_for_each_of_its_cells_is_one_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.xlsx");
    let cell = |row: u32, column: char, text: &str| {
        format!("<row r='{row}'><c r='{column}{row}' t='str'><v>{text}</v></c></row>")
    };
    let cells = [
        cell(1, 'A', "Name"),
        cell(1, 'B', "City"),
        cell(2, 'A', "Acme"),
        cell(2, 'B', "Bonn"),
        cell(3, 'B', "Rome"),
        cell(3, 'A', "Bolt"),
    ];
    let sheet = |cells: String| format!("<worksheet><sheetData>{cells}</sheetData></worksheet>");
    xlsx(&path, &sheet(cells.concat()));
    let whole = read_whole(&path, &ReadOptions::default()).unwrap();
    let rows: Vec<_> = whole.sheets[0].0.iter().map(|row| &row.cells[..]).collect();
    assert_eq!(rows, [r#"["Acme","Bonn"]"#, r#"["Bolt","Rome"]"#]);
    // An empty beginning counts for nothing.
    let row = |number: u32, cells: &str| format!("<row r='{number}'>{cells}</row>");
    let named = |a: &str, b: &str| format!("<c t='str'><v>{a}</v></c><c t=\"str\"><v>{b}</v></c>");
    let head = row(1, &named("Name", "City"));
    for empty in ["<c/>", "<c r='A2'/><c r='B2'/>"] {
        let ann = row(2, empty) + &row(2, &named("Ann", "Rome"));
        xlsx(&path, &sheet(format!("{head}{ann}")));
        let whole = read_whole(&path, &ReadOptions::default()).unwrap();
        assert_eq!(whole.sheets[0].0[0].cells, r#"["Ann","Rome"]"#);
    }
    // Two records of one number are none, nor is a row that comes back later.
    let both = row(2, &named("Ann", "Rome")) + &row(2, &named("Bob", "Oslo"));
    xlsx(&path, &sheet(format!("{head}{both}")));
    let outcome = code(read_whole(&path, &ReadOptions::default()));
    assert_eq!(outcome, "unreadable-file");
    xlsx(&path, &sheet(cells.concat() + &cell(2, 'C', "x")));
    let outcome = code(read_whole(&path, &ReadOptions::default()));
    assert_eq!(outcome, "unreadable-file");
}

#[test]
fn an_inline_string_is_its_own_text_and_no_value_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.xlsx");
    let text = "<worksheet><sheetData>\
        <row><c t='inlineStr'><is><t>Name</t></is></c></row>\
        <row><c t='inlineStr'><is><r><t>Ac</t></r><r><t>me</t></r><rPh><t>no</t></rPh></is><v>7</v></c></row>\
        <row><c t='inlineStr'><v>Bo&amp;lt</v></c></row>\
        </sheetData></worksheet>";
    xlsx(&path, text);
    let whole = read_whole(&path, &ReadOptions::default()).unwrap();
    let rows: Vec<_> = whole.sheets[0].0.iter().map(|row| &*row.cells).collect();
    // Where there is nothing else, the value is the text.
    assert_eq!(rows, [r#"["Acme"]"#, r#"["Bo&lt"]"#]);
}

#[test]
fn days_and_time_zones_that_only_a_file_has_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.xls");
    let xml = "<?xml version='1.0'?><Workbook xmlns='urn:schemas-microsoft-com:office:spreadsheet' \
        xmlns:ss='urn:schemas-microsoft-com:office:spreadsheet'>\
        <Styles><Style ss:ID='d'><NumberFormat ss:Format='Short Date'/></Style></Styles>\
        <Worksheet ss:Name='S'><Table>\
        <Row><Cell><Data ss:Type='String'>Name</Data></Cell><Cell><Data ss:Type='String'>At</Data></Cell></Row>\
        <Row><Cell><Data ss:Type='String'>a</Data></Cell>\
        <Cell><Data ss:Type='DateTime'>2026-05-04T10:30:00Z</Data></Cell></Row>\
        <Row><Cell><Data ss:Type='String'>b</Data></Cell>\
        <Cell ss:StyleID='d'><Data ss:Type='Number'>60</Data></Cell></Row>\
        <Row><Cell><Data ss:Type='String'>c</Data></Cell>\
        <Cell ss:StyleID='d'><Data ss:Type='Number'>0</Data></Cell></Row>\
        <Row><Cell><Data ss:Type='String'>d</Data></Cell>\
        <Cell ss:StyleID='d'><Data ss:Type='Number'>61</Data></Cell></Row>\
        </Table></Worksheet></Workbook>";
    std::fs::write(&path, xml).unwrap();
    let whole = read_whole(&path, &ReadOptions::default()).unwrap();
    let (rows, info) = &whole.sheets[0];
    let cells: Vec<_> = rows.iter().map(|row| &*row.cells).collect();
    assert_eq!(
        cells,
        [
            r#"["a","2026-05-04T10:30:00"]"#,
            r#"["b","1900-02-29"]"#,
            r#"["c","1899-12-31"]"#,
            r#"["d","1900-03-01"]"#
        ]
    );
    let told = info.notices.iter().map(|n| (&*n.code, n.cell.as_deref()));
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            ("time-zone", Some("B2")),
            ("no-such-day", Some("B3")),
            ("no-such-day", Some("B4"))
        ]
    );
}

#[test]
fn time_zones_of_an_open_document_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.fods");
    let rows: Vec<String> = [
        ("a", "2024-10-06T10:30:00+02:00"),
        ("b", "2024-10-06T10:30:00Z"),
        ("c", "2024-10-06T10:30:00"),
        ("d", "2024-10-06-05:00"),
        ("e", "2024-10-06Z"),
        ("f", "2024-10-06"),
        ("g", "2024-10-06T10:30:00.5-05:00"),
    ]
    .iter()
    .map(|(name, at)| {
        let twice = if *name == "b" { 2 } else { 1 };
        format!(
            "<table:table-row><table:table-cell office:value-type='string'><text:p>{name}</text:p></table:table-cell>\
             <table:table-cell office:value-type='date' office:date-value='{at}' \
             table:number-columns-repeated='{twice}'><text:p>shown</text:p></table:table-cell></table:table-row>"
        )
    })
    .collect();
    let label = |text: &str| {
        format!(
            "<table:table-cell office:value-type='string'><text:p>{text}</text:p></table:table-cell>"
        )
    };
    let whole = format!(
        "<?xml version='1.0'?><office:document xmlns:office='urn:oasis:names:tc:opendocument:xmlns:office:1.0' \
         xmlns:table='urn:oasis:names:tc:opendocument:xmlns:table:1.0' xmlns:text='urn:oasis:names:tc:opendocument:xmlns:text:1.0' \
         office:mimetype='application/vnd.oasis.opendocument.spreadsheet'><office:body><office:spreadsheet>\
         <table:table table:name='A'><table:table-row>{}{}{}</table:table-row>{}</table:table></office:spreadsheet></office:body></office:document>",
        label("Name"),
        label("At"),
        label("Until"),
        rows.concat()
    );
    std::fs::write(&path, whole).unwrap();
    let whole = read_whole(&path, &ReadOptions::default()).unwrap();
    let (rows, info) = &whole.sheets[0];
    let cells: Vec<_> = rows.iter().map(|row| &*row.cells).collect();
    assert_eq!(
        cells,
        [
            r#"["a","2024-10-06T10:30:00+02:00"]"#,
            r#"["b","2024-10-06T10:30:00","2024-10-06T10:30:00"]"#,
            r#"["c","2024-10-06T10:30:00"]"#,
            r#"["d","2024-10-06-05:00"]"#,
            r#"["e","2024-10-06"]"#,
            r#"["f","2024-10-06"]"#,
            r#"["g","2024-10-06T10:30:00.5-05:00"]"#,
        ]
    );
    let told = info.notices.iter();
    let told: Vec<_> = told
        .map(|n| {
            (
                &*n.code,
                n.cell.as_deref().unwrap(),
                n.message.contains("UTC"),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("time-zone", "B2", false),
            ("time-zone", "B3", true),
            ("time-zone", "C3", true),
            ("time-zone", "B5", false),
            ("time-zone", "B6", true),
            ("time-zone", "B8", false),
        ]
    );
}

#[test]
fn headers_that_hold_megabytes_are_too_complex() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.xlsx");
    // One long text, used by many header cells: a small file that would fill the server's memory.
    let long = "x".repeat(30_000);
    let header = "<c t='s'><v>0</v></c>".repeat(1_000);
    let sheet = format!(
        "<worksheet><sheetData><row>{header}</row><row><c><v>1</v></c></row></sheetData></worksheet>"
    );
    let strings = format!("<sst><si><t>{long}</t></si></sst>");
    package(
        &path,
        &[
            ("[Content_Types].xml", CONTENT_TYPES),
            ("_rels/.rels", RELATIONSHIPS),
            ("xl/workbook.xml", WORKBOOK),
            ("xl/_rels/workbook.xml.rels", WORKBOOK_RELATIONSHIPS),
            ("xl/sharedStrings.xml", &strings),
            ("xl/worksheets/sheet1.xml", &sheet),
        ],
    );
    let options = ReadOptions {
        header_row: Some(1),
        ..ReadOptions::default()
    };
    assert_eq!(code(read_whole(&path, &options)), "too-complex");
}

#[test]
fn a_header_row_is_meant_for_the_sheet_that_matters() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.xlsx");
    let mut book = rust_xlsxwriter::Workbook::new();
    book.add_worksheet().set_name("Empty").unwrap();
    let list = book.add_worksheet().set_name("List").unwrap();
    list.write_column(0, 0, ["x", "y", "Name", "Acme"]).unwrap();
    let more = book.add_worksheet().set_name("More").unwrap();
    more.write_column(0, 0, ["Name", "Acme"]).unwrap();
    book.save(&path).unwrap();
    let mut options = ReadOptions {
        header_row: Some(3),
        ..ReadOptions::default()
    };
    let whole = read_whole(&path, &options).unwrap();
    assert_eq!(whole.file.default_sheet, 1);
    let header_rows: Vec<_> = whole
        .sheets
        .iter()
        .map(|(_, info)| info.header_row)
        .collect();
    assert_eq!(header_rows, [None, Some(3), Some(1)]);

    options.sheet = Some("More".to_owned());
    options.header_row = Some(1);
    let whole = read_whole(&path, &options).unwrap();
    assert_eq!(whole.sheets[2].0.len(), 1);
}

#[test]
fn files_of_excel_before_version_5_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.xls");
    // Excel 2: the start, a code page, two texts, a whole number, the end.
    let mut bytes = Vec::new();
    let mut record = |kind: u16, data: &[u8]| {
        bytes.extend(kind.to_le_bytes());
        bytes.extend(u16::try_from(data.len()).unwrap().to_le_bytes());
        bytes.extend(data);
    };
    record(0x0009, &[2, 0, 0x10, 0]);
    record(0x0042, &[0xE4, 0x04]);
    record(0x0004, &[0, 0, 0, 0, 0, 0, 0, 4, b'N', b'a', b'm', b'e']);
    record(0x0004, &[0, 0, 1, 0, 0, 0, 0, 4, b'S', b'i', b'z', b'e']);
    record(0x0004, &[1, 0, 0, 0, 0, 0, 0, 3, b'Z', b'o', 0xEB]);
    record(0x0002, &[1, 0, 1, 0, 0, 0, 0, 42, 0]);
    record(0x000A, &[]);
    std::fs::write(&path, &bytes).unwrap();
    let whole = read_whole(&path, &ReadOptions::default()).unwrap();
    assert_eq!(whole.sheets[0].0[0].cells, r#"["Zoë",42]"#);

    bytes.truncate(bytes.len() - 4);
    std::fs::write(&path, &bytes).unwrap();
    let outcome = code(read_whole(&path, &ReadOptions::default()));
    assert_eq!(outcome, "unreadable-file", "the end is missing");
}

#[test]
fn formulas_of_a_program_that_cannot_compute_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.xls");
    // Excel 2: two labels, a text, and formulas with these results.
    let told = |results: &[[u8; 8]]| {
        let mut bytes = Vec::new();
        let mut record = |kind: u16, data: &[u8]| {
            bytes.extend(kind.to_le_bytes());
            bytes.extend(u16::try_from(data.len()).unwrap().to_le_bytes());
            bytes.extend(data);
        };
        record(0x0009, &[2, 0, 0x10, 0]);
        record(0x0004, &[0, 0, 0, 0, 0, 0, 0, 4, b'N', b'a', b'm', b'e']);
        record(0x0004, &[0, 0, 1, 0, 0, 0, 0, 3, b'S', b'u', b'm']);
        for (row, result) in (1..).zip(results) {
            record(0x0004, &[row, 0, 0, 0, 0, 0, 0, 1, b'x']);
            record(
                0x0006,
                &[&[row, 0, 1, 0, 0, 0, 0], &result[..], &[0; 2]].concat(),
            );
        }
        record(0x000A, &[]);
        std::fs::write(&path, &bytes).unwrap();
        let whole = read_whole(&path, &ReadOptions::default()).unwrap();
        let notices = whole.sheets[0].1.notices.iter();
        notices
            .filter(|notice| notice.code == "formula-without-value")
            .filter_map(|notice| notice.cell.clone())
            .collect::<Vec<_>>()
    };
    let blank = [3, 0, 0, 0, 0, 0, 0xFF, 0xFF];
    assert_eq!(told(&[blank, blank]), ["B2", "B3"]);
    // Where one has a result, the others are empty texts.
    assert!(told(&[blank, 5.0_f64.to_le_bytes()]).is_empty());
}
