//! The throttle: wrong guesses slow the next one down, by address and name, by address, and by
//! name. It counts in memory on the monotonic clock; the database remembers over a restart.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::db::{Db, Tx};
use crate::error::{Error, Problem, Result};
use crate::id;
use crate::store::throttle as table;
use crate::store::users;
use crate::words::Code;

/// How long a wrong guess counts.
pub(super) const WINDOW: Duration = Duration::from_secs(15 * 60);

/// Wrong guesses in the window after which the next one has to wait.
const PAIR_MAX: usize = 10;
const ADDRESS_MAX: usize = 30;
const NAME_MAX: usize = 50;

/// The longest wait; the shortest is a second, and each further wrong guess doubles it.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Wrong guesses kept at most. Hashing is slower than this many in a window.
const KEPT_MAX: usize = 100_000;

/// Who guesses, at whose password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Guess {
    address: String,
    name_hash: String,
}

impl Guess {
    pub(super) fn new(address: IpAddr, username: &str) -> Guess {
        Guess {
            address: neighbourhood(address),
            name_hash: name_hash(username),
        }
    }
}

/// The address that is counted: an IPv6 client out in the world has a whole network of them, one in
/// the office has its own.
pub(super) fn neighbourhood(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address)
            if address.is_loopback()
                || address.is_unique_local()
                || address.is_unicast_link_local() =>
        {
            address.to_string()
        }
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

fn name_hash(username: &str) -> String {
    let hash = id::sha256_hex(users::key(username.trim()).as_bytes());
    hash.get(..32).unwrap_or(&hash).to_owned()
}

#[derive(Debug)]
struct Failure {
    /// Monotonic time, moved on by [`WINDOW`], so that one from before the start can be told.
    at: Duration,
    guess: Guess,
}

#[derive(Debug, Default)]
struct State {
    loaded: bool,
    failures: VecDeque<Failure>,
    /// Guesses that are being checked; each might turn out wrong.
    in_flight: Vec<Guess>,
}

/// The wrong guesses of the last 15 minutes.
#[derive(Debug, Default)]
pub(super) struct Throttle(Mutex<State>);

/// A guess that is being checked, until it is dropped.
pub(super) struct InFlight<'t> {
    throttle: &'t Throttle,
    guess: &'t Guess,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        land(&mut self.throttle.lock(), self.guess);
    }
}

/// The guess is no longer in flight.
fn land(state: &mut State, guess: &Guess) {
    if let Some(at) = state.in_flight.iter().position(|one| one == guess) {
        state.in_flight.swap_remove(at);
    }
}

impl InFlight<'_> {
    /// The guess was wrong: it counts, from this moment on and without one in which it counts twice
    /// or not at all. The answer is the same where the database can't remember it. True: the next
    /// guess has to wait. `note` is written along.
    pub(super) fn failed(self, db: &Db, note: impl FnOnce(&Tx<'_>, bool) -> Result<()>) -> bool {
        let guess = self.guess;
        let now = db.clock().monotonic() + WINDOW;
        let locked = {
            let mut state = self.throttle.lock();
            if state.failures.len() >= KEPT_MAX {
                state.failures.pop_front();
            }
            state.failures.push_back(Failure {
                at: now,
                guess: guess.clone(),
            });
            land(&mut state, guess);
            wait(&mut state, now, guess, false).is_some()
        };
        // What is in flight under this guess now is somebody else's.
        std::mem::forget(self);
        let kept = db.write(|tx| {
            table::insert(tx, &guess.address, &guess.name_hash)?;
            note(tx, locked)
        });
        if let Err(error) = kept {
            log::warn!("a wrong guess will be forgotten at the next start: {error}");
        }
        locked
    }
}

impl Throttle {
    /// Refuses a guess that has to wait. Costs no hashing.
    ///
    /// # Errors
    /// `too-many-attempts`.
    pub(super) fn check(&self, db: &Db, guess: &Guess) -> Result<()> {
        self.load(db);
        let now = db.clock().monotonic() + WINDOW;
        match wait(&mut self.lock(), now, guess, false) {
            Some(wait) => Err(too_many(wait)),
            None => Ok(()),
        }
    }

