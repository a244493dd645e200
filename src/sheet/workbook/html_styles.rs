//! The number formats that spreadsheet programs write into the styles of a page: `mso-number-format`.

use std::collections::HashMap;

/// The property's name.
const PROPERTY: &str = "mso-number-format";

/// Classes that are kept; a spreadsheet program writes one for each format of cells.
const CLASSES_MAX: usize = 65_536;

/// Bytes of a format that is looked at.
const FORMAT_BYTES_MAX: usize = 1_024;

/// The classes of a page that have a number format.
#[derive(Debug, Default)]
pub(super) struct StyleSheet {
    classes: HashMap<String, String>,
}

impl StyleSheet {
    /// Takes in the rules of a `<style>` element, as far as they are for classes alone (`.xl65 {…}`).
    pub(super) fn read(&mut self, text: &str) {
        for rule in text.split('}') {
            let Some((selectors, body)) = rule.rsplit_once('{') else {
                continue;
            };
            let Some(format) = format(body) else {
                continue;
            };
            for selector in selectors.split(',') {
                let name = selector.split_whitespace().last().unwrap_or("");
                let class = name.rsplit_once('.').map(|(_, class)| class);
                if let Some(class) = class.filter(|_| self.classes.len() < CLASSES_MAX) {
                    self.classes.insert(class.to_owned(), format.clone());
                }
            }
        }
    }

    /// The format of the first of these classes that has one.
    pub(super) fn of_classes(&self, classes: &str) -> Option<String> {
        let mut classes = classes.split_whitespace();
        classes.find_map(|class| self.classes.get(class).cloned())
    }
}

/// The number format that these declarations name, as a spreadsheet program has it.
pub(super) fn format(declarations: &str) -> Option<String> {
    let (_, rest) = declarations.split_once(PROPERTY)?;
    let value = rest.trim_start().strip_prefix(':')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let mut chars = value.chars().skip(usize::from(quote.is_some()));
    let mut format = String::new();
    while let Some(char) = chars.next() {
        match char {
            _ if format.len() > FORMAT_BYTES_MAX => return None,
            _ if Some(char) == quote => break,
            ';' if quote.is_none() => break,
            '\\' => {
                // Four digits are a character's number (`\0022`), all else stands for itself (`\@`).
                let digits: String = chars.clone().take(4).collect();
                let code = u32::from_str_radix(&digits, 16).ok();
                match code
                    .and_then(char::from_u32)
                    .filter(|_| digits.len() == 4 && digits.starts_with("00"))
                {
                    Some(char) => {
                        format.push(char);
                        chars.nth(3);
                    }
                    None => format.extend(chars.next()),
                }
            }
            _ => format.push(char),
        }
    }
    Some(format.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_read_as_programs_write_them() {
        for (declarations, wanted) in [
            (r#"mso-number-format:"\@""#, Some("@")),
            (r"color:red;mso-number-format:\@;x:y", Some("@")),
            ("mso-number-format: '00000'", Some("00000")),
            (
                r#"mso-number-format:"\0022ID-\00220000""#,
                Some("\"ID-\"0000"),
            ),
            (r#"mso-number-format:"\#\,\#\#0\.00""#, Some("#,##0.00")),
            ("color:red", None),
        ] {
            assert_eq!(format(declarations).as_deref(), wanted, "{declarations}");
        }
        let mut sheet = StyleSheet::default();
        sheet.read(r#"td {color:red} .xl65, td.xl66 {x:y; mso-number-format:"\@";} .a{b:c}"#);
        assert_eq!(sheet.of_classes("a xl66").as_deref(), Some("@"));
        assert_eq!(sheet.of_classes("xl65").as_deref(), Some("@"));
        assert_eq!(sheet.of_classes("a"), None);
    }
}
