//! Finding the header among a sheet's first rows: titles above it are narrower than the table, and
//! a header is mostly words.

use super::assemble::{Found, Merge};
use super::{doubt, titles};

/// A row that waits for the header to be known.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) number: u32,
    pub(super) cells: Vec<(usize, Found<'static>)>,
    pub(super) width: Option<u32>,
}

/// Where the header is: `first..=last` of the waiting rows, several where group headers stand
/// above others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) first: usize,
    pub(super) last: usize,
    /// 1-based row of its last line.
    pub(super) row: u32,
}

/// Merges looked at around the header; a sheet with more of them there is no list.
const MERGES_MAX: usize = 2_000;

/// Rows of facts above a header, where the table's width does not tell them from it.
const FACT_ROWS_MAX: usize = 5;

/// How many rows further down a header cell may reach.
const REACH_ROWS_MAX: u32 = 4;

/// The merges that matter for these rows, none wider than the rows are.
pub(super) fn near(rows: &[Waiting], merges: &[Merge]) -> Vec<Merge> {
    let last = rows.last().map_or(0, |row| row.number);
    let column_last = width(rows).saturating_sub(1);
    merges
        .iter()
        .filter(|merge| merge.first_row <= last && merge.first_column <= column_last)
        .take(MERGES_MAX)
        .map(|merge| Merge {
            last_column: merge.last_column.min(column_last),
            ..*merge
        })
        .collect()
}

/// The index of the row that looks like the header; the first one where none does.
pub(super) fn find(rows: &[Waiting], merges: &[Merge]) -> usize {
    let covers: Vec<usize> = rows.iter().map(|row| cover(row, merges)).collect();
    let at = first(rows, &covers, merges);
    let at = titles::below(rows, &covers, at).unwrap_or(at);
    doubt::instead(rows, at).unwrap_or(at)
}

/// The index of the first row that looks like a header, going by the table's width.
fn first(rows: &[Waiting], covers: &[usize], merges: &[Merge]) -> usize {
    let table = table_width(covers);
    // A row of a few names: a header with blanks in it, or part of a title.
    let mut perhaps = None;
    for (at, row) in rows.iter().enumerate() {
        let cover = covers.get(at).copied().unwrap_or(0);
        if table > 1 && (filled(row) < 2 || has_title(row, table, merges)) {
            continue;
        }
        if cover * 3 < table * 2 {
            if perhaps.is_none() && cover * 2 >= table && is_wordy(rows, at) {
                perhaps = Some(at);
            }
            continue;
        }
        if !is_wordy(rows, at) {
            // The table begins here, or facts about it (`Report no | 4711`) do. Where its first row is
            // no header, nothing above it is lost.
            return below_facts(rows, covers, at).unwrap_or_else(|| perhaps.unwrap_or(0));
        }
        return match perhaps {
            Some(earlier) if !names_values(rows, at) => earlier,
            Some(_) | None => at,
        };
    }
    perhaps.unwrap_or(0)
}

/// The header below a few rows of facts, all of them narrower than it, and a blank row: a full row of
/// words, with a name above values.
fn below_facts(rows: &[Waiting], covers: &[usize], at: usize) -> Option<usize> {
    let after_blank = |index: &usize| {
        let number = |index: usize| rows.get(index).map(|row| row.number);
        number(*index) > number(index - 1).map(|above| above + 1)
    };
    let end = rows.len().min(at + 1 + FACT_ROWS_MAX);
    let header = (at + 1..end).find(after_blank)?;
    let cover = covers.get(header)?;
    let narrower = covers.iter().take(header).all(|above| above < cover);
    (narrower && is_wordy(rows, header) && names_values(rows, header)).then_some(header)
}

/// Whether a column of the row is a name above values: proof that the row is a header.
fn names_values(rows: &[Waiting], at: usize) -> bool {
    !columns_named(rows, at).is_empty()
}

