//! Serial numbers and ISO texts → dates, date-times, times and durations as the contract writes
//! them; and numbers under a number format.

use std::borrow::Cow;

use super::super::Kind;
use super::super::assemble::Found;
use super::formats::Shape;
use super::zeros::Shown;

const MS_PER_DAY: i64 = 86_400_000;

/// The Julian day of 1970-01-01.
const JULIAN_1970: i32 = 2_440_588;

/// Serials from here on would need a year of five digits.
const SERIAL_END: f64 = 2_958_466.0;

/// A number under a number format.
pub(super) fn number<'a>(value: f64, shape: &Shape, date1904: bool) -> Found<'a> {
    let moment = match shape {
        Shape::Number => None,
        Shape::Zeros(zeros) => {
            return match zeros.show(value) {
                Shown::Text(text) => Found::Text(Cow::Owned(text)),
                Shown::Number => Found::Number(value),
                Shown::Lost => Found::Bare(value),
            };
        }
        Shape::Date => date(value, false, date1904),
        Shape::DateTime => date(value, true, date1904),
        Shape::Time if (0.0..1.0).contains(&value) => time(value),
        Shape::Time => date(value, true, date1904),
        Shape::Duration => duration(value),
    };
    match moment {
        Some((kind, text)) => Found::Moment(kind, Cow::Owned(text)),
        None => Found::Number(value),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "bounded just before")]
fn date(value: f64, with_time: bool, date1904: bool) -> Option<(Kind, String)> {
    if !(0.0..SERIAL_END).contains(&value) {
        return None;
    }
    let ms = (value * 86_400_000.0).round() as i64;
    let (days, rest) = (ms / MS_PER_DAY, ms % MS_PER_DAY);
    let day = day(days, date1904)?;
    if rest == 0 && !with_time {
        return Some((Kind::Date, day));
    }
    Some((Kind::DateTime, format!("{day}T{}", clock(rest))))
}

/// The calendar day of a whole serial number. The 1900 system has a 29 February 1900, serial 60,
/// that never was, and a day 0 before the first of January.
fn day(days: i64, date1904: bool) -> Option<String> {
    let since_1970 = if date1904 {
        days - 24_107
    } else {
        match days {
            60 => return Some("1900-02-29".to_owned()),
            0..60 => days - 25_568,
            _ => days - 25_569,
        }
    };
    civil(since_1970)
}

/// The civil date of a number of days since 1970-01-01, years 0001 to 9999.
fn civil(since_1970: i64) -> Option<String> {
    let julian = i32::try_from(since_1970.checked_add(i64::from(JULIAN_1970))?).ok()?;
    let date = time::Date::from_julian_day(julian).ok()?;
    if !(1..=9_999).contains(&date.year()) {
        return None;
    }
    Some(format!(
        "{:04}-{:02}-{:02}",
        date.year(),
        u8::from(date.month()),
        date.day()
    ))
}

#[expect(clippy::cast_possible_truncation, reason = "a part of one day")]
fn time(value: f64) -> Option<(Kind, String)> {
    // What rounds up to midnight is the last moment of its own day.
    let ms = ((value * 86_400_000.0).round() as i64).min(MS_PER_DAY - 1);
    Some((Kind::Time, clock(ms)))
}

/// `10:30:00`, with milliseconds where there are any.
fn clock(ms: i64) -> String {
    let (seconds, rest) = (ms / 1_000, ms % 1_000);
    let mut text = format!(
        "{:02}:{:02}:{:02}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60
    );
    if rest > 0 {
        text.push_str(&format!(".{rest:03}"));
    }
    text
}

#[expect(clippy::cast_possible_truncation, reason = "bounded just before")]
fn duration(value: f64) -> Option<(Kind, String)> {
    if value.is_nan() || value.abs() >= 1e8 {
        return None;
    }
    Some((
        Kind::Duration,
        duration_of((value * 86_400_000.0).round() as i64),
    ))
}

/// ISO 8601: `PT36H15M`, `PT0S`, `-PT1H0.500S`.
fn duration_of(ms: i64) -> String {
    let mut text = String::from(if ms < 0 { "-PT" } else { "PT" });
    let ms = ms.unsigned_abs();
    let (hours, minutes, seconds, rest) = (
        ms / 3_600_000,
        ms / 60_000 % 60,
        ms / 1_000 % 60,
        ms % 1_000,
    );
    if hours > 0 {
        text.push_str(&format!("{hours}H"));
    }
    if minutes > 0 {
        text.push_str(&format!("{minutes}M"));
    }
    if rest > 0 {
        text.push_str(&format!("{seconds}.{rest:03}S"));
    } else if seconds > 0 || (hours == 0 && minutes == 0) {
        text.push_str(&format!("{seconds}S"));
    }
    text
}

