//! The one word a creator goes by.

use std::fmt;

use crate::domain::{
    keyword::{Keyword, reserved_clash},
    profanity,
};

const MIN_CHARS: usize = 3;
/// A keyword has no more either.
const MAX_CHARS: usize = crate::domain::keyword::MAX_CHARS;

/// Words that address us, or that somebody could take for us.
#[rustfmt::skip]
const OURS: &[&str] = &[
    "admin", "api", "billing", "brand", "campaign", "claim", "code", "codes", "codewell", "coupon", "creator",
    "creators", "desk", "docs", "house", "legal", "login", "mycodes", "nobody", "none", "null", "official",
    "partner", "partners", "privacy", "root", "security", "simulator", "staff", "static", "status", "support",
    "system", "team", "terms", "test", "till",
];

/// A creator's handle, such as `anna`: 3 to 20 letters a to z and digits, the first a letter.
///
/// Her keyword, her link and the beginning of her codes come from it, so it is a word that can be said aloud: nothing
/// indecent, no word that already means something to us or to the law.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Handle(String);

/// Why a text is no handle; each says the fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HandleError {
    /// Too short or too long.
    #[error("a handle has {MIN_CHARS} to {MAX_CHARS} letters and digits")]
    Length,
    /// Something but letters and digits.
    #[error("a handle has only letters a to z and digits, no spaces and no signs")]
    Signs,
    /// A digit comes first.
    #[error("a handle begins with a letter")]
    FirstDigit,
    /// A word of ours or of the law (STOP, HELP), or one edit from one.
    #[error("this word is reserved, or too close to one that is")]
    Reserved,
    /// A word nobody should have to say.
    #[error("this word cannot be a handle")]
    Indecent,
}

impl Handle {
    /// Reads a handle in either case; a leading `@` is how people write one.
    ///
    /// # Errors
    /// [`HandleError`] names the first rule that is broken.
    pub fn parse(text: &str) -> Result<Self, HandleError> {
        let text = text.trim();
        let text = text.strip_prefix('@').unwrap_or(text).to_ascii_lowercase();
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(HandleError::Signs);
        }
        if !(MIN_CHARS..=MAX_CHARS).contains(&text.len()) {
            return Err(HandleError::Length);
        }
        if text.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(HandleError::FirstDigit);
        }
        let handle = Self(text);
        let is_reserved = reserved_clash(&handle.keyword()).is_some();
        if is_reserved || OURS.contains(&handle.as_str()) {
            return Err(HandleError::Reserved);
        }
        if !profanity::is_decent_name(&handle.upper()) {
            return Err(HandleError::Indecent);
        }
        Ok(handle)
    }

    /// The handle itself, lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The word her followers text: `anna` → `ANNA`.
    #[must_use]
    pub fn keyword(&self) -> Keyword {
        #[expect(clippy::expect_used, reason = "3 to 20 ASCII letters and digits are a keyword")]
        Keyword::parse(&self.upper()).expect("a handle is a keyword in lower case")
    }

    pub(super) fn upper(&self) -> String {
        self.0.to_ascii_uppercase()
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_handle_is_read_as_people_write_it() {
        for (text, handle) in [("anna", "anna"), (" Anna ", "anna"), ("@EmmaEats", "emmaeats"), ("dj24", "dj24")] {
            assert_eq!(Handle::parse(text).unwrap().as_str(), handle);
        }
        assert_eq!(Handle::parse("anna").unwrap().keyword().as_str(), "ANNA");
    }

    #[test]
    fn each_broken_rule_is_named() {
        for (text, error) in [
            ("", HandleError::Length),
            ("an", HandleError::Length),
            ("a23456789012345678901", HandleError::Length),
            ("anna k", HandleError::Signs),
            ("anna_k", HandleError::Signs),
            ("änna", HandleError::Signs),
            ("24anna", HandleError::FirstDigit),
            ("stop", HandleError::Reserved),
            ("stopp", HandleError::Reserved),
            ("help", HandleError::Reserved),
            ("mycodes", HandleError::Reserved),
            ("desk", HandleError::Reserved),
            ("Codewell", HandleError::Reserved),
            ("ass", HandleError::Indecent),
            ("a55", HandleError::Indecent),
            ("fvckoff", HandleError::Indecent),
            ("anus24", HandleError::Indecent),
        ] {
            assert_eq!(Handle::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn names_that_only_hold_a_short_rude_word_are_names() {
        for name in
            ["cassie", "michelle", "goldie", "fatima", "titus", "analia", "harshit", "nazir", "hancock", "gayle"]
        {
            assert!(Handle::parse(name).is_ok(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_handle_read_again_is_itself(text in "[ @]?[A-Za-z0-9]{0,24}") {
            if let Ok(handle) = Handle::parse(&text) {
                prop_assert_eq!(Handle::parse(handle.as_str()), Ok(handle.clone()));
                let keyword = handle.keyword();
                prop_assert_eq!(keyword.as_str(), handle.as_str().to_ascii_uppercase());
            }
        }
    }
}
