//! A line on the terminal that says how far a command is; nothing where nobody looks.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

/// How often the line changes.
const EVERY: Duration = Duration::from_millis(200);

/// The line; it goes when this is dropped.
pub(super) struct Progress {
    what: &'static str,
    rows: u64,
    /// How many rows there will be, about.
    pub(super) total: Option<u64>,
    /// `None`: standard error is no terminal.
    next: Option<Instant>,
    shown: bool,
}

impl Progress {
    /// `what` is done: "Reading".
    pub(super) fn new(what: &'static str) -> Progress {
        Progress {
            what,
            rows: 0,
            total: None,
            next: io::stderr().is_terminal().then(|| Instant::now() + EVERY),
            shown: false,
        }
    }

    pub(super) fn row(&mut self) {
        self.rows += 1;
        // Asking for the time at each row would cost more than reading it.
        if !self.rows.is_multiple_of(1_024) {
            return;
        }
        let now = Instant::now();
        if let Some(next) = &mut self.next
            && now >= *next
        {
            *next = now + EVERY;
            self.shown = true;
            let (what, rows) = (self.what, self.rows);
            match self.total.filter(|total| *total >= rows) {
                Some(total) => {
                    super::out::aside(format_args!("\r{what}: {rows} of about {total} rows "));
                }
                None => super::out::aside(format_args!("\r{what}: {rows} rows ")),
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            // Back to the line's start, and the line erased.
            super::out::aside(format_args!("\r\x1b[K"));
        }
    }
}
