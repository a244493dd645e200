//! The tables of a web page that is called xls.
#![no_main]

mod common;

use libfuzzer_sys::fuzz_target;
use sheetline::words::Format;

fuzz_target!(|bytes: &[u8]| {
    let page = [b"<html><table><tr><th>a<th>b<tr><td>", bytes].concat();
    common::read(Format::Xls, &page);
});
