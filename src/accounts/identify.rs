//! Who carries this secret: looked up in the database for every request, with the life of the
//! session moved on.

use std::time::Duration;

use rusqlite::Connection;

use super::late::{Seen, Whose};
use super::{Accounts, Caller, Via};
use crate::clock::Timestamp;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::id::{Token, TokenHash};
use crate::store::{audit, sessions, throttle as failures, tokens};
use crate::words::{Code, Role};

/// How long tokens that have ended are remembered, so that a script learns why it is refused.
const TOKENS_KEPT: Duration = Duration::from_secs(30 * 86_400);

/// How long the audit trail is kept, and how many failed sign-ins of it.
const AUDIT_KEPT: Duration = Duration::from_secs(2 * 366 * 86_400);
const AUDIT_FAILURES_MAX: u32 = 50_000;

impl Accounts {
    /// Who carries `token`, with the session's life moved on.
    ///
    /// # Errors
    /// `session-missing`, `-invalid`, `-expired`, `-revoked`, `account-disabled`.
    pub fn identify(&self, db: &Db, token: Option<&Token>) -> Result<Caller> {
        let Some(token) = token else {
            return Err(Error::problem(Code::SessionMissing, "Sign in first."));
        };
        let hash = token.hash();
        if token.is_api() {
            self.by_token(db, &hash)
        } else {
            self.by_session(db, &hash)
        }
    }

    fn by_session(&self, db: &Db, hash: &TokenHash) -> Result<Caller> {
        let now = self.clock.now();
        let mut found = db.read_one(|c| sessions::find(c, hash))?.ok_or_else(|| {
            Error::problem(
                Code::SessionInvalid,
                "This session is unknown. Sign in again.",
            )
        })?;
        // What could not be written yet counts all the same.
        if let Some(seen) = self.late.of(Whose::Session(found.id)) {
            found.expires_at = found.expires_at.max(seen.expires_at);
        }
        let end = found.expires_at.min(found.ends_at);
        if found.ended {
            return Err(Error::problem(
                Code::SessionRevoked,
                "This session was ended. Sign in again.",
            ));
        }
        let held = found.held_since.is_some_and(|since| since < end);
        if end <= now && !held {
            return Err(Error::problem(
                Code::SessionExpired,
                "You were signed out after a time without requests. Sign in again.",
            ));
        }
        if found.user.disabled {
            return Err(disabled());
        }
        // Where the clock went back, the ends that were told by the wrong clock come nearer.
        let ends_at = found.ends_at.min(now.plus(self.session_max));
        let expires_at = now.plus(self.session_ttl).min(ends_at);
        if self.is_due(Some(found.last_seen_at), now) {
            self.late.note(
                db,
                Whose::Session(found.id),
                Seen {
                    at: now,
                    expires_at,
                    ends_at,
                },
            );
        }
        Ok(Caller {
            user: found.user,
            via: Via::Session {
                id: found.id,
                short: hash.short().to_owned(),
            },
            created_at: found.created_at,
            expires_at: Some(expires_at),
        })
    }

    fn by_token(&self, db: &Db, hash: &TokenHash) -> Result<Caller> {
        let now = self.clock.now();
        let found = db
            .read_one(|c| tokens::find(c, hash))?
            .ok_or_else(|| Error::problem(Code::SessionInvalid, "This API token is unknown."))?;
        if found.ended {
            return Err(Error::problem(
                Code::SessionRevoked,
                "This API token was revoked. Make a new one under Profile.",
            ));
        }
        if found.expires_at.is_some_and(|at| at <= now) {
            return Err(Error::problem(
                Code::SessionExpired,
                "This API token has expired. Make a new one under Profile.",
            ));
        }
        if found.user.disabled {
            return Err(disabled());
        }
        let whose = Whose::Token(found.id);
        if self.is_due(found.last_used_at, now) {
            self.late.note(
                db,
                whose,
                Seen {
                    at: now,
                    expires_at: now,
                    ends_at: now,
                },
            );
        }
        Ok(Caller {
            user: found.user,
            via: Via::Token {
                id: found.id,
                short: hash.short().to_owned(),
            },
            created_at: found.created_at,
            expires_at: found.expires_at,
        })
    }

    /// Whether a sign of life is to be written: none yet, long enough ago, or from the future.
    fn is_due(&self, last: Option<Timestamp>, now: Timestamp) -> bool {
        last.is_none_or(|last| now < last || now.since(last) >= self.write_late_max)
    }

    /// Writes what waits, and forgets what ended longer than a session's life ago; how many
    /// sessions and tokens.
    ///
    /// # Errors
    /// `Database`.
    pub fn sweep(&self, db: &Db) -> Result<usize> {
        self.late.flush(db);
        let now = self.clock.now();
        self.late.forget(now.minus(self.session_ttl));
        let removed = db.write(|tx| {
            audit::sweep(tx, now.minus(AUDIT_KEPT), AUDIT_FAILURES_MAX)?;
            failures::sweep(tx, now.minus(super::throttle::WINDOW))?;
            Ok(sessions::sweep(tx, now.minus(self.session_ttl))?
                + tokens::sweep(tx, now.minus(TOKENS_KEPT))?)
        })?;
        Ok(removed)
    }
}

impl Caller {
    /// Looks again whether the caller may go on: a body may come in for a quarter of an hour, and whoever is
    /// locked out meanwhile must not have anything done by it. A session that only expired meanwhile was there
    /// when the request came.
    ///
    /// # Errors
    /// `session-revoked`, `session-invalid`, `account-disabled`; `forbidden` where the caller was an
    /// administrator and is none any more.
    pub fn check_again(&self, connection: &Connection) -> Result<()> {
        let (found, kind) = match self.via {
            Via::Session { id, .. } => (sessions::standing(connection, id)?, "session"),
            Via::Token { id, .. } => (tokens::standing(connection, id)?, "API token"),
        };
        let now = found.ok_or_else(|| {
            Error::problem(Code::SessionInvalid, format!("This {kind} is unknown."))
        })?;
        if now.ended {
            return Err(Error::problem(
                Code::SessionRevoked,
                format!("This {kind} was ended before the request was whole. Nothing was done."),
            ));
        }
        if now.disabled {
            return Err(disabled());
        }
        if self.user.role == Role::Admin && now.role != Role::Admin {
            return Err(Error::problem(
                Code::Forbidden,
                "You are no administrator any more. Nothing was done; send it again where it is your own.",
            ));
        }
        Ok(())
    }
}

pub(super) fn disabled() -> Error {
    Error::problem(
        Code::AccountDisabled,
        "This account is disabled. An administrator can enable it.",
    )
}
