//! Voucherify (API v2018-08-01): <https://docs.voucherify.io>. Codes are case-sensitive and unique in the project.
//!
//! A code's state is read from its voucher, which also says whether somebody else has published it. With
//! `publish_state = "trust"` in the mapping 30 codes are validated in one call instead; that is for campaigns whose
//! codes nobody else gives out, and for projects that apply redeemables partially.

mod hook;
mod read;
#[cfg(test)]
mod tests;

use super::encoding::percent;
use super::signature::{Algorithm, Encoding, Marks};
use super::wire::{Wire, failure, json};
use super::{
    Authentic, Authority, BadMapping, CallContext, Capabilities, Effect, EventPage, Forged, Health, Idempotency,
    ImportPage, Peer, PeerError, PeerEvent, PeerSettings, Reading, Reason, Redeem, Redemption, Rollback, Unreadable,
    Webhook,
};
use crate::domain::code::Code;
use crate::domain::secret::Secret;
use crate::net::{Answer, Call, Method, Url};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// Redeemables that one validation may name.
const BATCH: usize = 30;
/// The field of a redemption's metadata that holds our reference.
const REFERENCE: &str = "codewell_reference";
/// What `import` is given for an export that was ordered.
const EXPORT: &str = "export:";

/// What its mapping file may say.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    #[serde(default)]
    publish_state: PublishState,
}

/// Whether codes that others give out are told from ours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum PublishState {
    /// Each code is looked at.
    #[default]
    Look,
    /// Nobody else gives these codes out.
    Trust,
}

/// A Voucherify project.
#[derive(Debug)]
pub struct Voucherify {
    name: String,
    base_url: Url,
    app_id: String,
    token: Secret<String>,
    capabilities: Capabilities,
    publish_state: PublishState,
    marks: Marks,
    wire: Wire,
    /// For exports: a campaign of 100 000 codes takes some 10 MB.
    downloads: Wire,
}

impl Voucherify {
    /// A project by its settings: `user` is the application id, `secret` its token.
    ///
    /// # Errors
    /// [`BadMapping`] for options that are none.
    pub(super) fn new(
        settings: &PeerSettings,
        (app_id, token): (String, Secret<String>),
        wire: Wire,
        downloads: Wire,
    ) -> Result<Self, BadMapping> {
        let text = settings.mapping.as_deref().unwrap_or_default();
        let options: Options = toml::from_str(text).map_err(|error| BadMapping(error.message().to_owned()))?;
        let capabilities = Capabilities {
            can_redeem: true,
            can_rollback: true,
            can_find_redemption: true,
            can_import: true,
            pushes_events: !settings.webhook_secrets.is_empty(),
            polls_events: false,
            rollback_rearms: true,
            batch_max: if options.publish_state == PublishState::Trust { BATCH } else { 1 },
            quota_per_minute: settings.quota_per_minute,
            authority: Authority::Strong,
            idempotency: Idempotency::ByReference,
        };
        Ok(Self {
            name: settings.name.clone(),
            base_url: settings.base_url.clone(),
            app_id,
            token,
            capabilities,
            publish_state: options.publish_state,
            marks: Marks::new(&settings.webhook_secrets, Algorithm::Sha256, Encoding::Hex),
            wire,
            downloads,
        })
    }

