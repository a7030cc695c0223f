//! Tables in memory: what `decide` reads and writes, without a database.

use chrono::{DateTime, Duration, Utc};
use codewell::domain::act::Act;
use codewell::domain::cap::{Quota, Scope};
use codewell::domain::catalog::Catalog;
use codewell::domain::decision::changes::Changes;
use codewell::domain::decision::outcome::Outcome;
use codewell::domain::decision::{Decision, decide};
use codewell::domain::world::{Answered, Range, Stored, World};
use std::collections::VecDeque;
use std::sync::Arc;

/// One run's tables.
pub(super) struct Memory {
    catalog: Arc<Catalog>,
    world: World,
    pub(super) replies: usize,
}

impl Memory {
    /// Every pool of the catalog in stock, nothing else.
    pub(super) fn new(catalog: Arc<Catalog>) -> Self {
        let mut world = World::default();
        for campaign in catalog.campaigns.values() {
            for pool in &campaign.pools {
                let range = Range { first: 0, last: pool.size - 1 };
                world.stock.insert((campaign.id, pool.pool_no), VecDeque::from([range]));
            }
        }
        Self { catalog, world, replies: 0 }
    }

    /// Decides a batch and writes it down.
    pub(super) fn settle(&mut self, acts: &[Act], now: DateTime<Utc>) -> Vec<Option<Outcome>> {
        self.world.now = now;
        for campaign in self.catalog.campaigns.values() {
            for cap in campaign.caps.iter().filter(|cap| cap.scope != Scope::Person) {
                let key = (cap.id, cap.window.key(now, cap.zone));
                self.world.quotas.entry(key).or_insert(Quota { used: 0, cap: cap.cap });
            }
        }
        for person in self.world.persons.values_mut() {
            person.answered.retain(|one| one.at > now - Duration::days(1));
        }
        let acts: Vec<&Act> = acts.iter().collect();
        let (decisions, changes) = decide(&self.catalog, self.world.clone(), &acts);
        self.write(changes);
        let said = |decision| match decision {
            Decision::Made(outcome, _) => Some(outcome),
            Decision::KeyReused | Decision::Barred(_) => None,
        };
        decisions.into_iter().map(said).collect()
    }

    fn write(&mut self, changes: Changes) {
        for row in changes.requests {
            let outcome = Outcome::from_record(&row.record).expect("a record can be read back");
            if row.replied {
                self.replies += 1;
                let answered = Answered {
                    at: row.received_at,
                    kind: row.kind.to_owned(),
                    word: row.word.clone(),
                    outcome: outcome.clone(),
                };
                let subject = row.subject.expect("only persons are answered");
                self.world.persons.entry(subject).or_default().answered.push(answered);
            }
            let stored = Stored { fingerprint: row.fingerprint, at: row.received_at, outcome };
            self.world.requests.insert(row.request, stored);
        }
        for (subject, held) in changes.issuances {
            self.world.persons.entry(subject).or_default().held.push(held);
        }
        for row in changes.events {
            let mut held = self.world.persons.values_mut().flat_map(|person| &mut person.held);
            let held = held.find(|held| held.spot == row.spot).expect("it was issued");
            held.events.push(row.event);
        }
        for ((campaign, pool, last), first) in changes.stock {
            let ranges = self.world.stock.entry((campaign, pool)).or_default();
            ranges.retain(|range| range.last != last);
            ranges.extend(first.map(|first| Range { first, last }));
        }
        for (key, used) in changes.quotas {
            self.world.quotas.get_mut(&key).expect("it was there").used = used;
        }
    }
}
