//! Pulls as a partner's program asks for them; those of the sandbox are computed from their names.

use super::{Engine, EngineError, Partner};
use crate::domain::act::{LeaseStep, Pull, PullMode};
use crate::domain::campaign::{Attribution, Campaign, Channel, Partnership};
use crate::domain::code::CodeNorm;
use crate::domain::decision::outcome::{Outcome, Refusal};
use crate::domain::ids::{AllocationId, RequestId};
use crate::domain::partner::Environment;
use crate::engine::allocations::{Allocation, Piece};
use crate::engine::fingerprint;
use chrono::Duration;

/// A pull that a partner asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllocationAsk {
    /// The campaign's name.
    pub campaign: String,
    /// How many codes.
    pub count: u64,
    /// Whether fewer will do.
    pub mode: PullMode,
    /// How long it may be streamed and acknowledged.
    pub lease: Duration,
    /// What the partner calls the place.
    pub sub_id: Option<String>,
}

/// A pull as its partner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllocationView {
    /// The pull.
    pub pull: Allocation,
    /// The campaign's name.
    pub campaign: String,
    /// SHA-256 over its codes, once all were streamed.
    pub digest: Option<String>,
}

/// What a partner is told who asks for a pull.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllocationAnswer {
    /// The codes are its own until the lease ends.
    Made(Box<AllocationView>),
    /// None, and why; with the name of the cap where one is full.
    Refused(Refusal, Option<String>),
}

/// What a partner is told of a step of its pull.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LeaseAnswer {
    /// It is done, for so many codes.
    Done(Box<AllocationView>, u64),
    /// It is not.
    Refused(Refusal),
}

impl Engine {
    /// Pulls codes for a partner: the same request key gets the same answer.
    ///
    /// # Errors
    /// As [`Engine::settle`]; [`EngineError::Barred`].
    pub async fn allocate_for_partner(
        &self,
        by: &Partner,
        request: RequestId,
        ask: &AllocationAsk,
    ) -> Result<AllocationAnswer, EngineError> {
        let campaign = self.granted(by, &ask.campaign).await?;
        if by.environment() == Environment::Test {
            return Ok(AllocationAnswer::Made(Box::new(self.play_pull(by, &campaign, ask, &request))));
        }
        let AllocationAsk { count, mode, lease, sub_id, .. } = ask;
        let words = format!("allocation {} {count} {mode:?} {lease} {sub_id:?}", campaign.id);
        let from = Attribution {
            partner: Some(Partnership { id: by.id(), version: by.version() }),
            sub_id: sub_id.clone(),
            ..Attribution::by(Channel::Api)
        };
        let pull = Pull { count: *count, mode: *mode, lease: *lease, from };
        let settled = self.allocate(request, fingerprint(&[words.as_bytes()]), campaign.id, pull).await?;
        match settled.outcome {
            Outcome::Allocated(id, _) => {
                let view = self.allocation_of_partner(by, id).await?.ok_or(EngineError::Busy)?;
                Ok(AllocationAnswer::Made(Box::new(view)))
            }
            Outcome::Refused(why, _) => {
                let cap = if let Refusal::CapReached(reached) = why {
                    self.cap_name(by, &campaign, reached.cap_id).await?
                } else {
                    None
                };
                Ok(AllocationAnswer::Refused(why, cap))
            }
            Outcome::Issued(_)
            | Outcome::Held(_)
            | Outcome::Repeat(..)
            | Outcome::Redeemed(..)
            | Outcome::RolledBack(..)
            | Outcome::Recorded(..)
            | Outcome::Voided(_)
            | Outcome::Declined(..)
            | Outcome::Told(_)
            | Outcome::Noted
            | Outcome::Leased(..)
            | Outcome::Looked(..) => Err(EngineError::KeyReused),
        }
    }

    /// A pull of a partner's own, by its name.
    ///
    /// # Errors
    /// What the database says.
    pub async fn allocation_of_partner(
        &self,
        by: &Partner,
        id: AllocationId,
    ) -> Result<Option<AllocationView>, EngineError> {
        if by.environment() == Environment::Test {
            return Ok(self.played_pull(by, id));
        }
        let Some(pull) = self.allocation(by.id(), id).await? else {
            return Ok(None);
        };
        let catalog = self.fresh_catalog().await?;
        let campaign = catalog.campaigns.get(&pull.campaign).map(|campaign| campaign.name.clone()).unwrap_or_default();
        let digest = self.pull_digest(&pull).await?;
        Ok(Some(AllocationView { pull, campaign, digest }))
    }

    /// Takes a step of a partner's pull.
    ///
    /// # Errors
    /// As [`Engine::settle`].
    pub async fn step_for_partner(
        &self,
        by: &Partner,
        request: RequestId,
        view: &AllocationView,
        step: LeaseStep,
    ) -> Result<LeaseAnswer, EngineError> {
        if by.environment() == Environment::Test {
            let n = if let LeaseStep::Withdrawn(codes, _) = &step { codes.len() as u64 } else { view.pull.count };
            return Ok(LeaseAnswer::Done(Box::new(view.clone()), n));
        }
        let words = format!("{} {step:?}", view.pull.id.text());
        let settled = self.step_allocation(request, fingerprint(&[words.as_bytes()]), &view.pull, step).await?;
        match settled.outcome {
            Outcome::Leased(id, n) => {
                let view = self.allocation_of_partner(by, id).await?.ok_or(EngineError::Busy)?;
                Ok(LeaseAnswer::Done(Box::new(view), n))
            }
            Outcome::Refused(why, _) => Ok(LeaseAnswer::Refused(why)),
            Outcome::Issued(_)
            | Outcome::Held(_)
            | Outcome::Repeat(..)
            | Outcome::Redeemed(..)
            | Outcome::RolledBack(..)
            | Outcome::Recorded(..)
            | Outcome::Voided(_)
            | Outcome::Declined(..)
            | Outcome::Told(_)
            | Outcome::Noted
            | Outcome::Allocated(..)
            | Outcome::Looked(..) => Err(EngineError::KeyReused),
        }
    }

