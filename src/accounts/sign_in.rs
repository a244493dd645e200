//! Signing in and out, the own password, and the very first administrator.

use std::net::IpAddr;

use super::throttle::{Guess, Throttle};
use super::{Accounts, Caller, User, field_error, identify, passwords, policy};
use crate::clock::Timestamp;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::id::{SessionId, Token};
use crate::logged::word;
use crate::store::audit::{self, Action, Actor};
use crate::store::sessions::{self, NewSession};
use crate::store::users::{self, NewUser, WithHash};
use crate::words::{Code, Role};

/// Sessions that a user may have at once; the least recently used ones end.
const SESSIONS_MAX: u32 = 1_000;

/// Characters kept of what a browser calls itself.
const DEVICE_CHARS_MAX: usize = 200;

/// Somebody who wants in.
#[derive(Clone, Copy)]
pub struct SignIn<'a> {
    pub username: &'a str,
    pub password: &'a str,
    pub address: IpAddr,
    /// The User-Agent.
    pub device: Option<&'a str>,
    /// The session that the browser has had until now: it ends when the same person signs in again.
    pub before: Option<&'a Token>,
}

/// A session that has just begun.
#[derive(Debug)]
pub struct Begun {
    pub token: Token,
    pub session: SessionId,
    pub user: User,
    pub expires_at: Timestamp,
}

impl Accounts {
    /// Begins a session, always with a new token.
    ///
    /// # Errors
    /// `invalid-credentials`, the same for an unknown name and a wrong password;
    /// `too-many-attempts`; `account-disabled`, for the right password only.
    pub fn sign_in(&self, db: &Db, who: SignIn<'_>) -> Result<Begun> {
        let guess = Guess::new(who.address, who.username);
        self.throttle.check(db, &guess)?;
        let known = db.read(|c| users::by_name(c, who.username.trim()))?;
        let Some(known) = self.guess(db, &guess, who.password, known, who.address)? else {
            return Err(wrong_credentials());
        };
        let cleared = self.throttle.succeeded(&guess);
        let name = known.user.username.clone();
        let token = Token::new()?;
        let hash = token.hash();
        let before = who.before.map(Token::hash);
        let by = actor(&known.user, who.address);
        let device = who.device.map(readable);
        let begun = db.write(|tx| {
            // While the password was being checked it may have been changed, or the user disabled.
            let user = match users::by_id(tx, known.user.id)? {
                Some(now) if now.password_hash == known.password_hash => now.user,
                Some(_) | None => return Err(wrong_credentials()),
            };
            if user.disabled {
                return Err(identify::disabled());
            }
            if cleared {
                Throttle::forget(tx, &guess)?;
            }
            let ends_at = tx.now.plus(self.session_max);
            let expires_at = tx.now.plus(self.session_ttl).min(ends_at);
            let session = sessions::insert(
                tx,
                &NewSession {
                    hash: &hash,
                    user: user.id,
                    expires_at,
                    ends_at,
                    address: &text(who.address),
                    device: device.as_deref(),
                },
            )?;
            if let Some(hash) = &before
                && let Some(found) = sessions::find(tx, hash)?
                && found.user.id == user.id
            {
                sessions::revoke(tx, user.id, found.id)?;
            }
            sessions::revoke_beyond(tx, user.id, SESSIONS_MAX)?;
            audit::note(tx, &by, Action::SignedIn, None)?;
            Ok((user, session, expires_at))
        });
        match begun {
            Ok((user, session, expires_at)) => {
                log::info!(
                    "user={} session={} address={} signed in",
                    word(&name),
                    hash.short(),
                    text(who.address)
                );
                Ok(Begun {
                    token,
                    session,
                    user,
                    expires_at,
                })
            }
            Err(error) => {
                log::warn!(
                    "user={} address={} not signed in: {error}",
                    word(&name),
                    text(who.address)
                );
                Err(error)
            }
        }
    }

