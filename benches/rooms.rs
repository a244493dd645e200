//! The rooms alone, in process and on one core, each beside its bound: `cargo bench --bench rooms`, or one of
//! them with `-- checking`; an item of its table is a row. What a room is part of (the child's start, its pipe, the
//! disk) is measured by the other benches.
//!
//! divan measures one work after the other. Where the machine's pace wavers and a ratio matters, `reading` and `text`
//! take both in turn.

#![expect(clippy::unwrap_used, reason = "a bench gives up where something fails")]

#[allow(dead_code, reason = "shared with the other benches")]
mod lists;

use std::fs::File;
use std::io;
use std::path::Path;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use lists::{bounds, stored};
use sheetline::sheet::document::Objects;
use sheetline::sheet::protocol::Output;
use sheetline::sheet::{Limits, ReadOptions, Row, delimited};
use sheetline::store::packs;
use sheetline::words::Format;
use sheetline::zlib;
use tempfile::NamedTempFile;

fn main() {
    if is_quick() {
        divan::Divan::default().test_benches();
    } else {
        divan::main();
    }
}

/// Whether each work is only to be done once, on a short list, so that the bench can't rot: `-- --quick` as in the
/// other benches, or `-- --test` as divan and cargo have it.
fn is_quick() -> bool {
    std::env::args().any(|argument| argument == "--quick" || argument == "--test")
}

/// So many rows, or a hundredth of them in a short run.
fn scaled(rows: usize) -> usize {
    if is_quick() { rows / 100 } else { rows }
}

/// How often each work is done; each time is one sample.
const SAMPLES: u32 = 10;

/// A work on a file of so many rows.
fn on_file<T>(
    bencher: Bencher<'_, '_>,
    file: &NamedTempFile,
    rows: usize,
    work: impl Fn(&Path) -> T,
) {
    bencher
        .counter(ItemsCount::new(rows))
        .bench_local(|| work(black_box(file.path())));
}

/// What reads a file, with everything that it tells thrown away.
fn reads(read: impl FnOnce(&ReadOptions, &mut Output<'_>)) {
    let mut sink = io::sink();
    let limits = Limits::default();
    read(
        &ReadOptions::default(),
        &mut Output::new(&mut sink, &limits),
    );
}

/// A workbook of 100,000 x 6 cells to rows (in the child, `reading` says: at most 1.5 x the bound).
#[divan::bench_group(name = "1 xlsx", sample_count = SAMPLES, sample_size = 1)]
mod xlsx {
    use super::*;

    fn file() -> (NamedTempFile, usize) {
        let (file, rows) = (NamedTempFile::new().unwrap(), scaled(100_000));
        lists::workbook(file.path(), rows);
        (file, rows)
    }

    #[divan::bench(name = "bound: calamine visits the cells")]
    fn bound(bencher: Bencher<'_, '_>) {
        let (file, rows) = file();
        on_file(bencher, &file, rows, bounds::visit);
    }

    #[divan::bench(name = "rows")]
    fn rows(bencher: Bencher<'_, '_>) {
        let (file, rows) = file();
        on_file(bencher, &file, rows, |path| {
            reads(|options, out| {
                sheetline::sheet::workbook::read(path, Format::Xlsx, options, out).unwrap();
            });
        });
    }
}

/// A list in many scripts, 140 bytes a row, to rows (as a whole command, `text` says: at most 4 x the bound).
#[divan::bench_group(name = "2 csv", sample_count = SAMPLES, sample_size = 1)]
mod csv_text {
    use super::*;

    fn file() -> (NamedTempFile, usize) {
        let (file, rows) = (NamedTempFile::new().unwrap(), scaled(500_000));
        std::fs::write(file.path(), lists::scripts(rows)).unwrap();
        (file, rows)
    }

    #[divan::bench(name = "bound: the csv crate counts")]
    fn bound(bencher: Bencher<'_, '_>) {
        let (file, rows) = file();
        on_file(bencher, &file, rows, bounds::count);
    }

    #[divan::bench(name = "rows")]
    fn rows(bencher: Bencher<'_, '_>) {
        let (file, rows) = file();
        on_file(bencher, &file, rows, |path| {
            reads(|options, out| {
                delimited::read(&mut File::open(path).unwrap(), options, out).unwrap();
            });
        });
    }
}

/// What is done with rows, as the reader hands them on and the database keeps them.
const STORED: usize = 300_000;

fn stored_rows() -> Vec<Row> {
    stored::rows(0..u32::try_from(scaled(STORED)).unwrap())
}

/// Checking against the template `companies`: at least 300,000 rows a second.
#[divan::bench_group(
    name = "3 checking (at least 300,000 rows a second)",
    sample_count = SAMPLES,
    sample_size = 1
)]
mod checking {
    use super::*;

