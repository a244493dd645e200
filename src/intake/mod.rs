//! From a spooled file to an upload and, where asked, a job: committed together.

/// Uploads under an Idempotency-Key that are still running.
#[derive(Debug, Default)]
pub struct InFlight;

impl InFlight {
    pub fn new() -> InFlight {
        InFlight
    }
}
