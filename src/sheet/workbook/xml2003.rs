//! XML Spreadsheet 2003, which many office systems write and name .xls: one XML file, as a stream.
//! It is gone through twice, because what is hidden or merged is told after or among the rows.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use quick_xml::events::{BytesStart, Event};

use super::super::Visibility;
use super::super::assemble::{Found, Merge};
use super::book::{Book, Listed, Rows};
use super::damaged;
use super::formats::{Shape, shape};
use super::moment;
use super::xml::{Xml, attribute, push_reference, raw_attribute};
use crate::error::Result;

/// Reads all worksheets.
///
/// # Errors
/// As [`super::read`].
pub(super) fn read(path: &Path, book: &mut Book<'_, '_>) -> Result<()> {
    let mut looked = Vec::new();
    let mut styles = Styles::default();
    let mut xml = open(path)?;
    while let Some(name) = next_sheet(&mut xml, &mut styles)? {
        looked.push(look(&mut xml, name)?);
    }
    book.list(looked.iter().map(|sheet| sheet.listed.clone()).collect())?;
    let mut xml = open(path)?;
    for sheet in looked {
        next_sheet(&mut xml, &mut styles)?.ok_or_else(damaged)?;
        book.sheet(sheet.merges, sheet.rows, |rows| {
            each_row(&mut xml, |xml, number| emit(xml, number, &styles, rows))
        })?;
    }
    Ok(())
}

fn open(path: &Path) -> Result<Xml<'static>> {
    Xml::new(Box::new(BufReader::new(File::open(path)?)))
}

/// Styles that follow from one another.
const PARENTS_MAX: usize = 16;

/// Columns that a style may be told of.
const COLUMNS_MAX: usize = 16_384;

/// What the styles of the workbook show, by their ids, and where its days are counted from.
#[derive(Debug, Default)]
struct Styles {
    shapes: HashMap<String, Shape>,
    /// The style that each goes by where it says nothing itself.
    parents: HashMap<String, String>,
    id: String,
    date1904: bool,
}

impl Styles {
    /// What a style shows; a style that tells nothing shows what its parent does.
    fn shape(&self, id: &str) -> &Shape {
        let mut id = id;
        for _ in 0..PARENTS_MAX {
            if let Some(shape) = self.shapes.get(id) {
                return shape;
            }
            match self.parents.get(id) {
                Some(parent) => id = parent,
                None => break,
            }
        }
        &Shape::Number
    }
}

/// Goes on to the next worksheet and gives its name; `None` at the end of the workbook.
fn next_sheet(xml: &mut Xml<'_>, styles: &mut Styles) -> Result<Option<String>> {
    loop {
        match xml.next()? {
            Event::Start(start) => match start.local_name().as_ref() {
                "Worksheet" => {
                    return Ok(Some(
                        attribute(&start, "Name").unwrap_or_default().into_owned(),
                    ));
                }
                "Style" => {
                    styles.id = attribute(&start, "ID").unwrap_or_default().into_owned();
                    if let Some(parent) = attribute(&start, "Parent") {
                        styles
                            .parents
                            .insert(styles.id.clone(), parent.into_owned());
                    }
                }
                "NumberFormat" => {
                    let code = attribute(&start, "Format").unwrap_or_default();
                    styles.shapes.insert(styles.id.clone(), named(&code));
                }
                "Date1904" => styles.date1904 = true,
                _ => {}
            },
            Event::End(end) if end.local_name().as_ref() == "Workbook" => return Ok(None),
            Event::Eof => return Err(damaged()),
            _ => {}
        }
    }
}

/// The shape of a format by its name or its code.
fn named(code: &str) -> Shape {
    match code {
        "General Date" => Shape::DateTime,
        "Long Date" | "Medium Date" | "Short Date" => Shape::Date,
        "Long Time" | "Medium Time" | "Short Time" => Shape::Time,
        "General" | "General Number" | "Currency" | "Euro Currency" | "Fixed" | "Standard"
        | "Percent" | "Scientific" | "Yes/No" | "True/False" | "On/Off" => Shape::Number,
        _ => shape(code),
    }
}

/// What has to be known of a sheet before its first row.
struct Looked {
    listed: Listed,
    merges: Vec<Merge>,
    rows: u64,
}

