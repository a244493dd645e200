//! The incoming side of a connection: a socket, and what has been read of it but not used.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::socket::Stream;

/// Bytes read at first: more than the head of nearly every request.
const FIRST_PIECE: usize = 4 << 10;
/// Bytes read at a time after that.
const PIECE: usize = 16 << 10;

/// What reading gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Got {
    Bytes(usize),
    /// The other side sends no more.
    End,
    /// Nothing came in time.
    Late,
}

/// A socket's incoming side.
pub(super) struct Inbox {
    stream: Arc<Stream>,
    buffer: Vec<u8>,
    /// How much of the buffer is used.
    used: usize,
}

impl Inbox {
    pub(super) fn new(stream: Arc<Stream>) -> Inbox {
        Inbox {
            stream,
            buffer: Vec::new(),
            used: 0,
        }
    }

    pub(super) fn stream(&self) -> &Stream {
        &self.stream
    }

    pub(super) fn shared_stream(&self) -> Arc<Stream> {
        Arc::clone(&self.stream)
    }

    /// What is here and not used.
    pub(super) fn here(&self) -> &[u8] {
        self.buffer.get(self.used..).unwrap_or_default()
    }

    /// Marks the first `size` bytes as used.
    pub(super) fn use_up(&mut self, size: usize) {
        self.used = (self.used + size).min(self.buffer.len());
        if self.used == self.buffer.len() {
            self.buffer.clear();
            self.used = 0;
            // A silent connection costs no more than its thread.
            self.buffer.shrink_to(FIRST_PIECE);
        }
    }

    /// Reads more into the buffer.
    pub(super) fn fill(&mut self, until: Instant) -> io::Result<Got> {
        if self.used > 0 {
            self.buffer.drain(..self.used);
            self.used = 0;
        }
        let before = self.buffer.len();
        let size = if before == 0 { FIRST_PIECE } else { PIECE };
        self.buffer.resize(before + size, 0);
        let room = self.buffer.get_mut(before..).unwrap_or_default();
        let got = read(&self.stream, room, until);
        let size = match got {
            Ok(Got::Bytes(size)) => size,
            Ok(Got::End | Got::Late) | Err(_) => 0,
        };
        self.buffer.truncate(before + size);
        got
    }

    /// Reads past the buffer, which must be empty.
    pub(super) fn read(&mut self, out: &mut [u8], until: Instant) -> io::Result<Got> {
        debug_assert!(self.here().is_empty());
        read(&self.stream, out, until)
    }
}

/// One read that ends at `until` at the latest.
fn read(mut stream: &Stream, out: &mut [u8], until: Instant) -> io::Result<Got> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(Got::Late);
        }
        // The kernel counts in milliseconds at the coarsest; zero would mean for ever.
        stream.set_read_timeout(Some(left.max(Duration::from_millis(1))))?;
        match stream.read(out) {
            Ok(0) => return Ok(Got::End),
            Ok(size) => return Ok(Got::Bytes(size)),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock
                        | io::ErrorKind::TimedOut
                        | io::ErrorKind::Interrupted
                ) => {}
            Err(error) => return Err(error),
        }
    }
}
