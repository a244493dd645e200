//! The table `sessions`.

use rusqlite::{Connection, params};

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::Result;
use crate::id::{SessionId, TokenHash, UserId};
use crate::store::users::{self, Standing, User};

/// A session as it is found by its token, with its user.
#[derive(Debug, Clone)]
pub struct Found {
    pub id: SessionId,
    pub user: User,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    pub expires_at: Timestamp,
    pub ends_at: Timestamp,
    /// Ended, otherwise than by disabling its user: of that, they hear as such.
    pub ended: bool,
    /// Since when the user has had an active job; a session that was alive then does not expire.
    pub held_since: Option<Timestamp>,
}

/// A session about to begin.
#[derive(Debug, Clone)]
pub struct NewSession<'a> {
    pub hash: &'a TokenHash,
    pub user: UserId,
    pub expires_at: Timestamp,
    pub ends_at: Timestamp,
    pub address: &'a str,
    pub device: Option<&'a str>,
}

/// A session as its owner sees it in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    pub id: SessionId,
    pub created_at: Timestamp,
    pub last_seen_at: Timestamp,
    pub expires_at: Timestamp,
    pub address: Option<String>,
    pub device: Option<String>,
}

/// Begins a session.
///
/// # Errors
/// `Database`.
pub fn insert(tx: &Tx<'_>, new: &NewSession<'_>) -> Result<SessionId> {
    tx.prepare_cached(
        "INSERT INTO sessions (token_hash, user_id, created_at, last_seen_at, expires_at, ends_at, address, device)
         VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        new.hash.0,
        new.user.0,
        tx.now,
        new.expires_at,
        new.ends_at,
        new.address,
        new.device
    ])?;
    Ok(SessionId(tx.last_insert_rowid()))
}

/// The session of a token, whatever has become of it. One short read: it runs for every request.
///
/// # Errors
/// `Database`.
pub fn find(connection: &Connection, hash: &TokenHash) -> Result<Option<Found>> {
    let mut statement = connection.prepare_cached(
        "SELECT s.id, s.created_at, s.last_seen_at, s.expires_at, s.ends_at,
                s.revoked_at IS NOT NULL AND (u.disabled_at IS NULL OR s.revoked_at < u.disabled_at),
                u.id, u.username, u.email, u.role, u.disabled_at IS NOT NULL, u.must_change, u.created_at,
                (SELECT j.queued_at FROM jobs j
                 WHERE j.user_id = u.id AND j.status IN ('pending', 'processing'))
         FROM sessions s JOIN users u ON u.id = s.user_id
         WHERE s.token_hash = ?1",
    )?;
    let mut rows = statement.query([&hash.0])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let role: String = row.get(9)?;
    Ok(Some(Found {
        id: SessionId(row.get(0)?),
        created_at: row.get(1)?,
        last_seen_at: row.get(2)?,
        expires_at: row.get(3)?,
        ends_at: row.get(4)?,
        ended: row.get(5)?,
        user: User {
            id: UserId(row.get(6)?),
            username: row.get(7)?,
            email: row.get(8)?,
            role: users::parse_role(&role)?,
            disabled: row.get(10)?,
            must_change: row.get(11)?,
            created_at: row.get(12)?,
        },
        held_since: row.get(13)?,
    }))
}

/// What has become of a session and its user; `None` where it is forgotten.
///
/// # Errors
/// `Database`.
pub fn standing(connection: &Connection, id: SessionId) -> Result<Option<Standing>> {
    let mut statement = connection.prepare_cached(
        "SELECT s.revoked_at IS NOT NULL AND (u.disabled_at IS NULL OR s.revoked_at < u.disabled_at),
                u.disabled_at IS NOT NULL, u.role
         FROM sessions s JOIN users u ON u.id = s.user_id
         WHERE s.id = ?1",
    )?;
    let mut rows = statement.query([id.0])?;
    rows.next()?.map(users::standing).transpose()
}

/// Moves a session's life on; it is shortened only where the clock went back. A session that has
/// been revoked stays so.
///
/// # Errors
/// `Database`.
pub fn seen(
    tx: &Tx<'_>,
    id: SessionId,
    at: Timestamp,
    expires_at: Timestamp,
    ends_at: Timestamp,
) -> Result<()> {
    tx.prepare_cached(
        "UPDATE sessions SET
             last_seen_at = ?2,
             expires_at = CASE WHEN last_seen_at > ?2 THEN ?3 ELSE max(expires_at, ?3) END,
             ends_at = min(ends_at, ?4)
         WHERE id = ?1 AND revoked_at IS NULL",
    )?
    .execute(params![id.0, at, expires_at, ends_at])?;
    Ok(())
}

