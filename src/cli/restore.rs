//! `restore`: puts a backup in the place of the database. At every moment there is a whole database under
//! its name, never one beside the log of another; the replaced one is kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rusqlite::{Connection, OpenFlags};

use super::backup::place;
use crate::db::{copy, lock, migrate};
use crate::error::{Error, Result};
use crate::store::soundness;
use crate::words::Code;

/// Runs the command.
///
/// # Errors
/// A sentence where a server or another program has the database open, FILE is no sound backup of a
/// version that this program knows, or there is a database already and `force` is not said. Then
/// nothing was changed.
pub fn run(db: &Path, file: &Path, force: bool) -> Result<ExitCode> {
    if !file.exists() {
        return Err(refused(format!("There is no file {}.", file.display())));
    }
    let target = place(db)?;
    if place(file)? == target {
        return Err(refused("FILE is the database itself.".to_owned()));
    }
    let _lock = lock::take(db)?;
    if db.exists() && !force {
        return Err(refused(format!(
            "There is a database {} already. Say --force to put the backup in its place; the replaced one is kept beside it.",
            db.display()
        )));
    }
    let about = look_at(file)?;
    let fresh = copy::beside(db, ".restored");
    copy::make(file, &fresh).map_err(not_copied)?;
    let prepared = write_ahead(&fresh).and_then(|()| set_aside(db));
    let (aside, alone) = prepared.inspect_err(|_| {
        // The copy is of no use now; that it can't be removed changes nothing here.
        let _ = fs::remove_file(&fresh);
    })?;
    copy::own_like(
        &fresh,
        aside
            .as_deref()
            .unwrap_or(target.parent().unwrap_or(&target)),
    );
    if cfg!(not(unix)) {
        // Elsewhere a file that is open can't be replaced.
        drop(alone);
        fs::rename(&fresh, db)?;
    } else {
        fs::rename(&fresh, db)?;
        drop(alone);
    }
    copy::sync_folder(db)?;
    super::out::line(format_args!(
        "{} is restored from {}: {about}",
        db.display(),
        file.display()
    ))?;
    if let Some(aside) = aside {
        super::out::line(format_args!(
            "the replaced database is kept as {}",
            aside.display()
        ))?;
    }
    super::out::line(format_args!(
        "Sessions and API tokens are as they were at the time of the backup: `sheetline user disable NAME` ends those of a user, `user enable NAME` lets them in again."
    ))?;
    Ok(ExitCode::SUCCESS)
}

/// What keeps the backup from being laid beside the database.
fn not_copied(error: Error) -> Error {
    let sentence = match &error {
        error if error.is_disk_full() => {
            "There is no room on the disk for the backup beside the database. Nothing was changed: make some, and try again.".to_owned()
        }
        Error::Database(_) | Error::Io(_) => format!(
            "The backup can't be copied beside the database ({}). Nothing was changed.",
            super::plain(&error)
        ),
        Error::Problem(_) | Error::Internal(_) | Error::Stopped => return error,
    };
    Error::problem(Code::Internal, sentence)
}

/// Refuses a file that is no sound backup; else what is in it, in words.
fn look_at(file: &Path) -> Result<String> {
    let unreadable = |error: rusqlite::Error| {
        refused(format!(
            "The backup {} can't be read ({error}). Nothing was changed: take another one.",
            file.display()
        ))
    };
    // The same sentences as for a database that is opened.
    let kind = migrate::kind_of(file).map_err(|error| match error {
        Error::Database(error) => unreadable(error),
        other @ (Error::Problem(_) | Error::Io(_) | Error::Internal(_) | Error::Stopped) => other,
    })?;
    let version = match kind {
        migrate::Kind::Ours(version) => version,
        migrate::Kind::Empty => return Err(refused(format!("{} is empty.", file.display()))),
        migrate::Kind::Foreign => {
            return Err(refused(format!(
                "{} is no database of Sheetline. Nothing was changed: name a backup.",
                file.display()
            )));
        }
    };
    migrate::refuse_unknown(kind)?;
    let connection =
        Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(unreadable)?;
    if let Some(verdict) = copy::damage(&connection).map_err(unreadable)? {
        return Err(refused(format!(
            "{} is damaged ({verdict}). Nothing was changed: take another backup.",
            file.display()
        )));
    }
    let (uploads, jobs, newest) = soundness::contents(&connection).map_err(unreadable)?;
    let migrates = if version == migrate::VERSION {
        ""
    } else {
        "; its schema is older and is changed at the next start"
    };
    Ok(format!(
        "{uploads} files, {jobs} jobs, last entry of the audit trail {}{migrates}",
        newest.unwrap_or_else(|| "never".to_owned())
    ))
}

/// Lets a database have a log from its first moment: whoever opens it then holds a lock for as long as it
/// is open, by which the next restore sees them.
fn write_ahead(fresh: &Path) -> Result<()> {
    let connection = Connection::open_with_flags(fresh, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.close().map_err(|(_, error)| error)?;
    copy::sync_file(fresh)
}

/// Keeps the database under another name, its log with it, and leaves it in place, alone: until the
/// backup is renamed over it there is one. Where there is none, a log of one may be left. The connection
/// keeps others out until it is dropped.
fn set_aside(db: &Path) -> Result<(Option<PathBuf>, Option<Connection>)> {
    let time = super::clock().now().to_string().replace(':', "");
    let aside = copy::beside(db, &format!(".replaced-{time}"));
    let there = db.exists();
    let mut alone = None;
    if there {
        alone = fold_log(db)?;
        // A second name for the same file costs no room; where a disk has no such thing, it is copied.
        if fs::hard_link(db, &aside).is_err() {
            fs::copy(db, &aside)?;
            copy::sync_file(&aside)?;
        }
    }
    // SQLite would take it for the backup's.
    let log = copy::beside(db, "-wal");
    if log.exists() {
        fs::rename(&log, copy::beside(&aside, "-wal"))?;
    }
    let shared = copy::beside(db, "-shm");
    if shared.exists() {
        fs::remove_file(shared)?;
    }
    copy::sync_folder(db)?;
    Ok((there.then_some(aside), alone))
}

/// Brings the log home and removes it, which SQLite does only where nobody else has the database open; then
/// locks it, for one without a log may be in use as well. `None` where it is damaged.
fn fold_log(db: &Path) -> Result<Option<Connection>> {
    let folded =
        Connection::open_with_flags(db, OpenFlags::SQLITE_OPEN_READ_WRITE).and_then(|connection| {
            connection.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
            connection.execute_batch("BEGIN EXCLUSIVE")?;
            Ok(connection)
        });
    match folded {
        Err(error)
            if matches!(
                error.sqlite_error_code(),
                Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked)
            ) =>
        {
            Err(Error::problem(
                Code::Busy,
                format!(
                    "Another program has {} open (sqlite3, litestream, a backup?). Close it first. Nothing was changed.",
                    db.display()
                ),
            ))
        }
        Ok(connection) => Ok(Some(connection)),
        // Damaged: that is why somebody restores it.
        Err(_) => Ok(None),
    }
}

fn refused(sentence: String) -> Error {
    Error::problem(Code::BadRequest, sentence)
}
