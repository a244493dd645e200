//! The command line: one file per command.

mod ask;
pub mod backup;
mod check;
mod config;
mod convert;
mod door;
mod health;
mod limits;
mod log;
mod out;
mod process;
mod progress;
pub mod restore;
pub mod serve;
mod signals;
mod systemd;
mod taken;
pub mod user;
mod values;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::clock::{Clock, SystemClock};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::sheet::child;
use crate::words::Code;

/// Spreadsheets in, clean records out: one executable, one SQLite file, one page.
///
/// `sheetline` alone is `sheetline serve` with its defaults.
#[derive(Debug, Parser)]
#[command(name = "sheetline", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: serve::Flags,
    /// A file with settings, in TOML; without it sheetline.toml, where that exists
    #[arg(long, env = "SHEETLINE_CONFIG", value_name = "FILE", global = true)]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the server, its worker and its scheduler
    Serve(Box<serve::Flags>),
    /// Manage users, with the server running or not
    User {
        #[command(flatten)]
        database: Database,
        #[command(subcommand)]
        action: UserAction,
    },
    /// Print the JSON document that "Upload as JSON" would store
    ///
    /// Exit status 0, or 2 when the file can't be read; then the reason is all that is printed.
    Convert(Box<convert::Flags>),
    /// Check a file against a template without a server
    ///
    /// Writes report.json, records.ndjson, records.csv and annotated.xlsx. Exit status: 0 when
    /// every row is valid, 1 when some are rejected, 2 when the file can't be read.
    Process(Box<process::Flags>),
    /// Write a consistent copy of the database, without stopping the server
    Backup {
        #[command(flatten)]
        database: Database,
        #[command(flatten)]
        flags: backup::Flags,
    },
    /// Put a backup in the place of the database; the server must not run
    Restore {
        #[command(flatten)]
        database: Database,
        /// The backup; its integrity and version are checked first
        file: PathBuf,
        /// Replace the database that is there; it is kept under another name
        #[arg(long)]
        force: bool,
    },
    /// List the settings of the server
    Config {
        #[command(flatten)]
        serve: Box<serve::Flags>,
        /// Say of each where it comes from: flag, environment, file or default
        #[arg(long)]
        show_origin: bool,
    },
    /// Check database, jobs, disk, clock, proxy and reading; exit status 0 when all is sound
    ///
    /// It takes the settings of the server, to see whether they fit; each problem says what to do.
    Check {
        #[command(flatten)]
        flags: check::Flags,
        #[command(flatten)]
        serve: Box<serve::Flags>,
    },
    /// Ask the running server how it is: one line, exit status 0 when it can do its work, else 1
    Health {
        /// Where it is reached; without it at --listen, on this machine
        #[arg(long, value_name = "URL")]
        url: Option<String>,
        /// The certificate of your own authority, in PEM form, where --url is https
        #[arg(long, value_name = "FILE", requires = "url")]
        ca: Option<PathBuf>,
        /// Where the server listens
        #[arg(
            long,
            env = "SHEETLINE_LISTEN",
            default_value = "127.0.0.1:8080",
            value_name = "ADDR:PORT",
            value_parser = values::address
        )]
        listen: String,
    },
    /// Print a hardened unit for systemd
    Systemd(systemd::Flags),
}

/// The database file, for every command that touches it.
#[derive(Debug, Clone, Args)]
struct Database {
    /// The database file
    #[arg(
        long,
        env = "SHEETLINE_DB",
        default_value = "sheetline.db",
        value_name = "FILE",
        global = true
    )]
    db: PathBuf,
}

