//! Reading text files beside their bound: `cargo bench --bench text`, with `-- --quick` for a short run. Each figure
//! stands beside the time in which the csv crate merely counts the same records, in turn with it: neither divan nor
//! criterion can take turns, and on a machine whose pace wavers a ratio of figures taken one after the other says
//! little. The loop is built as this bench is, also where SHEETLINE_BIN names a program that was optimised at the link.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench prints its figures and gives up where something fails"
)]

#[allow(dead_code, reason = "shared with the other benches")]
mod lists;
#[path = "office/program.rs"]
mod program;

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sheetline::sheet::protocol::Output;
use sheetline::sheet::{Limits, ReadOptions, delimited};

use lists::{bounds, digits, numbers, plain, quoted, scripts};

/// How many times as long as the csv crate's counting loop `convert` may take with 500,000 rows in many
/// scripts, 140 bytes each. The other lists have no bound of their own.
const BOUND: f64 = 4.0;

/// Rounds, of each work of which the fastest counts.
const ROUNDS: usize = 7;

fn main() {
    // `cargo test --benches` and `--all-targets` start it, too, without this: then there is nothing to do.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // A short run that only sees to it that the bench still works.
    let part = if std::env::args().any(|argument| argument == "--quick") {
        100
    } else {
        1
    };
    let (many, most) = (100_000 / part, 500_000 / part);
    println!("csv, 6 columns                       ms    x the csv crate's counting loop");
    for (name, list, rows, bound) in [
        (
            "many scripts",
            scripts as fn(usize) -> Vec<u8>,
            most,
            Some(BOUND),
        ),
        ("many scripts", scripts, many, None),
        ("plain", plain, most, None),
        ("plain", plain, many, None),
        ("plain, all in quotes", quoted, many, None),
        ("numbers", numbers, many, None),
        ("numbers of 17 digits", digits, many, None),
    ] {
        let path = folder.path().join("list.csv");
        let text = list(rows);
        std::fs::write(&path, &text).unwrap();
        println!(
            "{rows} rows, {name}, {} bytes a row: {}",
            text.len() / rows,
            match bound {
                Some(bound) => format!("`convert` at most {bound:.1} x"),
                None => "no bound of its own".to_owned(),
            }
        );
        measure(rows, &path);
    }
    let path = folder.path().join("small.csv");
    std::fs::write(&path, plain(100)).unwrap();
    let small = (0..ROUNDS).map(|_| time(|| convert(&path))).min();
    println!(
        "convert of 10 KB: {:.1} ms (at most 15 ms)",
        ms(small.unwrap())
    );
}

fn measure(rows: usize, path: &Path) {
    let (mut count, mut read, mut whole) = (Duration::MAX, Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        count = count.min(time(|| assert_eq!(bounds::count(path), rows)));
        read = read.min(time(|| read_in_process(path)));
        whole = whole.min(time(|| convert(path)));
    }
    println!("  counting loop of the csv crate {:>7.1}", ms(count));
    for (what, took) in [
        ("rows, in process", read),
        ("convert, the whole command", whole),
    ] {
        println!(
            "  {what:<30} {:>7.1}  {:.1}",
            ms(took),
            ms(took) / ms(count)
        );
    }
}

fn read_in_process(path: &Path) {
    let limits = Limits::default();
    let mut sink = io::sink();
    let mut out = Output::new(&mut sink, &limits);
    let mut file = File::open(path).unwrap();
    delimited::read(&mut file, &ReadOptions::default(), &mut out).unwrap();
}

/// The command as a person runs it.
fn convert(path: &Path) {
    let status = Command::new(program::executable())
        .arg("convert")
        .arg(path)
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

fn time(run: impl FnOnce()) -> Duration {
    let began = Instant::now();
    run();
    began.elapsed()
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
