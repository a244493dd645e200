//! What time it is, in a way that tests can move.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

/// RFC 3339 in UTC with exactly three digits of milliseconds, so that texts sort like times.
const FORMAT: &[BorrowedFormatItem<'static>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");

/// An instant of the wall clock, in UTC, to the millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(OffsetDateTime);

impl Timestamp {
    /// From milliseconds since 1970. Outside of the years 1 to 9999: the nearest end.
    pub fn from_unix_ms(ms: i64) -> Timestamp {
        let clamped = ms.clamp(-62_135_596_800_000, 253_402_300_799_999);
        let nanos = i128::from(clamped) * 1_000_000;
        Timestamp(
            OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH),
        )
    }

    /// Milliseconds since 1970.
    pub fn unix_ms(self) -> i64 {
        i64::try_from(self.0.unix_timestamp_nanos() / 1_000_000).unwrap_or(0)
    }

    /// Reads RFC 3339.
    pub fn parse(text: &str) -> Option<Timestamp> {
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

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.format(FORMAT) {
            Ok(text) => f.write_str(&text),
            Err(_) => f.write_str("1970-01-01T00:00:00.000Z"),
        }
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
        let at = Timestamp::parse("2026-11-23T10:30:00.120Z").unwrap();
        assert_eq!(at.to_string(), "2026-11-23T10:30:00.120Z");
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
