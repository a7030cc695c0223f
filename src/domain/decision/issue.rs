//! One code for one person: the same one again, a new one, or a reason.

use super::Work;
use crate::domain::act::Who;
use crate::domain::campaign::{Again, Attribution, Campaign, Offer, Pool, Status};
use crate::domain::cap::{Cap, Reached, Scope, check_person, check_quota};
use crate::domain::decision::outcome::{Outcome, Refusal};
use crate::domain::ids::{CampaignId, CapId, Spot};
use crate::domain::world::{Held, HeldState, Person};
use chrono::{DateTime, Utc};

impl Work<'_> {
    /// Decides a request for a code of `campaign`.
    pub(super) fn issue(&mut self, campaign: &Campaign, who: &Who, from: &Attribution) -> Outcome {
        let now = self.world.now;
        let person = self.person(who.subject).clone();
        let newest = newest(&person, campaign.id, |_| true);
        if let Some(held) = newest {
            let state = held.state(now);
            if again(campaign, state) == Again::SameCode {
                return Outcome::Repeat(held.spot, state);
            }
        }
        match self.fits(campaign, who, &person, from) {
            Ok(fit) => Outcome::Issued(self.take(campaign, who, &person, from, &fit)),
            Err(why) => {
                let unused = newest_unused(&person, campaign.id, now);
                match (why, unused) {
                    // Nothing to do with how much she had: the code she has is still the answer.
                    (Refusal::Paused | Refusal::Ended | Refusal::PoolEmpty, Some(spot)) => {
                        Outcome::Repeat(spot, HeldState::Unused)
                    }
                    (why, unused) => Outcome::Refused(why, unused),
                }
            }
        }
    }

    /// Checks everything, counts nothing.
    fn fits<'c>(
        &self,
        campaign: &'c Campaign,
        who: &Who,
        person: &Person,
        from: &Attribution,
    ) -> Result<Fit<'c>, Refusal> {
        let now = self.world.now;
        is_open(campaign, who, now)?;
        let (pool, offer) = campaign
            .pools
            .iter()
            .filter(|pool| self.lowest(campaign.id, pool.pool_no).is_some())
            .find_map(|pool| campaign.offer(pool.offer_no).map(|offer| (pool, offer)))
            .or_else(|| campaign.pools.iter().find_map(|pool| Some((pool, campaign.offer(pool.offer_no)?))))
            .ok_or(Refusal::PoolEmpty)?;
        let mut charges = Vec::new();
        for cap in campaign.caps.iter().chain(&self.catalog.caps_across) {
            if let Some(charge) = self.check(cap, campaign.id, person, from, offer)? {
                charges.push(charge);
            }
        }
        self.lowest(campaign.id, pool.pool_no).ok_or(Refusal::PoolEmpty)?;
        Ok(Fit { pool, offer, charges })
    }

    fn check(
        &self,
        cap: &Cap,
        campaign: CampaignId,
        person: &Person,
        from: &Attribution,
        offer: &Offer,
    ) -> Result<Option<Charge>, Refusal> {
        if !cap.scope.holds(from) {
            return Ok(None);
        }
        let now = self.world.now;
        let weight = cap.unit.weight(offer.max_discount);
        if cap.scope == Scope::Person {
            let had: Vec<_> = person
                .held
                .iter()
                .filter(|held| held.epoch == person.epoch && (cap.across || held.spot.campaign == campaign))
                .map(|held| (held.issued_at, cap.unit.weight(Some(held.weight))))
                .collect();
            check_person(cap, &had, weight, now).map_err(Refusal::CapReached)?;
            return Ok(None);
        }
        let key = (cap.id, cap.window.key(now, cap.zone));
        // A window without a locked row cannot be counted in: fail closed.
        let full = Reached { cap_id: cap.id, cap: cap.cap, used: cap.cap, resets_at: None };
        let quota = self.world.quotas.get(&key).copied().ok_or(Refusal::CapReached(full))?;
        check_quota(cap, quota, weight, now).map_err(Refusal::CapReached)?;
        Ok(Some(Charge { key, weight }))
    }

    fn lowest(&self, campaign: CampaignId, pool_no: u16) -> Option<u64> {
        self.world.stock.get(&(campaign, pool_no))?.front().map(|range| range.first)
    }

    /// Takes the next position and counts it everywhere; everything was checked.
    fn take(&mut self, campaign: &Campaign, who: &Who, person: &Person, from: &Attribution, fit: &Fit<'_>) -> Spot {
        let now = self.world.now;
        let position = self.next_position(campaign.id, fit.pool.pool_no);
        for Charge { key, weight } in &fit.charges {
            if let Some(quota) = self.world.quotas.get_mut(key) {
                quota.used += weight;
                self.changes.quotas.insert(*key, quota.used);
            }
        }
        let seq = person
            .held
            .iter()
            .filter(|held| held.spot.campaign == campaign.id && held.epoch == person.epoch)
            .map(|held| held.seq)
            .max()
            .unwrap_or(0)
            + 1;
        let held = Held {
            spot: Spot { campaign: campaign.id, pool: fit.pool.pool_no, position },
            epoch: person.epoch,
            seq,
            offer_no: fit.offer.offer_no,
            weight: fit.offer.max_discount.unwrap_or(0),
            from: from.clone(),
            issued_at: now,
            expires_at: campaign.expiry.of(now),
            events: Vec::new(),
        };
        self.changes.outstand(&held, 1);
        self.changes.issuances.push((who.subject, held.clone()));
        let spot = held.spot;
        self.person(who.subject).held.push(held);
        spot
    }

    fn next_position(&mut self, campaign: CampaignId, pool_no: u16) -> u64 {
        let Some(ranges) = self.world.stock.get_mut(&(campaign, pool_no)) else {
            return 0;
        };
        let Some(range) = ranges.front_mut() else {
            return 0;
        };
        let (position, last) = (range.first, range.last);
        range.first += 1;
        let rest = (range.first <= last).then_some(range.first);
        if rest.is_none() {
            ranges.pop_front();
        }
        self.changes.stock.insert((campaign, pool_no, last), rest);
        *self.changes.taken.entry((campaign, pool_no)).or_default() += 1;
        position
    }
}

