//! What reading is held against: the least that a library does to find all cells of the same file.

use std::hint::black_box;
use std::path::Path;

use calamine::{Reader as _, Xlsx};

/// calamine's cells reader visits each cell of the first sheet, and does nothing with it. How many there are.
pub(crate) fn visit(path: &Path) -> u64 {
    let mut book: Xlsx<_> = calamine::open_workbook(path).unwrap();
    let names = book.sheet_names();
    let mut cells = book.worksheet_cells_reader(&names[0]).unwrap();
    let mut count = 0;
    while let Some(cell) = cells.next_cell().unwrap() {
        black_box(cell);
        count += 1;
    }
    count
}

/// The csv crate counts the records below the header.
pub(crate) fn count(path: &Path) -> usize {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let mut record = csv::ByteRecord::new();
    let mut count = 0;
    while reader.read_byte_record(&mut record).unwrap() {
        count += 1;
    }
    count
}
