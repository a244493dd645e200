//! Whether there is room on the disk: what is known since something failed for want of it, and the
//! looks that find out when there is room again.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::Result;
use crate::faults;

/// How long a failure (or a look that failed) stands before it is looked again.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Bytes that must be free before the disk counts as not full: less would be gone at once.
const ROOM_BYTES: u64 = 1 << 20;

/// Bytes that are held back for the small writes of a full disk: that a job waits, that it was
/// cancelled, who is signed in.
const RESERVE_BYTES: u64 = 512 << 10;

/// Bytes that a job can be said to need at most.
const JOB_ROOM_BYTES_MAX: u64 = 4 << 30;

/// After so long a job that found no room is tried again whatever is free: quotas and limits of the
/// database itself can't be looked at.
const TRY_ANYWAY_AFTER: Duration = Duration::from_secs(600);

/// What is known about the room on the disk. All times are monotonic.
#[derive(Debug, Default)]
pub struct Room(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// When something failed for want of room, or was looked for in vain; `None`: there is room.
    full_at: Option<Duration>,
    /// What the last job that found no room is waited with.
    job: Option<JobWait>,
    /// A file without a name that takes [`RESERVE_BYTES`], until they are needed.
    reserve: Option<File>,
}

#[derive(Debug, Clone, Copy)]
struct JobWait {
    since: Duration,
    bytes: u64,
}

impl Room {
    /// Holds something back for when the disk is full, if there is that much.
    pub fn hold_reserve(&self, folder: &Path) {
        let mut state = self.lock();
        if state.reserve.is_none() {
            state.reserve = fill(folder, RESERVE_BYTES).ok();
        }
    }

    /// Something failed for want of room. What was held back can be used from now on.
    pub fn ran_out(&self, now: Duration) {
        let mut state = self.lock();
        state.full_at = Some(now);
        state.reserve = None;
    }

    /// Something large was written.
    pub fn is_back(&self) {
        self.lock().full_at = None;
    }

    /// Whether the last look, or something written, found the disk full.
    pub fn is_full(&self) -> bool {
        self.lock().full_at.is_some()
    }

    /// Where the disk was full: looks, now and then, whether it still is, by writing in `folder`
    /// what is gone again at once. Between two looks the last one holds.
    ///
    /// # Errors
    /// `Io` where there is no room.
    pub fn look(&self, folder: &Path, now: Duration) -> Result<()> {
        let Some(full_at) = self.lock().full_at else {
            return Ok(());
        };
        if now.saturating_sub(full_at) < LOOK_EVERY {
            return Err(none().into());
        }
        let tried = try_room(folder);
        self.lock().full_at = tried.is_err().then_some(now);
        if tried.is_ok() {
            self.hold_reserve(folder);
        }
        tried
    }

    /// A job was put back for want of room. Whoever asks [`Room::may_try_job`] waits for twice of
    /// what was waited for before: each try is a state change that history keeps.
    pub fn job_ran_out(&self, now: Duration) {
        let mut state = self.lock();
        let bytes = match state.job {
            Some(before) => (before.bytes * 2).min(JOB_ROOM_BYTES_MAX),
            None => ROOM_BYTES,
        };
        state.job = Some(JobWait { since: now, bytes });
    }

    /// A job got through.
    pub fn job_is_over(&self) {
        self.lock().job = None;
    }

    /// Whether it makes sense to begin a job.
    pub fn may_try_job(&self, folder: &Path, now: Duration) -> bool {
        let Some(wait) = self.lock().job else {
            return true;
        };
        now.saturating_sub(wait.since) >= TRY_ANYWAY_AFTER
            || fs4::available_space(folder).is_ok_and(|free| free >= wait.bytes)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn none() -> io::Error {
    io::Error::from(io::ErrorKind::StorageFull)
}

fn try_room(folder: &Path) -> Result<()> {
    if fs4::available_space(folder)? < ROOM_BYTES {
        return Err(none().into());
    }
    fill(folder, ROOM_BYTES)?;
    Ok(())
}

/// A file of so many bytes. It has no name, so that nothing is left of it however this process ends.
fn fill(folder: &Path, bytes: u64) -> io::Result<File> {
    faults::file()?;
    let mut file = tempfile::tempfile_in(folder)?;
    io::copy(&mut io::Read::take(io::repeat(0), bytes), &mut file)?;
    file.flush()?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_full_disk_stays_full_until_a_look_finds_room() {
        let folder = tempfile::tempdir().unwrap();
        let room = Room::default();
        assert!(room.look(folder.path(), SECOND).is_ok());
        room.ran_out(SECOND);
        assert!(room.is_full());
        assert!(room.look(folder.path(), SECOND * 2).is_err());
        assert!(room.look(Path::new("/no such folder"), SECOND * 6).is_err());
        assert!(room.look(folder.path(), SECOND * 7).is_err());
        assert!(room.look(folder.path(), SECOND * 11).is_ok());
        assert!(!room.is_full() && room.lock().reserve.is_some());
        room.ran_out(SECOND * 12);
        assert!(room.lock().reserve.is_none());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_job_that_found_no_room_is_tried_seldom_and_more_seldom() {
        let folder = tempfile::tempdir().unwrap();
        let room = Room::default();
        let may = |at: Duration| room.may_try_job(folder.path(), at);
        assert!(may(SECOND));
        // This disk has a megabyte, but hardly for ever twice as much as before.
        let mut tries = 0;
        while may(SECOND) && tries < 13 {
            room.job_ran_out(SECOND);
            tries += 1;
        }
        let lost = Path::new("/no such folder");
        assert!(!room.may_try_job(lost, SECOND * 600));
        assert!(room.may_try_job(lost, SECOND * 601));
        room.job_is_over();
        assert!(room.may_try_job(lost, SECOND));
    }
}
