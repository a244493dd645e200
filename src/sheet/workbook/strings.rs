//! The shared strings of a workbook, kept as one text: a million short ones cost their letters and
//! four bytes each.

use std::borrow::Cow;

use quick_xml::events::Event;

use super::super::Limits;
use super::super::bounds::too_complex;
use super::super::notices::counted;
use super::xml::{Xml, push_reference};
use super::{damaged, plain};
use crate::error::Result;

/// All shared strings, by their index.
#[derive(Debug, Default)]
pub(super) struct Strings {
    text: String,
    /// Where each one ends.
    ends: Vec<u32>,
    bytes_max: usize,
    /// Cells of a file, each of which shows one at most.
    count_max: u64,
}

impl Strings {
    /// None yet.
    pub(super) fn within(limits: &Limits) -> Strings {
        Strings {
            text: String::new(),
            ends: Vec::new(),
            bytes_max: limits.strings_bytes_max,
            count_max: limits.cells_max,
        }
    }

    /// # Errors
    /// `too-complex` where all strings together take more memory than they may.
    pub(super) fn push(&mut self, text: &str) -> Result<()> {
        if u64::try_from(self.ends.len()).is_ok_and(|count| count >= self.count_max) {
            return Err(too_complex(&format!(
                "The workbook holds more than {}. Split it.",
                counted(self.count_max, "texts")
            )));
        }
        let end = self.text.len() + text.len();
        let within = end + (self.ends.len() + 1) * size_of::<u32>() <= self.bytes_max;
        let Some(end) = u32::try_from(end).ok().filter(|_| within) else {
            return Err(too_complex(&format!(
                "The texts of the workbook take more than {} MB of memory. Split it.",
                self.bytes_max >> 20
            )));
        };
        self.text.push_str(text);
        self.ends.push(end);
        Ok(())
    }

    /// Bytes of memory that they take.
    pub(super) fn bytes(&self) -> usize {
        self.text.len() + self.ends.len() * size_of::<u32>()
    }

    pub(super) fn get(&self, index: usize) -> Option<&str> {
        let end = usize::try_from(*self.ends.get(index)?).ok()?;
        let start = match index.checked_sub(1) {
            Some(before) => usize::try_from(*self.ends.get(before)?).ok()?,
            None => 0,
        };
        self.text.get(start..end)
    }

    /// Reads a part of the kind `sharedStrings.xml`.
    ///
    /// # Errors
    /// `unreadable-file`; `too-complex`.
    pub(super) fn read(mut xml: Xml<'_>, limits: &Limits) -> Result<Strings> {
        let mut strings = Strings::within(limits);
        let mut one = String::new();
        let mut closed = false;
        loop {
            match xml.next()? {
                Event::Start(start) if start.local_name().as_ref() == "si" => {
                    one.clear();
                    rich_text(&mut xml, &mut one)?;
                    strings.push(&decode_escapes(&one))?;
                    strings.plain(&mut xml)?;
                }
                Event::End(end) if end.local_name().as_ref() == "sst" => closed = true,
                Event::Eof if closed => return Ok(strings),
                Event::Eof => return Err(damaged()),
                _ => {}
            }
        }
    }

    /// Takes the plain texts that come next, without the parser.
    fn plain(&mut self, xml: &mut Xml<'_>) -> Result<()> {
        loop {
            let ahead = xml.ahead()?;
            let Some((text, rest)) = plain::string(ahead) else {
                return Ok(());
            };
            let read = ahead.len() - rest.len();
            self.push(&decode_escapes(text))?;
            xml.pass(read);
        }
    }
}

/// The text of a `si` or `is` element that has just begun: its `t` and the `t` of its runs, but
/// not that of its phonetic runs.
///
/// # Errors
/// `unreadable-file`.
pub(super) fn rich_text(xml: &mut Xml<'_>, text: &mut String) -> Result<()> {
    let mut depth = 1_u32;
    let mut in_text = false;
    while depth > 0 {
        match xml.next()? {
            Event::Start(start) => match start.local_name().as_ref() {
                "rPh" => xml.skip()?,
                name => {
                    in_text = name == "t";
                    depth += 1;
                }
            },
            Event::End(_) => {
                in_text = false;
                depth -= 1;
            }
            Event::Text(part) if in_text => text.push_str(&part.xml10_content()),
            Event::CData(part) if in_text => text.push_str(&part.xml10_content()),
            Event::GeneralRef(reference) if in_text => push_reference(text, &reference)?,
            Event::Eof => return Err(damaged()),
            _ => {}
        }
    }
    Ok(())
}

