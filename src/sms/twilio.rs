//! Twilio's Programmable Messaging: signed form webhooks in, its REST API out.

mod api;
mod codes;
mod signature;
#[cfg(test)]
mod tests;

use super::account::{Account, AccountError, Kind};
use super::form::Fields;
use super::{
    Accepted, Acknowledgement, Authentic, CarrierSaid, Event, Finding, Forged, Hooks, Inbound, Lookup, Media, Method,
    Outgoing, Pace, Report, ReportStatus, SendError, SmsProvider, Unreadable, Webhook,
};
use crate::domain::phone::SenderAddress;
use crate::net::Client;
use api::Api;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde_json::Value;
use signature::Keys;
use std::sync::Arc;

/// What its accounts are made of.
pub(super) const KIND: Kind = Kind {
    word: "twilio",
    base_url: Some("https://api.twilio.com"),
    needs: &["account", "token"],
    takes: &["token_before", "api_key", "api_secret", "shared_key", "messaging_service"],
    build: |account, client| Ok(Arc::new(Twilio::new(account, client)?)),
};

/// Twilio lets ten pictures come with a text.
const MAX_MEDIA: usize = 10;

/// One account at Twilio.
#[derive(Debug)]
pub(super) struct Twilio {
    name: String,
    keys: Keys,
    api: Api,
}

impl Twilio {
    fn new(account: &Account, client: &Client) -> Result<Self, AccountError> {
        let keys = Keys {
            token: account.need(&KIND, "token")?,
            before: account.maybe("token_before"),
            shared: account.maybe("shared_key"),
        };
        Ok(Self { name: account.name.clone(), keys, api: Api::new(account, client)? })
    }
}

#[async_trait::async_trait]
impl SmsProvider for Twilio {
    fn name(&self) -> &str {
        &self.name
    }

    /// Twilio's signature has no time in it: a replay is told by the text's name, which is the same again.
    fn authenticate<'a>(&self, hook: &'a Webhook<'a>, now: DateTime<Utc>) -> Result<Authentic<'a>, Forged> {
        self.keys.verify(hook)?;
        Ok(Authentic::vouched(hook, now))
    }

    fn parse(&self, proof: Authentic<'_>) -> Result<Vec<Event>, Unreadable> {
        let hook = proof.hook();
        let query = Fields::read(hook.query().as_bytes());
        let reference = query.filled("ref");
        if is_json(hook) {
            return streamed(proof.body(), reference);
        }
        let fields = match hook.method {
            Method::Get => query.clone(),
            Method::Post => Fields::read(proof.body()),
        };
        event(&fields, reference).map(|event| vec![event])
    }

    /// An empty `Response`: another type is noted there as an error, and any text in it would go to the phone.
    fn acknowledge(&self) -> Acknowledgement {
        let body = r#"<?xml version="1.0" encoding="UTF-8"?><Response/>"#;
        Acknowledgement { status: 200, content_type: Some("text/xml"), body }
    }

    fn pace(&self) -> Pace {
        Pace::PerSender
    }

    async fn send(&self, out: &Outgoing) -> Result<Accepted, SendError> {
        self.api.send(out).await
    }

    async fn lookup(&self, out: &Outgoing) -> Result<Lookup, SendError> {
        self.api.lookup(out).await
    }

    async fn pull(&self, sender: &SenderAddress, since: DateTime<Utc>) -> Result<Option<Vec<Inbound>>, SendError> {
        self.api.pull(sender, since).await.map(Some)
    }

    async fn check(&self, sender: &SenderAddress, hooks: &Hooks) -> Vec<Finding> {
        self.api.check(sender, hooks).await
    }
}

fn is_json(hook: &Webhook<'_>) -> bool {
    hook.header("content-type").is_some_and(|kind| kind.starts_with("application/json"))
}

/// What one set of fields tells.
fn event(fields: &Fields, reference: Option<&str>) -> Result<Event, Unreadable> {
    match fields.filled("MessageStatus") {
        None | Some("received" | "receiving") => inbound(fields).map(Event::Inbound),
        Some(status) => report(fields, status, reference).map(Event::Report),
    }
}

