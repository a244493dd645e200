//! The worker: one step, `run_next`, and the loop around it. Claim, work and finish are separate
//! transactions; the work itself is in none.

pub mod ahead;
mod check;
pub mod leftovers;
mod lookup;
pub mod order;
mod reading;
mod rekey;
mod work;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crate::app::App;
use crate::error::{Error, Result};
use crate::id::JobId;
use crate::logged::word;
use crate::runs::Run;
use crate::stop::{Reason, Stop};
use crate::store::jobs::{self, ATTEMPTS_MAX, Claim, Failure};
use crate::store::{fields, sessions};
use crate::words::{Code, State};

/// How long a worker sleeps before it looks by itself, in case a ring was lost.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// How long it waits at most while the database can't be used or the disk is full.
const TROUBLE_WAIT_MAX: Duration = Duration::from_secs(5);

/// How long it waits at most after a job was put back: each try is a state change that history keeps.
const PUT_BACK_WAIT_MAX: Duration = Duration::from_secs(30);

/// What niceness jobs have more than the answering of requests: about a third of its weight where there is not
/// enough processor for both.
#[cfg(target_os = "linux")]
const NICE: i32 = 5;

/// What a step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ran {
    /// Nothing was waiting.
    Nothing,
    /// This job was worked on and is now in this state.
    Job(JobId, State),
    /// This job's claim was lost to somebody else's decision (timeout).
    Lost(JobId),
}

/// Runs until the bell is closed.
pub fn run(app: &App) {
    let _alive = app.pulse.worker();
    give_way();
    let mut trouble = Trouble::new(app);
    // When the last job's cost ended to be counted, where the next one follows at once.
    let mut busy_until = None;
    while !app.bell.is_closed() {
        app.pulse.beat(app.clock.monotonic());
        let seen = app.bell.work_seen();
        let began = app.clock.monotonic();
        let free_since = busy_until.take().unwrap_or(began);
        let step = AssertUnwindSafe(|| step(app, free_since, &mut busy_until));
        match catch_unwind(step) {
            Ok(Ok(Ran::Nothing)) => match leftovers::when_idle(app) {
                Ok(true) => {}
                Ok(false) => app.bell.wait_for_work(seen, LOOK_EVERY),
                Err(error) => {
                    log::warn!("what ended jobs left can't be removed yet: {error}");
                    app.bell.wait_for_work(seen, LOOK_EVERY);
                }
            },
            // Put back: the same trouble would be met again at once.
            Ok(Ok(Ran::Job(_, State::Pending))) => trouble.wait(PUT_BACK_WAIT_MAX),
            Ok(Ok(Ran::Job(..) | Ran::Lost(_))) => {
                trouble.is_over();
                let took = app.clock.monotonic().saturating_sub(began);
                if let Err(error) = leftovers::after_job(app, took) {
                    log::warn!("what ended jobs left can't be removed yet: {error}");
                }
            }
            Ok(Err(error)) => {
                log::warn!("the worker waits for the database: {error}");
                trouble.wait(TROUBLE_WAIT_MAX);
            }
            Err(_) => {
                log::error!("the worker panicked and goes on");
                trouble.wait(TROUBLE_WAIT_MAX);
            }
        }
    }
}

/// From now on this thread, and what it starts, gives way to whoever waits for an answer.
fn give_way() {
    // Elsewhere it would be the whole program that does. Where it can't be had, all are equal as before.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(NICE);
}

/// How long the worker waits when the disk is full or the database can't be used: longer each time
/// in a row.
struct Trouble<'a> {
    app: &'a App,
    next: Duration,
}

impl Trouble<'_> {
    fn new(app: &App) -> Trouble<'_> {
        Trouble {
            app,
            next: app.settings.trouble_wait,
        }
    }

    fn wait(&mut self, at_most: Duration) {
        self.app.bell.wait_for_close(self.next.min(at_most));
        self.next = (self.next * 2).min(PUT_BACK_WAIT_MAX);
    }

    fn is_over(&mut self) {
        self.next = self.app.settings.trouble_wait;
    }
}

/// Takes the oldest pending job, does it and ends it.
///
/// # Errors
/// What the database said where not even the end of the job could be written; the job is then
/// still in state `processing` and the scheduler puts it back.
pub fn run_next(app: &App) -> Result<Ran> {
    step(app, app.clock.monotonic(), &mut None)
}

