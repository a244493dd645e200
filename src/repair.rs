//! A repair workbook that comes home: its rows go to where they were rejected, under the same
//! template and with the same columns.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;
use serde_json::{Map, Value};

use crate::catalog;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::id::{JobId, UploadNo, UserId};
use crate::process::{Choices, DateOrders};
use crate::report::export::xlsx::repair::{HOME_SHEET, OWN_COLUMNS, REASONS_LABEL, ROW_LABEL};
use crate::report::export::xlsx::{SHEET_COLUMNS, cuts};
use crate::sheet::{
    Cell, Column, ERROR_TEXT, Kind, Notice, Row, SheetInfo, Stored, cell_name, summary,
};
use crate::store::jobs::{self, Job, JobOptions};
use crate::store::records::{self, Listed};
use crate::store::rows;
use crate::store::uploads;
use crate::words::DayOrder;

/// Lines of the hidden sheet that are looked at.
pub const HOME_ROWS_MAX: u32 = 20;

/// Where the rows of a repair workbook belong.
pub struct Repair {
    /// The job that rejected them.
    pub job: JobId,
    /// The file that they are from, and the sheet in it.
    pub source: UploadNo,
    pub sheet: Option<u32>,
    pub filename: String,
    /// The file has been deleted since.
    pub file_gone: bool,
    pub template: String,
    pub template_version: i64,
    /// How that job understood the columns.
    pub choices: Choices,
    /// By field, which of day and month came first to it.
    pub date_orders: HashMap<String, DayOrder>,
    /// Columns of the file for which the workbook has no room, at their places right of its own.
    pub beyond: Vec<Column>,
}

/// The sheet of a workbook that may say where its rows belong.
pub fn home(sheets: &[SheetInfo]) -> Option<&SheetInfo> {
    let named = |sheet: &&SheetInfo| sheet.name.as_deref() == Some(HOME_SHEET);
    sheets.iter().find(named)
}

/// What is said of rows to fix that [`recognise`] could not send home; `None`: they are no such rows.
pub fn not_recognised(sheets: &[SheetInfo], chosen: &SheetInfo) -> Option<Notice> {
    if !has_own_columns(chosen) {
        return None;
    }
    let message = if home(sheets).is_some() {
        "These are rows to fix of an import that is not among yours, or that is gone. They are read as a new file."
    } else {
        "These look like rows to fix, but the file does not say any more which import they are from: drop the workbook itself back, not a copy in another form. They are read as a new file."
    };
    Some(Notice {
        code: "repair-not-recognised".to_owned(),
        cell: None,
        message: message.to_owned(),
    })
}

/// Recognises a repair workbook of the user by its home sheet, of which `lines` are the first rows.
/// `None`: it is a file like any other.
///
/// # Errors
/// `Database`; `Internal` where a stored row is damaged.
pub fn recognise(
    db: &Db,
    user: UserId,
    home: &SheetInfo,
    lines: &[Row],
    chosen: &SheetInfo,
) -> Result<Option<Repair>> {
    if !has_own_columns(chosen) {
        return Ok(None);
    }
    let facts = facts(home, lines)?;
    let Some(job) = facts.get("job_id").and_then(|id| id.parse().ok()) else {
        return Ok(None);
    };
    let (job, report, sheet, sheets) = db.read(|c| {
        let Some(job) = jobs::by_id(c, JobId(job))? else {
            return Ok((None, None, None, Vec::new()));
        };
        let (report, sheet) = (jobs::report(c, job.id)?, sheet_of(c, &job)?);
        let sheets = uploads::sheets(c, job.upload)?;
        Ok((Some(job), report, sheet, sheets))
    })?;
    // What is somebody else's, or was forged, is a file like any other.
    let Some(job) = job.filter(|job| {
        job.user == user
            // What was inferred from a file is inferred from it again.
            && (job.template != catalog::AUTO || (!job.upload_deleted && sheet.is_some()))
            && facts.get("upload_id") == Some(&job.upload_id)
    }) else {
        return Ok(None);
    };
    let report: Value = serde_json::from_str(report.as_deref().unwrap_or("{}"))?;
    // The template as it is now, where it is still there: it may have been mended since.
    let version = match db.read(|c| catalog::version_for_job(c, &job.template)) {
        Ok(version) => version,
        Err(Error::Problem(_)) => job.template_version,
        Err(other) => return Err(other),
    };
    Ok(Some(Repair {
        job: job.id,
        source: job.upload,
        sheet,
        filename: job.filename,
        file_gone: job.upload_deleted,
        template: job.template,
        template_version: version,
        choices: choices(&report),
        date_orders: DateOrders::of_report(&report),
        beyond: sheets
            .iter()
            .find(|one| Some(one.position) == sheet)
            .map_or_else(Vec::new, |sheet| without_room(&sheet.columns)),
    }))
}

