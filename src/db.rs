//! The database file: opening, migrating, and the only two ways to use it. `write` is one short
//! `BEGIN IMMEDIATE` transaction on the one writer connection; `read` is one short read
//! transaction on a pooled connection, and `read_one` one statement. No file, socket, hash or parser
//! belongs inside either.

pub mod copy;
pub mod emptied;
mod held;
pub mod lock;
pub mod migrate;
pub mod pace;
pub mod patience;

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::clock::{Clock, Timestamp};
use crate::error::{Error, Problem, Result};
use crate::faults;
use crate::room::Room;
use crate::words::Code;
use held::Held;
use pace::Pace;

/// How long a statement waits for another program's lock before it gives up; the begin of a write apart,
/// for which [`patience`] holds.
const BUSY_WAIT: Duration = Duration::from_millis(2_000);

/// Pages of the log from which on SQLite moves it home after a commit; its own default.
const CHECKPOINT_PAGES: u32 = 1_000;

/// The index of the write-ahead log, without which not even reading is possible.
const INDEX_BYTES: u64 = 32 << 10;

/// How long the probe waits, for monitoring that asks.
const PROBE_WAIT: Duration = Duration::from_millis(1_000);

/// In a line of writers that moves one waits so many times longer than where nobody gets through.
const LINE_TIMES: u32 = 4;

/// Pages that the writer keeps in memory, in KiB (SQLite wants it negative): a small job's keys, which come
/// in no order, find the pages of a list of a hundred thousand records there.
const WRITER_CACHE_KIB: i64 = -8_192;

/// Readers kept open for the next request.
const READERS_KEPT: usize = 16;

/// Readers at work at once: more of them would only wait for the processor, with files and a cache
/// each.
const READERS_MAX: usize = 32;

/// How long one waits for its turn. Then it goes ahead, so that a read inside of another one never
/// waits for itself.
const READER_WAIT: Duration = Duration::from_millis(1_000);

/// The database, shared by all threads.
pub struct Db {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    /// Fair: a job that writes batch after batch would keep everybody else waiting at a lock of the
    /// standard library. Nobody keeps it while another program holds the database.
    writer: parking_lot::Mutex<Connection>,
    /// Writes that got through.
    written: AtomicU64,
    held: Held,
    /// Not the standard library's: its condition variable asks the system to wake somebody at the end of
    /// every read, whether anybody waits or not.
    readers: parking_lot::Mutex<Readers>,
    reader_done: parking_lot::Condvar,
    room: Room,
    /// The writer moves no log home, for the disk is full.
    sparing: AtomicBool,
    /// Another program replicates the file and moves its log home.
    replicated: AtomicBool,
    /// The disk took nothing when it was last tried.
    unwritable: AtomicBool,
    /// The writer's commits don't wait for the disk now.
    lazy: AtomicBool,
    /// Nor will they ever, for a bench.
    always_lazy: AtomicBool,
}

/// When a commit must be on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Durable {
    /// When it returns.
    Now,
    /// When the next one that is durable now returns; a power cut before that takes both or this one alone.
    Later,
}

#[derive(Default)]
struct Readers {
    idle: Vec<Connection>,
    at_work: usize,
}

/// A reader's turn, over when this is dropped.
struct Turn<'a>(&'a Db);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.readers.lock().at_work -= 1;
        self.0.reader_done.notify_one();
    }
}

/// A write transaction. It is committed when the closure returns `Ok`.
pub struct Tx<'c> {
    transaction: rusqlite::Transaction<'c>,
    /// The one time of this transaction.
    pub now: Timestamp,
}

