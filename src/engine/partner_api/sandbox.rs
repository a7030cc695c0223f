//! The sandbox: answers like those of the house, that touch no counter and no stock. The same customer gets the same
//! code, because it is computed from her.

use super::{Customer, IssuanceAnswer, IssuanceAsk, IssuanceView, Merit, named};
use crate::domain::campaign::Campaign;
use crate::domain::cap::Reached;
use crate::domain::decision::outcome::Refusal;
use crate::domain::ids::CapId;
use crate::domain::world::HeldState;
use crate::engine::{Engine, Partner, fingerprint};
use chrono::Duration;

/// Numbers that nobody has, each with what it plays.
const CAP_REACHED: &str = "+15005550001";
const POOL_EMPTY: &str = "+15005550002";
const PEER_AWAY: &str = "+15005550004";
/// 31 signs that are not mistaken for one another.
const SIGNS: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";

impl Engine {
    /// What the house would say.
    pub(super) fn play(&self, by: &Partner, campaign: &Campaign, ask: &IssuanceAsk) -> IssuanceAnswer {
        let now = self.parts().clock.now();
        let phone = match &ask.customer {
            Customer::Phone(phone) => phone.expose(),
            Customer::Email(_) | Customer::Reference(_) => "",
        };
        match phone {
            CAP_REACHED => {
                let resets_at = Some(now + Duration::days(1));
                let reached = Reached { cap_id: CapId(0), cap: 100, used: 100, resets_at };
                return IssuanceAnswer::Refused(Refusal::CapReached(reached), Some("partner_day".to_owned()));
            }
            POOL_EMPTY => return IssuanceAnswer::Refused(Refusal::PoolEmpty, None),
            PEER_AWAY => return IssuanceAnswer::PeerAway,
            _ => {}
        }
        let (kind, name) = named(&ask.customer);
        let parts: [&[u8]; 5] = [
            &self.parts().keys.derive("sandbox-codes/v1"),
            by.client().as_str().as_bytes(),
            campaign.name.as_bytes(),
            kind.as_bytes(),
            name.as_bytes(),
        ];
        let drawn = fingerprint(&parts);
        let sign = |byte: &u8| char::from(SIGNS.get(usize::from(*byte) % SIGNS.len()).copied().unwrap_or(b'2'));
        let text: String = drawn.iter().take(8).map(sign).collect();
        let id: String = drawn.iter().skip(8).take(16).map(sign).collect();
        let (head, tail) = text.split_at(4);
        IssuanceAnswer::Issued(Box::new(IssuanceView {
            id: format!("iss_test_{id}"),
            campaign: campaign.name.clone(),
            code: format!("TEST-{head}-{tail}"),
            live_url: format!("{}/docs#create_issuance", self.parts().public_url),
            state: HeldState::Unused,
            issued_at: now,
            expires_at: Some(now + Duration::days(30)),
            redeemed_at: None,
            sub_id: ask.sub_id.clone(),
            note: ask.note.clone(),
            merit: Merit::Own,
        }))
    }
}
