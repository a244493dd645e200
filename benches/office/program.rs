//! The program that benches start.

use std::path::PathBuf;

/// Names another executable than the bench's own build, such as `target/release/sheetline`, which is given away.
const NAMED: &str = "SHEETLINE_BIN";

/// The executable. It is started in folders of its own, so a path from here is made whole.
pub(crate) fn executable() -> PathBuf {
    let Some(named) = std::env::var_os(NAMED) else {
        return PathBuf::from(env!("CARGO_BIN_EXE_sheetline"));
    };
    let path = PathBuf::from(named);
    assert!(
        path.is_file(),
        "{NAMED} must name an executable, and there is no file \"{}\"",
        path.display()
    );
    std::path::absolute(path).unwrap()
}