    /// As [`Throttle::check`], and counts the guess as wrong as long as it is being checked, so
    /// that guesses made at once don't slip through together.
    ///
    /// # Errors
    /// `too-many-attempts`.
    pub(super) fn begin<'t>(&'t self, db: &Db, guess: &'t Guess) -> Result<InFlight<'t>> {
        let now = db.clock().monotonic() + WINDOW;
        let mut state = self.lock();
        if let Some(wait) = wait(&mut state, now, guess, true) {
            return Err(too_many(wait));
        }
        state.in_flight.push(guess.clone());
        Ok(InFlight {
            throttle: self,
            guess,
        })
    }

    /// Forgets the wrong guesses at this name from this address, after a right one. True: there
    /// were some, and the table has to forget them, too.
    pub(super) fn succeeded(&self, guess: &Guess) -> bool {
        let mut state = self.lock();
        let before = state.failures.len();
        state.failures.retain(|failure| failure.guess != *guess);
        state.failures.len() != before
    }

    /// The table's part of [`Throttle::succeeded`].
    pub(super) fn forget(tx: &Tx<'_>, guess: &Guess) -> Result<()> {
        table::clear(tx, Some(&guess.address), &guess.name_hash)
    }

    /// Forgets all wrong guesses at a name, when it gets a new password.
    pub(super) fn forget_name(&self, username: &str) {
        let hash = name_hash(username);
        self.lock()
            .failures
            .retain(|failure| failure.guess.name_hash != hash);
    }

    /// The table's part of [`Throttle::forget_name`].
    pub(super) fn forget_name_kept(tx: &Tx<'_>, username: &str) -> Result<()> {
        table::clear(tx, None, &name_hash(username))
    }

