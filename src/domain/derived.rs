//! A pool without rows: position to code and back by a key.
//!
//! Codes that spell a listed word are never made. Skipping them must not cost the bijection, so:
//!
//! 1. a position is written with the harmless symbols of the pattern's places alone (without vowels and their
//!    look-alikes, K and F); every listed root needs one of the others before its last symbol, so such a code is clean,
//!    and each position has its own;
//! 2. from that clean number the keyed permutation is stepped until the code is clean again. The permutation falls into
//!    cycles, and "the next clean number on the cycle" is a permutation of the clean numbers;
//! 3. a code walks the same cycle backwards. An unclean code, or one whose clean ancestor is not of step 1, is nobody's.
//!
//! Patterns that cannot spell anything skip all this. The list therefore belongs to the codes: it never changes.

use super::alphabet::Alphabet;
use super::code::{Code, CodeNorm};
use super::pattern::{NotMine, Pattern};
use super::permutation::Permutation;
use super::profanity;

/// One random place of a starting number.
#[derive(Debug)]
struct StartPlace {
    /// Symbols that the pattern has there.
    size: u128,
    /// The values of those that a starting number may have, ascending.
    harmless: Vec<u8>,
}

/// The codes of one derived pool.
#[derive(Debug)]
pub struct Derived {
    pattern: Pattern,
    permutation: Permutation,
    /// The random places, left to right; empty when the pattern cannot spell and every number may start.
    places: Vec<StartPlace>,
    capacity: u128,
}

impl Derived {
    /// The codes that `key` derives from the pattern; a key serves one pool only.
    #[must_use]
    pub fn new(pattern: Pattern, key: &[u8; 32]) -> Self {
        let permutation = Permutation::new(key, pattern.space());
        let (places, capacity) = if pattern.can_spell() {
            let places: Vec<StartPlace> = pattern.alphabets().map(StartPlace::of).collect();
            let capacity = places.iter().map(StartPlace::choices).product();
            (places, capacity)
        } else {
            (Vec::new(), pattern.space())
        };
        Self { pattern, permutation, places, capacity }
    }

    /// The pattern of the codes.
    #[must_use]
    pub const fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// How many positions have a code; a pool's size is at most this. Below the pattern's space where words can form,
    /// about 22 symbols then counting for base31's 31; 0 when a place has none but vowels, K and F.
    #[must_use]
    pub const fn capacity(&self) -> u128 {
        self.capacity
    }

    /// The code at a position, or `None` beyond [`Derived::capacity`].
    #[must_use]
    pub fn code_at(&self, position: u64) -> Option<Code> {
        let mut index = self.permutation.forward(self.start(u128::from(position))?)?;
        loop {
            let code = self.pattern.format(index)?;
            if self.pattern.reads_clean(&code.norm()) {
                return Some(code);
            }
            index = self.permutation.forward(index)?;
        }
    }

    /// The position of a code: the inverse of [`Derived::code_at`]. Whoever asks compares it with the pool's size.
    ///
    /// # Errors
    /// [`NotMine`], of which the wrong check character is found before any key is used.
    pub fn position_of(&self, code: &CodeNorm) -> Result<u64, NotMine> {
        let index = self.pattern.index_of(code)?;
        if !self.pattern.reads_clean(code) {
            return Err(NotMine::Position);
        }
        let mut index = self.permutation.inverse(index).ok_or(NotMine::Position)?;
        while !self.is_clean(index) {
            index = self.permutation.inverse(index).ok_or(NotMine::Position)?;
        }
        let position = self.position(index).ok_or(NotMine::Position)?;
        u64::try_from(position).map_err(|_| NotMine::Position)
    }

    fn is_clean(&self, index: u128) -> bool {
        !self.pattern.can_spell()
            || self.pattern.format(index).is_none_or(|code| self.pattern.reads_clean(&code.norm()))
    }

    /// The clean number that a position starts from.
    fn start(&self, position: u128) -> Option<u128> {
        if position >= self.capacity {
            return None;
        }
        if self.places.is_empty() {
            return Some(position);
        }
        let (mut index, mut worth, mut rest) = (0_u128, 1_u128, position);
        for place in self.places.iter().rev() {
            let choices = place.choices();
            let value = place.harmless.get(usize::try_from(rest % choices).ok()?)?;
            index += worth * u128::from(*value);
            worth *= place.size;
            rest /= choices;
        }
        Some(index)
    }

