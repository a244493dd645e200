//! A claim with few and with very many jobs waiting.

use std::time::{Duration, Instant};

use sheetline::store::jobs::{self, Counts};

use crate::{product, say};

const CLAIMS: usize = 300;

pub(crate) fn print(waiting: &[usize]) {
    for jobs in waiting {
        let folder = tempfile::tempdir().unwrap();
        let queue = product::Queue::new(&folder.path().join("a.db"), false);
        fill(&queue, *jobs);
        let (mut looks, mut claims, mut whole) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..CLAIMS {
            let began = Instant::now();
            assert!(queue.0.read(jobs::any_pending).unwrap());
            looks.push(began.elapsed());
            let began = Instant::now();
            let claim = queue
                .0
                .write(|tx| {
                    let began = Instant::now();
                    let claim = jobs::claim(tx)?.unwrap();
                    claims.push(began.elapsed());
                    Ok(claim)
                })
                .unwrap();
            whole.push(began.elapsed());
            queue
                .0
                .write(|tx| jobs::complete(tx, &claim, &Counts::default(), product::REPORT, 1))
                .unwrap();
        }
        say(
            &format!("claim, {jobs} jobs waiting (median of {CLAIMS})"),
            &format!(
                "{:.1} us; its transaction {:.1} us; the look before it {:.1} us",
                median(&mut claims),
                median(&mut whole),
                median(&mut looks)
            ),
        );
    }
}

/// So many pending jobs, each of another user; with the triggers, as everything else.
fn fill(queue: &product::Queue, jobs: usize) {
    let sql = format!(
        "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i <= {jobs})
         INSERT INTO users (id, username, username_key, role, password_hash, created_at)
         SELECT i, 'u' || i, 'u' || i, 'member', '', '' FROM n;
         WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i <= {jobs})
         INSERT INTO jobs (user_id, upload_no, operation, template, on_duplicate, queued_at, changed_at)
         SELECT i, 1, 'process', 'companies', 'skip', '2026-11-23T10:30:00.123Z', '2026-11-23T10:30:00.123Z' FROM n;"
    );
    queue.0.write(|tx| Ok(tx.execute_batch(&sql)?)).unwrap();
    queue.0.checkpoint().unwrap();
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e6
}
