//! Who is turned away at the door gets an answer all the same: 503 at once, without a thread or a
//! wait, and a moment to read it.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use super::answer::{self, Asked};
use super::socket::Stream;
use crate::error::Problem;
use crate::http::{problem, reply};
use crate::settings::Door;
use crate::words::Code;

/// Connections that wait for their 503 or still have time to read it.
const LINGERING_MAX: usize = 64;
/// How long they have.
const LINGER: Duration = Duration::from_millis(250);
/// When they may try again, in seconds.
const RETRY_AFTER: u64 = 2;

/// Keeps a flood out of the log: once a second.
#[derive(Default)]
pub(super) struct Rarely(Option<Instant>);

impl Rarely {
    pub(super) fn may(&mut self) -> bool {
        let may = self
            .0
            .is_none_or(|last| last.elapsed() >= Duration::from_secs(1));
        if may {
            self.0 = Some(Instant::now());
        }
        may
    }
}

/// The thread that turns away.
pub(super) struct Usher {
    to: SyncSender<Arc<Stream>>,
}

impl Usher {
    /// # Errors
    /// Where there is no thread to be had.
    pub(super) fn start(door: Door) -> io::Result<Usher> {
        let (to, from) = mpsc::sync_channel::<Arc<Stream>>(LINGERING_MAX);
        thread::Builder::new()
            .name("usher".to_owned())
            .stack_size(door.stack_bytes)
            .spawn(move || {
                let mut lingering: VecDeque<(Instant, Arc<Stream>)> = VecDeque::new();
                let mut log = Rarely::default();
                loop {
                    let wait = match lingering.front() {
                        Some((since, _)) => LINGER.saturating_sub(since.elapsed()),
                        None => Duration::from_secs(3_600),
                    };
                    match from.recv_timeout(wait) {
                        Ok(stream) => {
                            if log.may() {
                                log::warn!("all connections are taken; somebody was turned away");
                            }
                            turn_away(&stream, &door);
                            lingering.push_back((Instant::now(), stream));
                        }
                        Err(RecvTimeoutError::Timeout) => {}
                        Err(RecvTimeoutError::Disconnected) => return,
                    }
                    while lingering.len() > LINGERING_MAX
                        || lingering
                            .front()
                            .is_some_and(|(since, _)| since.elapsed() >= LINGER)
                    {
                        if let Some((_, stream)) = lingering.pop_front() {
                            throw_away(&stream);
                        }
                    }
                }
            })?;
        Ok(Usher { to })
    }

    /// Turns a connection away. Where too many are being turned away it ends without a word.
    pub(super) fn turn_away(&self, stream: Arc<Stream>) {
        let _ = self.to.try_send(stream);
    }
}

fn turn_away(stream: &Stream, door: &Door) {
    let busy = Problem::new(
        Code::Busy,
        "The server has as many connections as it can hold. Try again in a few seconds.",
    )
    .with("retry_after", RETRY_AFTER);
    let response = reply::guarded(problem::respond(&busy), false);
    let _ = stream.set_nonblocking(true);
    throw_away(stream);
    // The socket is new: the few bytes fit into its buffer. Where they don't, it ends without them.
    let _ = answer::write(stream, response, Asked::UNKNOWN, door);
    let _ = stream.shutdown(Shutdown::Write);
}

/// What was sent and not read would make the kernel take the answer back when the socket closes.
fn throw_away(mut stream: &Stream) {
    let mut scratch = [0; 4_096];
    for _ in 0..64 {
        match stream.read(&mut scratch) {
            Ok(size) if size > 0 => {}
            _ => return,
        }
    }
}