fn step(app: &App, free_since: Duration, busy_until: &mut Option<Duration>) -> Result<Ran> {
    order::see_to_it(app)?;
    // A look without the writer's lock first: most looks find nothing.
    if !app.db.read(jobs::any_pending)? {
        return Ok(Ran::Nothing);
    }
    find_room(app)?;
    // Nobody was promised a beginning: after a power cut the job may wait again, as if it had not begun.
    let Some(claim) = app.db.write_ahead(jobs::claim)? else {
        return Ok(Ran::Nothing);
    };
    let stop = Stop::new();
    app.runs.begin(Run {
        job: claim.job,
        attempt: claim.attempt,
        since: app.clock.monotonic(),
        held_before: app.db.held_by_others(),
        over: false,
        stop: stop.clone(),
    });
    let _run = EndOfRun {
        app,
        job: claim.job,
    };
    heed_what_came_before(app, &claim, &stop);
    app.bell.news();
    log::info!(
        "user={} job={} attempt={} begins",
        word(&claim.username),
        claim.job,
        claim.attempt
    );
    let began = app.clock.monotonic();
    let worked = catch_unwind(AssertUnwindSafe(|| {
        work::work(app, &claim, &stop, free_since)
    }))
    .unwrap_or_else(|_| Err(Error::Internal("panic while working".to_owned())))
    .map(|until| *busy_until = Some(until));
    let ran = end(app, &claim, &stop, worked)?;
    let took = app.clock.monotonic().saturating_sub(began);
    count(app, claim.job, took);
    let ms = took.as_millis();
    match ran {
        Ran::Job(job, state) => log::info!(
            "user={} job={job} {} after {ms} ms",
            word(&claim.username),
            state.as_str()
        ),
        Ran::Lost(job) => log::warn!("user={} job={job} was taken away", word(&claim.username)),
        Ran::Nothing => {}
    }
    app.bell.news();
    Ok(ran)
}

/// No job is begun, and no history of beginnings is written, while there is no room for its work.
fn find_room(app: &App) -> Result<()> {
    if app.db.room().is_full() {
        app.db.probe()?;
    }
    if app.db.has_room_for_job() {
        Ok(())
    } else {
        Err(Error::problem(
            Code::DiskFull,
            "no more room than when the last job found too little",
        ))
    }
}

/// Counts an ended job for monitoring; one that can't be looked up now is not counted.
fn count(app: &App, job: JobId, took: Duration) {
    let Ok(Some(job)) = app.db.read(|c| jobs::by_id(c, job)) else {
        return;
    };
    if job.status.is_active() {
        return;
    }
    let waited = job
        .started_at
        .map_or(Duration::ZERO, |started| started.since(job.queued_at));
    let rows = job.counts.map_or_else(Vec::new, |counts| {
        vec![
            ("valid", counts.valid),
            ("invalid", counts.invalid),
            ("duplicate", counts.duplicates),
            ("updated", counts.updated),
        ]
    });
    app.metrics
        .job_ended(job.status.as_str(), waited, took, &rows);
}

/// Takes the run off the list however the step ends.
struct EndOfRun<'a> {
    app: &'a App,
    job: JobId,
}

impl Drop for EndOfRun<'_> {
    fn drop(&mut self) {
        self.app.runs.end(self.job);
    }
}

/// A cancel or a shutdown may have come between the claim and the entry in the list of runs.
fn heed_what_came_before(app: &App, claim: &Claim, stop: &Stop) {
    if app.bell.is_closed() {
        stop.ask(Reason::Shutdown);
    }
    // Where the database can't be read now, the work will find out by itself.
    if let Ok(Some(job)) = app.db.read(|c| jobs::by_id(c, claim.job))
        && job.cancel_asked_at.is_some()
    {
        stop.ask(Reason::Cancelled);
    }
}

