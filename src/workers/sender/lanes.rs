//! Who leaves next: strictly by urgency, in turn among the numbers of one account, as fast as number and account may,
//! and not at all through a number whose account is broken but for one message a minute that tries it.

use super::meter::Meter;
use crate::domain::ids::SenderId;
use crate::domain::sending::Priority;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;
use tokio::time::Instant;

/// How long a number whose account is broken is left alone before one message tries it.
pub(super) const PROBE: Duration = Duration::from_mins(1);
/// Messages of one number taken from the table into memory: a second's worth of the fastest.
const ROOM: usize = 1024;
/// Fresh messages of one number kept in memory, about 4 MB; beyond it the table keeps them until their lease ends.
const FRESH_ROOM: usize = 8 * ROOM;

/// The order in which messages of one number leave, and their name.
pub(super) type Key = (Priority, DateTime<Utc>, [u8; 16]);

/// A message that could leave at once.
#[derive(Debug)]
pub(super) struct Ready<R> {
    /// The account it leaves through.
    pub(super) account: String,
    /// Segments a second of its number and of that account; `None`: as fast as we can.
    pub(super) rates: [Option<f64>; 2],
    pub(super) segments: u16,
    pub(super) what: R,
}

/// What leaves next.
#[derive(Debug)]
pub(super) enum Next<R> {
    /// This; `is_suspect` when it is not known that its account works.
    Go { sender: SenderId, key: Key, ready: Ready<R>, is_suspect: bool },
    /// Nothing before then, unless something new comes or something under way ends.
    At(Option<Instant>),
}

/// What a try showed of the account it went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// Nothing.
    Nothing,
    /// It works.
    Works,
    /// Nothing leaves through it until somebody has put it right.
    Broken,
    /// It asks to wait.
    Slow(Duration),
}

/// Waiting and ready messages by number: `W` waits to be made ready, `R` is what is made of it.
#[derive(Debug)]
pub(super) struct Lanes<W, R> {
    of: BTreeMap<SenderId, Lane<W, R>>,
    accounts: HashMap<String, Account>,
    in_flight: usize,
    turn: u64,
}

#[derive(Debug)]
struct Lane<W, R> {
    waiting: BTreeMap<Key, W>,
    preparing: HashSet<[u8; 16]>,
    ready: BTreeMap<Key, Ready<R>>,
    leaving: HashSet<[u8; 16]>,
    meter: Meter,
    /// The turn in which it was last served.
    served: u64,
    health: Health,
    slow_until: Option<Instant>,
}

#[derive(Debug)]
struct Account {
    meter: Meter,
    calls: usize,
}

/// What is known of a number's account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    Unknown,
    Works,
    Broken { probe_at: Instant, is_probing: bool },
}

impl<W, R> Lane<W, R> {
    fn new(now: Instant) -> Self {
        Self {
            waiting: BTreeMap::new(),
            preparing: HashSet::new(),
            ready: BTreeMap::new(),
            leaving: HashSet::new(),
            meter: Meter::new(now),
            served: 0,
            health: Health::Unknown,
            slow_until: None,
        }
    }

    /// When it may send again; `None` while its account is being tried.
    fn opens(&self, now: Instant) -> Option<Instant> {
        let slow = self.slow_until.unwrap_or(now);
        match self.health {
            Health::Unknown | Health::Works => Some(slow),
            Health::Broken { is_probing: true, .. } => None,
            Health::Broken { probe_at, is_probing: false } => Some(slow.max(probe_at)),
        }
    }

    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.preparing.is_empty() && self.ready.is_empty()
    }
}

impl<W, R> Lanes<W, R> {
    /// `in_flight` is how many messages one account may hold that it has not answered.
    pub(super) fn new(in_flight: usize) -> Self {
        Self { of: BTreeMap::new(), accounts: HashMap::new(), in_flight, turn: 0 }
    }

    /// How many more messages of a number may be taken from the table.
    pub(super) fn room(&self, sender: SenderId) -> usize {
        self.of.get(&sender).map_or(ROOM, |lane| ROOM.saturating_sub(lane.waiting.len()))
    }

    /// Whether a fresh message is kept in memory. What is owed at once always is.
    pub(super) fn keeps(&self, sender: SenderId, priority: Priority) -> bool {
        let waiting = self.of.get(&sender).map_or(0, |lane| lane.waiting.len());
        priority == Priority::Compliance || waiting < FRESH_ROOM
    }

    /// Puts a message in its lane; one that waits there already is replaced, `renew` is for one that is ready. Nothing
    /// happens to what is under way.
    pub(super) fn push(&mut self, sender: SenderId, key: Key, due: W, now: Instant, renew: impl FnOnce(&mut R, W)) {
        let lane = self.of.entry(sender).or_insert_with(|| Lane::new(now));
        if lane.preparing.contains(&key.2) || lane.leaving.contains(&key.2) {
            return;
        }
        match lane.ready.get_mut(&key) {
            Some(ready) => renew(&mut ready.what, due),
            None => drop(lane.waiting.insert(key, due)),
        }
    }

    /// The next message to make ready. The less urgent never take the places of the more urgent.
    pub(super) fn prepare(&mut self) -> Option<(SenderId, Key, W)> {
        for (sender, lane) in &mut self.of {
            let Some((key, _)) = lane.waiting.first_key_value() else { continue };
            let places = match key.0 {
                Priority::Compliance => 3,
                Priority::Reply => 2,
                Priority::Prompt | Priority::Reminder | Priority::Bulk => 1,
            };
            if lane.preparing.len() + lane.ready.len() >= places * self.in_flight {
                continue;
            }
            if let Some((key, due)) = lane.waiting.pop_first() {
                lane.preparing.insert(key.2);
                return Some((*sender, key, due));
            }
        }
        None
    }

