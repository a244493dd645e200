//! How long until a job is done: what past jobs took, what stands before it, and how far that is. Told
//! for the whole queue at once and kept until something changes, so that a crowd that waits costs one
//! look and not one for each.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use super::speed::{Speeds, reading_share};
use crate::error::Result;
use crate::id::JobId;
use crate::store::jobs::{self, Load};

/// How long what was told about the queue holds while jobs only get on.
const KEEP: Duration = Duration::from_millis(250);

/// What is told beyond what is expected: to wait longer than told is worse than to wait less.
const CAUTION: f64 = 1.15;

/// How far a job must be before its own pace counts more than that of past ones.
const OWN_PACE_FROM: f64 = 0.1;

/// What was told last. Shared by all threads.
#[derive(Debug, Default)]
pub struct Estimates(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    /// How often jobs had changed their states.
    changes: u64,
    /// Monotonic; `None`: nothing was told yet.
    at: Option<Duration>,
    seconds: HashMap<JobId, u64>,
}

/// When somebody asks.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// Monotonic.
    pub now: Duration,
    /// How often jobs have changed their states; read before the database.
    pub changes: u64,
    pub workers: usize,
}

impl Estimates {
    /// Seconds until `job`, which is active, is done.
    ///
    /// # Errors
    /// `Database`.
    pub fn seconds_until_done(
        &self,
        connection: &Connection,
        job: JobId,
        moment: Moment,
    ) -> Result<u64> {
        let mut told = self.lock();
        let holds = told.changes >= moment.changes
            && told
                .at
                .is_some_and(|at| moment.now.saturating_sub(at) < KEEP);
        match told.seconds.get(&job) {
            Some(seconds) if holds => Ok(*seconds),
            Some(_) | None => {
                // Others who ask wait here for the answer instead of looking themselves.
                let speeds = Speeds::learn(jobs::past(connection)?);
                told.seconds = queue(&jobs::loads(connection)?, &speeds, moment.workers);
                told.at = Some(moment.now);
                told.changes = moment.changes;
                Ok(told.seconds.get(&job).copied().unwrap_or(1))
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Plays the queue through: workers take jobs in the order of arrival, read their files side by side, and
/// check and file one after the other where it is the same list.
fn queue(loads: &[Load], speeds: &Speeds, workers: usize) -> HashMap<JobId, u64> {
    let mut told = HashMap::new();
    let mut list_free: HashMap<&str, f64> = HashMap::new();
    let mut worker_free = Vec::new();
    // Whoever has read its file is the one that checks.
    let (mut working, waiting): (Vec<&Load>, Vec<&Load>) =
        loads.iter().partition(|load| load.processing);
    working.sort_by_key(|load| !load.read);
    for load in working.iter().chain(&waiting) {
        let begins = if load.processing {
            0.0
        } else {
            take_first_free(&mut worker_free, workers)
        };
        let (reading, checking) = left(load, speeds);
        let list = list_free.entry(load.template.as_str()).or_insert(0.0);
        let done = (begins + reading).max(*list) + checking;
        *list = done;
        worker_free.push(done);
        told.insert(load.id, whole_seconds(done * CAUTION));
    }
    told
}

/// When the next worker has nothing to do; it is taken.
fn take_first_free(free: &mut Vec<f64>, workers: usize) -> f64 {
    if free.len() < workers.max(1) {
        return 0.0;
    }
    let first = (0..free.len()).min_by(|a, b| {
        let of = |n: &usize| free.get(*n).copied().unwrap_or(f64::MAX);
        of(a).total_cmp(&of(b))
    });
    first.map_or(0.0, |first| free.swap_remove(first))
}

/// What is left of a job's reading and of its checking. Milliseconds.
fn left(load: &Load, speeds: &Speeds) -> (f64, f64) {
    let share = reading_share(load.format);
    let whole = speeds.of(load.format).ms(load.size);
    let (reading, checking) = (whole * share, whole * (1.0 - share));
    if !load.processing {
        return (if load.read { 0.0 } else { reading }, checking);
    }
    let done = match load.rows {
        Some(rows) if rows > 0 => (float(load.rows_done) / float(rows)).clamp(0.0, 1.0),
        Some(_) | None => 0.0,
    };
    if !load.read {
        return (reading * (1.0 - done), checking);
    }
    let by_past = checking * (1.0 - done);
    if done < OWN_PACE_FROM {
        return (0.0, by_past);
    }
    // The reading is in the time that it has worked so far; its share of the whole is known.
    let progress = share + (1.0 - share) * done;
    let by_pace = float(load.worked_ms.max(0)) / progress * (1.0 - progress);
    (0.0, by_past * (1.0 - done) + by_pace * done)
}

#[expect(clippy::cast_precision_loss, reason = "an estimate; counts below 2^53")]
fn float(n: i64) -> f64 {
    n as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped"
)]
fn whole_seconds(ms: f64) -> u64 {
    (ms / 1_000.0).ceil().clamp(1.0, 1e9) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::jobs::Past;
    use crate::words::Format;

    /// Files of 4 MB take 10 s each here.
    fn speeds() -> Speeds {
        let past = Past {
            format: Format::Csv,
            bytes: 4 << 20,
            work_ms: 10_000,
            was_read: false,
        };
        Speeds::learn(vec![past; 20])
    }

    fn load(id: i64, template: &str) -> Load {
        Load {
            id: JobId(id),
            processing: false,
            size: 4 << 20,
            format: Format::Csv,
            template: template.to_owned(),
            rows: None,
            rows_done: 0,
            read: false,
            worked_ms: 0,
        }
    }

    fn told(loads: &[Load], workers: usize) -> Vec<u64> {
        let told = queue(loads, &speeds(), workers);
        loads.iter().map(|load| told[&load.id]).collect()
    }

    #[test]
    fn a_job_waits_for_all_that_stand_before_it() {
        let loads = [
            load(1, "companies"),
            load(2, "companies"),
            load(3, "companies"),
        ];
        assert!(matches!(told(&loads, 1)[..], [11..=13, 23..=25, 34..=37]));
    }

    #[test]
    fn two_workers_halve_the_wait_only_where_the_lists_are_not_the_same() {
        let apart = [load(1, "a"), load(2, "b"), load(3, "c"), load(4, "d")];
        assert!(matches!(
            told(&apart, 2)[..],
            [11..=13, 11..=13, 23..=25, 23..=25]
        ));
        let same = [load(1, "a"), load(2, "a"), load(3, "a"), load(4, "a")];
        assert!(matches!(
            told(&same, 2)[..],
            [11..=13, 20..=23, 30..=33, 40..=43]
        ));
    }

    #[test]
    fn what_is_done_is_not_waited_for_again_and_a_slow_job_is_told_so() {
        let mut working = load(1, "a");
        (
            working.processing,
            working.read,
            working.rows,
            working.rows_done,
        ) = (true, true, Some(100), 50);
        working.worked_ms = 5_800;
        assert!(matches!(
            told(&[working.clone(), load(2, "a")], 1)[..],
            [5..=6, 16..=18]
        ));
        working.worked_ms = 58_000;
        assert!(told(&[working], 1)[0] > 20);
    }

    #[test]
    fn a_crowd_that_asks_looks_once_for_each_change() {
        let folder = tempfile::tempdir().unwrap();
        let clock = std::sync::Arc::new(crate::clock::SystemClock::new());
        let db = crate::db::Db::open(&folder.path().join("a.db"), clock).unwrap();
        let estimates = Estimates::default();
        let ask = |now: u64, changes| {
            let moment = Moment {
                now: Duration::from_millis(now),
                changes,
                workers: 1,
            };
            db.read(|c| estimates.seconds_until_done(c, JobId(1), moment))
                .unwrap()
        };
        ask(1_000, 5);
        let mark = || estimates.lock().seconds.insert(JobId(1), 77);
        mark();
        assert_eq!(ask(1_249, 5), 77);
        assert_eq!(ask(1_250, 5), 1);
        mark();
        assert_eq!(ask(1_251, 6), 1);
    }
}
