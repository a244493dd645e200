//! Sheetline: spreadsheets in, clean records out.

// ground
pub mod bell;
pub mod clock;
pub mod db;
pub mod error;
pub mod id;
pub mod metrics;
pub mod pulse;
pub mod runs;
pub mod settings;
pub mod stop;
pub mod words;
// workshop and shelf
pub mod sheet;
pub mod store;
// hands
pub mod accounts;
pub mod catalog;
pub mod intake;
pub mod process;
pub mod report;
// street
pub mod app;
pub mod cli;
pub mod http;
pub mod scheduler;
pub mod server;
pub mod worker;
