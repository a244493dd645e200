//! What `cargo test` leaves out, because it needs programs that cargo does not bring: it says so, and
//! holds that the scripts beside it are there and that every change goes through them.

use std::io::Write;
use std::path::Path;

/// The scripts, and what they need.
const SCRIPTS: [(&str, &str); 3] = [
    ("tests/browser/run", "the page in a real Chromium"),
    ("tests/proxy/run", "nginx and Caddy before the server"),
    (
        "tests/exports/run",
        "exports read by openpyxl and LibreOffice",
    ),
];

#[test]
fn what_needs_other_programs_is_tried_by_scripts_that_every_change_goes_through() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let every_change = std::fs::read_to_string(root.join(".ci/run")).unwrap();
    for (script, what) in SCRIPTS {
        // Straight to standard error: what tests print is held back where they pass.
        writeln!(
            std::io::stderr(),
            "left out by cargo test: {what}; that is {script}"
        )
        .unwrap();
        assert!(root.join(script).is_file(), "{script}");
        assert!(
            every_change.lines().any(|line| line == script),
            ".ci/run does not call {script}"
        );
    }
}
