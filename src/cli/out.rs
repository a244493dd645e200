//! What commands print: nobody reading on is no error, and a full disk is told instead of a panic.

use std::fmt::Display;
use std::io::{self, Write};

use crate::error::{Error, Result};
use crate::words::Code;

/// Prints a line on standard output.
///
/// # Errors
/// As [`text`].
pub(super) fn line(line: impl Display) -> Result<()> {
    text(format!("{line}\n"))
}

/// Prints text on standard output. Where whoever read it has enough (`sheetline check | head`) the rest
/// is nobody's.
///
/// # Errors
/// A sentence where it can't be written, as on a full disk.
pub(super) fn text(text: impl Display) -> Result<()> {
    let mut out = io::stdout().lock();
    let written = write!(out, "{text}").and_then(|()| out.flush());
    match written.map_err(unwritable) {
        Err(Error::Io(_)) => Ok(()),
        other => other,
    }
}

/// What keeps standard output from being written, as a sentence; `Io` where nobody reads on.
pub(super) fn unwritable(error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Error::Io(error);
    }
    let error = Error::from(error);
    if error.is_disk_full() {
        return Error::problem(
            Code::DiskFull,
            "The output can't be written: there is no room left where it goes. Make some, or send it elsewhere.",
        );
    }
    Error::problem(
        Code::Internal,
        format!("The output can't be written: {}.", super::plain(&error)),
    )
}

/// Prints text on standard error; where that can't be written there is nobody to tell.
pub(super) fn aside(text: impl Display) {
    let mut out = io::stderr().lock();
    let _ = write!(out, "{text}").and_then(|()| out.flush());
}
