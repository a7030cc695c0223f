//! What Kannel says: of a message handed over, and of one that failed later.

use super::super::{Refused, SendError};
use crate::net::Answer;
use std::time::Duration;

/// The wait after a 429 of a proxy that names none; Kannel itself has no such answer.
const WAIT: Duration = Duration::from_secs(2);

/// Sorts an answer of sendsms that is no 2xx; its words are those of smsbox 1.4.5.
pub(super) fn refusal(answer: &Answer) -> SendError {
    let said = String::from_utf8_lossy(&answer.body);
    let says = |words: &str| said.contains(words);
    let code = answer.status.to_string();
    let detail = format!("status {code}");
    let refused = |class: Refused| {
        let code = code.clone();
        SendError::Permanent { class, code, detail: class.word().to_owned() }
    };
    match answer.status {
        400 if says("receiver") => refused(Refused::InvalidRecipient),
        400 if says("Sender missing") || says("content-type") => SendError::Config { code, detail },
        403 if says("denied by white- and/or black-lists") => refused(Refused::Filtered),
        // No SMSC of this Kannel takes that number; those that are only away queue it.
        403 if says("Not routable") => refused(Refused::Other),
        429 => SendError::Throttled { retry_after: answer.retry_after().unwrap_or(WAIT) },
        // "Temporal failure, try again later."
        503 => SendError::Transient { detail },
        300..=399 | 401 | 403 | 404 | 405 => SendError::Config { code, detail },
        400..=499 if answer.status != 408 => refused(Refused::Other),
        _ => SendError::Ambiguous { detail },
    }
}

/// Whether a message without a receiver was refused for that, and not for its password.
pub(super) fn lets_in(answer: &Answer) -> bool {
    answer.status == 400 && String::from_utf8_lossy(&answer.body).contains("receiver")
}

/// Why a message failed, from the SMSC's words (`%A`), and a note of it. A delivery report of SMPP has the begin of the
/// message's text in it, so only its state and its number are kept.
pub(super) fn failure(words: &str) -> (Refused, Option<String>) {
    if let Some(nack) = words.strip_prefix("NACK/") {
        let number = nack.split('/').next().unwrap_or_default();
        let number = Some(number).filter(|number| number.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let number = number.unwrap_or_default();
        // SMPP 3.4, 5.1.3: ESME_RINVDSTADR.
        let is_recipient = matches!(number, "11" | "0x0000000b" | "0x0000000B");
        let class = if is_recipient { Refused::InvalidRecipient } else { Refused::Other };
        return (class, Some(format!("NACK {number}").trim_end().to_owned()));
    }
    let field = |name: &str| {
        let (_, rest) = words.split_once(name)?;
        let value = rest.split([' ', '&']).next().filter(|value| value.len() <= 10 && value.is_ascii())?;
        Some(value.to_owned())
    };
    let Some(state) = field("stat:") else {
        return (Refused::Other, None);
    };
    let class = if state == "EXPIRED" { Refused::Expired } else { Refused::Other };
    let note = [Some(state), field("err:")].into_iter().flatten().collect::<Vec<_>>().join(" ");
    (class, Some(note))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(status: u16, body: &str) -> String {
        let answer = Answer { status, headers: reqwest::header::HeaderMap::new(), body: body.as_bytes().to_vec() };
        match refusal(&answer) {
            SendError::Transient { .. } => "transient".to_owned(),
            SendError::Throttled { .. } => "throttled".to_owned(),
            SendError::Ambiguous { .. } => "ambiguous".to_owned(),
            SendError::Config { .. } => "config".to_owned(),
            SendError::Permanent { class, .. } => class.word().to_owned(),
        }
    }

    #[test]
    fn every_answer_of_smsbox_has_its_class() {
        for (status, body, class) in [
            (400, "Missing receiver number, rejected", "invalid_recipient"),
            (400, "Empty receiver number not allowed, rejected", "invalid_recipient"),
            (400, "Sender missing and no global set, rejected", "config"),
            (400, "Unsupported content-type, rejected", "config"),
            (400, "DLR-URL field misformed, rejected", "refused"),
            (403, "Authorization failed for sendsms", "config"),
            (403, "Number(s) has/have been denied by white- and/or black-lists.", "filtered"),
            (403, "Not routable. Do not try again.", "refused"),
            (404, "Unknown request.", "config"),
            (429, "", "throttled"),
            (500, "", "ambiguous"),
            (502, "", "ambiguous"),
            (503, "Temporal failure, try again later.", "transient"),
        ] {
            assert_eq!(sorted(status, body), class, "{status} {body}");
        }
    }

    #[test]
    fn a_failure_keeps_its_numbers_and_no_word_of_the_message() {
        let note = |words: &str| failure(words);
        assert_eq!(
            note("NACK/11/Invalid Destination Address"),
            (Refused::InvalidRecipient, Some("NACK 11".to_owned()))
        );
        assert_eq!(note("NACK/"), (Refused::Other, Some("NACK".to_owned())));
        assert_eq!(note("ACK/"), (Refused::Other, None));
        let report =
            "id:5 sub:001 dlvrd:000 submit date:2611201200 done date:2611201201 stat:EXPIRED err:007 text:Acme: code";
        assert_eq!(note(report), (Refused::Expired, Some("EXPIRED 007".to_owned())));
        assert_eq!(note("stat:UNDELIV"), (Refused::Other, Some("UNDELIV".to_owned())));
    }
}
