//! An xls as a whole, and XML Spreadsheet 2003, which is called xls too.
#![no_main]

mod common;

use libfuzzer_sys::fuzz_target;
use sheetline::words::Format;

fuzz_target!(|bytes: &[u8]| common::read(Format::Xls, bytes));
