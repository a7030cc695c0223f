//! Words for links, days, times and lists.

use chrono::{DateTime, Datelike, Offset, TimeZone, Utc};
use chrono_tz::{OffsetName, Tz};

use crate::domain::gsm7;

/// A link as a text shows it: without `https://`, with `http://` where that is all there is.
///
/// `path` begins with a slash; `public_url` may end with one.
#[must_use]
pub fn show_link(public_url: &str, path: &str) -> String {
    let host = public_url.strip_prefix("https://").unwrap_or(public_url).trim_end_matches('/');
    format!("{host}{path}")
}

/// The day of `at` in `zone`: "31 Dec", with the year when it is not the year of `now`.
///
/// For an end that is midnight, pass a moment before it: a coupon "to 31 Dec" ends as 1 January begins.
#[must_use]
pub fn day_words(at: DateTime<Utc>, zone: Tz, now: DateTime<Utc>) -> String {
    let local = at.with_timezone(&zone);
    let day = local.format("%-d %b");
    if local.year() == now.with_timezone(&zone).year() { day.to_string() } else { format!("{day} {}", local.year()) }
}

/// Day and time of `at` in `zone`: "14 Nov 6:22 PM".
#[must_use]
pub fn time_words(at: DateTime<Utc>, zone: Tz, now: DateTime<Utc>) -> String {
    let time = at.with_timezone(&zone).format("%-I:%M %p");
    format!("{} {time}", day_words(at, zone, now))
}

/// Day, time and zone of `at`: "24 Nov 9:00 AM ET".
#[must_use]
pub fn opens_words(at: DateTime<Utc>, zone: Tz, now: DateTime<Utc>) -> String {
    format!("{} {}", time_words(at, zone, now), zone_words(at, zone))
}

/// Weekday, day, year, time and zone of `at`, as pages say it: "Thu 31 Dec 2026, 11:59 PM ET".
#[must_use]
pub fn full_words(at: DateTime<Utc>, zone: Tz) -> String {
    let local = at.with_timezone(&zone).format("%a %-d %b %Y, %-I:%M %p");
    format!("{local} {}", zone_words(at, zone))
}

/// Day, year and time of `at`, as a stamp says it: "14 Nov 2026, 6:22 PM".
#[must_use]
pub fn stamp_words(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%-d %b %Y, %-I:%M %p").to_string()
}

/// The short name of `zone` at `at`: ET, CT, MT, PT where clocks change by US rules, else what people
/// there call it (CET, JST), else the distance from UTC (UTC+5:45).
fn zone_words(at: DateTime<Utc>, zone: Tz) -> String {
    let local = at.with_timezone(&zone);
    let hours = local.offset().fix().local_minus_utc() / 3600;
    let name = local.offset().abbreviation().unwrap_or_default();
    let american = ["America/", "US/", "Canada/"].iter().any(|area| zone.name().starts_with(area));
    let generic = match (name, hours) {
        ("EST", -5) | ("EDT", -4) => Some("ET"),
        ("CST", -6) | ("CDT", -5) => Some("CT"),
        ("MST", -7) | ("MDT", -6) => Some("MT"),
        ("PST", -8) | ("PDT", -7) => Some("PT"),
        _ => None,
    };
    match generic {
        Some(generic) if american && changes_clocks(zone, local.year()) => generic.to_owned(),
        Some(_) | None if name.starts_with(|c: char| c.is_ascii_alphabetic()) => name.to_owned(),
        Some(_) | None => utc_words(local.offset().fix().local_minus_utc()),
    }
}

fn changes_clocks(zone: Tz, year: i32) -> bool {
    let offset = |month| {
        let noon = Utc.with_ymd_and_hms(year, month, 1, 12, 0, 0).single()?;
        Some(noon.with_timezone(&zone).offset().fix())
    };
    offset(1) != offset(7)
}

fn utc_words(seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    match (minutes / 60, minutes % 60) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
    }
}

/// "PIZZA, DEAL or MYCODES".
#[must_use]
pub fn or_list(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [front @ .., last] => format!("{} or {last}", front.join(", ")),
    }
}

/// As many `items` from the front as `room` units of GSM-7 hold, with `separator` between them.
///
/// The first one that does not fit ends the list.
#[must_use]
pub fn join_fitting(items: &[String], separator: &str, room: u16) -> String {
    let mut joined = String::new();
    for item in items {
        let glue = if joined.is_empty() { "" } else { separator };
        let longer = format!("{joined}{glue}{item}");
        if gsm7::segments(&longer).total() > u32::from(room) {
            break;
        }
        joined = longer;
    }
    joined
}
