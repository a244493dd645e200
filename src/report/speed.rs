//! How long a file takes here: a fixed part and a part for each byte, learnt from past jobs. The two are
//! weighed apart, so that one small job says little about a large one.

use crate::store::jobs::Past;
use crate::words::Format;

/// How much less a job counts than the next younger one of its format.
const FADING: f64 = 0.85;

/// How many measured jobs the first guess is worth.
const GUESS_WEIGHT: f64 = 0.2;

/// How much of a job's time its file is read; the rest goes into checking and filing its rows.
pub(super) fn reading_share(format: Format) -> f64 {
    match format {
        Format::Csv | Format::Tsv => 0.15,
        Format::Xlsx | Format::Xlsm | Format::Xlsb | Format::Xls | Format::Ods => 0.3,
    }
}

/// What files of one format take: milliseconds of a job, and of each megabyte (2^20 bytes).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Speed {
    fixed: f64,
    megabyte: f64,
}

impl Speed {
    /// The time of a whole job. Milliseconds.
    pub(super) fn ms(&self, bytes: i64) -> f64 {
        self.fixed + self.megabyte * megabytes(bytes)
    }

    /// What is guessed before anything was measured.
    fn guess(format: Format) -> Speed {
        let megabyte = match format {
            Format::Csv | Format::Tsv => 250.0,
            Format::Xls => 400.0,
            // Packed: a megabyte holds many more rows.
            Format::Xlsx | Format::Xlsm | Format::Xlsb => 700.0,
            Format::Ods => 1_500.0,
        };
        Speed {
            fixed: 60.0,
            megabyte,
        }
    }

    fn slower(self, factor: f64) -> Speed {
        Speed {
            megabyte: self.megabyte * factor,
            ..self
        }
    }
}

/// What is known about all formats.
#[derive(Debug, Clone, Default)]
pub(super) struct Speeds(Vec<Past>);

impl Speeds {
    /// From past jobs, the youngest first.
    pub(super) fn learn(past: Vec<Past>) -> Speeds {
        Speeds(past)
    }

    pub(super) fn of(&self, format: Format) -> Speed {
        let guess = Speed::guess(format).slower(self.machine());
        let of_format = self.0.iter().filter(|past| past.format == format);
        fit(guess, of_format)
    }

    /// How much slower than guessed this machine is with each byte, by everything that was measured: a job
    /// counts by how much of its time its bytes are guessed to take, so that small ones say nothing.
    fn machine(&self) -> f64 {
        let (mut sum, mut weights) = (0.0, GUESS_WEIGHT);
        let mut fading = 1.0;
        for past in &self.0 {
            let guess = Speed::guess(past.format);
            let guessed = guess.ms(past.bytes);
            let weight = fading * (1.0 - guess.fixed / guessed);
            sum += weight * (whole_ms(past) / guessed).ln();
            weights += weight;
            fading *= FADING;
        }
        (sum / weights).exp().clamp(0.05, 20.0)
    }
}

/// The line through the measured jobs that is wrong by the smallest part of each one's time, beginning
/// at `guess`: least squares of what is wrong, over the time that the line before told.
fn fit<'a>(guess: Speed, past: impl Iterator<Item = &'a Past> + Clone) -> Speed {
    let mut line = guess;
    for _ in 0..4 {
        line = closer(guess, line, past.clone());
    }
    line
}

fn closer<'a>(guess: Speed, line: Speed, past: impl Iterator<Item = &'a Past>) -> Speed {
    // The guess pulls at both as if each had been measured alone.
    let mut fixed = GUESS_WEIGHT / guess.fixed.powi(2);
    let mut megabyte = GUESS_WEIGHT / guess.megabyte.powi(2);
    let mut both = 0.0;
    let mut fixed_wanted = GUESS_WEIGHT / guess.fixed;
    let mut megabyte_wanted = GUESS_WEIGHT / guess.megabyte;
    let mut fading = 1.0;
    for one in past {
        let x = megabytes(one.bytes);
        let ms = whole_ms(one);
        let weight = fading / line.ms(one.bytes).powi(2);
        fixed += weight;
        both += weight * x;
        megabyte += weight * x * x;
        fixed_wanted += weight * ms;
        megabyte_wanted += weight * x * ms;
        fading *= FADING;
    }
    // Never zero: the guess is in both.
    let determinant = fixed * megabyte - both * both;
    let found = Speed {
        fixed: (fixed_wanted * megabyte - megabyte_wanted * both) / determinant,
        megabyte: (megabyte_wanted * fixed - fixed_wanted * both) / determinant,
    };
    // Where the line would cross zero, one of the two takes it all.
    if found.fixed < 1.0 {
        Speed {
            fixed: 1.0,
            megabyte: ((megabyte_wanted - both) / megabyte).max(guess.megabyte / 100.0),
        }
    } else if found.megabyte < guess.megabyte / 100.0 {
        Speed {
            fixed: (fixed_wanted / fixed).max(1.0),
            megabyte: guess.megabyte / 100.0,
        }
    } else {
        found
    }
}

