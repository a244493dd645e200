//! What a worker does with a job: read the file's rows into the database, check them against the
//! template, and commit records, report and final state together.

use crate::app::App;
use crate::catalog;
use crate::db::Tx;
use crate::error::{Error, Problem, Result};
use crate::intake::{Spool, bytes, rows as intake_rows};
use crate::process::{Checked, Checker, Collision, Outcome, Settled, SourceFacts, Template};
use crate::sheet::{self, SheetInfo};
use crate::stop::Stop;
use crate::store::jobs::{self, Claim, Counts};
use crate::store::records::{self, Listed, NewRecord};
use crate::store::uploads::{self, Status, Upload};
use crate::store::{rows, sessions};
use crate::words::{Code, OnDuplicate, Phase};

/// Rows checked and stored in one transaction.
const BATCH_ROWS: u32 = 2_000;

/// Member of a problem that carries the report of a job that failed for missing columns.
pub(super) const REPORT_MEMBER: &str = "report";

/// Does the job. Its last transaction writes the final state.
///
/// # Errors
/// A `Problem` that is the file's fault; `Stopped` where the job was taken away.
pub(super) fn work(app: &App, claim: &Claim, stop: &Stop) -> Result<()> {
    let began = app.clock.monotonic();
    // What an attempt that died left behind.
    while !app
        .db
        .write(|tx| records::discard_step(tx, claim.job, 2_000))?
    {}
    let upload = read(app, claim, stop)?;
    let sheets = app.db.read(|c| uploads::sheets(c, upload.no))?;
    let sheet = choose(claim, &upload, &sheets)?;
    let mut check = Check::new(app, claim, &upload, sheet)?;
    check.run(stop)?;
    let work_ms =
        u64::try_from(app.clock.monotonic().saturating_sub(began).as_millis()).unwrap_or(u64::MAX);
    check.finish(work_ms)
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
            match &sheet.name {
                Some(name) => format!("Sheet \"{name}\" has headers but no rows."),
                None => "The file has headers but no rows.".to_owned(),
            },
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
    rows_done: u64,
    /// The last batch, kept for the transaction that ends the job.
    last: Vec<Decided>,
}

/// A row and what became of it.
struct Decided {
    settled: Settled,
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
    ) -> Result<Check<'a>> {
        let template = if claim.template == catalog::AUTO {
            infer(app, upload, sheet)?
        } else {
            app.db
                .read(|c| catalog::load(c, &claim.template, claim.template_version))?
        };
        let facts = SourceFacts {
            columns: sheet.columns.clone(),
            header_row: sheet.header_row.unwrap_or(1),
            workbook: sheet::is_workbook(upload.format),
            mapping: None,
        };
        Ok(Check {
            app,
            claim,
            upload,
            sheet,
            checker: Checker::new(&template, facts),
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
        self.each_page(stop, Check::check)
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
            checked.push(self.checker.check(row)?);
        }
        let known = self
            .app
            .db
            .read(|c| known(c, &self.claim.template, &self.checker, &checked))?;
        self.rows_done += u64::try_from(page.len()).unwrap_or(0);
        let update = self.claim.on_duplicate == OnDuplicate::Update;
        for (checked, known) in checked.into_iter().zip(known) {
            let collisions: Vec<Collision> = known.iter().map(Known::collision).collect();
            let mut settled = self.checker.settle(checked, &collisions, update);
            let mut replaces = None;
            if let Some(known) = known.into_iter().next()
                && settled.outcome == Outcome::Updated
            {
                settled.data = self.checker.merge(&known.listed.data, &settled.data)?;
                replaces = Some(known.listed.first);
            }
            self.last.push(Decided { settled, replaces });
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
            store(tx, self.claim, &batch)
        })?;
        self.app.bell.progress(self.claim.user);
        Ok(())
    }

    /// The last rows, the report and the final state, all in one transaction.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a job")]
    fn finish(mut self, work_ms: u64) -> Result<()> {
        let batch = std::mem::take(&mut self.last);
        let report = self.checker.report(work_ms as f64 / 1_000.0);
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
            store(tx, self.claim, &batch)?;
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

fn store(tx: &Tx<'_>, claim: &Claim, batch: &[Decided]) -> Result<()> {
    for decided in batch {
        let settled = &decided.settled;
        match settled.outcome {
            Outcome::Valid | Outcome::Updated => {
                let keys: Vec<i64> = settled.keys.iter().map(|key| key.hash).collect();
                records::insert(
                    tx,
                    claim.job,
                    &claim.template,
                    &NewRecord {
                        row: settled.row,
                        data: &settled.data,
                        changes: settled.changes.as_deref(),
                        replaces: decided.replaces,
                        keys: &keys,
                    },
                )?;
            }
            Outcome::Duplicate => {
                records::park(tx, claim.job, settled.row, "duplicate", &settled.problems)?;
            }
            Outcome::Invalid => {
                records::park(tx, claim.job, settled.row, "invalid", &settled.problems)?;
            }
        }
    }
    Ok(())
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
