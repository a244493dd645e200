//! The parts of an xlsx: a worksheet and, behind a NUL, the shared strings and the styles.
#![no_main]

mod common;

use libfuzzer_sys::fuzz_target;
use sheetline::words::Format;

const RELATIONSHIPS: &[u8] = b"<Relationships><Relationship Id='1' Type='/officeDocument' Target='xl/workbook.xml'/></Relationships>";
const WORKBOOK: &[u8] =
    b"<workbook><sheets><sheet name='First' sheetId='1' r:id='1'/></sheets></workbook>";
const WORKBOOK_RELATIONSHIPS: &[u8] = b"<Relationships><Relationship Id='1' Type='/worksheet' Target='sheet.xml'/><Relationship Id='2' Type='/sharedStrings' Target='strings.xml'/><Relationship Id='3' Type='/styles' Target='styles.xml'/></Relationships>";

fuzz_target!(|bytes: &[u8]| {
    let mut parts = bytes.splitn(3, |byte| *byte == 0);
    let sheet = parts.next().unwrap_or_default();
    let strings = parts.next().unwrap_or(b"<sst><si><t>a</t></si></sst>");
    let styles = parts.next().unwrap_or(b"<styleSheet/>");
    let file = common::package(&[
        ("_rels/.rels", RELATIONSHIPS),
        ("xl/workbook.xml", WORKBOOK),
        ("xl/_rels/workbook.xml.rels", WORKBOOK_RELATIONSHIPS),
        ("xl/sheet.xml", sheet),
        ("xl/strings.xml", strings),
        ("xl/styles.xml", styles),
    ]);
    common::read(Format::Xlsx, &file);
});
