//! The head of a request: bytes to method, target, headers and the framing of the body. Strict,
//! because a head that two programs read differently is how requests are smuggled (RFC 9112, 11.2).

use crate::error::Problem;
use crate::http::percent;
use crate::settings::Door;
use crate::words::Code;

/// A head that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub method: String,
    /// Path and query as they were sent, or `*`.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub framing: Framing,
    /// HTTP/1.1, as opposed to HTTP/1.0.
    pub is_1_1: bool,
    /// Whether the client wants to go on with this connection.
    pub keep: bool,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub expects_continue: bool,
}

/// How the end of the body is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    Nothing,
    /// That many bytes.
    Length(u64),
    Chunked,
}

/// Where the head ends that begins at the start of `bytes`: the index behind its empty line.
/// `from` is how far an earlier call has looked.
pub fn end(bytes: &[u8], from: usize) -> Option<usize> {
    let start = from.saturating_sub(2);
    let mut at = start;
    while let Some(found) = bytes.get(at..)?.iter().position(|byte| *byte == b'\n') {
        let next = at + found + 1;
        match (bytes.get(next), bytes.get(next + 1)) {
            // A lone line feed ends a head as well, so that it can be refused at once.
            (Some(b'\n'), _) => return Some(next + 1),
            (Some(b'\r'), Some(b'\n')) => return Some(next + 2),
            _ => at = next,
        }
    }
    None
}

/// Understands a whole head, its empty line included.
///
/// # Errors
/// `bad-request`, `http-version-not-supported`, or `head-too-large` for too many headers and a target that is too long.
pub fn decode(bytes: &[u8], door: &Door) -> Result<Head, Problem> {
    if !lines_end_in_crlf(bytes) {
        return Err(bad("its lines must end in CR LF"));
    }
    // No more than there can be: each takes a line.
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
    let mut space = vec![httparse::EMPTY_HEADER; door.headers_max.min(lines)];
    let mut request = httparse::Request::new(&mut space);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(size)) if size == bytes.len() => {}
        Ok(httparse::Status::Complete(_) | httparse::Status::Partial) => {
            return Err(bad("it ends in the wrong place"));
        }
        Err(httparse::Error::TooManyHeaders) => {
            return Err(too_large(
                "header lines",
                door.headers_max,
                "The request has too many header lines",
            ));
        }
        Err(httparse::Error::Version) => return decode_other_version(bytes, door),
        Err(error) => return Err(bad(&error.to_string())),
    }
    let (Some(method), Some(target), Some(version)) =
        (request.method, request.path, request.version)
    else {
        return Err(bad("its first line is not whole"));
    };
    let is_1_1 = version == 1;
    if target.len() > door.target_bytes_max {
        return Err(too_large(
            "bytes",
            door.target_bytes_max,
            "The request's address is too long",
        ));
    }
    let (authority, target) = split_target(method, target)?;
    let mut headers: Vec<(String, String)> = request
        .headers
        .iter()
        .map(|header| (header.name.to_owned(), text(header.value)))
        .collect();
    let framing = framing(&headers, is_1_1)?;
    host(&mut headers, is_1_1, authority)?;
    let expects_continue = is_1_1
        && framing != Framing::Nothing
        && values(&headers, "expect").any(|value| value.eq_ignore_ascii_case("100-continue"));
    Ok(Head {
        method: method.to_owned(),
        keep: keeps(&headers, is_1_1),
        target,
        headers,
        framing,
        is_1_1,
        expects_continue,
    })
}

/// A version that the parser does not know: a later one of HTTP/1 is read as HTTP/1.1, for it may say nothing
/// that means something else there (RFC 9110, 2.5); another major one is told.
fn decode_other_version(bytes: &[u8], door: &Door) -> Result<Head, Problem> {
    match version(bytes) {
        Some((b'1', minor, at)) if minor > b'1' => {
            let mut as_1_1 = bytes.to_vec();
            if let Some(digit) = as_1_1.get_mut(at) {
                *digit = b'1';
            }
            decode(&as_1_1, door)
        }
        Some((major, minor, _)) if major != b'1' => Err(Problem::new(
            Code::HttpVersion,
            format!(
                "This server speaks HTTP/1.1; the request says HTTP/{}.{}.",
                char::from(major),
                char::from(minor)
            ),
        )),
        Some(_) | None => Err(bad("this server speaks HTTP/1.1")),
    }
}

