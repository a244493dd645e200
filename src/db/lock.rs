//! One server owns a database file: a second one refuses to start.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::copy;
use crate::error::{Error, Result};
use crate::words::Code;

/// Held as long as the server runs; the system lets go of it however the process ends.
#[derive(Debug)]
pub struct Lock(File);

impl Lock {
    /// Leaves word that there has been a database beside it, for whoever finds an empty one.
    pub fn mark(&self) {
        // A full disk keeps nobody from starting: then the next start leaves it.
        let _ = (&self.0).write_all(b"A server has worked on the database beside this.\n");
    }
}

/// The database file itself, where `db` is a link to it: two servers that know one file by two names would
/// each find its own lock free.
///
/// # Errors
/// `bad-request` where the file has a second name that nothing leads to (a hard link): SQLite would keep a
/// log for each of them, and lose what stands in one.
pub fn real(db: &Path) -> Result<PathBuf> {
    let real = match fs::read_link(db) {
        // What it leads to may be a link again, or still to be made.
        Ok(target) => fs::canonicalize(db)
            .unwrap_or_else(|_| db.parent().unwrap_or(Path::new("")).join(target)),
        Err(_) => db.to_owned(),
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        if fs::metadata(&real).is_ok_and(|file| file.nlink() > 1) {
            return Err(Error::problem(
                Code::BadRequest,
                format!(
                    "The database {} has a second name (a hard link), and under two names it would be damaged. Remove the other one, or name a copy with --db.",
                    db.display()
                ),
            ));
        }
    }
    Ok(real)
}

/// Takes the lock beside the database file.
///
/// # Errors
/// `busy` where another server has it.
pub fn take(db: &Path) -> Result<Lock> {
    let name = copy::beside(db, ".lock");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let file = options
        .open(&name)
        .map_err(|error| super::unusable(db, error.into()))?;
    copy::own_like(&name, db);
    match file.try_lock() {
        Ok(()) => Ok(Lock(file)),
        Err(TryLockError::WouldBlock) => Err(Error::problem(
            Code::Busy,
            format!(
                "Another sheetline serves {} already. Stop it first, or name another file with --db.",
                db.display()
            ),
        )),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_server_on_the_same_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let db = folder.path().join("a.db");
        let first = take(&db).unwrap();
        assert!(take(&db).is_err());
        drop(first);
        assert!(take(&db).is_ok());
    }
}
