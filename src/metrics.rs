//! What happened since the start, counted for the office's monitoring.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Upper ends of a histogram's buckets, in seconds; above them it is for ever.
pub const BUCKETS: [f64; 8] = [0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 1_800.0];

/// How long something took, of many.
#[derive(Debug, Default, Clone, Copy)]
pub struct Histogram {
    /// How many took at most as long as each of [`BUCKETS`].
    pub at_most: [u64; BUCKETS.len()],
    pub count: u64,
    pub seconds: f64,
}

impl Histogram {
    fn add(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        for (bucket, end) in self.at_most.iter_mut().zip(BUCKETS) {
            *bucket += u64::from(seconds <= end);
        }
        self.count += 1;
        self.seconds += seconds;
    }
}

/// Jobs that ended since the start.
#[derive(Debug, Default, Clone)]
pub struct Jobs {
    /// By their last state.
    pub ended: BTreeMap<&'static str, u64>,
    /// From arrival to the begin of the last attempt.
    pub waited: Histogram,
    /// The last attempt.
    pub worked: Histogram,
    /// Rows by what became of them.
    pub rows: BTreeMap<&'static str, u64>,
}

/// The counters.
#[derive(Debug, Default)]
pub struct Metrics {
    /// By method, route and status.
    requests: Mutex<BTreeMap<(&'static str, &'static str, u16), u64>>,
    jobs: Mutex<Jobs>,
    upload_bytes: AtomicU64,
    connections_open: AtomicU64,
    connections_total: AtomicU64,
    connections_refused: AtomicU64,
}

/// Counts as an open connection as long as it lives.
#[derive(Debug)]
pub struct Open(Arc<Metrics>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections_open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Metrics {
    /// A request was answered.
    pub fn request(&self, method: &'static str, route: &'static str, status: u16) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry((method, route, status)).or_default() += 1;
    }

    /// A job ended.
    pub fn job_ended(
        &self,
        state: &'static str,
        waited: Duration,
        worked: Duration,
        rows: &[(&'static str, i64)],
    ) {
        let mut jobs = self.lock_jobs();
        *jobs.ended.entry(state).or_default() += 1;
        jobs.waited.add(waited);
        jobs.worked.add(worked);
        for (result, count) in rows {
            *jobs.rows.entry(result).or_default() += u64::try_from(*count).unwrap_or(0);
        }
    }

    /// Jobs that ended since the start.
    pub fn jobs(&self) -> Jobs {
        self.lock_jobs().clone()
    }

    fn lock_jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes of a file came in.
    pub fn uploaded(&self, bytes: u64) {
        self.upload_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A connection begins.
    pub fn connection(self: &Arc<Self>) -> Open {
        self.connections_total.fetch_add(1, Ordering::Relaxed);
        self.connections_open.fetch_add(1, Ordering::Relaxed);
        Open(Arc::clone(self))
    }

    /// A connection was turned away.
    pub fn connection_refused(&self) {
        self.connections_refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Connections open now.
    pub fn connections_open(&self) -> u64 {
        self.connections_open.load(Ordering::Relaxed)
    }

    /// Connections since the start.
    pub fn connections_total(&self) -> u64 {
        self.connections_total.load(Ordering::Relaxed)
    }

    /// Connections turned away since the start.
    pub fn connections_refused(&self) -> u64 {
        self.connections_refused.load(Ordering::Relaxed)
    }

    /// Bytes of files that came in since the start.
    pub fn upload_bytes(&self) -> u64 {
        self.upload_bytes.load(Ordering::Relaxed)
    }

    /// Answers since the start: method, route, status, how many.
    pub fn requests(&self) -> Vec<(&'static str, &'static str, u16, u64)> {
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests
            .iter()
            .map(|((method, route, status), count)| (*method, *route, *status, *count))
            .collect()
    }
}
