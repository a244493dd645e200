//! Dates and times in text: the standard's default forms and strptime patterns, and how they print.

use regex::Regex;
use time::{Date, Month};

/// Microseconds of a second, a minute, an hour and a day.
const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

const MONTHS: [&str; 12] = [
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
const DAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
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
fn digits(text: &str, most: usize) -> Option<u32> {
    let fine =
        !text.is_empty() && text.len() <= most && text.bytes().all(|byte| byte.is_ascii_digit());
    if fine { text.parse().ok() } else { None }
}

/// A fraction of a second; digits beyond the sixth are cut.
fn micros(digits: &str) -> Option<i64> {
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let six = digits.get(..6).unwrap_or(digits);
    let value: i64 = six.parse().ok()?;
    let missing = 6 - u32::try_from(six.len()).ok()?;
    Some(value * 10_i64.pow(missing))
}

/// Nothing, `Z`, `+01:00`, `+0100` or `+01`.
fn offset(text: &str) -> Option<Option<i32>> {
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

/// A strptime pattern, ready to read text.
#[derive(Debug, Clone)]
pub struct Pattern {
    regex: Regex,
}

impl Pattern {
    /// # Errors
    /// A sentence, where the pattern holds a directive that is not known.
    pub fn parse(format: &str) -> Result<Pattern, String> {
        let mut regex = String::from("(?i)^");
        let mut seen: Vec<char> = Vec::new();
        let mut chars = format.chars().peekable();
        while let Some(c) = chars.next() {
            if c.is_whitespace() {
                while chars.next_if(|next| next.is_whitespace()).is_some() {}
                regex.push_str(r"\s+");
                continue;
            }
            if c != '%' {
                regex.push_str(&regex::escape(&c.to_string()));
                continue;
            }
            let directive = chars.next().unwrap_or(' ');
            if directive == '%' {
                regex.push('%');
                continue;
            }
            let Some(part) = directive_regex(directive) else {
                return Err(format!(
                    "the directive %{directive} is not one of %d %m %Y %y %b %B %a %A %j %H %I %M %S %f %p %z %Z %%"
                ));
            };
            if seen.contains(&directive) {
                return Err(format!("the directive %{directive} stands twice"));
            }
            seen.push(directive);
            regex.push_str(&format!("(?P<{directive}>{part})"));
        }
        if seen.is_empty() {
            return Err("there is no directive such as %Y in it".to_owned());
        }
        regex.push('$');
        Regex::new(&regex)
            .map(|regex| Pattern { regex })
            .map_err(|_| "it can't be understood".to_owned())
    }

    /// Reads text of exactly this form. What the pattern leaves out is 1900, January, the first
    /// and midnight, as strptime has it.
    pub fn read(&self, text: &str) -> Option<Moment> {
        let found = self.regex.captures(text)?;
        let number = |name: &str| -> Option<Option<u32>> {
            match found.name(name) {
                None => Some(None),
                Some(part) => part.as_str().trim().parse().ok().map(Some),
            }
        };
        let year = match (number("Y")?, number("y")?) {
            (Some(year), _) => i32::try_from(year).ok()?,
            (None, Some(short)) => {
                i32::try_from(short).ok()? + if short < 69 { 2000 } else { 1900 }
            }
            (None, None) => 1900,
        };
        let named = |name: &str, list: &[&str], least: usize| -> Option<Option<u32>> {
            let Some(part) = found.name(name) else {
                return Some(None);
            };
            let part = part.as_str().to_lowercase();
            let at = list
                .iter()
                .position(|full| **full == part || (least == 3 && full[..3] == part))?;
            Some(u32::try_from(at + 1).ok())
        };
        let month = number("m")?
            .or(named("b", &MONTHS, 3)?)
            .or(named("B", &MONTHS, 12)?);
        let day = match number("j")? {
            Some(of_year) if month.is_none() => {
                let date = Date::from_ordinal_date(year, u16::try_from(of_year).ok()?).ok()?;
                date.to_julian_day()
            }
            Some(_) | None => day(year, month.unwrap_or(1), number("d")?.unwrap_or(1))?,
        };
        let half = found.name("p").map(|part| part.as_str().to_lowercase());
        let hour = match (number("H")?, number("I")?) {
            (Some(hour), _) => hour,
            (None, Some(hour)) => hour % 12 + if half.as_deref() == Some("pm") { 12 } else { 0 },
            (None, None) => 0,
        };
        let second = number("S")?.unwrap_or(0);
        if second > 59 {
            return None;
        }
        let fraction = match found.name("f") {
            Some(part) => micros(part.as_str())?,
            None => 0,
        };
        let offset = match (found.name("z"), found.name("Z")) {
            (Some(part), _) => offset(part.as_str())?,
            (None, Some(_)) => Some(0),
            (None, None) => None,
        };
        Some(Moment {
            day,
            micros: i64::from(hour) * HOUR
                + i64::from(number("M")?.unwrap_or(0)) * MINUTE
                + i64::from(second) * SECOND
                + fraction,
            offset,
        })
    }
}

/// Reads a date, or a date and a time, in one of the usual forms that can be read in one way only:
/// ISO 8601, `31.12.2024`, `5 March 2024`, `March 5, 2024`, and `25/12/2024`, where a number
/// above 12 tells the day. `03/08/2024` needs the order that its column has.
pub(super) fn guess(text: &str, order: Option<DayOrder>) -> Option<Moment> {
    let text = text.trim();
    if let Some(moment) = parse_date(text).or_else(|| parse_datetime(text)) {
        return Some(moment);
    }
    let (date, time) = match text.rsplit_once([' ', 'T']) {
        Some((date, time)) if time.contains(':') => (date.trim_end_matches(','), Some(time)),
        Some(_) | None => (text, None),
    };
    let day = guess_day(date, order)?;
    let time = match time {
        None => None,
        Some(time) if time.len() <= 5 => Some(parse_time(&format!("{time:0>5}:00"))?),
        Some(time) => Some(parse_time(time)?),
    };
    Some(Moment {
        day,
        micros: time.map_or(0, |time| time.micros),
        offset: time.and_then(|time| time.offset),
    })
}

fn guess_day(text: &str, order: Option<DayOrder>) -> Option<i32> {
    if let Some(parts) = three(text, '.') {
        return day(
            i32::try_from(digits(parts[2], 4)?).ok()?,
            digits(parts[1], 2)?,
            digits(parts[0], 2)?,
        )
        .filter(|_| parts[2].len() == 4);
    }
    if let Some(parts) = three(text, '/') {
        if parts[0].len() == 4 {
            return day(
                i32::try_from(digits(parts[0], 4)?).ok()?,
                digits(parts[1], 2)?,
                digits(parts[2], 2)?,
            );
        }
        let (a, b) = (digits(parts[0], 2)?, digits(parts[1], 2)?);
        let year = i32::try_from(digits(parts[2], 4)?)
            .ok()
            .filter(|_| parts[2].len() == 4)?;
        return match (order_of(text)?, order) {
            (Told::Order(DayOrder::DayFirst), _) => day(year, b, a),
            (Told::Order(DayOrder::MonthFirst), _) | (Told::Either, Some(DayOrder::MonthFirst)) => {
                day(year, a, b)
            }
            (Told::Either, Some(DayOrder::DayFirst)) => day(year, b, a),
            (Told::Either, None) if a == b => day(year, a, b),
            (Told::Either, None) => None,
        };
    }
    let words: Vec<&str> = text
        .split([' ', ',', '-'])
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| !word.is_empty())
        .collect();
    let [a, b, year] = words.as_slice() else {
        return None;
    };
    let (month, date) = match (named_month(a), named_month(b)) {
        (Some(month), None) => (month, b),
        (None, Some(month)) => (month, a),
        _ => return None,
    };
    let year = i32::try_from(digits(year, 4)?)
        .ok()
        .filter(|_| year.len() == 4)?;
    day(year, month, digits(date, 2)?)
}

/// Whether the day or the month stands first in `03/08/2024`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayOrder {
    DayFirst,
    MonthFirst,
}

