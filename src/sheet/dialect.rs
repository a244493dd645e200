//! What separates the fields of a text file: a `sep=` line says so, else each candidate is tried on
//! the first records and the one that makes the most even table wins.

use csv_core::{ReadRecordResult, ReaderBuilder};

use super::prose;

/// The separators that are looked for, the likelier first.
const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Records that are looked at.
const RECORDS_MAX: usize = 200;

/// A first line such as `sep=;`: its separator, and its bytes with its line end.
pub(super) fn sep_line(text: &str) -> Option<(u8, usize)> {
    let end = text.find(['\r', '\n']).unwrap_or(text.len());
    let (line, rest) = text.split_at(end);
    let quoted = line
        .strip_prefix('"')
        .and_then(|line| line.strip_suffix('"'));
    let sign = quoted.unwrap_or(line);
    let (name, sign) = sign.split_at_checked(4)?;
    let &[separator] = sign.as_bytes() else {
        return None;
    };
    if !name.eq_ignore_ascii_case("sep=") || !is_separator(separator) {
        return None;
    }
    let line_end = if rest.starts_with("\r\n") {
        2
    } else {
        usize::from(!rest.is_empty())
    };
    Some((separator, end + line_end))
}

/// Whether fields can be separated by it.
pub(super) fn is_separator(byte: u8) -> bool {
    byte.is_ascii() && (byte == b'\t' || !byte.is_ascii_control()) && byte != b'"'
}

/// The separator of a text that begins with `sample`; `whole` says that nothing follows.
pub(super) fn guess(sample: &str, whole: bool) -> u8 {
    // What never separates fields here, for a list of one column.
    let no_one = b";|\t"
        .iter()
        .find(|byte| !sample.as_bytes().contains(byte));
    let mut best = (0.0, b',');
    for candidate in CANDIDATES {
        if prose::is_one_column(sample, whole, candidate) {
            if best.0 == 0.0 {
                best.1 = no_one.copied().unwrap_or(b',');
            }
            continue;
        }
        let score = score(sample, whole, candidate);
        if score > best.0 {
            best = (score, candidate);
        }
    }
    best.1
}

/// Whether a text that [`guess`] took for a list of one column may be a table below a title all the same.
pub(super) fn may_be_a_table(sample: &str, whole: bool, guessed: u8) -> bool {
    !sample.as_bytes().contains(&guessed)
        && b",;".iter().any(|candidate| {
            prose::is_one_column(sample, whole, *candidate)
                && prose::may_be_a_table(sample, whole, *candidate)
        })
}

/// The text from this row on, counted from 1, where the rows above it are lines: what stands above given headers
/// says nothing about the separator.
pub(super) fn from_row(sample: &str, row: u32) -> &str {
    let mut rest = sample;
    for _ in 1..row {
        match rest.split_once('\n') {
            Some((line, after)) if !line.contains('"') && !after.trim().is_empty() => rest = after,
            Some(_) | None => return sample,
        }
    }
    rest
}

/// How even and how clean a table the separator makes; 0 where it makes one column.
#[expect(clippy::cast_precision_loss, reason = "counts of a few hundred")]
fn score(sample: &str, whole: bool, separator: u8) -> f64 {
    if !sample.as_bytes().contains(&separator) {
        return 0.0;
    }
    let table = split(sample, whole, separator);
    // Titles above the table have one field; they speak a little against it.
    let titles = table.widths.iter().take_while(|width| **width <= 1).count();
    let widths = table.widths.get(titles..).unwrap_or(&[]);
    let Some((width, rows)) = most_frequent(widths) else {
        return 0.0;
    };
    let even = rows as f64 / (widths.len() as f64 + titles as f64 / 2.0);
    let clean = 1.0 - table.doubt / table.fields.max(1) as f64;
    let columns = width as f64;
    even * clean * clean * (columns - 1.0) / columns
}

/// The most frequent width above one, the widest of equals, and how many records have it.
fn most_frequent(widths: &[usize]) -> Option<(usize, usize)> {
    let mut sorted: Vec<usize> = widths.iter().copied().filter(|width| *width > 1).collect();
    sorted.sort_unstable();
    sorted
        .chunk_by(|a, b| a == b)
        .filter_map(|chunk| Some((*chunk.first()?, chunk.len())))
        .max_by_key(|(width, rows)| (*rows, *width))
}

#[derive(Default)]
struct Table {
    /// Fields of each record.
    widths: Vec<usize>,
    fields: usize,
    /// The sum of [`doubt`] over all fields.
    doubt: f64,
}

