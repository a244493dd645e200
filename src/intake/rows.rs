//! From a file to stored rows: runs the reader and puts what it finds into the database, a batch
//! per transaction, so that nobody else waits long for the writer.

use std::path::Path;

use crate::db::pace::Pace;
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::id::UploadNo;
use crate::settings::Settings;
use crate::sheet::reader::{self, ReadJob};
use crate::sheet::{Event, FileInfo, ReadOptions, Row, SheetInfo};
use crate::stop::Stop;
use crate::store::{packs, rows, uploads};
use crate::words::Format;

/// Rows per transaction.
const BATCH_ROWS: usize = 2_000;

/// Bytes of row text per transaction.
const BATCH_BYTES: usize = 2 << 20;

/// What was found in a file, its rows apart.
#[derive(Debug)]
pub struct Found {
    pub file: FileInfo,
    pub sheets: Vec<SheetInfo>,
}

impl Found {
    /// The sheet that "the rows of the file" means.
    pub fn default_sheet(&self) -> Option<&SheetInfo> {
        self.sheets
            .iter()
            .find(|sheet| sheet.position == self.file.default_sheet)
    }
}

/// How far reading is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    pub rows_done: u64,
    /// What the file seems to have.
    pub rows_total: Option<u64>,
}

/// How rows are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One by one, for whoever looks into the database.
    Lines,
    /// Many in a piece, in a quarter of the room.
    Packs,
}

/// Reads the file at `path` and stores its rows in that form. `each` runs first in every
/// transaction (it proves that the work is still wanted) and `after` when it is committed.
///
/// # Errors
/// A `Problem` where the file can't be read; `Stopped` where `stop` was asked or `each` says so.
pub fn store(
    db: &Db,
    settings: &Settings,
    source: &Source<'_>,
    to: (UploadNo, Form),
    stop: &Stop,
    each: &mut dyn FnMut(&Tx<'_>, Progress) -> Result<()>,
    after: &mut dyn FnMut(),
) -> Result<Found> {
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
    let mut batch = Batch::default();
    let mut progress = Progress {
        rows_done: 0,
        rows_total: None,
    };
    let mut sheet = 0;
    let mut sheets = Vec::new();
    let mut file = None;
    while let Some(events) = reader.next_batch()? {
        for event in events {
            match event {
                Event::Sheet(position) => {
                    batch.flush(db, to, sheet, progress, each, after)?;
                    sheet = position;
                }
                Event::Row(row) => {
                    progress.rows_done += 1;
                    if batch.add(row) {
                        batch.flush(db, to, sheet, progress, each, after)?;
                    }
                }
                Event::SheetEnd(info) => sheets.push(*info),
                Event::Estimate(rows) => progress.rows_total = Some(rows),
                Event::Done(info) => file = Some(info),
            }
        }
    }
    batch.flush(db, to, sheet, progress, each, after)?;
    match file {
        Some(file) => Ok(Found { file, sheets }),
        None => Err(Error::Internal(
            "the reader ended without saying so".to_owned(),
        )),
    }
}

/// The file to read.
pub struct Source<'a> {
    pub path: &'a Path,
    pub format: Format,
    pub options: &'a ReadOptions,
}

#[derive(Default)]
struct Batch {
    rows: Vec<Row>,
    bytes: usize,
}

impl Batch {
    /// True where the batch is full.
    fn add(&mut self, row: Row) -> bool {
        self.bytes += row.cells.len();
        self.rows.push(row);
        self.rows.len() >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }

    fn flush(
        &mut self,
        db: &Db,
        (no, form): (UploadNo, Form),
        sheet: u32,
        progress: Progress,
        each: &mut dyn FnMut(&Tx<'_>, Progress) -> Result<()>,
        after: &mut dyn FnMut(),
    ) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        // Nobody is promised these rows before the upload or the job says that they are all here.
        let packs = match form {
            Form::Lines => None,
            Form::Packs => Some(packs::of(&self.rows)?),
        };
        db.write_ahead(|tx| {
            each(tx, progress)?;
            match &packs {
                None => rows::insert(tx, no, sheet, &self.rows),
                Some(packs) => packs::insert(tx, no, sheet, packs),
            }
        })?;
        after();
        self.rows.clear();
        self.bytes = 0;
        Ok(())
    }
}

/// Removes what was read of an upload, in small steps.
///
/// # Errors
/// `Database`.
pub fn discard(db: &Db, no: UploadNo) -> Result<()> {
    let mut pace = Pace::new();
    while !db.step(&mut pace, |tx, rows| uploads::purge_rows_step(tx, no, rows))? {}
    Ok(())
}
