//! Promises of the settings: flag before environment before file before default, and mistakes are
//! named.

use std::path::Path;
use std::process::{Command, Output};

fn config(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sheetline"))
        .env_clear()
        .envs(variables.iter().copied())
        .current_dir(folder)
        .args(["config", "--show-origin"])
        .args(arguments)
        .output()
        .unwrap()
}

fn line(output: &Output, name: &str) -> String {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines()
        .find(|line| line.starts_with(&format!("{name} = ")))
        .unwrap_or_else(|| panic!("no {name}: {output:?}"))
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn a_flag_beats_the_environment_and_that_a_file_and_that_the_default() {
    let folder = tempfile::tempdir().unwrap();
    let all = |arguments: &[&str], variables: &[(&str, &str)]| {
        line(&config(folder.path(), arguments, variables), "workers")
    };
    assert_eq!(all(&[], &[]), r#"workers = "1" # default"#);
    std::fs::write(folder.path().join("sheetline.toml"), "workers = 2\n").unwrap();
    assert_eq!(all(&[], &[]), r#"workers = "2" # sheetline.toml"#);
    std::fs::write(folder.path().join("three"), "3\n").unwrap();
    let named = [("SHEETLINE_WORKERS_FILE", "three")];
    assert_eq!(
        all(&[], &named),
        r#"workers = "3" # the file of SHEETLINE_WORKERS_FILE"#
    );
    let both = [named[0], ("SHEETLINE_WORKERS", "4")];
    assert_eq!(all(&[], &both), r#"workers = "4" # SHEETLINE_WORKERS"#);
    assert_eq!(
        all(&["--workers", "5"], &both),
        r#"workers = "5" # command line"#
    );
}

#[test]
fn a_setting_that_does_not_exist_is_named_with_the_nearest_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("my.toml"), "max_uplod_mb = 2\n").unwrap();
    let output = config(folder.path(), &["--config", "my.toml"], &[]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("max_uplod_mb") && said.contains("\"max-upload-mb\""),
        "{said}"
    );
}

#[test]
fn a_value_that_is_none_names_its_setting() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("sheetline.toml"), "workers = \"many\"\n").unwrap();
    let output = config(folder.path(), &[], &[]);
    assert_ne!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("--workers") && said.contains("many"),
        "{said}"
    );
}
