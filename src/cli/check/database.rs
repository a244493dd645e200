//! Is the database whole, can it be written, is anything in it stuck, left over, or ahead of the clock.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::Finding;
use crate::clock::Timestamp;
use crate::db::{Db, copy, lock, migrate};
use crate::error::{Error, Result};
use crate::settings::Settings;
use crate::store::{jobs, soundness};

/// How far the clock may be behind the newest entry: two machines never agree to the second.
const CLOCK_SLACK: Duration = Duration::from_secs(60);

/// What to do where the file itself is bad.
const RESTORE: &str = "stop the server and bring back a backup: sheetline restore FILE --force";

/// Everything about the database. One that can't be opened is a finding, too: that is when somebody asks.
pub(super) fn look(path: &Path, settings: &Settings) -> Vec<Finding> {
    if std::fs::metadata(path).is_ok_and(|about| about.is_file() && about.len() == 0) {
        // SQLite would take it for a new one.
        let said = "the database is empty (0 bytes): what it held is lost";
        return vec![Finding::problem("integrity", said, RESTORE)];
    }
    match migrate::kind_of(path) {
        Ok(kind @ migrate::Kind::Ours(version)) if version < 1 => {
            let said = migrate::refuse_unknown(kind).err();
            let said = said.map_or_else(String::new, |error| crate::cli::plain(&error));
            vec![Finding::problem("schema", said, RESTORE)]
        }
        Ok(migrate::Kind::Ours(version)) if version < migrate::VERSION => vec![Finding::sound(
            "schema",
            format!(
                "the database has schema {version}; the next start makes it {} and keeps a copy (the rest is checked after that)",
                migrate::VERSION
            ),
        )],
        Ok(migrate::Kind::Ours(version)) if version > migrate::VERSION => vec![Finding::problem(
            "schema",
            format!(
                "a newer version of Sheetline made the database (schema {version}; this program knows {})",
                migrate::VERSION
            ),
            "start that version, or restore a backup from before the upgrade",
        )],
        Ok(migrate::Kind::Ours(_)) => match Db::open(path, crate::cli::clock()) {
            Ok(db) => all(&db, settings),
            Err(error) => vec![unopened(&error)],
        },
        Ok(migrate::Kind::Empty | migrate::Kind::Foreign) => vec![Finding::problem(
            "integrity",
            format!("{} is no database of Sheetline", path.display()),
            format!("name another one with --db, or {RESTORE}"),
        )],
        Err(error) => vec![unopened(&error)],
    }
}

fn unopened(error: &Error) -> Finding {
    let said = crate::cli::plain(error);
    if error.is_busy() && !error.is_unwritable() {
        return Finding::problem(
            "write",
            format!("another program holds the database ({said})"),
            "end it (a backup? sqlite3?), and check again",
        );
    }
    if error.is_unwritable() {
        return Finding::problem(
            "permissions",
            format!("the database can't be opened ({said})"),
            "look whether its owner is this user, whether it may be read and written, and whether its disk is mounted for reading only",
        );
    }
    Finding::problem(
        "integrity",
        format!("the database can't be read ({said})"),
        RESTORE,
    )
}

fn all(db: &Db, settings: &Settings) -> Vec<Finding> {
    let served =
        lock::take(db.path()).is_err_and(|error| error.is_busy() && !error.is_unwritable());
    // What a damaged file makes impossible to tell is no reason to say nothing of the rest.
    let told = |check: &'static str, found: Result<Finding>| {
        found.unwrap_or_else(|error| {
            let said = format!("it can't be told ({})", crate::cli::plain(&error));
            Finding::problem(check, said, RESTORE)
        })
    };
    vec![
        told("integrity", db.read(integrity)),
        told("references", db.read(references)),
        writable(db),
        told("jobs", stuck_jobs(db, settings)),
        told("files", db.read(files)),
        told("left-overs", left_over(db, settings, served)),
        told("clock", clock(db)),
    ]
}

fn integrity(c: &Connection) -> Result<Finding> {
    Ok(match copy::damage(c)? {
        None => Finding::sound("integrity", "the database is whole"),
        Some(verdict) => Finding::problem(
            "integrity",
            format!("the database is damaged ({verdict})"),
            RESTORE,
        ),
    })
}

