//! The table `tokens`: named API tokens for scripts.

use rusqlite::{Connection, params};

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::Result;
use crate::id::{TokenHash, UserId};
use crate::store::users::{self, Standing, User};

/// A token as it is found by its hash, with its user.
#[derive(Debug, Clone)]
pub struct Found {
    pub id: i64,
    pub user: User,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    /// Ended, otherwise than by disabling its user.
    pub ended: bool,
}

/// A token as its owner sees it in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    pub id: i64,
    pub name: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
}

/// Puts a new token in.
///
/// # Errors
/// `Database`.
pub fn insert(
    tx: &Tx<'_>,
    user: UserId,
    hash: &TokenHash,
    name: &str,
    expires_at: Option<Timestamp>,
) -> Result<i64> {
    tx.prepare_cached(
        "INSERT INTO tokens (token_hash, user_id, name, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![hash.0, user.0, name, tx.now, expires_at])?;
    Ok(tx.last_insert_rowid())
}

/// The token with this hash, whatever has become of it.
///
/// # Errors
/// `Database`.
pub fn find(connection: &Connection, hash: &TokenHash) -> Result<Option<Found>> {
    let mut statement = connection.prepare_cached(
        "SELECT t.id, t.created_at, t.expires_at, t.last_used_at,
                t.revoked_at IS NOT NULL AND (u.disabled_at IS NULL OR t.revoked_at < u.disabled_at),
                u.id, u.username, u.email, u.role, u.disabled_at IS NOT NULL, u.must_change, u.created_at
         FROM tokens t JOIN users u ON u.id = t.user_id
         WHERE t.token_hash = ?1",
    )?;
    let mut rows = statement.query([&hash.0])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let role: String = row.get(8)?;
    Ok(Some(Found {
        id: row.get(0)?,
        created_at: row.get(1)?,
        expires_at: row.get(2)?,
        last_used_at: row.get(3)?,
        ended: row.get(4)?,
        user: User {
            id: UserId(row.get(5)?),
            username: row.get(6)?,
            email: row.get(7)?,
            role: users::parse_role(&role)?,
            disabled: row.get(9)?,
            must_change: row.get(10)?,
            created_at: row.get(11)?,
        },
    }))
}

/// What has become of a token and its user; `None` where it is forgotten.
///
/// # Errors
/// `Database`.
pub fn standing(connection: &Connection, id: i64) -> Result<Option<Standing>> {
    let mut statement = connection.prepare_cached(
        "SELECT t.revoked_at IS NOT NULL AND (u.disabled_at IS NULL OR t.revoked_at < u.disabled_at),
                u.disabled_at IS NOT NULL, u.role
         FROM tokens t JOIN users u ON u.id = t.user_id
         WHERE t.id = ?1",
    )?;
    let mut rows = statement.query([id])?;
    rows.next()?.map(users::standing).transpose()
}

/// Notes when a token was last used.
///
/// # Errors
/// `Database`.
pub fn used(tx: &Tx<'_>, id: i64, at: Timestamp) -> Result<()> {
    tx.prepare_cached("UPDATE tokens SET last_used_at = ?2 WHERE id = ?1")?
        .execute(params![id, at])?;
    Ok(())
}

/// The user's tokens that have not been revoked, the newest first.
///
/// # Errors
/// `Database`.
pub fn of_user(connection: &Connection, user: UserId) -> Result<Vec<Listed>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, name, created_at, expires_at, last_used_at FROM tokens
         WHERE user_id = ?1 AND revoked_at IS NULL ORDER BY id DESC",
    )?;
    let rows = statement.query_map([user.0], |row| {
        Ok(Listed {
            id: row.get(0)?,
            name: row.get(1)?,
            created_at: row.get(2)?,
            expires_at: row.get(3)?,
            last_used_at: row.get(4)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Ends one token of `user`; false where there is none to end.
///
/// # Errors
/// `Database`.
pub fn revoke(tx: &Tx<'_>, user: UserId, id: i64) -> Result<bool> {
    let ended = tx
        .prepare_cached(
            "UPDATE tokens SET revoked_at = ?3 WHERE id = ?2 AND user_id = ?1 AND revoked_at IS NULL",
        )?
        .execute(params![user.0, id, tx.now])?;
    Ok(ended == 1)
}

/// Ends all tokens of `user`; how many.
///
/// # Errors
/// `Database`.
pub fn revoke_all(tx: &Tx<'_>, user: UserId) -> Result<usize> {
    Ok(tx
        .prepare_cached(
            "UPDATE tokens SET revoked_at = ?2 WHERE user_id = ?1 AND revoked_at IS NULL",
        )?
        .execute(params![user.0, tx.now])?)
}

/// Forgets tokens that ended before `before`.
///
/// # Errors
/// `Database`.
pub fn sweep(tx: &Tx<'_>, before: Timestamp) -> Result<usize> {
    Ok(tx
        .prepare_cached("DELETE FROM tokens WHERE revoked_at < ?1 OR expires_at < ?1")?
        .execute([before])?)
}
