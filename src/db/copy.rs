//! A consistent copy of a database file, whoever writes to it meanwhile: made beside its place, checked,
//! on the disk, and only then renamed into it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags};

use crate::error::{Error, Result};
use crate::words::Code;

/// Pages copied in one step.
const STEP_PAGES: i32 = 1_000;

/// How long a step waits for another program's lock.
const BUSY_WAIT: Duration = Duration::from_secs(5);

/// Copies `source` to `dest` and replaces what may be there, whole; the copy's bytes.
///
/// # Errors
/// What kept it from being made, or what its integrity check found; then `dest` is as it was.
pub fn make(source: &Path, dest: &Path) -> Result<u64> {
    let partial = beside(dest, ".partial");
    let made = copy(source, &partial).and_then(|()| check(&partial));
    if let Err(error) = made {
        // Half a copy is of no use to anybody; that it can't be removed changes nothing here.
        let _ = fs::remove_file(&partial);
        return Err(error);
    }
    fs::rename(&partial, dest)?;
    sync_folder(dest)?;
    Ok(fs::metadata(dest)?.len())
}

/// `path` with `suffix` at the end of its name.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(suffix);
    PathBuf::from(name)
}

fn copy(source: &Path, partial: &Path) -> Result<()> {
    if partial.exists() {
        fs::remove_file(partial)?;
    }
    private_file(partial)?;
    let source = Connection::open_with_flags(source, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    source.busy_timeout(BUSY_WAIT)?;
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
    sync_file(partial)?;
    Ok(())
}

/// Makes what was written into a file survive a power cut.
///
/// # Errors
/// What the file system said.
pub fn sync_file(path: &Path) -> Result<()> {
    // Windows does that only for whoever may write.
    fs::OpenOptions::new().write(true).open(path)?.sync_all()?;
    Ok(())
}

fn check(copy: &Path) -> Result<()> {
    let connection = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let Some(verdict) = damage(&connection)? else {
        return Ok(());
    };
    Err(Error::problem(
        Code::Internal,
        format!(
            "The copy failed its integrity check: {verdict}. Run `sheetline check` on the database."
        ),
    ))
}

/// The first thing that is wrong with a database file, if anything is.
///
/// # Errors
/// What SQLite said.
pub fn damage(connection: &Connection) -> rusqlite::Result<Option<String>> {
    let verdict: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    Ok((verdict != "ok").then_some(verdict))
}

/// A new, empty file that only its owner can read.
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

/// Gives `path` the owner of `like`, where this user may: what the superuser makes beside a database must
/// be of use to the server, which is another user.
pub fn own_like(path: &Path, like: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, chown};
        if let (Ok(own), Ok(wanted)) = (fs::metadata(path), fs::metadata(like))
            && own.uid() != wanted.uid()
        {
            // Only the superuser may; everybody else made a file of their own, as it should be.
            let _ = chown(path, Some(wanted.uid()), Some(wanted.gid()));
        }
    }
    #[cfg(not(unix))]
    let _ = (path, like);
}

/// Makes a rename in the folder of `path` survive a power cut.
///
/// # Errors
/// What the file system said.
pub fn sync_folder(path: &Path) -> Result<()> {
    // Elsewhere a folder can't be opened, and the file system keeps its own journal.
    if cfg!(unix) {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}
