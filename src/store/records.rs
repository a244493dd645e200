//! Records as they are read: the list, those of a job, the rows that it parked, and finding a record by its keys.

use rusqlite::{Connection, OptionalExtension, params};

use super::fields::{self, Named};
use super::filing::json_list;
use super::in_list::{counts, in_list};
use crate::db::Tx;
use crate::error::Result;
use crate::id::{JobId, UploadNo};

/// A record of the office's list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    pub id: i64,
    /// The id of its first version.
    pub first: i64,
    /// `{"field": value, …}`
    pub data: String,
    pub file: String,
    pub row: u32,
    pub uploader: String,
    pub job: JobId,
}

fn listed(row: &rusqlite::Row<'_>, named: &mut Named<'_>) -> Result<Listed> {
    let job = JobId(row.get(6)?);
    Ok(Listed {
        id: row.get(0)?,
        first: row.get(1)?,
        data: named.object(job, row.get(2)?)?,
        file: row.get(3)?,
        row: row.get(4)?,
        uploader: row.get(5)?,
        job,
    })
}

/// Finds records of the list by their keys, again and again on one connection.
pub struct ByKey<'c> {
    connection: &'c Connection,
    template: &'c str,
    named: Named<'c>,
}

impl<'c> ByKey<'c> {
    pub fn new(connection: &'c Connection, template: &'c str) -> ByKey<'c> {
        ByKey {
            connection,
            template,
            named: Named::new(connection),
        }
    }

    /// Those of the hashes that some record has, of whatever list. Most rows are new: one look for many of
    /// them costs a fraction of a question for each.
    ///
    /// # Errors
    /// `Database`.
    pub fn some(&self, mut hashes: Vec<i64>) -> Result<Vec<i64>> {
        // In the order of the index, neighbours are on one page.
        hashes.sort_unstable();
        hashes.dedup();
        let mut statement = self.connection.prepare_cached(
            "SELECT h.value FROM json_each(?1) h WHERE EXISTS (SELECT 1 FROM record_keys WHERE hash = h.value)",
        )?;
        let found = statement.query_map([json_list(&hashes)], |row| row.get(0))?;
        Ok(found.collect::<rusqlite::Result<_>>()?)
    }

    /// The records of the list that have a key with this hash, the oldest first. Values that differ
    /// may share a hash: the caller compares them.
    ///
    /// # Errors
    /// `Database`.
    pub fn find(&mut self, hash: i64) -> Result<Vec<Listed>> {
        let mut statement = self.connection.prepare_cached(&by_key_sql())?;
        let mut rows = statement.query(params![hash, self.template])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(listed(row, &mut self.named)?);
        }
        Ok(found)
    }
}

fn by_key_sql() -> String {
    let in_list = in_list();
    format!(
        "SELECT r.id, coalesce(r.replaces, r.id), r.data, u.filename, r.row, p.username, r.job_id
         FROM record_keys q
         CROSS JOIN records r ON r.id = q.record_id
         CROSS JOIN jobs j ON j.id = r.job_id AND j.template = ?2
         CROSS JOIN uploads u ON u.no = coalesce(r.source_no, j.upload_no)
         CROSS JOIN users p ON p.id = j.user_id
         WHERE q.hash = ?1 AND {in_list}
         ORDER BY r.id"
    )
}

/// The record of the list that a repair of the job `home` made of this row of its file `source`.
///
/// # Errors
/// `Database`.
pub fn repaired(
    connection: &Connection,
    template: &str,
    home: JobId,
    source: UploadNo,
    row: u32,
) -> Result<Option<Listed>> {
    let (counts, in_list) = (counts("o", "h"), in_list());
    let mut statement = connection.prepare_cached(&format!(
        "SELECT r.id, coalesce(r.replaces, r.id), r.data, u.filename, r.row, p.username, r.job_id
         FROM records o
         CROSS JOIN jobs h ON h.id = o.job_id AND {counts}
              AND h.report ->> '$.repairs.job_id' = ?1
         CROSS JOIN records r ON r.id = coalesce(o.replaces, o.id) OR r.replaces = coalesce(o.replaces, o.id)
         CROSS JOIN jobs j ON j.id = r.job_id
         CROSS JOIN uploads u ON u.no = coalesce(r.source_no, j.upload_no)
         CROSS JOIN users p ON p.id = j.user_id
         WHERE o.source_no = ?2 AND o.row = ?3 AND j.template = ?4 AND {in_list}
         ORDER BY r.id LIMIT 1"
    ))?;
    let mut found = statement.query(params![home.0, source.0, row, template])?;
    let mut named = Named::new(connection);
    let first = found.next()?;
    first.map(|row| listed(row, &mut named)).transpose()
}

