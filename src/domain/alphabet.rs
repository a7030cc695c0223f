//! The symbols that the random places of a code are drawn from.

use std::fmt;

/// 31 symbols without the look-alikes `0 1 I L O`. Prime, so that the weighted check character works.
pub const BASE31: &str = "23456789ABCDEFGHJKMNPQRSTUVWXYZ";
/// 23 symbols, moreover without vowels, `Y` and `2 5 8 S`: safe to read out, and no word can form. Prime.
pub const BASE23: &str = "34679BCDFGHJKMNPQRTVWXZ";
/// The digits of a keypad, for codes of digits alone.
pub const DIGITS: &str = "0123456789";
/// What `#` stands for: digits that no letter is mistaken for.
pub const CLEAR_DIGITS: &str = "23456789";
/// What `@` stands for.
pub const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// No symbol has this value.
const NONE: u8 = u8::MAX;

/// An ordered set of at least two different upper-case ASCII letters and digits; a symbol's value is its place.
#[derive(Clone, PartialEq, Eq)]
pub struct Alphabet {
    symbols: Vec<u8>,
    values: [u8; 128],
}

impl Alphabet {
    /// Reads a set of symbols; lower case counts as upper case.
    ///
    /// # Errors
    /// [`BadAlphabet`] for fewer than two symbols, a symbol twice, or anything but ASCII letters and digits.
    pub fn parse(symbols: &str) -> Result<Self, BadAlphabet> {
        let mut alphabet = Self { symbols: Vec::with_capacity(symbols.len()), values: [NONE; 128] };
        for symbol in symbols.chars() {
            let upper = symbol.to_ascii_uppercase();
            let byte = u8::try_from(upper).map_err(|_| BadAlphabet::NotASymbol(symbol))?;
            let slot = alphabet.values.get_mut(usize::from(byte)).ok_or(BadAlphabet::NotASymbol(symbol))?;
            if !byte.is_ascii_alphanumeric() {
                return Err(BadAlphabet::NotASymbol(symbol));
            }
            if *slot != NONE {
                return Err(BadAlphabet::Twice(upper));
            }
            // At most 36 symbols pass the two tests above, so the place fits.
            *slot = u8::try_from(alphabet.symbols.len()).unwrap_or(NONE);
            alphabet.symbols.push(byte);
        }
        if alphabet.symbols.len() < 2 {
            return Err(BadAlphabet::TooFew);
        }
        Ok(alphabet)
    }

    /// How many symbols there are, 2 to 36.
    #[must_use]
    pub fn size(&self) -> u8 {
        u8::try_from(self.symbols.len()).unwrap_or(NONE)
    }

    /// The symbols in the order of their values.
    #[must_use]
    pub fn symbols(&self) -> &[u8] {
        &self.symbols
    }

    /// The symbol with this value, if there is one.
    #[must_use]
    pub fn symbol(&self, value: u8) -> Option<u8> {
        self.symbols.get(usize::from(value)).copied()
    }

    /// The value of an upper-case symbol, if it belongs to the set.
    #[must_use]
    pub fn value(&self, symbol: u8) -> Option<u8> {
        self.values.get(usize::from(symbol)).copied().filter(|value| *value != NONE)
    }

    /// Whether every symbol here belongs to `wider` too.
    #[must_use]
    pub fn is_within(&self, wider: &str) -> bool {
        self.symbols.iter().all(|symbol| wider.as_bytes().contains(symbol))
    }
}

impl fmt::Debug for Alphabet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", String::from_utf8_lossy(&self.symbols))
    }
}

/// Why a set of symbols is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAlphabet {
    /// A set of none or one has no chance in it.
    #[error("a set needs at least two symbols")]
    TooFew,
    /// The symbol stands there twice, which would make it likelier.
    #[error("{0:?} stands twice in the set")]
    Twice(char),
    /// Only A to Z and 0 to 9 survive reading a code aloud and typing it.
    #[error("{0:?} is not a letter A to Z or a digit")]
    NotASymbol(char),
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn a_symbol_and_its_value_are_inverse_in_every_built_in_set() {
        for (set, size) in [(BASE31, 31), (BASE23, 23), (DIGITS, 10), (CLEAR_DIGITS, 8), (LETTERS, 26)] {
            let alphabet = Alphabet::parse(set).unwrap();
            assert_eq!(alphabet.size(), size);
            for value in 0..size {
                assert_eq!(alphabet.value(alphabet.symbol(value).unwrap()), Some(value));
            }
            assert_eq!(alphabet.symbol(size), None);
            assert_eq!((alphabet.value(b'-'), alphabet.value(0xff)), (None, None));
        }
    }

    #[test]
    fn base31_has_no_look_alikes_and_base23_no_vowels() {
        assert!(!BASE31.contains(['0', '1', 'I', 'L', 'O']));
        assert!(!BASE23.contains(['A', 'E', 'I', 'O', 'U', 'Y', '2', '5', '8', 'S']));
        assert!(Alphabet::parse(BASE23).unwrap().is_within(BASE31));
        assert!(Alphabet::parse(CLEAR_DIGITS).unwrap().is_within(BASE31));
        assert!(!Alphabet::parse(LETTERS).unwrap().is_within(BASE31));
    }

    #[test]
    fn a_set_that_would_skew_the_draw_or_not_survive_typing_is_refused() {
        assert_eq!(Alphabet::parse("A"), Err(BadAlphabet::TooFew));
        assert_eq!(Alphabet::parse("ABa"), Err(BadAlphabet::Twice('A')));
        assert_eq!(Alphabet::parse("A-B"), Err(BadAlphabet::NotASymbol('-')));
        assert_eq!(Alphabet::parse("AÉ"), Err(BadAlphabet::NotASymbol('É')));
        assert_eq!(Alphabet::parse("AЖ"), Err(BadAlphabet::NotASymbol('Ж')));
    }
}
