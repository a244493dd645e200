//! The three files that have something of every row: records as lines of JSON and as a table, and the sheet
//! as it was with what is wrong in it.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::cannot_write;
use super::marked::Marked;
use crate::error::Result;
use crate::process::Checker;
use crate::record::Fields;
use crate::report::export::xlsx::annotated::Annotated;
use crate::report::export::{Member, csv};
use crate::sheet::SheetInfo;
use crate::sheet::protocol;

/// Bytes of a file that are written at a time.
const BUFFER_BYTES: usize = 256 << 10;

/// The names of all files that a run writes.
pub(super) const NAMES: [&str; 4] = [
    "report.json",
    "records.ndjson",
    "records.csv",
    "annotated.xlsx",
];

/// Where the files are to be, and what their headers need.
pub(super) struct Places {
    folder: PathBuf,
    ndjson: File,
    table: File,
    copy: File,
    members: Vec<Member>,
    names: Fields,
    info: SheetInfo,
}

impl Places {
    /// Makes the files.
    ///
    /// # Errors
    /// A sentence where one can't be made.
    pub(super) fn new(folder: &Path, checker: &Checker, info: SheetInfo) -> Result<Places> {
        let create = |name: &str| {
            let path = folder.join(name);
            File::create(&path).map_err(|error| cannot_write(&path, error))
        };
        let members = checker.members().map(|(name, kind)| Member {
            name: name.to_owned(),
            kind: kind.to_owned(),
        });
        Ok(Places {
            folder: folder.to_owned(),
            ndjson: create("records.ndjson")?,
            table: create("records.csv")?,
            copy: create("annotated.xlsx")?,
            members: members.collect(),
            names: checker.fields(),
            info,
        })
    }

    /// Writes rows until there are no more.
    ///
    /// # Errors
    /// `Io` where the disk is full.
    pub(super) fn write(mut self, batches: impl IntoIterator<Item = Marked>) -> Result<()> {
        let mut ndjson = BufWriter::with_capacity(BUFFER_BYTES, self.ndjson);
        let mut table = BufWriter::with_capacity(BUFFER_BYTES, self.table);
        let mut annotated = Annotated::begin(&self.folder, &self.info)?;
        let (mut record, mut line) = (String::new(), Vec::new());
        csv::begin(&mut line, &self.members)?;
        for batch in batches {
            for data in protocol::lines(&batch.records) {
                let values = self.names.values(data)?;
                self.names.write_object(&values, &mut record);
                record.push('\n');
                ndjson.write_all(record.as_bytes())?;
                record.clear();
                csv::in_order(&mut line, &self.members, &values)?;
                table.write_all(&line)?;
                line.clear();
            }
            batch.each(|row, remarks| annotated.add(row, remarks))?;
        }
        table.write_all(&line)?;
        table.flush()?;
        ndjson.flush()?;
        annotated.finish(&mut self.copy)
    }
}
