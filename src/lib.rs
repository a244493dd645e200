//! Sheetline: spreadsheets in, clean records out.

// ground
pub mod clock;
pub mod error;
pub mod stop;
pub mod words;
// workshop
pub mod sheet;
// hands
pub mod process;
// street
pub mod http;
