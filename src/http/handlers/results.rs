//! What jobs made: reports, records and the office's list.

use std::sync::Arc;

use rouille::{Response, ResponseBody};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::catalog;
use crate::error::{Error, Result};
use crate::http::call::Call;
use crate::http::handlers::jobs as job_routes;
use crate::http::routes::{Route, Who};
use crate::http::{downloads, reply};
use crate::id::JobId;
use crate::report::export::{Member, csv, members};
use crate::store::jobs::{self, Job};
use crate::store::records;
use crate::words::{Code, State};

pub(in crate::http) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/api/jobs/{id}/report",
        who: Who::Owner,
        summary: "The report of a completed job",
        handle: report,
    },
    Route {
        method: "GET",
        path: "/api/jobs/{id}/records.json",
        who: Who::Owner,
        summary: "The job's records as JSON",
        handle: records_json,
    },
    Route {
        method: "GET",
        path: "/api/jobs/{id}/records.ndjson",
        who: Who::Owner,
        summary: "The job's records, a JSON object a line",
        handle: records_ndjson,
    },
    Route {
        method: "GET",
        path: "/api/jobs/{id}/records.csv",
        who: Who::Owner,
        summary: "The job's records as CSV for spreadsheet programs",
        handle: records_csv,
    },
    Route {
        method: "GET",
        path: "/api/jobs/{id}/changes",
        who: Who::Owner,
        summary: "Every value that was changed on the way in",
        handle: changes,
    },
    Route {
        method: "GET",
        path: "/api/records",
        who: Who::SignedIn,
        summary: "The office's clean list",
        handle: list,
    },
];

/// Records fetched at a time.
const PAGE: u32 = 1_000;

fn report(call: &mut Call<'_, '_>) -> Result<Response> {
    let job = job_routes::find(call)?;
    match call.app.db.read(|c| jobs::report(c, job.id))? {
        Some(text) => Ok(Response::from_data("application/json", text.into_bytes())
            .with_additional_header("Cache-Control", "no-store")),
        None => Err(not_finished(&job)),
    }
}

fn not_finished(job: &Job) -> Error {
    Error::problem(
        Code::NotFinished,
        match job.status {
            State::Pending => "This job waits for its turn; there is no result yet.",
            State::Processing => "This job is being processed; there is no result yet.",
            State::Failed | State::Timeout | State::Cancelled | State::Completed => {
                "This job ended without a result."
            }
        },
    )
}

/// The completed job in the path.
pub(in crate::http) fn completed(call: &Call<'_, '_>) -> Result<Job> {
    let job = job_routes::find(call)?;
    if job.status == State::Completed {
        Ok(job)
    } else {
        Err(not_finished(&job))
    }
}

/// The completed job in the path, whose records are wanted. One that was undone has none, from that moment
/// on, and not only when they are removed.
pub(in crate::http) fn with_records(call: &Call<'_, '_>) -> Result<Job> {
    let job = completed(call)?;
    if job.undone_at.is_some() {
        return Err(undone());
    }
    Ok(job)
}

fn undone() -> Error {
    Error::problem(
        Code::NotFound,
        "This import was undone, so it has no records any more. Process the file again to have them.",
    )
}

/// The next records of a job, none at its end.
///
/// # Errors
/// A `Problem` where the job was undone since the download began, so that a list with gaps does not look whole.
pub(in crate::http) fn next_records(
    connection: &Connection,
    job: JobId,
    after: i64,
) -> Result<Vec<records::OfJob>> {
    match jobs::by_id(connection, job)? {
        Some(job) if job.undone_at.is_some() => Err(undone()),
        _ => records::of_job(connection, job, after, PAGE),
    }
}

/// The name of a download: the file's own name with another ending.
pub(in crate::http) fn name(job: &Job, ending: &str) -> String {
    let stem = match job.filename.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => job.filename.as_str(),
    };
    format!("{stem}{ending}")
}

