//! A row of a sheet, as the reader hands it on and as the database keeps it: a JSON array of
//! values and, where JSON can't tell, a letter per cell that says what the value was in the file.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer;
use serde::de::{self, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::{Error, Result};

/// One row of a sheet that holds at least one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// 1-based row in the file, as the spreadsheet shows it.
    pub number: u32,
    /// A JSON array: the value of sheet column A, then B, and so on; empty cells at the end are
    /// left out.
    pub cells: String,
    /// A [`Kind`] letter per cell of `cells`, or `None` where the JSON alone tells all.
    pub kinds: Option<String>,
    /// Text files: the number of fields of the record, where that is not the header's.
    pub width: Option<u32>,
}

/// What a cell was in the file, as far as JSON can't say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text, number, boolean or empty: as the JSON value stands.
    Plain,
    /// `2024-10-06`
    Date,
    /// `2024-10-06T10:30:00`
    DateTime,
    /// `10:30:00`
    Time,
    /// ISO 8601, `PT36H15M`
    Duration,
    /// An error cell such as `#N/A`; the JSON value is null.
    Error,
}

impl Kind {
    /// The letter in [`Row::kinds`].
    pub fn letter(self) -> char {
        match self {
            Kind::Plain => '.',
            Kind::Date => 'd',
            Kind::DateTime => 'D',
            Kind::Time => 't',
            Kind::Duration => 'p',
            Kind::Error => 'e',
        }
    }

    /// What `letter` stands for; unknown letters are plain.
    pub fn from_letter(letter: u8) -> Kind {
        match letter {
            b'd' => Kind::Date,
            b'D' => Kind::DateTime,
            b't' => Kind::Time,
            b'p' => Kind::Duration,
            b'e' => Kind::Error,
            _ => Kind::Plain,
        }
    }
}

/// A cell's value, borrowed from its [`Row`].
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    Empty,
    Text(Cow<'a, str>),
    /// A number, as its JSON text.
    Number(&'a str),
    Bool(bool),
    Date(Cow<'a, str>),
    DateTime(Cow<'a, str>),
    Time(Cow<'a, str>),
    Duration(Cow<'a, str>),
    /// A spreadsheet error; its value is not known.
    Error,
}

impl Row {
    /// The cells, from sheet column A on.
    ///
    /// # Errors
    /// `Internal` where `cells` is no JSON array of scalars, which only a damaged database makes.
    pub fn values(&self) -> Result<Vec<Cell<'_>>> {
        let kinds = self.kinds.as_deref().unwrap_or("").as_bytes();
        let mut json = serde_json::Deserializer::from_str(&self.cells);
        let cells = json.deserialize_seq(Cells { kinds })?;
        json.end()?;
        Ok(cells)
    }
}

/// Reads cells one after another.
struct Cells<'k> {
    kinds: &'k [u8],
}

/// Cells for which there is room from the beginning.
const CELLS_USUAL: usize = 16;

impl<'de> Visitor<'de> for Cells<'_> {
    type Value = Vec<Cell<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of cells")
    }

    fn visit_seq<A: SeqAccess<'de>>(
        self,
        mut array: A,
    ) -> std::result::Result<Self::Value, A::Error> {
        let mut cells = Vec::with_capacity(CELLS_USUAL);
        while let Some(json) = array.next_element::<&RawValue>()? {
            let kind = self.kinds.get(cells.len());
            let kind = kind.map_or(Kind::Plain, |letter| Kind::from_letter(*letter));
            cells.push(cell(json.get(), kind).map_err(de::Error::custom)?);
        }
        Ok(cells)
    }
}

fn cell(json: &str, kind: Kind) -> Result<Cell<'_>> {
    Ok(match json.as_bytes().first() {
        Some(b'n') | None if kind == Kind::Error => Cell::Error,
        Some(b'n') | None => Cell::Empty,
        Some(b't') => Cell::Bool(true),
        Some(b'f') => Cell::Bool(false),
        Some(b'"') => {
            let text = text(json)?;
            match kind {
                Kind::Plain | Kind::Error => Cell::Text(text),
                Kind::Date => Cell::Date(text),
                Kind::DateTime => Cell::DateTime(text),
                Kind::Time => Cell::Time(text),
                Kind::Duration => Cell::Duration(text),
            }
        }
        Some(b'[' | b'{') => {
            return Err(Error::Internal("a stored cell is no scalar".to_owned()));
        }
        Some(_) => Cell::Number(json),
    })
}

fn text(json: &str) -> Result<Cow<'_, str>> {
    match json.get(1..json.len() - 1) {
        Some(inner) if !inner.contains('\\') => Ok(Cow::Borrowed(inner)),
        _ => Ok(Cow::Owned(serde_json::from_str(json)?)),
    }
}

/// The letters of a 0-based column: 0 is `A`, 26 is `AA`.
pub fn column_letters(index: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = index + 1;
    while rest > 0 {
        let digit = u8::try_from((rest - 1) % 26).unwrap_or(0);
        letters.push(b'A' + digit);
        rest = (rest - 1) / 26;
    }
    letters.reverse();
    String::from_utf8_lossy(&letters).into_owned()
}

/// The 0-based column that letters name, where it can be one.
pub fn column_index(letters: &str) -> Option<usize> {
    letters
        .bytes()
        .try_fold(0_usize, |index, letter| {
            let digit = letter.is_ascii_uppercase().then(|| letter - b'A')?;
            index.checked_mul(26)?.checked_add(usize::from(digit) + 1)
        })?
        .checked_sub(1)
}

/// A cell's name as a spreadsheet shows it, from a 0-based column and a 1-based row: `B17`.
pub fn cell_name(column: usize, row: u32) -> String {
    format!("{}{row}", column_letters(column))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_come_back_as_what_they_were_in_the_file() {
        let row = Row {
            number: 7,
            cells: r#"["007",12.5,null,true,"2024-10-06",null,"a\"b"]"#.to_owned(),
            kinds: Some("....de.".to_owned()),
            width: None,
        };
        assert_eq!(
            row.values().unwrap(),
            vec![
                Cell::Text("007".into()),
                Cell::Number("12.5"),
                Cell::Empty,
                Cell::Bool(true),
                Cell::Date("2024-10-06".into()),
                Cell::Error,
                Cell::Text("a\"b".into()),
            ]
        );
    }

    #[test]
    fn columns_are_named_as_a_spreadsheet_names_them() {
        assert_eq!(column_letters(0), "A");
        assert_eq!(column_letters(25), "Z");
        assert_eq!(column_letters(26), "AA");
        assert_eq!(column_letters(16_383), "XFD");
        assert_eq!(cell_name(1, 17), "B17");
        for index in [0, 25, 26, 701, 702, 16_383] {
            assert_eq!(column_index(&column_letters(index)), Some(index));
        }
        assert_eq!(column_index(""), None);
        assert_eq!(column_index("b"), None);
    }
}