    /// Asks once; a 4xx that speaks of what was asked is an answer.
    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        context: &CallContext<'_>,
    ) -> Result<Answer, PeerError> {
        let changes = path.starts_with("v1/redemptions");
        let effect = if changes { Effect::Unknown } else { Effect::None };
        let address = format!("{}/{path}", self.base_url.as_str().trim_end_matches('/'));
        let url = Url::parse(&address).map_err(|_| PeerError::Protocol("no address".to_owned()))?;
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let headers = vec![
            header("accept", "application/json"),
            header("content-type", "application/json"),
            header("x-app-id", &self.app_id),
            header("x-app-token", self.token.expose()),
            header("x-voucherify-api-version", "v2018-08-01"),
            header("x-voucherify-channel", "codewell"),
        ];
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let call = Call { method, url, headers, body, within: Some(context.within) };
        let answer = self.wire.call(call, effect).await?;
        if answer.status == 429 {
            let retry_after = rate_wait(&answer, context.now);
            return Err(PeerError::RateLimited { retry_after });
        }
        failure(&answer, effect).map_or(Ok(answer), Err)
    }

    /// How a code stands by its voucher.
    async fn look(&self, code: &Code, context: &CallContext<'_>) -> Result<Reading, PeerError> {
        let path = format!("v1/vouchers/{}", percent(code.expose()));
        let answer = self.call(Method::GET, &path, None, context).await?;
        let status = if answer.status == 404 {
            super::Status::Unknown
        } else if answer.is_success() {
            read::voucher(&json(&answer)?, context.now)?
        } else {
            return Err(read::refusal(&answer));
        };
        Ok(reading(status, None, context))
    }

    /// Codes in one validation; what it skips is looked at one by one.
    async fn validate_together(
        &self,
        codes: &[Code],
        context: &CallContext<'_>,
    ) -> Result<BTreeMap<String, Result<Reading, PeerError>>, PeerError> {
        let redeemables: Vec<_> =
            codes.iter().map(|code| json!({ "object": "voucher", "id": code.expose() })).collect();
        let body = json!({ "redeemables": redeemables });
        let answer = self.call(Method::POST, "v1/validations", Some(body), context).await?;
        if !answer.is_success() {
            return Err(read::refusal(&answer));
        }
        let told = read::validation(&json(&answer)?);
        let told = told.into_iter().map(|(id, said)| (id, said.map(|(status, key)| reading(status, key, context))));
        Ok(told.collect())
    }
}

fn reading(status: super::Status, reason: Option<String>, context: &CallContext<'_>) -> Reading {
    Reading { status, as_of: context.now, authority: Authority::Strong, reason }
}

/// `Retry-After`, else `X-Rate-Limit-Retry` (epoch seconds), else a second.
fn rate_wait(answer: &Answer, now: DateTime<Utc>) -> Duration {
    let until = answer.header("x-rate-limit-retry").and_then(|text| text.trim().parse::<i64>().ok());
    let wait = until.and_then(|until| u64::try_from(until - now.timestamp()).ok()).map(Duration::from_secs);
    answer.retry_after().or(wait).unwrap_or(Duration::from_secs(1))
}

#[async_trait::async_trait]
impl Peer for Voucherify {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        super::registry::VOUCHERIFY
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn validate(&self, codes: &[Code], context: &CallContext<'_>) -> Vec<Result<Reading, PeerError>> {
        let mut told = match self.publish_state {
            PublishState::Look => BTreeMap::new(),
            PublishState::Trust => match self.validate_together(codes, context).await {
                Ok(told) => told,
                Err(error) => return codes.iter().map(|_| Err(error.clone())).collect(),
            },
        };
        let mut answers = Vec::with_capacity(codes.len());
        for code in codes {
            answers.push(match told.remove(code.expose()) {
                Some(answer) => answer,
                None => self.look(code, context).await,
            });
        }
        answers
    }

    async fn redeem(&self, ask: &Redeem, context: &CallContext<'_>) -> Result<Redemption, PeerError> {
        let body = json!({
            "redeemables": [{ "object": "voucher", "id": ask.code.expose() }],
            "order": { "amount": ask.amount.map(|amount| amount.minor), "source_id": ask.order },
            "metadata": {
                REFERENCE: ask.reference,
                "store": ask.store,
                "currency": ask.amount.map(|amount| amount.currency.to_string()),
            },
        });
        let answer = self.call(Method::POST, "v1/redemptions", Some(body), context).await?;
        if answer.is_success() { read::redeemed(&json(&answer)?) } else { Err(read::refusal(&answer)) }
    }

    async fn find_redemption(
        &self,
        code: &Code,
        reference: &str,
        context: &CallContext<'_>,
    ) -> Result<Option<Redemption>, PeerError> {
        let path = format!("v1/vouchers/{}/redemption", percent(code.expose()));
        let answer = self.call(Method::GET, &path, None, context).await?;
        match answer.status {
            404 => Ok(None),
            _ if answer.is_success() => Ok(read::entry(&json(&answer)?, reference)),
            _ => Err(read::refusal(&answer)),
        }
    }

