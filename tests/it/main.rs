//! Sheetline's promises, one file per room. Everything here goes through the public library or the
//! built executable.

mod accounts;
mod corpus;
#[allow(dead_code, reason = "for the rooms that are to come")]
mod forms;
mod http_listener;
mod process;
mod reader;
mod settings;
mod sheet;
