//! What partners say of their endpoints, and what they read.

use crate::domain::address::Allowed;
use crate::domain::feed::{Codes, Cursor, FeedKind};
use crate::domain::webhook::{Disabled, WantedEvents};
use crate::engine::{Endpoint, EndpointChange, NewEndpoint, WaitingDelivery};
use crate::http::problem::Problem;
use chrono::{DateTime, Utc};
use reqwest::Url;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Characters of the longest address.
const URL_CHARS: usize = 2_000;
/// Deliveries of a page where nothing is said, and the most.
const DELIVERIES: (u32, u32) = (100, 500);

/// A new endpoint.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EndpointIn {
    /// An https address on the public internet.
    #[schema(max_length = 2000, example = "https://hooks.example.com/codewell")]
    url: String,
    /// The types of events that are sent; all where it is empty or left out.
    #[serde(default)]
    #[schema(example = json!(["redeemed", "rolled_back"]))]
    events: Vec<String>,
    /// `ending` (default): the last four characters of a code; `full`: all of it.
    #[serde(default)]
    #[schema(example = "ending")]
    codes: Option<String>,
}

/// What changes of an endpoint.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EndpointPatch {
    /// An https address on the public internet.
    #[serde(default)]
    #[schema(max_length = 2000, example = "https://hooks.example.com/codewell")]
    url: Option<String>,
    /// The types of events that are sent; all where it is empty.
    #[serde(default)]
    #[schema(example = json!(["redeemed", "rolled_back"]))]
    events: Option<Vec<String>>,
    /// `ending` or `full`.
    #[serde(default)]
    #[schema(example = "full")]
    codes: Option<String>,
    /// `active` or `disabled`.
    #[serde(default)]
    #[schema(example = "active")]
    status: Option<String>,
}

/// Since when events are sent once more.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReplayIn {
    /// A cursor, or the id of the last event that need not come again.
    #[schema(example = "fc_0000000000000000")]
    pub(super) after: String,
}

/// Which deliveries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DeliveriesIn {
    /// The `next_cursor` of the page before.
    #[serde(default)]
    after: Option<String>,
    /// How many at most; 100 where it is left out.
    #[param(minimum = 1, maximum = 500)]
    #[serde(default)]
    limit: Option<u32>,
}

impl EndpointIn {
    pub(super) fn read(self, allowed: &Allowed) -> Result<NewEndpoint, Problem> {
        let mut errors = Vec::new();
        let url = address(&self.url, allowed).map_err(|error| errors.push(error)).unwrap_or_default();
        let events = wanted(&self.events).map_err(|error| errors.push(error)).unwrap_or_default();
        let codes = self.codes.as_deref().map_or(Ok(Codes::Ending), shown).map_err(|error| errors.push(error));
        match codes {
            Ok(codes) if errors.is_empty() => Ok(NewEndpoint { url, events, codes }),
            Ok(_) | Err(()) => Err(Problem::invalid(&errors)),
        }
    }
}

impl EndpointPatch {
    pub(super) fn read(self, allowed: &Allowed) -> Result<EndpointChange, Problem> {
        let mut errors = Vec::new();
        let mut keep = |error| errors.push(error);
        let change = EndpointChange {
            url: self.url.and_then(|url| address(&url, allowed).map_err(&mut keep).ok()),
            events: self.events.and_then(|events| wanted(&events).map_err(&mut keep).ok()),
            codes: self.codes.and_then(|codes| shown(&codes).map_err(&mut keep).ok()),
            disabled: self.status.and_then(|status| match status.as_str() {
                "active" => Some(None),
                "disabled" => Some(Some(Disabled::ByPartner)),
                _ => {
                    keep("status: active or disabled".to_owned());
                    None
                }
            }),
        };
        if errors.is_empty() { Ok(change) } else { Err(Problem::invalid(&errors)) }
    }
}

impl DeliveriesIn {
    pub(super) fn read(&self) -> Result<(Option<i64>, u32), Problem> {
        let (usual, most) = DELIVERIES;
        let limit = self.limit.unwrap_or(usual);
        let after = self.after.as_deref().map(str::parse).transpose();
        match after {
            Ok(after) if (1..=most).contains(&limit) => Ok((after, limit)),
            Ok(_) => Err(Problem::invalid(&[format!("limit: 1 to {most}")])),
            Err(_) => Err(Problem::invalid(&["after: a next_cursor of this list".to_owned()])),
        }
    }
}

