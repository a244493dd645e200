//! The texts of an xls: code pages of Excel 95 and before, Unicode since, and texts that go on in
//! the next record.

use std::borrow::Cow;

use super::super::charset::{self, Charset};
use super::record::Bytes;

/// The table of characters of that number; `None` where it is not known.
pub(super) fn code_page(number: u16) -> Option<Charset> {
    Some(Charset::Web(match number {
        437 => return Some(Charset::Table(&charset::CP437)),
        850 => return Some(Charset::Table(&charset::CP850)),
        852 => return Some(Charset::Table(&charset::CP852)),
        865 => return Some(Charset::Table(&charset::CP865)),
        10_029 => return Some(Charset::Table(&charset::MAC_CENTRAL_EUROPE)),
        866 => encoding_rs::IBM866,
        874 => encoding_rs::WINDOWS_874,
        932 => encoding_rs::SHIFT_JIS,
        936 => encoding_rs::GBK,
        949 => encoding_rs::EUC_KR,
        950 => encoding_rs::BIG5,
        1_200 => encoding_rs::UTF_16LE,
        1_250 => encoding_rs::WINDOWS_1250,
        1_251 => encoding_rs::WINDOWS_1251,
        367 | 1_252 | 32_769 => encoding_rs::WINDOWS_1252,
        1_253 => encoding_rs::WINDOWS_1253,
        1_254 => encoding_rs::WINDOWS_1254,
        1_255 => encoding_rs::WINDOWS_1255,
        1_256 => encoding_rs::WINDOWS_1256,
        1_257 => encoding_rs::WINDOWS_1257,
        1_258 => encoding_rs::WINDOWS_1258,
        10_000 | 32_768 => encoding_rs::MACINTOSH,
        10_007 => encoding_rs::X_MAC_CYRILLIC,
        65_001 => encoding_rs::UTF_8,
        _ => return None,
    }))
}

/// A record and the records that go on with it.
pub(super) struct Pieces<'b> {
    now: Bytes<'b>,
    rest: std::vec::IntoIter<&'b [u8]>,
}

impl<'b> Pieces<'b> {
    pub(super) fn new(first: &'b [u8], rest: Vec<&'b [u8]>) -> Pieces<'b> {
        Pieces {
            now: Bytes(first),
            rest: rest.into_iter(),
        }
    }

    /// Goes on to the next piece that holds something; `false` where there is none.
    fn advance(&mut self) -> bool {
        for piece in self.rest.by_ref() {
            if !piece.is_empty() {
                self.now = Bytes(piece);
                return true;
            }
        }
        false
    }

    pub(super) fn is_at_end(&mut self) -> bool {
        self.now.0.is_empty() && !self.advance()
    }

    fn u8(&mut self) -> Option<u8> {
        if self.now.0.is_empty() && !self.advance() {
            return None;
        }
        self.now.u8()
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes([self.u8()?, self.u8()?]))
    }

    fn u32(&mut self) -> Option<u32> {
        let (low, high) = (self.u16()?, self.u16()?);
        Some(u32::from(low) | u32::from(high) << 16)
    }

    fn skip(&mut self, mut count: usize) -> Option<()> {
        while count > 0 {
            let step = count.min(self.now.0.len());
            self.now.take(step)?;
            count -= step;
            if count > 0 && !self.advance() {
                return None;
            }
        }
        Some(())
    }

    /// The characters of a Unicode text; where it goes on in the next piece, that begins with the
    /// width of its characters.
    pub(super) fn characters(&mut self, count: usize, wide: bool) -> Option<String> {
        let mut text = String::new();
        let mut left = count;
        let mut wide = wide;
        loop {
            let width = if wide { 2 } else { 1 };
            let here = left.min(self.now.0.len() / width);
            push(&mut text, self.now.take(here * width)?, wide);
            left -= here;
            if left == 0 {
                return Some(text);
            }
            if !self.advance() {
                return None;
            }
            wide = self.now.u8()? & 1 != 0;
        }
    }

    /// An XLUnicodeRichExtendedString: a text with the places of its runs, which don't matter.
    pub(super) fn rich_string(&mut self) -> Option<String> {
        let count = usize::from(self.u16()?);
        let flags = self.u8()?;
        let runs = if flags & 8 != 0 {
            usize::from(self.u16()?)
        } else {
            0
        };
        let extra = if flags & 4 != 0 {
            usize::try_from(self.u32()?).ok()?
        } else {
            0
        };
        let text = self.characters(count, flags & 1 != 0)?;
        self.skip(runs.checked_mul(4)?.checked_add(extra)?)?;
        Some(text)
    }

    /// An XLUnicodeString: a count of 16 bits, the width, the characters.
    pub(super) fn string(&mut self) -> Option<String> {
        let count = usize::from(self.u16()?);
        if count == 0 {
            return Some(String::new());
        }
        let flags = self.u8()?;
        self.characters(count, flags & 1 != 0)
    }

    /// A text of Excel 95: a count of 16 bits and bytes of a code page.
    pub(super) fn byte_string(&mut self, page: Charset) -> Option<String> {
        let count = usize::from(self.u16()?);
        let mut bytes = Vec::with_capacity(count);
        while bytes.len() < count {
            bytes.push(self.u8()?);
        }
        Some(page.decode(&bytes))
    }
}

fn push(text: &mut String, bytes: &[u8], wide: bool) {
    if wide {
        text.push_str(&encoding_rs::UTF_16LE.decode_without_bom_handling(bytes).0);
    } else {
        let latin: Cow<'_, str> = encoding_rs::mem::decode_latin1(bytes);
        text.push_str(&latin);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_goes_on_in_the_next_record_in_another_width() {
        let first = [5, 0, 0, b'a', b'b'];
        let second = [1, b'c', 0, 0xEB, 0, b'e', 0];
        let mut pieces = Pieces::new(&first, vec![&second]);
        assert_eq!(pieces.rich_string().as_deref(), Some("abcëe"));
        assert!(pieces.is_at_end());
    }

    #[test]
    fn a_text_that_ends_early_is_none() {
        assert_eq!(Pieces::new(&[9, 0, 0, b'a'], vec![]).rich_string(), None);
    }

    #[test]
    fn code_pages_that_the_web_does_not_have_are_tables() {
        let page = code_page(10_029).unwrap();
        assert_eq!(
            page.decode(b"P\xEDs"),
            "PŪs".replace('Ū', &page.decode(b"\xED"))
        );
        assert_eq!(code_page(850).unwrap().decode(b"Z\x81g"), "Züg");
        assert!(code_page(1).is_none());
    }
}
