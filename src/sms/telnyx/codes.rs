//! Telnyx's error codes that mean something to us.

use super::super::{Refused, SendError};
use crate::net::Answer;
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// One of `errors`, in answers and in webhooks.
#[derive(Deserialize)]
pub(super) struct ErrorIn {
    #[serde(default)]
    code: Value,
}

#[derive(Deserialize)]
struct ErrorsIn {
    errors: Vec<ErrorIn>,
}

impl ErrorIn {
    /// Its code; Telnyx writes it as a text, other parts of it as a number.
    pub(super) fn code(&self) -> Option<String> {
        match &self.code {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

/// What a code asks us to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Never again.
    Refused(Refused),
    /// Somebody must put the account right.
    Config,
    /// Wait so long.
    Throttled(Duration),
    /// Again, soon.
    Transient,
}

/// A request too many: the next second is another one.
const SHORT: Duration = Duration::from_secs(2);
/// A queue that overflows needs longer.
const LONG: Duration = Duration::from_mins(1);

fn class(code: &str) -> Option<Class> {
    Some(match code {
        "40001" | "40008" | "40012" | "40310" => Class::Refused(Refused::InvalidRecipient),
        "40300" => Class::Refused(Refused::OptedOut),
        "40002" | "40003" | "40010" | "40015" | "40017" | "40315" | "40322" | "40329" => {
            Class::Refused(Refused::Filtered)
        }
        "40014" => Class::Refused(Refused::Expired),
        // 20100: the account has no money left; 40013 and 40305: not a number of ours.
        "10009" | "20100" | "40013" | "40305" => Class::Config,
        "10011" | "40011" | "40016" | "40018" => Class::Throttled(SHORT),
        "40318" => Class::Throttled(LONG),
        "40004" | "40006" => Class::Transient,
        _ => return None,
    })
}

/// Why a message that Telnyx took will not arrive.
pub(super) fn refused(code: &str) -> Refused {
    match class(code) {
        Some(Class::Refused(why)) => why,
        Some(Class::Config | Class::Throttled(_) | Class::Transient) | None => Refused::Other,
    }
}

/// An answer that is no 2xx. A 5xx in its API's own words has processed nothing; one without them is a gateway's, which
/// does not know what happened behind it.
pub(super) fn error(answer: &Answer) -> SendError {
    let said = serde_json::from_slice::<ErrorsIn>(&answer.body).ok();
    let is_its_own = said.is_some();
    let code = said.and_then(|said| said.errors.first().and_then(ErrorIn::code)).unwrap_or_default();
    let status = answer.status;
    let shown = if code.is_empty() { status.to_string() } else { code.clone() };
    let detail = format!("status {status}");
    let by_status = || match status {
        429 => Some(Class::Throttled(SHORT)),
        300..=399 | 401..=404 => Some(Class::Config),
        400..=499 if status != 408 => Some(Class::Refused(Refused::Other)),
        500..=599 if is_its_own => Some(Class::Transient),
        _ => None,
    };
    match class(&code).or_else(by_status) {
        Some(Class::Refused(class)) => SendError::Permanent { class, code: shown, detail: class.word().to_owned() },
        Some(Class::Config) => SendError::Config { code: shown, detail },
        Some(Class::Throttled(wait)) => SendError::Throttled { retry_after: answer.retry_after().unwrap_or(wait) },
        Some(Class::Transient) => SendError::Transient { detail: format!("{shown}, {detail}") },
        None => SendError::Ambiguous { detail: format!("{shown}, {detail}") },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(status: u16, body: &str) -> &'static str {
        let answer = Answer { status, headers: reqwest::header::HeaderMap::new(), body: body.as_bytes().to_vec() };
        match error(&answer) {
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
            ("invalid_recipient", "40001 40008 40012"),
            ("opted_out", "40300"),
            ("filtered", "40002 40003 40015 40017 40322 40010 40329 40315"),
            ("config", "10009 40305"),
            ("throttled", "10011 40011 40016 40018 40318"),
            ("transient", "40004 40006"),
            ("expired", "40014"),
        ];
        for (class, codes) in table {
            for code in codes.split(' ') {
                assert_eq!(sorted(422, &format!(r#"{{"errors":[{{"code":"{code}"}}]}}"#)), class, "{code}");
                assert_eq!(sorted(400, &format!(r#"{{"errors":[{{"code":{code}}}]}}"#)), class, "{code}");
            }
        }
    }

    #[test]
    fn a_refusal_without_a_known_code_is_sorted_by_its_status_and_by_who_speaks() {
        let own = r#"{"errors":[{"code":"99999","title":"?"}]}"#;
        let told = [429, 401, 402, 403, 404, 302, 400, 422, 408, 500, 503].map(|status| sorted(status, own));
        assert_eq!(told[..6], ["throttled", "config", "config", "config", "config", "config"]);
        assert_eq!(told[6..], ["refused", "refused", "ambiguous", "transient", "transient"]);
        assert_eq!([500, 502, 503].map(|status| sorted(status, "<html>")), ["ambiguous"; 3]);
    }
}
