//! Signs of life of the threads that nobody talks to: the workers and the scheduler.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// How many of each are running.
#[derive(Debug, Default)]
pub struct Pulse {
    workers: AtomicUsize,
    scheduler: AtomicUsize,
    /// Monotonic milliseconds at which a worker last looked for work or ended some.
    beat: AtomicU64,
}

/// Counts as running as long as it lives.
pub struct Alive<'a>(&'a AtomicUsize);

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Pulse {
    pub fn new() -> Pulse {
        Pulse::default()
    }

    /// A worker thread begins.
    pub fn worker(&self) -> Alive<'_> {
        self.workers.fetch_add(1, Ordering::SeqCst);
        Alive(&self.workers)
    }

    /// The scheduler's thread begins.
    pub fn scheduler(&self) -> Alive<'_> {
        self.scheduler.fetch_add(1, Ordering::SeqCst);
        Alive(&self.scheduler)
    }

    /// A worker looks for work, at this monotonic time.
    pub fn beat(&self, now: Duration) {
        let ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        self.beat.fetch_max(ms, Ordering::Relaxed);
    }

    /// The monotonic time at which a worker last did; zero before the first.
    pub fn last_beat(&self) -> Duration {
        Duration::from_millis(self.beat.load(Ordering::Relaxed))
    }

    pub fn workers_alive(&self) -> bool {
        self.workers.load(Ordering::SeqCst) > 0
    }

    pub fn scheduler_alive(&self) -> bool {
        self.scheduler.load(Ordering::SeqCst) > 0
    }
}
