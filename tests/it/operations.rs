//! Promises to whoever runs the server: its health is told, the log can be read by people and by programs
//! and holds no secret, and a check finds what is wrong and says what to do.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Output;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::client::{Served, add_user, log, serve, sheetline, wait_until};
use crate::forms::PASSWORD;
use crate::office::Office;

fn office() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    add_user(folder.path(), "anna", &["--admin"]);
    folder
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    sheetline(folder).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// An administrator's API token, in a file.
fn token_file(served: &Served) -> String {
    let session = served.sign_in("anna");
    let bearer = format!("Bearer {session}");
    let made = served
        .ask(
            "POST",
            "/api/auth/tokens",
            &[
                ("Authorization", &bearer),
                ("Content-Type", "application/json"),
            ],
            br#"{"name":"check"}"#,
        )
        .unwrap()
        .expect(201);
    fs::write(served.folder.join("token"), made["token"].as_str().unwrap()).unwrap();
    "token".to_owned()
}

/// What `check` found, by the word of each finding that is not sound.
#[track_caller]
fn problems(folder: &Path, arguments: &[&str]) -> Vec<(String, String)> {
    let mut all = vec!["check", "--json"];
    all.extend_from_slice(arguments);
    let output = run(folder, &all);
    let found: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    let list = found["findings"].as_array().unwrap();
    assert!(list.len() > 10, "{found}");
    let bad: Vec<(String, String)> = list
        .iter()
        .filter(|finding| finding["sound"] == json!(false))
        .map(|finding| {
            assert!(finding["next"].as_str().unwrap().len() > 5, "{finding}");
            let word = |name: &str| finding[name].as_str().unwrap().to_owned();
            (
                word("check"),
                format!("{} {}", word("message"), word("next")),
            )
        })
        .collect();
    assert_eq!(found["sound"], json!(bad.is_empty()));
    assert_eq!(output.status.code(), Some(i32::from(!bad.is_empty())));
    bad
}

