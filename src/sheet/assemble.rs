//! From a parser's raw rows to a sheet: finds the header, names the columns, writes the rows below
//! it (`line.rs`), and notes what was dropped, guessed or changed.

mod line;

use super::above::Above;
use super::bounds;
use super::cells::Writer;
use super::doubt;
use super::fill::Filler;
use super::header::{self, Waiting};
use super::names;
use super::notices::{Notices, quote, thousands};
use super::protocol::Output;
use super::row::cell_name;
use super::{SheetInfo, json};
use crate::error::{Error, Result};
use crate::words::Code;

pub use super::found::{Found, Merge, Sheet};

/// Rows that are looked at to find the header.
const LOOK_ROWS: usize = 30;

/// Bytes of text in them, after which looking ends.
const LOOK_BYTES: usize = 8 << 20;

/// Bytes of all labels of a header together.
const HEADER_BYTES_MAX: usize = 8 << 20;

/// Rows above a given header row that may be part of the header.
const ABOVE_ROWS: u32 = 4;

/// Error cells of which the name is kept.
const ERROR_CELLS_NAMED: usize = 100;

/// Rows of a workbook's sheet, whatever the settings are: no spreadsheet program has more.
const WORKBOOK_ROWS: u32 = 1_048_576;

/// Takes the rows of one sheet, top to bottom.
pub struct Assembler<'o, 'w> {
    sheet: Sheet,
    out: &'o mut Output<'w>,
    /// The first rows, until the header is known.
    waiting: Vec<Waiting>,
    waiting_bytes: usize,
    header: Option<Header>,
    /// The last row that came; 0 before the first.
    number: u32,
    rows: u64,
    rows_max: u64,
    /// Whether a column has a value below the header.
    used: Vec<bool>,
    error_cells: u64,
    error_cells_first: Vec<String>,
    notices: Notices,
    above: Above,
    filler: Filler,
    line: Writer,
}

/// The header, once it is known.
struct Header {
    row: u32,
    labels: Vec<Option<String>>,
    /// Text files: the number of fields of its record.
    width: Option<u32>,
}

impl<'o, 'w> Assembler<'o, 'w> {
    pub fn new(sheet: Sheet, out: &'o mut Output<'w>) -> Assembler<'o, 'w> {
        let limits = out.limits();
        let rows_max = if sheet.workbook {
            limits.rows_workbook_max
        } else {
            limits.rows_text_max
        };
        Assembler {
            sheet,
            out,
            waiting: Vec::new(),
            waiting_bytes: 0,
            header: None,
            number: 0,
            rows: 0,
            rows_max,
            used: Vec::new(),
            error_cells: 0,
            error_cells_first: Vec::new(),
            notices: Notices::default(),
            above: Above::default(),
            filler: Filler::default(),
            line: Writer::default(),
        }
    }

