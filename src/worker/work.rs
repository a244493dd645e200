//! What a worker does with a job: read the file's rows into the database, check them against the
//! template, and commit records, report and final state together.

use std::time::Duration;

use serde_json::json;

use super::repair::{self, Repair};
use crate::app::App;
use crate::catalog;
use crate::db::Tx;
use crate::error::{Error, Problem, Result};
use crate::intake::{Spool, bytes, rows as intake_rows};
use crate::process::mapping::headers_key;
use crate::process::{
    Checked, Checker, Choices, Collision, Outcome, SAMPLE_ROWS, Settled, SourceFacts, Template,
};
use crate::sheet::{self, Column, SheetInfo};
use crate::stop::Stop;
use crate::store::jobs::{self, Claim, Counts};
use crate::store::records::{self, Listed, NewRecord};
use crate::store::uploads::{self, Status, Upload};
use crate::store::{mappings, rows, sessions};
use crate::turns::Turn;
use crate::words::{Code, OnDuplicate, Phase};

/// Rows checked and stored in one transaction.
const BATCH_ROWS: u32 = 2_000;

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
    super::discard(app, claim.job)?;
    let upload = read(app, claim, stop)?;
    let sheets = app.db.read(|c| uploads::sheets(c, upload.no))?;
    let sheet = choose(claim, &upload, &sheets)?;
    let repair = repair::recognise(app, claim, &upload, &sheets, sheet)?;
    let mut check = Check::new(app, claim, &upload, sheet, repair)?;
    // Until its records are filed: another worker's job would not see them.
    let template = check.template.clone();
    let (_turn, waited) = take_turn(app, claim, &template, stop)?;
    check.run(stop)?;
    let now = app.clock.monotonic();
    let cost = now.saturating_sub(free_since + waited);
    let work_ms = u64::try_from(cost.as_millis()).unwrap_or(u64::MAX);
    check.finish(work_ms, now.saturating_sub(began + waited))?;
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
    let upload = app.db.read(|c| uploads::by_no(c, claim.upload))?;
    if upload.status == Status::Stored {
        return Ok(upload);
    }
    intake_rows::discard(&app.db, upload.no)?;
    let mut spool = Spool::new(&app.settings.spool())?;
    bytes::fetch(&app.db, upload.no, upload.size, &mut spool)?;
    let source = intake_rows::Source {
        path: spool.path(),
        format: upload.format,
        options: &upload.options,
    };
    let found = intake_rows::store(
        &app.db,
        &app.settings,
        &source,
        upload.no,
        stop,
        &mut |tx, progress| {
            jobs::progress(
                tx,
                claim,
                Phase::Reading,
                progress.rows_done,
                progress.rows_total,
            )
        },
        &mut || app.bell.progress(claim.user),
    )?;
    app.db.write(|tx| {
        let rows = found.default_sheet().map(|sheet| sheet.rows);
        jobs::progress(tx, claim, Phase::Validating, 0, rows)?;
        uploads::keep_sheets(tx, upload.no, &found.file, &found.sheets)?;
        uploads::change_status(tx, upload.no, Status::Received, Status::Stored)
    })?;
    app.bell.progress(claim.user);
    app.db.read(|c| uploads::by_no(c, claim.upload))
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

/// The checking of one sheet.
struct Check<'a> {
    app: &'a App,
    claim: &'a Claim,
    upload: &'a Upload,
    sheet: &'a SheetInfo,
    checker: Checker,
    /// The template's name; that of the repair workbook, if it is one.
    template: String,
    repair: Option<Repair>,
    /// A mapping that somebody made with this job.
    to_remember: Option<Choices>,
    rows_done: u64,
    /// The last batch, kept for the transaction that ends the job.
    last: Vec<Decided>,
}

/// A row and what became of it.
struct Decided {
    settled: Settled,
    /// The row that a repaired row was in its own file.
    origin: Option<u32>,
    /// The first version of the record that it updates.
    replaces: Option<i64>,
}

/// A record of the office's list, and the row's key that it has.
struct Known {
    key: usize,
    listed: Listed,
}

impl Known {
    fn collision(&self) -> Collision {
        Collision {
            record_id: self.listed.first,
            data: self.listed.data.clone(),
            file: self.listed.file.clone(),
            row: self.listed.row,
            key: self.key,
        }
    }
}

