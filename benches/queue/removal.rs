//! How long the writer is held, so that nobody else can write, while a large file is purged and what a
//! stopped job had filed is removed: both go in small steps.

use std::time::{Duration, Instant};

use sheetline::db::pace::Pace;
use sheetline::error::Result;
use sheetline::id::{JobId, UploadNo, UserId};
use sheetline::store::filing::{Filer, NewKeys, NewRecord};
use sheetline::store::records;
use sheetline::store::{jobs, uploads};

use crate::{processor, product, say};

pub(crate) fn print(quick: bool) {
    let rows: u32 = if quick { 10_000 } else { 200_000 };
    let folder = tempfile::tempdir().unwrap();
    let queue = product::Queue::new(&folder.path().join("a.db"), true);
    let db = &queue.0;
    db.write(|tx| {
        let sql = format!(
            "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i <= {rows})
             INSERT INTO upload_rows (upload_no, sheet, row, cells)
             SELECT 1, 0, i, '[\"Acme ' || i || ' GmbH\",\"https://www.linkedin.com/company/acme-' || i || '\",\"https://acme-' || i || '.example\",\"11-50\",\"Software\",' || i || ']' FROM n;
             WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {rows} / 1000)
             INSERT INTO upload_chunks (upload_no, position, bytes) SELECT 1, i, randomblob(262144) FROM n;"
        );
        Ok(tx.execute_batch(&sql)?)
    })
    .unwrap();
    let (mut no_file, mut no_rows) = (Vec::new(), Vec::new());
    let mut pace = Pace::new();
    steps(&mut no_rows, || {
        db.step(&mut pace, |tx, rows| {
            uploads::purge_rows_step(tx, UploadNo(1), rows)
        })
    });
    steps(&mut no_file, || {
        db.write(|tx| uploads::purge_chunks_step(tx, UploadNo(1), uploads::PURGE_CHUNKS))
    });
    tell(&format!("purge of {rows} rows"), &mut no_rows);
    tell(
        &format!("purge of a file of {} MB", rows / 4_000),
        &mut no_file,
    );

    file(&queue, rows);
    let mut no_records = Vec::new();
    let mut pace = Pace::new();
    steps(&mut no_records, || {
        db.step(&mut pace, |tx, rows| {
            records::discard_step(tx, JobId(1), rows)
        })
    });
    tell(
        &format!("removal of {rows} records of a stopped job"),
        &mut no_records,
    );
}

fn steps(took: &mut Vec<(Duration, Duration)>, mut step: impl FnMut() -> Result<bool>) {
    loop {
        let (before, began) = (processor(), Instant::now());
        let done = step().unwrap();
        took.push((began.elapsed(), processor().saturating_sub(before)));
        if done {
            return;
        }
    }
}

/// Records of a job in work, with keys that come in no order.
fn file(queue: &product::Queue, rows: u32) {
    let db = &queue.0;
    queue.enqueue(UserId(1), UploadNo(1));
    let claim = db.write(jobs::claim).unwrap().unwrap();
    let hash = |n: u32| i64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed());
    for first in (0..rows).step_by(2_000) {
        db.write(|tx| {
            let mut keys = NewKeys::default();
            let made: Vec<(u32, String, [i64; 2])> = (first..rows.min(first + 2_000))
                .map(|row| {
                    let data = format!(
                        r#"{{"company_name":"Acme {row} GmbH","linkedin_url":"https://www.linkedin.com/company/acme-{row}"}}"#
                    );
                    (row, data, [hash(row), hash(row + rows)])
                })
                .collect();
            let mut filer = Filer::begin(tx, claim.job, &mut keys)?;
            for (row, data, keys) in &made {
                filer.insert(NewRecord {
                    row: *row,
                    source: None,
                    data,
                    changes: None,
                    replaces: None,
                    keys,
                })?;
            }
            filer.end()?;
            keys.sort();
            keys.file(tx, u32::MAX)?;
            Ok(())
        })
        .unwrap();
    }
}

fn tell(what: &str, took: &mut [(Duration, Duration)]) {
    took.sort();
    let ms = |at: usize| took[at.min(took.len() - 1)].0.as_secs_f64() * 1e3;
    say(
        &format!("{what}, {} steps", took.len()),
        &format!(
            "the writer is held {:.1} ms (median), {:.1} ms (99 %), {:.1} ms at most",
            ms(took.len() / 2),
            ms(took.len() * 99 / 100),
            ms(took.len())
        ),
    );
    let mut work: Vec<f64> = took
        .iter()
        .map(|(_, work)| work.as_secs_f64() * 1e3)
        .collect();
    work.sort_by(f64::total_cmp);
    say(
        "  processor of a step, which neighbours do not take",
        &format!(
            "{:.1} ms (median), {:.1} ms at most",
            work[work.len() / 2],
            work[work.len() - 1]
        ),
    );
}