/// The position of the sheet that a job processed, as long as its file is there.
fn sheet_of(connection: &Connection, job: &Job) -> Result<Option<u32>> {
    let options: JobOptions = serde_json::from_str(&job.options)?;
    let Some(wanted) = options.sheet else {
        return Ok(uploads::by_no(connection, job.upload)?.default_sheet);
    };
    let sheets = uploads::sheets(connection, job.upload)?;
    Ok(summary::by_name(&sheets, &wanted)
        .ok()
        .map(|sheet| sheet.position))
}

impl Repair {
    /// The sheet that the rows are from.
    ///
    /// # Errors
    /// `Database`; `Internal` where it is gone.
    pub fn source_sheet(&self, db: &Db) -> Result<SheetInfo> {
        let sheets = db.read(|c| uploads::sheets(c, self.source))?;
        let sheet = sheets
            .into_iter()
            .find(|sheet| Some(sheet.position) == self.sheet);
        sheet.ok_or_else(|| Error::Internal("the file of a repair is gone".to_owned()))
    }

    /// What is said where the file is gone that the workbook leans on.
    pub fn without_file(&self) -> Option<Notice> {
        self.file_gone.then(|| Notice {
            code: "repair-without-file".to_owned(),
            cell: None,
            message: format!(
                "{} was deleted. What the workbook had no room for (long texts that it shows cut, columns beyond its last one) is missing in these rows.",
                self.filename
            ),
        })
    }

    /// The row in its own file that a row of the workbook belongs to; `None` where that job parked no
    /// such row, whatever stands in the workbook.
    pub fn origin(&self, db: &Db, row: &Row) -> Result<Option<u32>> {
        let Some(number) = origin(row)? else {
            return Ok(None);
        };
        let parked = db.read(|c| records::is_parked(c, self.job, number))?;
        Ok(parked.then_some(number))
    }

    /// The record of the list that was made of this row of the file when the workbook was dropped back
    /// before.
    ///
    /// # Errors
    /// `Database`.
    pub fn put_back(
        &self,
        connection: &Connection,
        template: &str,
        row: u32,
    ) -> Result<Option<Listed>> {
        records::repaired(connection, template, self.job, self.source, row)
    }

    /// The row as it is in its file where the workbook had no room: with texts whole that were cut and
    /// came back as they were, with the last columns of a very wide file, and with errors where the
    /// workbook has their names and nobody mended them. `None`: there is none such.
    pub fn restored(&self, db: &Db, row: &Row) -> Result<Option<Row>> {
        let cells = row.values()?;
        let is_stand_in = |cell: &Cell<'_>| matches!(cell, Cell::Text(text) if cuts::may_be_cut(text) || *text == ERROR_TEXT);
        if self.beyond.is_empty() && !cells.iter().any(|(_, cell)| is_stand_in(cell)) {
            return Ok(None);
        }
        let (Some(origin), Some(sheet)) = (origin(row)?, self.sheet) else {
            return Ok(None);
        };
        let page = db.read(|c| rows::page(c, self.source, sheet, origin.saturating_sub(1), 1))?;
        let Some(source) = page.first().filter(|source| source.number == origin) else {
            return Ok(None);
        };
        let stored = source.stored()?;
        let whole = source.values()?;
        let whole_json = |column: usize| {
            let own = column.checked_sub(OWN_COLUMNS)?;
            let (Cell::Text(text), Cell::Text(whole)) = (cells.get(column)?, whole.get(own)?)
            else {
                return None;
            };
            let is_same = cuts::may_be_cut(text) && cuts::clean(whole) == **text;
            let at = stored.binary_search_by_key(&own, |cell| cell.column);
            Some(stored.get(at.ok()?)?.json).filter(|_| is_same)
        };
        let is_error = |column: usize| {
            let source = column
                .checked_sub(OWN_COLUMNS)
                .and_then(|own| whole.get(own));
            matches!(
                (cells.get(column), source),
                (Some(Cell::Text(text)), Some(Cell::Error)) if *text == ERROR_TEXT
            )
        };
        let restored = row.stored()?.into_iter().map(|cell| {
            if is_error(cell.column) {
                return Stored {
                    json: "null",
                    kind: Kind::Error,
                    ..cell
                };
            }
            Stored {
                json: whole_json(cell.column).unwrap_or(cell.json),
                ..cell
            }
        });
        let beyond = stored.iter().filter_map(|cell| {
            let column = cell.column + OWN_COLUMNS;
            (column >= SHEET_COLUMNS).then_some(Stored { column, ..*cell })
        });
        let restored = restored.chain(beyond);
        Ok(Some(Row::of(row.number, row.width, restored)))
    }
}

