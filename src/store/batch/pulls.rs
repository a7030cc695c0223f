//! Pulls of partners: their locks, their codes, what becomes of them.

use super::read::{Needs, read_event, read_held, spot};
use super::write::sorted;
use crate::domain::decision::changes::{Changes, NewPull, PullChange};
use crate::domain::ids::{AllocationId, CampaignId, PartnerId, Spot, from_millis, millis};
use crate::domain::world::{Pulled, Range, World};
use crate::store::bulk::Kind::{Bytes, Int, Text};
use crate::store::bulk::{Bulk, Cell, Kind};
use crate::store::{StoreError, Tx};
use std::collections::hash_map::Entry;

const PULL: &[(&str, Kind)] = &[("allocation_id", Bytes)];
const SPOT: &[(&str, Kind)] = &[("campaign_id", Int), ("pool_no", Int), ("position", Int)];

static LOCK_PULLS: Bulk = Bulk::new(
    "allocation: lock",
    PULL,
    &[Bytes],
    "SELECT allocation_id FROM allocation
     WHERE allocation_id IN (SELECT t.allocation_id FROM {rows}) ORDER BY allocation_id {lock}",
);

static READ_PULLS: Bulk = Bulk::new(
    "allocation: read",
    PULL,
    &[Bytes, Int, Int, Int, Int, Int, Int, Int, Int, Int, Int],
    "SELECT a.allocation_id, a.partner_id, a.campaign_id, a.pool_no, a.weight_minor, a.count, a.exposed, a.restocked,
            a.lease_until, a.acked_at, a.ended_at
     FROM {rows} JOIN allocation a ON a.allocation_id = t.allocation_id",
);

/// What was not streamed yet.
static READ_LEFT: Bulk = Bulk::new(
    "allocation_range: read",
    PULL,
    &[Bytes, Int, Int],
    "SELECT r.allocation_id, r.next, r.last FROM {rows} JOIN allocation_range r ON r.allocation_id = t.allocation_id
     WHERE r.next <= r.last ORDER BY r.allocation_id, r.range_no",
);

/// Of what was streamed, how many are redeemed and that was not taken back.
static COUNT_USED: Bulk = Bulk::new(
    "allocation: used",
    PULL,
    &[Bytes, Int],
    "SELECT a.allocation_id, COUNT(*) FROM {rows} JOIN allocation a ON a.allocation_id = t.allocation_id
     JOIN allocation_range r ON r.allocation_id = a.allocation_id
     JOIN code_event e ON e.campaign_id = a.campaign_id AND e.pool_no = a.pool_no
        AND e.position >= r.first AND e.position < r.next AND e.kind = 'redeemed'
     WHERE NOT EXISTS (SELECT 1 FROM code_event b
        WHERE b.campaign_id = e.campaign_id AND b.pool_no = e.pool_no AND b.position = e.position
            AND b.kind = 'rolled_back' AND b.provider_ref = e.provider_ref)
     GROUP BY a.allocation_id",
);

static READ_LOOSE: Bulk = Bulk::new(
    "issuance: read of pulls",
    SPOT,
    &[
        Int, Int, Int, Bytes, Int, Int, Int, Int, Text, Int, Text, Int, Int, Int, Int, Text, Int, Text, Text, Int, Int,
        Int, Int, Int, Int, Text, Text, Int, Int,
    ],
    "SELECT i.campaign_id, i.pool_no, i.position, i.subject, i.epoch, i.seq, i.offer_no, i.weight_minor, i.channel,
            i.sender_id, i.keyword, i.placement_id, i.issued_at, i.expires_at,
            e.step, e.kind, e.occurred_at, e.provider_ref, e.store, e.amount_minor, i.charged_at, i.campaign_version,
            i.partner_id, i.partner_version, i.creator_id, i.sub_id, i.note, e.commission_minor, e.reverses
     FROM {rows} JOIN issuance i ON i.campaign_id = t.campaign_id AND i.pool_no = t.pool_no AND i.position = t.position
        AND i.subject IS NULL
     LEFT JOIN code_event e
       ON e.campaign_id = i.campaign_id AND e.pool_no = i.pool_no AND e.position = i.position
     ORDER BY i.campaign_id, i.pool_no, i.position, e.step",
);

