#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::super::signature::{Algorithm, Encoding};
use super::super::{EventKind, GuardLimits, Machine, Reason};
use super::*;
use crate::domain::secret::Secret;
use crate::net::{Answer, Url};
use insta::assert_snapshot;

const HOOK_SECRET: &str = "hook-secret";

fn settings(mapping: &str) -> PeerSettings {
    PeerSettings {
        name: "shop".to_owned(),
        kind: "http".to_owned(),
        base_url: Url::parse("https://peer.example/api/").unwrap(),
        user: Some("us".to_owned()),
        secret: Some(Secret::new("k3y".to_owned())),
        webhook_secrets: vec![Secret::new(HOOK_SECRET.to_owned())],
        quota_per_minute: None,
        limits: GuardLimits::default(),
        mapping: Some(mapping.to_owned()),
    }
}

fn peer(mapping: &str) -> Result<HttpPeer, BadMapping> {
    HttpPeer::new(&settings(mapping), Wire::new().unwrap(), Arc::new(Machine::new()))
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000, 0).unwrap()
}

fn answer(status: u16, body: &str) -> Answer {
    let headers = std::iter::empty::<(reqwest::header::HeaderName, reqwest::header::HeaderValue)>().collect();
    Answer { status, headers, body: body.as_bytes().to_vec() }
}

/// What a validate's answer means, in a word.
fn means(peer: &HttpPeer, status: u16, body: &str) -> String {
    match read::said(&peer.mapping, &peer.mapping.validate, &answer(status, body), Effect::None) {
        Ok(Said::Yes(_)) => "valid".to_owned(),
        Ok(Said::No { meaning, body, .. }) => format!("{:?}", read::status(&peer.mapping, meaning, &body)),
        Err(error) => error.to_string(),
    }
}

async fn request(peer: &HttpPeer, map: &CallMap) -> String {
    let values = Values {
        code: Some("A\"&1"),
        reference: Some("till-1.k/1"),
        store: Some("Zürich 1"),
        amount: Some(550),
        currency: Some("USD"),
        redemption_id: Some("r 1"),
        reason: Some("refund"),
        ..Values::default()
    };
    let context = CallContext::unrecorded(now(), Duration::from_secs(1));
    let call = peer.asker.request(map, &values, &peer.wire, &context).await.unwrap();
    let mut headers: Vec<_> = call.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    headers.sort();
    format!("{} {}\n{}\n\n{}", call.method, call.url, headers.join("\n"), String::from_utf8(call.body).unwrap())
}

