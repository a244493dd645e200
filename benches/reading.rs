//! How long reading a workbook takes and what it has in memory, beside calamine, which merely visits the same cells
//! in the same run. The two take turns: neither divan nor criterion can do that, and on a machine whose pace wavers a
//! ratio of figures taken one after the other says little. Times differ from machine to machine, ratios hardly.
//! calamine is built as this bench is, also where SHEETLINE_BIN names a program that was optimised at the link.
//!
//! `cargo bench --bench reading`, with `-- --quick` for a short run on small files.

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

use lists::bounds::visit;
use sheetline::sheet::reader::{ReadJob, read};
use sheetline::sheet::{Event, Limits, ReadOptions};
use sheetline::stop::Stop;

const ROUNDS: usize = 7;

/// With this argument and a path the bench is a program that visits the cells and ends: what it has in memory
/// is the bound of what `convert` may have.
const VISIT: &str = "--visit";

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some([_, path]) = arguments.windows(2).find(|two| two[0] == VISIT) {
        visit(Path::new(path));
        return;
    }
    // `cargo test --benches` and `--all-targets` start it, too, without this: then there is nothing to do.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let (part, rounds) = if quick { (50, 2) } else { (1, ROUNDS) };
    let rows = 100_000 / part;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("companies.xlsx");
    lists::workbook(&path, rows);
    times(&path, rows, rounds);

    let small = folder.path().join("small.xlsx");
    lists::workbook(&small, 100);
    let took = (0..3 * rounds).map(|_| time(|| read_whole(&small))).min();
    println!(
        "xlsx, 100 x 6: read in {:.1?} with the child's start (at most 15 ms)",
        took.unwrap()
    );

    memory("half of the texts repeat", &path, rows);
    let many = folder.path().join("texts.xlsx");
    lists::workbook_of_many_texts(&many, 2 * rows);
    memory("most texts never repeat", &many, 2 * rows);
}

fn times(path: &Path, rows: usize, rounds: usize) {
    let (mut bound, mut ours, mut whole) = (Duration::MAX, Duration::MAX, Duration::MAX);
    for _ in 0..rounds {
        bound = bound.min(time(|| visit(path)));
        ours = ours.min(time(|| read_whole(path)));
        whole = whole.min(time(|| {
            assert!(convert(path).status().unwrap().success());
        }));
    }
    println!("xlsx, {rows} x 6: calamine visits in {bound:.1?}");
    for (what, took) in [("rows, by the child", ours), ("convert, whole", whole)] {
        println!(
            "  {what:<18} {took:.1?}: {:.2} x (at most 1.5)",
            took.as_secs_f64() / bound.as_secs_f64()
        );
    }
}

/// Of `convert`, which is two processes, beside that of a program that visits the same cells.
fn memory(kind: &str, path: &Path, rows: usize) {
    let mut visitor = Command::new(std::env::current_exe().unwrap());
    let bound = peak::run_alone(visitor.arg(VISIT).arg(path)).largest;
    let most = peak::run_with_child(&mut convert(path));
    println!("xlsx, {rows} x 6, {kind}: calamine visits in {bound:.0} MiB");
    for (what, mib, bound_said) in [
        ("convert, the child", most.child, " (at most 2)"),
        ("the larger of both", most.largest, ""),
        ("both together", most.together, ""),
    ] {
        println!(
            "  {what:<18} {mib:.0} MiB: {:.2} x{bound_said}",
            mib / bound
        );
    }
}

/// The command as a person runs it.
fn convert(path: &Path) -> Command {
    let mut command = Command::new(program::executable());
    command.arg("convert").arg(path).stdout(Stdio::null());
    command
}

fn time<T>(work: impl FnOnce() -> T) -> Duration {
    let began = Instant::now();
    std::hint::black_box(work());
    began.elapsed()
}

/// Each row, told by the reading child; how many bytes they are.
fn read_whole(path: &Path) -> u64 {
    let mut reader = read(
        &ReadJob {
            executable: &program::executable(),
            path,
            format: None,
            options: &ReadOptions::default(),
            limits: &Limits::default(),
        },
        &Stop::new(),
    )
    .unwrap();
    let mut bytes = 0;
    while let Some(events) = reader.next_batch().unwrap() {
        for event in events {
            if let Event::Row(row) = std::hint::black_box(event) {
                bytes += row.cells.len() as u64;
            }
        }
    }
    bytes
}
