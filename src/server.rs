//! The running server: listener, workers and scheduler around one [`App`], and their orderly end.

use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rouille::Response;

use crate::app::App;
use crate::db::patience;
use crate::error::{Error, Result};
pub use crate::http::listener::Address;
use crate::http::listener::{self, Bounds, Handler, Incoming};
use crate::http::routes;
use crate::stop::{Reason, Stop};
use crate::words::Code;
use crate::{scheduler, worker};

/// How long a stop may take in all.
const STOP_WAIT: Duration = Duration::from_millis(4_000);

/// How long requests in flight have to finish by themselves.
const REQUESTS_WAIT: Duration = Duration::from_millis(3_000);

/// How long the database is waited for at the end.
const TIDY_WAIT: Duration = Duration::from_millis(500);

/// A server that runs.
pub struct Server {
    app: Arc<App>,
    address: Address,
    door: listener::Shutdown,
    /// Ends the reading ahead.
    reading: Stop,
    threads: Vec<JoinHandle<()>>,
}

struct Door(Arc<App>);

impl Handler for Door {
    fn handle(&self, incoming: &mut Incoming<'_>) -> Response {
        routes::answer(&self.0, incoming)
    }
}

impl Server {
    /// Puts the house in order after whatever happened to the last process, then opens the door.
    ///
    /// # Errors
    /// Where the database or the address can't be used.
    pub fn start(app: Arc<App>) -> Result<Server> {
        worker::order::at_start(&app)?;
        app.db.hold_reserve();
        let bounds = Bounds {
            connections_max: app.settings.connections_max,
            connections_per_address_max: app.settings.connections_per_address_max,
            trusted_proxies: app.settings.trusted_proxies.clone(),
            door: app.settings.door.clone(),
            metrics: Arc::clone(&app.metrics),
        };
        let listener = listener::bind(&app.settings.listen, bounds).map_err(|error| {
            Error::problem(
                Code::BadRequest,
                format!(
                    "Can't listen at {}: {error}. Name another address with --listen.",
                    app.settings.listen
                ),
            )
        })?;
        let address = listener.address().clone();
        let door = listener.handle();
        let mut threads = Vec::new();
        for number in 1..=app.settings.workers.max(1) {
            let shared = Arc::clone(&app);
            threads.push(spawn(&format!("worker-{number}"), move || {
                worker::run(&shared);
            })?);
        }
        let (shared, reading) = (Arc::clone(&app), Stop::new());
        let stop = reading.clone();
        threads.push(spawn("ahead", move || worker::ahead::run(&shared, &stop))?);
        let shared = Arc::clone(&app);
        threads.push(spawn("log", move || shared.db.move_log())?);
        let shared = Arc::clone(&app);
        threads.push(spawn("scheduler", move || scheduler::run(&shared))?);
        let handler = Arc::new(Door(Arc::clone(&app)));
        threads.push(spawn("listener", move || listener.run(handler))?);
        Ok(Server {
            app,
            address,
            door,
            reading,
            threads,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> &Address {
        &self.address
    }

    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// No new connections; requests in flight finish; a running job goes back into the queue.
    /// False: something was still running after 4 s.
    pub fn stop(self) -> bool {
        let until = Instant::now() + STOP_WAIT;
        // First, so that whoever was waiting for news is told that the connection ends.
        self.door.begin();
        self.app.bell.close();
        self.app.db.leave_log_where_it_is();
        self.app.runs.stop_all(Reason::Shutdown);
        self.reading.ask(Reason::Shutdown);
        if !self.door.wait_for_requests(REQUESTS_WAIT) {
            // Whoever still reads a file is told so while there is time to answer.
            self.app.shutdown.ask(Reason::Shutdown);
        }
        let quiet = self
            .door
            .wait(until.saturating_duration_since(Instant::now()));
        let mut ended = true;
        for thread in self.threads {
            while !thread.is_finished() && Instant::now() < until {
                thread::sleep(Duration::from_millis(5));
            }
            if thread.is_finished() {
                if thread.join().is_err() {
                    log::error!("a thread ended in a panic");
                }
            } else {
                ended = false;
            }
        }
        // Where another program holds the database, the log is as well moved at the next start.
        let _hurry = patience::hurry(TIDY_WAIT);
        if let Err(error) = self.app.db.tidy() {
            log::warn!("the database could not be tidied: {error}");
        }
        quiet && ended
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(work)
}
