//! What a file is, told by its content: a cheap look at its first bytes and, where it is a package,
//! at its directory. Nothing is unpacked but a few small parts.

mod ole;
mod package;

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::Path;

use super::refusal::{damaged, password};
use super::{FORMATS_SENTENCE, Limits, delimited, encoding};
use crate::error::{Error, Result};
use crate::words::{Code, Format};

/// What stands in a file that holds a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A workbook, or delimited text.
    Is(Format),
    /// A web page, as office systems like to call `.xls`.
    Html,
    /// A web page with all that belongs to it in one file.
    WebArchive,
    /// XML Spreadsheet 2003.
    SpreadsheetMl,
    /// OpenDocument as one XML file.
    FlatOds,
}

/// The format of the file at `path`.
///
/// # Errors
/// `empty-file`; `unsupported-format` where it is something else, which the sentence names;
/// `password-protected`; `unreadable-file` where it is damaged or has to be saved in another form;
/// `too-complex` where its directory is over the bounds; `Io`.
pub fn sniff(path: &Path, limits: &Limits) -> Result<Format> {
    match content(path, limits)? {
        Content::Is(format) => Ok(format),
        Content::WebArchive => Err(Error::problem(
            Code::UnreadableFile,
            "This file is really a web page. Open it in Excel or LibreOffice and save it as .xlsx.",
        )),
        // Other dresses of formats that have one. Whether a page holds a table is seen when it is read.
        Content::Html | Content::SpreadsheetMl => Ok(Format::Xls),
        Content::FlatOds => Ok(Format::Ods),
    }
}

/// What the file at `path` holds.
///
/// # Errors
/// As [`sniff`].
pub fn content(path: &Path, limits: &Limits) -> Result<Content> {
    let mut file = File::open(path)?;
    let mut head = vec![0; encoding::PIECE_BYTES];
    let size = encoding::fill(&mut file, &mut head)?;
    head.truncate(size);
    if head.is_empty() {
        return Err(Error::problem(Code::EmptyFile, crate::sheet::NOTHING));
    }
    let bytes = file.seek(SeekFrom::End(0))?;
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return package::look(&mut file, bytes, limits).map(Content::Is);
    }
    if head.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return ole::look(&mut file, &head).map(Content::Is);
    }
    if is_bare_biff(&head) {
        return Ok(Content::Is(Format::Xls));
    }
    if let Some(what) = signature(&head) {
        return Err(unsupported(what));
    }
    text(&head, bytes)
}

/// A worksheet or workbook stream outside any container, as programs of the nineties wrote it.
fn is_bare_biff(head: &[u8]) -> bool {
    matches!(
        head,
        [0x09, 0x00, 0x04, 0x00, ..]
            | [0x09, 0x02 | 0x04, 0x06, 0x00, ..]
            | [0x09, 0x08, 0x08 | 0x10, 0x00, ..]
    )
}

/// What else people add by mistake, by its first bytes.
fn signature(head: &[u8]) -> Option<&'static str> {
    const SIGNATURES: [(&[u8], &str); 15] = [
        (b"%PDF-", "a PDF"),
        (b"\x89PNG\r\n", "a picture"),
        (b"\xff\xd8\xff", "a picture"),
        (b"GIF8", "a picture"),
        (b"II*\0", "a picture"),
        (b"MM\0*", "a picture"),
        (b"\x1f\x8b", "a packed file (gzip)"),
        (b"7z\xbc\xaf\x27\x1c", "a packed file (7z)"),
        (b"Rar!\x1a\x07", "a packed file (rar)"),
        (b"\xfd7zXZ\0", "a packed file (xz)"),
        (b"\x28\xb5\x2f\xfd", "a packed file (zstd)"),
        (b"{\\rtf", "a text document (RTF)"),
        (b"SQLite format 3\0", "a database"),
        (b"PAR1", "a Parquet file"),
        (b"\x7fELF", "a program"),
    ];
    // Some programs write a mark of UTF-8 before anything.
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let named = SIGNATURES
        .iter()
        .find(|(bytes, _)| text.starts_with(bytes))
        .map(|(_, what)| *what);
    // Words that a list may begin with, where no text follows.
    let binary = head.contains(&0);
    named.or(match head {
        [b'B', b'M', ..] if binary => Some("a picture"),
        [b'M', b'Z', ..] if binary => Some("a program"),
        [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A', b'Y', ..] => Some("a packed file (bzip2)"),
        _ => None,
    })
}

fn text(head: &[u8], bytes: u64) -> Result<Content> {
    let sample = match encoding::by_head(head)? {
        Some((encoding, _)) => encoding.decode(head).0,
        None => String::from_utf8_lossy(head),
    };
    let start = sample.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if let Some(content) = markup(start)? {
        return Ok(content);
    }
    if is_json(start) {
        return Err(unsupported("JSON"));
    }
    if let Some(what) = exchange(start) {
        let how = "open it in Excel or LibreOffice and save it as .xlsx";
        return Err(unsupported(&format!("{what}: {how}")));
    }
    let whole = u64::try_from(head.len()).is_ok_and(|size| size >= bytes);
    Ok(Content::Is(match delimited::separator_of(&sample, whole) {
        b'\t' => Format::Tsv,
        _ => Format::Csv,
    }))
}

