//! The rows of stored sheets.

use rusqlite::{Connection, params};

use crate::db::Tx;
use crate::error::Result;
use crate::id::UploadNo;
use crate::sheet::Row;

/// Puts rows of one sheet in.
///
/// # Errors
/// `Database`.
pub fn insert(tx: &Tx<'_>, no: UploadNo, sheet: u32, rows: &[Row]) -> Result<()> {
    let mut statement = tx.prepare_cached(
        "INSERT INTO upload_rows (upload_no, sheet, row, cells, kinds, width)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for row in rows {
        statement.execute(params![
            no.0, sheet, row.number, row.cells, row.kinds, row.width
        ])?;
    }
    Ok(())
}

/// The next rows of a sheet after row `after`, in the file's order.
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
    let mut statement = connection.prepare_cached(
        "SELECT row, cells, kinds, width FROM upload_rows
         WHERE upload_no = ?1 AND sheet = ?2 AND row > ?3 ORDER BY row LIMIT ?4",
    )?;
    let rows = statement.query_map(params![no.0, sheet, after, limit], |row| {
        Ok(Row {
            number: row.get(0)?,
            cells: row.get(1)?,
            kinds: row.get(2)?,
            width: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