/// A job of `user` has just ended: the sessions that it kept alive run until `until`, though not
/// beyond their absolute end. One that had expired before the job came stays expired.
///
/// # Errors
/// `Database`.
pub fn extend_for_user(tx: &Tx<'_>, user: UserId, until: Timestamp) -> Result<()> {
    tx.prepare_cached(
        "UPDATE sessions SET expires_at = min(?2, ends_at)
         WHERE user_id = ?1 AND revoked_at IS NULL
           AND min(expires_at, ends_at) > coalesce(
               (SELECT queued_at FROM jobs WHERE user_id = ?1 ORDER BY id DESC LIMIT 1), ?3)",
    )?
    .execute(params![user.0, until, tx.now])?;
    Ok(())
}

/// The user's sessions that are alive at `now`, the last used first.
///
/// # Errors
/// `Database`.
pub fn alive(connection: &Connection, user: UserId, now: Timestamp) -> Result<Vec<Listed>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, created_at, last_seen_at, min(expires_at, ends_at), address, device FROM sessions
         WHERE user_id = ?1 AND revoked_at IS NULL
           AND min(expires_at, ends_at) > min(?2, coalesce(
               (SELECT queued_at FROM jobs WHERE user_id = ?1 AND status IN ('pending', 'processing')), ?2))
         ORDER BY last_seen_at DESC, id DESC",
    )?;
    let rows = statement.query_map(params![user.0, now], |row| {
        Ok(Listed {
            id: SessionId(row.get(0)?),
            created_at: row.get(1)?,
            last_seen_at: row.get(2)?,
            expires_at: row.get(3)?,
            address: row.get(4)?,
            device: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// How many sessions are valid now.
///
/// # Errors
/// `Database`.
pub fn count_alive(connection: &Connection, now: Timestamp) -> Result<i64> {
    Ok(connection
        .prepare_cached(
            "SELECT count(*) FROM sessions
             WHERE expires_at > ?1 AND ends_at > ?1 AND revoked_at IS NULL",
        )?
        .query_row([now], |row| row.get(0))?)
}

/// Ends one session of `user`; false where there is none to end.
///
/// # Errors
/// `Database`.
pub fn revoke(tx: &Tx<'_>, user: UserId, id: SessionId) -> Result<bool> {
    let ended = tx
        .prepare_cached(
            "UPDATE sessions SET revoked_at = ?3 WHERE id = ?2 AND user_id = ?1 AND revoked_at IS NULL",
        )?
        .execute(params![user.0, id.0, tx.now])?;
    Ok(ended == 1)
}

/// Ends all sessions of `user`, or all but one; how many.
///
/// # Errors
/// `Database`.
pub fn revoke_all(tx: &Tx<'_>, user: UserId, but: Option<SessionId>) -> Result<usize> {
    Ok(tx
        .prepare_cached(
            "UPDATE sessions SET revoked_at = ?3
             WHERE user_id = ?1 AND id <> ?2 AND revoked_at IS NULL",
        )?
        .execute(params![user.0, but.map_or(0, |id| id.0), tx.now])?)
}

/// Ends the user's least recently used sessions beyond `keep`.
///
/// # Errors
/// `Database`.
pub fn revoke_beyond(tx: &Tx<'_>, user: UserId, keep: u32) -> Result<usize> {
    Ok(tx
        .prepare_cached(
            "UPDATE sessions SET revoked_at = ?3 WHERE id IN (
                 SELECT id FROM sessions WHERE user_id = ?1 AND revoked_at IS NULL
                 ORDER BY last_seen_at DESC, id DESC LIMIT -1 OFFSET ?2)",
        )?
        .execute(params![user.0, keep, tx.now])?)
}

/// Forgets sessions that ended before `before` and that no active job holds.
///
/// # Errors
/// `Database`.
pub fn sweep(tx: &Tx<'_>, before: Timestamp) -> Result<usize> {
    Ok(tx
        .prepare_cached(
            "DELETE FROM sessions
             WHERE revoked_at < ?1
                OR (min(expires_at, ends_at) < ?1
                    AND NOT EXISTS (SELECT 1 FROM jobs j
                                    WHERE j.user_id = sessions.user_id
                                      AND j.status IN ('pending', 'processing')
                                      AND j.queued_at < min(sessions.expires_at, sessions.ends_at)))",
        )?
        .execute([before])?)
}
