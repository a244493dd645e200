//! Dates and times in the usual forms: the standard's `format: any`.

use super::moment::{DAY, HOUR, MONTHS, Moment, day, digits, parse_date, parse_time, short_year};
use crate::words::DayOrder;

/// Reads a date, or a date and a time, in one of the usual forms that can be read in one way only:
/// ISO 8601 (`20241231` too), `31.12.2024`, `5 March 2024`, `March 5, 2024`, and `25/12/2024` or
/// `25-12-2024`, where a number above 12 tells the day. `03/08/2024` needs the order that its column has.
pub(super) fn guess(text: &str, order: Option<DayOrder>) -> Option<Moment> {
    let text = text.trim();
    let (date, time) = match time_begins(text) {
        Some(at) => (text.get(..at - 1)?, Some(text.get(at..)?)),
        None => (text, None),
    };
    let date = date.trim_end_matches([' ', ',']);
    let day = match parse_date(date).or_else(|| compact_date(date)) {
        Some(date) => date.day,
        None => guess_day(date, order)?,
    };
    let time = match time {
        None => None,
        Some(time) => Some(guess_time(time)?),
    };
    Some(Moment {
        day,
        micros: time.map_or(0, |time| time.micros),
        offset: time.and_then(|time| time.offset),
    })
}

/// Reads a time of day in one of the usual forms: `9:05`, `10:30 pm`, `103000`, `10:30:00.5+01:00`.
/// Hour 24 is ISO 8601's, and none of the usual ones.
pub(super) fn guess_time(text: &str) -> Option<Moment> {
    let text = text.trim();
    let text = text.strip_prefix('T').unwrap_or(text);
    let lower = text.to_ascii_lowercase();
    let (clock, afternoon) = match lower.strip_suffix("am") {
        Some(clock) => (clock.trim_end(), Some(false)),
        None => match lower.strip_suffix("pm") {
            Some(clock) => (clock.trim_end(), Some(true)),
            None => (text, None),
        },
    };
    let end = clock
        .find(|c: char| !c.is_ascii_digit() && c != ':')
        .unwrap_or(clock.len());
    let (plain, rest) = clock.split_at(end);
    let whole = match plain.split(':').collect::<Vec<_>>().as_slice() {
        [hour, minute] if hour.len() <= 2 && minute.len() == 2 => format!("{hour:0>2}:{minute}:00"),
        [hour, minute, second] if hour.len() <= 2 => format!("{hour:0>2}:{minute}:{second}"),
        [six] if six.len() == 6 => format!("{}:{}:{}", &six[..2], &six[2..4], &six[4..]),
        _ => return None,
    };
    let time = parse_time(&format!("{whole}{rest}")).filter(|time| time.micros < DAY)?;
    let Some(afternoon) = afternoon else {
        return Some(time);
    };
    let hour = time.micros / HOUR;
    if !(1..=12).contains(&hour) {
        return None;
    }
    Some(Moment {
        micros: time.micros % HOUR + (hour % 12 + if afternoon { 12 } else { 0 }) * HOUR,
        ..time
    })
}

/// Where the time of day begins behind a date.
fn time_begins(text: &str) -> Option<usize> {
    if let Some((date, time)) = text.split_once(['T', 't'])
        && time.len() == 6
        && compact_date(date).is_some()
    {
        return Some(date.len() + 1);
    }
    let before = text.get(..text.find(':')?)?;
    let hour = before.trim_end_matches(|c: char| c.is_ascii_digit());
    let divided = hour.ends_with([' ', 'T', 't']) && hour.len() < before.len();
    divided.then_some(hour.len())
}

/// `20241231`
fn compact_date(text: &str) -> Option<Moment> {
    digits(text, 8).filter(|_| text.len() == 8)?;
    parse_date(&format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..]))
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
    if let Some(parts) = slashed(text) {
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
        let order = match order_of(text) {
            Some(Told::Order(own)) => Some(own),
            Some(Told::Either) | None => order,
        };
        return match order {
            Some(DayOrder::DayFirst) => day(year, b, a),
            Some(DayOrder::MonthFirst) => day(year, a, b),
            None if a == b => day(year, a, b),
            None => None,
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
    let number = i32::try_from(digits(year, 4)?).ok()?;
    let year = match year.len() {
        4 => number,
        2 => short_year(number),
        _ => return None,
    };
    day(year, month, digits(date, 2)?)
}

/// What a date with slashes, or with hyphens, tells of its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    Order(DayOrder),
    /// It can be read both ways.
    Either,
}