/// The records of a job in pages; `page` appends what a page is in the download's format.
fn in_pages(
    call: &Call<'_, '_>,
    job: &Job,
    begin: Vec<u8>,
    mut page: impl FnMut(&mut Vec<u8>, &[records::OfJob], bool) -> Result<()> + Send + 'static,
    end: &'static [u8],
) -> ResponseBody {
    let db = Arc::clone(&call.app.db);
    let id = job.id;
    let mut begin = Some(begin);
    let mut after = 0;
    let mut first = true;
    downloads::stream(move |buffer| {
        if let Some(begin) = begin.take() {
            buffer.extend_from_slice(&begin);
        }
        let found = db.read(|c| next_records(c, id, after))?;
        let Some(last) = found.last() else {
            buffer.extend_from_slice(end);
            return Ok(false);
        };
        after = last.id;
        page(buffer, &found, first)?;
        first = false;
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

fn records_json(call: &mut Call<'_, '_>) -> Result<Response> {
    let job = with_records(call)?;
    let data = in_pages(
        call,
        &job,
        b"{\"records\":[".to_vec(),
        |buffer, page, mut first| {
            for record in page {
                if !first {
                    buffer.push(b',');
                }
                first = false;
                buffer.extend_from_slice(record.data.as_bytes());
            }
            Ok(())
        },
        b"]}",
    );
    Ok(downloads::attachment(
        respond(data),
        "application/json",
        &name(&job, ".records.json"),
    ))
}

fn records_ndjson(call: &mut Call<'_, '_>) -> Result<Response> {
    let job = with_records(call)?;
    let data = in_pages(
        call,
        &job,
        Vec::new(),
        |buffer, page, _| {
            for record in page {
                buffer.extend_from_slice(record.data.as_bytes());
                buffer.push(b'\n');
            }
            Ok(())
        },
        b"",
    );
    Ok(downloads::attachment(
        respond(data),
        "application/x-ndjson",
        &name(&job, ".records.ndjson"),
    ))
}

fn records_csv(call: &mut Call<'_, '_>) -> Result<Response> {
    let job = with_records(call)?;
    let fields = fields(call, &job)?;
    let mut begin = Vec::new();
    csv::begin(&mut begin, &fields)?;
    // For programs that stumble over the mark.
    if call.query("bom").as_deref() == Some("0") {
        begin.drain(..csv::BYTE_ORDER_MARK.len());
    }
    let data = in_pages(
        call,
        &job,
        begin,
        move |buffer, page, _| {
            for record in page {
                csv::record(buffer, &fields, &record.data)?;
            }
            Ok(())
        },
        b"",
    );
    Ok(downloads::attachment(
        respond(data),
        "text/csv; charset=utf-8",
        &name(&job, ".records.csv"),
    ))
}

/// The fields of a job's records, in the template's order.
pub(in crate::http) fn fields(call: &Call<'_, '_>, job: &Job) -> Result<Vec<Member>> {
    let text = call
        .app
        .db
        .read(|c| jobs::report(c, job.id))?
        .ok_or_else(|| not_finished(job))?;
    Ok(members(&serde_json::from_str(&text)?))
}

fn changes(call: &mut Call<'_, '_>) -> Result<Response> {
    let job = with_records(call)?;
    let page = call.page()?;
    let (changes, next, total) = call.app.db.read(|c| {
        // Told once, with the first page: it looks at all of them.
        let total = match page.cursor {
            None => Some(records::count_changes(c, job.id)?),
            Some(_) => None,
        };
        let mut found = records::changed(c, job.id, page.cursor.unwrap_or(0), page.fetch())?;
        let next = page.cut(&mut found, |record| record.id);
        let mut changes: Vec<Value> = Vec::new();
        for record in &found {
            let list: Vec<Value> = serde_json::from_str(record.changes.as_deref().unwrap_or("[]"))?;
            changes.extend(list);
        }
        Ok((changes, next, total))
    })?;
    Ok(reply::json(
        200,
        &json!({ "success": true, "changes": changes, "total": total, "next_cursor": next }),
    ))
}

fn list(call: &mut Call<'_, '_>) -> Result<Response> {
    let page = call.page()?;
    let template = call
        .query("template")
        .unwrap_or_else(|| "companies".to_owned());
    let search = call.query("q").filter(|text| !text.trim().is_empty());
    let body = call.app.db.read(|c| {
        // A misspelt name would look like an empty list.
        catalog::ever_was(c, &template)?;
        let mut found = records::page(
            c,
            &template,
            search.as_deref().map(str::trim),
            page.cursor.unwrap_or(0),
            page.fetch(),
        )?;
        let next = page.cut(&mut found, |record| record.id);
        let items = found
            .iter()
            .map(|record| {
                let data: Value = serde_json::from_str(&record.data)?;
                Ok(json!({
                    "id": record.first,
                    "data": data,
                    "file": record.file,
                    "row": record.row,
                    "uploader": record.uploader,
                    "job_id": record.job,
                }))
            })
            .collect::<Result<Vec<Value>>>()?;
        Ok(json!({ "success": true, "records": items, "next_cursor": next }))
    })?;
    Ok(reply::json(200, &body))
}