fn references(c: &Connection) -> Result<Finding> {
    let dangling = soundness::dangling(c)?;
    Ok(if dangling == 0 {
        Finding::sound("references", "no row refers to one that is missing")
    } else {
        Finding::problem(
            "references",
            format!(
                "{dangling} rows refer to ones that are missing: something else wrote to the database"
            ),
            RESTORE,
        )
    })
}

/// The database is tried with a real, small write.
fn writable(db: &Db) -> Finding {
    let tried = db.write(|tx| {
        let version: i64 = tx.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        tx.pragma_update(None, "user_version", version)?;
        Ok(())
    });
    match tried {
        Ok(()) => Finding::sound("write", "the database can be written"),
        Err(error) if error.is_disk_full() => {
            Finding::problem("write", "the disk is full", "make room on it")
        }
        Err(error) => Finding::problem(
            "write",
            format!("the database can't be written ({error})"),
            "look whether its owner is this user, whether its disk is mounted for reading only, and whether another program (a backup, sqlite3) holds it",
        ),
    }
}

/// Jobs in work for longer than the server would let them be.
fn stuck_jobs(db: &Db, settings: &Settings) -> Result<Finding> {
    let patience = settings.stale_after + settings.sweep_every;
    let before: Timestamp = db.clock().now().minus(patience);
    let stuck: Vec<String> = db.read(|c| {
        Ok(jobs::active(c)?
            .iter()
            .filter(|job| job.started_at.is_some_and(|at| at < before))
            .map(|job| format!("job {} ({})", job.id, job.filename))
            .collect())
    })?;
    Ok(if stuck.is_empty() {
        Finding::sound("jobs", "no job is stuck")
    } else {
        Finding::problem(
            "jobs",
            format!("stuck: {}", stuck.join(", ")),
            "start the server, or start it again: it puts them back into the queue",
        )
    })
}

/// Whether the bytes of every file are as many as came in.
fn files(c: &Connection) -> Result<Finding> {
    let short = soundness::of_wrong_length(c)?;
    Ok(if short.is_empty() {
        Finding::sound("files", "every file is as long as it came in")
    } else {
        let numbers: Vec<String> = short.iter().map(i64::to_string).collect();
        Finding::problem(
            "files",
            format!(
                "files that are not as long as they came in (uploads.no): {}",
                numbers.join(", ")
            ),
            "something else wrote to the database: compare with a backup, and have their owners add them again",
        )
    })
}

/// What a process that died left, and nobody cleared away.
fn left_over(db: &Db, settings: &Settings, served: bool) -> Result<Finding> {
    if served {
        return Ok(Finding::sound(
            "left-overs",
            "a server works on the database; it clears away what is left over",
        ));
    }
    let spooled = fs::read_dir(settings.spool()).map_or(0, Iterator::count);
    let (cut_off, rows) = db.read(soundness::left_over)?;
    let partial = partial_copies(db.path());
    if partial > 0 {
        return Ok(Finding::problem(
            "left-overs",
            format!("{partial} copies beside the database were never finished"),
            "where no backup and no restore runs now, delete them (*.partial, *.restored)",
        ));
    }
    Ok(Finding::sound(
        "left-overs",
        if spooled == 0 && cut_off == 0 && rows == 0 {
            "nothing is left over".to_owned()
        } else {
            format!(
                "{spooled} files of cut-off uploads, {cut_off} unfinished uploads and {rows} rows of unfinished jobs are left over; the next start clears them away"
            )
        },
    ))
}

fn partial_copies(path: &Path) -> usize {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = path
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let Ok(entries) = fs::read_dir(folder) else {
        return 0;
    };
    entries
        .flatten()
        .filter(|entry| {
            let file = entry.file_name().to_string_lossy().into_owned();
            file.starts_with(&name) && (file.ends_with(".partial") || file.ends_with(".restored"))
        })
        .count()
}

/// A clock behind the last entry makes sessions last too long and lists look wrong; the order of jobs
/// does not depend on it.
fn clock(db: &Db) -> Result<Finding> {
    let newest = db.read(soundness::newest_entry)?;
    let now = db.clock().now();
    Ok(match newest {
        Some(newest) if newest > now.plus(CLOCK_SLACK) => Finding::problem(
            "clock",
            format!("the clock ({now}) is behind the last entry ({newest})"),
            "set the clock, or let it be set (timedatectl set-ntp true): sessions and --retain-days go by it",
        ),
        Some(_) | None => Finding::sound(
            "clock",
            format!("the clock says {now}, after the last entry"),
        ),
    })
}
