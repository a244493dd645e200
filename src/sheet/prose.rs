//! Lists of one column in text files: a label without a separator above texts in which the separator is
//! part of the words or of a number (`Weg 1, 01234 Ulm`, `1,50`).

/// Lines that are looked at.
const LINES_MAX: usize = 200;

/// Whether the text that begins with `sample` is such a list; `whole` says that nothing follows.
pub(super) fn is_one_column(sample: &str, whole: bool, separator: u8) -> bool {
    let separator = char::from(separator);
    let mut lines: Vec<&str> = sample.lines().take(LINES_MAX).collect();
    if !whole && lines.len() < LINES_MAX {
        lines.pop();
    }
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
            !has_numbers(&rest, separator)
        }
        _ => blank.is_empty() && is_uneven(&rest, separator),
    }
}

/// Whether each separator has a space behind it and something in front.
fn is_prose(line: &str, separator: char) -> bool {
    let mut parts = line.split(separator);
    parts.next().is_some_and(|first| !first.is_empty())
        && parts.all(|part| part.starts_with(' ') && !part.trim().is_empty())
}

/// Whether records as wide as the first one have a column of numbers below its words: a table with
/// spaces behind its separators, below a title.
fn has_numbers(lines: &[&str], separator: char) -> bool {
    let Some((names, records)) = lines.split_first() else {
        return false;
    };
    let is_number =
        |part: Option<&str>| part.is_some_and(|part| part.trim().parse::<f64>().is_ok());
    let width = names.split(separator).count();
    let as_wide = |line: &&str| line.split(separator).count() == width;
    !records.is_empty()
        && records.iter().all(as_wide)
        && (0..width).any(|column| {
            let part = |line: &'_ str| is_number(line.split(separator).nth(column));
            !part(names) && records.iter().all(|line| part(line))
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
    use super::is_one_column;

    #[test]
    fn a_label_above_prose_or_amounts_is_a_list_of_one_column() {
        for (text, separator) in [
            ("Adresse\nWeg 1, 01234 Ulm\nGasse 2, 50667 Köln\n", b','),
            ("Name\nMa, Ha\nMb, Hb\n", b','),
            ("Firma\nM GmbH, Köln, NRW\nA, B, C\nG\n", b','),
            ("Preis\n1,50\n2,75\n3\n", b','),
            ("Betrag\n1.234,50 €\n-2,75\n", b','),
            ("Mail\na@x.de; b@x.de\nc@x.de\n", b';'),
            ("Tags\nred,green\nblue\na,b,c\nd\n", b','),
        ] {
            assert!(is_one_column(text, true, separator), "{text}");
        }
        for (text, separator) in [
            ("Kunden\nName,Ort\nAnn,Bonn\n", b','),
            ("Kunden\n\nName, Ort\nAnn, Bonn\n", b','),
            ("Kunden\nName, Alter\nAnn, 5\nBob, 6\n", b','),
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
}
