//! The text of a file as UTF-8, piece by piece.

use std::io::Read;

use encoding_rs::{CoderResult, Decoder};

use super::charset::{Charset, Upper};
use super::encoding::{Detected, PIECE_BYTES, fill, padded};
use crate::error::Result;

/// A zero byte among fewer others than this is none of a text's.
const ZEROS_ONE_IN: usize = 20;

/// A file's text, decoded piece by piece.
pub(super) struct Text<'f, R> {
    file: &'f mut R,
    decoding: Decoding,
    raw: Vec<u8>,
    /// The piece that is being read, and how far.
    piece: String,
    read: usize,
    ended: bool,
    first: bool,
    /// Ends of files (Ctrl-Z, zeros) that are none where something follows.
    held: String,
    /// Whether there is a Ctrl-Z among them.
    held_mark: bool,
    /// Zero bytes among how many.
    zeros: usize,
    bytes: usize,
    /// A letter of a table, of which 32 mean nothing.
    single_byte: bool,
    pub(super) doubts: Doubts,
}

/// How the bytes are read.
enum Decoding {
    Web(Decoder),
    Table(&'static Upper),
}

/// What was met in a text that is most likely none of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Doubts {
    /// Bytes that mean nothing in the encoding, or zeros; each stands as U+FFFD.
    pub(super) replaced: bool,
    /// Control characters where other tables have letters.
    pub(super) controls: bool,
}

impl Doubts {
    /// What is to be said of a cell that holds this.
    pub(super) fn sentence(self, text: &str, detected: Detected) -> Option<String> {
        let name = detected.encoding.name();
        if self.replaced && text.contains('\u{fffd}') {
            Some(format!(
                "Some bytes of the cell mean nothing in {name}; each stands as \u{fffd}."
            ))
        } else if self.controls && text.contains(is_c1) {
            Some(format!(
                "The cell holds control characters, as no office program writes them: the file is most likely not in {name}. \
                 Say the encoding, for example cp850 (DOS) or macintosh."
            ))
        } else {
            None
        }
    }
}

/// A control character of the upper half, which tables of letters have where others have a letter.
fn is_c1(char: char) -> bool {
    matches!(char, '\u{80}'..='\u{9f}')
}