/// Text between angle brackets: a page, or one of the spreadsheets in XML.
fn markup(start: &str) -> Result<Option<Content>> {
    let mail = start
        .get(..13)
        .is_some_and(|s| s.eq_ignore_ascii_case("mime-version:"));
    if mail && start.contains("multipart/related") {
        return Ok(Some(Content::WebArchive));
    }
    if !start.starts_with('<') {
        return Ok(None);
    }
    let lower = start.to_ascii_lowercase();
    if lower.contains("urn:schemas-microsoft-com:office:spreadsheet") && lower.contains("<?xml") {
        return Ok(Some(Content::SpreadsheetMl));
    }
    if lower.contains("urn:oasis:names:tc:opendocument:xmlns:office") {
        const KIND: &str = "office:mimetype=\"application/vnd.oasis.opendocument.";
        let kind = lower
            .split_once(KIND)
            .and_then(|(_, rest)| rest.split_once('"'))
            .map(|(kind, _)| kind);
        package::open_document(kind.unwrap_or("spreadsheet"))?;
        return Ok(Some(Content::FlatOds));
    }
    const TAGS: [&str; 9] = [
        "<!doctype html",
        "<html",
        "<head",
        "<body",
        "<table",
        "<meta",
        "<style",
        "<div",
        "<title",
    ];
    if TAGS.iter().any(|tag| lower.starts_with(tag)) {
        return Ok(Some(Content::Html));
    }
    let prolog = ["<?xml", "<!--", "<!doctype"];
    if prolog.iter().any(|tag| lower.starts_with(tag)) {
        // In XML only the first element tells: news and letters have titles and tables, too.
        let is_page = if lower.starts_with("<?xml") {
            let root = behind_prolog(&lower);
            TAGS.iter().any(|tag| root.starts_with(tag))
        } else {
            TAGS.iter().any(|tag| lower.contains(tag))
        };
        if is_page {
            return Ok(Some(Content::Html));
        }
        return Err(unsupported("XML"));
    }
    // A list may have a field that begins with "<".
    Ok(None)
}

/// The text from the first element on: without declarations, instructions and comments.
fn behind_prolog(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        let end = match rest.get(..4) {
            Some("<!--") => "-->",
            Some(start) if start.starts_with("<?") => "?>",
            // The one that names a page is as good as its element.
            Some("<!do") if !rest.starts_with("<!doctype html") => ">",
            _ => return rest,
        };
        match rest.split_once(end) {
            Some((_, after)) => rest = after.trim_start(),
            None => return "",
        }
    }
}

/// The forms in which spreadsheet programs of the eighties exchanged tables, line by line.
fn exchange(start: &str) -> Option<&'static str> {
    let mut lines = start.split(['\r', '\n']).filter(|line| !line.is_empty());
    let first = lines.next()?;
    if first == "TABLE" {
        let is_dif = lines.next() == Some("0,1") && lines.next()?.starts_with('"');
        return is_dif.then_some("a DIF file");
    }
    if !first.starts_with("ID;P") {
        return None;
    }
    // A list may have such headers, but no such rows: what each line is, and fields that a letter names.
    for line in lines {
        let (kind, fields) = line.split_once(';').unwrap_or((line, ""));
        let fields: Vec<&str> = fields.split(';').collect();
        let place = |field: &&str| {
            let number = field.strip_prefix(['X', 'Y']);
            number.is_some_and(|number| number.parse::<u32>().is_ok())
        };
        let is_cell = fields.iter().any(place) && fields.iter().any(|f| f.starts_with('K'));
        if line == "E" || (kind == "C" && is_cell) {
            return Some("a SYLK file");
        }
        let is_named = |field: &&str| field.starts_with(|c: char| c.is_ascii_uppercase());
        let is_kind = ["B", "C", "F", "NE", "NN", "NU", "O", "W"].contains(&kind);
        // Formats hold any letters.
        if kind != "P" && !(is_kind && fields.iter().all(is_named)) {
            return None;
        }
    }
    None
}

fn is_json(start: &str) -> bool {
    let next = |text: &str| text.trim_start().chars().next();
    match start.strip_prefix('{') {
        Some(inside) => next(inside) == Some('"') && inside.contains("\":"),
        None => start
            .strip_prefix('[')
            .is_some_and(|inside| next(inside) == Some('{') && inside.contains("\":")),
    }
}

fn unsupported(what: &str) -> Error {
    Error::problem(
        Code::UnsupportedFormat,
        format!("The file must be {FORMATS_SENTENCE}. This one is {what}."),
    )
}

fn le16(bytes: &[u8], at: usize) -> u16 {
    match bytes.get(at..at + 2) {
        Some(&[a, b]) => u16::from_le_bytes([a, b]),
        _ => 0,
    }
}

fn le32(bytes: &[u8], at: usize) -> u32 {
    match bytes.get(at..at + 4) {
        Some(&[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]),
        _ => 0,
    }
}
