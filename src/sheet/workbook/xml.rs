//! Small help with XML: parts in any encoding, attributes by local name, text with its references.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};

use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8};
use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::damaged;
use crate::error::Result;

/// Bytes of the XML declaration that are looked at.
const DECLARATION_BYTES: usize = 200;

/// An XML part, event by event.
pub(super) struct Xml<'r> {
    reader: Reader<Box<dyn BufRead + 'r>>,
    buffer: Vec<u8>,
}

impl<'r> Xml<'r> {
    /// # Errors
    /// `unreadable-file` where the stream does.
    pub(super) fn new(source: Box<dyn BufRead + 'r>) -> Result<Xml<'r>> {
        let mut reader = Reader::from_reader(as_utf8(source)?);
        settle(&mut reader);
        Ok(Xml {
            reader,
            buffer: Vec::with_capacity(1_024),
        })
    }

    /// The next event. A document type ends the reading: no office program writes one, and its
    /// entities are a way to make a small file large.
    ///
    /// # Errors
    /// `unreadable-file` where this is no XML.
    pub(super) fn next(&mut self) -> Result<Event<'_>> {
        self.buffer.clear();
        match self.reader.read_event_into(&mut self.buffer) {
            Ok(Event::DocType(_)) | Err(_) => Err(damaged()),
            Ok(event) => Ok(event),
        }
    }

    /// What follows, as far as it has been unpacked. Only between two elements, where an end was the last event,
    /// is it for others than the parser.
    ///
    /// # Errors
    /// `unreadable-file` where the stream does.
    pub(super) fn ahead(&mut self) -> Result<&[u8]> {
        self.reader.get_mut().fill_buf().map_err(|_| damaged())
    }

    /// So many bytes of it have been read.
    pub(super) fn pass(&mut self, bytes: usize) {
        self.reader.get_mut().consume(bytes);
    }

    /// Passes over everything up to the end of the element that has just begun.
    ///
    /// # Errors
    /// As [`Xml::next`]; `unreadable-file` where the element has no end.
    pub(super) fn skip(&mut self) -> Result<()> {
        let mut depth = 1_u32;
        while depth > 0 {
            match self.next()? {
                Event::Start(_) => depth += 1,
                Event::End(_) => depth -= 1,
                Event::Eof => return Err(damaged()),
                _ => {}
            }
        }
        Ok(())
    }
}

/// How all parts are read: empty elements as a start and an end, ends not compared by name.
pub(super) fn settle<R>(reader: &mut Reader<R>) {
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
}

/// The value of the attribute with that local name, its references resolved.
pub(super) fn attribute<'a>(element: &'a BytesStart<'_>, name: &str) -> Option<Cow<'a, str>> {
    raw_attribute(element.attributes_raw(), name).map(unescape)
}

/// The value of the attribute with that local name as it stands between its quotes. The first one
/// without a prefix wins.
pub(super) fn raw_attribute<'a>(raw: &'a str, name: &str) -> Option<&'a str> {
    let mut with_prefix = None;
    for (key, value) in attributes(raw) {
        if key == name {
            return Some(value);
        }
        if with_prefix.is_none() && key.rsplit_once(':').is_some_and(|(_, local)| local == name) {
            with_prefix = Some(value);
        }
    }
    with_prefix
}

/// The attributes of an element, raw. What can't be taken apart comes last, as the value of an
/// attribute without a name.
pub(super) fn attributes(raw: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = raw.trim_ascii();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (key, value, after) = first_attribute(rest).unwrap_or(("", rest, ""));
        rest = after.trim_ascii_start();
        Some((key, value))
    })
}

/// By bytes: searching for a letter in a text costs more than these few bytes are worth.
fn first_attribute(raw: &str) -> Option<(&str, &str, &str)> {
    let (key, after) = split_at_byte(raw, b'=')?;
    let after = after.trim_ascii_start();
    let quote = *after.as_bytes().first()?;
    let is_quote = matches!(quote, b'"' | b'\'');
    let (value, after) = split_at_byte(after.get(1..).filter(|_| is_quote)?, quote)?;
    let key = key.trim_ascii_end();
    (!key.is_empty()).then_some((key, value, after))
}

fn split_at_byte(text: &str, ascii: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| byte == ascii)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Resolves references (`&amp;`, `&#10;`); unknown ones stay as they are.
pub(super) fn unescape(raw: &str) -> Cow<'_, str> {
    if !raw.contains('&') {
        return Cow::Borrowed(raw);
    }
    quick_xml::escape::unescape(raw).unwrap_or(Cow::Borrowed(raw))
}

