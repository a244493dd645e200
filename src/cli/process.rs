//! `sheetline process`: checks a file against a template without a server, through the same reader
//! and the same checks.

mod marked;
mod outputs;
mod template;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{self, SyncSender};
use std::thread;
use std::time::Instant;

use clap::Args;

use self::marked::Marked;
use self::outputs::Places;
use super::limits;
use super::progress::Progress;
use super::taken::{self, Kept};
use crate::error::{Error, Result};
use crate::process::{
    Checker, Choices, DateOrders, Inference, SAMPLE_ROWS, SourceFacts, Stats, Template,
};
use crate::report::export::xlsx;
use crate::sheet::reader::ReadJob;
use crate::sheet::{self, Limits, ReadOptions, Row, SheetInfo, summary};
use crate::words::{Code, DayOrder, Format};

/// Rows are kept in memory up to so many bytes, and then in a temporary file.
const MEMORY_BYTES_MAX: usize = 32 << 20;

/// Batches of rows that wait to be written, at most.
const BATCHES_WAITING: usize = 2;

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// The file to check
    file: PathBuf,
    /// A template's name, or a file with a Table Schema; auto works one out from the file
    #[arg(long)]
    template: String,
    /// A database with the office's templates; it is only read
    #[arg(long, env = "SHEETLINE_DB", value_name = "FILE")]
    db: Option<PathBuf>,
    /// Which comes first in dates such as 03/08/2024, where a column's own dates don't tell
    #[arg(long, value_name = "day-month|month-day", value_parser = date_order)]
    date_order: Option<DayOrder>,
    /// The folder to write to; it is made where it is missing
    #[arg(long)]
    out: PathBuf,
    /// The sheet to process; without it the first visible one with a row
    #[arg(long)]
    sheet: Option<String>,
    /// The row of the headers, from 1 on; without it they are looked for
    #[arg(long, value_name = "ROW", value_parser = clap::value_parser!(u32).range(1..))]
    header_row: Option<u32>,
    #[command(flatten)]
    limits: limits::Flags,
}

/// Runs the command. Exit status 0: every row is valid; 1: some are not.
///
/// # Errors
/// Where the file or the template can't be used, or the folder can't be written.
pub(super) fn run(task: &Flags) -> Result<ExitCode> {
    check_file(task).map_err(|error| {
        if matches!(error, Error::Io(_)) && error.is_disk_full() {
            no_room(&task.out)
        } else {
            error
        }
    })
}

fn check_file(task: &Flags) -> Result<ExitCode> {
    let began = Instant::now();
    let named = template::find(&task.template, task.db.as_deref())?;
    if task.out.is_file() {
        return Err(Error::problem(
            Code::BadRequest,
            format!("{} is a file; name a folder.", task.out.display()),
        ));
    }
    std::fs::create_dir_all(&task.out).map_err(|error| cannot_write(&task.out, error))?;
    // What an earlier run left would be taken for this one's.
    remove_outputs(&task.out)?;
    let made = make_outputs(task, named, began);
    if made.is_err() {
        // Half a list looks like a whole one.
        let _ = remove_outputs(&task.out);
    }
    let Some(stats) = made? else {
        return Ok(ExitCode::from(1));
    };
    super::out::line(format_args!(
        "{} {}: {} valid, {} to fix, {} there twice. See {}.",
        stats.rows,
        if stats.rows == 1 { "row" } else { "rows" },
        stats.valid,
        stats.invalid,
        stats.duplicates,
        task.out.display()
    ))?;
    Ok(ExitCode::from(u8::from(stats.valid != stats.rows)))
}

