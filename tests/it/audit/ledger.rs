//! A small ledger, written by hand: two campaigns, three persons, four codes and what became of them.

use codewell::store::{Options, Store};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend};
use std::time::Duration;

/// A database with the ledger in it.
pub(super) struct Ledger {
    store: Store,
    url: String,
}

const TABLES: &[&str] = &[
    "sender",
    "campaign",
    "campaign_version",
    "offer",
    "pool",
    "cap",
    "placement",
    "code",
    "stock",
    "hold",
    "quarantine",
    "recipient",
    "request",
    "issuance",
    "code_event",
    "quota",
    "outbox_message",
    "opt_out",
    "rollup_channel",
    "rollup_outstanding",
    "session",
    "unknown_word",
    "partner",
    "partner_version",
    "allocation",
    "allocation_range",
    "feed_counter",
    "feed",
    "rollup_credit",
];

/// Whose merit a row is, where a statement does not say: nobody's. Tables that were loosened have no defaults.
const NOBODY: &str = "
    UPDATE request SET partner_id = 0, partner_version = 0, creator_id = 0 WHERE partner_id IS NULL;
    UPDATE issuance SET partner_id = 0, partner_version = 0, creator_id = 0 WHERE partner_id IS NULL;
    UPDATE hold SET partner_id = 0, partner_version = 0, creator_id = 0 WHERE partner_id IS NULL";

/// 20 November 2026, a Friday, in days since 1970.
const DAY: i64 = 20_777;
/// Three in the afternoon UTC, ten in the morning in New York.
const NOON: i64 = DAY * 86_400_000 + 15 * 3_600_000;

/// `{T+h}` is so many hours after [`NOON`], `{T/u+n}` that time in units of u milliseconds and n more, `{D+n}` a day,
/// `{AA}` the sixteen bytes of a person.
///
/// A asked on Friday and Saturday, and once through the engine; her first code was used, given back and used again,
/// the one through the engine was voided. B asked once, was asked what a word meant, and is promised a code of a
/// campaign whose next code is dead. C was refused and said STOP. A partner gave B a code of a third campaign and
/// pulled seven: two were streamed, one of them is used.
const CLEAN: &str = r#"
INSERT INTO sender VALUES (1, '12345', 'simulator', 'Acme', '{}');
INSERT INTO campaign VALUES (1, 'PIZZA', 'live', 2), (2, 'BURGER', 'live', 1);
INSERT INTO campaign_version VALUES
    (1, 1, 'live', '{"offer": {}, "zone": "America/New_York", "start": "2026-11-20", "caps": {"person": {"lifetime": 1},
        "campaign": {"day": 5}, "money": "100.00"}}', {T-24}),
    (1, 2, 'live', '{"offer": {}, "zone": "America/New_York", "start": "2026-11-20", "end": "2026-11-21T10:00:01",
        "caps": {"person": {"lifetime": 2}, "campaign": {"day": 5}, "money": "100.00", "keyword": {"PIZZA": {"total": 10}}}}', {T+12}),
    (2, 1, 'live', '{"offer": {}, "caps": {"person": {"rolling": {"count": 1, "within": "P1D"}}}}', {T-24});
INSERT INTO offer VALUES (1, 1, '{}'), (2, 1, '{}');
INSERT INTO pool VALUES (1, 1, 1, 'generated', 0, 'PZA-?', 10, 7, ''), (2, 1, 1, 'derived', 1, 'B-?', 1000, 997, '');
INSERT INTO cap VALUES
    (1, 1, 'person', '', 'count', 'lifetime', 0, 'America/New_York', 2, NULL),
    (2, 1, 'campaign', '', 'count', 'day', 0, 'America/New_York', 5, NULL),
    (3, 1, 'campaign', '', 'money', 'lifetime', 0, 'America/New_York', 10000, NULL),
    (4, 1, 'keyword', 'PIZZA', 'count', 'lifetime', 0, 'America/New_York', 10, NULL),
    (5, 0, 'person', '', 'count', 'week', 0, 'UTC', 3, NULL),
    (6, 0, 'campaign', '', 'count', 'minute', 0, 'UTC', 100, NULL),
    (7, 2, 'person', '', 'count', 'rolling', 86400000, 'UTC', 1, NULL);
