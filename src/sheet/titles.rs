//! A header below titles that could pass for one themselves, such as `Company list | as of May`
//! above a table of three columns.

use super::assemble::Found;
use super::header::{self, Waiting};

/// Rows that such titles may take.
const TITLES_MAX: usize = 8;

/// Rows that they may take where only a blank row sets them apart from a list of mere words.
const TITLES_OF_WORDS_MAX: usize = 3;

/// Letters of a label.
const LABEL_CHARS_MAX: usize = 60;

/// The index of the header where the row at `first` and those below it are titles of its table;
/// `None` where nothing says so. `covers` holds the columns that each row takes up.
pub(super) fn below(rows: &[Waiting], covers: &[usize], first: usize) -> Option<usize> {
    if covers.iter().all(|cover| *cover <= 1) {
        let named = |at: &usize| !header::columns_named(rows, *at).is_empty();
        return label_below(rows).filter(named);
    }
    if first == 0 && rows.first().is_some_and(is_datev) && header::is_wordy(rows, 1) {
        return Some(1);
    }
    (first + 1..rows.len().min(TITLES_MAX + 1)).find(|at| is_below(rows, covers, first, *at))
}

/// Whether it is the technical first line of a DATEV export, above the labels.
fn is_datev(row: &Waiting) -> bool {
    let mut cells = row.cells.iter().map(|(_, found)| header::words(found));
    row.number == 1
        && row.cells.len() > 3
        && cells
            .next()
            .is_some_and(|kind| kind == "EXTF" || kind == "DTVF")
}

/// The first label of a list of one column that stands below titles and a blank row, and above rows.
pub(super) fn label_below(rows: &[Waiting]) -> Option<usize> {
    let is_label = |at: &usize| {
        let (Some(above), Some(row), Some(next)) =
            (rows.get(*at - 1), rows.get(*at), rows.get(*at + 1))
        else {
            return false;
        };
        let short = |(_, found): &(usize, Found<'_>)| {
            header::is_word(found, None) && header::words(found).chars().count() <= LABEL_CHARS_MAX
        };
        row.number > above.number + 1
            && next.number == row.number + 1
            && rows.iter().take(*at).all(|row| {
                row.cells
                    .iter()
                    .all(|(_, found)| header::is_word(found, None))
            })
            && row.cells.len() == 1
            && row.cells.iter().all(short)
    };
    (1..=TITLES_OF_WORDS_MAX).find(is_label)
}

fn is_below(rows: &[Waiting], covers: &[usize], first: usize, at: usize) -> bool {
    let (Some(row), Some(above), Some(below)) = (rows.get(at), rows.get(..at), rows.get(at + 1..))
    else {
        return false;
    };
    let width = covers.get(at).copied().unwrap_or(0);
    let titles = covers.iter().take(at).copied().max().unwrap_or(0);
    if titles > width || below.is_empty() || !is_labels(row, below) {
        return false;
    }
    let apart = above
        .last()
        .is_some_and(|last| row.number > last.number + 1);
    let names = header::columns_named(rows, at);
    let wordy = header::is_wordy(rows, first);
    if titles == width {
        if !apart && names_values_only(&names, below) && are_facts(above, row) {
            return !names.is_empty() && !above.iter().any(|row| is_data(row, below));
        }
        // Facts such as `From | 2026-01-01` above a table of two columns, or words that no label has.
        return apart
            && !names.is_empty()
            && !above.iter().any(|row| is_data(row, below))
            && (!wordy || (above.iter().all(is_title) && names_values_only(&names, below)));
    }
    // Below a header stand its rows, not another one.
    let between = above.get(first + 1..).unwrap_or(&[]);
    if wordy && between.iter().any(|row| is_data(row, below)) {
        return false;
    }
    let under_title = |column: &usize| above.iter().any(|row| header::cell(row, *column).is_some());
    // Records of which few columns are filled: labels that are the widest row of all.
    let widest = covers.iter().skip(at + 1).all(|cover| *cover <= width);
    let clearly = width >= titles * 2 || above.iter().any(has_digit);
    if widest && clearly && below.len() > 1 && !above.iter().any(|row| is_data(row, below)) {
        let named = if apart {
            !names.is_empty()
        } else {
            names.iter().any(under_title)
        };
        if named {
            return true;
        }
    }
    let wide = covers.iter().skip(at + 1).filter(|c| **c > titles).count();
    if names.is_empty() {
        return apart && at <= TITLES_OF_WORDS_MAX && below.len() > 1 && wide == below.len();
    }
    if apart {
        return wide * 4 >= below.len();
    }
    wide * 2 > below.len() && (!wordy || names.iter().any(under_title))
}

