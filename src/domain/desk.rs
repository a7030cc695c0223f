//! A creator's desk: how long its links and sessions live, and the sign by which a browser is known again.

use crate::domain::ids::{CreatorId, from_millis, millis};
use crate::domain::keyring::hex;
use aws_lc_rs::hmac;
use chrono::{DateTime, Duration, Utc};

/// What she texts from her own number.
pub const DESK_WORD: &str = "DESK";
/// How long a link opens a desk, once.
pub const DESK_LINK_LIVES: Duration = Duration::minutes(10);
/// How long a browser stays at the desk.
pub const DESK_SESSION_LIVES: Duration = Duration::hours(12);

/// Makes and reads the signs of sessions: creator, end and HMAC-SHA256 of both. Nothing of them is stored.
#[derive(Debug)]
pub struct DeskSessions(hmac::Key);

/// What a sign says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeskSession {
    /// She is at her desk.
    Open(CreatorId),
    /// She was, and her time is over.
    Over,
}

impl DeskSessions {
    /// Signs under a key of this house.
    #[must_use]
    pub fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The sign of a session that ends at `ends_at`.
    #[must_use]
    pub fn sign(&self, creator: CreatorId, ends_at: DateTime<Utc>) -> String {
        let said = format!("{}.{}", creator.0, millis(ends_at));
        let tag = hmac::sign(&self.0, said.as_bytes());
        format!("{said}.{}", hex(tag.as_ref()))
    }

    /// Reads a sign; `None` for whatever [`DeskSessions::sign`] under this key never wrote.
    #[must_use]
    pub fn read(&self, sign: &str, now: DateTime<Utc>) -> Option<DeskSession> {
        let (said, tag) = sign.rsplit_once('.')?;
        hmac::verify(&self.0, said.as_bytes(), &unhex(tag)?).ok()?;
        let (creator, ends_at) = said.split_once('.')?;
        let (creator, ends_at) = (CreatorId(creator.parse().ok()?), from_millis(ends_at.parse().ok()?));
        Some(if now < ends_at { DeskSession::Open(creator) } else { DeskSession::Over })
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2));
    pairs.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_sign_holds_for_its_creator_and_time_and_under_its_key_only() {
        let now: DateTime<Utc> = "2026-11-20T16:00:00Z".parse().unwrap();
        let sessions = DeskSessions::new(&[7; 32]);
        let sign = sessions.sign(CreatorId(3), now + DESK_SESSION_LIVES);
        assert_eq!(sessions.read(&sign, now), Some(DeskSession::Open(CreatorId(3))));
        assert_eq!(sessions.read(&sign, now + DESK_SESSION_LIVES), Some(DeskSession::Over));
        assert_eq!(DeskSessions::new(&[8; 32]).read(&sign, now), None);
        let other = sign.replacen('3', "4", 1);
        for bad in [other.as_str(), "", "3", "3.9.", "3.9.zz", "3.99999999999999.00", "é.é.é"] {
            assert_eq!(sessions.read(bad, now), None, "{bad}");
        }
    }
}
