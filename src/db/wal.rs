//! The write-ahead log: when it is moved home into the file, and when it is left alone.

use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::Db;
use super::connection::BUSY_WAIT;
use super::patience;
use crate::error::Result;

/// Pages of the log from which on SQLite moves it home after a commit; its own default.
const CHECKPOINT_PAGES: u32 = 1_000;

/// What holds for the log.
#[derive(Default)]
pub(super) struct Wal {
    /// The writer moves no log home, for the disk is full.
    sparing: AtomicBool,
    /// Another program replicates the file and moves its log home.
    replicated: AtomicBool,
}

impl Db {
    /// While the disk is full, what is left of it is for the log.
    pub(super) fn spare_room(&self, writer: &Connection) -> Result<()> {
        let full = self.room.is_full();
        if self.wal.sparing.swap(full, Ordering::Relaxed) != full && !self.is_replicated() {
            let pages = if full { 0 } else { CHECKPOINT_PAGES };
            writer.pragma_update(None, "wal_autocheckpoint", pages)?;
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
        let connection = self.writer.connection.lock();
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
        Ok(())
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

pub(super) fn leave_log(connection: &Connection) -> Result<()> {
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::tests::open;

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
