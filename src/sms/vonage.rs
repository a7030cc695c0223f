//! Vonage: signed webhooks of its SMS API (`sig`) and of its Messages API (a JWT) in, the SMS API out.

mod api;
mod codes;
mod parts;
mod signature;
#[cfg(test)]
mod tests;

use super::account::{Account, AccountError, Kind};
use super::form::Fields;
use super::hook::number;
use super::{
    Accepted, Acknowledgement, Authentic, CarrierSaid, Event, Finding, Forged, Hooks, Inbound, Lookup, Media, Method,
    Outgoing, Pace, Report, ReportStatus, SendError, SmsProvider, Unreadable, Webhook,
};
use crate::domain::phone::SenderAddress;
use crate::net::Client;
use api::Api;
use chrono::{DateTime, NaiveDateTime, Utc};
use parts::{Part, Parts};
use serde_json::{Map, Value};
use signature::Keys;
use std::sync::Arc;

/// What its accounts are made of.
pub(super) const KIND: Kind = Kind {
    word: "vonage",
    base_url: Some("https://rest.nexmo.com"),
    needs: &["api_key", "api_secret", "signature_secret"],
    takes: &["signature_secret_before", "signature_method", "application", "opt_out_assist"],
    build: |account, client| Ok(Arc::new(Vonage::new(account, client)?)),
};

/// One account at Vonage.
#[derive(Debug)]
pub(super) struct Vonage {
    name: String,
    keys: Keys,
    /// Long texts come in parts.
    parts: Parts,
    assist: Assist,
    api: Api,
}

/// Who answers STOP on its short codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Assist {
    /// We do.
    Off,
    /// Vonage does, to its own fixed words, and refuses what we send later.
    On,
}

impl Vonage {
    fn new(account: &Account, client: &Client) -> Result<Self, AccountError> {
        let assist = match account.maybe("opt_out_assist").as_ref().map(|word| word.expose().as_str()) {
            None | Some("false") => Assist::Off,
            Some("true") => Assist::On,
            Some(_) => return Err(account.misfit("opt_out_assist", "true or false")),
        };
        let (keys, api) = (Keys::new(account)?, Api::new(account, client)?);
        Ok(Self { name: account.name.clone(), keys, parts: Parts::default(), assist, api })
    }

    /// A text of the SMS API, or a part of one.
    fn text(&self, fields: &Fields, now: DateTime<Utc>) -> Result<Event, Unreadable> {
        if fields.get("type") == Some("binary") {
            return Ok(Event::Ignored("a binary message"));
        }
        let (id, from, to) = (fields.need("messageId")?, number(fields.need("msisdn")?), number(fields.need("to")?));
        let text = fields.get("text").ok_or_else(|| Unreadable("text is missing".to_owned()))?;
        let sent_at = fields.filled("message-timestamp").and_then(moment);
        let (id, text, segments) = match Part::read(fields, &from, &to) {
            None => (id.to_owned(), text.to_owned(), None),
            Some(part) => match self.parts.take(&part, id, text, sent_at, now) {
                Some(whole) => (whole.id, whole.text, Some(whole.segments)),
                None => return Ok(Event::Later("the other parts of a long text")),
            },
        };
        let opt_out = self.answered(&text);
        Ok(Event::Inbound(Inbound { opt_out, segments, sent_at, ..Inbound::new(&id, &from, &to, &text) }))
    }

    /// What Opt-out Assist has answered already: it says so nowhere, but its words are fixed.
    fn answered(&self, text: &str) -> Option<CarrierSaid> {
        if self.assist == Assist::Off {
            return None;
        }
        match text.trim().to_ascii_uppercase().as_str() {
            "STOP" | "END" | "QUIT" | "CANCEL" | "UNSUBSCRIBE" => Some(CarrierSaid::Stop),
            "START" | "JOIN" => Some(CarrierSaid::Start),
            "HELP" => Some(CarrierSaid::Help),
            _ => None,
        }
    }

    /// A delivery receipt of the SMS API.
    fn receipt(&self, fields: &Fields, state: &str) -> Result<Event, Unreadable> {
        let status = match state {
            "accepted" | "buffered" | "unknown" => ReportStatus::Sent,
            "delivered" => ReportStatus::Delivered,
            "expired" | "failed" | "rejected" => ReportStatus::Failed,
            _ => return Err(Unreadable("a status that is not known here".to_owned())),
        };
        let code = fields.filled("err-code").filter(|code| *code != "0");
        let class =
            (status == ReportStatus::Failed).then(|| codes::undelivered(state, code, self.assist == Assist::On));
        report(fields.filled("messageId"), fields.filled("client-ref"), status, class, code)
    }

