//! Gzip for answers that get smaller by it, for clients that ask; streamed answers stay streamed.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use rouille::{Request, Response, ResponseBody};

/// Smaller answers fit into a packet as they are.
const BYTES_MIN: usize = 1 << 10;
/// Answers up to here are compressed whole, so that their length is known.
const WHOLE_BYTES_MAX: usize = 256 << 10;
/// Bytes read at a time.
const PIECE: usize = 16 << 10;

/// Compresses the answer where the client takes that and it is worth it.
pub fn answer(request: &Request, mut response: Response) -> Response {
    if !matches!(response.status_code, 200..=203 | 400..=599) || !is_compressible(&response) {
        return response;
    }
    let (body, size) = response.data.into_reader_and_size();
    if size.is_some_and(|size| size < BYTES_MIN) {
        response.data = body_of(body, size);
        return response;
    }
    // Caches must not mix the two forms up, whichever this one is.
    let response = Response {
        data: ResponseBody::empty(),
        ..response
    };
    let mut response = vary(response);
    if !request.header("Accept-Encoding").is_some_and(accepts_gzip) {
        response.data = body_of(body, size);
        return response;
    }
    // Two forms of one thing have the same weak tag, not the same strong one (RFC 9110, 8.8.1).
    for (name, value) in &mut response.headers {
        if name.eq_ignore_ascii_case("ETag") && value.starts_with('"') {
            *value = format!("W/{value}").into();
        }
    }
    response.data = compressed(body, size);
    response.with_unique_header("Content-Encoding", "gzip")
}

fn compressed(mut body: Box<dyn Read + Send>, size: Option<usize>) -> ResponseBody {
    if size.is_some_and(|size| size <= WHOLE_BYTES_MAX) {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        let whole = io::copy(&mut body, &mut encoder).and_then(|_| encoder.finish());
        return match whole {
            Ok(bytes) => ResponseBody::from_data(bytes),
            Err(error) => ResponseBody::from_reader(Broken(Some(error))),
        };
    }
    ResponseBody::from_reader(Gzipped {
        body,
        encoder: Some(GzEncoder::new(Vec::new(), Compression::fast())),
        ready: io::Cursor::new(Vec::new()),
        piece: vec![0; PIECE],
    })
}

fn body_of(body: Box<dyn Read + Send>, size: Option<usize>) -> ResponseBody {
    match size {
        Some(size) => ResponseBody::from_reader_and_size(body, size),
        None => ResponseBody::from_reader(body),
    }
}

fn is_compressible(response: &Response) -> bool {
    let mut content_type = "";
    for (name, value) in &response.headers {
        if name.eq_ignore_ascii_case("Content-Encoding")
            || name.eq_ignore_ascii_case("Content-Range")
            || name.eq_ignore_ascii_case("Accept-Ranges")
        {
            return false;
        }
        if name.eq_ignore_ascii_case("Content-Type") {
            content_type = value;
        }
    }
    let media = content_type.split(';').next().unwrap_or("").trim();
    media.starts_with("text/")
        || matches!(
            media,
            "application/json"
                | "application/problem+json"
                | "application/x-ndjson"
                | "image/svg+xml"
        )
}

fn vary(response: Response) -> Response {
    let there = response.headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("Vary")
            && value
                .split(',')
                .any(|on| on.trim().eq_ignore_ascii_case("Accept-Encoding"))
    });
    if there {
        response
    } else {
        response.with_additional_header("Vary", "Accept-Encoding")
    }
}

/// Whether an `Accept-Encoding` takes gzip (RFC 9110, 12.5.3).
pub fn accepts_gzip(header: &str) -> bool {
    let mut any = None;
    for coding in header.split(',') {
        let mut parts = coding.split(';').map(str::trim);
        let name = parts.next().unwrap_or("");
        let refused = parts.any(|parameter| {
            let weight = parameter.replace(' ', "").to_ascii_lowercase();
            weight
                .strip_prefix("q=")
                .is_some_and(|q| q.parse() == Ok(0.0))
        });
        if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") {
            return !refused;
        }
        if name == "*" {
            any = Some(!refused);
        }
    }
    any.unwrap_or(false)
}

/// Compresses what it reads, and hands every piece on as soon as it is there.
struct Gzipped {
    body: Box<dyn Read + Send>,
    /// `None` when the end has been written.
    encoder: Option<GzEncoder<Vec<u8>>>,
    ready: io::Cursor<Vec<u8>>,
    piece: Vec<u8>,
}