/// Appends what a reference between two texts stands for.
///
/// # Errors
/// `unreadable-file` where it stands for nothing.
pub(super) fn push_reference(text: &mut String, reference: &BytesRef<'_>) -> Result<()> {
    if let Some(char) = reference.resolve_char_ref().map_err(|_| damaged())? {
        text.push(char);
        return Ok(());
    }
    let name = reference.xml10_content();
    match quick_xml::escape::resolve_predefined_entity(&name) {
        Some(resolved) => text.push_str(resolved),
        None => return Err(damaged()),
    }
    Ok(())
}

/// Whether an attribute says yes.
pub(super) fn is_true(value: &str) -> bool {
    matches!(value.trim(), "1" | "true" | "on" | "True" | "TRUE")
}

/// The stream as UTF-8, whatever its byte-order mark or its declaration says.
///
/// # Errors
/// `unreadable-file`.
pub(super) fn as_utf8<'r>(mut source: Box<dyn BufRead + 'r>) -> Result<Box<dyn BufRead + 'r>> {
    let head = source.fill_buf().map_err(|_| damaged())?;
    let encoding = match head {
        [0xFE, 0xFF, ..] | [0, b'<', ..] => encoding_rs::UTF_16BE,
        [0xFF, 0xFE, ..] | [b'<', 0, ..] => encoding_rs::UTF_16LE,
        [0xEF, 0xBB, 0xBF, ..] => UTF_8,
        _ => declared(head),
    };
    if encoding == UTF_8 {
        return Ok(source);
    }
    Ok(Box::new(BufReader::new(Decoding {
        source,
        decoder: encoding.new_decoder_with_bom_removal(),
        ended: false,
    })))
}

/// The encoding of the XML declaration.
fn declared(head: &[u8]) -> &'static Encoding {
    let head = head.get(..DECLARATION_BYTES).unwrap_or(head);
    if !head.starts_with(b"<?xml") {
        return UTF_8;
    }
    let text = String::from_utf8_lossy(head);
    text.split_once("?>")
        .and_then(|(declaration, _)| raw_attribute(declaration.strip_prefix("<?xml")?, "encoding"))
        .and_then(|label| Encoding::for_label(label.as_bytes()))
        // What was read as far as here is no UTF-16, whatever it says of itself.
        .filter(|encoding| encoding.is_ascii_compatible())
        .unwrap_or(UTF_8)
}

/// A stream that is decoded to UTF-8 as it is read.
struct Decoding<'r> {
    source: Box<dyn BufRead + 'r>,
    decoder: Decoder,
    ended: bool,
}

impl Read for Decoding<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.ended || out.len() < 8 {
                return Ok(0);
            }
            let available = self.source.fill_buf()?;
            let last = available.is_empty();
            let (result, read, written, _) = self.decoder.decode_to_utf8(available, out, last);
            self.source.consume(read);
            if last && result == CoderResult::InputEmpty {
                self.ended = true;
            }
            if written > 0 || self.ended {
                return Ok(written);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(bytes: &[u8]) -> Result<Vec<String>> {
        let mut xml = Xml::new(Box::new(bytes))?;
        let mut texts = Vec::new();
        loop {
            match xml.next()? {
                Event::Text(text) => texts.push(text.xml10_content().into_owned()),
                Event::Eof => return Ok(texts),
                _ => {}
            }
        }
    }

    #[test]
    fn utf_16_and_declared_encodings_are_read() {
        let wide: Vec<u8> = "\u{feff}<a>Zoë</a>"
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        assert_eq!(texts(&wide).unwrap(), ["Zoë"]);
        let latin = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>Zo\xEB</a>";
        assert_eq!(texts(latin).unwrap(), ["Zoë"]);
    }

    #[test]
    fn a_document_type_is_refused() {
        assert!(texts(b"<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>").is_err());
    }

    #[test]
    fn attributes_are_found_by_local_name() {
        let raw = r#" r:id = "rId1" name='A &amp; "B"' sheetId="3""#;
        assert_eq!(raw_attribute(raw, "id"), Some("rId1"));
        assert_eq!(raw_attribute(raw, "name"), Some("A &amp; \"B\""));
        assert_eq!(raw_attribute(raw, "sheetId"), Some("3"));
        assert_eq!(raw_attribute(raw, "state"), None);
        assert_eq!(unescape("A &amp; B"), "A & B");
        let broken: Vec<_> = attributes(" r='A1' s=3 t='n'").collect();
        assert_eq!(broken, [("r", "A1"), ("", "s=3 t='n'")]);
    }
}