fn remove_outputs(folder: &Path) -> Result<()> {
    for name in outputs::NAMES {
        let path = folder.join(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(cannot_write(&path, error));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Checks the file and writes what came of it. `None`: a needed column is missing, which the report tells.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of one run")]
fn make_outputs(task: &Flags, named: Option<Template>, began: Instant) -> Result<Option<Stats>> {
    let mut stored = read(task, &task.limits.limits())?;
    let template = match named {
        Some(template) => template,
        None => infer(&mut stored)?,
    };
    let facts = SourceFacts {
        columns: stored.info.columns.clone(),
        header_row: stored.info.header_row.unwrap_or(1),
        workbook: sheet::is_workbook(stored.format),
        choices: Choices::default(),
        date_orders: DateOrders {
            chosen: task.date_order,
            ..DateOrders::default()
        },
        sample: stored.sample()?,
        notices: stored.info.notices.clone(),
    };
    let mut checker = Checker::new(&template, facts)?;
    let missing = checker.missing_required();
    if missing.is_empty() {
        if checker.needs_observation() {
            stored.each(|row, _| checker.observe(&row))?;
            checker.observed();
        }
        check(task, &mut stored, &mut checker)?;
    }
    let report = checker.report(began.elapsed().as_millis() as f64 / 1_000.0);
    let path = task.out.join("report.json");
    let mut text = serde_json::to_string_pretty(&report)?;
    text.push('\n');
    std::fs::write(&path, text).map_err(|error| cannot_write(&path, error))?;
    if !missing.is_empty() {
        for problem in &report.errors {
            super::out::aside(format_args!(
                "sheetline: {} (missing-columns)\n",
                problem.message
            ));
        }
        return Ok(None);
    }
    Ok(Some(checker.counts()))
}

fn no_room(folder: &Path) -> Error {
    Error::problem(
        Code::DiskFull,
        format!(
            "There is no room left where {} lies. Make some, or name another folder with --out.",
            folder.display()
        ),
    )
}

fn cannot_write(path: &Path, error: std::io::Error) -> Error {
    let error = Error::from(error);
    if error.is_disk_full() {
        return error;
    }
    Error::problem(
        Code::BadRequest,
        format!(
            "{} can't be written: {}.",
            path.display(),
            super::plain(&error)
        ),
    )
}

fn date_order(text: &str) -> std::result::Result<DayOrder, String> {
    DayOrder::parse(text).ok_or_else(|| "It is day-month or month-day.".to_owned())
}

/// The rows of one sheet.
struct Stored {
    lines: Kept,
    info: SheetInfo,
    format: Format,
}

impl Stored {
    /// The first rows.
    fn sample(&mut self) -> Result<Vec<Row>> {
        let mut sample = Vec::new();
        let stopped = self.each(|row, _| {
            if sample.len() == SAMPLE_ROWS {
                return Err(Error::Stopped);
            }
            sample.push(row);
            Ok(())
        });
        match stopped {
            Ok(()) | Err(Error::Stopped) => Ok(sample),
            Err(error) => Err(error),
        }
    }

    /// Calls `each` for every row, with its line.
    fn each(&mut self, mut each: impl FnMut(Row, &str) -> Result<()>) -> Result<()> {
        let mut left = self.info.rows;
        self.lines.each_row(self.info.position, |row, line| {
            left = left.saturating_sub(1);
            each(row.to_row(), line)
        })?;
        if left > 0 {
            return Err(Error::Internal("the rows ended early".to_owned()));
        }
        Ok(())
    }
}

fn read(task: &Flags, limits: &Limits) -> Result<Stored> {
    if !task.file.is_file() {
        let name = task.file.display();
        let detail = if task.file.is_dir() {
            format!("{name} is a folder. Name the file itself.")
        } else if task.file.exists() {
            format!("{name} is a pipe or a device. Keep what it gives in a file, and name that.")
        } else {
            format!("There is no file {name}.")
        };
        return Err(Error::problem(Code::UnreadableFile, detail));
    }
    let format = sheet::sniff::sniff(&task.file, limits)?;
    let executable = std::env::current_exe()?;
    let options = ReadOptions {
        sheet: task.sheet.clone(),
        header_row: task.header_row,
        ..ReadOptions::default()
    };
    let job = ReadJob {
        executable: &executable,
        path: &task.file,
        format: Some(format),
        options: &options,
        limits,
    };
    let taken = taken::read(&job, Kept::new(MEMORY_BYTES_MAX, task.out.clone()))?;
    let position = match &task.sheet {
        Some(wanted) => summary::by_name(&taken.sheets, wanted)?.position,
        None => taken.file.default_sheet,
    };
    let mut sheets = taken.sheets.into_iter();
    let info = sheets
        .find(|info| info.position == position)
        .ok_or_else(|| Error::problem(Code::EmptyFile, sheet::NOTHING))?;
    if info.rows == 0 {
        return Err(Error::problem(
            Code::EmptyFile,
            summary::without_rows(&info),
        ));
    }
    Ok(Stored {
        lines: taken.lines,
        info,
        format,
    })
}

fn infer(stored: &mut Stored) -> Result<Template> {
    let mut inference = Inference::new(&stored.info.columns);
    stored.each(|row, _| inference.observe(&row))?;
    inference.template()
}

/// Checks all rows, and writes them on a thread of its own, which takes about as long.
fn check(task: &Flags, stored: &mut Stored, checker: &mut Checker) -> Result<()> {
    let places = Places::new(&task.out, checker, stored.info.clone())?;
    let (send, batches) = mpsc::sync_channel(BATCHES_WAITING);
    xlsx::hush();
    thread::scope(|scope| {
        let writing = thread::Builder::new()
            .spawn_scoped(scope, move || xlsx::without_panic(|| places.write(batches)))?;
        let checked = check_rows(stored, checker, &send);
        drop(send);
        let written = writing
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // Where writing ended first, the checking only found nobody to hand on to.
        written.and(checked)
    })
}

/// Checks all rows and hands them on.
fn check_rows(stored: &mut Stored, checker: &mut Checker, send: &SyncSender<Marked>) -> Result<()> {
    let mut progress = Progress::new("Checking");
    let mut batch = Marked::default();
    let hand_on = |batch| send.send(batch).map_err(|_| Error::Stopped);
    stored.each(|row, line| {
        progress.row();
        let checked = checker.check(&row)?;
        batch.add(&checker.settle(checked, &[], false), line);
        if batch.is_full() {
            hand_on(std::mem::take(&mut batch))?;
        }
        Ok(())
    })?;
    hand_on(batch)
}
