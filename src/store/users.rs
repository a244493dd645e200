//! The table `users`.

use rusqlite::{Connection, Row, params};

use crate::clock::Timestamp;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::id::UserId;
use crate::words::{Code, Role};

/// A user, without the password.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    pub id: UserId,
    pub username: String,
    pub email: Option<String>,
    pub role: Role,
    pub disabled: bool,
    /// Somebody else chose the password: nothing goes on before an own one is set.
    pub must_change: bool,
    pub created_at: Timestamp,
}

/// A user and what the password is checked against.
#[derive(Debug, Clone)]
pub struct WithHash {
    pub user: User,
    /// Argon2id in PHC form.
    pub password_hash: String,
}

/// A user about to be added.
#[derive(Debug, Clone)]
pub struct NewUser {
    pub username: String,
    pub email: Option<String>,
    pub role: Role,
    pub password_hash: String,
    pub must_change: bool,
}

/// What has become of somebody who was signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Their session or token was ended, otherwise than by disabling them; or they were deleted.
    pub ended: bool,
    pub disabled: bool,
    pub role: Role,
}

/// A row of `ended`, `disabled`, `role`.
pub(super) fn standing(row: &Row<'_>) -> Result<Standing> {
    let role: String = row.get(2)?;
    Ok(Standing {
        ended: row.get(0)?,
        disabled: row.get(1)?,
        role: parse_role(&role)?,
    })
}

/// What changes of a user; `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    pub role: Option<Role>,
    /// `Some(None)` removes the address.
    pub email: Option<Option<String>>,
    pub disabled: Option<bool>,
    pub password_hash: Option<String>,
    pub must_change: Option<bool>,
}

/// By what a name is found: names are unique without regard to case.
pub fn key(username: &str) -> String {
    username.to_lowercase()
}

const COLUMNS: &str = "id, username, email, role, disabled_at IS NOT NULL, must_change, created_at";

fn user(row: &Row<'_>) -> Result<User> {
    let role: String = row.get(3)?;
    Ok(User {
        id: UserId(row.get(0)?),
        username: row.get(1)?,
        email: row.get(2)?,
        role: parse_role(&role)?,
        disabled: row.get(4)?,
        must_change: row.get(5)?,
        created_at: row.get(6)?,
    })
}

/// A role as it stands in the database.
///
/// # Errors
/// `Internal` where it is none.
pub fn parse_role(text: &str) -> Result<Role> {
    Role::parse(text).ok_or_else(|| Error::Internal(format!("role {text}")))
}

fn one(
    connection: &Connection,
    condition: &str,
    value: &dyn rusqlite::ToSql,
) -> Result<Option<WithHash>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS}, password_hash FROM users WHERE {condition} AND deleted_at IS NULL"
    ))?;
    let mut rows = statement.query([value])?;
    match rows.next()? {
        Some(row) => Ok(Some(WithHash {
            user: user(row)?,
            password_hash: row.get(7)?,
        })),
        None => Ok(None),
    }
}

/// The user with this id, unless deleted.
///
/// # Errors
/// `Database`.
pub fn by_id(connection: &Connection, id: UserId) -> Result<Option<WithHash>> {
    one(connection, "id = ?1", &id.0)
}

/// The user of this name, in any case, unless deleted.
///
/// # Errors
/// `Database`.
pub fn by_name(connection: &Connection, username: &str) -> Result<Option<WithHash>> {
    one(connection, "username_key = ?1", &key(username))
}

/// A page of users in the order in which they were added, after the id `after`.
///
/// # Errors
/// `Database`.
pub fn page(connection: &Connection, after: Option<i64>, limit: u32) -> Result<Vec<User>> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM users WHERE id > ?1 AND deleted_at IS NULL ORDER BY id LIMIT ?2"
    ))?;
    let mut rows = statement.query(params![after.unwrap_or(0), limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(user(row)?);
    }
    Ok(found)
}