/// What a new code will take.
struct Fit<'c> {
    pool: &'c Pool,
    offer: &'c Offer,
    charges: Vec<Charge>,
}

/// One count to add.
struct Charge {
    key: (CapId, i64),
    weight: i64,
}

fn is_open(campaign: &Campaign, who: &Who, now: DateTime<Utc>) -> Result<(), Refusal> {
    match campaign.status {
        Status::Ended => return Err(Refusal::Ended),
        Status::Paused => return Err(Refusal::Paused),
        Status::Live => {}
    }
    if let Some(opens) = campaign.starts_at.filter(|start| now < *start) {
        return Err(Refusal::NotStarted(opens));
    }
    if campaign.ends_at.is_some_and(|end| now >= end) {
        return Err(Refusal::Ended);
    }
    let abroad = who.country.as_ref().is_some_and(|country| !campaign.countries.contains(country));
    if abroad && !campaign.countries.is_empty() {
        return Err(Refusal::CountryNotAllowed);
    }
    Ok(())
}

fn again(campaign: &Campaign, state: HeldState) -> Again {
    match state {
        HeldState::Unused => campaign.repeat.unused,
        HeldState::Redeemed => campaign.repeat.redeemed,
        HeldState::Expired => campaign.repeat.expired,
        HeldState::Void => campaign.repeat.void,
    }
}

fn newest(person: &Person, campaign: CampaignId, keep: impl Fn(&Held) -> bool) -> Option<&Held> {
    person
        .held
        .iter()
        .filter(|held| held.epoch == person.epoch && held.spot.campaign == campaign && keep(held))
        .max_by_key(|held| held.seq)
}

fn newest_unused(person: &Person, campaign: CampaignId, now: DateTime<Utc>) -> Option<Spot> {
    newest(person, campaign, |held| held.state(now) == HeldState::Unused).map(|held| held.spot)
}
