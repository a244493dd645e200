//! The styles of an OpenDocument spreadsheet, as far as they say what a cell's value is and which
//! tables are hidden.

use std::collections::HashMap;

use quick_xml::events::{BytesStart, Event};

use super::damaged;
use super::formats::{Shape, shape};
use super::xml::{Xml, attribute, push_reference, raw_attribute};
use crate::error::Result;

/// Digits of a number style; a number has no more.
const DIGITS_MAX: usize = 400;

/// How many parents of a style are asked.
const PARENTS_MAX: usize = 10;

/// Styles by name.
#[derive(Debug, Default)]
pub(super) struct Styles {
    /// What a data style shows.
    data: HashMap<String, Shape>,
    /// Number styles as format codes, for those that apply them on a condition.
    codes: HashMap<String, String>,
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
    pub(super) fn shape(&self, name: &str) -> &Shape {
        let mut name = name;
        for _ in 0..PARENTS_MAX {
            let Some(style) = self.cells.get(name) else {
                break;
            };
            if let Some(data) = &style.data {
                return self.data.get(data).unwrap_or(&Shape::Number);
            }
            match &style.parent {
                Some(parent) => name = parent,
                None => break,
            }
        }
        &Shape::Number
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
            "number-style" | "currency-style" | "percentage-style" | "text-style" => {
                let number = number_code(xml, start, &self.codes)?;
                let shape = Some(shape(&number.whole));
                let zeros = shape.filter(|shape| matches!(shape, Shape::Zeros(_)));
                self.data
                    .insert(name.clone(), zeros.unwrap_or(Shape::Number));
                self.codes.insert(name, number.code);
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

/// A number style as the format code that says the same, section by section.
fn number_code(
    xml: &mut Xml<'_>,
    start: &BytesStart<'_>,
    parts: &HashMap<String, String>,
) -> Result<NumberCode> {
    let mut code = String::new();
    let mut conditions: Vec<(String, &String)> = Vec::new();
    let (mut digits, mut embedded) = (None, Vec::new());
    let mut inside: Vec<String> = Vec::new();
    let mut text = String::new();
    loop {
        match xml.next()? {
            Event::Start(start) => {
                let raw = start.attributes_raw();
                let name = start.local_name().as_ref().to_owned();
                let whole = |key| raw_attribute(raw, key).and_then(|text| text.parse().ok());
                match name.as_str() {
                    "number" => {
                        let grouping = raw_attribute(raw, "grouping") == Some("true");
                        digits = Some(Digits {
                            least: whole("min-integer-digits").unwrap_or(0).min(DIGITS_MAX),
                            strange: grouping || whole("decimal-places").unwrap_or(0) > 0,
                        });
                    }
                    "embedded-text" => {
                        embedded.push((whole("position").unwrap_or(0), String::new()))
                    }
                    "scientific-number" | "fraction" => code.push('E'),
                    "text-content" => code.push('@'),
                    "map" => conditions.extend(
                        attribute(&start, "condition")
                            .map(|condition| condition.trim_start_matches("value()").to_owned())
                            .zip(
                                attribute(&start, "apply-style-name").and_then(|n| parts.get(&*n)),
                            ),
                    ),
                    _ => {}
                }
                text.clear();
                inside.push(name);
            }
            Event::Text(part) => text.push_str(&part.xml10_content()),
            Event::GeneralRef(reference) => push_reference(&mut text, &reference)?,
            Event::End(_) => match inside.pop().as_deref() {
                None => break,
                Some("text" | "currency-symbol") => {
                    code.extend(text.drain(..).flat_map(|c| ['\\', c]))
                }
                Some("embedded-text") => {
                    if let Some((_, literal)) = embedded.last_mut() {
                        *literal = std::mem::take(&mut text);
                    }
                }
                Some("number") => {
                    if let Some(digits) = digits.take() {
                        digits.write(&embedded, &mut code);
                    }
                    embedded.clear();
                }
                Some(_) => {}
            },
            Event::Eof => return Err(damaged()),
            _ => {}
        }
    }
    if start.local_name().as_ref() == "percentage-style" {
        code.push('%');
    }
    let plain: Vec<&str> = conditions.iter().map(|(text, _)| text.as_str()).collect();
    // What the sections of a code mean without a condition.
    let plain = matches!(
        plain.as_slice(),
        [">=0"] | [">0", "<0"] | [">0", "<0", "=0"] | ["<=1.7976931348623157E+308"]
    );
    let mut whole = String::new();
    for (condition, part) in &conditions {
        if !plain {
            whole.push_str(&format!("[{condition}]"));
        }
        whole.push_str(part);
        whole.push(';');
    }
    whole.push_str(&code);
    Ok(NumberCode { code, whole })
}

/// A number style as a format code: its own section, and with those of other conditions.
struct NumberCode {
    code: String,
    whole: String,
}

/// The digits before the point that a style shows at least.
struct Digits {
    least: usize,
    /// Whether it shows more than digits: a fraction, thousands.
    strange: bool,
}

impl Digits {
    /// Writes them with the texts between them, which count from the right.
    fn write(&self, embedded: &[(usize, String)], code: &mut String) {
        if self.least == 0 {
            code.push('#');
        }
        for left in (0..self.least).rev() {
            code.push('0');
            for (_, text) in embedded
                .iter()
                .filter(|(place, _)| *place == left && left > 0)
            {
                code.extend(text.chars().flat_map(|c| ['\\', c]));
            }
        }
        if self.strange {
            code.push(',');
        }
    }
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
