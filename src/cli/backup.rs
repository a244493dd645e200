//! `backup`: a consistent copy of the live database, renamed into place when it is whole; into a folder
//! under a name that tells the time, of which the last ones can be kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::clock::{Clock, Timestamp};
use crate::db::{Db, copy, migrate, unusable};
use crate::error::{Error, Result};
use crate::store::audit::{self, Action, Actor};
use crate::store::soundness;
use crate::words::Code;

/// What is left of a backup that was killed is removed when it is older than this.
const LEFT_OVER: Duration = Duration::from_secs(86_400);

/// How long another program's lock is waited for.
const OPEN_WAIT: Duration = Duration::from_secs(2);

/// What the command was told.
#[derive(Debug, Clone, clap::Args)]
pub struct Flags {
    /// Where the copy goes: a file that must not exist, or a folder, where it gets a name with the time
    dest: PathBuf,
    /// Replace DEST, whole, where it exists
    #[arg(long, conflicts_with = "keep")]
    force: bool,
    /// DEST is a folder; of the backups of this database in it keep the newest N
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
}

/// Runs the command.
///
/// # Errors
/// A sentence where DEST is there already, is the database itself, or the copy fails its check.
pub fn run(db: &Path, flags: &Flags) -> Result<ExitCode> {
    super::must_exist(db)?;
    // Of an older schema, too: it is copied as it is.
    let kind = migrate::kind_of(db).map_err(|error| unusable(db, error))?;
    if kind == migrate::Kind::Foreign {
        migrate::refuse_unknown(kind)?;
    }
    let into_folder = flags.dest.is_dir();
    if flags.keep.is_some() && !into_folder {
        return Err(refused(format!(
            "--keep needs a folder to keep backups in, and {} is none.",
            flags.dest.display()
        )));
    }
    let stem = stem(db);
    let dest = if into_folder {
        flags.dest.join(name(&stem, super::clock().as_ref()))
    } else {
        flags.dest.clone()
    };
    refuse_the_database_itself(db, &dest)?;
    if dest.exists() && !flags.force {
        return Err(refused(format!(
            "{} is there already. Name another file, or say --force to replace it.",
            dest.display()
        )));
    }
    let bytes = copy::make(db, &dest).map_err(|error| not_made(db, &dest, error))?;
    let mut said = format!(
        "{} written, {bytes} bytes, integrity checked\n",
        dest.display()
    );
    note(db);
    if let Some(keep) = flags.keep {
        for old in outlived(db, &flags.dest, &stem, keep)? {
            fs::remove_file(&old)?;
            said.push_str(&format!("{} removed\n", old.display()));
        }
    }
    // Last, so that a log on a full disk keeps nothing from being done.
    super::out::text(said)?;
    Ok(ExitCode::SUCCESS)
}

/// What keeps a copy from being made: damage that SQLite meets while it reads, or what the other disk says.
fn not_made(db: &Path, dest: &Path, error: Error) -> Error {
    match &error {
        Error::Database(cause) if cause.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
            unusable(db, error)
        }
        Error::Database(_) | Error::Io(_) if error.is_disk_full() => Error::problem(
            Code::DiskFull,
            format!(
                "The backup {} can't be made: there is no room left where it goes. Make some, or name another place.",
                dest.display()
            ),
        ),
        Error::Database(_) | Error::Io(_) => Error::problem(
            Code::Internal,
            format!(
                "The backup {} can't be made: {}.",
                dest.display(),
                super::plain(&error)
            ),
        ),
        Error::Problem(_) | Error::Internal(_) | Error::Stopped => error,
    }
}

/// Leaves word of the backup in the database, for the page that shows when the last one was. The copy
/// is good without it: a database that takes no word is only older, or busy.
fn note(db: &Path) {
    let noted = migrate::kind_of(db).and_then(|kind| {
        if kind != migrate::Kind::Ours(migrate::VERSION) {
            return Ok(());
        }
        let by = Actor::command_line();
        Db::open(db, super::clock())?.write(|tx| audit::note(tx, &by, Action::BackedUp, None))
    });
    if let Err(error) = noted {
        log::warn!("the backup is made, but the database could not be told: {error}");
    }
}

/// What the names of this database's backups begin with.
fn stem(db: &Path) -> String {
    db.file_stem()
        .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}

