//! The preview: what would be read from a file, and where its columns would go. Stores nothing.

use rouille::Response;
use serde_json::{Value, json};

use crate::catalog;
use crate::error::{Error, Result};
use crate::http::call::Call;
use crate::http::handlers::files;
use crate::http::reply;
use crate::http::routes::{Route, Who};
use crate::id::{UploadNo, UserId};
use crate::intake::look;
use crate::intake::rows::Source;
use crate::intake::{Arrived, Spool, bytes};
use crate::process::mapping::{Choices, Mapping};
use crate::process::{DateOrders, Inference, SAMPLE_ROWS, Template, date_orders};
use crate::repair::Repair;
use crate::sheet::document::Objects;
use crate::sheet::{Column, Row, is_workbook, summary};
use crate::store::{rows, uploads};
use crate::words::{Code, DayOrder};
use crate::{repair, report};

pub(in crate::http) const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        path: "/api/files/preview",
        who: Who::SignedIn,
        summary: "What would be read from a file: sheets, headers, mapping, first rows; stores nothing",
        handle: preview,
    },
    Route {
        method: "POST",
        path: "/api/files/{id}/preview",
        who: Who::Owner,
        summary: "The same of a file that is here already",
        handle: preview_stored,
    },
];

/// Rows shown; the mapping looks at all that were kept.
const ROWS_SHOWN: usize = 20;

fn preview(call: &mut Call<'_, '_>) -> Result<Response> {
    let form = files::receive(
        call,
        &[
            "sheet",
            "header_row",
            "delimiter",
            "encoding",
            "template",
            "mapping",
            "date_order",
        ],
    )?;
    let options = files::read_options(&form)?;
    let wanted = Wanted {
        template: form.field("template").unwrap_or("companies").to_owned(),
        given: Choices::parse(form.field("mapping"))?,
        date_order: files::date_order(form.field("date_order"))?,
    };
    let arrived = files::arrived(call, form, options)?;
    let user = call.caller()?.user.id;
    let same = same_file(call, user, &arrived.spool.sha256())?;
    tell(call, &arrived, wanted, &same)
}

fn preview_stored(call: &mut Call<'_, '_>) -> Result<Response> {
    let upload = files::find(call)?;
    let body: files::ProcessBody = call.json_or_default()?;
    let mapping = body.mapping.map(|mapping| mapping.to_string());
    let wanted = Wanted {
        template: body.template.unwrap_or_else(|| "companies".to_owned()),
        given: Choices::parse(mapping.as_deref())?,
        date_order: files::date_order(body.date_order.as_deref())?,
    };
    let mut spool = Spool::new(&call.app.settings.spool())?;
    bytes::fetch(&call.app.db, upload.no, upload.size, &mut spool)?;
    let mut options = upload.options;
    if body.sheet.is_some() {
        options.sheet = body.sheet;
    }
    let arrived = Arrived {
        spool,
        filename: upload.filename,
        format: upload.format,
        options,
    };
    tell(call, &arrived, wanted, &Value::Null)
}

/// How a file would be processed.
struct Wanted {
    template: String,
    given: Choices,
    date_order: Option<DayOrder>,
}

/// The newest of the user's files that has the same bytes.
fn same_file(call: &Call<'_, '_>, user: UserId, sha256: &str) -> Result<Value> {
    call.app.db.read(|c| {
        let id = uploads::same_content(c, user, sha256, UploadNo(i64::MAX))?;
        let upload = id.map(|id| uploads::by_id(c, &id)).transpose()?.flatten();
        upload.map_or(Ok(Value::Null), |upload| {
            report::files::line(c, &upload, &call.app.turns)
        })
    })
}