    /// What the process before this one counted. The wall clock may have been set meanwhile: ages
    /// are taken between none and the whole window.
    fn load(&self, db: &Db) {
        let mut state = self.lock();
        if state.loaded {
            return;
        }
        let now = db.clock().now();
        let limit = u32::try_from(KEPT_MAX).unwrap_or(u32::MAX);
        match db.read(|c| table::since(c, now.minus(WINDOW), limit)) {
            Ok(kept) => {
                let base = db.clock().monotonic() + WINDOW;
                let mut failures: VecDeque<Failure> = kept
                    .into_iter()
                    .map(|failure| Failure {
                        at: base.saturating_sub(age(now, failure.at)),
                        guess: Guess {
                            address: failure.address,
                            name_hash: failure.name_hash,
                        },
                    })
                    .collect();
                failures.append(&mut state.failures);
                failures.make_contiguous().sort_by_key(|failure| failure.at);
                state.failures = failures;
                state.loaded = true;
            }
            Err(error) => log::warn!("earlier wrong guesses could not be read: {error}"),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn age(now: Timestamp, at: Timestamp) -> Duration {
    now.since(at).min(WINDOW)
}

/// How long `guess` has to wait, if it has to.
fn wait(state: &mut State, now: Duration, guess: &Guess, with_in_flight: bool) -> Option<Duration> {
    while state
        .failures
        .front()
        .is_some_and(|failure| failure.at + WINDOW <= now)
    {
        state.failures.pop_front();
    }
    let same_address = |one: &Guess| one.address == guess.address;
    let same_name = |one: &Guess| one.name_hash == guess.name_hash;
    type Within<'w> = &'w dyn Fn(&Guess) -> bool;
    let scopes: [(usize, Within<'_>); 3] = [
        (PAIR_MAX, &|one| same_address(one) && same_name(one)),
        (ADDRESS_MAX, &same_address),
        (NAME_MAX, &same_name),
    ];
    scopes
        .iter()
        .filter_map(|(max, within)| {
            let mut count = 0;
            let mut last = Duration::ZERO;
            for failure in state.failures.iter().filter(|one| within(&one.guess)) {
                count += 1;
                last = last.max(failure.at);
            }
            let until = if count >= *max {
                last + delay(count - max)
            } else {
                Duration::ZERO
            };
            if until > now {
                return Some(until - now);
            }
            let in_flight = state.in_flight.iter().filter(|one| within(one)).count();
            (with_in_flight && in_flight > 0 && count + in_flight >= *max)
                .then_some(Duration::from_secs(1))
        })
        .max()
}

/// 1, 2, 4, 8, 16 and then 30 seconds.
fn delay(beyond: usize) -> Duration {
    let doublings = u32::try_from(beyond).unwrap_or(u32::MAX).min(5);
    Duration::from_secs(1 << doublings).min(WAIT_MAX)
}

/// The answer to who has to wait.
pub(super) fn too_many(wait: Duration) -> Error {
    let seconds = wait.min(WAIT_MAX).as_millis().div_ceil(1_000).max(1);
    let seconds = u64::try_from(seconds).unwrap_or(30);
    let unit = if seconds == 1 { "second" } else { "seconds" };
    Problem::new(
        Code::TooManyAttempts,
        format!("Too many tries. Wait {seconds} {unit}."),
    )
    .with("retry_after", seconds)
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(address: &str, name: &str) -> Guess {
        Guess::new(address.parse().unwrap(), name)
    }

    fn state(guesses: impl IntoIterator<Item = Guess>, at: Duration) -> State {
        State {
            failures: guesses
                .into_iter()
                .map(|guess| Failure { at, guess })
                .collect(),
            ..State::default()
        }
    }

    const AT: Duration = Duration::from_secs(10_000);

    fn waits(state: &mut State, guess: &Guess, after: u64) -> Option<u64> {
        wait(state, AT + Duration::from_secs(after), guess, false).map(|wait| wait.as_secs())
    }

    #[test]
    fn the_wait_doubles_from_one_second_to_thirty() {
        let anna = guess("192.0.2.1", "anna");
        for (count, seconds) in [
            (9, None),
            (10, Some(1)),
            (11, Some(2)),
            (12, Some(4)),
            (13, Some(8)),
            (14, Some(16)),
            (15, Some(30)),
            (40, Some(30)),
        ] {
            let mut state = state(vec![anna.clone(); count], AT);
            assert_eq!(waits(&mut state, &anna, 0), seconds, "{count}");
        }
    }

    #[test]
    fn an_address_has_thirty_guesses_and_a_name_fifty() {
        let names = |n: usize| (0..n).map(|i| guess("192.0.2.1", &format!("name{i}")));
        let fresh = guess("192.0.2.1", "fresh");
        assert_eq!(waits(&mut state(names(29), AT), &fresh, 0), None);
        assert_eq!(waits(&mut state(names(30), AT), &fresh, 0), Some(1));
        let elsewhere = guess("192.0.2.2", "fresh");
        assert_eq!(waits(&mut state(names(30), AT), &elsewhere, 0), None);

        let addresses = |n: usize| (0..n).map(|i| guess(&format!("198.51.100.{i}"), "anna"));
        let anna = guess("192.0.2.1", "Anna");
        assert_eq!(waits(&mut state(addresses(49), AT), &anna, 0), None);
        assert_eq!(waits(&mut state(addresses(50), AT), &anna, 0), Some(1));
    }

    #[test]
    fn a_guess_is_forgotten_after_fifteen_minutes() {
        let anna = guess("192.0.2.1", "anna");
        let mut crowd = state(vec![anna.clone(); 15], AT);
        assert_eq!(waits(&mut crowd, &anna, 29), Some(1));
        assert_eq!(waits(&mut crowd, &anna, 30), None);
        assert_eq!(crowd.failures.len(), 15);
        assert_eq!(waits(&mut crowd, &anna, 15 * 60), None);
        assert_eq!(crowd.failures.len(), 0);
    }

    #[test]
    fn an_ipv6_client_is_its_network() {
        assert_eq!(
            guess("2001:db8:1:2:3::1", "a"),
            guess("2001:db8:1:2:ffff::9", "a")
        );
        assert_ne!(guess("2001:db8:1:2::1", "a"), guess("2001:db8:1:3::1", "a"));
        assert_eq!(guess("::ffff:192.0.2.1", "a"), guess("192.0.2.1", "a"));
        assert_ne!(guess("fd00::1", "a"), guess("fd00::2", "a"));
    }
}
