//! The outgoing side of a connection: a response, written as it is made.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use rouille::Response;
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

use super::socket::Stream;
use crate::settings::Door;

/// Bytes written at a time.
const PIECE: usize = 16 << 10;

/// Room for a head and a small body: the largest piece that the allocator has at hand.
const HEAD_BYTES: usize = 1 << 10;

/// RFC 9110, 5.6.7.
const HTTP_DATE: &[BorrowedFormatItem<'static>] = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);

/// What the request was, as far as the answer's form depends on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// HEAD: the answer has no body.
    pub(super) head_only: bool,
    pub(super) is_1_1: bool,
    /// Whether the connection may be kept.
    pub(super) keep: bool,
}

impl Asked {
    /// For a request that was not understood.
    pub(super) const UNKNOWN: Asked = Asked {
        head_only: false,
        is_1_1: true,
        keep: false,
    };
}

/// How the end of the body is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// There is no body.
    Nothing,
    Length(u64),
    Chunks,
    /// The connection ends.
    Close,
}

/// An answer that is not whole.
#[derive(Debug)]
pub(super) struct BrokenOff {
    pub(super) error: io::Error,
    /// Whether any of it has gone out; then the connection must end, so that nobody takes the
    /// answer for whole.
    pub(super) begun: bool,
    /// Whether the client takes the end of the connection for the end of the answer.
    pub(super) ends_by_closing: bool,
}

/// How long the other side may take nothing: what a connection's write timeout is to be.
pub(super) fn grace(door: &Door) -> Duration {
    door.answer_time_grace.max(Duration::from_millis(1))
}

/// Writes the answer; whether the connection can go on.
///
/// # Errors
/// Where the body breaks off or the other side doesn't take it.
pub(super) fn write(
    stream: &Stream,
    response: Response,
    asked: Asked,
    door: &Door,
) -> Result<bool, BrokenOff> {
    let ends_by_closing = !asked.is_1_1;
    let mut out = Outgoing::new(stream, door);
    write_to(&mut out, response, asked).map_err(|error| BrokenOff {
        error,
        begun: out.begun,
        ends_by_closing,
    })
}

fn write_to(out: &mut Outgoing<'_>, response: Response, asked: Asked) -> io::Result<bool> {
    let status = response.status_code;
    let (mut body, size) = response.data.into_reader_and_size();
    let size = size.and_then(|size| u64::try_from(size).ok());
    let bodiless = matches!(status, 100..=199 | 204 | 304);
    let end = match size {
        _ if bodiless => End::Nothing,
        Some(size) => End::Length(size),
        None if asked.head_only => End::Nothing,
        None if asked.is_1_1 => End::Chunks,
        None => End::Close,
    };
    let keep = asked.keep && end != End::Close;
    let head = head(status, &response.headers, end, asked.is_1_1, keep);
    match end {
        _ if asked.head_only => out.write_all(&head)?,
        End::Nothing => out.write_all(&head)?,
        End::Length(size) => sized(out, head, &mut body, size)?,
        End::Chunks => chunks(out, &head, &mut body)?,
        End::Close => {
            out.write_all(&head)?;
            io::copy(&mut body, out)?;
        }
    }
    Ok(keep)
}

/// A body of known size: with its head in one write, where it is small.
fn sized(out: &mut Outgoing<'_>, head: Vec<u8>, body: &mut dyn Read, size: u64) -> io::Result<()> {
    let mut buffer = head;
    let mut left = size;
    while left > 0 {
        let before = buffer.len();
        let most = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        buffer.resize(before + most, 0);
        let got = read(body, buffer.get_mut(before..).unwrap_or_default())?;
        if got == 0 {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the answer is shorter than it said",
            ));
        }
        buffer.truncate(before + got);
        left -= u64::try_from(got).unwrap_or(left).min(left);
        if buffer.len() >= PIECE {
            out.write_all(&buffer)?;
            buffer.clear();
        }
    }
    out.write_all(&buffer)
}

/// A body of unknown size: every piece goes out as soon as it is there.
fn chunks(out: &mut Outgoing<'_>, head: &[u8], body: &mut dyn Read) -> io::Result<()> {
    out.write_all(head)?;
    let mut piece = vec![0; PIECE];
    let mut chunk = Vec::with_capacity(PIECE + 16);
    loop {
        let size = read(body, &mut piece)?;
        if size == 0 {
            return out.write_all(b"0\r\n\r\n");
        }
        chunk.clear();
        chunk.extend_from_slice(format!("{size:x}\r\n").as_bytes());
        chunk.extend_from_slice(piece.get(..size).unwrap_or_default());
        chunk.extend_from_slice(b"\r\n");
        out.write_all(&chunk)?;
    }
}

