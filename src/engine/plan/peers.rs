//! Campaigns whose codes another system honours: it must be there, know the codes, and be able to say so in time.

use super::{Ground, Lines};
use crate::domain::catalog::CampaignRecord;
use crate::domain::document::{CampaignDoc, PoolSource};
use crate::engine::time_to_verify;
use chrono::Duration;

/// A pool that takes longer than this to verify is told beforehand.
const SLOW: Duration = Duration::hours(1);

/// What its redemption system makes of a campaign with `size` codes.
pub(super) fn lint(
    ground: &Ground<'_>,
    doc: &CampaignDoc,
    live: Option<&CampaignRecord>,
    size: u64,
    lines: &mut Lines<'_>,
) {
    if live.is_some_and(|record| record.doc.redemption.peer != doc.redemption.peer) {
        lines.refuse("who honours its codes stays: end it and begin another campaign");
    }
    let Some(name) = &doc.redemption.peer else {
        return;
    };
    let Some(facts) = ground.house.peers.iter().find(|peer| peer.name == *name) else {
        let known: Vec<_> = ground.house.peers.iter().map(|peer| peer.name.as_str()).collect();
        let there =
            if known.is_empty() { "there is none".to_owned() } else { format!("there are {}", known.join(", ")) };
        return lines.refuse(format!("redemption.peer {name:?} is not among the configuration's [[peers]]: {there}"));
    };
    if doc.pool.source != PoolSource::Import {
        lines.warn(format!("its codes are made here: {name} must be given them before it can honour one"));
    }
    let time = time_to_verify(size, facts.batch_max, facts.quota_per_minute);
    if let Some(time) = time.filter(|time| *time > SLOW) {
        let words = match (time.num_days(), time.num_hours()) {
            (days, _) if days > 1 => format!("{days} days"),
            (_, hours) => format!("{hours} hours"),
        };
        lines.warn(format!("verifying its {size} codes needs {words} by {name}'s quota; texts may have to wait"));
    }
}
