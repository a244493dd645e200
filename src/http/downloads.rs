//! Answers that a browser saves instead of showing.

use std::io::{self, Read};

use rouille::{Response, ResponseBody};

use crate::error::{Error, Result};
use crate::words::Format;

/// The media type of a format.
pub fn content_type(format: Format) -> &'static str {
    match format {
        Format::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Format::Xlsm => "application/vnd.ms-excel.sheet.macroEnabled.12",
        Format::Xlsb => "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
        Format::Xls => "application/vnd.ms-excel",
        Format::Ods => "application/vnd.oasis.opendocument.spreadsheet",
        Format::Csv => "text/csv",
        Format::Tsv => "text/tab-separated-values",
    }
}

/// Makes a response a download under this name (RFC 6266; the name in both forms of RFC 8187).
pub fn attachment(response: Response, content_type: &'static str, name: &str) -> Response {
    let plain: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || " .-_()+,".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b".-_".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    response
        .with_unique_header("Content-Type", content_type)
        .with_unique_header(
            "Content-Disposition",
            format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"),
        )
        .with_unique_header("X-Content-Type-Options", "nosniff")
        .with_unique_header("Cache-Control", "no-store")
}

/// Text that is made piece by piece while it is sent.
///
/// `next` appends the next piece to the buffer and says whether there may be more. Where it fails,
/// the answer breaks off, so that nobody takes it for whole.
pub fn stream(next: impl FnMut(&mut Vec<u8>) -> Result<bool> + Send + 'static) -> ResponseBody {
    ResponseBody::from_reader(Pieces {
        next,
        buffer: Vec::new(),
        read: 0,
        more: true,
    })
}

struct Pieces<F> {
    next: F,
    buffer: Vec<u8>,
    read: usize,
    more: bool,
}

impl<F: FnMut(&mut Vec<u8>) -> Result<bool>> Read for Pieces<F> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.read == self.buffer.len() {
            if !self.more {
                return Ok(0);
            }
            self.buffer.clear();
            self.read = 0;
            self.more = (self.next)(&mut self.buffer).map_err(broken_off)?;
        }
        let rest = &self.buffer[self.read..];
        let size = rest.len().min(out.len());
        out[..size].copy_from_slice(&rest[..size]);
        self.read += size;
        Ok(size)
    }
}

fn broken_off(error: Error) -> io::Error {
    log::error!("a download broke off: {error}");
    io::Error::other("broken off")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_any_script_travels_in_both_forms() {
        let response = attachment(Response::text(""), "text/csv", "Müller \"2024\".csv");
        let header = response
            .headers
            .iter()
            .find(|(name, _)| name == "Content-Disposition")
            .map(|(_, value)| value.to_string())
            .unwrap();
        assert_eq!(
            header,
            "attachment; filename=\"M_ller _2024_.csv\"; filename*=UTF-8''M%C3%BCller%20%222024%22.csv"
        );
    }

    #[test]
    fn a_stream_hands_on_every_piece_and_ends() {
        let mut left = 3;
        let (mut reader, size) = stream(move |buffer| {
            left -= 1;
            buffer.extend_from_slice(b"ab");
            Ok(left > 0)
        })
        .into_reader_and_size();
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), size), ("ababab", None));
    }
}
