//! One at a time: two jobs that check against the same list and file into it must not do so at once,
//! or each would miss what the other is about to file.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::Result;
use crate::stop::Stop;

/// How often whoever waits looks whether it is to stop.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The lists that somebody has in work.
#[derive(Debug, Default)]
pub struct Turns {
    taken: Mutex<HashSet<String>>,
    freed: Condvar,
}

/// A list in work; free again when this is dropped.
#[derive(Debug)]
pub struct Turn<'a> {
    turns: &'a Turns,
    list: String,
}

impl Turns {
    pub fn new() -> Turns {
        Turns::default()
    }

    /// Waits for the list.
    ///
    /// # Errors
    /// `Stopped` where the work is asked to stop meanwhile.
    pub fn take(&self, list: &str, stop: &Stop) -> Result<Turn<'_>> {
        let mut taken = self.lock();
        while taken.contains(list) {
            stop.check()?;
            taken = match self.freed.wait_timeout(taken, LOOK_EVERY) {
                Ok((taken, _)) => taken,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        taken.insert(list.to_owned());
        Ok(Turn {
            turns: self,
            list: list.to_owned(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.lock().remove(&self.list);
        self.turns.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::stop::Reason;

    #[test]
    fn a_list_is_taken_once_and_free_again_afterwards() {
        let turns = Turns::new();
        let stop = Stop::new();
        let turn = turns.take("companies", &stop).unwrap();
        let other = turns.take("people", &stop).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| turns.take("companies", &stop).is_ok());
            drop(turn);
            assert!(waiting.join().unwrap());
        });
        drop(other);
        assert!(turns.lock().is_empty());
    }

    #[test]
    fn whoever_waits_can_be_stopped() {
        let turns = Turns::new();
        let _turn = turns.take("companies", &Stop::new()).unwrap();
        let stop = Stop::new();
        stop.ask(Reason::Cancelled);
        let refused = turns.take("companies", &stop);
        assert!(matches!(refused, Err(Error::Stopped)));
    }
}
