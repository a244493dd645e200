//! Dates and times in text: the standard's default forms, and how they print.

use time::{Date, Month};

/// Microseconds of a second, a minute, an hour and a day.
pub(super) const SECOND: i64 = 1_000_000;
pub(super) const MINUTE: i64 = 60 * SECOND;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

pub(super) const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
/// A day, a time of day, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Julian day number; 0 for a bare time of day.
    pub day: i32,
    /// Microseconds since midnight.
    pub micros: i64,
    /// Minutes east of UTC, where it is told.
    pub offset: Option<i32>,
}

impl Moment {
    /// The point on the line of time, for comparing; without an offset it counts as UTC.
    pub fn instant(&self) -> i64 {
        i64::from(self.day) * DAY + self.micros - i64::from(self.offset.unwrap_or(0)) * MINUTE
    }

    pub fn is_midnight(&self) -> bool {
        self.micros / SECOND == 0
    }

    /// The time alone; hour 24 is hour 0 of another day.
    pub(super) fn time_of_day(&self) -> Moment {
        Moment {
            day: 0,
            micros: self.micros % DAY,
            offset: self.offset,
        }
    }

    /// `2024-10-06`
    pub fn date_text(&self) -> String {
        match Date::from_julian_day(self.day) {
            Ok(date) => format!(
                "{:04}-{:02}-{:02}",
                date.year(),
                u8::from(date.month()),
                date.day()
            ),
            Err(_) => String::new(),
        }
    }

    /// `10:30:00`, with a fraction and an offset where there is one.
    pub fn time_text(&self) -> String {
        let mut text = format!(
            "{:02}:{:02}:{:02}",
            self.micros / HOUR,
            self.micros % HOUR / MINUTE,
            self.micros % MINUTE / SECOND
        );
        let fraction = self.micros % SECOND;
        if fraction != 0 {
            let digits = format!(".{fraction:06}");
            text.push_str(digits.trim_end_matches('0'));
        }
        match self.offset {
            None => {}
            Some(0) => text.push('Z'),
            Some(minutes) => text.push_str(&format!(
                "{}{:02}:{:02}",
                if minutes < 0 { '-' } else { '+' },
                minutes.abs() / 60,
                minutes.abs() % 60
            )),
        }
        text
    }

    /// `2024-10-06T10:30:00`
    pub fn datetime_text(&self) -> String {
        format!("{}T{}", self.date_text(), self.time_text())
    }
}

/// The Julian day of a date that exists.
pub(super) fn day(year: i32, month: u32, day: u32) -> Option<i32> {
    let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
    if !(1..=9999).contains(&year) {
        return None;
    }
    let date = Date::from_calendar_date(year, month, u8::try_from(day).ok()?).ok()?;
    Some(date.to_julian_day())
}

/// `2024-10-06`; a month or day of one digit is taken too.
pub(super) fn parse_date(text: &str) -> Option<Moment> {
    let mut parts = text.split('-');
    let (year, month, date) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    let year = digits(year, 4)?;
    Some(Moment {
        day: day(
            i32::try_from(year).ok()?,
            digits(month, 2)?,
            digits(date, 2)?,
        )?,
        micros: 0,
        offset: None,
    })
}

/// `10:30:00`, with or without fraction and offset.
pub(super) fn parse_time(text: &str) -> Option<Moment> {
    let (hour, rest) = two(text)?;
    let (minute, rest) = two(rest.strip_prefix(':')?)?;
    let (second, rest) = two(rest.strip_prefix(':')?)?;
    let (fraction, rest) = match rest.strip_prefix(['.', ',']) {
        None => (0, rest),
        Some(rest) => {
            let end = rest
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len());
            (micros(&rest[..end])?, &rest[end..])
        }
    };
    let offset = offset(rest)?;
    // The end of a day may be written as hour 24.
    let hour = match hour {
        24 if minute == 0 && second == 0 && fraction == 0 => 24,
        0..=23 => hour,
        _ => return None,
    };
    if minute > 59 || second > 59 {
        return None;
    }
    Some(Moment {
        day: 0,
        micros: i64::from(hour) * HOUR
            + i64::from(minute) * MINUTE
            + i64::from(second) * SECOND
            + fraction,
        offset,
    })
}

/// `2024-10-06T10:30:00`; a blank may stand for the `T`.
pub(super) fn parse_datetime(text: &str) -> Option<Moment> {
    let date = text.get(..10)?;
    let rest = text.get(10..)?.strip_prefix(['T', 't', ' '])?;
    let date = parse_date(date)?;
    let time = parse_time(rest)?;
    Some(Moment {
        day: date.day + i32::from(time.micros >= DAY),
        micros: time.micros % DAY,
        offset: time.offset,
    })
}

fn two(text: &str) -> Option<(u32, &str)> {
    Some((digits(text.get(..2)?, 2)?, text.get(2..)?))
}

/// A number of one to `most` plain digits.
pub(super) fn digits(text: &str, most: usize) -> Option<u32> {
    let fine =
        !text.is_empty() && text.len() <= most && text.bytes().all(|byte| byte.is_ascii_digit());
    if fine { text.parse().ok() } else { None }
}

/// A fraction of a second; digits beyond the sixth are cut.
pub(super) fn micros(digits: &str) -> Option<i64> {
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let six = digits.get(..6).unwrap_or(digits);
    let value: i64 = six.parse().ok()?;
    let missing = 6 - u32::try_from(six.len()).ok()?;
    Some(value * 10_i64.pow(missing))
}

/// Nothing, `Z`, `+01:00`, `+0100` or `+01`.
pub(super) fn offset(text: &str) -> Option<Option<i32>> {
    if text.is_empty() {
        return Some(None);
    }
    if text == "Z" || text == "z" {
        return Some(Some(0));
    }
    let sign = match text.as_bytes().first() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return None,
    };
    let (hours, rest) = two(text.get(1..)?)?;
    let minutes = match rest.strip_prefix(':').unwrap_or(rest) {
        "" if rest.is_empty() => 0,
        minutes if minutes.len() == 2 => digits(minutes, 2)?,
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    Some(Some(sign * i32::try_from(hours * 60 + minutes).ok()?))
}

/// A year of two digits, as strptime has it.
pub(super) fn short_year(year: i32) -> i32 {
    year + if year < 69 { 2000 } else { 1900 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_that_are_not_in_the_calendar_are_no_dates() {
        assert_eq!(parse_date("2024-02-29").unwrap().date_text(), "2024-02-29");
        for text in [
            "2023-02-29",
            "2024-06-31",
            "2024-13-01",
            "24-01-01",
            "2024-01",
            "x",
            "",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    #[test]
    fn times_keep_fraction_and_offset() {
        for text in [
            "10:30:00",
            "23:59:59.25",
            "00:00:00Z",
            "08:00:00+01:30",
            "08:00:00-05:00",
        ] {
            assert_eq!(parse_time(text).unwrap().time_text(), text);
        }
        for text in [
            "25:00:00",
            "10:30",
            "10:60:00",
            "noon",
            "10:30:00 ",
            "9:00:00",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn the_end_of_a_day_is_the_beginning_of_the_next() {
        let end = parse_datetime("2024-12-31T24:00:00").unwrap();
        assert_eq!(end.datetime_text(), "2025-01-01T00:00:00");
    }

    #[test]
    fn instants_are_compared_across_offsets() {
        let a = parse_datetime("2024-06-01T12:00:00+02:00").unwrap();
        let b = parse_datetime("2024-06-01T10:00:00Z").unwrap();
        assert_eq!(a.instant(), b.instant());
    }
}
