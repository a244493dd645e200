//! The real executable on a free port, and a plain HTTP client for it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{forms, program};

/// How long anything here may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

/// A server process and the folder that its database lies in.
pub(crate) struct Served {
    child: Child,
    pub(crate) address: String,
    /// What it printed before it was ready.
    pub(crate) printed: String,
    pub(crate) folder: PathBuf,
}

/// Starts the program on the database `office.db` in `folder`.
pub(crate) fn serve(folder: &Path, flags: &[&str]) -> Served {
    serve_at("127.0.0.1:0", folder, flags)
}

/// Starts it at another address.
pub(crate) fn serve_at(listen: &str, folder: &Path, flags: &[&str]) -> Served {
    let mut child = sheetline(folder)
        .args(["serve", "--listen", listen])
        .args(flags)
        .stdout(Stdio::piped())
        .stderr(Stdio::from(log_file(folder)))
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut printed = String::new();
    let address = loop {
        let mut line = String::new();
        if lines.read_line(&mut line).unwrap() == 0 {
            panic!("it ended without being ready: {printed}\n{}", log(folder));
        }
        printed.push_str(&line);
        if let Some(address) = line.trim_end().strip_prefix("listening on http://") {
            break address.to_owned();
        }
    };
    Served {
        child,
        address,
        printed,
        folder: folder.to_owned(),
    }
}

/// The program, with the database of `folder` and nothing else from this environment.
pub(crate) fn sheetline(folder: &Path) -> Command {
    let mut command = Command::new(program::executable());
    command
        .env_clear()
        .env("SHEETLINE_DB", folder.join("office.db"))
        .current_dir(folder);
    command
}

fn log_file(folder: &Path) -> std::fs::File {
    std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("log.txt"))
        .unwrap()
}

/// What servers of this folder have logged.
pub(crate) fn log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("log.txt")).unwrap_or_default()
}

/// Adds a user with `user add` and gives the name back.
pub(crate) fn add_user(folder: &Path, name: &str, flags: &[&str]) {
    let mut child = sheetline(folder)
        .args(["user", "add", name, "--password-stdin"])
        .args(flags)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    writeln!(child.stdin.take().unwrap(), "{}", forms::PASSWORD).unwrap();
    assert!(child.wait().unwrap().success());
}

impl Served {
    /// Ends it as a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop; how it ended, and after how long.
    pub(crate) fn terminate(mut self) -> (ExitStatus, Duration) {
        let began = Instant::now();
        let sent = Command::new("sh")
            .args(["-c", &format!("kill -TERM {}", self.pid())])
            .status()
            .unwrap();
        assert!(sent.success());
        (self.child.wait().unwrap(), began.elapsed())
    }

    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> std::io::Result<Reply> {
        ask(&self.address, method, path, headers, body)
    }

    /// Signs in; the session.
    pub(crate) fn sign_in(&self, name: &str) -> String {
        let body = json!({ "username": name, "password": forms::PASSWORD }).to_string();
        let reply = self
            .ask(
                "POST",
                "/api/auth/login",
                &[("Content-Type", "application/json")],
                body.as_bytes(),
            )
            .unwrap();
        reply.expect(200)["session_id"].as_str().unwrap().to_owned()
    }

    pub(crate) fn get(&self, session: &str, path: &str) -> std::io::Result<Reply> {
        let bearer = format!("Bearer {session}");
        self.ask("GET", path, &[("Authorization", &bearer)], b"")
    }

    pub(crate) fn upload(
        &self,
        session: &str,
        route: &str,
        name: &str,
        bytes: &[u8],
        key: Option<&str>,
    ) -> std::io::Result<Reply> {
        let (content_type, body) = forms::multipart(name, bytes, &[]);
        let bearer = format!("Bearer {session}");
        let mut headers = vec![
            ("Authorization", bearer.as_str()),
            ("Content-Type", content_type.as_str()),
        ];
        if let Some(key) = key {
            headers.push(("Idempotency-Key", key));
        }
        self.ask("POST", &format!("/api/files/{route}"), &headers, &body)
    }

    /// Waits until the job has ended; the job.
    pub(crate) fn wait_for_end(&self, session: &str, job: i64) -> Value {
        self.wait_for(session, job, |job| {
            !matches!(job["status"].as_str(), Some("pending" | "processing"))
        })
    }

    /// Waits until the job is as wanted.
    pub(crate) fn wait_for(
        &self,
        session: &str,
        job: i64,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        wait_until(|| {
            let found = self.get(session, &format!("/api/jobs/{job}")).unwrap();
            let job = found.expect(200)["job"].clone();
            wanted(&job).then_some(job)
        })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Where a test failed; otherwise it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks again and again until there is something.
#[track_caller]
pub(crate) fn wait_until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < until, "waited in vain");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// An answer, read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn cut_off() -> std::io::Error {
    std::io::Error::from(std::io::ErrorKind::UnexpectedEof)
}

/// One request on a connection of its own.
pub(crate) fn ask(
    address: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> std::io::Result<Reply> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() || method != "GET" {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let end = bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .ok_or_else(cut_off)?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|code| code.parse().ok())
        .ok_or_else(cut_off)?;
    let rest = bytes.split_off(end + 4);
    let lower = head.to_ascii_lowercase();
    let body = if lower.contains("transfer-encoding: chunked") {
        unchunk(&rest).ok_or_else(cut_off)?
    } else {
        let length = lower
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .and_then(|text| text.trim().parse::<usize>().ok());
        if length.is_some_and(|length| rest.len() < length) {
            return Err(cut_off());
        }
        rest
    };
    Ok(Reply { status, body })
}

/// The body of a chunked answer; `None` where its end is missing.
fn unchunk(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = bytes.windows(2).position(|two| two == b"\r\n")?;
        let size =
            usize::from_str_radix(std::str::from_utf8(&bytes[..line]).ok()?.trim(), 16).ok()?;
        bytes = &bytes[line + 2..];
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(bytes.get(..size)?);
        bytes = bytes.get(size + 2..)?;
    }
}
