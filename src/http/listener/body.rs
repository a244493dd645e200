//! The body of a request, as a stream with one deadline for the whole.

use std::io::{self, Cursor, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::chunked::Chunked;
use super::head::Framing;
use super::inbox::{Got, Inbox};
use super::line::Line;
use super::socket::Stream;
use crate::error::{Error, Problem, Result};
use crate::settings::Door;
use crate::words::Code;

/// The body of a request, as a stream. What goes wrong with it arrives as a problem:
/// `request-timeout` when it takes too long, `bad-request` when it ends early or is framed wrongly.
pub struct Body<'c> {
    source: Source<'c>,
    declared: Option<u64>,
    line: Option<Arc<Stream>>,
    may_ask: bool,
}

enum Source<'c> {
    Here(Cursor<Vec<u8>>),
    Wire(&'c mut (dyn Read + Send + 'c)),
}

impl<'c> Body<'c> {
    /// A body that is already there; for tests and for requests made in the process.
    pub fn from_bytes(bytes: Vec<u8>) -> Body<'static> {
        Body {
            declared: u64::try_from(bytes.len()).ok(),
            source: Source::Here(Cursor::new(bytes)),
            line: None,
            may_ask: false,
        }
    }

    pub(super) fn on(wire: &'c mut Wire<'_>) -> Body<'c> {
        Body {
            declared: match wire.framing {
                Framing::Nothing => Some(0),
                Framing::Length(bytes) => Some(bytes),
                Framing::Chunked => None,
            },
            line: Some(wire.inbox.shared_stream()),
            // Elsewhere nobody can tell that the question was refused.
            may_ask: wire.is_1_1 && cfg!(target_os = "linux"),
            source: Source::Wire(wire),
        }
    }

    /// The declared length in bytes; `None` for a chunked body.
    pub fn declared(&self) -> Option<u64> {
        self.declared
    }

    /// The connection that it comes by.
    pub fn line(&self) -> Line {
        Line {
            stream: self.line.clone(),
            may_ask: self.may_ask,
        }
    }

    /// The whole body, where it has at most `bytes_max` bytes. One that declares more is not read.
    ///
    /// # Errors
    /// `too-large`, or what reading said.
    pub fn read_small(&mut self, bytes_max: usize) -> Result<Vec<u8>> {
        let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX);
        let mut bytes = Vec::new();
        if self.declared.is_none_or(|declared| declared <= limit) {
            self.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
            if bytes.len() <= bytes_max {
                return Ok(bytes);
            }
        }
        Err(Error::from(
            Problem::new(
                Code::TooLarge,
                format!("The request is too large; at most {bytes_max} bytes are taken here."),
            )
            .with("limit", limit),
        ))
    }
}

impl Read for Body<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match &mut self.source {
            Source::Here(bytes) => bytes.read(out),
            Source::Wire(wire) => wire.read(out),
        }
    }
}

/// A body that comes in by a connection.
pub(super) struct Wire<'c> {
    inbox: &'c mut Inbox,
    door: &'c Door,
    framing: Framing,
    left: Left,
    /// The client waits for `100 Continue`.
    must_ask: bool,
    is_1_1: bool,
    /// How long the client has been waited for, and what it has sent in that time.
    waited: Duration,
    received: u64,
    failed: Option<Problem>,
}

enum Left {
    Bytes(u64),
    Chunks(Chunked),
}

