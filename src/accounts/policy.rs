//! What a name, a password and an e-mail address must be like.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::error::{Error, Problem, Result};
use crate::words::Code;

/// Characters of a password, at least and at most.
pub(super) const PASSWORD_CHARS_MIN: usize = 10;
pub(super) const PASSWORD_CHARS_MAX: usize = 1_000;

/// Characters of a user name at most; the table refuses more.
const NAME_CHARS_MAX: usize = 64;

/// Characters of an e-mail address at most (RFC 5321).
const EMAIL_CHARS_MAX: usize = 254;

/// Characters that must be left of a password when the user's name or the program's is taken out.
const CHARS_BESIDE_NAME_MIN: usize = 6;

/// Digits and signs around a common word that don't make it a good password.
const DECORATION_CHARS_MAX: usize = 6;

/// Passwords of at least 10 characters that many people have, in lower case.
static COMMON: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("common/passwords.txt").lines().collect());

/// Words that many passwords are made of, in lower case.
static WORDS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("common/words.txt").lines().collect());

/// Rows of keyboards, and what else people run along.
const RUNS: &[&str] = &[
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
];

/// A user name as it is kept.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn name(text: &str) -> std::result::Result<String, &'static str> {
    let name = text.trim();
    if name.is_empty() {
        return Err("Give a name.");
    }
    if name.chars().count() > NAME_CHARS_MAX {
        return Err("A name has at most 64 characters.");
    }
    if name.chars().any(is_invisible) {
        return Err("A name has no control characters and no invisible ones.");
    }
    Ok(name.to_owned())
}

/// An e-mail address as it is kept; empty is none.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn email(text: &str) -> std::result::Result<Option<String>, &'static str> {
    let email = text.trim();
    if email.is_empty() {
        return Ok(None);
    }
    let halves = email.split_once('@');
    let sound = halves.is_some_and(|(before, after)| {
        !before.is_empty() && !after.is_empty() && !after.contains('@')
    });
    if !sound
        || email.chars().count() > EMAIL_CHARS_MAX
        || email.chars().any(|c| c.is_whitespace() || is_invisible(c))
    {
        return Err("An e-mail address has one @ and no spaces.");
    }
    Ok(Some(email.to_owned()))
}

/// Control characters, separators of lines, and the marks that turn or hide text: in a name they
/// would let one user look like another, and break log lines.
pub(super) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Refuses a password that others would guess.
///
/// # Errors
/// `weak-password`.
pub(super) fn check_password(password: &str, username: &str) -> Result<()> {
    let chars = password.chars().count();
    if chars < PASSWORD_CHARS_MIN {
        return Err(weak("Use at least 10 characters."));
    }
    if chars > PASSWORD_CHARS_MAX {
        return Err(weak("Use at most 1000 characters."));
    }
    let lower = password.to_lowercase();
    if is_common(&lower) {
        return Err(weak("This password is on the list of common ones."));
    }
    for word in [username.to_lowercase().as_str(), "sheetline"] {
        if is_little_more_than(&lower, word) {
            return Err(weak(
                "This password is little more than a name. Use something that others can't guess.",
            ));
        }
    }
    Ok(())
}

fn weak(sentence: &str) -> Error {
    Problem::new(Code::WeakPassword, sentence).into()
}

fn is_common(lower: &str) -> bool {
    COMMON.contains(lower) || is_decorated_word(lower) || is_repeated(lower) || is_run(lower)
}

/// A common word with a few digits or signs around it: `Summer2026!`, `P@ssw0rd123`.
fn is_decorated_word(lower: &str) -> bool {
    let stem = lower.trim_matches(|c: char| !c.is_alphabetic());
    let around = lower.chars().count() - stem.chars().count();
    if around > DECORATION_CHARS_MAX {
        return false;
    }
    if WORDS.contains(stem) {
        return true;
    }
    let plain: String = stem
        .chars()
        .map(|c| match c {
            '0' => 'o',
            '1' | '!' => 'i',
            '3' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            '7' => 't',
            other => other,
        })
        .collect();
    WORDS.contains(plain.as_str())
}

