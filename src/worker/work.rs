//! What a worker does with a job: read the file's rows into the database, check them against the
//! template, and commit records, report and final state together.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::check::{Check, Decided};
use super::lookup::Lookup;
use super::{leftovers, reading, rekey};
use crate::app::App;
use crate::db::Tx;
use crate::db::pace::Pace;
use crate::error::{Error, Result};
use crate::faults;
use crate::id::UploadNo;
use crate::process::mapping::headers_key;
use crate::process::{Choices, Outcome};
use crate::repair;
use crate::sheet::{self, Column, SheetInfo};
use crate::stop::Stop;
use crate::store::filing::{Filer, NewKeys, NewRecord};
use crate::store::jobs::{self, Claim, Counts};
use crate::store::uploads::{self, Status, Upload};
use crate::store::{fields, mappings, rows, sessions};
use crate::turns::Turn;
use crate::words::{Code, Phase};

/// How long rows are filed in one transaction; their keys and the commit take about as long again.
/// Nobody else writes meanwhile.
const FILE_FOR: Duration = Duration::from_millis(10);

/// Rows filed however long they take, and before the clock is looked at again.
const ROWS_AT_LEAST: usize = 200;

/// Keys of records that are kept for the index at a time: 4 MiB.
const KEYS_AT_MOST: usize = 1 << 18;

/// Keys in the first transaction that files some; the next ones go by what it took.
const KEYS_FIRST: u32 = 1_000;

/// How often its user is told how far a job is.
const TELL_EVERY: Duration = Duration::from_millis(100);

/// Member of a problem that carries the report of a job that failed for missing columns.
pub(super) const REPORT_MEMBER: &str = "report";

/// Does the job. Its last transaction writes the final state. `free_since`: when the worker had nothing
/// else to do any more; the job's cost, from which the waiting times of others are told, counts from
/// then. Returns the (monotonic) moment that it counts to.
///
/// # Errors
/// A `Problem` that is the file's fault; `Stopped` where the job was taken away.
pub(super) fn work(
    app: &App,
    claim: &Claim,
    stop: &Stop,
    free_since: Duration,
) -> Result<Duration> {
    let began = app.clock.monotonic();
    // What an attempt that died left behind.
    leftovers::remove(app, claim.job, stop)?;
    let upload = read(app, claim, stop)?;
    let sheets = app.db.read(|c| uploads::sheets(c, upload.no))?;
    let sheet = choose(claim, &upload, &sheets)?;
    let repair = match repair::home(&sheets) {
        // The only sheet with a row.
        Some(home) if home.position == sheet.position => {
            return Err(Error::problem(
                Code::EmptyFile,
                "There are no rows to fix in this workbook: nothing is left to do.",
            ));
        }
        Some(home) => {
            let most = repair::HOME_ROWS_MAX;
            let lines = app
                .db
                .read(|c| rows::page(c, upload.no, home.position, 0, most))?;
            repair::recognise(&app.db, claim.user, home, &lines, sheet)?
        }
        None => None,
    };
    let strange = match &repair {
        Some(repair) => repair.without_file(),
        None => repair::not_recognised(&sheets, sheet),
    };
    let mut check = Check::new(app, claim, &upload, sheet, repair, strange, stop)?;
    // Until its records are filed: another worker's job would not see them.
    let template = check.template.clone();
    let (_turn, waited) = take_turn(app, claim, &template, stop)?;
    rekey::see_to_it(app, claim, &template, &check.checker, stop)?;
    let fields: Vec<String> = check
        .checker
        .members()
        .map(|(name, _)| name.to_owned())
        .collect();
    let mut filing = Filing {
        app,
        claim,
        template: &template,
        fields: &fields,
        source: check.repair.as_ref().map(|repair| repair.source),
        rows_done: 0,
        rows_total: sheet.rows,
        told: None,
        last: Vec::new(),
        keys: NewKeys::default(),
    };
    filing.run(&mut check, stop)?;
    let now = app.clock.monotonic();
    let cost = now.saturating_sub(free_since + waited);
    let work_ms = u64::try_from(cost.as_millis()).unwrap_or(u64::MAX);
    let worked = now.saturating_sub(began + waited);
    filing.finish(&check, &sheet.columns, work_ms, worked)?;
    Ok(now)
}

/// Waits for the list, and how long that took. It does not count as processing: neither for the time
/// that a job may take nor for what the next ones are told.
fn take_turn<'a>(
    app: &'a App,
    claim: &Claim,
    list: &str,
    stop: &Stop,
) -> Result<(Turn<'a>, Duration)> {
    let before = app.clock.monotonic();
    let news = || app.bell.progress(claim.user);
    let turn = app.turns.take(list, claim.job, stop, news)?;
    let waited = app.clock.monotonic().saturating_sub(before);
    app.runs.waited(claim.job, waited);
    Ok((turn, waited))
}