/// What a date with slashes tells of its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Order(DayOrder),
    /// It can be read both ways.
    Either,
}

/// What the date at the beginning of `text` tells of the order of day and month; `None` where it is
/// no date with slashes and the year at the end.
pub(super) fn order_of(text: &str) -> Option<Told> {
    let date = text.trim().split([' ', 'T']).next()?;
    let [a, b, year] = three(date, '/')?;
    let (a, b) = (digits(a, 2)?, digits(b, 2)?);
    digits(year, 4).filter(|_| year.len() == 4)?;
    match (a > 12, b > 12) {
        (true, false) => Some(Told::Order(DayOrder::DayFirst)),
        (false, true) => Some(Told::Order(DayOrder::MonthFirst)),
        (false, false) => Some(Told::Either),
        (true, true) => None,
    }
}

fn three(text: &str, separator: char) -> Option<[&str; 3]> {
    let mut parts = text.split(separator);
    let three = [parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(three)
}

fn named_month(word: &str) -> Option<u32> {
    let word = word.to_lowercase();
    let at = MONTHS
        .iter()
        .position(|month| *month == word || month[..3] == word)?;
    u32::try_from(at + 1).ok()
}

/// What a directive takes, as Python's strptime has it.
fn directive_regex(directive: char) -> Option<String> {
    Some(match directive {
        'd' => r"3[0-1]|[1-2][0-9]|0[1-9]|[1-9]| [1-9]".to_owned(),
        'm' => r"1[0-2]|0[1-9]|[1-9]".to_owned(),
        'Y' => r"[0-9]{4}".to_owned(),
        'y' => r"[0-9]{2}".to_owned(),
        'j' => r"36[0-6]|3[0-5][0-9]|[1-2][0-9][0-9]|0[1-9][0-9]|00[1-9]|[1-9][0-9]|0[1-9]|[1-9]"
            .to_owned(),
        'H' => r"2[0-3]|[0-1][0-9]|[0-9]".to_owned(),
        'I' => r"1[0-2]|0[1-9]|[1-9]".to_owned(),
        'M' => r"[0-5][0-9]|[0-9]".to_owned(),
        'S' => r"6[0-1]|[0-5][0-9]|[0-9]".to_owned(),
        'f' => r"[0-9]{1,6}".to_owned(),
        'p' => r"am|pm".to_owned(),
        'z' => r"[+-][0-9]{2}:?[0-5][0-9]|Z".to_owned(),
        'Z' => r"utc|gmt".to_owned(),
        'b' => MONTHS.map(|month| &month[..3]).join("|"),
        'B' => MONTHS.join("|"),
        'a' => DAYS.map(|day| &day[..3]).join("|"),
        'A' => DAYS.join("|"),
        _ => return None,
    })
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

    #[test]
    fn patterns_read_what_strptime_reads() {
        for (format, text, wanted) in [
            ("%d/%m/%Y", "29/02/2024", Some("2024-02-29T00:00:00")),
            ("%d/%m/%Y", "1/2/2024", Some("2024-02-01T00:00:00")),
            ("%d/%m/%Y", "30/02/2024", None),
            ("%d/%m/%Y", "01/02/24", None),
            ("%d.%m.%y", "01.02.68", Some("2068-02-01T00:00:00")),
            ("%d.%m.%y", "01.02.69", Some("1969-02-01T00:00:00")),
            ("%B %d, %Y", "March 5, 2024", Some("2024-03-05T00:00:00")),
            ("%d %b %Y", "5 mar 2024", Some("2024-03-05T00:00:00")),
            ("%I:%M %p", "12:05 AM", Some("1900-01-01T00:05:00")),
            ("%I:%M %p", "12:05 pm", Some("1900-01-01T12:05:00")),
            ("%Y-%j", "2024-060", Some("2024-02-29T00:00:00")),
            ("%H%M", "0905", Some("1900-01-01T09:05:00")),
            ("%H:%M", "24:00", None),
            (
                "%Y-%m-%d %H:%M:%S.%f%z",
                "2024-01-02 03:04:05.5+0100",
                Some("2024-01-02T03:04:05.5+01:00"),
            ),
        ] {
            let pattern = Pattern::parse(format).unwrap();
            let read = pattern.read(text).map(|moment| moment.datetime_text());
            assert_eq!(read.as_deref(), wanted, "{format} {text}");
        }
    }

    #[test]
    fn a_date_that_can_be_read_in_two_ways_is_not_guessed() {
        for (text, wanted) in [
            ("31.12.2024", Some("2024-12-31T00:00:00")),
            ("25/12/2024", Some("2024-12-25T00:00:00")),
            ("12/25/2024", Some("2024-12-25T00:00:00")),
            ("03/08/2024", None),
            ("5 March 2024", Some("2024-03-05T00:00:00")),
            ("Mar 5, 2024 9:05", Some("2024-03-05T09:05:00")),
            ("2024/03/05", Some("2024-03-05T00:00:00")),
            ("31.02.2024", None),
            ("01.02.24", None),
            ("yesterday", None),
        ] {
            let read = guess(text, None).map(|moment| moment.datetime_text());
            assert_eq!(read.as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn an_unknown_directive_is_refused() {
        assert!(Pattern::parse("%Q").is_err());
        assert!(Pattern::parse("%").is_err());
        assert!(Pattern::parse("YYYY-MM-DD").is_err());
        assert!(Pattern::parse("%Y %Y").is_err());
    }
}
