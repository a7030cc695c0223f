//! What carriers tell us: the webhook as received, the proof that it is theirs, and what it says.

use crate::domain::act::{CarrierSaid, Refused};
use chrono::{DateTime, Utc};
use std::net::IpAddr;
use thiserror::Error;

/// The longest short code, digits.
const MAX_SHORT_CODE: usize = 8;

/// How a webhook came. Some carriers send everything in the query of a GET.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Everything stands in the query.
    Get,
    /// With a body; some put part of what is signed in the query.
    Post,
}

/// A webhook as it was received.
#[derive(Clone, Copy)]
pub struct Webhook<'a> {
    /// How it came.
    pub method: Method,
    /// The address the carrier was told: the configured public one, never what a `Host` header claims, with `?` and the
    /// query as received where there was one.
    pub url: &'a str,
    /// Names in lower case, in the order received.
    pub headers: &'a [(String, String)],
    /// The bytes, untouched.
    pub body: &'a [u8],
    /// Who connected, where the server knows it: a proxy of ours where one stands between.
    pub remote: Option<IpAddr>,
}

impl<'a> Webhook<'a> {
    /// The value of a header that came exactly once; a doubled one is nobody's word.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let mut found = self.headers.iter().filter(|(known, _)| known == name);
        let (_, value) = found.next()?;
        found.next().is_none().then_some(value.as_str())
    }

    /// The query as received, without its `?`; empty where there was none.
    #[must_use]
    pub fn query(&self) -> &'a str {
        self.url.split_once('?').map_or("", |(_, query)| query)
    }

    /// The address without its query.
    #[must_use]
    pub fn address(&self) -> &'a str {
        self.url.split_once('?').map_or(self.url, |(address, _)| address)
    }
}

/// Personal data is inside: only sizes are shown.
impl std::fmt::Debug for Webhook<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Webhook({:?}, {} headers, {} bytes)", self.method, self.headers.len(), self.body.len())
    }
}

/// A webhook whose signature held: having one is the proof, and only adapters make it.
#[derive(Debug, Clone, Copy)]
pub struct Authentic<'a> {
    hook: &'a Webhook<'a>,
    at: DateTime<Utc>,
}

impl<'a> Authentic<'a> {
    /// For adapters, after the signature held.
    pub(super) fn vouched(hook: &'a Webhook<'a>, at: DateTime<Utc>) -> Self {
        Self { hook, at }
    }

    /// The webhook that was believed.
    #[must_use]
    pub fn hook(&self) -> &'a Webhook<'a> {
        self.hook
    }

    /// Its bytes.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.hook.body
    }

    /// When it was believed.
    #[must_use]
    pub fn at(&self) -> DateTime<Utc> {
        self.at
    }
}

/// Why a webhook is not believed. The sender of a forgery learns none of this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Forged {
    /// No signature, or not of its form.
    #[error("the webhook has no signature that can be read")]
    Unsigned,
    /// It was signed too long ago or too far ahead.
    #[error("the webhook's signature is not of this time")]
    OutOfTime,
    /// It came from a machine that may not send any.
    #[error("the webhook comes from an address that is not allowed")]
    Stranger,
    /// Another secret, or altered bytes.
    #[error("the webhook's signature does not hold")]
    Mismatch,
}

/// An authentic body that does not say what it must; never with the carrier's words, which may be personal.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

/// What a webhook tells. One webhook may tell many things.
#[derive(Clone, PartialEq, Eq)]
pub enum Event {
    /// A phone texted us.
    Inbound(Inbound),
    /// What became of a message of ours.
    Report(Report),
    /// Something that asks nothing of us; why, in a few words for a log.
    Ignored(&'static str),
    /// A part of something whose other parts are not here yet; what it waits for. Nothing of it is settled, so the
    /// carrier is asked to send it again.
    Later(&'static str),
    /// One part of it cannot be read; the others stand.
    Unreadable(Unreadable),
}

impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Inbound(_) => "Inbound(…)",
            Self::Report(_) => "Report(…)",
            Self::Ignored(_) => "Ignored(…)",
            Self::Later(_) => "Later(…)",
            Self::Unreadable(_) => "Unreadable(…)",
        })
    }
}