INSERT INTO placement (placement_id, campaign_id, name, cost_minor) VALUES (7, 2, 'radio', 0);
INSERT INTO code VALUES (1, 1, 0, 'PZA0', 'PZA-0'), (1, 1, 1, 'PZA1', 'PZA-1'), (1, 1, 2, 'PZA2', 'PZA-2'),
    (1, 1, 3, 'PZA3', 'PZA-3'), (1, 1, 4, 'PZA4', 'PZA-4'), (1, 1, 5, 'PZA5', 'PZA-5'), (1, 1, 6, 'PZA6', 'PZA-6'),
    (1, 1, 7, 'PZA7', 'PZA-7'), (1, 1, 8, 'PZA8', 'PZA-8'), (1, 1, 9, 'PZA9', 'PZA-9');
INSERT INTO stock VALUES (1, 1, 5, 3, NULL), (1, 1, 9, 6, NULL), (2, 1, 999, 2, NULL);
INSERT INTO hold (hold_id, campaign_id, pool_no, subject, epoch, seq, offer_no, campaign_version, weight_minor, channel, sender_id, keyword, placement_id, held_at, is_muted, late_at, ended_at, position) VALUES ({0A}, 2, 1, {BB}, 0, 1, 1, 1, 200, 'api', NULL, NULL, 0, {T+0}, 0, NULL, NULL, NULL);
INSERT INTO quarantine VALUES (2, 1, 1, 'dead', 'expired', {T+0});
INSERT INTO recipient (subject, epoch, phone_ciphertext, created_at) VALUES
    ({AA}, 0, NULL, {T+0}), ({BB}, 0, NULL, {T+0}), ({CC}, 0, NULL, {T+0});
