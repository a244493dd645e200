//! Rows that attempts left when they ended without a result, and those of undone jobs. No view and no
//! route shows them, so that a large job need not be cleared away before it can say that it has ended,
//! or that it is undone.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::app::App;
use crate::db::pace::Pace;
use crate::error::Result;
use crate::id::JobId;
use crate::stop::Stop;
use crate::store::{records, undoing};

/// How long an attempt that ends clears up after itself: enough for all but the largest files, and
/// short of the two seconds in which a job is to be cancelled.
const AT_THE_END: Duration = Duration::from_secs(1);

/// How long an idle worker clears up before it looks for work again.
const WHEN_IDLE: Duration = Duration::from_millis(200);

/// How long a worker clears up after a job, at least and at most: whoever is next waits for that, too.
const AFTER_JOB_MIN: Duration = Duration::from_millis(100);
const AFTER_JOB_MAX: Duration = Duration::from_secs(5);

/// Removes everything that earlier attempts at a job left, before a new one begins.
///
/// # Errors
/// `Stopped` where the work was asked to stop.
pub(super) fn remove(app: &App, job: JobId, stop: &Stop) -> Result<()> {
    let mut pace = Pace::new();
    while !app
        .db
        .step(&mut pace, |tx, rows| records::discard_step(tx, job, rows))?
    {
        stop.check()?;
    }
    Ok(())
}

/// Removes what an attempt leaves that ends now; what takes too long is left to [`when_idle`]. Nothing
/// while the disk is full: removing takes room, too, and the little that is held back is for the end.
///
/// # Errors
/// `Database`.
pub(super) fn at_the_end(app: &App, job: JobId) -> Result<()> {
    let until = app.clock.monotonic() + AT_THE_END;
    let mut pace = Pace::new();
    loop {
        let removed = if app.db.room().is_full() {
            Ok(false)
        } else {
            app.db
                .step(&mut pace, |tx, rows| records::discard_step(tx, job, rows))
        };
        match removed {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(error) if error.is_disk_full() => {}
            Err(error) => return Err(error),
        }
        if app.db.room().is_full() || app.clock.monotonic() >= until {
            app.leftovers.store(true, Ordering::Relaxed);
            return Ok(());
        }
    }
}

/// Removes some of what is left, as long as a job took that has just ended: where a worker is never idle
/// it must not pile up, and it never takes longer to remove than it took to make.
///
/// # Errors
/// `Database`.
pub(super) fn after_job(app: &App, took: Duration) -> Result<()> {
    remove_some(app, took.clamp(AFTER_JOB_MIN, AFTER_JOB_MAX)).map(|_| ())
}

/// Removes some of what is left. True: there is more.
///
/// # Errors
/// `Database`.
pub fn when_idle(app: &App) -> Result<bool> {
    remove_some(app, WHEN_IDLE)
}

fn remove_some(app: &App, long: Duration) -> Result<bool> {
    if !has_room(app) || !app.leftovers.swap(false, Ordering::Relaxed) {
        return Ok(false);
    }
    // Whatever comes in between, it is looked again.
    let removed = clear(app, long).and_then(|all| Ok(all && forget_undone(app, long)?));
    if !matches!(removed, Ok(true)) {
        app.leftovers.store(true, Ordering::Relaxed);
    }
    removed.map(|all| !all)
}

/// Looks again where the disk was full.
fn has_room(app: &App) -> bool {
    !app.db.room().is_full() || app.db.probe().is_ok()
}

/// Removes what is left of all jobs that nobody works on, for so long. True: nothing is left.
///
/// # Errors
/// `Database`.
pub fn clear(app: &App, long: Duration) -> Result<bool> {
    let until = app.clock.monotonic() + long;
    let mut pace = Pace::new();
    while let Some(job) = app.db.read(records::next_to_discard)? {
        while !app.db.step(&mut pace, |tx, rows| {
            records::discard_idle_step(tx, job, rows)
        })? {
            if app.clock.monotonic() >= until {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Removes the records of undone jobs that are not in the list, for so long. True: nothing is left.
///
/// Nothing needs them: a later version holds the whole record, there is no way back from an undoing, and
/// the list and its keys would be searched through them for ever.
///
/// # Errors
/// `Database`.
pub fn forget_undone(app: &App, long: Duration) -> Result<bool> {
    let until = app.clock.monotonic() + long;
    let mut pace = Pace::new();
    while let Some(job) = app.db.read(undoing::next_to_forget)? {
        let mut after = 0;
        while let Some(last) = app.db.step(&mut pace, |tx, rows| {
            undoing::forget_step(tx, job, after, rows)
        })? {
            after = last;
            if app.clock.monotonic() >= until {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
