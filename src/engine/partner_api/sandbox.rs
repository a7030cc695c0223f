//! The sandbox: answers like those of the house, that touch no counter and no stock. The same customer gets the same
//! code, because it is computed from her. Kept are the keys of what was asked, and how pulls stand.

mod pulls;

use super::{Customer, IssuanceAnswer, IssuanceAsk, IssuanceView, Merit, fingerprint_of, named, print_of};
use crate::domain::campaign::Campaign;
use crate::domain::cap::Reached;
use crate::domain::decision::outcome::Refusal;
use crate::domain::ids::{CapId, RequestId, Spot};
use crate::domain::sandbox::{SPACE, code_text};
use crate::domain::world::HeldState;
use crate::engine::{Engine, EngineError, Partner, fingerprint};
use crate::store::sandbox::TestRequest;
use chrono::{DateTime, Duration, NaiveTime, Utc};

/// Numbers that nobody has, each with what it plays.
const CAP_REACHED: &str = "+15005550001";
const POOL_EMPTY: &str = "+15005550002";
const PEER_AWAY: &str = "+15005550004";
const HAS_IT: &str = "+15005550005";
const HAS_ANOTHERS: &str = "+15005550006";
impl Engine {
    /// What the house would say: to the same key the same.
    ///
    /// # Errors
    /// [`EngineError::KeyReused`]; what the database says.
    pub(super) async fn play_once(
        &self,
        by: &Partner,
        request: RequestId,
        campaign: &Campaign,
        ask: &IssuanceAsk,
    ) -> Result<IssuanceAnswer, EngineError> {
        let first_at = self.note_test(request, print_of(campaign, ask, &[])).await?;
        Ok(self.play(by, campaign, ask, first_at))
    }

    /// What the house would say to a list of customers; all of it is one request.
    ///
    /// # Errors
    /// As [`Engine::play_once`].
    pub(super) async fn play_many(
        &self,
        by: &Partner,
        campaign: &Campaign,
        asks: &[(RequestId, IssuanceAsk)],
    ) -> Result<Vec<IssuanceAnswer>, EngineError> {
        let Some((RequestId { door, key }, _)) = asks.first() else { return Ok(Vec::new()) };
        // Behind the space stands the customer's place in the list, and not every list begins with the first.
        let call = key.split_once(' ').map_or(key.as_str(), |(call, _)| call);
        let request = RequestId { door: door.clone(), key: format!("{call} batch") };
        let print = fingerprint(&[campaign.id.to_string().as_bytes(), &fingerprint_of(asks)]);
        let first_at = self.note_test(request, print).await?;
        Ok(asks.iter().map(|(_, ask)| self.play(by, campaign, ask, first_at)).collect())
    }

    /// Remembers a request; answers with when it came first.
    async fn note_test(&self, id: RequestId, fingerprint: [u8; 32]) -> Result<DateTime<Utc>, EngineError> {
        let asked = TestRequest { id, fingerprint, at: self.now() };
        let told = self.parts().store.note_in_sandbox(&asked).await?;
        Ok(told.ok_or(EngineError::KeyReused)?.first_at)
    }

    fn play(&self, by: &Partner, campaign: &Campaign, ask: &IssuanceAsk, at: DateTime<Utc>) -> IssuanceAnswer {
        let phone = match &ask.customer {
            Customer::Phone(phone) => phone.expose(),
            Customer::Email(_) | Customer::Reference(_) => "",
        };
        let view = || {
            let code = self.test_code(by, campaign, self.test_position(by, campaign, &ask.customer), at);
            Box::new(IssuanceView { sub_id: ask.sub_id.clone(), note: ask.note.clone(), ..code })
        };
        match phone {
            CAP_REACHED => {
                let resets_at = Some(at + Duration::days(1));
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
        Some(self.test_code(by, catalog.campaigns.get(&campaign)?, position, self.now()))
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
        number % SPACE
    }

    fn test_code(&self, by: &Partner, campaign: &Campaign, position: u64, at: DateTime<Utc>) -> IssuanceView {
        // No code is kept: every one of a sandbox is of the midnight before.
        let issued_at = at.date_naive().and_time(NaiveTime::MIN).and_utc();
        let spot = Spot { campaign: campaign.id, pool: 0, position };
        IssuanceView {
            id: self.parts().keys.sandbox_ids(by.client().as_str()).seal(spot).expose().to_owned(),
            campaign: campaign.name.clone(),
            code: code_text(position),
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
