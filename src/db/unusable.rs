//! What keeps a database from being opened, told so that a person knows what to do.

use std::path::Path;

use rusqlite::ErrorCode;

use super::folder_of;
use crate::error::Error;
use crate::words::Code;

/// The index of the write-ahead log, without which not even reading is possible.
const INDEX_BYTES: u64 = 32 << 10;

/// What keeps a file from being opened, in words that name the setting. Another program's lock stays
/// what it is.
pub fn unusable(path: &Path, error: Error) -> Error {
    if error.is_busy() && !error.is_unwritable() {
        return error;
    }
    if let Error::Database(cause) = &error
        && matches!(
            cause.sqlite_error_code(),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        )
        && path.is_file()
    {
        return Error::problem(
            Code::Internal,
            format!(
                "The database {} is damaged or no database ({cause}). Put a backup in its place with `sheetline restore FILE --force`, or name another file with --db.",
                path.display()
            ),
        );
    }
    let reason = match &error {
        Error::Io(error) => error.to_string(),
        Error::Database(_) if path.is_dir() => "it is a folder".to_owned(),
        Error::Database(error) => error.to_string(),
        Error::Problem(_) | Error::Internal(_) | Error::Stopped => return error,
    };
    // An index that can't be made in a full folder is told as a failing disk.
    let folder = folder_of(path);
    let is_full = || fs4::available_space(folder).is_ok_and(|free| free < INDEX_BYTES);
    if error.is_disk_full() || error.is_unwritable() && is_full() {
        return Error::problem(
            Code::DiskFull,
            format!(
                "There is no room left where the database {} lies, not even for the index that reading needs. Make some, a megabyte is enough, or name a copy on another disk with --db.",
                path.display()
            ),
        );
    }
    Error::problem(
        Code::Internal,
        format!(
            "The database {} can't be opened: {reason}. Name another file with --db, or see to it that this program may read and write it and its folder.",
            path.display()
        ),
    )
}
