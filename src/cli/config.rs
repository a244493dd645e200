//! Where a setting comes from: flag, environment, a file named by the environment, `sheetline.toml`,
//! default; the first that is there counts.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

use crate::error::{Error, Result};
use crate::words::Code;

/// The file that is read where it exists and nobody names another.
const FILE: &str = "sheetline.toml";

/// What names another file.
const FLAG: &str = "--config";
const VARIABLE: &str = "SHEETLINE_CONFIG";
const VARIABLE_FILE: &str = "SHEETLINE_CONFIG_FILE";

/// What variables of ours begin with.
const PREFIX: &str = "SHEETLINE_";

/// Letters that a slip leaves out, adds, changes or turns round; in short names one.
const SLIP_MAX: usize = 2;

/// Longer texts than this are no setting.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A value from below the environment, and where it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    value: String,
    origin: String,
}

/// Values by flag name (`max-upload-mb`).
#[derive(Debug, Default)]
pub(super) struct Below(BTreeMap<String, Found>);

impl Below {
    /// Reads the files that the command line, the environment or the folder name.
    ///
    /// # Errors
    /// `bad-request` that names the setting to change.
    pub(super) fn find(command: &Command, arguments: &[OsString]) -> Result<Below> {
        let serve = command
            .find_subcommand("serve")
            .ok_or_else(|| Error::Internal("no command serve".to_owned()))?;
        let mut found = match named(arguments)? {
            Some(path) => read_toml(&path, serve)?,
            None if Path::new(FILE).exists() => read_toml(Path::new(FILE), serve)?,
            None => BTreeMap::new(),
        };
        for argument in serve.get_arguments() {
            let (Some(name), Some(variable)) = (argument.get_long(), argument.get_env()) else {
                continue;
            };
            let mut of_file = variable.to_owned();
            of_file.push("_FILE");
            let Some(path) = std::env::var_os(&of_file) else {
                continue;
            };
            let of_file = of_file.to_string_lossy().into_owned();
            let value = read(Path::new(&path)).map_err(|error| {
                refused(format!(
                    "{of_file} names {}, which can't be read: {error}.",
                    Path::new(&path).display()
                ))
            })?;
            found.insert(
                name.to_owned(),
                Found {
                    value: value.trim().to_owned(),
                    origin: format!("the file of {of_file}"),
                },
            );
        }
        // Nothing is what a setting has that is not set.
        found.retain(|_, found| !found.value.is_empty());
        Ok(Below(found))
    }

    /// Makes the values defaults of every command that knows their flags.
    pub(super) fn put_into(&self, command: Command) -> Command {
        let names: Vec<String> = command
            .get_subcommands()
            .map(|sub| sub.get_name().to_owned())
            .collect();
        let mut command = self.put_into_one(command);
        for name in names {
            command = command.mut_subcommand(name, |sub| self.put_into_one(sub));
        }
        command
    }

    fn put_into_one(&self, command: Command) -> Command {
        command.mut_args(|argument| {
            // What has no variable is no setting, whatever its name.
            let Some(variable) = argument.get_env() else {
                return argument;
            };
            let value = argument.get_long().and_then(|name| self.0.get(name));
            let is_empty = std::env::var_os(variable).is_some_and(|value| value.is_empty());
            let argument = if is_empty {
                argument.env(Resettable::Reset)
            } else {
                argument
            };
            match value {
                Some(found) => argument.default_value(found.value.clone()),
                None => argument,
            }
        })
    }

    /// What is wrong with a value that stands in a variable or a file, and where that is. `None` for the
    /// command line, where the program that reads it says so itself.
    pub(super) fn wrong_value(
        &self,
        error: &clap::Error,
        command: &Command,
        arguments: &[OsString],
    ) -> Option<String> {
        if !matches!(
            error.kind(),
            ErrorKind::ValueValidation | ErrorKind::InvalidValue
        ) {
            return None;
        }
        let Some(ContextValue::String(shown)) = error.get(ContextKind::InvalidArg) else {
            return None;
        };
        let flag = shown.split(' ').next()?;
        let name = flag.strip_prefix("--")?;
        let on_the_command_line = arguments.iter().any(|argument| {
            let text = argument.to_string_lossy();
            text == flag || text.starts_with(&format!("{flag}="))
        });
        if on_the_command_line {
            return None;
        }
        let variable = command
            .get_subcommands()
            .flat_map(Command::get_arguments)
            .filter(|argument| argument.get_long() == Some(name))
            .find_map(clap::Arg::get_env)
            .filter(|variable| std::env::var_os(variable).is_some_and(|value| !value.is_empty()));
        let place = match (variable, self.0.get(name)) {
            (Some(variable), _) => variable.to_string_lossy().into_owned(),
            (None, Some(found)) => format!("{name} ({})", found.origin),
            (None, None) => return None,
        };
        let value = match error.get(ContextKind::InvalidValue) {
            Some(ContextValue::String(value)) => value.as_str(),
            Some(_) | None => "",
        };
        let wanted = match error.get(ContextKind::ValidValue) {
            Some(ContextValue::Strings(values)) => {
                format!("it must be one of {}", values.join(", "))
            }
            Some(_) | None => std::error::Error::source(error)
                .map_or_else(|| "it can't be that".to_owned(), ToString::to_string),
        };
        Some(format!("{place} is \"{value}\": {wanted}."))
    }

