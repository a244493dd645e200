//! The listener (to come).
