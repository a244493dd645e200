//! The write-ahead log: when it is moved home into the file, and when it is left alone.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::Db;
use super::connection::BUSY_WAIT;
use super::patience;
use crate::error::Result;

/// Pages of the log, written since it was moved home, from which on it is moved beside the writes.
const MOVE_PAGES: i64 = 1_000;

/// Pages of the log from which on SQLite moves home after a commit what is left, so that it begins anew:
/// beside a job that writes without a pause, the other thread never comes to its end.
const CHECKPOINT_PAGES: u32 = 4_000;

/// What holds for the log.
#[derive(Default)]
pub(super) struct Wal {
    due: Mutex<Due>,
    changed: Condvar,
    /// The writer moves no log home, for the disk is full.
    sparing: AtomicBool,
    /// Another program replicates the file and moves its log home.
    replicated: AtomicBool,
}

/// What the thread that moves the log waits for.
#[derive(Default)]
struct Due {
    is: bool,
    closed: bool,
}

impl Db {
    /// Moves the log home each time that it has grown, until [`Db::leave_log_where_it_is`]: a commit that
    /// did it would wait for the disk twice, with the writer held.
    pub fn move_log(&self) {
        while self.log_is_due() {
            if let Err(error) = self.move_log_beside_writes() {
                log::debug!("the log is not moved home now: {error}");
            }
        }
    }

    /// Ends [`Db::move_log`].
    pub fn leave_log_where_it_is(&self) {
        self.wal.due.lock().closed = true;
        self.wal.changed.notify_all();
    }

    /// Waits until the log is to be moved. False: not any more.
    fn log_is_due(&self) -> bool {
        let mut due = self.wal.due.lock();
        while !due.is && !due.closed {
            self.wal.changed.wait(&mut due);
        }
        due.is = false;
        !due.closed
    }

    /// Looks how far the log has grown, after a commit. Where that fails, the next one looks.
    pub(super) fn measure_log(&self, writer: &Connection) {
        if not_home(writer).is_ok_and(|pages| pages >= MOVE_PAGES) {
            self.wal.due.lock().is = true;
            self.wal.changed.notify_one();
        }
    }

    fn move_log_beside_writes(&self) -> Result<()> {
        if self.is_replicated() || self.room.is_full() {
            return Ok(());
        }
        self.read_one(passive)
    }

    /// While the disk is full, what is left of it is for the log.
    pub(super) fn spare_room(&self, writer: &Connection) -> Result<()> {
        let full = self.room.is_full();
        if self.wal.sparing.swap(full, Ordering::Relaxed) != full && !self.is_replicated() {
            move_after(writer, if full { 0 } else { CHECKPOINT_PAGES })?;
        }
        Ok(())
    }

    pub(super) fn is_replicated(&self) -> bool {
        self.wal.replicated.load(Ordering::Relaxed)
    }

    /// Leaves the write-ahead log to the program that replicates it (Litestream): one that is moved
    /// home and begun anew unseen is a gap in the replica.
    ///
    /// # Errors
    /// What SQLite said.
    pub fn leave_log_alone(&self) -> Result<()> {
        self.wal.replicated.store(true, Ordering::Relaxed);
        leave_log(&self.writer.connection.lock())
    }

    /// Moves the write-ahead log into the file as far as that goes without waiting for anybody.
    ///
    /// # Errors
    /// What SQLite said.
    pub fn checkpoint(&self) -> Result<()> {
        if self.is_replicated() {
            return Ok(());
        }
        passive(&self.writer.connection.lock())
    }

    /// Empties the log; for the end.
    ///
    /// No `PRAGMA optimize`: its statistics of a young office's tables made SQLite read a whole table
    /// for each row of the first large file.
    ///
    /// # Errors
    /// What SQLite said.
    pub fn tidy(&self) -> Result<()> {
        if self.is_replicated() {
            return Ok(());
        }
        let connection = self.writer.connection.lock();
        connection.busy_timeout(patience::left().min(BUSY_WAIT))?;
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }
}

/// Pages of the log that have not been moved home.
fn not_home(connection: &Connection) -> rusqlite::Result<i64> {
    connection
        .prepare_cached("PRAGMA wal_checkpoint(NOOP)")?
        .query_row([], |row| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?))
}

fn passive(connection: &Connection) -> Result<()> {
    Ok(connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?)
}

/// The writer leaves the log to the thread that moves it, up to a length.
pub(super) fn keep_for_the_mover(writer: &Connection) -> Result<()> {
    move_after(writer, CHECKPOINT_PAGES)
}

/// From how many pages on a commit moves the log home; 0: none does.
fn move_after(connection: &Connection, pages: u32) -> Result<()> {
    Ok(connection.pragma_update(None, "wal_autocheckpoint", pages)?)
}

pub(super) fn leave_log(connection: &Connection) -> Result<()> {
    move_after(connection, 0)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::tests::open;

    #[test]
    fn a_log_that_has_grown_is_moved_home_beside_the_writes() {
        let folder = tempfile::tempdir().unwrap();
        let db = open(&folder.path().join("a.db")).unwrap();
        let left = || db.read_one(|c| Ok(not_home(c)?)).unwrap();
        std::thread::scope(|scope| {
            let mover = scope.spawn(|| db.move_log());
            db.write_ahead(|tx| {
                tx.execute(
                    "INSERT INTO templates (name, version, schema, created_at)
                     VALUES ('x', 1, '\"' || hex(zeroblob(?1)) || '\"', '')",
                    [MOVE_PAGES * 2_048],
                )?;
                Ok(())
            })
            .unwrap();
            let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
            while left() > 0 && std::time::Instant::now() < until {
                std::thread::yield_now();
            }
            db.leave_log_where_it_is();
            mover.join().unwrap();
        });
        assert_eq!(left(), 0);
    }

    #[test]
    fn the_log_stays_where_it_is_while_the_disk_is_full() {
        let folder = tempfile::tempdir().unwrap();
        let db = open(&folder.path().join("a.db")).unwrap();
        let pages = || {
            db.write(|tx| {
                Ok(tx.pragma_query_value(None, "wal_autocheckpoint", |row| row.get::<_, u32>(0))?)
            })
            .unwrap()
        };
        assert_eq!(pages(), CHECKPOINT_PAGES);
        db.ran_out_of_room();
        assert_eq!(pages(), 0);
        db.room().is_back();
        assert_eq!(pages(), CHECKPOINT_PAGES);
    }
}
