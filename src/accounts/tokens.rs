//! Named API tokens for scripts: made by their user in a session, shown once.

use std::time::Duration;

use super::{Accounts, Caller, field_error, policy};
use crate::clock::Timestamp;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::id::Token;
use crate::logged::word;
use crate::store::audit::{self, Action, Actor};
use crate::store::tokens;

/// Characters of a token's name.
const NAME_CHARS_MAX: usize = 100;

/// Days that a token may be good for, unless it is made to last.
const DAYS_MAX: i64 = 3_650;

/// Tokens of a user at once.
const TOKENS_MAX: usize = 100;

/// A token that has just been made. The secret is shown here and never again.
#[derive(Debug)]
pub struct Made {
    pub id: i64,
    pub name: String,
    pub token: Token,
    pub expires_at: Option<Timestamp>,
}

impl Accounts {
    /// Makes a token.
    ///
    /// # Errors
    /// `bad-request` for a name or a number of days that can't be, or a token too many.
    pub fn make_token(
        &self,
        db: &Db,
        caller: &Caller,
        by: &Actor,
        name: &str,
        expires_in_days: Option<i64>,
    ) -> Result<Made> {
        caller.session()?;
        let name = name.trim();
        let chars = name.chars().count();
        if chars == 0 || chars > NAME_CHARS_MAX || name.chars().any(policy::is_invisible) {
            return Err(field_error(
                "name",
                "Give the token a name of 1 to 100 characters.",
            ));
        }
        let life = match expires_in_days {
            None => None,
            Some(days) if (1..=DAYS_MAX).contains(&days) => Some(Duration::from_secs(
                u64::try_from(days).unwrap_or(1) * 86_400,
            )),
            Some(_) => {
                return Err(field_error(
                    "expires_in_days",
                    "expires_in_days must be a whole number from 1 to 3650.",
                ));
            }
        };
        let token = Token::new_api()?;
        let hash = token.hash();
        let user = &caller.user;
        let (id, expires_at) = db.write(|tx| {
            if tokens::of_user(tx, user.id)?.len() >= TOKENS_MAX {
                return Err(field_error(
                    "name",
                    "You have 100 API tokens. Revoke one that is no longer used first.",
                ));
            }
            audit::note(tx, by, Action::TokenMade, Some(name))?;
            let expires_at = life.map(|life| tx.now.plus(life));
            Ok((
                tokens::insert(tx, user.id, &hash, name, expires_at)?,
                expires_at,
            ))
        })?;
        log::info!("user={} token={} made", word(&user.username), hash.short());
        Ok(Made {
            id,
            name: name.to_owned(),
            token,
            expires_at,
        })
    }

    /// Ends one of the caller's tokens.
    ///
    /// # Errors
    /// `not-found`.
    pub fn revoke_token(&self, db: &Db, caller: &Caller, by: &Actor, id: i64) -> Result<()> {
        caller.session()?;
        db.write(|tx| {
            if !tokens::revoke(tx, caller.user.id, id)? {
                return Err(Error::not_found());
            }
            audit::note(tx, by, Action::TokenRevoked, Some(&id.to_string()))
        })?;
        log::info!("user={} token {id} revoked", word(&caller.user.username));
        Ok(())
    }
}
