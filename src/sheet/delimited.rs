//! Text files: decodes, splits into records, and hands them to the assembler, whatever the size of
//! the file is.

use std::borrow::Cow;
use std::io::{Read, Seek, SeekFrom};

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use memchr::{memchr, memchr_iter, memchr3};

use super::assemble::{Assembler, Found, Sheet};
use super::decode::{Doubts, Text};
use super::encoding::{self, Detected};
use super::notices::{counted, thousands};
use super::protocol::Output;
use super::quotes::Quotes;
use super::{FileInfo, Limits, ReadOptions, Visibility, dialect, json, summary};
use crate::error::{Error, Result};
use crate::words::Code;

/// Bytes of one record, all fields together.
const RECORD_BYTES_MAX: usize = 64 << 20;

/// Fields of one record, empty ones included; how many may hold a value is a setting.
const FIELDS_MAX: usize = 1 << 17;

/// Reads a text file: its one sheet and the end of the file are told to `out`.
///
/// # Errors
/// `unsupported-format` where it is no text, `empty-file` without a row below the headers,
/// `too-complex` over a bound, `no-such-sheet` where a sheet was asked for, `bad-request` for
/// options that can't be; `Io`.
pub fn read<R: Read + Seek>(
    file: &mut R,
    options: &ReadOptions,
    out: &mut Output<'_>,
) -> Result<()> {
    if let Some(sheet) = &options.sheet {
        summary::by_name(&[], sheet)?;
    }
    let given = options.delimiter.map(separator).transpose()?;
    let detected = encoding::detect(file, options.encoding.as_deref())?;
    let bytes = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    let mut text = Text::new(file, detected);
    let mut may_be_a_table = false;
    let (delimiter, sep_line) = {
        let sample = text.piece()?;
        let whole = u64::try_from(sample.len()).is_ok_and(|size| size >= bytes);
        match dialect::sep_line(sample) {
            Some((separator, size)) => (given.unwrap_or(separator), Some(size)),
            None => {
                let guess = || {
                    let sample = dialect::from_row(sample, options.header_row.unwrap_or(1));
                    let guessed = dialect::guess(sample, whole);
                    may_be_a_table = options.header_row.is_none()
                        && dialect::may_be_a_table(sample, whole, guessed);
                    guessed
                };
                (given.unwrap_or_else(guess), None)
            }
        }
    };
    if let Some(size) = sep_line {
        text.consume(size);
    }
    out.sheet(0)?;
    let limits = out.limits();
    let mut records = Records::new(text, delimiter, limits, u32::from(sep_line.is_some()));
    let mut assembler = Assembler::new(
        Sheet {
            position: 0,
            name: None,
            visibility: Visibility::Visible,
            merges: Vec::new(),
            header_row: options.header_row,
            workbook: false,
        },
        out,
    );
    tell(&mut assembler, detected, sep_line.is_some());
    if may_be_a_table {
        assembler.notice(
            "header-guessed",
            Some((0, 1)),
            "Row 1 was taken for the header of a single column. If it is a title above several columns, say the row of their headers.",
        );
    }
    let mut doubted = false;
    while let Some(record) = records.next()? {
        if record.doubts != Doubts::default() {
            for (column, field) in record.fields().enumerate() {
                if let Some(sentence) = record.doubts.sentence(field, detected) {
                    assembler.notice("undecodable", Some((column, record.number)), &sentence);
                    doubted = true;
                }
            }
        }
        if let Some(column) = record.odd_quote {
            let sentence = odd_quote(record.fields().nth(column).unwrap_or(""));
            assembler.notice("odd-quote", Some((column, record.number)), &sentence);
        }
        if assembler.knows_header() {
            assembler.stream(record.number, record.fields(), record.width())?;
        } else {
            let cells: Vec<(usize, Found<'_>)> = record.fields().map(found).enumerate().collect();
            assembler.row(record.number, &cells, Some(record.width()))?;
        }
    }
    if let Some(row) = records.unclosed {
        assembler.notice(
            "unclosed-quote",
            Some((0, row)),
            &format!(
                "A quote in row {row} is never closed: the rest of the file stands in one cell."
            ),
        );
    }
    if records.text.doubts.replaced && !doubted {
        assembler.notice(
            "undecodable",
            None,
            &format!(
                "Some bytes mean nothing in {}; each stands as \u{fffd}.",
                detected.encoding.name()
            ),
        );
    }
    let info = assembler.finish()?;
    if info.rows == 0 {
        return Err(Error::problem(
            Code::EmptyFile,
            summary::without_rows(&info),
        ));
    }
    out.done(&FileInfo {
        default_sheet: 0,
        encoding: Some(detected.encoding.name().to_owned()),
        delimiter: Some(char::from(delimiter)),
    })
}

/// What is said of a field with quotes inside that have no meaning; of one that took in other lines, too.
fn odd_quote(field: &str) -> String {
    let said = "The field is in quotes and has quotes inside that are not doubled; they were left out or end it early";
    match field.lines().count().saturating_sub(1) {
        0 => format!("{said}."),
        lines => format!(
            "{said}. It goes on to the next quote: {} below it {} part of it. If these are rows of their own, double the quotes or leave them out, and add the file again.",
            counted(lines, "lines"),
            if lines == 1 { "is" } else { "are" }
        ),
    }
}

/// The separator of a text file that begins with `head`, and whether nothing follows.
pub(super) fn separator_of(head: &str, whole: bool) -> u8 {
    let head = head.trim_start_matches('\u{feff}');
    match dialect::sep_line(head) {
        Some((separator, _)) => separator,
        None => dialect::guess(head, whole),
    }
}

fn separator(wanted: char) -> Result<u8> {
    u8::try_from(wanted)
        .ok()
        .filter(|byte| dialect::is_separator(*byte))
        .ok_or_else(|| {
            Error::problem(
                Code::BadRequest,
                "The delimiter must be one plain character, such as a semicolon, or a tab.",
            )
        })
}

/// Notes what was guessed or left out before the first row.
fn tell(assembler: &mut Assembler<'_, '_>, detected: Detected, sep_line: bool) {
    let said = "The file does not say how its letters are encoded";
    if let Some(sentence) = detected.guess(said) {
        assembler.notice("encoding-guessed", None, &sentence);
    }
    if sep_line {
        assembler.notice(
            "sep-line",
            Some((0, 1)),
            "Row 1 only says what separates the fields; it was left out.",
        );
    }
}

/// A field is text, unless it is a JSON number that prints back identically.
pub(super) fn found(field: &str) -> Found<'_> {
    if json::is_plain_number(field) {
        Found::Json(field.into())
    } else {
        Found::Text(field.into())
    }
}