#[derive(Debug, Subcommand)]
enum UserAction {
    /// Add a user; the password is asked for
    Add {
        /// The name to sign in with
        name: String,
        /// May manage users and see everybody's jobs
        #[arg(long)]
        admin: bool,
        /// Where the person is reached; shown beside the name
        #[arg(long)]
        email: Option<String>,
        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// List all users
    List,
    /// Set a new password; ends the user's sessions
    Passwd {
        /// The name that the user signs in with
        name: String,
        /// Read the password from the first line of standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Keep a user from signing in
    Disable {
        /// The name that the user signs in with
        name: String,
    },
    /// Let a disabled user sign in again
    Enable {
        /// The name that the user signs in with
        name: String,
    },
}

/// Runs the program.
pub fn main() -> ExitCode {
    match parse_and_run() {
        Ok(code) => code,
        Err(error) => {
            out::aside(format_args!("sheetline: {}\n", with_next_step(&error)));
            ExitCode::from(2)
        }
    }
}

/// As [`plain`]; what only SQLite or the system has words for is told with what to do.
fn with_next_step(error: &Error) -> String {
    let said = plain(error);
    match error {
        Error::Database(_) if error.is_held() => format!(
            "Another program holds the database ({said}). End it (sqlite3 with an open transaction? a backup?), or try again in a moment."
        ),
        Error::Database(_) | Error::Io(_) if error.is_disk_full() => {
            format!("There is no room left on the disk ({said}). Make some, and try again.")
        }
        Error::Database(_) | Error::Io(_) if error.is_unwritable() => format!(
            "The disk takes nothing ({said}). Look whether it is mounted for reading only, and whether this user may write there."
        ),
        Error::Problem(_)
        | Error::Database(_)
        | Error::Io(_)
        | Error::Internal(_)
        | Error::Stopped => said,
    }
}

fn parse_and_run() -> Result<ExitCode> {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    // The reading child has no settings but those that its parent gives it, and begins at once.
    if let [_, command, file] = arguments.as_slice()
        && command == child::COMMAND
    {
        return Ok(child::main(Path::new(file)));
    }
    match parse(&arguments)? {
        Some(cli) => run(cli),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// Reads the command line on top of what environment and settings file say. `None`: it has been answered.
/// What it takes for that, a quarter of a megabyte, is not there any more while a server runs.
fn parse(arguments: &[OsString]) -> Result<Option<Cli>> {
    let below = config::Below::find(&Cli::command(), arguments)?;
    let command = below.put_into(Cli::command());
    let matches = match command.clone().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => match below.wrong_value(&error, &command, arguments) {
            Some(sentence) => return Err(Error::problem(Code::BadRequest, sentence)),
            None => error.exit(),
        },
    };
    if let Some(("config", chosen)) = matches.subcommand()
        && let Some(command) = command.find_subcommand("config")
    {
        for stranger in config::strangers(&Cli::command(), config::variables())? {
            out::aside(format_args!("sheetline: {stranger}\n"));
        }
        let lines = below.lines(command, chosen, chosen.get_flag("show_origin"));
        out::line(lines.join("\n"))?;
        return Ok(None);
    }
    match Cli::from_arg_matches(&matches) {
        Ok(cli) => Ok(Some(cli)),
        Err(error) => error.exit(),
    }
}

fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        None => serve::run(&cli.serve),
        Some(Command::Serve(flags)) => serve::run(&flags),
        Some(Command::Backup { database, flags }) => backup::run(&database.db, &flags),
        Some(Command::Restore {
            database,
            file,
            force,
        }) => restore::run(&database.db, &file, force),
        Some(Command::Convert(flags)) => Ok(with_code(convert::run(&flags))),
        Some(Command::Check { flags, serve }) => check::run(&serve, &flags),
        Some(Command::Health { url, ca, listen }) => {
            health::run(url.as_deref(), &listen, ca.as_deref())
        }
        Some(Command::Systemd(flags)) => systemd::run(&flags),
        Some(Command::User { database, action }) => user::run(&database.db, &action),
        Some(Command::Process(flags)) => Ok(with_code(process::run(&flags))),
        // Answered before the command line was taken apart.
        Some(Command::Config { .. }) => Ok(ExitCode::SUCCESS),
    }
}

/// What is wrong with a file is said with its code, for scripts.
fn with_code(ended: Result<ExitCode>) -> ExitCode {
    ended.unwrap_or_else(|error| {
        let said = match &error {
            Error::Problem(problem) => format!("{} ({})", problem.detail, problem.code),
            Error::Database(_) | Error::Io(_) | Error::Internal(_) | Error::Stopped => {
                with_next_step(&error)
            }
        };
        out::aside(format_args!("sheetline: {said}\n"));
        ExitCode::from(2)
    })
}

/// An error for the person at the terminal.
fn plain(error: &Error) -> String {
    match error {
        Error::Problem(problem) => problem.detail.clone(),
        // The system's number says nothing to people.
        Error::Io(error) => {
            let said = error.to_string();
            let words = said.split(" (os error").next().unwrap_or(&said);
            words.to_owned()
        }
        Error::Database(_) | Error::Internal(_) | Error::Stopped => error.to_string(),
    }
}

/// Opens a database that must be there already.
fn open_existing(path: &Path) -> Result<Db> {
    must_exist(path)?;
    Db::open(path, clock())
}

fn must_exist(path: &Path) -> Result<()> {
    match path.metadata() {
        // SQLite would take it for a new database: a backup of it would push good ones out.
        Ok(data) if data.is_file() && data.len() == 0 => {
            return Err(Error::problem(
                Code::UnreadableFile,
                format!(
                    "The database {} is empty (0 bytes): what it held is lost. Put a backup in its place with `sheetline restore FILE --force`.",
                    path.display()
                ),
            ));
        }
        Ok(data) if !data.is_file() && !data.is_dir() => {
            return Err(Error::problem(
                Code::BadRequest,
                format!(
                    "{} is no file but a device or the like. Name the database with --db.",
                    path.display()
                ),
            ));
        }
        Ok(_) => return Ok(()),
        Err(_) => {}
    }
    Err(Error::problem(
        Code::NotFound,
        format!(
            "There is no database {}. Name it with --db, or start the server once to make it.",
            path.display()
        ),
    ))
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_stands_clap_s_own_test() {
        Cli::command().debug_assert();
    }
}
