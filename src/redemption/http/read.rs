//! From an answer to its meaning.

use super::super::wire::{failure, json, unavailable};
use super::super::{Effect, EventKind, ImportedCode, PeerError, PeerEvent, Reason, Status, Unreadable, reason_key};
use super::mapping::{CallMap, EventFields, Kind, Mapping};
use crate::domain::code::Code;
use crate::domain::money::{Currency, Money};
use crate::net::Answer;
use chrono::{DateTime, Utc};
use serde_json::Value;

/// Numbers from here on are milliseconds, below seconds: 2001 in the one, the year 5138 in the other.
const FIRST_MS: i64 = 100_000_000_000;

/// A word of ours in a mapping or an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Valid,
    IssuedElsewhere,
    Because(Reason),
}

/// What a word of ours means.
pub(super) fn meaning_of(word: &str) -> Option<Meaning> {
    match word {
        "valid" => Some(Meaning::Valid),
        "issued_elsewhere" => Some(Meaning::IssuedElsewhere),
        word => Reason::parse(word).map(Meaning::Because),
    }
}

/// What a peer said.
#[derive(Debug)]
pub(super) enum Said {
    Yes(Value),
    No { meaning: Meaning, key: Option<String>, body: Value },
}

/// Sorts an answer.
///
/// # Errors
/// [`PeerError`] when it is none to the question.
pub(super) fn said(mapping: &Mapping, map: &CallMap, answer: &Answer, effect: Effect) -> Result<Said, PeerError> {
    if let Some(word) = mapping.status_map.get(&answer.status.to_string()) {
        return no(word, None, json(answer).unwrap_or(Value::Null), effect);
    }
    if let Some(error) = failure(answer, effect) {
        return Err(error);
    }
    if answer.is_success() && map.success.pointer.is_empty() {
        return Ok(Said::Yes(json(answer).unwrap_or(Value::Null)));
    }
    let strange = || PeerError::Protocol(format!("status {}", answer.status));
    let body = if answer.is_success() { json(answer)? } else { json(answer).map_err(|_| strange())? };
    if answer.is_success() && holds(map, &body) {
        return Ok(Said::Yes(body));
    }
    let Some(theirs) = text(&body, &map.reason) else {
        return Err(if answer.is_success() {
            PeerError::Protocol("a no without its reason".to_owned())
        } else {
            strange()
        });
    };
    let ours = mapping.reason_map.get(&theirs).cloned().unwrap_or_else(|| theirs.clone());
    no(&ours, reason_key(&theirs), body, effect)
}

fn no(word: &str, key: Option<String>, body: Value, effect: Effect) -> Result<Said, PeerError> {
    match meaning_of(word) {
        Some(Meaning::Because(Reason::ProviderError)) => Err(unavailable(None, effect, "provider_error")),
        Some(meaning) => Ok(Said::No { meaning, key, body }),
        None => Err(PeerError::Protocol("a reason that the mapping does not know".to_owned())),
    }
}

fn holds(map: &CallMap, body: &Value) -> bool {
    match (body.pointer(&map.success.pointer), &map.success.is) {
        (Some(value), Some(is)) => value == is,
        (Some(value), None) => !matches!(value, Value::Null | Value::Bool(false)),
        (None, _) => false,
    }
}

/// What stands at a pointer; an empty pointer points at nothing.
fn at<'v>(body: &'v Value, pointer: &str) -> Option<&'v Value> {
    if pointer.is_empty() { None } else { body.pointer(pointer) }
}

