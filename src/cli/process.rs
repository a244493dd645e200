//! `sheetline process`: checks a file against a template without a server, through the same reader
//! and the same checks.

mod template;

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, IsTerminal, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{self, SyncSender};
use std::thread;
use std::time::Instant;

use clap::Args;

use super::limits;
use crate::error::{Error, Result};
use crate::process::{Checker, Choices, DateOrders, Inference, SAMPLE_ROWS, SourceFacts, Template};
use crate::report::export::xlsx::annotated::Annotated;
use crate::report::export::{Member, csv, xlsx};
use crate::sheet::reader::{self, ReadJob};
use crate::sheet::{self, Event, Limits, ReadOptions, Row, SheetInfo, protocol, summary};
use crate::stop::Stop;
use crate::words::{Code, DayOrder, Format};

/// Rows handed on to the thread that copies them, at a time.
const HANDED_ON: usize = 256;

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

#[expect(clippy::cast_precision_loss, reason = "milliseconds of one run")]
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
    for name in [
        "report.json",
        "records.ndjson",
        "records.csv",
        "annotated.xlsx",
    ] {
        // What an earlier run left would be taken for this one's.
        let path = task.out.join(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(cannot_write(&path, error));
            }
            Ok(()) | Err(_) => {}
        }
    }
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
            stored.each(|row| checker.observe(&row))?;
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
        return Ok(ExitCode::from(1));
    }
    let stats = checker.counts();
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

/// The rows of one sheet, read whole into a file that nobody else sees: what a sheet's columns are
/// is known only after its last row.
struct Stored {
    rows: BufReader<File>,
    from: u64,
    bytes: u64,
    info: SheetInfo,
    format: Format,
}

