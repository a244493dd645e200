//! What the child process tells its parent: a line an event, rows as the text that goes into the
//! database as it is. JSON text holds no control characters, so that tabs and line ends separate.
//!
//! ```text
//! S 0                                     a worksheet begins
//! R 17 \t width \t kinds \t cells         a row; width and kinds may be empty
//! E {SheetInfo}                           the worksheet ends
//! T 5000                                  how many rows the file seems to have
//! D {FileInfo}                            the file has been read whole
//! X {"code","detail"}                     the file can't be read; nothing follows
//! ```

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::document::Objects;
use super::{Event, FileInfo, Limits, Row, SheetInfo, bounds};
use crate::error::{Error, Problem, Result};
use crate::words::Code;

/// Why the child gave up: a code and a sentence.
#[derive(Serialize, Deserialize)]
struct Refusal {
    code: String,
    detail: String,
}

/// The child's end: writes events and keeps the bounds that hold for the file as a whole.
pub struct Output<'w> {
    out: &'w mut dyn Write,
    limits: &'w Limits,
    /// Of the file that is read.
    file_bytes: u64,
    /// Of the rows' cells as they are stored.
    bytes: u64,
    /// By which the JSON of the sheets that have ended is longer: names, and what is empty.
    more_bytes: u64,
    cells: u64,
    /// Those of the sheets that have ended.
    cells_before: u64,
    info_bytes: usize,
    /// Lines that have not been written yet.
    lines: Vec<u8>,
}

/// Bytes that are written at a time; a pipe takes no more.
const WRITE_BYTES: usize = 64 << 10;

/// Bytes of what is told of all sheets together, which the parent keeps in memory: names, headers
/// and notices.
const INFO_BYTES_MAX: usize = 16 << 20;

/// Bytes of an empty cell in JSON, which [`Objects::bytes`] has for every cell.
const NULL_BYTES: u64 = 4;

/// How many times a file's size its JSON may be, whatever the bound: names stand in every row, and where
/// they are questions of a survey, they are most of it. Packing alone comes to a thousand.
const JSON_TIMES_MAX: u64 = 1_000;

