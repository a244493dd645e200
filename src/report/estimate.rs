//! How long until a job is done, from what past jobs managed and what stands before it.

use rusqlite::Connection;

use crate::error::Result;
use crate::id::JobId;
use crate::store::jobs::{self, Load, Throughput};
use crate::words::Format;

/// What every job costs beside its rows: starting the reader, the last commit. Milliseconds.
const FIXED_MS: f64 = 50.0;

/// How much of a job's time its file is read; the rest goes into checking and filing its rows.
const READING_SHARE: f64 = 0.125;

/// Rows a second until a first job was measured.
const ROWS_PER_SECOND_FIRST: f64 = 30_000.0;

/// Bytes a row until a first file of a format was measured.
const BYTES_PER_ROW_FIRST: f64 = 80.0;

/// Seconds until `job` is done, with `workers` working.
///
/// # Errors
/// `Database`.
pub fn seconds_until_done(connection: &Connection, job: JobId, workers: usize) -> Result<u64> {
    let loads = jobs::ahead(connection, job)?;
    let all = jobs::throughput(connection, None)?;
    let mut total_ms = 0.0;
    let mut own_ms = 0.0;
    for load in &loads {
        let of_format = jobs::throughput(connection, Some(load.format))?;
        let ms = remaining_ms(load, &of_format, &all);
        if load.id == job {
            own_ms = ms;
        } else {
            total_ms += ms;
        }
    }
    let processing = loads.iter().any(|load| load.id == job && load.processing);
    // A job in work waits for nobody; a waiting one shares the workers with those before it.
    #[expect(clippy::cast_precision_loss, reason = "a handful of workers")]
    let before = if processing {
        0.0
    } else {
        total_ms / workers.max(1) as f64
    };
    Ok(whole_seconds(before + own_ms))
}

fn remaining_ms(load: &Load, of_format: &Throughput, all: &Throughput) -> f64 {
    let rows = match load.rows {
        Some(rows) => float(rows),
        None => float(load.size) / bytes_per_row(of_format, load.format),
    };
    let rate = if of_format.jobs > 0 {
        rows_per_ms(of_format)
    } else {
        rows_per_ms(all)
    };
    let done = if !load.processing {
        0.0
    } else if load.read {
        rows * READING_SHARE + float(load.rows_done) * (1.0 - READING_SHARE)
    } else {
        float(load.rows_done) * READING_SHARE
    };
    FIXED_MS + (rows - done).max(0.0) / rate
}

fn rows_per_ms(past: &Throughput) -> f64 {
    // Every measured job had its fixed cost too; without it small jobs would slow the estimate.
    let ms = float(past.work_ms) - float(past.jobs) * FIXED_MS / 2.0;
    if past.jobs > 0 && past.rows > 0 && ms > 0.0 {
        float(past.rows) / ms
    } else {
        ROWS_PER_SECOND_FIRST / 1_000.0
    }
}

fn bytes_per_row(past: &Throughput, format: Format) -> f64 {
    if past.rows > 0 && past.bytes > 0 {
        return float(past.bytes) / float(past.rows);
    }
    match format {
        Format::Csv | Format::Tsv | Format::Xls => BYTES_PER_ROW_FIRST,
        // Packed.
        Format::Xlsx | Format::Xlsm | Format::Xlsb | Format::Ods => BYTES_PER_ROW_FIRST / 2.0,
    }
}

#[expect(clippy::cast_precision_loss, reason = "an estimate; counts below 2^53")]
fn float(n: i64) -> f64 {
    n as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped"
)]
fn whole_seconds(ms: f64) -> u64 {
    (ms / 1_000.0).ceil().clamp(1.0, 1e9) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(rows: Option<i64>, size: i64) -> Load {
        Load {
            id: JobId(1),
            processing: false,
            size,
            format: Format::Csv,
            rows,
            rows_done: 0,
            read: false,
        }
    }

    #[test]
    fn a_file_twice_as_large_takes_about_twice_as_long() {
        let past = Throughput {
            jobs: 1,
            rows: 100_000,
            work_ms: 1_000,
            bytes: 8_000_000,
        };
        let small = remaining_ms(&load(None, 8_000_000), &past, &past);
        let large = remaining_ms(&load(None, 16_000_000), &past, &past);
        assert!((900.0..1_200.0).contains(&small), "{small}");
        assert!((1.8..2.1).contains(&(large / small)));
    }

    #[test]
    fn known_rows_count_more_than_the_size() {
        let past = Throughput {
            jobs: 1,
            rows: 1_000,
            work_ms: 1_025,
            bytes: 80_000,
        };
        let ms = remaining_ms(&load(Some(500), 1), &past, &past);
        assert!((500.0..600.0).contains(&ms), "{ms}");
    }
}
