//! How long other programs have held the database: nobody could write meanwhile, so that this time counts
//! against no job.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// All times are monotonic.
#[derive(Debug, Default)]
pub(super) struct Held(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// When a write first found the database held; `None`: the last one got through.
    since: Option<Duration>,
    /// The times before that.
    total: Duration,
}

impl Held {
    /// A write found the database held.
    pub(super) fn found(&self, now: Duration) {
        self.lock().since.get_or_insert(now);
    }

    /// A write got through.
    pub(super) fn free(&self, now: Duration) {
        let mut state = self.lock();
        if let Some(since) = state.since.take() {
            state.total += now.saturating_sub(since);
        }
    }

    /// How long it has been held in all until now.
    pub(super) fn until(&self, now: Duration) -> Duration {
        let state = self.lock();
        let since = state.since.unwrap_or(now);
        state.total + now.saturating_sub(since)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_told_while_it_lasts_and_afterwards() {
        let held = Held::default();
        let at = Duration::from_secs;
        held.free(at(3));
        assert_eq!(held.until(at(4)), at(0));
        held.found(at(5));
        held.found(at(7));
        assert_eq!(held.until(at(9)), at(4));
        held.free(at(10));
        held.free(at(11));
        assert_eq!(held.until(at(99)), at(5));
    }
}
