//! Where threads that wait are told that something changed: the worker that there is a job, and
//! long-polling clients that there is news. Rung after a commit, never inside; whoever waits also
//! looks by itself now and then, so that a lost ring costs time and nothing else.

use std::collections::HashMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::id::UserId;

/// How often anything changed, as somebody saw it last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen(u64);

#[derive(Debug, Default)]
struct State {
    /// Rung for the workers.
    work: u64,
    /// State changes of any job: they move everybody's place in the queue.
    everybody: u64,
    /// Progress of one user's job.
    user: HashMap<UserId, u64>,
    closed: bool,
}

impl State {
    fn seen_by(&self, user: UserId) -> Seen {
        Seen(self.everybody + self.user.get(&user).copied().unwrap_or(0))
    }
}

/// The bell.
#[derive(Debug, Default)]
pub struct Bell {
    state: Mutex<State>,
    work: Condvar,
    news: Condvar,
    closing: Condvar,
}

impl Bell {
    pub fn new() -> Bell {
        Bell::default()
    }

    /// A job was put into the queue, or the queue may go on.
    pub fn work(&self) {
        let mut state = self.lock();
        state.work += 1;
        state.everybody += 1;
        drop(state);
        self.work.notify_all();
        self.news.notify_all();
    }

    /// A job changed its state.
    pub fn news(&self) {
        self.lock().everybody += 1;
        self.news.notify_all();
    }

    /// A job of `user` got on.
    pub fn progress(&self, user: UserId) {
        *self.lock().user.entry(user).or_insert(0) += 1;
        self.news.notify_all();
    }

    /// Nobody waits any more from now on: the process is about to end.
    pub fn close(&self) {
        self.lock().closed = true;
        self.closing.notify_all();
        self.work.notify_all();
        self.news.notify_all();
    }

    /// Waits until the bell is closed, or `at_most`; true where it is closed.
    pub fn wait_for_close(&self, at_most: Duration) -> bool {
        let state = self.lock();
        let waited = self
            .closing
            .wait_timeout_while(state, at_most, |state| !state.closed);
        match waited {
            Ok((state, _)) => state.closed,
            Err(poisoned) => poisoned.into_inner().0.closed,
        }
    }

    pub fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// How often the workers' side was rung; to be read before looking for work.
    pub fn work_seen(&self) -> Seen {
        Seen(self.lock().work)
    }

    /// Waits until there may be work that came after `seen`, or `at_most`.
    pub fn wait_for_work(&self, seen: Seen, at_most: Duration) {
        let state = self.lock();
        let _ended = self.work.wait_timeout_while(state, at_most, |state| {
            !state.closed && state.work == seen.0
        });
    }

    /// How often jobs have changed their states; to be read before looking at the database.
    pub fn changes(&self) -> u64 {
        self.lock().everybody
    }

    /// Waits until a job changes its state after that, or `at_most`.
    pub fn wait_for_change(&self, changes: u64, at_most: Duration) {
        let state = self.lock();
        let _ended = self.news.wait_timeout_while(state, at_most, |state| {
            !state.closed && state.everybody == changes
        });
    }

    /// What `user` could know now; to be read before looking at the database.
    pub fn seen(&self, user: UserId) -> Seen {
        self.lock().seen_by(user)
    }

    /// Waits until there is news for `user` after `seen`. False: the time was over, or the bell
    /// was closed.
    pub fn wait_for_news(&self, user: UserId, seen: Seen, until: Instant) -> bool {
        let mut state = self.lock();
        loop {
            if state.seen_by(user) != seen {
                return true;
            }
            let left = until.saturating_duration_since(Instant::now());
            if state.closed || left.is_zero() {
                return false;
            }
            state = match self.news.wait_timeout(state, left) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_that_came_before_the_wait_is_not_missed() {
        let bell = Bell::new();
        let seen = bell.seen(UserId(1));
        bell.progress(UserId(1));
        assert!(bell.wait_for_news(UserId(1), seen, Instant::now()));
    }

    #[test]
    fn progress_of_one_user_wakes_nobody_else() {
        let bell = Bell::new();
        let seen = bell.seen(UserId(2));
        bell.progress(UserId(1));
        assert!(!bell.wait_for_news(UserId(2), seen, Instant::now()));
    }
}