/// Whether the rows stand close above `row` and are facts: each has a digit or a value, and one has a value.
fn are_facts(above: &[Waiting], row: &Waiting) -> bool {
    let begin = above.first().map_or(0, |first| first.number);
    let close = usize::try_from(row.number - begin.min(row.number)) == Ok(above.len());
    let has_value = |facts: &Waiting| {
        facts
            .cells
            .iter()
            .any(|(column, found)| !header::is_word(found, header::cell(row, *column)))
    };
    close && above.iter().all(|row| has_digit(row) || has_value(row)) && above.iter().any(has_value)
}

fn has_digit(row: &Waiting) -> bool {
    let digit = |text: String| text.contains(|letter: char| letter.is_ascii_digit());
    row.cells
        .iter()
        .any(|(_, found)| digit(header::words(found)))
}

/// Whether a row reads like a title: `Company list | as of May`, `Stand | Mai 2026`.
pub(super) fn is_title(row: &Waiting) -> bool {
    row.cells.iter().any(|(_, found)| {
        let text = header::words(found);
        text.contains(|letter: char| letter.is_ascii_digit())
            || text.split_whitespace().count() >= 3
    })
}

/// Whether there are rows, and only values, in columns that have a name above values.
fn names_values_only(names: &[usize], below: &[Waiting]) -> bool {
    let values = |column: &usize| {
        let mut cells = below.iter().filter_map(|row| header::cell(row, *column));
        cells.all(|found| !header::is_word(found, None))
    };
    below.len() > 1 && names.iter().all(values)
}

/// Whether all cells of a row are short words, none twice.
pub(super) fn is_labels(row: &Waiting, below: &[Waiting]) -> bool {
    let next = below.first();
    let mut seen: Vec<String> = Vec::new();
    for (column, found) in &row.cells {
        let under = next.and_then(|row| header::cell(row, *column));
        let text = header::words(found).trim().to_lowercase();
        if text.chars().count() > LABEL_CHARS_MAX
            || !header::is_word(found, under)
            || seen.contains(&text)
        {
            return false;
        }
        seen.push(text);
    }
    seen.len() > 1
}

/// What a value looks like; words have no look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    Number,
    Digits,
    Moment,
    Bool,
    Mail,
    Address,
}

/// Whether two cells look alike, as values do.
pub(super) fn look_alike(one: &Found<'_>, other: &Found<'_>) -> bool {
    look(one).is_some() && look(one) == look(other)
}

fn look(found: &Found<'_>) -> Option<Look> {
    match found {
        Found::Number(_) | Found::Bare(_) | Found::Json(_) => Some(Look::Number),
        Found::Moment(..) => Some(Look::Moment),
        Found::Bool(_) => Some(Look::Bool),
        Found::Text(text) if header::is_value(text) => Some(if text.contains('@') {
            Look::Mail
        } else if text.chars().any(char::is_alphabetic) {
            Look::Address
        } else if text.trim().replace(',', ".").parse::<f64>().is_ok() {
            Look::Number
        } else {
            Look::Digits
        }),
        Found::Text(_) | Found::Error(_) => None,
    }
}

/// Whether a cell of the row looks as most of those in its column do.
fn is_data(row: &Waiting, below: &[Waiting]) -> bool {
    row.cells.iter().any(|(column, found)| {
        let Some(own) = look(found) else {
            return false;
        };
        let others: Vec<Option<Look>> = below
            .iter()
            .filter_map(|row| header::cell(row, *column))
            .map(look)
            .collect();
        let alike = others.iter().filter(|other| **other == Some(own)).count();
        alike * 2 > others.len()
    })
}
