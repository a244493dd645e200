//! How costs grow: `cargo bench --bench growth` does the same work at 1, 10 and 100 times the rows, records,
//! users and jobs, and prints what each size costs. With `-- FILE.svg` it draws the figures as well
//! (docs/growth.svg is made so); `-- --quick` is a short run at a thousandth of each size. Nothing here is a timed
//! test.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a bench prints its figures and gives up where something fails"
)]

#[path = "../tests/it/client.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod client;
#[path = "growth/commands.rs"]
mod commands;
#[path = "../tests/it/forms.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod forms;
#[allow(dead_code, reason = "shared with the other benches")]
mod lists;
#[allow(dead_code, reason = "shared with the other benches")]
mod office;
#[path = "growth/past.rs"]
mod past;
#[path = "growth/people.rs"]
mod people;
#[path = "growth/plot.rs"]
mod plot;
#[path = "queue/product.rs"]
#[allow(dead_code, reason = "shared with the queue's bench")]
mod product;
#[path = "office/program.rs"]
mod program;
#[path = "growth/records.rs"]
mod records;
#[path = "growth/works.rs"]
mod works;

/// What a figure is of, and so how it may grow.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// The whole of a work: in proportion to its size, or a little more (n log n).
    Work,
    /// One request to an office of that size: it should not grow.
    Request,
    /// Memory at most: a fixed part, and what a room keeps of each row.
    Memory,
}

/// What a work cost at each size.
struct Curve {
    work: &'static str,
    /// What is counted: rows, records, users or jobs.
    of: &'static str,
    unit: &'static str,
    kind: Kind,
    /// Size and cost, from the smallest size to the largest.
    points: Vec<(usize, f64)>,
}

impl Curve {
    /// How many times as much each size costs as the smallest: for each row of a work, else as it is.
    fn growth(&self) -> Vec<f64> {
        let each = |(size, cost): &(usize, f64)| match self.kind {
            Kind::Work => cost / *size as f64,
            Kind::Request | Kind::Memory => *cost,
        };
        let first = self.points.first().map_or(1.0, each);
        self.points
            .iter()
            .map(|point| each(point) / first)
            .collect()
    }

    /// How many times as much the largest size costs as the smallest.
    fn bend(&self) -> f64 {
        self.growth().last().copied().unwrap_or(1.0)
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    // `cargo test --benches` and `--all-targets` start it, too, without this: then there is nothing to do.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let curves = works::all();
    for (kind, head, bound) in [
        (
            Kind::Work,
            "work",
            "for each row, 100 x beside 1 x (n log n: 1.5)",
        ),
        (Kind::Request, "request", "100 x beside 1 x (flat: 1)"),
        (
            Kind::Memory,
            "memory, at most",
            "100 x beside 1 x (in proportion: 100)",
        ),
    ] {
        println!("| {head} | of | 1 x | 10 x | 100 x | {bound} |");
        println!("| --- | --- | --- | --- | --- | --- |");
        curves
            .iter()
            .filter(|curve| curve.kind == kind)
            .for_each(print);
        println!();
    }
    if let Some(file) = arguments.iter().find(|argument| argument.ends_with(".svg")) {
        std::fs::write(file, plot::svg(&curves)).unwrap();
        println!("{file}");
    }
}

/// Whether this is a short run (`-- --quick`) that only sees to it that the bench still works.
fn is_quick() -> bool {
    std::env::args().any(|argument| argument == "--quick")
}

fn print(curve: &Curve) {
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
