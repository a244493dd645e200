//! From a spooled file to an upload and, where asked, a job. What a 201 or 202 promises is
//! committed in one transaction, the kept answer of an Idempotency-Key included.

pub mod bytes;
pub mod look;
pub mod name;
pub mod once;
pub mod rows;
pub mod spool;

use serde_json::{Value, json};

pub use once::{First, InFlight, Turn};
pub use spool::Spool;

use crate::accounts::Caller;
use crate::db::{Db, Tx};
use crate::error::{Error, Problem, Result};
use crate::id::{self, UploadNo};
use crate::settings::Settings;
use crate::sheet::{ReadOptions, summary};
use crate::stop::Stop;
use crate::store::idempotency::Answer;
use crate::store::jobs::{self, Enqueued, JobOptions, NewJob};
use crate::store::uploads::{self, NewUpload, Status};
use crate::words::{Code, DayOrder, Format, OnDuplicate, Role};

/// A file that has come in whole and whose format is known.
pub struct Arrived {
    pub spool: Spool,
    pub filename: String,
    pub format: Format,
    pub options: ReadOptions,
}

/// How a file is to be processed.
#[derive(Debug, Clone)]
pub struct Order {
    pub template: String,
    pub template_version: i64,
    pub on_duplicate: OnDuplicate,
    pub sheet: Option<String>,
    /// Where columns go: `{"column": "field"}`.
    pub mapping: Option<Value>,
    /// Which of day and month comes first where a column's own dates don't tell.
    pub date_order: Option<DayOrder>,
}

/// "Upload as JSON": reads the file now and keeps its rows.
///
/// # Errors
/// A `Problem` where the file can't be read, or the sender may not send it any more; then nothing of it is
/// kept.
pub fn store_json(
    db: &Db,
    settings: &Settings,
    sender: &Caller,
    mut arrived: Arrived,
    first: &First<'_>,
    stop: &Stop,
) -> Result<Answer> {
    let new = new_upload(sender, &arrived);
    let no = receive(db, &mut arrived.spool, &new, first)?;
    let source = rows::Source {
        path: arrived.spool.path(),
        format: arrived.format,
        options: &arrived.options,
    };
    let kept = rows::store(
        db,
        settings,
        &source,
        (no, rows::Form::Lines),
        stop,
        &mut |_, _| Ok(()),
        &mut || {},
    )
    .and_then(|found| {
        db.write(|tx| {
            sender.check_again(tx)?;
            uploads::keep_sheets(tx, no, &found.file, &found.sheets)?;
            uploads::change_status(tx, no, Status::Receiving, Status::Stored)?;
            let duplicate = uploads::same_content(tx, sender.user.id, &new.sha256, no)?;
            let body = stored_body(sender, &new, &found, duplicate);
            let answer = Answer {
                status: 201,
                location: Some(format!("/api/files/{}", new.id)),
                body: body.to_string(),
            };
            first.keep(tx, &answer)?;
            Ok(answer)
        })
    });
    match &kept {
        Ok(_) => db.room().is_back(),
        Err(_) => forget(db, first, no),
    }
    kept
}

/// "Upload & Process Now": keeps the file and queues a job for it.
///
/// # Errors
/// `job-in-progress`, with the active job's id as member `job_id`, where the sender has one; as
/// [`Caller::check_again`]. Then nothing is kept.
pub fn store_and_queue(
    db: &Db,
    sender: &Caller,
    mut arrived: Arrived,
    order: &Order,
    first: &First<'_>,
) -> Result<Answer> {
    let new = new_upload(sender, &arrived);
    let no = receive(db, &mut arrived.spool, &new, first)?;
    let queued = db.write(|tx| {
        sender.check_again(tx)?;
        uploads::change_status(tx, no, Status::Receiving, Status::Received)?;
        let job = enqueue(tx, sender, no, "upload_and_process", order)?;
        let duplicate = uploads::same_content(tx, sender.user.id, &new.sha256, no)?;
        let answer = queued_answer(
            tx,
            sender,
            job,
            &new.id,
            &new.filename,
            duplicate,
            "was received and ",
        )?;
        first.keep(tx, &answer)?;
        Ok(answer)
    });
    match &queued {
        Ok(_) => db.room().is_back(),
        Err(_) => forget(db, first, no),
    }
    queued
}

/// Queues a job for a file that is here already.
///
/// # Errors
/// As [`store_and_queue`]; `not-found` where the file has been deleted or given away since it was looked up.
pub fn queue(
    db: &Db,
    sender: &Caller,
    upload: &uploads::Upload,
    operation: &'static str,
    order: &Order,
) -> Result<Answer> {
    db.write(|tx| {
        sender.check_again(tx)?;
        see_to_it_that_it_is_there(tx, sender, upload)?;
        let job = enqueue(tx, sender, upload.no, operation, order)?;
        queued_answer(tx, sender, job, &upload.id, &upload.filename, None, "")
    })
}

