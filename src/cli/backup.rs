//! `backup`: a consistent copy of the live database, renamed into place when it is whole.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};

use crate::error::{Error, Result};
use crate::words::Code;

/// Pages copied in one step.
const STEP_PAGES: i32 = 1_000;

/// Runs the command.
///
/// # Errors
/// A sentence where DEST is there already, is the database itself, or the copy fails its check.
pub fn run(db: &Path, dest: &Path, force: bool) -> Result<ExitCode> {
    // Opened as every command does, so that a file that isn't ours is refused.
    drop(super::open_existing(db)?);
    refuse_the_database_itself(db, dest)?;
    if dest.exists() && !force {
        return Err(Error::problem(
            Code::BadRequest,
            format!(
                "{} is there already. Name another file, or say --force to replace it.",
                dest.display()
            ),
        ));
    }
    let partial = beside(dest, ".partial");
    let made = copy(db, &partial).and_then(|()| check(&partial));
    if let Err(error) = made {
        // Half a copy is of no use to anybody; that it can't be removed changes nothing here.
        let _ = fs::remove_file(&partial);
        return Err(error);
    }
    fs::rename(&partial, dest)?;
    sync_folder(dest)?;
    let bytes = fs::metadata(dest)?.len();
    println!(
        "{} written, {bytes} bytes, integrity checked",
        dest.display()
    );
    Ok(ExitCode::SUCCESS)
}

fn refuse_the_database_itself(db: &Path, dest: &Path) -> Result<()> {
    let itself = [
        db.to_owned(),
        beside(db, "-wal"),
        beside(db, "-shm"),
        beside(db, ".lock"),
    ];
    let target = place(dest)?;
    for path in itself {
        if place(&path)? == target {
            return Err(Error::problem(
                Code::BadRequest,
                "DEST is the database itself. Name another file.",
            ));
        }
    }
    Ok(())
}

/// Where a path leads, links followed, whether or not there is a file.
fn place(path: &Path) -> Result<PathBuf> {
    if let Ok(there) = fs::canonicalize(path) {
        return Ok(there);
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let folder = fs::canonicalize(folder).map_err(|_| {
        Error::problem(
            Code::BadRequest,
            format!("There is no folder {}.", folder.display()),
        )
    })?;
    Ok(folder.join(path.file_name().unwrap_or_default()))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(suffix);
    PathBuf::from(name)
}

fn copy(db: &Path, partial: &Path) -> Result<()> {
    if partial.exists() {
        fs::remove_file(partial)?;
    }
    private_file(partial)?;
    let source = Connection::open_with_flags(db, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    source.busy_timeout(Duration::from_secs(5))?;
    // One read transaction for the whole copy: it begins again for nobody's write.
    let snapshot = source.unchecked_transaction()?;
    snapshot.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    let mut target = Connection::open(partial)?;
    {
        let backup = Backup::new(&snapshot, &mut target)?;
        backup.run_to_completion(STEP_PAGES, Duration::ZERO, None)?;
    }
    target.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    target.close().map_err(|(_, error)| error)?;
    fs::File::open(partial)?.sync_all()?;
    Ok(())
}

fn check(partial: &Path) -> Result<()> {
    let connection = Connection::open_with_flags(partial, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let verdict: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if verdict == "ok" {
        return Ok(());
    }
    Err(Error::problem(
        Code::Internal,
        format!(
            "The copy failed its integrity check: {verdict}. Run `sheetline check` on the database."
        ),
    ))
}

fn private_file(path: &Path) -> Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)?;
    Ok(())
}

/// Makes the rename survive a power cut.
fn sync_folder(dest: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        let folder = match dest.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::db::Db;
    use std::sync::Arc;

    #[test]
    fn a_backup_is_whole_and_replaces_nothing_unasked() {
        let folder = tempfile::tempdir().unwrap();
        let db = folder.path().join("a.db");
        let dest = folder.path().join("copy.db");
        let live = Db::open(&db, Arc::new(SystemClock::new())).unwrap();
        live.write(|tx| {
            tx.execute(
                "INSERT INTO templates (name, version, created_at) VALUES ('x', 1, '')",
                [],
            )?;
            Ok(())
        })
        .unwrap();
        run(&db, &dest, false).unwrap();
        let count: i64 = Connection::open(&dest)
            .unwrap()
            .query_row("SELECT count(*) FROM templates", [], |row| row.get(0))
            .unwrap();
        assert_eq!(count, 1);
        assert!(run(&db, &dest, false).is_err());
        run(&db, &dest, true).unwrap();
        assert!(run(&db, &db, true).is_err());
    }
}
