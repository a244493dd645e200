//! Promises of reading, on files that were damaged on purpose: refused in words or read as before,
//! never a hang, never a part for the whole.
//!
//! The files are those of `tests/fixtures` and `samples`, of every format, and those of
//! `../shared/corpus`, where that is.

use std::io::{Cursor, Read, Write};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sheetline::error::Error;
use sheetline::sheet::protocol::Output;
use sheetline::sheet::{Limits, ReadOptions, Row, delimited, is_workbook, sniff, workbook};

use crate::random::Random;
use crate::reader::read_whole;

/// Damaged copies of each file of the corpus.
const COPIES: usize = 7;

/// Damaged copies of each of our own.
const OWN_COPIES: usize = 40;

/// Larger files cost time and show nothing else.
const FILE_BYTES_MAX: u64 = 60_000;

const WITHIN: Duration = Duration::from_secs(20);

/// Sound files that have other names than their formats: a web page, XML Spreadsheet 2003, UTF-16.
const MISNAMED: [&str; 3] = [
    "html_report.xls",
    "spreadsheetml_2003.xls",
    "tab_text_renamed.xls",
];

/// What the names of tables end in.
const ENDS: [&str; 7] = [".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".csv", ".tsv"];

/// Small and sound files of every format.
fn files() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = here.join("../shared/corpus/files");
    if !corpus.exists() {
        println!("only this folder's own files: there is no folder ../shared/corpus");
    }
    let kinds = [
        "xlsx", "xlsm", "xlsb", "xls", "ods", "csv", "tsv", "hostile",
    ];
    let own = [here.join("tests/fixtures"), here.join("samples")];
    let mut files: Vec<PathBuf> = own
        .into_iter()
        .chain(kinds.map(|kind| corpus.join(kind)))
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.to_string_lossy();
            ENDS.iter().any(|end| name.ends_with(end))
                && (!name.contains("hostile") || MISNAMED.iter().any(|end| name.ends_with(end)))
        })
        .filter(|path| path.metadata().unwrap().len() < FILE_BYTES_MAX)
        .collect();
    files.sort();
    files
}

/// How many damaged copies are made of a file: more of those that are there everywhere.
fn copies(file: &Path) -> usize {
    let own = file.components().any(|part| part.as_os_str() == "fixtures");
    if own { OWN_COPIES } else { COPIES }
}

#[test]
fn what_is_damaged_everywhere_is_of_every_format() {
    let files = files();
    let own: Vec<&PathBuf> = files
        .iter()
        .filter(|file| copies(file) == OWN_COPIES)
        .collect();
    for name in [
        "zeros.xlsx",
        "zeros.xlsb",
        "zeros.xls",
        "zeros.ods",
        "zeros-2003.xls",
        "page.xls",
        "list.csv",
        "latin1.tsv",
    ] {
        assert!(own.iter().any(|file| file.ends_with(name)), "{name}");
    }
}

/// Damages a file in one of the ways in which files get damaged.
fn damage(bytes: &mut Vec<u8>, dice: &mut Random) {
    match dice.below(5) {
        0 => bytes.truncate(dice.below(bytes.len())),
        1 => {
            for _ in 0..=dice.below(8) {
                let at = dice.below(bytes.len());
                bytes[at] = u8::try_from(dice.below(256)).unwrap();
            }
        }
        2 => {
            // A sector of zeros.
            let begin = dice.below(bytes.len()) / 512 * 512;
            let end = (begin + 512).min(bytes.len());
            bytes[begin..end].fill(0);
        }
        3 => {
            // A piece twice.
            let begin = dice.below(bytes.len());
            let end = (begin + 1 + dice.below(2_000)).min(bytes.len());
            let piece = bytes[begin..end].to_vec();
            let at = dice.below(bytes.len());
            bytes.splice(at..at, piece);
        }
        _ => {
            // A number that is as large as can be.
            let at = dice.below(bytes.len().saturating_sub(4));
            let end = (at + 4).min(bytes.len());
            bytes[at..end].fill(0xFF);
        }
    }
}

