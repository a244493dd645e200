//! The text of an OpenDocument cell: its paragraphs, without the layout of the XML.

use quick_xml::events::Event;

use super::damaged;
use super::xml::{Xml, push_reference, raw_attribute};
use crate::error::Result;

/// Characters that one `text:s` may stand for.
const SPACES_MAX: usize = 32_767;

/// What a cell holds.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// Its paragraphs, joined by line breaks; `None` where there is none.
    pub(super) text: Option<String>,
    /// Whether there is a table in it, which is no text.
    pub(super) has_table: bool,
}

/// Reads the cell that has just begun, up to its end.
///
/// # Errors
/// `unreadable-file`.
pub(super) fn cell(xml: &mut Xml<'_>) -> Result<Content> {
    let mut text = String::new();
    let mut has_table = false;
    let mut depth = 1_u32;
    let mut any = false;
    while depth > 0 {
        match xml.next()? {
            Event::Start(start) => match start.local_name().as_ref() {
                "p" | "h" => {
                    if any {
                        text.push('\n');
                    }
                    any = true;
                    paragraph(xml, &mut text)?;
                }
                "list" | "list-item" | "section" => depth += 1,
                "table" => {
                    has_table = true;
                    xml.skip()?;
                }
                // Notes, pictures, shapes: not the cell's text.
                _ => xml.skip()?,
            },
            Event::End(_) => depth -= 1,
            Event::Eof => return Err(damaged()),
            _ => {}
        }
    }
    Ok(Content {
        text: any.then_some(text),
        has_table,
    })
}

fn paragraph(xml: &mut Xml<'_>, text: &mut String) -> Result<()> {
    let mut depth = 1_u32;
    let mut run = Run {
        begin: text.len(),
        space: String::new(),
    };
    while depth > 0 {
        match xml.next()? {
            Event::Start(start) => match start.local_name().as_ref() {
                "s" => {
                    let count = raw_attribute(start.attributes_raw(), "c")
                        .map_or(Some(1), |count| count.trim().parse().ok())
                        .filter(|count| *count <= SPACES_MAX)
                        .ok_or_else(damaged)?;
                    run.end(text);
                    text.extend(std::iter::repeat_n(' ', count));
                    depth += 1;
                }
                "tab" => {
                    run.end(text);
                    text.push('\t');
                    depth += 1;
                }
                "line-break" => {
                    run.end(text);
                    text.push('\n');
                    depth += 1;
                }
                "note" | "ruby-text" | "annotation" => xml.skip()?,
                _ if start.name().as_ref().starts_with("text:") => depth += 1,
                _ => xml.skip()?,
            },
            Event::End(_) => depth -= 1,
            Event::Text(part) => run.push(text, &part.xml10_content()),
            Event::CData(part) => run.push(text, &part.xml10_content()),
            Event::GeneralRef(reference) => {
                run.end(text);
                push_reference(text, &reference)?;
            }
            Event::Eof => return Err(damaged()),
            _ => {}
        }
    }
    if !run.is_layout() {
        text.push_str(&run.space);
    }
    Ok(())
}

/// A run of white space. ODF counts any such run as one space, and as nothing at a paragraph's
/// edge; spreadsheet programs write runs of spaces all the same and read them as they stand. So
/// only what has a line end in it, the layout of the XML, is counted as ODF says.
struct Run {
    /// Where the paragraph begins in the text.
    begin: usize,
    space: String,
}

impl Run {
    fn push(&mut self, text: &mut String, part: &str) {
        for char in part.chars() {
            if matches!(char, ' ' | '\t' | '\n' | '\r') {
                self.space.push(char);
            } else {
                self.end(text);
                text.push(char);
            }
        }
    }

    /// Something else follows.
    fn end(&mut self, text: &mut String) {
        if !self.is_layout() {
            text.push_str(&self.space);
        } else if text.len() > self.begin {
            text.push(' ');
        }
        self.space.clear();
    }

    fn is_layout(&self) -> bool {
        self.space.contains(['\n', '\r'])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(inner: &str) -> String {
        let whole = format!("<table:table-cell>{inner}</table:table-cell>");
        let mut xml = Xml::new(Box::new(whole.as_bytes())).unwrap();
        xml.next().unwrap();
        cell(&mut xml).unwrap().text.unwrap_or_default()
    }

    #[test]
    fn paragraphs_spaces_and_breaks_are_kept_and_layout_is_not() {
        assert_eq!(text("<text:p>a</text:p>\n <text:p>b</text:p>"), "a\nb");
        assert_eq!(text("<text:p>\n  a\n  b \n</text:p>"), "a b");
        assert_eq!(
            text("<text:p><text:s text:c=\"2\"/>a<text:tab/>b<text:line-break/>c</text:p>"),
            "  a\tb\nc"
        );
        assert_eq!(
            text("<text:p>a <text:span>b</text:span>   c &amp; d </text:p>"),
            "a b   c & d "
        );
        assert_eq!(
            text("<office:annotation><text:p>no</text:p></office:annotation><text:p>yes</text:p>"),
            "yes"
        );
    }
}
