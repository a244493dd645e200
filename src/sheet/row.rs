//! A row of a sheet, as the reader hands it on and as the database keeps it: its values as JSON and,
//! where JSON can't tell, a letter per value that says what it was in the file.

use std::borrow::Cow;

use super::cells::{self, Values, Writer};
use crate::error::Result;

/// One row of a sheet that holds at least one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// 1-based row in the file, as the spreadsheet shows it.
    pub number: u32,
    /// A JSON array: the value of sheet column A, then B, and so on; empty cells at the end are
    /// left out. Where most of it would be empty, a JSON object: values by 0-based column, ascending.
    pub cells: String,
    /// A [`Kind`] letter per value in `cells`, or `None` where the JSON alone tells all.
    pub kinds: Option<String>,
    /// Text files: the number of fields of the record, where that is not the header's.
    pub width: Option<u32>,
}

/// What an error cell is shown as where only text can be: which error it was is not kept.
pub const ERROR_TEXT: &str = "#N/A";

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
    /// The cells by their column.
    ///
    /// # Errors
    /// `Internal` where `cells` is not what it should be, which only a damaged database makes.
    pub fn values(&self) -> Result<Cells<'_>> {
        let mut kinds = self.kinds.as_deref().unwrap_or("").bytes();
        let mut values = Values::new(&self.cells)?;
        let mut cells = Cells {
            cells: Vec::with_capacity(CELLS_USUAL),
            columns: self.cells.starts_with('{').then(Vec::new),
        };
        while let Some((column, json)) = values.next()? {
            let kind = kinds.next().map_or(Kind::Plain, Kind::from_letter);
            cells.cells.push(cell(json, kind)?);
            if let Some(columns) = &mut cells.columns {
                columns.push(column);
            }
        }
        Ok(cells)
    }

    /// The cells as they are stored, left to right; empty ones may be among them.
    ///
    /// # Errors
    /// As [`Row::values`].
    pub fn stored(&self) -> Result<Vec<Stored<'_>>> {
        let mut kinds = self.kinds.as_deref().unwrap_or("").bytes();
        let mut values = Values::new(&self.cells)?;
        let mut stored = Vec::with_capacity(CELLS_USUAL);
        while let Some((column, json)) = values.next()? {
            let kind = kinds.next().map_or(Kind::Plain, Kind::from_letter);
            stored.push(Stored { column, json, kind });
        }
        Ok(stored)
    }

    /// A row of stored cells; those that don't stand right of the one before are left out.
    pub fn of<'a>(
        number: u32,
        width: Option<u32>,
        cells: impl IntoIterator<Item = Stored<'a>>,
    ) -> Row {
        let mut writer = Writer::default();
        for cell in cells {
            let is_empty = cell.json == "null" && cell.kind == Kind::Plain;
            if !is_empty && cell.column >= writer.next() {
                writer.begin(cell.column);
                writer.text().extend_from_slice(cell.json.as_bytes());
                writer.kind(cell.kind);
            }
        }
        let (cells, kinds) = writer.finish();
        Row {
            number,
            cells: String::from_utf8_lossy(cells).into_owned(),
            kinds: kinds.map(str::to_owned),
            width,
        }
    }
}

/// A cell as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored<'a> {
    /// 0-based.
    pub column: usize,
    pub json: &'a str,
    pub kind: Kind,
}

/// The cells of a row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cells<'a> {
    cells: Vec<Cell<'a>>,
    /// The column of each, ascending, where it is not its place.
    columns: Option<Vec<usize>>,
}

impl<'a> Cells<'a> {
    /// The cell in a 0-based column; `None` behind the last one and where most cells are empty.
    #[inline]
    pub fn get(&self, column: usize) -> Option<&Cell<'a>> {
        let place = match &self.columns {
            None => column,
            Some(columns) => columns.binary_search(&column).ok()?,
        };
        self.cells.get(place)
    }

    /// The cells with their 0-based columns, left to right; empty ones may be among them.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Cell<'a>)> {
        let column = |place| match &self.columns {
            None => place,
            Some(columns) => columns.get(place).copied().unwrap_or(place),
        };
        let cells = self.cells.iter().enumerate();
        cells.map(move |(place, cell)| (column(place), cell))
    }
}

/// Cells for which there is room from the beginning.
const CELLS_USUAL: usize = 16;

fn cell(json: &str, kind: Kind) -> Result<Cell<'_>> {
    Ok(match json.as_bytes().first() {
        Some(b'n') if json != "null" => return Err(cells::damaged()),
        Some(b'n') if kind == Kind::Error => Cell::Error,
        Some(b'n') => Cell::Empty,
        Some(b't') if json == "true" => Cell::Bool(true),
        Some(b'f') if json == "false" => Cell::Bool(false),
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
        Some(b'-' | b'0'..=b'9') => Cell::Number(json),
        Some(_) | None => return Err(cells::damaged()),
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
            row.values().unwrap().cells,
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
