//! The checking of one sheet, page by page: what each row becomes, by the template and by the
//! office's list. Only reads the database.

use std::sync::mpsc::{Receiver, SyncSender};

use super::lookup::{Candidates, Lookup};
use super::work::REPORT_MEMBER;
use crate::app::App;
use crate::catalog;
use crate::error::{Error, Problem, Result};
use crate::id::UploadNo;
use crate::process::{
    Checked, Checker, Choices, Collision, DateOrders, Outcome, SAMPLE_ROWS, Settled, SourceFacts,
    Template,
};
use crate::repair::{self, Repair};
use crate::sheet::{self, Notice, SheetInfo};
use crate::stop::Stop;
use crate::store::jobs::{self, Claim};
use crate::store::records::{ByKey, Listed};
use crate::store::rows;
use crate::store::uploads::Upload;
use crate::words::{Code, OnDuplicate};

/// Rows checked, and stored, at a time, and fewer where they are wide: so many cells, but at least some rows.
const BATCH_ROWS: u32 = 1_000;
const BATCH_ROWS_MIN: u32 = 20;
const BATCH_CELLS: usize = 200_000;

/// The checking of one sheet.
pub(super) struct Check<'a> {
    app: &'a App,
    claim: &'a Claim,
    upload: &'a Upload,
    sheet: &'a SheetInfo,
    pub checker: Checker,
    /// The template's name; that of the repair workbook, if it is one.
    pub template: String,
    pub repair: Option<Repair>,
    /// What is said of rows to fix that nobody knows.
    strange: Option<Notice>,
    /// A mapping that somebody made with this job.
    pub to_remember: Option<Choices>,
}

/// A row that was checked by itself.
struct Row {
    checked: Checked,
    /// The row that a repaired row was in its own file.
    origin: Option<u32>,
}

/// A row and what became of it.
pub(super) struct Decided {
    pub settled: Settled,
    /// The row that a repaired row was in its own file.
    pub origin: Option<u32>,
    /// The first version of the record that it updates.
    pub replaces: Option<i64>,
}

