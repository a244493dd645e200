//! Uploads: the file as it came, its bytes in pieces, and its sheets.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{UploadNo, UserId};
use crate::sheet::{FileInfo, Notice, ReadOptions, SheetInfo, TitleRow, Visibility};
use crate::words::Format;

/// Bytes of one piece of a file.
pub const CHUNK_BYTES: usize = 256 << 10;

/// What stands in `uploads.status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Not yet promised to anybody; no route shows it.
    Receiving,
    /// The bytes are here, the rows have not been read.
    Received,
    /// The rows are here too.
    Stored,
    /// Rows and bytes are being removed.
    Deleted,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Receiving => "receiving",
            Status::Received => "received",
            Status::Stored => "stored",
            Status::Deleted => "deleted",
        }
    }

    fn parse(text: &str) -> Result<Status> {
        match text {
            "receiving" => Ok(Status::Receiving),
            "received" => Ok(Status::Received),
            "stored" => Ok(Status::Stored),
            "deleted" => Ok(Status::Deleted),
            other => Err(Error::Internal(format!("upload status {other}"))),
        }
    }
}

/// A file about to be stored.
#[derive(Debug, Clone)]
pub struct NewUpload {
    /// The UUID that clients will know.
    pub id: String,
    pub user: UserId,
    pub filename: String,
    pub size: u64,
    pub sha256: String,
    pub format: Format,
    pub options: ReadOptions,
}

/// A stored file.
#[derive(Debug, Clone)]
pub struct Upload {
    pub no: UploadNo,
    pub id: String,
    pub user: UserId,
    /// The user's name.
    pub uploaded_by: String,
    pub filename: String,
    pub size: i64,
    pub sha256: String,
    pub format: Format,
    pub status: Status,
    pub uploaded_at: Timestamp,
    pub options: ReadOptions,
    pub default_sheet: Option<u32>,
    pub encoding: Option<String>,
    pub delimiter: Option<String>,
    /// Rows of the default sheet, once they have been read.
    pub rows: Option<i64>,
}

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

/// Puts the upload's own row in.
///
/// # Errors
/// `Database`.
pub fn insert(tx: &Tx<'_>, new: &NewUpload, status: Status) -> Result<UploadNo> {
    let size = i64::try_from(new.size).map_err(|_| Error::Internal("size".to_owned()))?;
    tx.prepare_cached(
        "INSERT INTO uploads (id, user_id, filename, size, sha256, format, status, uploaded_at, options)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        new.id,
        new.user.0,
        new.filename,
        size,
        new.sha256,
        new.format.as_str(),
        status.as_str(),
        tx.now,
        serde_json::to_string(&new.options)?,
    ])?;
    Ok(UploadNo(tx.last_insert_rowid()))
}

/// A piece of a file, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    pub bytes: Vec<u8>,
    /// Bytes that they are a zlib stream of; `None`: they are as they came.
    pub size: Option<u32>,
}

/// Puts a piece of the file in.
///
/// # Errors
/// `Database`.
pub fn insert_chunk(tx: &Tx<'_>, no: UploadNo, position: u32, chunk: &Chunk) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO upload_chunks (upload_no, position, bytes, size) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![no.0, position, chunk.bytes, chunk.size])?;
    Ok(())
}

/// The piece at `position`, `None` after the last one.
///
/// # Errors
/// `Database`.
pub fn chunk(connection: &Connection, no: UploadNo, position: u32) -> Result<Option<Chunk>> {
    Ok(connection
        .prepare_cached(
            "SELECT bytes, size FROM upload_chunks WHERE upload_no = ?1 AND position = ?2",
        )?
        .query_row(params![no.0, position], |row| {
            Ok(Chunk {
                bytes: row.get(0)?,
                size: row.get(1)?,
            })
        })
        .optional()?)
}

/// Moves an upload from one status to the next; `now` becomes its time where it becomes visible.
///
/// # Errors
/// `Stopped` where it is no longer in `from` (it was deleted meanwhile).
pub fn change_status(tx: &Tx<'_>, no: UploadNo, from: Status, to: Status) -> Result<()> {
    let changed = tx
        .prepare_cached("UPDATE uploads SET status = ?3 WHERE no = ?1 AND status = ?2")?
        .execute(params![no.0, from.as_str(), to.as_str()])?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Error::Stopped)
    }
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

const SELECT: &str =
    "SELECT u.no, u.id, u.user_id, p.username, u.filename, u.size, u.sha256, u.format, u.status,
            u.uploaded_at, u.options, u.default_sheet, u.encoding, u.delimiter, s.row_count
     FROM uploads u
     JOIN users p ON p.id = u.user_id
     LEFT JOIN upload_sheets s ON s.upload_no = u.no AND s.position = u.default_sheet";

