//! One request of ours to a server of ours, perhaps through a proxy: a small HTTP/1.0 client. For https
//! `curl` is asked, which every system brings along: TLS is not in this program.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::words::Code;

/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// What is asked for.
pub(super) struct Request<'a> {
    /// `http://…`, `https://…`, or `unix:PATH` for a server that listens at a socket.
    pub(super) base: &'a str,
    pub(super) path: &'a str,
    /// The name that is asked for, where it is not the base's own.
    pub(super) host: Option<&'a str>,
    pub(super) token: Option<&'a str>,
    /// Bytes of a body of zeros; `None` asks with GET.
    pub(super) body: Option<u64>,
    pub(super) wait: Duration,
    /// The certificate of an authority of the office's own, for https.
    pub(super) ca: Option<&'a Path>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Where it is JSON.
    pub(super) body: Option<Value>,
    /// As it came.
    pub(super) text: String,
}

/// What curl says with these exit statuses: of a certificate, or of a file of them.
const CERTIFICATE: [(i32, &str); 2] = [
    (60, "its certificate is not accepted"),
    (77, "the file of --ca can't be read"),
];

/// What to do about an error of [`ask`].
pub(super) fn next_step(said: &str) -> &'static str {
    let [(_, unknown), (_, unread)] = CERTIFICATE;
    if said.contains(unknown) {
        "where the authority behind it is your own (Caddy's `tls internal`), name its certificate with --ca FILE"
    } else if said.contains(unread) {
        "name a file with the authority's certificate in PEM form"
    } else {
        "look whether the proxy runs and leads to this server"
    }
}

/// Asks.
///
/// # Errors
/// `bad-request` with what the system said; an answer of any status is none.
pub(super) fn ask(request: &Request<'_>) -> Result<Answer> {
    let bytes = match request.base.split_once("://") {
        Some(("http", rest)) => {
            let host = rest.split('/').next().unwrap_or_default();
            let stream = connect(host, request.wait).map_err(|error| failed(request, &error))?;
            exchange(stream, host, request)
        }
        Some(("https", _)) => curl(request),
        _ => local(request),
    };
    parse(&bytes.map_err(|error| failed(request, &error))?)
        .ok_or_else(|| failed(request, &std::io::Error::other("that was no answer")))
}

fn failed(request: &Request<'_>, error: &std::io::Error) -> Error {
    Error::problem(
        Code::BadRequest,
        format!("No answer from {}: {error}.", request.base),
    )
}

fn connect(host: &str, wait: Duration) -> std::io::Result<TcpStream> {
    let with_port = if host.rsplit(']').next().is_some_and(|end| end.contains(':')) {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    let mut last = std::io::Error::other("the name has no address");
    for address in with_port.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, wait) {
            Ok(stream) => {
                stream.set_read_timeout(Some(wait))?;
                stream.set_write_timeout(Some(wait))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(unix)]
fn local(request: &Request<'_>) -> std::io::Result<Vec<u8>> {
    let path = request.base.strip_prefix("unix:").ok_or_else(|| {
        std::io::Error::other("an address begins with http://, https:// or unix:")
    })?;
    let stream = std::os::unix::net::UnixStream::connect(path)?;
    stream.set_read_timeout(Some(request.wait))?;
    stream.set_write_timeout(Some(request.wait))?;
    exchange(stream, "localhost", request)
}

#[cfg(not(unix))]
fn local(_: &Request<'_>) -> std::io::Result<Vec<u8>> {
    Err(std::io::Error::other(
        "an address begins with http:// or https://",
    ))
}

/// A path under the base's own.
fn target(request: &Request<'_>) -> String {
    let below = request
        .base
        .split_once("://")
        .and_then(|(_, rest)| rest.split_once('/'))
        .map_or("", |(_, path)| path.trim_end_matches('/'));
    if below.is_empty() {
        request.path.to_owned()
    } else {
        format!("/{below}{}", request.path)
    }
}

fn exchange(
    mut stream: impl Read + Write,
    host: &str,
    request: &Request<'_>,
) -> std::io::Result<Vec<u8>> {
    let method = if request.body.is_some() {
        "POST"
    } else {
        "GET"
    };
    let host = request.host.unwrap_or(host);
    let mut head = format!("{method} {} HTTP/1.0\r\nHost: {host}\r\n", target(request));
    if let Some(token) = request.token {
        head.push_str(&format!("Authorization: Bearer {token}\r\n"));
    }
    if let Some(bytes) = request.body {
        head.push_str(&format!(
            "Content-Type: application/octet-stream\r\nContent-Length: {bytes}\r\n"
        ));
    }
    head.push_str("\r\n");
    let sent = stream
        .write_all(head.as_bytes())
        .and_then(|()| send_zeros(&mut stream, request.body.unwrap_or(0)));
    let mut answer = Vec::new();
    let read = stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer);
    // Whoever refuses a body may answer before it has come, and stop listening.
    if answer.is_empty() {
        sent?;
        read?;
    }
    Ok(answer)
}

fn send_zeros(out: &mut impl Write, mut left: u64) -> std::io::Result<()> {
    let piece = [0_u8; 64 << 10];
    while left > 0 {
        let now = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
        out.write_all(piece.get(..now).unwrap_or(&piece))?;
        left = left.saturating_sub(now as u64);
    }
    out.flush()
}

/// The token goes to curl by standard input: a command line can be read by everybody on the machine.
fn curl(request: &Request<'_>) -> std::io::Result<Vec<u8>> {
    let url = format!("{}{}", request.base.trim_end_matches('/'), request.path);
    let mut settings = format!(
        "silent\nshow-error\ninclude\nhttp1.1\nmax-time = {}\nurl = \"{}\"\n",
        request.wait.as_secs().max(1),
        url.replace(['"', '\\', '\n'], "")
    );
    if let Some(ca) = request.ca {
        settings.push_str(&format!("cacert = {}\n", quoted(&ca.display().to_string())));
    }
    if let Some(host) = request.host {
        settings.push_str(&format!("header = \"Host: {host}\"\n"));
    }
    if let Some(token) = request.token {
        settings.push_str(&format!(
            "header = \"Authorization: Bearer {}\"\n",
            token.replace(['"', '\\', '\n'], "")
        ));
    }
    let mut zeros = tempfile::NamedTempFile::new()?;
    if let Some(bytes) = request.body {
        zeros.as_file_mut().set_len(bytes)?;
        settings.push_str(&format!(
            "request = POST\nheader = \"Content-Type: application/octet-stream\"\nheader = \"Expect:\"\nupload-file = \"{}\"\n",
            zeros.path().display().to_string().replace('\\', "/")
        ));
    }
    let mut child = Command::new("curl")
        .args(["--disable", "--config", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| {
            std::io::Error::other(format!(
                "https needs curl, and it can't be started: {error}"
            ))
        })?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(settings.as_bytes())?;
    }
    let output = child.wait_with_output()?;
    if output.stdout.is_empty() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(std::io::Error::other(in_a_line(
            &said,
            output.status.code(),
        )));
    }
    Ok(output.stdout)
}

