//! The child's side of reading: limits first, then the file, rows to standard output. It has no
//! database and no network, and ends when its parent does.

use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::sync_channel;

#[cfg(unix)]
use rlimit::Resource;
use serde::{Deserialize, Serialize};

use super::protocol::Output;
use super::{Limits, ReadOptions, delimited, is_workbook, sniff, workbook};
use crate::error::{Error, Result};
use crate::words::Format;

/// The command that reads a file as a child process; nobody but [`super::reader`] gives it.
pub const COMMAND: &str = "read-child";

/// Exit status after a panic in a parser.
pub(super) const PANICKED: i32 = 3;

/// Exit status where the fault is ours or the system's.
const FAILED: u8 = 4;

/// Exit status where there is not enough memory and that could still be told.
pub(super) const OUT_OF_MEMORY: i32 = 5;

/// Processor seconds after which the system kills a process that did not end at the signal of the limit.
/// Without them it would be killed at once, and its parent could not tell why.
#[cfg(unix)]
const CPU_GRACE_SECONDS: u64 = 5;

/// Bytes of a job description.
const JOB_BYTES_MAX: u64 = 1 << 20;

/// Files that the child may have open: its three pipes, the spool file, and some room.
#[cfg(unix)]
const FILES_MAX: u64 = 16;

/// Bytes of the stack of the thread that waits for the parent's end.
const WATCH_STACK_BYTES: usize = 64 << 10;

/// Bytes of memory without which a panic is taken for one of too little memory.
const LEFT_BYTES: usize = 1 << 20;

/// Bytes of the stack that are there in any case; reading takes less.
const STACK_BYTES: usize = 512 << 10;

/// What the parent asks for; one line of JSON on standard input, which then stays open for as
/// long as the parent lives.
#[derive(Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) format: Option<String>,
    pub(super) options: ReadOptions,
    pub(super) limits: Limits,
}

/// Reads the file at `path` as the parent asks.
pub fn main(path: &Path) -> ExitCode {
    // A panic's message may hold what stands in the file; its place, for the log, does not.
    std::panic::set_hook(Box::new(|panic| {
        if let Some(place) = panic.location() {
            let _ = writeln!(io::stderr(), "panic at {place}");
        }
        // Code of others may panic where it gets no memory: that is no fault of the file's.
        if Vec::<u8>::new().try_reserve_exact(LEFT_BYTES).is_err() {
            std::process::exit(OUT_OF_MEMORY);
        }
    }));
    match catch_unwind(AssertUnwindSafe(|| run(path))) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            // The parent logs it. Where it is gone, nobody is left to tell.
            let _ = writeln!(io::stderr(), "{error}");
            let kind = if let Error::Io(error) = error {
                Some(error.kind())
            } else {
                None
            };
            if kind == Some(io::ErrorKind::OutOfMemory) {
                status(OUT_OF_MEMORY)
            } else {
                ExitCode::from(FAILED)
            }
        }
        Err(_) => status(PANICKED),
    }
}

fn status(status: i32) -> ExitCode {
    ExitCode::from(u8::try_from(status).unwrap_or(FAILED))
}

fn run(path: &Path) -> Result<()> {
    let job = job()?;
    // Before there is a limit: its thread must begin in any case.
    end_with_parent()?;
    grow_stack();
    confine(&job.limits)?;
    let mut stdout = io::stdout().lock();
    // Where it can't be had, reading says why.
    let bytes = path.metadata().map_or(0, |file| file.len());
    let mut out = Output::of_file(&mut stdout, &job.limits, bytes);
    match read(path, &job, &mut out) {
        Ok(()) => Ok(()),
        Err(Error::Problem(problem)) => out.refuse(&problem),
        Err(error) => Err(error),
    }
}

fn job() -> Result<Job> {
    let mut line = String::new();
    io::stdin()
        .lock()
        .take(JOB_BYTES_MAX)
        .read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}

fn read(path: &Path, job: &Job, out: &mut Output<'_>) -> Result<()> {
    let format = match &job.format {
        Some(word) => Format::parse(word)
            .ok_or_else(|| Error::Internal("the job names no format".to_owned()))?,
        None => sniff::sniff(path, &job.limits)?,
    };
    if is_workbook(format) {
        let info = workbook::read(path, format, &job.options, out)?;
        out.done(&info)
    } else {
        delimited::read(&mut File::open(path)?, &job.options, out)
    }
}

/// Sets the limits that hold whatever a parser does. What a system doesn't have is left out.
#[cfg(unix)]
fn confine(limits: &Limits) -> Result<()> {
    for (resource, most) in [
        (Resource::AS, limits.child_memory_bytes_max),
        (Resource::CPU, limits.child_cpu_seconds_max),
        (Resource::CORE, 0),
        (Resource::FSIZE, 0),
        (Resource::NOFILE, FILES_MAX),
    ] {
        if resource.is_supported() {
            let (_, hard) = resource.get()?;
            let most = most.min(hard);
            let grace = if resource == Resource::CPU {
                CPU_GRACE_SECONDS
            } else {
                0
            };
            resource.set(most, most.saturating_add(grace).min(hard))?;
        }
    }
    Ok(())
}

/// Elsewhere only the parent's limit of wall time and the bounds of the formats hold.
#[cfg(not(unix))]
fn confine(_: &Limits) -> Result<()> {
    Ok(())
}

/// Takes the memory of the stack before there is a limit: where it could not grow later on, this process
/// would end as if the file were damaged.
#[inline(never)]
fn grow_stack() {
    std::hint::black_box(&mut [0_u8; STACK_BYTES]);
}

/// Ends this process when standard input is closed, which the system does for a parent that dies. Linux
/// ends it even where it has been stopped (SIGSTOP) and can't look.
fn end_with_parent() -> Result<()> {
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))
        .map_err(io::Error::from)?;
    let (begun, waiting) = sync_channel(1);
    std::thread::Builder::new()
        .stack_size(WATCH_STACK_BYTES)
        .spawn(move || {
            // Nobody waits any more where this process is about to end.
            let _ = begun.send(());
            let mut rest = [0; 64];
            while matches!(io::stdin().lock().read(&mut rest), Ok(1..)) {}
            std::process::exit(i32::from(FAILED));
        })?;
    // A thread takes memory of its own before its first line: not under the limit that follows, where
    // the lack of it would end this process without a word of memory.
    waiting.recv().map_err(|_| {
        Error::Internal("the thread that waits for the parent's end did not begin".to_owned())
    })
}