/// The job whose rows a job had in hand that was itself a repair, as its report tells; the rows that
/// it rejected again belong there.
///
/// # Errors
/// `Database`; `Internal` where the report is damaged.
pub fn mended_by(connection: &Connection, job: &Job) -> Result<Option<Job>> {
    let report = jobs::report(connection, job.id)?;
    let report: Value = serde_json::from_str(report.as_deref().unwrap_or("{}"))?;
    let home = report.get("repairs").and_then(|home| home.get("job_id"));
    match home.and_then(Value::as_i64) {
        Some(id) => jobs::by_id(connection, JobId(id)),
        None => Ok(None),
    }
}

/// A row of a repair workbook as a row of the file that it came from: at its place there (0 where it
/// says none), without the workbook's own columns.
///
/// # Errors
/// `Internal` where the row is damaged.
pub fn at_home(row: &Row) -> Result<Row> {
    let own = row.stored()?.into_iter().filter_map(|cell| {
        let column = cell.column.checked_sub(OWN_COLUMNS)?;
        Some(Stored { column, ..cell })
    });
    Ok(Row::of(origin(row)?.unwrap_or(0), None, own))
}

/// What the hidden sheet says, wherever its header was found.
fn facts(home: &SheetInfo, lines: &[Row]) -> Result<HashMap<String, String>> {
    let mut facts = HashMap::new();
    let labels: Vec<&str> = home
        .columns
        .iter()
        .filter_map(|column| column.label.as_deref())
        .collect();
    if let [key, value] = labels.as_slice() {
        facts.insert((*key).to_owned(), (*value).to_owned());
    }
    for line in lines {
        let cells = line.values()?;
        if let (Some(Cell::Text(key)), Some(Cell::Text(value))) = (cells.get(0), cells.get(1)) {
            facts.insert(key.to_string(), value.to_string());
        }
    }
    Ok(facts)
}

/// The mapping of a report, as choices.
fn choices(report: &Value) -> Choices {
    let lines = report.get("mapping").and_then(Value::as_array);
    let members: Map<String, Value> = lines
        .into_iter()
        .flatten()
        .filter_map(|line| {
            let field = line.get("field").filter(|field| field.is_string())?;
            Some((line.get("column")?.as_str()?.to_owned(), field.clone()))
        })
        .collect();
    Choices::remembered(&Value::Object(members).to_string())
}

/// The columns of a file for which a repair workbook has no room beside its own, at their places there.
fn without_room(columns: &[Column]) -> Vec<Column> {
    let moved = columns.iter().map(|column| Column {
        index: column.index + OWN_COLUMNS,
        ..column.clone()
    });
    moved
        .filter(|column| column.index >= SHEET_COLUMNS)
        .collect()
}

/// Whether a sheet begins with the reasons and the row numbers of a repair workbook.
fn has_own_columns(sheet: &SheetInfo) -> bool {
    let label = |index: usize| {
        let column = sheet.columns.iter().find(|column| column.index == index);
        column.and_then(|column| column.label.as_deref())
    };
    label(0) == Some(REASONS_LABEL) && label(1) == Some(ROW_LABEL)
}

/// The columns of the file itself, without the reasons and the row numbers of a repair workbook:
/// those are nobody's data, whoever drops it back.
pub fn own_columns(sheet: &SheetInfo) -> Vec<Column> {
    if !has_own_columns(sheet) {
        return sheet.columns.clone();
    }
    let own = sheet.columns.iter();
    let mut columns: Vec<Column> = own
        .filter(|column| column.index >= OWN_COLUMNS)
        .cloned()
        .collect();
    // One that is called like a column of the workbook's own has its name for itself again.
    let names = columns.iter().map(|column| column.name.clone());
    let mut taken: HashSet<String> = names.collect();
    for column in &mut columns {
        if let Some(label) = column.label.clone()
            && taken.insert(label.clone())
        {
            taken.remove(&column.name);
            column.name = label;
        }
    }
    columns
}

/// The notices of the sheet; without those on columns that have their names for themselves again.
pub fn own_notices(sheet: &SheetInfo) -> Vec<Notice> {
    let own = own_columns(sheet);
    let names: HashMap<usize, &str> = own
        .iter()
        .map(|column| (column.index, column.name.as_str()))
        .collect();
    let renamed: Vec<String> = sheet
        .columns
        .iter()
        .filter(|column| {
            let now = names.get(&column.index);
            now.is_some_and(|now| *now != column.name)
        })
        .map(|column| cell_name(column.index, sheet.header_row.unwrap_or(1)))
        .collect();
    let is_over = |notice: &&Notice| {
        let on = |cell: &String| notice.cell.as_ref() == Some(cell);
        notice.code == "duplicate-label" && renamed.iter().any(on)
    };
    let notices = sheet.notices.iter();
    notices.filter(|notice| !is_over(notice)).cloned().collect()
}

/// The row in the file that a row of a repair workbook says it came from.
fn origin(row: &Row) -> Result<Option<u32>> {
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
