//! The text of an OpenDocument cell: its paragraphs, with white space as ODF counts it.

use quick_xml::events::Event;

use super::damaged;
use super::xml::{Xml, push_reference, raw_attribute};
use crate::error::Result;

/// Characters that one `text:s` may stand for.
const SPACES_MAX: usize = 32_767;

/// Reads the paragraphs of the cell that has just begun, up to its end, joined by line breaks.
///
/// # Errors
/// `unreadable-file`.
pub(super) fn cell(xml: &mut Xml<'_>) -> Result<String> {
    let mut text = String::new();
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
                // Notes, pictures, shapes: not the cell's text.
                _ => xml.skip()?,
            },
            Event::End(_) => depth -= 1,
            Event::Eof => return Err(damaged()),
            _ => {}
        }
    }
    Ok(text)
}

fn paragraph(xml: &mut Xml<'_>, text: &mut String) -> Result<()> {
    let mut depth = 1_u32;
    // White space at a paragraph's start counts for nothing, and a run of it as one space.
    let begin = text.len();
    let mut open = false;
    while depth > 0 {
        match xml.next()? {
            Event::Start(start) => match start.local_name().as_ref() {
                "s" => {
                    let count = raw_attribute(start.attributes_raw(), "c")
                        .map_or(Some(1), |count| count.trim().parse().ok())
                        .filter(|count| *count <= SPACES_MAX)
                        .ok_or_else(damaged)?;
                    text.extend(std::iter::repeat_n(' ', count));
                    open = true;
                    depth += 1;
                }
                "tab" => {
                    text.push('\t');
                    open = true;
                    depth += 1;
                }
                "line-break" => {
                    text.push('\n');
                    open = true;
                    depth += 1;
                }
                "note" | "ruby-text" | "annotation" => xml.skip()?,
                _ if start.name().as_ref().starts_with("text:") => depth += 1,
                _ => xml.skip()?,
            },
            Event::End(_) => depth -= 1,
            Event::Text(part) => collapse(text, begin, &mut open, &part.xml10_content()),
            Event::CData(part) => collapse(text, begin, &mut open, &part.xml10_content()),
            Event::GeneralRef(reference) => {
                push_reference(text, &reference)?;
                open = true;
            }
            Event::Eof => return Err(damaged()),
            _ => {}
        }
    }
    // A run of white space that came last was written as one space and counts for nothing.
    if !open && text.len() > begin && text.ends_with(' ') {
        text.pop();
    }
    Ok(())
}

/// Appends text with each run of white space as one space. `open` says that what came last was no
/// such space.
fn collapse(text: &mut String, begin: usize, open: &mut bool, part: &str) {
    for char in part.chars() {
        if matches!(char, ' ' | '\t' | '\n' | '\r') {
            if *open && text.len() > begin {
                text.push(' ');
                *open = false;
            }
        } else {
            text.push(char);
            *open = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(inner: &str) -> String {
        let whole = format!("<table:table-cell>{inner}</table:table-cell>");
        let mut xml = Xml::new(Box::new(whole.as_bytes())).unwrap();
        xml.next().unwrap();
        cell(&mut xml).unwrap()
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
            text("<text:p>a <text:span>b</text:span> c &amp; d</text:p>"),
            "a b c & d"
        );
        assert_eq!(
            text("<office:annotation><text:p>no</text:p></office:annotation><text:p>yes</text:p>"),
            "yes"
        );
    }
}