    /// A message was made ready, or came to its end before.
    pub(super) fn prepared(&mut self, sender: SenderId, key: Key, ready: Option<Ready<R>>) {
        if let Some(lane) = self.of.get_mut(&sender) {
            lane.preparing.remove(&key.2);
            lane.ready.extend(ready.map(|ready| (key, ready)));
        }
    }

    /// Takes the message that leaves next.
    pub(super) fn next(&mut self, now: Instant) -> Next<R> {
        let (heads, mut wake) = self.heads(now);
        let mut wait_for = |at: Instant| wake = Some(wake.map_or(at, |wake| wake.min(at)));
        let mut shut: HashSet<String> = HashSet::new();
        for (priority, _, sender) in heads {
            let Some(lane) = self.of.get_mut(&sender) else { continue };
            let Some((_, ready)) = lane.ready.first_key_value() else { continue };
            if shut.contains(&ready.account) {
                continue;
            }
            let account = self.accounts.entry(ready.account.clone());
            let account = account.or_insert_with(|| Account { meter: Meter::new(now), calls: 0 });
            let (is_urgent, segments) = (priority.is_urgent(), ready.segments);
            let [of_sender, of_account] = ready.rates;
            let wait = lane.meter.wait(of_sender, is_urgent, segments, now);
            if !wait.is_zero() {
                wait_for(now + wait);
                continue;
            }
            let wait = account.meter.wait(of_account, is_urgent, segments, now);
            if account.calls >= self.in_flight || !wait.is_zero() {
                // What the most urgent waits for, nobody after it may take.
                shut.insert(ready.account.clone());
                if !wait.is_zero() {
                    wait_for(now + wait);
                }
                continue;
            }
            let Some((key, ready)) = lane.ready.pop_first() else { continue };
            lane.meter.take(is_urgent, segments);
            account.meter.take(is_urgent, segments);
            account.calls += 1;
            lane.leaving.insert(key.2);
            self.turn += 1;
            lane.served = self.turn;
            let is_suspect = lane.health != Health::Works;
            if let Health::Broken { is_probing, .. } = &mut lane.health {
                *is_probing = true;
            }
            return Next::Go { sender, key, ready, is_suspect };
        }
        Next::At(wake)
    }

    /// The numbers that may send, by the urgency of their first message and then by the turn they were last served in;
    /// and when the next of the others may.
    fn heads(&self, now: Instant) -> (BTreeSet<(Priority, u64, SenderId)>, Option<Instant>) {
        let (mut heads, mut opens) = (BTreeSet::new(), None::<Instant>);
        for (sender, lane) in &self.of {
            let Some(((priority, ..), _)) = lane.ready.first_key_value() else { continue };
            match lane.opens(now) {
                Some(at) if at <= now => drop(heads.insert((*priority, lane.served, *sender))),
                Some(at) => opens = Some(opens.map_or(at, |before| before.min(at))),
                None => {}
            }
        }
        (heads, opens)
    }

    /// A message that left has come to its end.
    pub(super) fn left(&mut self, sender: SenderId, key: Key, account: &str, news: News, now: Instant) {
        if let Some(account) = self.accounts.get_mut(account) {
            account.calls = account.calls.saturating_sub(1);
        }
        if let Some(lane) = self.of.get_mut(&sender) {
            lane.leaving.remove(&key.2);
        }
        self.learn(sender, news, now);
    }

    /// What was learned of a number's account.
    pub(super) fn learn(&mut self, sender: SenderId, news: News, now: Instant) {
        let Some(lane) = self.of.get_mut(&sender) else { return };
        match (news, &mut lane.health) {
            (News::Works, health) => *health = Health::Works,
            (News::Broken, health) => *health = Health::Broken { probe_at: now + PROBE, is_probing: false },
            (News::Nothing | News::Slow(_), Health::Broken { probe_at, is_probing }) if *is_probing => {
                // A message that ended before its call showed nothing, so the next one tries at once.
                *probe_at = if news == News::Nothing { now } else { now + PROBE };
                *is_probing = false;
            }
            (News::Nothing | News::Slow(_), Health::Unknown | Health::Works | Health::Broken { .. }) => {}
        }
        if let News::Slow(wait) = news {
            let until = now + wait;
            lane.slow_until = Some(lane.slow_until.map_or(until, |before| before.max(until)));
        }
    }

    /// The numbers whose account is broken, whose time to try has come, and that have nothing to try it with: somebody
    /// must ask the carrier. They count as being tried until something is learned.
    pub(super) fn checks(&mut self, now: Instant) -> Vec<SenderId> {
        let mut found = Vec::new();
        for (sender, lane) in &mut self.of {
            let is_idle = lane.is_idle();
            if let Health::Broken { probe_at, is_probing } = &mut lane.health
                && is_idle
                && !*is_probing
                && *probe_at <= now
            {
                *is_probing = true;
                found.push(*sender);
            }
        }
        found
    }

    /// What waits, for the log: the number, how many, since when the oldest, and whether its account is broken.
    pub(super) fn queues(&self) -> impl Iterator<Item = (SenderId, usize, DateTime<Utc>, bool)> {
        self.of.iter().filter_map(|(sender, lane)| {
            let keys = lane.waiting.keys().chain(lane.ready.keys());
            let oldest = keys.map(|key| key.1).min()?;
            let count = lane.waiting.len() + lane.ready.len();
            Some((*sender, count, oldest, matches!(lane.health, Health::Broken { .. })))
        })
    }
}

#[cfg(test)]
mod tests;