impl Deref for Tx<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.transaction
    }
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
        make_private(path)?;
        let mut connection = connect(path)?;
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
        // The waiting is ours: nobody else need stand behind it.
        connection.busy_timeout(Duration::ZERO)?;
        Ok(Db {
            path: path.to_owned(),
            clock,
            writer: parking_lot::Mutex::new(connection),
            written: AtomicU64::new(0),
            held: Held::default(),
            readers: parking_lot::Mutex::default(),
            reader_done: parking_lot::Condvar::new(),
            room: Room::default(),
            sparing: AtomicBool::new(false),
            replicated: AtomicBool::new(false),
            unwritable: AtomicBool::new(false),
            lazy: AtomicBool::new(false),
            always_lazy: AtomicBool::new(false),
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
        let mut connection = connect(path)?;
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

    fn folder(&self) -> &Path {
        folder_of(&self.path)
    }

    /// Bytes that are free where the file lies; `None` where the system does not say.
    pub fn free_bytes(&self) -> Option<u64> {
        fs4::available_space(self.folder()).ok()
    }

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
            let refused = {
                let mut connection = self.writer()?;
                self.spare_room(&connection)?;
                self.sync(&connection, durable)?;
                let began = Instant::now();
                match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
                    Ok(transaction) => {
                        self.held.free(self.clock.monotonic());
                        let value = run(transaction, self.clock.now(), work)?;
                        self.written.fetch_add(1, Ordering::Relaxed);
                        return Ok((value, began.elapsed()));
                    }
                    Err(error) => Error::from(error),
                }
            };
            if !refused.is_held() {
                return Err(refused);
            }
            self.held.found(self.clock.monotonic());
            if !tries.again() {
                return Err(refused);
            }
        }
    }

    /// While the disk is full, what is left of it is for the log.
    fn spare_room(&self, writer: &Connection) -> Result<()> {
        let full = self.room.is_full();
        if self.sparing.swap(full, Ordering::Relaxed) != full
            && !self.replicated.load(Ordering::Relaxed)
        {
            let pages = if full { 0 } else { CHECKPOINT_PAGES };
            writer.pragma_update(None, "wal_autocheckpoint", pages)?;
        }
        Ok(())
    }

    /// What is written ahead is not synced at each commit, only before the log is moved home and with the
    /// next write that is: the log is one file, and whole up to any of its commits.
    fn sync(&self, writer: &Connection, durable: Durable) -> Result<()> {
        let lazy = durable == Durable::Later || self.always_lazy.load(Ordering::Relaxed);
        if self.lazy.load(Ordering::Relaxed) != lazy {
            let level = if lazy { "NORMAL" } else { "FULL" };
            writer.pragma_update(None, "synchronous", level)?;
            self.lazy.store(lazy, Ordering::Relaxed);
        }
        Ok(())
    }

    /// How long other programs have held the database in all, so that nobody could write.
    pub fn held_by_others(&self) -> Duration {
        self.held.until(self.clock.monotonic())
    }

    /// Something failed because the disk takes nothing: until a write succeeds, [`Db::probe`] tries one.
    pub fn found_unwritable(&self) {
        self.unwritable.store(true, Ordering::Relaxed);
    }

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
                if self.replicated.load(Ordering::Relaxed) {
                    leave_log(&connection)?;
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
            let mut readers = self.readers.lock();
            if readers.idle.len() < READERS_KEPT {
                readers.idle.push(connection);
            }
        }
        result
    }

    fn reader_turn(&self) -> (Turn<'_>, Option<Connection>) {
        let mut readers = self.readers.lock();
        self.reader_done.wait_while_for(
            &mut readers,
            |readers| readers.at_work >= READERS_MAX,
            READER_WAIT,
        );
        readers.at_work += 1;
        (Turn(self), readers.idle.pop())
    }

    /// Whether the database can be written now. Costs no disk write, except where the last one failed:
    /// then it is tried.
    ///
    /// # Errors
    /// What SQLite said to the attempt.
    pub fn probe(&self) -> Result<()> {
        let doubt = self.room.is_full() || self.unwritable.load(Ordering::Relaxed);
        self.room.look(self.folder(), self.clock.monotonic())?;
        let _hurry = patience::hurry(PROBE_WAIT);
        self.write(|tx| {
            if doubt {
                tx.pragma_update(None, "application_id", migrate::APPLICATION_ID)?;
            }
            Ok(())
        })?;
        self.unwritable.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Leaves the write-ahead log to the program that replicates it (Litestream): one that is moved
    /// home and begun anew unseen is a gap in the replica.
    ///
    /// # Errors
    /// What SQLite said.
    pub fn leave_log_alone(&self) -> Result<()> {
        self.replicated.store(true, Ordering::Relaxed);
        leave_log(&self.writer.lock())
    }

    /// From now on a commit is not on the disk when it returns: for a bench beside queues that promise no
    /// more than that.
    #[cfg(feature = "faults")]
    pub fn promise_less(&self) {
        self.always_lazy.store(true, Ordering::Relaxed);
    }

    /// Every row that is written from now on is a step that a test can make fail.
    ///
    /// # Errors
    /// What SQLite said.
    #[cfg(feature = "faults")]
    pub fn watch_writes(&self) -> Result<()> {
        Ok(faults::watch(&self.writer.lock())?)
    }

    /// Moves the write-ahead log into the file as far as that goes without waiting for anybody.
    ///
    /// # Errors
    /// What SQLite said.
    pub fn checkpoint(&self) -> Result<()> {
        if self.replicated.load(Ordering::Relaxed) {
            return Ok(());
        }
        let connection = self.writer.lock();
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
        if self.replicated.load(Ordering::Relaxed) {
            return Ok(());
        }
        let connection = self.writer.lock();
        connection.busy_timeout(BUSY_WAIT)?;
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// The writer's turn. A panic in a closure has rolled its transaction back, so the connection is good.
    fn writer(&self) -> Result<parking_lot::MutexGuard<'_, Connection>> {
        if !patience::hurries() {
            return Ok(self.writer.lock());
        }
        let mut wait = patience::left();
        for _ in 0..2 {
            let before = self.written.load(Ordering::Relaxed);
            if let Some(connection) = self.writer.try_lock_for(wait) {
                return Ok(connection);
            }
            if self.written.load(Ordering::Relaxed) == before {
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
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        Some(_) | None => Path::new("."),
    }
}

/// What keeps a file from being opened, in words that name the setting. Another program's lock stays
/// what it is.
pub fn unusable(path: &Path, error: Error) -> Error {
    if error.is_busy() && !error.is_unwritable() {
        return error;
    }
    if let Error::Database(cause) = &error
        && matches!(
            cause.sqlite_error_code(),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        )
        && path.is_file()
    {
        return Error::problem(
            Code::Internal,
            format!(
                "The database {} is damaged or no database ({cause}). Put a backup in its place with `sheetline restore FILE --force`, or name another file with --db.",
                path.display()
            ),
        );
    }
    let reason = match &error {
        Error::Io(error) => error.to_string(),
        Error::Database(_) if path.is_dir() => "it is a folder".to_owned(),
        Error::Database(error) => error.to_string(),
        Error::Problem(_) | Error::Internal(_) | Error::Stopped => return error,
    };
    // An index that can't be made in a full folder is told as a failing disk.
    let folder = folder_of(path);
    let is_full = || fs4::available_space(folder).is_ok_and(|free| free < INDEX_BYTES);
    if error.is_disk_full() || error.is_unwritable() && is_full() {
        return Error::problem(
            Code::DiskFull,
            format!(
                "There is no room left where the database {} lies, not even for the index that reading needs. Make some, a megabyte is enough, or name a copy on another disk with --db.",
                path.display()
            ),
        );
    }
    Error::problem(
        Code::Internal,
        format!(
            "The database {} can't be opened: {reason}. Name another file with --db, or see to it that this program may read and write it and its folder.",
            path.display()
        ),
    )
}

fn run<T>(
    transaction: rusqlite::Transaction<'_>,
    now: Timestamp,
    work: impl FnOnce(&Tx<'_>) -> Result<T>,
) -> Result<T> {
    let tx = Tx { transaction, now };
    let value = work(&tx)?;
    faults::database()?;
    tx.transaction.commit()?;
    Ok(value)
}

fn leave_log(connection: &Connection) -> Result<()> {
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(())
}

/// A connection with the settings that hold for every connection of this program.
fn connect(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_WAIT)?;
    connection.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA temp_store = MEMORY;",
    )?;
    // Plans don't depend on the values that are bound. Otherwise SQLite prepares a statement again each
    // time a value changes that its planner once looked at, which took nine tenths of a job's time.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(64);
    // SQLite's own lower() knows ASCII only.
    connection.create_scalar_function(
        "fold",
        1,
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC,
        |context| {
            Ok(match context.get_raw(0) {
                ValueRef::Text(text) => Some(String::from_utf8_lossy(text).to_lowercase()),
                ValueRef::Integer(number) => Some(number.to_string()),
                ValueRef::Real(number) => Some(number.to_string()),
                ValueRef::Null | ValueRef::Blob(_) => None,
            })
        },
    )?;
    Ok(connection)
}

/// Makes the file, if it is new, so that only its owner can read it: it holds the office's data.
fn make_private(path: &Path) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::clock::SystemClock;

    fn open(path: &Path) -> Result<Db> {
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
    fn a_connection_that_was_left_in_a_transaction_is_not_used_again() {
        let folder = tempfile::tempdir().unwrap();
        let db = open(&folder.path().join("a.db")).unwrap();
        db.read_one(|c| Ok(c.execute_batch("BEGIN")?)).unwrap();
        assert!(db.read_one(|c| Ok(c.is_autocommit())).unwrap());
        assert!(!db.read(|c| Ok(c.is_autocommit())).unwrap());
        assert!(db.read_one(|c| Ok(c.is_autocommit())).unwrap());
        assert_eq!(db.readers.lock().idle.len(), 1);
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
        assert_eq!(db.readers.lock().at_work, 0);
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
        let count: i64 = db
            .read(|c| Ok(c.query_row("SELECT count(*) FROM templates", [], |r| r.get(0))?))
            .unwrap();
        assert_eq!(count, 0);
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

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_a_new_database() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        open(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
