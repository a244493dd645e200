//! A pattern in words, where it is a simple one: `5 digits` for `\d{5}`.

use regex_syntax::hir::{Hir, HirKind};

/// Parts that a sentence can hold.
const PARTS_MAX: usize = 6;

/// What people call letters of a class, one and many.
const CLASSES: [(&str, &str, &str); 7] = [
    ("[0-9]", "digit", "digits"),
    (r"\d", "digit", "digits"),
    ("[A-Z]", "capital letter", "capital letters"),
    ("[a-z]", "small letter", "small letters"),
    ("[A-Za-z]", "letter", "letters"),
    (
        "[A-Z0-9]",
        "capital letter or digit",
        "capital letters or digits",
    ),
    ("[A-Za-z0-9]", "letter or digit", "letters or digits"),
];

/// So many of a thing.
#[derive(PartialEq)]
struct Part {
    least: u32,
    /// `None`: as many as one likes.
    most: Option<u32>,
    one: String,
    many: String,
}

/// What a pattern asks for, in words; `None` where that takes more than a few.
pub(super) fn in_words(pattern: &str) -> Option<String> {
    let pattern = regex_syntax::parse(pattern).ok()?;
    let mut parts: Vec<Part> = Vec::new();
    for hir in sequence(&pattern) {
        if matches!(hir.kind(), HirKind::Look(_)) {
            return None;
        }
        let part = part(hir)?;
        match parts.last_mut() {
            // `\d\d` are two digits.
            Some(before) if before.one == part.one && before.one != before.many => {
                before.least = before.least.saturating_add(part.least);
                before.most = match (before.most, part.most) {
                    (Some(a), Some(b)) => a.checked_add(b),
                    _ => None,
                };
            }
            _ => parts.push(part),
        }
    }
    let words: Vec<String> = parts.iter().map(told).collect();
    (1..=PARTS_MAX)
        .contains(&words.len())
        .then(|| words.join(", then "))
}

/// The parts that follow one another, without the marks of begin and end, which hold anyhow.
fn sequence(pattern: &Hir) -> &[Hir] {
    let HirKind::Concat(parts) = pattern.kind() else {
        return std::slice::from_ref(pattern);
    };
    let is_mark = |part: &&Hir| matches!(part.kind(), HirKind::Look(_));
    let begin = usize::from(parts.first().filter(is_mark).is_some());
    let end = parts.len() - usize::from(parts.last().filter(is_mark).is_some());
    parts.get(begin..end).unwrap_or_default()
}

fn part(hir: &Hir) -> Option<Part> {
    let (thing, least, most) = if let HirKind::Repetition(repeated) = hir.kind() {
        (&*repeated.sub, repeated.min, repeated.max)
    } else {
        (hir, 1, Some(1))
    };
    let (one, many) = if let HirKind::Literal(literal) = thing.kind() {
        let text = std::str::from_utf8(&literal.0).ok()?;
        let quoted = format!("'{text}'");
        (quoted.clone(), quoted)
    } else {
        let is_it = |class: &str| regex_syntax::parse(class).is_ok_and(|class| class == *thing);
        let (_, one, many) = CLASSES.iter().find(|(class, ..)| is_it(class))?;
        ((*one).to_owned(), (*many).to_owned())
    };
    let part = Part {
        least,
        most,
        one,
        many,
    };
    // "2 to 3 'ab'" says nothing to anybody.
    let is_plain = part.one != part.many || most == Some(1);
    is_plain.then_some(part)
}

fn told(part: &Part) -> String {
    let Part {
        least,
        most,
        one,
        many,
    } = part;
    match (*least, *most) {
        (1, Some(1)) if one == many => one.clone(),
        (0, Some(1)) => format!("perhaps {one}"),
        (1, Some(1)) => format!("1 {one}"),
        (least, Some(most)) if least == most => format!("{least} {many}"),
        (least, Some(most)) => format!("{least} to {most} {many}"),
        (0, None) => format!("any number of {many}"),
        (1, None) => format!("one or more {many}"),
        (least, None) => format!("{least} or more {many}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simple_patterns_are_told_in_words() {
        for (pattern, words) in [
            (r"\d{5}", "5 digits"),
            ("^[0-9]{5}$", "5 digits"),
            (r"\d\d\d", "3 digits"),
            (
                r"^[A-Z]{2}\d+$",
                "2 capital letters, then one or more digits",
            ),
            ("DE[0-9]{9}", "'DE', then 9 digits"),
            (
                "[A-Z]{1,3}-?[0-9]*",
                "1 to 3 capital letters, then perhaps '-', then any number of digits",
            ),
            (
                "[a-z][A-Za-z0-9]{3,}",
                "1 small letter, then 3 or more letters or digits",
            ),
        ] {
            assert_eq!(in_words(pattern).as_deref(), Some(words), "{pattern}");
        }
    }

    #[test]
    fn others_are_not() {
        for pattern in [
            "",
            "(",
            "a|b",
            "(ab)+",
            ".*",
            r"\w+",
            r"https?://.*",
            r"\bx\b.",
            "[A-Z]{2}(-[0-9])?",
        ] {
            assert_eq!(in_words(pattern), None, "{pattern}");
        }
    }
}