    async fn rollback(&self, ask: &Rollback, context: &CallContext<'_>) -> Result<(), PeerError> {
        let path = format!("v1/redemptions/{}/rollback?reason={}", percent(&ask.redemption_id), percent(&ask.reason));
        let body = json!({ "metadata": { REFERENCE: ask.reference } });
        let answer = self.call(Method::POST, &path, Some(body), context).await?;
        if answer.is_success() || read::key(&answer).as_deref() == Some("already_rolled_back") {
            return Ok(());
        }
        Err(read::refusal(&answer))
    }

    async fn poll_events(&self, _: Option<&str>, _: &CallContext<'_>) -> Result<EventPage, PeerError> {
        Err(PeerError::Unsupported)
    }

    /// Orders an export first, then asks for it until it is there; pages in between are empty and lead to themselves,
    /// so a caller waits a moment before the next.
    async fn import(&self, after: Option<&str>, context: &CallContext<'_>) -> Result<ImportPage, PeerError> {
        let Some(id) = after.and_then(|after| after.strip_prefix(EXPORT)) else {
            let fields = ["code", "active", "start_date", "expiration_date", "redemption_quantity", "redemption_count"];
            let body = json!({ "exported_object": "voucher", "parameters": { "fields": fields } });
            let answer = self.call(Method::POST, "v1/exports", Some(body), context).await?;
            let id = json(&answer)?.get("id").and_then(Value::as_str).map(str::to_owned);
            let id = id.ok_or_else(|| PeerError::Protocol("an export without its name".to_owned()))?;
            return Ok(ImportPage { codes: Vec::new(), unreadable: 0, next: Some(format!("{EXPORT}{id}")) });
        };
        let answer = self.call(Method::GET, &format!("v1/exports/{}", percent(id)), None, context).await?;
        if !answer.is_success() {
            return Err(read::refusal(&answer));
        }
        match read::export(&json(&answer)?)? {
            read::Export::UnderWay => {
                Ok(ImportPage { codes: Vec::new(), unreadable: 0, next: after.map(str::to_owned) })
            }
            read::Export::Done(url) => {
                let url = read::download(&url, &self.base_url)?;
                let headers = vec![("accept".to_owned(), "text/csv".to_owned())];
                let call = Call { method: Method::GET, url, headers, body: Vec::new(), within: Some(context.within) };
                let answer = self.downloads.call(call, Effect::None).await?;
                match failure(&answer, Effect::None) {
                    Some(error) => Err(error),
                    None if answer.is_success() => read::csv(&answer.body, context.now),
                    None => Err(PeerError::Protocol(format!("status {}", answer.status))),
                }
            }
        }
    }

    async fn health(&self, context: &CallContext<'_>) -> Result<Health, PeerError> {
        let answer = self.call(Method::GET, "v1/vouchers?limit=1", None, context).await?;
        if !answer.is_success() {
            return Err(read::refusal(&answer));
        }
        let left = answer.header("x-rate-limit-remaining").and_then(|text| text.trim().parse().ok());
        Ok(Health { calls_left: left })
    }

    fn authenticate<'a>(&self, hook: &'a Webhook<'a>, _: DateTime<Utc>) -> Result<Authentic<'a>, Forged> {
        hook::authenticate(&self.marks, hook)
    }

    fn parse(&self, hook: Authentic<'_>) -> Vec<Result<PeerEvent, Unreadable>> {
        hook::parse(hook)
    }
}

/// What an error key says of a code; `None` for keys that say nothing of it.
fn reason_of(key: &str) -> Option<Reason> {
    Some(match key {
        "not_found" | "resource_not_found" | "voucher_not_found" => Reason::UnknownCode,
        "voucher_expired" => Reason::Expired,
        "voucher_not_active" | "voucher_not_active_now" => Reason::NotYetActive,
        "voucher_disabled" => Reason::Disabled,
        "campaign_inactive" => Reason::CampaignInactive,
        "quantity_exceeded" => Reason::AlreadyRedeemed,
        "multiple_requests" | "locked" => Reason::Locked,
        "customer_rules_violated" | "missing_customer" => Reason::WrongRecipient,
        "order_rules_violated" | "redemption_rules_violated" | "missing_order" => Reason::ConditionsNotMet,
        _ => return None,
    })
}
