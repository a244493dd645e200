//! The first administrator: a code that whoever starts the server sees, for one use.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::throttle::{self, neighbourhood};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::id;
use crate::words::Code;

/// 32 letters and digits, without those that look alike.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/// How long a code is good for.
const LIFE: Duration = Duration::from_secs(60 * 60);

/// Wrong tries from an address within a minute.
const TRIES_MAX: usize = 5;
const MINUTE: Duration = Duration::from_secs(60);

/// Wrong tries kept at most; the code has 60 bits, so that forgetting one costs nothing.
const KEPT_MAX: usize = 10_000;

/// The code of this process, as a hash, and the wrong tries at it.
#[derive(Debug, Default)]
pub(super) struct Setup(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    code: Option<Kept>,
    wrong: VecDeque<(Duration, String)>,
}

#[derive(Debug)]
struct Kept {
    hash: [u8; 32],
    /// Monotonic time.
    until: Duration,
}

/// Where the code also stands, beside the database.
pub fn code_file(db: &Path) -> PathBuf {
    db.with_file_name("setup-code.txt")
}

impl Setup {
    /// Makes the code, in the place of one made before: `K7QF-2M9X-HC4T`, 60 random bits.
    ///
    /// # Errors
    /// As [`id::random`].
    pub(super) fn begin(&self, clock: &dyn Clock) -> Result<String> {
        let mut code = String::new();
        for (at, byte) in id::random::<12>()?.iter().enumerate() {
            if at > 0 && at % 4 == 0 {
                code.push('-');
            }
            code.push(char::from(ALPHABET[usize::from(byte % 32)]));
        }
        self.lock().code = Some(Kept {
            hash: hash(&code),
            until: clock.monotonic() + LIFE,
        });
        Ok(code)
    }

    /// Whether `given` is the code.
    ///
    /// # Errors
    /// `wrong-setup-code`; `too-many-attempts` after five wrong ones from the address in a minute.
    pub(super) fn check(&self, clock: &dyn Clock, given: &str, address: IpAddr) -> Result<()> {
        let now = clock.monotonic();
        let address = neighbourhood(address);
        let mut state = self.lock();
        while state
            .wrong
            .front()
            .is_some_and(|(at, _)| *at + MINUTE <= now)
        {
            state.wrong.pop_front();
        }
        let mine: Vec<Duration> = state
            .wrong
            .iter()
            .filter(|(_, from)| *from == address)
            .map(|(at, _)| *at)
            .collect();
        if mine.len() >= TRIES_MAX
            && let Some(first) = mine.first()
        {
            return Err(throttle::too_many((*first + MINUTE).saturating_sub(now)));
        }
        let (right, expired) = match &state.code {
            Some(kept) => (same(&kept.hash, &hash(given)), kept.until <= now),
            None => (false, true),
        };
        if right && !expired {
            return Ok(());
        }
        if state.wrong.len() >= KEPT_MAX {
            state.wrong.pop_front();
        }
        state.wrong.push_back((now, address));
        Err(Error::problem(
            Code::WrongSetupCode,
            if expired {
                "The setup code is no longer valid. Restart the server to get a new one, or run on it: sheetline user add --admin NAME"
            } else {
                "The setup code is wrong. It is in the server's window, and in setup-code.txt beside the database."
            },
        ))
    }

    /// The code has been used, or there are users already.
    pub(super) fn end(&self) {
        *self.lock() = State::default();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// SHA-256 of a code, however it was typed.
fn hash(code: &str) -> [u8; 32] {
    let typed: String = code
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .flat_map(char::to_uppercase)
        .collect();
    Sha256::digest(typed.as_bytes()).into()
}

/// Compares in the same time wherever the two differ.
fn same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    one.iter()
        .zip(other)
        .fold(0, |different, (a, b)| different | (a ^ b))
        == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{ManualClock, Timestamp};

    #[test]
    fn a_code_has_three_groups_and_is_taken_however_it_is_typed() {
        let clock = ManualClock::at(Timestamp::from_unix_ms(0));
        let setup = Setup::default();
        let code = setup.begin(&clock).unwrap();
        assert_eq!(code.len(), 14);
        let address = "192.0.2.1".parse().unwrap();
        setup.check(&clock, &code, address).unwrap();
        let sloppy = format!(" {} ", code.to_lowercase().replace('-', " "));
        setup.check(&clock, &sloppy, address).unwrap();
        assert!(!format!("{setup:?}").contains(&code));
    }
}