    /// Checks a password under the throttle; `None` where it is wrong, after the same work whether
    /// there is such a user or not.
    fn guess(
        &self,
        db: &Db,
        guess: &Guess,
        password: &str,
        known: Option<WithHash>,
        address: IpAddr,
    ) -> Result<Option<WithHash>> {
        let turn = passwords::turn()?;
        let in_flight = self.throttle.begin(db, guess)?;
        let hash = known.as_ref().map(|known| known.password_hash.as_str());
        let right = passwords::verify(&turn, password, hash)?;
        drop(turn);
        if right {
            return Ok(known);
        }
        // A name that nobody has may be a password typed into the wrong field: it is not kept.
        let by = match &known {
            Some(known) => actor(&known.user, address),
            None => Actor {
                user: None,
                name: "-".to_owned(),
                address: Some(text(address)),
            },
        };
        let locked = in_flight.failed(db, |tx, locked| {
            audit::note(tx, &by, Action::SignInFailed, None)?;
            if locked {
                audit::note(tx, &by, Action::LockedOut, None)?;
            }
            Ok(())
        });
        let name = word(&by.name);
        log::warn!("user={name} address={address} wrong name or password");
        if locked {
            log::warn!("user={name} address={address} locked out for a while after too many tries");
        }
        Ok(None)
    }

    /// Ends the caller's session.
    ///
    /// # Errors
    /// `Database`.
    pub fn sign_out(&self, db: &Db, caller: &Caller, by: &Actor) -> Result<()> {
        let session = caller.session()?;
        db.write(|tx| {
            audit::note(tx, by, Action::SignedOut, None)?;
            sessions::revoke(tx, caller.user.id, session)
        })?;
        log::info!("user={} signed out", word(&caller.user.username));
        Ok(())
    }

    /// Sets the caller's own password and ends their other sessions; how many.
    ///
    /// # Errors
    /// `invalid-credentials` where `current` is wrong; `weak-password`; `too-many-attempts`.
    pub fn change_password(
        &self,
        db: &Db,
        caller: &Caller,
        current: &str,
        new: &str,
        address: IpAddr,
    ) -> Result<usize> {
        let session = caller.session()?;
        let name = caller.user.username.as_str();
        let guess = Guess::new(address, name);
        self.throttle.check(db, &guess)?;
        let known = db.read(|c| users::by_id(c, caller.user.id))?;
        let wrong = || Error::problem(Code::InvalidCredentials, "The current password is wrong.");
        let Some(known) = self.guess(db, &guess, current, known, address)? else {
            return Err(wrong());
        };
        let cleared = self.throttle.succeeded(&guess);
        policy::check_password(new, name)?;
        if known.user.must_change && new == current {
            return Err(Error::problem(
                Code::WeakPassword,
                "Choose a password of your own: somebody else knows this one.",
            ));
        }
        let hash = passwords::hash(new)?;
        let ended = db.write(|tx| {
            if cleared {
                Throttle::forget(tx, &guess)?;
            }
            if !users::replace_password(tx, caller.user.id, &known.password_hash, &hash)? {
                return Err(wrong());
            }
            audit::note(
                tx,
                &actor(&known.user, address),
                Action::PasswordChanged,
                None,
            )?;
            sessions::revoke_all(tx, caller.user.id, Some(session))
        })?;
        log::info!(
            "user={} address={address} changed the password; {ended} other sessions ended",
            word(&known.user.username)
        );
        Ok(ended)
    }

    /// Makes the setup code, where there is no user yet.
    ///
    /// # Errors
    /// `Database`, or as [`crate::id::random`].
    pub fn begin_setup(&self, db: &Db) -> Result<Option<String>> {
        if db.read(users::any)? {
            remove_code_file(db);
            return Ok(None);
        }
        self.setup.begin(self.clock.as_ref()).map(Some)
    }

    /// Makes the first administrator.
    ///
    /// # Errors
    /// `setup-done` where there is a user; `wrong-setup-code`; `too-many-attempts`; what is wrong
    /// with name or password.
    pub fn set_up(
        &self,
        db: &Db,
        code: &str,
        username: &str,
        password: &str,
        address: IpAddr,
    ) -> Result<User> {
        if db.read(users::any)? {
            self.setup.end();
            return Err(set_up_already());
        }
        if let Err(error) = self.setup.check(self.clock.as_ref(), code, address) {
            log::warn!("address={address} setup refused: {error}");
            return Err(error);
        }
        let username =
            policy::name(username).map_err(|sentence| field_error("username", sentence))?;
        policy::check_password(password, &username)?;
        let new = NewUser {
            username,
            email: None,
            role: Role::Admin,
            password_hash: passwords::hash(password)?,
            must_change: false,
        };
        let user = db.write(|tx| {
            let id = users::insert_first(tx, &new)?.ok_or_else(set_up_already)?;
            let known = users::by_id(tx, id)?
                .ok_or_else(|| Error::Internal("the first user is gone".to_owned()))?;
            audit::note(tx, &actor(&known.user, address), Action::SetUp, None)?;
            Ok(known.user)
        })?;
        self.setup.end();
        remove_code_file(db);
        log::info!(
            "user={} address={address} set up as the first administrator",
            word(&user.username)
        );
        Ok(user)
    }
}

