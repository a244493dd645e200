//! The queue through the product's own functions.

use std::path::Path;
use std::sync::Arc;

use sheetline::clock::SystemClock;
use sheetline::db::Db;
use sheetline::id::{UploadNo, UserId};
use sheetline::store::jobs::{self, Counts, Enqueued, JobOptions, NewJob};
use sheetline::words::OnDuplicate;

/// A user and an upload, for both sides.
pub(crate) const PEOPLE: &str = "
    INSERT INTO users (username, username_key, role, password_hash, created_at)
    VALUES ('anna', 'anna', 'member', '', '2026-11-23T10:30:00.123Z');
    INSERT INTO uploads (id, user_id, filename, size, sha256, format, status, uploaded_at)
    VALUES ('u', 1, 'a.csv', 1, '', 'csv', 'received', '2026-11-23T10:30:00.123Z');";

/// The report of a finished job, as short as it gets.
pub(crate) const REPORT: &str = r#"{"valid":true,"stats":{"rows":2,"valid":2}}"#;

/// What a finished job found.
pub(crate) fn counts() -> Counts {
    Counts {
        rows: 2,
        valid: 2,
        ..Counts::default()
    }
}

pub(crate) struct Queue(pub(crate) Arc<Db>);

impl Queue {
    pub(crate) fn new(path: &Path, full: bool) -> Queue {
        let db = Db::open(path, Arc::new(SystemClock::new())).unwrap();
        if !full {
            db.promise_less();
        }
        db.write(|tx| Ok(tx.execute_batch(PEOPLE)?)).unwrap();
        // As in the server, which moves the log home beside the writes.
        let db = Arc::new(db);
        let moved = db.clone();
        std::thread::spawn(move || moved.move_log());
        Queue(db)
    }

    pub(crate) fn enqueue(&self, user: UserId, upload: UploadNo) -> Enqueued {
        let new = NewJob {
            user,
            upload,
            operation: "process",
            template: "companies".to_owned(),
            template_version: 1,
            on_duplicate: OnDuplicate::Skip,
            options: JobOptions::default(),
        };
        self.0.write(|tx| jobs::enqueue(tx, &new)).unwrap()
    }

    pub(crate) fn run(&self, jobs: usize) {
        for _ in 0..jobs {
            let queued = self.enqueue(UserId(1), UploadNo(1));
            let claim = self.0.write_ahead(jobs::claim).unwrap().unwrap();
            assert_eq!(queued, Enqueued::Queued(claim.job));
            self.0
                .write(|tx| jobs::complete(tx, &claim, &counts(), REPORT, 7))
                .unwrap();
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.0.leave_log_where_it_is();
    }
}
