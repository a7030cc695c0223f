//! Redemption peers: every adapter through one suite, against servers that keep books and servers that misbehave.

mod conformance;
mod rough;
mod voucherify;

use chrono::{DateTime, Utc};
use codewell::app::demo::peer::{DemoPeer, DemoPeerParts, Mood};
use codewell::domain::secret::Secret;
use codewell::engine::Clock;
use codewell::net::{Call, Client, Limits, Method, Url};
use codewell::redemption::{
    BreakerState, CallContext, EventKind, GuardLimits, Guarded, KINDS, Machine, Noted, Peer, PeerSettings, Redeem,
    Surroundings, Webhook, adapter,
};
use conformance::{State, code, context, now};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

const SECRET: &str = "a-secret-of-tests";

/// The time stands still.
#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> DateTime<Utc> {
        now()
    }
}

fn settings(kind: &str, base_url: &str) -> PeerSettings {
    PeerSettings {
        name: "shop".to_owned(),
        kind: kind.to_owned(),
        base_url: Url::parse(base_url).unwrap(),
        user: Some("app".to_owned()),
        secret: Some(Secret::new(SECRET.to_owned())),
        webhook_secrets: vec![Secret::new(SECRET.to_owned())],
        quota_per_minute: None,
        limits: GuardLimits::default(),
        mapping: None,
    }
}

fn open(settings: &PeerSettings) -> Arc<dyn Peer> {
    let surroundings: Arc<dyn Surroundings> = Arc::new(Machine::new());
    adapter(settings, &surroundings).unwrap()
}

fn client() -> Client {
    let seconds = Duration::from_secs;
    Client::new(Limits { connect: seconds(5), total: seconds(5), answer_bytes: 4096 }).unwrap()
}

async fn post(url: &str, body: &str) -> u16 {
    let url = Url::parse(url).unwrap();
    let call = Call { method: Method::POST, url, headers: Vec::new(), body: body.as_bytes().to_vec(), within: None };
    client().call(call).await.unwrap().status
}

/// A peer of the contract with these codes; its events go to `events`.
async fn demo_peer(store: &Path, events: &str, codes: &[&str]) -> DemoPeer {
    let parts = DemoPeerParts {
        listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
        store: store.to_owned(),
        secret: Secret::new(SECRET.to_owned()),
        events_url: Url::parse(events).unwrap(),
        codes: codes.iter().map(|text| code(text)).collect(),
        clock: Arc::new(Still),
    };
    DemoPeer::start(parts).unwrap()
}

const NOWHERE: &str = "http://127.0.0.1:9/events";
/// Codes that the suite brings into states.
const CODES: [&str; 8] = ["STATE-0", "STATE-1", "STATE-2", "STATE-3", "STATE-4", "STATE-5", "BATCH-0", "LIFE-1"];

