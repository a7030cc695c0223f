//! A code as people see it, and as the books know it.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

/// The most characters a code has, separators included; the books' form is never longer.
pub const MAX_CODE_CHARS: usize = 64;
/// What is read from outside before anything is worked out: twice a code, for stray spaces and dashes.
const MAX_INPUT_CHARS: usize = 2 * MAX_CODE_CHARS;

/// A code with its separators, the way it is shown and sent, e.g. `PZA-7K2M-9QXT4`. 1 to 64 visible characters or
/// single inner spaces. `Debug` and `Display` show the last four at most.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Code(Box<str>);

impl Code {
    /// Takes over a code from outside (an imported file); case and separators stay as its owner wrote them, but for
    /// spaces at the ends or in a row and characters that nobody sees.
    ///
    /// # Errors
    /// [`BadCode`] when it is empty, longer than 64 characters, or holds what [`CodeNorm::parse`] refuses.
    pub fn parse(text: &str) -> Result<Self, BadCode> {
        CodeNorm::parse(text)?;
        let visible: String = text.chars().filter(|c| !is_invisible(*c)).collect();
        let shown = visible.split_whitespace().collect::<Vec<_>>().join(" ");
        if shown.chars().nth(MAX_CODE_CHARS).is_some() {
            return Err(BadCode::TooLong);
        }
        Ok(Self(shown.into_boxed_str()))
    }

    /// A code that a [`Pattern`](super::pattern::Pattern) spelled: upper-case ASCII by construction.
    pub(super) fn from_pattern(text: String) -> Self {
        Self(text.into_boxed_str())
    }

    /// The books' form of this code.
    #[must_use]
    pub fn norm(&self) -> CodeNorm {
        CodeNorm(normalise(&self.0).into_boxed_str())
    }

    /// The whole code. It is worth money until it is redeemed: never log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The last four characters of the books' form, for receipts, desks and logs.
    #[must_use]
    pub fn ending(&self) -> String {
        self.norm().ending().to_owned()
    }
}

/// A code as it is compared and indexed: NFKC, upper case, without spaces, dashes and invisible characters. Two codes
/// are one code exactly when these are equal. 1 to 64 characters. `Debug` and `Display` show the last four at most.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CodeNorm(Box<str>);

impl CodeNorm {
    /// Reads what a person typed, a till scanned or a row of the database holds.
    ///
    /// Letters and digits of any script pass, and visible ASCII such as `_`, `%`, `.`, because imported codes have them.
    /// Look-alikes are not guessed (`O` is not read as `0`): a wrong character is better named than mended.
    ///
    /// # Errors
    /// [`BadCode`] when nothing is left, more than 64 characters are left, or a character cannot stand in a code.
    pub fn parse(text: &str) -> Result<Self, BadCode> {
        if text.len() > MAX_INPUT_CHARS && text.chars().nth(MAX_INPUT_CHARS).is_some() {
            return Err(BadCode::TooLong);
        }
        let norm = normalise(text);
        if norm.is_empty() {
            return Err(BadCode::Empty);
        }
        if let Some(bad) = norm.chars().find(|c| !may_stand_in_a_code(*c)) {
            return Err(BadCode::Character(bad));
        }
        if norm.len() > MAX_CODE_CHARS && norm.chars().nth(MAX_CODE_CHARS).is_some() {
            return Err(BadCode::TooLong);
        }
        Ok(Self(norm.into_boxed_str()))
    }

    /// The whole code. It is worth money until it is redeemed: never log it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The last four characters (all of them when there are fewer).
    #[must_use]
    pub fn ending(&self) -> &str {
        last(&self.0, 4)
    }
}

fn last(text: &str, count: usize) -> &str {
    let Some(back) = count.checked_sub(1) else {
        return "";
    };
    let from = text.char_indices().rev().nth(back).map_or(0, |(at, _)| at);
    text.get(from..).unwrap_or("")
}

fn may_stand_in_a_code(c: char) -> bool {
    c.is_ascii_graphic() || (!c.is_ascii() && c.is_alphanumeric())
}

/// Spaces, dashes of every kind, and what is not visible at all.
fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || is_invisible(c)
        || matches!(
            c,
            '-' | '\u{b7}' | '\u{58a}' | '\u{5be}' | '\u{2010}'
                ..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{30fb}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}'
        )
}

/// Zero width: soft hyphens, joiners, direction marks, variation selectors, byte order marks.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
        | '\u{2066}'..='\u{2069}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

