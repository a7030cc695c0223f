//! Our own signed JSON, for gateways that somebody writes against us: docs/adding-a-carrier.md says all of it.
//!
//! Both directions carry `X-Signature: t=<unix seconds>,v1=<hex>`; see [`Signing`].

use super::account::{Account, AccountError, Kind};
use super::hook::number;
use super::signing::{HEADER, Signing};
use super::{
    Accepted, Acknowledgement, Authentic, CarrierSaid, Event, Finding, Forged, Hooks, Inbound, Lookup, Media, Outgoing,
    Pace, Refused, Report, ReportStatus, SendError, SmsProvider, Unreadable, Webhook,
};
use crate::domain::phone::SenderAddress;
use crate::net::{Answer, Call, Client, Method, Url};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// What its accounts are made of.
pub(super) const KIND: Kind = Kind {
    word: "generic",
    base_url: None,
    needs: &["secret"],
    takes: &["secret_before"],
    build: |account, client| Ok(Arc::new(Generic::new(account, client)?)),
};

/// Shorter secrets can be guessed from one signed webhook.
const MIN_SECRET: usize = 16;
/// The wait after a 429 that names none.
const WAIT: Duration = Duration::from_secs(2);

/// One gateway.
#[derive(Debug)]
pub(super) struct Generic {
    name: String,
    signing: Signing,
    client: Client,
    url: Url,
}

impl Generic {
    fn new(account: &Account, client: &Client) -> Result<Self, AccountError> {
        let secret = account.need(&KIND, "secret")?;
        let before = account.maybe("secret_before");
        for (key, secret) in [("secret", Some(&secret)), ("secret_before", before.as_ref())] {
            if secret.is_some_and(|secret| secret.expose().len() < MIN_SECRET) {
                return Err(account.misfit(key, "at least 16 characters"));
            }
        }
        let signing = Signing::of_text(&secret);
        let signing = before.iter().fold(signing, Signing::or_text_before);
        Ok(Self { name: account.name.clone(), signing, client: client.clone(), url: account.base_url(&KIND)? })
    }
}

#[derive(Deserialize)]
struct TextIn {
    id: String,
    from: String,
    to: String,
    text: String,
    opt_out: Option<String>,
    #[serde(default)]
    media: Vec<MediaIn>,
    segments: Option<u16>,
    received_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
struct MediaIn {
    url: String,
    content_type: Option<String>,
}

#[derive(Deserialize)]
struct StatusIn {
    id: Option<String>,
    reference: Option<String>,
    status: String,
    reason: Option<String>,
    code: Option<String>,
}

#[derive(Deserialize)]
struct TakenIn {
    id: Option<String>,
    segments: Option<u16>,
}

#[derive(Deserialize, Default)]
struct RefusalIn {
    reason: Option<String>,
    code: Option<String>,
}

fn unreadable(error: &serde_json::Error) -> Unreadable {
    // serde_json quotes what it met; the place is enough and holds nobody's words.
    Unreadable(format!("not a webhook of ours at line {} column {}", error.line(), error.column()))
}

/// Reads a body: one object or a list of them, each a text or a report.
pub(super) fn events(body: &[u8]) -> Result<Vec<Event>, Unreadable> {
    let items = match serde_json::from_slice(body).map_err(|error| unreadable(&error))? {
        Value::Array(items) => items,
        one @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_)) => vec![one],
    };
    let read = |item| event(item).unwrap_or_else(Event::Unreadable);
    Ok(items.into_iter().map(read).collect())
}

fn event(item: Value) -> Result<Event, Unreadable> {
    if item.get("status").is_some() {
        return report(serde_json::from_value(item).map_err(|error| unreadable(&error))?);
    }
    let said: TextIn = serde_json::from_value(item).map_err(|error| unreadable(&error))?;
    if said.id.is_empty() {
        return Err(Unreadable("a text without an id".to_owned()));
    }
    let opt_out = match said.opt_out.as_deref() {
        None => None,
        Some("stop") => Some(CarrierSaid::Stop),
        Some("start") => Some(CarrierSaid::Start),
        Some("help") => Some(CarrierSaid::Help),
        Some(_) => return Err(Unreadable("opt_out is none of stop, start, help".to_owned())),
    };
    let media = said.media.into_iter().map(|MediaIn { url, content_type }| Media { url, content_type });
    Ok(Event::Inbound(Inbound {
        opt_out,
        media: media.collect(),
        segments: said.segments,
        sent_at: said.received_at,
        ..Inbound::new(&said.id, &number(&said.from), &number(&said.to), &said.text)
    }))
}

