//! The sheets of a file: what is known of each beside its rows.

use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::UploadNo;
use crate::sheet::{FileInfo, Notice, SheetInfo, TitleRow, Visibility};

/// What is kept of a sheet beside its columns.
#[derive(Debug, Serialize, Deserialize)]
struct Facts {
    error_cells: u64,
    error_cells_first: Vec<String>,
    notices: Vec<Notice>,
    /// Missing from what was stored before there was such a thing.
    #[serde(default)]
    above: Vec<TitleRow>,
}

/// Keeps what is known of the file after its last row: its sheets and how it was read.
///
/// # Errors
/// `Database`.
pub fn keep_sheets(tx: &Tx<'_>, no: UploadNo, file: &FileInfo, sheets: &[SheetInfo]) -> Result<()> {
    for sheet in sheets {
        let visibility = match sheet.visibility {
            Visibility::Visible => "visible",
            Visibility::Hidden => "hidden",
            Visibility::VeryHidden => "veryhidden",
        };
        let facts = Facts {
            error_cells: sheet.error_cells,
            error_cells_first: sheet.error_cells_first.clone(),
            notices: sheet.notices.clone(),
            above: sheet.above.clone(),
        };
        let rows = i64::try_from(sheet.rows).map_err(|_| Error::Internal("rows".to_owned()))?;
        tx.prepare_cached(
            "INSERT INTO upload_sheets (upload_no, position, name, visibility, header_row, row_count, columns, facts)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            no.0,
            sheet.position,
            sheet.name,
            visibility,
            sheet.header_row,
            rows,
            serde_json::to_string(&sheet.columns)?,
            serde_json::to_string(&facts)?,
        ])?;
    }
    tx.prepare_cached(
        "UPDATE uploads SET default_sheet = ?2, encoding = ?3, delimiter = ?4 WHERE no = ?1",
    )?
    .execute(params![
        no.0,
        file.default_sheet,
        file.encoding,
        file.delimiter.map(String::from),
    ])?;
    Ok(())
}

/// The sheets of a file, in the workbook's order.
///
/// # Errors
/// `Database`.
pub fn sheets(connection: &Connection, no: UploadNo) -> Result<Vec<SheetInfo>> {
    let mut statement = connection.prepare_cached(
        "SELECT position, name, visibility, header_row, row_count, columns, facts
         FROM upload_sheets WHERE upload_no = ?1 ORDER BY position",
    )?;
    let mut rows = statement.query(params![no.0])?;
    let mut sheets = Vec::new();
    while let Some(row) = rows.next()? {
        let visibility: String = row.get(2)?;
        let count: i64 = row.get(4)?;
        let columns: String = row.get(5)?;
        let facts: String = row.get(6)?;
        let facts: Facts = serde_json::from_str(&facts)?;
        sheets.push(SheetInfo {
            position: row.get(0)?,
            name: row.get(1)?,
            visibility: match visibility.as_str() {
                "hidden" => Visibility::Hidden,
                "veryhidden" => Visibility::VeryHidden,
                _ => Visibility::Visible,
            },
            header_row: row.get(3)?,
            rows: u64::try_from(count).unwrap_or(0),
            columns: serde_json::from_str(&columns)?,
            error_cells: facts.error_cells,
            error_cells_first: facts.error_cells_first,
            notices: facts.notices,
            above: facts.above,
        });
    }
    Ok(sheets)
}
