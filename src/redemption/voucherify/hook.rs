//! Voucherify's webhooks. They bear no time: what was told before is known by the event's name, and a redemption's by
//! its own (each comes twice, once for the code and once for its stack, which names no voucher).

use super::super::signature::Marks;
use super::super::{Authentic, EventKind, Forged, PeerEvent, Status, Unreadable, Webhook};
use crate::domain::code::Code;
use crate::domain::money::{Currency, Money};
use chrono::{DateTime, Utc};
use serde_json::Value;

const HEADER: &str = "x-voucherify-signature";

/// Believes the mark over the bytes as they came, or over their JSON without white space, as their samples make it.
pub(super) fn authenticate<'a>(marks: &Marks, hook: &'a Webhook<'a>) -> Result<Authentic<'a>, Forged> {
    let mark = hook.header(HEADER).ok_or(Forged::Unsigned)?;
    if marks.hold(hook.body, mark) || marks.hold(&without_space(hook.body), mark) {
        return Ok(Authentic::vouched(hook));
    }
    Err(Forged::Mismatch)
}

/// JSON without the white space between its parts; texts keep theirs.
pub(super) fn without_space(json: &[u8]) -> Vec<u8> {
    let (mut inside, mut escaped) = (false, false);
    let keeps = |byte: &u8| {
        let keeps = inside || !byte.is_ascii_whitespace();
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            _ => {}
        }
        keeps
    };
    json.iter().copied().filter(keeps).collect()
}

/// What it tells: one event or, for kinds that are not about a code's life, none.
pub(super) fn parse(hook: Authentic<'_>) -> Vec<Result<PeerEvent, Unreadable>> {
    match serde_json::from_slice(hook.body()) {
        Ok(body) => event(&body).transpose().into_iter().collect(),
        Err(error) => {
            let place = format!("no JSON at line {} column {}", error.line(), error.column());
            vec![Err(Unreadable(place))]
        }
    }
}

fn text(value: &Value, pointers: &[&str]) -> Option<String> {
    let found = pointers.iter().find_map(|pointer| value.pointer(pointer).and_then(Value::as_str));
    found.filter(|text| !text.is_empty()).map(str::to_owned)
}

fn event(body: &Value) -> Result<Option<PeerEvent>, Unreadable> {
    let lacks = |what: &str| Unreadable(format!("an event without {what}"));
    let kind = match text(body, &["/type"]).ok_or_else(|| lacks("its type"))?.as_str() {
        "redemption.succeeded" => EventKind::Redeemed,
        "redemption.rollback.succeeded" => EventKind::RolledBack,
        "voucher.disabled" => EventKind::StateChanged(Some(Status::Disabled)),
        "voucher.deleted" => EventKind::StateChanged(Some(Status::Unknown)),
        "voucher.enabled" | "voucher.updated" => EventKind::StateChanged(None),
        _ => return Ok(None),
    };
    let codes =
        ["/data/voucher/code", "/data/redemption/voucher/code", "/data/redemption_rollback/voucher/code", "/data/code"];
    let Some(code) = text(body, &codes) else {
        return Ok(None);
    };
    let code = Code::parse(&code).map_err(|_| lacks("a code"))?;
    let redemption_id = match kind {
        EventKind::Redeemed => text(body, &["/data/redemption/id", "/data/id"]),
        EventKind::RolledBack => {
            text(body, &["/data/redemption_rollback/redemption", "/data/redemption/id", "/data/redemption"])
        }
        EventKind::StateChanged(_) => None,
    };
    let times = ["/data/redemption_rollback/date", "/data/redemption/date", "/data/date", "/created_at"];
    let at = text(body, &times).and_then(|text| DateTime::parse_from_rfc3339(&text).ok());
    let at: DateTime<Utc> = at.ok_or_else(|| lacks("its time"))?.to_utc();
    let orders = ["/data/order", "/data/redemption/order"];
    let order = orders.iter().find_map(|pointer| body.pointer(pointer)).unwrap_or(&Value::Null);
    let metadata = |name: &str| {
        let (inner, outer) = (format!("/data/redemption/metadata/{name}"), format!("/data/metadata/{name}"));
        text(body, &[&inner, &outer])
    };
    let currency = metadata("currency").and_then(|currency| Currency::parse(&currency).ok());
    let amount = order.get("amount").and_then(Value::as_i64);
    Ok(Some(PeerEvent {
        event_id: text(body, &["/id"]).ok_or_else(|| lacks("its name"))?,
        kind,
        code,
        redemption_id,
        at,
        store: metadata("store"),
        order: text(order, &["/source_id", "/id"]),
        amount: amount.zip(currency).map(|(minor, currency)| Money::new(minor, currency)),
    }))
}