impl<'c> Wire<'c> {
    pub(super) fn new(
        inbox: &'c mut Inbox,
        door: &'c Door,
        framing: Framing,
        expects_continue: bool,
        is_1_1: bool,
    ) -> Wire<'c> {
        Wire {
            received: u64::try_from(inbox.here().len()).unwrap_or(0),
            inbox,
            door,
            framing,
            left: match framing {
                Framing::Nothing => Left::Bytes(0),
                Framing::Length(bytes) => Left::Bytes(bytes),
                Framing::Chunked => Left::Chunks(Chunked::default()),
            },
            must_ask: expects_continue,
            is_1_1,
            waited: Duration::ZERO,
            failed: None,
        }
    }

    /// Whether the next request may follow: the body is over, or what is missing of it is here
    /// already and is thrown away now.
    pub(super) fn is_over(&mut self) -> bool {
        if self.failed.is_some() {
            return false;
        }
        match &mut self.left {
            Left::Bytes(left) => {
                if let Ok(size) = usize::try_from(*left)
                    && size <= self.inbox.here().len()
                {
                    self.inbox.use_up(size);
                    *left = 0;
                }
            }
            Left::Chunks(chunks) => {
                let mut thrown_away = [0; 1_024];
                while !chunks.is_over() && !self.inbox.here().is_empty() {
                    match chunks.step(self.inbox.here(), &mut thrown_away) {
                        Ok(step) => self.inbox.use_up(step.consumed),
                        Err(_) => return false,
                    }
                }
            }
        }
        self.over()
    }

    fn over(&self) -> bool {
        match &self.left {
            Left::Bytes(left) => *left == 0,
            Left::Chunks(chunks) => chunks.is_over(),
        }
    }

    /// Until when the next bytes must be here. Time in which nobody read is not the client's.
    fn until(&self, now: Instant) -> Instant {
        let earned = Duration::from_secs(self.received / self.door.body_bytes_per_second.max(1));
        let allowed = self.door.body_time_grace.saturating_add(earned);
        now + allowed.saturating_sub(self.waited)
    }

    /// Waits for more, into `out` or, where that is `None`, into the inbox.
    fn more(&mut self, out: Option<&mut [u8]>) -> io::Result<usize> {
        if self.must_ask {
            self.must_ask = false;
            if self.inbox.here().is_empty() {
                let mut stream = self.inbox.stream();
                stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            }
        }
        let now = Instant::now();
        let until = self.until(now);
        let got = match out {
            Some(out) => self.inbox.read(out, until),
            None => self.inbox.fill(until),
        };
        self.waited += now.elapsed();
        match got {
            Ok(Got::Bytes(size)) => {
                self.received += u64::try_from(size).unwrap_or(0);
                Ok(size)
            }
            Ok(Got::Late) => Err(Problem::new(
                Code::RequestTimeout,
                "The request took too long to arrive. Try again over a better connection.",
            )
            .into()),
            Ok(Got::End) | Err(_) => Err(Problem::new(
                Code::BadRequest,
                "The request broke off before it was whole. Send it again.",
            )
            .into()),
        }
    }

    fn read_bytes(&mut self, out: &mut [u8], left: u64) -> io::Result<usize> {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(out.len());
        let out = out.get_mut(..most).unwrap_or_default();
        let here = self.inbox.here();
        let size = if here.is_empty() {
            self.more(Some(out))?
        } else {
            let size = here.len().min(most);
            if let (Some(to), Some(from)) = (out.get_mut(..size), here.get(..size)) {
                to.copy_from_slice(from);
            }
            self.inbox.use_up(size);
            size
        };
        self.left = Left::Bytes(left.saturating_sub(u64::try_from(size).unwrap_or(0)));
        Ok(size)
    }

    fn read_chunks(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.inbox.here().is_empty() {
                self.more(None)?;
            }
            let Left::Chunks(chunks) = &mut self.left else {
                return Ok(0);
            };
            let step = chunks.step(self.inbox.here(), out).map_err(|wrong| {
                Problem::new(
                    Code::BadRequest,
                    format!("The request's body can't be understood: {}.", wrong.0),
                )
            })?;
            self.inbox.use_up(step.consumed);
            if step.produced > 0 || chunks.is_over() {
                return Ok(step.produced);
            }
        }
    }
}

impl Read for Wire<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if let Some(problem) = &self.failed {
            return Err(problem.clone().into());
        }
        if out.is_empty() || self.over() {
            return Ok(0);
        }
        let read = match self.left {
            Left::Bytes(left) => self.read_bytes(out, left),
            Left::Chunks(_) => self.read_chunks(out),
        };
        read.map_err(|error| match Error::from(error) {
            // Asking again gives the same answer.
            Error::Problem(problem) => {
                self.failed = Some((*problem).clone());
                (*problem).into()
            }
            Error::Io(error) => error,
            error @ (Error::Database(_) | Error::Internal(_) | Error::Stopped) => {
                io::Error::other(error.to_string())
            }
        })
    }
}
