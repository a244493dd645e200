//! The styles of an OpenDocument spreadsheet, as far as they say what a cell's value is and which
//! tables are hidden.

use std::collections::HashMap;

use quick_xml::events::{BytesStart, Event};

use super::damaged;
use super::formats::Shape;
use super::xml::{Xml, attribute, raw_attribute};
use crate::error::Result;

/// How many parents of a style are asked.
const PARENTS_MAX: usize = 10;

/// Styles by name.
#[derive(Debug, Default)]
pub(super) struct Styles {
    /// What a data style shows.
    data: HashMap<String, Shape>,
    cells: HashMap<String, CellStyle>,
    /// Table styles that hide their table.
    hidden: Vec<String>,
}

#[derive(Debug)]
struct CellStyle {
    data: Option<String>,
    parent: Option<String>,
}

impl Styles {
    /// What the style of that name shows.
    pub(super) fn shape(&self, name: &str) -> Shape {
        let mut name = name;
        for _ in 0..PARENTS_MAX {
            let Some(style) = self.cells.get(name) else {
                break;
            };
            if let Some(data) = &style.data {
                return self.data.get(data).copied().unwrap_or(Shape::Number);
            }
            match &style.parent {
                Some(parent) => name = parent,
                None => break,
            }
        }
        Shape::Number
    }

    pub(super) fn hides(&self, table_style: &str) -> bool {
        self.hidden.iter().any(|name| name == table_style)
    }

    /// Reads the style that begins with `start`, where it is one.
    ///
    /// # Errors
    /// `unreadable-file`.
    pub(super) fn take(&mut self, xml: &mut Xml<'_>, start: &BytesStart<'_>) -> Result<()> {
        let name = attribute(start, "name").unwrap_or_default().into_owned();
        match start.local_name().as_ref() {
            "style" => {
                let own = |key| attribute(start, key).map(std::borrow::Cow::into_owned);
                let style = CellStyle {
                    data: own("data-style-name"),
                    parent: own("parent-style-name"),
                };
                match raw_attribute(start.attributes_raw(), "family") {
                    Some("table-cell") => {
                        self.cells.insert(name, style);
                    }
                    Some("table") if hides(xml)? => self.hidden.push(name),
                    _ => {}
                }
            }
            "number-style" => {
                let shape = zeros(xml)?;
                self.data.insert(name, shape);
            }
            "date-style" => {
                let shape = date(xml)?;
                self.data.insert(name, shape);
            }
            "time-style" => {
                let elapsed =
                    raw_attribute(start.attributes_raw(), "truncate-on-overflow") == Some("false");
                let shape = if elapsed {
                    Shape::Duration
                } else {
                    Shape::Time
                };
                self.data.insert(name, shape);
            }
            _ => {}
        }
        Ok(())
    }
}

/// The elements inside the one that has just begun.
fn inside(xml: &mut Xml<'_>, mut each: impl FnMut(&BytesStart<'_>)) -> Result<()> {
    let mut depth = 1_u32;
    while depth > 0 {
        match xml.next()? {
            Event::Start(start) => {
                depth += 1;
                each(&start);
            }
            Event::End(_) => depth -= 1,
            Event::Eof => return Err(damaged()),
            _ => {}
        }
    }
    Ok(())
}

fn hides(xml: &mut Xml<'_>) -> Result<bool> {
    let mut hides = false;
    inside(xml, |start| {
        if start.local_name().as_ref() == "table-properties" {
            hides = raw_attribute(start.attributes_raw(), "display") == Some("false");
        }
    })?;
    Ok(hides)
}

/// A number style that is nothing but digits, several at least.
fn zeros(xml: &mut Xml<'_>) -> Result<Shape> {
    let mut shape = Shape::Number;
    let mut plain = true;
    inside(xml, |start| {
        let whole = |key| {
            raw_attribute(start.attributes_raw(), key).and_then(|value| value.parse::<u8>().ok())
        };
        match start.local_name().as_ref() {
            "number" => match (whole("min-integer-digits"), whole("decimal-places")) {
                (Some(digits @ 2..), None | Some(0)) => shape = Shape::Zeros(digits),
                _ => plain = false,
            },
            "text-properties" | "map" => {}
            _ => plain = false,
        }
    })?;
    Ok(if plain { shape } else { Shape::Number })
}

fn date(xml: &mut Xml<'_>) -> Result<Shape> {
    let mut date = false;
    let mut time = false;
    inside(xml, |start| match start.local_name().as_ref() {
        "year" | "month" | "day" | "day-of-week" | "week-of-year" | "quarter" | "era" => {
            date = true;
        }
        "hours" | "minutes" | "seconds" => time = true,
        _ => {}
    })?;
    Ok(match (date, time) {
        (true, true) => Shape::DateTime,
        (false, true) => Shape::Time,
        (_, false) => Shape::Date,
    })
}
