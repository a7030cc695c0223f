//! The statements of pulls beside the batches.

use crate::store::bulk::Kind::{Bytes, Int, Text};
use crate::store::bulk::{Bulk, Kind};

const PULL: &[(&str, Kind)] = &[("allocation_id", Bytes)];

/// What writing its codes needs, under the pull's lock.
pub(super) static LOCK: Bulk = Bulk::new(
    "allocation: lock one",
    PULL,
    &[Int, Int, Int, Int, Int, Int, Int, Int, Int, Text, Int, Int],
    "SELECT a.partner_id, a.partner_version, a.campaign_id, a.campaign_version, a.pool_no, a.offer_no, a.weight_minor,
        a.expires_at, a.lease_until, a.sub_id,
        CAST(CASE WHEN a.ended_at IS NULL THEN 0 ELSE 1 END AS BIGINT), a.exposed
     FROM allocation a WHERE a.allocation_id IN (SELECT t.allocation_id FROM {rows}) {lock}",
);

pub(super) static LEFT: Bulk = Bulk::new(
    "allocation_range: left",
    PULL,
    &[Int, Int, Int],
    "SELECT r.range_no, r.next, r.last FROM {rows} JOIN allocation_range r ON r.allocation_id = t.allocation_id
     WHERE r.next <= r.last ORDER BY r.range_no",
);

pub(super) static STREAMED: Bulk = Bulk::new(
    "allocation_range: streamed",
    PULL,
    &[Int, Int],
    "SELECT r.first, r.next FROM {rows} JOIN allocation_range r ON r.allocation_id = t.allocation_id
     WHERE r.next > r.first ORDER BY r.range_no",
);

pub(super) static MOVE: Bulk = Bulk::new(
    "allocation_range: move",
    &[("allocation_id", Bytes), ("range_no", Int), ("next", Int)],
    &[],
    "UPDATE allocation_range AS r SET next = t.next FROM {rows}
     WHERE r.allocation_id = t.allocation_id AND r.range_no = t.range_no",
);

pub(super) static EXPOSE: Bulk = Bulk::new(
    "allocation: expose",
    &[("allocation_id", Bytes), ("n", Int)],
    &[],
    "UPDATE allocation AS a SET exposed = a.exposed + t.n FROM {rows} WHERE a.allocation_id = t.allocation_id",
);

pub(super) static ISSUE: Bulk = Bulk::new(
    "issuance: write of a pull",
    &[
        ("campaign_id", Int),
        ("pool_no", Int),
        ("position", Int),
        ("offer_no", Int),
        ("campaign_version", Int),
        ("weight_minor", Int),
        ("issued_at", Int),
        ("expires_at", Int),
        ("partner_id", Int),
        ("partner_version", Int),
        ("sub_id", Text),
        ("allocation_id", Bytes),
    ],
    &[],
    "INSERT INTO issuance (campaign_id, pool_no, position, subject, epoch, seq, offer_no, campaign_version, weight_minor,
         channel, sender_id, keyword, placement_id, issued_at, expires_at, partner_id, partner_version,
         creator_id, sub_id, allocation_id)
     SELECT campaign_id, pool_no, position, NULL, 0, 0, offer_no, campaign_version, weight_minor,
         'api', NULL, NULL, 0, issued_at, expires_at, partner_id, partner_version, 0, sub_id, allocation_id
     FROM {rows} WHERE true",
);

/// Streamed codes of a pull that are neither used nor taken back, each with its next step.
pub(super) static UNUSED: Bulk = Bulk::new(
    "issuance: unused of a pull",
    &[("campaign_id", Int), ("pool_no", Int), ("first", Int), ("next", Int)],
    &[Int, Int, Int, Int],
    "SELECT i.position, i.expires_at, i.weight_minor, COALESCE(MAX(e.step), 0) + 1
     FROM {rows} JOIN issuance i ON i.campaign_id = t.campaign_id AND i.pool_no = t.pool_no
        AND i.position >= t.first AND i.position < t.next
     LEFT JOIN code_event e ON e.campaign_id = i.campaign_id AND e.pool_no = i.pool_no AND e.position = i.position
     GROUP BY i.campaign_id, i.pool_no, i.position, i.expires_at, i.weight_minor
     HAVING SUM(CASE WHEN e.kind IN ('voided', 'returned', 'expired') THEN 1 ELSE 0 END) = 0
        AND SUM(CASE WHEN e.kind = 'redeemed' THEN 1 WHEN e.kind = 'rolled_back' THEN -1 ELSE 0 END) = 0
     ORDER BY i.position LIMIT {1}",
);

pub(super) static VOID: Bulk = Bulk::new(
    "code_event: void of a pull",
    &[
        ("campaign_id", Int),
        ("pool_no", Int),
        ("position", Int),
        ("step", Int),
        ("provider_ref", Text),
        ("occurred_at", Int),
    ],
    &[],
    "INSERT INTO code_event (campaign_id, pool_no, position, step, kind, provider, provider_ref, occurred_at, reason)
     SELECT campaign_id, pool_no, position, step, 'voided', 'house', provider_ref, occurred_at, 'its lease ended'
     FROM {rows} WHERE true",
);

pub(super) static CLOSED: Bulk = Bulk::new(
    "allocation: voided",
    &[("allocation_id", Bytes), ("at", Int)],
    &[],
    "UPDATE allocation AS a SET voided_at = t.at FROM {rows} WHERE a.allocation_id = t.allocation_id",
);