/// `sheetline-2026-11-23T103000.123Z.db`: names sort like times, and no system minds them.
fn name(stem: &str, clock: &dyn Clock) -> String {
    format!("{stem}-{}.db", clock.now().to_string().replace(':', ""))
}

/// Whether a file has a name that [`name`] gave for this database.
fn is_backup(file: &str, stem: &str) -> bool {
    file.strip_prefix(stem)
        .and_then(|rest| rest.strip_prefix('-')?.strip_suffix(".db"))
        .and_then(|time| {
            let (hour, rest) = time.split_at_checked(13)?;
            let (minute, second) = rest.split_at_checked(2)?;
            Timestamp::parse(&format!("{hour}:{minute}:{second}"))
        })
        .is_some()
}

/// Backups of `db` in `folder` beyond the newest `keep`, and what killed ones left there. Offices share
/// folders, and their databases names: what a file holds decides.
fn outlived(db: &Path, folder: &Path, stem: &str, keep: u32) -> Result<Vec<PathBuf>> {
    let own = first_of(db)?;
    let (mut whole, mut left_over) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let file = entry.file_name().to_string_lossy().into_owned();
        if is_backup(&file, stem) {
            if is_copy(&folder.join(&file), own.as_ref()) {
                whole.push(file);
            }
        } else if file
            .strip_suffix(".partial")
            .is_some_and(|whole| is_backup(whole, stem))
            && is_old(&entry)
        {
            left_over.push(file);
        }
    }
    whole.sort_unstable();
    let surplus = whole.len().saturating_sub(keep as usize);
    whole.truncate(surplus);
    Ok(whole
        .into_iter()
        .chain(left_over)
        .map(|file| folder.join(file))
        .collect())
}

/// By whom a database was begun; that stays through every change, migration and backup.
fn first_of(path: &Path) -> Result<Option<soundness::First>> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(OPEN_WAIT)?;
    soundness::first(&connection)
}

/// Whether the file is a copy of the database that `own` began, or of one that nobody has used yet. One
/// that can't be read, or is in use, is not taken for one: it stays.
fn is_copy(path: &Path, own: Option<&soundness::First>) -> bool {
    let in_use = copy::beside(path, "-wal").exists();
    let ours = || matches!(migrate::kind_of(path), Ok(migrate::Kind::Ours(_)));
    !in_use && ours() && first_of(path).is_ok_and(|first| first.is_none() || first.as_ref() == own)
}

fn is_old(entry: &fs::DirEntry) -> bool {
    let changed = entry.metadata().and_then(|about| about.modified());
    changed.is_ok_and(|at| {
        SystemTime::now()
            .duration_since(at)
            .is_ok_and(|age| age > LEFT_OVER)
    })
}

fn refuse_the_database_itself(db: &Path, dest: &Path) -> Result<()> {
    let itself = [
        db.to_owned(),
        copy::beside(db, "-wal"),
        copy::beside(db, "-shm"),
        copy::beside(db, ".lock"),
    ];
    let target = place(dest)?;
    for path in itself {
        if place(&path)? == target {
            return Err(refused(
                "DEST is the database itself. Name another file.".to_owned(),
            ));
        }
    }
    Ok(())
}

/// Where a path leads, links followed, whether or not there is a file.
pub(super) fn place(path: &Path) -> Result<PathBuf> {
    if let Ok(there) = fs::canonicalize(path) {
        return Ok(there);
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let folder = fs::canonicalize(folder)
        .map_err(|_| refused(format!("There is no folder {}.", folder.display())))?;
    Ok(folder.join(path.file_name().unwrap_or_default()))
}

fn refused(sentence: String) -> Error {
    Error::problem(Code::BadRequest, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn only_names_that_it_gave_itself_are_taken_for_backups() {
        let clock = ManualClock::at(Timestamp::parse("2026-11-23T10:30:00.123Z").unwrap());
        let given = name("office", &clock);
        assert_eq!(given, "office-2026-11-23T103000.123Z.db");
        assert!(is_backup(&given, "office"));
        for other in [
            "office.db",
            "office-2026-11-23T103000.123Z.db.partial",
            "office-old.db",
            "office-2026-13-23T103000.123Z.db",
            "office-2026-11-23T10é000.123Z.db",
            "office2-2026-11-23T103000.123Z.db",
        ] {
            assert!(!is_backup(other, "office"), "{other}");
        }
    }
}
