//! The hot SQL, each statement once for both databases.

use crate::store::bulk::Kind::{Bytes, Int, Text};
use crate::store::bulk::{Bulk, Kind};

pub(super) const SUBJECT: &[(&str, Kind)] = &[("subject", Bytes)];
const REQUEST_KEY: &[(&str, Kind)] = &[("door", Text), ("request_key", Text)];

pub(super) static ADD_RECIPIENTS: Bulk = Bulk::new(
    "recipient: add",
    &[("subject", Bytes), ("phone_ciphertext", Bytes), ("created_at", Int)],
    &[],
    "INSERT INTO recipient (subject, epoch, phone_ciphertext, created_at)
     SELECT subject, 0, phone_ciphertext, created_at FROM {rows} WHERE true ORDER BY subject
     ON CONFLICT (subject) DO UPDATE SET phone_ciphertext = excluded.phone_ciphertext
     WHERE recipient.phone_ciphertext IS NULL AND excluded.phone_ciphertext IS NOT NULL",
);

pub(super) static LOCK_RECIPIENTS: Bulk = Bulk::new(
    "recipient: lock",
    SUBJECT,
    &[Bytes, Int, Int],
    "SELECT subject, epoch, COALESCE(epoch_at, created_at) FROM recipient WHERE subject IN (SELECT t.subject FROM {rows}) ORDER BY subject {lock}",
);

pub(in crate::store) static LOCK_CAMPAIGNS: Bulk = Bulk::new(
    "campaign: lock",
    &[("campaign_id", Int)],
    &[Int, Int],
    "SELECT campaign_id, version FROM campaign
     WHERE campaign_id IN (SELECT t.campaign_id FROM {rows}) ORDER BY campaign_id {lock}",
);

const QUOTA: &[(&str, Kind)] = &[("cap_id", Int), ("window_start", Int), ("cap", Int)];

pub(super) static ADD_QUOTAS: Bulk = Bulk::new(
    "quota: add",
    QUOTA,
    &[],
    "INSERT INTO quota (cap_id, window_start, used, cap)
     SELECT cap_id, window_start, 0, cap FROM {rows} WHERE true ORDER BY cap_id, window_start
     ON CONFLICT (cap_id, window_start) DO NOTHING",
);

pub(super) static LOCK_QUOTAS: Bulk = Bulk::new(
    "quota: lock",
    QUOTA,
    &[Int, Int, Int, Int],
    "SELECT cap_id, window_start, used, cap FROM quota
     WHERE (cap_id, window_start) IN (SELECT t.cap_id, t.window_start FROM {rows})
     ORDER BY cap_id, window_start {lock}",
);

pub(super) static CATALOG_VERSION: Bulk = Bulk::new(
    "catalog: version",
    &[("catalog_id", Int)],
    &[Int],
    "SELECT version FROM catalog WHERE catalog_id IN (SELECT t.catalog_id FROM {rows})",
);

pub(super) static READ_REQUESTS: Bulk = Bulk::new(
    "request: read",
    REQUEST_KEY,
    &[Text, Text, Bytes, Int, Text, Text, Int, Int, Int, Int, Int, Int, Int, Text],
    "SELECT r.door, r.request_key, r.fingerprint, r.received_at, r.outcome, r.rule, r.cap_id, r.cap, r.used,
            r.resets_at, r.campaign_id, r.pool_no, r.position, r.reference
     FROM {rows} JOIN request r ON r.door = t.door AND r.request_key = t.request_key",
);

