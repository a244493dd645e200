//! A database file of 0 bytes: made for a new office, or what is left of one. SQLite can't tell; what lies
//! beside it can.

use std::fs;
use std::path::{Path, PathBuf};

use super::copy;
use crate::error::{Error, Result};
use crate::words::Code;

/// Whether the file is there with nothing in it.
pub fn is_empty(db: &Path) -> bool {
    fs::metadata(db).is_ok_and(|about| about.is_file() && about.len() == 0)
}

/// Refuses to begin a new office in a file that held one: whoever came first would be its administrator, and
/// nightly backups of it would push out those of the old one.
///
/// # Errors
/// A sentence that names what tells of the former life.
pub fn refuse_remains(db: &Path) -> Result<()> {
    if !is_empty(db) {
        return Ok(());
    }
    let Some(sign) = sign(db) else {
        log::warn!(
            "the database {} is empty (0 bytes): a new one is made in it. If it held something, stop the server and put a backup in its place with `sheetline restore FILE --force`",
            db.display()
        );
        return Ok(());
    };
    Err(Error::problem(
        Code::UnreadableFile,
        format!(
            "The database {} is empty (0 bytes): what it held is lost, for {} is beside it. Put a backup in its place with `sheetline restore FILE --force`, or move both away to begin anew.",
            db.display(),
            sign.display()
        ),
    ))
}

/// What only a database that was in use leaves beside it.
fn sign(db: &Path) -> Option<PathBuf> {
    let lock = copy::beside(db, ".lock");
    if fs::metadata(&lock).is_ok_and(|about| about.len() > 0) {
        return Some(lock);
    }
    for suffix in ["-wal", "-shm", "-spool"] {
        let left = copy::beside(db, suffix);
        if left.exists() {
            return Some(left);
        }
    }
    let name = db.file_name()?.to_string_lossy().into_owned();
    let stem = db.file_stem()?.to_string_lossy().into_owned();
    let kept = |file: &str| {
        let of_a_command = file
            .strip_prefix(&name)
            .is_some_and(|rest| rest.starts_with(".replaced-") || rest.starts_with(".before-v"));
        // As `backup` names them: the first four of the time are the year.
        let backup = file
            .strip_prefix(&stem)
            .and_then(|rest| rest.strip_prefix('-')?.strip_suffix("Z.db"))
            .is_some_and(|time| time.starts_with(|first: char| first.is_ascii_digit()));
        of_a_command || backup
    };
    let folder = super::folder_of(db);
    let mut files = fs::read_dir(folder).ok()?.flatten();
    let found = files.find(|entry| kept(&entry.file_name().to_string_lossy()))?;
    Some(found.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_a_new_office_unless_something_beside_it_tells_otherwise() {
        for sign in [
            "a.db-wal",
            "a.db-shm",
            "a.db-spool",
            "a.db.before-v3.bak",
            "a.db.replaced-2026-11-23T103000.123Z",
            "a-2026-11-23T103000.123Z.db",
            "a.db.lock",
        ] {
            let folder = tempfile::tempdir().unwrap();
            let db = folder.path().join("a.db");
            refuse_remains(&db).unwrap();
            fs::write(&db, "").unwrap();
            fs::write(folder.path().join("b.db-wal"), "x").unwrap();
            // One that was killed in its first moment has left this.
            fs::write(folder.path().join("a.db.lock"), "").unwrap();
            refuse_remains(&db).unwrap();
            fs::write(folder.path().join(sign), "x").unwrap();
            let said = refuse_remains(&db).unwrap_err().to_string();
            assert!(said.contains(sign) && said.contains("restore"), "{said}");
            fs::write(&db, "x").unwrap();
            refuse_remains(&db).unwrap();
        }
    }
}
