//! A peer over HTTP whose shapes are configuration: the Simple Redemption Contract v1 (contract.toml), with a mapping
//! over it where a peer speaks otherwise.

mod ask;
mod hook;
mod mapping;
mod read;
#[cfg(test)]
mod tests;

pub use mapping::BadMapping;

use super::signature::Marks;
use super::wire::Wire;
use super::{
    Authentic, Authority, CallContext, Capabilities, Effect, EventPage, Forged, Health, Idempotency, ImportPage, Peer,
    PeerError, PeerEvent, PeerSettings, Reading, Redeem, Redemption, Rollback, Surroundings, Unreadable, Webhook,
};
use crate::domain::code::Code;
use ask::{Asker, Credentials, Values};
use chrono::{DateTime, Utc};
use mapping::{CallMap, Mapping, Part};
use read::{Meaning, Said};
use std::sync::Arc;
use std::time::Duration;

/// A peer that speaks the contract, or what its mapping says.
#[derive(Debug)]
pub struct HttpPeer {
    name: String,
    capabilities: Capabilities,
    mapping: Mapping,
    asker: Asker,
    marks: Marks,
    wire: Wire,
}

impl HttpPeer {
    /// A peer by its settings.
    ///
    /// # Errors
    /// [`BadMapping`].
    pub(super) fn new(
        settings: &PeerSettings,
        wire: Wire,
        surroundings: Arc<dyn Surroundings>,
    ) -> Result<Self, BadMapping> {
        let mapping = Mapping::over_contract(settings.mapping.as_deref().unwrap_or_default())?;
        let credentials = Credentials { user: settings.user.clone(), secret: settings.secret.clone() };
        let asker = Asker::new(&settings.base_url, &mapping, credentials, surroundings)?;
        let capabilities = capabilities(&mapping, settings);
        let marks = Marks::new(&settings.webhook_secrets, mapping.webhook.algorithm, mapping.webhook.encoding);
        Ok(Self { name: settings.name.clone(), capabilities, mapping, asker, marks, wire })
    }

    /// Asks once; a token that was not accepted is renewed, and then it is asked once more.
    async fn ask(
        &self,
        map: &CallMap,
        values: &Values<'_>,
        effect: Effect,
        context: &CallContext<'_>,
    ) -> Result<Said, PeerError> {
        let mut answer = self.call(map, values, effect, context).await?;
        if answer.status == 401 && self.asker.forget_token().await {
            answer = self.call(map, values, effect, context).await?;
        }
        if answer.status == 404 && std::ptr::eq(map, &raw const self.mapping.find) {
            return Ok(unknown());
        }
        read::said(&self.mapping, map, &answer, effect)
    }

    async fn call(
        &self,
        map: &CallMap,
        values: &Values<'_>,
        effect: Effect,
        context: &CallContext<'_>,
    ) -> Result<crate::net::Answer, PeerError> {
        let mut call = self.asker.request(map, values, &self.wire, context).await?;
        let header = &self.mapping.idempotency_header;
        if let (Effect::Unknown, false, Some(reference)) = (effect, header.is_empty(), values.reference) {
            call.headers.push((header.clone(), reference.to_owned()));
        }
        self.wire.call(call, effect).await
    }

    fn need(&self, part: Part) -> Result<(), PeerError> {
        if self.mapping.has(part) { Ok(()) } else { Err(PeerError::Unsupported) }
    }

    async fn validate_one(&self, code: &Code, context: &CallContext<'_>) -> Result<Reading, PeerError> {
        let values = Values { code: Some(code.expose()), ..Values::default() };
        let (meaning, reason, body) = match self.ask(&self.mapping.validate, &values, Effect::None, context).await? {
            Said::Yes(body) => (Meaning::Valid, None, body),
            Said::No { meaning, key, body } => (meaning, key, body),
        };
        let said = read::time(&body, &self.mapping.fields.as_of).unwrap_or(context.now);
        Ok(Reading {
            status: read::status(&self.mapping, meaning, &body),
            as_of: said.min(context.now),
            authority: self.capabilities.authority,
            reason,
        })
    }

    fn redemption(&self, body: &serde_json::Value) -> Result<Redemption, PeerError> {
        let fields = &self.mapping.fields;
        let redemption_id = read::text(body, &fields.redemption_id)
            .ok_or_else(|| PeerError::Protocol("a redemption without its name".to_owned()))?;
        Ok(Redemption {
            redemption_id,
            at: read::time(body, &fields.redeemed_at),
            discount: read::money(body, &fields.discount_amount, &fields.discount_currency),
        })
    }

    /// A refusal as an error.
    fn refused(&self, meaning: Meaning, detail: Option<String>, body: &serde_json::Value) -> PeerError {
        match meaning {
            Meaning::Because(reason) => {
                PeerError::Rejected { reason, at: read::time_of(&self.mapping, reason, body), detail }
            }
            Meaning::Valid | Meaning::IssuedElsewhere => {
                PeerError::Protocol("a reason that is none for a refusal".to_owned())
            }
        }
    }
}

/// What a missing redemption is said by.
fn unknown() -> Said {
    let meaning = Meaning::Because(super::Reason::UnknownCode);
    Said::No { meaning, key: None, body: serde_json::Value::Null }
}

