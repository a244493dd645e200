//! The child's lines as they arrive, in batches of whole ones.

use std::borrow::Cow;
use std::io::Read;
use std::sync::mpsc::SyncSender;

use encoding_rs::UTF_8;

use super::encoding::fill;
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
    /// What has come of the next piece, and room for the rest of it.
    bytes: Vec<u8>,
    come: usize,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(from: R) -> Lines<R> {
        Lines {
            from,
            bytes: vec![0; BATCH_BYTES],
            come: 0,
        }
    }

    /// The next lines; `None` at the end.
    pub(crate) fn next(&mut self) -> Option<Result<String>> {
        self.whole().transpose()
    }

    fn whole(&mut self) -> Result<Option<String>> {
        loop {
            let room = self.bytes.get_mut(self.come..).unwrap_or_default();
            let size = fill(&mut self.from, room)?;
            let ended = size < room.len();
            self.come += size;
            let come = self.bytes.get(..self.come).unwrap_or(&[]);
            match memchr::memrchr(b'\n', come) {
                Some(at) => {
                    let (lines, _) = come.split_at(at + 1);
                    // Several times as quick as the standard library where letters are not plain.
                    let text = UTF_8.decode_without_bom_handling_and_without_replacement(lines);
                    let text = text.map(Cow::into_owned).ok_or_else(|| {
                        Error::Internal("the reader's lines are no text".to_owned())
                    })?;
                    self.bytes.copy_within(at + 1..self.come, 0);
                    self.come -= at + 1;
                    // One long line takes no room, and makes no longer pieces, of those behind it.
                    let enough = BATCH_BYTES.max(2 * self.come);
                    self.bytes.truncate(enough);
                    self.bytes.shrink_to(enough);
                    return Ok(Some(text));
                }
                None if ended => return Ok(None),
                None if self.come >= LINE_BYTES_MAX => return Err(too_long()),
                None => self.bytes.resize(2 * self.bytes.len(), 0),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives up to so many bytes at a time, as a pipe does.
    struct Pipe<'b>(&'b [u8], usize);

    impl Read for Pipe<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let most = out.len().min(self.1);
            self.0.read(&mut out[..most])
        }
    }

    #[test]
    fn lines_come_whole_however_they_arrive() {
        let short: String = (0..50_000).map(|n| format!("R{n}\tGrüße 東京\n")).collect();
        let text = format!("{short}{}\n{short}", "ü".repeat(BATCH_BYTES));
        let with_rest = format!("{text}R1\tnot whole");
        for at_a_time in [1_009, 64 << 10, usize::MAX] {
            let mut lines = Lines::new(Pipe(with_rest.as_bytes(), at_a_time));
            let mut come = String::new();
            while let Some(piece) = lines.next() {
                let piece = piece.unwrap();
                assert!(piece.ends_with('\n'));
                come.push_str(&piece);
            }
            assert!(come == text, "{at_a_time} bytes at a time");
        }
    }

    #[test]
    fn after_a_long_line_pieces_are_as_short_as_before() {
        let long = "x".repeat(5 * BATCH_BYTES);
        let short = "R1\ta\n".repeat(3 * BATCH_BYTES);
        let text = format!("{long}\n{short}");
        let mut lines = Lines::new(text.as_bytes());
        let first = lines.next().unwrap().unwrap();
        assert!(first.starts_with(&long));
        while let Some(piece) = lines.next() {
            let size = piece.unwrap().len();
            assert!(size <= BATCH_BYTES, "{size} of {BATCH_BYTES}");
        }
    }

    #[test]
    fn lines_that_are_no_text_are_refused() {
        let mut lines = Lines::new(&b"R1\ta\xff\n"[..]);
        assert!(matches!(lines.next(), Some(Err(Error::Internal(_)))));
    }
}
