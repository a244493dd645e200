//! Looking at jobs: one, a page, the queue, and what past jobs tell about waiting times.

use std::sync::LazyLock;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Counts;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::id::{JobId, UploadNo, UserId};
use crate::words::{Code, Format, State};

/// A job with everything that people see of it.
#[derive(Debug, Clone)]
pub struct Job {
    pub id: JobId,
    pub user: UserId,
    pub username: String,
    pub upload: UploadNo,
    /// The UUID of its file.
    pub upload_id: String,
    /// Whether the file has been deleted since.
    pub upload_deleted: bool,
    pub filename: String,
    pub size: i64,
    pub format: Format,
    pub operation: String,
    pub template: String,
    pub template_version: i64,
    pub on_duplicate: String,
    pub options: String,
    pub status: State,
    pub attempt: i64,
    pub queued_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub cancel_asked_at: Option<Timestamp>,
    pub phase: Option<String>,
    pub rows_done: i64,
    pub rows_total: Option<i64>,
    pub beat_at: Option<Timestamp>,
    /// Once it is completed.
    pub counts: Option<Counts>,
    pub work_ms: Option<i64>,
    /// Code and sentence of a failed or timed-out job.
    pub error: Option<(Code, String)>,
    pub undone_at: Option<Timestamp>,
    pub undone_by: Option<String>,
    /// Why its state last changed, as its events tell it.
    pub detail: Option<String>,
    /// Why it had to begin from the beginning, if it had to.
    pub begins_again: Option<String>,
    /// Rows of the file's default sheet, once they have been read.
    pub file_rows: Option<i64>,
}

impl Job {
    /// What people know it by: `companies.csv (job 7)`.
    pub fn named(&self) -> String {
        format!("{} (job {})", self.filename, self.id)
    }
}

/// A state change.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub at: Timestamp,
    pub from: Option<String>,
    pub to: String,
    pub attempt: i64,
    pub detail: Option<String>,
}

const SELECT: &str =
    "SELECT j.id, j.user_id, p.username, j.upload_no, u.id, u.status = 'deleted', u.filename, u.size, u.format,
            j.operation, j.template, j.template_version, j.on_duplicate, j.options, j.status, j.attempt,
            j.queued_at, j.started_at, j.finished_at, j.cancel_asked_at, j.phase, j.rows_done, j.rows_total,
            j.beat_at, j.rows, j.valid, j.invalid, j.duplicates, j.updated, j.work_ms, j.error_code,
            j.error_message, j.undone_at, j.undone_by, s.row_count, j.change_detail, j.unchanged,
            (SELECT e.detail FROM job_events e WHERE e.job_id = j.id AND e.from_status = 'processing'
               AND e.to_status = 'pending' ORDER BY e.id DESC LIMIT 1)
     FROM jobs j
     JOIN uploads u ON u.no = j.upload_no
     JOIN users p ON p.id = j.user_id
     LEFT JOIN upload_sheets s ON s.upload_no = u.no AND s.position = u.default_sheet";

fn job(row: &Row<'_>) -> Result<Job> {
    let format: String = row.get(8)?;
    let status: String = row.get(14)?;
    let rows: Option<i64> = row.get(24)?;
    let counts = match rows {
        Some(rows) => Some(Counts {
            rows,
            valid: row.get(25)?,
            invalid: row.get(26)?,
            duplicates: row.get(27)?,
            updated: row.get(28)?,
            unchanged: row.get::<_, Option<i64>>(36)?.unwrap_or(0),
        }),
        None => None,
    };
    let code: Option<String> = row.get(30)?;
    let message: Option<String> = row.get(31)?;
    Ok(Job {
        id: JobId(row.get(0)?),
        user: UserId(row.get(1)?),
        username: row.get(2)?,
        upload: UploadNo(row.get(3)?),
        upload_id: row.get(4)?,
        upload_deleted: row.get(5)?,
        filename: row.get(6)?,
        size: row.get(7)?,
        format: Format::parse(&format)
            .ok_or_else(|| Error::Internal(format!("format {format}")))?,
        operation: row.get(9)?,
        template: row.get(10)?,
        template_version: row.get(11)?,
        on_duplicate: row.get(12)?,
        options: row.get(13)?,
        status: State::parse(&status).ok_or_else(|| Error::Internal(format!("state {status}")))?,
        attempt: row.get(15)?,
        queued_at: row.get(16)?,
        started_at: row.get(17)?,
        finished_at: row.get(18)?,
        cancel_asked_at: row.get(19)?,
        phase: row.get(20)?,
        rows_done: row.get(21)?,
        rows_total: row.get(22)?,
        beat_at: row.get(23)?,
        counts,
        work_ms: row.get(29)?,
        error: code
            .as_deref()
            .map(|code| Code::parse(code).unwrap_or(Code::Internal))
            .zip(message),
        undone_at: row.get(32)?,
        undone_by: row.get(33)?,
        detail: row.get(35)?,
        begins_again: row.get(37)?,
        file_rows: row.get(34)?,
    })
}

