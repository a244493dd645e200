//! Whether files can be read here: the reading child reads the sample workbook, under the limits that
//! it always has, and an independent reader must find the same in it.

use std::io::{Cursor, Write};

use super::{Finding, nasty};
use calamine::{Data, Reader as _, Xlsx};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::limits::Limits;
use crate::settings;
use crate::sheet::reader::{self, ReadJob};
use crate::sheet::{Event, ReadOptions, Row};
use crate::stop::Stop;
use crate::words::Format;

pub(super) const SAMPLE: &[u8] = include_bytes!("../../../samples/companies.xlsx");

pub(super) fn all() -> Vec<Finding> {
    const NEXT: &str = "look whether memory or the number of processes is limited here (ulimit -a, MemoryMax=), then ask whoever made this program";
    vec![
        match compare() {
            Ok(cells) => Finding::sound(
                "reading",
                format!("files can be read ({cells} cells of a sample, by two readers)"),
            ),
            Err(error) => Finding::problem(
                "reading",
                format!("files can't be read here ({error})"),
                NEXT,
            ),
        },
        match nasty::run() {
            Ok(files) => Finding::sound(
                "hostile-files",
                format!("{files} broken and hostile files were refused or read as they should be"),
            ),
            Err(error) => Finding::problem("hostile-files", error, NEXT),
        },
    ]
}

/// Reads the sample both ways; how many cells were compared.
fn compare() -> Result<usize> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(SAMPLE)?;
    file.flush()?;
    let ours = by_the_child(file.path())?;
    let theirs = by_the_second_reader()?;
    let mut compared = 0;
    for row in &ours {
        for stored in row.stored()? {
            let cell: Value = serde_json::from_str(stored.json)?;
            let column = u32::try_from(stored.column).unwrap_or(u32::MAX);
            let other = theirs.get_value((row.number - 1, column));
            if !is_same(&cell, other.unwrap_or(&Data::Empty)) {
                return Err(Error::Internal(format!(
                    "two readers differ in row {}, column {}",
                    row.number,
                    column + 1
                )));
            }
            compared += 1;
        }
    }
    let rows = theirs.height().saturating_sub(1);
    if ours.len() == rows {
        Ok(compared)
    } else {
        Err(Error::Internal(format!(
            "{} rows were read where there are {rows}",
            ours.len()
        )))
    }
}

fn by_the_child(path: &std::path::Path) -> Result<Vec<Row>> {
    let job = ReadJob {
        executable: &settings::this_program(),
        path,
        format: Some(Format::Xlsx),
        options: &ReadOptions::default(),
        limits: &Limits::default(),
    };
    let mut reader = reader::read(&job, &Stop::new())?;
    let mut rows = Vec::new();
    while let Some(events) = reader.next_batch()? {
        for event in events {
            match event {
                Event::Row(row) => rows.push(row),
                Event::Sheet(_) | Event::SheetEnd(_) | Event::Estimate(_) | Event::Done(_) => {}
            }
        }
    }
    Ok(rows)
}

fn by_the_second_reader() -> Result<calamine::Range<Data>> {
    let failed = |error: calamine::XlsxError| Error::Internal(format!("second reader: {error}"));
    let mut workbook = Xlsx::new(Cursor::new(SAMPLE)).map_err(failed)?;
    workbook
        .worksheet_range_at(0)
        .ok_or_else(|| Error::Internal("second reader: no sheet".to_owned()))?
        .map_err(failed)
}

fn is_same(ours: &Value, theirs: &Data) -> bool {
    match theirs {
        Data::String(text) => ours.as_str() == Some(text),
        Data::Float(number) => ours.as_f64() == Some(*number),
        Data::Int(number) => ours.as_i64() == Some(*number),
        Data::Bool(on) => ours.as_bool() == Some(*on),
        Data::Empty => ours.is_null(),
        // The sample has none of these.
        Data::DateTime(_) | Data::DateTimeIso(_) | Data::DurationIso(_) | Data::Error(_) => false,
    }
}
