//! How long a thread waits for the database when another program holds it: whoever answers a request only
//! briefly, so that it can say so; everybody else a while longer, and then tries again by itself.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

/// How long whoever is in no hurry waits.
const WAIT: Duration = Duration::from_millis(2_000);

/// The first and the longest pause between two tries.
const PAUSE: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(25);

thread_local! {
    /// What is left for this thread to wait; `None`: it is in no hurry.
    static LEFT: Cell<Option<Duration>> = const { Cell::new(None) };
}

/// A thread is in a hurry until this is dropped.
#[must_use]
pub struct Hurry {
    before: Option<Duration>,
}

/// From now on this thread waits so long at most. Once it has waited in vain it only tries: what it does
/// then, to clear up, does not make its client wait again.
pub fn hurry(at_most: Duration) -> Hurry {
    let before = LEFT.get();
    LEFT.set(Some(before.map_or(at_most, |left| left.min(at_most))));
    Hurry { before }
}

impl Drop for Hurry {
    fn drop(&mut self) {
        LEFT.set(self.before);
    }
}

/// Whether this thread is in a hurry.
pub(super) fn hurries() -> bool {
    LEFT.get().is_some()
}

/// How long this thread may wait now.
pub(super) fn left() -> Duration {
    LEFT.get().unwrap_or(WAIT)
}

/// This thread has waited in vain.
pub(super) fn spent() {
    if hurries() {
        LEFT.set(Some(Duration::ZERO));
    }
}

/// The tries of one write.
pub(super) struct Tries {
    until: Instant,
    pause: Duration,
}

impl Tries {
    pub(super) fn new() -> Tries {
        Tries {
            until: Instant::now() + left(),
            pause: PAUSE,
        }
    }

    /// Pauses before the next try; false where there is to be none.
    pub(super) fn again(&mut self) -> bool {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            spent();
            return false;
        }
        thread::sleep(self.pause.min(left));
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_in_a_hurry_waits_once_and_then_only_tries() {
        assert_eq!((hurries(), left()), (false, WAIT));
        spent();
        assert_eq!(left(), WAIT);
        let outer = hurry(Duration::from_millis(3));
        {
            let _inner = hurry(Duration::from_millis(1));
            let mut tries = Tries::new();
            while tries.again() {}
            assert_eq!(left(), Duration::ZERO);
        }
        assert_eq!(left(), Duration::from_millis(3));
        let _longer = hurry(WAIT);
        assert_eq!(left(), Duration::from_millis(3));
        drop(outer);
    }
}
