//! The bytes of a text file as UTF-8: finds the encoding, and decodes piece by piece.

use std::io::{self, Read, Seek, SeekFrom};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::error::{Error, Result};
use crate::words::Code;

/// Bytes of a file that are read at a time, and that a first look sees.
pub(super) const PIECE_BYTES: usize = 64 << 10;

/// How the encoding came to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// The user said so.
    Given,
    /// A byte order mark says so.
    Marked,
    /// All of the file is valid in it, which happens to no other text.
    Proven,
    /// It looks like it.
    Guessed,
}

/// The encoding of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Detected {
    pub(super) encoding: &'static Encoding,
    pub(super) known: Known,
}

/// The encoding of that name.
///
/// # Errors
/// `bad-request` where the WHATWG standard knows none.
pub(super) fn by_label(label: &str) -> Result<&'static Encoding> {
    Encoding::for_label_no_replacement(label.trim().as_bytes()).ok_or_else(|| {
        Error::problem(
            Code::BadRequest,
            format!(
                "There is no encoding {}. Known are, for example, utf-8, windows-1252, iso-8859-2, shift_jis and utf-16le.",
                super::notices::quote(label)
            ),
        )
    })
}

/// Finds the encoding of a whole file, and leaves the file at its beginning.
///
/// # Errors
/// `bad-request` as [`by_label`]; `unsupported-format` where the file is no text; `Io`.
pub(super) fn detect<R: Read + Seek>(file: &mut R, label: Option<&str>) -> Result<Detected> {
    let given = label.map(by_label).transpose()?;
    let found = find(file, given)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(found)
}

fn find<R: Read + Seek>(file: &mut R, given: Option<&'static Encoding>) -> Result<Detected> {
    let mut piece = vec![0; PIECE_BYTES];
    file.seek(SeekFrom::Start(0))?;
    let size = fill(file, &mut piece)?;
    let head = piece.get(..size).unwrap_or(&[]);
    // As in the WHATWG standard, a mark is believed before anything else.
    if let Some((encoding, known)) = by_head(head)? {
        let encoding = match (known, given) {
            (Known::Guessed, Some(given)) => given,
            _ => encoding,
        };
        return Ok(Detected { encoding, known });
    }
    if let Some(encoding) = given {
        return Ok(Detected {
            encoding,
            known: Known::Given,
        });
    }
    file.seek(SeekFrom::Start(0))?;
    let scan = scan(file, &mut piece)?;
    if scan.errors == 0 || scan.is_damaged_utf8() {
        return Ok(Detected {
            encoding: UTF_8,
            known: if scan.errors == 0 {
                Known::Proven
            } else {
                Known::Guessed
            },
        });
    }
    file.seek(SeekFrom::Start(0))?;
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    loop {
        let size = fill(file, &mut piece)?;
        detector.feed(piece.get(..size).unwrap_or(&[]), size == 0);
        if size == 0 {
            break;
        }
    }
    Ok(Detected {
        encoding: detector.guess(None, Utf8Detection::Deny),
        known: Known::Guessed,
    })
}