    /// The position that starts from this number, if one does.
    fn position(&self, index: u128) -> Option<u128> {
        if self.places.is_empty() {
            return Some(index);
        }
        let (mut position, mut worth, mut rest) = (0_u128, 1_u128, index);
        for place in self.places.iter().rev() {
            let value = u8::try_from(rest % place.size).ok()?;
            position += worth * place.harmless.binary_search(&value).ok()? as u128;
            worth *= place.choices();
            rest /= place.size;
        }
        Some(position)
    }
}

impl StartPlace {
    fn of(alphabet: &Alphabet) -> Self {
        let harmless =
            (0..alphabet.size()).filter(|value| alphabet.symbol(*value).is_some_and(profanity::is_harmless)).collect();
        Self { size: u128::from(alphabet.size()), harmless }
    }

    fn choices(&self) -> u128 {
        self.harmless.len() as u128
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn derived(pattern: &str, key: u8) -> Derived {
        Derived::new(Pattern::parse(pattern).unwrap(), &[key; 32])
    }

    #[test]
    fn every_code_of_a_small_space_is_one_positions_or_nobodys() {
        for (text, key) in [("A-???*", 1), ("???", 2), ("[ABSU23]{5}*", 3), ("!!!*", 4), ("#?A#*", 5), ("@@", 6)] {
            let pool = derived(text, key);
            let mut codes = HashSet::new();
            for position in 0..u64::try_from(pool.capacity()).unwrap() {
                let code = pool.code_at(position).unwrap().norm();
                assert!(pool.pattern().reads_clean(&code), "{text} {}", code.expose());
                assert_eq!(pool.position_of(&code), Ok(position), "{text} {}", code.expose());
                assert!(codes.insert(code), "{text}");
            }
            for index in 0..pool.pattern().space() {
                let code = pool.pattern().format(index).unwrap().norm();
                assert_eq!(pool.position_of(&code).is_ok(), codes.contains(&code), "{text} {}", code.expose());
            }
        }
    }

    #[test]
    fn the_small_spaces_above_do_hold_unclean_codes() {
        // Without this the test before it could pass with walks that never walk.
        let pool = derived("[ABSU23]{5}*", 3);
        let unclean = (0..pool.pattern().space()).filter(|index| !pool.is_clean(*index)).count();
        assert!(unclean > 50, "{unclean}");
    }

    #[test]
    fn a_billion_codes_fit_the_demo_pattern() {
        let pool = derived("WLC-?????-?????*", 7);
        assert!(pool.capacity() > 1_000_000_000_000);
        assert_eq!(pool.pattern().check_space(1_000_000), Ok(()));
        assert_eq!(derived("WLC-!!!!!*", 7).capacity(), 23_u128.pow(5));
    }

    #[test]
    fn what_lies_beyond_the_capacity_has_no_code() {
        let pool = derived("??*", 1);
        let capacity = u64::try_from(pool.capacity()).unwrap();
        assert!(pool.code_at(capacity - 1).is_some());
        assert!(pool.code_at(capacity).is_none() && pool.code_at(u64::MAX).is_none());
        assert_eq!(derived("[AE]{9}", 1).capacity(), 0);
    }

    #[test]
    fn codes_already_out_keep_their_positions() {
        // From a second implementation, written down once: a change here would orphan every derived code ever issued.
        let pool = derived("WLC-?????-?????*", 9);
        let codes: Vec<String> = (0..4).map(|at| pool.code_at(at).unwrap().expose().to_owned()).collect();
        assert_eq!(codes, ["WLC-TR8SN-8MPJSF", "WLC-D8MJU-6S7JYZ", "WLC-P4DFE-QAY4Q8", "WLC-9ESZB-PYKWUM"]);
    }

    #[test]
    fn another_pools_key_does_not_know_the_codes() {
        let (one, two) = (derived("WLC-?????-?????*", 1), derived("WLC-?????-?????*", 2));
        let known = (0..500)
            .filter(|at| two.position_of(&one.code_at(*at).unwrap().norm()).is_ok_and(|got| got < 1_000_000_000))
            .count();
        assert_eq!(known, 0);
    }

    proptest! {
        #[test]
        fn a_position_comes_back_from_its_code(key: u8, position in 0..1_000_000_000_u64) {
            let pool = derived("WLC-?????-?????*", key);
            let code = pool.code_at(position).unwrap().norm();
            prop_assert!(pool.pattern().reads_clean(&code));
            prop_assert_eq!(pool.position_of(&code), Ok(position));
        }
    }
}
