//! Reading: a small pool of connections, of which each reader has one for as long as its work takes.

use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;

use super::connection::connect;
use super::{Db, patience, wal};
use crate::error::{Error, Result};

/// Readers kept open for the next request.
const READERS_KEPT: usize = 16;

/// Readers at work at once: more of them would only wait for the processor, with files and a cache
/// each.
const READERS_MAX: usize = 32;

/// How long one waits for its turn. Then it goes ahead, so that a read inside of another one never
/// waits for itself.
const READER_WAIT: Duration = Duration::from_millis(1_000);

/// Not the standard library's lock: its condition variable asks the system to wake somebody at the end of
/// every read, whether anybody waits or not.
#[derive(Default)]
pub(super) struct Readers {
    pool: Mutex<Pool>,
    done: Condvar,
}

#[derive(Default)]
struct Pool {
    idle: Vec<Connection>,
    at_work: usize,
}

/// A reader's turn, over when this is dropped.
struct Turn<'a>(&'a Db);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.readers.pool.lock().at_work -= 1;
        self.0.readers.done.notify_one();
    }
}

impl Db {
    /// Runs `work` on one consistent view of the database. It should be short: while it runs, the
    /// write-ahead log can't be reset.
    ///
    /// # Errors
    /// Whatever `work` returned, or what SQLite said.
    pub fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        self.read_one(|connection| {
            // Prepared once, and again and again. Where the work panics, the connection goes and its
            // transaction with it.
            connection.prepare_cached("BEGIN")?.execute([])?;
            let result = work(connection);
            // Where it fails the connection is not used again.
            let _ended = connection
                .prepare_cached("ROLLBACK")
                .and_then(|mut end| end.execute([]));
            result
        })
    }

    /// As [`Db::read`], for work that is one statement: that sees one state by itself, and costs half.
    ///
    /// # Errors
    /// As [`Db::read`].
    pub fn read_one<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let (_turn, pooled) = self.reader_turn();
        let connection = match pooled {
            Some(connection) => connection,
            None => {
                let connection = connect(&self.path)?;
                if self.is_replicated() {
                    wal::leave_log(&connection)?;
                }
                connection
            }
        };
        connection.busy_timeout(patience::left())?;
        let result = work(&connection);
        if result.as_ref().is_err_and(Error::is_held) {
            patience::spent();
        }
        if connection.is_autocommit() {
            let mut readers = self.readers.pool.lock();
            if readers.idle.len() < READERS_KEPT {
                readers.idle.push(connection);
            }
        }
        result
    }

    fn reader_turn(&self) -> (Turn<'_>, Option<Connection>) {
        let mut readers = self.readers.pool.lock();
        self.readers.done.wait_while_for(
            &mut readers,
            |readers| readers.at_work >= READERS_MAX,
            READER_WAIT,
        );
        readers.at_work += 1;
        (Turn(self), readers.idle.pop())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::db::tests::open;

    #[test]
    fn a_connection_that_was_left_in_a_transaction_is_not_used_again() {
        let folder = tempfile::tempdir().unwrap();
        let db = open(&folder.path().join("a.db")).unwrap();
        db.read_one(|c| Ok(c.execute_batch("BEGIN")?)).unwrap();
        assert!(db.read_one(|c| Ok(c.is_autocommit())).unwrap());
        assert!(!db.read(|c| Ok(c.is_autocommit())).unwrap());
        assert!(db.read_one(|c| Ok(c.is_autocommit())).unwrap());
        assert_eq!(db.readers.pool.lock().idle.len(), 1);
    }

    #[test]
    fn not_more_than_so_many_read_at_once_and_all_get_their_turn() {
        let folder = tempfile::tempdir().unwrap();
        let db = open(&folder.path().join("a.db")).unwrap();
        let inside = std::sync::atomic::AtomicUsize::new(0);
        let most = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..READERS_MAX * 3 {
                scope.spawn(|| {
                    db.read(|c| {
                        let now = inside.fetch_add(1, Ordering::SeqCst) + 1;
                        most.fetch_max(now, Ordering::SeqCst);
                        // Long enough to meet the others, short of the wait.
                        std::thread::sleep(Duration::from_millis(20));
                        inside.fetch_sub(1, Ordering::SeqCst);
                        Ok(c.query_row("SELECT 1", [], |row| row.get::<_, i64>(0))?)
                    })
                    .unwrap();
                });
            }
        });
        let most = most.into_inner();
        assert!(most > 1 && most <= READERS_MAX, "{most}");
        assert_eq!(db.readers.pool.lock().at_work, 0);
    }
}
