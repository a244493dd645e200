//! The fields of the records of a job, which name the values in `records.data`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use rusqlite::{Connection, params};

use crate::db::Tx;
use crate::error::Result;
use crate::id::JobId;
use crate::record::{self, Fields};

/// Says what the fields of the records are that a job is about to file, in place of what an attempt before
/// said.
///
/// # Errors
/// `Database`.
pub fn write<'n>(tx: &Tx<'_>, job: JobId, names: impl IntoIterator<Item = &'n str>) -> Result<()> {
    forget(tx, job)?;
    let mut statement =
        tx.prepare_cached("INSERT INTO job_fields (job_id, position, name) VALUES (?1, ?2, ?3)")?;
    for (position, name) in (0_i64..).zip(names) {
        statement.execute(params![job.0, position, name])?;
    }
    Ok(())
}

/// Forgets the fields of a job that has no records.
///
/// # Errors
/// `Database`.
pub fn forget(tx: &Tx<'_>, job: JobId) -> Result<()> {
    tx.prepare_cached("DELETE FROM job_fields WHERE job_id = ?1")?
        .execute([job.0])?;
    Ok(())
}

/// The fields of the records of a job.
fn of_job(connection: &Connection, job: JobId) -> Result<Fields> {
    let mut statement = connection
        .prepare_cached("SELECT name FROM job_fields WHERE job_id = ?1 ORDER BY position")?;
    let names = statement.query_map([job.0], |row| row.get::<_, String>(0))?;
    Ok(Fields::new(names.collect::<rusqlite::Result<Vec<_>>>()?))
}

/// Gives the values of records their fields; those of a job are read once.
pub(super) struct Named<'c> {
    connection: &'c Connection,
    jobs: HashMap<JobId, Fields>,
}

impl<'c> Named<'c> {
    pub(super) fn new(connection: &'c Connection) -> Named<'c> {
        Named {
            connection,
            jobs: HashMap::new(),
        }
    }

    /// A record of the job as everybody but `records.data` has it, `{"field": value}`.
    ///
    /// # Errors
    /// `Database`; `Internal` where the record is damaged.
    pub(super) fn object(&mut self, job: JobId, data: String) -> Result<String> {
        if !record::is_array(&data) {
            return Ok(data);
        }
        let fields = match self.jobs.entry(job) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(of_job(self.connection, job)?),
        };
        fields.object(&data)
    }
}