impl Read for Gzipped {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let size = self.ready.read(out)?;
            if size > 0 || out.is_empty() {
                return Ok(size);
            }
            let Some(mut encoder) = self.encoder.take() else {
                return Ok(0);
            };
            // Where reading fails the end is never written, so that nobody takes it for whole.
            let size = self.body.read(&mut self.piece)?;
            let ready = if size == 0 {
                encoder.finish()?
            } else {
                encoder.write_all(self.piece.get(..size).unwrap_or_default())?;
                encoder.flush()?;
                let ready = std::mem::take(encoder.get_mut());
                self.encoder = Some(encoder);
                ready
            };
            self.ready = io::Cursor::new(ready);
        }
    }
}

/// What can't be read.
struct Broken(Option<io::Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(self
            .0
            .take()
            .unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;

    fn request(accept: &str) -> Request {
        let headers = vec![("Accept-Encoding".to_owned(), accept.to_owned())];
        Request::fake_http("GET", "/", headers, Vec::new())
    }

    fn header<'r>(response: &'r Response, name: &str) -> Option<&'r str> {
        response
            .headers
            .iter()
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_ref())
    }

    fn unzip(response: Response) -> io::Result<Vec<u8>> {
        let (reader, _) = response.data.into_reader_and_size();
        let mut bytes = Vec::new();
        GzDecoder::new(reader)
            .read_to_end(&mut bytes)
            .map(|_| bytes)
    }

    fn json(size: usize) -> Response {
        Response::from_data("application/json", vec![b'1'; size])
            .with_additional_header("ETag", "\"a\"")
    }

    #[test]
    fn a_client_that_refuses_gzip_does_not_get_it() {
        for yes in [
            "gzip",
            "br, GZIP;q=0.1",
            "*",
            "identity;q=0, *;q=0.5",
            "x-gzip",
        ] {
            assert!(accepts_gzip(yes), "{yes}");
        }
        for no in [
            "",
            "br",
            "gzip;q=0, br",
            "gzip; Q=0.000",
            "*;q=0",
            "gzip;q=0, *",
        ] {
            assert!(!accepts_gzip(no), "{no}");
        }
        let plain = answer(&request("br"), json(5_000));
        assert_eq!(header(&plain, "Content-Encoding"), None);
        assert_eq!(header(&plain, "Vary"), Some("Accept-Encoding"));
        assert_eq!(header(&plain, "ETag"), Some("\"a\""));
    }

    #[test]
    fn what_is_large_enough_is_compressed_and_comes_out_the_same() {
        for size in [BYTES_MIN, WHOLE_BYTES_MAX, WHOLE_BYTES_MAX + 1] {
            let response = answer(&request("gzip"), json(size));
            assert_eq!(header(&response, "Content-Encoding"), Some("gzip"));
            assert_eq!(header(&response, "ETag"), Some("W/\"a\""));
            assert_eq!(unzip(response).unwrap(), vec![b'1'; size]);
        }
        let small = answer(&request("gzip"), json(BYTES_MIN - 1));
        assert_eq!(header(&small, "Content-Encoding"), None);
        let workbook = answer(
            &request("gzip"),
            Response::from_data("application/zip", vec![0; 9_000]),
        );
        assert_eq!(header(&workbook, "Content-Encoding"), None);
        let cut = Response::from_data("text/csv", vec![b'a'; 9_000])
            .with_additional_header("Accept-Ranges", "bytes");
        assert_eq!(
            header(&answer(&request("gzip"), cut), "Content-Encoding"),
            None
        );
    }

    #[test]
    fn a_stream_stays_a_stream_and_one_that_breaks_off_has_no_end() {
        let stream = |fails: bool| {
            let mut left = 3;
            let data = crate::http::downloads::stream(move |buffer| {
                left -= 1;
                if left == 0 && fails {
                    return Err(crate::error::Error::Internal("gone".to_owned()));
                }
                buffer.extend_from_slice(b"a line\n");
                Ok(left > 0)
            });
            Response {
                data,
                ..Response::from_data("application/x-ndjson", Vec::new())
            }
        };
        let (mut reader, size) = answer(&request("gzip"), stream(false))
            .data
            .into_reader_and_size();
        assert_eq!(size, None);
        let mut first = [0; 4_096];
        let got = reader.read(&mut first).unwrap();
        // The first line can be read from the first piece alone.
        let mut line = [0; 7];
        GzDecoder::new(&first[..got]).read_exact(&mut line).unwrap();
        assert_eq!(&line, b"a line\n");
        assert_eq!(
            unzip(answer(&request("gzip"), stream(false))).unwrap(),
            b"a line\na line\na line\n"
        );
        assert!(unzip(answer(&request("gzip"), stream(true))).is_err());
    }
}