/// Between the look at the file and now somebody may have deleted it, or have given it to somebody else.
fn see_to_it_that_it_is_there(
    tx: &Tx<'_>,
    sender: &Caller,
    upload: &uploads::Upload,
) -> Result<()> {
    let now = uploads::by_id(tx, &upload.id)?.ok_or_else(|| {
        Error::problem(
            Code::NotFound,
            "This file was deleted a moment ago. Upload it again.",
        )
    })?;
    if now.user == upload.user || sender.user.role == Role::Admin {
        Ok(())
    } else {
        Err(Error::not_found())
    }
}

/// The bytes, for an upload that nobody is promised yet.
fn receive(db: &Db, spool: &mut Spool, new: &NewUpload, first: &First<'_>) -> Result<UploadNo> {
    bytes::store(
        db,
        spool,
        new.format,
        |tx| uploads::insert(tx, new, Status::Receiving),
        |no| forget(db, first, no),
    )
}

fn new_upload(sender: &Caller, arrived: &Arrived) -> NewUpload {
    NewUpload {
        id: id::new_upload_id(),
        user: sender.user.id,
        filename: arrived.filename.clone(),
        size: arrived.spool.size(),
        sha256: arrived.spool.sha256(),
        format: arrived.format,
        options: arrived.options.clone(),
    }
}

fn enqueue(
    tx: &Tx<'_>,
    sender: &Caller,
    upload: UploadNo,
    operation: &'static str,
    order: &Order,
) -> Result<id::JobId> {
    let new = NewJob {
        user: sender.user.id,
        upload,
        operation,
        template: order.template.clone(),
        template_version: order.template_version,
        on_duplicate: order.on_duplicate,
        options: JobOptions {
            sheet: order.sheet.clone(),
            mapping: order.mapping.clone(),
            date_order: order.date_order,
        },
    };
    match jobs::enqueue(tx, &new)? {
        Enqueued::Queued(job) => Ok(job),
        Enqueued::HasActive(job) => Err(Error::from(
            Problem::new(Code::JobInProgress, "You already have a job in progress")
                .with("job_id", job.0),
        )),
    }
}

fn queued_answer(
    tx: &Tx<'_>,
    sender: &Caller,
    job: id::JobId,
    upload_id: &str,
    filename: &str,
    duplicate: Option<String>,
    came: &str,
) -> Result<Answer> {
    let position: i64 = jobs::position(tx, job)?;
    let body = json!({
        "success": true,
        "message": format!("{filename} {came}waits to be processed."),
        "file_upload_id": upload_id,
        "job_id": job.0,
        "status": "pending",
        "filename": filename,
        "processed_by": sender.user.username,
        "queue_position": position,
        "duplicate_of": duplicate,
    });
    Ok(Answer {
        status: 202,
        location: Some(format!("/api/jobs/{job}")),
        body: body.to_string(),
    })
}

fn stored_body(
    sender: &Caller,
    new: &NewUpload,
    found: &rows::Found,
    duplicate: Option<String>,
) -> Value {
    let default = found.default_sheet();
    json!({
        "success": true,
        "message": format!("{} was stored.", new.filename),
        "file_upload_id": new.id,
        "filename": new.filename,
        "status": "stored",
        "uploaded_by": sender.user.username,
        "sha256": new.sha256,
        "format": new.format.as_str(),
        "sheets": found.sheets.iter().map(summary::line).collect::<Vec<_>>(),
        "rows": default.map(|sheet| sheet.rows),
        "columns": default.map(|sheet| sheet.columns.len()),
        "duplicate_of": duplicate,
    })
}

/// Takes an upload that failed out of the way. Where even that fails (a full disk has no room to
/// remove something either), the scheduler or the next start does it.
fn forget(db: &Db, first: &First<'_>, no: UploadNo) {
    if let Err(error) = remove_unpromised(db, no) {
        log::warn!("upload {} could not be removed yet: {error}", no.0);
        first.in_flight().leave(no);
    }
}

/// Removes what [`forget`] had to leave.
///
/// # Errors
/// `Database`; what is left is tried again.
pub fn remove_left(db: &Db, in_flight: &InFlight) -> Result<()> {
    let mut left = in_flight.take_left().into_iter();
    while let Some(no) = left.next() {
        if let Err(error) = remove_unpromised(db, no) {
            in_flight.leave(no);
            left.for_each(|no| in_flight.leave(no));
            return Err(error);
        }
    }
    Ok(())
}

/// Removes an upload that nobody was promised, with its rows and bytes.
///
/// # Errors
/// `Database`.
pub fn remove_unpromised(db: &Db, no: UploadNo) -> Result<()> {
    purge(db, no)?;
    db.write(|tx| uploads::remove_unpromised(tx, no))
}

/// Removes the rows and bytes of a deleted upload, in small steps.
///
/// # Errors
/// `Database`.
pub fn purge(db: &Db, no: UploadNo) -> Result<()> {
    rows::discard(db, no)?;
    while !db.write_ahead(|tx| uploads::purge_chunks_step(tx, no, uploads::PURGE_CHUNKS))? {}
    Ok(())
}

/// Removes what nobody refers to any more, in small steps.
///
/// # Errors
/// `Database`.
pub fn tidy(db: &Db) -> Result<()> {
    while let Some(no) = db.read(uploads::next_to_purge)? {
        purge(db, no)?;
    }
    Ok(())
}
