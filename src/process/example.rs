//! A text that has the form of a pattern, for the sample rows of a template.

use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind};

/// Letters of a text at most: a sample is to be read.
const CHARS_MAX: usize = 200;

/// Letters that are taken where a pattern lets one choose, for the first and for a second text.
const CHOICES: [[char; 3]; 2] = [['1', 'A', 'a'], ['2', 'B', 'b']];

/// Texts that are likely to match the pattern: in each what may be repeated stands as often as it has to,
/// or so many times. None where it is no pattern, or too long a text would be needed.
pub(super) fn texts(pattern: &str, repeats: &[u32]) -> Vec<String> {
    let Ok(pattern) = regex_syntax::parse(pattern) else {
        return Vec::new();
    };
    let write = |repeats: u32, choice: usize| {
        let mut text = String::new();
        let writer = Writer {
            repeats,
            choices: CHOICES[choice % CHOICES.len()],
        };
        writer.write(&pattern, &mut text)?;
        Some(text)
    };
    let ways = repeats
        .iter()
        .flat_map(|repeats| [(*repeats, 0), (*repeats, 1)]);
    ways.filter_map(|(repeats, choice)| write(repeats, choice))
        .collect()
}

struct Writer {
    repeats: u32,
    choices: [char; 3],
}

impl Writer {
    /// Appends what matches; `None` where nothing does or it is too long.
    fn write(&self, pattern: &Hir, text: &mut String) -> Option<()> {
        match pattern.kind() {
            // Whether word ends and the like are where they have to be is seen in the end.
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => text.push_str(std::str::from_utf8(&literal.0).ok()?),
            HirKind::Class(Class::Unicode(class)) => text.push(self.letter(class)?),
            HirKind::Class(Class::Bytes(_)) => return None,
            HirKind::Repetition(repetition) => {
                let most = repetition.max.unwrap_or(u32::MAX);
                for _ in 0..self.repeats.clamp(repetition.min, most) {
                    let before = text.len();
                    self.write(&repetition.sub, text)?;
                    if text.len() == before {
                        break;
                    }
                }
            }
            HirKind::Capture(group) => self.write(&group.sub, text)?,
            HirKind::Concat(parts) => {
                for part in parts {
                    self.write(part, text)?;
                }
            }
            HirKind::Alternation(sides) => self.write(sides.first()?, text)?,
        }
        (text.len() <= CHARS_MAX).then_some(())
    }

    /// One of the letters of a class: a usual one, else the first that can be seen.
    fn letter(&self, class: &ClassUnicode) -> Option<char> {
        let has = |letter: &char| {
            let mut ranges = class.ranges().iter();
            ranges.any(|range| (range.start()..=range.end()).contains(letter))
        };
        let usual = self.choices.iter().copied().find(has);
        usual.or_else(|| {
            let ranges = class.ranges().iter();
            let mut letters = ranges.flat_map(|range| range.start()..=range.end());
            letters.find(|letter| !letter.is_control() && !letter.is_whitespace())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_the_form_that_the_pattern_says() {
        for (pattern, text) in [
            ("[0-9]{5}", "11111"),
            ("DE-[A-Z]{2,3}\\d+", "DE-AA1"),
            ("(ab|cd)+x?", "abx"),
            ("[Hh][Tt]{2}p://.+", "HTTp://1"),
            ("\\p{Greek}+", "\u{370}"),
            ("[^ -~]", "\u{a1}"),
        ] {
            assert_eq!(texts(pattern, &[1]).first().unwrap(), text, "{pattern}");
        }
        assert_eq!(texts("a{1000}", &[1]), Vec::<String>::new());
        assert_eq!(texts("(", &[1]), Vec::<String>::new());
        assert_eq!(texts("x[ab]*", &[0, 3])[2..], ["xaaa", "xbbb"]);
    }
}
