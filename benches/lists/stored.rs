//! Rows as the reader hands them on and the database keeps them, and the check that they go through.

use std::ops::Range;

use sheetline::process::{Checker, Choices, DateOrders, SourceFacts, Template};
use sheetline::sheet::{Column, Row};

use super::HEADERS;

pub(crate) fn columns() -> Vec<Column> {
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
pub(crate) fn rows(numbers: Range<u32>) -> Vec<Row> {
    numbers.map(row).collect()
}

fn row(n: u32) -> Row {
    let link = match n % 100 {
        13 => n - 7,
        _ => n,
    };
    let name = match n % 50 {
        7 => "null".to_owned(),
        _ => format!("\"Acme Müller {n} GmbH\""),
    };
    let site = match n % 50 {
        9 => format!("www.acme-{n}.example"),
        _ => format!("https://acme-{n}.example/about"),
    };
    Row {
        number: n + 2,
        cells: format!(
            "[{name},\"https://www.linkedin.com/company/acme-{link}\",\"{site}\",\"11-50\",\"Industry {}\",{}]",
            n % 37,
            u64::from(n) * 13
        ),
        kinds: None,
        width: None,
    }
}

/// Checks such rows against the template `companies`.
pub(crate) fn checker() -> Checker {
    let schema = Template::built_in_schema("companies").unwrap();
    Checker::new(
        &Template::parse("companies", 0, schema).unwrap(),
        SourceFacts {
            columns: columns(),
            header_row: 1,
            workbook: false,
            choices: Choices::default(),
            date_orders: DateOrders::default(),
            sample: Vec::new(),
            notices: Vec::new(),
        },
    )
    .unwrap()
}

/// Checks rows, as a job does with those that the list has not yet.
pub(crate) fn check(checker: &mut Checker, rows: &[Row]) {
    for row in rows {
        let checked = checker.check(row).unwrap();
        std::hint::black_box(checker.settle(checked, &[], false));
    }
}
