//! Signs of life that are written late: a request in every minute or so writes to the database, the
//! others only read. What can't be written now waits in memory.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::db::{Db, patience};
use crate::error::Result;
use crate::id::SessionId;
use crate::store::{sessions, tokens};

/// After a failed write, how long nobody tries again: each try may wait for another program's lock.
const QUIET: Duration = Duration::from_secs(5);

/// How long a request is held up by the try: it need not succeed now.
const WAIT: Duration = Duration::from_millis(250);

/// Entries kept at most; beyond that the newest are lost.
const KEPT_MAX: usize = 100_000;

/// Whose sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Whose {
    Session(SessionId),
    Token(i64),
}

/// A sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) ends_at: Timestamp,
}

#[derive(Debug, Default)]
struct State {
    waiting: HashMap<Whose, Seen>,
    /// Monotonic time until which nobody tries to write.
    quiet_until: Duration,
}

/// What has still to be written.
#[derive(Debug, Default)]
pub(super) struct Late {
    state: Mutex<State>,
    writing: AtomicBool,
}

/// Lets the next one write, even after a panic.
struct Writing<'l>(&'l AtomicBool);

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl Late {
    /// What is known of `whose` beyond the database.
    pub(super) fn of(&self, whose: Whose) -> Option<Seen> {
        self.lock().waiting.get(&whose).copied()
    }

    /// Notes a sign of life and writes what waits, unless somebody is about to.
    pub(super) fn note(&self, db: &Db, whose: Whose, seen: Seen) {
        {
            let mut state = self.lock();
            if state.waiting.len() >= KEPT_MAX && !state.waiting.contains_key(&whose) {
                log::warn!("too many sessions wait to be extended");
                return;
            }
            state.waiting.insert(whose, seen);
        }
        self.flush(db);
    }

    /// Writes what waits. One thread at a time: the others' requests go on.
    pub(super) fn flush(&self, db: &Db) {
        loop {
            if self.writing.swap(true, Ordering::SeqCst) {
                return;
            }
            {
                let _writing = Writing(&self.writing);
                if !self.write_once(db) {
                    return;
                }
            }
            // Somebody may have come between the last look and the end of the writing.
            if self.lock().waiting.is_empty() {
                return;
            }
        }
    }

    /// True: what waited has been written.
    fn write_once(&self, db: &Db) -> bool {
        let waiting = {
            let state = self.lock();
            if db.clock().monotonic() < state.quiet_until {
                return false;
            }
            state.waiting.clone()
        };
        if waiting.is_empty() {
            return true;
        }
        match write(db, &waiting) {
            Ok(()) => {
                self.lock()
                    .waiting
                    .retain(|whose, seen| waiting.get(whose) != Some(seen));
                true
            }
            Err(error) => {
                log::warn!("sessions could not be extended for now: {error}");
                self.lock().quiet_until = db.clock().monotonic() + QUIET;
                false
            }
        }
    }

    /// Forgets what has been overtaken: entries older than `before`.
    pub(super) fn forget(&self, before: Timestamp) {
        self.lock().waiting.retain(|_, seen| seen.at >= before);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write(db: &Db, waiting: &HashMap<Whose, Seen>) -> Result<()> {
    let _hurry = patience::hurry(WAIT);
    db.write(|tx| {
        for (whose, seen) in waiting {
            match whose {
                Whose::Session(id) => {
                    sessions::seen(tx, *id, seen.at, seen.expires_at, seen.ends_at)?;
                }
                Whose::Token(id) => tokens::used(tx, *id, seen.at)?,
            }
        }
        Ok(())
    })
}
