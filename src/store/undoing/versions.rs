//! The other versions of a record, in SQL: those above and below the version in the row `r` of `records`.
//! ?1 is the job that is to be undone.

use crate::store::in_list;

/// The newest version of the record of `r` whose import stands: completed, not undone, and not ?1. Without
/// one the record has nothing to be in the list for. A job files one version of a record at most.
pub(super) const STANDS: &str = "coalesce(
    (SELECT o.id FROM records o CROSS JOIN jobs k ON k.id = o.job_id
     WHERE o.replaces = coalesce(r.replaces, r.id) AND o.job_id <> ?1
       AND k.status = 'completed' AND k.undone_at IS NULL
     ORDER BY o.id DESC LIMIT 1),
    (SELECT o.id FROM records o CROSS JOIN jobs k ON k.id = o.job_id
     WHERE o.id = coalesce(r.replaces, r.id) AND o.job_id <> ?1
       AND k.status = 'completed' AND k.undone_at IS NULL))";

/// Whether `r` stays in the list though its job is undone.
pub(super) fn stays() -> String {
    in_list::stays("r")
}

/// Of the version above `r` that is in the list, whether its import stands; none where that is `r` itself.
pub(super) fn above() -> String {
    let counts = in_list::counts("n", "k");
    format!(
        "(SELECT k.undone_at IS NULL FROM records n CROSS JOIN jobs k ON k.id = n.job_id
          WHERE n.replaces = coalesce(r.replaces, r.id) AND n.id > r.id AND {counts}
          ORDER BY n.id DESC LIMIT 1)"
    )
}

/// The newest version below `r` that stayed when its job was undone.
pub(super) fn stayed() -> String {
    let stays = in_list::stays("o");
    format!(
        "(SELECT o.id FROM records o CROSS JOIN jobs k ON k.id = o.job_id
          WHERE o.replaces = r.replaces AND o.id < r.id AND o.job_id <> ?1
            AND {stays} AND k.undone_at IS NOT NULL
          ORDER BY o.id DESC LIMIT 1)"
    )
}
