//! Files: the two uploads, lists, and what was stored.

use rouille::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::catalog;
use crate::error::{Error, Problem, Result};
use crate::http::call::Call;
use crate::http::multipart::{self, FormBounds};
use crate::http::routes::{Route, Who};
use crate::http::{downloads, ranges, reply};
use crate::id::JobId;
use crate::intake::{self, Arrived, Order, Spool, Turn, bytes::Original, once};
use crate::logged::word;
use crate::process::Choices;
use crate::report::{files, jobs as job_report};
use crate::sheet::{self, ReadOptions, summary};
use crate::store::audit::{self, Action};
use crate::store::idempotency::Answer;
use crate::store::{jobs, uploads};
use crate::words::{Code, DayOrder, OnDuplicate, State};

pub(in crate::http) const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        path: "/api/files/upload-json",
        who: Who::SignedIn,
        summary: "Upload as JSON: keep a file's parsed rows",
        handle: upload_json,
    },
    Route {
        method: "POST",
        path: "/api/files/upload-and-process",
        who: Who::SignedIn,
        summary: "Upload & Process Now: keep a file and queue a job for it",
        handle: upload_and_process,
    },
    Route {
        method: "GET",
        path: "/api/files",
        who: Who::SignedIn,
        summary: "The caller's files, newest first; q in their names, status of their newest jobs",
        handle: list,
    },
    Route {
        method: "GET",
        path: "/api/files/{id}",
        who: Who::Owner,
        summary: "One file",
        handle: show,
    },
    Route {
        method: "DELETE",
        path: "/api/files/{id}",
        who: Who::Owner,
        summary: "Delete a file; records made from it stay in the list",
        handle: delete,
    },
    Route {
        method: "GET",
        path: "/api/files/{id}/original",
        who: Who::Owner,
        summary: "The bytes as uploaded",
        handle: original,
    },
    Route {
        method: "POST",
        path: "/api/files/{id}/process",
        who: Who::Owner,
        summary: "Queue a job for a file stored before",
        handle: process,
    },
];

/// What came with a file.
pub(super) struct Form {
    spool: Spool,
    filename: String,
    fields: Vec<(String, String)>,
}

impl Form {
    /// A field's value without white space around it; `None` where there is nothing.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.raw(name)
            .map(str::trim)
            .filter(|value| !value.is_empty())
    }

    /// A field's value as it came; `None` where it is empty.
    fn raw(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }
}

fn upload_json(call: &mut Call<'_, '_>) -> Result<Response> {
    let form = receive(call, &["sheet", "header_row", "delimiter", "encoding"])?;
    let options = read_options(&form)?;
    let turn = turn(call, "upload-json", &form)?;
    let first = match turn {
        Turn::Again(answer) => return Ok(respond(&answer)),
        Turn::First(first) => first,
    };
    let arrived = arrived(call, form, options)?;
    let sender = call.caller()?;
    let size = arrived.spool.size();
    let app = call.app;
    let line = call.incoming.body.line();
    let answer = line.watched(&app.shutdown, |stop| {
        intake::store_json(&app.db, &app.settings, sender, arrived, &first, stop)
    })?;
    log::info!(
        "user={} bytes={size} stored as JSON",
        word(&sender.user.username)
    );
    Ok(respond(&answer))
}