/// Whether there is, or ever was, a user.
///
/// # Errors
/// `Database`.
pub fn any(connection: &Connection) -> Result<bool> {
    Ok(connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM users)")?
        .query_row([], |row| row.get(0))?)
}

/// Whether somebody other than `id` could administer.
///
/// # Errors
/// `Database`.
pub fn another_admin(connection: &Connection, id: UserId) -> Result<bool> {
    Ok(connection
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM users
             WHERE role = 'admin' AND disabled_at IS NULL AND deleted_at IS NULL AND id <> ?1)",
        )?
        .query_row([id.0], |row| row.get(0))?)
}

/// Whether a new user may have this name.
///
/// # Errors
/// `name-taken`, with the name as the other user writes it.
pub fn check_free(connection: &Connection, username: &str) -> Result<()> {
    by_name(connection, username)?.map_or(Ok(()), |there| {
        Err(Error::problem(
            Code::NameTaken,
            format!(
                "There is a user named {} already. Choose another name.",
                there.user.username
            ),
        ))
    })
}

/// Adds a user.
///
/// # Errors
/// `name-taken`.
pub fn insert(tx: &Tx<'_>, new: &NewUser) -> Result<UserId> {
    check_free(tx, &new.username)?;
    put_in(tx, new, "")?;
    Ok(UserId(tx.last_insert_rowid()))
}

/// Adds the very first user; `None` where there is one already.
///
/// # Errors
/// `Database`.
pub fn insert_first(tx: &Tx<'_>, new: &NewUser) -> Result<Option<UserId>> {
    let added = put_in(tx, new, "WHERE NOT EXISTS (SELECT 1 FROM users)")?;
    Ok((added == 1).then(|| UserId(tx.last_insert_rowid())))
}

fn put_in(tx: &Tx<'_>, new: &NewUser, condition: &str) -> Result<usize> {
    Ok(tx
        .prepare_cached(&format!(
            "INSERT INTO users (username, username_key, email, role, password_hash, must_change, created_at)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 {condition}"
        ))?
        .execute(params![
            new.username,
            key(&new.username),
            new.email,
            new.role.as_str(),
            new.password_hash,
            new.must_change,
            tx.now
        ])?)
}

/// Changes a user.
///
/// # Errors
/// `Database`.
pub fn update(tx: &Tx<'_>, id: UserId, change: &Change) -> Result<()> {
    let email = change.email.as_ref();
    tx.prepare_cached(
        "UPDATE users SET
             role = coalesce(?2, role),
             email = CASE WHEN ?3 THEN ?4 ELSE email END,
             disabled_at = CASE WHEN ?5 IS NULL THEN disabled_at
                                WHEN ?5 THEN coalesce(disabled_at, ?6) END,
             password_hash = coalesce(?7, password_hash),
             must_change = coalesce(?8, must_change)
         WHERE id = ?1",
    )?
    .execute(params![
        id.0,
        change.role.map(Role::as_str),
        email.is_some(),
        email.and_then(Option::as_deref),
        change.disabled,
        tx.now,
        change.password_hash,
        change.must_change,
    ])?;
    Ok(())
}

/// Sets a password in the place of the one that was checked; false where it has changed meanwhile.
///
/// # Errors
/// `Database`.
pub fn replace_password(tx: &Tx<'_>, id: UserId, checked: &str, new: &str) -> Result<bool> {
    let changed = tx
        .prepare_cached("UPDATE users SET password_hash = ?3, must_change = 0 WHERE id = ?1 AND password_hash = ?2")?
        .execute(params![id.0, checked, new])?;
    Ok(changed == 1)
}

/// Takes a user away. The row and the name stay, so that history can name its people.
///
/// # Errors
/// `Database`.
pub fn delete(tx: &Tx<'_>, id: UserId) -> Result<()> {
    tx.prepare_cached(
        "UPDATE users SET deleted_at = ?2, disabled_at = NULL, email = NULL, password_hash = ''
         WHERE id = ?1",
    )?
    .execute(params![id.0, tx.now])?;
    Ok(())
}