/// Writes how the job ended. Tries again while the database can't be written, because until then
/// the job would look as if it were running.
fn end(app: &App, claim: &Claim, stop: &Stop, worked: Result<()>) -> Result<Ran> {
    if worked.as_ref().is_err_and(Error::is_disk_full) {
        app.db.ran_out_of_room();
        app.db.room().job_ran_out(app.clock.monotonic());
    } else {
        app.db.room().job_is_over();
    }
    let ending = Ending::of(claim, stop, worked);
    app.runs.over(claim.job);
    loop {
        match write_end(app, claim, &ending) {
            Ok(ran) => return Ok(ran),
            Err(Error::Stopped) => return Ok(Ran::Lost(claim.job)),
            Err(error) => {
                log::warn!("job={} its end can't be written yet: {error}", claim.job);
                if app.bell.wait_for_close(app.settings.trouble_wait) {
                    return Err(error);
                }
            }
        }
    }
}

/// How an attempt ends.
enum Ending {
    /// The work itself wrote its end.
    Completed,
    Failed(Failure),
    /// Back into the queue; whether the attempt counts.
    PutBack {
        why: &'static str,
        counts: bool,
    },
    /// Cancelled, or ended by somebody else: the database knows.
    Stopped,
}

impl Ending {
    fn of(claim: &Claim, stop: &Stop, worked: Result<()>) -> Ending {
        match worked {
            Ok(()) => Ending::Completed,
            Err(Error::Stopped) => match stop.reason() {
                Some(Reason::Shutdown) => Ending::PutBack {
                    why: "The server was restarted; the file starts again from the beginning.",
                    counts: false,
                },
                Some(Reason::Cancelled | Reason::TimedOut) | None => Ending::Stopped,
            },
            // What ended the work came from outside, such as a system without memory.
            Err(Error::Problem(problem)) if problem.code == Code::Busy => {
                log::warn!("job={} attempt={} {problem}", claim.job, claim.attempt);
                if claim.attempt < ATTEMPTS_MAX {
                    Ending::PutBack {
                        why: "The reading of the file was ended from outside; the file starts again.",
                        counts: true,
                    }
                } else {
                    Ending::Failed(Failure {
                        code: Code::Internal,
                        message: format!(
                            "{} It was tried {} times.",
                            problem.detail, claim.attempt
                        ),
                        report: None,
                    })
                }
            }
            Err(Error::Problem(problem)) => Ending::Failed(Failure {
                code: problem.code,
                message: problem.detail,
                report: problem
                    .members
                    .get(work::REPORT_MEMBER)
                    .map(ToString::to_string),
            }),
            Err(error) if error.is_disk_full() => Ending::PutBack {
                why: "The server has no room left; the file waits.",
                counts: false,
            },
            Err(error) if error.is_busy() => Ending::PutBack {
                why: "The database was busy; the file waits.",
                counts: false,
            },
            Err(error) => {
                log::error!("job={} attempt={} {error}", claim.job, claim.attempt);
                if claim.attempt < ATTEMPTS_MAX {
                    Ending::PutBack {
                        why: "Something failed on the server; the file starts again.",
                        counts: true,
                    }
                } else {
                    Ending::Failed(Failure {
                        code: Code::Internal,
                        message: format!(
                            "Something failed on the server (job {}). Nothing was stored. It was tried {} times. Tell your administrator.",
                            claim.job, claim.attempt
                        ),
                        report: None,
                    })
                }
            }
        }
    }
}

fn write_end(app: &App, claim: &Claim, ending: &Ending) -> Result<Ran> {
    if matches!(ending, Ending::Completed) {
        return Ok(Ran::Job(claim.job, State::Completed));
    }
    leftovers::at_the_end(app, claim.job)?;
    app.db.write(|tx| {
        // Whatever the work came to: whoever was told that it will be cancelled can rely on it.
        let state = if jobs::cancel_claimed(tx, claim)? {
            State::Cancelled
        } else {
            match ending {
                Ending::Completed => State::Completed,
                Ending::Stopped => return Err(Error::Stopped),
                Ending::Failed(failure) => {
                    jobs::fail(tx, claim, failure)?;
                    State::Failed
                }
                Ending::PutBack { why, counts, .. } => {
                    jobs::put_back(tx, claim, why, *counts)?;
                    State::Pending
                }
            }
        };
        if !state.is_active() {
            fields::forget(tx, claim.job)?;
            sessions::extend_for_user(tx, claim.user, tx.now.plus(app.settings.session_ttl))?;
        }
        Ok(Ran::Job(claim.job, state))
    })
}
