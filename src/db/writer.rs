//! Writing: one short transaction at a time on the one writer connection, how long it is waited for, and
//! when it must be on the disk.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use rusqlite::Connection;

use super::held::Held;
use super::pace::Pace;
use super::{Db, migrate, patience};
use crate::clock::{Clock, Timestamp};
use crate::error::{Error, Problem, Result};
use crate::faults;
use crate::words::Code;

/// How long the probe waits, for monitoring that asks.
const PROBE_WAIT: Duration = Duration::from_millis(1_000);

/// In a line of writers that moves one waits so many times longer than where nobody gets through.
const LINE_TIMES: u32 = 4;

/// The writer connection, and what is known of it.
pub(super) struct Writer {
    /// Fair: a job that writes batch after batch would keep everybody else waiting at a lock of the
    /// standard library. Nobody keeps it while another program holds the database.
    pub(super) connection: Mutex<Connection>,
    /// Writes that got through.
    written: AtomicU64,
    held: Held,
    /// The disk took nothing when it was last tried.
    unwritable: AtomicBool,
    /// Its commits don't wait for the disk now.
    lazy: AtomicBool,
    /// Nor will they ever, for a bench.
    always_lazy: AtomicBool,
}

impl Writer {
    pub(super) fn new(connection: Connection) -> Writer {
        Writer {
            connection: Mutex::new(connection),
            written: AtomicU64::new(0),
            held: Held::default(),
            unwritable: AtomicBool::new(false),
            lazy: AtomicBool::new(false),
            always_lazy: AtomicBool::new(false),
        }
    }
}

/// When a commit must be on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Durable {
    /// When it returns.
    Now,
    /// When the next one that is durable now returns; a power cut before that takes both or this one alone.
    Later,
}

/// A write transaction. It is committed when the closure returns `Ok`, and else, or where that panics, taken back.
pub struct Tx<'c> {
    connection: &'c Connection,
    /// The one time of this transaction.
    pub now: Timestamp,
}

impl Deref for Tx<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

/// Not rusqlite's transaction: that has its statements prepared anew each time.
impl<'c> Tx<'c> {
    fn begin(connection: &'c Connection, clock: &dyn Clock) -> rusqlite::Result<Tx<'c>> {
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let now = clock.now();
        Ok(Tx { connection, now })
    }

    fn commit(self) -> rusqlite::Result<()> {
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }
}

impl Drop for Tx<'_> {
    fn drop(&mut self) {
        // SQLite may have taken it back already.
        if !self.connection.is_autocommit()
            && let Err(error) = self.connection.execute_batch("ROLLBACK")
        {
            log::error!("a write that failed is not taken back: {error}");
        }
    }
}

