//! Cells and shared strings of an xlsx workbook in their plainest forms: most are, and taking one apart costs a
//! quarter of what a parser does for it. Every other one is the parser's.
//!
//! `<c r="B17" s="1" t="s"><v>5</v></c>`, `<c r="B17" t="inlineStr"><is><t>Five</t></is></c>`,
//! `<si><t>Five</t></si>`

/// A cell as the file has it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plain<'a> {
    /// Its reference.
    pub(super) told: Option<&'a str>,
    pub(super) style: usize,
    /// ECMA-376, ST_CellType; empty where it is not told.
    pub(super) kind: &'a str,
    /// What stands in `v`, or in an inline string's `t`; `None` where the cell is empty.
    pub(super) value: Option<&'a str>,
}

/// The plain cell that `xml` begins with, and what follows it. `None` for any other: one with a formula, a text
/// in runs, a reference (`&amp;`), a prefix, or anything else that is seldom or wrong.
pub(super) fn cell(xml: &[u8]) -> Option<(Plain<'_>, &[u8])> {
    let mut rest = xml.strip_prefix(b"<c ")?;
    let mut plain = Plain {
        told: None,
        style: 0,
        kind: "",
        value: None,
    };
    let mut seen = [false; 3];
    loop {
        let (name, after) = rest.split_first()?;
        let (value, after) = text_before(after.strip_prefix(b"=\"")?, b'"')?;
        let number = match name {
            b'r' => {
                plain.told = Some(value);
                0
            }
            b's' => {
                plain.style = value.parse().ok()?;
                1
            }
            b't' => {
                plain.kind = value;
                2
            }
            _ => return None,
        };
        if std::mem::replace(seen.get_mut(number)?, true) {
            return None;
        }
        match after {
            [b' ', after @ ..] => rest = after,
            [b'>', after @ ..] => {
                rest = after;
                break;
            }
            [b'/', b'>', after @ ..] => return Some((plain, after)),
            _ => return None,
        }
    }
    let (begin, end): (&[u8], &[u8]) = match plain.kind {
        "inlineStr" => (b"<is><t>", b"/t></is></c>"),
        _ => (b"<v>", b"/v></c>"),
    };
    let (value, after) = text_before(rest.strip_prefix(begin)?, b'<')?;
    plain.value = Some(value);
    Some((plain, after.strip_prefix(end)?))
}

/// The text of the plain shared string that `xml` begins with, and what follows it. `None` for any other.
pub(super) fn string(xml: &[u8]) -> Option<(&str, &[u8])> {
    let (text, after) = text_before(xml.strip_prefix(b"<si><t>")?, b'<')?;
    Some((text, after.strip_prefix(b"/t></si>")?))
}

/// What stands before that sign, if it means itself, and what follows the sign.
fn text_before(bytes: &[u8], sign: u8) -> Option<(&str, &[u8])> {
    let special = |byte: &u8| *byte == sign || matches!(byte, b'&' | b'<' | b'>' | b'\r');
    let at = bytes.iter().position(special)?;
    let (text, after) = bytes.split_at_checked(at)?;
    let (found, after) = after.split_first()?;
    if *found != sign {
        return None;
    }
    Some((std::str::from_utf8(text).ok()?, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_cells_are_taken_apart() {
        let (plain, rest) = cell(b"<c r=\"B17\" s=\"3\" t=\"s\"><v>5</v></c><c/>").unwrap();
        assert_eq!(rest, b"<c/>");
        assert_eq!(
            plain,
            Plain {
                told: Some("B17"),
                style: 3,
                kind: "s",
                value: Some("5"),
            }
        );
        let (plain, rest) = cell(b"<c s=\"3\" r=\"C1\"/></row>").unwrap();
        assert_eq!((plain.told, plain.style), (Some("C1"), 3));
        assert_eq!((plain.kind, plain.value), ("", None));
        assert_eq!(rest, b"</row>");
    }

    #[test]
    fn so_are_inline_strings() {
        let xml = "<c r=\"A1\" t=\"inlineStr\"><is><t>Zoë</t></is></c>";
        let (plain, rest) = cell(xml.as_bytes()).unwrap();
        assert_eq!((plain.kind, plain.value), ("inlineStr", Some("Zoë")));
        assert!(rest.is_empty());
    }

    #[test]
    fn so_are_shared_strings() {
        let (text, rest) = string("<si><t>Zoë</t></si><si>".as_bytes()).unwrap();
        assert_eq!((text, rest), ("Zoë", &b"<si>"[..]));
        for xml in [
            "<si><t>a</t></s",
            "<si><t>a&amp;b</t></si>",
            "<si><t>a</t><rPh/></si>",
            "<si><r><t>a</t></r></si>",
            "<si><t xml:space=\"preserve\"> a</t></si>",
            "<si/>",
        ] {
            assert_eq!(string(xml.as_bytes()), None, "{xml}");
        }
    }

    #[test]
    fn all_others_are_the_parsers() {
        for xml in [
            "<c/>",
            "<c><v>1</v></c>",
            "<c  r=\"A1\"><v>1</v></c>",
            "<c r=\"A1\" ><v>1</v></c>",
            "<c r='A1'><v>1</v></c>",
            "<c r=\"A1\" r=\"B1\"><v>1</v></c>",
            "<c r=\"A1\" cm=\"1\"><v>1</v></c>",
            "<c r=\"A1\" s=\"x\"><v>1</v></c>",
            "<c r=\"A1\" t=\"inlineStr\"><v>1</v></c>",
            "<c r=\"A1\" t=\"inlineStr\"><is><t>a</t><t>b</t></is></c>",
            "<c r=\"A1\" t=\"inlineStr\"><is><t>a</t></is><v>1</v></c>",
            "<c r=\"A1\"><is><t>a</t></is></c>",
            "<c r=\"A1\"><f>1</f><v>1</v></c>",
            "<c r=\"A1\"><v>a&amp;b</v></c>",
            "<c r=\"A1\"><v>a\r\nb</v></c>",
            "<c r=\"A1\"><v/></c>",
            "<c r=\"A1\"><v>1</v><is/></c>",
            "<c r=\"A1\"><v>1</v>",
            "<c r=\"A1",
            "<x:c r=\"A1\"><v>1</v></x:c>",
        ] {
            assert_eq!(cell(xml.as_bytes()), None, "{xml}");
        }
        assert_eq!(cell(b"<c r=\"A1\" t=\"str\"><v>\xff</v></c>"), None);
    }
}