/// A text from a phone.
#[derive(Clone, PartialEq, Eq)]
pub struct Inbound {
    /// The carrier's name of it: the same at every delivery of the same text.
    pub message_id: String,
    /// Who wrote, as `+` and digits where it is a phone; a short code where a machine wrote.
    pub from: String,
    /// Which number of ours, as our senders are written: a short code bare, a number with its `+`.
    pub to: String,
    /// The words.
    pub text: String,
    /// The carrier took it for one of its own opt-out words and has answered it; we write it down and say nothing.
    pub opt_out: Option<CarrierSaid>,
    /// Pictures and the like; not fetched.
    pub media: Vec<Media>,
    /// How many segments it came in, where the carrier counts.
    pub segments: Option<u16>,
    /// When the carrier had it, where it says.
    pub sent_at: Option<DateTime<Utc>>,
}

impl Inbound {
    /// A plain text.
    #[must_use]
    pub fn new(message_id: &str, from: &str, to: &str, text: &str) -> Self {
        let [message_id, from, to, text] = [message_id, from, to, text].map(str::to_owned);
        Self { message_id, from, to, text, opt_out: None, media: Vec::new(), segments: None, sent_at: None }
    }
}

/// A number as carriers write it, as `+` and digits; short codes stay bare. Some leave the `+` out, and one in a query
/// may have become a blank.
pub(super) fn number(text: &str) -> String {
    let text = text.trim();
    let is_long = text.len() > MAX_SHORT_CODE && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_long { format!("+{text}") } else { text.to_owned() }
}

/// Something that came with a text and is kept at the carrier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// Where it is kept.
    pub url: String,
    /// Its type, where the carrier says.
    pub content_type: Option<String>,
}

/// What became of a message of ours, named by one of its two names at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The name the carrier gave it when it took it.
    pub provider_id: Option<String>,
    /// Our own name of it, [`Outgoing::message_ref`](super::Outgoing::message_ref), where the carrier carried it.
    pub reference: Option<String>,
    /// How it stands.
    pub status: ReportStatus,
    /// Why it failed, as far as we act on it.
    pub class: Option<Refused>,
    /// The carrier's own code of a failure.
    pub note: Option<String>,
}

impl Report {
    /// A report of a message by the carrier's name of it.
    #[must_use]
    pub fn of(provider_id: &str, status: ReportStatus) -> Self {
        Self { provider_id: Some(provider_id.to_owned()), reference: None, status, class: None, note: None }
    }
}

/// How a message stands with its carrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportStatus {
    /// The carrier has it and it is on its way.
    Sent,
    /// The phone has it.
    Delivered,
    /// It will not arrive.
    Failed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_came_twice_says_nothing() {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers = [header("a", "1"), header("b", "2"), header("b", "3")];
        let hook = Webhook { method: Method::Post, url: "", headers: &headers, body: b"", remote: None };
        assert_eq!((hook.header("a"), hook.header("b"), hook.header("c")), (Some("1"), None, None));
    }

    #[test]
    fn numbers_get_their_plus_and_short_codes_none() {
        let read = ["15005550101", "+15005550101", " 15005550101", "55501", "ACME"].map(number);
        assert_eq!(read, ["+15005550101", "+15005550101", "+15005550101", "55501", "ACME"]);
    }

    #[test]
    fn an_address_and_its_query_are_told_apart_at_the_first_mark() {
        let hook =
            Webhook { method: Method::Get, url: "https://c.example/x?a=1?b", headers: &[], body: b"", remote: None };
        assert_eq!((hook.address(), hook.query()), ("https://c.example/x", "a=1?b"));
    }
}