    /// A row: its 1-based number, and its cells by 0-based column, ascending. Empty texts count as
    /// empty cells and a row without any value as a blank row, which need not be told. `width` is
    /// the number of fields of a text file's record.
    ///
    /// # Errors
    /// `too-complex` over a bound; `unreadable-file` where rows or columns come out of order; `Io`
    /// where the parent is gone.
    pub fn row(
        &mut self,
        number: u32,
        cells: &[(usize, Found<'_>)],
        width: Option<u32>,
    ) -> Result<()> {
        if cells.iter().all(|(_, found)| found.is_empty()) {
            return Ok(());
        }
        if number <= self.number {
            return Err(bounds::out_of_order(number));
        }
        if self.sheet.workbook && number > WORKBOOK_ROWS {
            return Err(bounds::too_complex(
                "The sheet has more rows than a spreadsheet program can show. Split it.",
            ));
        }
        self.number = number;
        if self.header.is_some() {
            return self.write(number, cells, width);
        }
        if let Some(given) = self.sheet.header_row {
            if number.saturating_add(ABOVE_ROWS) < given {
                self.skip(&Waiting {
                    number,
                    cells: cells.iter().map(|(c, found)| (*c, found.keep())).collect(),
                    width,
                });
                return Ok(());
            }
            if number > given {
                self.wait(number, cells, width)?;
                return self.settle();
            }
        }
        self.wait(number, cells, width)?;
        let given = self.sheet.header_row.is_some();
        if !given && (self.waiting.len() >= LOOK_ROWS || self.waiting_bytes >= LOOK_BYTES) {
            return self.settle();
        }
        Ok(())
    }

    /// Whether the header has been found, so that rows can be streamed.
    pub(super) fn knows_header(&self) -> bool {
        self.header.is_some()
    }

    /// As [`Assembler::row`] for the fields of a text file, once the header is known: they are
    /// written as they come.
    ///
    /// # Errors
    /// As [`Assembler::row`].
    pub(super) fn stream<'a>(
        &mut self,
        number: u32,
        fields: impl Iterator<Item = &'a str>,
        width: u32,
    ) -> Result<()> {
        if number <= self.number {
            return Err(bounds::out_of_order(number));
        }
        self.number = number;
        let bytes_max = self.out.limits().cell_bytes_text_max;
        self.line.clear();
        for (column, field) in fields.enumerate().filter(|(_, field)| !field.is_empty()) {
            self.begin_cell(column, number)?;
            let text = self.line.text();
            if json::is_plain_number(field) {
                text.extend_from_slice(field.as_bytes());
            } else if field.len() <= bytes_max {
                json::text(text, field);
            } else {
                return Err(bounds::too_long((column, number), bytes_max, "bytes"));
            }
        }
        self.end_line(number, Some(width))
    }

    /// Notes something that the parser dropped, guessed or changed; at most so many of each code
    /// are kept, and then only counted. `cell` is a 0-based column and a 1-based row.
    pub fn notice(&mut self, code: &str, cell: Option<(usize, u32)>, message: &str) {
        self.notices.add(code, cell, message);
    }

    /// The last row has come: writes the sheet's end.
    ///
    /// # Errors
    /// As [`Assembler::row`]; `bad-request` where the given header row is beyond the last one.
    pub fn finish(mut self) -> Result<SheetInfo> {
        if self.header.is_none() && self.number > 0 {
            if let Some(given) = self.sheet.header_row
                && given > self.number
            {
                return Err(Error::problem(
                    Code::BadRequest,
                    format!(
                        "Row {} can't be the header: the last row with a value is row {}. Say a row above that one.",
                        thousands(u64::from(given)),
                        thousands(u64::from(self.number))
                    ),
                ));
            }
            self.settle()?;
        }
        let labels = match &mut self.header {
            Some(header) => std::mem::take(&mut header.labels),
            None => Vec::new(),
        };
        let header_row = self.header.map(|header| header.row);
        let columns = names::columns(labels, &self.used, header_row, &mut self.notices);
        let named = || columns.iter().filter(|column| column.label.is_some());
        let first = named().next().map_or(0, |column| column.index);
        let count = named().count();
        if let Some(row) = header_row
            && self.sheet.header_row.is_none()
            && count * 2 < columns.len()
        {
            self.notices.add(
                "header-guessed",
                Some((first, row)),
                &format!(
                    "Row {row} was taken for the headers, but names only {count} of {} columns. If they stand elsewhere, say their row.",
                    columns.len()
                ),
            );
        }
        bounds::stored(columns.len(), self.out.limits().columns_stored_max)?;
        let info = SheetInfo {
            position: self.sheet.position,
            name: self.sheet.name,
            visibility: self.sheet.visibility,
            header_row,
            columns,
            rows: self.rows,
            error_cells: self.error_cells,
            error_cells_first: self.error_cells_first,
            notices: self.notices.finish(),
            above: self.above.finish(),
        };
        self.out.sheet_end(&info)?;
        Ok(info)
    }

    /// Keeps a row until the header is known.
    fn wait(
        &mut self,
        number: u32,
        cells: &[(usize, Found<'_>)],
        width: Option<u32>,
    ) -> Result<()> {
        let mut kept: Vec<(usize, Found<'static>)> = Vec::with_capacity(cells.len());
        for (column, found) in cells {
            if found.is_empty() {
                continue;
            }
            if kept.last().is_some_and(|(last, _)| last >= column) {
                return Err(bounds::out_of_order(number));
            }
            bounds::column(*column, self.out.limits().columns_max)?;
            bounds::size(&self.sheet, self.out.limits(), (*column, number), found)?;
            self.waiting_bytes += found.text().len() + size_of::<Found<'_>>();
            kept.push((*column, found.keep()));
        }
        self.waiting.push(Waiting {
            number,
            cells: kept,
            width,
        });
        Ok(())
    }

    /// Decides where the header is, and writes the rows below it that have come already.
    fn settle(&mut self) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        let merges = header::near(&waiting, &self.sheet.merges);
        let at = match self.sheet.header_row {
            None => Some(header::find(&waiting, &merges)),
            Some(given) => waiting.iter().position(|row| row.number == given),
        };
        let place = at.map(|at| header::lines(&waiting, at, &merges));
        let (row, above, below) = match place {
            Some(place) => (place.row, place.first, place.last + 1),
            // A given header row that is blank: every name has to be made.
            None => {
                let given = self.sheet.header_row.unwrap_or(0);
                let above = waiting.partition_point(|row| row.number < given);
                (given, above, above)
            }
        };
        for row in waiting.iter().take(above) {
            self.skip(row);
        }
        // The upper lines of a header stand above its last one.
        let upper = waiting.get(above..).unwrap_or(&[]);
        for line in upper
            .iter()
            .take_while(|line| line.number < row)
            .take(below - above)
        {
            self.above.add(line, &mut self.notices);
        }
        if let Some(place) = place {
            if self.sheet.header_row.is_none()
                && let Some((cell, sentence)) = doubt::sentence(&waiting, place)
            {
                self.notices.add("header-guessed", Some(cell), &sentence);
            }
            for line in waiting.iter().take(place.last + 1).skip(place.first) {
                for (column, found) in &line.cells {
                    if matches!(found, Found::Error(_)) {
                        self.error_cell(*column, line.number);
                    }
                }
            }
        }
        let labels = place.map_or_else(Vec::new, |place| {
            if place.first < place.last {
                self.notices.add(
                    "header-joined",
                    Some((0, place.row)),
                    "The header has several lines; they were joined in each column.",
                );
            }
            header::labels(&waiting, place, &merges)
        });
        let bytes: usize = labels.iter().flatten().map(String::len).sum();
        if bytes > HEADER_BYTES_MAX {
            return Err(bounds::too_complex(&format!(
                "The headers in row {row} hold more than {} MB of text. Shorten them.",
                HEADER_BYTES_MAX >> 20
            )));
        }
        let width = place
            .and_then(|place| waiting.get(place.last))
            .and_then(|row| row.width);
        self.header = Some(Header { row, labels, width });
        self.filler = Filler::new(&self.sheet.merges, row);
        for waiting in waiting.iter().skip(below) {
            self.write(waiting.number, &waiting.cells, waiting.width)?;
        }
        Ok(())
    }

    /// Notes a row above the header.
    fn skip(&mut self, row: &Waiting) {
        self.above.add(row, &mut self.notices);
        if !self.notices.wants("title-row") {
            return;
        }
        let words: Vec<String> = row
            .cells
            .iter()
            .map(|(_, found)| names::clean(&header::words(found)))
            .filter(|words| !words.is_empty())
            .take(20)
            .collect();
        let column = row.cells.first().map_or(0, |cell| cell.0);
        let message = format!(
            "Row {} stands above the headers and was left out: {}.",
            row.number,
            quote(&words.join(" "))
        );
        self.notices
            .keep("title-row", Some((column, row.number)), message);
    }

    fn error_cell(&mut self, column: usize, number: u32) {
        self.error_cells += 1;
        if self.error_cells_first.len() < ERROR_CELLS_NAMED {
            self.error_cells_first.push(cell_name(column, number));
        }
    }
}
