//! The named steps that a template applies to a value before it is checked.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

use super::{defuse, formats};

/// A step of `normalize`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// White space at both ends goes.
    Trim,
    /// Runs of white space (no-break spaces included) become one blank.
    Spaces,
    /// Lower case.
    Lower,
    /// A missing scheme becomes `https://` where the rest is a host with a dot.
    Url,
    /// The apostrophe goes that keeps a spreadsheet program from running text of a text file. Not
    /// asked for by a template: it undoes what exports do.
    Defused,
}

impl Step {
    pub const ALL: [Step; 4] = [Step::Trim, Step::Spaces, Step::Lower, Step::Url];

    pub fn as_str(self) -> &'static str {
        match self {
            Step::Trim => "trim",
            Step::Spaces => "spaces",
            Step::Lower => "lower",
            Step::Url => "url",
            Step::Defused => "defused",
        }
    }

    pub fn parse(text: &str) -> Option<Step> {
        Step::ALL.into_iter().find(|step| step.as_str() == text)
    }

    /// The value after this step.
    fn apply(self, text: &str) -> Cow<'_, str> {
        match self {
            Step::Trim => Cow::Borrowed(text.trim_matches(is_space)),
            Step::Spaces => spaces(text),
            Step::Lower if text.chars().all(|c| !c.is_uppercase()) => Cow::Borrowed(text),
            Step::Lower => Cow::Owned(text.to_lowercase()),
            Step::Url => match with_scheme(text) {
                Some(url) => Cow::Owned(url),
                None => Cow::Borrowed(text),
            },
            Step::Defused => Cow::Borrowed(defuse::restored(text).unwrap_or(text)),
        }
    }
}

/// Applies steps in their order; tells which of them changed something.
pub(super) fn apply<'t>(steps: &[Step], text: &'t str) -> (Cow<'t, str>, Vec<Step>) {
    let mut value = Cow::Borrowed(text);
    let mut changed = Vec::new();
    for step in steps {
        let next = match &value {
            Cow::Borrowed(text) => match step.apply(text) {
                // A part of the text, or all of it.
                Cow::Borrowed(next) if next.len() == text.len() => continue,
                next @ (Cow::Borrowed(_) | Cow::Owned(_)) => next,
            },
            Cow::Owned(text) => Cow::Owned(step.apply(text).into_owned()),
        };
        if next != value {
            changed.push(*step);
            value = next;
        }
    }
    (value, changed)
}

/// White space as people see it, zero-width characters that stand at the ends included.
fn is_space(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{200b}' | '\u{feff}')
}

/// Whether text is of ASCII letters and single blanks alone, as most is.
fn is_plain(text: &str) -> bool {
    let mut before = b'x';
    text.bytes().all(|byte| {
        let fine = byte.is_ascii_graphic() || (byte == b' ' && before != b' ');
        before = byte;
        fine
    })
}

fn spaces(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let mut before = 'x';
    let tidy = text.chars().all(|c| {
        let fine = !is_space(c) || (c == ' ' && before != ' ');
        before = c;
        fine
    });
    if tidy {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if !is_space(c) {
            out.push(c);
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
    }
    Cow::Owned(out)
}

/// The URL with `https://` before it, where it lacks a scheme and begins with a host.
fn with_scheme(text: &str) -> Option<String> {
    let rest = text.strip_prefix("//").unwrap_or(text);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = &rest[..end];
    let (host, port) = match authority.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    let port_fine =
        port.is_none_or(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
    (port_fine && !rest.chars().any(is_space) && formats::is_domain(host))
        .then(|| format!("https://{rest}"))
}

/// The text by which two values count as the same: letter case, spaces, a URL's trailing slashes
/// make no difference.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut folded);
    folded
}

/// Appends the folded text.
pub(super) fn fold_into(text: &str, folded: &mut String) {
    let text = text.trim_matches(is_space);
    let from = folded.len();
    if is_plain(text) {
        folded.push_str(text);
        if let Some(new) = folded.get_mut(from..) {
            new.make_ascii_lowercase();
        }
    } else {
        // An accent may stand in its letter or, in text from a Mac, beside it.
        let text = ComposingNormalizerBorrowed::new_nfc().normalize(text);
        fold_letters(&text, folded);
    }
    let new = folded.get(from..).unwrap_or_default();
    if new.contains("://") {
        folded.truncate(from + new.trim_end_matches('/').len());
    }
}

fn fold_letters(text: &str, folded: &mut String) {
    for c in text.chars() {
        if is_space(c) {
            if !folded.ends_with(' ') {
                folded.push(' ');
            }
        } else if c.is_ascii() {
            folded.push(c.to_ascii_lowercase());
        } else {
            // ẞ and ß, and what else is one letter in capitals and two in small ones.
            folded.extend(c.to_uppercase().flat_map(char::to_lowercase));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(steps: &[Step], text: &str) -> (String, Vec<Step>) {
        let (value, changed) = apply(steps, text);
        (value.into_owned(), changed)
    }

    #[test]
    fn only_steps_that_change_something_are_told() {
        let steps = [Step::Trim, Step::Spaces, Step::Url];
        assert_eq!(
            through(&steps, "  ACME\u{a0}  Ltd "),
            ("ACME Ltd".to_owned(), vec![Step::Trim, Step::Spaces])
        );
        assert_eq!(through(&steps, "ACME Ltd"), ("ACME Ltd".to_owned(), vec![]));
        assert_eq!(
            through(&[Step::Lower], "Ärger"),
            ("ärger".to_owned(), vec![Step::Lower])
        );
    }

    #[test]
    fn a_host_with_a_dot_becomes_a_url() {
        for (text, url) in [
            ("www.acme.com", "https://www.acme.com"),
            ("acme.de/about?x=1#y", "https://acme.de/about?x=1#y"),
            ("//acme.de", "https://acme.de"),
            ("acme.com:8080/x", "https://acme.com:8080/x"),
            ("müller.de", "https://müller.de"),
        ] {
            assert_eq!(through(&[Step::Url], text).0, url);
        }
        for text in [
            "https://acme.com",
            "mailto:a@acme.com",
            "acme",
            "12.5",
            "not a url",
            "see acme.com",
            "a@acme.com",
            "e.g.",
            "",
            "localhost:80",
            "n/a",
            "acme.com :80",
        ] {
            assert_eq!(through(&[Step::Url], text).0, text);
        }
    }

    #[test]
    fn folding_leaves_differences_that_matter() {
        assert_eq!(fold("  Müller  GMBH "), fold("müller gmbh"));
        assert_eq!(fold("HTTPS://Acme.com/"), fold("https://acme.com"));
        assert_eq!(fold("STRASSE"), fold("straße"));
        assert_eq!(fold("Mu\u{308}ller"), fold("M\u{fc}ller"));
        assert_ne!(fold("https://acme.com/a"), fold("https://acme.com/b"));
        assert_ne!(fold("a/"), fold("a"));
    }
}
