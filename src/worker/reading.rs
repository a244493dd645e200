//! From the stored bytes of a file to its stored rows, once for each upload: a job and whoever reads
//! ahead for it don't do so both.

use crate::app::App;
use crate::db::Tx;
use crate::error::Result;
use crate::id::{JobId, UploadNo};
use crate::intake::rows::{self, Progress};
use crate::intake::{Spool, bytes};
use crate::stop::Stop;
use crate::store::uploads::{self, Status, Upload};
use crate::turns::Turn;
use crate::words::Phase;

/// Waits until nobody else reads the file. Whoever has its turn looks again whether there is still
/// something to read.
///
/// # Errors
/// `Stopped` where the work is asked to stop meanwhile.
pub(super) fn take_turn<'a>(
    app: &'a App,
    upload: UploadNo,
    job: JobId,
    stop: &Stop,
) -> Result<Turn<'a>> {
    app.reading.take(&upload.0.to_string(), job, stop, || {})
}

/// Reads the file and stores its rows. `each` runs first in every transaction: it proves that the rows
/// are still wanted, and is told how far they are. `after` runs when it is committed.
///
/// # Errors
/// A `Problem` where the file can't be read; `Stopped` where `stop` was asked or `each` says so.
pub(super) fn read(
    app: &App,
    upload: &Upload,
    stop: &Stop,
    each: &mut dyn FnMut(&Tx<'_>, Phase, Progress) -> Result<()>,
    after: &mut dyn FnMut(),
) -> Result<()> {
    rows::discard(&app.db, upload.no)?;
    let mut spool = Spool::new(&app.settings.spool())?;
    bytes::fetch(&app.db, upload.no, upload.size, &mut spool)?;
    let source = rows::Source {
        path: spool.path(),
        format: upload.format,
        options: &upload.options,
    };
    let found = rows::store(
        &app.db,
        &app.settings,
        &source,
        (upload.no, rows::Form::Packs),
        stop,
        &mut |tx, progress| each(tx, Phase::Reading, progress),
        after,
    )?;
    let all = Progress {
        rows_done: 0,
        rows_total: found.default_sheet().map(|sheet| sheet.rows),
    };
    app.db.write_ahead(|tx| {
        each(tx, Phase::Validating, all)?;
        uploads::keep_sheets(tx, upload.no, &found.file, &found.sheets)?;
        uploads::change_status(tx, upload.no, Status::Received, Status::Stored)
    })?;
    after();
    Ok(())
}
