//! Names for the columns of a sheet: every column gets one, and no two are alike.

use std::collections::{HashMap, HashSet};

use super::notices::{Notices, quote};
use super::{Column, column_letters};

/// Characters of a name; it is repeated with every value of its column.
const NAME_CHARS_MAX: usize = 500;

/// The columns that have a header or a value, named.
///
/// `labels` and `used` (whether there is a value below the header) are by 0-based column.
pub(super) fn columns(
    mut labels: Vec<Option<String>>,
    used: &[bool],
    header_row: Option<u32>,
    notices: &mut Notices,
) -> Vec<Column> {
    labels.resize(labels.len().max(used.len()), None);
    let labels: Vec<Label> = labels
        .into_iter()
        .enumerate()
        .map(|(column, text)| Label {
            column,
            text: text.filter(|text| !clean(text).is_empty()),
        })
        .filter(|label| label.text.is_some() || used.get(label.column).copied().unwrap_or(false))
        .collect();
    let columns = name(labels);
    for column in &columns {
        let cell = header_row.map(|row| (column.index, row));
        match &column.label {
            None if notices.wants("blank-label") => notices.keep(
                "blank-label",
                cell,
                format!(
                    "Column {} has values but no header; it is called {}.",
                    column_letters(column.index),
                    quote(&column.name)
                ),
            ),
            Some(label) if clean(label) != column.name && notices.wants("duplicate-label") => {
                notices.keep(
                    "duplicate-label",
                    cell,
                    format!(
                        "The header {} comes more than once; column {} is called {}.",
                        quote(label),
                        column_letters(column.index),
                        quote(&column.name)
                    ),
                );
            }
            Some(label)
                if clean(label) == column.name
                    && *label != column.name
                    && notices.wants("label-spaces") =>
            {
                notices.keep(
                    "label-spaces",
                    cell,
                    format!(
                        "Spaces or line breaks of the header were left out; the column is called {}.",
                        quote(&column.name)
                    ),
                );
            }
            None | Some(_) => {}
        }
        if let Some(label) = &column.label
            && !is_short(label)
            && notices.wants("label-cut")
        {
            notices.keep(
                "label-cut",
                cell,
                format!(
                    "The header is longer than {NAME_CHARS_MAX} letters; the rest was cut off."
                ),
            );
        }
    }
    columns
}

/// Whether a label is no longer than a name may be.
fn is_short(label: &str) -> bool {
    label.len() <= NAME_CHARS_MAX || spaced(label).chars().count() <= NAME_CHARS_MAX
}

/// A header cell: its 0-based column and its text as it stands in the file, if it has any.
struct Label {
    column: usize,
    text: Option<String>,
}

/// Names the columns. `labels` holds each column that has a header or a value, ascending. A label
/// that comes again gets `_2`, `_3`; a missing one becomes `column_N`, N counted from sheet column
/// A. Made-up names never take one that stands in the file.
fn name(labels: Vec<Label>) -> Vec<Column> {
    let cleaned: Vec<Option<String>> = labels
        .iter()
        .map(|label| {
            label
                .text
                .as_deref()
                .map(clean)
                .filter(|name| !name.is_empty())
        })
        .collect();
    let real: HashSet<&str> = cleaned.iter().flatten().map(String::as_str).collect();
    let mut taken: HashSet<String> = HashSet::new();
    let mut next: HashMap<String, u32> = HashMap::new();
    let mut columns = Vec::with_capacity(labels.len());
    for (label, cleaned) in labels.iter().zip(&cleaned) {
        let wanted = match cleaned {
            Some(name) => name.clone(),
            None => format!("column_{}", label.column + 1),
        };
        let is_real = cleaned.is_some();
        let free = |name: &str, first: bool| {
            !taken.contains(name) && (first && is_real || !real.contains(name))
        };
        let name = if free(&wanted, true) {
            wanted
        } else {
            let count = next.entry(wanted.clone()).or_insert(2);
            loop {
                let candidate = format!("{wanted}_{count}");
                *count += 1;
                if free(&candidate, false) {
                    break candidate;
                }
            }
        };
        taken.insert(name.clone());
        columns.push(Column {
            index: label.column,
            name,
            label: label.text.clone().filter(|_| is_real),
        });
    }
    columns
}

/// A label as a name: runs of white space and line breaks become one space, none at the ends, and
/// it is not endless.
pub(super) fn clean(label: &str) -> String {
    let mut name = spaced(label);
    if name.len() > NAME_CHARS_MAX
        && let Some((end, _)) = name.char_indices().nth(NAME_CHARS_MAX)
    {
        name.truncate(end);
    }
    name
}

fn spaced(label: &str) -> String {
    let mut name = String::with_capacity(label.len());
    let space = |c: char| c.is_whitespace() || c.is_control();
    let label = label.trim_matches(|c: char| space(c) || matches!(c, '\u{feff}' | '\u{200b}'));
    for word in label.split(space) {
        if word.is_empty() {
            continue;
        }
        if !name.is_empty() {
            name.push(' ');
        }
        name.push_str(word);
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(labels: &[&str]) -> Vec<String> {
        let labels = labels
            .iter()
            .enumerate()
            .map(|(column, text)| Label {
                column,
                text: Some((*text).to_owned()).filter(|text| !text.is_empty()),
            })
            .collect();
        name(labels).into_iter().map(|column| column.name).collect()
    }

    #[test]
    fn blank_and_repeated_labels_get_names_of_their_own() {
        assert_eq!(
            names(&["a", "", "a", " ", "a"]),
            ["a", "column_2", "a_2", "column_4", "a_3"]
        );
        assert_eq!(
            names(&["Company\n  Name ", "\u{feff}x"]),
            ["Company Name", "x"]
        );
    }

    #[test]
    fn made_up_names_leave_real_ones_alone() {
        assert_eq!(names(&["a", "a", "a_2"]), ["a", "a_3", "a_2"]);
        assert_eq!(
            names(&["", "column_1", "column_1"]),
            ["column_1_2", "column_1", "column_1_3"]
        );
        assert_eq!(
            names(&["a", "a", "a_2", "a_2"]),
            ["a", "a_3", "a_2", "a_2_2"]
        );
    }

    #[test]
    fn names_never_collide_whatever_the_labels_are() {
        let words = [
            "",
            "a",
            "a_2",
            "a_3",
            "a_2_2",
            "column_1",
            "column_2",
            "column_3",
            "column_2_2",
        ];
        let mut state = 7_u64;
        for _ in 0..5_000 {
            let labels: Vec<&str> = (0..8)
                .map(|_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    words[usize::try_from(state >> 33).unwrap() % words.len()]
                })
                .collect();
            let names = names(&labels);
            let distinct: HashSet<&String> = names.iter().collect();
            assert_eq!(distinct.len(), names.len(), "{labels:?} {names:?}");
            for label in labels.iter().filter(|label| !label.is_empty()) {
                let first = labels.iter().position(|l| l == label).unwrap();
                assert_eq!(&names[first], label, "{labels:?} {names:?}");
            }
        }
    }

    #[test]
    fn long_labels_are_cut_and_still_differ() {
        let long = "ä".repeat(600);
        let names = names(&[&long, &format!("{long}b")]);
        assert_eq!(names[0], "ä".repeat(500));
        assert_eq!(names[1], format!("{}_2", "ä".repeat(500)));
    }

    #[test]
    fn ten_thousand_equal_labels_are_named_at_once() {
        let labels = vec!["a"; 10_000];
        let names = names(&labels);
        assert_eq!(names[9_999], "a_10000");
    }
}
