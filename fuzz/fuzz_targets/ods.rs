//! The content of an OpenDocument spreadsheet, as one flat file.
#![no_main]

mod common;

use libfuzzer_sys::fuzz_target;
use sheetline::words::Format;

fuzz_target!(|bytes: &[u8]| {
    if !bytes.starts_with(b"PK") {
        common::read(Format::Ods, bytes);
    }
});
