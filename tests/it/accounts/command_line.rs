//! Users on the command line, and the first one from the environment.

use super::{OTHER, refused, try_sign_in, with_session};
use crate::office::{Office, PASSWORD};

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

/// Runs the program with these arguments on the database of a folder.
fn sheetline(folder: &std::path::Path, arguments: &[&str], input: &str) -> Ran {
    use std::io::Write;
    let mut child = command(folder).args(arguments).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A program that wants no input may be gone before it is written.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn command(folder: &std::path::Path) -> std::process::Command {
    use std::process::Stdio;
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sheetline"));
    command
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

#[test]
fn users_are_managed_on_the_command_line_with_and_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], input: &str| sheetline(folder.path(), arguments, input);
    let list = run(&["user", "list"], "");
    assert_eq!(list.code, Some(2));
    assert!(list.err.contains("There is no database"), "{}", list.err);

    let password = format!("{PASSWORD}\n");
    let add = run(
        &["user", "add", "--admin", "Root", "--password-stdin"],
        &password,
    );
    assert_eq!(
        (add.code, add.out.as_str()),
        (Some(0), "Root is added (administrator).\n")
    );
    let office = Office::with(|settings| settings.db = folder.path().join("sheetline.db"));
    // From here on the database is in use by a server.
    let email = [
        "user",
        "add",
        "anna",
        "--email",
        "a@b.de",
        "--password-stdin",
    ];
    assert_eq!(run(&email, &password).code, Some(0));
    let anna = office.sign_in("anna").session;

    let list = run(&["user", "list"], "");
    let lines: Vec<&str> = list.out.lines().collect();
    assert_eq!(lines.len(), 3, "{}", list.out);
    assert!(lines[0].starts_with("ID  NAME  ROLE           STATE"));
    assert!(lines[1].starts_with("1   Root  administrator  active"));
    assert!(lines[2].starts_with("2   anna  member         active"));

    let again = run(&["user", "add", "ROOT", "--password-stdin"], &password);
    assert_eq!(again.code, Some(2));
    assert!(
        again.err.contains("There is a user named Root already"),
        "{}",
        again.err
    );
    let weak = run(
        &["user", "passwd", "anna", "--password-stdin"],
        "password123\n",
    );
    assert_eq!(weak.code, Some(2));
    assert!(weak.err.contains("common"), "{}", weak.err);
    assert_eq!(with_session(&office, &anna).status, 200);
    let new = run(&["user", "passwd", "ANNA", "--password-stdin"], OTHER);
    assert_eq!(new.code, Some(0), "{}", new.err);
    refused(&with_session(&office, &anna), 401, "session-revoked");
    try_sign_in(&office, "anna", OTHER).expect(200);

    assert_eq!(run(&["user", "disable", "anna"], "").code, Some(0));
    refused(
        &try_sign_in(&office, "anna", OTHER),
        403,
        "account-disabled",
    );
    assert!(run(&["user", "list"], "").out.contains("disabled"));
    assert_eq!(run(&["user", "enable", "anna"], "").code, Some(0));
    try_sign_in(&office, "anna", OTHER).expect(200);
    let last = run(&["user", "disable", "root"], "");
    assert_eq!(last.code, Some(2));
    assert!(last.err.contains("administrator"), "{}", last.err);
    let nobody = run(&["user", "enable", "nobody"], "");
    assert_eq!(nobody.code, Some(2));
    assert!(
        nobody.err.contains("There is no user named nobody"),
        "{}",
        nobody.err
    );
}

#[test]
fn without_a_terminal_a_password_is_not_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let add = sheetline(folder.path(), &["user", "add", "root"], "");
    assert_eq!(add.code, Some(2));
    assert!(add.err.contains("--password-stdin"), "{}", add.err);
}

/// Starts the server with this environment until it has printed its address, or has ended.
fn serve(folder: &std::path::Path, environment: &[(&str, &str)]) -> (Vec<String>, String) {
    use std::io::{BufRead, Read};
    let mut child = command(folder)
        .args(["serve", "--listen", "127.0.0.1:0"])
        .envs(environment.iter().copied())
        .spawn()
        .unwrap();
    let mut lines = Vec::new();
    for line in std::io::BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        let ready = line.starts_with("listening on");
        lines.push(line);
        if ready {
            break;
        }
    }
    child.kill().unwrap();
    let mut err = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut err)
        .unwrap();
    child.wait().unwrap();
    (lines, err)
}

#[test]
fn the_first_administrator_may_come_from_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password.txt");
    std::fs::write(&file, format!("{PASSWORD}\n")).unwrap();
    let (lines, err) = serve(folder.path(), &[("SHEETLINE_ADMIN_NAME", "root")]);
    assert!(
        lines.is_empty() && err.contains("SHEETLINE_ADMIN_PASSWORD_FILE"),
        "{err}"
    );
    let (lines, err) = serve(folder.path(), &[]);
    assert!(!err.contains("others may read"), "{err}");
    assert!(lines.iter().any(|line| line.contains("SETUP")), "{lines:?}");
    assert!(folder.path().join("setup-code.txt").exists());

    let file = file.to_str().unwrap();
    let root = [
        ("SHEETLINE_ADMIN_NAME", "root"),
        ("SHEETLINE_ADMIN_PASSWORD_FILE", file),
    ];
    let (lines, err) = serve(folder.path(), &root);
    assert!(!lines.is_empty(), "{err}");
    assert!(
        !lines.iter().any(|line| line.contains("SETUP")),
        "{lines:?}"
    );
    assert!(!folder.path().join("setup-code.txt").exists());
    let other = [
        ("SHEETLINE_ADMIN_NAME", "other"),
        ("SHEETLINE_ADMIN_PASSWORD", OTHER),
    ];
    let (_, err) = serve(folder.path(), &other);
    assert!(err.contains("ignored"), "{err}");
    assert!(!err.contains(OTHER));

    let office = Office::with(|settings| settings.db = folder.path().join("sheetline.db"));
    office.sign_in("root").get("/api/users").expect(200);
    refused(
        &try_sign_in(&office, "other", OTHER),
        401,
        "invalid-credentials",
    );
}

#[cfg(unix)]
#[test]
fn a_database_that_others_may_read_is_told_at_the_start() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    serve(folder.path(), &[]);
    let db = folder.path().join("sheetline.db");
    std::fs::set_permissions(&db, std::fs::Permissions::from_mode(0o640)).unwrap();
    let (_, err) = serve(folder.path(), &[]);
    assert!(
        err.contains("others may read the database (mode 640)"),
        "{err}"
    );
}
