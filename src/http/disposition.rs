//! `Content-Disposition` of a form's part.

/// What a part of a form says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disposition {
    pub name: String,
    pub file_name: Option<String>,
}

/// Understands `form-data; name="..."; filename="..."`; `None` where it is nothing of that kind.
/// A `filename*` wins over a `filename` (RFC 6266, 4.3).
pub fn parse(header: &[u8]) -> Option<Disposition> {
    let text = match std::str::from_utf8(header) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::WINDOWS_1252.decode(header).0.into_owned(),
    };
    let (kind, mut rest) = text.split_at(text.find(';').unwrap_or(text.len()));
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return None;
    }
    let (mut name, mut plain, mut extended) = (None, None, None);
    while let Some(after) = rest.trim_start().strip_prefix(';') {
        let after = after.trim_start();
        if after.is_empty() {
            rest = "";
            break;
        }
        let (key, after) = after.split_once('=')?;
        let (value, after) = value(after.trim_start())?;
        let slot = match key.trim().to_ascii_lowercase().as_str() {
            "name" => &mut name,
            "filename" => &mut plain,
            "filename*" => &mut extended,
            _ => &mut None,
        };
        if slot.replace(value).is_some() {
            return None;
        }
        rest = after;
    }
    if !rest.trim().is_empty() {
        return None;
    }
    Some(Disposition {
        name: name?,
        file_name: extended.and_then(|text| decode_extended(&text)).or(plain),
    })
}

/// A token or a quoted string, and what follows it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (token, rest) = text.split_at(text.find(';').unwrap_or(text.len()));
        return Some((token.trim_end().to_owned(), rest));
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, quoted.get(at + 1..)?)),
            // Browsers leave a backslash as it is, so it escapes only what would need it.
            '\\' => match letters.peek() {
                Some((_, escaped @ ('"' | '\\'))) => {
                    value.push(*escaped);
                    letters.next();
                }
                _ => value.push('\\'),
            },
            _ => value.push(letter),
        }
    }
    None
}

/// `UTF-8''na%C3%AFve.csv` (RFC 8187).
fn decode_extended(text: &str) -> Option<String> {
    let mut parts = text.splitn(3, '\'');
    let charset = parts.next()?;
    let encoded = parts.nth(1)?;
    charset
        .eq_ignore_ascii_case("utf-8")
        .then(|| crate::http::percent::decode(encoded))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &str, name: &str, file_name: Option<&str>) {
        let parsed = parse(header.as_bytes()).unwrap();
        assert_eq!(parsed.name, name, "{header}");
        assert_eq!(parsed.file_name.as_deref(), file_name, "{header}");
    }

    #[test]
    fn names_come_out_whole_whatever_stands_in_them() {
        check(
            "form-data; name=\"file\"; filename=\"a;b.xlsx\"",
            "file",
            Some("a;b.xlsx"),
        );
        check(
            "form-data; name=\"file\"; filename=\"say \\\"hi\\\".csv\"",
            "file",
            Some("say \"hi\".csv"),
        );
        check(
            "form-data; name=\"file\"; filename=\"C:\\temp\\a.csv\"",
            "file",
            Some("C:\\temp\\a.csv"),
        );
        check("Form-Data;name=file;filename=a.csv", "file", Some("a.csv"));
        check(
            "form-data; filename=\"Übersicht 名.xlsx\"; name=\"file\";",
            "file",
            Some("Übersicht 名.xlsx"),
        );
        check(
            "form-data; name=\"x; filename=evil.csv\"",
            "x; filename=evil.csv",
            None,
        );
        check(
            "form-data; name=file; filename=\"na_ve.csv\"; filename*=UTF-8''na%C3%AFve%3B.csv",
            "file",
            Some("naïve;.csv"),
        );
        check("form-data; name=file; filename=\"\"", "file", Some(""));
        assert_eq!(
            parse(b"form-data; name=file; filename=\"M\xfcller.csv\"")
                .unwrap()
                .file_name
                .as_deref(),
            Some("Müller.csv")
        );
    }

    #[test]
    fn what_is_not_understood_is_not_guessed() {
        for wrong in [
            "attachment; name=file",
            "form-data",
            "form-data; filename=a",
            "form-data; name=\"file",
            "form-data; name=a; name=b",
            "form-data; name",
            "form-data; name=\"a\"b",
        ] {
            assert_eq!(parse(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
