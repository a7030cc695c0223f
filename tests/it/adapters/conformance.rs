//! What every adapter must do alike: states, a life of a redemption, failures on the wire.

use super::rough::{Mood, Rough};
use chrono::{DateTime, Utc};
use codewell::domain::code::Code;
use codewell::redemption::{CallContext, Effect, Peer, PeerError, Redeem, Rollback};
use std::sync::Arc;
use std::time::Duration;

/// How a code stands at the other side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Valid,
    Used,
    Expired,
    NotYet,
    Disabled,
    IssuedElsewhere,
    Conditional,
}

impl State {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Used => "already_redeemed",
            Self::Expired => "expired",
            Self::NotYet => "not_yet_active",
            Self::Disabled => "disabled",
            Self::IssuedElsewhere => "issued_elsewhere",
            Self::Conditional => "conditions_not_met",
        }
    }
}

pub(super) fn code(text: &str) -> Code {
    Code::parse(text).unwrap()
}

pub(super) fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000, 0).unwrap()
}

pub(super) fn context() -> CallContext<'static> {
    CallContext::unrecorded(now(), Duration::from_secs(5))
}

fn ask(text: &str, reference: &str) -> Redeem {
    Redeem { code: code(text), reference: reference.to_owned(), store: None, order: None, amount: None }
}

/// Every state is read as what it is. `put` brings codes into their states.
pub(super) async fn states(peer: &dyn Peer, states: &[State], put: impl AsyncFn(&str, State)) {
    for (number, state) in states.iter().enumerate() {
        let text = format!("STATE-{number}");
        put(&text, *state).await;
        let answers = peer.validate(&[code(&text)], &context()).await;
        let word = answers[0].as_ref().map(|reading| reading.status.word());
        assert_eq!(word, Ok(state.word()), "{} of {}", state.word(), peer.kind());
    }
    let unknown = peer.validate(&[code("NOBODY-1")], &context()).await;
    assert_eq!(unknown[0].as_ref().map(|reading| reading.status.word()), Ok("unknown_code"));
    let refused = peer.redeem(&ask("NOBODY-1", "till-1.k0"), &context()).await.unwrap_err();
    assert_eq!((refused.word(), refused.effect()), ("unknown_code", Effect::None));
}

/// Answers come in the order of their codes, a batch at a time.
pub(super) async fn batches(peer: &dyn Peer, put: impl AsyncFn(&str, State)) {
    let count = peer.capabilities().batch_max;
    let mut codes = Vec::new();
    for number in 0..count {
        let text = format!("BATCH-{number}");
        put(&text, if number % 2 == 0 { State::Valid } else { State::Disabled }).await;
        codes.push(code(&text));
    }
    let answers = peer.validate(&codes, &context()).await;
    assert_eq!(answers.len(), count);
    for (number, answer) in answers.iter().enumerate() {
        let word = if number % 2 == 0 { "valid" } else { "disabled" };
        assert_eq!(answer.as_ref().map(|reading| reading.status.word()), Ok(word), "{number}");
    }
}

/// A code is used once, found by our reference, taken back, and used again.
pub(super) async fn life(peer: &dyn Peer, put: impl AsyncFn(&str, State)) {
    put("LIFE-1", State::Valid).await;
    let context = context();
    let found = peer.find_redemption(&code("LIFE-1"), "till-1.k1", &context).await;
    assert_eq!(found, Ok(None));
    let first = peer.redeem(&ask("LIFE-1", "till-1.k1"), &context).await.unwrap();
    let found = peer.find_redemption(&code("LIFE-1"), "till-1.k1", &context).await.unwrap().unwrap();
    assert_eq!(found.redemption_id, first.redemption_id);
    let refused = peer.redeem(&ask("LIFE-1", "till-2.k9"), &context).await.unwrap_err();
    assert_eq!((refused.word(), refused.effect()), ("already_redeemed", Effect::None));
    let answers = peer.validate(&[code("LIFE-1")], &context).await;
    assert_eq!(answers[0].as_ref().unwrap().status.word(), "already_redeemed");
    let back = Rollback {
        code: code("LIFE-1"),
        redemption_id: first.redemption_id,
        reference: "till-1.k2".to_owned(),
        reason: "refund".to_owned(),
    };
    for _ in 0..2 {
        assert_eq!(peer.rollback(&back, &context).await, Ok(()), "taking back twice is taking back once");
    }
    assert_eq!(peer.find_redemption(&code("LIFE-1"), "till-1.k1", &context).await, Ok(None));
    assert!(peer.redeem(&ask("LIFE-1", "till-2.k9"), &context).await.is_ok());
}

/// Failures on the wire, and what a read and a redeem make of them: (word, whether it may have acted).
const WIRE: [(Mood, &str, &str, Effect); 10] = [
    (Mood::Says("HTTP/1.1 503 X\r\ncontent-length: 0\r\n\r\n"), "unavailable", "unavailable", Effect::None),
    (Mood::Says("HTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n"), "unavailable", "unavailable", Effect::Unknown),
    (Mood::Says("HTTP/1.1 502 X\r\ncontent-length: 4\r\n\r\n<ht>"), "unavailable", "unavailable", Effect::Unknown),
    (
        Mood::Says("HTTP/1.1 429 X\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n"),
        "rate_limited",
        "rate_limited",
        Effect::None,
    ),
    (Mood::Says("HTTP/1.1 401 X\r\ncontent-length: 2\r\n\r\n{}"), "auth", "auth", Effect::None),
    (
        Mood::Says("HTTP/1.1 200 X\r\ncontent-type: text/html\r\ncontent-length: 6\r\n\r\n<html>"),
        "protocol",
        "protocol",
        Effect::Unknown,
    ),
    (
        Mood::Says("HTTP/1.1 302 X\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n"),
        "protocol",
        "protocol",
        Effect::Unknown,
    ),
    (Mood::Endless, "protocol", "protocol", Effect::Unknown),
    (Mood::Drops, "timeout", "timeout", Effect::Unknown),
    (Mood::Hangs, "timeout", "timeout", Effect::Unknown),
];

/// Every failure is sorted alike. `at` makes the adapter for an address.
pub(super) async fn wire(at: impl Fn(String) -> Arc<dyn Peer>) {
    for (mood, read, redeemed, effect) in WIRE {
        let rough = Rough::start(mood).await;
        let peer = at(format!("http://{}", rough.address));
        let within = if matches!(mood, Mood::Hangs) { Duration::from_millis(200) } else { Duration::from_secs(5) };
        let context = CallContext::unrecorded(now(), within);
        let answers = peer.validate(&[code("WIRE-1")], &context).await;
        let error = answers[0].as_ref().unwrap_err();
        assert_eq!(error.word(), read, "{mood:?}: {error}");
        assert!(!error.to_string().contains("html"), "{mood:?}: {error}");
        let error = peer.redeem(&ask("WIRE-1", "till-1.k1"), &context).await.unwrap_err();
        assert_eq!((error.word(), error.effect()), (redeemed, effect), "{mood:?}: {error}");
        if let PeerError::RateLimited { retry_after } = error {
            assert_eq!(retry_after, Duration::from_secs(7));
        }
    }
    let closed = Rough::start(Mood::Drops).await.address;
    let peer = at(format!("http://{closed}"));
    let error = peer.redeem(&ask("WIRE-1", "till-1.k1"), &context()).await.unwrap_err();
    assert_eq!((error.word(), error.effect()), ("unavailable", Effect::None), "{error}");
}