/// The records of a text.
struct Records<'f, 'l, R> {
    text: Text<'f, R>,
    delimiter: u8,
    core: Reader,
    quotes: Quotes,
    limits: &'l Limits,
    /// The fields of a record that csv-core took apart, one after the other, and where each ends.
    fields: Vec<u8>,
    ends: Vec<usize>,
    /// Where each field of a line that was cut as it is ends.
    cuts: Vec<usize>,
    /// The last record's row: blank lines count, the lines of a quoted field don't.
    number: u32,
    /// Whether the last byte read was a CR, so that a LF belongs to it.
    after_cr: bool,
    /// The row in which a quote was opened that is never closed.
    unclosed: Option<u32>,
}

struct Record<'r> {
    number: u32,
    text: Cow<'r, str>,
    ends: &'r [usize],
    /// Whether the fields stand as in the file: a separator between two, perhaps quotes around each.
    raw: bool,
    doubts: Doubts,
    /// The first field with a quote inside that has no meaning.
    odd_quote: Option<usize>,
}

impl Record<'_> {
    fn width(&self) -> u32 {
        u32::try_from(self.ends.len()).unwrap_or(u32::MAX)
    }

    fn fields(&self) -> impl Iterator<Item = &str> {
        let mut begin = 0;
        self.ends.iter().map(move |end| {
            let field = self.text.get(begin..*end).unwrap_or("");
            begin = *end + usize::from(self.raw);
            if self.raw { unquoted(field) } else { field }
        })
    }
}