INSERT INTO request (door, request_key, fingerprint, received_at, subject, kind, outcome, rule, cap_id, cap, used, resets_at, campaign_id, pool_no, position, reference, channel, sender_id, word, placement_id, replied, amount_minor) VALUES
    ('sms-1', 'm1', {AA}, {T+0}, {AA}, 'keyword', 'issued', '', NULL, NULL, NULL, NULL, 1, 1, 0, NULL, 'sms', 1, 'PIZZA', 0, 1, NULL),
    ('sms-1', 'm2', {AA}, {T+0}, {BB}, 'keyword', 'issued', '', NULL, NULL, NULL, NULL, 1, 1, 1, NULL, 'sms', 1, 'PIZZA', 0, 1, NULL),
    ('sms-1', 'm3', {AA}, {T+24}, {AA}, 'keyword', 'issued', '', NULL, NULL, NULL, NULL, 1, 1, 2, NULL, 'sms', 1, 'PIZZA', 0, 1, NULL),
    ('engine', 'e1', {AA}, {T+1}, {AA}, 'issue', 'issued', '', NULL, NULL, NULL, NULL, 2, 1, 0, NULL, 'api', NULL, NULL, 7, 0, NULL),
    ('sms-1', 'm4', {AA}, {T+0}, {CC}, 'keyword', 'refused', 'cap_reached', 2, 5, 5, {T+14}, 1, NULL, NULL, NULL, 'sms', 1, 'PIZZA', 0, 1, NULL),
    ('sms-1', 'm5', {AA}, {T+0}, {CC}, 'stop', 'opted_out', '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'sms', 1, NULL, 0, 1, NULL),
    ('sms-1', 'm6', {AA}, {T+0}, {BB}, 'asked', 'asked', '', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'sms', 1, NULL, 0, 1, NULL),
    ('till-1', 't1', {AA}, {T+2}, {AA}, 'redeem', 'redeemed', '', NULL, NULL, NULL, NULL, 1, 1, 0, 'rd_1', 'sms', 1, NULL, 0, 0, 2000),
    ('till-1', 't2', {AA}, {T+3}, {AA}, 'rollback', 'rolled_back', '', NULL, NULL, NULL, NULL, 1, 1, 0, 'rd_1', 'sms', 1, NULL, 0, 0, -2000),
    ('till-1', 't3', {AA}, {T+3}, {AA}, 'redeem', 'redeemed', '', NULL, NULL, NULL, NULL, 1, 1, 0, 'rd_2', 'sms', 1, NULL, 0, 0, NULL),
    ('house', 'v1', {AA}, {T+4}, {AA}, 'void', 'voided', '', NULL, NULL, NULL, NULL, 2, 1, 0, NULL, 'api', NULL, NULL, 7, 0, NULL);
INSERT INTO issuance (campaign_id, pool_no, position, subject, epoch, seq, offer_no, campaign_version, weight_minor, channel, sender_id, keyword, placement_id, issued_at, expires_at, charged_at) VALUES
    (1, 1, 0, {AA}, 0, 1, 1, 1, 500, 'sms', 1, 'PIZZA', 0, {T+0}, {T+720}, NULL),
    (1, 1, 1, {BB}, 0, 1, 1, 1, 500, 'sms', 1, 'PIZZA', 0, {T+0}, {T+720}, NULL),
    (1, 1, 2, {AA}, 0, 2, 1, 2, 500, 'sms', 1, 'PIZZA', 0, {T+24}, {T+744}, NULL),
    (2, 1, 0, {AA}, 0, 1, 1, 1, 200, 'api', NULL, NULL, 7, {T+1}, NULL, NULL);
INSERT INTO code_event (campaign_id, pool_no, position, step, kind, provider, provider_ref, reverses, occurred_at, store, order_ref, amount_minor, currency, reason) VALUES
    (1, 1, 0, 1, 'redeemed', 'till', 'rd_1', NULL, {T+2}, 'Main St', 'o1', 2000, 'USD', NULL),
    (1, 1, 0, 2, 'rolled_back', 'till', 'rd_1', 1, {T+3}, NULL, NULL, 2000, NULL, 'wrong table'),
    (1, 1, 0, 3, 'redeemed', 'till', 'rd_2', NULL, {T+3}, 'Main St', 'o2', NULL, NULL, NULL),
    (2, 1, 0, 1, 'voided', 'till', 'rd_v', NULL, {T+4}, NULL, NULL, NULL, NULL, 'by mistake');
INSERT INTO quota VALUES (2, {D+0}, 2, 5), (2, {D+1}, 1, 5), (3, 0, 1500, 10000), (4, 0, 3, 10),
    (6, {T/60000+0}, 3, 100), (6, {T/60000+60}, 1, 100), (6, {T/60000+1440}, 1, 100);
INSERT INTO outbox_message VALUES
    ({01}, {AA}, 1, 'T01', 1, 1, 1, 0, '{}', 'sms-1', 'm1', 'delivered', 0, {T+0}, 0, 1, 'p1', 1, NULL, '[]', {T+0}),
    ({02}, {BB}, 1, 'T01', 1, 1, 1, 1, '{}', 'sms-1', 'm2', 'delivered', 0, {T+0}, 0, 1, 'p2', 1, NULL, '[]', {T+0}),
    ({03}, {AA}, 1, 'T01', 1, 1, 1, 2, '{}', 'sms-1', 'm3', 'queued', 1, {T+24}, 0, 0, NULL, NULL, NULL, '[]', {T+24}),
    ({04}, {CC}, 1, 'T05', 1, 1, NULL, NULL, '{}', 'sms-1', 'm4', 'suppressed', 0, {T+0}, 0, 0, NULL, NULL, NULL, '[]', {T+0}),
    ({05}, {CC}, 1, 'T13', 0, NULL, NULL, NULL, '{}', 'sms-1', 'm5', 'queued', 1, {T+0}, 0, 0, NULL, NULL, NULL, '[]', {T+0}),
    ({06}, {BB}, 1, 'T12', 1, NULL, NULL, NULL, '{}', 'sms-1', 'm6', 'delivered', 0, {T+0}, 0, 1, 'p6', 1, NULL, '[]', {T+0});
INSERT INTO session VALUES ({BB}, 1, 'question', '{}', {T+1});
INSERT INTO unknown_word VALUES (1, 'WORDX', 1, {T+0});
INSERT INTO opt_out VALUES ('Acme', {CC}, {T+1});
INSERT INTO rollup_channel VALUES
    (1, {T/900000+0}, 'sms', 0, 'issued', 2, 0), (1, {T/900000+96}, 'sms', 0, 'issued', 1, 0),
    (2, {T/900000+4}, 'api', 7, 'issued', 1, 0), (1, {T/900000+0}, 'sms', 0, 'refused:cap_reached', 1, 0),
    (0, {T/900000+0}, 'sms', 0, 'opted_out', 1, 0), (0, {T/900000+0}, 'sms', 0, 'asked', 1, 0), (1, {T/900000+8}, 'sms', 0, 'redeemed', 1, 2000),
    (1, {T/900000+12}, 'sms', 0, 'rolled_back', 1, -2000), (1, {T/900000+12}, 'sms', 0, 'redeemed', 1, 0),
    (2, {T/900000+16}, 'api', 7, 'voided', 1, 0);
INSERT INTO rollup_outstanding VALUES (1, {D+30}, 1, 500), (1, {D+31}, 1, 500), (2, 2932896, 0, 0), (3, 2932896, 2, 600);
INSERT INTO campaign VALUES (3, 'DEALS', 'live', 1);
INSERT INTO campaign_version VALUES (3, 1, 'live', '{"offer": {}, "caps": {"person": {}}}', {T-24});
INSERT INTO offer VALUES (3, 1, '{}');
INSERT INTO pool VALUES (3, 1, 1, 'derived', 1, 'D-?', 100, 92, '');
INSERT INTO stock VALUES (3, 1, 99, 8, NULL);
INSERT INTO partner VALUES (1, 'deals', 'Deals', 'live', 'active', 1, {T-24});
INSERT INTO partner_version VALUES
    (1, 1, 'active', '{"name": "Deals", "scopes": [], "caps": {}, "grants": [{"campaign": 3, "total": 50}]}', {T-24});
INSERT INTO cap VALUES (30, 3, 'partner', '1', 'count', 'lifetime', 0, 'UTC', 50, NULL);
INSERT INTO quota VALUES (30, 0, 8, 50), (6, {T/60000+300}, 8, 100);
INSERT INTO allocation (allocation_id, partner_id, partner_version, campaign_id, campaign_version, pool_no, offer_no,
        weight_minor, sub_id, count, exposed, restocked, given_back, allocated_at, lease_until)
    VALUES ({0C}, 1, 1, 3, 1, 1, 1, 300, 'home', 7, 2, 0, 0, {T+5}, {T+100});
INSERT INTO allocation_range VALUES ({0C}, 0, 1, 7, 3);
INSERT INTO issuance (campaign_id, pool_no, position, subject, epoch, seq, offer_no, campaign_version, weight_minor, channel, sender_id, keyword, placement_id, issued_at, expires_at, charged_at, partner_id, partner_version, creator_id, sub_id, allocation_id) VALUES
    (3, 1, 0, {BB}, 0, 1, 1, 1, 300, 'api', NULL, NULL, 0, {T+5}, NULL, NULL, 1, 1, 0, 'home', NULL),
    (3, 1, 1, NULL, 0, 0, 1, 1, 300, 'api', NULL, NULL, 0, {T+6}, NULL, NULL, 1, 1, 0, 'home', {0C}),
    (3, 1, 2, NULL, 0, 0, 1, 1, 300, 'api', NULL, NULL, 0, {T+6}, NULL, NULL, 1, 1, 0, 'home', {0C});
INSERT INTO request (door, request_key, fingerprint, received_at, subject, kind, outcome, rule, cap_id, cap, used, resets_at, campaign_id, pool_no, position, reference, channel, sender_id, word, placement_id, replied, amount_minor, partner_id, partner_version, creator_id, sub_id) VALUES
    ('api-deals', 'p1', {AA}, {T+5}, {BB}, 'issue', 'issued', '', NULL, NULL, NULL, NULL, 3, 1, 0, NULL, 'api', NULL, NULL, 0, 0, NULL, 1, 1, 0, 'home'),
    ('api-deals', 'p2', {AA}, {T+5}, NULL, 'allocate', 'allocated', '', NULL, NULL, 7, NULL, 3, NULL, NULL, 'al_0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c', 'api', NULL, NULL, 0, 0, NULL, 1, 1, 0, 'home'),
    ('till-1', 't4', {AA}, {T+7}, NULL, 'redeem', 'redeemed', '', NULL, NULL, NULL, NULL, 3, 1, 1, 'rd_p', 'api', NULL, NULL, 0, 0, NULL, 1, 1, 0, 'home');
INSERT INTO code_event (campaign_id, pool_no, position, step, kind, provider, provider_ref, occurred_at)
    VALUES (3, 1, 1, 1, 'redeemed', 'till', 'rd_p', {T+7});
INSERT INTO rollup_channel VALUES (3, {T/900000+20}, 'api', 0, 'issued', 1, 0),
    (3, {T/900000+20}, 'api', 0, 'allocated', 1, 0), (3, {T/900000+28}, 'api', 0, 'redeemed', 1, 0);
INSERT INTO rollup_credit VALUES ('partner', 1, 3, {T/900000+20}, 0, 'home', 'issued', 1, 0, 0),
    ('partner', 1, 3, {T/900000+20}, 0, 'home', 'allocated', 1, 0, 0),
    ('partner', 1, 3, {T/900000+24}, 0, 'home', 'streamed', 2, 0, 0),
    ('partner', 1, 3, {T/900000+28}, 0, 'home', 'redeemed', 1, 0, 0);
INSERT INTO feed_counter VALUES (1, 3);
INSERT INTO feed VALUES (1, 1, 'issued', {T+5}, 3, 1, 0, '{}'), (1, 2, 'issued', {T+5}, 3, NULL, NULL, '{}'),
    (1, 3, 'redeemed', {T+7}, 3, 1, 1, '{}')
"#;

impl Ledger {
    /// An empty one.
    pub(super) async fn make(url: String) -> Self {
        let options = Options { readers: 2, acquire: Duration::from_secs(5), ..Options::new(url.clone()) };
        let store = Store::connect(&options).await.expect("a database");
        store.migrate().await.expect("tables");
        Self { store, url }
    }

    /// What the audit reads.
    pub(super) fn db(&self) -> &DatabaseConnection {
        self.store.read()
    }

    /// Puts the clean ledger in the place of whatever is there.
    pub(super) async fn fill(&self) {
        for table in TABLES {
            self.run(&format!("DELETE FROM {table}")).await;
        }
        self.run(CLEAN).await;
    }

    /// Takes keys and checks away, which would keep breaches out.
    pub(super) async fn loosen(&self) {
        for table in TABLES {
            self.run(&format!(
                "CREATE TABLE loose AS SELECT * FROM {table}; DROP TABLE {table}; ALTER TABLE loose RENAME TO {table}"
            ))
            .await;
        }
    }

    /// Runs statements as another process would, and returns when they are committed.
    pub(super) fn run_elsewhere(&self, script: &'static str) {
        let url = self.url.clone();
        let process = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async { Self::make(url).await.run(script).await });
        });
        process.join().expect("the statements ran");
    }

    /// Runs statements with the names of [`CLEAN`].
    pub(super) async fn run(&self, script: &str) {
        let db = self.store.write();
        for statement in
            script.split(';').chain(NOBODY.split(';')).map(str::trim).filter(|statement| !statement.is_empty())
        {
            let statement = spelled_out(statement, db.get_database_backend());
            let done = db.execute_unprepared(&statement).await;
            assert!(done.is_ok(), "{statement}: {done:?}");
        }
    }
}

