//! Percent-encoding (RFC 3986, 2.1), where a fault in it is a fault of the request.

/// The text that `encoded` stands for; `None` where a `%` isn't followed by two hex digits or the
/// bytes are no UTF-8.
pub fn decode(encoded: &str) -> Option<String> {
    if !encoded.contains('%') {
        return Some(encoded.to_owned());
    }
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let high = hex(rest.next()?)?;
            let low = hex(rest.next()?)?;
            bytes.push(high << 4 | low);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Whether every `%` is followed by two hex digits.
pub fn is_well_formed(encoded: &str) -> bool {
    encoded.split('%').skip(1).all(|after| {
        let mut bytes = after.bytes();
        matches!((bytes.next(), bytes.next()), (Some(a), Some(b)) if hex(a).is_some() && hex(b).is_some())
    })
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_encoded_rightly_is_no_text() {
        assert_eq!(decode("a%20b%2Fc").as_deref(), Some("a b/c"));
        assert_eq!(decode("%C3%BC").as_deref(), Some("ü"));
        for wrong in ["%", "%2", "%zz", "%+1", "%FF", "a%C3"] {
            assert_eq!(decode(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_query_needs_whole_escapes_only() {
        assert!(is_well_formed("q=%FF&x=%20%20") && is_well_formed(""));
        assert!(!is_well_formed("q=100%") && !is_well_formed("%1") && !is_well_formed("%%41"));
    }
}
