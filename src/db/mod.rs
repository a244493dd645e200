//! The database file, shared by all threads: opening it, and what is known of it. It is used in two ways
//! only: [`Db::write`] is one short `BEGIN IMMEDIATE` transaction on the one writer connection, [`Db::read`]
//! one short read transaction on a connection of the pool, and [`Db::read_one`] one statement. No file,
//! socket, hash or parser belongs inside any of them.

mod connection;
pub mod copy;
pub mod emptied;
mod held;
pub mod lock;
pub mod migrate;
pub mod pace;
pub mod patience;
mod readers;
mod steps;
mod unusable;
mod wal;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::room::Room;
use crate::words::Code;
use readers::Readers;
pub use unusable::unusable;
use wal::Wal;
pub use writer::Tx;
use writer::Writer;

/// Pages that the writer keeps in memory, in KiB (SQLite wants it negative). Twice as many save neither time nor
/// writes where small jobs come to a list of a hundred thousand records.
const WRITER_CACHE_KIB: i64 = -4_096;

/// The database.
pub struct Db {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    room: Room,
    writer: Writer,
    readers: Readers,
    wal: Wal,
}

impl Db {
    /// Opens the file, or makes it with the current schema (readable by its owner alone). One of an
    /// older schema is brought to this one, where no server works on it.
    ///
    /// # Errors
    /// A `Problem` that names what is wrong with the file; `Database` for the rest.
    pub fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Db> {
        Db::open_file(path, clock).map_err(|error| unusable(path, error))
    }

    fn open_file(path: &Path, clock: Arc<dyn Clock>) -> Result<Db> {
        connection::make_private(path)?;
        let mut connection = connection::connect(path)?;
        migrate::refuse_unknown(migrate::kind(&connection)?)?;
        connection.pragma_update(None, "cache_size", WRITER_CACHE_KIB)?;
        let mode: String =
            connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            return Err(Error::problem(
                Code::Internal,
                "The database can't use write-ahead logging where it lies. Put it on a local disk, not on a network share.",
            ));
        }
        migrate::bring_up(&mut connection, path, None)?;
        wal::keep_for_the_mover(&connection)?;
        // The waiting is ours: nobody else need stand behind it.
        connection.busy_timeout(Duration::ZERO)?;
        Ok(Db {
            path: path.to_owned(),
            clock,
            room: Room::default(),
            writer: Writer::new(connection),
            readers: Readers::default(),
            wal: Wal::default(),
        })
    }

    /// Brings a file of an older schema to this one, for the server, which holds the lock.
    ///
    /// # Errors
    /// As [`Db::open`].
    pub fn prepare(path: &Path, held: &lock::Lock) -> Result<()> {
        if !path.exists() {
            return Ok(());
        }
        Db::bring_up(path, held).map_err(|error| unusable(path, error))
    }

    fn bring_up(path: &Path, held: &lock::Lock) -> Result<()> {
        let mut connection = connection::connect(path)?;
        let kind = migrate::kind(&connection)?;
        migrate::refuse_unknown(kind)?;
        match kind {
            migrate::Kind::Ours(_) => migrate::bring_up(&mut connection, path, Some(held)),
            migrate::Kind::Empty | migrate::Kind::Foreign => Ok(()),
        }
    }

    /// Where the file lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The clock that transactions take their time from.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// What is known about the room on the disk that the file lies on.
    pub fn room(&self) -> &Room {
        &self.room
    }

    /// Something failed for want of room on that disk. What was held back is for small writes now: the
    /// log is moved home before it is let go of, as far as the file need not grow for that, and then not
    /// any more until there is room again.
    pub fn ran_out_of_room(&self) {
        if !self.room.is_full()
            && let Err(error) = self.checkpoint()
        {
            log::debug!("no room to move the log home: {error}");
        }
        self.room.ran_out(self.clock.monotonic());
    }

    /// Whether a job may be begun, as far as room on the disk goes.
    pub fn has_room_for_job(&self) -> bool {
        self.room.may_try_job(self.folder(), self.clock.monotonic())
    }

    /// Holds some room back for the small writes of a full disk.
    pub fn hold_reserve(&self) {
        self.room.hold_reserve(self.folder());
    }

    /// Bytes that are free where the file lies; `None` where the system does not say.
    pub fn free_bytes(&self) -> Option<u64> {
        fs4::available_space(self.folder()).ok()
    }

    fn folder(&self) -> &Path {
        folder_of(&self.path)
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        Some(_) | None => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::clock::SystemClock;

    pub(super) fn open(path: &Path) -> Result<Db> {
        Db::open(path, Arc::new(SystemClock::new()))
    }

    #[test]
    fn a_new_file_gets_the_schema_and_an_old_one_keeps_its_data() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let insert = "INSERT INTO users (username, username_key, role, password_hash, created_at)
                      VALUES ('a', 'a', 'admin', 'x', '2026-01-01T00:00:00.000Z')";
        open(&path)
            .unwrap()
            .write(|tx| Ok(tx.execute(insert, [])?))
            .unwrap();
        let count: i64 = open(&path)
            .unwrap()
            .read(|c| Ok(c.query_row("SELECT count(*) FROM users", [], |r| r.get(0))?))
            .unwrap();
        assert_eq!(count, 1);
    }

    #[test]
    fn no_statistics_of_young_tables_are_kept_for_old_ones() {
        let folder = tempfile::tempdir().unwrap();
        let db = open(&folder.path().join("a.db")).unwrap();
        db.tidy().unwrap();
        let kept: i64 = db
            .read(|c| {
                let sql = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'sqlite_stat%'";
                Ok(c.query_row(sql, [], |r| r.get(0))?)
            })
            .unwrap();
        assert_eq!(kept, 0);
    }

    #[test]
    fn somebody_elses_sqlite_file_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other.db");
        Connection::open(&path)
            .unwrap()
            .execute_batch("CREATE TABLE theirs (x)")
            .unwrap();
        let error = open(&path).err().unwrap();
        assert!(error.to_string().contains("not made by Sheetline"));
    }
}