/// A date or date-time that the file holds as ISO text, under a number format. Text that is none
/// stays text.
pub(super) fn iso<'t>(text: &'t str, shape: &Shape) -> Found<'t> {
    let trimmed = text.trim();
    match parse_iso(trimmed) {
        Some(Iso::Date(date)) if *shape == Shape::DateTime => {
            moment(Kind::DateTime, format!("{date}T00:00:00"))
        }
        Some(Iso::Date(date)) => moment(Kind::Date, date),
        Some(Iso::DateTime(date, 0)) if *shape == Shape::Date => moment(Kind::Date, date),
        // Times and durations are written as moments counted from the day before the first.
        Some(Iso::DateTime(date, ms)) if *shape == Shape::Time && date.starts_with("1899-12-3") => {
            moment(Kind::Time, clock(ms))
        }
        Some(Iso::DateTime(date, ms)) => moment(Kind::DateTime, format!("{date}T{}", clock(ms))),
        Some(Iso::Time(ms)) => moment(Kind::Time, clock(ms)),
        None => iso_span(trimmed, shape).unwrap_or(Found::Text(Cow::Borrowed(text))),
    }
}

/// A time that the file holds as an ISO 8601 duration (`PT10H30M00S`): a time of day where it is
/// one, unless the format counts beyond a day's end.
pub(super) fn iso_span<'a>(text: &str, shape: &Shape) -> Option<Found<'a>> {
    let ms = parse_span(text)?;
    Some(
        if *shape != Shape::Duration && (0..MS_PER_DAY).contains(&ms) {
            moment(Kind::Time, clock(ms))
        } else {
            moment(Kind::Duration, duration_of(ms))
        },
    )
}

/// As [`iso`] where durations are written as instants too, counted from the first day on
/// (`1900-01-01T12:15:00` for 36 hours and a quarter).
pub(super) fn instant<'t>(text: &'t str, shape: &Shape, date1904: bool) -> Found<'t> {
    match (shape, parse_iso(text.trim())) {
        (Shape::Duration, Some(Iso::DateTime(date, ms))) => since_first(&date, date1904)
            .map(|days| moment(Kind::Duration, duration_of(days * MS_PER_DAY + ms)))
            .unwrap_or(iso(text, shape)),
        _ => iso(text, shape),
    }
}

/// The whole serial number of a day: the reverse of [`day`].
fn since_first(date: &str, date1904: bool) -> Option<i64> {
    let mut parts = date.splitn(3, '-');
    let year = whole(parts.next()?)?;
    let month = time::Month::try_from(whole::<u8>(parts.next()?)?).ok()?;
    let day = whole(parts.next()?)?;
    let date = time::Date::from_calendar_date(year, month, day).ok()?;
    let since_1970 = i64::from(date.to_julian_day() - JULIAN_1970);
    Some(match since_1970 {
        _ if date1904 => since_1970 + 24_107,
        ..-25_508 => since_1970 + 25_568,
        _ => since_1970 + 25_569,
    })
}

fn moment<'a>(kind: Kind, text: String) -> Found<'a> {
    Found::Moment(kind, Cow::Owned(text))
}

/// An ISO text taken apart; times in milliseconds since midnight.
enum Iso {
    Date(String),
    DateTime(String, i64),
    Time(i64),
}