fn look(xml: &mut Xml<'_>, name: String) -> Result<Looked> {
    let mut merges = Vec::new();
    let mut rows = 0;
    let mut visibility = Visibility::Visible;
    let mut in_visible = false;
    let mut place = Place::default();
    loop {
        match xml.next()? {
            Event::Start(start) => match start.local_name().as_ref() {
                "Row" => {
                    place.row(&start)?;
                    rows += 1;
                }
                "Cell" => {
                    let column = place.cell(&start)?;
                    merges.extend(merge(&start, place.row, column));
                }
                name => in_visible = name == "Visible",
            },
            Event::Text(text) if in_visible => {
                visibility = match text.xml10_content().trim() {
                    "SheetHidden" => Visibility::Hidden,
                    "SheetVeryHidden" => Visibility::VeryHidden,
                    _ => Visibility::Visible,
                };
            }
            Event::End(end) => {
                in_visible = false;
                if end.local_name().as_ref() == "Worksheet" {
                    return Ok(Looked {
                        listed: Listed { name, visibility },
                        merges,
                        rows,
                    });
                }
            }
            Event::Eof => return Err(damaged()),
            _ => {}
        }
    }
}

/// Counts rows and columns, which only some rows and cells tell.
#[derive(Default)]
struct Place {
    /// The row that has begun, 1-based.
    row: u32,
    /// Rows without cells that follow it.
    span: u32,
    column_next: usize,
    /// The style of the row that has begun, of columns (with the first and the last of them), and of all.
    row_style: Option<String>,
    columns: Vec<(usize, usize, Option<String>)>,
    style: Option<String>,
}

impl Place {
    /// The style of a cell that has none of its own.
    fn style(&self, column: usize) -> &str {
        let of_column = || {
            let mut columns = self.columns.iter();
            let (.., style) =
                columns.find(|(first, last, _)| (*first..=*last).contains(&column))?;
            style.as_deref()
        };
        let row = self.row_style.as_deref();
        row.or_else(of_column)
            .or(self.style.as_deref())
            .unwrap_or("Default")
    }

    /// Columns that a sheet tells of before its rows.
    fn column(&mut self, start: &BytesStart<'_>) {
        let raw = start.attributes_raw();
        let after = self.columns.last().map_or(0, |(_, last, _)| last + 1);
        let first = match count(raw, "Index").checked_sub(1) {
            Some(index) => usize::try_from(index).unwrap_or(COLUMNS_MAX),
            None => after,
        };
        let span = usize::try_from(count(raw, "Span")).unwrap_or(COLUMNS_MAX);
        if first < COLUMNS_MAX && self.columns.len() < COLUMNS_MAX {
            let style = attribute(start, "StyleID").map(Cow::into_owned);
            self.columns
                .push((first, first.saturating_add(span), style));
        }
    }

    fn row(&mut self, start: &BytesStart<'_>) -> Result<()> {
        let raw = start.attributes_raw();
        self.row = match raw_attribute(raw, "Index") {
            Some(number) => number.trim().parse().map_err(|_| damaged())?,
            None => self.row.saturating_add(self.span).saturating_add(1),
        };
        self.span = count(raw, "Span");
        self.row_style = attribute(start, "StyleID").map(Cow::into_owned);
        self.column_next = 0;
        Ok(())
    }

    /// The 0-based column of a cell.
    fn cell(&mut self, start: &BytesStart<'_>) -> Result<usize> {
        let raw = start.attributes_raw();
        let column = match raw_attribute(raw, "Index") {
            Some(number) => number
                .trim()
                .parse::<usize>()
                .ok()
                .and_then(|number| number.checked_sub(1))
                .ok_or_else(damaged)?,
            None => self.column_next,
        };
        let across = usize::try_from(count(raw, "MergeAcross")).unwrap_or(0);
        self.column_next = column.saturating_add(across).saturating_add(1);
        Ok(column)
    }
}

fn count(raw: &str, name: &str) -> u32 {
    raw_attribute(raw, name)
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(0)
}

fn merge(start: &BytesStart<'_>, row: u32, column: usize) -> Option<Merge> {
    let raw = start.attributes_raw();
    let (across, down) = (count(raw, "MergeAcross"), count(raw, "MergeDown"));
    (across > 0 || down > 0).then(|| Merge {
        first_row: row,
        last_row: row.saturating_add(down),
        first_column: column,
        last_column: column.saturating_add(usize::try_from(across).unwrap_or(0)),
    })
}

