//! The parent's side of reading: starts the child process, takes its events, and ends it at once
//! when the work is to stop, takes too long, or nobody wants the rest.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::child::{COMMAND, Job, OUT_OF_MEMORY, PANICKED};
use super::lines::{Batch, take};
use super::notices::thousands;
use super::{Event, Limits, ReadOptions, protocol};
use crate::error::{Error, Problem, Result};
use crate::faults;
use crate::stop::Stop;
use crate::words::{Code, Format};

/// How often a waiting parent looks whether it is to stop.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Batches that wait to be taken.
const BATCHES_WAITING: usize = 2;

/// Bytes of the pipe from the child: what Linux grants everybody.
#[cfg(target_os = "linux")]
const PIPE_BYTES: usize = 1 << 20;

/// Bytes of the child's last words that are kept for the log.
const LAST_WORDS_BYTES_MAX: u64 = 2_000;

/// How long a child that has closed its output may take to end.
const END_WAIT: Duration = Duration::from_secs(5);

/// How long this process may take to hear that it is to end, after its child has heard it.
const SAME_SIGNAL_WAIT: Duration = Duration::from_millis(500);

static STARTED: AtomicU64 = AtomicU64::new(0);
static ENDED: AtomicU64 = AtomicU64::new(0);
static KILLED: AtomicU64 = AtomicU64::new(0);

/// Children of this process, for monitoring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Children {
    pub running: u64,
    pub started: u64,
    pub killed: u64,
}

/// How many there are now, and were since the start.
pub fn children() -> Children {
    let ended = ENDED.load(Ordering::SeqCst);
    let started = STARTED.load(Ordering::SeqCst);
    Children {
        running: started.saturating_sub(ended),
        started,
        killed: KILLED.load(Ordering::SeqCst),
    }
}

/// A file to read.
pub struct ReadJob<'a> {
    /// The program that reads: this one.
    pub executable: &'a Path,
    pub path: &'a Path,
    /// Where it is known; else it is told by the content.
    pub format: Option<Format>,
    pub options: &'a ReadOptions,
    pub limits: &'a Limits,
}

/// A file that is being read, as batches of events, or of what else is made of the child's lines.
/// Dropping it ends the child.
#[derive(Debug)]
pub struct Reader<B = Vec<Event>> {
    running: Running,
    /// `None` once the last batch has been taken.
    batches: Option<Receiver<Result<Batch<B>>>>,
    stop: Stop,
    deadline: Instant,
    limits: Limits,
    /// The child has said that the file has been read whole.
    done: bool,
}

/// Begins to read a file; waits where as many files are being read as there are cores.
///
/// # Errors
/// `Stopped` while waiting; `Io` where the child can't be started.
pub fn read(job: &ReadJob<'_>, stop: &Stop) -> Result<Reader> {
    start(job, stop, |lines| protocol::events(&lines))
}

/// As [`read`], for whoever keeps the lines as they are; [`protocol`] says what they mean.
///
/// # Errors
/// As [`read`].
pub fn read_lines(job: &ReadJob<'_>, stop: &Stop) -> Result<Reader<String>> {
    start(job, stop, Ok)
}

fn start<B: Send + 'static>(
    job: &ReadJob<'_>,
    stop: &Stop,
    make: fn(String) -> Result<B>,
) -> Result<Reader<B>> {
    let turn = Turn::wait(stop)?;
    let mut child = faults::file()
        .and_then(|()| command(job.executable, job.path).spawn())
        .map_err(|error| Error::Internal(format!("the reader can't be started: {error}")))?;
    STARTED.fetch_add(1, Ordering::SeqCst);
    let stdin = child.stdin.take();
    let stdout = child.stdout.take();
    let mut running = Running {
        child,
        stdin,
        taker: None,
        _turn: turn,
    };
    let mut line = serde_json::to_string(&Job {
        format: job.format.map(|format| format.as_str().to_owned()),
        options: job.options.clone(),
        limits: job.limits.clone(),
    })?;
    line.push('\n');
    if let Some(stdin) = running.stdin.as_mut() {
        // A child that is gone already says so with its exit status.
        let _ = stdin.write_all(line.as_bytes());
        let _ = stdin.flush();
    }
    let (sender, batches) = sync_channel(BATCHES_WAITING);
    faults::file()?;
    if let Some(stdout) = stdout {
        widen(&stdout);
        running.taker = Some(
            std::thread::Builder::new()
                .name("reader".to_owned())
                .spawn(move || take(stdout, make, &sender))?,
        );
    }
    Ok(Reader {
        running,
        batches: Some(batches),
        stop: stop.clone(),
        deadline: Instant::now() + Duration::from_secs(job.limits.child_wall_seconds_max),
        limits: job.limits.clone(),
        done: false,
    })
}