fn upload(row: &Row<'_>) -> Result<Upload> {
    let format: String = row.get(7)?;
    let status: String = row.get(8)?;
    let options: String = row.get(10)?;
    Ok(Upload {
        no: UploadNo(row.get(0)?),
        id: row.get(1)?,
        user: UserId(row.get(2)?),
        uploaded_by: row.get(3)?,
        filename: row.get(4)?,
        size: row.get(5)?,
        sha256: row.get(6)?,
        format: Format::parse(&format)
            .ok_or_else(|| Error::Internal(format!("upload format {format}")))?,
        status: Status::parse(&status)?,
        uploaded_at: row.get(9)?,
        options: serde_json::from_str(&options)?,
        default_sheet: row.get(11)?,
        encoding: row.get(12)?,
        delimiter: row.get(13)?,
        rows: row.get(14)?,
    })
}

/// The upload that clients know as `id`; `None` where there is none to be seen.
///
/// # Errors
/// `Database`.
pub fn by_id(connection: &Connection, id: &str) -> Result<Option<Upload>> {
    let mut statement = connection.prepare_cached(&format!(
        "{SELECT} WHERE u.id = ?1 AND u.status IN ('received', 'stored')"
    ))?;
    let mut rows = statement.query(params![id])?;
    rows.next()?.map(upload).transpose()
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

/// The upload with this number, whatever its status.
///
/// # Errors
/// `Database`; `Internal` where there is none.
pub fn by_no(connection: &Connection, no: UploadNo) -> Result<Upload> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} WHERE u.no = ?1"))?;
    let mut rows = statement.query(params![no.0])?;
    match rows.next()? {
        Some(row) => upload(row),
        None => Err(Error::Internal(format!("no upload {}", no.0))),
    }
}

/// Which uploads are wanted, beyond whose they are.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Part of the file's name, whatever its case.
    pub words: Option<String>,
    /// Words for what became of it, as [`OUTCOME`] gives them.
    pub outcomes: Option<Vec<String>>,
}

/// What became of an upload: the state of its newest job, `to-fix` where that left rows to fix,
/// `not-processed` where there was none.
const OUTCOME: &str = "coalesce(
    (SELECT CASE WHEN status = 'completed' AND invalid > 0 AND undone_at IS NULL THEN 'to-fix'
                 ELSE status END
     FROM jobs WHERE upload_no = u.no ORDER BY id DESC LIMIT 1), 'not-processed')";

/// A page of uploads, newest first, below `before`; of one user or of all.
///
/// # Errors
/// `Database`.
pub fn page(
    connection: &Connection,
    user: Option<UserId>,
    filter: &Filter,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Upload>> {
    let before = before.unwrap_or(i64::MAX);
    // Several statements, so that each is served by an index.
    let (whose, owner) = match user {
        Some(user) => ("u.user_id = ?2", user.0),
        None => ("?2 = 0", 0),
    };
    let (became, outcomes) = match &filter.outcomes {
        Some(some) => (
            format!("{OUTCOME} IN (SELECT value FROM json_each(?3))"),
            serde_json::to_string(some)?,
        ),
        None => ("?3 = ''".to_owned(), String::new()),
    };
    let mut statement = connection.prepare_cached(&format!(
        "{SELECT} WHERE {whose} AND u.no < ?1 AND u.status IN ('received', 'stored') AND {became}
         ORDER BY u.no DESC"
    ))?;
    // SQLite knows the case of ASCII letters only, so names are compared here.
    let words = filter.words.as_ref().map(|words| words.to_lowercase());
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut rows = statement.query(params![before, owner, outcomes])?;
    let mut found = Vec::new();
    while found.len() < limit
        && let Some(row) = rows.next()?
    {
        let one = upload(row)?;
        if words
            .as_ref()
            .is_none_or(|words| one.filename.to_lowercase().contains(words))
        {
            found.push(one);
        }
    }
    Ok(found)
}

/// The newest visible upload of `user` with the same bytes that came before `than`.
///
/// # Errors
/// `Database`.
pub fn same_content(
    connection: &Connection,
    user: UserId,
    sha256: &str,
    than: UploadNo,
) -> Result<Option<String>> {
    Ok(connection
        .prepare_cached(
            "SELECT id FROM uploads
             WHERE sha256 = ?1 AND user_id = ?2 AND no < ?3 AND status IN ('received', 'stored')
             ORDER BY no DESC LIMIT 1",
        )?
        .query_row(params![sha256, user.0, than.0], |row| row.get(0))
        .optional()?)
}

/// How many uploads a user has that have not been deleted.
///
/// # Errors
/// `Database`.
pub fn count_of(connection: &Connection, user: UserId) -> Result<i64> {
    Ok(connection.query_row(
        "SELECT count(*) FROM uploads WHERE user_id = ?1 AND status <> 'deleted'",
        [user.0],
        |row| row.get(0),
    )?)
}

/// Hands a user's uploads over to another.
///
/// # Errors
/// `Database`.
pub fn transfer(tx: &Tx<'_>, from: UserId, to: UserId) -> Result<()> {
    tx.execute(
        "UPDATE uploads SET user_id = ?2 WHERE user_id = ?1 AND status <> 'deleted'",
        [from.0, to.0],
    )?;
    Ok(())
}

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