/// What the first bytes alone tell: a byte order mark, or the pattern of UTF-16 without one.
///
/// # Errors
/// `unsupported-format` where they are no text.
pub(super) fn by_head(head: &[u8]) -> Result<Option<(&'static Encoding, Known)>> {
    if let Some((encoding, _)) = Encoding::for_bom(head) {
        return Ok(Some((encoding, Known::Marked)));
    }
    let zeros = head.iter().filter(|byte| **byte == 0).count();
    if zeros > 0 {
        let plain = head
            .iter()
            .filter(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~'));
        // Bytes of plain text with a few zeros among them are no UTF-16.
        if zeros * 5 < head.len() && (plain.count() + zeros) * 10 > head.len() * 9 {
            return Err(not_text());
        }
        return match [UTF_16LE, UTF_16BE]
            .into_iter()
            .filter_map(|encoding| Some((utf16_likeness(head, encoding)?, encoding)))
            .max_by_key(|(likeness, _)| *likeness)
        {
            Some((_, encoding)) => Ok(Some((encoding, Known::Guessed))),
            None => Err(not_text()),
        };
    }
    let controls = head
        .iter()
        .filter(|byte| **byte < 0x20 && !matches!(**byte, 0x09..=0x0d | 0x1b))
        .count();
    if controls * 20 > head.len() {
        return Err(not_text());
    }
    Ok(None)
}

/// How many of the characters stand in every table (Latin letters, digits, separators, line ends);
/// `None` where the bytes can't be text in this encoding.
fn utf16_likeness(head: &[u8], encoding: &'static Encoding) -> Option<usize> {
    let little = encoding == UTF_16LE;
    let units = head.chunks_exact(2).filter_map(|pair| match *pair {
        [a, b] if little => Some(u16::from_le_bytes([a, b])),
        [a, b] => Some(u16::from_be_bytes([a, b])),
        _ => None,
    });
    let mut common = 0;
    let mut count = 0;
    for decoded in char::decode_utf16(units) {
        count += 1;
        match decoded {
            Ok('\t' | '\n' | '\r' | ' '..='~') => common += 1,
            Ok('\u{fffe}' | '\u{ffff}') => return None,
            Ok(c) if c.is_control() => return None,
            Ok(_) => {}
            // The head may end within a pair.
            Err(_) if count * 2 + 2 >= head.len() => {}
            Err(_) => return None,
        }
    }
    (common * 20 > count).then_some(common)
}

/// What a look at all bytes says of UTF-8.
struct Scan {
    errors: u64,
    /// Valid characters of several bytes.
    multibyte: u64,
}

impl Scan {
    /// Text in an older encoding has hardly a pair of bytes that is valid UTF-8 by accident.
    fn is_damaged_utf8(&self) -> bool {
        self.multibyte >= self.errors.saturating_mul(20)
    }
}

fn scan<R: Read>(file: &mut R, piece: &mut [u8]) -> Result<Scan> {
    let mut scan = Scan {
        errors: 0,
        multibyte: 0,
    };
    let mut carried = 0;
    loop {
        let size = fill(file, piece.get_mut(carried..).unwrap_or_default())?;
        let last = size == 0;
        let bytes = piece.get(..carried + size).unwrap_or(&[]);
        let mut rest = bytes;
        if bytes.is_ascii() {
            rest = &[];
        }
        while !rest.is_empty() {
            let (valid, after) = match std::str::from_utf8(rest) {
                Ok(text) => (text.as_bytes(), &[][..]),
                Err(error) => {
                    let (valid, bad) = rest.split_at(error.valid_up_to());
                    match error.error_len() {
                        Some(length) => {
                            scan.errors += 1;
                            (valid, bad.get(length..).unwrap_or(&[]))
                        }
                        None if last => {
                            scan.errors += 1;
                            (valid, &[][..])
                        }
                        // A character that goes on in the next piece.
                        None => {
                            count(&mut scan, valid);
                            rest = bad;
                            break;
                        }
                    }
                }
            };
            count(&mut scan, valid);
            rest = after;
        }
        if last {
            return Ok(scan);
        }
        let begin = bytes.len() - rest.len();
        carried = rest.len();
        piece.copy_within(begin..begin + carried, 0);
    }
}

fn count(scan: &mut Scan, valid: &[u8]) {
    let leads = valid.iter().filter(|byte| **byte >= 0xc0).count();
    scan.multibyte += u64::try_from(leads).unwrap_or(0);
}

/// Reads until `piece` is full or the file ends.
pub(super) fn fill<R: Read>(file: &mut R, piece: &mut [u8]) -> io::Result<usize> {
    let mut size = 0;
    while let Some(rest) = piece.get_mut(size..).filter(|rest| !rest.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(read) => size += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(size)
}

/// A file's text, decoded piece by piece.
pub(super) struct Text<'f, R> {
    file: &'f mut R,
    /// `None`: the bytes are UTF-8 already.
    decoder: Option<Decoder>,
    raw: Vec<u8>,
    /// The piece that is being read, and how far.
    piece: Vec<u8>,
    read: usize,
    ended: bool,
    first: bool,
    /// Whether bytes were met that mean nothing in the encoding.
    pub(super) replaced: bool,
}

impl<'f, R: Read> Text<'f, R> {
    pub(super) fn new(file: &'f mut R, detected: Detected) -> Text<'f, R> {
        let as_it_is = detected.encoding == UTF_8 && detected.known == Known::Proven;
        Text {
            file,
            decoder: (!as_it_is).then(|| detected.encoding.new_decoder_with_bom_removal()),
            raw: vec![0; PIECE_BYTES],
            piece: Vec::with_capacity(PIECE_BYTES * 3 + 16),
            read: 0,
            ended: false,
            first: true,
            replaced: false,
        }
    }

    /// What comes next; empty at the end. UTF-8, but a piece may end within a character.
    ///
    /// # Errors
    /// `unsupported-format` where the file is no text; `Io`.
    pub(super) fn piece(&mut self) -> Result<&[u8]> {
        while self.read == self.piece.len() && !self.ended {
            self.read = 0;
            self.next()?;
        }
        Ok(self.piece.get(self.read..).unwrap_or(&[]))
    }

    /// Goes on by so many bytes of the last piece.
    pub(super) fn consume(&mut self, bytes: usize) {
        self.read = (self.read + bytes).min(self.piece.len());
    }

    fn next(&mut self) -> Result<()> {
        self.piece.clear();
        match &mut self.decoder {
            None => {
                self.piece.resize(PIECE_BYTES, 0);
                let size = fill(self.file, &mut self.piece)?;
                self.piece.truncate(size);
                self.ended = size == 0;
            }
            Some(decoder) => {
                let size = fill(self.file, &mut self.raw)?;
                let raw = self.raw.get(..size).unwrap_or(&[]);
                self.ended = size == 0;
                self.piece.resize(PIECE_BYTES * 3 + 16, 0);
                let (result, _, written, replaced) =
                    decoder.decode_to_utf8(raw, &mut self.piece, self.ended);
                debug_assert_eq!(result, CoderResult::InputEmpty);
                self.piece.truncate(written);
                self.replaced |= replaced;
            }
        }
        if self.piece.contains(&0) {
            return Err(not_text());
        }
        if std::mem::take(&mut self.first) {
            // Some programs write a second mark after the first one.
            while self
                .piece
                .get(self.read..)
                .is_some_and(|p| p.starts_with("\u{feff}".as_bytes()))
            {
                self.read += 3;
            }
        }
        Ok(())
    }
}

fn not_text() -> Error {
    Error::problem(
        Code::UnsupportedFormat,
        format!(
            "The file is not text. It must be {}.",
            super::FORMATS_SENTENCE
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn decoded(bytes: &[u8], label: Option<&str>) -> Result<(String, &'static str, Known)> {
        let mut file = Cursor::new(bytes);
        let detected = detect(&mut file, label)?;
        let mut text = Text::new(&mut file, detected);
        let mut out = Vec::new();
        loop {
            let piece = text.piece()?.to_vec();
            if piece.is_empty() {
                break;
            }
            text.consume(piece.len());
            out.extend(piece);
        }
        let out = String::from_utf8(out).unwrap();
        Ok((out, detected.encoding.name(), detected.known))
    }

    fn utf16(text: &str, little: bool) -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| {
                if little {
                    unit.to_le_bytes()
                } else {
                    unit.to_be_bytes()
                }
            })
            .collect()
    }

    const TEXT: &str = "Name;Stadt\r\nMüller;Köln\r\n";

    #[test]
    fn marks_patterns_and_validity_tell_the_encoding() {
        for (bytes, encoding, known) in [
            (TEXT.as_bytes().to_vec(), "UTF-8", Known::Proven),
            (
                format!("\u{feff}{TEXT}").into_bytes(),
                "UTF-8",
                Known::Marked,
            ),
            (
                format!("\u{feff}\u{feff}{TEXT}").into_bytes(),
                "UTF-8",
                Known::Marked,
            ),
            (
                utf16(&format!("\u{feff}{TEXT}"), true),
                "UTF-16LE",
                Known::Marked,
            ),
            (
                utf16(&format!("\u{feff}{TEXT}"), false),
                "UTF-16BE",
                Known::Marked,
            ),
            (utf16(TEXT, true), "UTF-16LE", Known::Guessed),
            (utf16(TEXT, false), "UTF-16BE", Known::Guessed),
        ] {
            assert_eq!(
                decoded(&bytes, None).unwrap(),
                (TEXT.to_owned(), encoding, known)
            );
        }
    }

    #[test]
    fn a_label_decides_where_no_mark_does() {
        let bytes = encoding_rs::WINDOWS_1252.encode(TEXT).0.into_owned();
        let (text, encoding, known) = decoded(&bytes, Some(" Latin1 ")).unwrap();
        assert_eq!(
            (text.as_str(), encoding, known),
            (TEXT, "windows-1252", Known::Given)
        );
        assert!(decoded(&bytes, Some("klingon")).is_err());
        assert!(decoded(&bytes, Some("")).is_err());
        assert!(
            decoded(&bytes, Some("iso-2022-kr")).is_err(),
            "decodes to nothing on purpose"
        );
    }

    #[test]
    fn characters_that_lie_across_pieces_are_whole() {
        let text = format!("{}€", "a".repeat(PIECE_BYTES - 1)).repeat(3);
        assert_eq!(decoded(text.as_bytes(), None).unwrap().0, text);
        let (out, encoding, _) = decoded(&utf16(&text, false), None).unwrap();
        assert_eq!((out.as_str(), encoding), (text.as_str(), "UTF-16BE"));
    }

    #[test]
    fn one_bad_byte_does_not_make_another_encoding_of_a_long_text() {
        let mut bytes = "Grüße;Köln;Łódź;Αθήνα\n".repeat(50).into_bytes();
        bytes.extend_from_slice(b"bad\xff\n");
        let (text, encoding, known) = decoded(&bytes, None).unwrap();
        assert_eq!((encoding, known), ("UTF-8", Known::Guessed));
        assert!(text.ends_with("bad\u{fffd}\n"));
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let mut late = "a,b\n".repeat(40_000).into_bytes();
        late.push(0);
        let many: Vec<u8> = (0..5_000_u32)
            .map(|n| u8::try_from(n % 7 + 1).unwrap())
            .collect();
        for bytes in [
            &b"a\0b\0\0\0"[..],
            b"PK\0\x01\x02",
            &late,
            &many,
            b"\xef\xbb\xbfa\0",
        ] {
            assert!(decoded(bytes, None).is_err());
        }
    }

    #[test]
    fn utf16_of_odd_length_keeps_all_but_the_half_character() {
        let mut bytes = utf16("\u{feff}a,b\n1,2\n", true);
        bytes.push(b'x');
        assert_eq!(decoded(&bytes, None).unwrap().0, "a,b\n1,2\n\u{fffd}");
    }
}
