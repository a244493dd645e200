//! One server owns a database file: a second one refuses to start.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::Path;

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
