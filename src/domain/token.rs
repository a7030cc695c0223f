//! Names for a code's place that say nothing about the place: live links and issuance ids.

use std::fmt;

use aws_lc_rs::cipher::{
    AES_256, DecryptingKey, DecryptionContext, EncryptingKey, UnboundCipherKey,
};

use super::permutation::{block_cipher, encrypt_block};

/// Characters of a token without its prefix: the fewest base62 digits that hold 128 bits.
pub const TOKEN_CHARS: usize = 22;
/// Positions are 48 bits wide in a token, and so in every pool.
pub const MAX_POSITION: u64 = (1 << 48) - 1;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The place of one code: campaign, pool of that campaign, position in that pool (0 to 2^48 - 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Spot {
    campaign_id: u32,
    pool_no: u16,
    position: u64,
}

impl Spot {
    /// # Errors
    /// [`TooWide`] when the position needs more than 48 bits; pools are refused at creation before that.
    pub const fn new(campaign_id: u32, pool_no: u16, position: u64) -> Result<Self, TooWide> {
        if position > MAX_POSITION {
            return Err(TooWide);
        }
        Ok(Self {
            campaign_id,
            pool_no,
            position,
        })
    }

    /// The campaign's number.
    #[must_use]
    pub const fn campaign_id(self) -> u32 {
        self.campaign_id
    }

    /// The pool's number in its campaign.
    #[must_use]
    pub const fn pool_no(self) -> u16 {
        self.pool_no
    }

    /// The code's number in its pool.
    #[must_use]
    pub const fn position(self) -> u64 {
        self.position
    }
}

/// A position beyond 2^48 - 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a position has at most 48 bits")]
pub struct TooWide;

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
        #[expect(
            clippy::expect_used,
            reason = "the only failure is a key of another length"
        )]
        let open = UnboundCipherKey::new(&AES_256, key)
            .and_then(DecryptingKey::ecb)
            .expect("AES-256 takes 32 bytes");
        Self {
            prefix,
            seal: block_cipher(key),
            open,
        }
    }

    /// The one token of this spot.
    #[must_use]
    pub fn seal(&self, spot: Spot) -> LinkToken {
        let plain = (u128::from(spot.campaign_id) << 96)
            | (u128::from(spot.pool_no) << 80)
            | (u128::from(spot.position) << 32);
        let block = u128::from_be_bytes(encrypt_block(&self.seal, plain));
        let mut token = String::with_capacity(self.prefix.len() + TOKEN_CHARS);
        token.push_str(self.prefix);
        token.extend(base62(block).into_iter().map(char::from));
        LinkToken(token)
    }

    /// The spot a token names, or `None` for anything that [`Tokens::seal`] under this key never wrote.
    #[must_use]
    pub fn open(&self, token: &str) -> Option<Spot> {
        let mut block = from_base62(token.strip_prefix(self.prefix)?)?.to_be_bytes();
        self.open
            .decrypt(&mut block, DecryptionContext::None)
            .ok()?;
        let plain = u128::from_be_bytes(block);
        if plain.trailing_zeros() < 32 {
            return None;
        }
        let campaign_id = u32::try_from(plain >> 96).ok()?;
        let pool_no = u16::try_from((plain >> 80) & u128::from(u16::MAX)).ok()?;
        let position = u64::try_from((plain >> 32) & u128::from(MAX_POSITION)).ok()?;
        Spot::new(campaign_id, pool_no, position).ok()
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

    #[test]
    fn links_already_sent_stay_valid() {
        // From an AES-256 of another library, written down once: a change here would break every link that is out.
        let tokens = Tokens::new(&[5; 32]);
        let spot = Spot::new(7, 2, 123_456_789).unwrap();
        assert_eq!(tokens.seal(spot).expose(), "3YgqB9A6ZfcHpjDth6QOZx");
        assert_eq!(tokens.open("3YgqB9A6ZfcHpjDth6QOZx"), Some(spot));
    }

    #[test]
    fn a_token_of_another_kind_or_key_opens_nothing() {
        let spot = Spot::new(1, 1, 1).unwrap();
        let (links, ids) = (Tokens::new(&[1; 32]), Tokens::with_prefix(&[2; 32], "iss_"));
        let (link, id) = (links.seal(spot), ids.seal(spot));
        assert_eq!(ids.open(id.expose()), Some(spot));
        assert_eq!(links.open(id.expose()), None);
        assert_eq!(links.open(id.expose().strip_prefix("iss_").unwrap()), None);
        assert_eq!(ids.open(link.expose()), None);
        assert_eq!(ids.open(&format!("iss_{}", link.expose())), None);
    }

    #[test]
    fn junk_opens_nothing() {
        let tokens = Tokens::new(&[1; 32]);
        // The last is beyond 2^128.
        for junk in [
            "",
            "0",
            "0000000000000000000000",
            "-000000000000000000000",
            "ééééééééééé",
            "zzzzzzzzzzzzzzzzzzzzzz",
        ] {
            assert_eq!(tokens.open(junk), None, "{junk}");
        }
    }

    #[test]
    fn a_position_beyond_48_bits_has_no_spot_and_a_token_is_not_printed() {
        assert_eq!(Spot::new(1, 1, MAX_POSITION + 1), Err(TooWide));
        let token =
            Tokens::new(&[1; 32]).seal(Spot::new(u32::MAX, u16::MAX, MAX_POSITION).unwrap());
        assert_eq!(format!("{token:?}"), "LinkToken(…)");
    }

    proptest! {
        #[test]
        fn every_spot_comes_back_from_its_token(key: [u8; 32], campaign: u32, pool: u16, position in 0..=MAX_POSITION) {
            let tokens = Tokens::new(&key);
            let spot = Spot::new(campaign, pool, position).unwrap();
            let token = tokens.seal(spot);
            prop_assert_eq!(token.expose().len(), TOKEN_CHARS);
            prop_assert!(token.expose().bytes().all(|b| b.is_ascii_alphanumeric()));
            prop_assert_eq!(tokens.open(token.expose()), Some(spot));
        }

        #[test]
        fn a_token_with_one_character_changed_is_refused(
            key: [u8; 32], position in 0..=MAX_POSITION, at in 0..TOKEN_CHARS, to in 0..62_usize,
        ) {
            let tokens = Tokens::new(&key);
            let token = tokens.seal(Spot::new(1, 1, position).unwrap());
            let mut forged = token.expose().as_bytes().to_vec();
            let (slot, new) = (forged.get_mut(at).unwrap(), *BASE62.get(to).unwrap());
            prop_assume!(*slot != new);
            *slot = new;
            prop_assert_eq!(tokens.open(std::str::from_utf8(&forged).unwrap()), None);
        }
    }
}
