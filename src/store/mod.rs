//! The shelf: one file per table; nothing else writes to it.
