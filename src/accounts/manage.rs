//! Managing users: what an administrator and the command line may do.

use super::throttle::Throttle;
use super::{Accounts, User, field_error, passwords, policy};
use crate::db::{Db, Tx};
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::logged::word;
use crate::store::audit::{self, Action, Actor};
use crate::store::users::{self, Change, NewUser, WithHash};
use crate::store::{jobs, sessions, tokens, uploads};
use crate::words::{Code, Role};

/// What an administrator wants changed; `None` stays as it is.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    pub role: Option<Role>,
    pub email: Option<Option<String>>,
    pub disabled: Option<bool>,
    pub password: Option<String>,
    /// Whether the user has to choose a password of their own first.
    pub must_change: Option<bool>,
}

/// A user whom somebody wants added.
#[derive(Clone, Copy)]
pub struct Wish<'a> {
    pub username: &'a str,
    pub password: &'a str,
    pub email: Option<&'a str>,
    pub role: Role,
    pub must_change: bool,
}

/// Adds a user, for whoever may run commands on the server.
///
/// # Errors
/// As [`add`].
pub fn add_user(
    db: &Db,
    name: &str,
    password: &str,
    email: Option<&str>,
    admin: bool,
) -> Result<User> {
    let wish = Wish {
        username: name,
        password,
        email,
        role: if admin { Role::Admin } else { Role::Member },
        must_change: false,
    };
    add(db, &Actor::command_line(), wish)
}

/// Adds a user.
///
/// # Errors
/// `bad-request` for a name or address that can't be; `weak-password`; `name-taken`.
pub fn add(db: &Db, by: &Actor, wish: Wish<'_>) -> Result<User> {
    let username =
        policy::name(wish.username).map_err(|sentence| field_error("username", sentence))?;
    let email = policy::email(wish.email.unwrap_or(""))
        .map_err(|sentence| field_error("email", sentence))?;
    // Before the hashing, which would be for nothing.
    db.read(|c| users::check_free(c, &username))?;
    policy::check_password(wish.password, &username)?;
    let new = NewUser {
        username,
        email,
        role: wish.role,
        password_hash: passwords::hash(wish.password)?,
        must_change: wish.must_change,
    };
    let user = db.write(|tx| {
        let id = users::insert(tx, &new)?;
        audit::note(tx, by, Action::UserAdded, Some(&new.username))?;
        Ok(find(tx, id)?.user)
    })?;
    log::info!(
        "user={} added user {} ({})",
        word(&by.name),
        user.username,
        user.role.as_str()
    );
    Ok(user)
}

/// The user of this name.
///
/// # Errors
/// `not-found`.
pub fn by_name(db: &Db, name: &str) -> Result<User> {
    match db.read(|c| users::by_name(c, name.trim()))? {
        Some(known) => Ok(known.user),
        None => Err(Error::problem(
            Code::NotFound,
            format!("There is no user named {}.", name.trim()),
        )),
    }
}

/// Sets a user's password from outside: all their sessions end.
///
/// # Errors
/// `not-found`, `weak-password`.
pub fn set_password(db: &Db, user: &User, password: &str) -> Result<()> {
    let wanted = Wanted {
        password: Some(password.to_owned()),
        ..Wanted::default()
    };
    change(db, &Actor::command_line(), user.id, wanted).map(drop)
}

/// Lets a user sign in, or keeps them from it.
///
/// # Errors
/// `not-found`; `last-admin`.
pub fn enable(db: &Db, user: &User, enabled: bool) -> Result<()> {
    let wanted = Wanted {
        disabled: Some(!enabled),
        ..Wanted::default()
    };
    change(db, &Actor::command_line(), user.id, wanted).map(drop)
}

/// Changes a user; it holds for the very next request of theirs.
fn change(db: &Db, by: &Actor, id: UserId, wanted: Wanted) -> Result<User> {
    let said = words(&wanted);
    let password_hash = match &wanted.password {
        Some(password) => {
            let user = db.read(|c| find(c, id))?.user;
            policy::check_password(password, &user.username)?;
            Some(passwords::hash(password)?)
        }
        None => None,
    };
    let change = Change {
        role: wanted.role,
        email: wanted.email,
        disabled: wanted.disabled,
        // A new password is a person's own unless it is said not to be.
        must_change: wanted.must_change.or(password_hash.as_ref().map(|_| false)),
        password_hash,
    };
    db.write(|tx| {
        let user = find(tx, id)?.user;
        let loses = change.role == Some(Role::Member) || change.disabled == Some(true);
        if loses {
            keep_an_admin(tx, &user)?;
        }
        users::update(tx, id, &change)?;
        if change.disabled == Some(true) && !user.disabled {
            sessions::revoke_all(tx, id, None)?;
            tokens::revoke_all(tx, id)?;
        }
        if change.password_hash.is_some() {
            sessions::revoke_all(tx, id, None)?;
            Throttle::forget_name_kept(tx, &user.username)?;
        }
        let target = format!("{}: {said}", user.username);
        audit::note(tx, by, Action::UserChanged, Some(&target))?;
        Ok(find(tx, id)?.user)
    })
}

