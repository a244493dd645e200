//! What a process that died left, put in order before the first job: half-received files, jobs in work,
//! spool files. Where the disk takes nothing at the start, people can read all the same, and the worker sees
//! to it as soon as it can.

use std::sync::PoisonError;
use std::time::Duration;

use super::leftovers;
use crate::app::App;
use crate::catalog;
use crate::error::Result;
use crate::intake::{self, spool};
use crate::store::{jobs, uploads};

/// How long a start clears up what a process that died left.
const LEFTOVERS_AT_START: Duration = Duration::from_millis(500);

/// Puts the house in order; where that has to wait for room, for the disk or for another program, it is
/// left to the worker.
///
/// # Errors
/// What can't be expected to go away by itself.
pub fn at_start(app: &App) -> Result<()> {
    let mut wanting = app.disorder.lock().unwrap_or_else(PoisonError::into_inner);
    match put_in_order(app) {
        Ok(()) => Ok(()),
        Err(error) if error.is_disk_full() || error.is_busy() => {
            log::warn!(
                "reading goes on, but nothing can be written now: {error}. What the last process left is put in order when it can."
            );
            if error.is_disk_full() {
                app.db.ran_out_of_room();
            }
            *wanting = true;
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Does what the start had to leave, before the first claim.
///
/// # Errors
/// As [`at_start`]; it is still to be done then.
pub(super) fn see_to_it(app: &App) -> Result<()> {
    let mut wanting = app.disorder.lock().unwrap_or_else(PoisonError::into_inner);
    if *wanting {
        if app.db.room().is_full() {
            app.db.probe()?;
        }
        put_in_order(app)?;
        *wanting = false;
        log::info!("what the last process left is in order now");
    }
    Ok(())
}

fn put_in_order(app: &App) -> Result<()> {
    spool::clean(&app.settings.spool())?;
    let unfinished = app.db.read(uploads::unpromised)?;
    for no in &unfinished {
        intake::remove_unpromised(&app.db, *no)?;
    }
    if !unfinished.is_empty() {
        log::warn!(
            "{} uploads were cut off when the last process ended",
            unfinished.len()
        );
    }
    let recovered = app.db.write(|tx| jobs::recover(tx, None))?;
    if recovered != jobs::Recovered::default() {
        log::warn!(
            "jobs of the last process: {} run again, {} cancelled, {} given up",
            recovered.again,
            recovered.cancelled,
            recovered.given_up
        );
    }
    if app.db.read(catalog::views::are_stale)? {
        app.db.write(catalog::views::refresh)?;
    }
    intake::tidy(&app.db)?;
    // More than that is done by workers when they have time, so that a start is never long.
    leftovers::clear(app, LEFTOVERS_AT_START)?;
    Ok(())
}