fn upload_and_process(call: &mut Call<'_, '_>) -> Result<Response> {
    let form = receive(
        call,
        &[
            "sheet",
            "header_row",
            "delimiter",
            "encoding",
            "template",
            "on_duplicate",
            "mapping",
            "date_order",
        ],
    )?;
    let options = read_options(&form)?;
    let turn = turn(call, "upload-and-process", &form)?;
    let first = match turn {
        Turn::Again(answer) => return Ok(respond(&answer)),
        Turn::First(first) => first,
    };
    let asked = Asked {
        template: form.field("template"),
        on_duplicate: form.field("on_duplicate"),
        sheet: options.sheet.clone(),
        mapping: form.field("mapping"),
        date_order: form.field("date_order"),
    };
    let (order, _) = order(call, asked)?;
    let arrived = arrived(call, form, options)?;
    let size = arrived.spool.size();
    let sender = call.caller()?;
    let answer = intake::store_and_queue(&call.app.db, sender, arrived, &order, &first)
        .map_err(|error| describe_active(call, error))?;
    call.app.bell.work();
    log::info!(
        "user={} bytes={size} received and queued",
        word(&sender.user.username)
    );
    Ok(respond(&answer))
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct ProcessBody {
    pub(super) template: Option<String>,
    on_duplicate: Option<String>,
    pub(super) sheet: Option<String>,
    pub(super) mapping: Option<Value>,
    pub(super) date_order: Option<String>,
}

fn process(call: &mut Call<'_, '_>) -> Result<Response> {
    let upload = find(call)?;
    let body: ProcessBody = call.json_or_default()?;
    let mapping = body.mapping.map(|mapping| mapping.to_string());
    let asked = Asked {
        template: body.template.as_deref(),
        on_duplicate: body.on_duplicate.as_deref(),
        sheet: body.sheet,
        mapping: mapping.as_deref(),
        date_order: body.date_order.as_deref(),
    };
    let (order, choices) = order(call, asked)?;
    check_sheet(call, &upload, order.sheet.as_deref(), &choices)?;
    let answer = intake::queue(&call.app.db, call.caller()?, &upload, "process", &order)
        .map_err(|error| describe_active(call, error))?;
    call.app.bell.work();
    Ok(respond(&answer))
}

fn list(call: &mut Call<'_, '_>) -> Result<Response> {
    let page = call.page()?;
    let everybody = call.wants_all("Only administrators see everybody's files.")?;
    let owner = if everybody {
        None
    } else {
        Some(call.caller()?.user.id)
    };
    let filter = uploads::Filter {
        words: call.query("q").filter(|words| !words.is_empty()),
        outcomes: call
            .query("status")
            .map(|words| outcomes(&words))
            .transpose()?,
    };
    let body = call.app.db.read(|c| {
        let mut found = uploads::page(c, owner, &filter, page.cursor, page.fetch())?;
        let next = page.cut(&mut found, |upload| upload.no.0);
        let lines = found
            .iter()
            .map(|upload| files::line(c, upload, &call.app.turns))
            .collect::<Result<Vec<Value>>>()?;
        Ok(json!({ "success": true, "files": lines, "next_cursor": next }))
    })?;
    Ok(reply::json(200, &body))
}

/// The outcomes that `?status=` names, with commas between: those done with rows to fix are done, too.
fn outcomes(words: &str) -> Result<Vec<String>> {
    let mut wanted = Vec::new();
    for word in words.split(',') {
        if !matches!(word, "to-fix" | "not-processed") && State::parse(word).is_none() {
            return Err(Error::problem(
                Code::BadRequest,
                "status must be not-processed, to-fix or the states of jobs, with commas between.",
            ));
        }
        if word == State::Completed.as_str() {
            wanted.push("to-fix".to_owned());
        }
        wanted.push(word.to_owned());
    }
    Ok(wanted)
}

fn show(call: &mut Call<'_, '_>) -> Result<Response> {
    let upload = find(call)?;
    let file = call
        .app
        .db
        .read(|c| files::whole(c, &upload, &call.app.turns))?;
    Ok(reply::json(200, &json!({ "success": true, "file": file })))
}

fn delete(call: &mut Call<'_, '_>) -> Result<Response> {
    let upload = find(call)?;
    let by = call.caller()?.user.username.clone();
    let actor = call.actor()?;
    call.app.db.write(|tx| {
        if let Some(job) = jobs::newest_of_upload(tx, upload.no)?
            && job.status.is_active()
        {
            return Err(Error::from(
                Problem::new(
                    Code::JobInProgress,
                    "A job is at work on this file. Wait for it or cancel it.",
                )
                .with("job", job_report::line(&job, &call.app.turns)),
            ));
        }
        audit::note(tx, &actor, Action::FileDeleted, Some(&upload.filename))?;
        uploads::delete(tx, upload.no, &by)
    })?;
    // What is left of it goes in small steps; if this process dies now, the next start goes on.
    intake::purge(&call.app.db, upload.no)?;
    Ok(reply::json(
        200,
        &json!({ "success": true, "message": format!("{} was deleted.", upload.filename) }),
    ))
}

fn original(call: &mut Call<'_, '_>) -> Result<Response> {
    let upload = find(call)?;
    let size = u64::try_from(upload.size).map_err(|_| Error::Internal("size".to_owned()))?;
    let db = std::sync::Arc::clone(&call.app.db);
    let etag = format!("\"{}\"", upload.sha256);
    let response = ranges::answer(&call.incoming.request, &etag, size, |byte| {
        Original::from_byte(db, upload.no, byte)
    })?;
    if !response.is_success() || response.status_code == 304 {
        return Ok(response);
    }
    Ok(downloads::attachment(
        response,
        downloads::content_type(upload.format),
        &upload.filename,
    ))
}

/// The upload in the path, if the caller may see it; what belongs to somebody else looks like what
/// never was.
pub(in crate::http) fn find(call: &Call<'_, '_>) -> Result<uploads::Upload> {
    let db = &call.app.db;
    let Some(upload) = db.read(|c| uploads::by_id(c, call.param(0)))? else {
        // Whoever could see it may know what became of it.
        return match db.read(|c| uploads::deletion(c, call.param(0)))? {
            Some((owner, by, at)) if owner == call.caller()?.user.id || call.is_admin() => {
                let sentence = format!("This upload is gone. It was deleted by {by}.");
                let gone = json!({ "by": by, "at": at });
                Err(Problem::new(Code::NotFound, sentence)
                    .with("deleted", gone)
                    .into())
            }
            _ => Err(Error::not_found()),
        };
    };
    if upload.user == call.caller()?.user.id || call.is_admin() {
        Ok(upload)
    } else {
        Err(Error::not_found())
    }
}

/// Takes the form in: the file into a spool file, the fields as they are.
pub(super) fn receive(call: &mut Call<'_, '_>, known: &[&str]) -> Result<Form> {
    let bytes_max = call.app.settings.upload_bytes_max;
    let declared = call.incoming.body.declared();
    let beside = call.app.settings.bodies.clone();
    let form_bytes_max = bytes_max.saturating_add(beside.beside_the_file());
    if declared.is_some_and(|bytes| bytes > form_bytes_max) {
        return Err(too_large(bytes_max));
    }
    call.check_length()?;
    let content_type = call.header("Content-Type").unwrap_or("").to_owned();
    let mut spool = Spool::new(&call.app.settings.spool())?;
    let bounds = FormBounds {
        file_bytes_max: bytes_max,
        beside,
    };
    let form = multipart::read_form(&content_type, &mut call.incoming.body, &bounds, &mut spool)?;
    call.app.metrics.uploaded(spool.size());
    call.check_again()?;
    let Some(file) = form.file else {
        return Err(Error::problem(Code::NoFile, "Choose a file first."));
    };
    if let Some((name, _)) = form
        .fields
        .iter()
        .find(|(name, _)| !known.contains(&name.as_str()))
    {
        log::debug!("unknown form field {}", name.escape_debug());
    }
    Ok(Form {
        spool,
        filename: intake::name::clean(&file.name),
        fields: form.fields,
    })
}

fn too_large(bytes_max: u64) -> Error {
    Problem::new(
        Code::TooLarge,
        format!("The file must be smaller than {} MB.", bytes_max >> 20),
    )
    .with("limit", bytes_max)
    .into()
}

pub(super) fn read_options(form: &Form) -> Result<ReadOptions> {
    let header_row = match form.field("header_row") {
        None => None,
        Some(text) => match text.parse::<u32>() {
            Ok(row) if row >= 1 => Some(row),
            _ => {
                return Err(Error::problem(
                    Code::BadRequest,
                    "The row of the headers must be a whole number from 1 on.",
                ));
            }
        },
    };
    // A tab is white space, too.
    let delimiter = form.raw("delimiter").map(sheet::delimiter).transpose()?;
    Ok(ReadOptions {
        sheet: form.field("sheet").map(str::to_owned),
        header_row,
        delimiter,
        encoding: form.field("encoding").map(str::to_owned),
    })
}

fn turn<'a>(call: &Call<'a, '_>, route: &str, form: &Form) -> Result<Turn<'a>> {
    let fingerprint = once::fingerprint(route, &form.spool.sha256(), &form.filename, &form.fields);
    once::turn(
        &call.app.db,
        &call.app.in_flight,
        call.caller()?.user.id,
        call.header("Idempotency-Key"),
        fingerprint,
    )
}

/// Looks at the content: what can be refused at once is refused at once.
pub(super) fn arrived(call: &Call<'_, '_>, form: Form, options: ReadOptions) -> Result<Arrived> {
    if form.spool.size() == 0 {
        return Err(Error::problem(Code::EmptyFile, sheet::NOTHING));
    }
    let format = sheet::sniff::sniff(form.spool.path(), &call.app.settings.limits)?;
    Ok(Arrived {
        spool: form.spool,
        filename: form.filename,
        format,
        options,
    })
}

/// What a request says of the job that it wants.
struct Asked<'a> {
    template: Option<&'a str>,
    on_duplicate: Option<&'a str>,
    sheet: Option<String>,
    mapping: Option<&'a str>,
    date_order: Option<&'a str>,
}

