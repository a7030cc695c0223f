//! How a peer's own shapes lie over the Simple Redemption Contract.

use super::super::signature::{Algorithm, Encoding};
use crate::net::Method;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use thiserror::Error;

/// Our contract as a mapping; what a peer's mapping leaves out stands here.
const CONTRACT: &str = include_str!("contract.toml");

/// Why a mapping is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the mapping: {0}")]
pub struct BadMapping(pub String);

/// How a peer's shapes lie over ours; src/redemption/http/contract.toml says what each key is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mapping {
    pub(super) without: Vec<Part>,
    pub(super) lag_s: u64,
    pub(super) idempotency_header: String,
    pub(super) rollback_rearms: bool,
    pub(super) auth: AuthMap,
    pub(super) validate: CallMap,
    pub(super) redeem: CallMap,
    pub(super) find: CallMap,
    pub(super) rollback: CallMap,
    pub(super) events: CallMap,
    pub(super) codes: CallMap,
    pub(super) health: CallMap,
    pub(super) fields: Fields,
    pub(super) event: EventFields,
    pub(super) event_kinds: BTreeMap<String, Kind>,
    pub(super) reason_map: BTreeMap<String, String>,
    pub(super) status_map: BTreeMap<String, String>,
    pub(super) webhook: HookMap,
}

/// What a peer may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Part {
    Redeem,
    Rollback,
    Find,
    Events,
    Codes,
    Webhook,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    Redeemed,
    RolledBack,
    StateChanged,
    Ignored,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum AuthKind {
    Auto,
    None,
    Basic,
    Header,
    Bearer,
    OAuth2,
    Hmac,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AuthMap {
    pub(super) kind: AuthKind,
    pub(super) header: String,
    pub(super) prefix: String,
    pub(super) token_url: String,
    pub(super) scope: String,
    pub(super) algorithm: Algorithm,
    pub(super) encoding: Encoding,
    pub(super) signed: String,
    pub(super) timestamp_header: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum BodyType {
    Json,
    Form,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallMap {
    #[serde(deserialize_with = "method")]
    pub(super) method: Method,
    pub(super) url: String,
    pub(super) headers: BTreeMap<String, String>,
    #[serde(rename = "type")]
    pub(super) body_type: BodyType,
    pub(super) body: String,
    pub(super) success: Success,
    pub(super) reason: String,
}

/// When a 2xx means yes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Success {
    pub(super) pointer: String,
    #[serde(default)]
    pub(super) is: Option<Value>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fields {
    pub(super) as_of: String,
    pub(super) redeemed_at: String,
    pub(super) starts_at: String,
    pub(super) expires_at: String,
    pub(super) redemption_id: String,
    pub(super) discount_amount: String,
    pub(super) discount_currency: String,
    pub(super) items: String,
    pub(super) next: String,
    pub(super) more: String,
    pub(super) code: String,
    pub(super) code_status: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventFields {
    pub(super) items: String,
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) code: String,
    pub(super) redemption_id: String,
    pub(super) at: String,
    pub(super) store: String,
    pub(super) order: String,
    pub(super) amount: String,
    pub(super) currency: String,
    pub(super) status: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Scheme {
    Stamped,
    Plain,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HookMap {
    pub(super) header: String,
    pub(super) scheme: Scheme,
    pub(super) prefix: String,
    pub(super) algorithm: Algorithm,
    pub(super) encoding: Encoding,
    pub(super) signed: String,
    pub(super) timestamp_header: String,
    pub(super) timestamp_pointer: String,
    pub(super) tolerance_s: u64,
}

fn method<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Method, D::Error> {
    let text = String::deserialize(deserializer)?;
    let known = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    known.into_iter().find(|method| method.as_str() == text).ok_or_else(|| serde::de::Error::custom("no method"))
}

impl Mapping {
    /// The contract with a peer's own mapping, a TOML text, laid over it.
    ///
    /// # Errors
    /// [`BadMapping`] for what is no TOML, no key of the contract, or no word of ours.
    pub(super) fn over_contract(own: &str) -> Result<Self, BadMapping> {
        let read = |text: &str| text.parse::<toml::Table>().map_err(|error| BadMapping(error.message().to_owned()));
        let mut whole = read(CONTRACT)?;
        lay_over(&mut whole, read(own)?);
        let mapping: Self =
            whole.try_into().map_err(|error: toml::de::Error| BadMapping(error.message().to_owned()))?;
        mapping.checked()
    }

    pub(super) fn has(&self, part: Part) -> bool {
        !self.without.contains(&part)
    }

    fn checked(mut self) -> Result<Self, BadMapping> {
        self.webhook.header.make_ascii_lowercase();
        self.webhook.timestamp_header.make_ascii_lowercase();
        let words = self.reason_map.values().chain(self.status_map.values());
        for word in words {
            if super::read::meaning_of(word).is_none() {
                return Err(BadMapping(format!("{word:?} is none of our words")));
            }
        }
        if let Some(key) = self.status_map.keys().find(|key| key.parse::<u16>().is_err()) {
            return Err(BadMapping(format!("status_map: {key:?} is no status")));
        }
        Ok(self)
    }
}

/// Lays `own` over `whole`: tables key by key, all else replaces what was there.
fn lay_over(whole: &mut toml::Table, own: toml::Table) {
    for (key, value) in own {
        match (whole.get_mut(&key), value) {
            // A test is one thing: another pointer without "is" must not keep the old one's.
            (Some(toml::Value::Table(under)), toml::Value::Table(over)) if key != "success" => lay_over(under, over),
            (_, value) => {
                whole.insert(key, value);
            }
        }
    }
}
