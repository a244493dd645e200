//! The chunked coding of request bodies (RFC 9112, 7.1), fed with whatever has arrived.

/// Digits of a chunk's size: more than any body has, and no overflow.
const SIZE_DIGITS_MAX: usize = 15;
/// Bytes of all chunk extensions and trailers of a body. They are read over.
const EXTRA_BYTES_MAX: usize = 8 << 10;
/// Trailer lines.
const TRAILERS_MAX: usize = 32;

/// A decoder on its way through one body.
#[derive(Debug, Default)]
pub struct Chunked {
    at: At,
    /// Bytes of the present chunk that are still to come.
    left: u64,
    digits: usize,
    extra: usize,
    trailer: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum At {
    #[default]
    Size,
    Extension,
    SizeEnd,
    Data,
    DataCr,
    DataEnd,
    Trailer,
    End,
}

/// The body is framed wrongly; the text says how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

/// What one step used and made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Bytes of the input that are done with.
    pub consumed: usize,
    /// Bytes of the body that were written to the output.
    pub produced: usize,
}

impl Chunked {
    /// Whether the whole body has been seen, its trailer included.
    pub fn is_over(&self) -> bool {
        self.at == At::End
    }

    /// Decodes until the input or the room in `output` is used up, or the body is over.
    ///
    /// # Errors
    /// [`Malformed`]; the connection is of no use any more.
    pub fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Malformed> {
        let mut step = Step {
            consumed: 0,
            produced: 0,
        };
        while let Some(rest) = input.get(step.consumed..).filter(|rest| !rest.is_empty()) {
            if self.at == At::Data {
                let room = output.get_mut(step.produced..).unwrap_or_default();
                let left = usize::try_from(self.left).unwrap_or(usize::MAX);
                let size = rest.len().min(room.len()).min(left);
                if size == 0 {
                    break;
                }
                if let (Some(to), Some(from)) = (room.get_mut(..size), rest.get(..size)) {
                    to.copy_from_slice(from);
                }
                step.consumed += size;
                step.produced += size;
                self.left -= u64::try_from(size).unwrap_or(self.left);
                if self.left == 0 {
                    self.at = At::DataCr;
                }
            } else if self.at == At::End {
                break;
            } else if let Some(byte) = rest.first() {
                self.byte(*byte)?;
                step.consumed += 1;
            }
        }
        Ok(step)
    }

    /// One byte of the frame.
    fn byte(&mut self, byte: u8) -> Result<(), Malformed> {
        self.at = match (self.at, byte) {
            (At::Size, b'\r') if self.digits > 0 => At::SizeEnd,
            (At::Size, b';') if self.digits > 0 => At::Extension,
            (At::Size, _) => {
                let digit = char::from(byte)
                    .to_digit(16)
                    .ok_or(Malformed("a chunk's size is not a number"))?;
                self.digits += 1;
                if self.digits > SIZE_DIGITS_MAX {
                    return Err(Malformed("a chunk's size is too large a number"));
                }
                self.left = self.left << 4 | u64::from(digit);
                At::Size
            }
            (At::Extension, b'\r') => At::SizeEnd,
            (At::Extension, b'\t' | b' '..=b'~') => {
                self.count()?;
                At::Extension
            }
            (At::SizeEnd, b'\n') => {
                self.digits = 0;
                if self.left == 0 {
                    At::Trailer
                } else {
                    At::Data
                }
            }
            (At::DataCr, b'\r') => At::DataEnd,
            (At::DataEnd, b'\n') => At::Size,
            (At::Trailer, _) => {
                self.count()?;
                self.trailer.push(byte);
                if byte == b'\n' && (self.trailer == b"\r\n" || self.trailer.ends_with(b"\r\n\r\n"))
                {
                    check_trailer(&self.trailer)?;
                    At::End
                } else {
                    At::Trailer
                }
            }
            (At::Extension | At::SizeEnd, _) => {
                return Err(Malformed("the line of a chunk's size is wrong"));
            }
            (At::DataCr | At::DataEnd, _) => {
                return Err(Malformed("a chunk is longer than its size"));
            }
            (At::Data | At::End, _) => self.at,
        };
        Ok(())
    }

