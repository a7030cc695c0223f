//! Runs `tests/fixtures/carriers/<kind>/*.json` through the adapter of that kind.
//!
//! A file is a list of cases. A webhook: `{name, covers, hook, method, query, headers, body | body_hex, sign, expect}`;
//! a call: `{name, covers, call, out, answers, requests, expect}`. docs/adding-a-carrier.md explains them.

use super::cases::{AT, CallCase, Case, OutIn, PUBLIC_URL, RequestOut, kinds};
use super::signers::Wire;
use super::stand_in::{Asked, Told, serve};
use chrono::{DateTime, TimeDelta, Utc};
use codewell::domain::phone::{PhoneNumber, SenderAddress};
use codewell::sms::{
    CarrierSaid, Event, Forged, Hooks, Inbound, Lookup, Method, Outgoing, Report, ReportStatus, SendError, SmsProvider,
    Webhook,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::net::TcpListener;

/// What every carrier must have a case of.
const WEBHOOKS: [&str; 9] = [
    "plain",
    "unicode",
    "long",
    "forged",
    "replayed",
    "missing_field",
    "delivery_report",
    "carrier_stop",
    "several_events",
];
const CALLS: [&str; 6] = ["send", "send_refused", "send_throttled", "send_config", "send_ambiguous", "send_transient"];

fn at() -> DateTime<Utc> {
    DateTime::from_timestamp(AT, 0).unwrap()
}

/// What an adapter makes of a webhook, as fixtures write it.
fn told(carrier: &dyn SmsProvider, wire: &Wire, now: DateTime<Utc>) -> Value {
    let url = wire.full_url();
    let headers: Vec<_> = wire.headers.clone().into_iter().collect();
    let method = if wire.method == "GET" { Method::Get } else { Method::Post };
    let hook = Webhook { method, url: &url, headers: &headers, body: &wire.body, remote: None };
    let proof = match carrier.authenticate(&hook, now) {
        Ok(proof) => proof,
        Err(Forged::Unsigned) => return json!({ "forged": "unsigned" }),
        Err(Forged::OutOfTime) => return json!({ "forged": "out_of_time" }),
        Err(Forged::Stranger) => return json!({ "forged": "stranger" }),
        Err(Forged::Mismatch) => return json!({ "forged": "mismatch" }),
    };
    match carrier.parse(proof) {
        Ok(events) => json!({ "events": events.iter().map(event).collect::<Vec<_>>() }),
        Err(unreadable) => json!({ "unreadable": unreadable.to_string() }),
    }
}

fn event(event: &Event) -> Value {
    let value = match event {
        Event::Inbound(inbound) => json!({ "inbound": text(inbound) }),
        Event::Report(Report { provider_id, reference, status, class, note }) => {
            let status = match status {
                ReportStatus::Sent => "sent",
                ReportStatus::Delivered => "delivered",
                ReportStatus::Failed => "failed",
            };
            let class = class.map(codewell::sms::Refused::word);
            json!({ "report": { "id": provider_id, "reference": reference, "status": status, "class": class, "note": note } })
        }
        Event::Ignored(_) => json!("ignored"),
        Event::Later(_) => json!("later"),
        Event::Unreadable(unreadable) => json!({ "unreadable": unreadable.to_string() }),
    };
    without_nulls(value)
}

fn text(inbound: &Inbound) -> Value {
    let Inbound { message_id, from, to, text, opt_out, media, segments, sent_at } = inbound;
    let said = opt_out.map(|said| match said {
        CarrierSaid::Stop => "stop",
        CarrierSaid::Start => "start",
        CarrierSaid::Help => "help",
    });
    let media: Vec<_> = media.iter().map(|one| json!([one.url, one.content_type])).collect();
    let media = (!media.is_empty()).then_some(media);
    let sent_at = sent_at.map(|at| at.to_rfc3339());
    without_nulls(json!({ "id": message_id, "from": from, "to": to, "text": text, "opt_out": said, "media": media,
        "segments": segments, "sent_at": sent_at }))
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(name, value)| (name, without_nulls(value))).collect())
        }
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => other,
    }
}

#[test]
fn every_recorded_webhook_reads_as_it_was_written() {
    let mut seen = 0;
    for kind in kinds() {
        let carrier = kind.open("http://127.0.0.1:9");
        for (path, case) in &kind.cases {
            let Case::Webhook(case) = case else { continue };
            seen += 1;
            let wire = kind.wire(case);
            let told = told(&*carrier, &wire, at());
            assert_eq!(told, case.expect, "{}: {}", path.display(), case.name);
        }
    }
    assert!(seen >= 2 * WEBHOOKS.len());
}

#[test]
fn a_recorded_webhook_that_comes_again_later_is_the_same_or_refused_and_never_another() {
    for kind in kinds() {
        let carrier = kind.open("http://127.0.0.1:9");
        for (path, case) in &kind.cases {
            let Case::Webhook(case) = case else { continue };
            let wire = kind.wire(case);
            let first = told(&*carrier, &wire, at());
            let again = told(&*carrier, &wire, at() + TimeDelta::days(1));
            let refused = again.get("forged").is_some();
            assert!(refused || again == first, "{}: {}: {again}", path.display(), case.name);
        }
    }
}

