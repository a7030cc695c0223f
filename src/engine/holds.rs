//! Keeps promises as codes come, oldest first, and tells who waits for longer than a day.

use super::{Engine, EngineError, chance};
use crate::domain::act::{Act, Ask, Who};
use crate::domain::campaign::{Authority, Campaign};
use crate::domain::decision::outcome::Outcome;
use crate::domain::ids::RequestId;
use crate::store::holds::Waiting;
use chrono::Duration;
use tokio::task::JoinSet;

/// Promises kept in one go: a batch's worth.
const AT_ONCE: u64 = 256;
/// After this a person is told that it takes longer.
const LATE: Duration = Duration::hours(24);

impl Engine {
    /// Keeps promises of a campaign, oldest first, as far as codes are ready; answers with how many were kept.
    ///
    /// # Errors
    /// As [`Engine::settle`].
    pub async fn keep_promises(&self, campaign: &Campaign) -> Result<u64, EngineError> {
        let Authority::Peer(terms) = &campaign.authority else {
            return Ok(0);
        };
        let mut ready = 0;
        for pool in &campaign.pools {
            ready += self.next_positions((campaign.id, pool.pool_no), terms, 0).await?.fresh;
        }
        let waiting = self.parts().store.waiting_holds(campaign.id, ready.min(AT_ONCE)).await?;
        let acts = waiting.into_iter().map(|one| {
            let request = RequestId { door: "hold".to_owned(), key: one.id.hex() };
            act(one, request, Ask::Fulfil(campaign.id, one.id))
        });
        self.settle_all(acts).await
    }

    /// Tells once, by text, whoever has waited for longer than a day.
    ///
    /// # Errors
    /// As [`Engine::settle`].
    pub async fn excuse_late(&self, campaign: &Campaign) -> Result<u64, EngineError> {
        let late = self.parts().store.late_holds(campaign.id, self.now() - LATE, AT_ONCE).await?;
        let acts = late.into_iter().map(|one| {
            let request = RequestId { door: "hold".to_owned(), key: format!("{}-late", one.id.hex()) };
            act(one, request, Ask::Excuse(campaign.id, one.id))
        });
        self.settle_all(acts).await
    }

    /// Settles acts together; how many of them came to something.
    async fn settle_all(&self, acts: impl Iterator<Item = Act>) -> Result<u64, EngineError> {
        let mut settling = JoinSet::new();
        for act in acts {
            let engine = self.clone();
            settling.spawn(async move { engine.settle(act).await });
        }
        let (mut done, mut failed) = (0, None);
        while let Some(settled) = settling.join_next().await {
            match settled {
                Ok(Ok(settled)) if settled.outcome == Outcome::Noted => {}
                Ok(Ok(_)) => done += 1,
                Ok(Err(error)) => failed = Some(error),
                Err(_) => failed = Some(EngineError::Stopped),
            }
        }
        failed.map_or(Ok(done), Err)
    }
}

fn act(one: Waiting, request: RequestId, ask: Ask) -> Act {
    let who = Who { subject: one.subject, sealed_phone: None, country: None };
    // One promise is asked about in one way; the key says all.
    Act { partner: one.partner, ..Act::new(chance::draw(), request, [0; 32], Some(who), ask) }
}