/// What the job would have taken with its file still to be read. Milliseconds, at least 1.
fn whole_ms(past: &Past) -> f64 {
    let share = if past.was_read {
        1.0 - reading_share(past.format)
    } else {
        1.0
    };
    (float(past.work_ms) / share).max(1.0)
}

fn megabytes(bytes: i64) -> f64 {
    float(bytes) / f64::from(1 << 20)
}

#[expect(clippy::cast_precision_loss, reason = "an estimate; counts below 2^53")]
fn float(n: i64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(format: Format, bytes: i64, work_ms: i64) -> Past {
        Past {
            format,
            bytes,
            work_ms,
            was_read: false,
        }
    }

    fn near(value: f64, wanted: f64) -> bool {
        (0.8..1.25).contains(&(value / wanted))
    }

    #[test]
    fn one_small_job_says_little_about_a_large_one() {
        let before = Speeds::default().of(Format::Csv).ms(10 << 20);
        for ms in [12, 60, 300] {
            let after = Speeds::learn(vec![past(Format::Csv, 700, ms); 3]).of(Format::Csv);
            assert!(
                (0.5..2.0).contains(&(after.ms(700) / float(ms))),
                "{after:?}"
            );
            assert!(near(after.ms(30 << 20), before * 3.0), "{after:?}");
        }
    }

    #[test]
    fn small_and_large_jobs_are_both_told_right() {
        // 40 ms and 300 ms a megabyte.
        let jobs = [1_000, 5 << 20, 20_000, 1 << 20, 12 << 20]
            .map(|bytes| past(Format::Csv, bytes, 40 + bytes * 300 / (1 << 20)));
        let speed = Speeds::learn(jobs.to_vec()).of(Format::Csv);
        assert!(near(speed.ms(500), 40.0), "{speed:?}");
        assert!(near(speed.ms(100 << 20), 30_040.0), "{speed:?}");
    }

    #[test]
    fn a_slow_machine_is_slow_with_every_format() {
        let guessed = Speeds::default().of(Format::Xlsx).ms(1 << 20);
        let jobs = vec![past(Format::Csv, 4 << 20, 10_600); 3];
        let slow = Speeds::learn(jobs).of(Format::Xlsx).ms(1 << 20);
        assert!(slow > 5.0 * guessed, "{slow} {guessed}");
    }

    #[test]
    fn what_changed_lately_counts_most() {
        let mut jobs = vec![past(Format::Csv, 4 << 20, 3_000); 8];
        jobs.extend(vec![past(Format::Csv, 4 << 20, 1_000); 30]);
        let speed = Speeds::learn(jobs).of(Format::Csv);
        assert!(speed.ms(4 << 20) > 1_300.0, "{speed:?}");
    }

    #[test]
    fn jobs_that_make_no_sense_make_no_nonsense() {
        for jobs in [
            vec![past(Format::Csv, 0, 0); 20],
            vec![
                past(Format::Csv, 10 << 20, 1),
                past(Format::Csv, 10, 60_000),
            ],
            vec![
                past(Format::Csv, 10, 1),
                past(Format::Csv, 10 << 20, 600_000),
            ],
        ] {
            for bytes in [0, 1, 1 << 30] {
                let ms = Speeds::learn(jobs.clone()).of(Format::Csv).ms(bytes);
                assert!(ms.is_finite() && ms > 0.0, "{jobs:?} {bytes}: {ms}");
            }
        }
    }
}