/// An address that may be called. Where its name leads is looked at when it is called.
fn address(text: &str, allowed: &Allowed) -> Result<String, String> {
    let wrong = |why: &str| Err(format!("url: {why}"));
    let Some(url) = Url::parse(text).ok().filter(|_| text.len() <= URL_CHARS) else {
        return wrong("an https address, such as https://hooks.example/codewell");
    };
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return wrong("an https address with a host");
    };
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return wrong("without user name, password and fragment");
    }
    if allowed.names(host, port) && matches!(url.scheme(), "https" | "http") {
        return Ok(url.into());
    }
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if url.scheme() != "https" {
        return wrong("only https addresses are called");
    }
    if bare.parse().is_ok_and(|address| !allowed.admits(address)) {
        return wrong("the address is not on the public internet");
    }
    Ok(url.into())
}

fn wanted(words: &[String]) -> Result<WantedEvents, String> {
    let kinds = words.iter().map(|word| FeedKind::parse(word)).collect::<Option<Vec<_>>>();
    let all = || FeedKind::ALL.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(", ");
    kinds.map(WantedEvents::new).ok_or_else(|| format!("events: some of {}", all()))
}

fn shown(word: &str) -> Result<Codes, String> {
    Codes::parse(word).ok_or_else(|| "codes: ending or full".to_owned())
}

/// An endpoint as its partner sees it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EndpointOut {
    #[schema(example = "we_5b3c0a917d5e4f2a8c6b1d0e9f7a2c44")]
    id: String,
    #[schema(example = "https://hooks.example.com/codewell")]
    url: String,
    /// The types that are sent.
    #[schema(example = json!(["redeemed", "rolled_back"]))]
    events: Vec<&'static str>,
    /// `ending` or `full`.
    #[schema(example = "ending")]
    codes: &'static str,
    /// `active` or `disabled`.
    #[schema(example = "active")]
    status: &'static str,
    /// `by_partner`, `gone` or `failing`.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_why: Option<&'static str>,
    created_at: DateTime<Utc>,
    /// Every event up to this was delivered or waits among the deliveries.
    #[schema(example = "fc_0000000000000002")]
    cursor: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivered_at: Option<DateTime<Utc>>,
    /// Since when nothing was taken any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_since: Option<DateTime<Utc>>,
    /// In the answer that made it alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")]
    secret: Option<String>,
}

impl EndpointOut {
    pub(super) fn new(endpoint: &Endpoint, secret: Option<&String>) -> Self {
        Self {
            id: endpoint.id.to_string(),
            url: endpoint.url.clone(),
            events: endpoint.events.kinds().map(FeedKind::word).collect(),
            codes: endpoint.codes.word(),
            status: if endpoint.disabled.is_some() { "disabled" } else { "active" },
            disabled_why: endpoint.disabled.map(Disabled::word),
            created_at: endpoint.created_at,
            cursor: Cursor(endpoint.taken_no).to_string(),
            delivered_at: endpoint.health.delivered_at,
            failing_since: endpoint.health.failing_since,
            secret: secret.cloned(),
        }
    }
}

/// The partner's endpoints; there are few, so there is one page.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EndpointsOut {
    data: Vec<EndpointOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl EndpointsOut {
    pub(super) fn new(endpoints: &[Endpoint]) -> Self {
        Self { data: endpoints.iter().map(|one| EndpointOut::new(one, None)).collect(), next_cursor: None }
    }
}

/// A new secret.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SecretOut {
    #[schema(example = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")]
    pub(super) secret: String,
    /// Until then every event is signed with the old secret too.
    pub(super) previous_valid_until: DateTime<Utc>,
}

/// An event for trying out.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TrialOut {
    /// Its id.
    #[schema(example = "evt_acme-deals_test_1")]
    pub(super) event: String,
}

/// Events that were not taken yet.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeliveriesOut {
    data: Vec<DeliveryOut>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// An event that was not taken yet.
#[derive(Debug, Serialize, ToSchema)]
struct DeliveryOut {
    /// The id of the event.
    #[schema(example = "evt_acme-deals_7")]
    event: String,
    attempts: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
}

impl DeliveriesOut {
    pub(super) fn new(waiting: Vec<WaitingDelivery>, limit: u32) -> Self {
        let is_full = u32::try_from(waiting.len()).is_ok_and(|count| count >= limit);
        let next_cursor = waiting.last().filter(|_| is_full).map(|one| one.cursor.to_string());
        let out = |one: WaitingDelivery| DeliveryOut {
            event: one.event,
            attempts: one.attempts,
            next_at: one.next_at,
            last_status: one.last_status,
            last_error: one.last_error,
        };
        Self { data: waiting.into_iter().map(out).collect(), next_cursor }
    }
}
