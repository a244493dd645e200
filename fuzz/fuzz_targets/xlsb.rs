//! The records of an xlsb's worksheet.
#![no_main]

mod common;

use libfuzzer_sys::fuzz_target;
use sheetline::words::Format;

const RELATIONSHIPS: &[u8] = b"<Relationships><Relationship Id='1' Type='/officeDocument' Target='xl/workbook.bin'/></Relationships>";
const WORKBOOK_RELATIONSHIPS: &[u8] =
    b"<Relationships><Relationship Id='1' Type='/worksheet' Target='sheet.bin'/></Relationships>";
/// One sheet, called `A`, with the relationship `1`, and the end of the list.
const WORKBOOK: &[u8] = &[
    0x9C, 0x01, 20, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, b'1', 0, 1, 0, 0, 0, b'A', 0, 0x90, 0x01, 0,
];

fuzz_target!(|bytes: &[u8]| {
    let file = common::package(&[
        ("_rels/.rels", RELATIONSHIPS),
        ("xl/workbook.bin", WORKBOOK),
        ("xl/_rels/workbook.bin.rels", WORKBOOK_RELATIONSHIPS),
        ("xl/sheet.bin", bytes),
    ]);
    common::read(Format::Xlsb, &file);
});
