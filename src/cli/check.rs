//! `check`: integrity of the database, stuck jobs, room on the disk.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use super::self_test;
use crate::clock::Timestamp;
use crate::db::Db;
use crate::error::Result;
use crate::settings::Settings;
use crate::store::jobs;

/// What was found, in words, and whether it is sound.
type Finding = (bool, String);

/// Runs the command: a line per finding, exit status 1 where one is not sound.
///
/// # Errors
/// Where the database can't be opened.
pub fn run(path: &Path) -> Result<ExitCode> {
    let db = super::open_existing(path)?;
    let mut findings = integrity(&db)?;
    findings.push(stuck_jobs(&db)?);
    findings.push(permissions(path));
    findings.push(room(path));
    findings.push(writable(&db));
    findings.push(reading());
    let sound = findings.iter().all(|(sound, _)| *sound);
    for (sound, words) in &findings {
        println!("{} {words}", if *sound { "ok     " } else { "PROBLEM" });
    }
    Ok(ExitCode::from(u8::from(!sound)))
}

fn integrity(db: &Db) -> Result<Vec<Finding>> {
    db.read(|c| {
        let verdict: String = c.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        let dangling = c
            .prepare("PRAGMA foreign_key_check")?
            .query_map([], |_| Ok(()))?
            .count();
        Ok(vec![
            if verdict == "ok" {
                (true, "the database is whole".to_owned())
            } else {
                (
                    false,
                    format!("the database is damaged ({verdict}): restore a backup"),
                )
            },
            if dangling == 0 {
                (true, "no row refers to one that is missing".to_owned())
            } else {
                (
                    false,
                    format!("{dangling} rows refer to ones that are missing: restore a backup"),
                )
            },
        ])
    })
}

/// Jobs without a sign of life for longer than a server with default settings would let them be.
fn stuck_jobs(db: &Db) -> Result<Finding> {
    let settings = Settings::new(db.path().to_owned());
    let patience: Duration = settings.stale_after + settings.sweep_every;
    let before: Timestamp = db.clock().now().minus(patience);
    let stuck: Vec<String> = db.read(|c| {
        Ok(jobs::active(c)?
            .iter()
            .filter(|job| job.started_at.is_some_and(|at| at < before))
            .map(|job| format!("job {} ({})", job.id, job.filename))
            .collect())
    })?;
    Ok(if stuck.is_empty() {
        (true, "no job is stuck".to_owned())
    } else {
        (
            false,
            format!(
                "stuck: {}. Start the server: it puts them back into the queue",
                stuck.join(", ")
            ),
        )
    })
}

/// Says in the log what is wrong with who may read the database; for the start of the server.
pub(super) fn warn_of_permissions(path: &Path) {
    let (sound, words) = permissions(path);
    if !sound {
        log::warn!("{words}");
    }
}

fn permissions(path: &Path) -> Finding {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if let Ok(facts) = std::fs::metadata(path) {
            let mode = facts.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                return (
                    false,
                    format!(
                        "others may read the database (mode {mode:o}): chmod 600 {}",
                        path.display()
                    ),
                );
            }
        }
    }
    (true, "only its owner can read the database".to_owned())
}

/// Megabytes that should be free on the disk: room for an upload of the largest size, its rows and
/// its records.
const FREE_MB_LEAST: u64 = 500;

fn room(path: &Path) -> Finding {
    let full = path.canonicalize();
    let folder = full.as_deref().ok().and_then(Path::parent);
    match folder.map(fs4::available_space) {
        Some(Ok(bytes)) if bytes / 1_000_000 >= FREE_MB_LEAST => (
            true,
            format!("{} MB are free on the disk", bytes / 1_000_000),
        ),
        Some(Ok(bytes)) => (
            false,
            format!(
                "only {} MB are free on the disk: make room, or purge old files with --retain-days",
                bytes / 1_000_000
            ),
        ),
        Some(Err(error)) => (
            false,
            format!("how much room the disk has can't be told ({error})"),
        ),
        None => (false, "the database's folder can't be read".to_owned()),
    }
}

/// A file is read the way that every upload is read.
fn reading() -> Finding {
    match self_test::run() {
        Ok(cells) => (
            true,
            format!("files can be read ({cells} cells of a sample, by two readers)"),
        ),
        Err(error) => (
            false,
            format!(
                "files can't be read here ({error}): is memory or the number of processes limited?"
            ),
        ),
    }
}

/// The database is tried with a real, small write.
fn writable(db: &Db) -> Finding {
    let tried = db.write(|tx| {
        let version: i64 = tx.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        tx.pragma_update(None, "user_version", version)?;
        Ok(())
    });
    match tried {
        Ok(()) => (true, "the database can be written".to_owned()),
        Err(error) if error.is_disk_full() => (false, "the disk is full: make room".to_owned()),
        Err(error) => (false, format!("the database can't be written ({error})")),
    }
}
