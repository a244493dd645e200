//! Durations in ISO 8601: `P2Y3M4DT5H6M7.5S`.

/// Microseconds of what a letter counts, before and after the `T`; years and months have no length
/// in days.
const DAY: f64 = 86_400e6;
const DATE_PARTS: [(char, f64); 4] = [('Y', 12.0), ('M', 1.0), ('W', 7.0 * DAY), ('D', DAY)];
const TIME_PARTS: [(char, f64); 3] = [('H', 3_600e6), ('M', 60e6), ('S', 1e6)];

/// How long a duration is: months and, apart from them, microseconds. Each part may stand once and
/// in its order; weeks, fractions and a sign are allowed. `None`: it is no duration.
pub fn length(text: &str) -> Option<(f64, f64)> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    let rest = unsigned.strip_prefix('P')?;
    let (date, time) = match rest.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (rest, None),
    };
    let dates = parts(date, &DATE_PARTS)?;
    let times = match time {
        None => Vec::new(),
        Some(time) => parts(time, &TIME_PARTS).filter(|parts| !parts.is_empty())?,
    };
    if dates.is_empty() && times.is_empty() {
        return None;
    }
    let (mut months, mut micros) = (0.0, 0.0);
    for (letter, amount) in dates {
        match letter {
            'Y' | 'M' => months += amount,
            _ => micros += amount,
        }
    }
    micros += times.iter().map(|(_, amount)| amount).sum::<f64>();
    // No negative zero: it would print otherwise than zero.
    Some((sign * months + 0.0, sign * micros.round() + 0.0))
}

/// The letters of a part and what they come to.
fn parts(text: &str, known: &[(char, f64)]) -> Option<Vec<(char, f64)>> {
    let mut known = known.iter();
    let mut found = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let letter = rest[end..].chars().next()?;
        let (_, size) = known.find(|(known, _)| *known == letter)?;
        let number = rest[..end].replace(',', ".");
        let fine = number.split('.').count() <= 2
            && number
                .split('.')
                .all(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()));
        if !fine {
            return None;
        }
        found.push((letter, number.parse::<f64>().ok()? * size));
        rest = &rest[end + 1..];
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_iso_8601() {
        for text in [
            "P1D",
            "PT36H15M",
            "P2Y3M",
            "P1W",
            "P1DT12H30M5S",
            "-P1D",
            "PT0.5S",
            "PT1,5S",
            "P1Y2M3W4DT5H6M7S",
        ] {
            assert!(length(text).is_some(), "{text}");
        }
        for text in [
            "1 day", "1D", "P", "PT", "P1", "P1H", "PT1D", "P1M1Y", "long", "P1DT", "PXD", "p1d",
            "P1D ", "P-1D", "",
        ] {
            assert_eq!(length(text), None, "{text}");
        }
    }

    #[test]
    fn the_same_length_written_otherwise_is_equal() {
        for (a, b) in [
            ("P1D", "PT24H"),
            ("P1W", "+P7D"),
            ("P1Y", "P12M"),
            ("PT0S", "-PT0S"),
            ("PT90M", "PT1.5H"),
        ] {
            assert_eq!(length(a), length(b), "{a} {b}");
        }
        assert_ne!(length("P1M"), length("P30D"));
        assert_ne!(length("P1D"), length("-P1D"));
    }
}