/// Sees to it that the file's rows are in the database.
fn read(app: &App, claim: &Claim, stop: &Stop) -> Result<Upload> {
    let look = || app.db.read(|c| uploads::by_no(c, claim.upload));
    let upload = look()?;
    if upload.status == Status::Stored {
        return Ok(upload);
    }
    let _turn = reading::take_turn(app, upload.no, claim.job, stop)?;
    let upload = look()?;
    if upload.status == Status::Stored {
        return Ok(upload);
    }
    reading::read(
        app,
        &upload,
        stop,
        &mut |tx, phase, progress| {
            jobs::progress(tx, claim, phase, progress.rows_done, progress.rows_total)
        },
        &mut || app.bell.progress(claim.user),
    )?;
    look()
}

/// The sheet to process.
fn choose<'a>(claim: &Claim, upload: &Upload, sheets: &'a [SheetInfo]) -> Result<&'a SheetInfo> {
    let sheet = match &claim.options.sheet {
        Some(wanted) => sheet::summary::by_name(sheets, wanted)?,
        None => sheets
            .iter()
            .find(|sheet| Some(sheet.position) == upload.default_sheet)
            .ok_or_else(|| Error::problem(Code::EmptyFile, "No sheet of the file has any data."))?,
    };
    if sheet.rows == 0 {
        return Err(Error::problem(
            Code::EmptyFile,
            sheet::summary::without_rows(sheet),
        ));
    }
    Ok(sheet)
}

/// The filing of what became of the rows.
struct Filing<'a> {
    app: &'a App,
    claim: &'a Claim,
    template: &'a str,
    /// Those of its records.
    fields: &'a [String],
    /// The file that repaired rows are from.
    source: Option<UploadNo>,
    rows_done: u64,
    rows_total: u64,
    /// When the user was told last.
    told: Option<Duration>,
    /// The last batch, kept for the transaction that ends the job.
    last: Vec<Decided>,
    keys: NewKeys,
}