impl Db {
    /// Runs `work` in one write transaction: all of it is on the disk when this returns `Ok`,
    /// nothing of it otherwise.
    ///
    /// # Errors
    /// Whatever `work` returned, or what SQLite said to the transaction itself.
    pub fn write<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
        self.write_timed(Durable::Now, work).map(|(value, _)| value)
    }

    /// As [`Db::write`], for what nobody was promised yet: it need not be on the disk before the next
    /// [`Db::write`] is. A power cut leaves the database as it was after one of the writes before.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub fn write_ahead<T>(&self, work: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
        self.write_timed(Durable::Later, work)
            .map(|(value, _)| value)
    }

    /// As [`Db::write_ahead`], for one of many steps; `work` is told for how many rows.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub fn step<T>(
        &self,
        pace: &mut Pace,
        work: impl FnOnce(&Tx<'_>, u32) -> Result<T>,
    ) -> Result<T> {
        let rows = pace.rows();
        let (value, took) = self.write_timed(Durable::Later, |tx| work(tx, rows))?;
        pace.took(took);
        Ok(value)
    }

    /// Also tells how long the writer was held.
    fn write_timed<T>(
        &self,
        durable: Durable,
        work: impl FnOnce(&Tx<'_>) -> Result<T>,
    ) -> Result<(T, Duration)> {
        let result = self.transact(durable, work);
        // A small write that finds room soon after says nothing about the next large one.
        if let Err(error) = &result
            && error.is_disk_full()
        {
            self.ran_out_of_room();
        }
        if result.as_ref().is_err_and(Error::is_unwritable) {
            self.found_unwritable();
        }
        result
    }

    fn transact<T>(
        &self,
        durable: Durable,
        work: impl FnOnce(&Tx<'_>) -> Result<T>,
    ) -> Result<(T, Duration)> {
        faults::database()?;
        let mut tries = patience::Tries::new();
        loop {
            let refused = 'refused: {
                let connection = self.writer_in_turn()?;
                self.spare_room(&connection)?;
                self.sync(&connection, durable)?;
                let began = Instant::now();
                let tx = match Tx::begin(&connection, self.clock()) {
                    Ok(tx) => tx,
                    Err(error) => break 'refused Error::from(error),
                };
                self.writer.held.free(self.clock.monotonic());
                let value = run(tx, work)?;
                let took = began.elapsed();
                self.writer.written.fetch_add(1, Ordering::Relaxed);
                if durable == Durable::Later {
                    self.measure_log(&connection);
                }
                return Ok((value, took));
            };
            if !refused.is_held() {
                return Err(refused);
            }
            self.writer.held.found(self.clock.monotonic());
            if !tries.again() {
                return Err(refused);
            }
        }
    }

    /// What is written ahead is not synced at each commit, only before the log is moved home and with the
    /// next write that is: the log is one file, and whole up to any of its commits.
    fn sync(&self, writer: &Connection, durable: Durable) -> Result<()> {
        let lazy = durable == Durable::Later || self.writer.always_lazy.load(Ordering::Relaxed);
        if self.writer.lazy.load(Ordering::Relaxed) != lazy {
            let level = if lazy { "NORMAL" } else { "FULL" };
            writer.pragma_update(None, "synchronous", level)?;
            self.writer.lazy.store(lazy, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The writer's turn. A panic in a closure has rolled its transaction back, so the connection is good.
    fn writer_in_turn(&self) -> Result<MutexGuard<'_, Connection>> {
        if !patience::hurries() {
            return Ok(self.writer.connection.lock());
        }
        let mut wait = patience::left();
        for _ in 0..2 {
            let before = self.writer.written.load(Ordering::Relaxed);
            if let Some(connection) = self.writer.connection.try_lock_for(wait) {
                return Ok(connection);
            }
            if self.writer.written.load(Ordering::Relaxed) == before {
                break;
            }
            wait *= LINE_TIMES;
        }
        patience::spent();
        Err(Problem::new(
            Code::Busy,
            "The database is busy. Try again in a few seconds.",
        )
        .with("retry_after", 2)
        .into())
    }

    /// How long other programs have held the database in all, so that nobody could write.
    pub fn held_by_others(&self) -> Duration {
        self.writer.held.until(self.clock.monotonic())
    }

    /// Something failed because the disk takes nothing: until a write succeeds, [`Db::probe`] tries one.
    pub fn found_unwritable(&self) {
        self.writer.unwritable.store(true, Ordering::Relaxed);
    }

    /// Whether the database can be written now. Costs no disk write, except where the last one failed:
    /// then it is tried.
    ///
    /// # Errors
    /// What SQLite said to the attempt.
    pub fn probe(&self) -> Result<()> {
        let doubt = self.room.is_full() || self.writer.unwritable.load(Ordering::Relaxed);
        self.room.look(self.folder(), self.clock.monotonic())?;
        let _hurry = patience::hurry(PROBE_WAIT);
        self.write(|tx| {
            if doubt {
                tx.pragma_update(None, "application_id", migrate::APPLICATION_ID)?;
            }
            Ok(())
        })?;
        self.writer.unwritable.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// From now on a commit is not on the disk when it returns: for a bench beside queues that promise no
    /// more than that.
    #[cfg(feature = "faults")]
    pub fn promise_less(&self) {
        self.writer.always_lazy.store(true, Ordering::Relaxed);
    }

    /// Every row that is written from now on is a step that a test can make fail.
    ///
    /// # Errors
    /// What SQLite said.
    #[cfg(feature = "faults")]
    pub fn watch_writes(&self) -> Result<()> {
        Ok(faults::watch(&self.writer.connection.lock())?)
    }
}

fn run<T>(tx: Tx<'_>, work: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
    let value = work(&tx)?;
    faults::database()?;
    tx.commit()?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::tests::open;

    #[test]
    fn a_failed_write_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let db = open(&folder.path().join("a.db")).unwrap();
        let result: Result<()> = db.write(|tx| {
            tx.execute(
                "INSERT INTO templates (name, version, created_at) VALUES ('x', 1, '')",
                [],
            )?;
            Err(Error::Stopped)
        });
        assert!(matches!(result, Err(Error::Stopped)));
        assert_eq!(templates(&db), 0);
    }

    fn templates(db: &Db) -> i64 {
        // Writing: the connection that failed sees what it did not take back, and begins nothing beside it.
        db.write(|tx| Ok(tx.query_row("SELECT count(*) FROM templates", [], |r| r.get(0))?))
            .unwrap()
    }

    #[test]
    fn nothing_is_left_of_a_write_that_panics_or_is_refused_at_its_end() {
        const INSERT: &str =
            "INSERT INTO templates (name, version, created_at) VALUES ('x', 1, '')";
        let folder = tempfile::tempdir().unwrap();
        let db = open(&folder.path().join("a.db")).unwrap();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            db.write(|tx| -> Result<()> {
                tx.execute(INSERT, [])?;
                panic!("as planned");
            })
        }));
        assert!(panicked.is_err());
        assert_eq!(templates(&db), 0);
        let refused = db.write(|tx| {
            tx.execute_batch("PRAGMA defer_foreign_keys = ON")?;
            tx.execute(INSERT, [])?;
            // Of a user who does not exist.
            tx.execute(
                "INSERT INTO idempotency (user_id, key, fingerprint, status, body, created_at)
                 VALUES (7, '', '', 200, '', '')",
                [],
            )?;
            Ok(())
        });
        assert!(matches!(refused, Err(Error::Database(_))), "{refused:?}");
        assert_eq!(templates(&db), 0);
    }
}
