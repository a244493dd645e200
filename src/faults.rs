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
    /// It was mounted anew, for reading only.
    ReadOnly,
}

/// A step of the database: begin or commit of a transaction.
///
/// # Errors
/// What the plan of this thread says.
pub fn database() -> rusqlite::Result<()> {
    plan::next().map_or(Ok(()), |kind| Err(refusal(kind)))
}

fn refusal(kind: Kind) -> rusqlite::Error {
    let code = match kind {
        Kind::Full => rusqlite::ffi::SQLITE_FULL,
        Kind::Broken => rusqlite::ffi::SQLITE_IOERR,
        Kind::Busy => rusqlite::ffi::SQLITE_BUSY,
        Kind::ReadOnly => rusqlite::ffi::SQLITE_READONLY,
    };
    // Without a message: with one, SQLite would forget the code of a function that fails.
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None)
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
        Some(Kind::ReadOnly) => Err(io::Error::from(io::ErrorKind::ReadOnlyFilesystem)),
    }
}

#[cfg(not(feature = "faults"))]
mod plan {
    pub(super) fn next() -> Option<super::Kind> {
        None
    }
}

#[cfg(feature = "faults")]
pub use plan::{count, watch, with_failing_write, with_failure, with_panic, writes};

#[cfg(feature = "faults")]
mod plan {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeMap;

    use rusqlite::Connection;
    use rusqlite::functions::FunctionFlags;

    use super::Kind;

    thread_local! {
        /// Steps that this thread has taken.
        static TAKEN: Cell<u64> = const { Cell::new(0) };
        /// The step that fails, and how.
        static PLANNED: Cell<Option<(u64, Kind)>> = const { Cell::new(None) };
        /// The step that panics.
        static PANICS: Cell<Option<u64>> = const { Cell::new(None) };
        /// Rows that this thread has written, by table and operation, where that is watched.
        static WRITTEN: RefCell<BTreeMap<String, u64>> = const { RefCell::new(BTreeMap::new()) };
        /// The write that fails: which, when it comes for the how-manieth time, and how.
        static PLANNED_WRITE: RefCell<Option<(String, u64, Kind)>> = const { RefCell::new(None) };
    }

    /// From now on every row that `connection` writes is a step, and can be made to fail.
    ///
    /// # Errors
    /// What SQLite said.
    pub fn watch(connection: &Connection) -> rusqlite::Result<()> {
        connection.create_scalar_function(
            "planned_by_a_test",
            1,
            FunctionFlags::SQLITE_UTF8,
            |context| written(&context.get::<String>(0)?),
        )?;
        let tables: Vec<String> = connection
            .prepare("SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")?
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for table in tables {
            for operation in ["INSERT", "UPDATE", "DELETE"] {
                connection.execute_batch(&format!(
                    "CREATE TEMP TRIGGER watch_{table}_{operation} BEFORE {operation} ON main.{table}
                     BEGIN SELECT planned_by_a_test('{operation} {table}'); END;"
                ))?;
            }
        }
        Ok(())
    }

    fn written(what: &str) -> rusqlite::Result<bool> {
        let times = WRITTEN.with_borrow_mut(|written| {
            let times = written.entry(what.to_owned()).or_insert(0);
            *times += 1;
            *times - 1
        });
        let fails = PLANNED_WRITE.with_borrow_mut(|planned| {
            planned.take_if(|(name, at, _)| name == what && *at == times)
        });
        fails.map_or(Ok(true), |(_, _, kind)| Err(super::refusal(kind)))
    }

    /// What `work` writes on this thread, and how many rows of each.
    pub fn writes(work: impl FnOnce()) -> BTreeMap<String, u64> {
        WRITTEN.take();
        work();
        WRITTEN.take()
    }

    /// Runs `work` on this thread while the write `what` fails when it comes for the `at`-th time
    /// (from 0).
    pub fn with_failing_write<T>(what: &str, at: u64, kind: Kind, work: impl FnOnce() -> T) -> T {
        WRITTEN.take();
        PLANNED_WRITE.set(Some((what.to_owned(), at, kind)));
        let value = work();
        PLANNED_WRITE.take();
        value
    }

    pub(super) fn next() -> Option<Kind> {
        let step = TAKEN.get();
        TAKEN.set(step + 1);
        if PANICS.get() == Some(step) {
            PANICS.set(None);
            panic!("planned by a test");
        }
        match PLANNED.get() {
            Some((at, kind)) if at == step => {
                PLANNED.set(None);
                Some(kind)
            }
            Some(_) | None => None,
        }
    }

    /// Runs `work` on this thread while its `step`-th step (from 0) panics once.
    pub fn with_panic<T>(step: u64, work: impl FnOnce() -> T) -> T {
        PANICS.set(Some(TAKEN.get() + step));
        let value = work();
        PANICS.set(None);
        value
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