#[test]
fn health_is_a_line_and_an_exit_status() {
    let folder = office();
    let served = serve(folder.path(), &[]);
    let url = format!("http://{}", served.address);
    let well = run(folder.path(), &["health", "--url", &url]);
    assert_eq!(well.status.code(), Some(0), "{}", text(&well.stdout));
    assert!(text(&well.stdout).starts_with("ok: 0 waiting, 0 in work"));
    assert_eq!(text(&well.stdout).lines().count(), 1);
    let listen = run(folder.path(), &["health", "--listen", &served.address]);
    assert_eq!(listen.status.code(), Some(0));
    let body = served
        .ask("GET", "/api/health", &[], b"")
        .unwrap()
        .expect(200);
    assert_eq!(body["database_writable"], json!(true));
    assert_eq!(body["worker"]["running"], json!(true));
    assert!(body["disk_free_bytes"].as_u64().unwrap() > 0);
    // Somebody else holds the database for writing.
    let other = Connection::open(folder.path().join("office.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let held = run(folder.path(), &["health", "--url", &url]);
    assert_eq!(held.status.code(), Some(1));
    assert!(text(&held.stdout).starts_with("database-not-writable"));
    other.execute_batch("ROLLBACK").unwrap();
    served.terminate();
    let gone = run(folder.path(), &["health", "--url", &url]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(text(&gone.stdout).contains("No answer"));
}

#[test]
fn a_log_in_json_is_an_object_a_line_and_holds_no_secret() {
    let folder = office();
    let served = serve(
        folder.path(),
        &[
            "--log-format",
            "json",
            "--log-level",
            "debug",
            "--log-file",
            "out.log",
        ],
    );
    let session = served.sign_in("anna");
    token_file(&served);
    let token = fs::read_to_string(folder.path().join("token")).unwrap();
    served
        .get(&token, "/api/records?q=needle-in-a-query")
        .unwrap();
    let wrong = json!({ "username": "anna", "password": "hunter2hunter2" }).to_string();
    let headers = [("Content-Type", "application/json")];
    served
        .ask("POST", "/api/auth/login", &headers, wrong.as_bytes())
        .unwrap();
    let list = b"Company Name,LinkedIn_URL\nSecret Cell GmbH,not a link\n";
    let queued = served
        .upload(&session, "upload-and-process", "a.csv", list, None)
        .unwrap()
        .expect(202);
    served.wait_for_end(&session, queued["job_id"].as_i64().unwrap());
    served.terminate();
    let written = fs::read_to_string(folder.path().join("out.log")).unwrap();
    let mut messages = Vec::new();
    for line in written.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["time"].as_str().unwrap().ends_with('Z'));
        assert!(
            ["info", "warn"].contains(&line["level"].as_str().unwrap()),
            "{line}"
        );
        let message = line["message"].as_str().unwrap();
        if message.contains(" GET ") || message.contains(" POST ") {
            assert_eq!(line["address"], json!("127.0.0.1"), "{line}");
        }
        if message.starts_with("user=anna session=") {
            assert_eq!(line["user"], json!("anna"));
            assert_eq!(line["session"].as_str().unwrap().len(), 4, "{line}");
        }
        if message.contains("job=1") {
            assert_eq!(
                (&line["user"], &line["job"]),
                (&json!("anna"), &json!(1)),
                "{line}"
            );
        }
        messages.push(line["message"].as_str().unwrap().to_owned());
    }
    assert!(
        messages
            .iter()
            .any(|m| m.contains("user=anna") && m.contains("job=1"))
    );
    for secret in [
        PASSWORD,
        "hunter2",
        &session,
        &token,
        "Secret Cell",
        "not a link",
        "needle-in-a-query",
    ] {
        assert!(!written.contains(secret), "{secret}");
    }
    assert_eq!(log(folder.path()), "");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let about = fs::metadata(folder.path().join("out.log")).unwrap();
        assert_eq!(about.permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn no_address_that_there_is_not_gets_into_the_log() {
    let folder = office();
    let served = serve(folder.path(), &[]);
    let session = served.sign_in("anna");
    for path in [
        format!("/x/{session}"),
        format!("/api/nothing/{session}?a={session}"),
        format!("/api/jobs/{session}/report"),
        format!("/{session}"),
    ] {
        served.get(&session, &path).unwrap();
    }
    // What breaks off is told by the listener itself.
    let mut stream = TcpStream::connect(&served.address).unwrap();
    write!(
        stream,
        "POST /api/files/{session} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx"
    )
    .unwrap();
    drop(stream);
    served.get(&session, "/api/jobs?limit=1").unwrap();
    served.terminate();
    let written = log(folder.path());
    assert!(written.contains(" GET - 404 "), "{written}");
    assert!(written.contains(" GET /api/jobs 200 "), "{written}");
    assert!(written.contains("GET /api/jobs/.../report"), "{written}");
    assert!(!written.contains(&session), "{written}");
}

#[test]
fn a_full_log_file_makes_room_for_the_next_without_cutting_a_line() {
    let folder = office();
    let served = serve(
        folder.path(),
        &[
            "--log-file",
            "out.log",
            "--log-file-mb",
            "1",
            "--log-format",
            "json",
        ],
    );
    let requests = "GET /api/files/x HTTP/1.1\r\nHost: a\r\n\r\n".repeat(1_000);
    wait_until(|| {
        let mut stream = TcpStream::connect(&served.address).unwrap();
        let mut writer = stream.try_clone().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                writer.write_all(requests.as_bytes()).unwrap();
                writer.shutdown(std::net::Shutdown::Write).unwrap();
            });
            stream.read_to_end(&mut Vec::new()).unwrap();
        });
        folder.path().join("out.log.1").exists().then_some(())
    });
    served.terminate();
    for name in ["out.log", "out.log.1"] {
        let written = fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(written.ends_with('\n'));
        for line in written.lines() {
            serde_json::from_str::<Value>(line).unwrap();
        }
    }
}

