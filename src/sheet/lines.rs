//! The child's lines as they arrive, in batches of whole ones.

use std::io::Read;
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
    make: fn(String) -> Result<B>,
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
pub(crate) struct Lines<R> {
    from: R,
    /// The beginning of the line that goes on in the next piece.
    begun: Vec<u8>,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(from: R) -> Lines<R> {
        Lines {
            from,
            begun: Vec::new(),
        }
    }

    /// The next lines; `None` at the end.
    pub(crate) fn next(&mut self) -> Option<Result<String>> {
        self.whole().transpose()
    }

    fn whole(&mut self) -> Result<Option<String>> {
        let mut bytes = Vec::with_capacity(BATCH_BYTES.max(2 * self.begun.len()));
        bytes.append(&mut self.begun);
        loop {
            let room = bytes.capacity() - bytes.len();
            let most = u64::try_from(room).unwrap_or(u64::MAX);
            let ended = (&mut self.from).take(most).read_to_end(&mut bytes)? < room;
            match memchr::memrchr(b'\n', &bytes) {
                Some(at) => {
                    self.begun = bytes.split_off(at + 1);
                    return String::from_utf8(bytes)
                        .map(Some)
                        .map_err(|_| Error::Internal("the reader's lines are no text".to_owned()));
                }
                None if ended => return Ok(None),
                None if bytes.len() >= LINE_BYTES_MAX => return Err(too_long()),
                None => bytes.reserve(bytes.len()),
            }
        }
    }
}

/// What is made of these lines, unless the last of them is a refusal.
fn batch<B>(text: String, make: fn(String) -> Result<B>) -> Result<Batch<B>> {
    let before = text.strip_suffix('\n').unwrap_or(&text);
    let last = before.rsplit('\n').next().unwrap_or("");
    if last.starts_with('X') {
        return Err(match protocol::parse(last) {
            Err(problem @ Error::Problem(_)) => problem,
            Ok(_) | Err(_) => no_line(),
        });
    }
    let says_done = last.starts_with('D');
    match make(text) {
        Ok(made) => Ok(Batch { made, says_done }),
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
