//! The log: lines for people or JSON lines, on standard error or in a file that is rotated.

use std::fs::OpenOptions;
use std::io::{LineWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use clap::{Args, ValueEnum};
use file_rotate::compression::Compression;
use file_rotate::suffix::AppendCount;
use file_rotate::{ContentLimit, FileRotate};
use log::{LevelFilter, Log, Metadata, Record};
use serde_json::json;
use simplelog::{ConfigBuilder, WriteLogger};

use crate::clock::{Clock, SystemClock};
use crate::error::{Error, Result};
use crate::logged;
use crate::words::Code;

/// Old log files that are kept beside the one being written: NAME.1 is the newest.
const KEPT: usize = 9;

/// Only our own lines: what libraries say at the finer levels may show what they work on.
const TARGET: &str = "sheetline";

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Text,
    /// For programs: a JSON object a line
    Json,
}

/// From which level on lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Level {
    /// Somebody must look
    Error,
    /// It went on, in a worse way
    Warn,
    /// Requests, jobs, sign-ins
    Info,
    Debug,
}

/// What the log looks like and where it goes.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub(super) struct Flags {
    /// Least important lines that are logged
    #[arg(
        long,
        env = "SHEETLINE_LOG_LEVEL",
        default_value = "info",
        value_name = "LEVEL"
    )]
    log_level: Level,
    /// Lines for people (text) or for programs (json)
    #[arg(
        long,
        env = "SHEETLINE_LOG_FORMAT",
        default_value = "text",
        value_name = "FORMAT"
    )]
    log_format: Format,
    /// Write the log into this file instead of standard error; of the files before it 9 are kept
    #[arg(long, env = "SHEETLINE_LOG_FILE", value_name = "FILE")]
    log_file: Option<PathBuf>,
    /// MiB after which the next log file is begun
    #[arg(long, env = "SHEETLINE_LOG_FILE_MB", default_value_t = 10, value_name = "N",
          value_parser = clap::value_parser!(u16).range(1..))]
    log_file_mb: u16,
}

/// Begins to log. A second start in the same process (tests) keeps the first log.
///
/// # Errors
/// `bad-request` where the file can't be written.
pub(super) fn start(flags: &Flags) -> Result<()> {
    let out: Box<dyn Write + Send> = match &flags.log_file {
        // A line is put together from some fifty pieces; each would be a write of its own.
        None => Box::new(LineWriter::new(std::io::stderr())),
        Some(path) => Box::new(file(path, flags.log_file_mb)?),
    };
    let level = match flags.log_level {
        Level::Error => LevelFilter::Error,
        Level::Warn => LevelFilter::Warn,
        Level::Info => LevelFilter::Info,
        Level::Debug => LevelFilter::Debug,
    };
    // Where there is a log already, setting another one fails, and that is all that can.
    match flags.log_format {
        Format::Text => {
            let config = ConfigBuilder::new()
                .set_time_format_rfc3339()
                .set_thread_level(LevelFilter::Off)
                .set_target_level(LevelFilter::Off)
                .set_location_level(LevelFilter::Off)
                .add_filter_allow_str(TARGET)
                .build();
            let _ = WriteLogger::init(level, config, out);
        }
        Format::Json => {
            if log::set_boxed_logger(Box::new(JsonLines(Mutex::new(out)))).is_ok() {
                log::set_max_level(level);
            }
        }
    }
    Ok(())
}

/// A file that only its owner can read. Whole lines go into it, so that none is cut by a rotation.
fn file(path: &Path, mb: u16) -> Result<LineWriter<FileRotate<AppendCount>>> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    // Tried here, because the rotation gives up silently.
    options.open(path).map_err(|error| {
        Error::problem(
            Code::BadRequest,
            format!(
                "The log file {} can't be written: {error}. Name another one with --log-file.",
                path.display()
            ),
        )
    })?;
    Ok(LineWriter::new(FileRotate::new(
        path,
        AppendCount::new(KEPT),
        ContentLimit::BytesSurpassed(usize::from(mb) << 20),
        Compression::None,
        Some(options),
    )))
}

/// A JSON object a line: time, level, what stands at the head of the message, message.
struct JsonLines(Mutex<Box<dyn Write + Send>>);

impl Log for JsonLines {
    fn enabled(&self, about: &Metadata<'_>) -> bool {
        about.target().starts_with(TARGET)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let message = record.args().to_string();
        let mut line = json!({
            "time": SystemClock::new().now(),
            "level": record.level().as_str().to_lowercase(),
        });
        for (name, value) in logged::facts(&message) {
            // Jobs have numbers.
            line[name] = match value.parse::<i64>() {
                Ok(number) if matches!(name, "job" | "attempt") => number.into(),
                Ok(_) | Err(_) => value.into(),
            };
        }
        line["message"] = message.into();
        let mut out = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Where the log can't be written there is nowhere to say so.
        let _ = out.write_all(format!("{line}\n").as_bytes());
    }

    fn flush(&self) {
        let _ = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .flush();
    }
}
