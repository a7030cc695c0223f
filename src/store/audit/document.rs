//! What a version of a campaign promised, read from its document by key alone: whatever it does not say, or says in a
//! form unknown here, is not judged.

use super::windows::Span;
use crate::domain::money::Currency;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::Tz;
use serde_json::{Map, Value};

/// The identity of a cap within its campaign: the columns that its table keeps unique.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct CapKey {
    pub(super) scope: String,
    /// A placement stands here by its name, a creator by her handle.
    pub(super) scope_id: String,
    pub(super) unit: &'static str,
    pub(super) window: &'static str,
    pub(super) window_ms: i64,
}

/// A version of a campaign.
#[derive(Debug, Clone, Default)]
pub(super) struct Terms {
    /// The zone of its calendar.
    pub(super) zone: Option<Tz>,
    /// Milliseconds since 1970 UTC.
    pub(super) starts_at: Option<i64>,
    /// Milliseconds since 1970 UTC, exclusive.
    pub(super) ends_at: Option<i64>,
    /// The zones of caps across campaigns, which have one each.
    pub(super) zones: Vec<(CapKey, Tz)>,
    /// `None` when the document does not say.
    pub(super) limits: Option<Vec<(CapKey, i64)>>,
}

const WINDOWS: [(&str, &str); 6] = [
    ("total", "lifetime"),
    ("lifetime", "lifetime"),
    ("per_minute", "minute"),
    ("day", "day"),
    ("week", "week"),
    ("month", "month"),
];

impl Terms {
    /// Reads a document; `None` when it is no JSON object.
    pub(super) fn read(text: &str) -> Option<Self> {
        let whole: Value = serde_json::from_str(text).ok()?;
        let inner = ["document", "campaign"].iter().find_map(|key| whole.get(key)).filter(|inner| inner.is_object());
        let document = inner.unwrap_or(&whole).as_object()?;
        let zone: Tz =
            document.get("zone").and_then(Value::as_str).and_then(|name| name.parse().ok()).unwrap_or(Tz::UTC);
        let time = |key: &str| document.get(key).and_then(Value::as_str).and_then(local_time);
        let first = |time: NaiveDateTime| zone.from_local_datetime(&time).earliest();
        let last = |time: NaiveDateTime| zone.from_local_datetime(&time).latest();
        Some(Self {
            zone: Some(zone),
            starts_at: time("start").and_then(first).map(|at| at.timestamp_millis()),
            ends_at: time("end").and_then(last).map(|at| at.timestamp_millis()),
            zones: Vec::new(),
            limits: document.get("offer").map(|offer| limits(document, decimals(offer))),
        })
    }

    /// Reads the document of caps across campaigns: a list of caps, or an object that holds it.
    pub(super) fn read_across(text: &str) -> Option<Self> {
        let whole: Value = serde_json::from_str(text).ok()?;
        let list = ["cap", "caps"].iter().find_map(|key| whole.get(key)).unwrap_or(&whole).as_array()?;
        let (mut found, mut zones) = (Vec::new(), Vec::new());
        for cap in list.iter().filter_map(Value::as_object) {
            let word = |key: &str| cap.get(key).and_then(Value::as_str).unwrap_or_default();
            let (scope, id) = match word("scope") {
                "all" => ("campaign", ""),
                scope => (scope, word(scope)),
            };
            let before = found.len();
            windows(cap, scope, id, decimals(&Value::Object(cap.clone())), &mut found);
            if let Ok(zone) = word("zone").parse::<Tz>() {
                zones.extend(found.iter().skip(before).map(|(key, _)| (key.clone(), zone)));
            }
        }
        Some(Self { zones, limits: Some(found), ..Self::default() })
    }
}

