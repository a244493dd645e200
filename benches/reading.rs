//! How long reading takes, beside the time in which calamine merely visits the same cells, in the
//! same run. Times differ from machine to machine, ratios hardly.
//!
//! `cargo bench --bench reading`, with `-- --quick` for a short run on small files.

#![allow(clippy::unwrap_used, reason = "a bench gives up where something fails")]
#![allow(clippy::print_stdout, reason = "its figures are for people")]

use std::path::Path;
use std::time::{Duration, Instant};

use calamine::{Reader as _, Xlsx};
use rust_xlsxwriter::{Format, Workbook};
use sheetline::sheet::reader::{ReadJob, read};
use sheetline::sheet::{Event, Limits, ReadOptions};
use sheetline::stop::Stop;

const ROUNDS: usize = 7;

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let (rows, rounds) = if quick { (2_000, 2) } else { (100_000, ROUNDS) };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("companies.xlsx");
    write(&path, rows);

    // In turns, so that whatever else the machine does slows both alike.
    let (mut bound, mut ours) = (Duration::MAX, Duration::MAX);
    for _ in 0..rounds {
        bound = bound.min(time(|| visit(&path)));
        ours = ours.min(time(|| read_whole(&path)));
    }
    println!(
        "xlsx, {rows} x 6: calamine visits in {bound:.1?}; read by the child in {ours:.1?}: {:.2} x (at most 1.5)",
        ours.as_secs_f64() / bound.as_secs_f64()
    );

    let small = folder.path().join("small.xlsx");
    write(&small, 100);
    let took = (0..3 * rounds).map(|_| time(|| read_whole(&small))).min();
    println!(
        "xlsx, 100 x 6: read in {:.1?} with the child's start (at most 15 ms)",
        took.unwrap()
    );
}

fn time<T>(work: impl FnOnce() -> T) -> Duration {
    let began = Instant::now();
    std::hint::black_box(work());
    began.elapsed()
}

/// A company list: texts that repeat, texts that don't, numbers and dates.
fn write(path: &Path, rows: u32) {
    let date = Format::new().set_num_format("yyyy-mm-dd");
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let names = ["Name", "URL", "Size", "Industry", "Revenue", "Since"];
    sheet.write_row(0, 0, names).unwrap();
    for row in 1..=rows {
        sheet.write(row, 0, format!("Company {row}")).unwrap();
        let url = format!("https://www.linkedin.com/company/c-{row}");
        sheet.write(row, 1, url).unwrap();
        sheet
            .write(row, 2, ["1-10", "11-50", "51-200"][row as usize % 3])
            .unwrap();
        sheet
            .write(row, 3, ["Food", "Software", "Steel"][row as usize % 3])
            .unwrap();
        sheet.write(row, 4, f64::from(row) * 12.5).unwrap();
        sheet
            .write_with_format(row, 5, 40_000 + row % 5_000, &date)
            .unwrap();
    }
    book.save(path).unwrap();
}

fn visit(path: &Path) -> u64 {
    let mut book: Xlsx<_> = calamine::open_workbook(path).unwrap();
    let names = book.sheet_names();
    let mut cells = book.worksheet_cells_reader(&names[0]).unwrap();
    let mut count = 0;
    while let Some(cell) = cells.next_cell().unwrap() {
        std::hint::black_box(cell);
        count += 1;
    }
    count
}

fn read_whole(path: &Path) -> u64 {
    let mut reader = read(
        &ReadJob {
            executable: Path::new(env!("CARGO_BIN_EXE_sheetline")),
            path,
            format: None,
            options: &ReadOptions::default(),
            limits: &Limits::default(),
        },
        &Stop::new(),
    )
    .unwrap();
    let mut rows = 0;
    while let Some(events) = reader.next_batch().unwrap() {
        for event in events {
            if let Event::Row(row) = std::hint::black_box(event) {
                rows += row.cells.len() as u64;
            }
        }
    }
    rows
}