fn split(sample: &str, whole: bool, separator: u8) -> Table {
    let mut core = ReaderBuilder::new().delimiter(separator).build();
    let mut text = vec![0; sample.len() + 1];
    let mut ends = vec![0; sample.len() + 1];
    let mut table = Table::default();
    let mut input = sample.as_bytes();
    while table.widths.len() < RECORDS_MAX {
        let (mut written, mut count) = (0, 0);
        let complete = loop {
            // Where the text goes on, the sample's last record is not whole.
            if input.is_empty() && !whole {
                break false;
            }
            let (result, read, out, fields) = core.read_record(
                input,
                text.get_mut(written..).unwrap_or_default(),
                ends.get_mut(count..).unwrap_or_default(),
            );
            input = input.get(read..).unwrap_or(&[]);
            written += out;
            count += fields;
            match result {
                ReadRecordResult::Record => break true,
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::End
                | ReadRecordResult::OutputFull
                | ReadRecordResult::OutputEndsFull => break false,
            }
        };
        // A part of a record is better than nothing.
        if !complete && (count == 0 || !table.widths.is_empty()) {
            break;
        }
        table.widths.push(count);
        let mut begin = 0;
        for end in ends.iter().take(count) {
            let field = text.get(begin..*end).unwrap_or(&[]);
            begin = *end;
            table.fields += 1;
            table.doubt += doubt(field, separator);
        }
        if !complete {
            break;
        }
    }
    table
}

/// How much a field speaks against the separator, from 0 to 1.
fn doubt(field: &[u8], separator: u8) -> f64 {
    let numeric = field
        .iter()
        .all(|byte| byte.is_ascii_digit() || b"+-.,' %".contains(byte));
    if numeric {
        return 0.0;
    }
    // Half a pair of quotes: it was cut out of a quoted field.
    if !field
        .iter()
        .filter(|byte| **byte == b'"')
        .count()
        .is_multiple_of(2)
    {
        return 1.0;
    }
    // Another candidate, other than in prose.
    let other = field.iter().enumerate().any(|(at, byte)| {
        *byte != separator
            && CANDIDATES.contains(byte)
            && field.get(at + 1).is_some_and(|next| *next != b' ')
    });
    if other { 0.7 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is(separator: char, sample: &str) {
        assert_eq!(char::from(guess(sample, true)), separator, "{sample}");
        let longer = format!("{sample}{sample}");
        assert_eq!(char::from(guess(&longer, false)), separator, "{sample}");
    }

    #[test]
    fn each_separator_is_found() {
        is(',', "a,b,c\n1,2,3\n4,5,6\n");
        is(';', "a;b;c\n1;2;3\n4;5;6\n");
        is('\t', "a\tb\tc\n1\t2\t3\n");
        is('|', "a|b|c\n1|2|3\n");
        is(',', "only one column\nand nothing else\n");
        is(',', "name\nx\n");
    }

    #[test]
    fn decimal_commas_prose_and_titles_do_not_mislead() {
        is(';', "Name;Betrag;Rabatt\nA;1,5;2,5\nB;2,5;3,5\n");
        is(';', "Name;Betrag\nA;1,5\nB;2,5\nC;3,5\n");
        is(
            ';',
            "Umsatz, nach Firma, 2024\n\nName;Ort\nMüller, Anna;Köln, Rhein\nMeyer;Bonn\n",
        );
        is(
            '\t',
            "Name\tNote\nAcme, Inc.\tone, two; three\nBolt, Ltd.\tfour\n",
        );
        is(',', "name,tags\nx,a;b\ny,c;d\nz,e;f\n");
        is(',', "Report;\nname,size,city\na,1,b\nc,2,d\n");
        is(';', "\"a,b\";\"c,d\"\n\"e,f\";\"g,h\"\n");
        is(',', "\"a;b\",\"c\nd;e\"\n\"x;y\",z\n");
        is('|', "id|text\n1|one, two\n2|three, four\n3|five\n");
    }

    #[test]
    fn sep_lines_are_recognised_and_nothing_else_is() {
        assert_eq!(sep_line("sep=;\r\nA;1"), Some((b';', 7)));
        assert_eq!(sep_line("SEP=,\nA"), Some((b',', 6)));
        assert_eq!(sep_line("\"sep=|\"\rA"), Some((b'|', 8)));
        assert_eq!(sep_line("sep=\t"), Some((b'\t', 5)));
        for text in [
            "sep=",
            "sep=\n;",
            "sep=ab\n",
            "separator\n",
            "sep=\"\n",
            "sep=é\n",
            "é",
            "",
        ] {
            assert_eq!(sep_line(text), None, "{text}");
        }
    }
}
