//! How much is done in one transaction of many: as much as takes a fraction of the time that others may
//! have to wait for the writer, by what the last ones took on this machine.

use std::time::Duration;

/// What a step is to take, its commit included. Whoever waits meanwhile waits for a whole step, and a step
/// may take several times as long as the one before it.
const STEP: Duration = Duration::from_millis(8);

/// Rows of the first step, and of each at least and at most.
const ROWS_FIRST: u32 = 50;
const ROWS_MIN: u32 = 10;
const ROWS_MAX: u32 = 4_000;

/// The pace of a row of steps.
#[derive(Debug)]
pub struct Pace {
    rows: u32,
}

impl Pace {
    pub fn new() -> Pace {
        Pace { rows: ROWS_FIRST }
    }

    /// For rows that are quickly done: so many in the first step.
    pub fn from(rows: u32) -> Pace {
        Pace {
            rows: rows.clamp(ROWS_MIN, ROWS_MAX),
        }
    }

    /// How many rows the next step takes.
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// What a step took. More is tried by and by, less at once.
    pub(super) fn took(&mut self, time: Duration) {
        let fits = f64::from(self.rows) * STEP.as_secs_f64() / time.as_secs_f64().max(1e-6);
        let wanted = fits.min(f64::from(self.rows) * 1.5);
        self.rows = whole(wanted).clamp(ROWS_MIN, ROWS_MAX);
    }
}

impl Default for Pace {
    fn default() -> Pace {
        Pace::new()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a positive number of rows; the cast saturates"
)]
fn whole(rows: f64) -> u32 {
    rows as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_step_makes_the_next_ones_small_at_once_and_quick_ones_grow_by_and_by() {
        let mut pace = Pace::new();
        pace.took(STEP * 5);
        assert_eq!(pace.rows(), ROWS_MIN);
        pace.took(STEP / 100);
        assert_eq!(pace.rows(), 15);
        for _ in 0..100 {
            pace.took(Duration::ZERO);
        }
        assert_eq!(pace.rows(), ROWS_MAX);
        pace.took(STEP * 2);
        assert_eq!(pace.rows(), ROWS_MAX / 2);
        pace.took(Duration::from_secs(9));
        assert_eq!(pace.rows(), ROWS_MIN);
    }
}
