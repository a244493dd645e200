//! Brings a database to the schema of this program: forward only, in one transaction, after a copy of it
//! was laid beside it. `schema.sql` is the whole of the newest schema; a step (`steps`) changes tables and
//! what is in them, and nothing else: indexes, triggers and views are taken from `schema.sql` anew.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::steps::STEPS;
use super::{copy, lock};
use crate::error::{Error, Result};
use crate::words::Code;

/// "SHLN": tells a Sheetline file from any other SQLite file.
pub(super) const APPLICATION_ID: i64 = 0x5348_4c4e;

/// The schema's version, kept in `user_version`.
pub const VERSION: i64 = 5;

const SCHEMA: &str = include_str!("../../schema.sql");

/// What a file says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing is in it yet.
    Empty,
    /// A Sheetline database of this schema.
    Ours(i64),
    /// Another program's.
    Foreign,
}

/// What the file at `path` is, without changing anything in it.
///
/// # Errors
/// What SQLite said; `Foreign` where it is no database at all.
pub fn kind_of(path: &Path) -> Result<Kind> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(super::connection::BUSY_WAIT)?;
    kind(&connection)
}

/// What the database is.
///
/// # Errors
/// What SQLite said.
pub fn kind(connection: &Connection) -> Result<Kind> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let tables = match number("SELECT count(*) FROM sqlite_schema") {
        Ok(tables) => tables,
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => {
            return Ok(Kind::Foreign);
        }
        Err(error) => return Err(error.into()),
    };
    let application = number("PRAGMA application_id")?;
    let version = number("PRAGMA user_version")?;
    Ok(if application == APPLICATION_ID {
        Kind::Ours(version)
    } else if application == 0 && version == 0 && tables == 0 {
        Kind::Empty
    } else {
        Kind::Foreign
    })
}

/// Refuses what this program can't work on.
///
/// # Errors
/// A sentence for another program's file and for a newer schema.
pub fn refuse_unknown(kind: Kind) -> Result<()> {
    match kind {
        Kind::Empty => Ok(()),
        Kind::Ours(version) if (1..=VERSION).contains(&version) => Ok(()),
        Kind::Ours(version) if version < 1 => Err(Error::problem(
            Code::Internal,
            format!(
                "The database is Sheetline's, but has no schema that ever was ({version}): something else changed it, or its making broke off. Put a backup in its place with `sheetline restore FILE --force`."
            ),
        )),
        Kind::Ours(version) => Err(Error::problem(
            Code::Internal,
            format!(
                "The database was made by a newer version of Sheetline (schema {version}; this program knows {VERSION}). Start that version, or restore a backup from before the upgrade."
            ),
        )),
        Kind::Foreign => Err(Error::problem(
            Code::Internal,
            "This file was not made by Sheetline. Name another file with --db.",
        )),
    }
}

/// Makes the schema in an empty file, and brings an older one to this one. Nobody else may work on an
/// older one meanwhile: where `held` is none, the lock is taken for the time being.
///
/// # Errors
/// A sentence where a server works on it, there is no room for the copy, or a step fails; then the
/// database is as it was.
pub(super) fn bring_up(
    connection: &mut Connection,
    path: &Path,
    held: Option<&lock::Lock>,
) -> Result<()> {
    match kind(connection)? {
        Kind::Ours(VERSION) => Ok(()),
        Kind::Ours(from) => {
            let _own = match held {
                Some(_) => None,
                None => Some(lock::take(path)?),
            };
            let aside = free_copy_name(path, from);
            copy::make(path, &aside).map_err(|error| refused_copy(&error))?;
            copy::own_like(&aside, path);
            log::warn!(
                "the database's schema {from} becomes {VERSION}; as it was it is kept as {}",
                aside.display()
            );
            migrate(connection, from, STEPS, SCHEMA, VERSION)
                .inspect_err(|error| {
                    if error.is_disk_full() {
                        // The database is as it was, and has to be copied anew when there is more room.
                        let _ = std::fs::remove_file(&aside);
                    }
                })
                .map_err(|error| not_migrated(from, &aside, error))?;
            log::info!("the database has schema {VERSION}");
            Ok(())
        }
        Kind::Empty | Kind::Foreign => create(connection),
    }
}

