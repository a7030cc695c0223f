//! Names for a code's place that say nothing about the place: live links and issuance ids.

use std::fmt;

use aws_lc_rs::cipher::{AES_256, DecryptingKey, DecryptionContext, EncryptingKey, UnboundCipherKey};

use super::ids::{CampaignId, Spot};
use super::permutation::{block_cipher, encrypt_block};

/// Characters of a token without its prefix: the fewest base62 digits that hold 128 bits.
pub const TOKEN_CHARS: usize = 22;
/// Positions are 48 bits wide in a token, and so in every pool; a larger pool is refused when it is made.
pub const MAX_POSITION: u64 = (1 << 48) - 1;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// An unguessable name of one spot: the prefix of its kind and 22 characters of base62. Whoever holds a link's token
/// sees the coupon, so `Debug` hides it and there is no `Display`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct LinkToken(String);

impl LinkToken {
    /// The token as it stands in a link or an answer.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkToken(…)")
    }
}

/// Makes and opens the tokens of one kind. A token is one AES-256 block of campaign (32 bits), pool (16), position (48)
/// and 32 zero bits, so it needs no column and no index, and a made-up one is one of ours with a chance of 2^-32 per
/// try, if such a code was issued at all.
#[derive(Debug)]
pub struct Tokens {
    prefix: &'static str,
    seal: EncryptingKey,
    open: DecryptingKey,
}

impl Tokens {
    /// Bare tokens of 22 characters.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self::with_prefix(key, "")
    }

    /// Tokens that begin with the name of their kind, such as `iss_`. Each kind has its own key.
    #[must_use]
    pub fn with_prefix(key: &[u8; 32], prefix: &'static str) -> Self {
        #[expect(clippy::expect_used, reason = "the only failure is a key of another length")]
        let open = UnboundCipherKey::new(&AES_256, key).and_then(DecryptingKey::ecb).expect("AES-256 takes 32 bytes");
        Self { prefix, seal: block_cipher(key), open }
    }

    /// The one token of this spot.
    #[must_use]
    pub fn seal(&self, spot: Spot) -> LinkToken {
        let plain = (u128::from(spot.campaign.0) << 96)
            | (u128::from(spot.pool) << 80)
            | (u128::from(spot.position & MAX_POSITION) << 32);
        let block = u128::from_be_bytes(encrypt_block(&self.seal, plain));
        let mut token = String::with_capacity(self.prefix.len() + TOKEN_CHARS);
        token.push_str(self.prefix);
        token.extend(base62(block).into_iter().map(char::from));
        LinkToken(token)
    }

    /// The one token of a block of 16 bytes.
    #[must_use]
    pub fn seal_block(&self, block: [u8; 16]) -> LinkToken {
        let sealed = u128::from_be_bytes(encrypt_block(&self.seal, u128::from_be_bytes(block)));
        LinkToken(format!("{}{}", self.prefix, String::from_utf8_lossy(&base62(sealed))))
    }

    /// The block a token names; a made-up one names a block that nobody wrote.
    #[must_use]
    pub fn open_block(&self, token: &str) -> Option<[u8; 16]> {
        let mut block = from_base62(token.strip_prefix(self.prefix)?)?.to_be_bytes();
        self.open.decrypt(&mut block, DecryptionContext::None).ok()?;
        Some(block)
    }

    /// The spot a token names, or `None` for anything that [`Tokens::seal`] under this key never wrote.
    #[must_use]
    pub fn open(&self, token: &str) -> Option<Spot> {
        let mut block = from_base62(token.strip_prefix(self.prefix)?)?.to_be_bytes();
        self.open.decrypt(&mut block, DecryptionContext::None).ok()?;
        let plain = u128::from_be_bytes(block);
        if plain.trailing_zeros() < 32 {
            return None;
        }
        let campaign = CampaignId(u32::try_from(plain >> 96).ok()?);
        let pool = u16::try_from((plain >> 80) & u128::from(u16::MAX)).ok()?;
        let position = u64::try_from((plain >> 32) & u128::from(MAX_POSITION)).ok()?;
        Some(Spot { campaign, pool, position })
    }
}

