//! The program that tests start.

use std::path::Path;

/// The executable, built for the tests.
pub(crate) fn executable() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_sheetline"))
}
