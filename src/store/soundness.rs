//! What `check` and `restore` ask of a database as a whole.

use rusqlite::{Connection, OptionalExtension};

use crate::clock::Timestamp;
use crate::error::Result;

/// Uploads told at most.
const SHORT_MAX: u32 = 20;

/// The first user of a database: tells it and its copies from all others.
#[derive(Debug, PartialEq, Eq)]
pub struct First {
    id: i64,
    name: String,
    since: String,
}

/// By whom the database was begun; `None` where nobody has used it yet. Users are never removed, and
/// neither their names nor their times change.
///
/// # Errors
/// `Database`.
pub fn first(connection: &Connection) -> Result<Option<First>> {
    let sql = "SELECT id, username, created_at FROM users ORDER BY id LIMIT 1";
    let found = connection.query_row(sql, [], |row| {
        Ok(First {
            id: row.get(0)?,
            name: row.get(1)?,
            since: row.get(2)?,
        })
    });
    Ok(found.optional()?)
}

/// How many rows refer to one that is missing.
///
/// # Errors
/// `Database`.
pub fn dangling(connection: &Connection) -> Result<usize> {
    let rows = connection
        .prepare("PRAGMA foreign_key_check")?
        .query_map([], |_| Ok(()))?
        .count();
    // Keys without their record, and records of the list that would not be found by theirs.
    let keys: i64 = connection.query_row(
        "SELECT (SELECT count(*) FROM record_keys k
                 WHERE NOT EXISTS (SELECT 1 FROM records r WHERE r.id = k.record_id))
              + (SELECT coalesce(sum(
                     (r.key_1 IS NOT NULL
                      AND NOT EXISTS (SELECT 1 FROM record_keys q WHERE q.hash = r.key_1 AND q.record_id = r.id))
                   + (r.key_2 IS NOT NULL
                      AND NOT EXISTS (SELECT 1 FROM record_keys q WHERE q.hash = r.key_2 AND q.record_id = r.id))
                   + (SELECT count(*)
                      FROM json_each(CASE WHEN r.keys IS NULL OR json_valid(r.keys) THEN r.keys ELSE '[null]' END) k
                      WHERE NOT EXISTS (SELECT 1 FROM record_keys q WHERE q.hash = k.value AND q.record_id = r.id))
                 ), 0)
                 FROM jobs j CROSS JOIN records r ON r.job_id = j.id WHERE j.status = 'completed')",
        [],
        |row| row.get(0),
    )?;
    Ok(rows + usize::try_from(keys).unwrap_or(usize::MAX))
}

/// Numbers of uploads of which fewer or more bytes are stored than came in; the first ones.
///
/// # Errors
/// `Database`.
pub fn of_wrong_length(connection: &Connection) -> Result<Vec<i64>> {
    let mut statement = connection.prepare(
        "SELECT u.no FROM uploads u WHERE u.status IN ('received', 'stored')
         AND u.size <> (SELECT coalesce(sum(coalesce(h.size, length(h.bytes))), 0) FROM upload_chunks h WHERE h.upload_no = u.no)
         ORDER BY u.no LIMIT ?1",
    )?;
    let rows = statement.query_map([SHORT_MAX], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// What nobody refers to any more and the next start clears away: uploads, and records.
///
/// # Errors
/// `Database`.
pub fn left_over(connection: &Connection) -> Result<(i64, i64)> {
    Ok(connection.query_row(
        "SELECT (SELECT count(*) FROM uploads WHERE status IN ('receiving', 'deleted')
                   AND EXISTS (SELECT 1 FROM upload_chunks h WHERE h.upload_no = uploads.no)),
                (SELECT count(*) FROM records r JOIN jobs j ON j.id = r.job_id
                   WHERE j.status NOT IN ('completed', 'processing'))",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?)
}

/// The time of the newest entry that the program made.
///
/// # Errors
/// `Database`.
pub fn newest_entry(connection: &Connection) -> Result<Option<Timestamp>> {
    Ok(connection.query_row(
        "SELECT max(at) FROM (SELECT at FROM (SELECT at FROM audit ORDER BY id DESC LIMIT 100)
         UNION ALL SELECT at FROM (SELECT at FROM job_events ORDER BY id DESC LIMIT 100))",
        [],
        |row| row.get(0),
    )?)
}

/// How many files and jobs there are, and the last entry of the audit trail.
///
/// # Errors
/// What SQLite said.
pub fn contents(connection: &Connection) -> rusqlite::Result<(i64, i64, Option<String>)> {
    connection.query_row(
        "SELECT (SELECT count(*) FROM uploads), (SELECT count(*) FROM jobs), (SELECT max(at) FROM audit)",
        [],
        |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
    )
}
