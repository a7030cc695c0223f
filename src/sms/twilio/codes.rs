//! Twilio's error codes that mean something to us, out of some 1 900.

use super::super::{Refused, SendError};
use chrono::{DateTime, Days, NaiveTime, TimeZone as _, Utc};
use chrono_tz::America::Los_Angeles;
use std::time::Duration;

/// What a code asks us to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Never again.
    Refused(Refused),
    /// Somebody must put the account right.
    Config,
    /// Wait so long.
    Throttled(Duration),
    /// Wait until the networks' new day, which begins in California.
    DailyCap,
    /// Again, soon.
    Transient,
    /// Nobody knows.
    Ambiguous,
}

/// A request too many: the next second is another one.
const SHORT: Duration = Duration::from_secs(2);
/// A queue that overflows needs longer.
const LONG: Duration = Duration::from_mins(1);

fn class(code: &str) -> Option<Class> {
    Some(match code {
        "21211" | "21214" | "21217" | "21612" | "21614" | "30003" | "30005" | "30006" => {
            Class::Refused(Refused::InvalidRecipient)
        }
        "21610" => Class::Refused(Refused::OptedOut),
        "30004" | "30007" | "30024" | "30032" | "30034" | "30450" => Class::Refused(Refused::Filtered),
        "30036" => Class::Refused(Refused::Expired),
        "20003" | "20404" | "21408" | "21603" | "21606" | "21609" | "21703" | "30002" | "90010" => Class::Config,
        "20429" | "14107" => Class::Throttled(SHORT),
        "21611" | "30001" | "30022" => Class::Throttled(LONG),
        "30023" | "30027" => Class::DailyCap,
        "30008" | "30017" | "30410" | "20503" => Class::Transient,
        "20500" => Class::Ambiguous,
        _ => return None,
    })
}

/// Why a message that Twilio took will not arrive.
pub(super) fn refused(code: &str) -> Refused {
    match class(code) {
        Some(Class::Refused(why)) => why,
        Some(Class::Config | Class::Throttled(_) | Class::DailyCap | Class::Transient | Class::Ambiguous) | None => {
            Refused::Other
        }
    }
}

/// A refusal of the API: its status, its code where it has one, and the wait it asks for.
pub(super) fn error(status: u16, code: &str, retry_after: Option<Duration>, at: DateTime<Utc>) -> SendError {
    let by_status = || match status {
        429 => Class::Throttled(SHORT),
        300..=399 | 401 | 403 | 404 => Class::Config,
        400..=499 if status != 408 => Class::Refused(Refused::Other),
        // A gateway's 502 or 504 says nothing of what happened behind it.
        _ => Class::Ambiguous,
    };
    let shown = if code.is_empty() { status.to_string() } else { code.to_owned() };
    let detail = format!("status {status}");
    match class(code).unwrap_or_else(by_status) {
        Class::Refused(class) => SendError::Permanent { class, code: shown, detail: class.word().to_owned() },
        Class::Config => SendError::Config { code: shown, detail },
        Class::Throttled(wait) => SendError::Throttled { retry_after: retry_after.unwrap_or(wait) },
        Class::DailyCap => SendError::Throttled { retry_after: until_next_day(at) },
        Class::Transient => SendError::Transient { detail: format!("{shown}, {detail}") },
        Class::Ambiguous => SendError::Ambiguous { detail: format!("{shown}, {detail}") },
    }
}

/// Until the next midnight in California.
fn until_next_day(at: DateTime<Utc>) -> Duration {
    let local = at.with_timezone(&Los_Angeles);
    let midnight = local.date_naive().checked_add_days(Days::new(1)).map(|day| day.and_time(NaiveTime::MIN));
    let next = midnight.and_then(|time| Los_Angeles.from_local_datetime(&time).earliest());
    next.and_then(|next| (next.with_timezone(&Utc) - at).to_std().ok()).unwrap_or(LONG)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn at() -> DateTime<Utc> {
        DateTime::parse_from_rfc3339("2026-07-01T20:00:00Z").unwrap().into()
    }

    fn kind(status: u16, code: &str) -> &'static str {
        match error(status, code, None, at()) {
            SendError::Transient { .. } => "transient",
            SendError::Throttled { .. } => "throttled",
            SendError::Ambiguous { .. } => "ambiguous",
            SendError::Config { .. } => "config",
            SendError::Permanent { class, .. } => class.word(),
        }
    }

    #[test]
    fn every_code_that_matters_has_its_class_whatever_its_status() {
        let table = [
            ("invalid_recipient", "21211 21214 21217 21612 21614 30003 30005 30006"),
            ("opted_out", "21610"),
            ("filtered", "30004 30007 30024 30032 30034"),
            ("config", "20003 21606 21603 21408 21703 30002 90010"),
            ("throttled", "20429 21611 30001 14107 30022 30023 30027"),
            ("transient", "30008 30017 30410 20503"),
            ("ambiguous", "20500"),
            ("expired", "30036"),
        ];
        for (class, codes) in table {
            for code in codes.split(' ') {
                assert_eq!(kind(400, code), class, "{code}");
            }
        }
    }

    #[test]
    fn a_refusal_without_a_known_code_is_sorted_by_its_status() {
        let told = [429, 401, 403, 404, 302, 400, 422, 408, 500, 502, 503, 504].map(|status| kind(status, ""));
        let ambiguous = ["ambiguous"; 5];
        assert_eq!(told[..7], ["throttled", "config", "config", "config", "config", "refused", "refused"]);
        assert_eq!(told[7..], ambiguous);
    }

    #[test]
    fn a_daily_cap_ends_at_midnight_in_california() {
        let wait = error(429, "30027", Some(Duration::from_secs(1)), at());
        assert_eq!(wait, SendError::Throttled { retry_after: Duration::from_hours(11) });
    }
}
