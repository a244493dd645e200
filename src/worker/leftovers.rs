//! Rows that attempts left when they ended without a result, and those of undone jobs. No view and no
//! route shows them, so that a large job need not be cleared away before it can say that it has ended,
//! or that it is undone.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::app::App;
use crate::error::Result;
use crate::id::JobId;
use crate::stop::Stop;
use crate::store::{records, undoing};

/// Records of an undone job removed in one transaction: their keys lie all over the index.
const UNDONE: u32 = 100;

/// How long an attempt that ends clears up after itself: enough for all but the largest files, and
/// short of the two seconds in which a job is to be cancelled.
const AT_THE_END: Duration = Duration::from_secs(1);

/// How long an idle worker clears up before it looks for work again.
const WHEN_IDLE: Duration = Duration::from_millis(200);

/// Removes everything that earlier attempts at a job left, before a new one begins.
///
/// # Errors
/// `Stopped` where the work was asked to stop.
pub(super) fn remove(app: &App, job: JobId, stop: &Stop) -> Result<()> {
    while !app
        .db
        .write(|tx| records::discard_step(tx, job, records::DISCARD))?
    {
        stop.check()?;
    }
    Ok(())
}

/// Removes what an attempt leaves that ends now; what takes too long is left to [`when_idle`].
///
/// # Errors
/// `Database`.
pub(super) fn at_the_end(app: &App, job: JobId) -> Result<()> {
    let until = app.clock.monotonic() + AT_THE_END;
    while !app
        .db
        .write(|tx| records::discard_step(tx, job, records::DISCARD))?
    {
        if app.clock.monotonic() >= until {
            app.leftovers.store(true, Ordering::Relaxed);
            return Ok(());
        }
    }
    Ok(())
}

/// Removes some of what is left. True: there is more.
///
/// # Errors
/// `Database`.
pub(super) fn when_idle(app: &App) -> Result<bool> {
    if !app.leftovers.swap(false, Ordering::Relaxed) {
        return Ok(false);
    }
    let more = !(clear(app, WHEN_IDLE)? && forget_undone(app, WHEN_IDLE)?);
    if more {
        app.leftovers.store(true, Ordering::Relaxed);
    }
    Ok(more)
}

/// Removes what is left of all jobs that nobody works on, for so long. True: nothing is left.
///
/// # Errors
/// `Database`.
pub fn clear(app: &App, long: Duration) -> Result<bool> {
    let until = app.clock.monotonic() + long;
    while let Some(job) = app.db.read(records::next_to_discard)? {
        while !app
            .db
            .write(|tx| records::discard_idle_step(tx, job, records::DISCARD))?
        {
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
    while let Some(job) = app.db.read(undoing::next_to_forget)? {
        let mut after = 0;
        while let Some(last) = app
            .db
            .write(|tx| undoing::forget_step(tx, job, after, UNDONE))?
        {
            after = last;
            if app.clock.monotonic() >= until {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