    fn count(&mut self) -> Result<(), Malformed> {
        self.extra += 1;
        if self.extra > EXTRA_BYTES_MAX {
            return Err(Malformed("it carries too much beside the body"));
        }
        Ok(())
    }
}

/// Trailers are thrown away, but what is no header line ends the connection.
fn check_trailer(lines: &[u8]) -> Result<(), Malformed> {
    let mut space = [httparse::EMPTY_HEADER; TRAILERS_MAX];
    let lone_line_feed = lines
        .split_inclusive(|byte| *byte == b'\n')
        .any(|line| !line.ends_with(b"\r\n"));
    match httparse::parse_headers(lines, &mut space) {
        Ok(httparse::Status::Complete((size, _))) if size == lines.len() && !lone_line_feed => {
            Ok(())
        }
        _ => Err(Malformed("its trailer is wrong")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The body, and how many bytes it took.
    fn decode(
        input: &[u8],
        piece: usize,
        room: usize,
    ) -> Result<Option<(Vec<u8>, usize)>, Malformed> {
        let mut decoder = Chunked::default();
        let mut body = Vec::new();
        let mut at = 0;
        let mut output = vec![0; room];
        while at < input.len() && !decoder.is_over() {
            let end = (at + piece).min(input.len());
            let step = decoder.step(&input[at..end], &mut output)?;
            body.extend_from_slice(&output[..step.produced]);
            at += step.consumed;
        }
        Ok(decoder.is_over().then_some((body, at)))
    }

    #[test]
    fn a_body_is_the_same_however_it_arrives() {
        let input = b"4;name=\"v\"\r\nWiki\r\n6\r\npedia \r\nE\r\nin \r\n\r\nchunks.\r\n0\r\nA: b\r\n\r\nGET /";
        for piece in [1, 2, 3, 7, 1_000] {
            for room in [1, 5, 1_000] {
                let (body, used) = decode(input, piece, room).unwrap().unwrap();
                assert_eq!(body, b"Wikipedia in \r\n\r\nchunks.");
                assert_eq!(&input[used..], b"GET /");
            }
        }
    }

    #[test]
    fn a_wrong_frame_is_refused() {
        for wrong in [
            &b"\r\n"[..],
            b"g\r\n",
            b"-1\r\n",
            b"+1\r\na\r\n",
            b"0x1\r\n",
            b" 1\r\n",
            b"1 \r\n",
            b"1\na\r\n",
            b"1\r\nab\r\n",
            b"1\r\na\n0\r\n\r\n",
            b"1;\x00\r\n",
            b"1;a\rb\r\n",
            b"1000000000000000\r\n",
            b"0\r\nno colon\r\n\r\n",
            b"0\r\n a: folded\r\n\r\n",
            b"0\r\na: b\n\r\n\r\n",
            b";\r\n",
            b"1;a\n",
        ] {
            assert!(decode(wrong, 1, 10).is_err(), "{}", wrong.escape_ascii());
        }
    }

    #[test]
    fn a_body_that_is_cut_off_is_not_over() {
        let whole = b"1;x\r\na\r\n0\r\nA: b\r\n\r\n";
        for end in 0..whole.len() {
            assert_eq!(decode(&whole[..end], 3, 10).unwrap(), None);
        }
        assert!(decode(whole, 3, 10).unwrap().is_some());
    }

    #[test]
    fn extensions_and_trailers_have_a_limit() {
        let extension = |size: usize| format!("1;{}\r\na\r\n0\r\n\r\n", "x".repeat(size));
        // The last two bytes are the trailer's empty line.
        assert!(
            decode(extension(EXTRA_BYTES_MAX - 2).as_bytes(), 999, 9)
                .unwrap()
                .is_some()
        );
        assert!(decode(extension(EXTRA_BYTES_MAX - 1).as_bytes(), 999, 9).is_err());
        let trailers = |count: usize| format!("0\r\n{}\r\n", "a: b\r\n".repeat(count));
        assert!(
            decode(trailers(TRAILERS_MAX).as_bytes(), 99, 9)
                .unwrap()
                .is_some()
        );
        assert!(decode(trailers(TRAILERS_MAX + 1).as_bytes(), 99, 9).is_err());
    }
}
