//! What stands in the address of a claim page: `/x/{slug}?sub={sub_id}`.

use std::fmt;

/// Longest sub id; what affiliate networks pass on.
pub const MAX_SUB_ID_CHARS: usize = 64;
const MAX_SLUG_CHARS: usize = 40;

/// The name of a claim page: 1 to 40 of a to z, digits and single hyphens between them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slug(String);

/// What an address says about the post it stands in: 1 to 64 of letters, digits, `.`, `_` and `-`; case counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubId(String);

/// Why a text cannot be part of a claim page's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadLinkText {
    /// Not a [`Slug`].
    #[error("a slug has 1 to {MAX_SLUG_CHARS} letters a to z, digits and single hyphens between them")]
    Slug,
    /// Not a [`SubId`].
    #[error("a sub id has 1 to {MAX_SUB_ID_CHARS} letters, digits, dots, underscores and hyphens")]
    SubId,
}

impl Slug {
    /// Reads a slug in either case, as people copy addresses.
    ///
    /// # Errors
    /// [`BadLinkText::Slug`].
    pub fn parse(text: &str) -> Result<Self, BadLinkText> {
        let text = text.to_ascii_lowercase();
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (text.len() <= MAX_SLUG_CHARS && text.split('-').all(is_word)).then_some(Self(text)).ok_or(BadLinkText::Slug)
    }

    /// The slug itself, lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SubId {
    /// Reads a sub id.
    ///
    /// # Errors
    /// [`BadLinkText::SubId`].
    pub fn parse(text: &str) -> Result<Self, BadLinkText> {
        let is_known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let fits = (1..=MAX_SUB_ID_CHARS).contains(&text.len()) && text.bytes().all(is_known);
        fits.then(|| Self(text.to_owned())).ok_or(BadLinkText::SubId)
    }

    /// The id itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for SubId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn a_slug_is_words_and_digits_with_single_hyphens() {
        for (text, slug) in [("anna", "anna"), ("Poster-7", "poster-7"), ("7", "7")] {
            assert_eq!(Slug::parse(text).unwrap().as_str(), slug);
        }
        for bad in ["", "-anna", "anna-", "an--na", "an_na", "an/na", "änna", "..", &"a".repeat(41)] {
            assert_eq!(Slug::parse(bad), Err(BadLinkText::Slug), "{bad}");
        }
    }

    #[test]
    fn a_sub_id_has_at_most_64_plain_signs_and_keeps_its_case() {
        for good in ["story1", "Reel.7_b-2", &"x".repeat(64)] {
            assert_eq!(SubId::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "a b", "a&b", "<b>", "é", "a\n", &"x".repeat(65)] {
            assert_eq!(SubId::parse(bad), Err(BadLinkText::SubId), "{bad:?}");
        }
    }
}