#[test]
fn a_log_file_that_cannot_be_written_stops_the_start_and_names_its_setting() {
    let folder = office();
    let output = run(folder.path(), &["serve", "--log-file", "nowhere/out.log"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--log-file"), "{output:?}");
}

#[test]
fn a_sound_office_has_no_finding() {
    let folder = office();
    assert_eq!(problems(folder.path(), &[]), []);
    let served = serve(folder.path(), &[]);
    assert_eq!(problems(folder.path(), &[]), []);
    served.terminate();
    let people = run(folder.path(), &["check"]);
    assert!(
        text(&people.stdout)
            .lines()
            .all(|line| line.starts_with("ok  "))
    );
}

#[test]
fn whatever_is_wrong_is_found_with_its_next_step() {
    let folder = office();
    let db = folder.path().join("office.db");
    let sql = "
        PRAGMA foreign_keys = OFF;
        INSERT INTO uploads (id, user_id, filename, size, sha256, format, status, uploaded_at)
        VALUES ('x', 1, 'a.csv', 5, '', 'csv', 'stored', '2026-01-01T00:00:00.000Z');
        INSERT INTO upload_rows (upload_no, sheet, row, cells) VALUES (77, 0, 1, '[]');
        INSERT INTO jobs (user_id, upload_no, operation, template, on_duplicate, queued_at, changed_at)
        VALUES (1, 1, 'process', 'companies', 'skip', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z');
        UPDATE jobs SET status = 'processing', attempt = 1, started_at = '2026-01-01T00:00:00.000Z';
        INSERT INTO audit (at, who, action) VALUES ('2999-01-01T00:00:00.000Z', '-', 'x');";
    Connection::open(&db).unwrap().execute_batch(sql).unwrap();
    fs::write(folder.path().join("office.db.before-v9.bak.partial"), "").unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&db, fs::Permissions::from_mode(0o644)).unwrap();
    }
    let found = problems(folder.path(), &["--trusted-proxy", "127.0.0.1"]);
    let words: Vec<&str> = found.iter().map(|(check, _)| check.as_str()).collect();
    assert_eq!(
        words,
        [
            "references",
            "jobs",
            "files",
            "left-overs",
            "clock",
            "permissions",
            "proxy"
        ]
    );
    assert!(found[1].1.contains("job 1 (a.csv)"), "{found:?}");
}

#[test]
fn a_database_that_can_not_be_read_is_a_finding_with_the_next_step() {
    let folder = office();
    let served = serve(folder.path(), &[]);
    served.sign_in("anna");
    served.terminate();
    let db = folder.path().join("office.db");
    let whole = fs::read(&db).unwrap();
    let mut damaged = whole.clone();
    damaged[4_096..].fill(7);
    let other = b"no database at all, only a text that is long enough for a head".to_vec();
    for (what, bytes) in [
        ("empty", Vec::new()),
        ("cut", whole[..whole.len() / 2].to_vec()),
        ("cut in its first page", whole[..1_000].to_vec()),
        ("damaged", damaged),
        ("a text", other),
    ] {
        fs::write(&db, &bytes).unwrap();
        let _ = fs::remove_file(folder.path().join("office.db-wal"));
        let output = run(folder.path(), &["check", "--json"]);
        assert_eq!(output.status.code(), Some(1), "{what}: {output:?}");
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(found["sound"], json!(false), "{what}");
        let list = found["findings"].as_array().unwrap();
        let finding = list.iter().find(|one| one["check"] == "integrity").unwrap();
        assert_eq!(finding["sound"], json!(false), "{what}: {finding}");
        let next = finding["next"].as_str().unwrap();
        assert!(next.contains("sheetline restore"), "{what}: {finding}");
        // The rest is told all the same.
        assert!(list.iter().any(|one| one["check"] == "room"), "{what}");
        let said = text(&run(folder.path(), &["check"]).stdout);
        assert!(said.contains("PROBLEM") && said.contains("-> "), "{said}");
        if bytes.is_empty() {
            assert_eq!(
                fs::metadata(&db).unwrap().len(),
                0,
                "something was made in it"
            );
        }
    }
    fs::remove_file(&db).unwrap();
    assert_eq!(run(folder.path(), &["check"]).status.code(), Some(2));
}

#[cfg(unix)]
#[test]
fn a_folder_that_everybody_may_write_is_found() {
    use std::os::unix::fs::PermissionsExt;
    let folder = office();
    let mode = |mode| fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
    mode(0o777);
    let found = problems(folder.path(), &[]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].0 == "permissions" && found[0].1.contains("folder"),
        "{found:?}"
    );
    mode(0o755);
    assert!(problems(folder.path(), &[]).is_empty());
}

/// A proxy that hides who asks and for what.
fn bare_proxy(to: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let to = to.to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let mut client = client.unwrap();
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte).unwrap_or(0) > 0 {
                head.push(byte[0]);
            }
            let head = String::from_utf8(head).unwrap();
            let lines: Vec<String> = head
                .lines()
                .map(|line| match line.split_once(": ") {
                    Some(("Host", _)) => format!("Host: {to}"),
                    _ => line.to_owned(),
                })
                .collect();
            let length: u64 = lines
                .iter()
                .find_map(|line| line.strip_prefix("Content-Length: "))
                .map_or(0, |text| text.parse().unwrap());
            let mut server = TcpStream::connect(&to).unwrap();
            server
                .write_all((lines.join("\r\n") + "\r\n").as_bytes())
                .unwrap();
            let _ = std::io::copy(&mut client.try_clone().unwrap().take(length), &mut server);
            let _ = std::io::copy(&mut server, &mut client);
        }
    });
    address
}

