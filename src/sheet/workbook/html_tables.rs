//! The tables of a web page as rows of cells: tags may be left open, cells may span, tables may lie
//! in one another.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

use html5gum::emitters::default::{DefaultEmitter, StartTag};
use html5gum::{IoReader, Token, Tokenizer};

use super::super::assemble::Merge;
use super::super::decode::{Doubts, Text};
use super::super::encoding::Detected;
use super::super::{Limits, bounds};
use super::damaged;
use super::html_styles::{self, StyleSheet};
use super::package::in_part;
use crate::error::Result;

/// Columns that one cell may span, as in the HTML standard.
const COLSPAN_MAX: usize = 1_000;

/// Rows that one cell may span, likewise.
const ROWSPAN_MAX: u32 = 65_534;

/// Tables in one another.
const DEPTH_MAX: usize = 64;

/// What a page tells of its tables, which are counted in the order in which they begin.
pub(super) enum Part {
    Row {
        table: usize,
        /// 1-based.
        number: u32,
        /// By column, texts that are not empty.
        cells: Vec<(usize, String)>,
        /// The number formats of cells that tell one, by column.
        formats: Vec<(usize, String)>,
        merges: Vec<Merge>,
        /// The columns of cells with text that is not shown as such: choices, and what stands for scripts.
        unseen: Vec<usize>,
    },
    End {
        table: usize,
        /// Whether other tables lie in it.
        holds_tables: bool,
    },
    /// Text that stands in no table.
    Outside(String),
}

/// A page that is being read.
pub(super) struct Page<'f> {
    tokens: Tokenizer<IoReader<Decoded<'f>>, DefaultEmitter>,
    /// Parts that have been read and not been handed on.
    parts: VecDeque<Part>,
    /// Tables that are open, the innermost last.
    open: Vec<Table>,
    /// Tables that have begun.
    count: usize,
    columns_max: usize,
    /// The element that has begun whose text nobody sees.
    unseen: Option<Vec<u8>>,
    /// What the styles of the page say of number formats.
    sheet: StyleSheet,
    doubts: Rc<Cell<Doubts>>,
}

/// Elements whose text is none of a cell's.
const UNSEEN: [&[u8]; 7] = [
    b"script",
    b"style",
    b"title",
    b"noscript",
    b"template",
    b"select",
    b"datalist",
];

