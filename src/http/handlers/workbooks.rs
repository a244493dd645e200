//! What jobs made, as workbooks: the clean list, the marked copy of the sheet, the rows to fix.

use std::fs::File;

use rouille::{Response, ResponseBody};
use serde_json::Value;

use crate::catalog;
use crate::error::{Error, Result};
use crate::faults;
use crate::http::call::Call;
use crate::http::downloads;
use crate::http::handlers::results::{completed, fields, name, next_records, with_records};
use crate::http::routes::{Route, Who};
use crate::repair;
use crate::report::export::xlsx;
use crate::report::export::xlsx::annotated::{Annotated, Remarks};
use crate::report::export::xlsx::records::Records;
use crate::report::export::xlsx::repair::{Home, OWN_COLUMNS, Repair, Wanted};
use crate::sheet::{Column, Row, SheetInfo, summary};
use crate::store::jobs::{self, Job, JobOptions};
use crate::store::{records, rows, uploads};
use crate::words::{Code, Format};

pub(in crate::http) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/api/jobs/{id}/records.xlsx",
        who: Who::Owner,
        summary: "The job's records as a workbook",
        handle: records_xlsx,
    },
    Route {
        method: "GET",
        path: "/api/jobs/{id}/annotated.xlsx",
        who: Who::Owner,
        summary: "The sheet as uploaded, with what is wrong in each row",
        handle: annotated_xlsx,
    },
    Route {
        method: "GET",
        path: "/api/jobs/{id}/repair.xlsx",
        who: Who::Owner,
        summary: "The rows to fix, to be dropped back when they are",
        handle: repair_xlsx,
    },
];

/// Rows fetched at a time.
const PAGE: u32 = 1_000;

/// Sends a workbook that `write` makes in a file that nobody else sees.
pub(in crate::http) fn respond(
    call: &Call<'_, '_>,
    name: &str,
    write: impl FnOnce(&mut File) -> Result<()>,
) -> Result<Response> {
    let folder = call.app.settings.spool();
    faults::file()?;
    std::fs::create_dir_all(&folder)?;
    let mut file = tempfile::tempfile_in(&folder)?;
    faults::file()?;
    xlsx::without_panic(|| write(&mut file))?;
    let size = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let response = Response {
        status_code: 200,
        headers: Vec::new(),
        data: ResponseBody::from_reader_and_size(file, size),
        upgrade: None,
    };
    Ok(downloads::attachment(
        response,
        downloads::content_type(Format::Xlsx),
        name,
    ))
}

fn records_xlsx(call: &mut Call<'_, '_>) -> Result<Response> {
    let job = with_records(call)?;
    let members = fields(call, &job)?;
    let db = &call.app.db;
    respond(call, &name(&job, ".records.xlsx"), |file| {
        let mut workbook = Records::begin(&call.app.settings.spool(), members)?;
        let mut after = 0;
        loop {
            let page = db.read(|c| next_records(c, job.id, after))?;
            let Some(last) = page.last() else { break };
            after = last.id;
            for record in &page {
                workbook.add(&record.data)?;
            }
        }
        workbook.finish(file)
    })
}

/// The sheet that a job processed.
fn sheet_of(call: &Call<'_, '_>, job: &Job) -> Result<SheetInfo> {
    if job.upload_deleted {
        return Err(Error::problem(
            Code::NotFound,
            "The file of this job was deleted, and its rows with it.",
        ));
    }
    let options: JobOptions = serde_json::from_str(&job.options)?;
    call.app.db.read(|c| {
        let upload = uploads::by_no(c, job.upload)?;
        let sheets = uploads::sheets(c, job.upload)?;
        let found = match &options.sheet {
            Some(wanted) => Some(summary::by_name(&sheets, wanted)?),
            None => sheets
                .iter()
                .find(|sheet| Some(sheet.position) == upload.default_sheet),
        };
        found.cloned().ok_or_else(Error::not_found)
    })
}

/// What is wrong in a parked row.
fn remarks(problems: &str) -> Result<Remarks> {
    let problems: Vec<Value> = serde_json::from_str(problems)?;
    Ok(problems
        .iter()
        .filter_map(|problem| {
            let message = problem.get("message")?.as_str()?.to_owned();
            let column = problem
                .get("column")
                .and_then(Value::as_str)
                .and_then(crate::sheet::row::column_index);
            Some((column, message))
        })
        .collect())
}

