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
    match write!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::problem(
            Code::Internal,
            format!("The output can't be written: {error}."),
        )),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Prints text on standard error; where that can't be written there is nobody to tell.
pub(super) fn aside(text: impl Display) {
    let mut out = io::stderr().lock();
    let _ = write!(out, "{text}").and_then(|()| out.flush());
}