fn capabilities(mapping: &Mapping, settings: &PeerSettings) -> Capabilities {
    let lag = Duration::from_secs(mapping.lag_s);
    let can_find = mapping.has(Part::Find);
    let idempotency = match (mapping.idempotency_header.is_empty(), can_find) {
        (false, _) => Idempotency::Native,
        (true, true) => Idempotency::ByReference,
        (true, false) => Idempotency::None,
    };
    Capabilities {
        can_redeem: mapping.has(Part::Redeem),
        can_rollback: mapping.has(Part::Rollback),
        can_find_redemption: can_find,
        can_import: mapping.has(Part::Codes),
        pushes_events: mapping.has(Part::Webhook) && !settings.webhook_secrets.is_empty(),
        polls_events: mapping.has(Part::Events),
        rollback_rearms: mapping.rollback_rearms,
        batch_max: 1,
        quota_per_minute: settings.quota_per_minute,
        authority: if lag.is_zero() { Authority::Strong } else { Authority::Lagging(lag) },
        idempotency,
    }
}

#[async_trait::async_trait]
impl Peer for HttpPeer {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        super::registry::HTTP
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn validate(&self, codes: &[Code], context: &CallContext<'_>) -> Vec<Result<Reading, PeerError>> {
        let mut answers = Vec::with_capacity(codes.len());
        for code in codes {
            answers.push(self.validate_one(code, context).await);
        }
        answers
    }

    async fn redeem(&self, ask: &Redeem, context: &CallContext<'_>) -> Result<Redemption, PeerError> {
        self.need(Part::Redeem)?;
        let values = Values {
            code: Some(ask.code.expose()),
            reference: Some(&ask.reference),
            store: ask.store.as_deref(),
            order: ask.order.as_deref(),
            amount: ask.amount.map(|amount| amount.minor),
            currency: ask.amount.as_ref().map(|amount| amount.currency.as_str()),
            ..Values::default()
        };
        match self.ask(&self.mapping.redeem, &values, Effect::Unknown, context).await? {
            Said::Yes(body) => self.redemption(&body),
            Said::No { meaning, key, body } => Err(self.refused(meaning, key, &body)),
        }
    }

    async fn find_redemption(
        &self,
        code: &Code,
        reference: &str,
        context: &CallContext<'_>,
    ) -> Result<Option<Redemption>, PeerError> {
        self.need(Part::Find)?;
        let values = Values { code: Some(code.expose()), reference: Some(reference), ..Values::default() };
        match self.ask(&self.mapping.find, &values, Effect::None, context).await? {
            Said::Yes(body) => self.redemption(&body).map(Some),
            Said::No { meaning: Meaning::Because(super::Reason::UnknownCode), .. } => Ok(None),
            Said::No { meaning, key, body } => Err(self.refused(meaning, key, &body)),
        }
    }

    async fn rollback(&self, ask: &Rollback, context: &CallContext<'_>) -> Result<(), PeerError> {
        self.need(Part::Rollback)?;
        let values = Values {
            code: Some(ask.code.expose()),
            reference: Some(&ask.reference),
            redemption_id: Some(&ask.redemption_id),
            reason: Some(&ask.reason),
            ..Values::default()
        };
        match self.ask(&self.mapping.rollback, &values, Effect::Unknown, context).await? {
            // A no that says "valid" was taken back before: the code is usable again.
            Said::Yes(_) | Said::No { meaning: Meaning::Valid, .. } => Ok(()),
            Said::No { meaning, key, body } => Err(self.refused(meaning, key, &body)),
        }
    }

    async fn poll_events(&self, after: Option<&str>, context: &CallContext<'_>) -> Result<EventPage, PeerError> {
        self.need(Part::Events)?;
        let values = Values { after, ..Values::default() };
        match self.ask(&self.mapping.events, &values, Effect::None, context).await? {
            Said::Yes(body) => {
                let fields = &self.mapping.fields;
                let next = read::text(&body, &fields.next);
                let more = body.pointer(&fields.more).and_then(serde_json::Value::as_bool).unwrap_or(false);
                let items = read::items(body, &fields.items);
                let events = items.iter().filter_map(|item| read::event(&self.mapping, item).transpose()).collect();
                Ok(EventPage { events, next, more })
            }
            Said::No { meaning, key, body } => Err(self.refused(meaning, key, &body)),
        }
    }

    async fn import(&self, after: Option<&str>, context: &CallContext<'_>) -> Result<ImportPage, PeerError> {
        self.need(Part::Codes)?;
        let values = Values { after, ..Values::default() };
        match self.ask(&self.mapping.codes, &values, Effect::None, context).await? {
            Said::Yes(body) => {
                let next = read::text(&body, &self.mapping.fields.next);
                let items = read::items(body, &self.mapping.fields.items);
                let codes: Vec<_> = items.iter().filter_map(|item| read::imported(&self.mapping, item)).collect();
                let unreadable = u64::try_from(items.len().saturating_sub(codes.len())).unwrap_or(u64::MAX);
                Ok(ImportPage { codes, unreadable, next })
            }
            Said::No { meaning, key, body } => Err(self.refused(meaning, key, &body)),
        }
    }

    async fn health(&self, context: &CallContext<'_>) -> Result<Health, PeerError> {
        match self.ask(&self.mapping.health, &Values::default(), Effect::None, context).await? {
            Said::Yes(_) => Ok(Health { calls_left: None }),
            Said::No { meaning, key, body } => Err(self.refused(meaning, key, &body)),
        }
    }

    fn authenticate<'a>(&self, hook: &'a Webhook<'a>, now: DateTime<Utc>) -> Result<Authentic<'a>, Forged> {
        if !self.capabilities.pushes_events {
            return Err(Forged::Unsigned);
        }
        hook::authenticate(&self.mapping.webhook, &self.marks, hook, now)
    }

    fn parse(&self, hook: Authentic<'_>) -> Vec<Result<PeerEvent, Unreadable>> {
        hook::parse(&self.mapping, hook)
    }
}
