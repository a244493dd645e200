//! How many of a job's rows are still to fix: not those that came home in a repair workbook since, in SQL.

use rusqlite::Connection;

use crate::error::Result;
use crate::id::JobId;

/// Of the job in the row `j` of `jobs`: its invalid rows but those that repairs of it stored, or found to be in
/// the list already. A repair has no more to fix than the job that it repairs. Null where it has no counts.
///
/// Of a repair's rows it is not known any more which of them it found in the list already, nor that of a repair
/// all of whose rows it did. As many of them as earlier repairs stored may be rows of those.
pub(in crate::store) const TO_FIX: &str = "CASE WHEN j.invalid > 0 THEN (
    SELECT max(0, min(h.invalid - (
        WITH filed AS MATERIALIZED (
                SELECT job_id, count(DISTINCT row) AS rows FROM records
                WHERE source_no = h.upload_no GROUP BY job_id),
             repairs AS MATERIALIZED (
                SELECT k.id, k.duplicates + coalesce(k.unchanged, 0) - coalesce(sum(f.rows) OVER (
                           ORDER BY k.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS known
                FROM filed f CROSS JOIN jobs k ON k.id = f.job_id
                WHERE k.status = 'completed' AND k.undone_at IS NULL
                  AND k.report ->> '$.repairs.job_id' = h.id)
        SELECT count(DISTINCT r.row) + max(0, coalesce((SELECT max(known) FROM repairs), 0))
        FROM repairs f CROSS JOIN records r ON r.job_id = f.id AND +r.source_no = h.upload_no)))
    FROM jobs h
    WHERE h.id IN (j.id, (
        SELECT j.report ->> '$.repairs.job_id' FROM upload_sheets y
        WHERE y.upload_no = j.upload_no AND y.name = 'sheetline_repair')))
    ELSE j.invalid END";

/// The same of one job.
pub(super) fn of(connection: &Connection, job: JobId) -> Result<Option<i64>> {
    let mut statement =
        connection.prepare_cached(&format!("SELECT {TO_FIX} FROM jobs j WHERE j.id = ?1"))?;
    Ok(statement.query_row([job.0], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::SystemClock;
    use crate::db::Db;
    use crate::report::export::xlsx::repair::HOME_SHEET;

    #[test]
    fn a_repair_is_known_by_its_hidden_sheet() {
        assert!(TO_FIX.contains(&format!("y.name = '{HOME_SHEET}'")));
    }

    #[test]
    fn each_table_is_searched_once_however_many_rows_came_home() {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&folder.path().join("a.db"), Arc::new(SystemClock::new())).unwrap();
        let steps: Vec<String> = db
            .read(|c| {
                let sql = format!("EXPLAIN QUERY PLAN SELECT {TO_FIX} FROM jobs j WHERE j.id = 1");
                let mut statement = c.prepare(&sql)?;
                let steps = statement.query_map([], |row| row.get(3))?;
                Ok(steps.collect::<rusqlite::Result<_>>()?)
            })
            .unwrap();
        let searched = |step: &&String| step.starts_with("SEARCH");
        assert!(steps.iter().filter(searched).count() >= 6, "{steps:#?}");
        for step in &steps {
            // Of what was made of a table before, and not for each row again.
            let whole = step.starts_with("SCAN") && *step != "SCAN f" && !step.contains("subquery");
            assert!(!whole && !step.contains("LIST SUBQUERY"), "{steps:#?}");
        }
    }
}
