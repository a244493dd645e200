//! Passwords: hashed with Argon2id, at most two at a time, and never while the database waits.

use std::sync::{Condvar, Mutex, PoisonError};

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};

use crate::error::{Error, Problem, Result};
use crate::id;
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

/// The hash of a new password, in PHC form, with a salt of its own.
///
/// # Errors
/// `busy` where too many wait already.
pub(super) fn hash(password: &str) -> Result<String> {
    let _turn = turn()?;
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(failed)?;
    let mut hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: (&params).try_into().map_err(failed)?,
        salt: Some(Salt::new(&id::random::<16>()?).map_err(failed)?),
        hash: None,
    };
    hash.hash = Some(digest(password, &hash)?);
    Ok(hash.to_string())
}

/// Whether `password` is the one behind `hash`. Without a hash (no such user) it never is, after
/// the same work.
///
/// # Errors
/// `Internal` where the hash is none.
pub(super) fn verify(_turn: &Turn, password: &str, hash: Option<&str>) -> Result<bool> {
    let parsed = PasswordHash::new(hash.unwrap_or(NOBODY)).map_err(failed)?;
    // Digests compare in constant time.
    let right = parsed.hash == Some(digest(password, &parsed)?);
    Ok(right && hash.is_some())
}

/// What Argon2 makes of a password, with the salt and the parameters of `hash`.
fn digest(password: &str, hash: &PasswordHash) -> Result<Output> {
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).map_err(failed)?;
    let version = match hash.version {
        Some(number) => Version::try_from(number).map_err(failed)?,
        None => Version::V0x13,
    };
    let params = Params::try_from(hash).map_err(failed)?;
    let salt = hash.salt.as_ref().ok_or_else(|| failed("no salt"))?;
    let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    let mut memory = memory(params.block_count())?;
    let mut bytes = [0; Output::MAX_LENGTH];
    let bytes = bytes.get_mut(..length).ok_or_else(|| failed("length"))?;
    Argon2::new(algorithm, version, params)
        .hash_password_into_with_memory(password.as_bytes(), salt, bytes, memory.as_mut_slice())
        .map_err(failed)?;
    Output::new(bytes).map_err(failed)
}

/// Memory for one hash, which goes back to the system when it is dropped: it is asked for in a size
/// (33 MiB) that glibc always takes from the system and gives back, and only what is used of it
/// costs anything. In its own size each of glibc's arenas kept two or three of it: 285 MiB were seen.
fn memory(blocks: usize) -> Result<Vec<Block>> {
    const BLOCKS_MIN: usize = (33 << 20) / Block::SIZE;
    let mut memory = Vec::new();
    memory
        .try_reserve_exact(blocks.max(BLOCKS_MIN))
        .map_err(failed)?;
    memory.resize(blocks, Block::new());
    Ok(memory)
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Internal(format!("password hash: {error}"))
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
        // Another program reads it the same.
        use argon2::PasswordVerifier;
        assert!(
            Argon2::default()
                .verify_password(b"correct horse battery", first.as_str())
                .is_ok()
        );
        let turn = turn().unwrap();
        assert!(verify(&turn, "correct horse battery", Some(&first)).unwrap());
        assert!(!verify(&turn, "correct horse batterz", Some(&first)).unwrap());
    }

    #[test]
    fn nobody_has_the_password_of_nobody_and_checking_it_costs_the_same_work() {
        let _alone = alone();
        let real = hash("x").unwrap();
        let turn = turn().unwrap();
        assert!(!verify(&turn, "", None).unwrap());
        assert!(!verify(&turn, "for nobody", None).unwrap());
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let real = PasswordHash::new(&real).unwrap();
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