    /// A line for each setting, as the file could have it: name, value and, where wanted, its origin.
    pub(super) fn lines(
        &self,
        command: &Command,
        matches: &ArgMatches,
        with_origin: bool,
    ) -> Vec<String> {
        let mut lines = Vec::new();
        for argument in command.get_arguments() {
            let Some(name) = argument.get_long() else {
                continue;
            };
            let id = argument.get_id().as_str();
            if matches!(name, "help" | "version" | "config" | "show-origin") {
                continue;
            }
            let values: Vec<String> = matches
                .get_raw(id)
                .into_iter()
                .flatten()
                .map(|value| value.to_string_lossy().into_owned())
                .collect();
            // What JSON puts into quotes TOML reads, too. One that is not set is no line of the file.
            let value = serde_json::Value::from(values.join(","));
            let line = match matches.value_source(id) {
                Some(_) => format!("{name} = {value}"),
                None => format!("# {name} = {value}"),
            };
            if !with_origin {
                lines.push(line);
                continue;
            }
            let origin = match matches.value_source(id) {
                Some(ValueSource::CommandLine) => "command line".to_owned(),
                Some(ValueSource::EnvVariable) => argument.get_env().map_or_else(
                    || "environment".to_owned(),
                    |variable| variable.to_string_lossy().into_owned(),
                ),
                Some(_) => self
                    .0
                    .get(name)
                    .map_or_else(|| "default".to_owned(), |found| found.origin.clone()),
                None => "not set".to_owned(),
            };
            lines.push(format!("{line:<40} # {origin}"));
        }
        lines
    }
}

/// The file that the command line or the environment names.
fn named(arguments: &[OsString]) -> Result<Option<PathBuf>> {
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let Some(text) = argument.to_str() else {
            continue;
        };
        if text == FLAG {
            return Ok(rest.next().map(PathBuf::from));
        }
        if let Some(path) = text.strip_prefix(FLAG).and_then(|t| t.strip_prefix('=')) {
            return Ok(Some(PathBuf::from(path)));
        }
    }
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    match (set(VARIABLE), set(VARIABLE_FILE)) {
        (Some(path), _) => Ok(Some(PathBuf::from(path))),
        (None, Some(file)) => named_in(Path::new(&file)).map(Some),
        (None, None) => Ok(None),
    }
}

/// The settings file whose path stands in a file, as the value of any other setting may.
fn named_in(file: &Path) -> Result<PathBuf> {
    let text = read(file).map_err(|error| {
        refused(format!(
            "{VARIABLE_FILE} names {}, which can't be read: {error}.",
            file.display()
        ))
    })?;
    let path = text.trim();
    if path.is_empty() || path.contains(['\n', '=']) {
        return Err(refused(format!(
            "{VARIABLE_FILE} names {}, which must hold the path of a settings file and nothing else. A settings file itself is named with {VARIABLE}.",
            file.display()
        )));
    }
    Ok(PathBuf::from(path))
}

fn read(path: &Path) -> std::io::Result<String> {
    let size = fs::metadata(path)?.len();
    if size > FILE_BYTES_MAX {
        return Err(std::io::Error::other("it is too long for a setting"));
    }
    fs::read_to_string(path)
}

fn read_toml(path: &Path, serve: &Command) -> Result<BTreeMap<String, Found>> {
    let shown = path.display();
    let text = read(path)
        .map_err(|error| refused(format!("The settings file {shown} can't be read: {error}.")))?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        refused(format!(
            "The settings file {shown} is not valid TOML in line {}: {}.",
            line_of(&text, error.span().map_or(0, |span| span.start)),
            error.message()
        ))
    })?;
    let known: Vec<&str> = serve
        .get_arguments()
        .filter_map(clap::Arg::get_long)
        .filter(|name| !matches!(*name, "help" | "version" | "config"))
        .collect();
    let mut found = BTreeMap::new();
    for (key, value) in table {
        let name = key.replace('_', "-");
        if !known.contains(&name.as_str()) {
            return Err(refused(unknown(&key, &name, &known, path)));
        }
        let value = plain(&value).ok_or_else(|| {
            refused(format!(
                "{key} in {shown} must be a text, a number, true or false, or a list of these."
            ))
        })?;
        found.insert(
            name,
            Found {
                value,
                origin: shown.to_string(),
            },
        );
    }
    Ok(found)
}

