//! Heads and bodies changed at random, always in the same way: the decoders neither panic nor hang,
//! and what could be read as two requests is never one of ours.

use sheetline::http::listener::chunked::Chunked;
use sheetline::http::listener::head::{self, Framing};
use sheetline::settings::Door;

/// SplitMix64: the same numbers on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    /// One to four changes.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            match self.below(5) {
                0 if at < bytes.len() => bytes[at] = u8::try_from(self.below(256)).unwrap(),
                1 if at < bytes.len() => {
                    bytes.remove(at);
                }
                2 => {
                    let piece = self.one(PIECES).to_vec();
                    bytes.splice(at..at, piece);
                }
                3 => {
                    let end = (at + self.below(40)).min(bytes.len());
                    let again = bytes[at..end].to_vec();
                    bytes.splice(at..at, again);
                }
                _ => {
                    let end = (at + self.below(8)).min(bytes.len());
                    bytes.drain(at..end);
                }
            }
        }
    }
}

/// What makes requests ambiguous.
const PIECES: &[&[u8]] = &[
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\n\n",
    b"\0",
    b"\x0b",
    b"\x0c",
    b"\x7f",
    b"\xff",
    b"\xc3\xbc",
    b" ",
    b"\t",
    b":",
    b",",
    b";",
    b"Content-Length: 3\r\n",
    b"content-length:0\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"transfer-encoding : chunked\r\n",
    b"\r\n folded",
    b"Host: b\r\n",
    b"0\r\n\r\n",
    b"GET / HTTP/1.1\r\n",
    b"%",
    b"%00",
    b"#",
    b"?",
    b"chunked, chunked",
    b"+",
    b"-1",
    b"ffffffffffffffff",
];

const HEADS: &[&[u8]] = &[
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /api/files/upload-json?x=%20 HTTP/1.1\r\nHost: office:8080\r\nContent-Length: 5\r\nCookie: session=abc\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\nX: a\tb\r\n\r\n",
    b"HEAD http://a.example/b?c HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, close\r\n\r\n",
    b"GET /old HTTP/1.0\r\nUser-Agent: \xc3\xbc\r\n\r\n",
];

const BODIES: &[&[u8]] = &[
    b"5\r\nhello\r\n0\r\n\r\n",
    b"a;name=\"value\"\r\n0123456789\r\n3\r\nabc\r\n0\r\nTrailer: x\r\nOther: y\r\n\r\n",
    b"000f\r\nfifteen letters\r\n1\r\n.\r\n0\r\n\r\n",
];

/// How many lines a careless reader would take for something about the body's end.
fn careless_count(head: &[u8], name: &str) -> usize {
    let text: String = head
        .iter()
        .map(|byte| char::from(byte.to_ascii_lowercase()))
        .collect();
    text.split(['\r', '\n'])
        .filter(|line| {
            let key = line.split(':').next().unwrap_or("");
            let key: String = key.chars().filter(|c| c.is_ascii_graphic()).collect();
            line.contains(':') && key == name
        })
        .count()
}