/// Whether row `upper` has a name right above a value of row `lower`, which is a record, then, whatever
/// reaches down beside it.
fn names_a_value(rows: &[Waiting], upper: usize, lower: usize) -> bool {
    let (Some(upper), Some(record)) = (rows.get(upper), rows.get(lower)) else {
        return false;
    };
    let under = |column: usize| rows.get(lower + 1).and_then(|row| cell(row, column));
    record.cells.iter().any(|(column, found)| {
        let is_value = !is_blank(found) && !is_word(found, under(*column));
        let is_name =
            |above: &&Found<'_>| matches!(above, Found::Text(_)) && is_word(above, Some(found));
        is_value && cell(upper, *column).filter(is_name).is_some()
    })
}

/// The columns in which the row has a name above values.
pub(super) fn columns_named(rows: &[Waiting], at: usize) -> Vec<usize> {
    let Some(row) = rows.get(at) else {
        return Vec::new();
    };
    let is_named = |(column, found): &&(usize, Found<'_>)| {
        let below: Vec<&Found<'_>> = rows
            .iter()
            .skip(at + 1)
            .filter_map(|row| cell(row, *column))
            .collect();
        let words = below.iter().filter(|found| is_word(found, None)).count();
        is_word(found, below.first().copied()) && words * 2 < below.len()
    };
    let named = row.cells.iter().filter(is_named);
    named.map(|(column, _)| *column).collect()
}

/// All lines of the header that has a line at index `at`: group headers (merged cells above
/// several columns) and cells that reach down are part of it.
pub(super) fn lines(rows: &[Waiting], at: usize, merges: &[Merge]) -> Place {
    let row = |index: usize| rows.get(index).map_or(0, |row| row.number);
    let mut place = Place {
        first: at,
        last: at,
        row: row(at),
    };
    while let Some(above) = place.first.checked_sub(1)
        && groups(rows, above, place.first, merges)
    {
        place.first = above;
    }
    loop {
        let below = place.last + 1;
        let reach = merges
            .iter()
            .filter(|merge| {
                merge.first_row >= row(place.first)
                    && merge.first_row <= place.row
                    && merge.last_row > place.row
                    && merge.last_row - merge.first_row <= REACH_ROWS_MAX
            })
            .map(|merge| merge.last_row)
            .max();
        let is_line = rows
            .get(below)
            .is_some_and(|next| next.number == place.row + 1 && is_wordy(rows, below));
        let reaches = reach.is_some() && !names_a_value(rows, place.last, below);
        if is_line && (reaches || groups(rows, place.last, below, merges)) {
            place.last = below;
            place.row = row(below);
            continue;
        }
        // Blank lines that header cells reach into.
        if let Some(reach) = reach
            && rows.get(below).is_none_or(|next| next.number > reach)
        {
            place.row = reach;
        }
        return place;
    }
}

/// The text of each column's header; the lines of a header are joined from top to bottom.
pub(super) fn labels(rows: &[Waiting], place: Place, merges: &[Merge]) -> Vec<Option<String>> {
    let lines = rows.get(place.first..=place.last).unwrap_or(&[]);
    let columns = width(rows);
    if let [only] = lines {
        let mut labels = vec![None; columns];
        for (column, found) in &only.cells {
            if let Some(label) = labels.get_mut(*column) {
                *label = label_of(found);
            }
        }
        return labels;
    }
    let mut parts: Vec<Vec<String>> = vec![Vec::new(); columns];
    for line in lines {
        let mut here: Vec<Option<String>> = vec![None; columns];
        for (column, found) in &line.cells {
            let Some(text) = label_of(found) else {
                continue;
            };
            let covers = merges
                .iter()
                .find(|merge| merge.first_row == line.number && merge.first_column == *column);
            let last = covers.map_or(*column, |merge| merge.last_column);
            for place in *column..=last.min(columns.saturating_sub(1)) {
                if let Some(label) = here.get_mut(place)
                    && (label.is_none() || place == *column)
                {
                    *label = Some(text.clone());
                }
            }
        }
        for (parts, text) in parts.iter_mut().zip(here) {
            if let Some(text) = text.map(|text| text.trim().to_owned())
                && !text.is_empty()
                && parts.last() != Some(&text)
            {
                parts.push(text);
            }
        }
    }
    parts
        .into_iter()
        .map(|parts| (!parts.is_empty()).then(|| parts.join(" ")))
        .collect()
}