fn find(connection: &rusqlite::Connection, id: UserId) -> Result<WithHash> {
    users::by_id(connection, id)?.ok_or_else(Error::not_found)
}

/// Refuses to take the last one who can administer.
fn keep_an_admin(tx: &Tx<'_>, user: &User) -> Result<()> {
    let administers = user.role == Role::Admin && !user.disabled;
    if administers && !users::another_admin(tx, user.id)? {
        return Err(Error::problem(
            Code::LastAdmin,
            "This is the only administrator. Make someone else one first.",
        ));
    }
    Ok(())
}

impl Accounts {
    /// Changes a user for an administrator; it holds for the very next request of theirs.
    ///
    /// # Errors
    /// `not-found`; `last-admin`; `weak-password`.
    pub fn change_user(&self, db: &Db, by: &Actor, id: UserId, wanted: Wanted) -> Result<User> {
        let said = words(&wanted);
        let new_password = wanted.password.is_some();
        let user = change(db, by, id, wanted)?;
        if new_password {
            self.throttle.forget_name(&user.username);
        }
        log::info!(
            "user={} changed user {}: {said}",
            word(&by.name),
            user.username
        );
        Ok(user)
    }

    /// Takes a user away; their files, and what was made of them, go to `transfer_to`.
    ///
    /// # Errors
    /// `not-found`; `last-admin`; `has-uploads` without somebody to take them; `job-in-progress`;
    /// `bad-request` where `transfer_to` can't take them.
    pub fn delete_user(
        &self,
        db: &Db,
        by: &Actor,
        id: UserId,
        transfer_to: Option<UserId>,
    ) -> Result<User> {
        let (user, moved) = db.write(|tx| {
            let user = find(tx, id)?.user;
            keep_an_admin(tx, &user)?;
            if let Some(heir) = transfer_to
                && (heir == id || users::by_id(tx, heir)?.is_none())
            {
                return Err(field_error(
                    "transfer_to",
                    "transfer_to must be the id of another user.",
                ));
            }
            if jobs::newest_of(tx, id)?.is_some_and(|job| job.status.is_active()) {
                return Err(Error::problem(
                    Code::JobInProgress,
                    format!("{} has a job in progress. Wait for it, or cancel it first.", user.username),
                ));
            }
            let kept = uploads::count_of(tx, id)?;
            match transfer_to {
                Some(heir) => {
                    uploads::transfer(tx, id, heir)?;
                    jobs::transfer(tx, id, heir)?;
                }
                None if kept > 0 => {
                    return Err(Error::problem(
                        Code::HasUploads,
                        if kept == 1 {
                            format!(
                                "{} has 1 upload. Delete it first, or name who takes it over.",
                                user.username
                            )
                        } else {
                            format!(
                                "{} has {kept} uploads. Delete them first, or name who takes them over.",
                                user.username
                            )
                        },
                    ));
                }
                None => {}
            }
            sessions::revoke_all(tx, id, None)?;
            tokens::revoke_all(tx, id)?;
            users::delete(tx, id)?;
            audit::note(tx, by, Action::UserDeleted, Some(&user.username))?;
            Ok((user, kept))
        })?;
        log::info!(
            "user={} deleted user {}; {moved} uploads handed over",
            word(&by.name),
            user.username
        );
        Ok(user)
    }

    /// Ends all sessions and tokens of a user; how many sessions.
    ///
    /// # Errors
    /// `not-found`.
    pub fn end_sessions(&self, db: &Db, by: &Actor, id: UserId) -> Result<usize> {
        let (user, ended) = db.write(|tx| {
            let user = find(tx, id)?.user;
            tokens::revoke_all(tx, id)?;
            audit::note(tx, by, Action::SessionsEnded, Some(&user.username))?;
            Ok((user, sessions::revoke_all(tx, id, None)?))
        })?;
        log::info!(
            "user={} ended {ended} sessions of user {}",
            word(&by.name),
            user.username
        );
        Ok(ended)
    }
}

/// What was wanted, for the log; never the password.
fn words(wanted: &Wanted) -> String {
    let mut said = Vec::new();
    if let Some(role) = wanted.role {
        said.push(format!("role {}", role.as_str()));
    }
    if wanted.email.is_some() {
        said.push("e-mail".to_owned());
    }
    if let Some(disabled) = wanted.disabled {
        said.push(if disabled { "disabled" } else { "enabled" }.to_owned());
    }
    if wanted.password.is_some() {
        said.push("new password".to_owned());
    }
    if wanted.must_change == Some(true) {
        said.push("has to choose their own".to_owned());
    }
    said.join(", ")
}
