//! How facts stand at the head of a log line, and how they are taken out of it again for programs.

use std::borrow::Cow;

/// What may stand there, `name=value` each.
const NAMES: [&str; 8] = [
    "user", "session", "token", "address", "job", "attempt", "template", "ref",
];

/// Letters of a path's segment that is shown: a file's id has as many, sessions and tokens have more.
const SEGMENT_MAX: usize = 36;

/// A name that people chose, as one word: in quotes, where it could be read as more than that.
pub fn word(name: &str) -> Cow<'_, str> {
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '"' | '=' | '\\');
    if !name.is_empty() && name.chars().all(plain) {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(format!("{name:?}"))
    }
}

/// A path without what is long enough to be a session or a token, on one line.
pub fn path(path: &str) -> Cow<'_, str> {
    let plain = |segment: &str| {
        segment.len() <= SEGMENT_MAX
            && segment
                .bytes()
                .all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\'' | b'\\'))
    };
    if path.split('/').all(plain) {
        return path.into();
    }
    let shown = path.split('/').map(|segment| {
        if segment.len() > SEGMENT_MAX {
            Cow::Borrowed("...")
        } else {
            Cow::Owned(segment.escape_debug().to_string())
        }
    });
    shown.collect::<Vec<_>>().join("/").into()
}

/// The facts at the head of a line, each once. `-` is nobody.
pub fn facts(line: &str) -> Vec<(&'static str, Cow<'_, str>)> {
    let mut found: Vec<(&'static str, Cow<'_, str>)> = Vec::new();
    let mut rest = line;
    while let Some((name, value, after)) = first(rest) {
        if value != "-" && found.iter().all(|(other, _)| *other != name) {
            found.push((name, value));
        }
        rest = after;
    }
    found
}

fn first(line: &str) -> Option<(&'static str, Cow<'_, str>, &str)> {
    let (name, rest) = line.split_once('=')?;
    let name = NAMES.into_iter().find(|known| *known == name)?;
    if !rest.starts_with('"') {
        let (value, after) = rest.split_once(' ').unwrap_or((rest, ""));
        return Some((name, Cow::Borrowed(value), after));
    }
    // Rust's own quoting; JSON's differs from it only in letters that no name may have.
    let end = end_of_quotes(rest)?;
    let (quoted, after) = rest.split_at_checked(end)?;
    let value: String = serde_json::from_str(quoted).ok()?;
    Some((
        name,
        Cow::Owned(value),
        after.strip_prefix(' ').unwrap_or(after),
    ))
}

/// How many bytes a text in quotes has.
fn end_of_quotes(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_at_the_head_of_a_line_is_found_there_and_nothing_else() {
        for name in ["anna", "Jörg-Änne", "anna job=7", "a\"b\\", "-x", "="] {
            let line = format!("user={} job=12 and job=13 user=ben", word(name));
            let found = facts(&line);
            let wanted: [(&str, Cow<'_, str>); 2] = [("user", name.into()), ("job", "12".into())];
            assert_eq!(found, wanted, "{line}");
        }
        assert!(facts("user=- GET / 200 1 ms").is_empty());
        assert!(facts("stopping (signal 15)").is_empty());
        assert!(facts("user=\"never closed").is_empty());
        assert_eq!(facts("job=5 job=6").len(), 1);
    }
}
