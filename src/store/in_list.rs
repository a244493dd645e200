//! Which versions of records are in the list, in SQL. `schema.sql` says the same for its views and triggers,
//! and a test compares the two.

use std::sync::LazyLock;

/// Whether the version in the row `r` of `records` stays in the list though its job was undone.
pub(super) fn stays(r: &str) -> String {
    format!("{r}.kept AND (SELECT g.undone_at FROM jobs g WHERE g.id = {r}.let_go) IS NULL")
}

/// Whether the version in the row `r` of `records`, of the job in the row `j`, counts. The newest version of a
/// record that does is in the list.
pub(super) fn counts(r: &str, j: &str) -> String {
    let stays = stays(r);
    format!("{j}.status = 'completed' AND ({j}.undone_at IS NULL OR {stays})")
}

/// Whether the version in the row `r` of `records`, of the job in the row `j`, is in the list now.
///
/// CROSS JOIN, here and in whatever asks this, because the order matters: from the record to its job by the
/// key. Left to itself SQLite begins with the jobs while they are few, and keeps to that plan when they are
/// many.
pub(super) fn in_list() -> &'static str {
    static IN_LIST: LazyLock<String> = LazyLock::new(|| {
        let (this, newer) = (counts("r", "j"), counts("n", "k"));
        format!(
            "{this} AND NOT EXISTS (
                SELECT 1 FROM records n CROSS JOIN jobs k ON k.id = n.job_id
                WHERE n.replaces = coalesce(r.replaces, r.id) AND n.id > r.id AND {newer})"
        )
    });
    &IN_LIST
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without what stands around a word for looks.
    fn bare(sql: &str) -> String {
        sql.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .replace("( ", "(")
    }

    #[test]
    fn the_views_show_what_is_in_the_list_here() {
        let schema = include_str!("../../schema.sql");
        let view = |name: &str| {
            let (_, rest) = schema
                .split_once(&format!("CREATE VIEW {name} AS"))
                .unwrap();
            bare(rest.split_once(';').unwrap().0)
        };
        let (this, newer) = in_list().split_once(" AND NOT ").unwrap();
        let records = view("v_stored");
        assert!(records.contains(&format!("ON j.id = r.job_id AND {}", bare(this))));
        assert!(records.ends_with(&format!("WHERE NOT {}", bare(newer))));
        assert!(view("v_changes").ends_with(&format!("WHERE {}", bare(this))));
        let (_, trigger) = schema.split_once("TRIGGER records_are_kept").unwrap();
        let counts = counts("OLD", "jobs").replace("jobs.", "");
        assert!(bare(trigger).contains(&format!("WHEN (SELECT {counts} FROM jobs")));
    }
}
