//! Which field a column without a telling name belongs to, by what stands in it.

use super::constraints::Rule;
use super::normalize;
use super::template::{Field, Template};
use super::types::{FieldType, TextFormat};
use crate::error::Result;
use crate::sheet::{Cell, Column, Row};

/// Values that are looked at, and that there must be.
pub const SAMPLE_ROWS: usize = 200;
const VALUES_LEAST: usize = 3;
/// The share of them that the field must take, of ten.
const TENTHS_LEAST: usize = 9;
/// Columns and fields looked at; beyond that it is no office list any more.
const COLUMNS_MAX: usize = 200;
const FIELDS_MAX: usize = 200;

/// For columns that `is_open` says have no field: the one field that takes what stands in them,
/// where no other field does and no other such column fits it.
///
/// # Errors
/// `Internal` where a row is damaged.
pub(super) fn find(
    template: &Template,
    columns: &[Column],
    sample: &[Row],
    workbook: bool,
    is_open: impl Fn(usize) -> bool,
) -> Result<Vec<(usize, usize)>> {
    let telling: Vec<(usize, &Field)> = template
        .fields
        .iter()
        .enumerate()
        .filter(|(_, field)| is_telling(field))
        .take(FIELDS_MAX)
        .collect();
    let open: Vec<usize> = (0..columns.len())
        .filter(|at| is_open(*at))
        .take(COLUMNS_MAX)
        .collect();
    if telling.is_empty() || open.is_empty() {
        return Ok(Vec::new());
    }
    // For each open column: values seen, and how many of them each field takes.
    let mut seen = vec![0_usize; open.len()];
    let mut taken = vec![vec![0_usize; telling.len()]; open.len()];
    for row in sample.iter().take(SAMPLE_ROWS) {
        let cells = row.values()?;
        for ((at, seen), taken) in open.iter().zip(&mut seen).zip(&mut taken) {
            let cell = columns.get(*at).and_then(|column| cells.get(column.index));
            let Some(cell) = cell.filter(|cell| !matches!(cell, Cell::Empty)) else {
                continue;
            };
            *seen += 1;
            for ((_, field), taken) in telling.iter().zip(taken) {
                *taken += usize::from(takes(field, cell, workbook));
            }
        }
    }
    let mut found: Vec<(usize, usize)> = Vec::new();
    for ((at, seen), taken) in open.iter().zip(&seen).zip(&taken) {
        if *seen < VALUES_LEAST {
            continue;
        }
        let mut fits = telling
            .iter()
            .zip(taken)
            .filter(|(_, taken)| **taken * 10 >= *seen * TENTHS_LEAST);
        if let (Some(((field, _), _)), None) = (fits.next(), fits.next()) {
            found.push((*at, *field));
        }
    }
    let counts: Vec<usize> = found
        .iter()
        .map(|(_, field)| found.iter().filter(|(_, other)| other == field).count())
        .collect();
    let mut counts = counts.into_iter();
    found.retain(|_| counts.next() == Some(1));
    Ok(found)
}

/// Whether a field takes so little that taking a value tells something.
fn is_telling(field: &Field) -> bool {
    match &field.kind {
        FieldType::Any => field.constraints.allowed.is_some(),
        FieldType::Text(TextFormat::Plain | TextFormat::Binary) => {
            field.constraints.allowed.is_some() || field.constraints.pattern.is_some()
        }
        FieldType::Text(TextFormat::Email | TextFormat::Uri | TextFormat::Uuid)
        | FieldType::Number(_)
        | FieldType::Integer(_)
        | FieldType::Bool(_)
        | FieldType::Date(_)
        | FieldType::Time(_)
        | FieldType::DateTime(_)
        | FieldType::Year
        | FieldType::YearMonth
        | FieldType::Duration => true,
    }
}

fn takes(field: &Field, cell: &Cell<'_>, workbook: bool) -> bool {
    let normalized;
    let cell = match cell {
        Cell::Text(text) if !field.normalize.is_empty() => {
            normalized = Cell::Text(normalize::apply(&field.normalize, text).0);
            &normalized
        }
        Cell::Text(_)
        | Cell::Empty
        | Cell::Number(_)
        | Cell::Bool(_)
        | Cell::Date(_)
        | Cell::DateTime(_)
        | Cell::Time(_)
        | Cell::Duration(_)
        | Cell::Error => cell,
    };
    let Some(value) = field.kind.read(cell, workbook) else {
        return false;
    };
    let mut fine = true;
    field
        .constraints
        .check(Some(&value), |rule| fine &= rule == Rule::Required);
    fine
}
