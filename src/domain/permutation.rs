//! A keyed shuffle of 0..n that needs no table: counter in, code number out, and back.

use aws_lc_rs::cipher::{AES_256, EncryptingKey, UnboundCipherKey};

/// Rounds of the Feistel network. Ten: small domains mix by a fraction of the half's bits a round (NIST SP 800-38G, which
/// this is modelled on, uses ten for the same reason).
const ROUNDS: u8 = 10;
/// The largest domain: both halves stay below 2^64 and every product below 2^128.
pub const MAX_SPACE: u128 = 1 << 120;

/// A bijection of `0..space` onto itself, chosen by a key: an alternating Feistel network over a rectangle of
/// `rows × columns >= space` cells whose round function is one AES-256 block, with cycle walking over the few cells
/// beyond `space`. Whoever has the key knows every code of its pool.
#[derive(Debug)]
pub struct Permutation {
    space: u128,
    rows: u128,
    columns: u128,
    cipher: EncryptingKey,
}

impl Permutation {
    /// The permutation of `0..space` that `key` chooses; `space` is clamped to 1..=2^120.
    #[must_use]
    pub fn new(key: &[u8; 32], space: u128) -> Self {
        let space = space.clamp(1, MAX_SPACE);
        let root = space.isqrt();
        let rows = if root * root < space { root + 1 } else { root };
        Self { space, rows, columns: space.div_ceil(rows), cipher: block_cipher(key) }
    }

    /// How many numbers are permuted.
    #[must_use]
    pub const fn space(&self) -> u128 {
        self.space
    }

    /// Where `x` goes, or `None` when `x >= space`.
    #[must_use]
    pub fn forward(&self, x: u128) -> Option<u128> {
        self.walk(x, Self::encrypt)
    }

    /// What went to `y`, or `None` when `y >= space`.
    #[must_use]
    pub fn inverse(&self, y: u128) -> Option<u128> {
        self.walk(y, Self::decrypt)
    }

    /// The cells form cycles, and a walk that starts inside `0..space` comes back inside before it closes. The cells
    /// outside are fewer than one row, so a second step is rare.
    fn walk(&self, from: u128, step: fn(&Self, u128) -> u128) -> Option<u128> {
        if from >= self.space {
            return None;
        }
        let mut cell = step(self, from);
        while cell >= self.space {
            cell = step(self, cell);
        }
        Some(cell)
    }

    fn encrypt(&self, cell: u128) -> u128 {
        let (mut row, mut column) = (cell / self.columns, cell % self.columns);
        for round in 0..ROUNDS {
            if round % 2 == 0 {
                row = (row + self.noise(round, column) % self.rows) % self.rows;
            } else {
                column = (column + self.noise(round, row) % self.columns) % self.columns;
            }
        }
        row * self.columns + column
    }

    fn decrypt(&self, cell: u128) -> u128 {
        let (mut row, mut column) = (cell / self.columns, cell % self.columns);
        for round in (0..ROUNDS).rev() {
            if round % 2 == 0 {
                row = (row + self.rows - self.noise(round, column) % self.rows) % self.rows;
            } else {
                column = (column + self.columns - self.noise(round, row) % self.columns) % self.columns;
            }
        }
        row * self.columns + column
    }

    /// 128 pseudo-random bits; a half has 61 at most, so the remainder is even to within 2^-67.
    fn noise(&self, round: u8, half: u128) -> u128 {
        // `half` is below 2^61, so its top byte is free for the round.
        u128::from_be_bytes(encrypt_block(&self.cipher, half | (u128::from(round) << 120)))
    }
}

/// AES-256 over single blocks. Single blocks of distinct structure, never a text, which is what ECB must not be used for.
pub(super) fn block_cipher(key: &[u8; 32]) -> EncryptingKey {
    #[expect(clippy::expect_used, reason = "the only failure is a key of another length")]
    UnboundCipherKey::new(&AES_256, key).and_then(EncryptingKey::ecb).expect("AES-256 takes 32 bytes")
}

/// One block, big-endian, through the cipher.
pub(super) fn encrypt_block(cipher: &EncryptingKey, block: u128) -> [u8; 16] {
    let mut bytes = block.to_be_bytes();
    #[expect(clippy::expect_used, reason = "the only failure is a length that is no multiple of 16")]
    cipher.encrypt(&mut bytes).expect("16 bytes are one block");
    bytes
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
    use proptest::prelude::*;

    use super::*;

    fn is_a_bijection(key: &[u8; 32], space: u32) {
        let permutation = Permutation::new(key, u128::from(space));
        let mut seen = vec![false; space as usize];
        for x in 0..u128::from(space) {
            let y = permutation.forward(x).unwrap();
            assert_eq!(permutation.inverse(y), Some(x));
            assert!(!std::mem::replace(&mut seen[usize::try_from(y).unwrap()], true), "{y} is hit twice");
        }
        assert!(seen.into_iter().all(|hit| hit));
    }

    #[test]
    fn every_number_of_31_cubed_is_hit_exactly_once() {
        is_a_bijection(&[7; 32], 31 * 31 * 31);
    }

    #[test]
    fn tiny_prime_and_square_spaces_are_permuted_too() {
        for space in (1..70).chain([97, 100, 101, 1021]) {
            is_a_bijection(&[3; 32], space);
        }
    }

    #[test]
    fn nothing_outside_the_space_has_a_place() {
        let permutation = Permutation::new(&[1; 32], 1000);
        assert_eq!((permutation.forward(1000), permutation.inverse(u128::MAX)), (None, None));
    }

    #[test]
    fn another_key_is_another_order_and_neighbours_land_far_apart() {
        let space = 31_u128.pow(10);
        let (one, two) = (Permutation::new(&[1; 32], space), Permutation::new(&[2; 32], space));
        let moved = (0..100).filter(|x| one.forward(*x) != two.forward(*x)).count();
        assert_eq!(moved, 100);
        let near = (0..100_u128)
            .filter(|x| one.forward(*x).unwrap().abs_diff(one.forward(x + 1).unwrap()) < space / 1_000_000)
            .count();
        assert_eq!(near, 0);
    }

    #[test]
    fn codes_already_out_keep_their_numbers() {
        // From a second implementation, written down once: a change here would orphan every derived code ever issued.
        let permutation = Permutation::new(&[9; 32], 31_u128.pow(10));
        let got: Vec<u128> = (0..3).map(|x| permutation.forward(x).unwrap()).collect();
        assert_eq!(got, [653_500_573_000_107, 596_149_836_135_770, 470_535_545_912_385]);
    }

    proptest! {
        #[test]
        fn the_inverse_undoes_the_shuffle_in_spaces_of_any_size(
            key: [u8; 32], space in 1..=MAX_SPACE, place: u128,
        ) {
            let permutation = Permutation::new(&key, space);
            let x = place % space;
            let y = permutation.forward(x).unwrap();
            prop_assert!(y < space);
            prop_assert_eq!(permutation.inverse(y), Some(x));
        }
    }
}