static WRITE_PULLS: Bulk = Bulk::new(
    "allocation: write",
    &[
        ("allocation_id", Bytes),
        ("partner_id", Int),
        ("partner_version", Int),
        ("campaign_id", Int),
        ("campaign_version", Int),
        ("pool_no", Int),
        ("offer_no", Int),
        ("weight_minor", Int),
        ("sub_id", Text),
        ("count", Int),
        ("allocated_at", Int),
        ("expires_at", Int),
        ("lease_until", Int),
    ],
    &[],
    "INSERT INTO allocation (allocation_id, partner_id, partner_version, campaign_id, campaign_version, pool_no, offer_no,
         weight_minor, sub_id, count, exposed, restocked, given_back, allocated_at, expires_at, lease_until)
     SELECT allocation_id, partner_id, partner_version, campaign_id, campaign_version, pool_no, offer_no,
         weight_minor, sub_id, count, 0, 0, 0, allocated_at, expires_at, lease_until
     FROM {rows} WHERE true",
);

static WRITE_RANGES: Bulk = Bulk::new(
    "allocation_range: write",
    &[("allocation_id", Bytes), ("range_no", Int), ("first", Int), ("last", Int)],
    &[],
    "INSERT INTO allocation_range (allocation_id, range_no, first, last, next)
     SELECT allocation_id, range_no, first, last, first FROM {rows} WHERE true",
);

static STEP_PULLS: Bulk = Bulk::new(
    "allocation: step",
    &[("allocation_id", Bytes), ("restocked", Int), ("given_back", Int), ("acked_at", Int), ("ended_at", Int)],
    &[],
    "UPDATE allocation AS a SET restocked = a.restocked + t.restocked, given_back = a.given_back + t.given_back,
         acked_at = COALESCE(a.acked_at, t.acked_at), ended_at = COALESCE(a.ended_at, t.ended_at)
     FROM {rows} WHERE a.allocation_id = t.allocation_id",
);

static DROP_RANGES: Bulk = Bulk::new(
    "allocation_range: drop",
    PULL,
    &[],
    "DELETE FROM allocation_range WHERE next = first AND allocation_id IN (SELECT t.allocation_id FROM {rows})",
);

static CLOSE_RANGES: Bulk = Bulk::new(
    "allocation_range: close",
    PULL,
    &[],
    "UPDATE allocation_range SET last = next - 1
     WHERE next <= last AND allocation_id IN (SELECT t.allocation_id FROM {rows})",
);

static RESTOCK: Bulk = Bulk::new(
    "stock: add",
    &[("campaign_id", Int), ("pool_no", Int), ("last", Int), ("first", Int)],
    &[],
    "INSERT INTO stock (campaign_id, pool_no, last, first, verified_at)
     SELECT campaign_id, pool_no, last, first, NULL FROM {rows} WHERE true",
);

fn ids<'a>(ids: impl Iterator<Item = &'a AllocationId>) -> Vec<Vec<Cell>> {
    ids.map(|id| vec![id.0.as_slice().into()]).collect()
}

/// Locks pulls; after the counters.
pub(super) async fn lock(tx: &mut Tx<'_>, needs: &Needs) -> Result<(), StoreError> {
    tx.read(&LOCK_PULLS, &ids(needs.pulls.keys()), &[]).await.map(drop)
}

