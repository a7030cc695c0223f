//! Webhooks: whether they are believed, and what they tell.

use super::super::signature::{Marks, signed};
use super::super::{Authentic, Forged, PeerEvent, Unreadable, Webhook};
use super::mapping::{HookMap, Mapping, Scheme};
use super::read;
use chrono::{DateTime, Utc};
use serde_json::Value;

/// More marks than this in one header are no signature of a peer that is changing its secret.
const MAX_MARKS: usize = 4;

/// Believes a webhook, or not.
///
/// # Errors
/// [`Forged`].
pub(super) fn authenticate<'a>(
    map: &HookMap,
    marks: &Marks,
    hook: &'a Webhook<'a>,
    now: DateTime<Utc>,
) -> Result<Authentic<'a>, Forged> {
    let header = hook.header(&map.header).ok_or(Forged::Unsigned)?;
    let (stamp, given) = match map.scheme {
        Scheme::Stamped => stamped(header).ok_or(Forged::Unsigned)?,
        Scheme::Plain => {
            let mark = header.strip_prefix(&map.prefix).ok_or(Forged::Unsigned)?;
            let stamp = match map.timestamp_header.as_str() {
                "" => None,
                name => Some(hook.header(name).ok_or(Forged::Unsigned)?.to_owned()),
            };
            (stamp, vec![mark.to_owned()])
        }
    };
    let timestamp = stamp.as_deref().unwrap_or_default().as_bytes();
    let values: [(&str, &[u8]); 2] = [("timestamp", timestamp), ("body", hook.body)];
    let bytes = signed(&map.signed, &values);
    if !given.iter().any(|mark| marks.hold(&bytes, mark)) {
        return Err(Forged::Mismatch);
    }
    in_time(map, stamp.as_deref(), hook, now)?;
    Ok(Authentic::vouched(hook))
}

/// After the mark held, so that a forger learns nothing of our clock.
fn in_time(map: &HookMap, stamp: Option<&str>, hook: &Webhook<'_>, now: DateTime<Utc>) -> Result<(), Forged> {
    let at = match (stamp, map.timestamp_pointer.as_str()) {
        (None, "") => return Ok(()),
        (Some(stamp), _) => {
            let seconds = stamp.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
            seconds.or_else(|| DateTime::parse_from_rfc3339(stamp).ok().map(|time| time.to_utc()))
        }
        (None, pointer) => {
            let body: Value = serde_json::from_slice(hook.body).map_err(|_| Forged::Unsigned)?;
            read::time(&body, pointer)
        }
    };
    let off = at.ok_or(Forged::Unsigned)?.signed_duration_since(now).num_seconds().unsigned_abs();
    if off > map.tolerance_s { Err(Forged::OutOfTime) } else { Ok(()) }
}

/// The time and every `v1`; other schemes are skipped, so that a peer can add one.
fn stamped(header: &str) -> Option<(Option<String>, Vec<String>)> {
    let (mut at, mut marks) = (None, Vec::new());
    for part in header.split(',') {
        match part.trim().split_once('=')? {
            ("t", _) if at.is_some() => return None,
            ("t", digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                at = Some(digits.to_owned());
            }
            ("t", _) => return None,
            ("v1", _) if marks.len() == MAX_MARKS => return None,
            ("v1", mark) => marks.push(mark.to_owned()),
            (_, _) => {}
        }
    }
    (at.is_some() && !marks.is_empty()).then_some((at, marks))
}

/// What an authentic webhook tells.
pub(super) fn parse(mapping: &Mapping, hook: Authentic<'_>) -> Vec<Result<PeerEvent, Unreadable>> {
    let body: Value = match serde_json::from_slice(hook.body()) {
        Ok(body) => body,
        Err(error) => {
            let place = format!("no JSON at line {} column {}", error.line(), error.column());
            return vec![Err(Unreadable(place))];
        }
    };
    let items = read::items(body, &mapping.event.items);
    if items.is_empty() {
        return vec![Err(Unreadable("no event where the mapping says".to_owned()))];
    }
    items.iter().filter_map(|item| read::event(mapping, item).transpose()).collect()
}
