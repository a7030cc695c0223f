//! Vonage's numbers: what became of a request, and of a message.

use super::super::{Refused, SendError};
use std::time::Duration;

/// The wait where none is named: 30 requests a second are allowed.
const SHORT: Duration = Duration::from_secs(1);

/// A message's `status` in an answer, which is 200 whatever became of it; 0 is not among these.
pub(super) fn refusal(status: &str, words: &str) -> SendError {
    let detail = format!("status {status}");
    let refused =
        |class: Refused| SendError::Permanent { class, code: status.to_owned(), detail: class.word().to_owned() };
    match status {
        "1" => SendError::Throttled { retry_after: wait(words).unwrap_or(SHORT) },
        "2" | "4" | "8" | "9" | "14" | "15" | "22" | "29" | "32" => {
            SendError::Config { code: status.to_owned(), detail }
        }
        // 33: the number was given back to its network.
        "3" | "33" => refused(Refused::InvalidRecipient),
        "5" => SendError::Transient { detail },
        "7" => refused(Refused::OptedOut),
        _ => refused(Refused::Other),
    }
}

/// An answer that is no 2xx, by its status.
pub(super) fn error(status: u16, retry_after: Option<Duration>) -> SendError {
    let detail = format!("status {status}");
    match status {
        429 => SendError::Throttled { retry_after: retry_after.unwrap_or(SHORT) },
        300..=399 | 401..=404 | 420 => SendError::Config { code: status.to_string(), detail },
        400..=499 if status != 408 => {
            let class = Refused::Other;
            SendError::Permanent { class, code: status.to_string(), detail: class.word().to_owned() }
        }
        _ => SendError::Ambiguous { detail },
    }
}

/// `please wait [ 50 ] and retry`: milliseconds.
fn wait(words: &str) -> Option<Duration> {
    let (_, rest) = words.split_once('[')?;
    let (digits, _) = rest.split_once(']')?;
    digits.trim().trim_end_matches("ms").trim().parse().ok().map(Duration::from_millis)
}

/// Why a message did not arrive, by its state and its `err-code`. With Opt-out Assist, 9 says that the person stopped.
pub(super) fn undelivered(state: &str, code: Option<&str>, assist: bool) -> Refused {
    match code {
        Some("9") if assist => Refused::OptedOut,
        Some("2" | "3" | "8" | "9" | "11" | "12") => Refused::InvalidRecipient,
        Some("6" | "14" | "50" | "51" | "52" | "53" | "54") => Refused::Filtered,
        Some(_) | None if state == "expired" => Refused::Expired,
        Some(_) | None => Refused::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(error: &SendError) -> &'static str {
        match error {
            SendError::Transient { .. } => "transient",
            SendError::Throttled { .. } => "throttled",
            SendError::Ambiguous { .. } => "ambiguous",
            SendError::Config { .. } => "config",
            SendError::Permanent { class, .. } => class.word(),
        }
    }

    #[test]
    fn every_status_of_a_request_has_its_class() {
        let table = [
            ("throttled", "1"),
            ("config", "2 4 8 9 14 15 22 29 32"),
            ("invalid_recipient", "3 33"),
            ("transient", "5"),
            ("opted_out", "7"),
            ("refused", "6 12 99"),
        ];
        for (class, codes) in table {
            for code in codes.split(' ') {
                assert_eq!(sorted(&refusal(code, "")), class, "{code}");
            }
        }
        let told = [429, 401, 403, 420, 302, 400, 408, 500, 502].map(|status| sorted(&error(status, None)));
        assert_eq!(told[..5], ["throttled", "config", "config", "config", "config"]);
        assert_eq!(told[5..], ["refused", "ambiguous", "ambiguous", "ambiguous"]);
    }

    #[test]
    fn a_wait_is_named_in_milliseconds() {
        let told = ["Throughput Rate Exceeded - please wait [ 250 ] and retry", "please wait [40 ms]", "wait", "[x]"];
        let wanted = [Some(250), Some(40), None, None].map(|ms| ms.map(Duration::from_millis));
        assert_eq!(told.map(wait), wanted);
    }

    #[test]
    fn every_code_of_a_receipt_has_its_class() {
        let table =
            [("invalid_recipient", "2 3 8 9 11 12"), ("filtered", "6 14 50 51 52 53 54"), ("refused", "1 5 7 10 99")];
        for (class, codes) in table {
            for code in codes.split(' ') {
                assert_eq!(undelivered("failed", Some(code), false).word(), class, "{code}");
            }
        }
        assert_eq!(undelivered("rejected", Some("9"), true), Refused::OptedOut);
        assert_eq!(undelivered("expired", Some("1"), false), Refused::Expired);
    }
}