/// What is to be said of an ISO text that says which time zone it is meant in, and was read as `found`.
pub(super) fn zone(text: &str, found: &Found<'_>) -> Option<&'static str> {
    let text = text.trim();
    let rest = match text.split_at_checked(10) {
        Some((day, rest)) if is_like(day, "0000-00-00") => rest,
        _ if is_like(text.get(..5)?, "00:00") => text,
        _ => return None,
    };
    if !rest.contains(['Z', '+', '-']) {
        return None;
    }
    Some(if matches!(found, Found::Moment(..)) {
        "The moment is one of UTC; it was stored without that."
    } else {
        "The moment has a time zone; it was kept as text."
    })
}

/// Whether a text has digits where `form` has zeros, and else the same letters.
fn is_like(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text
            .bytes()
            .zip(form.bytes())
            .all(|(byte, wanted)| byte == wanted || wanted == b'0' && byte.is_ascii_digit())
}

fn parse_iso(text: &str) -> Option<Iso> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    if let Some(ms) = parse_clock(text) {
        return Some(Iso::Time(ms.min(MS_PER_DAY - 1)));
    }
    let day = text.get(..10)?;
    let mut parts = day.splitn(3, '-');
    let year: i32 = whole(parts.next()?)?;
    let month: u8 = whole(parts.next()?)?;
    let date: u8 = whole(parts.next()?)?;
    let month = time::Month::try_from(month).ok()?;
    let date = time::Date::from_calendar_date(year, month, date).ok()?;
    match text.get(10..)? {
        "" => Some(Iso::Date(day.to_owned())),
        rest => match parse_clock(rest.strip_prefix(['T', ' '])?)? {
            MS_PER_DAY => {
                let next = date.next_day()?.to_julian_day() - JULIAN_1970;
                Some(Iso::DateTime(civil(i64::from(next))?, 0))
            }
            ms => Some(Iso::DateTime(day.to_owned(), ms)),
        },
    }
}

/// Milliseconds since midnight, at most those of a day: Excel writes out the dust of a float's last
/// digits (`15:59:59.99999979`), which is rounded away as it is where the file has a number.
fn parse_clock(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, ':');
    let hours: i64 = whole(parts.next()?)?;
    let minutes: i64 = whole(parts.next()?)?;
    let (seconds, ms) = match parts.next() {
        Some(text) => {
            let seconds = text.split(['.', ',']).next().and_then(whole::<i64>)?;
            (seconds, milliseconds(text)?)
        }
        None => (0, 0),
    };
    // The bounds first: what is beyond them may be beyond any number.
    (hours < 24 && minutes < 60 && seconds < 60).then(|| (hours * 60 + minutes) * 60_000 + ms)
}

/// A number of digits only: `parse` alone would take a sign.
fn whole<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

/// `05.25` → 5,250 milliseconds.
#[expect(clippy::cast_possible_truncation, reason = "bounded just before")]
fn milliseconds(text: &str) -> Option<i64> {
    if !text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b',')
    {
        return None;
    }
    let seconds: f64 = text.replace(',', ".").parse().ok()?;
    (0.0..1e12)
        .contains(&seconds)
        .then(|| (seconds * 1_000.0).round() as i64)
}