/// `_x000D_` stands for the character with that code (ECMA-376, ST_Xstring).
pub(super) fn decode_escapes(text: &str) -> Cow<'_, str> {
    if !text.contains("_x") {
        return Cow::Borrowed(text);
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    let mut units: Vec<u16> = Vec::new();
    while let Some(at) = rest.find("_x") {
        match rest.get(at..).and_then(escape) {
            Some(unit) => {
                if at > 0 {
                    flush(&mut units, &mut decoded);
                    decoded.push_str(&rest[..at]);
                }
                units.push(unit);
                rest = &rest[at + 7..];
            }
            None => {
                flush(&mut units, &mut decoded);
                decoded.push_str(&rest[..at + 2]);
                rest = &rest[at + 2..];
            }
        }
    }
    flush(&mut units, &mut decoded);
    decoded.push_str(rest);
    Cow::Owned(decoded)
}

/// The unit of UTF-16 that an escape at the start of `text` stands for.
fn escape(text: &str) -> Option<u16> {
    let digits = text.get(2..6)?;
    if text.as_bytes().get(6) != Some(&b'_') || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    u16::from_str_radix(digits, 16).ok()
}

fn flush(units: &mut Vec<u16>, decoded: &mut String) {
    decoded.extend(char::decode_utf16(units.drain(..)).map(|c| c.unwrap_or('\u{fffd}')));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(part: &str, limits: &Limits) -> Result<Strings> {
        Strings::read(Xml::new(Box::new(part.as_bytes())).unwrap(), limits)
    }

    #[test]
    fn runs_are_joined_and_phonetic_runs_left_out() {
        let part = "<sst count='3'><si><t>a &amp; b</t></si>\
            <si><r><rPr><b/></rPr><t>Bo</t></r><r><t>ld</t></r><rPh sb='0'><t>no</t></rPh></si>\
            <si/><si><t><![CDATA[<x>]]></t></si></sst>";
        let strings = read(part, &Limits::default()).unwrap();
        assert_eq!(strings.get(0), Some("a & b"));
        assert_eq!(strings.get(1), Some("Bold"));
        assert_eq!(strings.get(2), Some(""));
        assert_eq!(strings.get(3), Some("<x>"));
        assert_eq!(strings.get(4), None);
    }

    #[test]
    fn a_part_that_is_cut_off_is_damaged() {
        let part = "<sst count='3'><si><t>a</t></si>";
        assert!(read(part, &Limits::default()).is_err());
    }

    #[test]
    fn strings_have_a_bound_of_their_own() {
        let part = "<sst><si><t>abc</t></si><si/></sst>";
        let mut limits = Limits {
            strings_bytes_max: 3 + 2 * 4,
            ..Limits::default()
        };
        assert_eq!(read(part, &limits).unwrap().bytes(), 11);
        limits.strings_bytes_max -= 1;
        assert!(read(part, &limits).is_err());
        let mut limits = Limits {
            cells_max: 2,
            ..Limits::default()
        };
        assert!(read(part, &limits).is_ok());
        limits.cells_max = 1;
        assert!(read(part, &limits).is_err());
    }

    #[test]
    fn escapes_are_decoded_once() {
        assert_eq!(decode_escapes("a_x000D_\nb"), "a\r\nb");
        assert_eq!(decode_escapes("A_x005F_x0030_B"), "A_x0030_B");
        assert_eq!(decode_escapes("_xD83D__xDE00_!"), "😀!");
        assert_eq!(decode_escapes("_x00G0_ _x12"), "_x00G0_ _x12");
        assert_eq!(decode_escapes("snake_x_case"), "snake_x_case");
    }
}