fn limits(document: &Map<String, Value>, decimals: u32) -> Vec<(CapKey, i64)> {
    let none = Map::new();
    let caps = document.get("caps").and_then(Value::as_object).unwrap_or(&none);
    let of = |key: &str| caps.get(key).and_then(Value::as_object);
    let mut found = Vec::new();
    match of("person") {
        Some(person) => windows(person, "person", "", decimals, &mut found),
        // A campaign that says nothing gives one code a person.
        None => found.push((CapKey::new("person", "", "count", "lifetime", 0), 1)),
    }
    let mut campaign = of("campaign").cloned().unwrap_or_default();
    for short in ["money", "per_minute"] {
        let here = campaign.get(short).is_some_and(|value| !value.is_null());
        if let Some(value) = caps.get(short).filter(|_| !here) {
            campaign.insert(short.to_owned(), value.clone());
        }
    }
    windows(&campaign, "campaign", "", decimals, &mut found);
    for scope in ["channel", "keyword", "placement"] {
        for (id, inner) in of(scope).into_iter().flatten() {
            if let Some(inner) = inner.as_object() {
                windows(inner, scope, id, decimals, &mut found);
            }
        }
    }
    for (handle, part) in document.get("creators").and_then(Value::as_object).into_iter().flatten() {
        for (key, window) in [("cap", "lifetime"), ("day", "day")] {
            if let Some(cap) = part.get(key).and_then(Value::as_u64) {
                let cap = i64::try_from(cap).unwrap_or(i64::MAX);
                found.push((CapKey::new("creator", handle, "count", window, 0), cap));
            }
        }
    }
    found
}

/// The limits of a partner's version: over all campaigns (number 0) and of each that it was granted.
pub(super) fn of_partner(text: &str, partner: &str) -> Option<Vec<(i64, CapKey, i64)>> {
    let whole: Value = serde_json::from_str(text).ok()?;
    let across = whole.get("caps").and_then(Value::as_object).map(|caps| (0, caps));
    let grants = whole.get("grants").and_then(Value::as_array).into_iter().flatten();
    let grants = grants.filter_map(|grant| Some((grant.get("campaign")?.as_i64()?, grant.as_object()?)));
    let mut all = Vec::new();
    for (campaign, caps) in across.into_iter().chain(grants) {
        let mut found = Vec::new();
        windows(caps, "partner", partner, 2, &mut found);
        all.extend(found.into_iter().map(|(key, limit)| (campaign, key, limit)));
    }
    Some(all)
}

/// The zones in which a partner's version counts, by the campaign's number.
pub(super) fn zones_of_partner(text: &str) -> Vec<(i64, Tz)> {
    let whole: Value = serde_json::from_str(text).unwrap_or_default();
    let zones = whole.get("zones").and_then(Value::as_object).into_iter().flatten();
    zones.filter_map(|(campaign, zone)| Some((campaign.parse().ok()?, zone.as_str()?.parse().ok()?))).collect()
}

/// The limits of one scope, by window.
fn windows(caps: &Map<String, Value>, scope: &str, id: &str, decimals: u32, found: &mut Vec<(CapKey, i64)>) {
    for (key, window) in WINDOWS {
        if let Some(cap) = caps.get(key).and_then(Value::as_u64) {
            found.push((CapKey::new(scope, id, "count", window, 0), i64::try_from(cap).unwrap_or(i64::MAX)));
        }
    }
    if let Some(rolling) = caps.get("rolling").and_then(Value::as_object) {
        let ms = rolling.get("within").and_then(Value::as_str).and_then(milliseconds);
        if let (Some(cap), Some(ms)) = (rolling.get("count").and_then(Value::as_i64), ms) {
            found.push((CapKey::new(scope, id, "count", "rolling", ms), cap));
        }
    }
    let Some(money) = caps.get("money") else {
        return;
    };
    let total = minor(money, decimals).map(|cap| ("lifetime", cap));
    let by_window = WINDOWS.iter().filter_map(|(key, window)| Some((*window, minor(money.get(key)?, decimals)?)));
    for (window, cap) in total.into_iter().chain(by_window) {
        found.push((CapKey::new(scope, id, "money", window, 0), cap));
    }
}

impl CapKey {
    fn new(scope: &str, scope_id: &str, unit: &'static str, window: &'static str, window_ms: i64) -> Self {
        Self { scope: scope.to_owned(), scope_id: scope_id.to_owned(), unit, window, window_ms }
    }

    /// The key of a row of `cap`; `None` when its words are unknown.
    pub(super) fn of_row(scope: String, scope_id: String, unit: &str, window: &str, window_ms: i64) -> Option<Self> {
        let unit = ["count", "money"].into_iter().find(|known| *known == unit)?;
        let known = ["lifetime", "minute", "day", "week", "month", "rolling"];
        let window = known.into_iter().find(|known| *known == window)?;
        Some(Self { scope, scope_id, unit, window, window_ms })
    }

