//! `user`: managing users on the database file, with the server running or not.

use std::env;
use std::fs;
use std::io::{BufRead, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

use super::UserAction;
use crate::accounts;
use crate::db::{Db, emptied};
use crate::error::{Error, Result};
use crate::logged::word;
use crate::store::users::{self, User};
use crate::words::{Code, Role};

/// Bytes of a line with a password on standard input or in a file.
const LINE_BYTES_MAX: u64 = 64 << 10;

/// Users read at a time.
const PAGE: u32 = 500;

/// Runs the command.
///
/// # Errors
/// What is wrong with a name or password, or the database.
pub(super) fn run(path: &Path, action: &UserAction) -> Result<ExitCode> {
    match action {
        UserAction::Add {
            name,
            admin,
            email,
            password_stdin,
        } => {
            // The very first user may come before the server's first start.
            emptied::refuse_remains(path)?;
            let db = Db::open(path, super::clock())?;
            let password = read_password(*password_stdin)?;
            let user = accounts::add_user(&db, name, &password, email.as_deref(), *admin)?;
            super::out::line(format_args!(
                "{} is added ({}).",
                user.username,
                role(&user)
            ))?;
        }
        UserAction::List => super::out::text(table(&all(&super::open_existing(path)?)?))?,
        UserAction::Passwd {
            name,
            password_stdin,
        } => {
            let db = super::open_existing(path)?;
            let user = accounts::by_name(&db, name)?;
            let password = read_password(*password_stdin)?;
            accounts::set_password(&db, &user, &password)?;
            super::out::line(format_args!(
                "{} has a new password; all sessions are ended.",
                user.username
            ))?;
        }
        UserAction::Disable { name } => {
            let db = super::open_existing(path)?;
            let user = accounts::by_name(&db, name)?;
            accounts::enable(&db, &user, false)?;
            super::out::line(format_args!(
                "{} is disabled and signed out.",
                user.username
            ))?;
        }
        UserAction::Enable { name } => {
            let db = super::open_existing(path)?;
            let user = accounts::by_name(&db, name)?;
            accounts::enable(&db, &user, true)?;
            super::out::line(format_args!("{} may sign in again.", user.username))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn all(db: &Db) -> Result<Vec<User>> {
    let mut found: Vec<User> = Vec::new();
    loop {
        let after = found.last().map(|user| user.id.0);
        let page = db.read(|c| users::page(c, after, PAGE))?;
        if page.is_empty() {
            return Ok(found);
        }
        found.extend(page);
    }
}

fn role(user: &User) -> &'static str {
    match user.role {
        Role::Admin => "administrator",
        Role::Member => "member",
    }
}

/// Columns as wide as their widest cell.
fn table(users: &[User]) -> String {
    let mut rows = vec![["ID", "NAME", "ROLE", "STATE", "E-MAIL", "ADDED"].map(str::to_owned)];
    rows.extend(users.iter().map(|user| {
        [
            user.id.to_string(),
            user.username.clone(),
            role(user).to_owned(),
            if user.disabled { "disabled" } else { "active" }.to_owned(),
            user.email.clone().unwrap_or_else(|| "-".to_owned()),
            user.created_at.to_string(),
        ]
    }));
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = width(column);
            line.push_str(&format!("{cell:<width$}  "));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// A password: from the first line of standard input, or asked for twice. Never from the command
/// line, where every user of the machine could read it.
fn read_password(stdin: bool) -> Result<String> {
    if stdin {
        return first_line(std::io::stdin().lock());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Error::problem(
            Code::BadRequest,
            "There is no terminal to ask for the password. Give it on standard input, with --password-stdin.",
        ));
    }
    let password = rpassword::prompt_password("Password (at least 10 characters): ")?;
    let again = rpassword::prompt_password("Again: ")?;
    if password != again {
        return Err(Error::problem(
            Code::BadRequest,
            "The two passwords are not the same. Nothing was changed.",
        ));
    }
    Ok(password)
}

fn first_line(input: impl BufRead) -> Result<String> {
    let mut line = String::new();
    std::io::Read::take(input, LINE_BYTES_MAX)
        .read_line(&mut line)
        .map_err(|error| {
            Error::problem(
                Code::BadRequest,
                format!("The password could not be read: {error}."),
            )
        })?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Makes the first administrator from the environment, for installations without a person:
/// `SHEETLINE_ADMIN_NAME` with `SHEETLINE_ADMIN_PASSWORD_FILE` or `SHEETLINE_ADMIN_PASSWORD`. Used
/// only while there is no user.
///
/// # Errors
/// What is wrong with the name or the password.
pub fn unattended(db: &Db) -> Result<()> {
    let given = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let name = given("SHEETLINE_ADMIN_NAME");
    let file = given("SHEETLINE_ADMIN_PASSWORD_FILE");
    let password = given("SHEETLINE_ADMIN_PASSWORD");
    if name.is_none() && file.is_none() && password.is_none() {
        return Ok(());
    }
    if db.read(users::any)? {
        log::info!("SHEETLINE_ADMIN_* is ignored: there are users already");
        return Ok(());
    }
    let Some(name) = name else {
        return Err(Error::problem(
            Code::BadRequest,
            "SHEETLINE_ADMIN_NAME is missing: a password alone makes no administrator.",
        ));
    };
    let password = match (file, password) {
        (Some(file), _) => {
            let opened = fs::File::open(&file).map_err(|error| {
                Error::problem(
                    Code::BadRequest,
                    format!("SHEETLINE_ADMIN_PASSWORD_FILE: {file} can't be read: {error}."),
                )
            })?;
            first_line(std::io::BufReader::new(opened))?
        }
        (None, Some(password)) => password,
        (None, None) => {
            return Err(Error::problem(
                Code::BadRequest,
                "SHEETLINE_ADMIN_NAME needs SHEETLINE_ADMIN_PASSWORD_FILE, a file with the password.",
            ));
        }
    };
    let user =
        accounts::add_user(db, &name, &password, None, true).map_err(|error| match error {
            Error::Problem(problem) => Error::problem(
                problem.code,
                format!(
                    "SHEETLINE_ADMIN_NAME, SHEETLINE_ADMIN_PASSWORD: {}",
                    problem.detail
                ),
            ),
            other @ (Error::Database(_) | Error::Io(_) | Error::Internal(_) | Error::Stopped) => {
                other
            }
        })?;
    log::info!(
        "user={} added as the first administrator, from the environment",
        word(&user.username)
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::id::UserId;

    #[test]
    fn the_list_stands_in_columns() {
        let user = |id, name: &str, disabled| User {
            id: UserId(id),
            username: name.to_owned(),
            email: None,
            role: Role::Member,
            disabled,
            must_change: false,
            created_at: Timestamp::from_unix_ms(0),
        };
        let text = table(&[user(1, "Jürgen", false), user(12, "bo", true)]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "ID  NAME    ROLE    STATE     E-MAIL  ADDED");
        assert!(lines[1].starts_with("1   Jürgen  member  active    -       1970-"));
        assert!(lines[2].starts_with("12  bo      member  disabled  -"));
    }

    #[test]
    fn a_password_line_ends_at_its_end_of_line_and_nowhere_else() {
        assert_eq!(first_line(&b" a b \r\nc"[..]).unwrap(), " a b ");
        assert_eq!(first_line(&b""[..]).unwrap(), "");
        assert!(first_line(&b"\xff\n"[..]).is_err());
    }
}