#[test]
fn no_changed_head_is_read_in_two_ways() {
    let door = Door::default();
    let mut dice = Dice(8);
    let (mut understood, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let mut bytes = dice.one(HEADS).to_vec();
        dice.mutate(&mut bytes);
        let whole = head::end(&bytes, 0);
        // However it arrives, it ends in the same place.
        let first = dice.below(bytes.len() + 1);
        let in_two = head::end(&bytes[..first], 0).or_else(|| head::end(&bytes, first));
        assert_eq!(whole, in_two, "{}", bytes.escape_ascii());
        let Some(end) = whole else { continue };
        let read = &bytes[..end];
        let Ok(head) = head::decode(read, &door) else {
            refused += 1;
            continue;
        };
        understood += 1;
        let shown = read.escape_ascii();
        let lengths = careless_count(read, "content-length");
        let codings = careless_count(read, "transfer-encoding");
        match head.framing {
            Framing::Nothing => assert_eq!((lengths, codings), (0, 0), "{shown}"),
            Framing::Length(_) => assert_eq!((lengths, codings), (1, 0), "{shown}"),
            Framing::Chunked => assert_eq!((lengths, codings), (0, 1), "{shown}"),
        }
        assert!(careless_count(read, "host") <= 1, "{shown}");
        assert!(
            head.target.starts_with('/') || head.target == "*",
            "{shown}"
        );
        assert!(
            head.target.bytes().all(|byte| byte.is_ascii_graphic()),
            "{shown}"
        );
        for (name, value) in &head.headers {
            assert!(
                !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()),
                "{shown}"
            );
            assert!(!value.contains(['\r', '\n', '\0']), "{shown}");
        }
        assert_eq!(
            read.windows(2).filter(|pair| pair == b"\r\n").count(),
            head_lines(read),
            "{shown}"
        );
    }
    // The changes are neither all harmless nor all deadly.
    assert!(
        understood > 2_000 && refused > 2_000,
        "{understood} {refused}"
    );
}

/// Lines, however ended.
fn head_lines(head: &[u8]) -> usize {
    head.iter()
        .filter(|byte| matches!(byte, b'\r' | b'\n'))
        .count()
        / 2
}

#[test]
fn no_changed_body_is_read_in_two_ways() {
    let mut dice = Dice(80);
    let (mut whole, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let mut bytes = dice.one(BODIES).to_vec();
        dice.mutate(&mut bytes);
        let at_once = decode(&bytes, || 1_000, 1_000);
        let (piece, room) = (1 + dice.below(5), 1 + dice.below(5));
        let in_pieces = decode(&bytes, || piece, room);
        assert_eq!(at_once, in_pieces, "{}", bytes.escape_ascii());
        match at_once {
            Ok(Some((body, used))) => {
                whole += 1;
                assert_eq!(
                    again(&body, &bytes[..used]),
                    Some(used),
                    "{}",
                    bytes.escape_ascii()
                );
            }
            Ok(None) => {}
            Err(()) => refused += 1,
        }
    }
    assert!(whole > 1_000 && refused > 1_000, "{whole} {refused}");
}

/// The body and how many bytes it took; `None` where it isn't over; `Err` where it is refused.
fn decode(
    bytes: &[u8],
    piece: impl Fn() -> usize,
    room: usize,
) -> Result<Option<(Vec<u8>, usize)>, ()> {
    let mut decoder = Chunked::default();
    let mut output = vec![0; room];
    let (mut body, mut at) = (Vec::new(), 0);
    let mut steps = 0;
    while at < bytes.len() && !decoder.is_over() {
        let end = (at + piece()).min(bytes.len());
        let step = decoder.step(&bytes[at..end], &mut output).map_err(|_| ())?;
        body.extend_from_slice(&output[..step.produced]);
        at += step.consumed;
        steps += 1;
        assert!(
            steps <= 2 * bytes.len(),
            "it hangs: {}",
            bytes.escape_ascii()
        );
    }
    Ok(decoder.is_over().then_some((body, at)))
}

/// A second reader, written another way: where the body ends, if these bytes mean this body.
fn again(body: &[u8], bytes: &[u8]) -> Option<usize> {
    let (mut at, mut made) = (0, 0);
    loop {
        let line = at + bytes[at..].windows(2).position(|pair| pair == b"\r\n")?;
        let text = std::str::from_utf8(&bytes[at..line]).ok()?;
        let size = usize::from_str_radix(text.split(';').next()?, 16).ok()?;
        at = line + 2;
        if size == 0 {
            break;
        }
        if bytes.get(at..at + size)? != body.get(made..made + size)?
            || bytes.get(at + size..at + size + 2)? != b"\r\n"
        {
            return None;
        }
        made += size;
        at += size + 2;
    }
    loop {
        let line = at + bytes[at..].windows(2).position(|pair| pair == b"\r\n")?;
        let is_last = line == at;
        at = line + 2;
        if is_last {
            return (made == body.len()).then_some(at);
        }
    }
}