    pub(super) fn span(&self) -> Option<Span> {
        Span::parse(self.window, self.window_ms)
    }
}

fn local_time(text: &str) -> Option<NaiveDateTime> {
    let text = text.replacen(' ', "T", 1);
    let date = NaiveDate::parse_from_str(&text, "%Y-%m-%d").map(|date| date.and_time(NaiveTime::MIN));
    let minute = || NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M");
    let second = || NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S");
    date.or_else(|_| minute()).or_else(|_| second()).ok()
}

/// `P1DT12H` in milliseconds.
fn milliseconds(text: &str) -> Option<i64> {
    let (mut total, mut number, mut in_time) = (0_i64, 0_i64, false);
    for sign in text.strip_prefix('P')?.chars() {
        let unit = match sign {
            'T' => {
                in_time = true;
                continue;
            }
            'W' => 604_800,
            'D' => 86_400,
            'H' => 3_600,
            'M' if in_time => 60,
            'S' => 1,
            digit => {
                number = number.checked_mul(10)?.checked_add(i64::from(digit.to_digit(10)?))?;
                continue;
            }
        };
        total = total.checked_add(number.checked_mul(unit)?)?;
        number = 0;
    }
    total.checked_mul(1_000)
}

fn decimals(holder: &Value) -> u32 {
    let code = holder.get("currency").and_then(Value::as_str).unwrap_or("USD");
    Currency::parse(code).map_or(2, Currency::decimals)
}

/// Money in major units, as text or number, in minor units.
fn minor(value: &Value, decimals: u32) -> Option<i64> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let scale = 10_i64.checked_pow(decimals)?;
    let cents = part.chars().chain("000000".chars()).take(usize::try_from(decimals).ok()?).collect::<String>();
    let cents = if cents.is_empty() { 0 } else { cents.parse::<i64>().ok()? };
    whole.parse::<i64>().ok()?.checked_mul(scale)?.checked_add(cents)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::{CapKey, Terms, Tz};

    #[test]
    fn a_document_says_dates_and_every_cap() {
        let terms = Terms::read(
            r#"{"zone": "America/New_York", "start": "2026-11-01T01:30:00", "end": "2026-11-01T01:30:00",
                "offer": {"type": "amount_off", "currency": "JPY"},
                "caps": {"person": {"lifetime": 2, "day": null, "rolling": {"count": 3, "within": "P1DT12H"}},
                         "campaign": {"total": "pool", "day": 9, "money": null}, "money": "500",
                         "keyword": {"PIZZA": {"total": 7}}}}"#,
        )
        .unwrap();
        // The hour is shown twice; from its first time to the last.
        assert_eq!(terms.ends_at.unwrap() - terms.starts_at.unwrap(), 3_600_000);
        let expected = vec![
            (CapKey::new("person", "", "count", "lifetime", 0), 2),
            (CapKey::new("person", "", "count", "rolling", 129_600_000), 3),
            (CapKey::new("campaign", "", "count", "day", 0), 9),
            (CapKey::new("campaign", "", "money", "lifetime", 0), 500),
            (CapKey::new("keyword", "PIZZA", "count", "lifetime", 0), 7),
        ];
        assert_eq!(terms.limits.unwrap(), expected);
    }

    #[test]
    fn caps_across_campaigns_are_a_list() {
        let terms = Terms::read_across(
            r#"[{"scope": "person", "day": 1, "zone": "Asia/Tokyo"}, {"scope": "all", "currency": "USD", "money": {"day": "10.5"}},
                {"scope": "channel", "channel": "sms", "total": 4}]"#,
        );
        let expected = vec![
            (CapKey::new("person", "", "count", "day", 0), 1),
            (CapKey::new("campaign", "", "money", "day", 0), 1_050),
            (CapKey::new("channel", "sms", "count", "lifetime", 0), 4),
        ];
        let terms = terms.unwrap();
        assert_eq!(terms.zones, [(CapKey::new("person", "", "count", "day", 0), Tz::Asia__Tokyo)]);
        assert_eq!(terms.limits.unwrap(), expected);
    }
}
