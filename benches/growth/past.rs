//! An office with more and more ended jobs behind it.

use std::path::Path;
use std::time::Instant;

use rusqlite::Connection;

use crate::forms::companies;
use crate::office::middle;
use crate::office::starts::DATABASE;
use crate::works::{ROUNDS, ask, curve, job};
use crate::{Curve, Kind, client, product};

/// An office with so many ended jobs behind it.
pub(crate) fn history(sizes: [usize; 3]) -> Vec<Curve> {
    let mut status = curve("status", "jobs", "ms", Kind::Request);
    let mut page = curve("a page of the history", "jobs", "ms", Kind::Request);
    let mut last = curve("a job of 100 rows", "jobs", "ms", Kind::Request);
    for jobs in sizes {
        let folder = tempfile::tempdir().unwrap();
        client::serve(folder.path(), &[]).kill();
        client::add_user(folder.path(), "user0", &["--admin"]);
        let served = client::serve(folder.path(), &[]);
        let session = served.sign_in("user0");
        job(&served, &session, &companies("first", 10));
        served.kill();
        fill_with_jobs(&folder.path().join(DATABASE), jobs);
        let served = client::serve(folder.path(), &[]);
        status
            .points
            .push((jobs, ask(&served, &session, "/api/files/processing-status")));
        page.points
            .push((jobs, ask(&served, &session, "/api/jobs?limit=50")));
        let some = (0..ROUNDS).map(|n| {
            let list = companies(&format!("last{n}"), 100);
            job(&served, &session, &list).0
        });
        last.points.push((jobs, middle(some.collect())));
    }
    vec![status, page, last]
}

/// Cancelled jobs, made the way the database allows.
fn fill_with_jobs(database: &Path, jobs: usize) {
    let mut connection = Connection::open(database).unwrap();
    let tx = connection.transaction().unwrap();
    for _ in 0..jobs {
        tx.execute(
            "INSERT INTO jobs (user_id, upload_no, operation, template, on_duplicate, queued_at, changed_at)
             SELECT user_id, upload_no, 'process', template, on_duplicate, queued_at, changed_at FROM jobs WHERE id = 1",
            [],
        )
        .unwrap();
        tx.execute(
            "UPDATE jobs SET status = 'cancelled', finished_at = queued_at WHERE id = ?1",
            [tx.last_insert_rowid()],
        )
        .unwrap();
    }
    tx.commit().unwrap();
}

/// Jobs of one block, and blocks; the middle one counts.
const BLOCK: usize = 50;
const BLOCKS: usize = 21;

/// The queue through the product's own functions, as in `queue`: what one more job takes where so many have ended. It
/// waits for no disk (`synchronous=NORMAL`), whose waits would hide it.
pub(crate) fn queue(sizes: [usize; 3]) -> Vec<Curve> {
    let mut curve = curve("enqueue, claim, finish", "ended jobs", "us", Kind::Request);
    let folder = tempfile::tempdir().unwrap();
    let queue = product::Queue::new(&folder.path().join("queue.db"), false);
    let mut ended = 0;
    for jobs in sizes {
        queue.run(jobs.saturating_sub(ended));
        ended = ended.max(jobs) + BLOCKS * BLOCK;
        let blocks = (0..BLOCKS).map(|_| {
            let began = Instant::now();
            queue.run(BLOCK);
            began.elapsed().as_secs_f64() * 1e6 / BLOCK as f64
        });
        curve.points.push((jobs, middle(blocks.collect())));
    }
    vec![curve]
}
