//! Number formats: what a format code says about the number under it.

use std::rc::Rc;

use super::zeros::Zeros;

/// What kind of value a number format shows.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    /// A number.
    Number,
    /// A number with leading zeros (`00000`): a postcode, not a quantity.
    Zeros(Rc<Zeros>),
    Date,
    DateTime,
    Time,
    /// Elapsed time, `[h]:mm`.
    Duration,
}

/// The shape of a built-in format (ECMA-376, 18.8.30), which a file need not spell out.
pub(super) fn built_in(id: u32) -> Shape {
    match id {
        14..=17 | 27..=31 | 34..=36 | 50..=54 | 57 | 58 => Shape::Date,
        18..=21 | 32 | 33 | 45 | 47 | 55 | 56 => Shape::Time,
        22 => Shape::DateTime,
        46 => Shape::Duration,
        _ => Shape::Number,
    }
}

/// The shape of a format code. Only its first section counts: the one for positive numbers.
pub(super) fn shape(code: &str) -> Shape {
    let code = code.trim();
    if let Some(zeros) = Zeros::parse(code) {
        return Shape::Zeros(Rc::new(zeros));
    }
    let mut tokens = Tokens::default();
    let mut chars = code.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            ';' => break,
            '"' => while chars.next().is_some_and(|c| c != '"') {},
            // The next character stands for itself, or only for its width.
            '\\' | '_' | '*' => {
                chars.next();
            }
            '[' => {
                let inner: String = chars.by_ref().take_while(|c| *c != ']').collect();
                if is_elapsed(&inner) {
                    return Shape::Duration;
                }
            }
            _ if char.is_ascii_alphabetic() => {
                let mut word = String::from(char.to_ascii_lowercase());
                while let Some(next) = chars.peek().filter(|c| c.is_ascii_alphabetic()) {
                    word.push(next.to_ascii_lowercase());
                    chars.next();
                }
                // `AM/PM` and `A/P` are one word with a slash in it.
                if (word.ends_with('a') || word.ends_with("am")) && chars.peek() == Some(&'/') {
                    let rest: String = chars.clone().skip(1).take(2).collect();
                    if rest.to_ascii_lowercase().starts_with('p') {
                        tokens.add('s');
                        word.truncate(word.len() - if word.ends_with("am") { 2 } else { 1 });
                        chars.next();
                        let long = rest.eq_ignore_ascii_case("pm");
                        chars.nth(usize::from(long));
                    }
                }
                tokens.word(&word, chars.peek().copied());
            }
            _ => {}
        }
    }
    tokens.shape()
}

/// `[h]`, `[mm]`, `[ss]`: hours, minutes or seconds that don't start again at a day's end.
pub(super) fn is_elapsed(inner: &str) -> bool {
    let lower = inner.to_ascii_lowercase();
    ["h", "m", "s"]
        .iter()
        .any(|letter| !lower.is_empty() && lower.replace(letter, "").is_empty())
}

/// The runs of date letters in a format code, in their order.
#[derive(Default)]
struct Tokens {
    letters: Vec<(char, usize)>,
}

impl Tokens {
    fn add(&mut self, letter: char) {
        self.letters.push((letter, 1));
    }

    fn word(&mut self, word: &str, next: Option<char>) {
        // Words that stand for "as it comes", and the exponent of `0.0E+0`.
        if matches!(word, "general" | "standard" | "red" | "blue") {
            return;
        }
        if word == "e" && matches!(next, Some('+' | '-')) {
            return;
        }
        for letter in word.chars() {
            match self.letters.last_mut() {
                Some((last, count)) if *last == letter => *count += 1,
                _ => self.letters.push((letter, 1)),
            }
        }
    }

    fn shape(&self) -> Shape {
        let mut date = false;
        let mut time = false;
        for (at, (letter, count)) in self.letters.iter().enumerate() {
            match letter {
                'y' | 'd' | 'e' | 'g' => date = true,
                'h' | 's' => time = true,
                'm' => {
                    let before = at.checked_sub(1).and_then(|at| self.letters.get(at));
                    let after = self.letters.get(at + 1);
                    let minutes = *count <= 2
                        && (before.is_some_and(|(letter, _)| *letter == 'h')
                            || after.is_some_and(|(letter, _)| *letter == 's'));
                    if minutes {
                        time = true;
                    } else {
                        date = true;
                    }
                }
                _ => {}
            }
        }
        match (date, time) {
            (true, true) => Shape::DateTime,
            (true, false) => Shape::Date,
            (false, true) => Shape::Time,
            (false, false) => Shape::Number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_times_and_durations_are_told_apart() {
        for (code, expected) in [
            ("yyyy-mm-dd", Shape::Date),
            ("DD/MM/YY", Shape::Date),
            ("[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy", Shape::Date),
            ("mmm-yy", Shape::Date),
            ("m/d/yy h:mm", Shape::DateTime),
            ("[$-409]m/d/yy\\ h:mm\\ AM/PM;@", Shape::DateTime),
            ("dd.mm.yyyy hh:mm:ss", Shape::DateTime),
            ("h:mm AM/PM", Shape::Time),
            ("mm:ss.0;@", Shape::Time),
            ("hh\":\"mm\":\"ss", Shape::Time),
            ("mmss.0", Shape::Time),
            ("[h]:mm:ss;@", Shape::Duration),
            ("[Blue]\\+[h]:mm;[Red]\\-[h]:mm", Shape::Duration),
            ("[>=100][Magenta][s].00", Shape::Duration),
        ] {
            assert_eq!(shape(code), expected, "{code}");
        }
    }

    #[test]
    fn numbers_stay_numbers_whatever_letters_are_quoted() {
        for code in [
            "General",
            "[Red][<-25]General",
            "0.00E+00",
            "#,##0.00\\ _M\"H\"_);[Red]#,##0.00\\ _M\"S\"_)",
            "\"Y: \"0.00\"m\"",
            "#,##0*y",
            "0_ ;[Red]\\-0\\ ",
            "#,##0\\ [$\u{20bd}-46D]",
            "@",
            "0",
            "",
        ] {
            assert_eq!(shape(code), Shape::Number, "{code}");
        }
    }

    #[test]
    fn formats_with_leading_zeros_keep_them() {
        for code in ["00000", "[Red]00000;@", "000\\-00", "000,000", "00.00"] {
            assert!(matches!(shape(code), Shape::Zeros(_)), "{code}");
        }
        assert_eq!(shape("[h]"), Shape::Duration);
        assert_eq!(shape("0"), Shape::Number);
        assert_eq!(shape("0.00"), Shape::Number);
    }
}
