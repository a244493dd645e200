//! The table `audit`: who did what, when, and from where. An entry is written in the transaction of
//! the deed, so that there is neither without the other.

use rusqlite::{Connection, params};
use serde::Serialize;

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::Result;
use crate::id::UserId;

/// What somebody did. `target` names at whom or what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    SetUp,
    SignedIn,
    SignInFailed,
    LockedOut,
    SignedOut,
    PasswordChanged,
    SessionEnded,
    SessionsEnded,
    TokenMade,
    TokenRevoked,
    UserAdded,
    UserChanged,
    UserDeleted,
    JobCancelled,
    JobUndone,
    QueuePaused,
    QueueResumed,
    FileDeleted,
    TemplateStored,
    TemplateDeleted,
    MappingForgotten,
    BackedUp,
}

impl Action {
    pub fn as_str(self) -> &'static str {
        match self {
            Action::SetUp => "set-up",
            Action::SignedIn => "signed-in",
            Action::SignInFailed => "sign-in-failed",
            Action::LockedOut => "locked-out",
            Action::SignedOut => "signed-out",
            Action::PasswordChanged => "password-changed",
            Action::SessionEnded => "session-ended",
            Action::SessionsEnded => "sessions-ended",
            Action::TokenMade => "token-made",
            Action::TokenRevoked => "token-revoked",
            Action::UserAdded => "user-added",
            Action::UserChanged => "user-changed",
            Action::UserDeleted => "user-deleted",
            Action::JobCancelled => "job-cancelled",
            Action::JobUndone => "job-undone",
            Action::QueuePaused => "queue-paused",
            Action::QueueResumed => "queue-resumed",
            Action::FileDeleted => "file-deleted",
            Action::TemplateStored => "template-stored",
            Action::TemplateDeleted => "template-deleted",
            Action::MappingForgotten => "mapping-forgotten",
            Action::BackedUp => "backed-up",
        }
    }
}

/// Who does it, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub user: Option<UserId>,
    /// The user's name at the time, or what stands in its place.
    pub name: String,
    /// `None`: on the server itself.
    pub address: Option<String>,
}

impl Actor {
    /// Whoever may run commands on the server.
    pub fn command_line() -> Actor {
        Actor {
            user: None,
            name: "command line".to_owned(),
            address: None,
        }
    }
}

/// An entry, as it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    pub id: i64,
    pub at: Timestamp,
    pub who: String,
    pub action: String,
    pub target: Option<String>,
    pub address: Option<String>,
}

/// Notes a deed.
///
/// # Errors
/// `Database`.
pub fn note(tx: &Tx<'_>, by: &Actor, action: Action, target: Option<&str>) -> Result<()> {
    tx.prepare_cached(
        "INSERT INTO audit (at, user_id, who, action, target, address)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        tx.now,
        by.user.map(|user| user.0),
        by.name,
        action.as_str(),
        target,
        by.address,
    ])?;
    Ok(())
}

/// A page of entries, newest first, below `before`.
///
/// # Errors
/// `Database`.
pub fn page(connection: &Connection, before: Option<i64>, limit: u32) -> Result<Vec<Entry>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, at, who, action, target, address FROM audit
         WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
    )?;
    let rows = statement.query_map(params![before.unwrap_or(i64::MAX), limit], |row| {
        Ok(Entry {
            id: row.get(0)?,
            at: row.get(1)?,
            who: row.get(2)?,
            action: row.get(3)?,
            target: row.get(4)?,
            address: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// When `sheetline backup` was last done; other programs' copies are not known here.
///
/// # Errors
/// `Database`.
pub fn last_backup(connection: &Connection) -> Result<Option<Timestamp>> {
    Ok(connection
        .prepare_cached("SELECT max(at) FROM audit WHERE action = ?1")?
        .query_row([Action::BackedUp.as_str()], |row| row.get(0))?)
}

/// Forgets entries from before `before`, and all but the newest `failures_max` failed sign-ins: an
/// attack must not fill the disk.
///
/// # Errors
/// `Database`.
pub fn sweep(tx: &Tx<'_>, before: Timestamp, failures_max: u32) -> Result<usize> {
    let old = tx
        .prepare_cached("DELETE FROM audit WHERE at < ?1")?
        .execute([before])?;
    let failures = tx
        .prepare_cached(
            "DELETE FROM audit WHERE action = 'sign-in-failed' AND id <= (
                 SELECT id FROM audit WHERE action = 'sign-in-failed'
                 ORDER BY id DESC LIMIT 1 OFFSET ?1)",
        )?
        .execute([failures_max])?;
    Ok(old + failures)
}
