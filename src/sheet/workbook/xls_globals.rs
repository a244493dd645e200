//! xls: the records of the workbook stream, and what the globals at its start say.

use std::collections::HashMap;

use super::super::charset::Charset;
use super::super::{Limits, Visibility};
use super::book::Listed;
use super::formats::{Shape, shape};
use super::record::Bytes;
use super::strings::Strings;
use super::styles::Styles;
use super::xls_text::{Pieces, code_page};
use super::{damaged, password};
use crate::error::{Error, Result};
use crate::words::Code;

pub(super) const BOF: u16 = 0x0809;
pub(super) const EOF: u16 = 0x000A;
const CONTINUE: u16 = 0x003C;

/// The workbook stream, record by record.
#[derive(Clone)]
pub(super) struct Records<'b>(Bytes<'b>);

/// A record, and the records that go on with it.
pub(super) struct Record<'b> {
    pub(super) kind: u16,
    pub(super) data: &'b [u8],
    more: Vec<&'b [u8]>,
}

impl<'b> Records<'b> {
    /// From that place in the stream on.
    pub(super) fn at(stream: &'b [u8], place: usize) -> Records<'b> {
        Records(Bytes(stream.get(place..).unwrap_or_default()))
    }

    /// The next record.
    ///
    /// # Errors
    /// `unreadable-file` where the stream ends: a substream says where it ends, and before that
    /// something is missing.
    pub(super) fn next(&mut self) -> Result<Record<'b>> {
        let (kind, data) = self.one().ok_or_else(damaged)?;
        let mut more = Vec::new();
        loop {
            let mut ahead = self.clone();
            match ahead.one() {
                Some((CONTINUE, data)) => {
                    more.push(data);
                    *self = ahead;
                }
                _ => return Ok(Record { kind, data, more }),
            }
        }
    }

    /// Where the next record is in the stream; `None` at its end.
    pub(super) fn place(&self, stream: &[u8]) -> Option<usize> {
        (!self.0.0.is_empty()).then(|| stream.len() - self.0.0.len())
    }

    fn one(&mut self) -> Option<(u16, &'b [u8])> {
        let kind = self.0.u16()?;
        let length = usize::from(self.0.u16()?);
        Some((kind, self.0.take(length)?))
    }
}

impl<'b> Record<'b> {
    pub(super) fn bytes(&self) -> Bytes<'b> {
        Bytes(self.data)
    }

    /// Its bytes from `skip` on, and the records that go on with it.
    pub(super) fn pieces(self, skip: usize) -> Pieces<'b> {
        Pieces::new(self.data.get(skip..).unwrap_or_default(), self.more)
    }
}

/// What the globals say.
pub(super) struct Globals {
    /// Excel 97 and later: texts are Unicode.
    pub(super) unicode: bool,
    pub(super) page: Charset,
    /// Whether anything says which table of characters that is.
    pub(super) page_is_told: bool,
    pub(super) date1904: bool,
    /// The worksheets and where they begin in the stream.
    pub(super) sheets: Vec<(Listed, usize)>,
    /// The names of other sheets.
    pub(super) others: Vec<String>,
    pub(super) strings: Strings,
    pub(super) styles: Styles,
}

impl Globals {
    /// # Errors
    /// `unreadable-file`; `password-protected`; `too-complex`.
    pub(super) fn read(stream: &[u8], limits: &Limits) -> Result<Globals> {
        let mut records = Records::at(stream, 0);
        let bof = records.next()?;
        let mut bytes = bof.bytes();
        let version = match (bof.kind, bytes.u16()) {
            (BOF, Some(version)) => version,
            _ => return Err(too_old()),
        };
        let unicode = version >= 0x0600;
        let mut globals = Globals {
            unicode,
            page: Charset::Web(encoding_rs::WINDOWS_1252),
            page_is_told: false,
            date1904: false,
            sheets: Vec::new(),
            others: Vec::new(),
            strings: Strings::within(limits),
            styles: Styles::default(),
        };
        let mut ids = Vec::new();
        let mut codes: HashMap<u32, Shape> = HashMap::new();
        let mut depth = 0_u32;
        loop {
            let record = records.next()?;
            match record.kind {
                BOF => depth += 1,
                EOF if depth == 0 => break,
                EOF => depth -= 1,
                // FILEPASS, whatever the way of encryption
                0x002F => return Err(password()),
                _ if depth > 0 => {}
                _ => globals
                    .take(record, &mut ids, &mut codes)?
                    .ok_or_else(damaged)?,
            }
        }
        globals.styles = Styles::new(&ids, &codes);
        Ok(globals)
    }

