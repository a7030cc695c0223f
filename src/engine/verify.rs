//! Looks at stock ahead of use: a campaign whose codes another system honours gives out only what that system was asked
//! about lately. Nothing here runs on the path of a request.

use super::{Engine, EngineError};
use crate::domain::alert::{Alert, AlertKind};
use crate::domain::campaign::{Authority, Campaign, PeerTerms, Pool};
use crate::domain::code::Code;
use crate::domain::ids::{CampaignId, Spot};
use crate::domain::verdict::Verdict;
use crate::redemption::{CallContext, CallRecord, Guarded, Noted, Peer, PeerError, Reading, Status};
use crate::store::verification::{Buffer, Looked, PoolKey, VerifiedStock, Wanted};
use chrono::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration as StdDuration;

/// The least number of codes kept ready (design §4).
const LEAST_READY: u64 = 500;
/// Demand is told by the busiest quarter of an hour of so many days.
const PEAK_DAYS: i64 = 7;
/// One process looks at a pool at a time; a lost one is followed after this.
const LEASE: Duration = Duration::seconds(60);
/// A code that the other system did not know is asked about again: its imports may lag.
const SECOND_LOOK: Duration = Duration::seconds(60);
/// A look at one lot of codes.
const PATIENCE: StdDuration = StdDuration::from_secs(10);
/// Shares of dead codes are told from so many looks on: one dead code of ten says nothing.
const TELLING: u64 = 100;
/// One dead code in so many is too many: 2 %.
const DEAD_SHARE: u64 = 50;

/// What one look at a pool came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// Enough is ready.
    Enough,
    /// So many codes were looked at; there may be more to look at.
    Looked {
        /// They may be given out.
        alive: u64,
        /// They never will.
        dead: u64,
    },
    /// The other system did not answer.
    Failed(PeerError),
    /// Too many were dead: a person must look.
    Paused,
    /// Another process looks at this pool.
    Elsewhere,
}

impl Engine {
    /// Looks at the next lot of a pool's codes.
    ///
    /// # Errors
    /// What the database says; what the other system says is a [`Look`].
    pub async fn look_at_pool(&self, campaign: &Campaign, pool: &Pool, peer: &Guarded) -> Result<Look, EngineError> {
        let Authority::Peer(terms) = &campaign.authority else {
            return Ok(Look::Enough);
        };
        let store = &self.parts().store;
        let key = (campaign.id, pool.pool_no);
        // A pool that needs nothing costs no write.
        if self.next_lot(key, terms, peer.lot()).await?.0.is_empty() {
            return Ok(Look::Enough);
        }
        let now = self.now();
        let Some(lease) = store.lease_verification(key, now, now + LEASE).await? else {
            return Ok(Look::Elsewhere);
        };
        let look = if lease.is_paused { Ok(Look::Paused) } else { self.look(campaign, key, terms, peer).await };
        store.release_verification(key).await?;
        look
    }

    async fn look(
        &self,
        campaign: &Campaign,
        key: PoolKey,
        terms: &PeerTerms,
        peer: &Guarded,
    ) -> Result<Look, EngineError> {
        let now = self.now();
        let (positions, is_second) = self.next_lot(key, terms, peer.lot()).await?;
        if positions.is_empty() {
            return Ok(Look::Enough);
        }
        let mut codes = Vec::with_capacity(positions.len());
        for position in &positions {
            let spot = Spot { campaign: key.0, pool: key.1, position: *position };
            codes.extend(self.code_at(spot).await?.map(|code| (*position, code)));
        }
        let trail = Noted::default();
        let context = CallContext::new(now, PATIENCE, &trail);
        let asked: Vec<Code> = codes.iter().map(|(_, code)| code.clone()).collect();
        let readings = peer.validate(&asked, &context).await;
        self.remember(key, &codes, trail.take());
        let verdicts: BTreeMap<_, _> = codes
            .iter()
            .zip(&readings)
            .filter_map(|((position, _), reading)| Some((*position, verdict(reading.as_ref().ok()?, is_second))))
            .collect();
        if verdicts.is_empty() {
            let failed = readings.into_iter().find_map(Result::err);
            return Ok(failed.map_or(Look::Enough, Look::Failed));
        }
        self.settle_look(campaign, key, &verdicts).await
    }

    /// What to look at next, and whether it is a second look at what was put aside.
    async fn next_lot(&self, key: PoolKey, terms: &PeerTerms, lot: usize) -> Result<(Vec<u64>, bool), EngineError> {
        let aside = self.parts().store.undecided(key, self.now() - SECOND_LOOK, lot).await?;
        if !aside.is_empty() {
            return Ok((aside, true));
        }
        Ok((self.next_positions(key, terms, lot).await?.next, false))
    }

    async fn settle_look(
        &self,
        campaign: &Campaign,
        key: PoolKey,
        verdicts: &BTreeMap<u64, Verdict>,
    ) -> Result<Look, EngineError> {
        let store = &self.parts().store;
        let about = format!("campaign {}", campaign.name);
        let used = verdicts.values().filter(|one| **one == Verdict::Dead(USED.to_owned())).count();
        let detail = format!("{used} codes that were never given out are used already");
        let leak = Alert { kind: AlertKind::LeakSuspected, about: about.clone(), detail };
        let looked = self.settle_verdicts(key, verdicts, Some(&leak).filter(|_| used > 0)).await?;
        let now = self.now();
        let sum = store.verification(key).await?;
        if sum.alive + sum.dead >= TELLING && sum.dead * DEAD_SHARE >= sum.alive + sum.dead {
            store.pause_verification(key, now).await?;
            let detail = format!("{} of {} codes looked at are dead: verifying waits", sum.dead, sum.alive + sum.dead);
            self.raise(AlertKind::DeadCodes, &about, detail).await;
            return Ok(Look::Paused);
        }
        Ok(Look::Looked { alive: looked.alive, dead: looked.dead })
    }

