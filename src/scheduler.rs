//! What happens by itself every few minutes: jobs that run too long are stopped, sessions and old
//! answers that have expired are removed, old files are purged, and the write-ahead log is kept
//! short.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::app::App;
use crate::error::Result;
use crate::id::JobId;
use crate::intake::{self, once};
use crate::stop::Reason;
use crate::store::{idempotency, jobs, sessions, uploads};

/// Files purged in one sweep; the next sweep goes on.
const PURGE_FILES_MAX: u32 = 100;

/// Runs until the bell is closed.
pub fn run(app: &App) {
    let _alive = app.pulse.scheduler();
    let mut scheduler = Scheduler::default();
    while !app.bell.wait_for_close(app.settings.sweep_every) {
        // A panic here must not end the scheduler: jobs would hang for ever.
        match catch_unwind(AssertUnwindSafe(|| scheduler.sweep(app))) {
            Ok(Ok(())) => {}
            Ok(Err(error)) => log::error!("the scheduler could not finish its round: {error}"),
            Err(_) => log::error!("the scheduler panicked in its round and goes on"),
        }
    }
}

/// What one round remembers for the next.
#[derive(Debug, Default)]
pub struct Scheduler {
    /// Attempts in state `processing` that nobody worked on when the last round looked.
    deserted: HashSet<(JobId, i64)>,
}

impl Scheduler {
    /// One round.
    ///
    /// # Errors
    /// What the database said; what was done until then stays done.
    pub fn sweep(&mut self, app: &App) -> Result<()> {
        stop_stale_jobs(app)?;
        self.rescue_deserted_jobs(app)?;
        let sessions = app.accounts.sweep(&app.db)?;
        if sessions > 0 {
            log::info!("{sessions} old sessions removed");
        }
        app.db
            .write(|tx| idempotency::sweep(tx, tx.now.minus(once::KEEP)))?;
        intake::remove_left(&app.db, &app.in_flight)?;
        if app.db.room().is_full() && app.db.probe().is_err() {
            // Removing takes room, too, and what is held back is for smaller things.
            return Ok(());
        }
        retire_old_files(app)?;
        intake::tidy(&app.db)?;
        app.db.checkpoint()
    }

    /// Attempts that a worker lost without ending them (it should not happen) go back into the
    /// queue. Twice in a row, because a claim is committed a moment before it is known here.
    fn rescue_deserted_jobs(&mut self, app: &App) -> Result<()> {
        let running: HashSet<(JobId, i64)> = app
            .runs
            .all()
            .into_iter()
            .map(|run| (run.job, run.attempt))
            .collect();
        let deserted: HashSet<(JobId, i64)> = app
            .db
            .read(jobs::processing)?
            .into_iter()
            .filter(|attempt| !running.contains(attempt))
            .collect();
        let mut rescued = false;
        for (job, attempt) in deserted.intersection(&self.deserted) {
            log::warn!("job={job} nobody worked on attempt {attempt}; it goes back into the queue");
            app.db.write(|tx| jobs::recover(tx, Some(*job)))?;
            rescued = true;
        }
        self.deserted = deserted;
        if rescued {
            app.bell.work();
        }
        Ok(())
    }
}

/// Stops every job that has been processed for `stale_after`, by the monotonic clock.
fn stop_stale_jobs(app: &App) -> Result<()> {
    let now = app.clock.monotonic();
    let held = app.db.held_by_others();
    for run in app.runs.all() {
        let held = held.saturating_sub(run.held_before);
        let age = now.saturating_sub(run.since + held);
        if age < app.settings.stale_after || run.over || app.turns.waits(run.job) {
            continue;
        }
        let message = format!(
            "Processing took longer than {} and was stopped. Nothing was stored. Split the file, or ask your administrator to allow more time.",
            words_for(app.settings.stale_after)
        );
        let stopped = app.db.write(|tx| {
            let stopped = jobs::time_out(tx, run.job, run.attempt, &message)?;
            if stopped && let Some(job) = jobs::by_id(tx, run.job)? {
                sessions::extend_for_user(tx, job.user, tx.now.plus(app.settings.session_ttl))?;
            }
            Ok(stopped)
        })?;
        app.runs.stop(run.job, Reason::TimedOut);
        if stopped {
            log::warn!("job={} stopped after {} s", run.job, age.as_secs());
            app.bell.news();
        }
    }
    Ok(())
}

fn words_for(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds >= 120 && seconds.is_multiple_of(60) {
        format!("{} minutes", seconds / 60)
    } else {
        let unit = if seconds == 1 { "second" } else { "seconds" };
        format!("{seconds} {unit}")
    }
}

fn retire_old_files(app: &App) -> Result<()> {
    if app.settings.retain_days == 0 {
        return Ok(());
    }
    let keep = Duration::from_secs(u64::from(app.settings.retain_days) * 86_400);
    let before = app.clock.now().minus(keep);
    let old = app
        .db
        .read(|c| uploads::outlived(c, before, PURGE_FILES_MAX))?;
    for no in &old {
        app.db.write(|tx| {
            // Somebody may have queued a job for it since the look.
            let job = jobs::newest_of_upload(tx, *no)?;
            if job.is_some_and(|job| job.status.is_active()) {
                return Ok(());
            }
            uploads::delete(tx, *no, "sheetline")
        })?;
    }
    if !old.is_empty() {
        log::info!("{} files outlived --retain-days and are purged", old.len());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_in_words() {
        for (seconds, words) in [
            (1, "1 second"),
            (2, "2 seconds"),
            (60, "60 seconds"),
            (120, "2 minutes"),
            (121, "121 seconds"),
        ] {
            assert_eq!(words_for(Duration::from_secs(seconds)), words);
        }
    }
}
