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