    /// A webhook of the Messages API, which joins long texts by itself.
    fn message(&self, object: &Map<String, Value>) -> Result<Event, Unreadable> {
        let fields = Fields::flat(object);
        let id = fields.need("message_uuid")?;
        if let Some(state) = fields.filled("status") {
            return self.message_status(object, &fields, id, state);
        }
        if !matches!(fields.get("channel"), Some("sms" | "mms")) {
            return Ok(Event::Ignored("a message of another channel"));
        }
        let (from, to) = (number(fields.need("from")?), number(fields.need("to")?));
        // A picture alone has none.
        let text = fields.get("text").unwrap_or_default();
        let media = ["image", "video", "audio", "file", "vcard"].into_iter().filter_map(|kind| {
            let url = object.get(kind)?.get("url")?.as_str()?.to_owned();
            Some(Media { url, content_type: None })
        });
        let sms = object.get("sms").and_then(Value::as_object).map(Fields::flat);
        let segments = sms.and_then(|sms| sms.filled("num_messages")?.parse().ok());
        let sent_at = fields.filled("timestamp").and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        Ok(Event::Inbound(Inbound {
            opt_out: self.answered(text),
            media: media.collect(),
            segments,
            sent_at: sent_at.map(Into::into),
            ..Inbound::new(id, &from, &to, text)
        }))
    }

    fn message_status(
        &self,
        object: &Map<String, Value>,
        fields: &Fields,
        id: &str,
        state: &str,
    ) -> Result<Event, Unreadable> {
        let status = match state {
            "submitted" => ReportStatus::Sent,
            "delivered" | "read" => ReportStatus::Delivered,
            "rejected" | "undeliverable" => ReportStatus::Failed,
            _ => return Err(Unreadable("a status that is not known here".to_owned())),
        };
        let error = object.get("error").and_then(Value::as_object).map(Fields::flat);
        let code = error.as_ref().and_then(|error| error.filled("title"));
        let class =
            (status == ReportStatus::Failed).then(|| codes::undelivered(state, code, self.assist == Assist::On));
        report(Some(id), fields.filled("client_ref"), status, class, code)
    }
}

fn report(
    id: Option<&str>,
    reference: Option<&str>,
    status: ReportStatus,
    class: Option<super::Refused>,
    code: Option<&str>,
) -> Result<Event, Unreadable> {
    if id.or(reference).is_none() {
        return Err(Unreadable("messageId is missing".to_owned()));
    }
    let [provider_id, reference, note] = [id, reference, code].map(|text| text.map(str::to_owned));
    Ok(Event::Report(Report { provider_id, reference, status, class, note }))
}

/// `2026-01-01 00:00:00`, in UTC.
fn moment(text: &str) -> Option<DateTime<Utc>> {
    NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok().map(|at| at.and_utc())
}

fn is_json(hook: &Webhook<'_>) -> bool {
    hook.header("content-type").is_some_and(|kind| kind.starts_with("application/json"))
}

/// The object of a JSON body; `None` for anything else.
fn object_of(hook: &Webhook<'_>) -> Option<Map<String, Value>> {
    match serde_json::from_slice(hook.body).ok()? {
        Value::Object(object) => Some(object),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    }
}

/// The fields of a webhook of the SMS API, which an account may have by GET, as a form or as JSON.
fn fields_of(hook: &Webhook<'_>) -> Option<Fields> {
    match hook.method {
        Method::Get => Some(Fields::read(hook.query().as_bytes())),
        Method::Post if is_json(hook) => object_of(hook).map(|object| Fields::flat(&object)),
        Method::Post => Some(Fields::read(hook.body)),
    }
}

#[async_trait::async_trait]
impl SmsProvider for Vonage {
    fn name(&self) -> &str {
        &self.name
    }

    fn authenticate<'a>(&self, hook: &'a Webhook<'a>, now: DateTime<Utc>) -> Result<Authentic<'a>, Forged> {
        match signature::bearer(hook) {
            Some(token) => self.keys.verify_token(token, hook.body, now)?,
            None => self.keys.verify_fields(&fields_of(hook).ok_or(Forged::Mismatch)?, now)?,
        }
        Ok(Authentic::vouched(hook, now))
    }

    fn parse(&self, proof: Authentic<'_>) -> Result<Vec<Event>, Unreadable> {
        let (hook, now) = (proof.hook(), proof.at());
        if signature::bearer(hook).is_some() {
            let object = object_of(hook).ok_or_else(|| Unreadable("not an object of JSON".to_owned()))?;
            return self.message(&object).map(|event| vec![event]);
        }
        let fields = fields_of(hook).ok_or_else(|| Unreadable("not an object of JSON".to_owned()))?;
        let event = match fields.filled("status") {
            Some(state) => self.receipt(&fields, state),
            None => self.text(&fields, now),
        };
        event.map(|event| vec![event])
    }

    fn acknowledge(&self) -> Acknowledgement {
        Acknowledgement { status: 200, content_type: None, body: "" }
    }

    fn pace(&self) -> Pace {
        Pace::PerSender
    }

    async fn send(&self, out: &Outgoing) -> Result<Accepted, SendError> {
        self.api.send(out).await
    }

    /// Its search by number and day is gone; a receipt settles a doubt, as it has our own name of the message.
    async fn lookup(&self, _: &Outgoing) -> Result<Lookup, SendError> {
        Ok(Lookup::CannotSay)
    }

    async fn pull(&self, _: &SenderAddress, _: DateTime<Utc>) -> Result<Option<Vec<Inbound>>, SendError> {
        Ok(None)
    }

    async fn check(&self, sender: &SenderAddress, hooks: &Hooks) -> Vec<Finding> {
        self.api.check(sender, hooks).await
    }
}
