//! Telnyx: webhooks signed with Ed25519 in, its API v2 out.

mod api;
mod codes;
#[cfg(test)]
mod tests;

use super::account::{Account, AccountError, Kind};
use super::form::Fields;
use super::{
    Accepted, Acknowledgement, Authentic, CarrierSaid, Event, Finding, Forged, Hooks, Inbound, Lookup, Media, Outgoing,
    Pace, Report, ReportStatus, SendError, SmsProvider, Unreadable, Webhook,
};
use crate::domain::phone::SenderAddress;
use crate::net::Client;
use api::Api;
use aws_lc_rs::signature::{ED25519, ED25519_PUBLIC_KEY_LEN, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// What its accounts are made of.
pub(super) const KIND: Kind = Kind {
    word: "telnyx",
    base_url: Some("https://api.telnyx.com"),
    needs: &["api_key", "public_key"],
    takes: &["public_key_before", "messaging_profile"],
    build: |account, client| Ok(Arc::new(Telnyx::new(account, client)?)),
};

/// How old a signature may be, and how far ahead: the vendor's own figure.
const WINDOW_S: u64 = 300;

/// One account at Telnyx.
#[derive(Debug)]
pub(super) struct Telnyx {
    name: String,
    /// The key that signs its webhooks, and the one before it.
    keys: Vec<[u8; ED25519_PUBLIC_KEY_LEN]>,
    api: Api,
}

impl Telnyx {
    fn new(account: &Account, client: &Client) -> Result<Self, AccountError> {
        let current = Some(account.need(&KIND, "public_key")?);
        let mut keys = Vec::new();
        for (key, text) in [("public_key", current), ("public_key_before", account.maybe("public_key_before"))] {
            let Some(text) = text else { continue };
            let bytes = STANDARD.decode(text.expose()).ok().and_then(|bytes| bytes.try_into().ok());
            keys.push(bytes.ok_or_else(|| account.misfit(key, "the base64 of 32 bytes, as the Portal shows it"))?);
        }
        Ok(Self { name: account.name.clone(), keys, api: Api::new(account, client)? })
    }

    fn verify(&self, hook: &Webhook<'_>, now: DateTime<Utc>) -> Result<(), Forged> {
        let at = hook.header("telnyx-timestamp").ok_or(Forged::Unsigned)?;
        let mark = hook.header("telnyx-signature-ed25519").filter(|mark| !mark.is_empty()).ok_or(Forged::Unsigned)?;
        let mark = STANDARD.decode(mark).map_err(|_| Forged::Unsigned)?;
        let is_plain = at.bytes().all(|byte| byte.is_ascii_digit());
        let seconds = at.parse::<i64>().ok().filter(|_| is_plain).ok_or(Forged::Unsigned)?;
        if seconds.abs_diff(now.timestamp()) > WINDOW_S {
            return Err(Forged::OutOfTime);
        }
        let signed = [at.as_bytes(), b"|", hook.body].concat();
        let holds =
            |key: &[u8; ED25519_PUBLIC_KEY_LEN]| UnparsedPublicKey::new(&ED25519, key).verify(&signed, &mark).is_ok();
        if self.keys.iter().any(holds) { Ok(()) } else { Err(Forged::Mismatch) }
    }
}

#[derive(Deserialize)]
struct HookIn {
    data: DataIn,
}

#[derive(Deserialize)]
struct DataIn {
    event_type: String,
    #[serde(default)]
    payload: Value,
}

#[derive(Deserialize)]
struct PayloadIn {
    id: String,
    from: Option<PhoneIn>,
    #[serde(default)]
    to: Vec<PhoneIn>,
    text: Option<String>,
    media: Option<Vec<MediaIn>>,
    parts: Option<u16>,
    received_at: Option<String>,
    autoresponse_type: Option<String>,
    tags: Option<Vec<String>>,
    errors: Option<Vec<codes::ErrorIn>>,
}

#[derive(Deserialize)]
struct PhoneIn {
    phone_number: String,
    status: Option<String>,
}

#[derive(Deserialize)]
struct MediaIn {
    url: String,
    content_type: Option<String>,
}

fn unreadable(error: &serde_json::Error) -> Unreadable {
    // serde_json quotes what it met; the place is enough and holds nobody's words.
    Unreadable(format!("not a webhook of Telnyx at line {} column {}", error.line(), error.column()))
}

fn inbound(said: PayloadIn) -> Result<Event, Unreadable> {
    let from = said.from.ok_or_else(|| Unreadable("from is missing".to_owned()))?;
    let to = said.to.first().ok_or_else(|| Unreadable("to is missing".to_owned()))?;
    // A picture alone has none.
    let text = said.text.unwrap_or_default();
    let opt_out = match said.autoresponse_type.as_deref() {
        Some("STOP" | "OPT_OUT") => Some(CarrierSaid::Stop),
        Some("START" | "OPT_IN") => Some(CarrierSaid::Start),
        Some("HELP") => Some(CarrierSaid::Help),
        Some(_) | None => None,
    };
    let media = said.media.unwrap_or_default().into_iter();
    let received_at = said.received_at.and_then(|text| DateTime::parse_from_rfc3339(&text).ok());
    Ok(Event::Inbound(Inbound {
        opt_out,
        media: media.map(|MediaIn { url, content_type }| Media { url, content_type }).collect(),
        segments: said.parts,
        sent_at: received_at.map(Into::into),
        ..Inbound::new(&said.id, &from.phone_number, &to.phone_number, &text)
    }))
}

/// `reference` is what stands in the address that was called; the tag says the same where that is the profile's.
fn report(said: PayloadIn, reference: Option<&str>) -> Result<Event, Unreadable> {
    let state = said.to.first().and_then(|to| to.status.as_deref());
    let status = match state.ok_or_else(|| Unreadable("to has no status".to_owned()))? {
        // A network that confirms nothing has not said that it failed.
        "queued" | "sending" | "sent" | "delivery_unconfirmed" => ReportStatus::Sent,
        "delivered" => ReportStatus::Delivered,
        "sending_failed" | "delivery_failed" | "expired" => ReportStatus::Failed,
        _ => return Err(Unreadable("a status that is not known here".to_owned())),
    };
    let code = said.errors.unwrap_or_default().first().and_then(codes::ErrorIn::code);
    let class = (status == ReportStatus::Failed).then(|| codes::refused(code.as_deref().unwrap_or_default()));
    let tag = said.tags.and_then(|tags| tags.into_iter().next());
    let reference = reference.map(str::to_owned).or(tag);
    Ok(Event::Report(Report { provider_id: Some(said.id), reference, status, class, note: code }))
}

#[async_trait::async_trait]
impl SmsProvider for Telnyx {
    fn name(&self) -> &str {
        &self.name
    }

    fn authenticate<'a>(&self, hook: &'a Webhook<'a>, now: DateTime<Utc>) -> Result<Authentic<'a>, Forged> {
        self.verify(hook, now)?;
        Ok(Authentic::vouched(hook, now))
    }

    fn parse(&self, proof: Authentic<'_>) -> Result<Vec<Event>, Unreadable> {
        let HookIn { data } = serde_json::from_slice(proof.body()).map_err(|error| unreadable(&error))?;
        let payload = |value: Value| {
            let said: Result<PayloadIn, _> = serde_json::from_value(value);
            said.map_err(|_| Unreadable("a payload of another form".to_owned()))
        };
        let query = Fields::read(proof.hook().query().as_bytes());
        let event = match data.event_type.as_str() {
            "message.received" => inbound(payload(data.payload)?),
            "message.sent" | "message.finalized" => report(payload(data.payload)?, query.filled("ref")),
            _ => Ok(Event::Ignored("an event that is not about a message's way")),
        };
        event.map(|event| vec![event])
    }

    fn acknowledge(&self) -> Acknowledgement {
        Acknowledgement { status: 204, content_type: None, body: "" }
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

    async fn pull(&self, _: &SenderAddress, _: DateTime<Utc>) -> Result<Option<Vec<Inbound>>, SendError> {
        Ok(None)
    }

    async fn check(&self, sender: &SenderAddress, hooks: &Hooks) -> Vec<Finding> {
        self.api.check(sender, hooks).await
    }
}
