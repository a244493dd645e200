//! Jobs a second of effectum: each one added, run and completed before the next, then many at once.
//!
//! Its own pragmas: `synchronous=NORMAL`, which can't be changed, and the rollback journal, since it asks
//! for `journal` where SQLite knows `journal_mode`. A file that is in WAL mode already stays so.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use effectum::{Job, JobRunner, Queue, RunningJob, Worker};
use tokio::sync::Semaphore;

async fn work(_job: RunningJob, ended: Arc<Semaphore>) -> Result<u32, eyre::Report> {
    ended.add_permits(1);
    Ok(2)
}

/// Of so many jobs, with at most so many of them on their way.
async fn rate(path: &Path, jobs: usize, at_once: u16) -> Result<f64, eyre::Report> {
    let queue = Arc::new(Queue::new(path).await?);
    let ended = Arc::new(Semaphore::new(0));
    let worker = Worker::builder(&queue, ended.clone())
        .jobs(vec![JobRunner::builder("work", work).build()])
        .max_concurrency(at_once)
        .build()
        .await?;
    let began = Instant::now();
    let adders: Vec<_> = (0..at_once)
        .map(|_| {
            let (queue, ended) = (queue.clone(), ended.clone());
            tokio::spawn(async move {
                for _ in 0..jobs / usize::from(at_once) {
                    let job = Job::builder("work").payload(vec![b'x'; 60]);
                    job.add_to(&queue).await.unwrap();
                    ended.acquire().await.unwrap().forget();
                }
            })
        })
        .collect();
    for adder in adders {
        adder.await?;
    }
    while worker.counts().finished < worker.counts().started {
        tokio::task::yield_now().await;
    }
    let took = began.elapsed();
    worker.unregister(Some(Duration::from_secs(5))).await?;
    queue.close(Duration::from_secs(5)).await?;
    let done: usize = rusqlite::Connection::open(path)?.query_row(
        "SELECT count(*) FROM jobs WHERE status = 'success' OR finished_at IS NOT NULL",
        [],
        |row| row.get(0),
    )?;
    assert_eq!(done, jobs, "not all jobs were done");
    Ok(jobs as f64 / took.as_secs_f64())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), eyre::Report> {
    let folder = tempfile::tempdir()?;
    for (journal, at_once, jobs) in [("wal", 1, 2_000), ("wal", 16, 16_000), ("wal", 50, 20_000), ("delete", 1, 200)] {
        let path = folder.path().join(format!("{journal}{at_once}.db"));
        if journal == "wal" {
            let db = rusqlite::Connection::open(&path)?;
            db.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
            db.execute_batch("CREATE TABLE makes_the_file (x); DROP TABLE makes_the_file")?;
        }
        let rate = rate(&path, jobs, at_once).await?;
        println!("effectum 0.7.0, journal {journal}, NORMAL, {at_once} at once: {rate:.0} jobs/s");
    }
    Ok(())
}