fn base62(mut number: u128) -> [u8; TOKEN_CHARS] {
    let mut digits = [b'0'; TOKEN_CHARS];
    for digit in digits.iter_mut().rev() {
        let value = usize::try_from(number % 62).unwrap_or_default();
        *digit = BASE62.get(value).copied().unwrap_or(b'0');
        number /= 62;
    }
    digits
}

fn from_base62(text: &str) -> Option<u128> {
    if text.len() != TOKEN_CHARS {
        return None;
    }
    text.bytes().try_fold(0_u128, |number, symbol| {
        let value = match symbol {
            b'0'..=b'9' => symbol - b'0',
            b'A'..=b'Z' => symbol - b'A' + 10,
            b'a'..=b'z' => symbol - b'a' + 36,
            _ => return None,
        };
        number.checked_mul(62)?.checked_add(u128::from(value))
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use proptest::prelude::*;

    use super::*;

    fn spot(campaign: u32, pool: u16, position: u64) -> Spot {
        Spot { campaign: CampaignId(campaign), pool, position }
    }

    #[test]
    fn links_already_sent_stay_valid() {
        // From an AES-256 of another library, written down once: a change here would break every link that is out.
        let tokens = Tokens::new(&[5; 32]);
        let place = spot(7, 2, 123_456_789);
        assert_eq!(tokens.seal(place).expose(), "3YgqB9A6ZfcHpjDth6QOZx");
        assert_eq!(tokens.open("3YgqB9A6ZfcHpjDth6QOZx"), Some(place));
    }

    #[test]
    fn a_token_of_another_kind_or_key_opens_nothing() {
        let place = spot(1, 1, 1);
        let (links, ids) = (Tokens::new(&[1; 32]), Tokens::with_prefix(&[2; 32], "iss_"));
        let (link, id) = (links.seal(place), ids.seal(place));
        assert_eq!(ids.open(id.expose()), Some(place));
        assert_eq!(links.open(id.expose()), None);
        assert_eq!(links.open(id.expose().strip_prefix("iss_").unwrap()), None);
        assert_eq!(ids.open(link.expose()), None);
        assert_eq!(ids.open(&format!("iss_{}", link.expose())), None);
    }

    #[test]
    fn junk_opens_nothing() {
        let tokens = Tokens::new(&[1; 32]);
        // The last is beyond 2^128.
        for junk in
            ["", "0", "0000000000000000000000", "-000000000000000000000", "ééééééééééé", "zzzzzzzzzzzzzzzzzzzzzz"]
        {
            assert_eq!(tokens.open(junk), None, "{junk}");
        }
    }

    #[test]
    fn a_position_beyond_48_bits_has_no_spot_and_a_token_is_not_printed() {
        let token = Tokens::new(&[1; 32]).seal(spot(u32::MAX, u16::MAX, MAX_POSITION));
        assert_eq!(format!("{token:?}"), "LinkToken(…)");
    }

    proptest! {
        #[test]
        fn every_spot_comes_back_from_its_token(key: [u8; 32], campaign: u32, pool: u16, position in 0..=MAX_POSITION) {
            let tokens = Tokens::new(&key);
            let place = spot(campaign, pool, position);
            let token = tokens.seal(place);
            prop_assert_eq!(token.expose().len(), TOKEN_CHARS);
            prop_assert!(token.expose().bytes().all(|b| b.is_ascii_alphanumeric()));
            prop_assert_eq!(tokens.open(token.expose()), Some(place));
        }

        #[test]
        fn a_token_with_one_character_changed_is_refused(
            key: [u8; 32], position in 0..=MAX_POSITION, at in 0..TOKEN_CHARS, to in 0..62_usize,
        ) {
            let tokens = Tokens::new(&key);
            let token = tokens.seal(spot(1, 1, position));
            let mut forged = token.expose().as_bytes().to_vec();
            let (slot, new) = (forged.get_mut(at).unwrap(), *BASE62.get(to).unwrap());
            prop_assume!(*slot != new);
            *slot = new;
            prop_assert_eq!(tokens.open(std::str::from_utf8(&forged).unwrap()), None);
        }
    }
}