/// The two digits of the version in a first line that has three words, and where the second one stands.
fn version(bytes: &[u8]) -> Option<(u8, u8, usize)> {
    let from = bytes.iter().position(|byte| !b"\r\n".contains(byte))?;
    let line = bytes.get(from..)?;
    let line = line.get(..line.iter().position(|byte| *byte == b'\r')?)?;
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let [method, target, last] = words.as_slice() else {
        return None;
    };
    match last.strip_prefix(b"HTTP/")? {
        [major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9']
            if !method.is_empty() && !target.is_empty() =>
        {
            Some((*major, *minor, from + line.len() - 1))
        }
        _ => None,
    }
}

fn bad(why: &str) -> Problem {
    Problem::new(
        Code::BadRequest,
        format!("The request can't be understood: {why}."),
    )
}

fn too_large(unit: &str, limit: usize, what: &str) -> Problem {
    Problem::new(
        Code::HeadTooLarge,
        format!("{what}; at most {limit} {unit} are taken."),
    )
    .with("limit", limit)
}

/// The refusal of a head over `limit` bytes.
pub(super) fn over(limit: usize) -> Problem {
    too_large("bytes", limit, "The request's head is too large")
}

fn lines_end_in_crlf(bytes: &[u8]) -> bool {
    let mut before = 0;
    bytes.iter().all(|byte| {
        let fine = *byte != b'\n' || before == b'\r';
        before = *byte;
        fine
    })
}

/// UTF-8 where it is that, else each byte the letter of Latin-1.
fn text(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(text) => text.to_owned(),
        Err(_) => value.iter().copied().map(char::from).collect(),
    }
}

fn values<'h>(headers: &'h [(String, String)], name: &'h str) -> impl Iterator<Item = &'h str> {
    headers
        .iter()
        .filter(move |(header, _)| header.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

/// The authority of an absolute-form target, and the target in origin form (RFC 9112, 3.2).
fn split_target<'t>(method: &str, target: &'t str) -> Result<(Option<&'t str>, String), Problem> {
    if !target.bytes().all(|byte| byte.is_ascii_graphic()) || target.contains('#') {
        return Err(bad("its address has letters that must be percent-encoded"));
    }
    if target == "*" && method == "OPTIONS" {
        return Ok((None, target.to_owned()));
    }
    let (authority, origin) = if target.starts_with('/') {
        (None, target.to_owned())
    } else {
        let rest = ["http://", "https://"]
            .into_iter()
            .find_map(|scheme| {
                let (start, rest) = target.split_at_checked(scheme.len())?;
                start.eq_ignore_ascii_case(scheme).then_some(rest)
            })
            .ok_or_else(|| bad("its address must begin with a slash"))?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let slash = if path.starts_with('/') { "" } else { "/" };
        (Some(authority), format!("{slash}{path}"))
    };
    let (path, query) = origin.split_once('?').unwrap_or((&origin, ""));
    if percent::decode(path).is_none() || !percent::is_well_formed(query) {
        return Err(bad("its address is not percent-encoded rightly"));
    }
    Ok((authority, origin))
}

fn framing(headers: &[(String, String)], is_1_1: bool) -> Result<Framing, Problem> {
    let mut lengths = values(headers, "content-length");
    let mut codings = values(headers, "transfer-encoding");
    match (lengths.next(), codings.next()) {
        (None, None) => Ok(Framing::Nothing),
        (Some(_), Some(_)) => Err(bad("it has both a Content-Length and a Transfer-Encoding")),
        (Some(length), None) => {
            if lengths.next().is_some() {
                return Err(bad("its Content-Length comes twice"));
            }
            if length.is_empty() || !length.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(bad("its Content-Length is not a number"));
            }
            match length.parse() {
                Ok(bytes) => Ok(Framing::Length(bytes)),
                Err(_) => Err(bad("its Content-Length is too large a number")),
            }
        }
        (None, Some(coding)) => {
            if codings.next().is_some() || !coding.eq_ignore_ascii_case("chunked") || !is_1_1 {
                return Err(bad(
                    "its Transfer-Encoding must be chunked and nothing else",
                ));
            }
            Ok(Framing::Chunked)
        }
    }
}

/// One host, and only one. An absolute-form target names it itself (RFC 9112, 3.2.2).
fn host(
    headers: &mut Vec<(String, String)>,
    is_1_1: bool,
    authority: Option<&str>,
) -> Result<(), Problem> {
    let (first, second) = {
        let mut hosts = values(headers, "host");
        (hosts.next(), hosts.next())
    };
    match (first, second) {
        (Some(_), Some(_)) => return Err(bad("its Host comes twice")),
        (None, None) if is_1_1 => return Err(bad("its Host is missing")),
        (Some(host), None) if !is_host(host) => return Err(bad("its Host is no host")),
        _ => {}
    }
    if let Some(authority) = authority {
        if !is_host(authority) {
            return Err(bad("its address names no host"));
        }
        headers.retain(|(name, _)| !name.eq_ignore_ascii_case("host"));
        headers.push(("Host".to_owned(), authority.to_owned()));
    }
    Ok(())
}

fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._~:[]".contains(&byte))
}

fn keeps(headers: &[(String, String)], is_1_1: bool) -> bool {
    let has = |wanted: &str| {
        values(headers, "connection")
            .flat_map(|value| value.split(','))
            .any(|token| token.trim().eq_ignore_ascii_case(wanted))
    };
    !has("close") && (is_1_1 || has("keep-alive"))
}
