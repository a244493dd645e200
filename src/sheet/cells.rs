//! The text of a row's cells in both of its forms, which are written and read here alone: a JSON array
//! from sheet column A on, and for rows that are mostly empty a JSON object by 0-based column,
//! `{"0":1,"16383":2}`.

use super::{Kind, json};
use crate::error::{Error, Result};

/// Empty cells up to which a row is an array in any case.
const EMPTIES_MAX: usize = 32;

/// Bytes of an empty cell in an array: `null,`.
const EMPTY_BYTES: usize = 5;

/// Bytes of a cell's column in an object, at most: `"16383":`.
const KEY_BYTES: usize = 8;

/// Writes the cells of a row one after another, left to right.
#[derive(Debug)]
pub(crate) struct Writer {
    /// Without its end until [`Writer::finish`].
    text: Vec<u8>,
    kinds: String,
    is_object: bool,
    /// Whether an array stays one, however empty it is.
    is_settled: bool,
    /// The first column that may follow.
    next: usize,
    /// Values in `text`; the empty ones of an array, too.
    members: usize,
    /// Bytes of the columns in an object.
    keys: usize,
    /// Empty cells before others.
    empties: usize,
    /// Cells that hold a value.
    filled: usize,
}

impl Default for Writer {
    fn default() -> Writer {
        Writer::of(false, false)
    }
}

impl Writer {
    fn of(is_object: bool, is_settled: bool) -> Writer {
        Writer {
            text: vec![if is_object { b'{' } else { b'[' }],
            kinds: String::new(),
            is_object,
            is_settled,
            next: 0,
            members: 0,
            keys: 0,
            empties: 0,
            filled: 0,
        }
    }