/// A record of the office's list, and the row's key that it has; without one it is the row itself, put
/// back before.
struct Known {
    key: Option<usize>,
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
    pub(super) fn new(
        app: &'a App,
        claim: &'a Claim,
        upload: &'a Upload,
        sheet: &'a SheetInfo,
        repair: Option<Repair>,
        strange: Option<Notice>,
        stop: &Stop,
    ) -> Result<Check<'a>> {
        let (name, version) = match &repair {
            Some(repair) => (repair.template.clone(), repair.template_version),
            None => (claim.template.clone(), claim.template_version),
        };
        if name != claim.template {
            app.db
                .write(|tx| jobs::use_template(tx, claim, &name, version))?;
        }
        let mut columns = repair::own_columns(sheet);
        columns.extend(repair.iter().flat_map(|repair| repair.beyond.clone()));
        let template = match &repair {
            _ if name != catalog::AUTO => app.db.read(|c| catalog::load(c, &name, version))?,
            Some(repair) => infer(app, repair.source, &repair.source_sheet(&app.db)?, stop)?,
            None => infer(app, upload.no, sheet, stop)?,
        };
        let asked = claim.options.mapping.as_ref().map(ToString::to_string);
        let given = Choices::parse(asked.as_deref())?;
        given.check(&template)?;
        given.check_columns(&sheet.columns)?;
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
            date_orders: DateOrders {
                known: repair
                    .as_ref()
                    .map(|repair| repair.date_orders.clone())
                    .unwrap_or_default(),
                chosen: claim.options.date_order,
            },
            sample,
            notices: strange
                .iter()
                .cloned()
                .chain(repair::own_notices(sheet))
                .collect(),
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
            strange,
        })
    }

    /// Checks all rows and hands them on, a batch at a time; those that are `spent` come back.
    ///
    /// # Errors
    /// A `Problem` where a needed column is missing; `Stopped` where nobody takes the batches any more.
    pub(super) fn run(
        &mut self,
        stop: &Stop,
        lookup: &Lookup,
        batches: &SyncSender<Vec<Decided>>,
        spent: &Receiver<Vec<Decided>>,
    ) -> Result<()> {
        let missing = self.checker.missing_required();
        if !missing.is_empty() {
            let report = self.checker.report(0.0);
            let mut sentence = missing_sentence(&self.checker.labels_of(&missing));
            if let Some(strange) = &self.strange {
                sentence = format!("{} {sentence}", strange.message);
            }
            return Err(Problem::new(Code::MissingColumns, sentence)
                .with(REPORT_MEMBER, serde_json::to_value(&report)?)
                .into());
        }
        let (app, upload, sheet) = (self.app, self.upload, self.sheet);
        if self.checker.needs_observation() {
            each_page(app, upload.no, sheet, stop, |page| self.observe(&page))?;
            self.checker.observed();
        }
        // While a batch is looked up in the list, the next one is checked.
        let mut looked_up: Option<Vec<Row>> = None;
        let settle = |check: &mut Self, rows: Vec<Row>| {
            let batch = check.settle(rows, &lookup.answer()?)?;
            spent.try_iter().for_each(drop);
            batches.send(batch).map_err(|_| Error::Stopped)
        };
        each_page(app, upload.no, sheet, stop, |page| {
            let rows = self.check(&page)?;
            let keys = rows.iter().flat_map(|row| &row.checked.keys);
            lookup.ask(keys.map(|key| key.hash).collect())?;
            match looked_up.replace(rows) {
                Some(rows) => settle(self, rows),
                None => Ok(()),
            }
        })?;
        looked_up.map_or(Ok(()), |rows| settle(self, rows))
    }

    fn observe(&mut self, page: &[sheet::Row]) -> Result<()> {
        page.iter().try_for_each(|row| self.checker.observe(row))
    }

    /// Checks rows by themselves and against the rows before them.
    fn check(&mut self, page: &[sheet::Row]) -> Result<Vec<Row>> {
        let mut rows = Vec::with_capacity(page.len());
        for row in page {
            let (restored, origin) = match &self.repair {
                Some(repair) => {
                    let db = &self.app.db;
                    (repair.restored(db, row)?, repair.origin(db, row)?)
                }
                None => (None, None),
            };
            rows.push(Row {
                checked: self.checker.check(restored.as_ref().unwrap_or(row))?,
                origin,
            });
        }
        Ok(rows)
    }

    /// What becomes of rows beside the records of the list.
    fn settle(&mut self, rows: Vec<Row>, candidates: &Candidates) -> Result<Vec<Decided>> {
        let mut batch = Vec::with_capacity(rows.len());
        let update = self.claim.on_duplicate == OnDuplicate::Update;
        for row in rows {
            let mut known = self.known(&row, candidates)?;
            let Row {
                mut checked,
                origin,
            } = row;
            if update && checked.is_clean() {
                self.look_at_update(&mut checked, &mut known)?;
            }
            let collisions: Vec<Collision> = known.iter().map(Known::collision).collect();
            let mut settled = self.checker.settle(checked, &collisions, update);
            let mut replaces = None;
            if let Some(known) = known.into_iter().next()
                && settled.outcome == Outcome::Updated
            {
                self.checker.merge(&known.listed.data, &mut settled)?;
                replaces = Some(known.listed.first);
            }
            batch.push(Decided {
                settled,
                origin,
                replaces,
            });
        }
        Ok(batch)
    }

    /// Adds the records that the one which the row updates would be like then, by keys of which the file
    /// lacks a column.
    fn look_at_update(&mut self, row: &mut Checked, known: &mut Vec<Known>) -> Result<()> {
        let Some(updated) = known.first() else {
            return Ok(());
        };
        let keys = self.checker.keys_by_update(&updated.listed.data, row)?;
        if keys.is_empty() {
            return Ok(());
        }
        let before = known.len();
        let (checker, template) = (&self.checker, &self.template);
        let first = updated.listed.first;
        let others = self.app.db.read(|c| {
            let mut list = ByKey::new(c, template);
            let mut others = Vec::new();
            for key in &keys {
                for listed in list.find(key.hash)? {
                    if listed.first != first && checker.record_has(key, &listed.data)? {
                        others.push(Known { key: None, listed });
                    }
                }
            }
            Ok(others)
        })?;
        known.extend(others);
        if known.len() == before {
            self.checker.note_update(row, &keys);
        }
        Ok(())
    }

    /// The records of the list that have a row's keys, one for a key; or the one that was made of the same
    /// row when its repair workbook was dropped back before.
    fn known(&self, row: &Row, candidates: &Candidates) -> Result<Vec<Known>> {
        let mut known = Vec::new();
        for key in &row.checked.keys {
            for listed in candidates.get(&key.hash).into_iter().flatten() {
                if self.checker.has_key(key, &listed.data)? {
                    known.push(Known {
                        key: Some(key.number),
                        listed: listed.clone(),
                    });
                    break;
                }
            }
        }
        if let (Some(repair), Some(origin)) = (&self.repair, row.origin)
            && row.checked.is_clean()
            && known.is_empty()
        {
            let before = self
                .app
                .db
                .read(|c| repair.put_back(c, &self.template, origin))?;
            known.extend(before.map(|listed| Known { key: None, listed }));
        }
        Ok(known)
    }
}

fn batch_rows(columns: usize) -> u32 {
    u32::try_from(BATCH_CELLS / columns.max(1))
        .unwrap_or(BATCH_ROWS)
        .clamp(BATCH_ROWS_MIN, BATCH_ROWS)
}

/// Reads the sheet's stored rows, a page at a time.
fn each_page(
    app: &App,
    upload: UploadNo,
    sheet: &SheetInfo,
    stop: &Stop,
    mut act: impl FnMut(Vec<sheet::Row>) -> Result<()>,
) -> Result<()> {
    let at_most = batch_rows(sheet.columns.len());
    let mut after = 0;
    loop {
        stop.check()?;
        let page = app
            .db
            .read(|c| rows::page(c, upload, sheet.position, after, at_most))?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.number;
        act(page)?;
    }
}

fn infer(app: &App, upload: UploadNo, sheet: &SheetInfo, stop: &Stop) -> Result<Template> {
    let mut inference = crate::process::Inference::new(&sheet.columns);
    each_page(app, upload, sheet, stop, |page| {
        page.iter().try_for_each(|row| inference.observe(row))
    })?;
    inference.template()
}

fn missing_sentence(missing: &[&str]) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_of_wide_rows_has_fewer_of_them() {
        assert_eq!(batch_rows(0), 1_000);
        assert_eq!(batch_rows(6), 1_000);
        assert_eq!(batch_rows(1_000), 200);
        assert_eq!(batch_rows(16_384), 20);
    }
}