pub(super) static READ_HELD: Bulk = Bulk::new(
    "issuance: read",
    SUBJECT,
    &[
        Int, Int, Int, Bytes, Int, Int, Int, Int, Text, Int, Text, Int, Int, Int, Int, Text, Int, Text, Text, Int, Int,
        Int, Int, Int, Int, Text, Text, Int, Int,
    ],
    "SELECT i.campaign_id, i.pool_no, i.position, i.subject, i.epoch, i.seq, i.offer_no, i.weight_minor, i.channel,
            i.sender_id, i.keyword, i.placement_id, i.issued_at, i.expires_at,
            e.step, e.kind, e.occurred_at, e.provider_ref, e.store, e.amount_minor, i.charged_at, i.campaign_version,
            i.partner_id, i.partner_version, i.creator_id, i.sub_id, i.note, e.commission_minor, e.reverses
     FROM {rows} JOIN issuance i ON i.subject = t.subject
     LEFT JOIN code_event e
       ON e.campaign_id = i.campaign_id AND e.pool_no = i.pool_no AND e.position = i.position
     ORDER BY i.campaign_id, i.pool_no, i.position, e.step",
);

const POOL: &[(&str, Kind)] = &[("campaign_id", Int), ("pool_no", Int), ("looked_at_after", Int)];

pub(super) static READ_STOCK: Bulk = Bulk::new(
    "stock: read",
    POOL,
    &[Int, Int, Int, Int],
    "SELECT s.campaign_id, s.pool_no, s.first, s.last
     FROM {rows} JOIN stock s ON s.campaign_id = t.campaign_id AND s.pool_no = t.pool_no
      AND (t.looked_at_after IS NULL OR s.verified_at > t.looked_at_after)
      AND s.last <= COALESCE((SELECT x.last FROM stock x
          WHERE x.campaign_id = t.campaign_id AND x.pool_no = t.pool_no
            AND (t.looked_at_after IS NULL OR x.verified_at > t.looked_at_after)
          ORDER BY x.last LIMIT 1 OFFSET {1}), 9223372036854775807)
     ORDER BY s.campaign_id, s.pool_no, s.last",
);

pub(super) static READ_IN_STOCK: Bulk = Bulk::new(
    "pool: in stock",
    POOL,
    &[Int, Int, Int],
    "SELECT p.campaign_id, p.pool_no, p.in_stock
     FROM {rows} JOIN pool p ON p.campaign_id = t.campaign_id AND p.pool_no = t.pool_no",
);

pub(super) static READ_MESSAGES: Bulk = Bulk::new(
    "outbox_message: read",
    &[("message_id", Bytes)],
    &[Bytes, Bytes, Text, Text, Int, Int, Int, Int],
    "SELECT m.message_id, m.subject, m.status, m.reply, m.sender_id, m.campaign_id, m.pool_no, m.position
     FROM {rows} JOIN outbox_message m ON m.message_id = t.message_id",
);

pub(super) static READ_WAITING: Bulk = Bulk::new(
    "outbox_message: waiting",
    SUBJECT,
    &[Bytes, Bytes, Text, Text, Int, Int, Int, Int],
    "SELECT m.message_id, m.subject, m.status, m.reply, m.sender_id, m.campaign_id, m.pool_no, m.position
     FROM {rows} JOIN outbox_message m ON m.subject = t.subject AND m.is_open = 1",
);

pub(super) static WRITE_REQUESTS: Bulk = Bulk::new(
    "request: write",
    &[
        ("door", Text),
        ("request_key", Text),
        ("fingerprint", Bytes),
        ("received_at", Int),
        ("subject", Bytes),
        ("kind", Text),
        ("outcome", Text),
        ("rule", Text),
        ("cap_id", Int),
        ("cap", Int),
        ("used", Int),
        ("resets_at", Int),
        ("campaign_id", Int),
        ("pool_no", Int),
        ("position", Int),
        ("reference", Text),
        ("channel", Text),
        ("sender_id", Int),
        ("word", Text),
        ("placement_id", Int),
        ("replied", Int),
        ("amount_minor", Int),
        ("partner_id", Int),
        ("partner_version", Int),
        ("creator_id", Int),
        ("sub_id", Text),
        ("note", Text),
    ],
    &[],
    "INSERT INTO request (door, request_key, fingerprint, received_at, subject, kind, outcome, rule, cap_id, cap, used,
         resets_at, campaign_id, pool_no, position, reference, channel, sender_id, word, placement_id, replied,
         amount_minor, partner_id, partner_version, creator_id, sub_id, note)
     SELECT door, request_key, fingerprint, received_at, subject, kind, outcome, rule, cap_id, cap, used,
         resets_at, campaign_id, pool_no, position, reference, channel, sender_id, word, placement_id, replied,
         amount_minor, partner_id, partner_version, creator_id, sub_id, note
     FROM {rows} WHERE true",
);

