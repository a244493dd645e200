//! The templates that can be used: those built in and those that the office made. An office's
//! template takes the place of a built-in one of the same name.

pub mod views;

use rusqlite::Connection;

use crate::error::{Error, Result};
use crate::process::mapping::{self, Choices};
use crate::process::template::Template;
use crate::sheet::Column;
use crate::store::{mappings, templates};
use crate::words::Code;

pub use crate::process::template::AUTO;

/// Bytes of a template's schema: an enum of 10,000 article numbers, or some thousand described fields.
pub const SCHEMA_BYTES_MAX: usize = 2 << 20;

/// The version of a built-in template in use.
const BUILT_IN_VERSION: i64 = 0;

/// A template in use.
#[derive(Debug, Clone)]
pub struct Entry {
    pub name: String,
    /// 0 for a built-in one.
    pub version: i64,
    pub built_in: bool,
    /// The Table Schema's text.
    pub schema: String,
}

/// All templates in use, by name; `auto` is none of them.
///
/// # Errors
/// `Database`.
pub fn all(connection: &Connection) -> Result<Vec<Entry>> {
    let stored = templates::all_newest(connection)?;
    let mut entries: Vec<Entry> = Template::built_in_names()
        .iter()
        .filter_map(|name| built_in(name))
        .filter(|entry| {
            !stored
                .iter()
                .any(|own| own.name == entry.name && own.schema.is_some())
        })
        .collect();
    entries.extend(stored.into_iter().filter_map(|own| {
        own.schema.map(|schema| Entry {
            name: own.name,
            version: own.version,
            built_in: false,
            schema,
        })
    }));
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// The template of that name that is in use now.
///
/// # Errors
/// `Database`.
pub fn find(connection: &Connection, name: &str) -> Result<Option<Entry>> {
    if let Some(own) = templates::newest(connection, name)?
        && let Some(schema) = own.schema
    {
        return Ok(Some(Entry {
            name: own.name,
            version: own.version,
            built_in: false,
            schema,
        }));
    }
    Ok(built_in(name))
}

/// One version of a template, also of one that was deleted since.
///
/// # Errors
/// `Database`.
pub fn find_version(connection: &Connection, name: &str, version: i64) -> Result<Option<Entry>> {
    if version == BUILT_IN_VERSION {
        return Ok(built_in(name));
    }
    let own = templates::version(connection, name, version)?;
    Ok(own.and_then(|own| {
        own.schema.map(|schema| Entry {
            name: own.name,
            version: own.version,
            built_in: false,
            schema,
        })
    }))
}

/// The version to run a job with that names this template.
///
/// # Errors
/// `no-such-template`.
pub fn version_for_job(connection: &Connection, name: &str) -> Result<i64> {
    if name == AUTO {
        return Ok(BUILT_IN_VERSION);
    }
    match find(connection, name)? {
        Some(entry) => Ok(entry.version),
        None => Err(no_such(connection, name)?),
    }
}

/// A name that a new template can't have, for one in use differs from it only by case: people would mix them
/// up, and names in SQLite don't know case.
///
/// # Errors
/// `name-taken`.
pub fn check_free(connection: &Connection, name: &str) -> Result<()> {
    let lower = name.to_lowercase();
    let mut names = all(connection)?.into_iter().map(|entry| entry.name);
    let like = names.find(|known| known != name && known.to_lowercase() == lower);
    match like.or_else(|| (lower == AUTO).then(|| AUTO.to_owned())) {
        None => Ok(()),
        Some(like) => Err(Error::problem(
            Code::NameTaken,
            format!(
                "There is a template \"{like}\" already. Names that differ only by case are the same name here."
            ),
        )),
    }
}

/// Whether records may have been filed under this name: also under a template that was deleted since.
///
/// # Errors
/// `no-such-template` where there never was one.
pub fn ever_was(connection: &Connection, name: &str) -> Result<()> {
    if name == AUTO || built_in(name).is_some() || templates::newest(connection, name)?.is_some() {
        return Ok(());
    }
    Err(no_such(connection, name)?)
}

/// The template of that name and version, ready to check rows. Not for `auto`.
///
/// # Errors
/// `no-such-template`; `invalid-template`.
pub fn load(connection: &Connection, name: &str, version: i64) -> Result<Template> {
    match find_version(connection, name, version)? {
        Some(entry) => Template::parse(name, version, &entry.schema),
        None => Err(no_such(connection, name)?),
    }
}

/// What was decided before about a file with these headers.
///
/// # Errors
/// `Database`.
pub fn remembered(connection: &Connection, name: &str, columns: &[Column]) -> Result<Choices> {
    let found = mappings::find(connection, name, &mapping::headers_key(columns))?;
    Ok(found.map_or_else(Choices::default, |found| {
        Choices::remembered(&found.mapping)
    }))
}

fn built_in(name: &str) -> Option<Entry> {
    Template::built_in_schema(name).map(|schema| Entry {
        name: name.to_owned(),
        version: BUILT_IN_VERSION,
        built_in: true,
        schema: schema.to_owned(),
    })
}

fn no_such(connection: &Connection, name: &str) -> Result<Error> {
    let known: Vec<String> = all(connection)?.into_iter().map(|e| e.name).collect();
    Ok(Error::problem(
        Code::NoSuchTemplate,
        format!(
            "There is no template \"{name}\". There is: {}, {AUTO}.",
            known.join(", ")
        ),
    ))
}