/// What the date at the beginning of `text` tells of the order of day and month; `None` where it is
/// no date with slashes and the year at the end, or the same both ways.
pub(super) fn order_of(text: &str) -> Option<Told> {
    let date = text.trim().split([' ', 'T']).next()?;
    let [a, b, year] = slashed(date)?;
    let (a, b) = (digits(a, 2)?, digits(b, 2)?);
    let year = digits(year, 4).filter(|_| year.len() == 4)?;
    let year = i32::try_from(year).ok()?;
    match (day(year, b, a).is_some(), day(year, a, b).is_some()) {
        (true, false) => Some(Told::Order(DayOrder::DayFirst)),
        (false, true) => Some(Told::Order(DayOrder::MonthFirst)),
        (true, true) if a != b => Some(Told::Either),
        // `05/05/2024` is the same day both ways; what is in no calendar tells nothing.
        (true, true) | (false, false) => None,
    }
}

/// The parts of `03/08/2024` and `03-08-2024`.
fn slashed(text: &str) -> Option<[&str; 3]> {
    three(text, '/').or_else(|| {
        let numbers = |parts: &[&str; 3]| parts.iter().all(|part| digits(part, 4).is_some());
        three(text, '-').filter(numbers)
    })
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

#[cfg(test)]
mod tests {
    use super::*;

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
            ("05-Jan-24", Some("2024-01-05T00:00:00")),
            ("20240105", Some("2024-01-05T00:00:00")),
            ("20240105T103000", Some("2024-01-05T10:30:00")),
            ("2024-01-05T10:30", Some("2024-01-05T10:30:00")),
            ("2024-01-05 10:30 PM", Some("2024-01-05T22:30:00")),
            ("5 March 2024, 9:05:07.5", Some("2024-03-05T09:05:07.5")),
            ("2024-12-31T24:00", None),
            ("2024-12-31 24:00:00", None),
            ("05/05/2024", Some("2024-05-05T00:00:00")),
            ("31-12-2024", Some("2024-12-31T00:00:00")),
            ("12-31-2024 9:05", Some("2024-12-31T09:05:00")),
            ("03-08-2024", None),
            ("24-01-05", None),
            ("2024-13-01", None),
            ("13/13/2024", None),
            ("20240230", None),
            ("2024-01-05 25:00", None),
            ("10:30", None),
            ("31.02.2024", None),
            ("01.02.24", None),
            ("yesterday", None),
        ] {
            let read = guess(text, None).map(|moment| moment.datetime_text());
            assert_eq!(read.as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn usual_times_of_day_are_read() {
        for (text, wanted) in [
            ("10:30", Some("10:30:00")),
            ("9:05", Some("09:05:00")),
            ("9:05:07", Some("09:05:07")),
            ("10:30 PM", Some("22:30:00")),
            ("12:05am", Some("00:05:00")),
            ("103000", Some("10:30:00")),
            ("T10:30:00", Some("10:30:00")),
            ("10:30+01:00", Some("10:30:00+01:00")),
            ("13:00 pm", None),
            ("10:60", None),
            ("1030", None),
            ("24:00:00", None),
            ("24:00", None),
            ("10:5", None),
            ("", None),
            ("pm", None),
            ("é0:30", None),
        ] {
            let read = guess_time(text).map(|time| time.time_text());
            assert_eq!(read.as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn a_date_that_is_in_no_calendar_tells_no_order() {
        assert_eq!(order_of("32/01/2024"), None);
        assert_eq!(order_of("31/02/2024"), None);
        assert_eq!(
            order_of("30/02/2024"),
            None,
            "nor does the other way make it one"
        );
        assert_eq!(
            order_of("13/02/2024"),
            Some(Told::Order(DayOrder::DayFirst))
        );
        assert_eq!(order_of("03/04/2024"), Some(Told::Either));
        assert_eq!(order_of("03-04-2024"), Some(Told::Either));
        assert_eq!(order_of("2024-04-13"), None, "the year stands first");
        assert_eq!(order_of("05/05/2024"), None, "the same both ways");
    }
}
