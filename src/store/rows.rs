//! The rows of stored sheets: one by one where somebody keeps them as JSON, packed (`packs`) where a job reads them.

use rusqlite::{Connection, params};

use super::packs;
use crate::db::Tx;
use crate::error::Result;
use crate::id::UploadNo;
use crate::sheet::Row;

/// Rows that one statement puts in: to begin and end one costs as much as its row.
const AT_ONCE: usize = 16;

/// The statement for so many rows of a sheet.
fn insertion(rows: usize) -> String {
    let mut sql = String::from(
        "INSERT INTO upload_rows (upload_no, sheet, row, cells, kinds, width) VALUES ",
    );
    for first in (0..rows).map(|row| 3 + 4 * row) {
        let comma = if first > 3 { ", " } else { "" };
        sql.push_str(&format!(
            "{comma}(?1, ?2, ?{first}, ?{}, ?{}, ?{})",
            first + 1,
            first + 2,
            first + 3
        ));
    }
    sql
}

/// Puts rows of one sheet in.
///
/// # Errors
/// `Database`.
pub fn insert(tx: &Tx<'_>, no: UploadNo, sheet: u32, rows: &[Row]) -> Result<()> {
    let (many, rest) = rows.as_chunks::<AT_ONCE>();
    insert_by(tx, no, sheet, AT_ONCE, many.as_flattened())?;
    insert_by(tx, no, sheet, 1, rest)
}

/// Puts in so many rows at once; they are a multiple of it.
fn insert_by(tx: &Tx<'_>, no: UploadNo, sheet: u32, at_once: usize, rows: &[Row]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut statement = tx.prepare_cached(&insertion(at_once))?;
    statement.raw_bind_parameter(1, no.0)?;
    statement.raw_bind_parameter(2, sheet)?;
    for rows in rows.chunks(at_once) {
        for (row, first) in rows.iter().zip((3_usize..).step_by(4)) {
            statement.raw_bind_parameter(first, row.number)?;
            statement.raw_bind_parameter(first + 1, &row.cells)?;
            statement.raw_bind_parameter(first + 2, &row.kinds)?;
            statement.raw_bind_parameter(first + 3, row.width)?;
        }
        statement.raw_execute()?;
    }
    Ok(())
}

/// Bytes of text after which a page ends: rows may be as large as a whole file.
pub(super) const PAGE_BYTES: usize = 4 << 20;

/// The next rows of a sheet after row `after`, in the file's order: at most `limit`, fewer where
/// they are large, none only at the end.
///
/// # Errors
/// `Database`.
pub fn page(
    connection: &Connection,
    no: UploadNo,
    sheet: u32,
    after: u32,
    limit: u32,
) -> Result<Vec<Row>> {
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let packed = packs::page(connection, no, sheet, after, most)?;
    if !packed.is_empty() {
        return Ok(packed);
    }
    let mut statement = connection.prepare_cached(
        "SELECT row, cells, kinds, width FROM upload_rows
         WHERE upload_no = ?1 AND sheet = ?2 AND row > ?3 ORDER BY row LIMIT ?4",
    )?;
    let mut found = statement.query(params![no.0, sheet, after, limit])?;
    let mut rows = Vec::new();
    let mut bytes = 0;
    while bytes < PAGE_BYTES
        && let Some(row) = found.next()?
    {
        let row = Row {
            number: row.get(0)?,
            cells: row.get(1)?,
            kinds: row.get(2)?,
            width: row.get(3)?,
        };
        bytes += row.cells.len();
        rows.push(row);
    }
    Ok(rows)
}
