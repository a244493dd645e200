//! ods: OpenDocument spreadsheets, as a stream. The content is gone through twice, because merged
//! cells and the list of sheets have to be known before the first row.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use quick_xml::events::{BytesStart, Event};

use super::super::assemble::{Found, Merge};
use super::super::refusal::password_of_libreoffice;
use super::super::{Limits, Visibility, bounds};
use super::book::{Book, Listed};
use super::damaged;
use super::formats::Shape;
use super::moment;
use super::ods_styles::Styles;
use super::ods_text;
use super::package::Package;
use super::xml::{Xml, attribute, raw_attribute};
use crate::error::Result;

/// Reads all sheets.
///
/// # Errors
/// As [`super::read`].
pub(super) fn read(path: &Path, book: &mut Book<'_, '_>) -> Result<()> {
    let mut styles = Styles::default();
    let mut source = Source::open(path, book.limits(), &mut styles)?;
    let mut looked: Vec<Looked> = Vec::new();
    each_table(source.content()?, &mut styles, |xml, styles, start| {
        looked.push(look(xml, styles, start)?);
        Ok(())
    })?;
    book.list(looked.iter().map(|table| table.listed.clone()).collect())?;
    let limits = book.limits();
    let mut looked = looked.into_iter();
    each_table(source.content()?, &mut styles, |xml, styles, _| {
        let table = looked.next().ok_or_else(damaged)?;
        book.sheet(table.merges, table.rows, |rows| {
            each_row(xml, styles, |row| {
                let cells = row.expanded(limits)?;
                for number in row.first..row.first.saturating_add(row.repeat) {
                    for cell in &row.cells {
                        if cell.formula_without_value {
                            rows.formula_without_value(cell.column, number);
                        }
                        if cell.has_table {
                            rows.notice(
                                "text-left-out",
                                Some((cell.column, number)),
                                "The cell holds a table of its own, which was left out.",
                            );
                        }
                        if let Some(sentence) = cell.zone {
                            for column in cell.column..cell.column.saturating_add(cell.repeat) {
                                rows.notice("time-zone", Some((column, number)), sentence);
                            }
                        }
                    }
                    if cells.is_empty() {
                        break;
                    }
                    rows.row(number, &cells)?;
                }
                Ok(())
            })
        })
    })
}

/// Where the content is: in a package, or in a file that is one XML document ("flat").
enum Source<'p> {
    Package(Box<Package>),
    Flat(&'p Path),
}

impl<'p> Source<'p> {
    fn open(path: &'p Path, limits: &Limits, styles: &mut Styles) -> Result<Source<'p>> {
        let mut head = Vec::new();
        File::open(path)?.take(2).read_to_end(&mut head)?;
        if head != b"PK" {
            return Ok(Source::Flat(path));
        }
        let mut package = Package::open(path, limits)?;
        if is_encrypted(&mut package)? {
            return Err(password_of_libreoffice());
        }
        if let Some(part) = package.part("styles.xml")? {
            read_styles(part, styles)?;
        }
        Ok(Source::Package(Box::new(package)))
    }

    fn content(&mut self) -> Result<Box<dyn BufRead + '_>> {
        match self {
            Source::Package(package) => package.part_again("content.xml")?.ok_or_else(damaged),
            Source::Flat(path) => Ok(Box::new(BufReader::new(File::open(path)?))),
        }
    }
}

fn is_encrypted(package: &mut Package) -> Result<bool> {
    let Some(part) = package.part("META-INF/manifest.xml")? else {
        return Ok(false);
    };
    let mut xml = Xml::new(part)?;
    loop {
        match xml.next() {
            Ok(Event::Start(start)) if start.local_name().as_ref() == "encryption-data" => {
                return Ok(true);
            }
            // Old files declare a document type here. A list that can't be read says nothing; if
            // the content is encrypted, it won't be XML.
            Ok(Event::Eof) | Err(_) => return Ok(false),
            Ok(_) => {}
        }
    }
}

