//! Close spellings: which field a column is most likely meant for whose header is misspelt.

/// How alike a close spelling must be, and by how much it must lead the next field.
const FUZZY_LEAST: f64 = 0.90;
const FUZZY_LEAD: f64 = 0.05;
/// Names longer than this are not compared letter by letter.
const FUZZY_CHARS_MAX: usize = 100;
/// Comparisons of spellings in one file; a sheet of thousands of strange columns isn't worth more.
const FUZZY_WORK_MAX: usize = 500_000;

/// The columns and fields that are most likely meant for each other, the most alike pair first: for each
/// column, by its place and folded header, at most one field, by the place of its folded names.
pub(super) fn pairs<'a>(
    columns: impl Iterator<Item = (usize, &'a str)>,
    names: impl Iterator<Item = Vec<String>>,
) -> Vec<(usize, usize)> {
    let is_compared = |name: &str| name.len() >= 3 && name.chars().count() <= FUZZY_CHARS_MAX;
    let names: Vec<Vec<String>> = names
        .map(|mut names| {
            names.retain(|name| is_compared(name));
            names
        })
        .collect();
    let per_column: usize = names.iter().map(Vec::len).sum();
    let mut work = 0;
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for (at, folded) in columns.filter(|(_, folded)| is_compared(folded)) {
        work += per_column;
        if work > FUZZY_WORK_MAX {
            break;
        }
        if let Some((score, field)) = closest(folded, &names) {
            pairs.push((score, at, field));
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    pairs
        .into_iter()
        .map(|(_, column, field)| (column, field))
        .collect()
}

/// The field whose name is most like `folded`, if it is like enough and no other is nearly as like.
fn closest(folded: &str, names: &[Vec<String>]) -> Option<(f64, usize)> {
    let mut best = (0.0, 0);
    let mut next = 0.0;
    for (at, names) in names.iter().enumerate() {
        let score = names
            .iter()
            .map(|name| likeness(folded, name))
            .fold(0.0, f64::max);
        if score > best.0 {
            next = best.0;
            best = (score, at);
        } else if score > next {
            next = score;
        }
    }
    (best.0 >= FUZZY_LEAST && best.0 - next >= FUZZY_LEAD).then_some(best)
}

/// How alike two spellings are, from 0 to 1. Jaro-Winkler alone thinks much of a common beginning:
/// "Revenue per Share" is no misspelt "Revenue". So no more than one letter in five may differ.
fn likeness(a: &str, b: &str) -> f64 {
    let longer = a.chars().count().max(b.chars().count());
    if strsim::osa_distance(a, b) > (longer / 5).max(1) {
        return 0.0;
    }
    strsim::jaro_winkler(a, b)
}
