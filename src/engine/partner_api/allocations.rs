//! Pulls as a partner's program asks for them; those of the sandbox are played.

use super::{Engine, EngineError, Partner};
use crate::domain::act::{LeaseStep, Pull, PullMode};
use crate::domain::campaign::{Attribution, Channel, Partnership};
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
        let AllocationAsk { count, mode, lease, sub_id, .. } = ask;
        let words = format!("allocation {} {count} {mode:?} {lease} {sub_id:?}", campaign.id);
        let print = fingerprint(&[words.as_bytes()]);
        if by.environment() == Environment::Test {
            return Ok(AllocationAnswer::Made(Box::new(self.play_pull(by, &campaign, (request, print), ask).await?)));
        }
        let from = Attribution {
            partner: Some(Partnership { id: by.id(), version: by.version() }),
            sub_id: sub_id.clone(),
            ..Attribution::by(Channel::Api)
        };
        let pull = Pull { count: *count, mode: *mode, lease: *lease, from };
        let settled = self.allocate(request, print, campaign.id, pull).await?;
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
            | Outcome::Refunded(..)
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
            return self.played_pull(by, id).await;
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
        let words = format!("{} {step:?}", view.pull.id.text());
        let print = fingerprint(&[words.as_bytes()]);
        let outcome = if by.environment() == Environment::Test {
            self.play_step((request, print), &view.pull, step).await?
        } else {
            self.step_allocation(request, print, &view.pull, step).await?.outcome
        };
        match outcome {
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
            | Outcome::Refunded(..)
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
            return self.played_piece(by, pull, after).await;
        }
        self.pull_piece(pull, after).await
    }

    /// Where codes lie in a pull; or the place in the list of the first that does not.
    ///
    /// # Errors
    /// What the database says.
    pub async fn positions_in(
        &self,
        by: &Partner,
        pull: &Allocation,
        codes: &[String],
    ) -> Result<Result<Vec<u64>, usize>, EngineError> {
        if by.environment() == Environment::Test {
            return Ok(self.played_positions(pull, codes));
        }
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
}
