//! Number formats that show leading zeros, such as `00000` and `000-00-0000`: what a spreadsheet
//! program shows of a number under one. Such a number is a postcode or an article's, no quantity.

/// The last whole number up to which a float holds every one: 2^53.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// What a format makes of a number.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shown {
    /// This text.
    Text(String),
    /// The number, as any other.
    Number,
    /// More zeros than the number has, in a way that is not followed here.
    Lost,
}

/// A format of digits and fixed texts, at least one of whose sections shows leading zeros.
#[derive(Debug, PartialEq)]
pub(super) struct Zeros {
    sections: Vec<Section>,
}

#[derive(Debug, Default, PartialEq)]
struct Section {
    /// `[<=99999]`: an operator and a number.
    condition: Option<(String, f64)>,
    pieces: Vec<Piece>,
    /// `General`: the number as it is.
    general: bool,
    /// A fraction, thousands, a percentage or digits of another script: not followed here.
    strange: bool,
    /// `@`: for texts only.
    text: bool,
}

#[derive(Debug, PartialEq)]
enum Piece {
    /// A place for a digit; whether it shows a zero where there is none.
    Digit(bool),
    Text(char),
}

impl Zeros {
    /// `None` where the format shows no leading zeros, or is one of a date.
    pub(super) fn parse(code: &str) -> Option<Zeros> {
        let mut sections = vec![Section::default()];
        let mut chars = code.chars().peekable();
        while let Some(char) = chars.next() {
            let section = sections.last_mut()?;
            match char {
                ';' => sections.push(Section::default()),
                '"' => section.texts(chars.by_ref().take_while(|c| *c != '"')),
                '\\' => section.texts(chars.next().into_iter()),
                // Blanks of a width, and what fills the cell.
                '_' | '*' => {
                    chars.next();
                }
                '[' => {
                    let inner: String = chars.by_ref().take_while(|c| *c != ']').collect();
                    section.bracket(&inner)?;
                }
                '0' => section.pieces.push(Piece::Digit(true)),
                // Behind a zero every place shows one.
                '#' | '?' => {
                    let zero = section.width() > 0;
                    section.pieces.push(Piece::Digit(zero));
                }
                '@' => section.text = true,
                // What follows the point or the exponent are no leading zeros.
                '.' | ',' | '%' | '/' | 'E' | 'e' => {
                    section.strange = true;
                    let rest = |c: &char| matches!(c, '0' | '#' | '?' | '+' | '-');
                    while chars.next_if(rest).is_some() {}
                }
                'G' | 'g' => {
                    let rest: String = chars.by_ref().take(6).collect();
                    section.general = rest.eq_ignore_ascii_case("eneral");
                    section.general.then_some(())?;
                }
                _ if char.is_ascii_alphabetic() => return None,
                _ => section.texts(std::iter::once(char)),
            }
        }
        if sections.len() > 3 || sections.last()?.text {
            sections.truncate(3.min(sections.len() - 1));
        }
        let shows = sections.iter().any(|section| section.width() > 1);
        shows.then_some(Zeros { sections })
    }

    /// What is shown of a number.
    pub(super) fn show(&self, value: f64) -> Shown {
        let Some(section) = self.section(value) else {
            return Shown::Lost;
        };
        // What a percentage's format shows of other numbers makes no code of this one.
        let shows_no_zeros = section.width() < 2 && !self.sections.iter().any(Section::is_of_codes);
        if section.general || shows_no_zeros || !value.is_finite() {
            return Shown::Number;
        }
        let digits = digits(value);
        if section.strange || !is_exact(value) {
            let lost = digits.len() < section.width();
            return if lost { Shown::Lost } else { Shown::Number };
        }
        let shown = section.render(&digits);
        match (shown.trim(), value < 0.0 && self.sections.len() == 1) {
            ("", _) => Shown::Lost,
            (text, true) => Shown::Text(format!("-{text}")),
            (text, false) => Shown::Text(text.to_owned()),
        }
    }

