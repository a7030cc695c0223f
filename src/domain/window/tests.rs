//! Windows against brute force: every minute near every change of every clock, by arithmetic on offsets alone.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::Window;
use chrono::{DateTime, Datelike, NaiveDate, Offset, TimeZone, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use std::collections::HashSet;

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
const CALENDAR: [Window; 3] = [Window::Day, Window::Week, Window::Month];

fn utc(text: &str) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).unwrap()
}

/// Seconds by which local time is ahead of UTC.
fn ahead(zone: Tz, second: i64) -> i64 {
    let offset = zone.offset_from_utc_datetime(&at(second).naive_utc());
    offset.fix().local_minus_utc().into()
}

fn local_day(zone: Tz, second: i64) -> i64 {
    (second + ahead(zone, second)).div_euclid(DAY)
}

/// The window's first day, told by walking back one day at a time.
fn first_day(window: Window, day: i64) -> i64 {
    let is_first = |day: i64| match window {
        // 1 January 1970 was a Thursday.
        Window::Week => (day + 3).rem_euclid(7) == 0,
        Window::Month => at(day * DAY).day() == 1,
        Window::Lifetime | Window::Minute | Window::Day | Window::Rolling(_) => true,
    };
    (0..31).map(|back| day - back).find(|day| is_first(*day)).unwrap()
}

/// The seconds at which the zone's offset changes between two instants: looked for week by week, then halved down.
fn changes(zone: Tz, from: i64, to: i64) -> Vec<i64> {
    let mut found = Vec::new();
    let mut second = from;
    while second < to {
        let (mut early, mut late) = (second, second + 7 * DAY);
        if ahead(zone, early) != ahead(zone, late) {
            while late - early > 1 {
                let middle = i64::midpoint(early, late);
                if ahead(zone, middle) == ahead(zone, second) {
                    early = middle;
                } else {
                    late = middle;
                }
            }
            found.push(late);
        }
        second += 7 * DAY;
    }
    found
}

/// Walks minute by minute from `from` to `to`: at each `step`-th minute the key is the brute one, and the next window
/// starts at the first later minute that lies in a later one.
fn walk(zone: Tz, from: i64, to: i64, step: usize) {
    // Offsets of these years are whole minutes, and so are the instants at which they change.
    let minutes: Vec<i64> = (from..to).step_by(60).collect();
    let days: Vec<i64> = minutes.iter().map(|second| local_day(zone, *second)).collect();
    for window in CALENDAR {
        let mut next = None;
        let firsts: Vec<i64> = days.iter().map(|day| first_day(window, *day)).collect();
        for (i, (second, first)) in minutes.iter().zip(&firsts).enumerate().rev() {
            let later = firsts.get(i + 1).is_some_and(|later| later > first);
            if later {
                next = minutes.get(i + 1).copied();
            }
            let goes_back = firsts.get(i + 1).is_some_and(|later| later < first);
            // Where the clock goes back over midnight a day comes twice; its second begin is none of a later window.
            if goes_back {
                next = (i + 1..minutes.len())
                    .find(|j| firsts.get(*j).is_some_and(|later| later > first))
                    .and_then(|j| minutes.get(j).copied());
            }
            if i % step != 0 && !later && !goes_back {
                continue;
            }
            let now = at(*second);
            assert_eq!(window.key(now, zone), *first, "{window:?} of {now} in {zone}");
            if let Some(next) = next {
                let said = window.next_start(now, zone);
                assert_eq!(said, Some(at(next)), "after {now}, {window:?} in {zone}");
            }
        }
    }
}

#[test]
fn keys_and_next_starts_are_those_of_brute_force_near_every_change_of_every_zone() {
    let (from, to) = (utc("2015-01-01T00:00:00Z").timestamp(), utc("2028-01-01T00:00:00Z").timestamp());
    let mut seen = HashSet::new();
    let mut met = 0;
    for zone in TZ_VARIANTS {
        for change in changes(zone, from, to) {
            // Windows know the clock, the weekday and where the month ends: changes alike in these need one walk.
            let (before, after) = (ahead(zone, change - 1), ahead(zone, change));
            let local = change + before;
            let day = local.div_euclid(DAY);
            let begins = |day: i64| at(day * DAY).day() == 1;
            let alike = (local.rem_euclid(DAY), day.rem_euclid(7), (begins(day), begins(day + 1)), (before, after));
            if seen.insert(alike) {
                walk(zone, change - 3 * HOUR, change + 25 * HOUR, 61);
            }
            met += 1;
        }
    }
    assert!(met > 3_000, "{met} changes were found");
    assert!(seen.len() > 100, "{} of them differ", seen.len());
}

