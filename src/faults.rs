//! Places where the database or the disk can fail, so that a test can make each of them fail once.
//! Without the feature `faults`, which only tests switch on, nothing of this is compiled in.

use std::io;

/// How a planned failure looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No room left.
    Full,
    /// The device does not answer as it should.
    Broken,
    /// Another program holds it.
    Busy,
}

/// A step of the database: begin or commit of a transaction.
///
/// # Errors
/// What the plan of this thread says.
pub fn database() -> rusqlite::Result<()> {
    match plan::next() {
        None => Ok(()),
        Some(kind) => {
            let code = match kind {
                Kind::Full => rusqlite::ffi::SQLITE_FULL,
                Kind::Broken => rusqlite::ffi::SQLITE_IOERR,
                Kind::Busy => rusqlite::ffi::SQLITE_BUSY,
            };
            Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(code),
                Some("planned by a test".to_owned()),
            ))
        }
    }
}

/// A step of the file system.
///
/// # Errors
/// What the plan of this thread says.
pub fn file() -> io::Result<()> {
    match plan::next() {
        None => Ok(()),
        Some(Kind::Full) => Err(io::Error::from(io::ErrorKind::StorageFull)),
        Some(Kind::Broken) => Err(io::Error::other("planned by a test")),
        Some(Kind::Busy) => Err(io::Error::from(io::ErrorKind::ResourceBusy)),
    }
}

#[cfg(not(feature = "faults"))]
mod plan {
    pub(super) fn next() -> Option<super::Kind> {
        None
    }
}

#[cfg(feature = "faults")]
pub use plan::{count, with_failure};

#[cfg(feature = "faults")]
mod plan {
    use std::cell::Cell;

    use super::Kind;

    thread_local! {
        /// Steps that this thread has taken.
        static TAKEN: Cell<u64> = const { Cell::new(0) };
        /// The step that fails, and how.
        static PLANNED: Cell<Option<(u64, Kind)>> = const { Cell::new(None) };
    }

    pub(super) fn next() -> Option<Kind> {
        let step = TAKEN.get();
        TAKEN.set(step + 1);
        match PLANNED.get() {
            Some((at, kind)) if at == step => {
                PLANNED.set(None);
                Some(kind)
            }
            Some(_) | None => None,
        }
    }

    /// How many steps of this thread `work` takes.
    pub fn count(work: impl FnOnce()) -> u64 {
        let before = TAKEN.get();
        work();
        TAKEN.get() - before
    }

    /// Runs `work` on this thread while its `step`-th step (from 0) fails once.
    pub fn with_failure<T>(step: u64, kind: Kind, work: impl FnOnce() -> T) -> T {
        PLANNED.set(Some((TAKEN.get() + step, kind)));
        let value = work();
        PLANNED.set(None);
        value
    }
}
