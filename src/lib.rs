//! Sheetline: spreadsheets in, clean records out.
//!
//! The house, from the street to the ground. Calls go downward only; `docs/ARCHITECTURE.md` names
//! every arrow, and a test holds the code against it.
//!
//! ```text
//! street    cli ─ server ─ http ─ worker ─ scheduler          app: what they share
//!                            │       │         │
//! hands     accounts ─ intake ─ catalog ─ process ─ report ─ repair
//!                │        │                  │        │
//! shelf     store: one file per table        │      (reads)
//! workshop        sheet: bytes → rows, in a child process
//!                            │
//! ground    db ─ clock ─ bell ─ runs ─ stop ─ turns ─ pulse ─ room ─ settings ─ limits ─ error ─ words ─ id
//!           metrics · faults (tests only)
//! ```
//!
//! A file goes: http → accounts (who) → intake (file, upload and job in one transaction) → the queue
//! in the database → worker → sheet → process → store (records, report and final state in one
//! transaction) → report.

// ground
pub mod bell;
pub mod clock;
pub mod db;
pub mod error;
pub mod faults;
pub mod id;
pub mod limits;
pub mod logged;
pub mod metrics;
pub mod pulse;
pub mod room;
pub mod runs;
pub mod settings;
pub mod stop;
pub mod turns;
pub mod words;
pub mod zlib;
// workshop and shelf
pub mod sheet;
pub mod store;
// hands
pub mod accounts;
pub mod catalog;
pub mod intake;
pub mod process;
pub mod repair;
pub mod report;
// street
pub mod app;
pub mod cli;
pub mod http;
pub mod scheduler;
pub mod server;
pub mod worker;
