//! How fast rows are checked: the companies template, rows as the reader hands them on.
//!
//! `cargo bench --bench process` prints rows a second; `-- --quick` runs it once on few rows.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench prints, and gives up where something fails"
)]

use std::time::{Duration, Instant};

use sheetline::process::{Checker, Choices, SourceFacts, Template};
use sheetline::sheet::{Column, Row};

const HEADERS: [&str; 6] = [
    "Company Name",
    "LinkedIn_URL",
    "Website_URL",
    "Company_Size",
    "Industry",
    "Revenue",
];

fn columns() -> Vec<Column> {
    HEADERS
        .iter()
        .enumerate()
        .map(|(index, label)| Column {
            index,
            name: (*label).to_owned(),
            label: Some((*label).to_owned()),
        })
        .collect()
}

/// Rows of which one in fifty is bad, one in fifty is changed and one in a hundred stands twice.
fn rows(count: u32) -> Vec<Row> {
    (0..count)
        .map(|n| {
            let link = match n % 100 {
                13 => format!("https://www.linkedin.com/company/acme-{}", n - 7),
                _ => format!("https://www.linkedin.com/company/acme-{n}"),
            };
            let name = match n % 50 {
                7 => String::new(),
                _ => format!("Acme Müller {n} GmbH"),
            };
            let site = match n % 50 {
                9 => format!("www.acme-{n}.example"),
                _ => format!("https://acme-{n}.example/about"),
            };
            let name = if name.is_empty() {
                "null".to_owned()
            } else {
                format!("\"{name}\"")
            };
            Row {
                number: n + 2,
                cells: format!(
                    "[{name},\"{link}\",\"{site}\",\"11-50\",\"Industry {}\",{}]",
                    n % 37,
                    n * 13
                ),
                kinds: None,
                width: None,
            }
        })
        .collect()
}

fn checker(template: &Template) -> Checker {
    Checker::new(
        template,
        SourceFacts {
            columns: columns(),
            header_row: 1,
            workbook: false,
            choices: Choices::default(),
            date_orders: sheetline::process::DateOrders::default(),
            sample: Vec::new(),
            notices: Vec::new(),
        },
    )
    .unwrap()
}

fn best(times: u32, mut run: impl FnMut()) -> Duration {
    (0..times)
        .map(|_| {
            let began = Instant::now();
            run();
            began.elapsed()
        })
        .min()
        .unwrap()
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick" || argument == "--test");
    let (count, times) = if quick { (5_000, 1) } else { (300_000, 5) };
    let schema = Template::built_in_schema("companies").unwrap();
    let template = Template::parse("companies", 0, schema).unwrap();
    let rows = rows(count);
    let told = |what: &str, took: Duration| {
        println!(
            "{what}: {:>9.0} rows/s ({count} rows in {:.3} s)",
            f64::from(count) / took.as_secs_f64(),
            took.as_secs_f64()
        );
    };
    let took = best(times, || {
        for row in &rows {
            std::hint::black_box(row.values().unwrap());
        }
    });
    told("bound: reading the stored rows", took);
    let took = best(times, || {
        let mut checker = checker(&template);
        for row in &rows {
            let checked = checker.check(row).unwrap();
            std::hint::black_box(checker.settle(checked, &[], false));
        }
        std::hint::black_box(checker.report(0.0));
    });
    told("validate, companies template   ", took);
}