#[test]
fn a_recorded_webhook_whose_body_changed_on_the_way_is_forged() {
    for kind in kinds() {
        let carrier = kind.open("http://127.0.0.1:9");
        for (path, case) in &kind.cases {
            let Case::Webhook(case) = case else { continue };
            let mut wire = kind.wire(case);
            let before = told(&*carrier, &wire, at());
            if wire.body.is_empty() || before.get("forged").is_some() || kind.account.never.contains_key("altered") {
                continue;
            }
            wire.body.extend_from_slice(b"&x=1");
            let told = told(&*carrier, &wire, at());
            assert_eq!(told, json!({ "forged": "mismatch" }), "{}: {}", path.display(), case.name);
        }
    }
}

#[test]
fn every_kind_of_carrier_has_every_kind_of_case() {
    let known: BTreeSet<_> = WEBHOOKS.into_iter().chain(CALLS).chain(["lookup", "pull", "check", "altered"]).collect();
    for kind in kinds() {
        let has: BTreeSet<_> = kind
            .cases
            .iter()
            .map(|(_, case)| match case {
                Case::Call(case) => case.covers.as_str(),
                Case::Webhook(case) => case.covers.as_str(),
            })
            .collect();
        let strange: Vec<_> = has.difference(&known).collect();
        assert!(strange.is_empty(), "{}: {strange:?} is no kind of case", kind.word);
        let never: BTreeSet<_> = kind.account.never.keys().map(String::as_str).collect();
        for wanted in WEBHOOKS.into_iter().chain(CALLS) {
            assert!(has.contains(wanted) != never.contains(wanted), "{}: {wanted}", kind.word);
        }
    }
}

fn outgoing(out: &OutIn) -> Outgoing {
    Outgoing {
        message_id: [0xab; 16],
        attempt: 0,
        from: SenderAddress::parse(&out.from).unwrap(),
        to: PhoneNumber::from_e164(&out.to).unwrap(),
        body: out.text.clone(),
        segments: out.segments,
        reference: "dec_sms-55501.SM1".to_owned(),
        status_url: Hooks::of(PUBLIC_URL, &out.from).status,
        at: at(),
    }
}

fn failed(error: &SendError) -> Value {
    match error {
        SendError::Transient { .. } => json!({ "error": "transient" }),
        SendError::Throttled { retry_after } => json!({ "error": "throttled", "retry_after_s": retry_after.as_secs() }),
        SendError::Ambiguous { .. } => json!({ "error": "ambiguous" }),
        SendError::Permanent { class, code, .. } => json!({ "error": class.word(), "code": code }),
        SendError::Config { code, .. } => json!({ "error": "config", "code": code }),
    }
}

async fn answered(carrier: &dyn SmsProvider, case: &CallCase) -> Value {
    let out = outgoing(&case.out);
    let hooks = Hooks::of(PUBLIC_URL, out.from.as_str());
    let told = match case.call.as_str() {
        "send" => carrier.send(&out).await.map(|taken| json!({ "id": taken.provider_id, "segments": taken.segments })),
        "lookup" => carrier.lookup(&out).await.map(|found| match found {
            Lookup::Taken(taken) => json!({ "id": taken.provider_id, "segments": taken.segments }),
            Lookup::NotTaken => json!("not_taken"),
            Lookup::CannotSay => json!("cannot_say"),
        }),
        "pull" => carrier
            .pull(&out.from, at() - TimeDelta::hours(24))
            .await
            .map(|texts| texts.map_or(json!("cannot_say"), |texts| json!(texts.iter().map(text).collect::<Vec<_>>()))),
        "check" => Ok(carrier
            .check(&out.from, &hooks)
            .await
            .iter()
            .map(|one| json!([format!("{:?}", one.grade), one.what]))
            .collect()),
        other => panic!("{}: there is no call {other}", case.name),
    };
    told.map_or_else(|error| failed(&error), without_nulls)
}

fn compare(asked: &Asked, wanted: &RequestOut, place: &str) {
    assert_eq!((asked.method.as_str(), asked.path.as_str()), (wanted.method.as_str(), wanted.path.as_str()), "{place}");
    for (name, value) in &wanted.headers {
        assert_eq!(asked.headers.get(name), Some(value), "{place}: {name}");
    }
    if let Some(form) = &wanted.form {
        let sent: BTreeMap<_, _> = form_urlencoded::parse(&asked.body).into_owned().collect();
        assert_eq!(&sent, form, "{place}");
    }
    if let Some(json) = &wanted.json {
        assert_eq!(&serde_json::from_slice::<Value>(&asked.body).unwrap(), json, "{place}");
    }
}

#[tokio::test]
async fn every_recorded_call_asks_and_understands_as_written() {
    for kind in kinds() {
        for (path, case) in &kind.cases {
            let Case::Call(case) = case else { continue };
            let place = format!("{}: {}", path.display(), case.name);
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let carrier = kind.open(&format!("http://{}", listener.local_addr().unwrap()));
            let refuses = case.answers.iter().any(|told| matches!(told, Told::Word(word) if word == "refused"));
            if refuses {
                drop(listener);
                assert_eq!(answered(&*carrier, case).await, case.expect, "{place}");
                continue;
            }
            let serving = tokio::spawn(serve(listener, case.answers.clone()));
            assert_eq!(answered(&*carrier, case).await, case.expect, "{place}");
            let asked = tokio::time::timeout(Duration::from_secs(10), serving).await;
            let asked = asked.unwrap_or_else(|_| panic!("{place}: fewer requests than answers")).unwrap();
            for (asked, wanted) in asked.iter().zip(&case.requests) {
                compare(asked, wanted, &place);
            }
            assert!(case.requests.len() <= asked.len(), "{place}: fewer requests than written");
        }
    }
}