#[tokio::test]
async fn without_a_mapping_a_peer_is_asked_by_the_contract() {
    let peer = peer("").unwrap();
    assert_snapshot!(request(&peer, &peer.mapping.redeem).await, @r#"
    POST https://peer.example/api/redeem
    accept: application/json
    authorization: Bearer k3y
    content-type: application/json

    {"code": "A\"&1", "store": "Zürich 1", "order": null, "basket": {"amount": 550, "currency": "USD"}, "ref": "till-1.k/1"}
    "#);
    assert_snapshot!(request(&peer, &peer.mapping.rollback).await, @r#"
    POST https://peer.example/api/redemptions/r%201/void
    accept: application/json
    authorization: Bearer k3y
    content-type: application/json

    {"reason": "refund", "rearm": true, "ref": "till-1.k/1"}
    "#);
}

#[tokio::test]
async fn a_mapping_changes_method_address_headers_body_and_proof() {
    let peer = peer(
        r#"
        idempotency_header = ""
        [auth]
        kind = "hmac"
        header = "X-Mac"
        prefix = "v0="
        algorithm = "sha1"
        encoding = "base64"
        signed = "{method}|{path}|{timestamp}|{body}"
        [validate]
        method = "GET"
        url = "{{ base_url }}/coupons?code={{ code }}"
        headers = { "X-Store" = "{{ order or 'web' }}" }
        body = ""
        [redeem]
        type = "form"
        body = "code={{ code }}&shop={{ store }}&order={{ order }}"
        "#,
    )
    .unwrap();
    assert_snapshot!(request(&peer, &peer.mapping.validate).await, @r"
    GET https://peer.example/api/coupons?code=A%22%261
    X-Mac: v0=fx82gfdB97iVQyMhSq23Kz95ieU=
    X-Store: web
    X-Timestamp: 1795000000
    accept: application/json
    ");
    assert!(request(&peer, &peer.mapping.redeem).await.ends_with("\n\ncode=A%22%261&shop=Z%C3%BCrich%201&order="));
    assert_eq!(peer.capabilities().idempotency, Idempotency::ByReference);
}

#[tokio::test]
async fn each_kind_of_proof_travels_in_its_header() {
    for (auth, header) in [
        ("kind = 'none'", None),
        ("kind = 'basic'", Some("authorization: Basic dXM6azN5")),
        ("kind = 'bearer'", Some("authorization: Bearer k3y")),
        ("kind = 'header'\nheader = 'X-Key'\nprefix = 'ApiKey-v1 '", Some("X-Key: ApiKey-v1 k3y")),
    ] {
        let peer = peer(&format!("[auth]\n{auth}")).unwrap();
        let request = request(&peer, &peer.mapping.validate).await;
        assert!(header.is_none_or(|header| request.contains(header)), "{auth}: {request}");
        assert_eq!(header.is_none(), !request.contains("k3y") && !request.contains("dXM6"), "{auth}: {request}");
    }
}

#[test]
fn answers_of_the_contract_mean_what_they_say() {
    let peer = peer("").unwrap();
    for (status, body, meaning) in [
        (200, r#"{"valid":true}"#, "valid"),
        (200, r#"{"valid":false,"reason":"unknown_code"}"#, "Unknown"),
        (200, r#"{"valid":false,"reason":"expired","expires_at":1795000000}"#, "Expired(Some(2026-11-18T11:06:40Z))"),
        (200, r#"{"valid":false,"reason":"not_yet_active"}"#, "NotYetActive(None)"),
        (200, r#"{"valid":false,"reason":"disabled"}"#, "Disabled"),
        (200, r#"{"valid":false,"reason":"locked"}"#, "Locked"),
        (200, r#"{"valid":false,"reason":"issued_elsewhere"}"#, "IssuedElsewhere"),
        (200, r#"{"valid":false,"reason":"wrong_store"}"#, "Conditional(WrongStore)"),
        (404, r#"{"code":"x","reason":"unknown_code"}"#, "Unknown"),
        (200, r#"{"valid":false,"reason":"provider_error"}"#, "the peer cannot be had now: provider_error"),
        (
            200,
            r#"{"valid":false,"reason":"moon"}"#,
            "the peer's answer cannot be read: a reason that the mapping does not know",
        ),
        (200, r#"{"valid":false}"#, "the peer's answer cannot be read: a no without its reason"),
        (
            200,
            r#"{"valid":"true","reason":"Ann"}"#,
            "the peer's answer cannot be read: a reason that the mapping does not know",
        ),
        (200, "<html>", "the peer's answer cannot be read: no JSON at line 1 column 1"),
        (302, "", "the peer's answer cannot be read: status 302"),
        (401, "", "the peer does not accept our key: status 401"),
        (429, "", "the peer's quota is used up for 1000 ms"),
        (503, "", "the peer cannot be had now: status 503"),
    ] {
        assert_eq!(means(&peer, status, body), meaning, "{status} {body}");
    }
}

#[test]
fn a_used_code_comes_with_its_redemption() {
    let peer = peer("").unwrap();
    let body =
        r#"{"valid":false,"reason":"already_redeemed","redeemed_at":"2026-11-18T12:06:40+01:00","redemption_id":7}"#;
    assert_eq!(means(&peer, 200, body), r#"Redeemed { at: Some(2026-11-18T11:06:40Z), redemption_id: Some("7") }"#);
}

#[test]
fn foreign_words_and_statuses_are_read_through_their_maps() {
    let peer = peer(
        r#"
        [validate]
        success = { pointer = "/coupon/state", is = "OPEN" }
        reason = "/coupon/state"
        [reason_map]
        USED = "already_redeemed"
        GIVEN = "issued_elsewhere"
        [status_map]
        404 = "unknown_code"
        403 = "disabled"
        [fields]
        redeemed_at = "/coupon/at"
        "#,
    )
    .unwrap();
    for (status, body, meaning) in [
        (200, r#"{"coupon":{"state":"OPEN"}}"#, "valid"),
        (
            200,
            r#"{"coupon":{"state":"USED","at":1795000000000}}"#,
            "Redeemed { at: Some(2026-11-18T11:06:40Z), redemption_id: None }",
        ),
        (200, r#"{"coupon":{"state":"GIVEN"}}"#, "IssuedElsewhere"),
        (404, "not here", "Unknown"),
        (403, "", "Disabled"),
    ] {
        assert_eq!(means(&peer, status, body), meaning, "{status} {body}");
    }
}

#[test]
fn a_bad_mapping_is_refused_with_its_place() {
    let refused = |mapping: &str| peer(mapping).map(|_| ()).unwrap_err().to_string();
    assert_snapshot!(refused("[validate]\nurl = '{{ base_url }}/{{ cod }}'"), @"the mapping: validate: the peer's answer cannot be read: a template of the mapping: undefined value");
    assert_snapshot!(refused("[validate]\nbody = '{\"code\": \"{{ code }}\"}'"), @"the mapping: validate: the body is no JSON when it is filled");
    assert_snapshot!(refused("[reason_map]\nUSED = 'gone'"), @r#"the mapping: "gone" is none of our words"#);
    assert_snapshot!(refused("[status_map]\nnever = 'expired'"), @r#"the mapping: status_map: "never" is no status"#);
    assert!(refused("[validat]\nurl = ''").contains("unknown field `validat`"));
    assert!(refused("valid = ").starts_with("the mapping: "));
    let mut keyless = settings("[auth]\nkind = 'basic'");
    keyless.secret = None;
    let refused = HttpPeer::new(&keyless, Wire::new().unwrap(), Arc::new(Machine::new())).map(|_| ()).unwrap_err();
    assert_eq!(refused.to_string(), "the mapping: auth: the peer's row has no secret");
}

fn signature(body: &str, at: i64, secret: &str) -> String {
    let marks = Marks::new(&[Secret::new(secret.to_owned())], Algorithm::Sha256, Encoding::Hex);
    format!("t={at},v1={}", marks.sign(format!("{at}.{body}").as_bytes()).unwrap())
}

fn believed(peer: &HttpPeer, headers: &[(&str, String)], body: &str) -> Result<(), Forged> {
    let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let hook = Webhook { headers: &headers, body: body.as_bytes() };
    peer.authenticate(&hook, now()).map(|_| ())
}

#[test]
fn a_webhook_is_believed_with_its_mark_in_its_time_and_else_not() {
    let peer = peer("").unwrap();
    let (body, at) = (r#"{"id":"ev_1"}"#, now().timestamp());
    let signed = |at, secret| vec![("x-signature", signature(body, at, secret))];
    assert_eq!(believed(&peer, &signed(at, HOOK_SECRET), body), Ok(()));
    assert_eq!(believed(&peer, &signed(at + 300, HOOK_SECRET), body), Ok(()));
    assert_eq!(believed(&peer, &signed(at - 301, HOOK_SECRET), body), Err(Forged::OutOfTime));
    assert_eq!(believed(&peer, &signed(at, "other"), body), Err(Forged::Mismatch));
    assert_eq!(believed(&peer, &signed(at, HOOK_SECRET), r#"{"id":"ev_2"}"#), Err(Forged::Mismatch));
    assert_eq!(believed(&peer, &[], body), Err(Forged::Unsigned));
    for header in ["", "t=1", "v1=00", "t=x,v1=00", "t=1,t=1,v1=00"] {
        assert_eq!(believed(&peer, &[("x-signature", header.to_owned())], body), Err(Forged::Unsigned), "{header}");
    }
    let mut secretless = settings("");
    secretless.webhook_secrets.clear();
    let deaf = HttpPeer::new(&secretless, Wire::new().unwrap(), Arc::new(Machine::new())).unwrap();
    assert_eq!(believed(&deaf, &signed(at, ""), body), Err(Forged::Unsigned), "no secret means no webhooks");
}

#[test]
fn a_plain_mark_with_its_time_elsewhere_is_believed_too() {
    let hook = "[webhook]\nheader = 'X-Shop-Hmac'\nscheme = 'plain'\nprefix = 'sha1='\nalgorithm = 'sha1'\nencoding = 'base64'\n";
    let body = r#"{"at":1795000000}"#;
    let marks = Marks::new(&[Secret::new(HOOK_SECRET.to_owned())], Algorithm::Sha1, Encoding::Base64);
    let mark = |bytes: &str| format!("sha1={}", marks.sign(bytes.as_bytes()).unwrap());
    let bare = peer(&format!("{hook}signed = '{{body}}'")).unwrap();
    assert_eq!(believed(&bare, &[("x-shop-hmac", mark(body))], body), Ok(()));
    let inside = peer(&format!("{hook}signed = '{{body}}'\ntimestamp_pointer = '/at'")).unwrap();
    assert_eq!(believed(&inside, &[("x-shop-hmac", mark(body))], body), Ok(()));
    let old = r#"{"at":1794000000}"#;
    assert_eq!(believed(&inside, &[("x-shop-hmac", mark(old))], old), Err(Forged::OutOfTime));
    let beside = peer(&format!("{hook}timestamp_header = 'X-At'")).unwrap();
    let headers = [("x-shop-hmac", mark(&format!("1795000000.{body}"))), ("x-at", "1795000000".to_owned())];
    assert_eq!(believed(&beside, &headers, body), Ok(()));
    assert_eq!(believed(&beside, headers.get(..1).unwrap(), body), Err(Forged::Unsigned));
}

#[test]
fn a_webhook_tells_each_event_and_one_bad_part_loses_no_other() {
    let peer = peer("[event_kinds]\nopened = 'ignored'").unwrap();
    let body = r#"[
        {"id":"ev_1","type":"redeemed","code":"PZA-1","redemption_id":"rd_1","at":"2026-11-18T11:06:40Z","store":"S1","order":7,"amount":550,"currency":"USD"},
        {"id":"ev_2","type":"redeemed","code":"PZA-2"},
        {"id":"ev_3","type":"opened"},
        {"id":"ev_4","type":"vanished","code":"PZA-1","at":1795000000},
        {"id":"ev_5","type":"state_changed","code":"PZA-3","status":"expired","at":1795000000},
        {"type":"rolled_back","code":"PZA-3","at":1795000000}]"#;
    let hook = Webhook { headers: &[], body: body.as_bytes() };
    let told = peer.parse(Authentic::vouched(&hook));
    let words: Vec<_> = told
        .iter()
        .map(|event| match event {
            Ok(event) => format!("{} {} {}", event.event_id, event.kind.word(), event.code.expose()),
            Err(error) => error.to_string(),
        })
        .collect();
    assert_eq!(
        words,
        [
            "ev_1 redeemed PZA-1",
            "an event without its time",
            "an event without a kind that the mapping knows",
            "ev_5 state_changed PZA-3",
            "an event without its name",
        ]
    );
    let first = told.first().unwrap().as_ref().unwrap();
    assert_eq!((first.order.as_deref(), first.amount.unwrap().minor, first.at), (Some("7"), 550, now()));
    let last = told.get(3).unwrap().as_ref().unwrap();
    assert_eq!(last.kind, EventKind::StateChanged(Reason::Expired.status(None)));
}
