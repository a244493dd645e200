//! A few threads that live as long as the process, for work that takes much memory at once. Made on
//! the thread of each connection, the C library would keep such memory for every one of its arenas:
//! hundreds of megabytes after a busy morning.

use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;

use crate::error::{Error, Result};

type Work = Box<dyn FnOnce() + Send>;

/// The threads; they meet at this queue.
pub(super) struct Crew(LazyLock<Mutex<Sender<Work>>>);

impl Crew {
    /// Two threads, begun when they are first needed.
    pub(super) const fn of_two() -> Crew {
        Crew(LazyLock::new(|| {
            let (to, from) = mpsc::channel::<Work>();
            let from = Arc::new(Mutex::new(from));
            for _ in 0..2 {
                let from = Arc::clone(&from);
                let begun = thread::Builder::new()
                    .name("crew".to_owned())
                    .spawn(move || work_on(&from));
                if let Err(error) = begun {
                    log::error!("no thread for passwords: {error}");
                }
            }
            Mutex::new(to)
        }))
    }

    /// What the work gives, done by one of the threads.
    ///
    /// # Errors
    /// `Internal` where it panicked or there is no thread.
    pub(super) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let (to, from) = mpsc::channel();
        let work: Work = Box::new(move || {
            // Where nobody waits any more there is nobody to tell.
            let _ = to.send(work());
        });
        let sent = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .send(work);
        match sent.map(|()| from.recv()) {
            Ok(Ok(made)) => Ok(made),
            Ok(Err(_)) | Err(_) => Err(Error::Internal("work was not done".to_owned())),
        }
    }
}

fn work_on(queue: &Mutex<Receiver<Work>>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(work) = next else { return };
        if panic::catch_unwind(AssertUnwindSafe(work)).is_err() {
            log::error!("work panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_panics_is_an_error_and_the_next_one_is_done() {
        static CREW: Crew = Crew::of_two();
        for _ in 0..5 {
            let failed: Result<()> = CREW.run(|| panic!("broken"));
            assert!(matches!(failed, Err(Error::Internal(_))));
        }
        assert_eq!(CREW.run(|| 6 * 7).unwrap(), 42);
    }
}