/// Calls `each` where a row begins, up to the end of the worksheet; it reads the row to its end.
fn each_row(
    xml: &mut Xml<'_>,
    mut each: impl FnMut(&mut Xml<'_>, &mut Place) -> Result<()>,
) -> Result<()> {
    let mut place = Place::default();
    loop {
        match xml.next()? {
            Event::Start(start) => match start.local_name().as_ref() {
                "Row" => {
                    place.row(&start)?;
                    each(xml, &mut place)?;
                }
                "Column" => place.column(&start),
                "Table" => place.style = attribute(&start, "StyleID").map(Cow::into_owned),
                _ => {}
            },
            Event::End(end) if end.local_name().as_ref() == "Worksheet" => return Ok(()),
            Event::Eof => return Err(damaged()),
            _ => {}
        }
    }
}

fn emit(
    xml: &mut Xml<'_>,
    place: &mut Place,
    styles: &Styles,
    rows: &mut Rows<'_, '_>,
) -> Result<()> {
    let mut cells = Vec::new();
    loop {
        match xml.next()? {
            Event::Start(start) if start.local_name().as_ref() == "Cell" => {
                let column = place.cell(&start)?;
                let style = attribute(&start, "StyleID");
                let shape = styles.shape(style.as_deref().unwrap_or_else(|| place.style(column)));
                let has_formula = attribute(&start, "Formula").is_some();
                let mut zone = None;
                let (found, is_text) = value(xml, shape, styles.date1904, &mut zone)?;
                match found {
                    Some(found) => {
                        if let Some(sentence) = zone {
                            rows.notice("time-zone", Some((column, place.row)), sentence);
                        }
                        cells.push((column, found));
                    }
                    // A text without letters is a result, too.
                    None if has_formula && !is_text => {
                        rows.formula_without_value(column, place.row)
                    }
                    None => {}
                }
            }
            Event::Start(_) => xml.skip()?,
            Event::End(_) => {
                return rows.unsorted(place.row, &mut cells);
            }
            Event::Eof => return Err(damaged()),
            _ => {}
        }
    }
}

/// The value of the cell that has just begun, up to the cell's end, whether it is a text, and what is to
/// be said of its time zone.
fn value(
    xml: &mut Xml<'_>,
    shape: &Shape,
    date1904: bool,
    zone: &mut Option<&'static str>,
) -> Result<(Option<Found<'static>>, bool)> {
    let (mut found, mut is_text) = (None, false);
    loop {
        match xml.next()? {
            Event::Start(start) if start.local_name().as_ref() == "Data" => {
                let kind = attribute(&start, "Type").unwrap_or_default().into_owned();
                let text = data(xml)?;
                is_text = kind == "String";
                found = typed(&kind, &text, shape, date1904)?;
                *zone = found
                    .as_ref()
                    .filter(|_| kind == "DateTime")
                    .and_then(|found| moment::zone(&text, found));
            }
            // Comments have texts of their own.
            Event::Start(_) => xml.skip()?,
            Event::End(_) => return Ok((found, is_text)),
            Event::Eof => return Err(damaged()),
            _ => {}
        }
    }
}

/// The text of the data element that has just begun, that of its runs included.
fn data(xml: &mut Xml<'_>) -> Result<String> {
    let mut text = String::new();
    let mut depth = 1_u32;
    while depth > 0 {
        match xml.next()? {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            Event::Text(part) => text.push_str(&part.xml10_content()),
            Event::CData(part) => text.push_str(&part.xml10_content()),
            Event::GeneralRef(reference) => push_reference(&mut text, &reference)?,
            Event::Eof => return Err(damaged()),
            _ => {}
        }
    }
    Ok(text)
}

fn typed(kind: &str, text: &str, shape: &Shape, date1904: bool) -> Result<Option<Found<'static>>> {
    if text.is_empty() {
        return Ok(None);
    }
    Ok(Some(match kind {
        "Number" => {
            let number: f64 = text.trim().parse().map_err(|_| damaged())?;
            moment::number(number, shape, date1904)
        }
        "Boolean" => Found::Bool(text.trim() == "1"),
        "Error" => Found::Error(Cow::Owned(text.to_owned())),
        "DateTime" => moment::instant(text, shape, date1904).keep(),
        _ => Found::Text(Cow::Owned(text.to_owned())),
    }))
}
