//! Undoing an import as one act: what it inserted goes, what it updated is again what it was, and what can't
//! come back is said.

use std::sync::atomic::Ordering;

use rouille::Response;
use serde_json::json;

use super::jobs::find;
use crate::catalog;
use crate::db::Tx;
use crate::error::{Error, Problem, Result};
use crate::http::call::Call;
use crate::http::reply;
use crate::id::JobId;
use crate::logged::word;
use crate::process;
use crate::report::jobs as job_report;
use crate::store::audit::{self, Action};
use crate::store::jobs::{self, Job};
use crate::store::records::{self, Listed, Version};
use crate::store::undoing::{self, Look};
use crate::turns::Turn;
use crate::words::{Code, State};

/// Records looked at in one read.
const PAGE: u32 = 1_000;

/// Versions marked in one transaction.
const MARKS: usize = 500;

pub(super) fn undo(call: &mut Call<'_, '_>) -> Result<Response> {
    let job = undoable(call)?;
    let actor = call.actor()?;
    let by = call.caller()?.user.username.clone();
    // A job that checks against the list meanwhile must not miss what comes back. What only goes is in
    // nobody's way.
    let puts_back = job.counts.is_some_and(|counts| counts.updated > 0);
    let mut turn = if puts_back {
        Some(take_turn(call, &job)?)
    } else {
        None
    };
    let commit = |tx: &Tx<'_>, look: &Look| {
        if !look.holds(tx)? {
            return Ok(false);
        }
        audit::note(tx, &actor, Action::JobUndone, Some(&job.named()))?;
        jobs::undo(tx, job.id, &by)?;
        Ok(true)
    };
    let look = loop {
        // Somebody else may have undone it while this waited.
        let look = look(call, &undoable(call)?)?;
        // What had stayed from another import comes back with this one, or goes with it.
        if turn.is_none() && (look.restored > 0 || look.releases()) {
            turn = Some(take_turn(call, &job)?);
            continue;
        }
        mark(call, &look)?;
        if call.app.db.write(|tx| commit(tx, &look))? {
            break look;
        }
        // Now without anybody in between.
        if turn.is_none() {
            turn = Some(take_turn(call, &job)?);
        }
    };
    log::info!("user={} job={} undone", word(&by), job.id);
    let message = message(call, &look)?;
    drop(turn);
    call.app.leftovers.store(true, Ordering::Relaxed);
    call.app.bell.news();
    answer(call, job.id, &look, &message)
}

/// The job in the path, where it can be undone.
fn undoable(call: &Call<'_, '_>) -> Result<Job> {
    let job = find(call)?;
    if job.status == State::Completed && job.undone_at.is_none() {
        Ok(job)
    } else {
        Err(jobs::not_undoable())
    }
}

fn take_turn<'a>(call: &Call<'a, '_>, job: &Job) -> Result<Turn<'a>> {
    let app = call.app;
    let turn = app
        .turns
        .take_within(&job.template, app.settings.undo_wait, &app.shutdown)?;
    turn.ok_or_else(|| {
        Problem::new(
            Code::Busy,
            "Another import into the same list is at work. Undo this one when that has ended.",
        )
        .with("retry_after", 10)
        .into()
    })
}

/// In short reads: a million records are not looked at while the write-ahead log can't be reset.
fn look(call: &Call<'_, '_>, job: &Job) -> Result<Look> {
    let db = &call.app.db;
    let mut look = db.read(|c| Look::begin(c, job.id, &job.template))?;
    while !db.read(|c| look.page(c, PAGE))? {
        call.app.shutdown.check()?;
    }
    while look.has_stuck() && !db.read(|c| look.put_back_more(c))? {}
    Ok(look)
}

/// Before the job is undone, and while it is not without any effect: so all that has to be written at
/// once is the job.
fn mark(call: &Call<'_, '_>, look: &Look) -> Result<()> {
    let marks = look.marks();
    let db = &call.app.db;
    for (versions, kept) in [(marks.keep, true), (marks.no_more, false)] {
        for some in versions.chunks(MARKS) {
            db.write(|tx| undoing::mark(tx, some, kept))?;
        }
    }
    for (versions, with) in [(marks.go, Some(look.job())), (marks.stay, None)] {
        for some in versions.chunks(MARKS) {
            db.write(|tx| undoing::let_go(tx, some, with))?;
        }
    }
    Ok(())
}

/// What became of the list.
fn message(call: &Call<'_, '_>, look: &Look) -> Result<String> {
    let mut message = format!(
        "The import was undone: {} taken out of the list, {}.",
        look.removed,
        match look.restored {
            1 => "1 put back as it was".to_owned(),
            restored => format!("{restored} put back as they were"),
        }
    );
    message.push_str(&match look.changed_later {
        0 => String::new(),
        1 => " 1 was changed by a later import and stays as that one left it.".to_owned(),
        later => {
            format!(" {later} were changed by a later import and stay as that one left them.")
        }
    });
    if look.settled > 0 {
        message.push_str(&format!(
            " {} of these had stayed in the list when another import was undone.",
            look.settled
        ));
    }
    let stuck = look.blocked();
    if stuck > 0 {
        message.push_str(&format!(" {stuck} could not be put back, because "));
        if stuck > 1 {
            message.push_str("other records have their keys now. The first: ");
        }
        message.push_str(&why(call, look)?);
    }
    Ok(message)
}

/// "its u is now that of row 2 of c.csv: id 1 stays as it is."
fn why(call: &Call<'_, '_>, look: &Look) -> Result<String> {
    let unknown = "another record has its key now: it stays as it is.".to_owned();
    let Some((stuck, hashes)) = look.first_stuck() else {
        return Ok(unknown);
    };
    call.app.db.read(|c| {
        let mut list = records::ByKey::new(c, look.list());
        let mut taker: Option<(i64, Listed)> = None;
        for hash in hashes {
            if let Some(found) = list.find(*hash)?.into_iter().next() {
                taker = Some((*hash, found));
                break;
            }
        }
        let (Some((hash, taker)), Some(older), Some(now)) = (
            taker,
            records::version(c, stuck.older)?,
            records::version(c, stuck.version)?,
        ) else {
            return Ok(unknown);
        };
        // Keys are named as the template named them that the version was filed under.
        let key = match template(c, &older)? {
            Some(template) => process::key_label(&template, &older.data, hash)?,
            None => None,
        };
        let name = match template(c, &now)? {
            Some(template) => process::record_label(&template, &now.data)?,
            None => None,
        };
        Ok(format!(
            "its {} is now that of row {} of {}: {} stays as it is.",
            key.as_deref().unwrap_or("key"),
            taker.row,
            taker.file,
            name.as_deref().unwrap_or("it"),
        ))
    })
}

/// The template that a version was filed under; none where it can't be had any more.
fn template(
    connection: &rusqlite::Connection,
    version: &Version,
) -> Result<Option<process::Template>> {
    match catalog::load(connection, &version.template, version.template_version) {
        Ok(template) => Ok(Some(template)),
        Err(Error::Problem(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn answer(call: &Call<'_, '_>, id: JobId, look: &Look, message: &str) -> Result<Response> {
    let job = call.app.db.read(|c| match jobs::by_id(c, id)? {
        Some(job) => job_report::whole(c, &job, &call.app.turns),
        None => Err(Error::not_found()),
    })?;
    Ok(reply::json(
        200,
        &json!({
            "success": true,
            "job": job,
            "message": message,
            "removed": look.removed,
            "restored": look.restored,
            "kept": look.kept(),
        }),
    ))
}
