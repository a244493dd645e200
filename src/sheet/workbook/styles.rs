//! Which number format each cell style of an xlsx has.

use std::collections::HashMap;

use quick_xml::events::Event;

use super::super::bounds::too_complex;
use super::super::notices::counted;
use super::formats::{Shape, built_in, shape};
use super::xml::{Xml, attribute, raw_attribute};
use crate::error::Result;

/// Styles of cells, and number formats; spreadsheet programs have 65,490.
const STYLES_MAX: usize = 1 << 20;

/// The shape of each cell style, by its index.
#[derive(Debug, Default)]
pub(super) struct Styles(Vec<Shape>);

impl Styles {
    /// From the number format of each style, by index, and the formats that the file spells out.
    pub(super) fn new(ids: &[u32], codes: &HashMap<u32, Shape>) -> Styles {
        Styles(
            ids.iter()
                .map(|id| codes.get(id).cloned().unwrap_or_else(|| built_in(*id)))
                .collect(),
        )
    }

    /// A style that the file doesn't have is the plain one.
    pub(super) fn shape(&self, index: usize) -> &Shape {
        self.0.get(index).unwrap_or(&Shape::Number)
    }

    /// Reads a part of the kind `styles.xml`.
    ///
    /// # Errors
    /// `unreadable-file`.
    pub(super) fn read(mut xml: Xml<'_>) -> Result<Styles> {
        let mut codes = HashMap::new();
        let mut ids = Vec::new();
        // All of them, those of named styles too: a part may hold nothing else for gigabytes.
        let mut seen = 0;
        let mut in_cells = false;
        // Conditional formats have formats of their own, which are none of a cell's business.
        let mut in_formats = false;
        loop {
            match xml.next()? {
                Event::Start(start) => {
                    let name = start.local_name();
                    seen += usize::from(matches!(name.as_ref(), "xf" | "numFmt"));
                    if seen > STYLES_MAX {
                        return Err(too_complex(&format!(
                            "The workbook has more than {}. Copy the table to a new file, and add that.",
                            counted(STYLES_MAX, "cell formats")
                        )));
                    }
                    match name.as_ref() {
                        "cellXfs" => in_cells = true,
                        "numFmts" => in_formats = true,
                        "numFmt" if in_formats => {
                            let id = raw_attribute(start.attributes_raw(), "numFmtId")
                                .and_then(|id| id.trim().parse().ok());
                            if let (Some(id), Some(code)) = (id, attribute(&start, "formatCode")) {
                                codes.insert(id, shape(&code));
                            }
                        }
                        "xf" if in_cells => ids.push(
                            raw_attribute(start.attributes_raw(), "numFmtId")
                                .and_then(|id| id.trim().parse().ok())
                                .unwrap_or(0),
                        ),
                        _ => {}
                    }
                }
                Event::End(end) => match end.local_name().as_ref() {
                    "cellXfs" => in_cells = false,
                    "numFmts" => in_formats = false,
                    _ => {}
                },
                Event::Eof => return Ok(Styles::new(&ids, &codes)),
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_have_a_bound() {
        let read = |of: &str, one: &str, count: usize| {
            let part = format!("<s><{of}>{}</{of}></s>", one.repeat(count));
            Styles::read(Xml::new(Box::new(part.as_bytes())).unwrap()).is_ok()
        };
        for (of, one) in [
            ("cellXfs", "<xf/>"),
            ("cellStyleXfs", "<xf/>"),
            ("numFmts", "<numFmt numFmtId='9' formatCode='0'/>"),
        ] {
            assert!(read(of, one, STYLES_MAX), "{of}");
            assert!(!read(of, one, STYLES_MAX + 1), "{of}");
        }
    }

    #[test]
    fn a_style_has_the_format_that_it_names() {
        let part = "<styleSheet><numFmts><numFmt numFmtId='164' formatCode='00000'/></numFmts>\
            <cellStyleXfs><xf numFmtId='14'/></cellStyleXfs>\
            <cellXfs><xf numFmtId='0'/><xf numFmtId='164'/><xf numFmtId='22'/></cellXfs></styleSheet>";
        let styles = Styles::read(Xml::new(Box::new(part.as_bytes())).unwrap()).unwrap();
        assert_eq!(styles.shape(0), &Shape::Number);
        assert!(matches!(styles.shape(1), Shape::Zeros(_)));
        assert_eq!(styles.shape(2), &Shape::DateTime);
        assert_eq!(styles.shape(9), &Shape::Number);
    }
}
