//! What undoing a job does to the list, found out in short reads: which of its records go, which are again
//! what they were, and which stay because what they were has a key that another record has now.

use std::collections::HashMap;

use rusqlite::{Connection, params};

use super::records::{LATER, in_list};
use crate::db::Tx;
use crate::error::Result;
use crate::id::JobId;

/// The version that is in the list when the job's version `r` is out of it: the newest older one of the same
/// record that counts. The job is ?1; it files one version of a record at most.
const OLDER: &str = "coalesce(
    (SELECT o.id FROM records o CROSS JOIN jobs k ON k.id = o.job_id
     WHERE o.replaces = r.replaces AND o.id < r.id AND o.job_id <> ?1
       AND k.status = 'completed' AND (k.undone_at IS NULL OR o.kept)
     ORDER BY o.id DESC LIMIT 1),
    (SELECT o.id FROM records o CROSS JOIN jobs k ON k.id = o.job_id
     WHERE o.id = r.replaces AND o.job_id <> ?1
       AND k.status = 'completed' AND (k.undone_at IS NULL OR o.kept)))";

/// A version of the job that stays in the list, because the older one can't come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    pub version: i64,
    pub older: i64,
    /// Hashes of the keys that the older version has and this one has not.
    takes: Vec<i64>,
    /// The other way round.
    gives: Vec<i64>,
}

/// A look at what undoing a job would do.
///
/// Keys are compared by their hashes alone: two that share one by chance cost a record its return, and
/// nothing else.
#[derive(Debug)]
pub struct Look {
    job: JobId,
    list: String,
    since: Since,
    /// The record that was looked at last.
    after: i64,
    /// Records that go.
    pub removed: i64,
    /// Records that are again what they were.
    pub restored: i64,
    /// Records that a later job changed: that version stays, with what it took over.
    pub changed_later: i64,
    /// Records that stay as the job left them.
    pub stuck: Vec<Stuck>,
    /// Versions that are marked already, by an undoing that was cut off.
    marked: Vec<i64>,
    /// By hash of a key: how many records more have it once all are put back that can be.
    moved: HashMap<i64, i64>,
}

/// Until when nothing in the list had changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Since {
    /// The newest of `job_events`: a later one may be that of a completed job.
    event: i64,
    /// Undone jobs of the list.
    undone: i64,
}

impl Since {
    fn now(connection: &Connection, list: &str) -> Result<Since> {
        Ok(connection
            .prepare_cached(
                "SELECT (SELECT coalesce(max(id), 0) FROM job_events),
                        (SELECT count(*) FROM jobs WHERE template = ?1 AND undone_at IS NOT NULL)",
            )?
            .query_row([list], |row| {
                Ok(Since {
                    event: row.get(0)?,
                    undone: row.get(1)?,
                })
            })?)
    }
}

impl Look {
    /// # Errors
    /// `Database`.
    pub fn begin(connection: &Connection, job: JobId, list: &str) -> Result<Look> {
        Ok(Look {
            job,
            list: list.to_owned(),
            since: Since::now(connection, list)?,
            after: 0,
            removed: 0,
            restored: 0,
            changed_later: 0,
            stuck: Vec::new(),
            marked: Vec::new(),
            moved: HashMap::new(),
        })
    }

    /// Looks at some more of the job's records. True: all were looked at.
    ///
    /// # Errors
    /// `Database`.
    pub fn page(&mut self, connection: &Connection, at_most: u32) -> Result<bool> {
        let mut statement = connection.prepare_cached(&format!(
            "SELECT r.id, r.kept, {LATER}, CASE WHEN r.replaces IS NOT NULL THEN {OLDER} END
             FROM records r WHERE r.job_id = ?1 AND r.id > ?2 ORDER BY r.id LIMIT ?3"
        ))?;
        let mut found = statement.query(params![self.job.0, self.after, at_most])?;
        let mut all = true;
        while let Some(row) = found.next()? {
            all = false;
            let version = row.get(0)?;
            self.after = version;
            if row.get(1)? {
                self.marked.push(version);
            }
            if row.get(2)? {
                self.changed_later += 1;
                continue;
            }
            match row.get(3)? {
                None => self.removed += 1,
                Some(older) => {
                    let stuck = trade(connection, version, older)?;
                    if !self.put_back(connection, &stuck)? {
                        self.stuck.push(stuck);
                    }
                }
            }
        }
        Ok(all)
    }

    /// Puts back what can come back after all, because others that were put back gave up its keys. What is
    /// stuck then has a key that a record of the list will have. True: nothing more can.
    ///
    /// Two that have each other's keys both stay; it takes three jobs and two undoings to make such.
    ///
    /// # Errors
    /// `Database`.
    pub fn put_back_more(&mut self, connection: &Connection) -> Result<bool> {
        let tried = std::mem::take(&mut self.stuck);
        let before = tried.len();
        for stuck in tried {
            if !self.put_back(connection, &stuck)? {
                self.stuck.push(stuck);
            }
        }
        Ok(self.stuck.len() == before)
    }

    fn put_back(&mut self, connection: &Connection, record: &Stuck) -> Result<bool> {
        for hash in &record.takes {
            let moved = self.moved.get(hash).copied().unwrap_or(0);
            if self.having(connection, *hash)? + moved > 0 {
                return Ok(false);
            }
        }
        for hash in &record.takes {
            *self.moved.entry(*hash).or_default() += 1;
        }
        for hash in &record.gives {
            *self.moved.entry(*hash).or_default() -= 1;
        }
        self.restored += 1;
        Ok(true)
    }

