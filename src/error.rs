//! What can go wrong, sorted by who can act on it.

use std::fmt;
use std::io;

use serde_json::{Map, Value};

use crate::words::Code;

/// The crate's result.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that can go wrong.
#[derive(Debug)]
pub enum Error {
    /// Somebody outside can act: a client, the owner of a file, the office's IT person.
    Problem(Box<Problem>),
    /// SQLite said no.
    Database(rusqlite::Error),
    /// The operating system said no.
    Io(io::Error),
    /// Our own mistake; the text is for the log only.
    Internal(String),
    /// The work was asked to stop (cancel, timeout, shutdown) or lost its claim on the job.
    Stopped,
}

/// A problem for a person: a code, a sentence, and members that help.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    pub code: Code,
    /// A sentence that says what happened, where, and what to do. Never a path, SQL or a stack.
    pub detail: String,
    /// Further members of the `problem+json` (`job`, `limit`, `retry_after`, `errors`).
    pub members: Map<String, Value>,
}

impl Problem {
    pub fn new(code: Code, detail: impl Into<String>) -> Problem {
        Problem {
            code,
            detail: detail.into(),
            members: Map::new(),
        }
    }

    /// Adds a member.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Problem {
        self.members.insert(name.to_owned(), value.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)
    }
}

impl std::error::Error for Problem {}

impl From<Problem> for io::Error {
    /// So that a problem passes through a `Read` or `Write` and arrives as what it was.
    fn from(problem: Problem) -> io::Error {
        io::Error::other(problem)
    }
}

impl Error {
    /// A problem for a person, as an error.
    pub fn problem(code: Code, detail: impl Into<String>) -> Error {
        Problem::new(code, detail).into()
    }

    /// The usual sentence for what doesn't exist or belongs to somebody else.
    pub fn not_found() -> Error {
        Error::problem(Code::NotFound, "There is nothing here under this address.")
    }

    /// Whether the disk (or a quota, or the database's own limit) is full.
    pub fn is_disk_full(&self) -> bool {
        match self {
            Error::Database(error) => {
                error.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull)
            }
            Error::Io(error) => matches!(
                error.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            ),
            Error::Problem(problem) => problem.code == Code::DiskFull,
            Error::Internal(_) | Error::Stopped => false,
        }
    }

    /// Whether another program holds the database or the disk takes nothing, so that trying again later
    /// may work.
    pub fn is_busy(&self) -> bool {
        match self {
            Error::Problem(problem) => problem.code == Code::Busy,
            Error::Database(_) | Error::Io(_) | Error::Internal(_) | Error::Stopped => {
                self.is_held() || self.is_unwritable()
            }
        }
    }

    /// Whether another program holds the database.
    pub fn is_held(&self) -> bool {
        match self {
            Error::Database(error) => matches!(
                error.sqlite_error_code(),
                Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked)
            ),
            Error::Problem(_) | Error::Io(_) | Error::Internal(_) | Error::Stopped => false,
        }
    }

    /// Whether the disk takes nothing: it was mounted for reading only, or fails.
    pub fn is_unwritable(&self) -> bool {
        match self {
            Error::Database(error) => matches!(
                error.sqlite_error_code(),
                Some(
                    rusqlite::ErrorCode::ReadOnly
                        | rusqlite::ErrorCode::CannotOpen
                        | rusqlite::ErrorCode::SystemIoFailure
                )
            ),
            Error::Io(error) => error.kind() == io::ErrorKind::ReadOnlyFilesystem,
            Error::Problem(_) | Error::Internal(_) | Error::Stopped => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Problem(problem) => problem.fmt(f),
            Error::Database(error) => write!(f, "database: {error}"),
            Error::Io(error) => write!(f, "system: {error}"),
            Error::Internal(text) => f.write_str(text),
            Error::Stopped => f.write_str("stopped"),
        }
    }
}

impl std::error::Error for Error {}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Error {
        Error::Problem(Box::new(problem))
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Error {
        Error::Database(error)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        match error.downcast::<Problem>() {
            Ok(problem) => problem.into(),
            Err(error) => Error::Io(error),
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Error {
        Error::Internal(format!("json: {error}"))
    }
}
