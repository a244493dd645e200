//! Ids as types of their own, and secrets that are random by the operating system.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// `users.id`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, PartialOrd, Ord)]
pub struct UserId(pub i64);

/// `jobs.id`: also the job's place in the order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, PartialOrd, Ord)]
pub struct JobId(pub i64);

/// `uploads.no`: how the database refers to an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UploadNo(pub i64);

/// `sessions.id`: what a session's owner sees of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, PartialOrd, Ord)]
pub struct SessionId(pub i64);

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A new UUID for an upload.
pub fn new_upload_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Random bytes from the operating system.
///
/// # Errors
/// `Internal` where the system has none to give.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::Internal(format!("random: {error}")))?;
    Ok(bytes)
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
    let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let mut text = String::with_capacity(bytes.len() * 2);
    text.extend(halves.map(digit));
    text
}

/// SHA-256 of `bytes` in hexadecimal digits.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// How every API token begins.
const API_PREFIX: &str = "slt_";

/// A secret that a client carries: 256 random bits in hexadecimal digits. Its `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A new one.
    ///
    /// # Errors
    /// As [`random`].
    pub fn new() -> Result<Token> {
        Ok(Token(hex(&random::<32>()?)))
    }

    /// A new API token: marked as one, so that people and leak scanners know it when they see it.
    ///
    /// # Errors
    /// As [`random`].
    pub fn new_api() -> Result<Token> {
        Ok(Token(format!("{API_PREFIX}{}", hex(&random::<32>()?))))
    }

    /// Whether it is an API token and no session's.
    pub fn is_api(&self) -> bool {
        self.0.starts_with(API_PREFIX)
    }

    /// What a client sent, whatever it is.
    pub fn received(text: &str) -> Token {
        Token(text.to_owned())
    }

    /// The secret itself: for the client, and for nobody else.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the database keeps of it.
    pub fn hash(&self) -> TokenHash {
        TokenHash(sha256_hex(self.0.as_bytes()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(hidden)")
    }
}

/// SHA-256 of a [`Token`] in hex, so that a stolen backup signs nobody in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenHash(pub String);

impl TokenHash {
    /// The first 4 digits, for log lines.
    pub fn short(&self) -> &str {
        self.0.get(..4).unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_never_shows_itself_in_a_log() {
        let token = Token::received("secret");
        assert!(!format!("{token:?}").contains("secret"));
        assert_eq!(token.hash().0.len(), 64);
    }

    #[test]
    fn tokens_differ() {
        assert_ne!(Token::new().unwrap(), Token::new().unwrap());
    }
}