/// A short piece, or a common word, over and over.
fn is_repeated(lower: &str) -> bool {
    let chars: Vec<char> = lower.chars().collect();
    (1..=chars.len() / 2).any(|period| {
        let repeats = chars
            .iter()
            .zip(chars.iter().skip(period))
            .all(|(one, next)| one == next);
        let piece: String = chars.iter().take(period).collect();
        repeats && (period <= 4 || WORDS.contains(piece.as_str()))
    })
}

/// A run along the alphabet, the digits or a keyboard, there or back.
fn is_run(lower: &str) -> bool {
    let back: String = lower.chars().rev().collect();
    RUNS.iter()
        .any(|run| run.contains(lower) || run.contains(back.as_str()))
}

fn is_little_more_than(lower: &str, word: &str) -> bool {
    let chars = |text: &str| text.chars().count();
    chars(word) >= 3
        && lower.contains(word)
        && chars(&lower.replace(word, "")) < CHARS_BESIDE_NAME_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weak(password: &str) -> bool {
        check_password(password, "Maria").is_err()
    }

    #[test]
    fn ten_characters_are_enough_and_nine_are_not() {
        assert!(weak("gräßlich1"));
        assert!(!weak("gräßlich1x"));
        assert!(weak("🦀🦀🦋🦋🐝🐝🐢🐢🐙"));
        assert!(!weak("🦀🐞🦋🐌🐝🐜🐢🐍🐙🦑"));
    }

    #[test]
    fn a_thousand_characters_are_allowed_and_one_more_is_not() {
        let long: String = "abcdefghij klmnopqrst uvwxyz. "
            .chars()
            .cycle()
            .take(999)
            .collect();
        assert!(!weak(&format!("{long}!")));
        assert!(weak(&format!("{long}!!")));
    }

    #[test]
    fn any_character_counts_and_no_kind_is_demanded() {
        assert!(!weak("correct horse battery"));
        assert!(!weak("длинный пароль"));
        assert!(!weak("   spaces  are fine   "));
    }

    #[test]
    fn what_many_people_use_is_refused_in_any_case() {
        assert!(COMMON.len() > 2_500 && WORDS.len() > 1_500);
        for password in [
            "qwertyuiop",
            "QwertyUiop",
            "1q2w3e4r5t",
            "password123",
            "Password1234",
            "P@ssw0rd2026",
            "Summer2026!",
            "!!letmein!!",
            "aaaaaaaaaaaa",
            "abcabcabcabc",
            "passwordpassword",
            "0987654321",
            "zyxwvutsrqp",
            "1234567890",
        ] {
            assert!(weak(password), "{password}");
        }
    }

    #[test]
    fn every_listed_password_is_long_enough_to_be_chosen() {
        for password in COMMON.iter() {
            assert!(password.chars().count() >= PASSWORD_CHARS_MIN, "{password}");
            assert_eq!(*password, password.to_lowercase());
        }
    }

    #[test]
    fn the_name_with_a_little_around_it_is_refused() {
        assert!(check_password("annegret12345", "Annegret").is_err());
        assert!(check_password("annegret and her cat", "Annegret").is_ok());
        assert!(weak("sheetline2026"));
        assert!(!weak("sheetline is for sheets"));
    }

    #[test]
    fn a_name_has_one_to_sixty_four_visible_characters() {
        assert_eq!(name("  Jürgen Müller "), Ok("Jürgen Müller".to_owned()));
        assert!(name(" \t ").is_err());
        assert!(name(&"ä".repeat(64)).is_ok());
        assert!(name(&"ä".repeat(65)).is_err());
        for hidden in ["a\nb", "a\u{0}b", "a\u{202e}b", "a\u{200b}", "a\u{2028}b"] {
            assert!(name(hidden).is_err(), "{hidden:?}");
        }
    }

    #[test]
    fn an_address_has_one_at_sign() {
        assert_eq!(email(""), Ok(None));
        assert_eq!(email(" a@b.de "), Ok(Some("a@b.de".to_owned())));
        for bad in ["a", "@b", "a@", "a@b@c", "a b@c"] {
            assert!(email(bad).is_err(), "{bad}");
        }
    }
}