fn read(body: &mut dyn Read, out: &mut [u8]) -> io::Result<usize> {
    loop {
        match body.read(out) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// Headers that are the listener's own.
const OURS: [&str; 6] = [
    "Content-Length",
    "Transfer-Encoding",
    "Connection",
    "Keep-Alive",
    "Date",
    "Trailer",
];

fn head(
    status: u16,
    headers: &[(
        std::borrow::Cow<'static, str>,
        std::borrow::Cow<'static, str>,
    )],
    end: End,
    is_1_1: bool,
    keep: bool,
) -> Vec<u8> {
    let mut text = String::with_capacity(HEAD_BYTES);
    for part in [
        "HTTP/1.1 ",
        &status.to_string(),
        " ",
        reason(status),
        "\r\n",
    ] {
        text.push_str(part);
    }
    let mut line = |name: &str, value: &str| {
        text.push_str(name);
        text.push_str(": ");
        text.push_str(value);
        text.push_str("\r\n");
    };
    line("Date", &date(OffsetDateTime::now_utc()));
    for (name, value) in headers {
        if OURS.iter().any(|ours| ours.eq_ignore_ascii_case(name)) {
            continue;
        }
        if !is_token(name) {
            log::error!("a header has no proper name: {}", name.escape_debug());
            continue;
        }
        line(name, &printable(name, value));
    }
    match end {
        End::Length(size) => line("Content-Length", &size.to_string()),
        End::Chunks => line("Transfer-Encoding", "chunked"),
        End::Nothing | End::Close => {}
    }
    match (keep, is_1_1) {
        (false, _) => line("Connection", "close"),
        (true, false) => line("Connection", "keep-alive"),
        (true, true) => {}
    }
    text.push_str("\r\n");
    text.into_bytes()
}

fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// A header's value with `?` for whatever could end the line or be read differently elsewhere.
fn printable<'v>(name: &str, value: &'v str) -> std::borrow::Cow<'v, str> {
    let fine = |c: char| matches!(c, '\t' | ' '..='~');
    // To the end in any case, which goes many letters at a time.
    let is_fine = value
        .bytes()
        .fold(true, |so_far, byte| so_far & fine(char::from(byte)));
    if is_fine {
        return value.into();
    }
    log::error!("the header {name} has letters that can't be sent");
    value
        .chars()
        .map(|c| if fine(c) { c } else { '?' })
        .collect::<String>()
        .into()
}

fn date(now: OffsetDateTime) -> String {
    now.format(HTTP_DATE)
        .unwrap_or_else(|_| "Thu, 01 Jan 1970 00:00:00 GMT".to_owned())
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        507 => "Insufficient Storage",
        _ => "Status",
    }
}

/// A socket whose other side must take what it is given: one deadline for the whole answer, in
/// which only the time of waiting for it counts.
struct Outgoing<'s> {
    stream: &'s Stream,
    grace: Duration,
    bytes_per_second: u64,
    waited: Duration,
    sent: u64,
    begun: bool,
}

impl<'s> Outgoing<'s> {
    fn new(stream: &'s Stream, door: &Door) -> Outgoing<'s> {
        Outgoing {
            stream,
            grace: grace(door),
            bytes_per_second: door.answer_bytes_per_second.max(1),
            waited: Duration::ZERO,
            sent: 0,
            begun: false,
        }
    }
}

impl Write for Outgoing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begun = true;
        let began = Instant::now();
        let mut stream = self.stream;
        let written = stream.write(bytes);
        self.waited += began.elapsed();
        let size = written?;
        self.sent += u64::try_from(size).unwrap_or(0);
        let earned = Duration::from_secs(self.sent / self.bytes_per_second);
        if self.waited > self.grace.saturating_add(earned) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(size)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn the_date_is_as_http_wants_it() {
        assert_eq!(
            date(datetime!(1994-11-06 08:49:37 UTC)),
            "Sun, 06 Nov 1994 08:49:37 GMT"
        );
    }

    #[test]
    fn no_header_ends_its_line() {
        let headers = [
            ("Location".into(), "/a\r\nSet-Cookie: x".into()),
            ("X-Name".into(), "Müller\0".into()),
            ("Bad Name\r\n".into(), "x".into()),
            ("content-length".into(), "7".into()),
        ];
        let text = String::from_utf8(head(200, &headers, End::Length(2), true, true)).unwrap();
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(lines[0], "HTTP/1.1 200 OK");
        assert_eq!(
            lines[2..],
            [
                "Location: /a??Set-Cookie: x",
                "X-Name: M?ller?",
                "Content-Length: 2",
                "",
                ""
            ]
        );
    }
}
