//! What undoing a job does to the list, found out in short reads: which of its records go, which are again
//! what they were, and which stay because what they were has a key that another record has now.

mod forget;
mod marks;
mod versions;

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, params};

use super::in_list::in_list;
use super::list_keys;
use crate::error::Result;
use crate::id::JobId;
pub use forget::{forget_step, next_to_forget};
use marks::differences;
pub use marks::{Marks, let_go, mark};
use versions::{STANDS, above, stayed, stays};

/// What a record may become again, and what that does to the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Way {
    older: i64,
    /// Hashes of the keys that the older version has and the one in the list has not.
    takes: Vec<i64>,
    /// The other way round.
    gives: Vec<i64>,
}

/// A version that stays in the list, because an older one can't come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    pub version: i64,
    /// The version that should come back.
    pub older: i64,
    /// The first version of the record.
    first: i64,
    /// The job filed it, or a version below it; else it has nothing to do with the job.
    of_job: Option<Whose>,
    /// First the version that should come back, then one that stayed once.
    ways: Vec<Way>,
    /// Other versions of the record stayed.
    others_stayed: bool,
}

/// Which of the job's versions a stuck one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// The job's own.
    Own,
    /// Of a job undone before, above the job's own.
    Above,
}

/// A look at what undoing a job would do.
///
/// Versions that stayed when other jobs were undone are looked at along with it: they go when nothing that
/// stands is below them any more, and give way when what was in the way goes.
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
    looking_at: LookingAt,
    /// Records that go.
    pub removed: i64,
    /// Records that are again what they were.
    pub restored: i64,
    /// Of both, those that had stayed when another job was undone.
    pub settled: i64,
    /// Records that a later job changed: that version stays, with what it took over.
    pub changed_later: i64,
    /// Records that stay as they are.
    stuck: Vec<Stuck>,
    /// First versions of the job's records above which is one that stayed.
    below: HashSet<i64>,
    /// Versions that are marked already, by an undoing that was cut off.
    marked: Vec<i64>,
    /// Versions that stay no more.
    released: Vec<i64>,
    /// Versions that are marked to go with the job, by an undoing that was cut off or looked again.
    marked_to_go: Vec<i64>,
    /// By hash of a key: how many records more have it once all are put back that can be.
    moved: HashMap<i64, i64>,
}

