//! Keywords: what a campaign may be called, and what a received text asks for.

mod choice;
mod emoji;
mod normalise;
mod reaction;
mod reserved;
mod route;
mod unknown;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use normalise::{Normalised, normalise};
pub use reserved::Matched;
pub use route::{Book, Clash, Route};
pub use unknown::{Cluster, MAX_UNKNOWN_CHARS, clusters, is_near, unknown};

/// Longest keyword in characters.
pub const MAX_CHARS: usize = 20;

/// A word that leads to a campaign: 1 to 20 letters or digits, upper case, no accents, no spaces; or as many emoji.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Keyword(String);

/// Why a text is no keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeywordError {
    /// Nothing is left once punctuation is gone.
    #[error("a keyword needs at least one letter or digit, or an emoji")]
    Empty,
    /// More than [`MAX_CHARS`] letters and digits.
    #[error("a keyword has at most {MAX_CHARS} letters and digits")]
    TooLong,
}

impl Keyword {
    /// Reads a keyword as a person would text it: `ice cream` is `ICECREAM`, `Café` is `CAFE`, `👍🏽` is `👍`.
    ///
    /// # Errors
    /// [`KeywordError`] when nothing or too much is left after normalising.
    pub fn parse(raw: &str) -> Result<Keyword, KeywordError> {
        let mut joined = normalise(raw).joined().to_owned();
        if joined.is_empty() {
            joined = emoji::emoji(raw);
        }
        match joined.chars().count() {
            0 => Err(KeywordError::Empty),
            1..=MAX_CHARS => Ok(Keyword(joined)),
            _ => Err(KeywordError::TooLong),
        }
    }

    /// Whether it is drawn instead of written.
    #[must_use]
    pub fn is_emoji(&self) -> bool {
        !self.0.chars().any(char::is_alphanumeric)
    }

    /// The word itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Keyword {
    type Error = KeywordError;

    fn try_from(raw: String) -> Result<Keyword, KeywordError> {
        Keyword::parse(&raw)
    }
}

impl From<Keyword> for String {
    fn from(keyword: Keyword) -> String {
        keyword.0
    }
}

/// The reserved word (opt-out, opt-in, help, MYCODES, YES) that `keyword` equals or is one edit from.
///
/// Such a keyword would be swallowed by the reserved word or by people's typos of it. Reserved words
/// of up to three letters clash only when equal.
#[must_use]
pub fn reserved_clash(keyword: &Keyword) -> Option<&'static str> {
    reserved::clash(keyword.as_str())
}

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod tests;
