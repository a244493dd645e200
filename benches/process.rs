//! Checking a list with all that comes of it, as a person runs it: `process` writes report, records, table and
//! annotated workbook of 100,000 rows. `cargo bench --bench process`, with `-- --quick` for a short run.
//! Checking alone is in `rooms`.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints its figures and gives up where something fails"
)]

#[allow(dead_code, reason = "shared with the other benches")]
mod lists;
#[path = "office/peak.rs"]
#[allow(dead_code, reason = "shared with the other benches")]
mod peak;
#[path = "office/program.rs"]
mod program;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How the command ends where a row is no record.
const FAULTS_FOUND: Option<i32> = Some(1);

fn main() {
    // `cargo test --benches` and `--all-targets` start it, too, without this: then there is nothing to do.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let quick = std::env::args().any(|argument| argument == "--quick");
    let (rows, rounds) = if quick { (2_000, 2) } else { (100_000, 7) };
    let folder = tempfile::tempdir().unwrap();
    let (csv, xlsx) = (folder.path().join("a.csv"), folder.path().join("a.xlsx"));
    let out = folder.path().join("out");
    lists::spoiled(rows, &csv, &xlsx);
    let (mut text, mut book) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        text.push(seconds(&csv, &out));
        book.push(seconds(&xlsx, &out));
    }
    println!("process, {rows} rows of many scripts, four outputs");
    for (file, mut took, bound) in [(&csv, text, 0.7), (&xlsx, book, 1.0)] {
        // By itself, so that looking at it takes nothing from a time.
        let mut child = process(file, &out).spawn().unwrap();
        let watch = peak::Watch::of(child.id());
        assert_eq!(child.wait().unwrap().code(), FAULTS_FOUND);
        let memory = watch.most();
        took.sort();
        println!(
            "  {:<4} {:.2} s, median {:.2} s (at most {bound:.1}); memory {:.0} MiB with the reading child, \
             the larger of both {:.0} MiB",
            file.extension().unwrap().display(),
            took[0].as_secs_f64(),
            took[took.len() / 2].as_secs_f64(),
            memory.together,
            memory.largest,
        );
    }
    tell_outputs(&out);
}

fn process(file: &Path, out: &Path) -> Command {
    let mut command = Command::new(program::executable());
    command
        .arg("process")
        .arg(file)
        .args(["--template", "companies", "--out"])
        .arg(out)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn seconds(file: &Path, out: &Path) -> Duration {
    // Without what the round before has written, as a person's first run.
    if out.exists() {
        std::fs::remove_dir_all(out).unwrap();
    }
    let began = Instant::now();
    let status = process(file, out).status().unwrap();
    assert_eq!(status.code(), FAULTS_FOUND);
    began.elapsed()
}

/// What the last run found, so that a reader sees that it was the whole work.
fn tell_outputs(out: &Path) {
    let report = std::fs::read(out.join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    let stats = &report["stats"];
    println!(
        "  of {} rows {} are records, {} problems",
        stats["rows"], stats["valid"], stats["errors"]
    );
    for output in [
        "report.json",
        "records.ndjson",
        "records.csv",
        "annotated.xlsx",
    ] {
        let bytes = out.join(output).metadata().unwrap().len();
        println!("  {output:<15} {:>5.1} MB", bytes as f64 / 1e6);
    }
}