pub(super) static WRITE_ISSUANCES: Bulk = Bulk::new(
    "issuance: write",
    &[
        ("campaign_id", Int),
        ("pool_no", Int),
        ("position", Int),
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
        ("issued_at", Int),
        ("expires_at", Int),
        ("charged_at", Int),
        ("partner_id", Int),
        ("partner_version", Int),
        ("creator_id", Int),
        ("sub_id", Text),
        ("note", Text),
    ],
    &[],
    "INSERT INTO issuance (campaign_id, pool_no, position, subject, epoch, seq, offer_no, campaign_version,
         weight_minor, channel, sender_id, keyword, placement_id, issued_at, expires_at, charged_at,
         partner_id, partner_version, creator_id, sub_id, note)
     SELECT campaign_id, pool_no, position, subject, epoch, seq, offer_no, campaign_version,
         weight_minor, channel, sender_id, keyword, placement_id, issued_at, expires_at, charged_at,
         partner_id, partner_version, creator_id, sub_id, note
     FROM {rows} WHERE true",
);

pub(super) static WRITE_EVENTS: Bulk = Bulk::new(
    "code_event: write",
    &[
        ("campaign_id", Int),
        ("pool_no", Int),
        ("position", Int),
        ("step", Int),
        ("kind", Text),
        ("provider", Text),
        ("provider_ref", Text),
        ("reverses", Int),
        ("occurred_at", Int),
        ("store", Text),
        ("order_ref", Text),
        ("amount_minor", Int),
        ("currency", Text),
        ("reason", Text),
        ("commission_minor", Int),
    ],
    &[],
    "INSERT INTO code_event (campaign_id, pool_no, position, step, kind, provider, provider_ref, reverses,
         occurred_at, store, order_ref, amount_minor, currency, reason, commission_minor)
     SELECT campaign_id, pool_no, position, step, kind, provider, provider_ref, reverses,
         occurred_at, store, order_ref, amount_minor, currency, reason, commission_minor
     FROM {rows} WHERE true",
);

pub(super) static WRITE_MESSAGES: Bulk = Bulk::new(
    "outbox_message: write",
    &[
        ("message_id", Bytes),
        ("subject", Bytes),
        ("sender_id", Int),
        ("reply", Text),
        ("priority", Int),
        ("campaign_id", Int),
        ("pool_no", Int),
        ("position", Int),
        ("params", Text),
        ("door", Text),
        ("request_key", Text),
        ("lease_until", Int),
        ("created_at", Int),
    ],
    &[],
    "INSERT INTO outbox_message (message_id, subject, sender_id, reply, priority, campaign_id, pool_no, position,
         params, door, request_key, status, is_open, due_at, lease_until, attempts, history, created_at)
     SELECT message_id, subject, sender_id, reply, priority, campaign_id, pool_no, position,
         params, door, request_key, 'queued', 1, created_at, lease_until, 0, '', created_at
     FROM {rows} WHERE true",
);

pub(super) static WRITE_STEPS: Bulk = Bulk::new(
    "outbox_message: step",
    &[
        ("message_id", Bytes),
        ("status", Text),
        ("is_open", Int),
        ("due_at", Int),
        ("lease_until", Int),
        ("tried", Int),
        ("provider_id", Text),
        ("segments", Int),
        ("body_hash", Bytes),
        ("entry", Text),
    ],
    &[],
    "UPDATE outbox_message AS m SET
         status = t.status, is_open = t.is_open, due_at = COALESCE(t.due_at, m.due_at), lease_until = t.lease_until,
         attempts = m.attempts + t.tried, provider_id = COALESCE(t.provider_id, m.provider_id),
         segments = COALESCE(t.segments, m.segments), body_hash = COALESCE(t.body_hash, m.body_hash),
         history = m.history || t.entry
     FROM {rows} WHERE m.message_id = t.message_id",
);