fn read_styles(part: Box<dyn BufRead + '_>, styles: &mut Styles) -> Result<()> {
    let mut xml = Xml::new(part)?;
    loop {
        match xml.next()? {
            Event::Start(start) => {
                let start = start.into_owned();
                styles.take(&mut xml, &start)?;
            }
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// Calls `each` where a sheet's table begins; it reads the table up to its end.
fn each_table(
    part: Box<dyn BufRead + '_>,
    styles: &mut Styles,
    mut each: impl FnMut(&mut Xml<'_>, &Styles, &BytesStart<'_>) -> Result<()>,
) -> Result<()> {
    let mut xml = Xml::new(part)?;
    let mut in_body = false;
    let mut whole = false;
    loop {
        match xml.next()? {
            Event::Start(start) => {
                let start = start.into_owned();
                match start.local_name().as_ref() {
                    "spreadsheet" => in_body = true,
                    "table" if in_body => each(&mut xml, styles, &start)?,
                    // Earlier versions of sheets, and tables that belong to links.
                    "tracked-changes" | "dde-links" if in_body => xml.skip()?,
                    _ if !in_body => styles.take(&mut xml, &start)?,
                    _ => {}
                }
            }
            Event::End(end) if end.local_name().as_ref() == "spreadsheet" => whole = true,
            Event::Eof if whole => return Ok(()),
            // A package without a spreadsheet has no sheets, and the list says so.
            Event::Eof if !in_body => return Ok(()),
            Event::Eof => return Err(damaged()),
            _ => {}
        }
    }
}

/// What has to be known of a table before its first row.
struct Looked {
    listed: Listed,
    merges: Vec<Merge>,
    rows: u64,
}

fn look(xml: &mut Xml<'_>, styles: &Styles, start: &BytesStart<'_>) -> Result<Looked> {
    let name = attribute(start, "name").unwrap_or_default().into_owned();
    let style = attribute(start, "style-name").unwrap_or_default();
    let visibility = if styles.hides(&style) {
        Visibility::Hidden
    } else {
        Visibility::Visible
    };
    let mut merges = Vec::new();
    let mut rows: u64 = 0;
    each_row(xml, styles, |row| {
        if row.cells.iter().any(|cell| cell.found.is_some()) {
            rows = rows.saturating_add(u64::from(row.repeat));
        }
        merges.extend(row.cells.iter().filter_map(|cell| cell.merge(row.first)));
        Ok(())
    })?;
    Ok(Looked {
        listed: Listed { name, visibility },
        merges,
        rows,
    })
}

/// A row of a table, or several alike.
struct Row {
    /// 1-based.
    first: u32,
    repeat: u32,
    /// Those that hold something or are merged.
    cells: Vec<Cell>,
}

/// A cell, or several alike side by side.
struct Cell {
    /// 0-based.
    column: usize,
    repeat: usize,
    found: Option<Found<'static>>,
    formula_without_value: bool,
    has_table: bool,
    /// What is to be said of its time zone.
    zone: Option<&'static str>,
    /// Rows and columns that it spans.
    spans: (u32, usize),
}

impl Cell {
    fn merge(&self, row: u32) -> Option<Merge> {
        let (rows, columns) = self.spans;
        (rows > 1 || columns > 1).then(|| Merge {
            first_row: row,
            last_row: row.saturating_add(rows.saturating_sub(1)),
            first_column: self.column,
            last_column: self.column.saturating_add(columns.saturating_sub(1)),
        })
    }
}

impl Row {
    /// Its cells one by one. Refused before they cost memory where there are too many.
    fn expanded(&self, limits: &Limits) -> Result<Vec<(usize, Found<'static>)>> {
        let filled = self.cells.iter().filter(|cell| cell.found.is_some());
        let count: usize = filled
            .clone()
            .fold(0, |sum, cell| sum.saturating_add(cell.repeat));
        let all = u64::try_from(count)
            .unwrap_or(u64::MAX)
            .saturating_mul(u64::from(self.repeat));
        if all > limits.cells_max {
            return Err(bounds::cells(limits));
        }
        let mut cells = Vec::with_capacity(count);
        for cell in filled {
            if let Some(found) = &cell.found {
                for column in cell.column..cell.column.saturating_add(cell.repeat) {
                    cells.push((column, found.keep()));
                }
            }
        }
        Ok(cells)
    }
}

/// Calls `each` for the rows of the table that has just begun, up to its end.
fn each_row(
    xml: &mut Xml<'_>,
    styles: &Styles,
    mut each: impl FnMut(&Row) -> Result<()>,
) -> Result<()> {
    let mut number: u32 = 1;
    let mut depth = 1_u32;
    let mut columns = ColumnStyles::default();
    while depth > 0 {
        match xml.next()? {
            Event::Start(start) => match start.local_name().as_ref() {
                "table-row" => {
                    let repeat = repeat(&start, "number-rows-repeated")?;
                    let style = attribute(&start, "default-cell-style-name").map(Cow::into_owned);
                    let cells = cells(xml, styles, style.as_deref(), &columns)?;
                    let row = Row {
                        first: number,
                        repeat,
                        cells,
                    };
                    each(&row)?;
                    number = number.saturating_add(repeat);
                }
                "table-column" => {
                    let repeat = repeat(&start, "number-columns-repeated")?;
                    let style = attribute(&start, "default-cell-style-name").unwrap_or_default();
                    columns.add(repeat, style.into_owned());
                    depth += 1;
                }
                "shapes" | "forms" | "table" => xml.skip()?,
                _ => depth += 1,
            },
            Event::End(_) => depth -= 1,
            Event::Eof => return Err(damaged()),
            _ => {}
        }
    }
    Ok(())
}

fn repeat(start: &BytesStart<'_>, key: &str) -> Result<u32> {
    match raw_attribute(start.attributes_raw(), key) {
        Some(text) => text
            .trim()
            .parse::<u32>()
            .map(|count| count.max(1))
            .map_err(|_| damaged()),
        None => Ok(1),
    }
}

/// The default style of the cells of each column.
#[derive(Default)]
struct ColumnStyles {
    /// The column after the last one of each style.
    ends: Vec<(usize, String)>,
}

impl ColumnStyles {
    fn add(&mut self, repeat: u32, style: String) {
        let begin = self.ends.last().map_or(0, |(end, _)| *end);
        let count = usize::try_from(repeat).unwrap_or(usize::MAX);
        self.ends.push((begin.saturating_add(count), style));
    }

    fn of(&self, column: usize) -> &str {
        let at = self.ends.partition_point(|(end, _)| *end <= column);
        self.ends.get(at).map_or("", |(_, style)| style)
    }
}

/// The cells of the row that has just begun, up to its end.
fn cells(
    xml: &mut Xml<'_>,
    styles: &Styles,
    row_style: Option<&str>,
    columns: &ColumnStyles,
) -> Result<Vec<Cell>> {
    let mut cells = Vec::new();
    let mut column: usize = 0;
    loop {
        match xml.next()? {
            Event::Start(start) => {
                let name = start.local_name();
                if !matches!(name.as_ref(), "table-cell" | "covered-table-cell") {
                    xml.skip()?;
                    continue;
                }
                let start = start.into_owned();
                let repeat = repeat(&start, "number-columns-repeated")?;
                let repeat = usize::try_from(repeat).unwrap_or(usize::MAX);
                let content = ods_text::cell(xml)?;
                let text = content.text;
                // An empty paragraph without a type is the result "", as LibreOffice writes it; what its
                // format shows stands there, too.
                let untyped = attribute(&start, "formula").is_some()
                    && attribute(&start, "value-type").is_none();
                let formula_without_value = untyped && text.as_deref() != Some("");
                let text = text.unwrap_or_default();
                let style = attribute(&start, "style-name");
                let shape = match (&style, row_style) {
                    (Some(name), _) => styles.shape(name),
                    (None, Some(name)) => styles.shape(name),
                    (None, None) => styles.shape(columns.of(column)),
                };
                let mut found = value(&start, text, shape)?;
                if untyped && !matches!(found, Some(Found::Error(_))) {
                    found = None;
                }
                let zone = found.as_ref().and_then(|found| {
                    let moment = raw_attribute(start.attributes_raw(), "date-value")?;
                    moment::zone(moment, found)
                });
                let cell = Cell {
                    column,
                    repeat,
                    zone,
                    has_table: content.has_table,
                    formula_without_value: formula_without_value && found.is_none(),
                    found,
                    spans: spans(&start),
                };
                let is_told = cell.formula_without_value || cell.has_table;
                if cell.found.is_some() || cell.spans != (1, 1) || is_told {
                    cells.push(cell);
                }
                column = column.saturating_add(repeat);
            }
            Event::End(_) => return Ok(cells),
            Event::Eof => return Err(damaged()),
            _ => {}
        }
    }
}

fn spans(start: &BytesStart<'_>) -> (u32, usize) {
    let raw = start.attributes_raw();
    let rows = raw_attribute(raw, "number-rows-spanned").and_then(|text| text.parse().ok());
    let columns = raw_attribute(raw, "number-columns-spanned").and_then(|text| text.parse().ok());
    (rows.unwrap_or(1), columns.unwrap_or(1))
}

/// A cell's value by its type; its text where the type is unknown.
fn value(start: &BytesStart<'_>, text: String, shape: &Shape) -> Result<Option<Found<'static>>> {
    let raw = start.attributes_raw();
    // `calcext:value-type` says "error" where `office:value-type` says "string" or "float".
    let kinds =
        super::xml::attributes(raw).filter(|(key, _)| key.rsplit(':').next() == Some("value-type"));
    let (mut kind, mut is_error) = ("", false);
    for (key, value) in kinds {
        if value == "error" {
            is_error = true;
        }
        if kind.is_empty() || !key.starts_with("calcext:") {
            kind = value;
        }
    }
    let is_error = is_error || (attribute(start, "formula").is_some() && looks_like_error(&text));
    if is_error && !text.is_empty() {
        return Ok(Some(Found::Error(Cow::Owned(text))));
    }
    let number = || -> Result<Option<Found<'static>>> {
        let Some(value) = raw_attribute(raw, "value") else {
            return Ok(as_text(&text));
        };
        let value: f64 = value.trim().parse().map_err(|_| damaged())?;
        let shape = match shape {
            Shape::Zeros(_) => shape,
            Shape::Number | Shape::Date | Shape::DateTime | Shape::Time | Shape::Duration => {
                &Shape::Number
            }
        };
        Ok(Some(moment::number(value, shape, false)))
    };
    Ok(match kind {
        // LibreOffice's way to write a boolean that has a number's format.
        "float" if raw_attribute(raw, "formula") == Some("of:=TRUE()") => Some(Found::Bool(true)),
        "float" if raw_attribute(raw, "formula") == Some("of:=FALSE()") => Some(Found::Bool(false)),
        "float" | "percentage" | "currency" => number()?,
        "date" => match raw_attribute(raw, "date-value") {
            Some(value) => Some(moment::iso(value, shape).keep()),
            None => as_text(&text),
        },
        "time" => match raw_attribute(raw, "time-value") {
            Some(value) => moment::iso_span(value, shape).or_else(|| as_text(&text)),
            None => as_text(&text),
        },
        "boolean" => match raw_attribute(raw, "boolean-value") {
            Some("true") => Some(Found::Bool(true)),
            Some("false") => Some(Found::Bool(false)),
            _ => as_text(&text),
        },
        "string" => match attribute(start, "string-value") {
            // The paragraphs show what the cell's format makes of it; an attribute has no line breaks.
            Some(value) if !value.split_whitespace().eq(text.split_whitespace()) => as_text(&value),
            _ => as_text(&text),
        },
        _ => as_text(&text),
    })
}

fn as_text(text: &str) -> Option<Found<'static>> {
    (!text.is_empty()).then(|| Found::Text(Cow::Owned(text.to_owned())))
}

/// The texts that stand for an error in the result of a formula.
fn looks_like_error(text: &str) -> bool {
    matches!(
        text,
        "#N/A" | "#DIV/0!" | "#VALUE!" | "#REF!" | "#NAME?" | "#NUM!" | "#NULL!"
    ) || text
        .strip_prefix("Err:")
        .is_some_and(|code| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_a_format_shows_are_no_part_of_a_text() {
        let read = |stored: &str, shown: &str| {
            let start = BytesStart::new("table:table-cell").with_attributes([
                ("office:value-type", "string"),
                ("office:string-value", stored),
            ]);
            value(&start, shown.to_owned(), &Shape::Number).unwrap()
        };
        for (stored, shown, wanted) in [
            ("Acme", "Acme GmbH", Some("Acme")),
            ("", " kg", None),
            ("shown", "", Some("shown")),
            ("a b", "a\nb", Some("a\nb")),
        ] {
            let wanted = wanted.map(|text| Found::Text(text.into()));
            assert_eq!(read(stored, shown), wanted, "{stored}");
        }
    }

    #[test]
    fn a_boolean_that_libreoffice_writes_as_a_formula_is_one() {
        let read = |formula: &str, number: &str| {
            let start = BytesStart::new("table:table-cell").with_attributes([
                ("table:formula", formula),
                ("office:value-type", "float"),
                ("office:value", number),
            ]);
            value(&start, "shown".to_owned(), &Shape::Number).unwrap()
        };
        assert_eq!(read("of:=TRUE()", "1"), Some(Found::Bool(true)));
        assert_eq!(read("of:=FALSE()", "0"), Some(Found::Bool(false)));
        let other = read("of:=1+TRUE()", "2");
        assert!(matches!(other, Some(Found::Number(_) | Found::Json(_))));
    }
}
