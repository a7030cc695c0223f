//! The statements of promises, and of what other systems are to be asked.

use super::statements::SUBJECT;
use crate::store::bulk::Bulk;
use crate::store::bulk::Kind::{Bytes, Int, Text};

pub(super) static READ_HOLDS: Bulk = Bulk::new(
    "hold: read",
    SUBJECT,
    &[Bytes, Bytes, Int, Int, Int, Int, Int, Int, Int, Text, Int, Text, Int, Int, Int, Int, Int, Int, Int, Text, Text],
    "SELECT h.hold_id, h.subject, h.campaign_id, h.pool_no, h.epoch, h.seq, h.offer_no, h.campaign_version,
            h.weight_minor, h.channel, h.sender_id, h.keyword, h.placement_id, h.held_at, h.is_muted, h.late_at,
            h.partner_id, h.partner_version, h.creator_id, h.sub_id, h.note
     FROM {rows} JOIN hold h ON h.subject = t.subject AND h.ended_at IS NULL
     ORDER BY h.held_at, h.hold_id",
);

pub(super) static WRITE_HOLDS: Bulk = Bulk::new(
    "hold: write",
    &[
        ("hold_id", Bytes),
        ("campaign_id", Int),
        ("pool_no", Int),
        ("subject", Bytes),
        ("epoch", Int),
        ("seq", Int),
        ("offer_no", Int),
        ("campaign_version", Int),
        ("weight_minor", Int),
        ("channel", Text),
        ("sender_id", Int),
        ("keyword", Text),
        ("placement_id", Int),
        ("held_at", Int),
        ("partner_id", Int),
        ("partner_version", Int),
        ("creator_id", Int),
        ("sub_id", Text),
        ("note", Text),
    ],
    &[],
    "INSERT INTO hold (hold_id, campaign_id, pool_no, subject, epoch, seq, offer_no, campaign_version, weight_minor,
         channel, sender_id, keyword, placement_id, held_at, is_muted, partner_id, partner_version, creator_id,
         sub_id, note)
     SELECT hold_id, campaign_id, pool_no, subject, epoch, seq, offer_no, campaign_version, weight_minor,
         channel, sender_id, keyword, placement_id, held_at, 0, partner_id, partner_version, creator_id, sub_id, note
     FROM {rows} WHERE true",
);

pub(super) static STEP_HOLDS: Bulk = Bulk::new(
    "hold: step",
    &[("hold_id", Bytes), ("is_muted", Int), ("late_at", Int), ("ended_at", Int), ("position", Int)],
    &[],
    "UPDATE hold AS h SET is_muted = COALESCE(t.is_muted, h.is_muted), late_at = COALESCE(t.late_at, h.late_at),
         ended_at = COALESCE(t.ended_at, h.ended_at), position = COALESCE(t.position, h.position)
     FROM {rows} WHERE h.hold_id = t.hold_id",
);

pub(super) static WRITE_PEER_CHECKS: Bulk = Bulk::new(
    "peer_check: write",
    &[("campaign_id", Int), ("pool_no", Int), ("position", Int), ("due_at", Int)],
    &[],
    "INSERT INTO peer_check (campaign_id, pool_no, position, due_at, looks)
     SELECT campaign_id, pool_no, position, due_at, 0 FROM {rows} WHERE true",
);
