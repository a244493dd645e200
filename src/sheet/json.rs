//! Values as JSON text, appended to a buffer without allocating.

/// Appends `text` as a JSON string.
pub(crate) fn text(out: &mut Vec<u8>, text: &str) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let (plain, special) = rest.split_at(plain_prefix(rest));
        out.extend_from_slice(plain);
        let Some((&byte, after)) = special.split_first() else {
            break;
        };
        rest = after;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
            }
        }
    }
    out.push(b'"');
}

/// How many bytes at the beginning mean themselves inside a JSON string.
pub(crate) fn plain_prefix(bytes: &[u8]) -> usize {
    // Eight bytes at a time.
    let (eights, rest) = bytes.as_chunks::<8>();
    for (at, eight) in eights.iter().enumerate() {
        if let Some(special) = first_special(eight) {
            return 8 * at + special;
        }
    }
    match bytes.last_chunk::<8>() {
        Some(last) => bytes.len() - 8 + first_special(last).unwrap_or(8),
        None => {
            let special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
            rest.iter().position(special).unwrap_or(rest.len())
        }
    }
}

/// Which of eight bytes is the first that has to be escaped. The high bit of each tells whether it is
/// below a bound: a borrow may make one too many of those behind the first, never one before it.
fn first_special(eight: &[u8; 8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
    const SPACES: u64 = u64::from_ne_bytes([b' '; 8]);
    const QUOTES: u64 = u64::from_ne_bytes([b'"'; 8]);
    const BACKSLASHES: u64 = u64::from_ne_bytes([b'\\'; 8]);
    // The first byte has the lowest bits, whatever the machine.
    let word = u64::from_le_bytes(*eight);
    let control = word.wrapping_sub(SPACES) & !word;
    let quote = (word ^ QUOTES).wrapping_sub(ONES) & !(word ^ QUOTES);
    let backslash = (word ^ BACKSLASHES).wrapping_sub(ONES) & !(word ^ BACKSLASHES);
    let special = (control | quote | backslash) & HIGHS;
    (special != 0).then_some(special.trailing_zeros() as usize / 8)
}

/// 2^63: below it an integral number is printed without fraction or exponent.
const INTEGRAL_MAX: f64 = 9_223_372_036_854_775_808.0;

/// Appends a number as the shortest text that reads back the same. False (and nothing appended)
/// where JSON can't hold it: NaN and the infinities.
pub(crate) fn number(out: &mut Vec<u8>, number: f64) -> bool {
    if !number.is_finite() {
        return false;
    }
    let written = if number.abs() < INTEGRAL_MAX && number.trunc() == number {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "integral and within the range of i64"
        )]
        let integral = number as i64;
        serde_json::to_writer(out, &integral)
    } else {
        serde_json::to_writer(out, &number)
    };
    written.is_ok()
}

/// Whether `text` is a JSON number that prints back identically once it has been read as a 64-bit
/// float (`007`, `1.50`, `1e5`, `+49` and ids of 17 digits and more mostly do not).
pub(crate) fn is_plain_number(text: &str) -> bool {
    // Patterns of bytes, not slices to compare: this is asked of every field.
    let unsigned = match text.as_bytes() {
        [b'-', rest @ ..] => rest,
        bytes @ [b'0'..=b'9', ..] => bytes,
        _ => return false,
    };
    let whole = digits(unsigned);
    if whole == 0 || (whole > 1 && unsigned.first() == Some(&b'0')) {
        return false;
    }
    let rest = unsigned.get(whole..).unwrap_or(&[]);
    let after = match rest {
        [] => {
            let is_minus_zero = unsigned.first() == Some(&b'0') && text.len() == 2;
            return whole <= 15 && !is_minus_zero || (16..=19).contains(&whole) && is_a_float(text);
        }
        [b'.', after @ ..] => after,
        _ => return false,
    };
    let fraction = after.len();
    let is_fraction = digits(after) == fraction && !matches!(after, [] | [.., b'0']);
    // 17 significant digits tell any float, beside the zeros that they may begin with.
    if !is_fraction || whole + fraction > 24 {
        return false;
    }
    // A float keeps any 15 digits; but small numbers are printed with an exponent.
    let is_small = matches!(after, [b'0', b'0', b'0', ..]);
    (whole + fraction <= 15 && !is_small) || reads_back(text)
}

