//! Dates and times by a strptime pattern.

use regex::Regex;
use time::Date;

use super::moment::{HOUR, MINUTE, MONTHS, Moment, SECOND, day, micros, offset, short_year};

const DAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// A strptime pattern, ready to read text.
#[derive(Debug, Clone)]
pub struct Pattern {
    regex: Regex,
    /// The last day of 2024 at half past two in this form.
    example: String,
}

impl Pattern {
    /// # Errors
    /// A sentence, where the pattern holds a directive that is not known.
    pub fn parse(format: &str) -> Result<Pattern, String> {
        let mut regex = String::from("(?i)^");
        let mut example = String::new();
        let mut seen: Vec<char> = Vec::new();
        let mut chars = format.chars().peekable();
        while let Some(c) = chars.next() {
            if c.is_whitespace() {
                while chars.next_if(|next| next.is_whitespace()).is_some() {}
                regex.push_str(r"\s+");
                example.push(' ');
                continue;
            }
            if c != '%' {
                regex.push_str(&regex::escape(&c.to_string()));
                example.push(c);
                continue;
            }
            let directive = chars.next().unwrap_or(' ');
            if directive == '%' {
                regex.push('%');
                example.push('%');
                continue;
            }
            let Some((part, shown)) = directive_of(directive) else {
                return Err(format!(
                    "the directive %{directive} is not one of %d %m %Y %y %b %B %a %A %j %H %I %M %S %f %p %z %Z %%"
                ));
            };
            if seen.contains(&directive) {
                return Err(format!("the directive %{directive} stands twice"));
            }
            seen.push(directive);
            regex.push_str(&format!("(?P<{directive}>{part})"));
            example.push_str(shown);
        }
        if seen.is_empty() {
            return Err("there is no directive such as %Y in it".to_owned());
        }
        regex.push('$');
        Regex::new(&regex)
            .map(|regex| Pattern { regex, example })
            .map_err(|_| "it can't be understood".to_owned())
    }

    /// `31.12.2024` for `%d.%m.%Y`.
    pub fn example(&self) -> &str {
        &self.example
    }