impl<'a> Check<'a> {
    fn new(
        app: &'a App,
        claim: &'a Claim,
        upload: &'a Upload,
        sheet: &'a SheetInfo,
        repair: Option<Repair>,
    ) -> Result<Check<'a>> {
        let (name, version) = match &repair {
            Some(repair) => (repair.template.clone(), repair.template_version),
            None => (claim.template.clone(), claim.template_version),
        };
        if name != claim.template {
            app.db
                .write(|tx| jobs::use_template(tx, claim, &name, version))?;
        }
        let columns = repair::own_columns(sheet);
        let template = if name == catalog::AUTO {
            infer(app, upload, sheet)?
        } else {
            app.db.read(|c| catalog::load(c, &name, version))?
        };
        let asked = claim.options.mapping.as_ref().map(ToString::to_string);
        let given = Choices::parse(asked.as_deref())?;
        let sample = u32::try_from(SAMPLE_ROWS).unwrap_or(u32::MAX);
        let (remembered, sample) = app.db.read(|c| {
            Ok((
                catalog::remembered(c, &name, &columns)?,
                rows::page(c, upload.no, sheet.position, 0, sample)?,
            ))
        })?;
        let decided = !given.is_empty();
        let choices = match &repair {
            Some(repair) => given.before(repair.choices.clone()),
            None => given.before(remembered),
        };
        let facts = SourceFacts {
            columns,
            header_row: sheet.header_row.unwrap_or(1),
            workbook: sheet::is_workbook(upload.format),
            choices: choices.clone(),
            sample,
        };
        Ok(Check {
            app,
            claim,
            upload,
            sheet,
            checker: Checker::new(&template, facts)?,
            to_remember: (decided && repair.is_none()).then_some(choices),
            template: name,
            repair,
            rows_done: 0,
            last: Vec::new(),
        })
    }

    fn run(&mut self, stop: &Stop) -> Result<()> {
        let missing = self.checker.missing_required();
        if !missing.is_empty() {
            let report = self.checker.report(0.0);
            return Err(
                Problem::new(Code::MissingColumns, missing_sentence(&missing))
                    .with(REPORT_MEMBER, serde_json::to_value(&report)?)
                    .into(),
            );
        }
        if self.checker.needs_observation() {
            self.each_page(stop, Check::observe)?;
            self.checker.observed();
        }
        self.each_page(stop, Check::check)
    }

    fn observe(&mut self, page: Vec<sheet::Row>) -> Result<()> {
        page.iter().try_for_each(|row| self.checker.observe(row))
    }

    fn each_page(
        &mut self,
        stop: &Stop,
        mut act: impl FnMut(&mut Self, Vec<sheet::Row>) -> Result<()>,
    ) -> Result<()> {
        let mut after = 0;
        loop {
            stop.check()?;
            let page = self
                .app
                .db
                .read(|c| rows::page(c, self.upload.no, self.sheet.position, after, BATCH_ROWS))?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = last.number;
            act(self, page)?;
        }
    }

    fn check(&mut self, page: Vec<sheet::Row>) -> Result<()> {
        // The batch before this one is not the last: it can be stored now.
        self.store_last()?;
        let mut checked = Vec::with_capacity(page.len());
        for row in &page {
            let restored = match &self.repair {
                Some(repair) => repair.restored(self.app, row)?,
                None => None,
            };
            checked.push(self.checker.check(restored.as_ref().unwrap_or(row))?);
        }
        let known = self
            .app
            .db
            .read(|c| known(c, &self.template, &self.checker, &checked))?;
        self.rows_done += u64::try_from(page.len()).unwrap_or(0);
        let update = self.claim.on_duplicate == OnDuplicate::Update;
        for ((checked, known), row) in checked.into_iter().zip(known).zip(&page) {
            let origin = match &self.repair {
                Some(repair) => repair.origin(self.app, row)?,
                None => None,
            };
            let collisions: Vec<Collision> = known.iter().map(Known::collision).collect();
            let mut settled = self.checker.settle(checked, &collisions, update);
            let mut replaces = None;
            if let Some(known) = known.into_iter().next()
                && settled.outcome == Outcome::Updated
            {
                settled.data = self.checker.merge(&known.listed.data, &settled.data)?;
                // Keys of columns that the file lacks are those of the record as it was.
                settled.keys = self.checker.record_keys(&settled.data)?;
                replaces = Some(known.listed.first);
            }
            self.last.push(Decided {
                settled,
                origin,
                replaces,
            });
        }
        Ok(())
    }

    fn store_last(&mut self) -> Result<()> {
        if self.last.is_empty() {
            return Ok(());
        }
        let total = Some(self.sheet.rows);
        let batch = std::mem::take(&mut self.last);
        let done = self.rows_done;
        self.app.db.write(|tx| {
            jobs::progress(tx, self.claim, Phase::Validating, done, total)?;
            self.store(tx, &batch)
        })?;
        self.app.bell.progress(self.claim.user);
        Ok(())
    }

    fn store(&self, tx: &Tx<'_>, batch: &[Decided]) -> Result<()> {
        for decided in batch {
            let settled = &decided.settled;
            let job = self.claim.job;
            match settled.outcome {
                Outcome::Valid | Outcome::Updated => {
                    let source = self.repair.as_ref().map(|repair| repair.source);
                    records::insert(
                        tx,
                        job,
                        &self.template,
                        &NewRecord {
                            row: decided.origin.unwrap_or(settled.row),
                            source: source.filter(|_| decided.origin.is_some()),
                            data: &settled.data,
                            changes: settled.changes.as_deref(),
                            replaces: decided.replaces,
                            keys: &settled.keys,
                        },
                    )?;
                }
                Outcome::Duplicate => {
                    records::park(tx, job, settled.row, "duplicate", &settled.problems)?;
                }
                Outcome::Invalid => {
                    records::park(tx, job, settled.row, "invalid", &settled.problems)?;
                }
            }
        }
        Ok(())
    }

    /// The last rows, the report and the final state, all in one transaction.
    fn finish(mut self, work_ms: u64, worked: Duration) -> Result<()> {
        let batch = std::mem::take(&mut self.last);
        let mut report = serde_json::to_value(self.checker.report(worked.as_secs_f64()))?;
        if let (Some(repair), Some(members)) = (&self.repair, report.as_object_mut()) {
            let home = json!({ "job_id": repair.job, "filename": repair.filename });
            members.insert("repairs".to_owned(), home);
        }
        let stats = self.checker.counts();
        let counts = Counts {
            rows: stats.rows,
            valid: stats.valid,
            invalid: stats.invalid,
            duplicates: stats.duplicates,
            updated: stats.updated,
        };
        let text = serde_json::to_string(&report)?;
        self.app.db.write(|tx| {
            jobs::progress(
                tx,
                self.claim,
                Phase::Saving,
                self.rows_done,
                Some(self.sheet.rows),
            )?;
            self.store(tx, &batch)?;
            if let Some(choices) = &self.to_remember {
                remember(tx, self.claim, &self.template, &self.sheet.columns, choices)?;
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

/// For each row, the records of the office's list that have its keys, one for a key.
fn known(
    connection: &rusqlite::Connection,
    template: &str,
    checker: &Checker,
    checked: &[Checked],
) -> Result<Vec<Vec<Known>>> {
    checked
        .iter()
        .map(|row| {
            let mut known = Vec::new();
            for key in &row.keys {
                // A hash only promises: the record's own values decide.
                for listed in records::by_key(connection, template, key.hash)? {
                    if checker.has_key(key, &listed.data)? {
                        let key = key.number;
                        known.push(Known { key, listed });
                        break;
                    }
                }
            }
            Ok(known)
        })
        .collect()
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

fn infer(app: &App, upload: &Upload, sheet: &SheetInfo) -> Result<Template> {
    let mut inference = crate::process::Inference::new(&sheet.columns);
    let mut after = 0;
    loop {
        let page = app
            .db
            .read(|c| rows::page(c, upload.no, sheet.position, after, BATCH_ROWS))?;
        let Some(last) = page.last() else { break };
        after = last.number;
        for row in &page {
            inference.observe(row)?;
        }
    }
    inference.template()
}

fn missing_sentence(missing: &[String]) -> String {
    let names = missing
        .iter()
        .map(|name| format!("\"{name}\""))
        .collect::<Vec<_>>()
        .join(", ");
    if missing.len() == 1 {
        format!("{names} is needed and no column was matched to it.")
    } else {
        format!("{names} are needed and no columns were matched to them.")
    }
}
