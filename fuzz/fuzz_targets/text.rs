//! Delimited text in any encoding: no panic, no endless loop, and rows in order.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use sheetline::limits::Limits;
use sheetline::sheet::protocol::{self, Output};
use sheetline::sheet::{Event, ReadOptions, delimited};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits {
        cell_bytes_text_max: 4_096,
        columns_max: 200,
        ..Limits::default()
    };
    let mut written = Vec::new();
    let mut out = Output::new(&mut written, &limits);
    if delimited::read(&mut Cursor::new(bytes), &ReadOptions::default(), &mut out).is_err() {
        return;
    }
    let text = String::from_utf8(written).unwrap();
    let mut last = 0;
    for event in protocol::events(&text).unwrap() {
        if let Event::Row(row) = event {
            assert!(row.number > last && row.values().is_ok());
            last = row.number;
        }
    }
});
