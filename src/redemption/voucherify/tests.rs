#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

use super::super::{EventKind, Status};
use super::*;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000, 0).unwrap()
}

fn answer(status: u16, body: &str) -> Answer {
    let headers = std::iter::empty::<(reqwest::header::HeaderName, reqwest::header::HeaderValue)>().collect();
    Answer { status, headers, body: body.as_bytes().to_vec() }
}

#[test]
fn a_vouchers_state_is_read_with_used_before_everything_else() {
    let start = "\"start_date\":\"2026-12-01T00:00:00Z\"";
    let end = "\"expiration_date\":\"2026-01-01T00:00:00Z\"";
    let used = r#""redemption":{"quantity":1,"redeemed_quantity":1}"#;
    for (fields, word) in [
        (r#""active":true"#.to_owned(), "valid"),
        (r#""active":true,"redemption":{"quantity":null,"redeemed_quantity":9}"#.to_owned(), "valid"),
        (r#""active":false"#.to_owned(), "disabled"),
        (format!(r#""active":true,{start}"#), "not_yet_active"),
        (format!(r#""active":true,{end}"#), "expired"),
        (format!(r#""active":false,{end},{used}"#), "already_redeemed"),
        (r#""active":true,"publish":{"count":1}"#.to_owned(), "issued_elsewhere"),
        (r#""active":true,"validation_rules_assignments":{"total":1}"#.to_owned(), "conditions_not_met"),
    ] {
        let voucher: Value = serde_json::from_str(&format!("{{{fields}}}")).unwrap();
        assert_eq!(read::voucher(&voucher, now()).unwrap().word(), word, "{fields}");
    }
    assert!(read::voucher(&json!({}), now()).is_err());
}

#[test]
fn every_error_key_is_sorted() {
    for (status, key, word) in [
        (404, "not_found", "unknown_code"),
        (404, "resource_not_found", "unknown_code"),
        (400, "voucher_expired", "expired"),
        (400, "voucher_not_active", "not_yet_active"),
        (400, "voucher_not_active_now", "not_yet_active"),
        (400, "voucher_disabled", "disabled"),
        (400, "quantity_exceeded", "already_redeemed"),
        (400, "customer_rules_violated", "wrong_recipient"),
        (400, "missing_customer", "wrong_recipient"),
        (400, "order_rules_violated", "conditions_not_met"),
        (400, "redemption_rules_violated", "conditions_not_met"),
        (400, "missing_order", "conditions_not_met"),
        (423, "multiple_requests", "locked"),
        (400, "something_new", "protocol"),
    ] {
        let body = json!({ "code": status, "key": key, "message": "no voucher for Ann" }).to_string();
        let error = read::refusal(&answer(status, &body));
        assert_eq!(error.word(), word, "{key}");
        assert!(!error.to_string().contains("Ann"));
    }
    assert_eq!(read::refusal(&answer(423, "")).word(), "locked");
    assert_eq!(read::refusal(&answer(418, "")).word(), "protocol");
}

#[test]
fn a_validation_tells_each_code_and_leaves_out_what_it_skipped() {
    let body = json!({ "valid": false, "redeemables": [
        { "status": "APPLICABLE", "id": "A" },
        { "status": "INAPPLICABLE", "id": "B", "result": { "error": { "key": "quantity_exceeded" } } },
        { "status": "SKIPPED", "id": "C" },
        { "status": "INAPPLICABLE", "id": "D", "result": { "error": { "key": "moon" } } },
    ] });
    let told: Vec<_> = read::validation(&body)
        .into_iter()
        .map(|(id, said)| (id, said.map_or_else(|error| error.word(), |(status, _)| status.word())))
        .collect();
    let words = [("A", "valid"), ("B", "already_redeemed"), ("D", "protocol")];
    assert_eq!(told, words.map(|(id, word)| (id.to_owned(), word)));
}

#[test]
fn our_redemption_is_found_by_its_reference_unless_it_was_rolled_back() {
    let entry = |id: &str, reference: &str, result: &str| json!({ "object": "redemption", "id": id, "result": result, "metadata": { REFERENCE: reference } });
    let entries = json!([entry("r_1", "k1", "FAILURE"), entry("r_2", "k1", "SUCCESS"), entry("r_3", "k2", "SUCCESS"),
        { "object": "redemption_rollback", "id": "rr_1", "result": "SUCCESS", "redemption": "r_3" }]);
    let body = json!({ "redemption_entries": entries });
    assert_eq!(read::entry(&body, "k1").unwrap().redemption_id, "r_2");
    assert_eq!((read::entry(&body, "k2"), read::entry(&body, "k3")), (None, None));
}

#[test]
fn an_export_is_read_by_its_columns_and_only_from_their_hosts() {
    let text = "Code,Active,Expiration Date,Redemption Quantity,Redemption Count\n\
                SUM-1,true,,1,0\nSUM-2,false,,1,0\nSUM-3,true,2026-01-01T00:00:00Z,1,0\nSUM-4,true,,1,1\n\u{1},true,,1,0\n";
    let page = read::csv(text.as_bytes(), now()).unwrap();
    let told: Vec<_> =
        page.codes.iter().map(|code| (code.code.expose(), code.status.as_ref().map_or("", Status::word))).collect();
    assert_eq!(told, [("SUM-1", ""), ("SUM-2", "disabled"), ("SUM-3", "expired"), ("SUM-4", "already_redeemed")]);
    assert_eq!((page.unreadable, page.next), (1, None));
    assert!(read::csv(b"Name\nx\n", now()).is_err());
    let base = Url::parse("http://127.0.0.1:9000").unwrap();
    for (url, fits) in [
        ("https://download.voucherify.io/exp_1?token=x", true),
        ("http://127.0.0.1:9000/exp_1", true),
        ("http://download.voucherify.io/exp_1", false),
        ("http://127.0.0.1:9001/exp_1", false),
        ("http://169.254.169.254/latest", false),
        ("https://voucherify.io.example/exp_1", false),
    ] {
        assert_eq!(read::download(url, &base).is_ok(), fits, "{url}");
    }
}

#[test]
fn a_webhook_is_believed_over_its_bytes_or_over_its_json_without_space() {
    let marks = Marks::new(&[Secret::new("s3cret".to_owned())], Algorithm::Sha256, Encoding::Hex);
    let body = "{ \"type\": \"a b\\\" c\",\n \"n\": [1, 2] }";
    let bare = "{\"type\":\"a b\\\" c\",\"n\":[1,2]}";
    assert_eq!(hook::without_space(body.as_bytes()), bare.as_bytes());
    let told = |mark: String, body: &str| {
        let headers = [("x-voucherify-signature".to_owned(), mark)];
        let hook = Webhook { headers: &headers, body: body.as_bytes() };
        hook::authenticate(&marks, &hook).map(|_| ())
    };
    for signed in [body, bare] {
        assert_eq!(told(marks.sign(signed.as_bytes()).unwrap(), body), Ok(()));
    }
    assert_eq!(told(marks.sign(b"{}").unwrap(), body), Err(Forged::Mismatch));
    assert_eq!(told(String::new(), body), Err(Forged::Mismatch));
    let hook = Webhook { headers: &[], body: b"{}" };
    assert!(matches!(hook::authenticate(&marks, &hook), Err(Forged::Unsigned)));
}

#[test]
fn a_redemption_is_told_once_for_its_code_and_not_for_its_stack() {
    let told = |body: Value| {
        let bytes = body.to_string().into_bytes();
        let hook = Webhook { headers: &[], body: &bytes };
        hook::parse(Authentic::vouched(&hook))
    };
    let redeemed = told(json!({
        "id": "whs_1", "type": "redemption.succeeded", "created_at": "2026-11-18T11:06:41Z",
        "data": {
            "redemption": { "id": "r_1", "date": "2026-11-18T11:06:40Z", "metadata": { "store": "S1", "currency": "USD" } },
            "voucher": { "code": "SUM-1" }, "order": { "amount": 550, "source_id": "o7" }
        }
    }));
    let [Ok(event)] = &redeemed[..] else { unreachable!("{redeemed:?}") };
    assert_eq!((&event.kind, event.redemption_id.as_deref(), event.at), (&EventKind::Redeemed, Some("r_1"), now()));
    assert_eq!((event.store.as_deref(), event.order.as_deref()), (Some("S1"), Some("o7")));
    assert_eq!(event.amount.unwrap().minor, 550);
    assert!(
        told(json!({ "id": "whs_2", "type": "redemption.succeeded", "data": { "redemption": { "id": "r_1" } } }))
            .is_empty()
    );
    assert!(told(json!({ "id": "whs_3", "type": "customer.created", "data": {} })).is_empty());
    assert!(
        told(json!({ "id": "whs_4", "type": "voucher.disabled", "data": { "voucher": { "code": "A" } } }))[0].is_err()
    );
    let disabled = json!({ "id": "w", "type": "voucher.disabled", "created_at": "2026-11-18T11:06:40Z", "data": { "voucher": { "code": "A" } } });
    let told = told(disabled);
    assert_eq!(told[0].as_ref().unwrap().kind, EventKind::StateChanged(Some(Status::Disabled)));
}
