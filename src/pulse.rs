//! Signs of life of the threads that nobody talks to: the workers and the scheduler.

use std::sync::atomic::{AtomicUsize, Ordering};

/// How many of each are running.
#[derive(Debug, Default)]
pub struct Pulse {
    workers: AtomicUsize,
    scheduler: AtomicUsize,
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

    pub fn workers_alive(&self) -> bool {
        self.workers.load(Ordering::SeqCst) > 0
    }

    pub fn scheduler_alive(&self) -> bool {
        self.scheduler.load(Ordering::SeqCst) > 0
    }
}
