//! What the workbook targets share: bytes become a file, the file is read as the child would.

use std::io::Write;

use sheetline::limits::Limits;
use sheetline::sheet::protocol::{self, Output};
use sheetline::sheet::{ReadOptions, workbook};
use sheetline::words::Format;

/// Reads `bytes` as a file of that format: no panic, no endless loop, and what comes out can be
/// taken apart again.
pub fn read(format: Format, bytes: &[u8]) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let limits = Limits {
        cells_max: 100_000,
        output_bytes_max: 10_000_000,
        inflated_bytes_max: 10_000_000,
        ..Limits::default()
    };
    let mut written = Vec::new();
    let mut out = Output::new(&mut written, &limits);
    let options = ReadOptions::default();
    if workbook::read(file.path(), format, &options, &mut out).is_ok() {
        let text = String::from_utf8(written).unwrap();
        assert!(protocol::events(&text).is_ok(), "{text}");
    }
}

/// A package of these parts, not compressed, so that a fuzzer's bytes reach the parser.
#[allow(dead_code, reason = "not every target needs it")]
pub fn package(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        let stored = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        zip.start_file(*name, stored).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}
