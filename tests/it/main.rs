//! Sheetline's promises, one file per room. Everything here goes through the public library or the
//! built executable.

#![allow(clippy::unwrap_used, reason = "a test gives up where something fails")]

mod accounts;
mod corpus;
#[allow(dead_code, reason = "for the rooms that are to come")]
mod forms;
mod http_listener;
mod matrix;
#[allow(dead_code, reason = "for the rooms that are to come")]
mod office;
mod process;
mod reader;
mod settings;
mod sheet;