    /// The next codes of a partner's pull after the first `after`.
    ///
    /// # Errors
    /// As [`Engine::pull_piece`].
    pub async fn piece_for_partner(&self, by: &Partner, pull: &Allocation, after: u64) -> Result<Piece, EngineError> {
        if by.environment() == Environment::Test {
            return Ok(played_piece(pull, after));
        }
        self.pull_piece(pull, after).await
    }

    /// Where codes lie in a pull; or the place in the list of the first that does not.
    ///
    /// # Errors
    /// What the database says.
    pub async fn positions_in(
        &self,
        pull: &Allocation,
        codes: &[String],
    ) -> Result<Result<Vec<u64>, usize>, EngineError> {
        let mut found = Vec::with_capacity(codes.len());
        let streamed = self.parts().store.streamed(pull.id).await?;
        for (at, code) in codes.iter().enumerate() {
            let spot = match CodeNorm::parse(code) {
                Ok(norm) => self.spot_of(&norm).await?,
                Err(_) => None,
            };
            let inside = spot.filter(|spot| spot.campaign == pull.campaign && spot.pool == pull.pool_no);
            let inside =
                inside.filter(|spot| streamed.iter().any(|run| (run.first..=run.last).contains(&spot.position)));
            match inside {
                Some(spot) => found.push(spot.position),
                None => return Ok(Err(at)),
            }
        }
        Ok(Ok(found))
    }

    /// A pull of the sandbox: its name says how many codes it has, so that nothing is kept of it.
    fn play_pull(&self, by: &Partner, campaign: &Campaign, ask: &AllocationAsk, request: &RequestId) -> AllocationView {
        let count = ask.count.min(played::MOST);
        let id = played::id(&self.played_key(by), (campaign.id.0, u32::try_from(count).unwrap_or(0)), &request.key);
        self.pull_view(by, id, campaign, count, ask.lease)
    }

    fn played_pull(&self, by: &Partner, id: AllocationId) -> Option<AllocationView> {
        let (campaign, count) = played::read(&self.played_key(by), id)?;
        let catalog = self.catalog();
        let campaign = catalog.campaigns.get(&crate::domain::ids::CampaignId(campaign))?;
        Some(self.pull_view(by, id, campaign, count.into(), Duration::days(1)))
    }

    fn played_key(&self, by: &Partner) -> [u8; 32] {
        fingerprint(&[&self.parts().keys.derive("sandbox-pulls/v1"), by.client().as_str().as_bytes()])
    }

    fn pull_view(
        &self,
        by: &Partner,
        id: AllocationId,
        campaign: &Campaign,
        count: u64,
        lease: Duration,
    ) -> AllocationView {
        let now = self.now();
        let pull = Allocation {
            id,
            partner: by.id(),
            partner_version: by.version(),
            campaign: campaign.id,
            pool_no: 1,
            sub_id: None,
            count,
            exposed: count,
            restocked: 0,
            allocated_at: now,
            expires_at: campaign.expiry.of(now),
            lease_until: now + lease,
            acked_at: None,
            ended_at: None,
            digest: None,
        };
        AllocationView { pull, campaign: campaign.name.clone(), digest: None }
    }
}

fn played_piece(pull: &Allocation, after: u64) -> Piece {
    if after >= pull.count {
        return Piece::End;
    }
    let code = |no: u64| {
        let drawn = fingerprint(&[&pull.id.0, &no.to_be_bytes()]);
        let [a, b, c, d, ..] = drawn;
        format!("TEST-{a:02X}{b:02X}-{c:02X}{d:02X}")
    };
    Piece::Codes((after..pull.count).map(code).collect())
}

/// Names of pulls of the sandbox: what they are of, and a proof that this house made them.
mod played {
    use crate::domain::ids::AllocationId;
    use crate::engine::fingerprint;

    /// Codes of the largest one.
    pub(super) const MOST: u64 = 1_000;

    fn proof(key: &[u8; 32], head: &[u8]) -> [u8; 6] {
        let mut proof = [0; 6];
        fingerprint(&[key, head]).iter().zip(&mut proof).for_each(|(byte, place)| *place = *byte);
        proof
    }

    pub(super) fn id(key: &[u8; 32], (campaign, count): (u32, u32), request: &str) -> AllocationId {
        let [salt_a, salt_b, ..] = fingerprint(&[key, request.as_bytes()]);
        let mut id = [0; 16];
        let (head, tail) = id.split_at_mut(10);
        head.copy_from_slice(&[&campaign.to_be_bytes()[..], &count.to_be_bytes(), &[salt_a, salt_b]].concat());
        tail.copy_from_slice(&proof(key, head));
        AllocationId(id)
    }

    pub(super) fn read(key: &[u8; 32], id: AllocationId) -> Option<(u32, u32)> {
        let (head, tail) = id.0.split_at_checked(10)?;
        if proof(key, head) != *tail {
            return None;
        }
        let (campaign, rest) = head.split_first_chunk::<4>()?;
        let (count, _) = rest.split_first_chunk::<4>()?;
        Some((u32::from_be_bytes(*campaign), u32::from_be_bytes(*count)))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_name_is_read_back_by_its_house_alone() {
            let made = id(&[1; 32], (7, 500), "k");
            assert_eq!(read(&[1; 32], made), Some((7, 500)));
            assert_eq!(read(&[2; 32], made), None);
            assert_eq!(read(&[1; 32], AllocationId([0; 16])), None);
        }
    }
}
