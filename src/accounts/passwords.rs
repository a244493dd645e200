//! Passwords: hashed with Argon2id, at most two at a time, and never while the database waits.

use std::sync::{Condvar, Mutex, PoisonError};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{self, PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::error::{Error, Problem, Result};
use crate::words::Code;

/// OWASP's first choice for Argon2id with little memory: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashes at once: more would take memory and cores from the office's work.
const AT_ONCE: usize = 2;

/// Requests that may wait for their turn; one more is told to come back.
const WAITING_MAX: usize = 256;

/// What the password of a user who does not exist is checked against: a digest that no known
/// password has, at the same cost as a real one.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2hlZXRsaW5lLW5vYm9keQ$Zm9yIG5vYm9keSBhbmQgbm90aGluZyBhdCBhbGwuLi4";

/// Lets [`AT_ONCE`] through.
struct Gate {
    state: Mutex<Queue>,
    free: Condvar,
}

struct Queue {
    inside: usize,
    waiting: usize,
}

static GATE: Gate = Gate {
    state: Mutex::new(Queue {
        inside: 0,
        waiting: 0,
    }),
    free: Condvar::new(),
};

/// A turn at hashing; it ends with this value.
#[derive(Debug)]
pub(super) struct Turn(());

/// Waits for a turn.
///
/// # Errors
/// `busy` where too many wait already.
pub(super) fn turn() -> Result<Turn> {
    let mut queue = GATE.state.lock().unwrap_or_else(PoisonError::into_inner);
    if queue.inside >= AT_ONCE {
        if queue.waiting >= WAITING_MAX {
            return Err(Problem::new(
                Code::Busy,
                "Too many people are signing in at the moment. Try again in a few seconds.",
            )
            .with("retry_after", 2)
            .into());
        }
        queue.waiting += 1;
        while queue.inside >= AT_ONCE {
            queue = GATE
                .free
                .wait(queue)
                .unwrap_or_else(PoisonError::into_inner);
        }
        queue.waiting -= 1;
    }
    queue.inside += 1;
    Ok(Turn(()))
}

impl Drop for Turn {
    fn drop(&mut self) {
        GATE.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .inside -= 1;
        GATE.free.notify_one();
    }
}

fn hasher() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .map_err(|error| Error::Internal(format!("argon2: {error}")))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The hash of a new password, in PHC form, with a salt of its own.
///
/// # Errors
/// `busy` where too many wait already.
pub(super) fn hash(password: &str) -> Result<String> {
    let _turn = turn()?;
    hasher()?
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| Error::Internal(format!("argon2: {error}")))
}

/// Whether `password` is the one behind `hash`. Without a hash (no such user) it never is, after
/// the same work. A hash that is none, say because somebody wrote `!` into the table, has no password.
///
/// # Errors
/// `Internal` where hashing itself fails.
pub(super) fn verify(_turn: &Turn, password: &str, hash: Option<&str>) -> Result<bool> {
    let real = hash.and_then(|hash| PasswordHash::new(hash).ok());
    let is_real = real.is_some();
    let parsed = match real {
        Some(parsed) => parsed,
        None => PasswordHash::new(NOBODY)
            .map_err(|error| Error::Internal(format!("password hash: {error}")))?,
    };
    match hasher()?.verify_password(password.as_bytes(), &parsed) {
        Ok(()) => Ok(is_real),
        Err(password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(Error::Internal(format!("password hash: {error}"))),
    }
}

/// How many wait for a turn.
#[cfg(test)]
pub(super) fn waiting() -> usize {
    GATE.state
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .waiting
}

/// For tests that hash: they go one after the other, so that one may take both turns.
#[cfg(test)]
pub(super) fn alone() -> std::sync::MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_kept_as_argon2id_with_owasp_parameters_and_its_own_salt() {
        let _alone = alone();
        let first = hash("correct horse battery").unwrap();
        let second = hash("correct horse battery").unwrap();
        assert!(first.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_ne!(first, second);
        let turn = turn().unwrap();
        assert!(verify(&turn, "correct horse battery", Some(&first)).unwrap());
        assert!(!verify(&turn, "correct horse batterz", Some(&first)).unwrap());
    }

    #[test]
    fn nobody_has_the_password_of_nobody_and_checking_it_costs_the_same_work() {
        let _alone = alone();
        let turn = turn().unwrap();
        assert!(!verify(&turn, "", None).unwrap());
        assert!(!verify(&turn, "for nobody", None).unwrap());
        assert!(!verify(&turn, "!", Some("!")).unwrap());
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let real = hasher().unwrap().hash_password(b"x").unwrap();
        assert_eq!(nobody.params, real.params);
        assert_eq!(nobody.algorithm, real.algorithm);
        assert_eq!(
            nobody.hash.map(|hash| hash.len()),
            real.hash.map(|hash| hash.len())
        );
        assert_eq!(
            nobody.salt.map(|salt| salt.len()),
            real.salt.map(|salt| salt.len())
        );
    }

    #[test]
    fn two_hash_at_once_and_a_third_waits() {
        let _alone = alone();
        let first = turn().unwrap();
        let second = turn().unwrap();
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let _third = turn().unwrap();
                tell.send(()).unwrap();
            });
            assert!(
                told.recv_timeout(std::time::Duration::from_millis(50))
                    .is_err()
            );
            drop(first);
            drop(second);
            told.recv().unwrap();
        });
    }
}
