//! Promises of the reading child process.

use std::path::Path;

use sheetline::error::Result;
use sheetline::sheet::reader::{ReadJob, read};
use sheetline::sheet::{Event, FileInfo, Limits, ReadOptions, Row, SheetInfo};
use sheetline::stop::Stop;

/// The built program, which reads files as a child process.
pub(crate) fn executable() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_sheetline"))
}

/// A file read whole.
pub(crate) struct Whole {
    pub(crate) sheets: Vec<(Vec<Row>, SheetInfo)>,
    pub(crate) file: FileInfo,
}

/// Reads a file with the usual limits.
pub(crate) fn read_whole(path: &Path, options: &ReadOptions) -> Result<Whole> {
    read_within(path, options, &Limits::default())
}

pub(crate) fn read_within(path: &Path, options: &ReadOptions, limits: &Limits) -> Result<Whole> {
    let mut reader = read(
        &ReadJob {
            executable: executable(),
            path,
            format: None,
            options,
            limits,
        },
        &Stop::new(),
    )?;
    let mut sheets = Vec::new();
    let mut rows = Vec::new();
    let mut file = None;
    while let Some(events) = reader.next_batch()? {
        for event in events {
            match event {
                Event::Sheet(position) => assert_eq!(position as usize, sheets.len()),
                Event::Row(row) => rows.push(row),
                Event::SheetEnd(info) => sheets.push((std::mem::take(&mut rows), *info)),
                Event::Estimate(_) => {}
                Event::Done(info) => file = Some(info),
            }
        }
    }
    Ok(Whole {
        sheets,
        file: file.expect("a file that was read whole says so"),
    })
}
