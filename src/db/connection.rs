//! A connection with the settings that hold for every one of this program, and the file of a new database.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use crate::error::Result;

/// How long a statement waits for another program's lock before it gives up; the begin of a write apart,
/// for which [`super::patience`] holds.
pub(super) const BUSY_WAIT: Duration = Duration::from_millis(2_000);

/// Pages that a connection keeps in memory, in KiB (SQLite wants it negative), unless it is the writer: a
/// crowd's readers stay, each with its pages, and after somebody else's write they are read anew in any case.
const CACHE_KIB: i64 = -512;

/// Opens the file.
pub(super) fn connect(path: &Path) -> Result<Connection> {
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
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
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
pub(super) fn make_private(path: &Path) -> Result<()> {
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
    use crate::db::tests::open;

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
