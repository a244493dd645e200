//! Uploads: what is known of each file; its bytes, its sheets and its end have files of their own.

mod chunks;
mod removal;
mod sheets;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::{UploadNo, UserId};
use crate::sheet::ReadOptions;
use crate::words::Format;
pub use chunks::{CHUNK_BYTES, Chunk, chunk, insert_chunk};
pub use removal::{
    PURGE_CHUNKS, delete, deletion, next_to_purge, outlived, purge_chunks_step, purge_rows_step,
    remove_unpromised, unpromised,
};
pub use sheets::{keep_sheets, sheets};

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
