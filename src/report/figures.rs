//! How busy the last day was: jobs that ended in each hour, and how long they had waited.

use std::collections::HashMap;
use std::time::Duration;

use rusqlite::Connection;
use serde::Serialize;
use serde_json::{Value, json};

use crate::clock::Timestamp;
use crate::error::Result;
use crate::store::jobs::{self, Ended};

const HOUR: Duration = Duration::from_secs(3_600);
const HOUR_MS: i64 = 3_600_000;
const HOURS: i64 = 24;

/// An hour, or the whole day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Jobs that were completed.
    pub completed: i64,
    /// Jobs that ended otherwise.
    pub other: i64,
    /// Rows of the completed ones.
    pub rows: i64,
    /// How long those that began had waited on average; `None` where none began.
    pub wait_seconds: Option<f64>,
    /// How long the one that waited longest did.
    pub wait_seconds_max: Option<f64>,
}

impl Figures {
    fn of(ended: &[Ended]) -> Figures {
        let sum = |figure: fn(&Ended) -> i64| ended.iter().map(figure).sum::<i64>();
        let begun = sum(|one| one.begun);
        Figures {
            completed: sum(|one| one.completed),
            other: sum(|one| one.other),
            rows: sum(|one| one.rows),
            wait_seconds: (begun > 0).then(|| seconds(sum(|one| one.waited_ms)) / float(begun)),
            wait_seconds_max: (begun > 0)
                .then(|| ended.iter().map(|one| one.waited_ms_max).max())
                .flatten()
                .map(seconds),
        }
    }
}

/// The body of `GET /api/admin/figures`: the 24 hours up to the present one, in UTC.
///
/// # Errors
/// `Database`.
pub fn last_day(connection: &Connection, now: Timestamp) -> Result<Value> {
    let this_hour = now.unix_ms().div_euclid(HOUR_MS);
    let begin = |hours_ago: i64| Timestamp::from_unix_ms((this_hour - hours_ago) * HOUR_MS);
    let found = jobs::ended_by_hour(connection, begin(HOURS - 1))?;
    let of_hour: HashMap<&str, &Ended> = found.iter().map(|one| (one.hour.as_str(), one)).collect();
    let hours: Vec<Value> = (0..HOURS)
        .rev()
        .map(|hours_ago| {
            let from = begin(hours_ago);
            let text = from.to_string();
            // `2026-11-25T21`, as the database groups.
            let key = text.get(..13).unwrap_or("");
            let figures = match of_hour.get(key) {
                Some(one) => Figures::of(std::slice::from_ref(*one)),
                None => Figures::default(),
            };
            json!({
                "from": from,
                "until": from.plus(HOUR),
                "completed": figures.completed,
                "other": figures.other,
                "rows": figures.rows,
                "wait_seconds": figures.wait_seconds,
                "wait_seconds_max": figures.wait_seconds_max,
            })
        })
        .collect();
    Ok(json!({ "success": true, "hours": hours, "day": Figures::of(&found) }))
}

#[expect(clippy::cast_precision_loss, reason = "counts below 2^53")]
fn float(n: i64) -> f64 {
    n as f64
}

fn seconds(ms: i64) -> f64 {
    float(ms) / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_wait_counts_jobs_not_hours() {
        let hour = |begun, waited_ms| Ended {
            hour: String::new(),
            completed: begun,
            other: 1,
            rows: 10,
            begun,
            waited_ms,
            waited_ms_max: waited_ms / 2,
        };
        let day = Figures::of(&[hour(1, 1_000), hour(3, 9_000)]);
        assert_eq!((day.completed, day.other, day.rows), (4, 2, 20));
        assert_eq!(day.wait_seconds, Some(2.5));
        assert_eq!(day.wait_seconds_max, Some(4.5));
        assert_eq!(Figures::of(&[]).wait_seconds, None);
    }
}
