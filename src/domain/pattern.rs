//! The pattern language of codes, e.g. `PZA-????-????*`.
//!
//! | written | means |
//! |---|---|
//! | letter, digit | itself, upper case |
//! | `#` `?` `!` `@` | one symbol of 2 to 9, of base31, of base23, of A to Z |
//! | `[ABC]` | one symbol of an own set |
//! | `x{n}` | `x`, n times |
//! | `*` | the check character: at most one, after the last random place |
//! | `\x` | the visible character `x` itself |
//! | `-`, space | separator, shown and ignored on input |
//!
//! A pattern is a way to count: number `i` of `0..space` is written in the mixed radix of the random places, the last
//! place moving fastest.

use super::alphabet::{Alphabet, BadAlphabet};
use super::check::Check;
use super::code::{Code, CodeNorm};
use super::profanity;

mod grammar;
mod space;
#[cfg(test)]
mod tests;

pub use space::{SpaceTooSmall, required_space};

/// The longest a code of a pattern is without its separators.
pub const MAX_NORM_CHARS: usize = 32;

/// One place of a code.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// Always this upper-case ASCII character.
    Literal(u8),
    /// Shown, and dropped on input.
    Separator(u8),
    /// Drawn, written in the pattern as this character.
    Random(Alphabet, char),
    /// Worked out from the drawn ones.
    Check,
}

/// What the codes of one pool look like: a parsed pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    places: Vec<Place>,
    check: Option<Check>,
    prefix: String,
    space: u128,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// [`PatternError`], which names the place (counted from 1) where there is one.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let places = grammar::places(text)?;
        let norm = places.iter().filter(|place| !matches!(place, Place::Separator(_))).count();
        if norm > MAX_NORM_CHARS {
            return Err(PatternError::TooLong(norm));
        }
        let check = grammar::check(&places)?;
        let space = space::count(&places)?;
        let prefix = places
            .iter()
            .take_while(|place| matches!(place, Place::Literal(_) | Place::Separator(_)))
            .filter_map(|place| if let Place::Literal(c) = place { Some(char::from(*c)) } else { None })
            .collect();
        Ok(Self { text: text.to_owned(), places, check, prefix, space })
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The literal characters before the first random place, without separators: `PZA` of `PZA-????`. A till finds
    /// the pool of a code by it.
    #[must_use]
    pub fn literal_prefix(&self) -> &str {
        &self.prefix
    }

    /// How many characters a code has as shown, separators included.
    #[must_use]
    pub fn display_len(&self) -> usize {
        self.places.len()
    }

    /// Whether codes end in a check character.
    #[must_use]
    pub const fn has_check(&self) -> bool {
        self.check.is_some()
    }

    /// Number `index` as a code, or `None` when `index` is not below [`Pattern::space`].
    #[must_use]
    pub fn format(&self, index: u128) -> Option<Code> {
        let mut drawn = [0_u8; MAX_NORM_CHARS];
        let mut rest = index;
        for (slot, alphabet) in drawn.iter_mut().zip(self.alphabets().rev()) {
            let radix = u128::from(alphabet.size());
            *slot = alphabet.symbol(u8::try_from(rest % radix).ok()?)?;
            rest /= radix;
        }
        if rest != 0 {
            return None;
        }
        let count = self.alphabets().count();
        let drawn = drawn.get_mut(..count)?;
        drawn.reverse();
        let check = match &self.check {
            Some(check) => check.symbol(drawn)?,
            None => 0,
        };
        let mut left_to_right = drawn.iter().copied();
        let mut text = String::with_capacity(self.places.len());
        for place in &self.places {
            text.push(char::from(match place {
                Place::Literal(c) | Place::Separator(c) => *c,
                Place::Random(..) => left_to_right.next()?,
                Place::Check => check,
            }));
        }
        Some(Code::from_pattern(text))
    }

    /// The number of a code of this pattern: the inverse of [`Pattern::format`].
    ///
    /// # Errors
    /// [`NotMine`], the check character being judged before anything is counted.
    pub fn index_of(&self, code: &CodeNorm) -> Result<u128, NotMine> {
        if !self.matches_shape(code) {
            return Err(NotMine::Shape);
        }
        if !self.check_ok(code) {
            return Err(NotMine::Check);
        }
        self.zip(code).try_fold(0_u128, |index, (place, symbol)| match place {
            Place::Random(alphabet, _) => {
                let value = alphabet.value(symbol).ok_or(NotMine::Shape)?;
                Ok(index * u128::from(alphabet.size()) + u128::from(value))
            }
            Place::Literal(_) | Place::Separator(_) | Place::Check => Ok(index),
        })
    }

    /// Whether the check character is there and right. Without one in the pattern, whether the shape is right.
    #[must_use]
    pub fn check_ok(&self, code: &CodeNorm) -> bool {
        if !self.matches_shape(code) {
            return false;
        }
        let Some(check) = &self.check else {
            return true;
        };
        let mut drawn = [0_u8; MAX_NORM_CHARS];
        let mut count = 0;
        let mut given = None;
        for (place, symbol) in self.zip(code) {
            match place {
                Place::Random(..) => {
                    if let Some(slot) = drawn.get_mut(count) {
                        *slot = symbol;
                    }
                    count += 1;
                }
                Place::Check => given = Some(symbol),
                Place::Literal(_) | Place::Separator(_) => {}
            }
        }
        let drawn = drawn.get(..count).unwrap_or_default();
        given.is_some() && given == check.symbol(drawn)
    }

    /// Whether length, literals and sets fit; the check character may be wrong.
    #[must_use]
    pub fn matches_shape(&self, code: &CodeNorm) -> bool {
        code.expose().is_ascii()
            && code.expose().len() == self.solid().count()
            && self.zip(code).all(|(place, symbol)| match place {
                Place::Literal(c) => *c == symbol,
                Place::Random(alphabet, _) => alphabet.value(symbol).is_some(),
                Place::Check => self.check.as_ref().is_some_and(|check| check.knows(symbol)),
                Place::Separator(_) => false,
            })
    }

    /// Whether the drawn characters of a code (with its check character) spell no listed word. Literals are the
    /// marketer's own words and are not judged; they end a run, separators do not. Codes of digits, of base23 or of
    /// other sets without vowels are clean by construction.
    #[must_use]
    pub fn reads_clean(&self, code: &CodeNorm) -> bool {
        if !self.can_spell() {
            return true;
        }
        let mut run = String::with_capacity(MAX_NORM_CHARS);
        for (place, symbol) in self.zip(code) {
            match place {
                Place::Random(..) | Place::Check => run.push(char::from(symbol)),
                Place::Literal(_) | Place::Separator(_) => {
                    if !profanity::is_clean(&run) {
                        return false;
                    }
                    run.clear();
                }
            }
        }
        profanity::is_clean(&run)
    }

    /// Whether a drawn place can be a vowel, so that words can form.
    #[must_use]
    pub fn can_spell(&self) -> bool {
        self.alphabets().any(|alphabet| b"AEIOUY".iter().any(|vowel| alphabet.value(*vowel).is_some()))
    }

    /// The sets of the random places, left to right.
    pub(super) fn alphabets(&self) -> impl DoubleEndedIterator<Item = &Alphabet> {
        self.places.iter().filter_map(|place| match place {
            Place::Random(alphabet, _) => Some(alphabet),
            Place::Literal(_) | Place::Separator(_) | Place::Check => None,
        })
    }

    fn solid(&self) -> impl Iterator<Item = &Place> {
        self.places.iter().filter(|place| !matches!(place, Place::Separator(_)))
    }

    fn zip<'a>(&'a self, code: &'a CodeNorm) -> impl Iterator<Item = (&'a Place, u8)> {
        self.solid().zip(code.expose().bytes())
    }
}