fn tell(
    call: &Call<'_, '_>,
    arrived: &Arrived,
    wanted: Wanted,
    same_file: &Value,
) -> Result<Response> {
    let Wanted {
        template: name,
        given,
        date_order,
    } = wanted;
    let template = if name == catalog::AUTO {
        None
    } else {
        Some(call.app.db.read(|c| {
            let version = catalog::version_for_job(c, &name)?;
            catalog::load(c, &name, version)
        })?)
    };
    let source = Source {
        path: arrived.spool.path(),
        format: arrived.format,
        options: &arrived.options,
    };
    let line = call.incoming.body.line();
    let look = line.watched(&call.app.shutdown, |stop| {
        look::look(&call.app.settings, &source, stop)
    })?;
    let sheet = look
        .found
        .default_sheet()
        .ok_or_else(|| Error::problem(Code::EmptyFile, "No sheet of the file has any data."))?;
    let repair = match &look.hidden {
        Some((home, lines)) if repair::home(std::slice::from_ref(home)).is_some() => {
            let user = call.caller()?.user.id;
            repair::recognise(&call.app.db, user, home, lines, sheet)?
        }
        Some(_) | None => None,
    };
    let strange = match &repair {
        Some(repair) => repair.without_file(),
        None => repair::not_recognised(&look.found.sheets, sheet),
    };
    // As the job will see it: without the columns that the workbook itself has added.
    let mut columns = repair::own_columns(sheet);
    columns.extend(repair.iter().flat_map(|repair| repair.beyond.clone()));
    let (template, remembered) = match template {
        _ if let Some(repair) = &repair => (of_repair(call, repair)?, repair.choices.clone()),
        Some(template) => {
            let remembered = call
                .app
                .db
                .read(|c| catalog::remembered(c, &name, &columns))?;
            (template, remembered)
        }
        None => (inferred(&sheet.columns, &look.rows)?, Choices::default()),
    };
    given.check(&template)?;
    given.check_columns(&sheet.columns)?;
    let mapping = Mapping::find(
        &template,
        &columns,
        &given.before(remembered),
        &look.rows,
        is_workbook(arrived.format),
    )?;
    let shown = look.rows.get(..ROWS_SHOWN).unwrap_or(&look.rows);
    let rows = Objects::new(&sheet.columns);
    let rows = shown
        .iter()
        .map(|row| {
            let mut out = Vec::new();
            rows.append(&row.cells, &mut out)?;
            Ok(serde_json::from_slice(&out)?)
        })
        .collect::<Result<Vec<Value>>>()?;
    let orders = DateOrders {
        known: repair
            .as_ref()
            .map(|repair| repair.date_orders.clone())
            .unwrap_or_default(),
        chosen: date_order,
    };
    let home = repair.map(|repair| json!({ "job_id": repair.job, "filename": repair.filename }));
    let body = json!({
        "success": true,
        "repairs": home,
        "same_file": same_file,
        "filename": arrived.filename,
        "format": arrived.format.as_str(),
        "sheets": look.found.sheets.iter().map(summary::line).collect::<Vec<Value>>(),
        "sheet": sheet.name,
        "header_row": sheet.header_row,
        "columns": sheet.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>(),
        "mapping": mapping.to_json(&template, &columns),
        "missing": mapping.missing_required(&template),
        "dates": date_orders(&template, &mapping, &columns, &look.rows, &orders)?,
        "rows": rows,
        "row_numbers": shown.iter().map(|row| row.number).collect::<Vec<_>>(),
        "notices": strange.iter().chain(&sheet.notices).collect::<Vec<_>>(),
        "error_cells": { "count": sheet.error_cells, "cells": sheet.error_cells_first },
        "encoding": look.found.file.encoding,
        "delimiter": look.found.file.delimiter.map(String::from),
    });
    Ok(reply::json(200, &body))
}

/// The template that rows to fix go by.
fn of_repair(call: &Call<'_, '_>, repair: &Repair) -> Result<Template> {
    let (name, version) = (&repair.template, repair.template_version);
    if name != catalog::AUTO {
        return call.app.db.read(|c| catalog::load(c, name, version));
    }
    let sheet = repair.source_sheet(&call.app.db)?;
    let sample = u32::try_from(SAMPLE_ROWS).unwrap_or(u32::MAX);
    let rows = call
        .app
        .db
        .read(|c| rows::page(c, repair.source, sheet.position, 0, sample))?;
    inferred(&sheet.columns, &rows)
}

/// The template that `auto` would make, as far as the first rows tell.
fn inferred(columns: &[Column], rows: &[Row]) -> Result<Template> {
    let mut inference = Inference::new(columns);
    for row in rows {
        inference.observe(row)?;
    }
    inference.template()
}
