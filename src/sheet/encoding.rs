//! The bytes of a text file as UTF-8: finds the encoding, and decodes piece by piece.

use std::io::{self, Read, Seek, SeekFrom};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, UTF_16BE, UTF_16LE};

use super::charset::Charset;
use super::guess::Evidence;
use crate::error::{Error, Result};
use crate::words::Code;

/// Bytes of a file that are read at a time, and that a first look sees.
pub(super) const PIECE_BYTES: usize = 64 << 10;

/// Bytes of a text that may be one with a single control character in it.
const PLAIN_BYTES_MIN: usize = 8;

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
    pub(super) encoding: Charset,
    pub(super) known: Known,
    /// Another one that may be meant, where this one was guessed.
    rather: &'static str,
}

impl Detected {
    fn new(encoding: &'static Encoding, known: Known) -> Detected {
        Detected {
            encoding: Charset::Web(encoding),
            known,
            rather: "windows-1252",
        }
    }

    fn given(encoding: Charset) -> Detected {
        Detected {
            encoding,
            ..Detected::new(UTF_8, Known::Given)
        }
    }

    /// What is to be said of it where it was guessed; `said` is what the file says of its encoding.
    pub(super) fn guess(self, said: &str) -> Option<String> {
        (self.known == Known::Guessed).then(|| {
            format!(
                "{said}; it was read as {}. If letters look wrong, say the encoding, for example {}.",
                self.encoding.name(),
                self.rather
            )
        })
    }
}

