//! A look into a file: its sheets and the first rows of the one that matters; nothing is stored.

use super::rows::{Found, Source};
use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::sheet::reader::{self, ReadJob};
use crate::sheet::{Event, Row, SheetInfo, Visibility};
use crate::stop::Stop;

/// Rows that are kept of a sheet: as many as finding a mapping by content looks at.
pub const ROWS: usize = 200;

/// Bytes of text after which no further row is kept.
const ROW_BYTES_MAX: usize = 4 << 20;

/// Rows that are kept of a sheet that nobody sees.
const HIDDEN_ROWS: usize = 20;

/// What was seen.
#[derive(Debug)]
pub struct Look {
    pub found: Found,
    /// The first rows of the default sheet.
    pub rows: Vec<Row>,
    /// The sheet that nobody sees, if the workbook has one, and its first rows.
    pub hidden: Option<(SheetInfo, Vec<Row>)>,
}

/// Reads the whole file and keeps the first rows of its default sheet.
///
/// # Errors
/// As an upload of the same file; `Stopped` where `stop` was asked.
pub fn look(settings: &Settings, source: &Source<'_>, stop: &Stop) -> Result<Look> {
    let mut reader = reader::read(
        &ReadJob {
            executable: &settings.executable,
            path: source.path,
            format: Some(source.format),
            options: source.options,
            limits: &settings.limits,
        },
        stop,
    )?;
    let mut kept = Kept::default();
    let (mut sheets, mut file, mut hidden) = (Vec::new(), None, None);
    while let Some(events) = reader.next_batch()? {
        for event in events {
            match event {
                Event::Sheet(_) => kept.sheet(),
                Event::Row(row) => kept.row(row),
                Event::SheetEnd(info) => {
                    if info.visibility == Visibility::VeryHidden && hidden.is_none() {
                        hidden = Some(((*info).clone(), kept.first(HIDDEN_ROWS)));
                    }
                    // Which sheet is the default one is told last; until then the likely one is kept.
                    let name = info.name.as_deref().unwrap_or("").to_lowercase();
                    kept.end(match &source.options.sheet {
                        Some(wanted) => name == wanted.to_lowercase(),
                        None => info.rows > 0 && info.visibility == Visibility::Visible,
                    });
                    sheets.push(*info);
                }
                Event::Estimate(_) => {}
                Event::Done(info) => file = Some(info),
            }
        }
    }
    let file =
        file.ok_or_else(|| Error::Internal("the reader ended without saying so".to_owned()))?;
    let found = Found { file, sheets };
    let at = found
        .sheets
        .iter()
        .position(|sheet| sheet.position == found.file.default_sheet);
    Ok(Look {
        rows: kept.of(at),
        found,
        hidden,
    })
}

/// The first rows of the sheet that is being read, and of the one that matters.
#[derive(Default)]
struct Kept {
    rows: Vec<Row>,
    bytes: usize,
    /// Sheets that ended.
    ended: usize,
    /// The chosen one, by its place in the order of sheets.
    chosen: Option<(usize, Vec<Row>)>,
    /// The last one that ended, where none is chosen.
    last: Option<(usize, Vec<Row>)>,
}

impl Kept {
    fn sheet(&mut self) {
        self.rows.clear();
        self.bytes = 0;
    }

    fn row(&mut self, row: Row) {
        let most = match self.chosen {
            None => ROWS,
            Some(_) => HIDDEN_ROWS,
        };
        if self.rows.len() < most && self.bytes < ROW_BYTES_MAX {
            self.bytes += row.cells.len();
            self.rows.push(row);
        }
    }

    /// The first rows of the sheet that is being read.
    fn first(&self, most: usize) -> Vec<Row> {
        self.rows.iter().take(most).cloned().collect()
    }

    fn end(&mut self, matters: bool) {
        let rows = std::mem::take(&mut self.rows);
        if self.chosen.is_none() {
            if matters {
                self.chosen = Some((self.ended, rows));
            } else if !rows.is_empty() && self.last.is_none() {
                self.last = Some((self.ended, rows));
            }
        }
        self.ended += 1;
    }

    /// The rows of the sheet at this place.
    fn of(self, at: Option<usize>) -> Vec<Row> {
        [self.chosen, self.last]
            .into_iter()
            .flatten()
            .find(|(place, _)| Some(*place) == at)
            .map_or_else(Vec::new, |(_, rows)| rows)
    }
}
