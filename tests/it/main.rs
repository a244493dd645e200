//! Sheetline's promises, one file per room. Everything here goes through the public library or the
//! built executable.

#![allow(
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    clippy::cast_possible_truncation,
    clippy::print_stdout,
    reason = "a test gives up where something is not as it should be, and says what it leaves out"
)]

mod accounts;
mod ahead;
mod architecture;
mod asked;
mod backups;
mod beside;
mod bounds;
mod client;
mod compound;
mod convert;
mod corpus;
mod disk;
mod document;
mod executable;
mod exports;
mod faults;
mod fields;
mod forms;
mod held;
mod html;
mod http_answers;
mod http_listener;
mod http_mutations;
mod list;
mod matrix;
mod migrations;
mod mutations;
mod office;
mod operations;
mod packs;
mod plain;
mod preview;
mod process;
mod program;
mod promises;
mod questions;
mod queue;
mod random;
mod reader;
mod results;
mod samples;
mod second_reader;
mod security;
mod settings;
mod sheet;
mod sniff;
mod sparse;
mod templates;
mod text;
mod undoing;
mod zeros;
