//! A template's new version may tell records apart by other keys than those by which the list's records
//! are found: then they get the new ones before the first job with that version looks for them.

use crate::app::App;
use crate::db::pace::Pace;
use crate::error::Result;
use crate::process::{Checker, key_form};
use crate::stop::Stop;
use crate::store::jobs::{self, Claim};
use crate::store::list_keys;
use crate::store::records::{self, OfJob};
use crate::words::Phase;

/// Records read at a time.
const PAGE: u32 = 1_000;

/// Sees to it that the records of the list are found by the keys of this template. Whoever calls has the
/// list's turn. What is cut off is begun anew by the next job.
///
/// # Errors
/// `Stopped`; `Internal` where a record is damaged.
pub(super) fn see_to_it(
    app: &App,
    claim: &Claim,
    list: &str,
    checker: &Checker,
    stop: &Stop,
) -> Result<()> {
    let form = key_form(checker.template());
    if app.db.read(|c| list_keys::form(c, list))?.as_ref() == Some(&form) {
        return Ok(());
    }
    let jobs = app.db.read(|c| list_keys::jobs(c, list))?;
    // Without keys nothing is looked for.
    if !form.is_empty() && !jobs.is_empty() {
        app.db
            .write_ahead(|tx| list_keys::set_form(tx, list, None))?;
        let mut pace = Pace::new();
        for job in jobs {
            let mut after = 0;
            loop {
                stop.check()?;
                let page = app.db.read(|c| records::of_job(c, job, after, PAGE))?;
                let Some(last) = page.last() else { break };
                after = last.id;
                change(app, claim, checker, &page, &mut pace)?;
            }
        }
    }
    app.db
        .write_ahead(|tx| list_keys::set_form(tx, list, Some(&form)))
}

fn change(
    app: &App,
    claim: &Claim,
    checker: &Checker,
    page: &[OfJob],
    pace: &mut Pace,
) -> Result<()> {
    let mut keyed = Vec::with_capacity(page.len());
    for record in page {
        keyed.push((record, checker.record_keys(&record.data)?));
    }
    let mut rest = keyed.as_slice();
    while !rest.is_empty() {
        let done = app.db.step(pace, |tx, rows| {
            jobs::progress(tx, claim, Phase::Validating, 0, None)?;
            let rows = usize::try_from(rows).unwrap_or(usize::MAX);
            let some = rest.get(..rows).unwrap_or(rest);
            for (record, keys) in some {
                list_keys::change(tx, record, keys)?;
            }
            Ok(some.len())
        })?;
        rest = rest.get(done..).unwrap_or_default();
    }
    Ok(())
}
