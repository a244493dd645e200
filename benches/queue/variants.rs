//! What the queue's own rules cost: the bare loop on the product's schema, and on less and less of it, with a
//! transaction for each step. What a program around it can gain is to move the log home beside it (`-- rate`).

use std::time::Instant;

use crate::{bare, middle, say};

/// What is left out of the schema, as a condition on `sqlite_schema`.
const LESS: [(&str, &str); 5] = [
    ("the schema as it is", "0"),
    (
        "without the triggers that hold the rules",
        "type = 'trigger' AND name NOT LIKE 'jobs_log_%'",
    ),
    (
        "without the history of each job",
        "type = 'trigger' AND name LIKE 'jobs_log_%'",
    ),
    ("without both", "type = 'trigger'"),
    (
        "and with two indexes of jobs: who waits, who is active",
        "type = 'trigger' OR (type = 'index' AND tbl_name = 'jobs' AND sql IS NOT NULL
                             AND name NOT IN ('jobs_pending', 'jobs_one_active_per_user'))",
    ),
];

/// Jobs that share a commit, as up to 50 operations do in effectum.
const SHARE: usize = 50;

/// Prints how long enqueue, claim and finish take with each of them, in turn.
pub(crate) fn print(quick: bool) {
    let (blocks, jobs) = if quick { (2, 50) } else { (20, 1_000) };
    let folder = tempfile::tempdir().unwrap();
    let mut queues = LESS.map(|(what, left_out)| {
        let queue = bare::Queue::new(&folder.path().join(what), false);
        queue.leave_out(left_out);
        (what, queue, Vec::new())
    });
    let shared = bare::Queue::new(&folder.path().join("shared"), false);
    let mut shared_took = Vec::new();
    let us_of_a_job = |run: &dyn Fn()| {
        let began = Instant::now();
        run();
        began.elapsed().as_secs_f64() * 1e6 / jobs as f64
    };
    for _ in 0..blocks {
        for (_, queue, took) in &mut queues {
            took.push(us_of_a_job(&|| queue.run(jobs)));
        }
        shared_took.push(us_of_a_job(&|| shared.run_shared(jobs, SHARE)));
    }
    let each = queues.into_iter().map(|(what, _, took)| (what, took));
    let with_shared = each.chain([("the schema as it is, 50 jobs a commit", shared_took)]);
    for (what, took) in with_shared {
        let job = middle(took.into_iter());
        say(
            &format!("the bare loop, NORMAL, {what}"),
            &format!("{job:.0} us a job, {:.0} jobs/s", 1e6 / job),
        );
    }
}
