//! The JSON of a stored file: its document, or its rows a line each, sent in pages.

use std::sync::Arc;

use rouille::{Response, ResponseBody};

use crate::db::Db;
use crate::error::{Error, Result};
use crate::http::call::Call;
use crate::http::downloads;
use crate::http::handlers::files;
use crate::http::problem;
use crate::http::routes::{Route, Who};
use crate::id::UploadNo;
use crate::sheet::document::{Document, FileFacts, Objects};
use crate::sheet::{Row, SheetInfo, summary};
use crate::store::jobs::{self, Job};
use crate::store::{rows, uploads};
use crate::words::Code;

pub(in crate::http) const ROUTES: &[Route] = &[Route {
    method: "GET",
    path: "/api/files/{id}/json",
    who: Who::Owner,
    summary: "A sheet as JSON; ?sheet= names it, ?format=ndjson gives a row a line, and of those ?limit= the first",
    handle: json,
}];

/// Rows fetched at a time.
const PAGE: u32 = 2_000;

fn json(call: &mut Call<'_, '_>) -> Result<Response> {
    let lines = match call.query("format").as_deref() {
        None | Some("json") => false,
        Some("ndjson") => true,
        Some(_) => {
            return Err(Error::problem(
                Code::BadRequest,
                "format must be json or ndjson.",
            ));
        }
    };
    let limit = match call.query("limit") {
        None => u64::MAX,
        Some(text) => text.parse().map_err(|_| {
            Error::problem(Code::BadRequest, "limit must be a whole number of rows.")
        })?,
    };
    if limit != u64::MAX && !lines {
        return Err(Error::problem(
            Code::BadRequest,
            "limit goes with format=ndjson; the JSON document is whole.",
        ));
    }
    let upload = files::find(call)?;
    if upload.status != uploads::Status::Stored {
        return Err(unread(call, upload.no)?);
    }
    let sheets = call.app.db.read(|c| uploads::sheets(c, upload.no))?;
    let sheet = match call.query("sheet") {
        Some(wanted) => summary::by_name(&sheets, &wanted)?,
        None => sheets
            .iter()
            .find(|sheet| Some(sheet.position) == upload.default_sheet)
            .ok_or_else(|| Error::problem(Code::EmptyFile, "No sheet of the file has any data."))?,
    }
    .clone();
    let name = match upload.filename.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem.to_owned(),
        _ => upload.filename.clone(),
    };
    let mut pages = Pages::new(Arc::clone(&call.app.db), upload.no, &sheet);
    pages.left = pages.left.min(limit);
    if lines {
        return Ok(downloads::attachment(
            respond(ndjson(pages, &sheet)),
            "application/x-ndjson",
            &format!("{name}.ndjson"),
        ));
    }
    let facts = FileFacts {
        filename: upload.filename,
        format: upload.format,
        sha256: upload.sha256,
        uploaded_at: Some(upload.uploaded_at.to_string()),
        uploaded_by: Some(upload.uploaded_by),
        encoding: upload.encoding,
        delimiter: upload.delimiter,
    };
    Ok(downloads::attachment(
        respond(document(pages, facts, sheet, sheets)),
        "application/json",
        &format!("{name}.json"),
    ))
}

/// The rows of a sheet, page by page.
struct Pages {
    db: Arc<Db>,
    no: UploadNo,
    sheet: u32,
    /// The last row so far.
    after: u32,
    /// Rows that are still to come.
    left: u64,
}

impl Pages {
    fn new(db: Arc<Db>, no: UploadNo, sheet: &SheetInfo) -> Pages {
        Pages {
            db,
            no,
            sheet: sheet.position,
            after: 0,
            left: sheet.rows,
        }
    }

    /// The next page; empty at the end.
    fn next(&mut self) -> Result<Vec<Row>> {
        let wanted = u32::try_from(self.left.min(u64::from(PAGE))).unwrap_or(PAGE);
        if wanted == 0 {
            return Ok(Vec::new());
        }
        let page = self
            .db
            .read(|c| rows::page(c, self.no, self.sheet, self.after, wanted))?;
        match page.last() {
            Some(last) => self.after = last.number,
            // Somebody deleted the file meanwhile: nobody may take the part for the whole.
            None if self.left > 0 => {
                return Err(Error::Internal("the file's rows are gone".to_owned()));
            }
            None => {}
        }
        let size = u64::try_from(page.len()).unwrap_or(u64::MAX);
        self.left = self.left.saturating_sub(size);
        Ok(page)
    }
}

fn ndjson(mut pages: Pages, sheet: &SheetInfo) -> ResponseBody {
    let objects = Objects::new(&sheet.columns);
    downloads::stream(move |buffer| {
        let page = pages.next()?;
        for row in &page {
            objects.line(row, buffer)?;
        }
        Ok(!page.is_empty())
    })
}

fn document(
    mut pages: Pages,
    facts: FileFacts,
    sheet: SheetInfo,
    sheets: Vec<SheetInfo>,
) -> ResponseBody {
    let mut document = None;
    downloads::stream(move |buffer| {
        let writing = document.get_or_insert_with(|| Document::begin(&sheet, buffer));
        let page = pages.next()?;
        for row in &page {
            writing.row(row.number, &row.cells, buffer)?;
        }
        if page.is_empty()
            && let Some(document) = document.take()
        {
            document.end(&facts, &sheet, &sheets, buffer)?;
            return Ok(false);
        }
        Ok(true)
    })
}

fn respond(data: ResponseBody) -> Response {
    Response {
        status_code: 200,
        headers: Vec::new(),
        data,
        upgrade: None,
    }
}

/// Why the rows of a file are not there: its job has not come to it, or could not read it.
fn unread(call: &Call<'_, '_>, no: UploadNo) -> Result<Error> {
    let job = call.app.db.read(|c| jobs::newest_of_upload(c, no))?;
    Ok(match job {
        Some(job) if job.status.is_active() => Error::problem(
            Code::NotFinished,
            "The rows of this file have not been read yet. Its job does that.",
        ),
        Some(Job {
            error: Some((code, message)),
            ..
        }) if problem::status(code) < 500 => Error::problem(code, message),
        Some(_) | None => Error::problem(
            Code::NotFinished,
            "The rows of this file have not been read. Process it to read them.",
        ),
    })
}