impl<'f> Page<'f> {
    /// # Errors
    /// `Io`.
    pub(super) fn open(
        file: &'f mut File,
        detected: Detected,
        limits: &Limits,
    ) -> Result<Page<'f>> {
        file.seek(SeekFrom::Start(0))?;
        let mut emitter = DefaultEmitter::default();
        // Scripts, styles and titles hold no tags.
        emitter.naively_switch_states(true);
        let doubts = Rc::default();
        let decoded = Decoded(Text::new(file, detected), Rc::clone(&doubts));
        Ok(Page {
            tokens: Tokenizer::new_with_emitter(IoReader::new(decoded), emitter),
            parts: VecDeque::new(),
            open: Vec::new(),
            count: 0,
            columns_max: limits.columns_max,
            unseen: None,
            sheet: StyleSheet::default(),
            doubts,
        })
    }

    /// What of the text that has been read is most likely none of it.
    pub(super) fn doubts(&self) -> Doubts {
        self.doubts.get()
    }

    /// The next part; `None` at the end of the page.
    ///
    /// # Errors
    /// `unreadable-file` where the page ends in a table; `too-complex`.
    pub(super) fn next(&mut self) -> Result<Option<Part>> {
        while self.parts.is_empty() {
            match self.tokens.next() {
                Some(token) => self.take(token.map_err(in_part)?)?,
                None if self.open.is_empty() => return Ok(None),
                None => return Err(damaged()),
            }
        }
        Ok(self.parts.pop_front())
    }

    fn take(&mut self, token: Token) -> Result<()> {
        if let Some(name) = &self.unseen {
            match &token {
                Token::EndTag(tag) if **tag.name == **name => self.unseen = None,
                // One that is left open ends with its cell.
                Token::StartTag(tag) if ends_a_cell(&tag.name) => self.unseen = None,
                Token::EndTag(tag) if ends_a_cell(&tag.name) => self.unseen = None,
                Token::String(text) => {
                    if **name == *b"style" {
                        self.sheet.read(&String::from_utf8_lossy(text));
                    }
                    let is_code = matches!(&**name, b"script" | b"style");
                    if !is_code && !text.trim_ascii().is_empty() {
                        self.open.last_mut().map(Table::has_unseen);
                    }
                    return Ok(());
                }
                _ => return Ok(()),
            }
        }
        match token {
            Token::StartTag(tag) if UNSEEN.contains(&&**tag.name) && !tag.self_closing => {
                self.unseen = Some(tag.name.to_vec());
            }
            Token::StartTag(tag) if &**tag.name == b"table" => return self.begin_table(),
            Token::StartTag(tag) => {
                if let Some(table) = self.open.last_mut() {
                    let row = table.start(&tag, self.columns_max, &self.sheet)?;
                    self.parts.extend(row);
                }
            }
            Token::EndTag(tag) if &**tag.name == b"table" => {
                if let Some(mut table) = self.open.pop() {
                    self.parts.extend(table.end_row());
                    self.parts.push_back(Part::End {
                        table: table.number,
                        holds_tables: table.holds_tables,
                    });
                }
            }
            Token::EndTag(tag) => {
                let row = self.open.last_mut().and_then(|table| table.end(&tag.name));
                self.parts.extend(row);
            }
            Token::String(text) => {
                let text = String::from_utf8_lossy(&text);
                match self.open.last_mut() {
                    Some(table) => table.words(|words| words.add(&text)),
                    None if text.trim().is_empty() => {}
                    None => self.parts.push_back(Part::Outside(text.trim().to_owned())),
                }
            }
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
        Ok(())
    }

    fn begin_table(&mut self) -> Result<()> {
        if let Some(outer) = self.open.last_mut() {
            outer.holds_tables = true;
        }
        if self.open.len() >= DEPTH_MAX {
            return Err(bounds::too_complex(
                "The page has too many tables in one another. Save it as .xlsx and add that.",
            ));
        }
        self.open.push(Table {
            number: self.count,
            ..Table::default()
        });
        self.count += 1;
        Ok(())
    }
}

fn ends_a_cell(name: &[u8]) -> bool {
    matches!(name, b"td" | b"th" | b"tr" | b"table")
}

/// A table that is being read.
#[derive(Default)]
struct Table {
    number: usize,
    /// The row that has begun, 1-based, or was read last.
    row: u32,
    in_row: bool,
    cells: Vec<(usize, String)>,
    merges: Vec<Merge>,
    /// The row up to which each column is taken by a cell that began above.
    taken: Vec<u32>,
    column_next: usize,
    /// The column of the cell that has begun, and its text.
    cell: Option<(usize, Words)>,
    /// Its number format.
    format: Option<String>,
    formats: Vec<(usize, String)>,
    unseen: Vec<usize>,
    holds_tables: bool,
}

impl Table {
    /// A tag inside the table; the row before, where it begins a new one.
    fn start(
        &mut self,
        tag: &StartTag<()>,
        columns_max: usize,
        sheet: &StyleSheet,
    ) -> Result<Option<Part>> {
        match &**tag.name {
            b"tr" => {
                let before = self.end_row();
                self.begin_row();
                return Ok(before);
            }
            b"td" | b"th" => {
                let attribute = |key: &[u8]| {
                    let (_, value) = tag.attributes.iter().find(|(name, _)| ***name == *key)?;
                    Some(String::from_utf8_lossy(value))
                };
                let span = |key: &[u8]| attribute(key)?.trim().parse::<u32>().ok();
                let across = usize::try_from(span(b"colspan").unwrap_or(1)).unwrap_or(1);
                let down = span(b"rowspan").unwrap_or(1);
                self.begin_cell(
                    across.clamp(1, COLSPAN_MAX),
                    down.clamp(1, ROWSPAN_MAX),
                    columns_max,
                )?;
                let own = attribute(b"style").and_then(|style| html_styles::format(&style));
                self.format = own.or_else(|| sheet.of_classes(&attribute(b"class")?));
            }
            b"br" => self.words(|words| words.line_break()),
            b"p" | b"div" | b"li" => self.words(Words::block),
            _ => {}
        }
        Ok(None)
    }