/// Replaces `{…}` names; braces of JSON stay.
fn spelled_out(statement: &str, backend: DbBackend) -> String {
    let mut pieces = statement.split('{');
    let mut whole = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let value = piece.split_once('}').and_then(|(name, rest)| Some((value(name, backend)?, rest)));
        match value {
            Some((value, rest)) => whole.extend([value.as_str(), rest]),
            None => whole.extend(["{", piece]),
        }
    }
    whole
}

fn value(name: &str, backend: DbBackend) -> Option<String> {
    let after = |rest: &str| rest.parse::<i64>().ok();
    if let Some(units) = name.strip_prefix("T/") {
        let (unit, more) = units.split_once('+')?;
        return Some((NOON / after(unit)? + after(more)?).to_string());
    }
    if let Some(hours) = name.strip_prefix('T') {
        return Some((NOON + after(hours)? * 3_600_000).to_string());
    }
    if let Some(days) = name.strip_prefix("D+") {
        return Some((DAY + after(days)?).to_string());
    }
    let is_byte = name.len() == 2 && name.bytes().all(|sign| sign.is_ascii_hexdigit());
    let bytes = name.repeat(16);
    is_byte.then(|| if backend == DbBackend::Postgres { format!("'\\x{bytes}'::bytea") } else { format!("x'{bytes}'") })
}
