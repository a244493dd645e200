//! Filing: what a job makes of its rows goes into the database, many at a time.

use std::fmt::Write as _;

use rusqlite::{CachedStatement, params};

use super::many::{AT_ONCE, insertion};
use crate::db::Tx;
use crate::error::Result;
use crate::id::{JobId, UploadNo};

/// A record about to be stored.
#[derive(Debug, Clone)]
pub struct NewRecord<'a> {
    /// 1-based row in the job's file, or in `source`.
    pub row: u32,
    /// The file that a repaired row is from.
    pub source: Option<UploadNo>,
    /// `[value, …]` in the order of the job's fields, or `{"field": value, …}`.
    pub data: &'a str,
    /// The changed values as a JSON array, where there are any.
    pub changes: Option<&'a str>,
    /// The first version of the record that this one replaces.
    pub replaces: Option<i64>,
    /// Hashes of its unique keys' values.
    pub keys: &'a [i64],
}

/// Puts a hash and its record into the index.
pub(super) const FILE_KEY: &str =
    "INSERT OR IGNORE INTO record_keys (hash, record_id) VALUES (?1, ?2)";

const FILE_KEYS: &str = "INSERT OR IGNORE INTO record_keys (hash, record_id)";

/// Keys of filed records that are not in the index yet. They come in no order: filed row by row, each
/// batch of a large job writes most pages of the index again. Many at a time and in their order, they
/// write each page once.
#[derive(Debug, Default)]
pub struct NewKeys {
    /// `(hash, record)`
    keys: Vec<(i64, i64)>,
}

impl NewKeys {
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Puts them in the order in which they are filed.
    pub fn sort(&mut self) {
        self.keys.sort_unstable_by(|a, b| b.cmp(a));
    }

    /// Puts the next ones into the index, and says how many.
    ///
    /// # Errors
    /// `Database`.
    pub fn file(&self, tx: &Tx<'_>, at_most: u32) -> Result<usize> {
        let some = usize::try_from(at_most).unwrap_or(usize::MAX);
        let next = self.keys.len().saturating_sub(some);
        let next = self.keys.get(next..).unwrap_or_default();
        let (rest, many) = next.as_rchunks::<AT_ONCE>();
        let mut statement = tx.prepare_cached(&insertion(FILE_KEYS, 0, 2, AT_ONCE))?;
        for keys in many.iter().rev() {
            for ((hash, record), first) in keys.iter().rev().zip((1_usize..).step_by(2)) {
                statement.raw_bind_parameter(first, hash)?;
                statement.raw_bind_parameter(first + 1, record)?;
            }
            statement.raw_execute()?;
        }
        let mut statement = tx.prepare_cached(FILE_KEY)?;
        for (hash, record) in rest.iter().rev() {
            statement.execute(params![hash, record])?;
        }
        Ok(next.len())
    }

    /// So many are in the index for good.
    pub fn filed(&mut self, number: usize) {
        self.keys.truncate(self.keys.len().saturating_sub(number));
    }
}

const INTO: &str = "INSERT INTO records
    (job_id, id, row, source_no, replaces, data, changes, key_1, key_2, keys)";

enum By {
    Many,
    One,
}

/// Files rows of one job in one transaction: records, which stay invisible until the job is
/// completed, and rows that did not become any.
pub struct Filer<'t, 'r> {
    job: JobId,
    many: CachedStatement<'t>,
    one: CachedStatement<'t>,
    /// The highest number that a record has, or ever had.
    last_id: i64,
    waiting: Vec<NewRecord<'r>>,
    parked: CachedStatement<'t>,
    /// To be filed before the job is completed.
    keys: &'t mut NewKeys,
}

impl<'t, 'r> Filer<'t, 'r> {
    /// # Errors
    /// `Database`.
    pub fn begin(tx: &'t Tx<'t>, job: JobId, keys: &'t mut NewKeys) -> Result<Filer<'t, 'r>> {
        // As AUTOINCREMENT does it: somebody may have emptied that table.
        let last_id = tx
            .prepare_cached(
                "SELECT max(coalesce((SELECT max(seq) FROM sqlite_sequence WHERE name = 'records'), 0),
                            coalesce((SELECT max(id) FROM records), 0))",
            )?
            .query_row([], |row| row.get(0))?;
        Ok(Filer {
            job,
            many: tx.prepare_cached(&insertion(INTO, 1, 9, AT_ONCE))?,
            one: tx.prepare_cached(&insertion(INTO, 1, 9, 1))?,
            last_id,
            waiting: Vec::with_capacity(AT_ONCE),
            parked: tx.prepare_cached(
                "INSERT INTO parked_rows (job_id, row, outcome, problems) VALUES (?1, ?2, ?3, ?4)",
            )?,
            keys,
        })
    }

    /// Puts a record in, at the latest with [`Filer::end`]; it is found by its keys when those are filed too.
    ///
    /// # Errors
    /// `Database`.
    pub fn insert(&mut self, record: NewRecord<'r>) -> Result<()> {
        self.waiting.push(record);
        if self.waiting.len() == AT_ONCE {
            self.put_in(By::Many)?;
        }
        Ok(())
    }

    /// Puts in what waits by this statement, which takes so many records at once.
    fn put_in(&mut self, by: By) -> Result<()> {
        let (statement, at_once) = match by {
            By::Many => (&mut self.many, AT_ONCE),
            By::One => (&mut self.one, 1),
        };
        statement.raw_bind_parameter(1, self.job.0)?;
        for records in self.waiting.chunks(at_once) {
            for (record, first) in records.iter().zip((2_usize..).step_by(9)) {
                self.last_id += 1;
                let id = self.last_id;
                statement.raw_bind_parameter(first, id)?;
                statement.raw_bind_parameter(first + 1, record.row)?;
                statement.raw_bind_parameter(first + 2, record.source.map(|no| no.0))?;
                statement.raw_bind_parameter(first + 3, record.replaces)?;
                statement.raw_bind_parameter(first + 4, record.data)?;
                statement.raw_bind_parameter(first + 5, record.changes)?;
                statement.raw_bind_parameter(first + 6, record.keys.first())?;
                statement.raw_bind_parameter(first + 7, record.keys.get(1))?;
                statement.raw_bind_parameter(first + 8, further_keys(record.keys))?;
                let keys = record.keys.iter().map(|hash| (*hash, id));
                self.keys.keys.extend(keys);
            }
            statement.raw_execute()?;
        }
        self.waiting.clear();
        Ok(())
    }

    /// Puts in the records that still wait.
    ///
    /// # Errors
    /// `Database`.
    pub fn end(mut self) -> Result<()> {
        self.put_in(By::One)
    }

    /// Parks a row that did not become a record.
    ///
    /// # Errors
    /// `Database`.
    pub fn park(&mut self, row: u32, outcome: &str, problems: &str) -> Result<()> {
        self.parked
            .execute(params![self.job.0, row, outcome, problems])?;
        Ok(())
    }
}

/// `[hash, …]` of those that have no column of their own, as `records.keys` holds it.
pub(super) fn further_keys(keys: &[i64]) -> Option<String> {
    let further = keys.get(2..).filter(|further| !further.is_empty())?;
    Some(json_list(further))
}

pub(super) fn json_list(numbers: &[i64]) -> String {
    let mut text = String::with_capacity(16 * numbers.len() + 2);
    text.push('[');
    for number in numbers {
        let comma = if text.len() > 1 { "," } else { "" };
        // To a String, this can't fail.
        let _ = write!(text, "{comma}{number}");
    }
    text.push(']');
    text
}