#[test]
fn in_every_zone_a_week_of_minutes_has_the_keys_of_brute_force() {
    let from = utc("2026-11-24T00:00:00Z").timestamp();
    let mut seen = HashSet::new();
    for zone in TZ_VARIANTS {
        if seen.insert(ahead(zone, from)) {
            walk(zone, from, from + 8 * DAY, 7);
        }
    }
}

#[test]
fn named_days_have_the_lengths_that_people_lived() {
    let minutes_of = |zone: Tz, date: &str| {
        let day = date.parse::<NaiveDate>().unwrap();
        let key = day.signed_duration_since(NaiveDate::default()).num_days();
        let noon = at(key * DAY + 12 * HOUR - ahead(zone, key * DAY + 12 * HOUR));
        assert_eq!(Window::Day.key(noon, zone), key, "noon of {date} in {zone}");
        let end = Window::Day.next_start(noon, zone).unwrap().timestamp();
        let begin =
            (0..DAY).map(|minutes| end - minutes * MINUTE).find(|second| local_day(zone, *second - 1) < key).unwrap();
        (end - begin) / MINUTE
    };
    for (zone, date, minutes) in [
        (Tz::America__New_York, "2026-03-08", 23 * 60),
        (Tz::America__New_York, "2026-11-01", 25 * 60),
        (Tz::Europe__London, "2026-03-29", 23 * 60),
        (Tz::Europe__London, "2026-10-25", 25 * 60),
        (Tz::Asia__Kathmandu, "2026-03-08", 24 * 60),
        (Tz::Australia__Lord_Howe, "2026-10-04", 23 * 60 + 30),
        (Tz::America__Sao_Paulo, "2017-10-15", 23 * 60),
    ] {
        assert_eq!(minutes_of(zone, date), minutes, "{date} in {zone}");
    }
}

#[test]
fn a_day_begins_at_one_where_midnight_is_skipped() {
    let zone = Tz::America__Sao_Paulo;
    let eve = utc("2018-11-03T20:00:00Z");
    assert_eq!(Window::Day.next_start(eve, zone), Some(utc("2018-11-04T03:00:00Z")));
    walk(zone, eve.timestamp() - 30 * HOUR, eve.timestamp() + 60 * HOUR, 1);
}

#[test]
fn the_start_of_a_skipped_midnight_is_exact_whatever_the_fraction_of_now() {
    let eve = utc("2018-11-03T20:00:00.123456789Z");
    let start = Window::Day.next_start(eve, Tz::America__Sao_Paulo);
    assert_eq!(start, Some(utc("2018-11-04T03:00:00Z")));
}

#[test]
fn the_day_that_samoa_skipped_is_no_window() {
    let zone = Tz::Pacific__Apia;
    let thursday = utc("2011-12-29T22:00:00Z");
    assert_eq!(Window::Day.next_start(thursday, zone), Some(utc("2011-12-30T10:00:00Z")));
    let friday = Window::Day.key(thursday, zone) + 1;
    let after = Window::Day.key(utc("2011-12-30T10:00:00Z"), zone);
    assert_eq!(after, friday + 1, "from the 29th straight to the 31st");
    walk(zone, thursday.timestamp() - 40 * HOUR, thursday.timestamp() + 90 * HOUR, 1);
}

#[test]
fn a_midnight_that_comes_twice_starts_a_window_each_time_it_is_next() {
    // At 0:01 the clocks of Newfoundland went back to 23:01.
    let zone = Tz::America__St_Johns;
    let change = utc("2010-11-07T02:31:00Z");
    let (first, second) = (utc("2010-11-07T02:30:00Z"), utc("2010-11-07T03:30:00Z"));
    let eve = utc("2010-11-07T02:00:00Z");
    assert_eq!(Window::Day.next_start(eve, zone), Some(first));
    assert_eq!(Window::Day.next_start(change, zone), Some(second));
    walk(zone, change.timestamp() - 30 * HOUR, change.timestamp() + 30 * HOUR, 1);
}

#[test]
fn minutes_are_those_of_utc_and_a_lifetime_never_ends() {
    for second in [-61, -60, -1, 0, 59, 60, 1_772_953_199] {
        let (now, zone) = (at(second), Tz::Asia__Kathmandu);
        let key = Window::Minute.key(now, zone);
        assert!(key * MINUTE <= second && second < (key + 1) * MINUTE);
        assert_eq!(Window::Minute.next_start(now, zone), Some(at((key + 1) * MINUTE)));
        assert_eq!(Window::Lifetime.key(now, zone), 0);
        assert_eq!(Window::Lifetime.next_start(now, zone), None);
        assert_eq!(Window::Rolling(1).next_start(now, zone), None);
    }
}
