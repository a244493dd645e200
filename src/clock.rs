//! What time it is, in a way that tests can move.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use time::format_description::well_known::Rfc3339;
use time::{Date, Month, OffsetDateTime};

/// An instant of the wall clock, in UTC, to the millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(OffsetDateTime);

impl Timestamp {
    /// From milliseconds since 1970. Outside of the years 1 to 9999: the nearest end.
    pub fn from_unix_ms(ms: i64) -> Timestamp {
        let clamped = ms.clamp(-62_135_596_800_000, 253_402_300_799_999);
        let ms = u16::try_from(clamped.rem_euclid(1_000)).unwrap_or(0);
        let at = OffsetDateTime::from_unix_timestamp(clamped.div_euclid(1_000))
            .and_then(|second| second.replace_millisecond(ms));
        Timestamp(at.unwrap_or(OffsetDateTime::UNIX_EPOCH))
    }

    /// Milliseconds since 1970.
    pub fn unix_ms(self) -> i64 {
        self.0.unix_timestamp() * 1_000 + i64::from(self.0.millisecond())
    }

    /// Reads RFC 3339.
    pub fn parse(text: &str) -> Option<Timestamp> {
        Timestamp::parse_own(text).or_else(|| Timestamp::parse_any(text))
    }

    /// As it is printed, and so as it comes out of the database, several times for each request.
    fn parse_own(text: &str) -> Option<Timestamp> {
        const SHAPE: &[u8; 24] = b"0000-00-00T00:00:00.000Z";
        let fits = |(byte, shape): (u8, &u8)| match shape {
            b'0' => byte.is_ascii_digit(),
            other => byte == *other,
        };
        if text.len() != SHAPE.len() || !text.bytes().zip(SHAPE).all(fits) {
            return None;
        }
        let number = |from: usize, to: usize| text.get(from..to)?.parse::<u16>().ok();
        let small = |from: usize| u8::try_from(number(from, from + 2)?).ok();
        let month = Month::try_from(small(5)?).ok()?;
        let year = i32::from(number(0, 4)?);
        Date::from_calendar_date(year, month, small(8)?)
            .ok()?
            .with_hms_milli(small(11)?, small(14)?, small(17)?, number(20, 23)?)
            .ok()
            .filter(|_| year > 0)
            .map(|at| Timestamp(at.assume_utc()))
    }

    fn parse_any(text: &str) -> Option<Timestamp> {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(at.unix_timestamp_nanos() / 1_000_000)
            .ok()
            .map(Timestamp::from_unix_ms)
    }

    /// Later by `duration`.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Timestamp {
        let ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_unix_ms(self.unix_ms().saturating_add(ms))
    }

    /// Earlier by `duration`.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Timestamp {
        let ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_unix_ms(self.unix_ms().saturating_sub(ms))
    }

    /// How long after `earlier`; zero if it was not.
    pub fn since(self, earlier: Timestamp) -> Duration {
        let ms = self.unix_ms().saturating_sub(earlier.unix_ms());
        Duration::from_millis(u64::try_from(ms).unwrap_or(0))
    }
}

/// RFC 3339 in UTC with exactly three digits of milliseconds, so that texts sort like times.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.0.to_calendar_date();
        let (hour, minute, second, ms) = self.0.to_hms_milli();
        let parts = [
            (year.unsigned_abs(), 4, '-'),
            (u8::from(month).into(), 2, '-'),
            (day.into(), 2, 'T'),
            (hour.into(), 2, ':'),
            (minute.into(), 2, ':'),
            (second.into(), 2, '.'),
            (ms.into(), 3, 'Z'),
        ];
        // By hand, because several stand in each answer and one in each line of the log.
        let mut text = String::with_capacity(24);
        for (number, digits, end) in parts {
            for place in (0..digits).rev() {
                let digit = number / 10_u32.pow(place) % 10;
                text.extend(char::from_digit(digit, 10));
            }
            text.push(end);
        }
        f.write_str(&text)
    }
}

impl rusqlite::ToSql for Timestamp {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        Ok(self.to_string().into())
    }
}

impl rusqlite::types::FromSql for Timestamp {
    fn column_result(
        value: rusqlite::types::ValueRef<'_>,
    ) -> rusqlite::types::FromSqlResult<Timestamp> {
        let text = value.as_str()?;
        Timestamp::parse(text).ok_or(rusqlite::types::FromSqlError::InvalidType)
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A source of time.
pub trait Clock: Send + Sync {
    /// The wall clock: for what people read and for what must outlive the process.
    fn now(&self) -> Timestamp;
    /// Time since some fixed moment, that no setting of the wall clock moves: for durations.
    fn monotonic(&self) -> Duration;
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    pub fn new() -> SystemClock {
        SystemClock {
            start: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> SystemClock {
        SystemClock::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let ms = OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000;
        Timestamp::from_unix_ms(i64::try_from(ms).unwrap_or(0))
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

/// A clock that stands still until it is moved; for tests.
#[derive(Debug, Clone)]
pub struct ManualClock {
    state: Arc<Mutex<(Timestamp, Duration)>>,
}

impl ManualClock {
    pub fn at(start: Timestamp) -> ManualClock {
        ManualClock {
            state: Arc::new(Mutex::new((start, Duration::ZERO))),
        }
    }

    /// Lets `duration` pass on both clocks.
    pub fn advance(&self, duration: Duration) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = state.0.plus(duration);
        state.1 += duration;
    }

    /// Sets the wall clock alone, as an administrator or NTP does.
    pub fn set_wall(&self, now: Timestamp) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = now;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    fn monotonic(&self) -> Duration {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_prints_milliseconds_and_reads_back() {
        for text in [
            "2026-11-23T10:30:00.120Z",
            "0001-01-01T00:00:00.000Z",
            "9999-12-31T23:59:59.999Z",
            "2024-02-29T09:08:07.006Z",
        ] {
            let at = Timestamp::parse(text).unwrap();
            assert_eq!(at.to_string(), text);
            assert_eq!(Timestamp::parse_any(text), Some(at));
            assert_eq!(Timestamp::from_unix_ms(at.unix_ms()), at);
        }
        for none in [
            "2023-02-29T09:08:07.006Z",
            "2026-13-01T00:00:00.000Z",
            "2026-+1-01T00:00:00.000Z",
            "2026-11-23T24:00:00.000Z",
        ] {
            assert_eq!(Timestamp::parse(none), None, "{none}");
        }
        assert_eq!(
            Timestamp::parse("2026-11-23T11:30:00+01:00")
                .unwrap()
                .to_string(),
            "2026-11-23T10:30:00.000Z"
        );
    }

    #[test]
    fn setting_the_wall_clock_leaves_durations_alone() {
        let clock = ManualClock::at(Timestamp::from_unix_ms(0));
        clock.advance(Duration::from_secs(5));
        clock.set_wall(Timestamp::from_unix_ms(1_000));
        assert_eq!(clock.monotonic(), Duration::from_secs(5));
        assert_eq!(clock.now().unix_ms(), 1_000);
    }
}
