//! Formats of text: e-mail and web addresses, UUIDs and base64, told as Frictionless tells them.

/// An e-mail address: a local part of atoms or in quotes, one @, and a host name with a dot.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.rsplit_once('@') else {
        return false;
    };
    if local.contains('@') || local.chars().count() > 64 || host.chars().count() > 253 {
        return false;
    }
    is_local_part(local) && is_domain(host)
}

fn is_local_part(local: &str) -> bool {
    let quoted = local
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    if let Some(inner) = quoted {
        return inner
            .chars()
            .all(|c| c.is_ascii() && !"\t\n\r \"\\".contains(c) && c != '\0' || latin(c));
    }
    local
        .split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(is_atom_char))
}

fn is_atom_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_`{}|~-".contains(c) || latin(c)
}

/// The Latin letters beyond ASCII that addresses may hold.
fn latin(c: char) -> bool {
    matches!(c, '\u{a0}'..='\u{24f}')
}

/// Whether a host is a name of two labels or more, in any script.
pub(super) fn is_domain(host: &str) -> bool {
    let labels: Vec<&str> = host.split('.').collect();
    let Some((last, rest)) = labels.split_last() else {
        return false;
    };
    let fine = |label: &&str| {
        !label.is_empty()
            && label.chars().count() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| {
                c == '-' || c.is_ascii_alphanumeric() || (!c.is_ascii() && c.is_alphanumeric())
            })
    };
    !rest.is_empty()
        && rest.iter().all(fine)
        && fine(last)
        && last.chars().count() >= 2
        && last.chars().next_back().is_some_and(char::is_alphabetic)
}

/// A URI (RFC 3986): a scheme, and neither white space nor control characters behind it. An address
/// of the web names a host: "the http scheme considers a missing authority or empty host invalid"
/// (there, 3.2.2).
pub(super) fn is_uri(text: &str) -> bool {
    let Some(scheme) = scheme(text) else {
        return false;
    };
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    if !plain && text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return false;
    }
    let of_the_web = ["http", "https"]
        .iter()
        .any(|web| scheme.eq_ignore_ascii_case(web));
    let rest = text.get(scheme.len() + 1..).unwrap_or("");
    !of_the_web || rest.strip_prefix("//").is_some_and(has_host)
}

/// Whether what stands behind `//` begins with a host.
fn has_host(rest: &str) -> bool {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = rest.get(..end).unwrap_or("");
    let host = authority.rsplit_once('@').map_or(authority, |(_, h)| h);
    !host.is_empty() && !host.starts_with(':')
}

/// The scheme of a URI, without its colon.
pub(super) fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let mut chars = scheme.chars();
    let fine = chars.next()?.is_ascii_alphabetic()
        && chars.all(|c| c.is_ascii_alphanumeric() || "+.-".contains(c));
    fine.then_some(scheme)
}

/// 32 hexadecimal digits, in groups or in one, in braces or as a URN.
pub(super) fn is_uuid(text: &str) -> bool {
    let digits = text.replace("urn:", "").replace("uuid:", "");
    let digits: String = digits
        .trim_matches(['{', '}'])
        .chars()
        .filter(|c| *c != '-')
        .collect();
    digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Base64 with its padding; other characters are passed over, as decoders do.
pub(super) fn is_base64(text: &str) -> bool {
    let known = text
        .bytes()
        .take_while(|byte| *byte != b'=')
        .filter(|byte| byte.is_ascii_alphanumeric() || *byte == b'+' || *byte == b'/')
        .count();
    let padding = text.bytes().filter(|byte| *byte == b'=').count();
    text.is_ascii()
        && match known % 4 {
            0 => true,
            2 => padding >= 2,
            3 => padding >= 1,
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn email_addresses_are_told_from_what_looks_like_one() {
        for text in [
            "anna@example.com",
            "first.last@sub.example.co.uk",
            "emile+list@example.com",
            "jörg@müller.de",
            "o'neil@example.org",
        ] {
            assert!(is_email(text), "{text}");
        }
        for text in [
            "no at sign",
            "two@@example.com",
            "x@",
            "@example.com",
            "a b@example.com",
            "a@example",
            "a@-x.com",
            "a..b@example.com",
            "a@exa mple.com",
            "a@1.2.3.4",
            "",
        ] {
            assert!(!is_email(text), "{text}");
        }
    }

    #[test]
    fn a_uri_has_a_scheme() {
        for text in [
            "https://example.com",
            "mailto:a@example.com",
            "urn:isbn:0451450523",
            "ftp://files.example.com/a?b=c#d",
            "https://anna@example.com:8080/x",
            "http://[::1]/x",
            "file:///home/anna/list.csv",
            "mailto:",
            "ftp:///a",
            "x:",
        ] {
            assert!(is_uri(text), "{text}");
        }
        for text in [
            "www.example.com",
            "//example.com/path",
            "not a url",
            "",
            "1a:b",
            ":x",
            "http://",
            "https:",
            "http:/a",
            "HTTP:/a",
            "http:///path",
            "http://:80/x",
            "http://anna@/x",
            "https://?q=1",
            "https://example.com/a b",
            "https://example.com/a\nb",
            "https://example.com/\u{7}",
            " https://example.com",
        ] {
            assert!(!is_uri(text), "{text}");
        }
    }

    #[test]
    fn uuids_have_32_digits() {
        assert!(is_uuid("6f1f5c1e-9d0a-4d6b-8a57-3f4e2a9b1c01"));
        assert!(is_uuid("6F1F5C1E9D0A4D6B8A573F4E2A9B1C01"));
        assert!(!is_uuid("6f1f5c1e"));
        assert!(!is_uuid("6f1f5c1e-9d0a-4d6b-8a57-3f4e2a9b1c055"));
        assert!(!is_uuid("6f1f5c1e-9d0a-4d6b-8a57-3f4e2a9b1c0Z"));
    }

    #[test]
    fn base64_is_told_by_its_length() {
        assert!(is_base64("aGVsbG8="));
        assert!(is_base64(""));
        assert!(!is_base64("aGVsb"));
        assert!(!is_base64("aGVsbG8"));
    }
}