/// How many digits the bytes begin with.
fn digits(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(bytes.len())
}

/// Whether an integer is one that a float can be, and so is printed by all its digits.
#[expect(clippy::cast_possible_truncation, reason = "within the range of i64")]
fn is_a_float(text: &str) -> bool {
    text.parse::<i64>().is_ok_and(|value| {
        let float = value as f64;
        float.abs() < INTEGRAL_MAX && float as i64 == value
    })
}

/// Whether a fraction is the shortest text of its float.
fn reads_back(text: &str) -> bool {
    let mut buffer = [0; 32];
    let mut free = buffer.as_mut_slice();
    let printed = text
        .parse::<f64>()
        .is_ok_and(|value| serde_json::to_writer(&mut free, &value).is_ok());
    let used = 32 - free.len();
    printed && buffer.get(..used) == Some(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(value: f64) -> Option<String> {
        let mut out = Vec::new();
        number(&mut out, value).then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn numbers_are_printed_as_the_contract_says() {
        assert_eq!(printed(12.0).as_deref(), Some("12"));
        assert_eq!(printed(-0.0).as_deref(), Some("0"));
        assert_eq!(printed(0.1).as_deref(), Some("0.1"));
        assert_eq!(
            printed(9_007_199_254_740_993.0).as_deref(),
            Some("9007199254740992")
        );
        assert_eq!(
            printed(9_223_372_036_854_774_784.0).as_deref(),
            Some("9223372036854774784")
        );
        for value in [1e19, -9_223_372_036_854_775_808.0, 1e300, 1.5e-9, f64::MAX] {
            let text = printed(value).unwrap();
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), value.to_bits());
            assert!(serde_json::from_str::<f64>(&text).is_ok(), "{text}");
        }
        assert_eq!(printed(f64::NAN), None);
        assert_eq!(printed(f64::INFINITY), None);
    }

    #[test]
    fn a_text_is_a_number_only_where_it_prints_back_identically() {
        for number in [
            "0",
            "7",
            "-7",
            "12.5",
            "-0.25",
            "0.0001",
            "9007199254740992",
            "4111111111111111",
            "0.1",
            "100",
            "1700000.5",
        ] {
            assert!(is_plain_number(number), "{number}");
        }
        for text in [
            "007",
            "1.50",
            "1.0",
            "1e5",
            "+49",
            "12345678901234567890",
            "9007199254740993",
            "123456789012345678",
            "-0",
            "-0.0",
            ".5",
            "5.",
            "1,5",
            " 1",
            "1 ",
            "",
            "-",
            "0x1",
            "NaN",
            "1_000",
            "٣",
            "0.1000000000000000055",
        ] {
            assert!(!is_plain_number(text), "{text}");
        }
    }

    #[test]
    fn every_special_byte_is_found_wherever_it_stands() {
        for length in 0..40 {
            assert_eq!(plain_prefix(&vec![b'a'; length]), length);
            assert_eq!(plain_prefix(&vec![0xc3; length]), length);
            for at in 0..length {
                for byte in 0..=255_u8 {
                    let mut bytes = vec![b'!'; length];
                    bytes[at] = byte;
                    let special = byte < 0x20 || byte == b'"' || byte == b'\\';
                    assert_eq!(plain_prefix(&bytes), if special { at } else { length });
                }
            }
        }
    }

    #[test]
    fn any_text_comes_back_from_its_json() {
        let all: String = (0..0x300)
            .filter_map(char::from_u32)
            .chain(['😀', '\u{2028}'])
            .collect();
        let mut out = Vec::new();
        text(&mut out, &all);
        assert!(out.iter().all(|byte| *byte >= 0x20));
        assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), all);
    }
}
