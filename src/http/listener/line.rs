//! Whether the client of a request still waits for its answer. One that has hung up needs no file read
//! for it any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::socket::Stream;
use crate::error::Result;
use crate::stop::{Reason, Stop};

/// How often it is looked whether the client is still there.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The connection that a request came by; `None` for requests made in the process.
pub struct Line(pub(super) Option<Arc<Stream>>);

impl Line {
    /// Whether the client has ended its side of the connection: it has gone, or it wants no more than
    /// the answers to what it has sent. Both are told apart only by answering.
    pub fn is_at_its_end(&self) -> bool {
        self.0.as_ref().is_some_and(|stream| stream.is_at_its_end())
    }

    /// Does a piece of work that takes long, once the whole request is here. It is asked to stop where
    /// the client hangs up, and where `stop` is asked.
    ///
    /// # Errors
    /// Those of the work; `Io` where no thread can be started.
    pub fn watched<T>(&self, stop: &Stop, work: impl FnOnce(&Stop) -> Result<T>) -> Result<T> {
        let Some(stream) = &self.0 else {
            return work(stop);
        };
        let own = Stop::new();
        let is_done = AtomicBool::new(false);
        thread::scope(|scope| {
            let watcher = thread::Builder::new()
                .name("line".to_owned())
                .spawn_scoped(scope, || {
                    while !is_done.load(Ordering::SeqCst) {
                        if let Some(reason) = stop.reason() {
                            own.ask(reason);
                        } else if stream.is_at_its_end() {
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
