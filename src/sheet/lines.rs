//! The child's lines as they arrive, in batches of whole ones.

use std::io::{ErrorKind, Read};
use std::sync::mpsc::SyncSender;

use super::protocol;
use crate::error::{Error, Result};
use crate::words::Code;

/// Bytes of the child's lines that are taken apart at a time.
const BATCH_BYTES: usize = 256 << 10;

/// Bytes of a line: one row.
const LINE_BYTES_MAX: usize = 64 << 20;

/// Whole lines of the child's, and what was made of them.
#[derive(Debug)]
pub(super) struct Batch<B> {
    pub(super) made: B,
    /// Whether the last of them says that the file has been read whole.
    pub(super) says_done: bool,
}

/// Takes the child's lines and hands them on as batches, in a thread of its own, so that reading,
/// taking apart and storing overlap.
pub(super) fn take<B>(
    stdout: impl Read,
    make: fn(&str) -> Result<B>,
    sender: &SyncSender<Result<Batch<B>>>,
) {
    let mut lines = Lines::new(stdout);
    // At the end, perhaps in the middle of a line, the child's exit status tells why.
    while let Some(text) = lines.next() {
        let batch = text.and_then(|text| batch(text, make));
        let more = batch.as_ref().is_ok_and(|batch| !batch.says_done);
        // Where nobody waits any more, there is nobody to tell.
        if sender.send(batch).is_err() || !more {
            return;
        }
    }
}

/// What the child writes, in pieces of whole lines.
struct Lines<R> {
    from: R,
    /// What was read: the first `size` bytes.
    bytes: Vec<u8>,
    size: usize,
    /// Bytes of them that were handed on.
    taken: usize,
}

impl<R: Read> Lines<R> {
    fn new(from: R) -> Lines<R> {
        Lines {
            from,
            bytes: vec![0; BATCH_BYTES],
            size: 0,
            taken: 0,
        }
    }

    /// The next lines; `None` at the end.
    fn next(&mut self) -> Option<Result<&str>> {
        let before = std::mem::take(&mut self.taken);
        self.bytes.copy_within(before..self.size, 0);
        self.size -= before;
        self.whole().transpose()
    }

    fn whole(&mut self) -> Result<Option<&str>> {
        let whole = loop {
            let ended = self.fill()?;
            let read = self.bytes.get(..self.size).unwrap_or(&[]);
            match memchr::memrchr(b'\n', read) {
                Some(at) => break at + 1,
                None if ended => return Ok(None),
                None if self.size >= LINE_BYTES_MAX => return Err(too_long()),
                None => self.bytes.resize(self.bytes.len() * 2, 0),
            }
        };
        self.taken = whole;
        std::str::from_utf8(self.bytes.get(..whole).unwrap_or(&[]))
            .map(Some)
            .map_err(|_| Error::Internal("the reader's lines are no text".to_owned()))
    }

    /// Reads until there is no more room. True at the end.
    fn fill(&mut self) -> Result<bool> {
        while let Some(room) = self
            .bytes
            .get_mut(self.size..)
            .filter(|room| !room.is_empty())
        {
            match self.from.read(room) {
                Ok(0) => return Ok(true),
                Ok(read) => self.size += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(false)
    }
}

/// What is made of these lines, unless the last of them is a refusal.
fn batch<B>(text: &str, make: fn(&str) -> Result<B>) -> Result<Batch<B>> {
    let last = protocol::lines(text).last().unwrap_or("");
    if last.starts_with('X') {
        return Err(match protocol::parse(last) {
            Err(problem @ Error::Problem(_)) => problem,
            Ok(_) | Err(_) => no_line(),
        });
    }
    match make(text) {
        Ok(made) => Ok(Batch {
            made,
            says_done: last.starts_with('D'),
        }),
        Err(Error::Io(_)) => Err(no_line()),
        Err(error) => Err(error),
    }
}

fn no_line() -> Error {
    Error::Internal("the reader's line is none".to_owned())
}

fn too_long() -> Error {
    Error::problem(
        Code::TooComplex,
        format!(
            "A row holds more than {} MB of text. Split it.",
            LINE_BYTES_MAX >> 20
        ),
    )
}
