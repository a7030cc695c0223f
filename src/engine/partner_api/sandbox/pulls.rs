//! Pulls of the sandbox: they keep the rules of real ones, and their codes are computed from their names.

use crate::domain::act::LeaseStep;
use crate::domain::campaign::Campaign;
use crate::domain::decision::outcome::Outcome;
use crate::domain::ids::{AllocationId, RequestId};
use crate::domain::keyring::hex;
use crate::domain::sandbox::PullCodes;
use crate::engine::allocations::{Allocation, Piece};
use crate::engine::partner_api::{AllocationAsk, AllocationView};
use crate::engine::{Engine, EngineError, Partner, draw, fingerprint};
use crate::store::sandbox::TestRequest;
use aws_lc_rs::digest::{Context, SHA256};

/// Codes of one piece of a stream: nobody waits for the commit before it but whoever streams.
const PIECE: u64 = 1_000;

impl Engine {
    /// A pull of all the codes that are asked for.
    pub(in crate::engine::partner_api) async fn play_pull(
        &self,
        by: &Partner,
        campaign: &Campaign,
        (id, fingerprint): (RequestId, [u8; 32]),
        ask: &AllocationAsk,
    ) -> Result<AllocationView, EngineError> {
        let now = self.now();
        let pull = Allocation {
            id: AllocationId(draw()),
            partner: by.id(),
            partner_version: by.version(),
            campaign: campaign.id,
            pool_no: 0,
            sub_id: None,
            count: ask.count,
            exposed: 0,
            restocked: 0,
            allocated_at: now,
            expires_at: campaign.expiry.of(now),
            lease_until: now + ask.lease,
            acked_at: None,
            ended_at: None,
            digest: None,
        };
        let asked = TestRequest { id, fingerprint, at: now };
        let told = self.parts().store.pull_in_sandbox(&asked, &pull).await?.ok_or(EngineError::KeyReused)?;
        let Outcome::Allocated(id, _) = told.outcome else {
            return Err(EngineError::KeyReused);
        };
        self.played_pull(by, id).await?.ok_or(EngineError::Busy)
    }

    /// A pull of the sandbox, as far as it has come: one whose time is over has given back what was not streamed.
    pub(in crate::engine::partner_api) async fn played_pull(
        &self,
        by: &Partner,
        id: AllocationId,
    ) -> Result<Option<AllocationView>, EngineError> {
        let Some(mut pull) = self.parts().store.sandbox_pull(by.id(), id).await? else {
            return Ok(None);
        };
        if pull.is_over(self.now()) {
            pull.ended_at = Some(pull.lease_until);
            pull.restocked = pull.count.saturating_sub(pull.exposed);
        }
        let catalog = self.fresh_catalog().await?;
        let campaign = catalog.campaigns.get(&pull.campaign).map(|campaign| campaign.name.clone()).unwrap_or_default();
        let digest = self.played_digest(&pull).await?;
        Ok(Some(AllocationView { pull, campaign, digest }))
    }

    /// Takes a step of a pull of the sandbox.
    pub(in crate::engine::partner_api) async fn play_step(
        &self,
        (id, fingerprint): (RequestId, [u8; 32]),
        pull: &Allocation,
        step: LeaseStep,
    ) -> Result<Outcome, EngineError> {
        let now = self.now();
        let catalog = self.fresh_catalog().await?;
        let takes_back = catalog.campaigns.get(&pull.campaign).is_some_and(|campaign| campaign.partners.takes_back);
        let asked = TestRequest { id, fingerprint, at: now };
        let take = move |pull: &mut crate::domain::sandbox::TestPull| pull.step(&step, takes_back, now);
        let told = self.parts().store.step_in_sandbox(&asked, pull.id, take).await?;
        Ok(told.ok_or(EngineError::KeyReused)?.outcome)
    }

    /// The next codes of a pull of the sandbox after the first `after`.
    pub(in crate::engine::partner_api) async fn played_piece(
        &self,
        by: &Partner,
        pull: &Allocation,
        after: u64,
    ) -> Result<Piece, EngineError> {
        let store = &self.parts().store;
        let Some(mut now) = store.sandbox_pull(by.id(), pull.id).await? else {
            return Ok(Piece::Over);
        };
        if now.exposed == after && now.exposed + now.restocked < now.count {
            if now.is_over(self.now()) {
                return Ok(Piece::Over);
            }
            self.may_pull(&now).await?;
            store.expose_in_sandbox(pull.id, (after, PIECE), self.now()).await?;
            let Some(then) = store.sandbox_pull(by.id(), pull.id).await? else {
                return Ok(Piece::Over);
            };
            now = then;
        }
        if now.exposed <= after {
            return Ok(if now.is_over(self.now()) { Piece::Over } else { Piece::End });
        }
        let codes = self.pull_codes(pull.id);
        Ok(Piece::Codes((after..now.exposed.min(after + PIECE)).map(|no| codes.text(no)).collect()))
    }

    /// Where codes lie in a pull of the sandbox; or the place in the list of the first that was not streamed.
    pub(in crate::engine::partner_api) fn played_positions(
        &self,
        pull: &Allocation,
        codes: &[String],
    ) -> Result<Vec<u64>, usize> {
        let known = self.pull_codes(pull.id);
        let place = |(at, code): (usize, &String)| known.number(code).filter(|no| *no < pull.exposed).ok_or(at);
        codes.iter().enumerate().map(place).collect()
    }

    /// As [`Engine::pull_digest`].
    async fn played_digest(&self, pull: &Allocation) -> Result<Option<String>, EngineError> {
        if pull.digest.is_some() || pull.exposed + pull.restocked < pull.count {
            return Ok(pull.digest.clone());
        }
        let (codes, mut context) = (self.pull_codes(pull.id), Context::new(&SHA256));
        for no in 0..pull.exposed {
            context.update(codes.text(no).as_bytes());
            context.update(b"\n");
        }
        let digest = hex(context.finish().as_ref());
        self.parts().store.keep_digest_in_sandbox(pull.id, &digest).await?;
        Ok(Some(digest))
    }

    fn pull_codes(&self, id: AllocationId) -> PullCodes {
        PullCodes::new(&fingerprint(&[&self.parts().keys.derive("sandbox-pulls/v1"), &id.0]))
    }
}
