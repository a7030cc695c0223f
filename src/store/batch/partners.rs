//! Partners: their locks and versions, the numbers of their events, what they hear, what they and creators earned.

use super::read::Needs;
use super::write::sorted;
use crate::domain::decision::changes::Changes;
use crate::domain::ids::{PartnerId, millis};
use crate::domain::world::World;
use crate::store::bulk::Kind::{Int, Text};
use crate::store::bulk::{Bulk, Cell, Kind};
use crate::store::{StoreError, Tx};
use std::collections::BTreeSet;
use std::sync::Arc;

const PARTNER: &[(&str, Kind)] = &[("partner_id", Int)];

/// The versions of partners, under their locks.
pub(in crate::store) static LOCK_PARTNERS: Bulk = Bulk::new(
    "partner: lock",
    PARTNER,
    &[Int, Int],
    "SELECT partner_id, version FROM partner
     WHERE partner_id IN (SELECT t.partner_id FROM {rows}) ORDER BY partner_id {lock}",
);

static ADD_FEEDS: Bulk = Bulk::new(
    "feed_counter: add",
    PARTNER,
    &[],
    "INSERT INTO feed_counter (partner_id, last_no) SELECT partner_id, 0 FROM {rows} WHERE true ORDER BY partner_id
     ON CONFLICT (partner_id) DO NOTHING",
);

static LOCK_FEEDS: Bulk = Bulk::new(
    "feed_counter: lock",
    PARTNER,
    &[Int, Int],
    "SELECT partner_id, last_no FROM feed_counter
     WHERE partner_id IN (SELECT t.partner_id FROM {rows}) ORDER BY partner_id {lock}",
);

static WRITE_FEED: Bulk = Bulk::new(
    "feed: write",
    &[
        ("partner_id", Int),
        ("event_no", Int),
        ("kind", Text),
        ("happened_at", Int),
        ("campaign_id", Int),
        ("pool_no", Int),
        ("position", Int),
        ("data", Text),
    ],
    &[],
    "INSERT INTO feed (partner_id, event_no, kind, happened_at, campaign_id, pool_no, position, data)
     SELECT partner_id, event_no, kind, happened_at, campaign_id, pool_no, position, data FROM {rows} WHERE true",
);

static WRITE_FEEDS: Bulk = Bulk::new(
    "feed_counter: write",
    &[("partner_id", Int), ("last_no", Int)],
    &[],
    "UPDATE feed_counter AS f SET last_no = t.last_no FROM {rows} WHERE f.partner_id = t.partner_id",
);

pub(in crate::store) static COUNT_CREDITS: Bulk = Bulk::new(
    "rollup_credit: count",
    &[
        ("kind", Text),
        ("credit_id", Int),
        ("campaign_id", Int),
        ("quarter", Int),
        ("placement_id", Int),
        ("sub_id", Text),
        ("outcome", Text),
        ("n", Int),
        ("amount_minor", Int),
        ("commission_minor", Int),
    ],
    &[],
    "INSERT INTO rollup_credit AS r (kind, credit_id, campaign_id, quarter, placement_id, sub_id, outcome, n,
         amount_minor, commission_minor)
     SELECT kind, credit_id, campaign_id, quarter, placement_id, sub_id, outcome, n, amount_minor, commission_minor
     FROM {rows} WHERE true
     ON CONFLICT (kind, credit_id, campaign_id, quarter, placement_id, sub_id, outcome)
     DO UPDATE SET n = r.n + excluded.n, amount_minor = r.amount_minor + excluded.amount_minor,
         commission_minor = r.commission_minor + excluded.commission_minor",
);

/// Locks the partners who ask; the terms they were planned with must still be theirs.
pub(super) async fn lock(tx: &mut Tx<'_>, needs: &Needs, world: &mut World) -> Result<(), StoreError> {
    let rows: Vec<_> = needs.partners.keys().map(|id| vec![id.0.into()]).collect();
    for row in tx.read(&LOCK_PARTNERS, &rows, &[]).await? {
        let (id, version): (_, u32) = (PartnerId(row.number(0)?), row.number(1)?);
        match needs.partners.get(&id) {
            Some(terms) if terms.version == version => {
                world.partners.insert(id, Arc::clone(terms));
            }
            Some(_) | None => return Err(StoreError::Stale),
        }
    }
    Ok(())
}

/// Locks the counters of events, last of all.
pub(super) async fn lock_feeds(
    tx: &mut Tx<'_>,
    feeds: &BTreeSet<PartnerId>,
    world: &mut World,
) -> Result<(), StoreError> {
    let rows: Vec<_> = feeds.iter().map(|id| vec![id.0.into()]).collect();
    tx.run(&ADD_FEEDS, &rows, &[]).await?;
    for row in tx.read(&LOCK_FEEDS, &rows, &[]).await? {
        world.feeds.insert(PartnerId(row.number(0)?), row.int(1)?);
    }
    Ok(())
}

/// Writes what partners hear of.
pub(super) async fn write_feed(tx: &mut Tx<'_>, changes: &Changes) -> Result<(), StoreError> {
    let rows = changes.feed.iter().map(|one| -> Vec<Cell> {
        vec![
            one.partner.0.into(),
            one.event_no.into(),
            one.kind.into(),
            millis(one.at).into(),
            one.campaign.0.into(),
            one.spot.map(|spot| spot.pool).into(),
            one.spot.map(|spot| spot.position).into(),
            one.data.clone().into(),
        ]
    });
    tx.write(&WRITE_FEED, &sorted(rows)).await?;
    let counters: Vec<_> = changes.feeds.iter().map(|(id, last)| vec![id.0.into(), (*last).into()]).collect();
    tx.write(&WRITE_FEEDS, &counters).await
}

/// Counts what partners and creators asked for and earned.
pub(super) async fn count_credits(tx: &mut Tx<'_>, changes: &Changes) -> Result<(), StoreError> {
    let rows = changes.credits.iter().map(|(key, (n, amount, commission))| -> Vec<Cell> {
        vec![
            key.kind.into(),
            key.id.into(),
            key.campaign.into(),
            key.quarter.into(),
            key.placement.0.into(),
            key.sub_id.clone().into(),
            key.outcome.clone().into(),
            (*n).into(),
            (*amount).into(),
            (*commission).into(),
        ]
    });
    tx.write(&COUNT_CREDITS, &rows.collect::<Vec<_>>()).await
}