    /// Writes verdicts down, alone in the committer's queue, and with them a sign of a leak.
    pub(super) async fn settle_verdicts(
        &self,
        key: PoolKey,
        verdicts: &BTreeMap<u64, Verdict>,
        leak: Option<&Alert>,
    ) -> Result<Looked, EngineError> {
        let turn = self.turn().await?;
        let looked = self.parts().store.settle_look(key, verdicts, leak, self.now()).await;
        drop(turn);
        let looked = looked?;
        if let Some(Alert { kind, about, detail }) = leak.filter(|_| looked.dead > 0) {
            tracing::warn!(alert.kind = kind.word(), alert.about = about, "{detail}");
        }
        Ok(looked)
    }

    /// How many codes of a pool are ready, and which come next.
    ///
    /// # Errors
    /// What the database says.
    pub async fn next_positions(&self, key: PoolKey, terms: &PeerTerms, at_once: usize) -> Result<Buffer, EngineError> {
        let store = &self.parts().store;
        let peak = store.peak_demand(key.0, self.now() - Duration::days(PEAK_DAYS)).await?;
        let ready = terms.ready.unwrap_or_else(|| peak.max(LEAST_READY));
        Ok(store.verified_buffer(key, &self.wanted(terms, ready, at_once)).await?)
    }

    /// How a pool stands with the system that honours it, for people.
    ///
    /// # Errors
    /// What the database says.
    pub async fn verified_stock(&self, key: PoolKey, terms: &PeerTerms) -> Result<VerifiedStock, EngineError> {
        Ok(self.parts().store.verified_stock(key, &self.wanted(terms, 0, 0)).await?)
    }

    fn wanted(&self, terms: &PeerTerms, fresh: u64, at_once: usize) -> Wanted {
        let now = self.now();
        Wanted { fresh_after: now - terms.max_age, renew_before: now - terms.max_age / 2, fresh, at_once }
    }

    /// Goes on looking at a campaign's codes after too many were dead.
    ///
    /// # Errors
    /// What the database says.
    pub async fn resume_verifying(&self, campaign: &Campaign) -> Result<(), EngineError> {
        for pool in &campaign.pools {
            self.parts().store.resume_verification((campaign.id, pool.pool_no)).await?;
        }
        self.clear(AlertKind::DeadCodes, &format!("campaign {}", campaign.name)).await;
        Ok(())
    }

    /// What the other system was last asked about a code, and answered.
    #[must_use]
    pub fn peer_call(&self, spot: Spot) -> Option<Arc<CallRecord>> {
        self.shared.peer_calls.get(&spot)
    }

    pub(super) fn remember(&self, (campaign, pool): PoolKey, codes: &[(u64, Code)], calls: Vec<CallRecord>) {
        let calls: Vec<_> = calls.into_iter().map(Arc::new).collect();
        let Some(last) = calls.last() else {
            return;
        };
        self.shared.peer_calls.insert(last_call(campaign), Arc::clone(last));
        for (position, code) in codes {
            let spot = Spot { campaign, pool, position: *position };
            // A call about many codes names some of them; one about this code names its end.
            let named = calls.iter().rfind(|call| call.asked.contains(&code.ending()));
            self.shared.peer_calls.insert(spot, Arc::clone(named.unwrap_or(last)));
        }
    }

    /// The campaigns that live with another system, each with that system where this process has it.
    #[must_use]
    pub fn peers_campaigns(&self) -> Vec<(Arc<Campaign>, String, Option<Arc<Guarded>>)> {
        let catalog = self.catalog();
        let mut found: Vec<_> = catalog
            .campaigns
            .values()
            .filter_map(|campaign| match &campaign.authority {
                Authority::Here => None,
                Authority::Peer(terms) => {
                    let peer = self.parts().peers.get(&terms.name).cloned();
                    Some((Arc::clone(campaign), terms.name.clone(), peer))
                }
            })
            .collect();
        found.sort_by_key(|(campaign, ..)| campaign.id);
        found
    }
}

/// Where the last call about any code of a campaign is kept: pools are numbered from 1.
pub(super) fn last_call(campaign: CampaignId) -> Spot {
    Spot { campaign, pool: 0, position: 0 }
}

/// The evidence of a code that was used before it was given out.
const USED: &str = "already_redeemed";

/// What an answer means for a code that nobody has.
fn verdict(reading: &Reading, is_second: bool) -> Verdict {
    let why = reading.reason.clone().unwrap_or_else(|| reading.status.word().to_owned());
    match &reading.status {
        Status::Valid | Status::Conditional(_) => Verdict::Alive,
        Status::Redeemed { .. } => Verdict::Dead(USED.to_owned()),
        Status::Expired(_) | Status::Disabled | Status::IssuedElsewhere => Verdict::Dead(why),
        Status::Unknown if is_second => Verdict::Dead(why),
        Status::Unknown | Status::Locked | Status::NotYetActive(_) => Verdict::Undecided(why),
    }
}

/// How long verifying a pool takes by the other system's quota; `None` where it has none. A third of the quota is kept
/// for redeeming.
#[must_use]
pub fn time_to_verify(size: u64, batch_max: usize, quota_per_minute: Option<u32>) -> Option<Duration> {
    let quota = u64::from(quota_per_minute?).max(1);
    let calls = size.div_ceil(u64::try_from(batch_max.max(1)).unwrap_or(u64::MAX));
    let minutes = calls.saturating_mul(10).div_ceil(quota.saturating_mul(7));
    Some(Duration::minutes(i64::try_from(minutes).unwrap_or(i64::MAX / 60_000)))
}
