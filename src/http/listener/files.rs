//! How many files the system lets this process open.

/// Files beside the connections: the database's, the log, children's pipes, whoever is turned away.
const OTHER_FILES: u64 = 256;
/// A connection's socket and the file of an upload that it may bring.
const FILES_A_CONNECTION: u64 = 2;

/// Raises the limit as far as the system allows; how many connections fit under it.
pub(super) fn connections_possible() -> usize {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(files) => {
            let connections = files.saturating_sub(OTHER_FILES) / FILES_A_CONNECTION;
            usize::try_from(connections).unwrap_or(usize::MAX).max(1)
        }
        Err(error) => {
            log::warn!("the limit of open files could not be raised: {error}");
            384
        }
    }
}