    /// Begins another row.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.text.push(b'[');
        self.kinds.clear();
        self.is_object = false;
        self.next = 0;
        self.members = 0;
        self.keys = 0;
        self.empties = 0;
        self.filled = 0;
    }

    pub(crate) fn next(&self) -> usize {
        self.next
    }

    pub(crate) fn filled(&self) -> usize {
        self.filled
    }

    /// The text so far, to append a cell's JSON to it after [`Writer::begin`].
    #[inline]
    pub(crate) fn text(&mut self) -> &mut Vec<u8> {
        &mut self.text
    }

    /// Goes on to a cell that holds a value, of which the JSON follows. `column` is not before
    /// [`Writer::next`].
    #[inline]
    pub(crate) fn begin(&mut self, column: usize) {
        if column > self.next {
            self.skip(column - self.next);
        }
        if self.members > 0 {
            self.text.push(b',');
        }
        if self.is_object {
            self.key(column);
        }
        self.next = column + 1;
        self.members += 1;
        self.filled += 1;
    }

    fn key(&mut self, column: usize) {
        let before = self.text.len();
        self.text.push(b'"');
        self.text.extend_from_slice(column.to_string().as_bytes());
        self.text.extend_from_slice(b"\":");
        self.keys += self.text.len() - before;
    }

    /// Passes empty cells.
    fn skip(&mut self, count: usize) {
        self.empties += count;
        if self.is_object {
            return;
        }
        if self.empties > EMPTIES_MAX && !self.is_settled {
            let written = EMPTY_BYTES * (self.empties - count);
            if self.is_object_shorter(self.text.len().saturating_sub(written)) && self.turn(true) {
                return;
            }
        }
        for _ in 0..count {
            if self.members > 0 {
                self.text.push(b',');
            }
            self.text.extend_from_slice(b"null");
            self.members += 1;
        }
    }

    /// Whether an object would have less than half an array's length, with so many bytes of values.
    fn is_object_shorter(&self, values: usize) -> bool {
        let array = values + EMPTY_BYTES * self.empties;
        2 * (values + KEY_BYTES * self.filled) < array
    }

    /// Says what the cell was in the file that has been begun last.
    pub(crate) fn kind(&mut self, kind: Kind) {
        if kind == Kind::Plain {
            return;
        }
        while self.kinds.len() + 1 < self.members {
            self.kinds.push('.');
        }
        self.kinds.push(kind.letter());
    }

    /// Ends the row: the text of its cells, and a letter for each value in it where one is not plain.
    pub(crate) fn finish(&mut self) -> (&[u8], Option<&str>) {
        if self.is_object && !self.is_object_shorter(self.text.len().saturating_sub(self.keys)) {
            self.turn(false);
        }
        self.text.push(if self.is_object { b'}' } else { b']' });
        if self.kinds.is_empty() {
            return (&self.text, None);
        }
        while self.kinds.len() < self.members {
            self.kinds.push('.');
        }
        (&self.text, Some(&self.kinds))
    }

    /// Writes the row so far in the other form. False where that can't be done, and nothing changes.
    fn turn(&mut self, to_object: bool) -> bool {
        let mut turned = Writer::of(to_object, true);
        let copied = self.values().is_ok_and(|mut values| {
            let mut kinds = self.kinds.bytes().map(Kind::from_letter);
            loop {
                let kind = kinds.next().unwrap_or(Kind::Plain);
                match values.next() {
                    Ok(Some((_, "null"))) if kind == Kind::Plain => {}
                    Ok(Some((column, value))) => {
                        turned.begin(column);
                        turned.text.extend_from_slice(value.as_bytes());
                        turned.kind(kind);
                    }
                    Ok(None) => return true,
                    Err(_) => return false,
                }
            }
        });
        if copied {
            self.text = turned.text;
            self.kinds = turned.kinds;
            self.is_object = to_object;
            self.members = turned.members;
            self.keys = turned.keys;
        }
        copied
    }

    /// The cells so far.
    fn values(&self) -> Result<Values<'_>> {
        let text = std::str::from_utf8(&self.text).map_err(|_| damaged())?;
        Ok(Values {
            rest: text.get(1..).unwrap_or(""),
            is_object: self.is_object,
            next: 0,
        })
    }

    /// The column of the first cell where all are texts of mere white space. Most rows show at their
    /// first letter that they are not.
    pub(crate) fn only_spaces(&self) -> Option<usize> {
        if !matches!(
            self.text.get(1..3)?,
            [b'"', b' ' | b'\\' | 0xC2 | b'0'..=b'9'] | b"nu"
        ) {
            return None;
        }
        let mut values = self.values().ok()?;
        let (mut count, mut first) = (0, None);
        while let Some((column, value)) = values.next().ok()? {
            if value == "null" {
                continue;
            }
            if !is_spaces(value.as_bytes()) {
                return None;
            }
            first = first.or(Some(column));
            count += 1;
        }
        // Error cells and what is no number are null, too.
        first.filter(|_| count == self.filled)
    }
}

/// Whether the JSON of a cell is a text of mere white space.
fn is_spaces(json: &[u8]) -> bool {
    let [b'"', rest @ .., b'"'] = json else {
        return false;
    };
    let mut rest = rest;
    loop {
        rest = match rest {
            [] => return true,
            [b' ', after @ ..]
            | [b'\\', b't' | b'n' | b'r', after @ ..]
            | [0xC2, 0xA0, after @ ..] => after,
            _ => return false,
        };
    }
}

/// Reads the cells of a row one after another.
#[derive(Debug)]
pub(crate) struct Values<'a> {
    rest: &'a str,
    is_object: bool,
    /// The first column that may follow.
    next: usize,
}