/// A field without the quotes around it.
fn unquoted(field: &str) -> &str {
    match field.as_bytes() {
        [b'"', .., b'"'] => field.get(1..field.len() - 1).unwrap_or(""),
        _ => field,
    }
}

impl<'f, 'l, R: Read> Records<'f, 'l, R> {
    fn new(text: Text<'f, R>, delimiter: u8, limits: &'l Limits, number: u32) -> Self {
        let mut core = ReaderBuilder::new().delimiter(delimiter).build();
        // It would take a mark at the beginning of the first record that it gets for a file's: let
        // it have a blank line first, which it passes over.
        core.read_record(b"\n", &mut [0], &mut [0]);
        Records {
            text,
            delimiter,
            core,
            quotes: Quotes::new(delimiter),
            limits,
            fields: vec![0; 1 << 16],
            ends: vec![0; 256],
            cuts: Vec::new(),
            number,
            after_cr: false,
            unclosed: None,
        }
    }

    fn next(&mut self) -> Result<Option<Record<'_>>> {
        if !self.skip_blank_lines()? {
            return Ok(None);
        }
        self.count_row()?;
        let line = match self.plain_line()? {
            Some(bytes) => Some(bytes),
            None => self.quoted_line()?,
        };
        match line {
            Some(bytes) => {
                let line = self.text.consumed(bytes + 1);
                Ok(Some(Record {
                    number: self.number,
                    text: line.get(..bytes).unwrap_or("").into(),
                    ends: &self.cuts,
                    raw: true,
                    doubts: self.text.doubts,
                    odd_quote: None,
                }))
            }
            None => self.parsed(),
        }
    }

    /// Goes on by a line that lies whole in the piece at hand and holds no quote, as most do, and
    /// cuts it at its separators; its bytes without the line end. `None` where it needs a parser.
    fn plain_line(&mut self) -> Result<Option<usize>> {
        let piece = self.text.piece()?.as_bytes();
        let Some(bytes) = memchr3(b'\n', b'\r', b'"', piece) else {
            return Ok(None);
        };
        let (line, end) = piece.split_at(bytes);
        let end = end.first();
        if end == Some(&b'"') {
            return Ok(None);
        }
        self.cuts.clear();
        self.cuts.extend(memchr_iter(self.delimiter, line));
        self.cuts.push(bytes);
        if self.cuts.len() > FIELDS_MAX {
            return Ok(None);
        }
        self.after_cr = end == Some(&b'\r');
        self.text.consume(bytes + 1);
        Ok(Some(bytes))
    }

    /// As [`Records::plain_line`] for a record with quotes around fields and none inside them. Line
    /// breaks may be inside.
    fn quoted_line(&mut self) -> Result<Option<usize>> {
        let piece = self.text.piece()?.as_bytes();
        let delimiter = self.delimiter;
        self.cuts.clear();
        let mut begin = 0;
        let (bytes, last) = loop {
            let rest = piece.get(begin..).unwrap_or(&[]);
            let length = match rest.split_first() {
                Some((b'"', inside)) => memchr(b'"', inside).map(|quote| quote + 2),
                _ => memchr3(delimiter, b'\n', b'\r', rest),
            };
            let Some(length) = length.filter(|_| self.cuts.len() < FIELDS_MAX) else {
                return Ok(None);
            };
            let end = begin + length;
            self.cuts.push(end);
            match piece.get(end) {
                Some(byte) if *byte == delimiter => begin = end + 1,
                Some(byte @ (b'\n' | b'\r')) => break (end, *byte),
                // A quote that is doubled or has no meaning, or the end of the piece.
                Some(_) | None => return Ok(None),
            }
        };
        self.after_cr = last == b'\r';
        self.text.consume(bytes + 1);
        Ok(Some(bytes))
    }

    /// The next record, taken apart by csv-core.
    fn parsed(&mut self) -> Result<Option<Record<'_>>> {
        let (mut written, mut count) = (0, 0);
        // At the end of the file a line end is tried: it ends every record, but not a quoted field.
        let mut tried = false;
        loop {
            let piece = self.text.piece()?.as_bytes();
            let at_end = piece.is_empty();
            let input = if at_end && !tried { b"\n" } else { piece };
            let (result, read, out, fields) = self.core.read_record(
                input,
                self.fields.get_mut(written..).unwrap_or_default(),
                self.ends.get_mut(count..).unwrap_or_default(),
            );
            self.quotes.look(input.get(..read).unwrap_or(&[]), count);
            if let Some(last) = read.checked_sub(1) {
                self.after_cr = input.get(last) == Some(&b'\r');
            }
            if at_end {
                tried |= read > 0;
            } else {
                self.text.consume(read);
            }
            written += out;
            count += fields;
            match result {
                ReadRecordResult::InputEmpty if at_end => self.unclosed = Some(self.number),
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => self.more_text(written, count)?,
                ReadRecordResult::OutputEndsFull => self.more_fields()?,
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(None),
            }
        }
        if self.unclosed.is_some()
            && let Some(end) = count
                .checked_sub(1)
                .and_then(|last| self.ends.get_mut(last))
        {
            *end = end.saturating_sub(1);
        }
        Ok(Some(Record {
            number: self.number,
            text: String::from_utf8_lossy(self.fields.get(..written).unwrap_or(&[])),
            ends: self.ends.get(..count).unwrap_or(&[]),
            raw: false,
            doubts: self.text.doubts,
            odd_quote: self.quotes.end(),
        }))
    }

    /// Goes to the next record, counting the blank lines before it. False: there is none.
    fn skip_blank_lines(&mut self) -> Result<bool> {
        loop {
            let Some(&byte) = self.text.piece()?.as_bytes().first() else {
                return Ok(false);
            };
            let ends_crlf = std::mem::take(&mut self.after_cr) && byte == b'\n';
            match byte {
                b'\n' if ends_crlf => {}
                b'\n' => self.count_row()?,
                b'\r' => {
                    self.count_row()?;
                    self.after_cr = true;
                }
                _ => return Ok(true),
            }
            self.text.consume(1);
        }
    }

    fn count_row(&mut self) -> Result<()> {
        self.number = self.number.checked_add(1).ok_or_else(|| {
            Error::problem(Code::TooComplex, "The file has too many lines. Split it.")
        })?;
        Ok(())
    }

    fn more_text(&mut self, written: usize, count: usize) -> Result<()> {
        let begin = count.checked_sub(1).and_then(|last| self.ends.get(last));
        let field = written - begin.copied().unwrap_or(0);
        if field > self.limits.cell_bytes_text_max || self.fields.len() >= RECORD_BYTES_MAX {
            return Err(Error::problem(
                Code::TooComplex,
                format!(
                    "Row {} holds more than {} in one field. Perhaps a quote is missing there: close it, or shorten the field.",
                    thousands(u64::from(self.number)),
                    counted(self.limits.cell_bytes_text_max, "bytes")
                ),
            ));
        }
        self.fields.resize(self.fields.len() * 2, 0);
        Ok(())
    }

    fn more_fields(&mut self) -> Result<()> {
        if self.ends.len() >= FIELDS_MAX {
            return Err(Error::problem(
                Code::TooComplex,
                format!(
                    "Row {} has more than {}. Is the separator right? Say another one, or split the table.",
                    thousands(u64::from(self.number)),
                    counted(FIELDS_MAX, "fields")
                ),
            ));
        }
        self.ends.resize(self.ends.len() * 2, 0);
        Ok(())
    }
}