/// The order of the day and the month that a request names.
pub(super) fn date_order(text: Option<&str>) -> Result<Option<DayOrder>> {
    let parse = |text| {
        DayOrder::parse(text).ok_or_else(|| {
            Error::problem(
                Code::BadRequest,
                "date_order must be day-month or month-day.",
            )
        })
    };
    text.map(parse).transpose()
}

fn order(call: &Call<'_, '_>, asked: Asked<'_>) -> Result<(Order, Choices)> {
    let template = asked.template.unwrap_or("companies");
    let on_duplicate = match asked.on_duplicate {
        None => OnDuplicate::Skip,
        Some(text) => OnDuplicate::parse(text).ok_or_else(|| {
            Error::problem(Code::BadRequest, "on_duplicate must be skip or update.")
        })?,
    };
    let date_order = date_order(asked.date_order)?;
    let choices = Choices::parse(asked.mapping)?;
    let version = call.app.db.read(|c| {
        let version = catalog::version_for_job(c, template)?;
        if !choices.is_empty() && template != catalog::AUTO {
            choices.check(&catalog::load(c, template, version)?)?;
        }
        Ok(version)
    })?;
    let order = Order {
        template: template.to_owned(),
        template_version: version,
        on_duplicate,
        sheet: asked.sheet,
        mapping: (!choices.is_empty()).then(|| choices.to_json()),
        date_order,
    };
    Ok((order, choices))
}

