//! Promises of reading, on files that others made: what independent readers find in them is found,
//! and what nobody should read is refused in time.
//!
//! The files lie beside this folder, in `../shared/corpus`; without them there is nothing to check.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use sha2::{Digest, Sha256};
use sheetline::error::Error;
use sheetline::sheet::{Cell, ReadOptions, Row, SheetInfo};

use crate::reader::{Whole, read_whole};

/// How long a file that is refused may take.
const REFUSED_WITHIN: Duration = Duration::from_secs(10);

/// What is not read as the corpus says, and why. A file that is read after all must leave the list.
const KNOWN: &[(&str, &str)] = &[
    (
        "files/hostile/wide_20000_columns.csv",
        "more columns than the contract reads",
    ),
    (
        "files/csv/sheetjs_number_format_russian.2.csv",
        "it has no letters but the signs £, ¥ and €, which the corpus takes for Cyrillic ones",
    ),
];

fn corpus() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    if folder.join("manifest.json").exists() {
        return Some(folder);
    }
    say("skipped: there is no folder ../shared/corpus");
    None
}

#[expect(clippy::print_stdout, reason = "for the person who runs the tests")]
fn say(line: &str) {
    println!("{line}");
}

#[test]
fn what_others_find_in_a_file_is_found() {
    let Some(folder) = corpus() else { return };
    let manifest = std::fs::read_to_string(folder.join("manifest.json")).unwrap();
    let entries: Vec<Value> = serde_json::from_str(&manifest).unwrap();
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(entry) = entries.get(next.fetch_add(1, Ordering::SeqCst)) {
                    if let Err(why) = check(&folder, entry) {
                        let file = entry["file"].as_str().unwrap().to_owned();
                        failures.lock().unwrap().push((file, why));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    let failed: BTreeSet<&str> = failures.iter().map(|(file, _)| file.as_str()).collect();
    let known: BTreeSet<&str> = KNOWN.iter().map(|(file, _)| *file).collect();
    for (file, why) in &failures {
        if !known.contains(file.as_str()) {
            say(&format!("{file}: {why}"));
        }
    }
    assert_eq!(
        failed, known,
        "left: what failed; right: what is known to fail"
    );
}

/// Whether one file is read, or refused, as it should be.
fn check(folder: &Path, entry: &Value) -> Result<(), String> {
    let path = folder.join(entry["file"].as_str().unwrap());
    let began = Instant::now();
    let read = read_whole(&path, &ReadOptions::default());
    let took = began.elapsed();
    let lenient = entry["lenient"] == true;
    let has_a_time = entry["expect"] == "error" || entry.get("limits").is_some();
    if has_a_time && took > REFUSED_WITHIN {
        return Err(format!("took {took:?}"));
    }
    match read {
        Ok(whole) if entry["expect"] == "ok" || lenient => compare(&whole, entry),
        Ok(_) => Err("was read".to_owned()),
        Err(Error::Problem(problem)) => {
            let code = problem.code.as_str();
            let fits = match entry["kind"].as_str() {
                Some("password") => code == "password-protected",
                Some("too_large") => code == "too-complex",
                Some("empty") => code == "empty-file",
                Some(_) | None => matches!(code, "unreadable-file" | "unsupported-format"),
            };
            let may = entry["expect"] == "error" || lenient;
            if (may && fits) || (code == "empty-file" && has_no_rows(entry)) {
                return Ok(());
            }
            Err(format!("refused: {code}: {}", problem.detail))
        }
        Err(error) => Err(format!("failed: {error}")),
    }
}

/// Whether no sheet of the file has more than a header.
fn has_no_rows(entry: &Value) -> bool {
    entry["sheets"].as_array().is_some_and(|sheets| {
        sheets
            .iter()
            .all(|sheet| sheet["rows"].as_u64().unwrap_or(0) < 2 || sheet["nonempty"] == 1)
    })
}

fn compare(whole: &Whole, entry: &Value) -> Result<(), String> {
    let Some(sheets) = entry["sheets"].as_array().filter(|s| !s.is_empty()) else {
        return Ok(());
    };
    let mut wrong = Vec::new();
    let wanted: Vec<&Value> = sheets
        .iter()
        .filter(|sheet| sheet.get("kind").is_none())
        // Some readers count dialog sheets as worksheets; they hold no cells.
        .filter(|sheet| sheet["nonempty"] != 0 || whole.has(&sheet["name"]))
        .collect();
    if wanted.len() != whole.sheets.len() {
        return Err(format!(
            "{} sheets instead of {}",
            whole.sheets.len(),
            wanted.len()
        ));
    }
    for (wanted, (rows, info)) in wanted.iter().zip(&whole.sheets) {
        if wanted["name"].as_str() != info.name.as_deref() {
            wrong.push(format!("sheet {} is {:?}", wanted["name"], info.name));
        }
        for cell in wanted["cells"].as_array().into_iter().flatten() {
            if let Err(why) = find(rows, info, cell) {
                wrong.push(format!("{} {cell}: {why}", wanted["name"]));
            }
        }
    }
    for text in entry["must_not_contain"].as_array().into_iter().flatten() {
        let text = text.as_str().unwrap();
        let rows = whole.sheets.iter().flat_map(|(rows, _)| rows);
        if rows.into_iter().any(|row| row.cells.contains(text)) {
            wrong.push(format!("contains {text}"));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let count = wrong.len();
    wrong.truncate(6);
    Err(format!("{count} wrong:\n    {}", wrong.join("\n    ")))
}

impl Whole {
    fn has(&self, name: &Value) -> bool {
        let mut names = self.sheets.iter().map(|(_, info)| info.name.as_deref());
        names.any(|known| known == name.as_str())
    }
}

/// Whether a sampled cell is where it should be.
fn find(rows: &[Row], info: &SheetInfo, cell: &Value) -> Result<(), String> {
    let more = &cell[4];
    if more["disputed"] == true {
        return Ok(());
    }
    let number = u32::try_from(cell[0].as_u64().unwrap()).unwrap() + 1;
    let column = usize::try_from(cell[1].as_u64().unwrap()).unwrap();
    let header = info.header_row.unwrap_or(0);
    if number < header {
        // A title, or an upper line of the header.
        return Ok(());
    }
    if number == header {
        return in_header(info, column, cell);
    }
    let at = rows.binary_search_by_key(&number, |row| row.number);
    let found = match at.map(|at| rows[at].values().unwrap()) {
        Ok(values) => values.get(column).cloned().unwrap_or(Cell::Empty),
        Err(_) => Cell::Empty,
    };
    let accepted = more["accept"].as_array().into_iter().flatten();
    let fits = std::iter::once((&cell[2], &cell[3]))
        .chain(accepted.map(|other| (&other[0], &other[1])))
        .any(|(kind, value)| {
            is(
                &found,
                kind.as_str().unwrap(),
                value,
                more,
                info.name.is_none(),
            )
        });
    if fits {
        return Ok(());
    }
    Err(format!("found {found:?}"))
}

fn in_header(info: &SheetInfo, column: usize, cell: &Value) -> Result<(), String> {
    let label = info
        .columns
        .iter()
        .find(|known| known.index == column)
        .and_then(|known| known.label.as_deref());
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    match (cell[2].as_str(), cell[3].as_str(), label) {
        (Some("string"), Some(text), Some(label)) if !words(label).contains(&words(text)) => {
            Err(format!("the header is {label:?}"))
        }
        (Some("string"), Some(text), None) if !text.trim().is_empty() => {
            Err("has no header".to_owned())
        }
        _ => Ok(()),
    }
}

/// Whether a cell holds that value, in the words of the corpus.
fn is(found: &Cell<'_>, kind: &str, value: &Value, more: &Value, in_text: bool) -> bool {
    let zeros = more["fmt"].as_str().map_or(0, leading_zeros);
    match (kind, found) {
        ("string", Cell::Text(text)) => same_text(text, value.as_str().unwrap(), more),
        ("string", Cell::Empty) => value == "",
        ("int", Cell::Text(text)) if zeros > 1 => {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            digits.len() >= zeros && digits.parse::<u64>().ok() == value.as_u64()
        }
        ("int" | "float", Cell::Number(text)) => {
            let (found, wanted) = (text.parse::<f64>().unwrap(), value.as_f64().unwrap());
            (found - wanted).abs() <= wanted.abs() * 1e-9
        }
        // In a text file what looks like a number and prints back the same is one.
        ("string", Cell::Number(text)) => in_text && value == text,
        ("float", Cell::Empty) => value == "NaN",
        ("bool", Cell::Bool(found)) => value == found,
        // The number format decides, which not all of the corpus's readers see.
        ("datetime", Cell::Date(text)) if more.get("fmt").is_none() => {
            value.as_str() == Some(&format!("{text}T00:00:00"))
        }
        ("date", Cell::Date(text))
        | ("datetime", Cell::DateTime(text))
        | ("time", Cell::Time(text))
        | ("duration", Cell::Duration(text)) => same_moment(text, value.as_str().unwrap()),
        ("error", Cell::Error) => true,
        ("empty", Cell::Empty) => true,
        _ => false,
    }
}

/// The digits that a format of zeros and what stands between them shows at least: 9 for
/// `000\\-00\\-0000`, of the last section that has any.
fn leading_zeros(code: &str) -> usize {
    let sections = code.rsplit(';').map(|section| {
        let plain = section.rsplit(']').next().unwrap_or("");
        let fits = plain
            .bytes()
            .all(|byte| matches!(byte, b'0' | b'-' | b'\\'));
        plain.bytes().filter(|byte| fits && *byte == b'0').count()
    });
    sections.max().unwrap_or(0)
}

/// `PT61H0M0S` and `PT61H` are the same, and so are `.5` and `.500`.
fn same_moment(found: &str, wanted: &str) -> bool {
    let plain = |text: &str| {
        let text = text
            .replace("H0M0S", "H")
            .replace("M0S", "M")
            .replace("H0M", "H");
        match text.strip_prefix("PT") {
            Some(rest) => format!(
                "PT{}",
                rest.trim_start_matches("0H").trim_start_matches("0M")
            ),
            None => text,
        }
    };
    plain(found) == plain(wanted)
}

fn same_text(found: &str, wanted: &str, more: &Value) -> bool {
    let plain = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n");
    if more["cut"] != true {
        return plain(found) == plain(wanted);
    }
    let hash: String = Sha256::digest(found.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let others = more["accept_sha256"].as_array().into_iter().flatten();
    others
        .chain([&more["sha256"]])
        .any(|wanted| *wanted == hash.as_str())
}
