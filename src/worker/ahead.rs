//! Reads the files of the jobs that are next while every worker is busy with another one, so that only
//! the checking is left when their turn comes.

use std::time::Duration;

use super::reading;
use crate::app::App;
use crate::error::Result;
use crate::id::JobId;
use crate::stop::Stop;
use crate::store::jobs::{self, ToRead};
use crate::store::uploads::{self, Status};

/// The largest file that is read ahead: its job may have to wait until that is done, and can't tell how
/// far it is meanwhile.
const BYTES_MAX: u64 = 4 << 20;

/// How long one sleeps before one looks by oneself, in case a ring was lost.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Runs until the bell is closed; `stop` ends what is being read.
pub fn run(app: &App, stop: &Stop) {
    super::give_way();
    // A file that can't be read is not tried again here; its job will tell why.
    let mut tried = JobId(0);
    while !app.bell.is_closed() {
        let changes = app.bell.changes();
        match next(app, tried) {
            Ok(Some(next)) => {
                tried = next.job;
                if let Err(error) = read(app, &next, stop) {
                    log::debug!("job={} is not read ahead: {error}", next.job);
                }
            }
            Ok(None) => app.bell.wait_for_change(changes, LOOK_EVERY),
            Err(error) => {
                log::debug!("nothing is read ahead: {error}");
                app.bell.wait_for_close(app.settings.trouble_wait);
            }
        }
    }
}

/// The next file to read after that of job `tried`, among as many jobs as there are workers. None while a
/// worker has nothing to do, for it would read the file at once.
///
/// # Errors
/// `Database`.
pub fn next(app: &App, tried: JobId) -> Result<Option<ToRead>> {
    let workers = app.settings.workers.max(1);
    if app.runs.all().len() < workers || app.db.room().is_full() {
        return Ok(None);
    }
    app.db
        .read_one(|c| jobs::next_to_read(c, tried, workers, BYTES_MAX))
}

/// Reads the file of a job, unless its worker does so already.
///
/// # Errors
/// A `Problem` where the file can't be read; `Stopped` where `stop` was asked or the job has ended.
pub fn read(app: &App, next: &ToRead, stop: &Stop) -> Result<()> {
    let _turn = reading::take_turn(app, next.upload, next.job, stop)?;
    let upload = app.db.read(|c| uploads::by_no(c, next.upload))?;
    if upload.status != Status::Received {
        return Ok(());
    }
    reading::read(
        app,
        &upload,
        stop,
        &mut |tx, _, _| jobs::still_active(tx, next.job),
        &mut || {},
    )
}
