//! Breaches to plant: the check that must find it, what its sentence must name, and how it is planted. What other
//! checks look at is put right, so that only the one rule is broken.

/// Check, words of the sentence, statements.
pub(super) const PLANTS: &[(&str, &str, &str)] = &[
    (
        "configuration",
        "version 2 of campaign 1 limits person month",
        r#"UPDATE campaign_version SET document = replace(document, '"lifetime": 2', '"lifetime": 2, "month": 9')
           WHERE campaign_id = 1 AND version = 2"#,
    ),
    ("campaign_version", "campaign 1 is at version 3", "UPDATE campaign SET version = 3 WHERE campaign_id = 1"),
    ("campaign_version", "version 2 and live", "UPDATE campaign SET status = 'paused' WHERE campaign_id = 1"),
    ("person_cap", "code 1/1/2", "UPDATE issuance SET campaign_version = 1 WHERE position = 2"),
    (
        "person_cap",
        "at least 3 of cap 5 across campaigns (person, count, week), which allowed 2",
        r#"INSERT INTO campaign_version VALUES
               (0, 1, 'live', '{"cap": [{"scope": "person", "week": 3}, {"scope": "all", "per_minute": 100}]}', {T-24}),
               (0, 2, 'live', '{"cap": [{"scope": "person", "week": 2}, {"scope": "all", "per_minute": 100}]}', {T+23});
           UPDATE cap SET cap = 2 WHERE cap_id = 5"#,
    ),
    ("seq", "number 3 of person aaaa", "UPDATE issuance SET seq = 3 WHERE position = 2"),
    (
        "seq",
        "was issued before number 1",
        "UPDATE issuance SET seq = 3 - seq, campaign_version = 2 WHERE campaign_id = 1 AND position IN (0, 2)",
    ),
    ("pull_counts", "pull al_0c0c", "UPDATE allocation SET exposed = 3"),
    ("pull_codes", "code 3/1/2", "UPDATE allocation_range SET first = 100, last = 106, next = 102"),
    (
        "pull_ranges",
        "holds positions 3 to 7",
        "UPDATE stock SET first = 5 WHERE campaign_id = 3; UPDATE pool SET in_stock = 95 WHERE campaign_id = 3",
    ),
    ("pull_given_back", "pull al_0c0c", "UPDATE allocation SET acked_at = {T+6}, ended_at = {T+7}"),
    ("feed_gaps", "its newest is number 3", "UPDATE feed SET event_no = 4 WHERE event_no = 3"),
    ("feed_heard", "1 more redeemed codes of partner 1", "UPDATE feed SET kind = 'viewed' WHERE kind = 'redeemed'"),
    (
        "commission",
        "commission of creator 5, campaign 3",
        "INSERT INTO rollup_credit VALUES ('creator', 5, 3, {T/900000+28}, 0, '', 'redeemed', 0, 0, 9)",
    ),
    (
        "code_event.commission",
        "step 1 of code 3/1/1 earns",
        "UPDATE code_event SET commission_minor = 0 WHERE provider_ref = 'rd_p'",
    ),
    ("rollup_credit", "partner 1, campaign 3", "UPDATE rollup_credit SET n = 3 WHERE outcome = 'streamed'"),
    ("counted_cap", "allowed 7 in window 0", "UPDATE partner_version SET document = replace(document, '50', '7');
        UPDATE cap SET cap = 7 WHERE cap_id = 30; UPDATE quota SET cap = 8 WHERE cap_id = 30"),
    ("quota", "cap 2 of campaign 1", "UPDATE quota SET used = used + 1 WHERE cap_id = 2 AND window_start = {D+0}"),
    ("quota", "has no counter for window 0, the ledger has 1500", "DELETE FROM quota WHERE cap_id = 3"),
    ("quota", "belongs to cap 99", "INSERT INTO quota VALUES (99, 0, 0, 0)"),
    (
        "quota",
        "belongs to cap 2, which has none",
        r#"UPDATE campaign_version SET document = replace(document, '"day": 5', '"day": null') WHERE campaign_id = 1 AND version = 2;
           UPDATE cap SET removed_at = {T+12} WHERE cap_id = 2; DELETE FROM quota WHERE cap_id = 2 AND window_start = {D+1}"#,
    ),
    // A cap that came while its window was running counts what was issued before.
    ("quota", "says 1 in window 0, the ledger has 3", "UPDATE quota SET used = 1 WHERE cap_id = 4"),
    ("quota_over_cap", "stands at 2 of 1", "UPDATE quota SET cap = 1 WHERE cap_id = 2 AND window_start = {D+0}"),
    (
        "counted_cap",
        "allowed 1 in window 20777 by version 1, 2 were issued",
        r#"UPDATE campaign_version SET document = replace(document, '"day": 5', '"day": 1') WHERE campaign_id = 1 AND version = 1"#,
    ),
    ("issuance_names", "version 7, which does not exist", "UPDATE issuance SET campaign_version = 7 WHERE campaign_id = 2"),
    ("issuance_names", "offer 1, which does not exist", "DELETE FROM offer WHERE campaign_id = 2"),
    (
        "issuance_names",
        "pool 1, which does not exist",
        "DELETE FROM pool WHERE campaign_id = 2; DELETE FROM stock WHERE campaign_id = 2",
    ),
    (
        "issuance_dates",
        "before version 1",
        r#"UPDATE campaign_version SET document = replace(document, '"start": "2026-11-20"', '"start": "2026-11-20T10:01"')
           WHERE campaign_id = 1 AND version = 1"#,
    ),
    (
        "issuance_dates",
        "code 1/1/2",
        r"UPDATE campaign_version SET document = replace(document, '10:00:01', '10:00:00') WHERE campaign_id = 1 AND version = 2",
    ),
    (
        "issued_while_not_live",
        "under version 1, in which its campaign was paused",
        "UPDATE campaign_version SET status = 'paused' WHERE campaign_id = 1 AND version = 1",
    ),
    (
        "issued_while_not_live",
        "code 2/1/0",
        "UPDATE campaign SET status = 'draft' WHERE campaign_id = 2; UPDATE campaign_version SET status = 'draft' WHERE campaign_id = 2",
    ),
    (
        "stock_of_ended",
        "range 2 to 999 of pool 1 of campaign 2",
        "UPDATE campaign SET status = 'ended', version = 2 WHERE campaign_id = 2;
         UPDATE hold SET ended_at = {T+12}; UPDATE pool SET in_stock = 998 WHERE campaign_id = 2;
         INSERT INTO campaign_version SELECT 2, 2, 'ended', document, {T+12} FROM campaign_version WHERE campaign_id = 2",
    ),
    (
        "hold_of_ended",
        "campaign 2 is ended and has 1 open",
        "UPDATE campaign SET status = 'ended', version = 2 WHERE campaign_id = 2; DELETE FROM stock WHERE campaign_id = 2;
         UPDATE pool SET in_stock = 0 WHERE campaign_id = 2;
         INSERT INTO campaign_version SELECT 2, 2, 'ended', document, {T+12} FROM campaign_version WHERE campaign_id = 2",
    ),
    (
        "hold_kept",
        "code 1/1/1 (campaign/pool/position) does not fit",
        "INSERT INTO hold (hold_id, campaign_id, pool_no, subject, epoch, seq, offer_no, campaign_version, weight_minor, channel, sender_id, keyword, placement_id, held_at, is_muted, late_at, ended_at, position) VALUES ({0B}, 1, 1, {BB}, 0, 1, 1, 1, 500, 'sms', 1, 'PIZZA', 0, {T+0}, 0, NULL, {T+0}, 1)",
    ),
    ("hold_kept", "code 1/1/1 (campaign/pool/position) was counted as promised", "UPDATE issuance SET charged_at = issued_at WHERE position = 1"),
    (
        "quarantined",
        "code 1/1/7 (campaign/pool/position) was put aside as dead and is in stock",
        "INSERT INTO quarantine VALUES (1, 1, 7, 'dead', 'used', {T+0})",
    ),
    (
        "quarantined",
        "code 1/1/1 (campaign/pool/position) was put aside as undecided and was issued",
        "INSERT INTO quarantine VALUES (1, 1, 1, 'undecided', 'unknown', {T+0})",
    ),
    (
        "in_stock",
        "its ranges hold 998 and 1 of them are promised",
        "UPDATE pool SET in_stock = 998 WHERE campaign_id = 2",
    ),
    (
        "stock_and_issued",
        "code 1/1/2",
        "UPDATE stock SET first = 2 WHERE last = 5; UPDATE pool SET in_stock = 8 WHERE campaign_id = 1",
    ),
    (
        "stock_overlaps",
        "range 5 to 9 of pool 1 of campaign 1",
        "UPDATE stock SET first = 5 WHERE last = 9; UPDATE pool SET in_stock = 8 WHERE campaign_id = 1",
    ),
    ("stock_without_pool", "campaign 9", "INSERT INTO stock VALUES (9, 1, 5, 0, NULL)"),
    (
        "position_beyond_pool",
        "code 1/1/10",
        "UPDATE stock SET last = 10 WHERE last = 9; UPDATE pool SET in_stock = 8 WHERE campaign_id = 1;
         INSERT INTO code VALUES (1, 1, 10, 'PZA10', 'PZA-10')",
    ),
    (
        "position_beyond_pool",
        "code 2/1/1000",
        "UPDATE issuance SET position = 1000 WHERE campaign_id = 2; UPDATE request SET position = 1000 WHERE campaign_id = 2;
         UPDATE code_event SET position = 1000 WHERE campaign_id = 2",
    ),
    ("position_without_code", "code 1/1/1", "DELETE FROM code WHERE position = 1"),
    ("position_without_code", "range 3 to 5", "DELETE FROM code WHERE position = 4"),
    ("code_twice", "stored 2 times", "UPDATE code SET code_norm = 'PZA0' WHERE position = 1"),
    ("in_stock", "says 6 in stock, its ranges hold 7", "UPDATE pool SET in_stock = 6 WHERE campaign_id = 1"),
    (
        "redeemed_twice",
        "code 1/1/0",
        "DELETE FROM code_event WHERE kind = 'rolled_back'; UPDATE code_event SET step = 2 WHERE step = 3",
    ),
    (
        "rollback_without_redemption",
        "code 1/1/1",
        "INSERT INTO code_event (campaign_id, pool_no, position, step, kind, provider, provider_ref, reverses, occurred_at, store, order_ref, amount_minor, currency, reason) VALUES (1, 1, 1, 1, 'rolled_back', 'till', 'rd_x', NULL, {T+5}, NULL, NULL, NULL, NULL, NULL)",
    ),
    (
        "refunds",
        "step 4 of code 1/1/0",
        "INSERT INTO code_event (campaign_id, pool_no, position, step, kind, provider, provider_ref, reverses, occurred_at, store, order_ref, amount_minor, currency, reason) VALUES (1, 1, 0, 4, 'refunded', 'shop', 'rf_x', 3, {T+5}, NULL, NULL, 99999999, NULL, 'x')",
    ),
    ("event_steps", "event 3 of code 1/1/0", "UPDATE code_event SET step = 4 WHERE step = 3"),
    (
        "event_after_void",
        "code 2/1/0",
        "INSERT INTO code_event (campaign_id, pool_no, position, step, kind, provider, provider_ref, reverses, occurred_at, store, order_ref, amount_minor, currency, reason) VALUES (2, 1, 0, 2, 'redeemed', 'house', 'x', NULL, {T+5}, NULL, NULL, NULL, NULL, NULL)",
    ),
    (
        "void_of_redeemed",
        "code 1/1/0",
        "INSERT INTO code_event (campaign_id, pool_no, position, step, kind, provider, provider_ref, reverses, occurred_at, store, order_ref, amount_minor, currency, reason) VALUES (1, 1, 0, 4, 'voided', 'till', 'x', NULL, {T+5}, NULL, NULL, NULL, NULL, NULL)",
    ),
    (
        "event_never_issued",
        "code 1/1/8",
        "INSERT INTO code_event (campaign_id, pool_no, position, step, kind, provider, provider_ref, reverses, occurred_at, store, order_ref, amount_minor, currency, reason) VALUES (1, 1, 8, 1, 'voided', 'till', 'x', NULL, {T+5}, NULL, NULL, NULL, NULL, NULL)",
    ),
    ("redemption_request", "rd_2", "UPDATE request SET reference = 'rd_9' WHERE reference = 'rd_2'"),
    (
        "issued_without_request",
        "code 2/1/0",
        "DELETE FROM request WHERE request_key = 'e1'; DELETE FROM rollup_channel WHERE campaign_id = 2 AND outcome = 'issued'",
    ),
    (
        "request_without_issuance",
        "code 1/1/9",
        "INSERT INTO request (door, request_key, fingerprint, received_at, subject, kind, outcome, rule, cap_id, cap, used, resets_at, campaign_id, pool_no, position, reference, channel, sender_id, word, placement_id, replied, amount_minor) VALUES ('engine', 'e2', {AA}, {T+0}, {AA}, 'issue', 'issued', '', NULL, NULL, NULL, NULL,
            1, 1, 9, NULL, 'api', NULL, NULL, 0, 0, NULL);
         INSERT INTO rollup_channel VALUES (1, {T/900000+0}, 'api', 0, 'issued', 1, 0)",
    ),
    (
        "issued_twice",
        "code 2/1/0",
        "INSERT INTO request (door, request_key, fingerprint, received_at, subject, kind, outcome, rule, cap_id, cap, used, resets_at, campaign_id, pool_no, position, reference, channel, sender_id, word, placement_id, replied, amount_minor) VALUES ('engine', 'e2', {AA}, {T+0}, {AA}, 'issue', 'issued', '', NULL, NULL, NULL, NULL,
            2, 1, 0, NULL, 'api', NULL, NULL, 0, 0, NULL);
         INSERT INTO rollup_channel VALUES (2, {T/900000+0}, 'api', 0, 'issued', 1, 0)",
    ),
    ("answer_without_message", "dec_sms-1.m1", "DELETE FROM outbox_message WHERE request_key = 'm1'"),
    ("message_without_answer", "dec_sms-1.m1", "UPDATE request SET replied = 0 WHERE request_key = 'm1'"),
    (
        "message_after_stop",
        "04040404",
        "UPDATE outbox_message SET status = 'queued', is_open = 1 WHERE request_key = 'm4'",
    ),
    ("rollup_channel", "refused:cap_reached", "UPDATE rollup_channel SET n = 2 WHERE outcome = 'refused:cap_reached'"),
    ("rollup_channel", "2000 more in money", "UPDATE rollup_channel SET amount_minor = 0 WHERE amount_minor = 2000"),
    ("rollup_outstanding", "500 more in money", "UPDATE rollup_outstanding SET value_minor = 0 WHERE expiry_day = {D+31}"),
    (
        "question_not_put",
        "sender 1 waits for an answer of aaaa",
        "INSERT INTO session VALUES ({AA}, 1, 'question', '{}', {T+24})",
    ),
    ("words_not_texted", "counts 2 unknown words", "UPDATE unknown_word SET n = 2"),
    ("holder_to_come", "code 1/1/", "UPDATE recipient SET epoch = -1"),
];

