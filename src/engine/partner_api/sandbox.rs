//! The sandbox: answers like those of the house, that touch no counter and no stock. The same customer gets the same
//! code, because it is computed from her.

use super::{Customer, IssuanceAnswer, IssuanceAsk, IssuanceView, Merit, named};
use crate::domain::campaign::Campaign;
use crate::domain::cap::Reached;
use crate::domain::decision::outcome::Refusal;
use crate::domain::ids::{CapId, Spot};
use crate::domain::world::HeldState;
use crate::engine::{Engine, Partner, fingerprint};
use chrono::{Duration, NaiveTime};

/// Numbers that nobody has, each with what it plays.
const CAP_REACHED: &str = "+15005550001";
const POOL_EMPTY: &str = "+15005550002";
const PEER_AWAY: &str = "+15005550004";
const HAS_IT: &str = "+15005550005";
const HAS_ANOTHERS: &str = "+15005550006";
/// 31 signs that are not mistaken for one another.
const SIGNS: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";
/// Signs of a code behind its beginning.
const LENGTH: u32 = 8;

impl Engine {
    /// What the house would say.
    pub(super) fn play(&self, by: &Partner, campaign: &Campaign, ask: &IssuanceAsk) -> IssuanceAnswer {
        let phone = match &ask.customer {
            Customer::Phone(phone) => phone.expose(),
            Customer::Email(_) | Customer::Reference(_) => "",
        };
        let view = || {
            let code = self.test_code(by, campaign, self.test_position(by, campaign, &ask.customer));
            Box::new(IssuanceView { sub_id: ask.sub_id.clone(), note: ask.note.clone(), ..code })
        };
        match phone {
            CAP_REACHED => {
                let resets_at = Some(self.now() + Duration::days(1));
                let reached = Reached { cap_id: CapId(0), cap: 100, used: 100, resets_at };
                IssuanceAnswer::Refused(Refusal::CapReached(reached), Some("partner_day".to_owned()))
            }
            POOL_EMPTY => IssuanceAnswer::Refused(Refusal::PoolEmpty, None),
            PEER_AWAY => IssuanceAnswer::PeerAway,
            HAS_IT => IssuanceAnswer::Repeat(view()),
            HAS_ANOTHERS => IssuanceAnswer::Refused(Refusal::CustomerHasCode, None),
            _ => IssuanceAnswer::Issued(view()),
        }
    }

    /// A code of a sandbox by its id, as far as the id says: what the partner wanted echoed is not kept.
    pub(super) fn played(&self, by: &Partner, id: &str) -> Option<IssuanceView> {
        let Spot { campaign, position, .. } = self.parts().keys.sandbox_ids(by.client().as_str()).open(id)?;
        let catalog = self.catalog();
        Some(self.test_code(by, catalog.campaigns.get(&campaign)?, position))
    }

    /// The number of a customer's code.
    fn test_position(&self, by: &Partner, campaign: &Campaign, customer: &Customer) -> u64 {
        let (kind, name) = named(customer);
        let parts: [&[u8]; 5] = [
            &self.parts().keys.derive("sandbox-codes/v1"),
            by.client().as_str().as_bytes(),
            campaign.name.as_bytes(),
            kind.as_bytes(),
            name.as_bytes(),
        ];
        let drawn = fingerprint(&parts);
        let number = drawn.iter().take(8).fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
        number % (SIGNS.len() as u64).pow(LENGTH)
    }

    fn test_code(&self, by: &Partner, campaign: &Campaign, position: u64) -> IssuanceView {
        // Nothing is kept: every code of a sandbox is of this midnight.
        let issued_at = self.now().date_naive().and_time(NaiveTime::MIN).and_utc();
        let mut text = String::from("TEST");
        let mut rest = position;
        for sign in 0..LENGTH {
            if sign % 4 == 0 {
                text.push('-');
            }
            let at = usize::try_from(rest % SIGNS.len() as u64).unwrap_or_default();
            text.push(char::from(SIGNS.get(at).copied().unwrap_or(b'2')));
            rest /= SIGNS.len() as u64;
        }
        let spot = Spot { campaign: campaign.id, pool: 0, position };
        IssuanceView {
            id: self.parts().keys.sandbox_ids(by.client().as_str()).seal(spot).expose().to_owned(),
            campaign: campaign.name.clone(),
            code: text,
            live_url: format!("{}/docs#create_issuance", self.parts().public_url),
            state: HeldState::Unused,
            issued_at,
            expires_at: Some(issued_at + Duration::days(30)),
            redeemed_at: None,
            sub_id: None,
            note: None,
            merit: Merit::Own,
        }
    }
}