    /// The section for a number: positive, negative, zero, or by their conditions. `None` where
    /// programs differ.
    fn section(&self, value: f64) -> Option<&Section> {
        let sections = &self.sections;
        if sections.iter().any(|section| section.condition.is_some()) {
            let last = sections.len() - 1;
            let at = sections
                .iter()
                .position(|section| section.condition.as_ref().is_none_or(|c| holds(c, value)))?;
            let section = sections.get(at)?;
            let sure = value >= 0.0 && (section.condition.is_some() || at == last);
            return sure.then_some(section);
        }
        let at = match sections.len() {
            1 => 0,
            2 => usize::from(value < 0.0),
            _ if value > 0.0 => 0,
            _ if value < 0.0 => 1,
            _ => 2,
        };
        sections.get(at)
    }
}

impl Section {
    fn texts(&mut self, chars: impl Iterator<Item = char>) {
        self.pieces.extend(chars.map(Piece::Text));
    }

    /// What stands in brackets: a colour, a condition, a currency; `None` for elapsed time.
    fn bracket(&mut self, inner: &str) -> Option<()> {
        let lower = inner.to_ascii_lowercase();
        if let Some(rest) = inner.strip_prefix('$') {
            self.texts(rest.chars().take_while(|c| *c != '-'));
        } else if let Some(at) = inner.rfind(['<', '>', '=']) {
            let (operator, number) = inner.split_at(at + 1);
            self.condition = Some((operator.to_owned(), number.trim().parse().ok()?));
        } else if super::formats::is_elapsed(inner) {
            return None;
        } else if lower.contains("num") {
            // Digits of another script: `[DBNum1]`, `[NatNum1]`.
            self.strange = true;
        }
        Some(())
    }

    /// Digits that are shown at least: the places from the first zero on.
    fn width(&self) -> usize {
        let zero = |piece: &&Piece| matches!(piece, Piece::Digit(true));
        self.pieces.iter().filter(zero).count()
    }

    /// Whether it shows codes, all of whose digits are told.
    fn is_of_codes(&self) -> bool {
        self.width() > 1 && !self.strange
    }

    /// Puts digits into their places, from the right; what is too many stands before the first.
    fn render(&self, digits: &str) -> String {
        let is_place = |piece: &&Piece| matches!(piece, Piece::Digit(_));
        let mut places = self.pieces.iter().filter(is_place).count();
        let (many, digits) = digits.split_at(digits.len().saturating_sub(places));
        let mut many = Some(many);
        let mut digits = digits.chars().peekable();
        let mut left = digits.clone().count();
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push(*text),
                Piece::Digit(zero) => {
                    out.push_str(many.take().unwrap_or(""));
                    if left == places {
                        out.extend(digits.next());
                        left -= 1;
                    } else if *zero {
                        out.push('0');
                    }
                    places -= 1;
                }
            }
        }
        out
    }
}

/// The digits before the point, none for 0.
fn digits(value: f64) -> String {
    match value.abs().trunc() {
        0.0 => String::new(),
        whole => format!("{whole:.0}"),
    }
}

/// Whether a number is whole and a float holds each of its digits.
fn is_exact(value: f64) -> bool {
    value.fract() == 0.0 && value.abs() <= WHOLE_MAX
}