impl<'a> Values<'a> {
    /// # Errors
    /// `Internal` where `cells` is in neither form, which only a damaged database makes.
    pub(crate) fn new(cells: &'a str) -> Result<Values<'a>> {
        let is_object = match cells.as_bytes() {
            [b'[', .., b']'] => false,
            [b'{', .., b'}'] => true,
            _ => return Err(damaged()),
        };
        let rest = cells.get(1..cells.len() - 1).ok_or_else(damaged)?;
        Ok(Values {
            rest,
            is_object,
            next: 0,
        })
    }

    /// The next 0-based column and the JSON of its cell; empty cells may come as `null`.
    ///
    /// # Errors
    /// As [`Values::new`].
    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<(usize, &'a str)>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        if self.is_object {
            self.key()?;
        }
        let bytes = self.rest.as_bytes();
        let end = if bytes.first() == Some(&b'"') {
            end_of_string(bytes).ok_or_else(damaged)?
        } else {
            // Numbers and words of a few letters: a quicker search would take longer to begin.
            let comma = bytes.iter().position(|byte| *byte == b',');
            comma.unwrap_or(bytes.len())
        };
        let (value, rest) = self.rest.split_at_checked(end).ok_or_else(damaged)?;
        self.rest = match rest.as_bytes() {
            [] => "",
            [b',', ..] => rest.get(1..).ok_or_else(damaged)?,
            _ => return Err(damaged()),
        };
        let column = self.next;
        self.next = column.saturating_add(1);
        Ok(Some((column, value)))
    }

    /// Goes to the column that the next value of an object names.
    fn key(&mut self) -> Result<()> {
        let named = self.rest.strip_prefix('"').and_then(|rest| {
            let (column, rest) = rest.split_once("\":")?;
            Some((column.parse::<usize>().ok()?, rest))
        });
        let (column, rest) = named
            .filter(|(column, _)| *column >= self.next)
            .ok_or_else(damaged)?;
        self.next = column;
        self.rest = rest;
        Ok(())
    }
}

/// Where the string that `bytes` begin with ends.
fn end_of_string(bytes: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        at += json::plain_prefix(bytes.get(at..)?);
        match bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => return None,
        }
    }
}

