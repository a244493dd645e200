//! Text that a spreadsheet program would run as a formula, and the apostrophe that keeps it from doing so
//! in a text file: put before it on the way out, taken away on the way in.

/// Whether text gets an apostrophe in a text file: it would be run, or it begins with apostrophes before
/// such text and would lose one when it is read again.
pub fn must_defuse(text: &str) -> bool {
    is_formula(text.trim_start_matches('\''))
}

/// The text that was defused; `None` where none was.
pub fn restored(text: &str) -> Option<&str> {
    text.strip_prefix('\'').filter(|text| must_defuse(text))
}

/// Whether a spreadsheet program would take text for a formula or a command. A number, whatever its
/// sign, and a phone number are none.
fn is_formula(value: &str) -> bool {
    match value.chars().next() {
        Some('=' | '@' | '\t' | '\r' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}') => true,
        Some('+') => !is_number(&value[1..]) && !is_phone_number(&value[1..]),
        Some('-') => !is_number(&value[1..]),
        _ => false,
    }
}

/// What follows the sign of a number or an amount: digits in groups, or an exponent.
fn is_number(rest: &str) -> bool {
    let rest = rest.trim_end_matches('%').trim_end();
    let begins = rest.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let grouped = rest.ends_with(|c: char| c.is_ascii_digit())
        && rest
            .chars()
            .all(|c| c.is_ascii_digit() || " \u{a0}\u{202f}.,".contains(c));
    begins && (grouped || rest.parse::<f64>().is_ok())
}

/// What follows the plus of a phone number: at least 6 digits, and what people put between them.
fn is_phone_number(rest: &str) -> bool {
    rest.bytes().filter(u8::is_ascii_digit).count() >= 6
        && rest.starts_with(|c: char| c.is_ascii_digit())
        && rest
            .chars()
            .all(|c| c.is_ascii_digit() || " \u{a0}\u{202f}.()/-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_defused_is_read_as_it_was() {
        for text in [
            "=1+1",
            "'=1+1",
            "''=1",
            "@a",
            "-x",
            "'-5",
            "-5",
            "+49 351 123456",
            "'",
            "''",
            "'s-Hertogenbosch",
            "\t=",
            "'\r",
            "＝1",
            "'＋x",
            "",
            "'a",
        ] {
            let out = if must_defuse(text) {
                format!("'{text}")
            } else {
                text.to_owned()
            };
            assert_eq!(restored(&out).unwrap_or(&out), text, "{out}");
            assert!(!is_formula(&out));
        }
    }
}
