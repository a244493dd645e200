//! Where the database lies: who may read it, how much room there is, and on what kind of disk.

use std::path::Path;

use super::{Finding, mounts};

/// Megabytes that should be free on the disk: room for an upload of the largest size, its rows and
/// its records.
const FREE_MB_LEAST: u64 = 500;

pub(super) fn all(path: &Path) -> Vec<Finding> {
    vec![permissions(path), room(path), file_system(path)]
}

pub(super) fn permissions(path: &Path) -> Finding {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        if let Ok(facts) = std::fs::metadata(path) {
            let mode = facts.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                return Finding::problem(
                    "permissions",
                    format!("others may read the database (mode {mode:o})"),
                    format!("chmod 600 {}", path.display()),
                );
            }
            // Whoever may write a folder may replace what is in it.
            let folder = path.canonicalize().ok();
            let folder = folder.as_deref().and_then(Path::parent);
            if let Some(folder) = folder
                && let Ok(about) = std::fs::metadata(folder)
                && about.permissions().mode() & 0o022 != 0
                && about.permissions().mode() & 0o1000 == 0
            {
                return Finding::problem(
                    "permissions",
                    format!(
                        "others may write the database's folder (mode {:o})",
                        about.permissions().mode() & 0o777
                    ),
                    format!("chmod go-w {}", folder.display()),
                );
            }
            let lock = crate::db::copy::beside(path, ".lock");
            if let Ok(lock) = std::fs::metadata(lock)
                && lock.uid() != facts.uid()
            {
                return Finding::problem(
                    "permissions",
                    "the database and its lock file belong to different users",
                    format!(
                        "chown them to the server's user: chown USER {}*",
                        path.display()
                    ),
                );
            }
        }
    }
    #[cfg(not(unix))]
    let _ = path;
    Finding::sound("permissions", "only its owner can read the database")
}

fn room(path: &Path) -> Finding {
    let full = path.canonicalize();
    let folder = full.as_deref().ok().and_then(Path::parent);
    match folder.map(fs4::available_space) {
        Some(Ok(bytes)) if bytes / 1_000_000 >= FREE_MB_LEAST => Finding::sound(
            "room",
            format!("{} MB are free on the disk", bytes / 1_000_000),
        ),
        Some(Ok(bytes)) => Finding::problem(
            "room",
            format!("only {} MB are free on the disk", bytes / 1_000_000),
            "make room, or purge old files with --retain-days",
        ),
        Some(Err(error)) => Finding::problem(
            "room",
            format!("how much room the disk has can't be told ({error})"),
            "look by hand (df)",
        ),
        None => Finding::problem(
            "room",
            "the database's folder can't be read",
            "look whether this user may enter it",
        ),
    }
}

/// Network shares don't lock files the way SQLite needs; what is in memory is gone at the next start.
pub(super) fn file_system(path: &Path) -> Finding {
    let Some(kind) = mounts::kind_of(path) else {
        return Finding::sound(
            "file-system",
            "on what kind of file system the database lies can't be told here; it must be a local disk",
        );
    };
    if mounts::is_network(&kind) {
        Finding::problem(
            "file-system",
            format!(
                "the database lies on a network share ({kind}): it will be locked, slow, or damaged"
            ),
            "move it to a local disk: sheetline backup there, then start with --db",
        )
    } else if mounts::is_memory(&kind) {
        Finding::problem(
            "file-system",
            format!(
                "the database lies in memory ({kind}) and is gone when the machine starts again"
            ),
            "move it to a disk: sheetline backup there, then start with --db",
        )
    } else {
        Finding::sound(
            "file-system",
            format!("the database lies on a local disk ({kind})"),
        )
    }
}
