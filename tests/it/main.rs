//! Sheetline's promises, one file per room. Everything here goes through the public library or the
//! built executable.

mod accounts;
mod corpus;
mod executable;
mod forms;
mod http_listener;
mod process;
mod reader;
mod sheet;
mod sniff;
mod text;