impl<'f, R: Read> Text<'f, R> {
    pub(super) fn new(file: &'f mut R, detected: Detected) -> Text<'f, R> {
        let decoding = match detected.encoding {
            Charset::Web(encoding) => Decoding::Web(encoding.new_decoder_with_bom_removal()),
            Charset::Table(upper) => Decoding::Table(upper),
        };
        Text {
            file,
            decoding,
            raw: vec![0; PIECE_BYTES],
            piece: String::new(),
            read: 0,
            ended: false,
            first: true,
            held: String::new(),
            held_mark: false,
            zeros: 0,
            bytes: 0,
            single_byte: detected.encoding.is_single_byte(),
            doubts: Doubts::default(),
        }
    }

    /// What comes next, in whole characters; empty at the end.
    ///
    /// # Errors
    /// `unsupported-format` where the file is no text; `Io`.
    pub(super) fn piece(&mut self) -> Result<&str> {
        while self.read == self.piece.len() && !self.ended {
            self.read = 0;
            self.next()?;
        }
        Ok(self.piece.get(self.read..).unwrap_or(""))
    }

    /// Goes on by so many bytes of the last piece.
    pub(super) fn consume(&mut self, bytes: usize) {
        self.read = (self.read + bytes).min(self.piece.len());
    }

    /// The last so many bytes that were gone on by, as long as they came in one piece.
    pub(super) fn consumed(&self, bytes: usize) -> &str {
        let begin = self.read.saturating_sub(bytes);
        self.piece.get(begin..self.read).unwrap_or("")
    }

    fn next(&mut self) -> Result<()> {
        match &mut self.decoding {
            Decoding::Table(upper) => {
                let size = fill(self.file, &mut self.raw)?;
                self.ended = size == 0;
                self.piece.clear();
                upper.decode(self.raw.get(..size).unwrap_or(&[]), &mut self.piece);
            }
            Decoding::Web(decoder) => {
                let size = fill(self.file, &mut self.raw)?;
                let raw = self.raw.get(..size).unwrap_or(&[]);
                self.ended = size == 0;
                self.piece.clear();
                self.piece.reserve(PIECE_BYTES * 3 + 16);
                let (result, _, replaced) =
                    decoder.decode_to_string(raw, &mut self.piece, self.ended);
                debug_assert_eq!(result, CoderResult::InputEmpty);
                self.doubts.replaced |= replaced;
            }
        }
        self.hold_the_end();
        self.bytes += self.piece.len();
        let zeros = memchr::memchr_iter(0, self.piece.as_bytes()).count();
        if zeros > 0 {
            self.zeros += zeros;
            if self.zeros > 1 && self.zeros * ZEROS_ONE_IN > self.bytes {
                return Err(padded());
            }
            self.piece = self.piece.replace('\0', "\u{fffd}");
            self.doubts.replaced = true;
        }
        if self.single_byte && !self.doubts.controls {
            self.doubts.controls = self.piece.contains(is_c1);
        }
        if std::mem::take(&mut self.first) {
            // Some programs write a second mark after the first one.
            while self
                .piece
                .get(self.read..)
                .is_some_and(|piece| piece.starts_with('\u{feff}'))
            {
                self.read += 3;
            }
        }
        Ok(())
    }

    /// Holds back what ends a file for some programs, line ends behind a Ctrl-Z included, until
    /// something follows.
    fn hold_the_end(&mut self) {
        let is_end = |c: char| matches!(c, '\0' | '\u{1a}');
        let is_line_end = |c: char| matches!(c, '\r' | '\n');
        if self.piece.is_empty() {
            return;
        }
        if !self.held.is_empty() {
            let marked = self.held_mark;
            if self
                .piece
                .chars()
                .all(|c| is_end(c) || marked && is_line_end(c))
            {
                self.held_mark |= self.piece.contains('\u{1a}');
                self.held.push_str(&std::mem::take(&mut self.piece));
                return;
            }
            self.held.push_str(&self.piece);
            std::mem::swap(&mut self.held, &mut self.piece);
            self.held.clear();
        }
        let text = self.piece.trim_end_matches(|c| is_end(c) || is_line_end(c));
        let behind = self.piece.get(text.len()..).unwrap_or("");
        let mark = behind.find('\u{1a}');
        let before = match mark {
            Some(at) => self.piece.get(..text.len() + at).unwrap_or(""),
            None => &self.piece,
        };
        let held = self.piece.split_off(before.trim_end_matches(is_end).len());
        self.held_mark = mark.is_some();
        self.held.push_str(&held);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::super::encoding::{Known, detect};
    use super::*;

    fn decoded(bytes: &[u8], label: Option<&str>) -> Result<(String, &'static str, Known)> {
        let mut file = Cursor::new(bytes);
        let detected = detect(&mut file, label)?;
        let mut text = Text::new(&mut file, detected);
        let mut out = String::new();
        loop {
            let piece = text.piece()?.to_owned();
            if piece.is_empty() {
                break;
            }
            text.consume(piece.len());
            out.push_str(&piece);
        }
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
    fn a_few_units_that_are_no_characters_do_not_make_a_text_none() {
        let text = "Name,Città,Note\r\nAnna Bianchi,Milano,\u{ffff}\r\n";
        for (little, name) in [(true, "UTF-16LE"), (false, "UTF-16BE")] {
            let (out, encoding, _) = decoded(&utf16(text, little), None).unwrap();
            assert_eq!((out.as_str(), encoding), (text, name));
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
    fn escapes_alone_are_no_japanese() {
        let text = "会社,都市\nトヨタ,豊田\n";
        let (bytes, _, _) = encoding_rs::ISO_2022_JP.encode(text);
        assert_eq!(bytes[0], 0x1b);
        let (out, encoding, _) = decoded(&bytes, None).unwrap();
        assert_eq!((out.as_str(), encoding), (text, "ISO-2022-JP"));
        let (out, encoding, _) = decoded(b"a,\x1b[1mb\n", None).unwrap();
        assert_eq!((out.as_str(), encoding), ("a,\u{1b}[1mb\n", "UTF-8"));
    }

    #[test]
    fn what_is_no_text_is_refused() {
        let mut late = "a,b\n".repeat(40_000).into_bytes();
        late.extend_from_slice(&b"\0\0\0,".repeat(10_000));
        let many: Vec<u8> = (0..5_000_u32)
            .map(|n| u8::try_from(n % 7 + 1).unwrap())
            .collect();
        for bytes in [
            &b"a\0b\0\0\0"[..],
            b"PK\0\x01\x02",
            &late,
            &many,
            b"\xef\xbb\xbfa\0\0b",
        ] {
            assert!(decoded(bytes, None).is_err());
        }
    }

    #[test]
    fn a_zero_in_a_text_stands_as_a_byte_without_meaning() {
        let mut bytes = "a,b\n".repeat(40_000).into_bytes();
        bytes[101] = 0;
        let (text, encoding, _) = decoded(&bytes, None).unwrap();
        assert_eq!(encoding, "UTF-8");
        assert_eq!(text.get(99..106), Some("\na\u{fffd}b\n"));
    }

    #[test]
    fn what_ends_a_file_is_no_text() {
        let long = "a,b\n".repeat(PIECE_BYTES / 4);
        for text in ["a,b\n", "a,é\n1,2\n", &long] {
            for end in [
                "\u{1a}",
                "\0\0",
                "\u{1a}\0\0\0\0",
                "\u{1a}\r\n",
                "\u{1a}\n",
                "\u{1a}\n\u{1a}\n\n",
            ] {
                let (out, encoding, _) = decoded(format!("{text}{end}").as_bytes(), None).unwrap();
                assert_eq!((out.as_str(), encoding), (text, "UTF-8"), "{end:?}");
            }
        }
        let middle = format!("{long}\u{1a}{long}");
        assert_eq!(decoded(middle.as_bytes(), None).unwrap().0, middle);
        for text in ["1,\u{fffd}\n", "a\u{1a}b\n"] {
            let text = "name,city\n".repeat(9) + text;
            let (out, ..) = decoded(text.replace('\u{fffd}', "\0").as_bytes(), None).unwrap();
            assert_eq!(out, text);
        }
        let middle = format!("{long}\u{1a}\r\n{long}\r\n");
        assert_eq!(decoded(middle.as_bytes(), None).unwrap().0, middle);
        assert_eq!(
            decoded(&utf16("a,b\n\u{1a}", true), None).unwrap().0,
            "a,b\n"
        );
        assert!(decoded(&[0; 100], None).is_err());
    }

    #[test]
    fn utf8_that_is_cut_in_its_last_letter_stays_it() {
        let (text, encoding, known) = decoded(b"Name\nM\xc3\xbcller\nJos\xc3", None).unwrap();
        assert_eq!(text, "Name\nMüller\nJos\u{fffd}");
        assert_eq!((encoding, known), ("UTF-8", Known::Guessed));
        // The only letter beyond ASCII says nothing.
        let (text, encoding, _) = decoded(b"Name\nJos\xe9", None).unwrap();
        assert_eq!((text.as_str(), encoding), ("Name\nJosé", "windows-1252"));
    }

    #[test]
    fn utf16_of_odd_length_keeps_all_but_the_half_character() {
        let mut bytes = utf16("\u{feff}a,b\n1,2\n", true);
        bytes.push(b'x');
        assert_eq!(decoded(&bytes, None).unwrap().0, "a,b\n1,2\n\u{fffd}");
    }

    #[test]
    fn signs_without_letters_are_those_of_windows_1252() {
        for text in [
            "a,b\n£5,\"12\u{a0}345\u{a0}€\"\n",
            "a,b\n5 °,§ 4\n“1”,7 – 9\n",
            "a\n¥100\n",
        ] {
            let bytes = encoding_rs::WINDOWS_1252.encode(text).0.into_owned();
            let (out, encoding, known) = decoded(&bytes, None).unwrap();
            assert_eq!(
                (out.as_str(), encoding, known),
                (text, "windows-1252", Known::Guessed)
            );
        }
        // The same bytes are letters where they stand in words.
        let polish = "Miasto,Ulica\nŁomża,Żwirki\nŁęczna,Łąkowa\nŻary,Gęsia\nŁapy,Żółta\n";
        let bytes = encoding_rs::WINDOWS_1250.encode(polish).0.into_owned();
        assert_eq!(decoded(&bytes, None).unwrap().0, polish);
    }
}