/// Where the copy from before the step to `version` lies.
pub fn copy_name(path: &Path, version: i64) -> PathBuf {
    copy::beside(path, &format!(".before-v{version}.bak"))
}

/// The same, or the next one where something else has that name: what is no copy of this schema was not left
/// by a step that broke off.
fn free_copy_name(path: &Path, from: i64) -> PathBuf {
    let first = copy_name(path, VERSION);
    let is_taken = |name: &Path| {
        name.exists() && !matches!(kind_of(name), Ok(Kind::Ours(version)) if version == from)
    };
    let next = |n| copy::beside(path, &format!(".before-v{VERSION}-{n}.bak"));
    std::iter::once(first.clone())
        .chain((2..100).map(next))
        .find(|name| !is_taken(name))
        .unwrap_or(first)
}

fn not_migrated(from: i64, aside: &Path, error: Error) -> Error {
    if !matches!(error, Error::Database(_)) || error.is_busy() {
        return error;
    }
    if error.is_disk_full() {
        return Error::problem(
            Code::DiskFull,
            format!(
                "There is no room to change the database's schema {from} to {VERSION}: that takes as much as the database itself, and as much again for the copy of it. Nothing was changed. Make room, and start again."
            ),
        );
    }
    Error::problem(
        Code::Internal,
        format!(
            "The database's schema {from} could not be changed to {VERSION} ({error}): something else has changed it. Nothing was changed; a copy is {}. Go on with the version that made it, or restore a backup.",
            aside.display()
        ),
    )
}

fn refused_copy(error: &Error) -> Error {
    let why = if error.is_disk_full() {
        "there is no room on the disk".to_owned()
    } else {
        error.to_string()
    };
    Error::problem(
        Code::Internal,
        format!(
            "The database must be copied before its schema is changed, and could not be: {why}. Nothing was changed."
        ),
    )
}

fn create(connection: &mut Connection) -> Result<()> {
    // Immediate, so that two programs that start at once don't both find an empty file.
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if kind(&tx)? == Kind::Empty {
        tx.execute_batch(SCHEMA)?;
        tx.pragma_update(None, "application_id", APPLICATION_ID)?;
        tx.pragma_update(None, "user_version", VERSION)?;
        tx.commit()?;
    }
    Ok(())
}

/// Runs the steps from version `from` on, then takes everything but the tables from `schema`.
fn migrate(
    connection: &mut Connection,
    from: i64,
    steps: &[&str],
    schema: &str,
    version: i64,
) -> Result<()> {
    // A table that is made anew (SQLite's twelve steps) is referred to meanwhile; both can't be set in a
    // transaction.
    connection.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON;")?;
    let done = in_one_transaction(connection, from, steps, schema, version);
    connection.execute_batch("PRAGMA foreign_keys = ON; PRAGMA legacy_alter_table = OFF;")?;
    done
}

