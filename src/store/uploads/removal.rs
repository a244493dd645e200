//! The end of an upload: taken out of sight at once, and its rows and bytes removed in small steps.

use rusqlite::{Connection, OptionalExtension, params};

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::Result;
use crate::id::{UploadNo, UserId};
use crate::store::packs;

/// Takes an upload out of sight; its rows and bytes go later, in small steps.
///
/// # Errors
/// `Database`.
pub fn delete(tx: &Tx<'_>, no: UploadNo, by: &str) -> Result<()> {
    tx.prepare_cached(
        "UPDATE uploads SET status = 'deleted', deleted_at = ?2, deleted_by = ?3 WHERE no = ?1",
    )?
    .execute(params![no.0, tx.now, by])?;
    Ok(())
}

/// Of an upload that was deleted: whose it was, by whom, and when.
///
/// # Errors
/// `Database`.
pub fn deletion(connection: &Connection, id: &str) -> Result<Option<(UserId, String, Timestamp)>> {
    let mut statement = connection.prepare_cached(
        "SELECT user_id, deleted_by, deleted_at FROM uploads
         WHERE id = ?1 AND status = 'deleted' AND deleted_by IS NOT NULL",
    )?;
    let mut rows = statement.query_map(params![id], |row| {
        Ok((UserId(row.get(0)?), row.get(1)?, row.get(2)?))
    })?;
    Ok(rows.next().transpose()?)
}

/// Uploads that nobody was promised: they are being received, or the process died while they were.
///
/// # Errors
/// `Database`.
pub fn unpromised(connection: &Connection) -> Result<Vec<UploadNo>> {
    let mut statement =
        connection.prepare_cached("SELECT no FROM uploads WHERE status = 'receiving'")?;
    let rows = statement.query_map([], |row| row.get(0).map(UploadNo))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Removes an upload that nobody was promised and whose rows and bytes are gone, as if it had never
/// been.
///
/// # Errors
/// `Database`.
pub fn remove_unpromised(tx: &Tx<'_>, no: UploadNo) -> Result<()> {
    tx.prepare_cached("DELETE FROM uploads WHERE no = ?1 AND status = 'receiving'")?
        .execute(params![no.0])?;
    Ok(())
}

/// A deleted upload that still has rows or bytes.
///
/// # Errors
/// `Database`.
pub fn next_to_purge(connection: &Connection) -> Result<Option<UploadNo>> {
    Ok(connection
        .query_row(
            "SELECT no FROM uploads u WHERE status = 'deleted'
               AND (EXISTS (SELECT 1 FROM upload_chunks c WHERE c.upload_no = u.no)
                 OR EXISTS (SELECT 1 FROM upload_rows r WHERE r.upload_no = u.no)
                 OR EXISTS (SELECT 1 FROM upload_row_packs k WHERE k.upload_no = u.no)
                 OR EXISTS (SELECT 1 FROM upload_sheets s WHERE s.upload_no = u.no))
             LIMIT 1",
            [],
            |row| row.get(0).map(UploadNo),
        )
        .optional()?)
}

/// Pieces of a file that a step removes: 1 MiB.
pub const PURGE_CHUNKS: u32 = 4;

/// Removes some of what was read of an upload: rows first, then sheets. True: nothing is left.
///
/// # Errors
/// `Database`.
pub fn purge_rows_step(tx: &Tx<'_>, no: UploadNo, at_most: u32) -> Result<bool> {
    let rows_of_pack = u32::try_from(packs::ROWS).unwrap_or(u32::MAX);
    let removed = tx
        .prepare_cached(
            "DELETE FROM upload_row_packs WHERE id IN
                 (SELECT id FROM upload_row_packs WHERE upload_no = ?1 LIMIT ?2)",
        )?
        .execute(params![no.0, at_most.div_ceil(rows_of_pack)])?;
    if removed > 0 {
        return Ok(false);
    }
    let removed = tx
        .prepare_cached(
            "DELETE FROM upload_rows WHERE upload_no = ?1 AND (sheet, row) IN
                 (SELECT sheet, row FROM upload_rows WHERE upload_no = ?1 LIMIT ?2)",
        )?
        .execute(params![no.0, at_most])?;
    if removed > 0 {
        return Ok(false);
    }
    tx.prepare_cached("DELETE FROM upload_sheets WHERE upload_no = ?1")?
        .execute(params![no.0])?;
    Ok(true)
}

/// Removes some of an upload's bytes. True: nothing is left.
///
/// # Errors
/// `Database`.
pub fn purge_chunks_step(tx: &Tx<'_>, no: UploadNo, at_most: u32) -> Result<bool> {
    let removed = tx
        .prepare_cached(
            "DELETE FROM upload_chunks WHERE id IN
                 (SELECT id FROM upload_chunks WHERE upload_no = ?1 LIMIT ?2)",
        )?
        .execute(params![no.0, at_most])?;
    Ok(removed == 0)
}

/// Finished uploads that are older than `before`, without an active job.
///
/// # Errors
/// `Database`.
pub fn outlived(connection: &Connection, before: Timestamp, limit: u32) -> Result<Vec<UploadNo>> {
    let mut statement = connection.prepare_cached(
        "SELECT no FROM uploads u
         WHERE status IN ('received', 'stored') AND uploaded_at < ?1
           AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.upload_no = u.no
                             AND j.status IN ('pending', 'processing'))
         ORDER BY no LIMIT ?2",
    )?;
    let rows = statement.query_map(params![before, limit], |row| row.get(0).map(UploadNo))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
