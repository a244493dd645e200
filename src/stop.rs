//! A flag that asks a piece of work to stop, and says why.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::error::{Error, Result};

/// Why work is asked to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A person cancelled it.
    Cancelled,
    /// It took longer than it may.
    TimedOut,
    /// The process is about to end.
    Shutdown,
}

/// Shared by the work and by whoever may stop it. The first reason stays.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicU8>);

impl Stop {
    pub fn new() -> Stop {
        Stop::default()
    }

    /// Asks the work to stop.
    pub fn ask(&self, reason: Reason) {
        let value = match reason {
            Reason::Cancelled => 1,
            Reason::TimedOut => 2,
            Reason::Shutdown => 3,
        };
        // Where somebody asked before, their reason stands: nothing to do about the Err.
        let _ = self
            .0
            .compare_exchange(0, value, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Why the work is to stop, if it is.
    pub fn reason(&self) -> Option<Reason> {
        match self.0.load(Ordering::SeqCst) {
            1 => Some(Reason::Cancelled),
            2 => Some(Reason::TimedOut),
            3 => Some(Reason::Shutdown),
            _ => None,
        }
    }

    /// # Errors
    /// `Stopped` where the work was asked to stop.
    pub fn check(&self) -> Result<()> {
        match self.reason() {
            Some(_) => Err(Error::Stopped),
            None => Ok(()),
        }
    }
}