/// A text or number as text.
pub(super) fn text(body: &Value, pointer: &str) -> Option<String> {
    match at(body, pointer)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A time as RFC 3339, seconds or milliseconds.
pub(super) fn time(body: &Value, pointer: &str) -> Option<DateTime<Utc>> {
    match at(body, pointer)? {
        Value::String(text) => DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc()),
        Value::Number(number) => match number.as_i64()? {
            ms @ FIRST_MS.. => DateTime::from_timestamp_millis(ms),
            seconds => DateTime::from_timestamp(seconds, 0),
        },
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Minor units with their currency.
pub(super) fn money(body: &Value, amount: &str, currency: &str) -> Option<Money> {
    let minor = at(body, amount)?.as_i64()?;
    let currency = Currency::parse(&text(body, currency)?).ok()?;
    Some(Money::new(minor, currency))
}

/// The list at a pointer; "" is the body itself, and one thing is a list of one.
pub(super) fn items(body: Value, pointer: &str) -> Vec<Value> {
    let list = if pointer.is_empty() { Some(body) } else { body.pointer(pointer).cloned() };
    match list {
        Some(Value::Array(items)) => items,
        Some(one @ Value::Object(_)) => vec![one],
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) | None => Vec::new(),
    }
}

/// How a code stands by a meaning and the times beside it.
pub(super) fn status(mapping: &Mapping, meaning: Meaning, body: &Value) -> Status {
    let fields = &mapping.fields;
    match meaning {
        Meaning::Valid => Status::Valid,
        Meaning::IssuedElsewhere => Status::IssuedElsewhere,
        Meaning::Because(reason) => match reason.status(time_of(mapping, reason, body)) {
            Some(Status::Redeemed { at, .. }) => {
                Status::Redeemed { at, redemption_id: text(body, &fields.redemption_id) }
            }
            Some(status) => status,
            // Sorted out where the reason was read.
            None => Status::Locked,
        },
    }
}

/// The time that belongs to a reason.
pub(super) fn time_of(mapping: &Mapping, reason: Reason, body: &Value) -> Option<DateTime<Utc>> {
    let fields = &mapping.fields;
    match reason {
        Reason::NotYetActive => time(body, &fields.starts_at),
        Reason::Expired => time(body, &fields.expires_at),
        Reason::AlreadyRedeemed | Reason::LimitReached => time(body, &fields.redeemed_at),
        Reason::UnknownCode
        | Reason::Disabled
        | Reason::WrongRecipient
        | Reason::WrongStore
        | Reason::ConditionsNotMet
        | Reason::Locked
        | Reason::CampaignInactive
        | Reason::ProviderError => None,
    }
}

/// One event; `None` for a kind that is ignored.
pub(super) fn event(mapping: &Mapping, item: &Value) -> Result<Option<PeerEvent>, Unreadable> {
    let EventFields { id, kind, code, redemption_id, at, store, order, amount, currency, status: status_at, .. } =
        &mapping.event;
    let lacks = |what: &str| Unreadable(format!("an event without {what}"));
    let word = text(item, kind).ok_or_else(|| lacks("its kind"))?;
    let kind = mapping.event_kinds.get(&word).ok_or_else(|| lacks("a kind that the mapping knows"))?;
    let state = || {
        let word = text(item, status_at)?;
        meaning_of(mapping.reason_map.get(&word).unwrap_or(&word))
    };
    let kind = match kind {
        Kind::Ignored => return Ok(None),
        Kind::Redeemed => EventKind::Redeemed,
        Kind::RolledBack => EventKind::RolledBack,
        Kind::StateChanged => EventKind::StateChanged(state().map(|meaning| status(mapping, meaning, item))),
    };
    let code = text(item, code).and_then(|code| Code::parse(&code).ok()).ok_or_else(|| lacks("a code"))?;
    Ok(Some(PeerEvent {
        event_id: text(item, id).ok_or_else(|| lacks("its name"))?,
        kind,
        code,
        redemption_id: text(item, redemption_id),
        at: time(item, at).ok_or_else(|| lacks("its time"))?,
        store: text(item, store),
        order: text(item, order),
        amount: money(item, amount, currency),
    }))
}

/// One code of a page.
pub(super) fn imported(mapping: &Mapping, item: &Value) -> Option<ImportedCode> {
    let fields = &mapping.fields;
    let code = Code::parse(&text(item, &fields.code)?).ok()?;
    let word = text(item, &fields.code_status);
    let meaning = word.and_then(|word| meaning_of(mapping.reason_map.get(&word).unwrap_or(&word)));
    let status = meaning.map(|meaning| status(mapping, meaning, item));
    Some(ImportedCode { code, status, expires_at: time(item, &fields.expires_at) })
}