pub(super) fn damaged() -> Error {
    Error::Internal("a stored row is no JSON array or object of scalars".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sheet::{Cell, Row};

    /// A row of cells by column; the JSON of each, and what it was in the file.
    fn written(cells: &[(usize, String, Kind)]) -> Row {
        let mut writer = Writer::default();
        for (column, json, kind) in cells {
            writer.begin(*column);
            writer.text().extend_from_slice(json.as_bytes());
            writer.kind(*kind);
        }
        let (cells, kinds) = writer.finish();
        Row {
            number: 2,
            cells: String::from_utf8(cells.to_vec()).unwrap(),
            kinds: kinds.map(str::to_owned),
            width: None,
        }
    }

    fn numbers(columns: impl IntoIterator<Item = usize>) -> Row {
        let cells = columns.into_iter();
        let cells: Vec<_> = cells.map(|c| (c, c.to_string(), Kind::Plain)).collect();
        written(&cells)
    }

    #[test]
    fn a_row_takes_the_room_of_what_it_holds() {
        assert_eq!(numbers([0, 16_383]).cells, r#"{"0":0,"16383":16383}"#);
        assert_eq!(numbers([16_383]).cells, r#"{"16383":16383}"#);
        assert_eq!(numbers([33]).cells, r#"{"33":33}"#);
        // What a person would write out is an array, as is all that is not mostly empty.
        assert_eq!(numbers([0, 2]).cells, "[0,null,2]");
        assert!(numbers([32]).cells.starts_with("[null,"));
        assert!(numbers((0..300).chain(340..600)).cells.starts_with("[0,1,"));
        // Found out late, either way.
        assert!(
            numbers([0, 40].into_iter().chain(41..300))
                .cells
                .starts_with("[0,null,")
        );
        assert!(
            numbers((0..20).chain([500]))
                .cells
                .starts_with(r#"{"0":0,"1":1"#)
        );
        let kinds = |cells: &[(usize, String, Kind)]| written(cells).kinds;
        let day = || "\"2024-10-06\"".to_owned();
        let cells = [(0, "1".to_owned(), Kind::Plain), (900, day(), Kind::Date)];
        assert_eq!(kinds(&cells).as_deref(), Some(".d"));
        let cells = [(1, day(), Kind::Date), (900, "1".to_owned(), Kind::Plain)];
        assert_eq!(kinds(&cells).as_deref(), Some("d."));
        let cells = [
            (1, "null".to_owned(), Kind::Error),
            (900, day(), Kind::Date),
        ];
        assert_eq!(kinds(&cells).as_deref(), Some("ed"));
        assert_eq!(kinds(&[(1, day(), Kind::Date)]).as_deref(), Some(".d"));
    }

    /// Numbers below `n` that seem to have no order.
    fn random(state: &mut u64, n: usize) -> usize {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(*state >> 33).unwrap() % n
    }

    #[test]
    fn both_forms_give_the_same_values() {
        let mut state = 7;
        let (mut arrays, mut objects) = (0, 0);
        for _ in 0..3_000 {
            let mut cells = Vec::new();
            let mut column = 0;
            let far = [1, 3, 40, 3_000][random(&mut state, 4)];
            for _ in 0..=random(&mut state, 30) {
                column += random(&mut state, far);
                cells.push(match random(&mut state, 6) {
                    0 => (column, "\"a\\\"],{\\\\\"".to_owned(), Kind::Plain),
                    1 => (column, "\"2024-10-06\"".to_owned(), Kind::Date),
                    2 => (column, "null".to_owned(), Kind::Error),
                    3 => (column, "true".to_owned(), Kind::Plain),
                    4 => (column, "\"0:1,\\n\"".to_owned(), Kind::Plain),
                    _ => (column, "-1.5".to_owned(), Kind::Plain),
                });
                column += 1;
            }
            let row = written(&cells);
            if row.cells.starts_with('{') {
                objects += 1;
            } else {
                arrays += 1;
            }
            let plain = cells.iter().map(|(column, json, kind)| {
                let kinds = kind.letter().to_string();
                let one = Row {
                    number: 2,
                    cells: format!("[{json}]"),
                    kinds: Some(kinds),
                    width: None,
                };
                let value = format!("{:?}", one.values().unwrap().get(0).unwrap());
                (*column, value)
            });
            let values = row.values().unwrap();
            let found = values.iter().filter(|(_, cell)| **cell != Cell::Empty);
            let found = found.map(|(column, cell)| (column, format!("{cell:?}")));
            assert_eq!(found.collect::<Vec<_>>(), plain.collect::<Vec<_>>());
            for (column, ..) in &cells {
                assert!(values.get(*column).is_some());
            }
            let again = Row::of(2, None, row.stored().unwrap());
            assert_eq!(again, row);
        }
        assert!(arrays > 500 && objects > 500, "{arrays} and {objects}");
    }

    #[test]
    fn a_damaged_row_is_told_from_a_short_one() {
        for cells in ["[]", "{}", "[1]", "{\"3\":1}"] {
            assert!(Values::new(cells).is_ok(), "{cells}");
        }
        for cells in [
            "",
            "[",
            "{",
            "[}",
            "1",
            "{1}",
            "{\"a\":1}",
            "{\"1\"1}",
            "{\"3\":1,\"3\":2}",
            "{\"3\":1,\"2\":2}",
            "[x]",
            "[nul]",
            "[[1]]",
            "[1,,2]",
            "[\"a]",
        ] {
            let row = Row {
                number: 2,
                cells: cells.to_owned(),
                kinds: None,
                width: None,
            };
            assert!(row.values().is_err(), "{cells}");
        }
    }

    #[test]
    fn spaces_alone_are_found_in_both_forms() {
        let only = |cells: &[(usize, &str)]| {
            let mut writer = Writer::default();
            for (column, json) in cells {
                writer.begin(*column);
                writer.text().extend_from_slice(json.as_bytes());
            }
            writer.only_spaces()
        };
        let space = "\" \\t\u{a0}\"";
        assert_eq!(only(&[(0, space)]), Some(0));
        assert_eq!(only(&[(2, space), (3, space)]), Some(2));
        assert_eq!(only(&[(2, space), (900, space)]), Some(2));
        assert_eq!(only(&[(0, space), (900, "\" a\"")]), None);
        assert_eq!(only(&[(0, space), (1, "null")]), None);
        assert_eq!(only(&[(0, "7")]), None);
        assert_eq!(only(&[(1, "\"007\"")]), None);
    }
}