/// Makes the pipe from the child as wide as anybody may, so that the two wait less for each other. What
/// a system doesn't grant is done without.
fn widen(stdout: &ChildStdout) {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::pipe::fcntl_setpipe_size(stdout, PIPE_BYTES) {
        log::debug!("the reader's pipe stays as it is: {error}");
    }
    #[cfg(not(target_os = "linux"))]
    let _ = stdout;
}

fn command(executable: &Path, path: &Path) -> Command {
    let mut command = Command::new(executable);
    command
        .arg(COMMAND)
        .arg(path)
        .env_clear()
        // glibc reserves address space for each thread, which would count against the limit.
        .env("MALLOC_ARENA_MAX", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

impl<B> Reader<B> {
    /// The next batch; `None` when the file has been read whole.
    ///
    /// # Errors
    /// The file's `Problem`; `Stopped` where the work is to stop; `Internal` where the child is at
    /// fault. After an error nothing follows.
    pub fn next_batch(&mut self) -> Result<Option<B>> {
        let Some(batches) = &self.batches else {
            return Ok(None);
        };
        faults::file()?;
        let outcome = loop {
            if let Err(stopped) = self.stop.check() {
                break Err(stopped);
            }
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break Err(too_slow());
            }
            match batches.recv_timeout(left.min(LOOK_EVERY)) {
                Ok(batch) => break batch.map(Some),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break Ok(None),
            }
        };
        match outcome {
            Ok(Some(batch)) => {
                self.done = batch.says_done;
                Ok(Some(batch.made))
            }
            Ok(None) => {
                self.batches = None;
                self.ended().map(|()| None)
            }
            Err(error) => {
                self.batches = None;
                self.running.end();
                Err(error)
            }
        }
    }

    /// The child has closed its output: how did it end?
    fn ended(&mut self) -> Result<()> {
        let status = self.running.wait(END_WAIT);
        let last_words = self.running.last_words();
        if self.done && status.is_some_and(|status| status.success()) {
            return Ok(());
        }
        let end = status.map_or_else(|| "did not end".to_owned(), |status| status.to_string());
        log::warn!(
            "a reader ended early: {end}; it said: {}",
            last_words.trim().replace('\n', " | ")
        );
        if status.is_some_and(|status| {
            matches!(signal(status), Some(SIGNAL_HUP | SIGNAL_INT | SIGNAL_TERM))
        }) {
            // A terminal and a service manager tell all processes of a group to end.
            let until = Instant::now() + SAME_SIGNAL_WAIT;
            while Instant::now() < until {
                self.stop.check()?;
                std::thread::sleep(LOOK_EVERY);
            }
        }
        Err(match status {
            Some(status) => why(status, &last_words, &self.limits),
            None => Error::Internal("the reader closed its output and did not end".to_owned()),
        })
    }
}

/// Why a child ended without having read the file whole.
fn why(status: ExitStatus, last_words: &str, limits: &Limits) -> Error {
    if last_words.contains("memory allocation of") || status.code() == Some(OUT_OF_MEMORY) {
        return Error::problem(
            Code::TooComplex,
            format!(
                "The file needs more than {} MB of memory to be read. Split it, or copy the table to a new file, and add that.",
                thousands(limits.child_memory_bytes_max >> 20)
            ),
        );
    }
    match signal(status) {
        Some(SIGNAL_CPU) => too_slow(),
        Some(SIGNAL_KILL) => killed("most likely because the computer ran out of memory"),
        Some(SIGNAL_HUP | SIGNAL_INT | SIGNAL_TERM) => killed("perhaps by an administrator"),
        Some(_) => unreadable(),
        None if status.code() == Some(PANICKED) => unreadable(),
        None => Error::Internal(format!("the reader failed: {status}")),
    }
}

const SIGNAL_HUP: i32 = 1;
const SIGNAL_INT: i32 = 2;
const SIGNAL_TERM: i32 = 15;

/// SIGKILL: of the system, where memory runs out, or of somebody; never of this process, which asks no
/// further then.
const SIGNAL_KILL: i32 = 9;

/// SIGXCPU: the limit of processor time.
const SIGNAL_CPU: i32 = 24;

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal(_: ExitStatus) -> Option<i32> {
    None
}

fn too_slow() -> Error {
    Error::problem(
        Code::TooComplex,
        "The file takes too long to read. Split it, or copy the table to a new file, and add that.",
    )
}

/// Somebody else ended the child: that says nothing of the file, and another try may well succeed.
fn killed(perhaps: &str) -> Error {
    let detail = format!(
        "The reading of the file was ended from outside, {perhaps}. Try again; if that happens again, split the file or tell your administrator."
    );
    Problem::new(Code::Busy, detail)
        .with("retry_after", 5)
        .into()
}

fn unreadable() -> Error {
    Error::problem(
        Code::UnreadableFile,
        "The file is damaged and cannot be read. Open it in Excel, save it under a new name, and add that.",
    )
}

/// A child that runs. Dropping it kills it and waits for its end.
#[derive(Debug)]
struct Running {
    child: Child,
    /// Held open: the child ends when it is closed, however this process ends.
    stdin: Option<ChildStdin>,
    taker: Option<JoinHandle<()>>,
    _turn: Turn,
}

impl Running {
    /// Kills the child, whatever it is doing, and waits for its end.
    fn end(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            KILLED.fetch_add(1, Ordering::SeqCst);
        }
        // Where it has ended by itself already, there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.stdin = None;
    }

    /// Waits for the child's own end, but not for ever.
    fn wait(&mut self, at_most: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + at_most;
        let mut pause = Duration::from_micros(200);
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < until => std::thread::sleep(pause),
                Ok(None) | Err(_) => {
                    self.end();
                    return None;
                }
            }
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    /// What the child said to its standard error, for the log only.
    fn last_words(&mut self) -> String {
        let mut words = Vec::new();
        if let Some(stderr) = self.child.stderr.take() {
            // What can't be read is not worth an error.
            let _ = stderr.take(LAST_WORDS_BYTES_MAX).read_to_end(&mut words);
        }
        String::from_utf8_lossy(&words).into_owned()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
        ENDED.fetch_add(1, Ordering::SeqCst);
        if let Some(taker) = self.taker.take()
            && taker.is_finished()
        {
            let _ = taker.join();
        }
    }
}

/// How many children run.
static TURNS: Turns = Turns {
    taken: Mutex::new(0),
    freed: Condvar::new(),
};

struct Turns {
    taken: Mutex<usize>,
    freed: Condvar,
}

/// The right to run a child; given back when dropped.
#[derive(Debug)]
struct Turn;

impl Turn {
    fn wait(stop: &Stop) -> Result<Turn> {
        let most = std::thread::available_parallelism().map_or(1, usize::from);
        let mut taken = TURNS.taken.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            stop.check()?;
            if *taken < most {
                *taken += 1;
                return Ok(Turn);
            }
            taken = TURNS
                .freed
                .wait_timeout(taken, LOOK_EVERY)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut taken = TURNS.taken.lock().unwrap_or_else(PoisonError::into_inner);
        *taken = taken.saturating_sub(1);
        TURNS.freed.notify_one();
    }
}
