//! One at a time: two jobs that check against the same list and file into it must not do so at once,
//! or each would miss what the other is about to file.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::id::JobId;
use crate::stop::Stop;

/// How often whoever waits looks whether it is to stop.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The lists that somebody has in work, and who waits for one.
#[derive(Debug, Default)]
pub struct Turns {
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    taken: HashSet<String>,
    waiting: HashSet<JobId>,
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

    /// Waits for the list on behalf of `job`. `news` is called, outside of any lock, when it begins
    /// to wait and when it need wait no longer; never, where the list is free.
    ///
    /// # Errors
    /// `Stopped` where the work is asked to stop meanwhile.
    pub fn take(
        &self,
        list: &str,
        job: JobId,
        stop: &Stop,
        mut news: impl FnMut(),
    ) -> Result<Turn<'_>> {
        let mut state = self.lock();
        if state.taken.contains(list) {
            state.waiting.insert(job);
            drop(state);
            news();
            let waited = self.wait(list, stop);
            self.lock().waiting.remove(&job);
            news();
            return waited;
        }
        state.taken.insert(list.to_owned());
        Ok(self.turn(list))
    }

    /// Waits for the list at most so long; none where it is not free by then.
    ///
    /// # Errors
    /// `Stopped` where the work is asked to stop meanwhile.
    pub fn take_within(
        &self,
        list: &str,
        at_most: Duration,
        stop: &Stop,
    ) -> Result<Option<Turn<'_>>> {
        self.wait_until(list, Some(Instant::now() + at_most), stop)
    }

    fn wait(&self, list: &str, stop: &Stop) -> Result<Turn<'_>> {
        match self.wait_until(list, None, stop)? {
            Some(turn) => Ok(turn),
            None => Err(Error::Stopped),
        }
    }

    fn wait_until(
        &self,
        list: &str,
        end: Option<Instant>,
        stop: &Stop,
    ) -> Result<Option<Turn<'_>>> {
        let mut state = self.lock();
        while state.taken.contains(list) {
            stop.check()?;
            if end.is_some_and(|end| Instant::now() >= end) {
                return Ok(None);
            }
            state = match self.freed.wait_timeout(state, LOOK_EVERY) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        state.taken.insert(list.to_owned());
        Ok(Some(self.turn(list)))
    }

    fn turn(&self, list: &str) -> Turn<'_> {
        Turn {
            turns: self,
            list: list.to_owned(),
        }
    }

    /// Whether `job` waits for another job to be done with its list.
    pub fn waits(&self, job: JobId) -> bool {
        self.lock().waiting.contains(&job)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.turns.lock().taken.remove(&self.list);
        self.turns.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stop::Reason;

    #[test]
    fn a_list_is_taken_once_and_free_again_afterwards() {
        let turns = Turns::new();
        let stop = Stop::new();
        let take = |list, job| turns.take(list, JobId(job), &stop, || {});
        let turn = take("companies", 1).unwrap();
        let other = take("people", 2).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| take("companies", 3).is_ok());
            while !turns.waits(JobId(3)) {
                std::thread::yield_now();
            }
            assert!(!turns.waits(JobId(1)) && !turns.waits(JobId(2)));
            drop(turn);
            assert!(waiting.join().unwrap());
        });
        drop(other);
        assert!(turns.lock().taken.is_empty());
        assert!(turns.lock().waiting.is_empty());
    }

    #[test]
    fn whoever_waits_is_told_so_and_can_be_stopped() {
        let turns = Turns::new();
        let stop = Stop::new();
        let mut told = 0;
        let _turn = turns.take("companies", JobId(1), &stop, || told += 1);
        assert_eq!(told, 0);
        stop.ask(Reason::Cancelled);
        let refused = turns.take("companies", JobId(2), &stop, || told += 1);
        assert!(matches!(refused, Err(Error::Stopped)));
        assert_eq!(told, 2);
        assert!(!turns.waits(JobId(2)));
    }
}
