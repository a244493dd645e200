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
    /// How long the system waits for bytes, as it was told last.
    wait: Duration,
}

impl Inbox {
    pub(super) fn new(stream: Arc<Stream>) -> Inbox {
        Inbox {
            stream,
            buffer: Vec::new(),
            used: 0,
            wait: Duration::ZERO,
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
        let got = read(&self.stream, &mut self.wait, room, until);
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
        read(&self.stream, &mut self.wait, out, until)
    }
}

/// One read that ends at `until` at the latest, or some milliseconds after it. `wait` is how long the system
/// waits.
fn read(
    mut stream: &Stream,
    wait: &mut Duration,
    out: &mut [u8],
    until: Instant,
) -> io::Result<Got> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(Got::Late);
        }
        // In steps, so that the next request of a connection finds it as it should be.
        let wanted = rounded_up(left);
        if *wait != wanted {
            stream.set_read_timeout(Some(wanted))?;
            *wait = wanted;
        }
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

/// Up to a whole number of steps: the kernel counts in milliseconds at the coarsest, and zero would mean
/// for ever.
fn rounded_up(wait: Duration) -> Duration {
    const STEP_MS: u128 = 4;
    let steps = wait.as_micros().div_ceil(1_000 * STEP_MS).max(1);
    Duration::from_millis(u64::try_from(steps * STEP_MS).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_rounded_up_and_never_for_ever() {
        let ms = Duration::from_millis;
        assert_eq!(rounded_up(Duration::from_nanos(1)), ms(4));
        assert_eq!(rounded_up(ms(4)), ms(4));
        assert_eq!(
            rounded_up(ms(60_000) - Duration::from_micros(30)),
            ms(60_000)
        );
        assert_eq!(rounded_up(ms(60_000)), ms(60_000));
    }
}