fn jobs(mut rows: rusqlite::Rows<'_>) -> Result<Vec<Job>> {
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(job(row)?);
    }
    Ok(found)
}

/// The job with this id.
///
/// # Errors
/// `Database`.
pub fn by_id(connection: &Connection, id: JobId) -> Result<Option<Job>> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} WHERE j.id = ?1"))?;
    let mut rows = statement.query(params![id.0])?;
    rows.next()?.map(job).transpose()
}

/// Asked by every page that waits for news.
static NEWEST_OF: LazyLock<String> = LazyLock::new(|| {
    format!("{SELECT} WHERE j.id = (SELECT max(id) FROM jobs WHERE user_id = ?1)")
});

/// The user's newest job.
///
/// # Errors
/// `Database`.
pub fn newest_of(connection: &Connection, user: UserId) -> Result<Option<Job>> {
    let mut statement = connection.prepare_cached(&NEWEST_OF)?;
    let mut rows = statement.query(params![user.0])?;
    rows.next()?.map(job).transpose()
}

/// The newest job of an upload.
///
/// # Errors
/// `Database`.
pub fn newest_of_upload(connection: &Connection, upload: UploadNo) -> Result<Option<Job>> {
    let mut statement = connection.prepare_cached(&format!(
        "{SELECT} WHERE j.id = (SELECT max(id) FROM jobs WHERE upload_no = ?1)"
    ))?;
    let mut rows = statement.query(params![upload.0])?;
    rows.next()?.map(job).transpose()
}

/// All active jobs: those in work, then those that wait, each in the order of arrival.
///
/// # Errors
/// `Database`.
pub fn active(connection: &Connection) -> Result<Vec<Job>> {
    let mut statement = connection.prepare_cached(&format!(
        "{SELECT} WHERE j.status IN ('pending', 'processing') ORDER BY j.status = 'pending', j.id"
    ))?;
    jobs(statement.query([])?)
}

