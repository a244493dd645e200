//! Headers that are narrower than their table or stand below a count of its columns, and what is said
//! where a header was chosen without proof.

use super::found::Found;
use super::header::{self, Place, Waiting};
use super::titles;

/// Rows of facts above a table, the first of them taken for the headers.
const FACT_ROWS_MAX: usize = 5;

/// The index of the header where the row at `at` looks like it and another one is it.
pub(super) fn instead(rows: &[Waiting], at: usize) -> Option<usize> {
    let (first, second) = (rows.first()?, rows.get(1)?);
    if second.number != first.number + 1 {
        return None;
    }
    let below = rows.get(1..)?;
    match at {
        1 if titles::is_title(first) || first.cells.len() < 2 => None,
        // A header without rows is none, if the row above it may be one.
        1 if below.len() == 1 => Some(0),
        // Records that have more fields than the header has labels, or a value below one.
        1 => ((first.width < second.width || has_value_below(first, second, rows.get(2)))
            && titles::is_labels(first, below)
            && header::columns_named(rows, 1).is_empty())
        .then_some(0),
        0 => {
            let rest = rows.get(2..).filter(|rest| !rest.is_empty())?;
            let same = first.cells.len() == second.cells.len();
            (is_count(first) && same && titles::is_labels(second, rest)).then_some(1)
        }
        _ => None,
    }
}

/// Whether a label of the first row stands above a value of the second one.
fn has_value_below(first: &Waiting, second: &Waiting, third: Option<&Waiting>) -> bool {
    first.cells.iter().any(|(column, _)| {
        let under = third.and_then(|row| header::cell(row, *column));
        header::cell(second, *column).is_some_and(|found| !header::is_word(found, under))
    })
}

/// Whether the cells are 1, 2, 3 and so on, as some number the columns.
fn is_count(row: &Waiting) -> bool {
    let mut cells = row.cells.iter().enumerate();
    row.cells.len() > 2
        && cells.all(|(at, (_, found))| header::words(found).trim() == (at + 1).to_string())
}

/// What is to be said of a header that was found by looking, and its cell, where it may be another one.
pub(super) fn sentence(rows: &[Waiting], place: Place) -> Option<((usize, u32), String)> {
    let row = rows.get(place.last)?;
    let first = (row.cells.first()?.0, place.row);
    if place.first == place.last && !header::is_wordy(rows, place.last) {
        return Some((
            first,
            format!(
                "No row looks like headers; row {} was taken. If others are right, say their row.",
                place.row
            ),
        ));
    }
    let below = rows.get(place.last + 1);
    let like_data = row.cells.iter().find(|(column, found)| {
        let under = below.and_then(|below| header::cell(below, *column));
        under.is_some_and(|under| {
            !header::is_word(found, Some(under)) && titles::look_alike(found, under)
        })
    });
    if let Some((column, _)) = like_data {
        return Some((
            (*column, place.row),
            format!(
                "Row {} was taken for the headers, but this cell looks like the one below it. If the file has no headers, add some.",
                place.row
            ),
        ));
    }
    let under = rows.get(place.last + 1..).unwrap_or(&[]);
    let again = row.cells.iter().find(|(column, found)| {
        let label = header::words(found);
        let mut cells = under.iter().filter_map(|row| header::cell(row, *column));
        place.first == place.last && cells.any(|below| header::words(below) == label)
    });
    if let Some((column, _)) = again {
        return Some((
            (*column, place.row),
            format!(
                "Row {} was taken for the headers, but the words of this cell stand in the column below, too. If the file has no headers, add some.",
                place.row
            ),
        ));
    }
    if let Some(label) = labels_right_below(rows, place) {
        return Some((
            first,
            format!(
                "Row {} was taken for the headers. If row {label} has them, say so.",
                place.row
            ),
        ));
    }
    if let Some(blank) = headers_below(rows, place) {
        return Some((
            first,
            format!(
                "Row {} was taken for the headers. If they stand below the blank row {blank}, say their row.",
                place.row
            ),
        ));
    }
    let above = rows.get(..place.first)?;
    let wide: Vec<&Waiting> = above.iter().filter(|row| row.cells.len() > 1).collect();
    let touches = wide
        .last()
        .is_some_and(|last| rows.get(place.first).map(|row| row.number) == Some(last.number + 1));
    if wide.len() < 2 && !touches {
        return None;
    }
    let numbers: Vec<String> = wide.iter().map(|row| row.number.to_string()).collect();
    Some((
        first,
        format!(
            "Row {} was taken for the headers. If the rows above it ({}) are a table and no title, say the row of its headers.",
            place.row,
            numbers.join(", ")
        ),
    ))
}

/// The row right below one that has a value in it, where it has nothing but labels, one of them above values.
fn labels_right_below(rows: &[Waiting], place: Place) -> Option<u32> {
    let (row, next) = (rows.get(place.last)?, rows.get(place.last + 1)?);
    let below = rows.get(place.last + 2..)?;
    let is_value =
        |(column, found): &(usize, Found<'_>)| !header::is_word(found, header::cell(next, *column));
    (next.number == place.row + 1
        && next.cells.len() >= row.cells.len()
        && row.cells.iter().any(is_value)
        && titles::is_labels(next, below)
        && !header::columns_named(rows, place.last + 1).is_empty())
    .then_some(next.number)
}

/// A blank row below which the headers may be: a few rows of mere words stand above it (`Client | Acme
/// Ltd`), more rows below it, the first of them of labels.
fn headers_below(rows: &[Waiting], place: Place) -> Option<u32> {
    let one = rows.iter().all(|row| row.cells.len() == 1);
    if one && place.last == 0 {
        let label = titles::label_below(rows).filter(|at| rows.len() > at * 2 + 1)?;
        return rows.get(label).map(|row| row.number - 1);
    }
    let below = rows.get(place.last + 1..)?;
    let mut before = place.row;
    let block = below.iter().take_while(|row| {
        let touches = row.number == before + 1;
        before = row.number;
        touches
    });
    let facts = block.count();
    let rest = below.get(facts..)?;
    let (labels, records) = rest.split_first()?;
    let is_table = records.len() > facts && titles::is_labels(labels, records);
    let no_proof = header::columns_named(rows, place.last).is_empty();
    (is_table && no_proof && facts < FACT_ROWS_MAX).then(|| labels.number - 1)
}
