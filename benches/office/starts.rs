//! How long a server takes until it is ready, on the files that the one before has left.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::client::{self, Served};

pub(crate) const DATABASE: &str = "office.db";
pub(crate) const LOG: &str = "office.db-wal";

/// How often the server is started on what a killed one left.
const KILLED: usize = 5;

/// A server, and how long it took until it was ready.
pub(crate) fn start(folder: &Path, flags: &[&str]) -> (Served, Duration) {
    let began = Instant::now();
    let served = client::serve(folder, flags);
    (served, began.elapsed())
}

/// Milliseconds of some starts on the files as a killed server has left them. A start moves its log home, so each
/// has a copy.
pub(crate) fn after_a_kill(folder: &Path, flags: &[&str]) -> Vec<f64> {
    (0..KILLED).map(|_| on_a_copy(folder, flags)).collect()
}

fn on_a_copy(folder: &Path, flags: &[&str]) -> f64 {
    let copy = tempfile::tempdir().unwrap();
    for name in [DATABASE, LOG] {
        let to = copy.path().join(name);
        std::fs::copy(folder.join(name), &to).unwrap();
        // So that the disk has nothing to do when the server starts.
        File::open(&to).unwrap().sync_all().unwrap();
    }
    let (served, took) = start(copy.path(), flags);
    served.kill();
    took.as_secs_f64() * 1e3
}