fn inbound(fields: &Fields) -> Result<Inbound, Unreadable> {
    let name = fields.filled("MessageSid").or(fields.filled("SmsMessageSid"));
    let name = name.ok_or_else(|| Unreadable("MessageSid is missing".to_owned()))?;
    // A picture alone has an empty one.
    let body = fields.get("Body").ok_or_else(|| Unreadable("Body is missing".to_owned()))?;
    let segments = fields.filled("NumSegments").and_then(|digits| digits.parse().ok());
    let text = Inbound::new(name, fields.need("From")?, fields.need("To")?, &plain(body, segments));
    Ok(Inbound { opt_out: opt_out(fields), media: media(fields), segments, ..text })
}

/// Advanced Opt-Out says so when it has answered.
fn opt_out(fields: &Fields) -> Option<CarrierSaid> {
    match fields.filled("OptOutType")? {
        "STOP" => Some(CarrierSaid::Stop),
        "START" => Some(CarrierSaid::Start),
        "HELP" => Some(CarrierSaid::Help),
        _ => None,
    }
}

fn media(fields: &Fields) -> Vec<Media> {
    let one = |n: usize| {
        let url = fields.filled(&format!("MediaUrl{n}"))?.to_owned();
        let content_type = fields.filled(&format!("MediaContentType{n}")).map(str::to_owned);
        Some(Media { url, content_type })
    };
    (0..MAX_MEDIA).map_while(one).collect()
}

/// Texts of several segments have been seen in base64. Nobody writes that long a word of that form which is also plain
/// words when it is decoded.
fn plain(body: &str, segments: Option<u16>) -> String {
    let is_long = segments.is_some_and(|count| count > 1) && body.len() > 100;
    let decoded = is_long.then(|| STANDARD.decode(body).ok()).flatten();
    let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let is_words = |text: &String| text.contains(' ') && !text.chars().any(|c| c.is_control() && !c.is_whitespace());
    text.filter(is_words).unwrap_or_else(|| body.to_owned())
}

fn report(fields: &Fields, status: &str, reference: Option<&str>) -> Result<Report, Unreadable> {
    let name = fields.filled("MessageSid").or(fields.filled("SmsSid"));
    if name.or(reference).is_none() {
        return Err(Unreadable("MessageSid is missing".to_owned()));
    }
    // Event Streams shout.
    let status = match status.to_ascii_lowercase().as_str() {
        "accepted" | "scheduled" | "queued" | "sending" | "sent" | "partially_delivered" => ReportStatus::Sent,
        "delivered" | "read" => ReportStatus::Delivered,
        "undelivered" | "failed" | "canceled" => ReportStatus::Failed,
        _ => return Err(Unreadable("a MessageStatus that is not known here".to_owned())),
    };
    let code = fields.filled("ErrorCode").filter(|code| *code != "0");
    let class = (status == ReportStatus::Failed).then(|| codes::refused(code.unwrap_or_default()));
    Ok(Report {
        provider_id: name.map(str::to_owned),
        reference: reference.map(str::to_owned),
        status,
        class,
        note: code.map(str::to_owned),
    })
}

/// Event Streams: an array of `CloudEvents` in JSON, whose data has the fields of webhooks in camel case.
fn streamed(body: &[u8], reference: Option<&str>) -> Result<Vec<Event>, Unreadable> {
    let wrong = |error: serde_json::Error| Unreadable(format!("not JSON at line {}", error.line()));
    let items = match serde_json::from_slice(body).map_err(wrong)? {
        Value::Array(items) => items,
        one @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => vec![one],
    };
    let read = |item: &Value| {
        let kind = item.get("type").and_then(Value::as_str).unwrap_or_default();
        if !kind.starts_with("com.twilio.messaging.") {
            return Event::Ignored("an event that is not about messages");
        }
        let Some(data) = item.get("data").and_then(Value::as_object) else {
            return Event::Unreadable(Unreadable("an event without data".to_owned()));
        };
        event(&Fields::camel(data), reference).unwrap_or_else(Event::Unreadable)
    };
    Ok(items.iter().map(read).collect())
}