fn in_one_transaction(
    connection: &mut Connection,
    from: i64,
    steps: &[&str],
    schema: &str,
    version: i64,
) -> Result<()> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if kind(&tx)? != Kind::Ours(from) {
        return Err(Error::Internal("somebody else migrated it".to_owned()));
    }
    let fresh = Connection::open_in_memory()?;
    fresh.execute_batch(schema)?;
    let wanted = parts(&fresh)?;
    let is_wanted = |part: &Part| {
        wanted
            .iter()
            .any(|other| (&other.kind, &other.name) == (&part.kind, &part.name))
    };
    // What the office added. SQLite drops no column while a view shows what is gone meanwhile, and a trigger
    // takes no part in a step; with a view its triggers go.
    let mut theirs = parts(&tx)?;
    theirs.retain(|part| part.kind != "index" && !is_wanted(part));
    // A trigger may be on a view.
    theirs.sort_by_key(|part| part.kind != "view");
    // Triggers keep history from being changed; a step may have to.
    for part in wanted
        .iter()
        .filter(|part| part.kind != "index")
        .chain(&theirs)
    {
        part.drop_from(&tx)?;
    }
    let first = usize::try_from(from - 1).unwrap_or(usize::MAX);
    for step in steps.iter().skip(first) {
        tx.execute_batch(step)?;
    }
    let there = parts(&tx)?;
    for part in wanted {
        if !there.contains(&part) {
            part.drop_from(&tx)?;
            tx.execute_batch(&part.sql)?;
        }
    }
    for part in &theirs {
        tx.execute_batch(&part.sql)?;
    }
    for view in theirs.iter().filter(|part| part.kind == "view") {
        let name = view.name.replace('"', "\"\"");
        if let Err(error) = tx.prepare(&format!("SELECT * FROM \"{name}\"")) {
            log::warn!(
                "the view {} does not fit the new schema ({error})",
                view.name
            );
        }
    }
    refuse_broken(&tx, &fresh)?;
    refuse_dangling(&tx)?;
    tx.pragma_update(None, "user_version", version)?;
    tx.commit()?;
    Ok(())
}

/// A trigger of the office's own that names what is gone would make every write to its table fail.
fn refuse_broken(tx: &Transaction<'_>, fresh: &Connection) -> Result<()> {
    let sql = "SELECT t.name, (SELECT group_concat(format('\"%w\" = \"%w\"', c.name, c.name)) FROM pragma_table_info(t.name) c)
               FROM sqlite_schema t WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'";
    let mut tables = fresh.prepare(sql)?;
    let mut tables = tables.query([])?;
    while let Some(table) = tables.next()? {
        let (name, same): (String, String) = (table.get(0)?, table.get(1)?);
        for write in [
            format!("INSERT INTO \"{name}\" DEFAULT VALUES"),
            format!("UPDATE \"{name}\" SET {same}"),
            format!("DELETE FROM \"{name}\""),
        ] {
            tx.prepare(&write).map_err(|error| {
                Error::problem(
                    Code::Internal,
                    format!(
                        "A trigger that was added to the database does not fit its new schema: writing to \"{name}\" would fail ({error}). Nothing was changed. Drop the trigger, and start again."
                    ),
                )
            })?;
        }
    }
    Ok(())
}

fn refuse_dangling(tx: &Transaction<'_>) -> Result<()> {
    let dangling = tx
        .prepare("PRAGMA foreign_key_check")?
        .query_map([], |_| Ok(()))?
        .count();
    if dangling == 0 {
        return Ok(());
    }
    Err(Error::problem(
        Code::Internal,
        format!(
            "{dangling} rows of the database refer to ones that are missing, so its schema was not changed. Run `sheetline check` with the version that made it, and restore a backup."
        ),
    ))
}

/// An index, trigger or view.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    kind: String,
    name: String,
    sql: String,
}

impl Part {
    fn drop_from(&self, connection: &Connection) -> Result<()> {
        let name = self.name.replace('"', "\"\"");
        connection.execute_batch(&format!("DROP {} IF EXISTS \"{name}\"", self.kind))?;
        Ok(())
    }
}