impl<'w> Output<'w> {
    pub fn new(out: &'w mut dyn Write, limits: &'w Limits) -> Output<'w> {
        Output {
            out,
            limits,
            file_bytes: 0,
            bytes: 0,
            more_bytes: 0,
            cells: 0,
            cells_before: 0,
            info_bytes: 0,
            lines: Vec::with_capacity(2 * WRITE_BYTES),
        }
    }

    /// As [`Output::new`], for a file of so many bytes.
    pub fn of_file(out: &'w mut dyn Write, limits: &'w Limits, bytes: u64) -> Output<'w> {
        Output {
            file_bytes: bytes,
            ..Output::new(out, limits)
        }
    }

    /// The bounds of reading.
    pub fn limits(&self) -> &'w Limits {
        self.limits
    }

    /// # Errors
    /// `Io` where the parent is gone, as in all that follow.
    pub fn sheet(&mut self, position: u32) -> Result<()> {
        Ok(writeln!(self.lines, "S{position}")?)
    }

    /// A row; `cells` and `kinds` are as in [`Row`], `filled` says how many of
    /// the cells hold a value.
    ///
    /// # Errors
    /// `too-complex` where the file has more cells or text than it may.
    pub fn row(
        &mut self,
        number: u32,
        width: Option<u32>,
        kinds: Option<&str>,
        cells: &[u8],
        filled: u64,
    ) -> Result<()> {
        self.cells = self.cells.saturating_add(filled);
        self.bytes = self
            .bytes
            .saturating_add(u64::try_from(cells.len()).unwrap_or(u64::MAX));
        if self.cells > self.limits.cells_max {
            return Err(bounds::cells(self.limits));
        }
        if self.bytes > self.limits.output_bytes_max {
            return Err(Error::problem(
                Code::TooComplex,
                format!(
                    "The file holds more than {} MB of text. Split it.",
                    self.limits.output_bytes_max / 1_000_000
                ),
            ));
        }
        let line = &mut self.lines;
        line.push(b'R');
        serde_json::to_writer(&mut *line, &number)?;
        line.push(b'\t');
        if let Some(width) = width {
            serde_json::to_writer(&mut *line, &width)?;
        }
        line.push(b'\t');
        line.extend_from_slice(kinds.unwrap_or("").as_bytes());
        line.push(b'\t');
        line.extend_from_slice(cells);
        line.push(b'\n');
        if self.lines.len() >= WRITE_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// # Errors
    /// `too-complex` where the headers hold more text than any headers should, or would make too much of
    /// it in the JSON of so many rows; `Io`.
    pub fn sheet_end(&mut self, info: &SheetInfo) -> Result<()> {
        let text = serde_json::to_string(info)?;
        self.info_bytes = self.info_bytes.saturating_add(text.len());
        if self.info_bytes > INFO_BYTES_MAX {
            return Err(Error::problem(
                Code::TooComplex,
                format!(
                    "The headers of the file hold more than {} MB of text. Shorten them.",
                    INFO_BYTES_MAX >> 20
                ),
            ));
        }
        self.count_json(info)?;
        writeln!(self.lines, "E{text}")?;
        self.flush()
    }

    /// Counts what the sheet's JSON has besides its values.
    fn count_json(&mut self, info: &SheetInfo) -> Result<()> {
        let names = Objects::new(&info.columns).bytes();
        let names = u64::try_from(names).unwrap_or(u64::MAX);
        let filled = self.cells.saturating_sub(self.cells_before);
        self.cells_before = self.cells;
        let more = names.saturating_mul(info.rows);
        let nulls = filled.saturating_mul(NULL_BYTES);
        let more = more.saturating_sub(nulls);
        self.more_bytes = self.more_bytes.saturating_add(more);
        let of_file = self.file_bytes.saturating_mul(JSON_TIMES_MAX);
        let most = self.limits.output_bytes_max.max(of_file);
        if self.bytes.saturating_add(self.more_bytes) > most {
            return Err(bounds::too_complex(&format!(
                "The headers stand in every row of the JSON, which would have more than {} MB. Shorten them, or split the file.",
                most / 1_000_000
            )));
        }
        Ok(())
    }

    /// # Errors
    /// `Io`.
    pub fn estimate(&mut self, rows: u64) -> Result<()> {
        Ok(writeln!(self.lines, "T{rows}")?)
    }

    /// # Errors
    /// `Io`.
    pub fn done(&mut self, info: &FileInfo) -> Result<()> {
        writeln!(self.lines, "D{}", serde_json::to_string(info)?)?;
        self.flush()
    }

    /// The file can't be read. What is no problem of the file is told by the exit status.
    ///
    /// # Errors
    /// `Io`.
    pub fn refuse(&mut self, problem: &Problem) -> Result<()> {
        let refusal = Refusal {
            code: problem.code.as_str().to_owned(),
            detail: problem.detail.clone(),
        };
        writeln!(self.lines, "X{}", serde_json::to_string(&refusal)?)?;
        self.flush()
    }

    fn flush(&mut self) -> Result<()> {
        self.out.write_all(&self.lines)?;
        self.lines.clear();
        Ok(self.out.flush()?)
    }
}

/// The parent's end: the events that whole lines tell.
///
/// # Errors
/// As [`parse`].
pub fn events(text: &str) -> Result<Vec<Event>> {
    lines(text).map(parse).collect()
}

/// The whole lines of a text, without their ends.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut begin = 0;
    memchr::memchr_iter(b'\n', text.as_bytes()).map(move |end| {
        let line = text.get(begin..end).unwrap_or("");
        begin = end + 1;
        line
    })
}