    fn end(&mut self, name: &[u8]) -> Option<Part> {
        match name {
            b"td" | b"th" => self.end_cell(),
            b"p" | b"div" | b"li" => self.words(Words::block),
            b"tr" | b"thead" | b"tbody" | b"tfoot" => return self.end_row(),
            _ => {}
        }
        None
    }

    fn begin_row(&mut self) {
        self.in_row = true;
        self.row = self.row.saturating_add(1);
        self.column_next = 0;
    }

    fn begin_cell(&mut self, across: usize, down: u32, columns_max: usize) -> Result<()> {
        self.end_cell();
        if !self.in_row {
            self.begin_row();
        }
        let taken = |column: usize| self.taken.get(column).is_some_and(|row| *row >= self.row);
        let mut column = self.column_next;
        while taken(column) {
            column += 1;
        }
        self.column_next = column + across;
        bounds::column(column, columns_max)?;
        let last_row = self.row.saturating_add(down - 1);
        if down > 1 {
            let end = self.column_next.min(columns_max);
            self.taken.resize(self.taken.len().max(end), 0);
            if let Some(columns) = self.taken.get_mut(column..end) {
                columns.fill(last_row);
            }
        }
        if across > 1 || down > 1 {
            self.merges.push(Merge {
                first_row: self.row,
                last_row,
                first_column: column,
                last_column: column + across - 1,
            });
        }
        self.cell = Some((column, Words::default()));
        Ok(())
    }

    fn end_cell(&mut self) {
        if let Some((column, words)) = self.cell.take() {
            let text = words.finish();
            let format = self.format.take();
            if !text.is_empty() {
                self.formats.extend(format.map(|format| (column, format)));
                self.cells.push((column, text));
            }
        }
    }

    fn end_row(&mut self) -> Option<Part> {
        self.end_cell();
        std::mem::take(&mut self.in_row).then(|| Part::Row {
            table: self.number,
            number: self.row,
            cells: std::mem::take(&mut self.cells),
            formats: std::mem::take(&mut self.formats),
            merges: std::mem::take(&mut self.merges),
            unseen: std::mem::take(&mut self.unseen),
        })
    }

    fn has_unseen(&mut self) {
        if let Some((column, _)) = self.cell
            && self.unseen.last() != Some(&column)
        {
            self.unseen.push(column);
        }
    }

    fn words(&mut self, change: impl FnOnce(&mut Words)) {
        if let Some((_, words)) = &mut self.cell {
            change(words);
        }
    }
}

/// The text of a cell as a browser shows it: a run of white space is one space, and none stands at
/// the edge of a line.
#[derive(Default)]
struct Words {
    text: String,
    space: bool,
}

impl Words {
    fn add(&mut self, part: &str) {
        for char in part.chars() {
            if matches!(char, ' ' | '\t' | '\n' | '\r' | '\u{c}') {
                self.space = true;
                continue;
            }
            let at_edge = self.text.is_empty() || self.text.ends_with('\n');
            if std::mem::take(&mut self.space) && !at_edge {
                self.text.push(' ');
            }
            // A space that doesn't break lines is one on a page only.
            self.text.push(if char == '\u{a0}' { ' ' } else { char });
        }
    }

    fn line_break(&mut self) {
        self.space = false;
        self.text.push('\n');
    }

    /// A paragraph begins or ends.
    fn block(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.line_break();
        }
    }

    fn finish(mut self) -> String {
        let end = self.text.trim_end_matches('\n').len();
        self.text.truncate(end);
        self.text
    }
}

/// A file's text as UTF-8, for the tokenizer.
struct Decoded<'f>(Text<'f, File>, Rc<Cell<Doubts>>);

impl Read for Decoded<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let invalid = |_| io::Error::from(io::ErrorKind::InvalidData);
        let piece = self.0.piece().map_err(invalid)?.as_bytes();
        let size = piece.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..size), piece.get(..size)) {
            to.copy_from_slice(from);
        }
        self.0.consume(size);
        self.1.set(self.0.doubts);
        Ok(size)
    }
}