/// A page of the list, oldest first, after `after`; `search` finds text in any value, whatever its
/// case.
///
/// # Errors
/// `Database`.
pub fn page(
    connection: &Connection,
    template: &str,
    search: Option<&str>,
    after: i64,
    limit: u32,
) -> Result<Vec<Listed>> {
    let search_sql = match search {
        Some(_) => "EXISTS (SELECT 1 FROM json_each(r.data) v WHERE instr(fold(v.value), ?4) > 0)",
        None => "?4 IS NULL",
    };
    let in_list = in_list();
    let mut statement = connection.prepare_cached(&format!(
        "SELECT r.id, coalesce(r.replaces, r.id), r.data, u.filename, r.row, p.username, r.job_id
         FROM records r
         CROSS JOIN jobs j ON j.id = r.job_id
         CROSS JOIN uploads u ON u.no = coalesce(r.source_no, j.upload_no)
         CROSS JOIN users p ON p.id = j.user_id
         WHERE r.id > ?2 AND j.template = ?1 AND {in_list} AND {search_sql}
         ORDER BY r.id LIMIT ?3"
    ))?;
    let search = search.map(str::to_lowercase);
    let mut rows = statement.query(params![template, after, limit, search])?;
    let mut named = Named::new(connection);
    let mut page = Vec::new();
    while let Some(row) = rows.next()? {
        page.push(listed(row, &mut named)?);
    }
    Ok(page)
}

/// A version of a record, and the template that it was filed under.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// `{"field": value, …}`
    pub data: String,
    pub template: String,
    pub template_version: i64,
}

/// The version with this id.
///
/// # Errors
/// `Database`.
pub fn version(connection: &Connection, id: i64) -> Result<Option<Version>> {
    let mut statement = connection.prepare_cached(
        "SELECT r.data, j.template, j.template_version, j.id FROM records r JOIN jobs j ON j.id = r.job_id
         WHERE r.id = ?1",
    )?;
    let mut found = statement.query([id])?;
    let Some(row) = found.next()? else {
        return Ok(None);
    };
    Ok(Some(Version {
        data: Named::new(connection).object(JobId(row.get(3)?), row.get(0)?)?,
        template: row.get(1)?,
        template_version: row.get(2)?,
    }))
}

/// A record of one job, with what was changed on the way in.
#[derive(Debug, Clone, PartialEq)]
pub struct OfJob {
    pub id: i64,
    pub row: u32,
    /// `{"field": value, …}`
    pub data: String,
    pub changes: Option<String>,
    /// Whether it took the place of an older version.
    pub replaces: bool,
}

/// The next records of a job after `after`, in the file's order: at most `limit`, fewer where they
/// are long, none only where there are no more.
///
/// # Errors
/// `Database`.
pub fn of_job(connection: &Connection, job: JobId, after: i64, limit: u32) -> Result<Vec<OfJob>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, row, data, changes, replaces IS NOT NULL FROM records
         WHERE job_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3",
    )?;
    let mut found = statement.query(params![job.0, after, limit])?;
    let mut named = Named::new(connection);
    let mut page = Vec::new();
    let mut bytes = 0;
    while bytes < super::rows::PAGE_BYTES
        && let Some(row) = found.next()?
    {
        let record = of_job_row(row, job, &mut named)?;
        bytes += record.data.len();
        page.push(record);
    }
    Ok(page)
}

/// The next records of a job after `after` of which a value was changed on the way in.
///
/// # Errors
/// `Database`.
pub fn changed(connection: &Connection, job: JobId, after: i64, limit: u32) -> Result<Vec<OfJob>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, row, data, changes, replaces IS NOT NULL FROM records
         WHERE job_id = ?1 AND id > ?2 AND changes IS NOT NULL ORDER BY id LIMIT ?3",
    )?;
    let mut rows = statement.query(params![job.0, after, limit])?;
    let mut named = Named::new(connection);
    let mut page = Vec::new();
    while let Some(row) = rows.next()? {
        page.push(of_job_row(row, job, &mut named)?);
    }
    Ok(page)
}

/// How many values a job changed on their way in.
///
/// # Errors
/// `Database`.
pub fn count_changes(connection: &Connection, job: JobId) -> Result<i64> {
    Ok(connection
        .prepare_cached(
            "SELECT coalesce(sum(json_array_length(changes)), 0) FROM records
             WHERE job_id = ?1 AND changes IS NOT NULL",
        )?
        .query_row([job.0], |row| row.get(0))?)
}

