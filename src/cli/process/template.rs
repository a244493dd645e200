//! The template that `process` names: built in, of the office, or in a file of its own.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::catalog;
use crate::db::migrate;
use crate::error::{Error, Result};
use crate::process::Template;
use crate::words::Code;

/// How long a server that writes is waited for.
const BUSY_WAIT: Duration = Duration::from_secs(5);

/// The template; `None` where it is to be worked out from the file. With a database the office's
/// templates come first.
///
/// # Errors
/// `no-such-template`, `invalid-template`; where the database can't be read.
pub(super) fn find(name: &str, db: Option<&Path>) -> Result<Option<Template>> {
    if name == catalog::AUTO {
        return Ok(None);
    }
    let office = db.map(open).transpose()?;
    if let Some(office) = &office
        && let Some(entry) = catalog::find(office, name)?
    {
        return Template::parse(&entry.name, entry.version, &entry.schema).map(Some);
    }
    if let Some(schema) = Template::built_in_schema(name) {
        return Template::parse(name, 0, schema).map(Some);
    }
    match std::fs::metadata(name) {
        Ok(data) if data.is_file() => of_file(name, data.len()).map(Some),
        Ok(_) | Err(_) => Err(no_such(name, office.as_ref())?),
    }
}

/// Opens a database only to read it, a server at work on it or not.
fn open(path: &Path) -> Result<Connection> {
    crate::cli::must_exist(path)?;
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(BUSY_WAIT)?;
    match migrate::kind(&connection)? {
        migrate::Kind::Empty => Err(Error::problem(
            Code::BadRequest,
            format!("{} is an empty database.", path.display()),
        )),
        kind @ (migrate::Kind::Ours(_) | migrate::Kind::Foreign) => {
            migrate::refuse_unknown(kind)?;
            Ok(connection)
        }
    }
}

fn of_file(name: &str, size: u64) -> Result<Template> {
    let path = PathBuf::from(name);
    if size > u64::try_from(catalog::SCHEMA_BYTES_MAX).unwrap_or(u64::MAX) {
        return Err(Error::problem(
            Code::InvalidTemplate,
            format!(
                "A template's file may have {} MB at most.",
                catalog::SCHEMA_BYTES_MAX >> 20
            ),
        ));
    }
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Error::problem(
            Code::InvalidTemplate,
            format!("{name} can't be read as text: {error}."),
        )
    })?;
    let stem = path.file_stem().map(|stem| stem.to_string_lossy());
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Template::parse(stem.as_deref().unwrap_or("template"), 0, text)
}

fn no_such(name: &str, office: Option<&Connection>) -> Result<Error> {
    let known: Vec<String> = match office {
        Some(office) => catalog::all(office)?.into_iter().map(|e| e.name).collect(),
        None => Template::built_in_names()
            .iter()
            .map(|name| (*name).to_owned())
            .collect(),
    };
    let hint = match office {
        Some(_) => "",
        None => " An office's own template needs --db with its database.",
    };
    Ok(Error::problem(
        Code::NoSuchTemplate,
        format!(
            "There is no template \"{name}\", and no file of that name. There is: {}, {}.{hint}",
            known.join(", "),
            catalog::AUTO
        ),
    ))
}