fn rows(path: &Path) -> Result<Vec<Vec<Row>>, Error> {
    let whole = read_whole(path, &ReadOptions::default())?;
    Ok(whole.sheets.into_iter().map(|(rows, _)| rows).collect())
}

#[test]
fn a_damaged_file_is_refused_in_words_or_read_as_before() {
    let files = files();
    let folder = tempfile::tempdir().unwrap();
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    let Some(file) = files.get(number) else { break };
                    let copy = folder.path().join(format!("copy{number}"));
                    let found = check(file, &copy, u64::try_from(number).unwrap());
                    failures.lock().unwrap().extend(found);
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What went wrong with the damaged copies of one file.
fn check(file: &Path, copy: &Path, number: u64) -> Vec<String> {
    let sound = std::fs::read(file).unwrap();
    let before = rows(file).ok();
    let packed = sound.starts_with(b"PK");
    let mut dice = Random(0x9E37_79B9_7F4A_7C15 ^ (number + 1).wrapping_mul(0xBF58_476D_1CE4_E5B9));
    let mut failures = Vec::new();
    for nth in 0..copies(file) {
        let mut bytes = sound.clone();
        damage(&mut bytes, &mut dice);
        std::fs::write(copy, &bytes).unwrap();
        let began = Instant::now();
        let why = match rows(copy) {
            // A package has checksums, so that what differs is noticed.
            Ok(after) if packed && bytes.starts_with(b"PK") && before.as_ref() != Some(&after) => {
                Some("was read as something else".to_owned())
            }
            Ok(_) | Err(Error::Problem(_)) => None,
            Err(error) => Some(error.to_string()),
        };
        let took = began.elapsed();
        let why = why.or_else(|| (took > WITHIN).then(|| format!("took {took:?}")));
        failures.extend(why.map(|why| format!("{}, copy {nth}: {why}", file.display())));
    }
    failures
}

/// A package with one of its parts damaged, and its checksums right again.
fn with_damaged_part(bytes: &[u8], dice: &mut Random) -> Option<Vec<u8>> {
    let mut from = zip::ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut to = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let chosen = dice.below(from.len());
    for index in 0..from.len() {
        let mut member = from.by_index(index).ok()?;
        let name = member.name().ok()?.into_owned();
        let mut part = Vec::new();
        member.read_to_end(&mut part).ok()?;
        if index == chosen && !part.is_empty() {
            damage(&mut part, dice);
        }
        let stored = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        to.start_file(name, stored).ok()?;
        to.write_all(&part).ok()?;
    }
    Some(to.finish().ok()?.into_inner())
}

#[test]
fn no_parser_panics_whatever_a_part_holds() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy");
    let limits = Limits::default();
    let options = ReadOptions::default();
    let mut failures = Vec::new();
    for (number, file) in (1_u64..).zip(files()) {
        let sound = std::fs::read(&file).unwrap();
        let Ok(format) = sniff::sniff(&file, &limits) else {
            continue;
        };
        let mut dice = Random(0x2545_F491_4F6C_DD1D ^ number.wrapping_mul(0x94D0_49BB_1331_11EB));
        for nth in 0..copies(&file) {
            let mut bytes = sound.clone();
            if sound.starts_with(b"PK") {
                match with_damaged_part(&sound, &mut dice) {
                    Some(damaged) => bytes = damaged,
                    None => break,
                }
            } else {
                damage(&mut bytes, &mut dice);
            }
            std::fs::write(&copy, &bytes).unwrap();
            let mut written = Vec::new();
            let read = std::panic::catch_unwind(AssertUnwindSafe(|| {
                let mut out = Output::new(&mut written, &limits);
                if is_workbook(format) {
                    workbook::read(&copy, format, &options, &mut out).map(|_| ())
                } else {
                    delimited::read(&mut Cursor::new(&bytes), &options, &mut out)
                }
            }));
            match read {
                Ok(Ok(()) | Err(Error::Problem(_))) => {}
                Ok(Err(error)) => failures.push(format!("{}, copy {nth}: {error}", file.display())),
                Err(_) => failures.push(format!("{}, copy {nth}: panics", file.display())),
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
