//! Whether the client of a request still waits for its answer. One that has hung up needs no file read
//! for it any more.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::socket::Stream;
use crate::error::Result;
use crate::stop::{Reason, Stop};

/// How often it is looked whether the client is still there.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// How long a client that sends no more is left alone before it is asked whether it is still there.
const ASK_AFTER: Duration = Duration::from_millis(500);

/// An interim answer that every client passes over; the system of one that is gone refuses it.
const ARE_YOU_THERE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// The connection that a request came by.
pub struct Line {
    /// `None` for requests made in the process.
    pub(super) stream: Option<Arc<Stream>>,
    /// Whether the client knows interim answers: HTTP/1.0 has none.
    pub(super) may_ask: bool,
}

impl Line {
    /// Whether the client has ended its side of the connection: it has gone, or it wants no more than
    /// the answers to what it has sent. Both are told apart only by answering.
    pub fn is_at_its_end(&self) -> bool {
        self.stream
            .as_ref()
            .is_some_and(|stream| stream.is_at_its_end())
    }

    /// Does a piece of work that takes long, once the whole request is here. It is asked to stop where
    /// the client hangs up, and where `stop` is asked.
    ///
    /// # Errors
    /// Those of the work; `Io` where no thread can be started.
    pub fn watched<T>(&self, stop: &Stop, work: impl FnOnce(&Stop) -> Result<T>) -> Result<T> {
        let Some(stream) = &self.stream else {
            return work(stop);
        };
        let own = Stop::new();
        let is_done = AtomicBool::new(false);
        thread::scope(|scope| {
            let watcher = thread::Builder::new()
                .name("line".to_owned())
                .spawn_scoped(scope, || {
                    let mut watched = Watched::new(stream, self.may_ask);
                    while !is_done.load(Ordering::SeqCst) {
                        if let Some(reason) = stop.reason() {
                            own.ask(reason);
                        } else if watched.is_gone() {
                            log::info!("the client hung up; what it asked for is stopped");
                            own.ask(Reason::Cancelled);
                        }
                        if own.reason().is_some() {
                            return;
                        }
                        thread::park_timeout(LOOK_EVERY);
                    }
                })?;
            let done = work(&own);
            is_done.store(true, Ordering::SeqCst);
            watcher.thread().unpark();
            done
        })
    }
}

/// A client that has ended its side may have gone, or may only send no more. TCP tells that to nobody but
/// whoever writes.
struct Watched<'s> {
    stream: &'s Stream,
    may_ask: bool,
    ended: Option<Instant>,
    asked: bool,
}

impl<'s> Watched<'s> {
    fn new(stream: &'s Stream, may_ask: bool) -> Watched<'s> {
        Watched {
            stream,
            may_ask,
            ended: None,
            asked: false,
        }
    }

    fn is_gone(&mut self) -> bool {
        if !self.stream.is_at_its_end() {
            return false;
        }
        // Who can't be asked is taken for gone.
        if !self.may_ask || self.stream.is_broken() {
            return true;
        }
        let ended = *self.ended.get_or_insert_with(Instant::now);
        if self.asked || ended.elapsed() < ASK_AFTER {
            return false;
        }
        self.asked = true;
        // Nobody else writes: the answer begins when the work is done.
        let mut stream = self.stream;
        stream.write_all(ARE_YOU_THERE).is_err()
    }
}