/// What one line tells.
///
/// # Errors
/// The child's `Problem` where the line is a refusal; `Io` where it is no line of this protocol.
pub fn parse(line: &str) -> Result<Event> {
    let broken = || Error::Io(io::Error::from(io::ErrorKind::InvalidData));
    if let Some(row) = RowLine::parse(line) {
        return Ok(Event::Row(row.to_row()));
    }
    let kind = line.chars().next().ok_or_else(broken)?;
    let rest = line.get(kind.len_utf8()..).ok_or_else(broken)?;
    match kind {
        'S' => Ok(Event::Sheet(rest.parse().map_err(|_| broken())?)),
        'E' => Ok(Event::SheetEnd(Box::new(serde_json::from_str(rest)?))),
        'T' => Ok(Event::Estimate(rest.parse().map_err(|_| broken())?)),
        'D' => Ok(Event::Done(serde_json::from_str(rest)?)),
        'X' => {
            let refusal: Refusal = serde_json::from_str(rest)?;
            let code = Code::parse(&refusal.code).ok_or_else(broken)?;
            Err(Error::problem(code, refusal.detail))
        }
        _ => Err(broken()),
    }
}

/// The line of a row, as it stands; the members are those of [`Row`].
pub struct RowLine<'l> {
    pub number: u32,
    width: Option<u32>,
    kinds: Option<&'l str>,
    pub cells: &'l str,
}

impl<'l> RowLine<'l> {
    /// `None` where the line is none of a row.
    pub fn parse(line: &'l str) -> Option<RowLine<'l>> {
        // A byte to compare, which `strip_prefix` is not: this is asked of every row.
        let rest = line
            .get(1..)
            .filter(|_| line.as_bytes().first() == Some(&b'R'))?;
        let (number, rest) = field(rest)?;
        let (width, rest) = field(rest)?;
        let (kinds, cells) = field(rest)?;
        Some(RowLine {
            number: number.parse().ok()?,
            width: match width {
                "" => None,
                text => Some(text.parse().ok()?),
            },
            kinds: Some(kinds).filter(|kinds| !kinds.is_empty()),
            cells,
        })
    }

    /// The row, with its own text.
    pub fn to_row(&self) -> Row {
        Row {
            number: self.number,
            cells: self.cells.to_owned(),
            kinds: self.kinds.map(str::to_owned),
            width: self.width,
        }
    }
}

/// What stands before the first tab and behind it; it is never far.
fn field(text: &str) -> Option<(&str, &str)> {
    let tab = text.bytes().position(|byte| byte == b'\t')?;
    Some((text.get(..tab)?, text.get(tab + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits {
            cells_max: 3,
            ..Limits::default()
        }
    }

    #[test]
    fn events_come_out_as_they_went_in() {
        let limits = limits();
        let mut bytes = Vec::new();
        let mut out = Output::new(&mut bytes, &limits);
        out.sheet(2).unwrap();
        out.row(7, Some(3), Some(".d"), br#"["a\tb","2024-10-06"]"#, 2)
            .unwrap();
        out.row(8, None, None, b"[1]", 1).unwrap();
        out.estimate(12).unwrap();
        out.flush().unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let events: Vec<Event> = text.lines().map(|line| parse(line).unwrap()).collect();
        assert_eq!(
            events,
            vec![
                Event::Sheet(2),
                Event::Row(Row {
                    number: 7,
                    cells: r#"["a\tb","2024-10-06"]"#.to_owned(),
                    kinds: Some(".d".to_owned()),
                    width: Some(3),
                }),
                Event::Row(Row {
                    number: 8,
                    cells: "[1]".to_owned(),
                    kinds: None,
                    width: None,
                }),
                Event::Estimate(12),
            ]
        );
    }

    #[test]
    fn one_cell_too_many_is_too_complex() {
        let limits = limits();
        let mut bytes = Vec::new();
        let mut out = Output::new(&mut bytes, &limits);
        out.row(1, None, None, b"[1,2,3]", 3).unwrap();
        let refused = out.row(2, None, None, b"[4]", 1);
        assert!(matches!(refused, Err(Error::Problem(p)) if p.code == Code::TooComplex));
    }

    #[test]
    fn a_refusal_arrives_as_the_problem_that_it_is() {
        let limits = limits();
        let mut bytes = Vec::new();
        Output::new(&mut bytes, &limits)
            .refuse(&Problem::new(Code::PasswordProtected, "Remove it."))
            .unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let error = parse(text.trim_end()).err().unwrap();
        assert!(matches!(error, Error::Problem(p) if p.code == Code::PasswordProtected));
        assert!(parse("nonsense").is_err());
    }
}