fn annotated_xlsx(call: &mut Call<'_, '_>) -> Result<Response> {
    let job = completed(call)?;
    let sheet = sheet_of(call, &job)?;
    let db = &call.app.db;
    respond(call, &name(&job, ".annotated.xlsx"), |file| {
        let mut workbook = Annotated::begin(&call.app.settings.spool(), &sheet)?;
        let mut after = 0;
        loop {
            let (page, parked) = db.read(|c| {
                let page = rows::page(c, job.upload, sheet.position, after, PAGE)?;
                Ok((page, records::parked(c, job.id, after, PAGE)?))
            })?;
            let Some(last) = page.last() else { break };
            after = last.number;
            let mut parked = parked.iter().peekable();
            for row in &page {
                let found = match parked.next_if(|parked| parked.row == row.number) {
                    Some(parked) => remarks(&parked.problems)?,
                    None => Remarks::new(),
                };
                workbook.add(row, &found)?;
            }
        }
        workbook.finish(file)
    })
}

fn repair_xlsx(call: &mut Call<'_, '_>) -> Result<Response> {
    let job = completed(call)?;
    let sheet = sheet_of(call, &job)?;
    let db = &call.app.db;
    // Rows that come back a second time still belong to the file that they are from.
    let mended = db.read(|c| repair::mended_by(c, &job))?;
    let at_home = mended.as_ref().unwrap_or(&job);
    let home = Home {
        upload_id: at_home.upload_id.clone(),
        job_id: at_home.id.0,
        template: job.template.clone(),
        sheet: sheet.name.clone(),
    };
    let mut columns = repair::own_columns(&sheet);
    let mut wanted = wanted(call, &job, &columns)?;
    // The columns that a repair workbook has before the file's own are written anew.
    let own = if columns.len() < sheet.columns.len() {
        OWN_COLUMNS
    } else {
        0
    };
    let moved = |index: usize| index.saturating_sub(own);
    for column in &mut columns {
        column.index = moved(column.index);
    }
    for column in &mut wanted {
        column.column = moved(column.column);
    }
    respond(call, &name(&job, ".to-fix.xlsx"), |file| {
        let folder = call.app.settings.spool();
        let mut workbook = Repair::begin(&folder, &home, &columns, &wanted)?;
        let mut after = 0;
        loop {
            let page = db.read(|c| {
                let parked = records::parked(c, job.id, after, PAGE / 20)?;
                let numbers: Vec<u32> = parked.iter().map(|parked| parked.row).collect();
                let rows = rows::these(c, job.upload, sheet.position, &numbers)?;
                Ok((parked, rows))
            })?;
            let (parked, rows) = page;
            let Some(last) = parked.last() else { break };
            after = last.row;
            for parked in &parked {
                let row = rows.binary_search_by_key(&parked.row, |row| row.number);
                if let Some(row) = row.ok().and_then(|at| rows.get(at))
                    && parked.outcome == "invalid"
                {
                    let mut remarks = remarks(&parked.problems)?;
                    for (column, _) in &mut remarks {
                        *column = column.and_then(|index| index.checked_sub(own));
                    }
                    match (own, &mended) {
                        (0, _) => workbook.add(row, &remarks)?,
                        (_, Some(_)) => workbook.add(&repair::at_home(row)?, &remarks)?,
                        (_, None) => {
                            let number = row.number;
                            let row = Row {
                                number,
                                ..repair::at_home(row)?
                            };
                            workbook.add(&row, &remarks)?;
                        }
                    }
                }
            }
        }
        workbook.finish(file)
    })
}

/// What the template wants of the sheet's columns.
fn wanted(call: &Call<'_, '_>, job: &Job, columns: &[Column]) -> Result<Vec<Wanted>> {
    let db = &call.app.db;
    let report = db.read(|c| jobs::report(c, job.id))?;
    let report: Value = serde_json::from_str(report.as_deref().unwrap_or("{}"))?;
    let lines = |member| report.get(member).and_then(Value::as_array);
    let inferred = |name: &str| {
        let mut columns = lines("columns").into_iter().flatten();
        let column = columns.find(|line| line.get("name").is_some_and(|it| it == name))?;
        column
            .get("type")?
            .as_str()
            .map(|kind| (Vec::new(), kind == "string"))
    };
    let template = match job.template.as_str() {
        catalog::AUTO => None,
        name => Some(db.read(|c| catalog::load(c, name, job.template_version))?),
    };
    let of_field = |name: &str| match &template {
        None => inferred(name),
        Some(template) => {
            let field = template.fields.iter().find(|field| field.name == name)?;
            Some((field.allowed().to_vec(), field.kind.is_text()))
        }
    };
    Ok(lines("mapping")
        .into_iter()
        .flatten()
        .filter_map(|line| {
            let column = line.get("column")?.as_str()?;
            let (allowed, is_text) = of_field(line.get("field")?.as_str()?)?;
            Some(Wanted {
                column: columns.iter().find(|known| known.name == column)?.index,
                allowed,
                is_text,
            })
        })
        .collect())
}
