//! The jobs that this process is working on at the moment, so that others can stop them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::id::JobId;
use crate::stop::{Reason, Stop};

/// A job in work.
#[derive(Debug, Clone)]
pub struct Run {
    pub job: JobId,
    pub attempt: i64,
    /// The monotonic time of its claim, later by what it has waited for another job since.
    pub since: Duration,
    /// How long other programs had held the database until then: what they do later is not its time either.
    pub held_before: Duration,
    /// The work is over; its end is being written, however long that takes.
    pub over: bool,
    pub stop: Stop,
}

/// All jobs in work, by their id.
#[derive(Debug, Default)]
pub struct Runs(Mutex<HashMap<JobId, Run>>);

impl Runs {
    pub fn new() -> Runs {
        Runs::default()
    }

    /// Notes that work on a job begins.
    pub fn begin(&self, run: Run) {
        self.lock().insert(run.job, run);
    }

    /// Notes that work on it has ended.
    pub fn end(&self, job: JobId) {
        self.lock().remove(&job);
    }

    /// Notes that the work had to wait for another job: that is not its own time.
    pub fn waited(&self, job: JobId, time: Duration) {
        if let Some(run) = self.lock().get_mut(&job) {
            run.since += time;
        }
    }

    /// Notes that the work is over and only its end is still to be written.
    pub fn over(&self, job: JobId) {
        if let Some(run) = self.lock().get_mut(&job) {
            run.over = true;
        }
    }

    /// Asks the work on `job` to stop; false where nobody works on it.
    pub fn stop(&self, job: JobId, reason: Reason) -> bool {
        match self.lock().get(&job) {
            Some(run) => {
                run.stop.ask(reason);
                true
            }
            None => false,
        }
    }

    /// Asks all work to stop.
    pub fn stop_all(&self, reason: Reason) {
        for run in self.lock().values() {
            run.stop.ask(reason);
        }
    }

    /// Everything in work now.
    pub fn all(&self) -> Vec<Run> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, Run>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
