//! Downloads: what spreadsheet programs and scripts take away.

pub mod csv;
pub mod xlsx;