fn holds((operator, number): &(String, f64), value: f64) -> bool {
    match operator.as_str() {
        "<" => value < *number,
        "<=" => value <= *number,
        ">" => value > *number,
        ">=" => value >= *number,
        "<>" => value != *number,
        _ => value == *number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_shown_as_a_spreadsheet_program_shows_them() {
        for (code, value, expected) in [
            ("00000", 7.0, "00007"),
            ("00000", 123_456.0, "123456"),
            ("00000", 0.0, "00000"),
            ("00000", -7.0, "-00007"),
            ("0000000000000", 4_006_381_333_931.0, "4006381333931"),
            ("[$-409]00000", 7.0, "00007"),
            ("[Red]00000", 7.0, "00007"),
            ("00000;@", -7.0, "-00007"),
            ("00000_)", 7.0, "00007"),
            ("00000;-00000", -7.0, "-00007"),
            ("000;[Red](000)", -7.0, "(007)"),
            ("000;-000;0", 99.0, "099"),
            ("000;-000;0", 0.0, "0"),
            ("000;-000;0;@", 0.0, "0"),
            ("000-00-0000", 12_345_678.0, "012-34-5678"),
            ("000\\-00\\-0000", 1.0, "000-00-0001"),
            ("00000-0000", 1_234_567.0, "00123-4567"),
            ("00000-0000", 12_345_678_901.0, "1234567-8901"),
            ("0000\"x\"", 42.0, "0042x"),
            ("0000\\x", 42.0, "0042x"),
            ("\"ID-\"0000", 42.0, "ID-0042"),
            ("\"Nr 7/\"0000", 12_345.0, "Nr 7/12345"),
            ("\"ID-\"0000", -42.0, "-ID-0042"),
            ("000 000", 42.0, "000 042"),
            ("+00 000 000", 4_912_345_678.0, "+4912 345 678"),
            ("[<=99999]00000;00000-0000", 501.0, "00501"),
            ("[<=99999]00000;00000-0000", 123_456_789.0, "12345-6789"),
            ("[>99999]0;00000", 123_456.0, "123456"),
            ("[Red][<>50]General;[Blue]000", 50.0, "050"),
            (
                "00000000000000000000",
                1_234_567_890_123_456.0,
                "00001234567890123456",
            ),
            (
                "000000000000000000",
                9_007_199_254_740_992.0,
                "009007199254740992",
            ),
            (
                "0000 0000 0000 0000",
                4_111_111_111_111_111.0,
                "4111 1111 1111 1111",
            ),
            ("0#", 7.0, "07"),
            ("#0000", 7.0, "0007"),
            ("#-0000", 7.0, "-0007"),
            ("[$€-407]000", 7.0, "€007"),
        ] {
            let zeros = Zeros::parse(code).unwrap_or_else(|| panic!("{code} has zeros"));
            assert_eq!(
                zeros.show(value),
                Shown::Text(expected.to_owned()),
                "{code} {value}"
            );
        }
    }

    #[test]
    fn zeros_that_are_not_shown_are_told_and_only_those() {
        for (code, value, expected) in [
            ("00.00", 7.5, Shown::Lost),
            ("00.00", 17.5, Shown::Number),
            ("000,000", 42.0, Shown::Lost),
            ("000,000", 123_456.0, Shown::Number),
            ("00000", 7.5, Shown::Lost),
            ("00000", 12_345.5, Shown::Number),
            ("00000;", -7.0, Shown::Lost),
            ("[<=99999]00000;00000-0000", -5.0, Shown::Lost),
            ("[<9]000;00;000", 10.0, Shown::Lost),
            ("[DBNum1]000", 7.0, Shown::Lost),
            ("[Red][<>50]General;[Blue]000", 51.0, Shown::Number),
            ("00000", 1e18, Shown::Number),
            ("00000000000000000000", 9_007_199_254_740_994.0, Shown::Lost),
            ("00000000000000000000", -1e18, Shown::Lost),
            ("00000", f64::NAN, Shown::Number),
            ("#%; 0#%; 0", 0.0, Shown::Number),
            ("#%; 0#%; 0", 0.5, Shown::Number),
        ] {
            let zeros = Zeros::parse(code).unwrap_or_else(|| panic!("{code} has zeros"));
            assert_eq!(zeros.show(value), expected, "{code} {value}");
        }
    }

    #[test]
    fn other_formats_show_no_leading_zeros() {
        for code in [
            "",
            "0",
            "0.00",
            "#,##0.00",
            "0.00E+00",
            "0 \"00\"",
            "General",
            "@",
            "yyyy-00",
            "h:00",
            "[h]:00",
            "0%",
            "0.000%",
            "0\\ ;\\-0",
            "# ?/?",
        ] {
            assert_eq!(Zeros::parse(code), None, "{code}");
        }
    }
}
