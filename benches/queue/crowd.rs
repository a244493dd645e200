//! Clients and the worker at once, as in a server: each client puts a job in as soon as its last one has
//! ended, and the worker takes and ends whatever waits.

use std::collections::HashMap;
use std::sync::mpsc;
use std::time::Instant;

use sheetline::id::{UploadNo, UserId};
use sheetline::store::jobs::{self, Enqueued};

use crate::product::{Queue, REPORT, counts};
use crate::{middle, say};

/// Blocks of which the middle one counts.
const BLOCKS: usize = 5;

/// Prints the rate of jobs with so many clients.
pub(crate) fn print(durability: &str, full: bool, clients: usize, quick: bool) {
    let each = match (quick, full) {
        (true, _) => 20,
        (false, true) => 3_200,
        (false, false) => 16_000,
    } / clients;
    let folder = tempfile::tempdir().unwrap();
    let queue = Queue::new(&folder.path().join("crowd.db"), full);
    people(&queue, clients);
    let rates = (0..if quick { 1 } else { BLOCKS }).map(|_| {
        let began = Instant::now();
        block(&queue, clients, each);
        (clients * each) as f64 / began.elapsed().as_secs_f64()
    });
    say(
        &format!("worker and clients at once, clients: {clients}, {durability}"),
        &format!("{:.0} jobs/s", middle(rates)),
    );
}

/// So many people in all, each with an upload.
fn people(queue: &Queue, clients: usize) {
    let more = format!(
        "WITH RECURSIVE n (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM n WHERE n < {clients})
         INSERT INTO users (username, username_key, role, password_hash, created_at)
         SELECT 'user' || n, 'user' || n, 'member', '', '2026-11-23T10:30:00.123Z' FROM n WHERE n <= {clients};
         INSERT INTO uploads (id, user_id, filename, size, sha256, format, status, uploaded_at)
         SELECT 'u' || id, id, 'a.csv', 1, '', 'csv', 'received', created_at FROM users WHERE id > 1;"
    );
    let made = queue.0.write(|tx| Ok(tx.execute_batch(&more)?));
    made.unwrap();
}

fn block(queue: &Queue, clients: usize, each: usize) {
    let (news, waiting) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        let mut ends = HashMap::new();
        for client in (1..).take(clients) {
            let (end, ended) = mpsc::channel::<()>();
            ends.insert(UserId(client), end);
            let news = news.clone();
            scope.spawn(move || {
                for _ in 0..each {
                    let queued = queue.enqueue(UserId(client), UploadNo(client));
                    assert!(matches!(queued, Enqueued::Queued(_)), "{queued:?}");
                    news.send(()).unwrap();
                    ended.recv().unwrap();
                }
            });
        }
        // So that the worker ends with the last client, also where one gave up.
        drop(news);
        for () in waiting {
            let claim = queue.0.write_ahead(jobs::claim).unwrap().unwrap();
            queue
                .0
                .write(|tx| jobs::complete(tx, &claim, &counts(), REPORT, 7))
                .unwrap();
            ends[&claim.user].send(()).unwrap();
        }
    });
}
