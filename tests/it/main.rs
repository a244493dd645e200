//! Sheetline's promises, one file per room. Everything here goes through the public library or the
//! built executable.

#![allow(clippy::unwrap_used, reason = "a test gives up where something fails")]

mod accounts;
mod architecture;
mod corpus;
mod document;
#[allow(dead_code, reason = "for the rooms that are to come")]
mod forms;
mod http_listener;
mod http_mutations;
#[allow(dead_code, reason = "for the rooms that are to come")]
mod office;
mod process;
mod reader;
mod results;
mod samples;
mod settings;
mod sheet;
mod sniff;
mod text;
