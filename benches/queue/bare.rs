//! The bound: the same statements with the same durability on the same schema, and nothing else.

use std::path::Path;

use rusqlite::{Connection, params};

use crate::product;

const NOW: &str = "2026-11-23T10:30:00.123Z";

pub(crate) struct Queue {
    connection: Connection,
    full: bool,
}

impl Queue {
    pub(crate) fn new(path: &Path, full: bool) -> Queue {
        // Made by the product, so that the schema is the same.
        drop(product::Queue::new(path, full));
        let connection = Connection::open(path).unwrap();
        connection
            .execute_batch(&format!(
                "PRAGMA journal_mode = WAL; PRAGMA cache_size = -4096; PRAGMA foreign_keys = ON; PRAGMA synchronous = {};",
                if full { "FULL" } else { "NORMAL" }
            ))
            .unwrap();
        // As the product has it: else SQLite prepares statements again when a value changes.
        connection
            .set_db_config(
                rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG,
                true,
            )
            .unwrap();
        Queue { connection, full }
    }

    /// Takes out of the schema what that condition on `sqlite_schema` finds.
    pub(crate) fn leave_out(&self, condition: &str) {
        let found: Vec<String> = self
            .connection
            .prepare(&format!(
                "SELECT 'DROP ' || type || ' ' || name || ';' FROM sqlite_schema WHERE {condition}"
            ))
            .unwrap()
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        self.connection.execute_batch(&found.concat()).unwrap();
    }

    /// A claim need not be on the disk when it returns, in the product neither.
    fn wait_for_the_disk(&self, waits: bool) {
        if self.full {
            let level = if waits { "FULL" } else { "NORMAL" };
            self.connection
                .pragma_update(None, "synchronous", level)
                .unwrap();
        }
    }

    /// Each step is a transaction.
    pub(crate) fn run(&self, jobs: usize) {
        self.steps(jobs, "BEGIN IMMEDIATE", "COMMIT");
    }

    /// So many jobs share one transaction, in which each step can still fail by itself.
    pub(crate) fn run_shared(&self, jobs: usize, share: usize) {
        for _ in 0..jobs / share {
            self.connection.execute_batch("BEGIN IMMEDIATE").unwrap();
            self.steps(share, "SAVEPOINT step", "RELEASE step");
            self.connection.execute_batch("COMMIT").unwrap();
        }
    }

    fn steps(&self, jobs: usize, begin: &str, commit: &str) {
        let mut begin = self.connection.prepare(begin).unwrap();
        let mut commit = self.connection.prepare(commit).unwrap();
        let mut enqueue = self
            .connection
            .prepare(
                "INSERT INTO jobs (user_id, upload_no, operation, template, template_version,
                                   on_duplicate, options, queued_at, changed_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
            )
            .unwrap();
        let mut claim = self
            .connection
            .prepare(
                "UPDATE jobs SET status = 'processing', attempt = attempt + 1, started_at = ?1, beat_at = ?1,
                        changed_at = ?1, change_detail = NULL, phase = 'reading', rows_done = 0, rows_total = NULL
                 WHERE id = (SELECT id FROM jobs WHERE status = 'pending' ORDER BY id LIMIT 1)
                   AND NOT EXISTS (SELECT 1 FROM queue_pauses WHERE resumed_at IS NULL)
                 RETURNING id, attempt, user_id, upload_no, template, template_version, on_duplicate, options,
                           (SELECT username FROM users WHERE users.id = jobs.user_id)",
            )
            .unwrap();
        let mut finish = self
            .connection
            .prepare(
                "UPDATE jobs SET status = 'completed', finished_at = ?3, changed_at = ?3, change_detail = NULL,
                        phase = 'done', rows_done = ?4, rows_total = ?4, beat_at = ?3,
                        rows = ?4, valid = ?5, invalid = ?6, duplicates = ?7, updated = ?8,
                        report = ?9, work_ms = ?10, unchanged = ?11
                 WHERE id = ?1 AND status = 'processing' AND attempt = ?2 AND cancel_asked_at IS NULL",
            )
            .unwrap();
        let options = r#"{"sheet":null}"#;
        for _ in 0..jobs {
            begin.execute([]).unwrap();
            enqueue
                .execute(params![
                    1,
                    1,
                    "process",
                    "companies",
                    1,
                    "skip",
                    options,
                    NOW
                ])
                .unwrap();
            commit.execute([]).unwrap();
            self.wait_for_the_disk(false);
            begin.execute([]).unwrap();
            let (job, attempt): (i64, i64) = claim
                .query_row(params![NOW], |row| Ok((row.get(0)?, row.get(1)?)))
                .unwrap();
            commit.execute([]).unwrap();
            self.wait_for_the_disk(true);
            begin.execute([]).unwrap();
            let changed = finish
                .execute(params![
                    job,
                    attempt,
                    NOW,
                    2,
                    2,
                    0,
                    0,
                    0,
                    product::REPORT,
                    7,
                    0
                ])
                .unwrap();
            assert_eq!(changed, 1);
            commit.execute([]).unwrap();
        }
    }
}
