//! Idempotency-Key: the same request twice gives the first answer, so that a client whose
//! connection broke can ask again without a second file or job.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::id::{self, UploadNo, UserId};
use crate::store::idempotency::{self, Answer};
use crate::words::Code;

/// How long first answers are kept.
pub const KEEP: Duration = Duration::from_secs(86_400);

/// Letters of a key.
const KEY_CHARS_MAX: usize = 255;

/// Requests with a key that are still running, and what failed ones could not clear away.
#[derive(Debug, Default)]
pub struct InFlight {
    keys: Mutex<HashSet<(UserId, String)>>,
    left: Mutex<Vec<UploadNo>>,
}

impl InFlight {
    pub fn new() -> InFlight {
        InFlight::default()
    }

    /// Takes the uploads that nobody was promised and that could not be removed so far.
    pub fn take_left(&self) -> Vec<UploadNo> {
        std::mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes an upload that nobody was promised and that can't be removed now.
    pub fn leave(&self, no: UploadNo) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.push(no);
    }
}

/// What a request with a key is.
pub enum Turn<'a> {
    /// It was answered before; this is the answer.
    Again(Answer),
    /// It is the first one.
    First(First<'a>),
}

/// The first request with its key; while this lives, others with the key are refused.
pub struct First<'a> {
    in_flight: &'a InFlight,
    user: UserId,
    /// `None`: the request has no key.
    key: Option<String>,
    fingerprint: String,
}

/// The same body means the same route, file bytes, file name and fields.
pub fn fingerprint(
    route: &str,
    sha256: &str,
    filename: &str,
    fields: &[(String, String)],
) -> String {
    let mut sorted: Vec<&(String, String)> = fields.iter().collect();
    sorted.sort();
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        // With its length before it, no text can be mistaken for two.
        hash.update(text.len().to_be_bytes());
        hash.update(text.as_bytes());
    };
    add(route);
    add(sha256);
    add(filename);
    for (name, value) in sorted {
        add(name);
        add(value);
    }
    id::hex(&hash.finalize())
}

/// Whether this request is the first with its key.
///
/// # Errors
/// `idempotency-mismatch`, `idempotency-in-progress`; `bad-request` for a key that is none.
pub fn turn<'a>(
    db: &Db,
    in_flight: &'a InFlight,
    user: UserId,
    key: Option<&str>,
    fingerprint: String,
) -> Result<Turn<'a>> {
    let Some(key) = key else {
        return Ok(Turn::First(First {
            in_flight,
            user,
            key: None,
            fingerprint,
        }));
    };
    if key.is_empty() || key.chars().count() > KEY_CHARS_MAX {
        return Err(Error::problem(
            Code::BadRequest,
            "An Idempotency-Key has 1 to 255 characters.",
        ));
    }
    let entry = (user, key.to_owned());
    // Taken before looking, so that of two requests one sees the other.
    let taken = in_flight
        .keys
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(entry);
    if !taken {
        return Err(Error::problem(
            Code::IdempotencyInProgress,
            "The first request with this Idempotency-Key is still running. Ask again in a moment.",
        ));
    }
    let first = First {
        in_flight,
        user,
        key: Some(key.to_owned()),
        fingerprint,
    };
    let since = db.clock().now().minus(KEEP);
    match db.read(|c| idempotency::find(c, user, key, since))? {
        Some(kept) if kept.fingerprint == first.fingerprint => Ok(Turn::Again(kept.answer)),
        Some(_) => Err(Error::problem(
            Code::IdempotencyMismatch,
            "This Idempotency-Key was used for another request. Use a new one.",
        )),
        None => Ok(Turn::First(first)),
    }
}

impl First<'_> {
    pub(super) fn in_flight(&self) -> &InFlight {
        self.in_flight
    }

    /// Keeps the answer, in the transaction that makes it true.
    ///
    /// # Errors
    /// `Database`.
    pub fn keep(&self, tx: &Tx<'_>, answer: &Answer) -> Result<()> {
        match &self.key {
            Some(key) => idempotency::keep(tx, self.user, key, &self.fingerprint, answer),
            None => Ok(()),
        }
    }
}

impl Drop for First<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.in_flight
                .keys
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&(self.user, key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_tells_fields_apart_but_not_their_order() {
        let field = |n: &str, v: &str| (n.to_owned(), v.to_owned());
        let a = fingerprint("r", "s", "f", &[field("a", "b"), field("c", "d")]);
        let b = fingerprint("r", "s", "f", &[field("c", "d"), field("a", "b")]);
        let c = fingerprint("r", "s", "f", &[field("a", "bc"), field("", "d")]);
        assert_eq!(a, b);
        assert_ne!(a, c);
    }
}