fn normalise(text: &str) -> String {
    if text.is_ascii() {
        return text.chars().filter(|c| !is_separator(*c)).map(|c| c.to_ascii_uppercase()).collect();
    }
    // Upper case can undo NFKC and the other way round (`ŉ`), so until nothing moves; two rounds do for all of Unicode.
    let mut norm: String = text.to_owned();
    for _ in 0..4 {
        let next: String = norm.nfkc().filter(|c| !is_separator(*c)).flat_map(char::to_uppercase).nfkc().collect();
        if next == norm {
            break;
        }
        norm = next;
    }
    norm
}

/// At most the last four, and never more than half of a short code.
fn masked(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "…{}", last(text, (text.chars().count() / 2).min(4)))
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        masked(&self.0, f)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        masked(&self.0, f)
    }
}

impl fmt::Debug for CodeNorm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        masked(&self.0, f)
    }
}

impl fmt::Display for CodeNorm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        masked(&self.0, f)
    }
}

/// Why a text is no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCode {
    /// Nothing is left without spaces and dashes.
    #[error("the code is empty")]
    Empty,
    /// More than 64 characters.
    #[error("the code is longer than {MAX_CODE_CHARS} characters")]
    TooLong,
    /// A control character, emoji or the like.
    #[error("{0:?} cannot stand in a code")]
    Character(char),
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn case_separators_width_and_invisible_characters_do_not_matter() {
        let plain = CodeNorm::parse("PZA7K2M9QXT4").unwrap();
        for typed in [
            "pza-7k2m-9qxt4",
            "  PZA 7K2M 9QXT4\r\n",
            "PZA–7K2M—9QXT4",
            "ＰＺＡ－７Ｋ２Ｍ－９ＱＸＴ４",
            "PZA\u{200b}7K2M\u{feff}9QXT4\u{a0}",
            "P Z A 7 K 2 M 9 Q X T 4",
        ] {
            assert_eq!(CodeNorm::parse(typed).unwrap(), plain, "{typed:?}");
        }
    }

    #[test]
    fn look_alikes_are_not_guessed() {
        assert_ne!(CodeNorm::parse("SAVE0").unwrap(), CodeNorm::parse("SAVEO").unwrap());
    }

    #[test]
    fn what_cannot_be_a_code_is_refused_with_its_reason() {
        assert_eq!(CodeNorm::parse(" - \u{200b}"), Err(BadCode::Empty));
        assert_eq!(CodeNorm::parse("AB\u{0}CD"), Err(BadCode::Character('\u{0}')));
        assert_eq!(CodeNorm::parse("AB🍕"), Err(BadCode::Character('🍕')));
        assert_eq!(CodeNorm::parse(&"A".repeat(65)), Err(BadCode::TooLong));
        assert_eq!(CodeNorm::parse(&"-".repeat(10_000)), Err(BadCode::TooLong));
        assert_eq!(CodeNorm::parse(&"A".repeat(64)).unwrap().expose().len(), 64);
        assert_eq!(Code::parse(&"A-".repeat(33)), Err(BadCode::TooLong));
    }

    #[test]
    fn an_imported_code_keeps_its_looks_and_is_known_by_its_norm() {
        let code = Code::parse(" Save_10%-off ").unwrap();
        assert_eq!(code.expose(), "Save_10%-off");
        assert_eq!(code.norm().expose(), "SAVE_10%OFF");
        assert_eq!(code.ending(), "%OFF");
        assert_eq!(Code::parse("\u{feff}AB\t\t12\u{202e}3").unwrap().expose(), "AB 123");
    }

    #[test]
    fn printing_a_code_shows_the_last_four_at_most() {
        let code = Code::parse("PZA-7K2M-9QXT4").unwrap();
        assert_eq!(format!("{code} {code:?} {} {:?}", code.norm(), code.norm()), "…QXT4 …QXT4 …QXT4 …QXT4");
        assert_eq!(format!("{:?}", Code::parse("AB12").unwrap()), "…12");
        assert_eq!(format!("{:?}", Code::parse("A").unwrap()), "…");
    }

    proptest! {
        #[test]
        fn normalising_twice_is_normalising_once(text in "\\PC{1,40}") {
            if let Ok(norm) = CodeNorm::parse(&text) {
                prop_assert_eq!(CodeNorm::parse(norm.expose()), Ok(norm));
            }
        }

        #[test]
        fn an_accepted_code_always_has_an_accepted_norm(text in "\\PC{0,70}") {
            if let Ok(code) = Code::parse(&text) {
                prop_assert_eq!(CodeNorm::parse(code.expose()), Ok(code.norm()));
            }
        }
    }
}