/// Reads pulls and codes of theirs.
pub(super) async fn read(tx: &mut Tx<'_>, needs: &Needs, world: &mut World) -> Result<(), StoreError> {
    for row in tx.read(&READ_PULLS, &ids(needs.pulls.keys()), &[]).await? {
        let pulled = Pulled {
            partner: PartnerId(row.number(1)?),
            pool: (CampaignId(row.number(2)?), row.number(3)?),
            weight: row.int(4)?,
            count: row.number(5)?,
            exposed: row.number(6)?,
            restocked: row.number(7)?,
            used: 0,
            lease_until: from_millis(row.int(8)?),
            is_acked: !row.is_null(9),
            is_ended: !row.is_null(10),
            left: Vec::new(),
        };
        world.pulls.insert(AllocationId(row.bytes(0)?), pulled);
    }
    let ending = ids(needs.pulls.iter().filter(|(_, ends)| **ends).map(|(id, _)| id));
    for row in tx.read(&READ_LEFT, &ending, &[]).await? {
        if let Some(pulled) = world.pulls.get_mut(&AllocationId(row.bytes(0)?)) {
            pulled.left.push(Range { first: row.number(1)?, last: row.number(2)? });
        }
    }
    for row in tx.read(&COUNT_USED, &ending, &[]).await? {
        if let Some(pulled) = world.pulls.get_mut(&AllocationId(row.bytes(0)?)) {
            pulled.used = row.number(1)?;
        }
    }
    let spots: Vec<_> = needs.loose.iter().map(place).collect();
    for row in &tx.read(&READ_LOOSE, &spots, &[]).await? {
        let spot = spot(row, 0)?;
        let held = match world.loose.entry(spot) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(read_held(row, spot)?),
        };
        if !row.is_null(14) {
            held.events.push(read_event(row, 14, 27)?);
        }
    }
    Ok(())
}

fn place(spot: &Spot) -> Vec<Cell> {
    vec![spot.campaign.0.into(), spot.pool.into(), spot.position.into()]
}

/// Writes new pulls and what became of others.
pub(super) async fn write(tx: &mut Tx<'_>, changes: &Changes) -> Result<(), StoreError> {
    tx.write(&WRITE_PULLS, &sorted(changes.pulls.iter().map(pull))).await?;
    let ranges = changes.pulls.iter().flat_map(|pull| {
        let row = |(no, range): (u32, &Range)| -> Vec<Cell> {
            vec![pull.id.0.as_slice().into(), no.into(), range.first.into(), range.last.into()]
        };
        (0..).zip(&pull.ranges).map(row).collect::<Vec<_>>()
    });
    tx.write(&WRITE_RANGES, &sorted(ranges)).await?;
    let steps = changes.pull_steps.iter().map(|(id, step)| -> Vec<Cell> {
        let PullChange { restocked, given_back, acked_at, ended_at, closes: _ } = *step;
        vec![
            id.0.as_slice().into(),
            restocked.into(),
            given_back.into(),
            acked_at.map(millis).into(),
            ended_at.map(millis).into(),
        ]
    });
    tx.write(&STEP_PULLS, &steps.collect::<Vec<_>>()).await?;
    let closed = ids(changes.pull_steps.iter().filter(|(_, step)| step.closes).map(|(id, _)| id));
    tx.run(&DROP_RANGES, &closed, &[]).await?;
    tx.run(&CLOSE_RANGES, &closed, &[]).await?;
    let stock = changes.restocked.iter().map(|(campaign, pool, range)| -> Vec<Cell> {
        vec![campaign.0.into(), (*pool).into(), range.last.into(), range.first.into()]
    });
    tx.write(&RESTOCK, &sorted(stock)).await
}

fn pull(pull: &NewPull) -> Vec<Cell> {
    let (partner, version) = pull.from.partner.map_or((0, 0), |by| (by.id.0, by.version));
    vec![
        pull.id.0.as_slice().into(),
        partner.into(),
        version.into(),
        pull.campaign.0.0.into(),
        pull.campaign.1.into(),
        pull.pool_no.into(),
        pull.offer_no.into(),
        pull.weight.into(),
        pull.from.sub_id.clone().into(),
        pull.count.into(),
        millis(pull.at).into(),
        pull.expires_at.map(millis).into(),
        millis(pull.lease_until).into(),
    ]
}