/// The encoding of that name.
///
/// # Errors
/// `bad-request` where there is none.
pub(super) fn by_label(label: &str) -> Result<Charset> {
    Charset::by_label(label).ok_or_else(|| {
        Error::problem(
            Code::BadRequest,
            format!(
                "There is no encoding {}. Known are, for example, utf-8, windows-1252, iso-8859-2, cp850 (DOS), macintosh, shift_jis and utf-16le.",
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

fn find<R: Read + Seek>(file: &mut R, given: Option<Charset>) -> Result<Detected> {
    let mut piece = vec![0; PIECE_BYTES];
    file.seek(SeekFrom::Start(0))?;
    let size = fill(file, &mut piece)?;
    let head = piece.get(..size).unwrap_or(&[]);
    // As in the WHATWG standard, a mark is believed before anything else.
    if let Some((encoding, known)) = by_head(head)? {
        return Ok(match given.filter(|_| known == Known::Guessed) {
            Some(given) => Detected::given(given),
            None => Detected::new(encoding, known),
        });
    }
    if let Some(encoding) = given {
        return Ok(Detected::given(encoding));
    }
    file.seek(SeekFrom::Start(0))?;
    let scan = scan(file, &mut piece)?;
    if !scan.escapes && (scan.errors == 0 || scan.is_damaged_utf8()) {
        let known = if scan.errors == 0 {
            Known::Proven
        } else {
            Known::Guessed
        };
        return Ok(Detected::new(UTF_8, known));
    }
    file.seek(SeekFrom::Start(0))?;
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    let mut evidence = Evidence::default();
    loop {
        let size = fill(file, &mut piece)?;
        let bytes = piece.get(..size).unwrap_or(&[]);
        detector.feed(bytes, size == 0);
        evidence.look(bytes);
        if size == 0 {
            break;
        }
    }
    let guess = detector.guess(None, Utf8Detection::Deny);
    // Escapes that are not those of ISO-2022-JP.
    if scan.errors == 0 && guess != ISO_2022_JP {
        return Ok(Detected::new(UTF_8, Known::Proven));
    }
    let (encoding, rather) = evidence.judge(guess);
    Ok(Detected {
        encoding,
        known: Known::Guessed,
        rather,
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
    let head = without_end(head);
    let zeros = zeros_in(head);
    if zeros > 0 {
        let plain = head
            .iter()
            .filter(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~'))
            .count();
        // Bytes of plain text with a few zeros among them are no UTF-16.
        let few = zeros * 5 < head.len() && (plain + zeros) * 10 > head.len() * 9;
        // One may have got into any text.
        if few && zeros > 1 && zeros * 20 > head.len() {
            return Err(padded());
        }
        if !few {
            return match [UTF_16LE, UTF_16BE]
                .into_iter()
                .filter_map(|encoding| Some((utf16_likeness(head, encoding)?, encoding)))
                .max_by_key(|(likeness, _)| *likeness)
            {
                Some((_, encoding)) => Ok(Some((encoding, Known::Guessed))),
                None => Err(not_text()),
            };
        }
    }
    let controls = head
        .iter()
        .filter(|byte| matches!(**byte, 0x01..=0x08 | 0x0e..=0x1a | 0x1c..=0x1f))
        .count();
    // One may have got into any text, and one is much of a short one.
    let one = controls == 1 && head.len() >= PLAIN_BYTES_MIN;
    if controls * 20 > head.len() && !one {
        return Err(not_text());
    }
    Ok(None)
}

/// The bytes without a mark of a file's end (Ctrl-Z) and zeros that fill it up, unless they are letters
/// of UTF-16.
fn without_end(head: &[u8]) -> &[u8] {
    let last = |is_end: fn(&u8) -> bool| {
        let last = head.iter().rposition(|byte| !is_end(byte));
        head.split_at(last.map_or(0, |last| last + 1))
    };
    let (text, end) = match last(|byte| matches!(byte, 0x1a | b'\r' | b'\n')) {
        (text, end) if end.contains(&0x1a) => (text, end),
        _ => last(|byte| matches!(byte, 0 | 0x1a)),
    };
    if text.is_empty() || zeros_in(text) * 20 > text.len() || end == [0] {
        head
    } else {
        text
    }
}

fn zeros_in(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == 0).count()
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
    let mut strange = 0;
    for decoded in char::decode_utf16(units) {
        count += 1;
        match decoded {
            Ok('\t' | '\n' | '\r' | ' '..='~') => common += 1,
            Ok('\u{fffe}' | '\u{ffff}') => strange += 1,
            Ok(c) if c.is_control() && c != '\u{1a}' => return None,
            Ok(_) => {}
            // The head may end within a pair.
            Err(_) if count * 2 + 2 >= head.len() => {}
            Err(_) => return None,
        }
    }
    // What stands for no character may have got into any text, as a zero into others.
    (common * 20 > count && strange * 20 <= common).then_some(common)
}

/// What a look at all bytes says of UTF-8.
struct Scan {
    errors: u64,
    /// Valid characters of several bytes.
    multibyte: u64,
    /// Whether the last error is a character that the file's end cuts off.
    cut: bool,
    /// Whether there is an escape character, with which ISO-2022-JP switches alphabets.
    escapes: bool,
}

impl Scan {
    /// Text in an older encoding has hardly a pair of bytes that is valid UTF-8 by accident. A text that
    /// is cut in its last letter has no other fault.
    fn is_damaged_utf8(&self) -> bool {
        let faults = self.errors - u64::from(self.cut);
        self.multibyte > 0 && self.multibyte >= faults.saturating_mul(20)
    }
}

fn scan<R: Read>(file: &mut R, piece: &mut [u8]) -> Result<Scan> {
    let mut scan = Scan {
        errors: 0,
        multibyte: 0,
        cut: false,
        escapes: false,
    };
    let mut carried = 0;
    loop {
        let size = fill(file, piece.get_mut(carried..).unwrap_or_default())?;
        let last = size == 0;
        let bytes = piece.get(..carried + size).unwrap_or(&[]);
        scan.escapes |= memchr::memchr(0x1b, bytes).is_some();
        let mut rest = bytes;
        if bytes.is_ascii() {
            rest = &[];
        }
        while !rest.is_empty() {
            // Several times as quick as the standard library where letters are not plain.
            let (valid, bad) = rest.split_at(Encoding::utf8_valid_up_to(rest));
            count(&mut scan, valid);
            rest = match std::str::from_utf8(bad).map_err(|error| error.error_len()) {
                Ok(_) => &[],
                Err(Some(length)) => {
                    scan.errors += 1;
                    bad.get(length..).unwrap_or(&[])
                }
                Err(None) if last => {
                    scan.errors += 1;
                    scan.cut = true;
                    &[]
                }
                // A character that goes on in the next piece.
                Err(None) => {
                    rest = bad;
                    break;
                }
            };
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
    // So few at a time that a byte counts them: of these the processor adds many at once.
    for part in valid.chunks(255) {
        let leads: u8 = part.iter().map(|byte| u8::from(*byte >= 0xc0)).sum();
        scan.multibyte += u64::from(leads);
    }
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

/// A text with more zeros than get into one by accident.
pub(super) fn padded() -> Error {
    Error::problem(
        Code::UnsupportedFormat,
        "The file is text with many zero bytes in it, as some programs fill up their fields. Open it in the program that made it, or in a spreadsheet program, save it as CSV UTF-8, and add that.",
    )
}

pub(super) fn not_text() -> Error {
    Error::problem(
        Code::UnsupportedFormat,
        format!(
            "The file is neither a workbook nor text. It must be {}: save the table as one of these, and add that.",
            super::FORMATS_SENTENCE
        ),
    )
}