#[tokio::test]
async fn the_http_adapter_conforms() {
    let dir = tempfile::tempdir().unwrap();
    let demo = demo_peer(&dir.path().join("peer.json"), NOWHERE, &CODES).await;
    let put = async |text: &str, state: State| {
        let body = format!(r#"{{"status":"{}"}}"#, state.word());
        assert_eq!(post(&format!("{}/codes/{text}", demo.url()), &body).await, 200, "{text}");
    };
    let peer = open(&settings("http", &demo.url()));
    let all = [State::Valid, State::Used, State::Expired, State::NotYet, State::Disabled, State::Conditional];
    conformance::states(&*peer, &all, put).await;
    conformance::batches(&*peer, put).await;
    conformance::life(&*peer, put).await;
    assert!(peer.health(&context()).await.is_ok());
    conformance::wire(|url| open(&settings("http", &url))).await;
}

#[tokio::test]
async fn the_voucherify_adapter_conforms_looking_and_trusting() {
    for mapping in ["publish_state = 'look'", "publish_state = 'trust'"] {
        let fake = voucherify::Fake::start().await;
        let put = async |text: &str, state: State| fake.put(text, state);
        let with = |url: &str| PeerSettings { mapping: Some(mapping.to_owned()), ..settings("voucherify", url) };
        let peer = open(&with(&format!("http://{}", fake.address)));
        let mut all =
            vec![State::Valid, State::Used, State::Expired, State::NotYet, State::Disabled, State::Conditional];
        if mapping.contains("look") {
            all.push(State::IssuedElsewhere);
        }
        conformance::states(&*peer, &all, put).await;
        conformance::batches(&*peer, put).await;
        conformance::life(&*peer, put).await;
        assert_eq!(peer.health(&context()).await.unwrap().calls_left, Some(77));
        conformance::wire(|url| open(&with(&url))).await;
    }
}

#[test]
fn every_kind_of_peer_has_its_run_of_the_suite() {
    assert_eq!(KINDS, ["http", "voucherify"], "a new kind goes through the suite, then into this list");
}

#[tokio::test]
async fn voucherifys_codes_come_through_its_export() {
    let fake = voucherify::Fake::start().await;
    fake.put("SUM-1", State::Valid);
    fake.put("SUM-2", State::Disabled);
    let peer = open(&settings("voucherify", &format!("http://{}", fake.address)));
    let mut cursor = None;
    let mut codes = Vec::new();
    for _ in 0..4 {
        let page = peer.import(cursor.as_deref(), &context()).await.unwrap();
        codes.extend(page.codes.into_iter().map(|code| (code.code.expose().to_owned(), code.status.is_none())));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(codes, [("SUM-1".to_owned(), true), ("SUM-2".to_owned(), false)]);
    assert_eq!(cursor, None);
}

#[tokio::test]
async fn the_demo_peer_tells_signed_events_and_keeps_them_in_its_feed_and_its_books() {
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("peer.json");
    let (told, mut hooks) = mpsc::unbounded_channel();
    let door = axum::routing::post(async move |headers: axum::http::HeaderMap, body: axum::body::Bytes| {
        let signature = headers.get("x-signature").unwrap().to_str().unwrap().to_owned();
        told.send((signature, body)).unwrap();
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let events = format!("http://{}/events", listener.local_addr().unwrap());
    let ours = tokio::spawn(async move { axum::serve(listener, axum::Router::new().route("/events", door)).await });

    let demo = demo_peer(&store, &events, &["BRG-1", "BRG-2"]).await;
    let peer = open(&settings("http", &demo.url()));
    let ask = Redeem {
        code: code("brg 1"),
        reference: "t.1".to_owned(),
        store: Some("S1".to_owned()),
        order: None,
        amount: None,
    };
    let redemption = peer.redeem(&ask, &context()).await.unwrap();
    assert_eq!(peer.redeem(&ask, &context()).await, Ok(redemption.clone()), "the same key gets the same answer");

    let (signature, body) = hooks.recv().await.unwrap();
    let headers = [("x-signature".to_owned(), signature)];
    let hook = Webhook { headers: &headers, body: &body };
    let event = peer.parse(peer.authenticate(&hook, now()).unwrap()).pop().unwrap().unwrap();
    assert_eq!((&event.kind, event.code.expose(), event.store.as_deref()), (&EventKind::Redeemed, "BRG-1", Some("S1")));
    assert_eq!(event.redemption_id, Some(redemption.redemption_id));
    let page = peer.poll_events(None, &context()).await.unwrap();
    assert_eq!((page.events.len(), page.more), (1, false));
    assert_eq!(page.events[0].as_ref().unwrap(), &event, "the feed tells the same event by the same name");
    let next = peer.poll_events(page.next.as_deref(), &context()).await.unwrap();
    assert!(next.events.is_empty());

    drop(demo);
    let demo = demo_peer(&store, &events, &["BRG-1", "BRG-2"]).await;
    let peer = open(&settings("http", &demo.url()));
    let codes = peer.import(None, &context()).await.unwrap().codes;
    let words: Vec<_> = codes.iter().map(|code| code.status.as_ref().unwrap().word()).collect();
    assert_eq!(words, ["already_redeemed", "valid"], "the books outlive the peer");
    let keyless = open(&PeerSettings { secret: None, ..settings("http", &demo.url()) });
    assert_eq!(keyless.health(&context()).await.unwrap_err().word(), "auth");
    ours.abort();
}

#[tokio::test]
async fn the_demo_peers_mood_shows_in_what_its_guard_writes_down() {
    let dir = tempfile::tempdir().unwrap();
    let demo = demo_peer(&dir.path().join("peer.json"), NOWHERE, &["BRG-1"]).await;
    let guard = Guarded::new(open(&settings("http", &demo.url())));
    let ask = async |within: u64| {
        let noted = Noted::default();
        let context = CallContext::new(now(), Duration::from_secs(within), &noted);
        guard.validate(&[code("BRG-1")], &context).await;
        noted.take().pop().map(|call| call.answered)
    };
    let control = format!("{}/control", demo.url());
    assert_eq!(post(&control, r#"{"mode":"down"}"#).await, 200);
    assert_eq!(ask(10).await.unwrap(), "unavailable (status 503)");
    assert_eq!(post(&control, r#"{"mode":"garbage"}"#).await, 200);
    assert_eq!(ask(10).await.unwrap(), "protocol (no JSON at line 1 column 1)");
    assert_eq!(post(&control, r#"{"mode":"moody"}"#).await, 400);
    demo.set_mood(Mood::Slow);
    let late = ask(1).await.unwrap();
    assert!(["timeout", "no answer in time"].contains(&late.as_str()), "{late}");
    demo.set_mood(Mood::Ok);
    assert_eq!(ask(10).await.unwrap(), "valid");
    assert_eq!(guard.breaker(), BreakerState::Closed);
}
