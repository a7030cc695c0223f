//! How many codes a pattern has, how many it should have, and how one is drawn.

use super::super::alphabet::BASE31;
use super::super::permutation::MAX_SPACE;
use super::{Pattern, PatternError, Place};

/// Codes in the space for each code that may be live: with it, a guesser who gets one try a second through hits one of
/// them once in 10^7 seconds (116 days) on average.
const PER_LIVE_CODE: u128 = 10_000_000;

/// The smallest key space for `live` codes that may be live at once: 10^7 times as many.
#[must_use]
pub fn required_space(live: u64) -> u128 {
    PER_LIVE_CODE * u128::from(live)
}

/// The product of all random places' sizes.
pub(super) fn count(places: &[Place]) -> Result<u128, PatternError> {
    places
        .iter()
        .filter_map(|place| match place {
            Place::Random(alphabet, _) => Some(u128::from(alphabet.size())),
            Place::Literal(_) | Place::Separator(_) | Place::Check => None,
        })
        .try_fold(1_u128, u128::checked_mul)
        .filter(|space| *space <= MAX_SPACE)
        .ok_or(PatternError::TooManyCodes)
}

impl Pattern {
    /// How many different codes there are, 2 to 2^120; the check character adds none.
    #[must_use]
    pub const fn space(&self) -> u128 {
        self.space
    }

    /// The space as bits of chance.
    #[must_use]
    pub fn bits(&self) -> f64 {
        self.alphabets().map(|alphabet| f64::from(alphabet.size()).log2()).sum()
    }

    /// Whether the space is wide enough for `live` codes that may be live at once (a generated pool's size, a derived
    /// pool's campaign cap).
    ///
    /// # Errors
    /// [`SpaceTooSmall`] with the figures and what to add.
    pub fn check_space(&self, live: u64) -> Result<(), SpaceTooSmall> {
        let needed = required_space(live);
        if self.space >= needed {
            return Ok(());
        }
        let (symbol, size) = self.last_random();
        let mut more = 0;
        let mut space = self.space;
        while space < needed {
            space = space.saturating_mul(size);
            more += 1;
        }
        Err(SpaceTooSmall { space: self.space, live, needed, more, symbol })
    }

    /// One evenly drawn number below [`Pattern::space`] out of 32 random bytes, or `None`: draw again (at most one
    /// time in 65 536).
    #[must_use]
    pub fn random_index(&self, random: [u8; 32]) -> Option<u128> {
        let (whole, _) = random.as_chunks::<16>();
        // Numbers from the last incomplete multiple of the space on would favour the low codes.
        let over = (u128::MAX % self.space + 1) % self.space;
        whole
            .iter()
            .map(|bytes| u128::from_be_bytes(*bytes))
            .find(|number| *number <= u128::MAX - over)
            .map(|number| number % self.space)
    }

    /// How the last random place is written, and its size.
    fn last_random(&self) -> (char, u128) {
        let last = self.places.iter().rev().find_map(|place| match place {
            Place::Random(alphabet, symbol) if *symbol != '[' => Some((*symbol, u128::from(alphabet.size()))),
            Place::Random(..) | Place::Literal(_) | Place::Separator(_) | Place::Check => None,
        });
        last.unwrap_or(('?', BASE31.len() as u128))
    }
}

/// The pattern has too few codes: too many guesses would hit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "key space {} is below 10^7 x {live} live codes = {}: add {more} more {symbol}",
    short(*space), short(*needed)
)]
pub struct SpaceTooSmall {
    /// Codes of the pattern.
    pub space: u128,
    /// Codes that may be live at once.
    pub live: u64,
    /// The smallest space that would do.
    pub needed: u128,
    /// How many more random places would do.
    pub more: u32,
    /// How such a place is written.
    pub symbol: char,
}

/// `850 000 000 000` as `8.5e11`, rounded.
fn short(number: u128) -> String {
    #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
    let number = number as f64;
    format!("{number:.1e}")
}