/// A page of jobs, newest first, below `before`; of one user or of all; in one state or in any.
///
/// # Errors
/// `Database`.
pub fn page(
    connection: &Connection,
    user: Option<UserId>,
    status: Option<State>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Job>> {
    let (owner_sql, owner) = match user {
        Some(user) => ("j.user_id = ?1", user.0),
        None => ("?1 = 0", 0),
    };
    let status_sql = match status {
        Some(state) => format!("j.status = '{}'", state.as_str()),
        None => "1".to_owned(),
    };
    let mut statement = connection.prepare_cached(&format!(
        "{SELECT} WHERE {owner_sql} AND {status_sql} AND j.id < ?2 ORDER BY j.id DESC LIMIT ?3"
    ))?;
    jobs(statement.query(params![owner, before.unwrap_or(i64::MAX), limit])?)
}

/// Every state change of a job, oldest first.
///
/// # Errors
/// `Database`.
pub fn events(connection: &Connection, job: JobId) -> Result<Vec<Event>> {
    let mut statement = connection.prepare_cached(
        "SELECT at, from_status, to_status, attempt, detail FROM job_events WHERE job_id = ?1 ORDER BY id",
    )?;
    let rows = statement.query_map(params![job.0], |row| {
        Ok(Event {
            at: row.get(0)?,
            from: row.get(1)?,
            to: row.get(2)?,
            attempt: row.get(3)?,
            detail: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// How many jobs wait and how many are in work.
///
/// # Errors
/// `Database`.
pub fn counts(connection: &Connection) -> Result<(i64, i64)> {
    Ok(connection
        .prepare_cached(
            "SELECT (SELECT count(*) FROM jobs WHERE status = 'pending'),
                    (SELECT count(*) FROM jobs WHERE status = 'processing')",
        )?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// All jobs, counted by state.
///
/// # Errors
/// `Database`.
pub fn count_by_state(connection: &Connection) -> Result<Vec<(State, i64)>> {
    let mut statement = connection.prepare_cached("SELECT count(*) FROM jobs WHERE status = ?1")?;
    State::ALL
        .into_iter()
        .map(|state| {
            let count = statement.query_row([state.as_str()], |row| row.get(0))?;
            Ok((state, count))
        })
        .collect()
}

/// Whether a job waits.
///
/// # Errors
/// `Database`.
pub fn any_pending(connection: &Connection) -> Result<bool> {
    Ok(connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM jobs WHERE status = 'pending')")?
        .query_row([], |row| row.get(0))?)
}

/// A job whose file has not been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToRead {
    pub job: JobId,
    pub upload: UploadNo,
}

/// The first of the next `among` jobs, after job `after`, whose file has not been read and has at most
/// so many bytes.
///
/// # Errors
/// `Database`.
pub fn next_to_read(
    connection: &Connection,
    after: JobId,
    among: usize,
    bytes_max: u64,
) -> Result<Option<ToRead>> {
    let mut statement = connection.prepare_cached(
        "SELECT j.id, u.no
         FROM (SELECT id, upload_no FROM jobs WHERE status = 'pending' ORDER BY id LIMIT ?2) j
         JOIN uploads u ON u.no = j.upload_no
         WHERE j.id > ?1 AND u.status = 'received' AND u.size <= ?3 ORDER BY j.id LIMIT 1",
    )?;
    let among = i64::try_from(among).unwrap_or(i64::MAX);
    let bytes_max = i64::try_from(bytes_max).unwrap_or(i64::MAX);
    Ok(statement
        .query_row(params![after.0, among, bytes_max], |row| {
            Ok(ToRead {
                job: JobId(row.get(0)?),
                upload: UploadNo(row.get(1)?),
            })
        })
        .optional()?)
}

/// # Errors
/// `Stopped` where the job has ended.
pub fn still_active(connection: &Connection, job: JobId) -> Result<()> {
    let active = connection
        .prepare_cached("SELECT status IN ('pending', 'processing') FROM jobs WHERE id = ?1")?
        .query_row([job.0], |row| row.get(0))
        .optional()?;
    if active == Some(true) {
        Ok(())
    } else {
        Err(Error::Stopped)
    }
}

/// What an estimate needs to know of an active job.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    pub id: JobId,
    pub processing: bool,
    /// Bytes of its file.
    pub size: i64,
    pub format: Format,
    pub template: String,
    /// Rows of its file, where they are known.
    pub rows: Option<i64>,
    pub rows_done: i64,
    /// Whether its file has been read and only the checking is left.
    pub read: bool,
    /// From its claim to its last sign of life, by the wall clock.
    pub worked_ms: i64,
}

/// All active jobs, in the order of arrival.
///
/// # Errors
/// `Database`.
pub fn loads(connection: &Connection) -> Result<Vec<Load>> {
    let mut statement = connection.prepare_cached(
        "SELECT j.id, j.status = 'processing', u.size, u.format, j.template,
                coalesce(s.row_count, j.rows_total), j.rows_done,
                u.status = 'stored' AND coalesce(j.phase, '') <> 'reading', j.started_at, j.beat_at
         FROM jobs j
         JOIN uploads u ON u.no = j.upload_no
         LEFT JOIN upload_sheets s ON s.upload_no = u.no AND s.position = u.default_sheet
         WHERE j.status IN ('pending', 'processing')
         ORDER BY j.id",
    )?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let format: String = row.get(3)?;
        let started: Option<Timestamp> = row.get(8)?;
        let beat: Option<Timestamp> = row.get(9)?;
        found.push(Load {
            id: JobId(row.get(0)?),
            processing: row.get(1)?,
            size: row.get(2)?,
            format: Format::parse(&format).unwrap_or(Format::Csv),
            template: row.get(4)?,
            rows: row.get(5)?,
            rows_done: row.get(6)?,
            read: row.get(7)?,
            worked_ms: match (started, beat) {
                (Some(started), Some(beat)) => beat.unix_ms() - started.unix_ms(),
                _ => 0,
            },
        });
    }
    Ok(found)
}

/// What a completed job took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Past {
    pub format: Format,
    /// Bytes of its file.
    pub bytes: i64,
    pub work_ms: i64,
    /// Whether its file had been read before.
    pub was_read: bool,
}

/// How far back, in jobs, it is looked for past ones.
const LOOK_BACK: i64 = 1_000;

/// The last completed jobs, the youngest first.
///
/// # Errors
/// `Database`.
pub fn past(connection: &Connection) -> Result<Vec<Past>> {
    let mut statement = connection.prepare_cached(
        "SELECT u.format, u.size, j.work_ms, j.operation <> 'upload_and_process'
         FROM jobs j JOIN uploads u ON u.no = j.upload_no
         WHERE j.id > (SELECT coalesce(max(id), 0) FROM jobs) - ?1 AND j.status = 'completed'
           AND j.work_ms IS NOT NULL
         ORDER BY j.id DESC LIMIT 60",
    )?;
    let rows = statement.query_map([LOOK_BACK], |row| {
        let format: String = row.get(0)?;
        Ok(Past {
            format: Format::parse(&format).unwrap_or(Format::Csv),
            bytes: row.get(1)?,
            work_ms: row.get(2)?,
            was_read: row.get(3)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What ended within an hour.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// In UTC: `2026-11-25T21`.
    pub hour: String,
    pub completed: i64,
    pub other: i64,
    /// Rows of the completed ones.
    pub rows: i64,
    /// How many of them had begun, and how long these had waited in all.
    pub begun: i64,
    pub waited_ms: i64,
    /// The longest of these waits.
    pub waited_ms_max: i64,
}

/// The jobs that ended from `from` on, hour by hour.
///
/// # Errors
/// `Database`.
pub fn ended_by_hour(connection: &Connection, from: Timestamp) -> Result<Vec<Ended>> {
    let mut statement = connection.prepare_cached(
        "SELECT substr(finished_at, 1, 13), count(*) FILTER (WHERE status = 'completed'),
                count(*) FILTER (WHERE status <> 'completed'),
                coalesce(sum(rows), 0), count(started_at),
                coalesce(sum(max(0, (julianday(started_at) - julianday(queued_at)) * 86400000.0)), 0.0),
                coalesce(max(max(0, (julianday(started_at) - julianday(queued_at)) * 86400000.0)), 0.0)
         FROM jobs WHERE finished_at >= ?1 GROUP BY 1 ORDER BY 1",
    )?;
    let rows = statement.query_map(params![from], |row| {
        let (waited_ms, longest_ms): (f64, f64) = (row.get(5)?, row.get(6)?);
        Ok(Ended {
            hour: row.get(0)?,
            completed: row.get(1)?,
            other: row.get(2)?,
            rows: row.get(3)?,
            begun: row.get(4)?,
            waited_ms: whole(waited_ms),
            waited_ms_max: whole(longest_ms),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

#[expect(clippy::cast_possible_truncation, reason = "milliseconds of some jobs")]
fn whole(ms: f64) -> i64 {
    ms.round() as i64
}

/// The place of a pending job: 1 is next.
///
/// # Errors
/// `Database`.
pub fn position(connection: &Connection, job: JobId) -> Result<i64> {
    Ok(connection
        .prepare_cached("SELECT count(*) FROM jobs WHERE status = 'pending' AND id <= ?1")?
        .query_row(params![job.0], |row| row.get(0))?)
}
