//! One code for one person: the same one again, a new one, or a reason.

use super::Work;
use super::hold::{is_peers, next_seq};
use crate::domain::act::{Act, Who};
use crate::domain::campaign::{Again, Attribution, Authority, Campaign, Offer, Pool, Status, Unverified};
use crate::domain::cap::{Cap, Reached, Scope, check_person, check_quota};
use crate::domain::decision::outcome::{Outcome, Refusal};
use crate::domain::ids::{CampaignId, CapId, Spot, Subject};
use crate::domain::reply::ReplyId;
use crate::domain::world::{Held, HeldState, Person};
use chrono::{DateTime, Duration, Utc};

/// A verified code is looked at again this long after it was given out (redemptions without a webhook).
const FIRST_LOOK: Duration = Duration::hours(1);

impl Work<'_> {
    /// Decides a request for a code of `campaign`.
    pub(super) fn issue(&mut self, act: &Act, campaign: &Campaign, who: &Who, from: &Attribution) -> Outcome {
        let now = self.world.now;
        if let Some(hold) = self.open_hold(who, campaign.id) {
            if !Self::may_see(campaign, from, &hold.from) {
                return Outcome::Refused(Refusal::CustomerHasCode, None);
            }
            return self.asked_again(campaign, who, &hold);
        }
        let person = self.person(who.subject).clone();
        let newest = newest(&person, campaign.id, |_| true);
        if let Some(held) = newest {
            let state = held.state(now);
            if again(campaign, state) == Again::SameCode {
                return if Self::may_see(campaign, from, &held.from) {
                    Outcome::Repeat(held.spot, state)
                } else {
                    Outcome::Refused(Refusal::CustomerHasCode, None)
                };
            }
        }
        match self.fits(campaign, who, &person, from) {
            Ok(fit) if self.lowest(campaign.id, fit.pool.pool_no).is_none() => {
                self.hold(act, campaign, who, from, &fit)
            }
            Ok(fit) => Outcome::Issued(self.take(campaign, who, &person, from, &fit)),
            Err(why) => {
                let seen = |held: &Held| Self::may_see(campaign, from, &held.from);
                let unused = newest_unused(&person, campaign.id, now, seen);
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
        is_open(campaign, who.country.as_ref(), now)?;
        self.speaks(campaign, from)?;
        let (pool, offer) = campaign
            .pools_of(from.creator)
            .filter(|pool| self.has_stock(campaign, pool.pool_no))
            .find_map(|pool| campaign.offer(pool.offer_no).map(|offer| (pool, offer)))
            .or_else(|| campaign.pools_of(from.creator).find_map(|pool| Some((pool, campaign.offer(pool.offer_no)?))))
            .ok_or(Refusal::PoolEmpty)?;
        let most = self.catalog.limits.burst_per_range;
        let neighbours = self.range.and_then(|range| self.world.bursts.get(&range)).copied().unwrap_or(0);
        if most > 0 && neighbours >= most {
            return Err(Refusal::NumberBurst);
        }
        let mut charges = Vec::new();
        for cap in self.caps_of(campaign, from) {
            if let Some(charge) = self.check(cap, campaign.id, person, from, offer)? {
                charges.push(charge);
            }
        }
        if !self.has_stock(campaign, pool.pool_no) {
            return Err(Refusal::PoolEmpty);
        }
        Ok(Fit { pool, offer, charges })
    }

    /// Every cap that a request may count in: the campaign's, those across campaigns, its partner's.
    pub(super) fn caps_of<'s>(&'s self, campaign: &'s Campaign, from: &Attribution) -> impl Iterator<Item = &'s Cap> {
        let terms = from.partner.and_then(|by| self.world.partners.get(&by.id));
        let partners = terms.into_iter().flat_map(|terms| terms.caps(campaign.id));
        campaign.caps.iter().chain(&self.catalog.caps_across).chain(partners)
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
            let had = person
                .held
                .iter()
                .filter(|held| held.epoch == person.epoch && (cap.across || held.spot.campaign == campaign))
                .map(|held| (held.charged_at(), cap.unit.weight(Some(held.weight))));
            let promised = person
                .holds
                .iter()
                .filter(|hold| hold.epoch == person.epoch && (cap.across || hold.campaign == campaign))
                .map(|hold| (hold.held_at, cap.unit.weight(Some(hold.weight))));
            let had: Vec<_> = had.chain(promised).collect();
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

    /// Whether a code can be given or, of another system's, promised.
    fn has_stock(&self, campaign: &Campaign, pool_no: u16) -> bool {
        if is_peers(campaign) {
            self.world.in_stock.get(&(campaign.id, pool_no)).is_some_and(|left| *left > 0)
        } else {
            self.lowest(campaign.id, pool_no).is_some()
        }
    }

    pub(super) fn lowest(&self, campaign: CampaignId, pool_no: u16) -> Option<u64> {
        self.world.stock.get(&(campaign, pool_no))?.front().map(|range| range.first)
    }

    /// Takes the next position and counts it everywhere; everything was checked.
    fn take(&mut self, campaign: &Campaign, who: &Who, person: &Person, from: &Attribution, fit: &Fit<'_>) -> Spot {
        let now = self.world.now;
        let position = self.next_position(campaign.id, fit.pool.pool_no);
        self.leave_stock((campaign.id, fit.pool.pool_no));
        self.charge(&fit.charges);
        let held = Held {
            spot: Spot { campaign: campaign.id, pool: fit.pool.pool_no, position },
            epoch: person.epoch,
            seq: next_seq(person, campaign.id),
            offer_no: fit.offer.offer_no,
            weight: fit.offer.max_discount.unwrap_or(0),
            from: from.clone(),
            issued_at: now,
            promised: None,
            expires_at: campaign.expiry.of(now),
            events: Vec::new(),
        };
        let spot = held.spot;
        self.give(campaign, who.subject, held);
        spot
    }

    /// Counts what a code adds to every counter.
    pub(super) fn charge(&mut self, charges: &[Charge]) {
        for Charge { key, weight } in charges {
            if let Some(quota) = self.world.quotas.get_mut(key) {
                quota.used += weight;
                self.changes.quotas.insert(*key, quota.used);
            }
        }
    }

    /// One less is left of a pool, by a code or by a promise.
    pub(super) fn leave_stock(&mut self, key: (CampaignId, u16)) {
        if let Some(in_stock) = self.world.in_stock.get_mut(&key) {
            *in_stock -= 1;
        }
        *self.changes.taken.entry(key).or_default() += 1;
    }

    /// A code is hers from here on.
    pub(super) fn give(&mut self, campaign: &Campaign, subject: Subject, held: Held) {
        self.changes.outstand(&held, 1);
        if let Authority::Peer(peer) = &campaign.authority {
            let wait = match peer.unverified {
                Unverified::Hold => FIRST_LOOK,
                Unverified::IssueUnverified => Duration::zero(),
            };
            self.changes.peer_checks.push((held.spot, held.issued_at + wait));
        }
        self.tell_issued(&held);
        self.changes.issuances.push((subject, held.clone()));
        self.person(subject).held.push(held);
    }

    pub(super) fn next_position(&mut self, campaign: CampaignId, pool_no: u16) -> u64 {
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
        position
    }
}

/// What a new code will take.
pub(super) struct Fit<'c> {
    pub(super) pool: &'c Pool,
    pub(super) offer: &'c Offer,
    pub(super) charges: Vec<Charge>,
}

/// One count to add.
pub(super) struct Charge {
    pub(super) key: (CapId, i64),
    pub(super) weight: i64,
}

pub(super) fn is_open(campaign: &Campaign, country: Option<&String>, now: DateTime<Utc>) -> Result<(), Refusal> {
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
    let abroad = country.is_some_and(|country| !campaign.countries.contains(country));
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

fn newest_unused(
    person: &Person,
    campaign: CampaignId,
    now: DateTime<Utc>,
    keep: impl Fn(&Held) -> bool,
) -> Option<Spot> {
    newest(person, campaign, |held| held.state(now) == HeldState::Unused && keep(held)).map(|held| held.spot)
}

/// Which text says that she has a code already, by its state.
#[must_use]
pub fn repeat_text(state: HeldState) -> ReplyId {
    match state {
        HeldState::Unused => ReplyId::T02RepeatUnused,
        HeldState::Redeemed => ReplyId::T03RepeatRedeemed,
        HeldState::Expired => ReplyId::T04RepeatExpired,
        HeldState::Void => ReplyId::T21NotEligible,
    }
}
