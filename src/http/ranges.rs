//! Parts of a download (RFC 9110, 14): one range of bytes, so that a broken download goes on.

use std::io::Read;

use rouille::{Request, Response, ResponseBody};

use crate::error::{Error, Problem, Result};
use crate::http::{problem, reply};
use crate::words::Code;

/// What a request wants of a thing of known size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    All,
    /// From this byte on, so many bytes.
    Part(u64, u64),
    /// A range that the thing does not have.
    Nothing,
}

/// The answer to a request for a thing of `size` bytes with this strong tag: all of it, a part, or
/// that the client has it already. `from` gives the bytes from one of them on.
///
/// # Errors
/// Where the thing is too large for this machine.
pub fn answer<R: Read + Send + 'static>(
    request: &Request,
    etag: &str,
    size: u64,
    from: impl FnOnce(u64) -> R,
) -> Result<Response> {
    if request
        .header("If-None-Match")
        .is_some_and(|tags| reply::tag_matches(tags, etag))
    {
        return Ok(reply::not_modified(etag));
    }
    let (status, start, length) = match wanted(request, etag, size) {
        Wanted::All => (200, 0, size),
        Wanted::Part(start, length) => (206, start, length),
        Wanted::Nothing => {
            let refusal = Problem::new(
                Code::RangeNotSatisfiable,
                format!("The file has {size} bytes; the range asked for is not among them."),
            );
            return Ok(problem::respond(&refusal)
                .with_additional_header("Content-Range", format!("bytes */{size}")));
        }
    };
    let known = usize::try_from(length).map_err(|_| Error::Internal("size".to_owned()))?;
    let mut response = Response {
        status_code: status,
        headers: Vec::new(),
        data: ResponseBody::from_reader_and_size(from(start).take(length), known),
        upgrade: None,
    };
    if status == 206 {
        let last = start + length - 1;
        response = response
            .with_additional_header("Content-Range", format!("bytes {start}-{last}/{size}"));
    }
    Ok(response
        .with_additional_header("ETag", etag.to_owned())
        .with_additional_header("Accept-Ranges", "bytes"))
}

/// A range that can't be understood, or several, are as if none had been asked for (14.2).
fn wanted(request: &Request, etag: &str, size: u64) -> Wanted {
    if request.method() != "GET" || request.header("If-Range").is_some_and(|tag| tag != etag) {
        return Wanted::All;
    }
    request
        .header("Range")
        .and_then(|range| parse(range, size))
        .unwrap_or(Wanted::All)
}

fn parse(range: &str, size: u64) -> Option<Wanted> {
    let (unit, range) = range.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = range.trim().split_once('-')?;
    let number = |digits: &str| -> Option<u64> {
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        // More than 64 bits lie behind every end.
        is_number.then(|| digits.parse().unwrap_or(u64::MAX))
    };
    let (start, end) = if first.is_empty() {
        let length = number(last)?.min(size);
        (size - length, size)
    } else {
        let start = number(first)?;
        let end = match last {
            "" => size,
            _ => number(last)?.saturating_add(1),
        };
        if end <= start && !last.is_empty() {
            return None;
        }
        (start, end.min(size))
    };
    Some(if start < end {
        Wanted::Part(start, end - start)
    } else {
        Wanted::Nothing
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_what_the_rfc_says() {
        for (range, wanted) in [
            ("bytes=0-499", Some(Wanted::Part(0, 500))),
            ("bytes=500-999", Some(Wanted::Part(500, 500))),
            ("bytes=-500", Some(Wanted::Part(9_500, 500))),
            ("bytes=9500-", Some(Wanted::Part(9_500, 500))),
            ("Bytes=0-0", Some(Wanted::Part(0, 1))),
            ("bytes=9999-20000", Some(Wanted::Part(9_999, 1))),
            ("bytes=-20000", Some(Wanted::Part(0, 10_000))),
            (
                "bytes=0-99999999999999999999999",
                Some(Wanted::Part(0, 10_000)),
            ),
            ("bytes=10000-", Some(Wanted::Nothing)),
            ("bytes=-0", Some(Wanted::Nothing)),
            ("bytes=99999999999999999999999-", Some(Wanted::Nothing)),
            ("bytes=5-4", None),
            ("bytes=0-1,3-4", None),
            ("bytes=", None),
            ("bytes=-", None),
            ("bytes=a-b", None),
            ("bytes=+1-2", None),
            ("rows=0-1", None),
            ("bytes", None),
        ] {
            assert_eq!(parse(range, 10_000), wanted, "{range}");
        }
        assert_eq!(parse("bytes=0-", 0), Some(Wanted::Nothing));
    }

    fn ask(headers: &[(&str, &str)]) -> (u16, Option<String>, Vec<u8>) {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let request = Request::fake_http("GET", "/", headers, Vec::new());
        let response = answer(&request, "\"t\"", 10, |start| {
            &b"0123456789"[usize::try_from(start).unwrap()..]
        })
        .unwrap();
        let range = response
            .headers
            .iter()
            .find(|(name, _)| name == "Content-Range")
            .map(|(_, value)| value.to_string());
        let (reader, size) = response.data.into_reader_and_size();
        let mut bytes = Vec::new();
        reader
            .take(u64::try_from(size.unwrap()).unwrap())
            .read_to_end(&mut bytes)
            .unwrap();
        (response.status_code, range, bytes)
    }

    #[test]
    fn a_part_goes_on_only_with_what_it_is_a_part_of() {
        let part = (206, Some("bytes 2-4/10".to_owned()), b"234".to_vec());
        let whole = (200, None, b"0123456789".to_vec());
        assert_eq!(ask(&[("Range", "bytes=2-4")]), part);
        assert_eq!(ask(&[("Range", "bytes=2-4"), ("If-Range", "\"t\"")]), part);
        assert_eq!(
            ask(&[("Range", "bytes=2-4"), ("If-Range", "\"old\"")]),
            whole
        );
        assert_eq!(
            ask(&[("Range", "bytes=2-4"), ("If-Range", "W/\"t\"")]),
            whole
        );
        assert_eq!(ask(&[("Range", "bytes=1-2,4-5")]), whole);
        let (status, range, _) = ask(&[("Range", "bytes=10-")]);
        assert_eq!((status, range.as_deref()), (416, Some("bytes */10")));
        assert_eq!(ask(&[("If-None-Match", "\"t\"")]).0, 304);
    }
}
