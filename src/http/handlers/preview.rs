//! Preview: how a file would be read and where its columns would go. Stores nothing.

use rouille::Response;
use serde_json::{Map, Value, json};

use super::files::{read_options, receive};
use crate::catalog;
use crate::error::{Error, Result};
use crate::http::call::Call;
use crate::http::reply;
use crate::http::routes::{Route, Who};
use crate::process::mapping::{Choices, Mapping};
use crate::process::{Inference, SAMPLE_ROWS};
use crate::sheet::reader::{self, ReadJob};
use crate::sheet::{self, Event, ReadOptions, Row, SheetInfo, sniff, summary};
use crate::words::Code;

pub(in crate::http) const ROUTES: &[Route] = &[Route {
    method: "POST",
    path: "/api/files/preview",
    who: Who::SignedIn,
    summary: "How a file would be read and where its columns would go; stores nothing",
    handle: preview,
}];

/// Rows shown.
const ROWS_SHOWN: usize = 20;
/// Sheets whose first rows are kept until it is known which one matters.
const SHEETS_KEPT: usize = 100;

/// A file's sheets with their first rows.
struct Looked {
    sheets: Vec<SheetInfo>,
    /// Rows of each sheet, in the order of `sheets`.
    rows: Vec<Vec<Row>>,
    default_sheet: u32,
}

fn preview(call: &mut Call<'_, '_>) -> Result<Response> {
    let form = receive(
        call,
        &[
            "sheet",
            "header_row",
            "delimiter",
            "encoding",
            "template",
            "mapping",
        ],
    )?;
    let options = read_options(&form)?;
    let template = form.field("template").unwrap_or("companies").to_owned();
    let given = Choices::parse(form.field("mapping"))?;
    if form.spool.size() == 0 {
        return Err(Error::problem(Code::EmptyFile, "The file is empty."));
    }
    let looked = look(call, &form.spool, &options)?;
    let position = match &options.sheet {
        Some(wanted) => summary::by_name(&looked.sheets, wanted)?.position,
        None => looked.default_sheet,
    };
    let (sheet, rows) = looked
        .sheets
        .iter()
        .zip(&looked.rows)
        .find(|(sheet, _)| sheet.position == position)
        .ok_or_else(|| Error::problem(Code::EmptyFile, "No sheet of the file has any data."))?;
    let workbook = sheet::is_workbook(sniff::sniff(form.spool.path(), &call.app.settings.limits)?);
    let (template, remembered) = call.app.db.read(|c| {
        if template == catalog::AUTO {
            let mut inference = Inference::new(&sheet.columns);
            for row in rows {
                inference.observe(row)?;
            }
            return Ok((inference.template()?, Choices::default()));
        }
        let version = catalog::version_for_job(c, &template)?;
        Ok((
            catalog::load(c, &template, version)?,
            catalog::remembered(c, &template, &sheet.columns)?,
        ))
    })?;
    let choices = given.before(remembered);
    let mapping = Mapping::find(&template, &sheet.columns, &choices, rows, workbook)?;
    let shown = rows
        .iter()
        .take(ROWS_SHOWN)
        .map(|row| object(sheet, row))
        .collect::<Result<Vec<Value>>>()?;
    Ok(reply::json(
        200,
        &json!({
            "success": true,
            "sheets": looked.sheets.iter().map(summary::line).collect::<Vec<_>>(),
            "sheet": sheet.name,
            "header_row": sheet.header_row,
            "mapping": mapping.to_json(&template, &sheet.columns),
            "missing": mapping.missing_required(&template),
            "rows": shown,
            "notices": sheet.notices,
        }),
    ))
}

/// Reads the whole file, for only at its end is it known to be one, and keeps the first rows.
fn look(
    call: &Call<'_, '_>,
    spool: &crate::intake::Spool,
    options: &ReadOptions,
) -> Result<Looked> {
    let settings = &call.app.settings;
    let format = sniff::sniff(spool.path(), &settings.limits)?;
    let job = ReadJob {
        executable: &settings.executable,
        path: spool.path(),
        format: Some(format),
        options,
        limits: &settings.limits,
    };
    let mut reader = reader::read(&job, &call.app.shutdown)?;
    let mut looked = Looked {
        sheets: Vec::new(),
        rows: Vec::new(),
        default_sheet: 0,
    };
    let mut done = false;
    while let Some(events) = reader.next_batch()? {
        for event in events {
            match event {
                Event::Sheet(_) => looked.rows.push(Vec::new()),
                Event::Row(row) => {
                    let kept = looked.rows.len() <= SHEETS_KEPT;
                    if let Some(rows) = looked.rows.last_mut()
                        && kept
                        && rows.len() < SAMPLE_ROWS
                    {
                        rows.push(row);
                    }
                }
                Event::SheetEnd(info) => looked.sheets.push(*info),
                Event::Estimate(_) => {}
                Event::Done(info) => {
                    done = true;
                    looked.default_sheet = info.default_sheet;
                }
            }
        }
    }
    if done {
        Ok(looked)
    } else {
        Err(Error::Internal("the reader ended early".to_owned()))
    }
}

/// A row as the document of the sheet has it.
fn object(sheet: &SheetInfo, row: &Row) -> Result<Value> {
    let cells: Vec<Value> = serde_json::from_str(&row.cells)?;
    let members: Map<String, Value> = sheet
        .columns
        .iter()
        .map(|column| {
            let value = cells.get(column.index).cloned().unwrap_or(Value::Null);
            (column.name.clone(), value)
        })
        .collect();
    Ok(Value::Object(members))
}