/// Why a code is none of a pattern's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotMine {
    /// Length, a literal or a symbol's set does not fit.
    #[error("the code does not look like this pool's")]
    Shape,
    /// It was mistyped or made up.
    #[error("the check character is wrong")]
    Check,
    /// It looks right, and no position of the pool has it.
    #[error("no position of this pool has the code")]
    Position,
}

/// Why a text is no pattern. Places count from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It would draw nothing.
    #[error("the pattern has no random place: write ? for one")]
    NothingRandom,
    /// Longer than the books' limit.
    #[error("a code would have {0} characters without separators; {MAX_NORM_CHARS} are allowed")]
    TooLong(usize),
    /// More than 2^120 codes: no pool needs them, and numbers end there.
    #[error("the pattern has more than 2^120 codes: shorten it")]
    TooManyCodes,
    /// A character with no meaning here.
    #[error("place {at}: {found:?} means nothing in a pattern; write \\{found} if the code has it")]
    Unknown {
        /// Where.
        at: usize,
        /// What stands there.
        found: char,
    },
    /// A backslash before something that no code can hold.
    #[error("place {at}: after \\ stands one visible ASCII character other than -")]
    Escape {
        /// Where.
        at: usize,
    },
    /// `{…}` is not a number from 1 to 32 after a symbol.
    #[error("place {at}: {{n}} repeats the symbol before it, n from 1 to {MAX_NORM_CHARS}")]
    Repeat {
        /// Where.
        at: usize,
    },
    /// A set without its end, or one that cannot be drawn from.
    #[error("place {at}: the set in [ ] is not usable")]
    Set {
        /// Where.
        at: usize,
        /// What is wrong with it.
        #[source]
        source: BadAlphabet,
    },
    /// `[` without `]`.
    #[error("place {at}: the set has no ]")]
    OpenSet {
        /// Where.
        at: usize,
    },
    /// First, last, or next to another one.
    #[error("place {at}: a separator stands between two symbols")]
    Separator {
        /// Where.
        at: usize,
    },
    /// A second `*`, or a random place after it.
    #[error("* stands once, after the last random place")]
    CheckPlace,
    /// No prime alphabet holds all symbols that are drawn.
    #[error(
        "* needs random places within one prime set: all of ! (base23), of ? # and sets without 0 1 I L O (base31), or digits alone"
    )]
    CheckAlphabet,
    /// The weights repeat beyond p - 1 places, and swaps would go unseen.
    #[error("* covers at most {0} random places of this set")]
    CheckTooLong(usize),
}
