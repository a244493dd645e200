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
fn a_slip_in_a_variable_is_an_error_and_a_variable_of_somebody_else_is_told() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["config", "serve"] {
        let output = Command::new(env!("CARGO_BIN_EXE_sheetline"))
            .env_clear()
            .env("SHEETLINE_WOKERS", "3")
            .current_dir(folder.path())
            .arg(command)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("Did you mean SHEETLINE_WORKERS?"), "{said}");
    }
    let output = config(folder.path(), &[], &[("SHEETLINE_BIN", "x")]);
    assert_eq!(output.status.code(), Some(0));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("SHEETLINE_BIN is no setting"), "{said}");
}

#[test]
fn the_path_of_the_settings_file_may_stand_in_a_file_too() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("my.toml"), "workers = 2\n").unwrap();
    std::fs::write(folder.path().join("where"), "my.toml\n").unwrap();
    let named = |file| config(folder.path(), &[], &[("SHEETLINE_CONFIG_FILE", file)]);
    assert_eq!(
        line(&named("where"), "workers"),
        r#"workers = "2" # my.toml"#
    );
    let mistaken = named("my.toml");
    assert_eq!(mistaken.status.code(), Some(2));
    let said = String::from_utf8(mistaken.stderr).unwrap();
    assert!(said.contains("is named with SHEETLINE_CONFIG."), "{said}");
}

#[test]
fn a_value_that_is_none_names_its_setting() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("sheetline.toml"), "workers = \"many\"\n").unwrap();
    let output = config(folder.path(), &[], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "sheetline: workers (sheetline.toml) is \"many\": it must be a whole number from 1 to 64.\n"
    );
}

#[test]
fn a_wrong_value_is_told_with_the_place_where_it_stands_and_what_would_be_right() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), "-2\n").unwrap();
    for (variable, value, sentence) in [
        (
            "SHEETLINE_WORKERS",
            "0",
            "SHEETLINE_WORKERS is \"0\": it must be a whole number from 1 to 64.",
        ),
        (
            "SHEETLINE_WORKERS_FILE",
            "secret",
            "workers (the file of SHEETLINE_WORKERS_FILE) is \"-2\": it must be a whole number from 1 to 64.",
        ),
        (
            "SHEETLINE_LISTEN",
            "5",
            "SHEETLINE_LISTEN is \"5\": it must be an address with a port, such as 127.0.0.1:8080, or unix: and a path.",
        ),
        (
            "SHEETLINE_PUBLIC_URL",
            "foo",
            "SHEETLINE_PUBLIC_URL is \"foo\": it must be an address such as https://sheets.example.org, without a path.",
        ),
        (
            "SHEETLINE_TRUSTED_PROXY",
            "127.0.0.1,nginx",
            "SHEETLINE_TRUSTED_PROXY is \"nginx\": it must be an IP address such as 127.0.0.1 or a network such as 10.0.0.0/8, without a port (or several, with commas).",
        ),
        (
            "SHEETLINE_LOG_LEVEL",
            "loud",
            "SHEETLINE_LOG_LEVEL is \"loud\": it must be one of error, warn, info, debug.",
        ),
        (
            "SHEETLINE_REPLICATED",
            "yes",
            "SHEETLINE_REPLICATED is \"yes\": it must be true or false.",
        ),
    ] {
        let output = config(folder.path(), &[], &[(variable, value)]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said, format!("sheetline: {sentence}\n"));
        assert_eq!(output.status.code(), Some(2));
    }
    // On the command line it stands before one's eyes.
    let output = config(folder.path(), &["--workers", "65"], &[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("'65' for '--workers <N>': it must be a whole number from 1 to 64"),
        "{said}"
    );
}

#[test]
fn a_file_that_is_no_toml_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sheetline.toml");
    std::fs::write(&file, "workers = 2\n\nlisten = [1\n").unwrap();
    let output = config(folder.path(), &[], &[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("not valid TOML in line 3"), "{said}");
}

#[test]
fn the_list_of_settings_is_a_settings_file() {
    let folder = tempfile::tempdir().unwrap();
    let odd = [
        "--db",
        "a \"b\" ü.db",
        "--trusted-proxy",
        "10.0.0.1,10.0.0.2",
        "--replicated",
    ];
    for arguments in [&[][..], &odd[..]] {
        let file = folder.path().join("sheetline.toml");
        let _ = std::fs::remove_file(&file);
        let list = |arguments: &[&str]| {
            let output = Command::new(env!("CARGO_BIN_EXE_sheetline"))
                .env_clear()
                .current_dir(folder.path())
                .arg("config")
                .args(arguments)
                .output()
                .unwrap();
            assert!(output.status.success(), "{output:?}");
            output.stdout
        };
        let first = list(arguments);
        std::fs::write(&file, &first).unwrap();
        assert_eq!(
            String::from_utf8(list(&[])).unwrap(),
            String::from_utf8(first).unwrap()
        );
    }
}

#[test]
fn what_is_set_to_nothing_is_not_set() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("sheetline.toml"),
        "trusted-proxy = \"\"\nworkers = \"\"\n",
    )
    .unwrap();
    let nothing = [("SHEETLINE_PUBLIC_URL", ""), ("SHEETLINE_WORKERS", "")];
    let output = config(folder.path(), &[], &nothing);
    assert_eq!(line(&output, "workers"), "workers = \"1\" # default");
    assert_eq!(
        line(&output, "# public-url"),
        "# public-url = \"\" # not set"
    );
}

#[test]
fn nobody_who_reads_on_is_no_error_and_a_full_disk_is_told() {
    use std::process::Stdio;
    let folder = tempfile::tempdir().unwrap();
    crate::client::add_user(folder.path(), "anna", &[]);
    std::fs::write(folder.path().join("list.csv"), "a,b\n1,2\n").unwrap();
    for command in [
        &["config"][..],
        &["convert", "list.csv"],
        &["check"],
        &["check", "--json"],
        &["user", "list"],
        &["health"],
        &["systemd"],
    ] {
        let run = |out: Stdio| {
            crate::client::sheetline(folder.path())
                .args(command)
                .stdout(out)
                .output()
                .unwrap()
        };
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = run(writer.into());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.is_empty(), "{command:?} {said}");
        assert!(matches!(output.status.code(), Some(0 | 1)), "{command:?}");
        #[cfg(target_os = "linux")]
        {
            let full = std::fs::OpenOptions::new()
                .write(true)
                .open("/dev/full")
                .unwrap();
            let output = run(full.into());
            let said = String::from_utf8(output.stderr).unwrap();
            let sentence = "sheetline: The output can't be written: there is no room left where it goes. Make some, or send it elsewhere.";
            assert!(said.starts_with(sentence), "{said}");
            assert_eq!(said.lines().count(), 1, "{said}");
            assert_eq!(output.status.code(), Some(2), "{command:?}");
        }
    }
}
