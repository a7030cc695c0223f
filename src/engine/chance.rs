//! Chance, drawn at the door: what is decided under the locks only uses it.

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

/// So many unpredictable bytes.
#[must_use]
#[expect(clippy::expect_used, reason = "the system's generator fails only where no secret could be made at all")]
pub fn draw<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).expect("the system has randomness");
    bytes
}
