//! SIGTERM and Ctrl-C, on systems with signals and on Windows, which knows Ctrl-C alone.

use signal_hook::consts::{SIGINT, SIGTERM};

/// Catches both from now on.
#[cfg(unix)]
pub(super) struct Signals(signal_hook::iterator::Signals);

#[cfg(unix)]
impl Signals {
    /// # Errors
    /// What the system said.
    pub(super) fn new() -> std::io::Result<Signals> {
        signal_hook::iterator::Signals::new([SIGTERM, SIGINT]).map(Signals)
    }

    /// Waits for one; its number.
    pub(super) fn wait(&mut self) -> i32 {
        self.0.forever().next().unwrap_or(0)
    }
}

/// Catches both from now on.
#[cfg(not(unix))]
pub(super) struct Signals(std::sync::Arc<std::sync::atomic::AtomicUsize>);

#[cfg(not(unix))]
impl Signals {
    /// # Errors
    /// What the system said.
    pub(super) fn new() -> std::io::Result<Signals> {
        let caught = std::sync::Arc::default();
        for signal in [SIGTERM, SIGINT] {
            let number = usize::try_from(signal).unwrap_or(0);
            signal_hook::flag::register_usize(signal, std::sync::Arc::clone(&caught), number)?;
        }
        Ok(Signals(caught))
    }

    /// Waits for one; its number.
    pub(super) fn wait(&mut self) -> i32 {
        loop {
            let caught = self.0.load(std::sync::atomic::Ordering::SeqCst);
            if caught != 0 {
                return i32::try_from(caught).unwrap_or(0);
            }
            // There is nothing to wait at but the flag.
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }
}