/// The label that a cell gives its column: none where it is an error.
fn label_of(found: &Found<'_>) -> Option<String> {
    (!matches!(found, Found::Error(_))).then(|| words(found))
}

/// A cell as the words of a header.
pub(super) fn words(found: &Found<'_>) -> String {
    match found {
        Found::Text(text) | Found::Moment(_, text) | Found::Error(text) | Found::Json(text) => {
            text.clone().into_owned()
        }
        Found::Number(number) | Found::Bare(number) => {
            let mut out = Vec::new();
            super::json::number(&mut out, *number);
            String::from_utf8(out).unwrap_or_default()
        }
        Found::Bool(true) => "TRUE".to_owned(),
        Found::Bool(false) => "FALSE".to_owned(),
    }
}

/// Whether row `upper` holds group headers for the columns of row `lower`.
fn groups(rows: &[Waiting], upper: usize, lower_at: usize, merges: &[Merge]) -> bool {
    if !is_wordy(rows, upper) {
        return false;
    }
    let data = rows.get(lower_at + 1..).unwrap_or(&[]);
    let (Some(upper), Some(lower)) = (rows.get(upper), rows.get(lower_at)) else {
        return false;
    };
    if lower.number != upper.number + 1 {
        return false;
    }
    let has = |column: usize| cell(lower, column).is_some();
    // Where all columns have a label above and words below, above values, the words are labels, too.
    let below_all = || {
        let covered = |column: usize| {
            cell(upper, column).is_some()
                || merges.iter().any(|merge| {
                    merge.first_row == upper.number
                        && (merge.first_column..=merge.last_column).contains(&column)
                })
        };
        lower.cells.iter().all(|(column, _)| covered(*column)) && names_values(rows, lower_at)
    };
    let mut grouping = false;
    for (column, _) in &upper.cells {
        let merge = merges
            .iter()
            .find(|merge| merge.first_row == upper.number && merge.first_column == *column);
        match merge {
            Some(merge) if merge.last_column > merge.first_column => {
                let below = lower
                    .cells
                    .iter()
                    .filter(|(c, _)| (merge.first_column..=merge.last_column).contains(c))
                    .count();
                // What stands above nearly all columns is a title.
                let nearly_all = |columns: usize| below * 3 > columns * 2;
                if nearly_all(lower.cells.len()) {
                    let only_above = named_only_above(upper, lower, data);
                    if only_above == 0 || nearly_all(lower.cells.len() + only_above) {
                        return false;
                    }
                }
                grouping |= below >= 2 && merge.last_row == upper.number;
            }
            // A column with a label of its own in both rows: the lower one is data, or the upper
            // one is a title.
            Some(_) | None if has(*column) && !below_all() => return false,
            Some(_) | None => {}
        }
    }
    // A single cell that begins where the table begins is the table's title.
    let first = lower.cells.first().map(|cell| cell.0);
    let title = upper.cells.len() == 1 && upper.cells.first().map(|cell| cell.0) <= first;
    grouping && !title
}

/// How many columns have their label in row `upper`, where row `lower` has none, and values below
/// both; 0 where any of them has no values, for then the labels may be something else.
fn named_only_above(upper: &Waiting, lower: &Waiting, data: &[Waiting]) -> usize {
    let columns: Vec<usize> = upper
        .cells
        .iter()
        .map(|cell| cell.0)
        .filter(|column| cell(lower, *column).is_none())
        .collect();
    let has_values = |column: &usize| data.iter().any(|row| cell(row, *column).is_some());
    if columns.iter().all(has_values) {
        columns.len()
    } else {
        0
    }
}

pub(super) fn cell(row: &Waiting, column: usize) -> Option<&Found<'static>> {
    let at = row
        .cells
        .binary_search_by_key(&column, |cell| cell.0)
        .ok()?;
    row.cells.get(at).map(|cell| &cell.1)
}