fn parse_span(text: &str) -> Option<i64> {
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let mut rest = text.strip_prefix('P')?;
    let mut ms: i64 = 0;
    let mut in_time = false;
    let mut any = false;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('T') {
            in_time = true;
            rest = after;
            continue;
        }
        let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let amount = milliseconds(rest.get(..end)?)?;
        let unit = match (rest.as_bytes().get(end)?, in_time) {
            (b'D', false) => 86_400,
            (b'H', true) => 3_600,
            (b'M', true) => 60,
            (b'S', true) => 1,
            _ => return None,
        };
        ms = ms.checked_add(amount.checked_mul(unit)?)?;
        any = true;
        rest = rest.get(end + 1..)?;
    }
    any.then_some(if negative { -ms } else { ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: f64, shape: Shape, date1904: bool) -> String {
        match number(value, &shape, date1904) {
            Found::Moment(kind, text) => format!("{} {text}", kind.letter()),
            Found::Number(number) => number.to_string(),
            Found::Bare(number) => format!("bare {number}"),
            Found::Text(text) => text.into_owned(),
            Found::Json(_) | Found::Bool(_) | Found::Error(_) => unreachable!(),
        }
    }

    #[test]
    fn serials_become_the_dates_that_a_spreadsheet_shows() {
        for (value, shape, expected) in [
            (45_571.0, Shape::Date, "d 2024-10-06"),
            (45_571.0, Shape::DateTime, "D 2024-10-06T00:00:00"),
            (45_571.437_5, Shape::Date, "D 2024-10-06T10:30:00"),
            (45_571.437_500_005, Shape::DateTime, "D 2024-10-06T10:30:00"),
            (1.0, Shape::Date, "d 1900-01-01"),
            (59.0, Shape::Date, "d 1900-02-28"),
            (60.0, Shape::Date, "d 1900-02-29"),
            (61.0, Shape::Date, "d 1900-03-01"),
            (12.3, Shape::Time, "D 1900-01-12T07:12:00"),
            (2_958_465.0, Shape::Date, "d 9999-12-31"),
            (2_958_466.0, Shape::Date, "2958466"),
            (-12.5, Shape::Date, "-12.5"),
            (0.563_138_888_888_888_9, Shape::Time, "t 13:30:55.200"),
            (0.999_999_999_99, Shape::Time, "t 23:59:59.999"),
            (10.632_060_185_185_2, Shape::Duration, "p PT255H10M10S"),
            (-1_234.567_8, Shape::Duration, "p -PT29629H37M37.920S"),
            (0.0, Shape::Duration, "p PT0S"),
            (1_067.0, super::super::formats::shape("00000"), "01067"),
            (1.5, super::super::formats::shape("00000"), "bare 1.5"),
        ] {
            assert_eq!(text(value, shape, false), expected, "{value}");
        }
        assert_eq!(text(0.0, Shape::Date, true), "d 1904-01-01");
        assert_eq!(text(44_109.0, Shape::Date, true), "d 2024-10-06");
    }

    #[test]
    fn a_time_zone_is_told_wherever_it_stands_and_nothing_else_is_one() {
        let told = |text: &str| zone(text, &iso(text, &Shape::DateTime)).map(|s| s.contains("UTC"));
        for utc in [
            "2024-10-06T10:30:00Z",
            "2024-10-06 10:30Z",
            "2024-10-06Z",
            "10:30:00Z",
        ] {
            assert_eq!(told(utc), Some(true), "{utc}");
        }
        for kept in [
            "2024-10-06T10:30:00+02:00",
            "2024-10-06-05:00",
            "10:30-05:00",
        ] {
            assert_eq!(told(kept), Some(false), "{kept}");
        }
        for none in [
            "2024-10-06T10:30:00",
            "2024-10-06",
            "10:30",
            "soon - later",
            "x T+1",
            "",
        ] {
            assert_eq!(told(none), None, "{none}");
        }
    }

    #[test]
    fn iso_texts_follow_the_number_format_too() {
        let show = |text: &str, shape| match iso(text, &shape) {
            Found::Moment(kind, text) => format!("{} {text}", kind.letter()),
            Found::Text(text) => format!("text {text}"),
            Found::Number(_)
            | Found::Bare(_)
            | Found::Json(_)
            | Found::Bool(_)
            | Found::Error(_) => unreachable!(),
        };
        assert_eq!(show("2021-01-01", Shape::Number), "d 2021-01-01");
        assert_eq!(show("2021-01-01T00:00:00", Shape::Date), "d 2021-01-01");
        assert_eq!(
            show("2021-01-01T10:10:10.5Z", Shape::Number),
            "D 2021-01-01T10:10:10.500"
        );
        assert_eq!(show("10:10:10", Shape::Number), "t 10:10:10");
        for (text, shape, expected) in [
            (
                "2014-01-16T15:59:59.99999979",
                Shape::DateTime,
                "D 2014-01-16T16:00:00",
            ),
            (
                "2014-01-31T23:59:59.9999",
                Shape::DateTime,
                "D 2014-02-01T00:00:00",
            ),
            ("2014-01-31T23:59:59.9999", Shape::Date, "d 2014-02-01"),
            ("10:59:59.9999999999984025", Shape::Time, "t 11:00:00"),
            ("23:59:59.9999", Shape::Time, "t 23:59:59.999"),
            ("23:59:60", Shape::Time, "text 23:59:60"),
            ("10:10:.5", Shape::Time, "text 10:10:.5"),
        ] {
            assert_eq!(show(text, shape), expected);
        }
        assert_eq!(show("PT10H30M00S", Shape::Time), "t 10:30:00");
        assert_eq!(show("PT36H15M", Shape::Time), "p PT36H15M");
        assert_eq!(show("PT10H30M", Shape::Duration), "p PT10H30M");
        assert_eq!(show("2021-13-01", Shape::Date), "text 2021-13-01");
        assert_eq!(show("soon", Shape::Date), "text soon");
        let long = "9223372036854775807:00";
        assert_eq!(show(long, Shape::Time), format!("text {long}"));
        assert_eq!(
            show("PT9223372036854775807H", Shape::Time),
            "text PT9223372036854775807H"
        );
    }
}
