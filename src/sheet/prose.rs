//! Lists of one column in text files: a label without a separator above texts in which the separator is
//! part of the words or of a number (`Weg 1, 01234 Ulm`, `1,50`).

use super::header::is_value;

/// Lines that are looked at.
const LINES_MAX: usize = 200;

/// Whether the text that begins with `sample` is such a list; `whole` says that nothing follows.
pub(super) fn is_one_column(sample: &str, whole: bool, separator: u8) -> bool {
    let separator = char::from(separator);
    let lines = lines(sample, whole);
    let Some((label, rest)) = lines.split_first() else {
        return false;
    };
    let starts = rest.first().is_some_and(|line| !line.trim().is_empty());
    if !starts || label.trim().is_empty() || label.contains(separator) {
        return false;
    }
    let (blank, rest): (Vec<&str>, Vec<&str>) =
        rest.iter().partition(|line| line.trim().is_empty());
    if rest.iter().any(|line| line.contains('"')) || !rest.iter().any(|l| l.contains(separator)) {
        return false;
    }
    match separator {
        ',' if rest.iter().all(|line| is_decimal(line)) => true,
        ',' | ';' if rest.iter().all(|line| is_prose(line, separator)) => {
            !has_values(&rest, separator)
        }
        _ => blank.is_empty() && is_uneven(&rest, separator),
    }
}

/// Whether what was taken for such a list may be a title above a table with spaces behind its separators: words
/// above records that are all as wide as their first one, which has none but words.
pub(super) fn may_be_a_table(sample: &str, whole: bool, separator: u8) -> bool {
    let separator = char::from(separator);
    let lines = lines(sample, whole);
    let Some((title, rest)) = lines.split_first() else {
        return false;
    };
    let records: Vec<&str> = rest
        .iter()
        .copied()
        .filter(|l| !l.trim().is_empty())
        .collect();
    let width = |line: &&str| line.split(separator).count();
    let names = records.first().filter(|line| width(line) > 1);
    names.is_some_and(|names| {
        title.trim().contains(' ')
            && !names.bytes().any(|byte| byte.is_ascii_digit())
            && records.len() > 1
            && records.iter().all(|line| width(line) == width(names))
    })
}

/// The first lines, all of them whole.
fn lines(sample: &str, whole: bool) -> Vec<&str> {
    let mut lines: Vec<&str> = sample.lines().take(LINES_MAX).collect();
    if !whole && lines.len() < LINES_MAX {
        lines.pop();
    }
    lines
}

/// Whether each separator has a space behind it and something in front.
fn is_prose(line: &str, separator: char) -> bool {
    let mut parts = line.split(separator);
    parts.next().is_some_and(|first| !first.is_empty())
        && parts.all(|part| part.starts_with(' ') && !part.trim().is_empty())
}

/// Whether records as wide as the first one have a column of values (numbers, dates, addresses of mail or web)
/// below its words: a table with spaces behind its separators, below a title.
fn has_values(lines: &[&str], separator: char) -> bool {
    let Some((names, records)) = lines.split_first() else {
        return false;
    };
    let width = names.split(separator).count();
    let as_wide = |line: &&str| line.split(separator).count() == width;
    !records.is_empty()
        && records.iter().all(as_wide)
        && (0..width).any(|column| {
            let has_value = |line: &str| line.split(separator).nth(column).is_some_and(is_value);
            !has_value(names) && records.iter().all(|line| has_value(line))
        })
}

/// A number with a comma before its fraction, or without one: `1.234,50 €`.
fn is_decimal(line: &str) -> bool {
    let number = line.trim().trim_end_matches(['€', '%', '$', ' ']);
    let number = number.strip_prefix(['-', '+']).unwrap_or(number);
    let (whole, fraction) = number.split_once(',').unwrap_or((number, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_digits(fraction) && is_digits(&whole.replace(['.', ' ', '\''], ""))
}

/// Whether the separator makes records of at least three widths, none of which half of them have, and the
/// first not the widest.
fn is_uneven(lines: &[&str], separator: char) -> bool {
    let count = |line: &&str| line.matches(separator).count();
    let widths: Vec<usize> = lines.iter().map(count).collect();
    let mut sorted = widths.clone();
    sorted.sort_unstable();
    let kinds = sorted.chunk_by(|a, b| a == b);
    let most = kinds.clone().map(<[usize]>::len).max().unwrap_or(0);
    let others = widths.iter().skip(1).max();
    kinds.count() >= 3 && most * 2 <= widths.len() && widths.first() <= others
}

#[cfg(test)]
mod tests {
    use super::{is_one_column, may_be_a_table};

    #[test]
    fn a_label_above_prose_or_amounts_is_a_list_of_one_column() {
        for (text, separator) in [
            ("Adresse\nWeg 1, 01234 Ulm\nGasse 2, 50667 Köln\n", b','),
            ("Name\nMa, Ha\nMb, Hb\n", b','),
            ("Firma\nM GmbH, Köln, NRW\nA, B, C\nG\n", b','),
            ("Preis\n1,50\n2,75\n3\n", b','),
            ("Betrag\n1.234,50 €\n-2,75\n", b','),
            ("Mail\na@x.de; b@x.de\nc@x.de\n", b';'),
            ("Kontakt\nAnn, a@x.de\nBob, b@x.de\n", b','),
            ("Kunden\nAnn, Ulm, a@x.de\nBob, Köln, fehlt\n", b','),
            ("Tags\nred,green\nblue\na,b,c\nd\n", b','),
        ] {
            assert!(is_one_column(text, true, separator), "{text}");
        }
        for (text, separator) in [
            ("Kunden\nName,Ort\nAnn,Bonn\n", b','),
            ("Kunden\n\nName, Ort\nAnn, Bonn\n", b','),
            ("Kunden\nName, Alter\nAnn, 5\nBob, 6\n", b','),
            ("Kunden\nName, Mail\nAnn, a@x.de\nBob, b@x.de\n", b','),
            (
                "Kunden\nName; Seit\nAnn; 2024-05-06\nBob; 01.02.2023\n",
                b';',
            ),
            (
                "Kunden\nName, Web\nAnn, www.x.de\nBob, https://y.de\n",
                b',',
            ),
            ("Name, Ort\nAnn, Bonn\n", b','),
            ("Daten\n1,2,3\n4,5,6\n", b','),
            ("Bericht\nA,x\nB,y\n\nName,Ort,Plz\na,b,c\n", b','),
            ("Bericht\nName,Ort,Plz,Land\na\na,b\na,b,c\n", b','),
            ("Name\n", b','),
            ("", b','),
        ] {
            assert!(!is_one_column(text, true, separator), "{text}");
        }
    }

    #[test]
    fn words_in_even_records_below_a_title_may_be_a_table() {
        for text in [
            "Unsere Kunden\nName, Ort\nAnn, Bonn\nBob, Ulm\n",
            "Kunden 2024\nName, Ort, Art\nAnn, Bonn, x\n\nBob, Ulm, y\n",
        ] {
            assert!(is_one_column(text, true, b',') && may_be_a_table(text, true, b','));
        }
        for text in [
            "Kunden\nMüller, Ann\nMeier, Bob\n",
            "Unsere Adressen\nWeg 1, 01234 Ulm\nGasse 2, 50667 Köln\n",
            "Alle Orte\nBonn, am Rhein\nUlm\n",
            "Alle Orte\nBonn, am Rhein\n",
            "Alle Orte\nBonn\nUlm\n",
        ] {
            assert!(!may_be_a_table(text, true, b','), "{text}");
        }
    }
}
