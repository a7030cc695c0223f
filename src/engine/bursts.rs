//! How many new phones of one range of numbers asked lately. In memory and by process: this guards against farms of
//! neighbouring numbers; what carries value is counted in the database.

use crate::domain::act::{Act, Ask, NumberRange};
use crate::domain::decision::changes::Changes;
use crate::domain::ids::{SenderId, Subject, millis};
use chrono::{DateTime, Duration, Utc};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Ranges remembered before those that are over are looked for and forgotten.
const MANY: usize = 50_000;

/// First codes by our number and the range they went to, each with its time in milliseconds since 1970 UTC.
#[derive(Debug, Default)]
pub(super) struct Bursts(Mutex<HashMap<(SenderId, NumberRange), VecDeque<i64>>>);

impl Bursts {
    /// How many phones of the ranges in these acts got a first code within `window`.
    pub(super) fn lately(
        &self,
        acts: &[&Act],
        now: DateTime<Utc>,
        window: Duration,
    ) -> HashMap<(SenderId, NumberRange), usize> {
        let since = millis(now - window);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |key| {
            let times: &mut VecDeque<i64> = known.get_mut(&key)?;
            while times.front().is_some_and(|at| *at <= since) {
                times.pop_front();
            }
            Some((key, times.len()))
        };
        acts.iter().filter_map(|act| range(act)).filter_map(count).collect()
    }

    /// Remembers the codes that a batch gave out.
    pub(super) fn add(&self, acts: &[&Act], changes: &Changes, window: Duration) {
        let mut given: HashSet<Subject> = changes.issuances.iter().map(|(subject, _)| *subject).collect();
        given.extend(changes.holds.iter().map(|(subject, _)| *subject));
        let now = changes.requests.iter().map(|row| millis(row.received_at)).max().unwrap_or_default();
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for act in acts {
            let is_new = act.who.as_ref().is_some_and(|who| given.remove(&who.subject));
            if let (true, Some(key)) = (is_new, range(act)) {
                known.entry(key).or_default().push_back(now);
            }
        }
        if known.len() > MANY {
            let since = now - window.num_milliseconds();
            known.retain(|_, times| times.back().is_some_and(|at| *at > since));
        }
    }
}

fn range(act: &Act) -> Option<(SenderId, NumberRange)> {
    match &act.ask {
        Ask::Text(text) => Some((text.sender, text.range?)),
        Ask::Issue(..)
        | Ask::Allocate(..)
        | Ask::Lease(..)
        | Ask::Looked(..)
        | Ask::Redeem(..)
        | Ask::Rollback(..)
        | Ask::Void(..)
        | Ask::Said(..)
        | Ask::Fulfil(..)
        | Ask::Excuse(..)
        | Ask::HandOver(_)
        | Ask::Message(_)
        | Ask::Raise(_)
        | Ask::Clear(..)
        | Ask::Prove(_)
        | Ask::Claim(_)
        | Ask::Opened(_)
        | Ask::Stray(..)
        | Ask::RunsLow(_) => None,
    }
}