fn of_job_row(row: &rusqlite::Row<'_>, job: JobId, named: &mut Named<'_>) -> Result<OfJob> {
    Ok(OfJob {
        id: row.get(0)?,
        row: row.get(1)?,
        data: named.object(job, row.get(2)?)?,
        changes: row.get(3)?,
        replaces: row.get(4)?,
    })
}

/// A parked row.
#[derive(Debug, Clone, PartialEq)]
pub struct Parked {
    pub row: u32,
    pub outcome: String,
    pub problems: String,
}

/// Whether the job parked this row.
///
/// # Errors
/// `Database`.
pub fn is_parked(connection: &Connection, job: JobId, row: u32) -> Result<bool> {
    Ok(connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM parked_rows WHERE job_id = ?1 AND row = ?2)")?
        .query_row(params![job.0, row], |found| found.get(0))?)
}

/// The next parked rows of a job after row `after`.
///
/// # Errors
/// `Database`.
pub fn parked(connection: &Connection, job: JobId, after: u32, limit: u32) -> Result<Vec<Parked>> {
    let mut statement = connection.prepare_cached(
        "SELECT row, outcome, problems FROM parked_rows
         WHERE job_id = ?1 AND row > ?2 ORDER BY row LIMIT ?3",
    )?;
    let rows = statement.query_map(params![job.0, after, limit], |row| {
        Ok(Parked {
            row: row.get(0)?,
            outcome: row.get(1)?,
            problems: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Removes some of what an attempt left. True: nothing is left.
///
/// # Errors
/// `Database`.
pub fn discard_step(tx: &Tx<'_>, job: JobId, at_most: u32) -> Result<bool> {
    let records = tx
        .prepare_cached(
            "DELETE FROM records WHERE id IN
                 (SELECT id FROM records WHERE job_id = ?1 LIMIT ?2)",
        )?
        .execute(params![job.0, at_most])?;
    let parked = tx
        .prepare_cached(
            "DELETE FROM parked_rows WHERE job_id = ?1 AND row IN
                 (SELECT row FROM parked_rows WHERE job_id = ?1 LIMIT ?2)",
        )?
        .execute(params![job.0, at_most])?;
    Ok(records + parked == 0)
}

/// As [`discard_step`], for a job that nobody works on: a worker may have claimed it since it was found.
///
/// # Errors
/// `Database`.
pub fn discard_idle_step(tx: &Tx<'_>, job: JobId, at_most: u32) -> Result<bool> {
    let idle: bool = tx
        .prepare_cached("SELECT status NOT IN ('processing', 'completed') FROM jobs WHERE id = ?1")?
        .query_row([job.0], |row| row.get(0))?;
    if !idle {
        return Ok(true);
    }
    let all = discard_step(tx, job, at_most)?;
    if all {
        fields::forget(tx, job)?;
    }
    Ok(all)
}

/// A job without result that still has records, parked rows or names of fields.
///
/// # Errors
/// `Database`.
pub fn next_to_discard(connection: &Connection) -> Result<Option<JobId>> {
    Ok(connection
        .query_row(
            "SELECT id FROM jobs j WHERE status <> 'completed' AND status <> 'processing'
               AND (EXISTS (SELECT 1 FROM records r WHERE r.job_id = j.id)
                 OR EXISTS (SELECT 1 FROM parked_rows p WHERE p.job_id = j.id)
                 OR EXISTS (SELECT 1 FROM job_fields f WHERE f.job_id = j.id))
             LIMIT 1",
            [],
            |row| row.get(0).map(JobId),
        )
        .optional()?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::SystemClock;
    use crate::db::Db;

    #[test]
    fn a_record_is_found_by_its_key_whatever_statistics_say() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let db = Db::open(&path, Arc::new(SystemClock::new())).unwrap();
        // What ANALYZE writes of an office that has one record, without its keys.
        db.write(|tx| {
            tx.execute_batch(
                "ANALYZE; DELETE FROM sqlite_stat1;
                 INSERT INTO sqlite_stat1 VALUES ('records', 'records_by_job', '1 1 1');",
            )?;
            Ok(())
        })
        .unwrap();
        drop(db);
        let db = Db::open(&path, Arc::new(SystemClock::new())).unwrap();
        let first: String = db
            .read(|c| {
                let sql = format!("EXPLAIN QUERY PLAN {}", by_key_sql());
                Ok(c.query_row(&sql, params![1, "companies"], |row| row.get(3))?)
            })
            .unwrap();
        assert!(first.starts_with("SEARCH q "), "{first}");
    }
}
