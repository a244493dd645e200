//! Is the database whole, can it be written, is anything in it stuck, left over, or ahead of the clock.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use super::Finding;
use crate::clock::Timestamp;
use crate::db::{Db, copy, lock};
use crate::error::Result;
use crate::settings::Settings;
use crate::store::{jobs, soundness};

/// How far the clock may be behind the newest entry: two machines never agree to the second.
const CLOCK_SLACK: Duration = Duration::from_secs(60);

pub(super) fn all(db: &Db, settings: &Settings) -> Result<Vec<Finding>> {
    let served = lock::take(db.path()).is_err();
    Ok(vec![
        db.read(integrity)?,
        db.read(references)?,
        writable(db),
        stuck_jobs(db, settings)?,
        db.read(files)?,
        left_over(db, settings, served)?,
        clock(db)?,
    ])
}

fn integrity(c: &Connection) -> Result<Finding> {
    Ok(match copy::damage(c)? {
        None => Finding::sound("integrity", "the database is whole"),
        Some(verdict) => Finding::problem(
            "integrity",
            format!("the database is damaged ({verdict})"),
            "stop the server and bring back a backup: sheetline restore FILE --force",
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
            "stop the server and bring back a backup: sheetline restore FILE --force",
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
            "look whether its owner is this user, and whether another program (a backup, sqlite3) holds it",
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