/// Everything with a text of its own that is no table, in the order in which it was made.
fn parts(connection: &Connection) -> Result<Vec<Part>> {
    let sql = "SELECT type, name, sql FROM sqlite_schema
               WHERE type <> 'table' AND sql IS NOT NULL ORDER BY rowid";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        Ok(Part {
            kind: row.get(0)?,
            name: row.get(1)?,
            sql: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT) STRICT;
        CREATE TABLE notes (id INTEGER PRIMARY KEY, person INTEGER REFERENCES people (id)) STRICT;
        CREATE TRIGGER people_stay BEFORE UPDATE ON people BEGIN SELECT RAISE(ABORT, 'no'); END;
        CREATE INDEX people_by_name ON people (name);
        CREATE VIEW v_people AS SELECT name FROM people;
        CREATE VIEW v_mine AS SELECT count(*) FROM people;
        INSERT INTO people VALUES (1, 'anna'); INSERT INTO notes VALUES (1, 1);";

    const NEW: &str =
        "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER) STRICT;
        CREATE TABLE notes (id INTEGER PRIMARY KEY, person INTEGER REFERENCES people (id)) STRICT;
        CREATE TRIGGER people_stay BEFORE UPDATE ON people BEGIN SELECT RAISE(ABORT, 'never'); END;
        CREATE INDEX people_by_name ON people (name, age);
        CREATE VIEW v_people AS SELECT name, age FROM people;";

    /// SQLite's twelve steps: the old table could not be changed in place.
    const STEP: &str = "UPDATE people SET name = upper(name);
        CREATE TABLE people_new (id INTEGER PRIMARY KEY, name TEXT NOT NULL, age INTEGER) STRICT;
        INSERT INTO people_new SELECT id, name, NULL FROM people;
        DROP TABLE people; ALTER TABLE people_new RENAME TO people;";

    fn old() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(OLD).unwrap();
        connection
            .pragma_update(None, "application_id", APPLICATION_ID)
            .unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
        connection
    }

    fn parts_of(schema: &str) -> Vec<Part> {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(schema).unwrap();
        parts(&connection).unwrap()
    }

    #[test]
    fn a_table_is_made_anew_and_everything_on_it_is_as_in_the_new_schema() {
        let mut connection = old();
        migrate(&mut connection, 1, &[STEP], NEW, 2).unwrap();
        assert_eq!(kind(&connection).unwrap(), Kind::Ours(2));
        let there = parts(&connection).unwrap();
        for part in parts_of(NEW) {
            assert!(there.contains(&part), "{part:?}");
        }
        let row: (String, Option<i64>) = connection
            .query_row("SELECT * FROM v_people", [], |r| Ok((r.get(0)?, r.get(1)?)))
            .unwrap();
        assert_eq!(row, ("ANNA".to_owned(), None));
        // A view of the office's own is left alone.
        connection.execute_batch("SELECT * FROM v_mine").unwrap();
        assert!(connection.execute("UPDATE people SET age = 1", []).is_err());
        let keys: i64 = connection
            .query_row("PRAGMA foreign_keys", [], |r| r.get(0))
            .unwrap();
        assert_eq!(keys, 1);
    }

    #[test]
    fn a_step_that_fails_leaves_everything_as_it_was() {
        for step in ["SELECT nothing FROM nowhere", "DELETE FROM people"] {
            let mut connection = old();
            let steps = [STEP, step];
            assert!(migrate(&mut connection, 1, &steps, NEW, 3).is_err());
            assert_eq!(kind(&connection).unwrap(), Kind::Ours(1));
            assert_eq!(parts(&connection).unwrap(), parts_of(OLD));
            let name: String = connection
                .query_row("SELECT name FROM people", [], |r| r.get(0))
                .unwrap();
            assert_eq!(name, "anna");
        }
    }

    #[test]
    fn there_is_a_step_for_every_version() {
        assert_eq!(i64::try_from(STEPS.len()).unwrap(), VERSION - 1);
    }

    #[test]
    fn a_step_that_finds_no_room_leaves_no_copy_that_takes_more_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let mut connection = Connection::open(&path).unwrap();
        let dump = include_str!("../../tests/fixtures/schema-v4.sql");
        connection.execute_batch(dump).unwrap();
        let pages: i64 = connection
            .query_row("PRAGMA page_count", [], |row| row.get(0))
            .unwrap();
        connection
            .pragma_update(None, "max_page_count", pages)
            .unwrap();
        let refused = bring_up(&mut connection, &path, None).unwrap_err();
        assert!(refused.is_disk_full(), "{refused}");
        assert!(refused.to_string().contains("as much again"), "{refused}");
        assert_eq!(kind(&connection).unwrap(), Kind::Ours(4));
        assert!(!copy_name(&path, VERSION).exists());
        connection
            .pragma_update(None, "max_page_count", 2 * pages)
            .unwrap();
        bring_up(&mut connection, &path, None).unwrap();
        assert!(copy_name(&path, VERSION).exists());
    }
}