#[test]
fn a_proxy_that_opens_the_figures_to_everybody_is_found() {
    let folder = office();
    let served = serve(folder.path(), &["--max-upload-mb", "1"]);
    let token = token_file(&served);
    let proxy = bare_proxy(&served.address);
    let through = |to: &str| {
        let url = format!("http://{to}");
        let flags = [
            "--through",
            &url,
            "--token-file",
            &token,
            "--max-upload-mb",
            "1",
        ];
        problems(folder.path(), &flags)
    };
    let found = through(&proxy);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].1.contains("/metrics"), "{found:?}");
    assert_eq!(through(&served.address), []);
    served.terminate();
}

/// A proxy that lets bodies of at most `limit` bytes through, says whose they are, and answers nothing, with
/// status 200, to a host that it does not know, as Caddy does.
fn proxy(to: &str, limit: usize) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let to = to.to_owned();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let _ = pass(client.unwrap(), &to, limit);
        }
    });
    address
}

fn pass(mut client: TcpStream, to: &str, limit: usize) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length: usize = head
        .lines()
        .find_map(|line| line.strip_prefix("Content-Length: "))
        .map_or(0, |text| text.parse().unwrap());
    if head.contains("Host: sheetline.invalid\r\n") {
        client.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")?;
        return Ok(());
    }
    if length > limit {
        client.write_all(b"HTTP/1.0 413 Too Large\r\n\r\n<html>nginx</html>")?;
        return Ok(());
    }
    let mut server = TcpStream::connect(to)?;
    let head = head.replacen("\r\n", "\r\nX-Forwarded-For: 192.0.2.7\r\n", 1);
    server.write_all(head.as_bytes())?;
    std::io::copy(&mut client.try_clone()?.take(length as u64), &mut server)?;
    std::io::copy(&mut server, &mut client)?;
    Ok(())
}

#[test]
fn a_proxys_real_limit_is_found_and_whether_it_is_believed() {
    let folder = office();
    let served = serve(folder.path(), &["--max-upload-mb", "4"]);
    let token = token_file(&served);
    let through = |flags: &[&str], to: &str| {
        let url = format!("http://{to}");
        let mut all = vec!["--through", &url, "--token-file", &token];
        all.extend_from_slice(flags);
        problems(folder.path(), &all)
    };
    assert_eq!(through(&[], &served.address), []);
    let narrow = proxy(&served.address, 1_000_000);
    let found = through(&[], &narrow);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].1.contains("--trusted-proxy 127.0.0.1"),
        "{found:?}"
    );
    let told: usize = found[1].1.split(' ').nth(2).unwrap().parse().unwrap();
    assert!((900..=976).contains(&told), "{found:?}");
    assert!(found[1].1.contains("413") && found[1].1.contains("client_max_body_size"));
    // Nothing of all that was stored.
    let session = served.sign_in("anna");
    let files = served.get(&session, "/api/files").unwrap().expect(200);
    assert_eq!(files["files"], json!([]));
    served.terminate();

    let told = [
        "--trusted-proxy",
        "127.0.0.1",
        "--public-url",
        "http://a.test",
    ];
    let served = serve(folder.path(), &told);
    let wide = proxy(&served.address, usize::MAX);
    assert_eq!(through(&told, &wide), []);
    let past = through(&told, &served.address);
    assert!(past[0].1.contains("X-Forwarded-For"), "{past:?}");
}

#[test]
fn without_an_administrators_token_nothing_is_sent_through() {
    let folder = office();
    let served = serve(folder.path(), &[]);
    let url = format!("http://{}", served.address);
    let found = problems(folder.path(), &["--through", &url]);
    assert!(found[0].1.contains("--token-file"), "{found:?}");
    fs::write(folder.path().join("token"), "slt_wrong").unwrap();
    let found = problems(folder.path(), &["--through", &url, "--token-file", "token"]);
    assert!(found[0].1.contains("401"), "{found:?}");
}

#[test]
fn the_unit_for_systemd_is_one_that_systemd_takes() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["systemd", "--listen", "0.0.0.0:80"]);
    let unit = text(&output.stdout);
    assert!(unit.contains("--listen 0.0.0.0:80\n") && unit.contains("DynamicUser=yes"));
    let path = folder.path().join("sheetline.service");
    fs::write(&path, &unit).unwrap();
    let verified = std::process::Command::new("systemd-analyze")
        .arg("verify")
        .arg(&path)
        .output();
    match verified {
        Ok(verified) => assert!(verified.status.success(), "{}", text(&verified.stderr)),
        Err(_) => println!("systemd-analyze is not here: the unit was not verified"),
    }
}

#[test]
fn health_tells_whether_anybody_has_set_the_server_up() {
    let office = Office::new();
    let health = || office.call("GET", "/api/health", &[], Vec::new()).json();
    assert_eq!(health()["setup_needed"], true);
    office.admin("maria");
    assert_eq!(health()["setup_needed"], false);
}
