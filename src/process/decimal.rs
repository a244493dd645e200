//! Exact decimal numbers, as files write them: compared and printed without going through a float.

use std::cmp::Ordering;
use std::fmt::Write;

/// A number: `0.digits × 10^exponent`, with no zero at either end of `digits`; zero has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

/// Exponents beyond this are no numbers that an office writes.
const EXPONENT_MAX: i64 = 1_000_000;

impl Decimal {
    /// Reads `-12`, `+1.5`, `.5`, `5.`, `1e3`. Nothing else: no spaces, groups, NaN or infinity.
    pub fn parse(text: &str) -> Option<Decimal> {
        let bytes = text.as_bytes();
        let (negative, mut at) = match bytes.first()? {
            b'-' => (true, 1),
            b'+' => (false, 1),
            _ => (false, 0),
        };
        let mut digits = String::with_capacity(bytes.len());
        let mut whole: i64 = 0;
        let mut seen = false;
        let mut after_point = false;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'0'..=b'9' => {
                    seen = true;
                    // Zeros in front move the point and are no digits.
                    if *byte == b'0' && digits.is_empty() {
                        whole -= i64::from(after_point);
                    } else {
                        digits.push(char::from(*byte));
                        whole += i64::from(!after_point);
                    }
                }
                b'.' if !after_point => after_point = true,
                b'e' | b'E' if seen => break,
                _ => return None,
            }
            at += 1;
        }
        if !seen {
            return None;
        }
        let mut exponent = whole;
        if at < bytes.len() {
            exponent = whole.checked_add(power(text.get(at + 1..)?)?)?;
        }
        while digits.ends_with('0') {
            digits.pop();
        }
        if digits.is_empty() {
            return Some(Decimal {
                negative: false,
                digits,
                exponent: 0,
            });
        }
        Some(Decimal {
            negative,
            digits,
            exponent,
        })
    }

    /// Whether there is nothing behind the point.
    pub fn is_integer(&self) -> bool {
        i64::try_from(self.digits.len()).is_ok_and(|digits| digits <= self.exponent)
            || self.digits.is_empty()
    }

    /// Whether a 64-bit float can be as large: what is larger is valid JSON that hardly any program
    /// reads.
    pub fn fits_float(&self) -> bool {
        self.exponent <= 308
    }

    /// As JSON: without exponent where that stays short.
    pub fn to_json(&self) -> String {
        let mut text = String::with_capacity(self.digits.len() + 8);
        if self.negative {
            text.push('-');
        }
        let count = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        match self.exponent {
            _ if self.digits.is_empty() => text.push('0'),
            exponent if !(-40..=40).contains(&exponent) => {
                text.push_str(&self.digits[..1]);
                if self.digits.len() > 1 {
                    text.push('.');
                    text.push_str(&self.digits[1..]);
                }
                // Writing to a String can't fail.
                let _ = write!(text, "e{}", exponent - 1);
            }
            exponent if exponent <= 0 => {
                text.push_str("0.");
                (exponent..0).for_each(|_| text.push('0'));
                text.push_str(&self.digits);
            }
            exponent if exponent >= count => {
                text.push_str(&self.digits);
                (count..exponent).for_each(|_| text.push('0'));
            }
            exponent => {
                let point = usize::try_from(exponent).unwrap_or(0);
                text.push_str(&self.digits[..point]);
                text.push('.');
                text.push_str(&self.digits[point..]);
            }
        }
        text
    }
}

/// What stands behind the `e`.
fn power(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let power: i64 = text.parse().ok()?;
    (power.abs() <= EXPONENT_MAX).then_some(power)
}

impl Ord for Decimal {
    fn cmp(&self, other: &Decimal) -> Ordering {
        match (self.sign(), other.sign()) {
            (a, b) if a != b => a.cmp(&b),
            (0, _) => Ordering::Equal,
            (sign, _) => {
                let size = self
                    .exponent
                    .cmp(&other.exponent)
                    .then_with(|| self.digits.cmp(&other.digits));
                if sign > 0 { size } else { size.reverse() }
            }
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Decimal {
    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn the_same_number_written_otherwise_is_equal() {
        for (a, b) in [
            ("1", "1.00"),
            ("0010", "10"),
            ("1e3", "1000"),
            ("-0", "0"),
            (".5", "0.50"),
            ("5.", "5"),
            ("1.5E-2", "0.015"),
            ("+7", "7"),
        ] {
            assert_eq!(decimal(a), decimal(b), "{a} {b}");
        }
    }

    #[test]
    fn numbers_are_ordered_as_numbers() {
        let sorted = [
            "-1e9",
            "-100.01",
            "-100",
            "-0.001",
            "0",
            "0.0001",
            "0.01",
            "9",
            "10",
            "99999.99",
            "100000",
            "100000.01",
            "12e20",
        ];
        for pair in sorted.windows(2) {
            assert!(decimal(pair[0]) < decimal(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "",
            "-",
            ".",
            "e5",
            "1e",
            "1e+",
            "12,5",
            "1.2.3",
            "0x1",
            " 1",
            "NaN",
            "1_000",
            "１",
            "1e99999999999",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    #[test]
    fn json_reads_back_as_the_same_number() {
        for (text, json) in [
            ("1250.75", "1250.75"),
            ("007", "7"),
            ("-.5", "-0.5"),
            ("1e3", "1000"),
            ("1e-3", "0.001"),
            ("12345678901234567890", "12345678901234567890"),
            ("1.5e99", "1.5e99"),
            ("-0.0", "0"),
        ] {
            assert_eq!(decimal(text).to_json(), json);
            assert_eq!(decimal(json), decimal(text));
        }
    }

    #[test]
    fn integers_are_told_by_their_value() {
        assert!(decimal("2.0").is_integer());
        assert!(decimal("0").is_integer());
        assert!(decimal("12e2").is_integer());
        assert!(!decimal("2.5").is_integer());
        assert!(!decimal("0.5").is_integer());
    }
}
