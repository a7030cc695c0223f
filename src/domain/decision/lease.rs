//! A partner's pull: as few ranges as stock gives, one charge; and what becomes of it.

use super::hold::is_peers;
use super::issue::{Charge, is_open};
use super::{Trace, Work};
use crate::domain::act::{Act, Lease, LeaseStep, Pull, PullMode};
use crate::domain::campaign::{Campaign, Offer, Pool, Status};
use crate::domain::cap::{Reached, Scope};
use crate::domain::decision::changes::{EventRow, NewPull};
use crate::domain::decision::outcome::{Outcome, Refusal, Told};
use crate::domain::ids::{AllocationId, CampaignId, Spot};
use crate::domain::world::{EventKind, HeldState, Pulled, Range, Whose};

impl Work<'_> {
    /// Pulls codes for a partner: counted and taken out of stock now, exposed as they are streamed.
    pub(super) fn allocate(&mut self, act: &Act, campaign: CampaignId, pull: &Pull, trace: &mut Trace) -> Outcome {
        let from = self.signed(&pull.from);
        trace.kind = "allocate";
        trace.from = Some(from.clone());
        let Some(campaign) = self.campaign(campaign) else {
            return Outcome::Told(Told::Unknown);
        };
        trace.campaign = Some(campaign.id);
        if let Err(why) = is_open(&campaign, None, self.world.now) {
            return Outcome::Refused(why, None);
        }
        // Nobody is known who could hold them.
        if campaign.terms.holder_only || pull.count == 0 {
            return Outcome::Refused(Refusal::NotEligible, None);
        }
        let Some((pool, offer, there)) = self.house_pool(&campaign, pull.count) else {
            return Outcome::Refused(Refusal::PoolEmpty, None);
        };
        let (fits, full) = self.room(&campaign, pull, offer);
        let most = pull.count.min(there).min(fits);
        if most == 0 || (most < pull.count && pull.mode == PullMode::AllOrNothing) {
            let why = full.filter(|_| fits < pull.count).map_or(Refusal::PoolEmpty, Refusal::CapReached);
            return Outcome::Refused(why, None);
        }
        let ranges = self.take_ranges((campaign.id, pool.pool_no), most);
        self.charge_many(&campaign, &from, offer, most);
        let (id, now) = (AllocationId(act.id), self.world.now);
        self.changes.pulls.push(NewPull {
            id,
            campaign: (campaign.id, campaign.version),
            pool_no: pool.pool_no,
            offer_no: offer.offer_no,
            weight: offer.max_discount.unwrap_or(0),
            count: most,
            at: now,
            expires_at: campaign.expiry.of(now),
            lease_until: now + pull.lease,
            ranges,
            from: from.clone(),
        });
        let data = format!("{{\"allocation\":\"{}\",\"count\":{most}}}", id.text());
        self.tell_partner(from.partner, "issued", campaign.id, None, data);
        Outcome::Allocated(id, most)
    }

    /// The first pool of the house that has them all, else the one that has most; and how many it has.
    fn house_pool<'c>(&self, campaign: &'c Campaign, count: u64) -> Option<(&'c Pool, &'c Offer, u64)> {
        let there = |pool: &Pool| {
            let key = (campaign.id, pool.pool_no);
            let ranges = self.world.stock.get(&key).into_iter().flatten();
            let found: u64 = ranges.map(|range| range.last - range.first + 1).sum();
            // What is promised to persons comes first.
            let free = self.world.in_stock.get(&key).map(|left| u64::try_from(*left).unwrap_or(0));
            if is_peers(campaign) { found.min(free.unwrap_or(0)) } else { found }
        };
        let pools = campaign.pools_of(None).filter_map(|pool| {
            let offer = campaign.offer(pool.offer_no)?;
            Some((pool, offer, there(pool))).filter(|(_, _, there)| *there > 0)
        });
        pools.max_by_key(|(pool, _, there)| ((*there).min(count), std::cmp::Reverse(pool.pool_no)))
    }

    /// How many codes fit under every cap, and the cap that allows fewest.
    fn room(&self, campaign: &Campaign, pull: &Pull, offer: &Offer) -> (u64, Option<Reached>) {
        let now = self.world.now;
        let caps =
            self.caps_of(campaign, &pull.from).filter(|cap| cap.scope != Scope::Person && cap.scope.holds(&pull.from));
        let rooms = caps.filter_map(|cap| {
            let weight = cap.unit.weight(offer.max_discount);
            let quota = self.world.quotas.get(&(cap.id, cap.window.key(now, cap.zone))).copied();
            // A window without a locked row cannot be counted in: fail closed.
            let (used, limit) = quota.map_or((cap.cap, cap.cap), |quota| (quota.used, quota.cap));
            let resets_at = cap.window.next_start(now, cap.zone);
            let full = Reached { cap_id: cap.id, cap: limit, used, resets_at };
            (weight > 0).then(|| (u64::try_from((limit - used) / weight).unwrap_or(0), Some(full)))
        });
        rooms.min_by_key(|(room, _)| *room).unwrap_or((u64::MAX, None))
    }

    fn charge_many(&mut self, campaign: &Campaign, from: &crate::domain::campaign::Attribution, offer: &Offer, n: u64) {
        let now = self.world.now;
        let n = i64::try_from(n).unwrap_or(i64::MAX);
        let charges: Vec<_> = self
            .caps_of(campaign, from)
            .filter(|cap| cap.scope != Scope::Person && cap.scope.holds(from))
            .map(|cap| Charge {
                key: (cap.id, cap.window.key(now, cap.zone)),
                weight: cap.unit.weight(offer.max_discount) * n,
            })
            .collect();
        self.charge(&charges);
    }

    /// Takes positions out of stock, lowest first.
    fn take_ranges(&mut self, key: (CampaignId, u16), mut n: u64) -> Vec<Range> {
        *self.changes.taken.entry(key).or_default() += i64::try_from(n).unwrap_or(i64::MAX);
        if let Some(in_stock) = self.world.in_stock.get_mut(&key) {
            *in_stock -= i64::try_from(n).unwrap_or(i64::MAX);
        }
        let mut taken: Vec<Range> = Vec::new();
        let ranges = self.world.stock.entry(key).or_default();
        while n > 0
            && let Some(range) = ranges.front_mut()
        {
            let (first, last) = (range.first, range.last);
            let some = n.min(last - first + 1);
            range.first += some;
            n -= some;
            let rest = (range.first <= last).then_some(range.first);
            if rest.is_none() {
                ranges.pop_front();
            }
            self.changes.stock.insert((key.0, key.1, last), rest);
            match taken.last_mut().filter(|before| before.last + 1 == first) {
                Some(before) => before.last += some,
                None => taken.push(Range { first, last: first + some - 1 }),
            }
        }
        taken
    }

    /// A pull takes a step; `None` leaves no trace.
    pub(super) fn lease(&mut self, act: &Act, lease: &Lease, step: &LeaseStep, trace: &mut Trace) -> Option<Outcome> {
        trace.campaign = Some(lease.campaign);
        trace.from = Some(lease.from.clone());
        let pulled = self.world.pulls.get(&lease.id)?.clone();
        let over = pulled.is_ended || (!pulled.is_acked && self.world.now >= pulled.lease_until);
        match step {
            LeaseStep::Acknowledged(count) => {
                trace.kind = "ack";
                Some(match () {
                    () if over => Outcome::Refused(Refusal::LeaseExpired, None),
                    () if *count != pulled.exposed => Outcome::Refused(Refusal::CountDiffers(pulled.exposed), None),
                    () => self.acknowledge(lease, &pulled),
                })
            }
            LeaseStep::Returned | LeaseStep::Withdrawn(..) if over => {
                trace.kind = "return";
                Some(Outcome::Refused(Refusal::LeaseExpired, None))
            }
            LeaseStep::Returned => {
                trace.kind = "return";
                Some(Outcome::Leased(lease.id, self.return_rest(lease, &pulled)))
            }
            LeaseStep::Withdrawn(positions, why) => {
                trace.kind = "return";
                let takes_back = self.campaign(lease.campaign).is_some_and(|campaign| campaign.partners.takes_back);
                if !takes_back {
                    return Some(Outcome::Refused(Refusal::NotEligible, None));
                }
                let n = self.withdraw(act, &pulled, positions, why);
                Some(Outcome::Leased(lease.id, n))
            }
            LeaseStep::Expired => {
                trace.kind = "lease_end";
                if pulled.is_acked || !over || pulled.is_ended {
                    return None;
                }
                Some(Outcome::Leased(lease.id, self.end_lease(lease, &pulled)))
            }
        }
    }

    /// What is out stays out. What was not streamed goes back: whoever acknowledges is done.
    fn acknowledge(&mut self, lease: &Lease, pulled: &Pulled) -> Outcome {
        self.return_rest(lease, pulled);
        if !pulled.is_acked {
            self.changes.pull_steps.entry(lease.id).or_default().acked_at = Some(self.world.now);
        }
        if let Some(pulled) = self.world.pulls.get_mut(&lease.id) {
            pulled.is_acked = true;
        }
        Outcome::Leased(lease.id, pulled.exposed)
    }

    /// What was not streamed goes back to stock and out of the caps; answers with how many codes.
    fn return_rest(&mut self, lease: &Lease, pulled: &Pulled) -> u64 {
        let n = self.restock(lease, pulled);
        if n > 0 {
            self.give_back(lease, pulled, n);
            let data = format!("{{\"allocation\":\"{}\",\"count\":{n}}}", lease.id.text());
            self.tell_partner(lease.from.partner, "returned", lease.campaign, None, data);
        }
        n
    }

    /// What was not streamed goes back to stock, where its campaign still has one.
    fn restock(&mut self, lease: &Lease, pulled: &Pulled) -> u64 {
        let n: u64 = pulled.left.iter().map(|range| range.last - range.first + 1).sum();
        let (campaign, pool_no) = pulled.pool;
        let lives = self.campaign(campaign).is_some_and(|campaign| campaign.status != Status::Ended);
        if lives && n > 0 {
            let ranges = pulled.left.iter().map(|range| (campaign, pool_no, *range));
            self.changes.restocked.extend(ranges);
            *self.changes.taken.entry(pulled.pool).or_default() -= i64::try_from(n).unwrap_or(i64::MAX);
            if let Some(in_stock) = self.world.in_stock.get_mut(&pulled.pool) {
                *in_stock += i64::try_from(n).unwrap_or(i64::MAX);
            }
        }
        let change = self.changes.pull_steps.entry(lease.id).or_default();
        change.restocked += n;
        change.closes = true;
        if let Some(pulled) = self.world.pulls.get_mut(&lease.id) {
            pulled.left.clear();
            pulled.restocked += n;
        }
        n
    }

    /// Counts codes back into the windows that they were counted in.
    fn give_back(&mut self, lease: &Lease, pulled: &Pulled, n: u64) {
        let Some(campaign) = self.campaign(lease.campaign) else {
            return;
        };
        let n = i64::try_from(n).unwrap_or(i64::MAX);
        let at = lease.allocated_at;
        let charges: Vec<_> = self
            .caps_of(&campaign, &lease.from)
            .filter(|cap| cap.scope != Scope::Person && cap.scope.holds(&lease.from))
            .map(|cap| Charge {
                key: (cap.id, cap.window.key(at, cap.zone)),
                weight: -cap.unit.weight(Some(pulled.weight)) * n,
            })
            .collect();
        self.charge(&charges);
        self.changes.pull_steps.entry(lease.id).or_default().given_back += u64::try_from(n).unwrap_or(0);
    }

    /// Codes that were streamed and that nobody saw, by the partner's word: they are taken back, never given again.
    fn withdraw(&mut self, act: &Act, pulled: &Pulled, positions: &[u64], why: &str) -> u64 {
        let (now, Some(id)) = (self.world.now, act.allocation) else {
            return 0;
        };
        let mut n = 0;
        for position in positions {
            let spot = Spot { campaign: pulled.pool.0, pool: pulled.pool.1, position: *position };
            let Some(held) = self.world.loose.get(&spot).cloned() else {
                continue;
            };
            if !matches!(held.state(now), HeldState::Unused | HeldState::Expired) {
                continue;
            }
            let reference = format!("{}-{position}", id.text());
            let mut row = EventRow::new(spot, held.next_step(), EventKind::Returned, now, reference);
            row.reason = Some(why.to_owned());
            self.happen(Whose::Pull(id), row);
            if held.is_outstanding() {
                self.changes.outstand(&held, -1);
            }
            n += 1;
        }
        n
    }

    /// The time of an unacknowledged pull is over: nothing of it may be used any more but what was used already.
    fn end_lease(&mut self, lease: &Lease, pulled: &Pulled) -> u64 {
        let restocked = self.restock(lease, pulled);
        let unused = pulled.exposed.saturating_sub(pulled.used);
        self.give_back(lease, pulled, restocked + unused);
        self.changes.pull_steps.entry(lease.id).or_default().ended_at = Some(self.world.now);
        if let Some(pulled) = self.world.pulls.get_mut(&lease.id) {
            pulled.is_ended = true;
        }
        let data = format!("{{\"allocation\":\"{}\",\"restocked\":{restocked},\"voided\":{unused}}}", lease.id.text());
        self.tell_partner(lease.from.partner, "lease_expired", lease.campaign, None, data);
        restocked + unused
    }
}