    /// The inner `None` is a record that is cut off.
    fn take(
        &mut self,
        record: Record<'_>,
        ids: &mut Vec<u32>,
        codes: &mut HashMap<u32, Shape>,
    ) -> Result<Option<()>> {
        let mut bytes = record.bytes();
        match record.kind {
            // CODEPAGE
            0x0042 => {
                let Some(number) = bytes.u16() else {
                    return Ok(None);
                };
                self.page_is_told = true;
                match code_page(number) {
                    Some(page) => self.page = page,
                    // Texts are Unicode anyway.
                    None if self.unicode => {}
                    None => return Err(unknown_page(number)),
                }
            }
            // FONT: without a code page the first one tells what its letters are
            0x0031 if !self.unicode && !self.page_is_told => {
                self.page_is_told = true;
                let number = record.data.get(12).and_then(|charset| page_of(*charset));
                self.page = number.and_then(code_page).unwrap_or(self.page);
            }
            // DATEMODE
            0x0022 => self.date1904 = bytes.u16() == Some(1),
            // BOUNDSHEET
            0x0085 => match self.sheet(bytes) {
                Some((listed, Some(place))) => self.sheets.push((listed, place)),
                Some((listed, None)) => self.others.push(listed.name),
                None => return Ok(None),
            },
            // FORMAT
            0x041E => {
                let Some(id) = bytes.u16() else {
                    return Ok(None);
                };
                let code = if self.unicode {
                    record.pieces(2).string()
                } else {
                    self.short_text(bytes)
                };
                // A format that can't be read is one that shows a number.
                let code = code.unwrap_or_default();
                codes.insert(u32::from(id), shape(&code));
            }
            // XF: its font, then its number format
            0x00E0 => {
                bytes.u16();
                match bytes.u16() {
                    Some(id) => ids.push(u32::from(id)),
                    None => return Ok(None),
                }
            }
            // SST: two counts, which are often wrong, then the strings
            0x00FC => {
                let mut pieces = record.pieces(8);
                while !pieces.is_at_end() {
                    match pieces.rich_string() {
                        Some(text) => self.strings.push(&text)?,
                        None => return Ok(None),
                    }
                }
            }
            _ => {}
        }
        Ok(Some(()))
    }

    /// A sheet of the list, and where it begins if it is a worksheet.
    fn sheet(&self, mut bytes: Bytes<'_>) -> Option<(Listed, Option<usize>)> {
        let place = bytes.length()?;
        let visibility = match bytes.u8()? & 3 {
            0 => Visibility::Visible,
            1 => Visibility::Hidden,
            _ => Visibility::VeryHidden,
        };
        let kind = bytes.u8()?;
        let name = self.short_text(bytes)?;
        let name = name.replace('\0', "");
        Some((Listed { name, visibility }, (kind == 0).then_some(place)))
    }

    /// A text with a count of 8 bits.
    fn short_text(&self, mut bytes: Bytes<'_>) -> Option<String> {
        let count = usize::from(bytes.u8()?);
        if self.unicode {
            let wide = bytes.u8()? & 1 != 0;
            Pieces::new(bytes.0, Vec::new()).characters(count, wide)
        } else {
            Some(self.page.decode(bytes.take(count)?))
        }
    }
}

/// The code page of a font's character set ([MS-XLS] 2.4.122), where that names letters.
fn page_of(charset: u8) -> Option<u16> {
    Some(match charset {
        77 => 10_000,
        128 => 932,
        129 => 949,
        134 => 936,
        136 => 950,
        161 => 1_253,
        162 => 1_254,
        163 => 1_258,
        177 => 1_255,
        178 => 1_256,
        186 => 1_257,
        204 => 1_251,
        222 => 874,
        238 => 1_250,
        _ => return None,
    })
}

/// What Excel 4 and before wrote beside worksheets.
pub(super) fn too_old() -> Error {
    Error::problem(
        Code::UnreadableFile,
        "This .xls could not be read. Save it as .xlsx and add that.",
    )
}

pub(super) fn unknown_page(number: u16) -> Error {
    Error::problem(
        Code::UnreadableFile,
        format!(
            "This .xls is written in an alphabet that is not known here (code page {number}). Save it as .xlsx and add that."
        ),
    )
}