/// A text as curl's settings want it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// What curl said, without its advice: that is for those who called curl.
fn in_a_line(said: &str, code: Option<i32>) -> String {
    let first = said.trim().lines().next().unwrap_or("curl said nothing");
    let bare = match first.split_once(") ") {
        Some((mark, rest)) if mark.starts_with("curl: (") => rest,
        _ => first,
    };
    match CERTIFICATE.iter().find(|(known, _)| code == Some(*known)) {
        Some((_, what)) => format!("{what} ({bare})"),
        None => bare.to_owned(),
    }
}

/// Status and JSON of an answer; interim ones before it are passed over.
fn parse(mut bytes: &[u8]) -> Option<Answer> {
    loop {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(bytes.get(..end)?).into_owned();
        let status: u16 = head
            .strip_prefix("HTTP/")?
            .split(' ')
            .nth(1)?
            .parse()
            .ok()?;
        bytes = bytes.get(end + 4..)?;
        if status >= 200 {
            // A proxy that sends chunks to HTTP/1.0 leaves their sizes around the object.
            let text = String::from_utf8_lossy(bytes);
            let body = text
                .find('{')
                .zip(text.rfind('}'))
                .and_then(|(from, to)| serde_json::from_str(text.get(from..=to)?).ok());
            return Some(Answer {
                status,
                body,
                text: text.into_owned(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_answer_counts_and_its_json_is_found() {
        let answer =
            parse(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 413 Too Large\r\nA: b\r\n\r\n{\"a\":1}")
                .unwrap();
        assert_eq!(answer.status, 413);
        assert_eq!(answer.body.unwrap()["a"], 1);
        assert!(parse(b"SSH-2.0-OpenSSH").is_none());
    }

    #[test]
    fn what_curl_says_of_a_certificate_becomes_one_sentence_with_a_way_out() {
        let said = "curl: (60) SSL certificate problem: unable to get local issuer certificate\nMore details here: https://curl.se/docs/sslcerts.html\n\ncurl failed to verify";
        let line = in_a_line(said, Some(60));
        assert_eq!(
            line,
            "its certificate is not accepted (SSL certificate problem: unable to get local issuer certificate)"
        );
        assert!(next_step(&line).contains("--ca"));
        let line = in_a_line("curl: (7) Failed to connect", Some(7));
        assert_eq!(line, "Failed to connect");
        assert!(!next_step(&line).contains("--ca"));
    }

    #[test]
    fn a_base_may_have_a_path_of_its_own() {
        let ask = |base| Request {
            base,
            path: "/api/health",
            host: None,
            token: None,
            body: None,
            wait: Duration::ZERO,
            ca: None,
        };
        assert_eq!(target(&ask("http://a:80")), "/api/health");
        assert_eq!(target(&ask("http://a/")), "/api/health");
        assert_eq!(target(&ask("http://a/sheets/")), "/sheets/api/health");
    }
}
