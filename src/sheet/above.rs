//! The rows above a sheet's headers: no data, but part of what its owner sees, and kept so that a
//! copy of the sheet can show them.

use serde::{Deserialize, Serialize};

use super::assemble::Found;
use super::cells::Writer;
use super::header::Waiting;
use super::notices::Notices;
use super::row::Row;
use super::{Kind, json};

/// Rows that are kept.
const ROWS_MAX: usize = 30;

/// Bytes of their text.
const BYTES_MAX: usize = 64 << 10;

/// A row above the headers; the members are those of a [`Row`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TitleRow {
    /// 1-based row in the file.
    pub row: u32,
    pub cells: String,
    pub kinds: Option<String>,
}

impl TitleRow {
    /// The same as a row of the sheet.
    pub fn to_row(&self) -> Row {
        Row {
            number: self.row,
            cells: self.cells.clone(),
            kinds: self.kinds.clone(),
            width: None,
        }
    }
}

/// The first rows above the headers, and whether there were more.
#[derive(Debug, Default)]
pub(super) struct Above {
    rows: Vec<TitleRow>,
    bytes: usize,
    full: bool,
}

impl Above {
    /// Keeps a row, as far as there is room.
    pub(super) fn add(&mut self, row: &Waiting, notices: &mut Notices) {
        if self.full {
            return;
        }
        let text: usize = row.cells.iter().map(|(_, found)| found.text().len()).sum();
        self.bytes = self.bytes.saturating_add(text);
        // Cells count too: each costs a byte or more of what is stored.
        let more = row.cells.len().saturating_sub(1);
        self.bytes = self.bytes.saturating_add(more);
        if self.rows.len() >= ROWS_MAX || self.bytes > BYTES_MAX {
            self.full = true;
            notices.add(
                "title-rows-cut",
                Some((0, row.number)),
                &format!(
                    "From row {} on, the rows above the headers are too many or too long to be kept; a marked copy of the sheet shows only those before.",
                    row.number
                ),
            );
            return;
        }
        self.rows.push(title(row));
    }

    pub(super) fn finish(self) -> Vec<TitleRow> {
        self.rows
    }
}

fn title(row: &Waiting) -> TitleRow {
    let mut line = Writer::default();
    for (column, found) in row.cells.iter().filter(|cell| !cell.1.is_empty()) {
        line.begin(*column);
        value(line.text(), found);
        line.kind(kind(found));
    }
    let (cells, kinds) = line.finish();
    TitleRow {
        row: row.number,
        cells: String::from_utf8_lossy(cells).into_owned(),
        kinds: kinds.map(str::to_owned),
    }
}

fn value(out: &mut Vec<u8>, found: &Found<'_>) {
    match found {
        Found::Text(text) | Found::Moment(_, text) => json::text(out, text),
        Found::Number(number) | Found::Bare(number) => {
            if !json::number(out, *number) {
                out.extend_from_slice(b"null");
            }
        }
        Found::Json(text) => out.extend_from_slice(text.as_bytes()),
        Found::Bool(true) => out.extend_from_slice(b"true"),
        Found::Bool(false) => out.extend_from_slice(b"false"),
        Found::Error(_) => out.extend_from_slice(b"null"),
    }
}

fn kind(found: &Found<'_>) -> Kind {
    match found {
        Found::Moment(kind, _) => *kind,
        Found::Error(_) => Kind::Error,
        Found::Text(_) | Found::Number(_) | Found::Bare(_) | Found::Json(_) | Found::Bool(_) => {
            Kind::Plain
        }
    }
}
