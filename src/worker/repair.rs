//! A repair workbook that comes home: its rows go to where they were rejected, under the same
//! template and with the same columns.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::app::App;
use crate::catalog;
use crate::error::{Error, Result};
use crate::id::{JobId, UploadNo};
use crate::process::Choices;
use crate::report::export::xlsx::repair::{HOME_SHEET, OWN_COLUMNS, REASONS_LABEL, ROW_LABEL};
use crate::sheet::{Cell, Column, Row, SheetInfo};
use crate::store::jobs::{self, Claim};
use crate::store::rows;
use crate::store::uploads::Upload;

/// Lines of the hidden sheet.
const HOME_ROWS_MAX: u32 = 20;

/// Where the rows of a repair workbook belong.
pub(super) struct Repair {
    /// The job that rejected them.
    pub job: JobId,
    /// The file that they are from.
    pub source: UploadNo,
    pub filename: String,
    pub template: String,
    pub template_version: i64,
    /// How that job understood the columns.
    pub choices: Choices,
}

/// Recognises a repair workbook of the job's owner by its hidden sheet. `None`: it is a file like
/// any other.
pub(super) fn recognise(
    app: &App,
    claim: &Claim,
    upload: &Upload,
    sheets: &[SheetInfo],
    chosen: &SheetInfo,
) -> Result<Option<Repair>> {
    let Some(hidden) = sheets
        .iter()
        .find(|sheet| sheet.name.as_deref() == Some(HOME_SHEET))
    else {
        return Ok(None);
    };
    let label = |index: usize| {
        let column = chosen.columns.iter().find(|column| column.index == index);
        column.and_then(|column| column.label.as_deref())
    };
    if label(0) != Some(REASONS_LABEL) || label(1) != Some(ROW_LABEL) {
        return Ok(None);
    }
    let facts = facts(app, upload, hidden)?;
    let Some(job) = facts.get("job_id").and_then(|id| id.parse().ok()) else {
        return Ok(None);
    };
    let (job, report) = app.db.read(|c| {
        let job = jobs::by_id(c, JobId(job))?;
        let report = match &job {
            Some(job) => jobs::report(c, job.id)?,
            None => None,
        };
        Ok((job, report))
    })?;
    // What is somebody else's, or was forged, is a file like any other.
    let Some(job) = job.filter(|job| {
        job.user == claim.user
            && job.template != catalog::AUTO
            && facts.get("upload_id") == Some(&job.upload_id)
    }) else {
        return Ok(None);
    };
    // The template as it is now, where it is still there: it may have been mended since.
    let version = match app.db.read(|c| catalog::version_for_job(c, &job.template)) {
        Ok(version) => version,
        Err(Error::Problem(_)) => job.template_version,
        Err(other) => return Err(other),
    };
    Ok(Some(Repair {
        job: job.id,
        source: job.upload,
        filename: job.filename,
        template: job.template,
        template_version: version,
        choices: choices(report.as_deref())?,
    }))
}

/// What the hidden sheet says, wherever its header was found.
fn facts(app: &App, upload: &Upload, hidden: &SheetInfo) -> Result<HashMap<String, String>> {
    let lines = app
        .db
        .read(|c| rows::page(c, upload.no, hidden.position, 0, HOME_ROWS_MAX))?;
    let mut facts = HashMap::new();
    let labels: Vec<&str> = hidden
        .columns
        .iter()
        .filter_map(|column| column.label.as_deref())
        .collect();
    if let [key, value] = labels.as_slice() {
        facts.insert((*key).to_owned(), (*value).to_owned());
    }
    for line in &lines {
        if let [Cell::Text(key), Cell::Text(value)] = line.values()?.as_slice() {
            facts.insert(key.to_string(), value.to_string());
        }
    }
    Ok(facts)
}

/// The mapping of a report, as choices.
fn choices(report: Option<&str>) -> Result<Choices> {
    let report: Value = serde_json::from_str(report.unwrap_or("{}"))?;
    let lines = report.get("mapping").and_then(Value::as_array);
    let members: Map<String, Value> = lines
        .into_iter()
        .flatten()
        .filter_map(|line| {
            let field = line.get("field").filter(|field| field.is_string())?;
            Some((line.get("column")?.as_str()?.to_owned(), field.clone()))
        })
        .collect();
    Ok(Choices::remembered(&Value::Object(members).to_string()))
}

/// The columns of the file itself, without the reasons and the row numbers.
pub(super) fn own_columns(columns: &[Column]) -> Vec<Column> {
    columns
        .iter()
        .filter(|column| column.index >= OWN_COLUMNS)
        .cloned()
        .collect()
}

/// The row in the file that a row of a repair workbook came from.
pub(super) fn origin(row: &Row) -> Result<Option<u32>> {
    let cells = row.values()?;
    let text = match cells.get(1) {
        Some(Cell::Number(json)) => json,
        Some(Cell::Text(text)) => text.trim(),
        Some(
            Cell::Empty
            | Cell::Bool(_)
            | Cell::Date(_)
            | Cell::DateTime(_)
            | Cell::Time(_)
            | Cell::Duration(_)
            | Cell::Error,
        )
        | None => return Ok(None),
    };
    Ok(text.parse().ok())
}