/// Which versions are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LookingAt {
    /// The job's own.
    Own,
    /// Those that stayed when another job was undone.
    Stayed,
    /// Those that are marked to go with the job.
    Marked,
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
            looking_at: LookingAt::Own,
            removed: 0,
            restored: 0,
            settled: 0,
            changed_later: 0,
            stuck: Vec::new(),
            below: HashSet::new(),
            marked: Vec::new(),
            released: Vec::new(),
            marked_to_go: Vec::new(),
            moved: HashMap::new(),
        })
    }

    /// Looks at some more of the records. True: all were looked at.
    ///
    /// # Errors
    /// `Database`.
    pub fn page(&mut self, connection: &Connection, at_most: u32) -> Result<bool> {
        let (all, next) = match self.looking_at {
            LookingAt::Own => (self.page_of_own(connection, at_most)?, LookingAt::Stayed),
            LookingAt::Stayed => (self.page_of_stayed(connection, at_most)?, LookingAt::Marked),
            LookingAt::Marked => return self.page_of_marked(connection, at_most),
        };
        if all {
            self.looking_at = next;
            self.after = 0;
        }
        Ok(false)
    }

    fn page_of_own(&mut self, connection: &Connection, at_most: u32) -> Result<bool> {
        let (above, stayed) = (above(), stayed());
        let mut statement = connection.prepare_cached(&format!(
            "SELECT r.id, r.kept, coalesce(r.replaces, r.id), {above},
                    CASE WHEN r.replaces IS NOT NULL THEN {STANDS} END,
                    CASE WHEN r.replaces IS NOT NULL THEN {stayed} END
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
            let first = row.get(2)?;
            match row.get(3)? {
                Some(true) => self.changed_later += 1,
                Some(false) => {
                    self.below.insert(first);
                }
                None => {
                    let (stands, stayed): (Option<i64>, Option<i64>) = (row.get(4)?, row.get(5)?);
                    let Some(stands) = stands else {
                        self.removed += 1;
                        if stayed.is_some() {
                            self.release(connection, first, 0)?;
                        }
                        continue;
                    };
                    let mut ways = vec![way(connection, version, stands)?];
                    if let Some(stayed) = stayed.filter(|stayed| *stayed > stands) {
                        ways.push(way(connection, version, stayed)?);
                    }
                    let stuck = Stuck {
                        version,
                        older: stands,
                        first,
                        of_job: Some(Whose::Own),
                        ways,
                        others_stayed: stayed.is_some(),
                    };
                    self.put_back_or_keep(connection, stuck)?;
                }
            }
        }
        Ok(all)
    }

    fn page_of_stayed(&mut self, connection: &Connection, at_most: u32) -> Result<bool> {
        let (above, stays) = (above(), stays());
        let mut statement = connection.prepare_cached(&format!(
            "SELECT r.id, r.replaces, {STANDS}
             FROM records r INDEXED BY records_kept CROSS JOIN jobs j ON j.id = r.job_id
             WHERE j.template = ?2 AND r.id > ?3 AND r.job_id <> ?1 AND {stays}
               AND j.undone_at IS NOT NULL AND {above} IS NULL
             ORDER BY r.id LIMIT ?4"
        ))?;
        let mut found = statement.query(params![self.job.0, self.list, self.after, at_most])?;
        let mut all = true;
        while let Some(row) = found.next()? {
            all = false;
            let version = row.get(0)?;
            self.after = version;
            let first = row.get(1)?;
            let Some(stands) = row.get(2)? else {
                self.removed += 1;
                self.settled += 1;
                self.release(connection, first, 0)?;
                continue;
            };
            let stuck = Stuck {
                version,
                older: stands,
                first,
                of_job: self.below.contains(&first).then_some(Whose::Above),
                ways: vec![way(connection, version, stands)?],
                others_stayed: true,
            };
            self.put_back_or_keep(connection, stuck)?;
        }
        Ok(all)
    }

    fn page_of_marked(&mut self, connection: &Connection, at_most: u32) -> Result<bool> {
        let mut statement = connection.prepare_cached(
            "SELECT r.id FROM records r INDEXED BY records_kept CROSS JOIN jobs j ON j.id = r.job_id
             WHERE j.template = ?2 AND r.kept AND r.id > ?3 AND r.let_go = ?1
             ORDER BY r.id LIMIT ?4",
        )?;
        let mut found = statement.query(params![self.job.0, self.list, self.after, at_most])?;
        let mut all = true;
        while let Some(row) = found.next()? {
            all = false;
            self.after = row.get(0)?;
            self.marked_to_go.push(self.after);
        }
        Ok(all)
    }

    /// The versions of a record above this one stay no more.
    fn release(&mut self, connection: &Connection, first: i64, above: i64) -> Result<()> {
        let stays = stays();
        let mut statement = connection.prepare_cached(&format!(
            "SELECT r.id FROM records r
             WHERE r.replaces = ?1 AND r.id > ?2 AND r.job_id <> ?3 AND {stays}
               AND (SELECT undone_at FROM jobs WHERE id = r.job_id) IS NOT NULL"
        ))?;
        let mut found = statement.query(params![first, above, self.job.0])?;
        while let Some(row) = found.next()? {
            self.released.push(row.get(0)?);
        }
        Ok(())
    }

    fn put_back_or_keep(&mut self, connection: &Connection, stuck: Stuck) -> Result<()> {
        if !self.put_back(connection, &stuck)? {
            self.stuck.push(stuck);
        }
        Ok(())
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
            self.put_back_or_keep(connection, stuck)?;
        }
        Ok(self.stuck.len() == before)
    }

    fn put_back(&mut self, connection: &Connection, record: &Stuck) -> Result<bool> {
        for way in &record.ways {
            if !self.is_free(connection, way)? {
                continue;
            }
            for hash in &way.takes {
                *self.moved.entry(*hash).or_default() += 1;
            }
            for hash in &way.gives {
                *self.moved.entry(*hash).or_default() -= 1;
            }
            self.restored += 1;
            if record.of_job != Some(Whose::Own) {
                self.settled += 1;
            }
            if record.others_stayed {
                self.release(connection, record.first, way.older)?;
            }
            return Ok(true);
        }
        Ok(false)
    }

    fn is_free(&self, connection: &Connection, way: &Way) -> Result<bool> {
        for hash in &way.takes {
            let moved = self.moved.get(hash).copied().unwrap_or(0);
            if self.having(connection, *hash)? + moved > 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How many records of the list have this key, those apart that the undoing removes.
    fn having(&self, connection: &Connection, hash: i64) -> Result<i64> {
        let in_list = in_list();
        Ok(connection
            .prepare_cached(&format!(
                "SELECT count(*) FROM record_keys q
                 CROSS JOIN records r ON r.id = q.record_id
                 CROSS JOIN jobs j ON j.id = r.job_id AND j.template = ?2
                 WHERE q.hash = ?3 AND {in_list} AND {STANDS} IS NOT NULL"
            ))?
            .query_row(params![self.job.0, self.list, hash], |row| row.get(0))?)
    }

    /// The job to be undone.
    pub fn job(&self) -> JobId {
        self.job
    }

    /// The list that the job filed into.
    pub fn list(&self) -> &str {
        &self.list
    }

    /// True while another look may put back more.
    pub fn has_stuck(&self) -> bool {
        !self.stuck.is_empty()
    }

    /// Records that the job filed and that stay as they are, because an older version can't come back.
    pub fn blocked(&self) -> usize {
        self.stuck_of_job().count()
    }

    /// Records that the job filed and that stay in the list.
    pub fn kept(&self) -> i64 {
        self.changed_later + i64::try_from(self.blocked()).unwrap_or(i64::MAX)
    }

    fn stuck_of_job(&self) -> impl Iterator<Item = &Stuck> {
        self.stuck.iter().filter(|stuck| stuck.of_job.is_some())
    }

    /// Whether versions that stayed when other jobs were undone go with this one.
    pub fn releases(&self) -> bool {
        !self.released.is_empty()
    }

    /// What has to be marked.
    pub fn marks(&self) -> Marks {
        let own = |stuck: &&Stuck| stuck.of_job == Some(Whose::Own);
        let keep = self.stuck.iter().filter(own).map(|stuck| stuck.version);
        let (keep, no_more) = differences(keep.collect(), &self.marked);
        let (go, stay) = differences(self.released.clone(), &self.marked_to_go);
        Marks {
            keep,
            no_more,
            go,
            stay,
        }
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
        let first = self.stuck_of_job().min_by_key(|stuck| stuck.version)?;
        Some((first, first.ways.first().map_or(&[], |way| &way.takes)))
    }
}

fn way(connection: &Connection, version: i64, older: i64) -> Result<Way> {
    let now = list_keys::of_record(connection, version)?;
    let then = list_keys::of_record(connection, older)?;
    let without = |these: &[i64], those: &[i64]| -> Vec<i64> {
        let mut rest = these.to_vec();
        rest.retain(|hash| !those.contains(hash));
        rest
    };
    Ok(Way {
        older,
        takes: without(&then, &now),
        gives: without(&now, &then),
    })
}