fn actor(user: &User, address: IpAddr) -> Actor {
    Actor {
        user: Some(user.id),
        name: user.username.clone(),
        address: Some(text(address)),
    }
}

fn text(address: IpAddr) -> String {
    address.to_canonical().to_string()
}

fn remove_code_file(db: &Db) {
    let file = super::code_file(db.path());
    if file.exists()
        && let Err(error) = std::fs::remove_file(file)
    {
        log::warn!("the file with the setup code could not be removed: {error}");
    }
}

fn wrong_credentials() -> Error {
    Error::problem(Code::InvalidCredentials, "Name or password is wrong.")
}

fn set_up_already() -> Error {
    Error::problem(
        Code::SetupDone,
        "Sheetline is set up already. Sign in, or ask an administrator for an account.",
    )
}

fn readable(device: &str) -> String {
    device
        .chars()
        .filter(|c| !policy::is_invisible(*c))
        .take(DEVICE_CHARS_MAX)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::accounts::add_user;
    use crate::clock::{ManualClock, Timestamp};
    use crate::settings::Settings;

    const PASSWORD: &str = "correct horse battery";

    struct Hall {
        accounts: Accounts,
        db: Db,
        _folder: tempfile::TempDir,
    }

    fn hall() -> Hall {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(Timestamp::from_unix_ms(0)));
        let settings = Settings::new(folder.path().join("a.db"));
        Hall {
            db: Db::open(&settings.db, clock.clone()).unwrap(),
            accounts: Accounts::new(&settings, clock),
            _folder: folder,
        }
    }

    impl Hall {
        fn sign_in(&self, password: &str) -> Option<Code> {
            let who = SignIn {
                username: "anna",
                password,
                address: "192.0.2.1".parse().unwrap(),
                device: None,
                before: None,
            };
            match self.accounts.sign_in(&self.db, who) {
                Ok(_) => None,
                Err(Error::Problem(problem)) => Some(problem.code),
                Err(error) => panic!("{error}"),
            }
        }

        /// What comes of a sign-in during whose check somebody writes this.
        fn sign_in_while(&self, sql: &str) -> Option<Code> {
            let turns = both_turns();
            std::thread::scope(|scope| {
                let before = passwords::waiting();
                let thread = scope.spawn(|| self.sign_in(PASSWORD));
                // It has looked the user up when it waits for its turn.
                while passwords::waiting() == before {
                    std::thread::yield_now();
                }
                self.db.write(|tx| Ok(tx.execute_batch(sql)?)).unwrap();
                drop(turns);
                thread.join().unwrap()
            })
        }
    }

    fn both_turns() -> (passwords::Turn, passwords::Turn) {
        (passwords::turn().unwrap(), passwords::turn().unwrap())
    }

    #[test]
    fn whoever_has_to_wait_costs_no_hashing() {
        let _alone = passwords::alone();
        let hall = hall();
        for _ in 0..10 {
            assert_eq!(hall.sign_in("wrong"), Some(Code::InvalidCredentials));
        }
        // Nobody can hash now: an answer that needed it would not come.
        let _turns = both_turns();
        assert_eq!(hall.sign_in(PASSWORD), Some(Code::TooManyAttempts));
    }

    #[test]
    fn what_changes_while_a_password_is_checked_counts() {
        let _alone = passwords::alone();
        let hall = hall();
        add_user(&hall.db, "anna", PASSWORD, None, false).unwrap();
        assert_eq!(
            hall.sign_in_while("UPDATE users SET email = 'a@b.de'"),
            None
        );
        for (sql, code) in [
            ("UPDATE users SET disabled_at = ''", Code::AccountDisabled),
            (
                "UPDATE users SET disabled_at = NULL, password_hash = 'another'",
                Code::InvalidCredentials,
            ),
        ] {
            assert_eq!(hall.sign_in_while(sql), Some(code), "{sql}");
        }
        let sessions: i64 = hall
            .db
            .read(|c| Ok(c.query_row("SELECT count(*) FROM sessions", [], |row| row.get(0))?))
            .unwrap();
        assert_eq!(sessions, 1);
    }
}