/// Columns up to the last one with a value.
fn width(rows: &[Waiting]) -> usize {
    rows.iter()
        .filter_map(|row| row.cells.last())
        .map(|(column, _)| column + 1)
        .max()
        .unwrap_or(0)
}

/// Whether a cell of the row is merged over nearly all of the table.
fn has_title(row: &Waiting, table: usize, merges: &[Merge]) -> bool {
    merges.iter().any(|merge| {
        let columns = merge.last_column - merge.first_column.min(merge.last_column) + 1;
        merge.first_row == row.number && columns * 3 > table * 2 && columns > 1
    })
}

fn filled(row: &Waiting) -> usize {
    row.cells
        .iter()
        .filter(|(_, found)| !is_blank(found))
        .count()
}

/// Columns that the row's cells take up, those that merges bring from above or spread included.
fn cover(row: &Waiting, merges: &[Merge]) -> usize {
    let mut spans: Vec<(usize, usize)> = row
        .cells
        .iter()
        .filter(|(_, found)| !is_blank(found))
        .map(|(column, _)| (*column, *column))
        .collect();
    let own = spans.len();
    for merge in merges {
        if (merge.first_row..=merge.last_row).contains(&row.number) {
            spans.push((merge.first_column, merge.last_column));
        }
    }
    if spans.len() == own {
        return own;
    }
    spans.sort_unstable();
    let mut covered = 0;
    let mut next = 0;
    for (first, last) in spans {
        let first = first.max(next);
        if last >= first {
            covered += last - first + 1;
            next = last + 1;
        }
    }
    covered
}

/// How wide the table is: as wide as its widest rows, a few odd ones apart.
fn table_width(covers: &[usize]) -> usize {
    let mut widths = covers.to_vec();
    widths.sort_unstable_by(|a, b| b.cmp(a));
    let odd = if widths.len() <= 3 {
        0
    } else {
        1 + widths.len() / 10
    };
    widths.get(odd).copied().unwrap_or(0)
}

/// Whether most cells of the row are names rather than values.
pub(super) fn is_wordy(rows: &[Waiting], at: usize) -> bool {
    let Some(row) = rows.get(at) else {
        return false;
    };
    let below = rows.get(at + 1);
    let mut wordy = 0;
    for (column, found) in &row.cells {
        let under = below.and_then(|row| cell(row, *column));
        wordy += usize::from(is_word(found, under));
    }
    wordy * 2 > filled(row)
}

fn is_blank(found: &Found<'_>) -> bool {
    matches!(found, Found::Text(text) if text.trim().is_empty())
}

/// A name, or a year or a date above something else.
pub(super) fn is_word(found: &Found<'_>, under: Option<&Found<'_>>) -> bool {
    match found {
        Found::Text(text) if is_year(text) => !under.is_some_and(|under| is_year(&words(under))),
        Found::Text(text) => !is_blank(found) && !is_value(text),
        Found::Number(_) | Found::Bare(_) | Found::Json(_) => {
            is_year(&words(found)) && under.is_some_and(|under| !is_year(&words(under)))
        }
        Found::Moment(..) => under.is_some_and(|under| !matches!(under, Found::Moment(..))),
        Found::Bool(_) | Found::Error(_) => false,
    }
}

fn is_year(text: &str) -> bool {
    text.len() == 4
        && text
            .parse()
            .is_ok_and(|year: u16| (1900..=2100).contains(&year))
}

/// Numbers, dates, phone numbers, e-mail and web addresses: what stands below a header.
pub(super) fn is_value(text: &str) -> bool {
    let text = text.trim();
    let digits = text.bytes().any(|b| b.is_ascii_digit());
    if !text.chars().any(char::is_alphabetic) {
        return digits;
    }
    if text.contains(char::is_whitespace) {
        return false;
    }
    let start: String = text.chars().take(8).collect::<String>().to_lowercase();
    start.starts_with("http://")
        || start.starts_with("https://")
        || start.starts_with("www.")
        || text
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && host.contains('.'))
}
