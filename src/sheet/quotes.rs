//! Quotes in the middle of quoted fields, which have no meaning and which `csv-core` leaves out.

use memchr::memchr;

/// Looks along the bytes of a record as they are taken apart.
#[derive(Debug)]
pub(super) struct Quotes {
    delimiter: u8,
    /// The byte before the next one; a separator where a record begins.
    before: u8,
    state: State,
    /// The 0-based column of the first such field.
    odd: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Outside,
    Inside,
    /// Behind a quote inside: the field's end, or the first half of a quote that is meant.
    Behind,
}

impl Quotes {
    pub(super) fn new(delimiter: u8) -> Quotes {
        Quotes {
            delimiter,
            before: delimiter,
            state: State::Outside,
            odd: None,
        }
    }

    /// The record ends; the column of its first field with such a quote.
    pub(super) fn end(&mut self) -> Option<usize> {
        let odd = self.odd;
        *self = Quotes::new(self.delimiter);
        odd
    }

    /// The next bytes of the record, before which `fields` have ended.
    pub(super) fn look(&mut self, bytes: &[u8], fields: usize) {
        let begun = (self.state, self.before);
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            if self.state == State::Behind {
                let ends = [self.delimiter, b'\n', b'\r'].contains(byte);
                self.state = match byte {
                    b'"' => State::Inside,
                    _ => State::Outside,
                };
                if self.state == State::Outside && !ends && self.odd.is_none() {
                    let passed = bytes.get(..at).unwrap_or(&[]);
                    self.odd = Some(fields + separators(passed, begun.0, self.delimiter));
                }
                at += 1;
                continue;
            }
            let Some(next) = bytes.get(at..).and_then(|rest| memchr(b'"', rest)) else {
                break;
            };
            let place = at + next;
            let before = match place.checked_sub(1) {
                Some(last) => bytes.get(last).copied().unwrap_or(0),
                None => begun.1,
            };
            self.state = match self.state {
                State::Inside => State::Behind,
                State::Outside if before == self.delimiter => State::Inside,
                State::Outside | State::Behind => State::Outside,
            };
            at = place + 1;
        }
        self.before = bytes.last().copied().unwrap_or(self.before);
    }
}

/// The separators among these bytes that are in no quoted field.
fn separators(bytes: &[u8], begun: State, delimiter: u8) -> usize {
    let mut inside = begun == State::Inside;
    let mut count = 0;
    for byte in bytes {
        match byte {
            b'"' => inside = !inside,
            _ if *byte == delimiter && !inside => count += 1,
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found, however the bytes are cut into pieces.
    fn odd(record: &[u8]) -> Option<usize> {
        let mut whole = Quotes::new(b',');
        whole.look(record, 0);
        let whole = whole.end();
        for cut in 1..record.len() {
            let (first, rest) = record.split_at(cut);
            let mut quotes = Quotes::new(b',');
            quotes.look(first, 0);
            quotes.look(rest, separators(first, State::Outside, b','));
            assert_eq!(quotes.end().is_some(), whole.is_some(), "{cut}");
        }
        whole
    }

    #[test]
    fn only_quotes_that_have_no_meaning_are_odd() {
        for record in [
            &b"a,\"b\",c\n"[..],
            b"\"a \"\"b\"\" c\",\"\"\r\n",
            b"5\" disk,a\"b\",c\n",
            b"\"\"\"\",\"x,y\nz\"\n",
        ] {
            assert_eq!(odd(record), None, "{}", String::from_utf8_lossy(record));
        }
        assert_eq!(odd(b"\"a\"b,c\n"), Some(0));
        assert_eq!(odd(b"x,\"he said \"hi\"\"\n"), Some(1));
        assert_eq!(odd(b"x,\"a,b\",\"c\" ,d\n"), Some(2));
    }
}