    /// Whether text has this form, be it in the calendar or not.
    pub fn has_form(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// Reads text of exactly this form. What the pattern leaves out is 1900, January, the first
    /// and midnight, as strptime has it.
    pub fn read(&self, text: &str) -> Option<Moment> {
        let found = self.regex.captures(text)?;
        let number = |name: &str| -> Option<Option<u32>> {
            match found.name(name) {
                None => Some(None),
                Some(part) => part.as_str().trim().parse().ok().map(Some),
            }
        };
        let year = match (number("Y")?, number("y")?) {
            (Some(year), _) => i32::try_from(year).ok()?,
            (None, Some(short)) => short_year(i32::try_from(short).ok()?),
            (None, None) => 1900,
        };
        let named = |name: &str, list: &[&str], least: usize| -> Option<Option<u32>> {
            let Some(part) = found.name(name) else {
                return Some(None);
            };
            let part = part.as_str().to_lowercase();
            let at = list
                .iter()
                .position(|full| **full == part || (least == 3 && full[..3] == part))?;
            Some(u32::try_from(at + 1).ok())
        };
        let month = number("m")?
            .or(named("b", &MONTHS, 3)?)
            .or(named("B", &MONTHS, 12)?);
        let day = match number("j")? {
            Some(of_year) => {
                let date = Date::from_ordinal_date(year, u16::try_from(of_year).ok()?).ok()?;
                date.to_julian_day()
            }
            None => day(year, month.unwrap_or(1), number("d")?.unwrap_or(1))?,
        };
        let half = found.name("p").map(|part| part.as_str().to_lowercase());
        let hour = match (number("H")?, number("I")?) {
            (Some(hour), _) => hour,
            (None, Some(hour)) => hour % 12 + if half.as_deref() == Some("pm") { 12 } else { 0 },
            (None, None) => 0,
        };
        let second = number("S")?.unwrap_or(0);
        if second > 59 {
            return None;
        }
        let fraction = match found.name("f") {
            Some(part) => micros(part.as_str())?,
            None => 0,
        };
        let offset = match (found.name("z"), found.name("Z")) {
            (Some(part), _) => offset(part.as_str())?,
            (None, Some(_)) => Some(0),
            (None, None) => None,
        };
        Some(Moment {
            day,
            micros: i64::from(hour) * HOUR
                + i64::from(number("M")?.unwrap_or(0)) * MINUTE
                + i64::from(second) * SECOND
                + fraction,
            offset,
        })
    }
}

/// What a directive takes, as Python's strptime has it, and an example.
fn directive_of(directive: char) -> Option<(String, &'static str)> {
    let (part, example) = match directive {
        'd' => (r"3[0-1]|[1-2][0-9]|0[1-9]|[1-9]| [1-9]".to_owned(), "31"),
        'm' => (r"1[0-2]|0[1-9]|[1-9]".to_owned(), "12"),
        'Y' => (r"[0-9]{4}".to_owned(), "2024"),
        'y' => (r"[0-9]{2}".to_owned(), "24"),
        'j' => (
            r"36[0-6]|3[0-5][0-9]|[1-2][0-9][0-9]|0[1-9][0-9]|00[1-9]|[1-9][0-9]|0[1-9]|[1-9]"
                .to_owned(),
            "366",
        ),
        'H' => (r"2[0-3]|[0-1][0-9]|[0-9]".to_owned(), "14"),
        'I' => (r"1[0-2]|0[1-9]|[1-9]".to_owned(), "02"),
        'M' => (r"[0-5][0-9]|[0-9]".to_owned(), "30"),
        'S' => (r"6[0-1]|[0-5][0-9]|[0-9]".to_owned(), "00"),
        'f' => (r"[0-9]{1,6}".to_owned(), "0"),
        'p' => (r"am|pm".to_owned(), "PM"),
        'z' => (r"[+-][0-9]{2}:?[0-5][0-9]|(?-i:Z)".to_owned(), "+00:00"),
        'Z' => (r"utc|gmt".to_owned(), "UTC"),
        'b' => (MONTHS.map(|month| &month[..3]).join("|"), "Dec"),
        'B' => (MONTHS.join("|"), "December"),
        'a' => (DAYS.map(|day| &day[..3]).join("|"), "Tue"),
        'A' => (DAYS.join("|"), "Tuesday"),
        _ => return None,
    };
    Some((part, example))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_read_what_strptime_reads() {
        for (format, text, wanted) in [
            ("%d/%m/%Y", "29/02/2024", Some("2024-02-29T00:00:00")),
            ("%d/%m/%Y", "1/2/2024", Some("2024-02-01T00:00:00")),
            ("%d/%m/%Y", "30/02/2024", None),
            ("%d/%m/%Y", "01/02/24", None),
            ("%d.%m.%y", "01.02.68", Some("2068-02-01T00:00:00")),
            ("%d.%m.%y", "01.02.69", Some("1969-02-01T00:00:00")),
            ("%B %d, %Y", "March 5, 2024", Some("2024-03-05T00:00:00")),
            ("%d %b %Y", "5 mar 2024", Some("2024-03-05T00:00:00")),
            ("%I:%M %p", "12:05 AM", Some("1900-01-01T00:05:00")),
            ("%I:%M %p", "12:05 pm", Some("1900-01-01T12:05:00")),
            ("%Y-%j", "2024-060", Some("2024-02-29T00:00:00")),
            ("%Y-%j", "2023-366", None),
            ("%m %j %Y", "5 060 2024", Some("2024-02-29T00:00:00")),
            ("%H%M", "0905", Some("1900-01-01T09:05:00")),
            ("%H:%M", "24:00", None),
            (
                "%Y-%m-%d %H:%M:%S.%f%z",
                "2024-01-02 03:04:05.5+0100",
                Some("2024-01-02T03:04:05.5+01:00"),
            ),
        ] {
            let pattern = Pattern::parse(format).unwrap();
            let read = pattern.read(text).map(|moment| moment.datetime_text());
            assert_eq!(read.as_deref(), wanted, "{format} {text}");
        }
    }

    #[test]
    fn an_offset_of_none_is_a_capital_letter() {
        let pattern = Pattern::parse("%H:%M%z").unwrap();
        assert!(pattern.read("10:30Z").is_some());
        assert!(pattern.read("10:30z").is_none());
    }

    #[test]
    fn a_pattern_shows_what_it_wants_and_reads_it() {
        for (format, example) in [
            ("%d.%m.%Y", "31.12.2024"),
            ("%B %d, %Y  %I:%M %p", "December 31, 2024 02:30 PM"),
            ("%a %d %b %y", "Tue 31 Dec 24"),
            ("%Y-%j", "2024-366"),
            ("%Y-%m-%dT%H:%M:%S.%f%z", "2024-12-31T14:30:00.0+00:00"),
            ("%d%%%m", "31%12"),
        ] {
            let pattern = Pattern::parse(format).unwrap();
            assert_eq!(pattern.example(), example);
            assert!(pattern.read(example).is_some(), "{format}");
        }
    }

    #[test]
    fn an_unknown_directive_is_refused() {
        assert!(Pattern::parse("%Q").is_err());
        assert!(Pattern::parse("%").is_err());
        assert!(Pattern::parse("YYYY-MM-DD").is_err());
        assert!(Pattern::parse("%Y %Y").is_err());
    }
}
