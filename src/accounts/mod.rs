//! Who is this, and may they: users, sessions, API tokens, passwords, the throttle and the setup.

use std::sync::Arc;

use serde::Serialize;

use crate::clock::{Clock, Timestamp};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::id::{SessionId, Token, UserId};
use crate::settings::Settings;
use crate::words::{Code, Role};

/// A user, without the password.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct User {
    pub id: UserId,
    pub username: String,
    pub email: Option<String>,
    #[serde(skip)]
    pub role: Role,
    pub disabled: bool,
    pub created_at: Timestamp,
}

/// Who makes a request: a user, and how they showed it. Only [`Accounts`] makes one.
#[derive(Debug, Clone)]
pub struct Caller {
    pub user: User,
    pub via: Via,
}

/// How a caller showed who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// A session, with the first 4 hex digits of its hash for log lines.
    Session { id: SessionId, short: String },
    /// A named API token: the user's rights except user administration, passwords and tokens.
    Token { id: i64, short: String },
}

/// What of accounts lives in memory: the throttle, the setup code, the gate before the hashing.
pub struct Accounts {
    clock: Arc<dyn Clock>,
}

impl Accounts {
    pub fn new(_settings: &Settings, clock: Arc<dyn Clock>) -> Accounts {
        Accounts { clock }
    }

    /// Who carries `token`, with the session's life moved on.
    ///
    /// # Errors
    /// `session-missing`, `-invalid`, `-expired`, `-revoked`, `account-disabled`.
    pub fn identify(&self, _db: &Db, _token: Option<&Token>) -> Result<Caller> {
        Err(Error::problem(Code::SessionMissing, "Sign in first."))
    }

    pub fn begin_setup(&self, _db: &Db) -> Result<Option<String>> {
        Ok(None)
    }
    /// The clock that the throttle and the setup code go by.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }
}
pub fn sweep(_db: &Db) -> Result<u64> {
    Ok(0)
}