impl Stored {
    /// The first rows.
    fn sample(&mut self) -> Result<Vec<Row>> {
        let mut sample = Vec::new();
        let stopped = self.each(|row| {
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

    /// Calls `each` for every row.
    fn each(&mut self, mut each: impl FnMut(Row) -> Result<()>) -> Result<()> {
        self.rows.seek(SeekFrom::Start(self.from))?;
        let mut left = self.bytes;
        let mut line = String::new();
        while left > 0 {
            line.clear();
            let read = self.rows.read_line(&mut line)?;
            if read == 0 {
                return Err(Error::Internal("the rows ended early".to_owned()));
            }
            left = left.saturating_sub(u64::try_from(read).unwrap_or(u64::MAX));
            if let Event::Row(row) = protocol::parse(line.trim_end_matches('\n'))? {
                each(row)?;
            }
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
    let mut reader = reader::read_lines(&job, &Stop::new())?;
    let mut progress = Progress::new("Reading");
    let mut out = BufWriter::new(tempfile::tempfile_in(&task.out)?);
    let mut sheets: Vec<(SheetInfo, u64, u64)> = Vec::new();
    let (mut from, mut at) = (0, 0_u64);
    let mut file = None;
    while let Some(text) = reader.next_batch()? {
        for line in protocol::lines(&text) {
            if line.starts_with('R') {
                // As it stands; it is read when it is checked.
                progress.one();
                out.write_all(line.as_bytes())?;
                out.write_all(b"\n")?;
                at += u64::try_from(line.len() + 1).unwrap_or(0);
                continue;
            }
            match protocol::parse(line)? {
                Event::Sheet(_) => from = at,
                Event::SheetEnd(info) => sheets.push((*info, from, at - from)),
                Event::Row(_) | Event::Estimate(_) => {}
                Event::Done(info) => file = Some(info),
            }
        }
    }
    let rows = out
        .into_inner()
        .map_err(|error| Error::Io(error.into_error()))?;
    let file = file.ok_or_else(|| Error::Internal("the reader ended early".to_owned()))?;
    let position = match &task.sheet {
        Some(wanted) => {
            let infos: Vec<SheetInfo> = sheets.iter().map(|(info, _, _)| info.clone()).collect();
            summary::by_name(&infos, wanted)?.position
        }
        None => file.default_sheet,
    };
    let (info, from, bytes) = sheets
        .into_iter()
        .find(|(info, _, _)| info.position == position)
        .ok_or_else(|| Error::problem(Code::EmptyFile, sheet::NOTHING))?;
    if info.rows == 0 {
        return Err(Error::problem(
            Code::EmptyFile,
            summary::without_rows(&info),
        ));
    }
    Ok(Stored {
        rows: BufReader::new(rows),
        from,
        bytes,
        info,
        format,
    })
}

fn infer(stored: &mut Stored) -> Result<Template> {
    let mut inference = Inference::new(&stored.info.columns);
    stored.each(|row| inference.observe(&row))?;
    inference.template()
}

/// Checks all rows and writes records and the marked copy; the copy, which takes as long as all the
/// rest, on a thread of its own.
fn check(task: &Flags, stored: &mut Stored, checker: &mut Checker) -> Result<()> {
    let create = |name: &str| {
        let path = task.out.join(name);
        File::create(&path).map_err(|error| cannot_write(&path, error))
    };
    let ndjson = BufWriter::new(create("records.ndjson")?);
    let table = BufWriter::new(create("records.csv")?);
    let mut copy = create("annotated.xlsx")?;
    let info = stored.info.clone();
    let (send, marked) = mpsc::sync_channel::<Vec<Marked>>(2);
    thread::scope(|scope| {
        let copying = thread::Builder::new().spawn_scoped(scope, move || {
            xlsx::without_panic(|| {
                let mut annotated = Annotated::begin(&task.out, &info)?;
                for (row, messages) in marked.into_iter().flatten() {
                    annotated.add(&row, &messages)?;
                }
                annotated.finish(&mut copy)
            })
        })?;
        let checked = write_records(stored, checker, ndjson, table, send);
        let copied = copying
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // Where copying ended first, the checking only found nobody to hand on to.
        copied.and(checked)
    })
}

/// A row and what is wrong with it.
type Marked = (Row, Vec<(Option<usize>, String)>);

/// Checks all rows, writes the good ones and hands all of them on.
fn write_records(
    stored: &mut Stored,
    checker: &mut Checker,
    mut ndjson: impl Write,
    mut table: impl Write,
    marked: SyncSender<Vec<Marked>>,
) -> Result<()> {
    let fields: Vec<Member> = checker
        .members()
        .map(|(name, kind)| Member {
            name: name.to_owned(),
            kind: kind.to_owned(),
        })
        .collect();
    let names = checker.fields();
    let mut buffer = Vec::new();
    csv::begin(&mut buffer, &fields)?;
    let mut progress = Progress::new("Checking");
    let mut batch = Vec::new();
    let hand_on = |batch| marked.send(batch).map_err(|_| Error::Stopped);
    stored.each(|row| {
        progress.one();
        let checked = checker.check(&row)?;
        let settled = checker.settle(checked, &[], false);
        if settled.is_record() {
            let record = names.object(&settled.data)?;
            ndjson.write_all(record.as_bytes())?;
            ndjson.write_all(b"\n")?;
            csv::record(&mut buffer, &fields, &record)?;
            table.write_all(&buffer)?;
            buffer.clear();
        }
        batch.push((row, settled.messages));
        if batch.len() == HANDED_ON {
            hand_on(std::mem::take(&mut batch))?;
        }
        Ok(())
    })?;
    hand_on(batch)?;
    table.write_all(&buffer)?;
    table.flush()?;
    ndjson.flush()?;
    Ok(())
}

/// A line that counts rows, where somebody watches.
struct Progress {
    what: &'static str,
    rows: u64,
    shown: Option<Instant>,
    watched: bool,
}

impl Progress {
    fn new(what: &'static str) -> Progress {
        Progress {
            what,
            rows: 0,
            shown: None,
            watched: std::io::stderr().is_terminal(),
        }
    }

    fn one(&mut self) {
        self.rows += 1;
        if !self.watched || !self.rows.is_multiple_of(1_000) {
            return;
        }
        let now = Instant::now();
        if self
            .shown
            .is_none_or(|shown| now.duration_since(shown).as_millis() >= 100)
        {
            self.shown = Some(now);
            super::out::aside(format_args!("\r{}: {} rows", self.what, self.rows));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown.is_some() {
            super::out::aside(format_args!("\r\x1b[K"));
        }
    }
}
