//! How costs grow: `cargo bench --bench growth` does the same work at 1, 10 and 100 times the rows, records,
//! users and jobs, and prints what each size costs. With `-- FILE.svg` it draws the figures as well
//! (docs/growth.svg is made so). Nothing here is a timed test.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a bench prints its figures and gives up where something fails"
)]

#[path = "../tests/it/client.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod client;
#[path = "../tests/it/forms.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod forms;
#[allow(dead_code, reason = "shared with the other benches")]
mod office;
#[path = "growth/plot.rs"]
mod plot;
#[path = "growth/works.rs"]
mod works;

/// What a work cost at each size.
struct Curve {
    work: &'static str,
    /// What is counted: rows, records, users or jobs.
    of: &'static str,
    unit: &'static str,
    /// Whether the cost is of the whole, and so grows with the size, or of one request and should not.
    grows: bool,
    /// Size and cost, from the smallest size to the largest.
    points: Vec<(usize, f64)>,
}

impl Curve {
    /// How many times as much the largest size costs as the smallest, a row or a request each.
    fn bend(&self) -> f64 {
        let each = |(size, cost): &(usize, f64)| {
            if self.grows {
                cost / *size as f64
            } else {
                *cost
            }
        };
        match (self.points.first(), self.points.last()) {
            (Some(first), Some(last)) => each(last) / each(first),
            _ => 1.0,
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    // `cargo test --benches` asks with --test: then there is nothing to do.
    if arguments.iter().any(|argument| argument == "--test") {
        return;
    }
    // A short run that only sees to it that the bench still works.
    let part = if arguments.iter().any(|argument| argument == "--quick") {
        1_000
    } else {
        1
    };
    let curves = works::all(part);
    println!("| work | of | 1 x | 10 x | 100 x | for each, 100 x beside 1 x |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for curve in &curves {
        let sizes: Vec<String> = curve
            .points
            .iter()
            .map(|(_, cost)| format!("{} {}", figure(*cost), curve.unit))
            .collect();
        println!(
            "| {} | {} {} | {} | {:.2} |",
            curve.work,
            curve.points.first().map_or(0, |(size, _)| *size),
            curve.of,
            sizes.join(" | "),
            curve.bend()
        );
    }
    if let Some(file) = arguments.iter().find(|argument| argument.ends_with(".svg")) {
        std::fs::write(file, plot::svg(&curves)).unwrap();
        println!("{file}");
    }
}

/// Three digits that matter.
fn figure(value: f64) -> String {
    let digits = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.digits$}")
}