/// Both versions of campaign 1 limit a person to one in this window.
macro_rules! one_in {
    ($kind:literal, $ms:literal, $document:literal) => {
        concat!(
            "UPDATE campaign_version SET document = replace(replace(document, '{\"lifetime\": 1}', '",
            $document,
            "'), '{\"lifetime\": 2}', '",
            $document,
            "') WHERE campaign_id = 1;
            UPDATE cap SET cap = 1, window_kind = '",
            $kind,
            "', window_ms = ",
            $ms,
            " WHERE cap_id = 1"
        )
    };
}

/// What is limited, how, and whether A has too many: her codes are of Friday 15:00 and 16:00 (the other campaign) and of
/// Saturday 15:00 UTC.
pub(super) const WINDOWS: &[(&str, &str, bool)] = &[
    ("one a day, on two days", one_in!("day", 0, r#"{"day": 1}"#), false),
    ("one a week, twice in a week", one_in!("week", 0, r#"{"week": 1}"#), true),
    ("one a month, twice in a month", one_in!("month", 0, r#"{"month": 1}"#), true),
    (
        "one in 24 hours, 24 hours apart",
        one_in!("rolling", 86400000, r#"{"rolling": {"count": 1, "within": "P1D"}}"#),
        false,
    ),
    (
        "one in 24 hours and a second, 24 hours apart",
        one_in!("rolling", 86401000, r#"{"rolling": {"count": 1, "within": "P1DT1S"}}"#),
        true,
    ),
    (
        "one a day across campaigns, twice on Friday",
        "UPDATE cap SET cap = 1, window_kind = 'day' WHERE cap_id = 5",
        true,
    ),
    ("two a day across campaigns", "UPDATE cap SET cap = 2, window_kind = 'day' WHERE cap_id = 5", false),
    (
        "12.00 for ever across campaigns",
        "UPDATE cap SET cap = 1200, unit = 'money', window_kind = 'lifetime' WHERE cap_id = 5",
        false,
    ),
    (
        "11.99 for ever across campaigns",
        "UPDATE cap SET cap = 1199, unit = 'money', window_kind = 'lifetime' WHERE cap_id = 5",
        true,
    ),
];

/// Changes by people, and what they leave in the tables: no breach.
pub(super) const CHANGES: &[(&str, &str)] = &[
    (
        "a campaign was ended",
        "UPDATE campaign SET status = 'ended', version = 3 WHERE campaign_id = 1; DELETE FROM stock WHERE campaign_id = 1;
         INSERT INTO campaign_version SELECT 1, 3, 'ended', document, {T+30} FROM campaign_version
             WHERE campaign_id = 1 AND version = 2;
         UPDATE pool SET in_stock = 0 WHERE campaign_id = 1",
    ),
    (
        "a cap was removed",
        r#"UPDATE campaign_version SET document = replace(document, '"day": 5', '"day": null') WHERE campaign_id = 1 AND version = 2;
           UPDATE cap SET removed_at = {T+12} WHERE cap_id = 2; DELETE FROM quota WHERE cap_id = 2"#,
    ),
    (
        "a cap was added the day after",
        r#"UPDATE campaign_version SET document = replace(document, '"day": 5', '"day": null') WHERE campaign_id = 1 AND version = 1;
           UPDATE campaign_version SET created_at = {T+20} WHERE campaign_id = 1 AND version = 2;
           DELETE FROM quota WHERE cap_id = 2 AND window_start = {D+0}"#,
    ),
    (
        "a cap was lowered below what a running window had used",
        r#"UPDATE campaign_version SET document = replace(document, '"day": 5', '"day": 1') WHERE campaign_id = 1 AND version = 2;
           UPDATE cap SET cap = 1 WHERE cap_id = 2; UPDATE quota SET cap = used WHERE cap_id = 2"#,
    ),
    (
        "the zone was changed, so that two on Friday became two on Saturday",
        r#"UPDATE campaign_version SET document = replace(replace(document, '"end"', '"ended"'), 'America/New_York', 'Asia/Tokyo')
               WHERE campaign_id = 1 AND version = 2;
           UPDATE cap SET zone = 'Asia/Tokyo' WHERE campaign_id = 1; DELETE FROM quota WHERE cap_id = 2;
           INSERT INTO quota VALUES (2, {D+1}, 2, 5), (2, {D+2}, 1, 5)"#,
    ),
    (
        "a cap across campaigns was added when all was issued",
        "INSERT INTO cap VALUES (8, 0, 'channel', 'sms', 'count', 'day', 0, 'UTC', 1, NULL)",
    ),
    (
        "a person's cap across campaigns was lowered below what she has",
        r#"INSERT INTO campaign_version VALUES
               (0, 1, 'live', '{"cap": [{"scope": "person", "week": 3}, {"scope": "all", "per_minute": 100}]}', {T-24}),
               (0, 2, 'live', '{"cap": [{"scope": "person", "week": 2}, {"scope": "all", "per_minute": 100}]}', {T+25});
           UPDATE cap SET cap = 2 WHERE cap_id = 5"#,
    ),
    (
        "the first caps across campaigns came when all was issued",
        r#"INSERT INTO campaign_version VALUES
               (0, 1, 'live', '{"cap": [{"scope": "person", "week": 1}, {"scope": "all", "per_minute": 1}]}', {T+25});
           UPDATE cap SET cap = 1 WHERE cap_id IN (5, 6)"#,
    ),
    (
        "a draft waits for its codes",
        r#"INSERT INTO campaign VALUES (4, 'NEW', 'draft', 1);
           INSERT INTO campaign_version VALUES (4, 1, 'draft', '{"offer": {}, "caps": {"campaign": {"total": 5}}}', {T+0});
           INSERT INTO pool VALUES (4, 1, 1, 'generated', 0, 'NEW-?', 0, 0, '');
           INSERT INTO code VALUES (4, 1, 0, 'NEW0', 'NEW-0')"#,
    ),
    (
        "a message in flight at the STOP was put back",
        "UPDATE outbox_message SET status = 'queued', is_open = 1, attempts = 1 WHERE request_key = 'm4'",
    ),
];
