//! The check character: rejects about 97 of 100 typos and guesses before a database is asked. It is no security.

use super::alphabet::{Alphabet, BASE23, BASE31, DIGITS};

/// H. M. Damm's quasigroup of order 10 (thesis, Marburg 2004): every wrong digit and every swap of neighbours shows.
const DAMM: [[u8; 10]; 10] = [
    [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
    [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
    [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
    [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
    [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
    [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
    [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
    [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
    [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
    [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
];

/// How the check character of a pattern is worked out from its drawn symbols; literals do not count.
///
/// - drawn from digits alone: Damm over 0 to 9, so a keypad suffices;
/// - else drawn from base23 alone: weighted sum mod 23; else from base31 alone: mod 31. A symbol counts by its value
///   in that whole alphabet, so `#` (2 to 9) and own sets take part in base31's sum;
/// - else there is none.
///
/// Weighted: check = −Σ gⁱ·dᵢ mod p, i from 1 at the place left of the check, g a primitive root (5 of 23, 3 of 31).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Check {
    /// Digits 0 to 9.
    Damm,
    /// A prime alphabet and the primitive root of its size.
    Weighted(Alphabet, u32),
}

impl Check {
    /// The check that covers all these sets, if one does.
    pub(super) fn over(drawn: &[&Alphabet]) -> Option<Self> {
        let within = |wider: &str| drawn.iter().all(|alphabet| alphabet.is_within(wider));
        if within(DIGITS) {
            Some(Self::Damm)
        } else if within(BASE23) {
            Some(Self::Weighted(Alphabet::parse(BASE23).ok()?, 5))
        } else if within(BASE31) {
            Some(Self::Weighted(Alphabet::parse(BASE31).ok()?, 3))
        } else {
            None
        }
    }

    /// How many drawn places it can cover: the weights are different for p − 1 places, the check's own included.
    pub(super) fn most_places(&self) -> Option<usize> {
        match self {
            Self::Damm => None,
            Self::Weighted(alphabet, _) => Some(usize::from(alphabet.size()) - 2),
        }
    }

    /// Whether a check character can be this symbol.
    pub(super) fn knows(&self, symbol: u8) -> bool {
        match self {
            Self::Damm => symbol.is_ascii_digit(),
            Self::Weighted(alphabet, _) => alphabet.value(symbol).is_some(),
        }
    }

    /// The check character of these drawn symbols, left to right; `None` if one is foreign.
    pub(super) fn symbol(&self, drawn: &[u8]) -> Option<u8> {
        match self {
            Self::Damm => {
                let mut interim = 0_u8;
                for symbol in drawn {
                    let digit = usize::from(symbol.checked_sub(b'0')?);
                    interim = *DAMM.get(usize::from(interim))?.get(digit)?;
                }
                Some(b'0' + interim)
            }
            Self::Weighted(alphabet, root) => {
                let prime = u32::from(alphabet.size());
                let (mut sum, mut weight) = (0, 1);
                for symbol in drawn.iter().rev() {
                    weight = weight * root % prime;
                    sum = (sum + weight * u32::from(alphabet.value(*symbol)?)) % prime;
                }
                alphabet.symbol(u8::try_from((prime - sum) % prime).ok()?)
            }
        }
    }
}