/// A sheet that is asked for must be there, and columns that the mapping names, where they are known
/// already.
fn check_sheet(
    call: &Call<'_, '_>,
    upload: &uploads::Upload,
    sheet: Option<&str>,
    choices: &Choices,
) -> Result<()> {
    if upload.status != uploads::Status::Stored || (sheet.is_none() && choices.is_empty()) {
        return Ok(());
    }
    let sheets = call.app.db.read(|c| uploads::sheets(c, upload.no))?;
    let sheet = match sheet {
        Some(wanted) => Some(summary::by_name(&sheets, wanted)?),
        None => sheets
            .iter()
            .find(|sheet| Some(sheet.position) == upload.default_sheet),
    };
    match sheet {
        Some(sheet) => choices.check_columns(&sheet.columns),
        None => Ok(()),
    }
}

/// A 409 about the caller's active job says which one it is.
pub(in crate::http) fn describe_active(call: &Call<'_, '_>, error: Error) -> Error {
    let Error::Problem(mut problem) = error else {
        return error;
    };
    let Some(id) = problem.members.get("job_id").and_then(Value::as_i64) else {
        return Error::Problem(problem);
    };
    let described = call.app.db.read(|c| {
        jobs::by_id(c, JobId(id))?
            .map(|job| job_report::whole(c, &job, &call.app.turns))
            .transpose()
    });
    if let Ok(Some(job)) = described {
        problem.members.insert("job".to_owned(), job);
    }
    Error::Problem(problem)
}

pub(in crate::http) fn respond(answer: &Answer) -> Response {
    let response = Response::from_data("application/json", answer.body.clone().into_bytes())
        .with_status_code(answer.status)
        .with_additional_header("Cache-Control", "no-store");
    match &answer.location {
        Some(location) => response.with_additional_header("Location", location.clone()),
        None => response,
    }
}