    #[divan::bench(name = "bound: the stored rows are read")]
    fn bound(bencher: Bencher<'_, '_>) {
        let rows = stored_rows();
        bencher
            .counter(ItemsCount::new(rows.len()))
            .bench_local(|| {
                for row in &rows {
                    black_box(row.values().unwrap());
                }
            });
    }

    #[divan::bench(name = "read, checked, reported")]
    fn checked(bencher: Bencher<'_, '_>) {
        let rows = stored_rows();
        bencher
            .counter(ItemsCount::new(rows.len()))
            .bench_local(|| {
                let mut checker = stored::checker();
                stored::check(&mut checker, &rows);
                checker.report(0.0)
            });
    }
}

/// The text of the JSON document, of which a copy of the rows' text is the least.
#[divan::bench_group(name = "4 JSON", sample_count = SAMPLES, sample_size = 1)]
mod json {
    use super::*;

    /// All rows in one text, each as `write` has it.
    fn write(bencher: Bencher<'_, '_>, write: impl Fn(&Row, &mut Vec<u8>)) {
        let rows = stored_rows();
        // There from the beginning, so that no work is measured for the memory that the other has left.
        let mut text = Vec::with_capacity(rows.len() * 300);
        bencher
            .counter(ItemsCount::new(rows.len()))
            .bench_local(|| {
                text.clear();
                for row in &rows {
                    write(row, &mut text);
                }
                black_box(text.len())
            });
    }

    #[divan::bench(name = "bound: the rows' text is copied")]
    fn bound(bencher: Bencher<'_, '_>) {
        write(bencher, |row, text| {
            text.extend_from_slice(row.cells.as_bytes());
        });
    }

    #[divan::bench(name = "objects with the columns' names")]
    fn objects(bencher: Bencher<'_, '_>) {
        let objects = Objects::new(&stored::columns());
        write(bencher, |row, text| objects.line(row, text).unwrap());
    }
}

/// Rows on their way into the database, 256 at a time.
#[divan::bench_group(name = "5 packing", sample_count = SAMPLES, sample_size = 1)]
mod packing {
    use super::*;

    #[divan::bench(name = "bound: zlib packs the rows' text")]
    fn bound(bencher: Bencher<'_, '_>) {
        let rows = stored_rows();
        let texts: Vec<String> = rows
            .chunks(packs::ROWS)
            .map(|rows| rows.iter().map(|row| row.cells.as_str()).collect())
            .collect();
        bencher
            .counter(ItemsCount::new(rows.len()))
            .bench_local(|| {
                for text in &texts {
                    black_box(zlib::pack(text.as_bytes()).unwrap());
                }
            });
    }

    #[divan::bench(name = "packs")]
    fn packed(bencher: Bencher<'_, '_>) {
        let rows = stored_rows();
        bencher
            .counter(ItemsCount::new(rows.len()))
            .bench_local(|| {
                for rows in rows.chunks(packs::ROWS) {
                    black_box(packs::of(rows).unwrap());
                }
            });
    }
}
