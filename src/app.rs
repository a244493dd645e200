//! What all threads of a running server share.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::accounts::Accounts;
use crate::bell::Bell;
use crate::clock::Clock;
use crate::db::Db;
use crate::error::Result;
use crate::intake::InFlight;
use crate::metrics::Metrics;
use crate::pulse::Pulse;
use crate::report::estimate::Estimates;
use crate::runs::Runs;
use crate::settings::Settings;
use crate::stop::Stop;
use crate::turns::Turns;

/// The running program.
pub struct App {
    pub db: Arc<Db>,
    pub settings: Settings,
    pub clock: Arc<dyn Clock>,
    pub bell: Bell,
    pub runs: Runs,
    /// The lists that jobs check against and file into.
    pub turns: Turns,
    /// The uploads whose rows somebody reads.
    pub reading: Turns,
    pub estimates: Estimates,
    pub accounts: Accounts,
    pub in_flight: InFlight,
    pub pulse: Pulse,
    pub metrics: Arc<Metrics>,
    /// Whether attempts may have left rows that are to be removed when a worker has time.
    pub leftovers: AtomicBool,
    /// Whether what the last process left has still to be put in order, before the first job.
    pub disorder: Mutex<bool>,
    /// Asked when the process can wait no longer for its end: work inside requests stops.
    pub shutdown: Stop,
    /// Monotonic time of the start.
    pub started: Duration,
}

impl App {
    /// Opens the database and puts everything in its place; starts no thread.
    ///
    /// # Errors
    /// As [`Db::open`].
    pub fn open(settings: Settings, clock: Arc<dyn Clock>) -> Result<App> {
        let db = Arc::new(Db::open(&settings.db, Arc::clone(&clock))?);
        if settings.replicated {
            db.leave_log_alone()?;
        }
        let started = clock.monotonic();
        Ok(App {
            db,
            accounts: Accounts::new(&settings, Arc::clone(&clock)),
            settings,
            clock,
            bell: Bell::new(),
            runs: Runs::new(),
            turns: Turns::new(),
            reading: Turns::new(),
            estimates: Estimates::default(),
            leftovers: AtomicBool::new(true),
            disorder: Mutex::new(false),
            in_flight: InFlight::new(),
            pulse: Pulse::new(),
            metrics: Arc::default(),
            shutdown: Stop::new(),
            started,
        })
    }
}