/// The line of a place in a text, from 1 on.
fn line_of(text: &str, at: usize) -> usize {
    let before = text.bytes().take(at);
    before.filter(|byte| *byte == b'\n').count() + 1
}

fn unknown(key: &str, name: &str, known: &[&str], path: &Path) -> String {
    let nearest = nearest(name, known);
    format!(
        "{} has a setting \"{key}\", which does not exist.{nearest} `sheetline config` lists all.",
        path.display()
    )
}

/// The name that was probably meant, as a question, where one is near.
fn nearest(name: &str, known: &[&str]) -> String {
    known
        .iter()
        .map(|other| (strsim::jaro_winkler(name, other), other))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(score, _)| *score > 0.8)
        .map(|(_, other)| format!(" Did you mean \"{other}\"?"))
        .unwrap_or_default()
}

/// Variables that look like settings and are none. A slip of the pen would change nothing, in silence; what
/// resembles no setting may be another program's.
///
/// # Errors
/// `bad-request` for a slip, with the name that was meant; else what to tell of the others.
pub(super) fn strangers(
    command: &Command,
    given: impl Iterator<Item = String>,
) -> Result<Vec<String>> {
    let mut known: Vec<String> = command
        .get_subcommands()
        .flat_map(Command::get_arguments)
        .filter_map(|argument| argument.get_env()?.to_str())
        .flat_map(|name| [name.to_owned(), format!("{name}_FILE")])
        .collect();
    let more = [
        "CONFIG",
        "CONFIG_FILE",
        "ADMIN_NAME",
        "ADMIN_PASSWORD",
        "ADMIN_PASSWORD_FILE",
    ];
    known.extend(more.map(|name| format!("{PREFIX}{name}")));
    let mut told = Vec::new();
    for name in given {
        if !name.starts_with(PREFIX) || known.contains(&name) {
            continue;
        }
        if let Some(meant) = known.iter().find(|other| is_slip(&name, other)) {
            return Err(refused(format!(
                "{name} is no setting. Did you mean {meant}? `sheetline config` lists all."
            )));
        }
        told.push(format!(
            "{name} is no setting and changes nothing. `sheetline config` lists all."
        ));
    }
    Ok(told)
}

fn is_slip(name: &str, other: &str) -> bool {
    let short = other.len() < PREFIX.len() + 5;
    let most = if short { 1 } else { SLIP_MAX };
    strsim::osa_distance(name, other) <= most
}

/// The names of this process's variables that are set to something.
pub(super) fn variables() -> impl Iterator<Item = String> {
    std::env::vars_os()
        .filter(|(_, value)| !value.is_empty())
        .filter_map(|(name, _)| name.into_string().ok())
}

/// A value as a flag would be given it.
fn plain(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Boolean(on) => Some(on.to_string()),
        toml::Value::Array(list) => {
            let texts: Option<Vec<String>> = list.iter().map(plain).collect();
            texts.map(|texts| texts.join(","))
        }
        toml::Value::Datetime(_) | toml::Value::Table(_) => None,
    }
}

fn refused(sentence: String) -> Error {
    Error::problem(Code::BadRequest, sentence)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn told(given: &[&str]) -> Result<Vec<String>> {
        let given = given.iter().map(|name| (*name).to_owned());
        strangers(&super::super::Cli::command(), given)
    }

    #[test]
    fn a_variable_that_differs_by_a_slip_is_an_error_with_the_name_that_was_meant() {
        for (given, meant) in [
            ("SHEETLINE_WORKRES", "SHEETLINE_WORKERS?"),
            ("SHEETLINE_MAX_UPLOAD_MBB", "SHEETLINE_MAX_UPLOAD_MB?"),
            ("SHEETLINE_ADMIN_NAM", "SHEETLINE_ADMIN_NAME?"),
            ("SHEETLINE_BD", "SHEETLINE_DB?"),
            ("SHEETLINE_WORKERS_FIL", "SHEETLINE_WORKERS_FILE?"),
        ] {
            let said = told(&["HOME", given]).unwrap_err().to_string();
            assert!(said.contains(given) && said.contains(meant), "{said}");
        }
        let right = [
            "SHEETLINE_DB",
            "SHEETLINE_DB_FILE",
            "SHEETLINE_CONFIG_FILE",
            "SHEETLINE_ADMIN_PASSWORD_FILE",
            "SHEETLINE_TOKEN_FILE",
        ];
        assert!(told(&right).unwrap().is_empty());
        // Somebody's own.
        let others = told(&["SHEETLINE_BIN", "SHEETLINE_TEST_DIR"]).unwrap();
        assert_eq!(others.len(), 2);
    }
}