    /// How many records of the list have this key, those apart that the undoing removes.
    fn having(&self, connection: &Connection, hash: i64) -> Result<i64> {
        let in_list = in_list();
        Ok(connection
            .prepare_cached(&format!(
                "SELECT count(*) FROM record_keys q
                 CROSS JOIN records r ON r.id = q.record_id AND r.template = ?2
                 CROSS JOIN jobs j ON j.id = r.job_id
                 WHERE q.hash = ?3 AND {in_list} AND NOT (r.job_id = ?1 AND {OLDER} IS NULL)"
            ))?
            .query_row(params![self.job.0, self.list, hash], |row| row.get(0))?)
    }

    /// The list that the job filed into.
    pub fn list(&self) -> &str {
        &self.list
    }

    /// Records of the job that stay in the list.
    pub fn kept(&self) -> i64 {
        self.changed_later + i64::try_from(self.stuck.len()).unwrap_or(i64::MAX)
    }

    /// The versions to mark as kept, and those to mark as not.
    pub fn marks(&self) -> (Vec<i64>, Vec<i64>) {
        let mut keep: Vec<i64> = self.stuck.iter().map(|stuck| stuck.version).collect();
        keep.sort_unstable();
        let (there, no_more): (Vec<i64>, Vec<i64>) = self
            .marked
            .iter()
            .partition(|version| keep.binary_search(version).is_ok());
        keep.retain(|version| there.binary_search(version).is_err());
        (keep, no_more)
    }

    /// Whether the list is as it was when the look began, so that what was found still holds.
    ///
    /// # Errors
    /// `Database`.
    pub fn holds(&self, connection: &Connection) -> Result<bool> {
        let now = Since::now(connection, &self.list)?;
        let completed: bool = connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM job_events e CROSS JOIN jobs j ON j.id = e.job_id
                 WHERE e.id > ?1 AND e.to_status = 'completed' AND j.template = ?2)",
            )?
            .query_row(params![self.since.event, self.list], |row| row.get(0))?;
        Ok(!completed && now.undone == self.since.undone)
    }

    /// The first record that stays as it is, and the keys that another has now.
    pub fn first_stuck(&self) -> Option<(&Stuck, &[i64])> {
        let first = self.stuck.iter().min_by_key(|stuck| stuck.version)?;
        Some((first, &first.takes))
    }
}

fn trade(connection: &Connection, version: i64, older: i64) -> Result<Stuck> {
    let now = keys(connection, version)?;
    let then = keys(connection, older)?;
    let without = |these: &[i64], those: &[i64]| -> Vec<i64> {
        let mut rest = these.to_vec();
        rest.retain(|hash| !those.contains(hash));
        rest
    };
    Ok(Stuck {
        version,
        older,
        takes: without(&then, &now),
        gives: without(&now, &then),
    })
}

fn keys(connection: &Connection, record: i64) -> Result<Vec<i64>> {
    let mut statement =
        connection.prepare_cached("SELECT hash FROM record_keys WHERE record_id = ?1")?;
    let rows = statement.query_map([record], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Says of versions whether they stay in the list though their job is undone; before it is.
///
/// # Errors
/// `Database`.
pub fn mark(tx: &Tx<'_>, versions: &[i64], kept: bool) -> Result<()> {
    let mut statement = tx.prepare_cached("UPDATE records SET kept = ?2 WHERE id = ?1")?;
    for version in versions {
        statement.execute(params![version, kept])?;
    }
    Ok(())
}

/// An undone job that still has records that are not in the list.
///
/// # Errors
/// `Database`.
pub fn next_to_forget(connection: &Connection, after: JobId) -> Result<Option<JobId>> {
    let mut statement = connection.prepare_cached(
        "SELECT j.id FROM jobs j WHERE j.undone_at IS NOT NULL AND j.id > ?1
           AND EXISTS (SELECT 1 FROM records r WHERE r.job_id = j.id AND NOT r.kept)
         ORDER BY j.id LIMIT 1",
    )?;
    let mut rows = statement.query_map([after.0], |row| row.get(0).map(JobId))?;
    Ok(rows.next().transpose()?)
}

/// Removes some records of an undone job, those after `after`; the last one, or none where nothing is left.
///
/// Nothing needs them: a later version holds the whole record, there is no way back from an undoing, and a
/// list of which much was undone would be slow for ever.
///
/// # Errors
/// `Database`.
pub fn forget_step(tx: &Tx<'_>, job: JobId, after: i64, at_most: u32) -> Result<Option<i64>> {
    let last: Option<i64> = tx
        .prepare_cached(
            "SELECT max(id) FROM (SELECT id FROM records WHERE job_id = ?1 AND id > ?2 AND NOT kept
                                  ORDER BY id LIMIT ?3)",
        )?
        .query_row(params![job.0, after, at_most], |row| row.get(0))?;
    if let Some(last) = last {
        tx.prepare_cached(
            "DELETE FROM records WHERE job_id = ?1 AND id > ?2 AND id <= ?3 AND NOT kept
               AND (SELECT undone_at FROM jobs WHERE id = ?1) IS NOT NULL",
        )?
        .execute(params![job.0, after, last])?;
    }
    Ok(last)
}