impl Filing<'_> {
    /// Checks and files all rows but those of the last batch: while a batch is written to the disk, a
    /// second thread checks the next ones, and a third looks them up in the list.
    fn run(&mut self, check: &mut Check<'_>, stop: &Stop) -> Result<()> {
        let (send, batches) = mpsc::sync_channel(1);
        let (give_back, spent) = mpsc::channel();
        faults::file()?;
        let (db, list) = (&self.app.db, self.template);
        thread::scope(|scope| {
            let lookup = Lookup::begin(scope, db, list)?;
            let checking = thread::Builder::new()
                .name("check".to_owned())
                .spawn_scoped(scope, move || check.run(stop, &lookup, &send, &spent))?;
            let filed = self.file_all(batches, &give_back);
            let checked = checking
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            // Where filing ended first, the checking was only told to stop.
            filed.and(checked)
        })
    }

    /// What is filed goes back to the thread that made it: where this one gave its memory back, row by row, the
    /// two would wait for each other.
    fn file_all(
        &mut self,
        batches: Receiver<Vec<Decided>>,
        give_back: &Sender<Vec<Decided>>,
    ) -> Result<()> {
        for batch in batches {
            let rows = self.rows_done + u64::try_from(batch.len()).unwrap_or(0);
            let now = if rows < self.rows_total {
                batch
            } else {
                std::mem::replace(&mut self.last, batch)
            };
            self.file_but(&now, 0)?;
            // Where all rows are checked, there is nobody to take it.
            let _ = give_back.send(now);
        }
        Ok(())
    }

    /// Files rows, a transaction after another, until at most `left` of them are left; those are
    /// returned.
    fn file_but<'r>(&mut self, rows: &'r [Decided], left: usize) -> Result<&'r [Decided]> {
        let mut rest = rows;
        while rest.len() > left {
            let mut keys = std::mem::take(&mut self.keys);
            let filed = self.app.db.write_ahead(|tx| {
                let until = self.app.clock.monotonic() + FILE_FOR;
                let filed = self.file(tx, rest, until, &mut keys)?;
                self.progress(tx, Phase::Validating, filed)?;
                Ok(filed)
            })?;
            self.keys = keys;
            self.rows_done += u64::try_from(filed).unwrap_or(0);
            rest = rest.get(filed..).unwrap_or_default();
            self.tell();
            if self.keys.len() >= KEYS_AT_MOST {
                self.file_keys(Phase::Validating)?;
            }
        }
        Ok(rest)
    }

    fn tell(&mut self) {
        let now = self.app.clock.monotonic();
        if self
            .told
            .is_none_or(|told| now.saturating_sub(told) >= TELL_EVERY)
        {
            self.told = Some(now);
            self.app.bell.progress(self.claim.user);
        }
    }

    /// Files the keys of the records that are filed, a transaction after another.
    fn file_keys(&mut self, phase: Phase) -> Result<()> {
        self.keys.sort();
        let mut pace = Pace::from(KEYS_FIRST);
        while !self.keys.is_empty() {
            let filed = self.app.db.step(&mut pace, |tx, at_most| {
                self.progress(tx, phase, 0)?;
                self.keys.file(tx, at_most)
            })?;
            self.keys.filed(filed);
        }
        Ok(())
    }

    fn progress(&self, tx: &Tx<'_>, phase: Phase, filed: usize) -> Result<()> {
        let done = self.rows_done + u64::try_from(filed).unwrap_or(0);
        jobs::progress(tx, self.claim, phase, done, Some(self.rows_total))
    }

    /// Files rows until that time is over; says how many.
    fn file(
        &self,
        tx: &Tx<'_>,
        rows: &[Decided],
        until: Duration,
        keys: &mut NewKeys,
    ) -> Result<usize> {
        if self.rows_done == 0 {
            fields::write(tx, self.claim.job, self.fields.iter().map(String::as_str))?;
        }
        let mut filer = Filer::begin(tx, self.claim.job, keys)?;
        let mut filed = 0;
        for some in rows.chunks(ROWS_AT_LEAST) {
            for decided in some {
                self.file_one(&mut filer, decided)?;
            }
            filed += some.len();
            if self.app.clock.monotonic() >= until {
                break;
            }
        }
        filer.end()?;
        Ok(filed)
    }

    fn file_one<'r>(&self, filer: &mut Filer<'_, 'r>, decided: &'r Decided) -> Result<()> {
        let settled = &decided.settled;
        match settled.outcome {
            Outcome::Valid | Outcome::Updated => filer.insert(NewRecord {
                row: decided.origin.unwrap_or(settled.row),
                source: self.source.filter(|_| decided.origin.is_some()),
                data: &settled.data,
                changes: settled.changes.as_deref(),
                replaces: decided.replaces,
                keys: &settled.keys,
            }),
            Outcome::Unchanged => Ok(()),
            Outcome::Duplicate => filer.park(settled.row, "duplicate", &settled.problems),
            Outcome::Invalid => filer.park(settled.row, "invalid", &settled.problems),
        }
    }

    /// The last rows, the report and the final state, all in one transaction.
    fn finish(
        mut self,
        check: &Check<'_>,
        columns: &[Column],
        work_ms: u64,
        worked: Duration,
    ) -> Result<()> {
        let batch = std::mem::take(&mut self.last);
        let batch = self.file_but(&batch, ROWS_AT_LEAST)?;
        self.file_keys(Phase::Saving)?;
        let mut report = check.checker.report(worked.as_secs_f64());
        if let Some(repair) = &check.repair {
            let home = json!({ "job_id": repair.job, "filename": repair.filename });
            report = report.repairing(home);
        }
        let stats = check.checker.counts();
        let counts = Counts {
            rows: stats.rows,
            valid: stats.valid,
            invalid: stats.invalid,
            duplicates: stats.duplicates,
            updated: stats.updated,
            unchanged: stats.unchanged,
        };
        let text = serde_json::to_string(&report)?;
        self.app.db.write(|tx| {
            self.progress(tx, Phase::Saving, batch.len())?;
            let mut keys = NewKeys::default();
            self.file(tx, batch, Duration::MAX, &mut keys)?;
            keys.sort();
            keys.file(tx, u32::MAX)?;
            if let Some(choices) = &check.to_remember {
                remember(tx, self.claim, self.template, columns, choices)?;
            }
            jobs::complete(tx, self.claim, &counts, &text, work_ms)?;
            sessions::extend_for_user(
                tx,
                self.claim.user,
                tx.now.plus(self.app.settings.session_ttl),
            )
        })?;
        Ok(())
    }
}

/// The next file with these headers goes the same way.
fn remember(
    tx: &Tx<'_>,
    claim: &Claim,
    template: &str,
    columns: &[Column],
    choices: &Choices,
) -> Result<()> {
    let headers: Vec<&str> = columns
        .iter()
        .filter_map(|column| column.label.as_deref())
        .collect();
    mappings::remember(
        tx,
        template,
        &headers_key(columns),
        &serde_json::to_string(&headers)?,
        &choices.to_json().to_string(),
        &claim.username,
    )
}
