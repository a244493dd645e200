//! xls of Excel 2, 3 and 4: one worksheet, its globals and its cells in one run of records.

use std::collections::HashMap;

use super::super::Visibility;
use super::super::charset::Charset;
use super::book::Listed;
use super::formats::{Shape, shape};
use super::record::Bytes;
use super::strings::Strings;
use super::styles::Styles;
use super::xls_globals::{EOF, Globals, Records, too_old, unknown_page};
use super::xls_text::code_page;
use super::{damaged, password};
use crate::error::Result;

/// The first record of Excel 2, 3 and 4.
pub(super) const BOF_OLD: [u16; 3] = [0x0009, 0x0209, 0x0409];

/// A file that says nothing else is of a Western European Windows.
const PAGE: Charset = Charset::Web(encoding_rs::WINDOWS_1252);

/// What stands among the cells about the sheet as a whole.
///
/// # Errors
/// `unreadable-file`, also where it is a chart, a macro sheet or a workspace of several sheets;
/// `password-protected`.
pub(super) fn globals(stream: &[u8]) -> Result<Globals> {
    let mut records = Records::at(stream, 0);
    let bof = records.next()?;
    let mut bytes = bof.bytes();
    bytes.u16();
    if bytes.u16() != Some(0x0010) {
        return Err(too_old());
    }
    let mut page = PAGE;
    let mut date1904 = false;
    let mut formats: Vec<Shape> = Vec::new();
    let mut ids = Vec::new();
    loop {
        let record = records.next()?;
        let mut bytes = record.bytes();
        match record.kind {
            EOF => break,
            // FILEPASS
            0x002F => return Err(password()),
            // CODEPAGE
            0x0042 => {
                let number = bytes.u16().ok_or_else(damaged)?;
                page = code_page(number).ok_or_else(|| unknown_page(number))?;
            }
            // DATEMODE
            0x0022 => date1904 = bytes.u16() == Some(1),
            // FORMAT of Excel 2 and 3, of Excel 4
            0x001E => formats.push(format(bytes, page)),
            0x041E => {
                bytes.u16();
                formats.push(format(bytes, page));
            }
            // XF of Excel 3 and 4: its font, then its number format
            0x0243 | 0x0443 => {
                bytes.u8();
                ids.push(u32::from(bytes.u8().ok_or_else(damaged)?));
            }
            _ => {}
        }
    }
    // In Excel 2 each cell names its format itself: a style for each format.
    if bof.kind == BOF_OLD[0] {
        ids = (0..).take(formats.len()).collect();
    }
    let codes: HashMap<u32, Shape> = (0..).zip(formats).collect();
    Ok(Globals {
        unicode: false,
        page,
        page_is_told: true,
        date1904,
        sheets: vec![(
            Listed {
                name: "Sheet 1".to_owned(),
                visibility: Visibility::Visible,
            },
            0,
        )],
        others: Vec::new(),
        strings: Strings::default(),
        styles: Styles::new(&ids, &codes),
    })
}

/// A format that can't be read is one that shows a number.
fn format(mut bytes: Bytes<'_>, page: Charset) -> Shape {
    bytes
        .u8()
        .and_then(|count| bytes.take(usize::from(count)))
        .map_or(Shape::Number, |code| shape(&page.decode(code)))
}
