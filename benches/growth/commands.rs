//! What a person's commands take, and the check that most of `process` is.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::forms::companies;
use crate::lists::{self, Texts, stored};
use crate::office::peak;
use crate::works::{curve, fastest, ms};
use crate::{Curve, Kind, program};

/// Rows that are made at one time to be checked, for a million of them take more memory than the work itself.
const MADE_AT_ONCE: u32 = 10_000;

pub(crate) fn curves(sizes: [usize; 3]) -> Vec<Curve> {
    let folder = tempfile::tempdir().unwrap();
    let mut csv = curve("convert, csv", "rows", "ms", Kind::Work);
    let mut xlsx = curve("convert, xlsx", "rows", "ms", Kind::Work);
    let mut process = curve("process, four outputs", "rows", "ms", Kind::Work);
    let mut checking = curve("checking alone", "rows", "ms", Kind::Work);
    let mut csv_memory = curve("reading child, csv", "rows", "MiB", Kind::Memory);
    let mut xlsx_memory = curve("reading child, xlsx", "rows", "MiB", Kind::Memory);
    let mut texts_memory = curve(
        "reading child, xlsx, shared texts",
        "rows",
        "MiB",
        Kind::Memory,
    );
    for rows in sizes {
        let (text, book) = (folder.path().join("a.csv"), folder.path().join("a.xlsx"));
        let texts = folder.path().join("texts.xlsx");
        let list = companies("firm", rows);
        std::fs::write(&text, &list).unwrap();
        std::fs::write(&book, lists::as_workbook(&list, Texts::Inline)).unwrap();
        // Most of them never repeat, and a child that reads them keeps them all.
        lists::workbook_of_many_texts(&texts, rows);
        csv.points.push((rows, run(convert(&text))));
        xlsx.points.push((rows, run(convert(&book))));
        let out = folder.path().join(format!("out{rows}"));
        process.points.push((rows, run(process_all(&text, &out))));
        checking.points.push((rows, fastest(|| check(rows))));
        for (curve, file) in [
            (&mut csv_memory, &text),
            (&mut xlsx_memory, &book),
            (&mut texts_memory, &texts),
        ] {
            let most = peak::run_with_child(&mut convert(file));
            curve.points.push((rows, most.child));
        }
    }
    vec![
        csv,
        xlsx,
        process,
        checking,
        csv_memory,
        xlsx_memory,
        texts_memory,
    ]
}

fn sheetline(command: &str, file: &Path) -> Command {
    let mut program = Command::new(program::executable());
    program
        .arg(command)
        .arg(file)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    program
}

fn convert(file: &Path) -> Command {
    sheetline("convert", file)
}

fn process_all(file: &Path, out: &Path) -> Command {
    let mut command = sheetline("process", file);
    command.args(["--template", "companies", "--out"]).arg(out);
    command
}

/// Milliseconds of a command.
fn run(mut command: Command) -> f64 {
    fastest(|| {
        let began = Instant::now();
        assert!(command.status().unwrap().success(), "{command:?}");
        ms(began)
    })
}

/// Milliseconds in which one core checks so many stored rows, the making of them left out.
fn check(rows: usize) -> f64 {
    let rows = u32::try_from(rows).unwrap();
    let mut checker = stored::checker();
    let mut took = Duration::ZERO;
    for first in (0..rows).step_by(MADE_AT_ONCE as usize) {
        let some = stored::rows(first..rows.min(first + MADE_AT_ONCE));
        let began = Instant::now();
        stored::check(&mut checker, &some);
        took += began.elapsed();
    }
    let began = Instant::now();
    std::hint::black_box(checker.report(0.0));
    (took + began.elapsed()).as_secs_f64() * 1_000.0
}
