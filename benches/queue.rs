//! The queue itself: `cargo bench --bench queue`, with `-- --quick` for a short run. Prints jobs a second
//! through the product's own functions beside a bare loop of the same statements on the same schema, the rate
//! where clients and the worker are at it at once, what the rules in the schema cost, how long a claim takes
//! with more and more jobs waiting, how good the told waiting times are when a real server works on a mixed
//! load, and what five hundred waiting clients cost. docs/bench.md says how the figures compare.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a bench prints its figures and gives up where something fails"
)]

#[path = "queue/bare.rs"]
mod bare;
#[path = "queue/claims.rs"]
mod claims;
#[path = "../tests/it/client.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod client;
#[path = "queue/crowd.rs"]
mod crowd;
#[path = "../tests/it/forms.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod forms;
#[allow(dead_code, reason = "shared with the other benches")]
mod lists;
#[path = "queue/mixed.rs"]
mod mixed;
#[path = "queue/product.rs"]
mod product;
#[path = "office/program.rs"]
mod program;
#[path = "queue/removal.rs"]
mod removal;
#[path = "queue/variants.rs"]
mod variants;
#[path = "queue/waiting.rs"]
mod waiting;

use std::path::Path;
use std::time::{Duration, Instant};

fn main() {
    // `cargo test --benches` and `--all-targets` start it, too, without this: then there is nothing to do.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let quick = std::env::args().any(|argument| argument == "--quick");
    let only = std::env::args()
        .nth(1)
        .filter(|word| !word.starts_with('-'));
    let wanted = |part: &str| only.as_deref().is_none_or(|only| only == part);
    if wanted("rate") {
        rate("synchronous=FULL", true, quick);
        rate("synchronous=NORMAL", false, quick);
    }
    if wanted("variants") {
        variants::print(quick);
    }
    if wanted("crowd") {
        for clients in [1, 16] {
            crowd::print("synchronous=FULL", true, clients, quick);
            crowd::print("synchronous=NORMAL", false, clients, quick);
        }
    }
    if wanted("claims") {
        claims::print(if quick {
            &[1_000, 10_000]
        } else {
            &[1_000, 100_000, 1_000_000]
        });
    }
    if wanted("removal") {
        removal::print(quick);
    }
    if wanted("mixed") {
        mixed::print(quick);
    }
    if wanted("waiting") {
        waiting::print(quick);
    }
}

fn say(work: &str, figure: &str) {
    println!("{work:<58} {figure}");
}

/// Enqueue, claim and finish, each in a transaction of its own: the product and the bare loop take turns
/// on databases that lie in the same folder, so that both meet the same disk and the same neighbours.
fn rate(durability: &str, full: bool, quick: bool) {
    let (blocks, jobs) = if quick {
        (4, 50)
    } else {
        // Long ones: what the product's log still has to go home falls into the loop's turn.
        (if full { 10 } else { 40 }, 1_000)
    };
    let folder = tempfile::tempdir().unwrap();
    let product = product::Queue::new(&folder.path().join("product.db"), full);
    let bare = bare::Queue::new(&folder.path().join("bare.db"), full);
    let (mut product_took, mut bare_took) = (Vec::new(), Vec::new());
    let (mut product_cpu, mut bare_cpu) = (Vec::new(), Vec::new());
    for block in 0..blocks {
        type Times<'a> = &'a mut Vec<Duration>;
        type Turn<'a> = (&'a dyn Fn(), fn() -> Duration, Times<'a>, Times<'a>);
        let mut turns: [Turn<'_>; 2] = [
            (
                &|| product.run(jobs),
                processor_of_all,
                &mut product_took,
                &mut product_cpu,
            ),
            (&|| bare.run(jobs), processor, &mut bare_took, &mut bare_cpu),
        ];
        // Who comes first changes, too.
        if block % 2 == 1 {
            turns.reverse();
        }
        for (run, processor, took, cpu) in turns {
            let (before, began) = (processor(), Instant::now());
            run();
            took.push(began.elapsed());
            cpu.push(processor().saturating_sub(before));
        }
    }
    // Block beside block: what the disk and the neighbours do from minute to minute meets both.
    let ratio = middle(
        product_took
            .iter()
            .zip(&bare_took)
            .map(|(product, bare)| bare.as_secs_f64() / product.as_secs_f64()),
    );
    let per_second =
        |took: &[Duration]| middle(took.iter().map(|took| jobs as f64 / took.as_secs_f64()));
    say(
        &format!("enqueue + claim + finish, {durability}"),
        &format!(
            "{:.0} jobs/s, {ratio:.2} x the bare loop ({:.0}/s)",
            per_second(&product_took),
            per_second(&bare_took),
        ),
    );
    let micros =
        |cpu: &[Duration]| middle(cpu.iter().map(|cpu| cpu.as_secs_f64() * 1e6 / jobs as f64));
    say(
        "  processor of a job, which neighbours do not take",
        &format!(
            "{:.1} us, the bare loop {:.1} us",
            micros(&product_cpu),
            micros(&bare_cpu)
        ),
    );
}

/// The middle one of some figures.
fn middle(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// What this thread has had of the processor so far.
fn processor() -> Duration {
    processor_of(Path::new("/proc/thread-self"))
}

/// What all threads have had: that which moves the product's log home works for the jobs, too.
fn processor_of_all() -> Duration {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten();
    threads
        .flatten()
        .map(|thread| processor_of(&thread.path()))
        .sum()
}

/// None where the thread has ended.
fn processor_of(thread: &Path) -> Duration {
    let text = std::fs::read_to_string(thread.join("schedstat")).unwrap_or_default();
    let nanos = text.split_whitespace().next().and_then(|n| n.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}