const RANGE: &[(&str, Kind)] = &[("campaign_id", Int), ("pool_no", Int), ("last", Int), ("first", Int)];

pub(super) static MOVE_STOCK: Bulk = Bulk::new(
    "stock: move",
    RANGE,
    &[],
    "UPDATE stock AS s SET first = t.first FROM {rows}
     WHERE s.campaign_id = t.campaign_id AND s.pool_no = t.pool_no AND s.last = t.last",
);

pub(super) static DELETE_STOCK: Bulk = Bulk::new(
    "stock: delete",
    RANGE,
    &[],
    "DELETE FROM stock WHERE (campaign_id, pool_no, last) IN (SELECT t.campaign_id, t.pool_no, t.last FROM {rows})",
);

pub(super) static TAKE_STOCK: Bulk = Bulk::new(
    "pool: take",
    &[("campaign_id", Int), ("pool_no", Int), ("n", Int)],
    &[],
    "UPDATE pool AS p SET in_stock = p.in_stock - t.n FROM {rows}
     WHERE p.campaign_id = t.campaign_id AND p.pool_no = t.pool_no",
);

pub(super) static WRITE_QUOTAS: Bulk = Bulk::new(
    "quota: write",
    &[("cap_id", Int), ("window_start", Int), ("used", Int)],
    &[],
    "UPDATE quota AS q SET used = t.used FROM {rows}
     WHERE q.cap_id = t.cap_id AND q.window_start = t.window_start",
);

pub(super) static COUNT_CHANNELS: Bulk = Bulk::new(
    "rollup_channel: count",
    &[
        ("campaign_id", Int),
        ("quarter", Int),
        ("channel", Text),
        ("placement_id", Int),
        ("outcome", Text),
        ("n", Int),
        ("amount_minor", Int),
    ],
    &[],
    "INSERT INTO rollup_channel AS r (campaign_id, quarter, channel, placement_id, outcome, n, amount_minor)
     SELECT campaign_id, quarter, channel, placement_id, outcome, n, amount_minor FROM {rows} WHERE true
     ON CONFLICT (campaign_id, quarter, channel, placement_id, outcome)
     DO UPDATE SET n = r.n + excluded.n, amount_minor = r.amount_minor + excluded.amount_minor",
);

pub(in crate::store) static RAISE_ALERTS: Bulk = Bulk::new(
    "alert: raise",
    &[("kind", Text), ("about", Text), ("detail", Text), ("times", Int), ("at", Int)],
    &[],
    "INSERT INTO alert AS a (kind, about, detail, times, raised_at, last_at)
     SELECT kind, about, detail, times, at, at FROM {rows} WHERE true
     ON CONFLICT (kind, about) WHERE cleared_at IS NULL
     DO UPDATE SET detail = excluded.detail, times = a.times + excluded.times, last_at = excluded.last_at",
);

pub(super) static CLEAR_ALERTS: Bulk = Bulk::new(
    "alert: clear",
    &[("kind", Text), ("about", Text), ("at", Int)],
    &[],
    "UPDATE alert AS a SET cleared_at = t.at FROM {rows}
     WHERE a.kind = t.kind AND a.about = t.about AND a.cleared_at IS NULL",
);

pub(in crate::store) static COUNT_OUTSTANDING: Bulk = Bulk::new(
    "rollup_outstanding: count",
    &[("campaign_id", Int), ("expiry_day", Int), ("n", Int), ("value_minor", Int)],
    &[],
    "INSERT INTO rollup_outstanding AS r (campaign_id, expiry_day, n, value_minor)
     SELECT campaign_id, expiry_day, n, value_minor FROM {rows} WHERE true
     ON CONFLICT (campaign_id, expiry_day)
     DO UPDATE SET n = r.n + excluded.n, value_minor = r.value_minor + excluded.value_minor",
);