fn report(said: StatusIn) -> Result<Event, Unreadable> {
    let StatusIn { id, reference, status, reason, code } = said;
    if id.is_none() && reference.is_none() {
        return Err(Unreadable("a report without id and reference".to_owned()));
    }
    let status = match status.as_str() {
        "sent" => ReportStatus::Sent,
        "delivered" => ReportStatus::Delivered,
        "failed" => ReportStatus::Failed,
        _ => return Err(Unreadable("status is none of sent, delivered, failed".to_owned())),
    };
    let class = (status == ReportStatus::Failed).then(|| refused(reason.as_deref()).unwrap_or(Refused::Other));
    Ok(Event::Report(Report { provider_id: id, reference, status, class, note: code }))
}

/// The reasons a gateway may give, which are our own words.
fn refused(reason: Option<&str>) -> Option<Refused> {
    use Refused::{Expired, Filtered, InvalidRecipient, OptedOut, Other};
    let all = [InvalidRecipient, OptedOut, Filtered, Expired, Other];
    all.into_iter().find(|refused| Some(refused.word()) == reason)
}

#[async_trait::async_trait]
impl SmsProvider for Generic {
    fn name(&self) -> &str {
        &self.name
    }

    fn authenticate<'a>(&self, hook: &'a Webhook<'a>, now: DateTime<Utc>) -> Result<Authentic<'a>, Forged> {
        self.signing.verify(hook, now)?;
        Ok(Authentic::vouched(hook, now))
    }

    fn parse(&self, proof: Authentic<'_>) -> Result<Vec<Event>, Unreadable> {
        events(proof.body())
    }

    fn acknowledge(&self) -> Acknowledgement {
        Acknowledgement { status: 204, content_type: None, body: "" }
    }

    fn pace(&self) -> Pace {
        Pace::PerSender
    }

    async fn send(&self, out: &Outgoing) -> Result<Accepted, SendError> {
        let body = json!({
            "reference": out.message_ref(),
            "from": out.from.as_str(),
            "to": out.to.expose(),
            "text": out.body,
            "segments": out.segments,
            "status_url": out.status_url,
        });
        let body = body.to_string().into_bytes();
        let headers = vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            (HEADER.to_owned(), self.signing.sign(&body, out.at)),
        ];
        let call = Call { method: Method::POST, url: self.url.clone(), headers, body, within: None };
        let answer = self.client.call(call).await?;
        if !answer.is_success() {
            return Err(refusal(&answer));
        }
        // A gateway need not name it: its reports may use our reference.
        let taken = serde_json::from_slice(&answer.body).unwrap_or(TakenIn { id: None, segments: None });
        Ok(Accepted { provider_id: taken.id, segments: taken.segments.unwrap_or(out.segments) })
    }

    async fn lookup(&self, _: &Outgoing) -> Result<Lookup, SendError> {
        Ok(Lookup::CannotSay)
    }

    async fn pull(&self, _: &SenderAddress, _: DateTime<Utc>) -> Result<Option<Vec<Inbound>>, SendError> {
        Ok(None)
    }

    async fn check(&self, sender: &SenderAddress, hooks: &Hooks) -> Vec<Finding> {
        let say = format!("the gateway posts texts to {sender} to {}, reports to {}", hooks.inbound, hooks.status);
        let host = self.url.host_str().unwrap_or_default();
        let mut found = vec![Finding::ok(format!("messages go to {host}; {say}"))];
        if self.url.scheme() != "https" {
            let next = "give base_url with https:// unless the gateway runs on this machine or in your own network";
            found.push(Finding::warn(format!("numbers and texts go to {host} unencrypted"), next));
        }
        found
    }
}

/// A 5xx is ambiguous but for 503, by which a gateway says that it has taken nothing.
fn refusal(answer: &Answer) -> SendError {
    let said: RefusalIn = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = said.code.unwrap_or_else(|| answer.status.to_string());
    let detail = format!("status {}", answer.status);
    match answer.status {
        429 => SendError::Throttled { retry_after: answer.retry_after().unwrap_or(WAIT) },
        503 => SendError::Transient { detail },
        300..=399 | 401 | 403 | 404 => SendError::Config { code, detail },
        400..=499 if answer.status != 408 => {
            let class = refused(said.reason.as_deref()).unwrap_or(Refused::Other);
            SendError::Permanent { class, code, detail: class.word().to_owned() }
        }
        _ => SendError::Ambiguous { detail },
    }
}
