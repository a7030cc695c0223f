//! What the process that delivers asks and says: who has work, the lease of an endpoint, what goes out next, and what
//! came of it.

use super::{PURPOSE, signature};
use crate::domain::alert::AlertKind;
use crate::domain::feed::{FeedEvent, FeedRow};
use crate::domain::ids::millis;
use crate::domain::keyring::Unreadable;
use crate::domain::secret::Secret;
use crate::domain::webhook::{Disabled, EndpointId, Reply, Turn, again_at};
use crate::engine::{Engine, EngineError, draw};
use crate::store::webhooks::{Endpoint, EndpointWork, Leased, Settlement, Waiting};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Map;

/// How long a process has an endpoint; longer than the longest call twice.
const LEASE: TimeDelta = TimeDelta::seconds(90);

/// An endpoint that this process delivers to, and how far it came.
#[derive(Debug, Clone)]
pub struct EndpointLease {
    leased: Leased,
    secrets: Vec<Secret<Vec<u8>>>,
    before_until: Option<DateTime<Utc>>,
}

/// An event on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Its number; those for trying out are below 0.
    pub no: i64,
    /// How often it failed.
    pub attempts: u32,
    /// Whether it was waiting, or comes from the feed.
    pub is_retry: bool,
    /// What to send; `None` where the endpoint does not want it.
    pub event: Option<FeedEvent>,
}

/// What came of a delivery.
#[derive(Debug, Clone, PartialEq)]
pub struct Sent {
    /// The delivery.
    pub delivery: Delivery,
    /// What the receiver said.
    pub reply: Reply,
}

/// A call, ready to be made.
#[derive(Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// Where to.
    pub url: String,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// Addresses may hold secrets, and bodies codes.
impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Outgoing({} bytes)", self.body.len())
    }
}

/// The name of an event for trying an endpoint out.
pub(super) fn trial_id(endpoint: &EndpointId, no: i64) -> String {
    format!("evt_test_{}_{}", endpoint.as_str().trim_start_matches("we_"), no.unsigned_abs())
}

impl EndpointLease {
    /// The endpoint.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.leased.endpoint
    }

    /// Whether the lease is to be renewed: half of it is over.
    #[must_use]
    pub fn is_aging(&self, now: DateTime<Utc>) -> bool {
        self.leased.until - now < LEASE / 2
    }

    /// A delivery as a signed call; `None` where there is nothing to send.
    #[must_use]
    pub fn outgoing(&self, delivery: &Delivery, now: DateTime<Utc>) -> Option<Outgoing> {
        let event = delivery.event.as_ref()?;
        let (body, at_s) = (event.body(), now.timestamp());
        let both = self.before_until.is_some_and(|until| until > now);
        let secrets = self.secrets.iter().take(if both { 2 } else { 1 }).map(|secret| secret.expose().as_slice());
        let signature = signature::signatures(secrets, &event.id, at_s, &body);
        let headers = [
            ("content-type", "application/json".to_owned()),
            ("webhook-id", event.id.clone()),
            ("webhook-timestamp", at_s.to_string()),
            ("webhook-signature", signature),
        ];
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Some(Outgoing { url: self.leased.endpoint.url.clone(), headers, body })
    }
}

impl Engine {
    /// The endpoints for which something is to be sent now.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn endpoints_with_work(&self) -> Result<Vec<EndpointWork>, EngineError> {
        Ok(self.parts().store.endpoints_with_work(self.now()).await?)
    }

    /// Takes an endpoint for this process; `None` where another one has it or it is not sent to.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn lease_endpoint(&self, id: &EndpointId) -> Result<Option<EndpointLease>, EngineError> {
        let now = self.now();
        let Some(leased) = self.parts().store.lease_endpoint(id, now, now + LEASE).await? else {
            return Ok(None);
        };
        match self.secrets(&leased.endpoint) {
            Ok(secrets) => {
                let before_until = leased.endpoint.secret_before.as_ref().map(|(_, until)| *until);
                Ok(Some(EndpointLease { leased, secrets, before_until }))
            }
            Err(error) => {
                // It stays leased, so that this is said once a lease and not at every look.
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    endpoint.id = id.as_str(),
                    "the secret of a webhook endpoint cannot be read"
                );
                Ok(None)
            }
        }
    }

    fn secrets(&self, endpoint: &Endpoint) -> Result<Vec<Secret<Vec<u8>>>, Unreadable> {
        let before = endpoint.secret_before.as_ref().map(|(sealed, _)| sealed);
        let open = |sealed: &Vec<u8>| self.parts().keys.open(PURPOSE, endpoint.id.as_str().as_bytes(), sealed);
        std::iter::once(&endpoint.secret).chain(before).map(|sealed| open(sealed).map(Secret::new)).collect()
    }

    /// What waits for the endpoint and is due, then what its feed has after `after`; at most `limit` of each. `None`
    /// where the endpoint is this process's no more.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn next_deliveries(
        &self,
        lease: &EndpointLease,
        after: u64,
        limit: u32,
    ) -> Result<Option<Vec<Delivery>>, EngineError> {
        let (store, endpoint) = (&self.parts().store, lease.endpoint());
        if !store.has_endpoint(&lease.leased).await? {
            return Ok(None);
        }
        let waiting = store.due_retries(endpoint, self.now(), limit).await?;
        let mut next: Vec<_> = waiting.iter().map(|(one, row)| self.retry(endpoint, one, row.as_ref())).collect();
        let fresh = store.feed_after(endpoint.partner, after, limit).await?;
        next.extend(fresh.iter().map(|row| Delivery {
            no: i64::try_from(row.no).unwrap_or(i64::MAX),
            attempts: 0,
            is_retry: false,
            event: endpoint.events.holds(row.kind).then(|| self.feed_event(row, endpoint.codes)),
        }));
        Ok(Some(next))
    }

    fn retry(&self, endpoint: &Endpoint, waiting: &Waiting, row: Option<&FeedRow>) -> Delivery {
        let trial = || FeedEvent {
            id: trial_id(&endpoint.id, waiting.no),
            kind: "test",
            timestamp: self.now(),
            data: Map::from_iter([("endpoint".to_owned(), endpoint.id.as_str().into())]),
        };
        let event = if waiting.no < 0 { Some(trial()) } else { row.map(|row| self.feed_event(row, endpoint.codes)) };
        Delivery { no: waiting.no, attempts: waiting.attempts, is_retry: true, event }
    }

    /// Writes down what came of deliveries, and that everything up to `taken` was delivered or waits. `false` where the
    /// endpoint is this process's no more: nothing was written.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn settle_deliveries(
        &self,
        lease: &mut EndpointLease,
        taken: u64,
        sent: &[Sent],
    ) -> Result<bool, EngineError> {
        let now = self.now();
        let mut settlement =
            Settlement { taken_no: taken, health: lease.leased.endpoint.health, ..Settlement::default() };
        let mut told = Vec::new();
        for one in sent {
            // The endpoint wants it no more: nothing was sent.
            if one.delivery.event.is_none() {
                settlement.done.extend(one.delivery.is_retry.then_some(one.delivery.no));
                continue;
            }
            settle(&mut settlement, one, now);
            // A trial shows whether an endpoint works, and that is all it changes when it does not.
            if one.delivery.no < 0 && !one.reply.is_taken() {
                continue;
            }
            match settlement.health.count(&one.reply, now) {
                Turn::Same => {}
                Turn::Back => settlement.is_back = true,
                turn @ Turn::Notice => told.push(turn),
                turn @ Turn::Disable(why) => {
                    settlement.disabled = Some(why);
                    told.push(turn);
                }
            }
        }
        let until = now + LEASE;
        if !self.parts().store.settle_endpoint(&lease.leased, &settlement, until, now).await? {
            return Ok(false);
        }
        lease.leased.until = until;
        lease.leased.endpoint.health = settlement.health;
        lease.leased.endpoint.disabled = settlement.disabled;
        lease.leased.endpoint.taken_no = taken;
        if settlement.disabled.is_some() {
            // Its other endpoints hear of it, and this one when it is sent to again.
            self.feed_written([lease.endpoint().partner]);
        }
        self.tell_of(lease.endpoint(), &settlement, &told).await;
        Ok(true)
    }

    async fn tell_of(&self, endpoint: &Endpoint, settlement: &Settlement, turns: &[Turn]) {
        let about = super::about(&endpoint.id);
        for turn in turns {
            let detail = match turn {
                Turn::Same | Turn::Back => continue,
                Turn::Notice => "it has taken nothing for an hour; it is tried further",
                Turn::Disable(Disabled::Gone) => "it answered 410 and is disabled",
                Turn::Disable(_) => "it has taken nothing for three days and is disabled",
            };
            self.raise(AlertKind::WebhookFailing, &about, detail).await;
        }
        let given_up = settlement.failed.iter().filter(|one| one.due_at.is_none() && one.no > 0).count();
        if given_up > 0 {
            let detail = format!("{given_up} events were refused at every attempt of three days and are given up");
            self.raise(AlertKind::WebhookFailing, &about, detail).await;
        }
        if settlement.is_back && settlement.disabled.is_none() {
            self.clear(AlertKind::WebhookFailing, &about).await;
        }
    }

    /// Gives the endpoint back.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn release_endpoint(&self, lease: EndpointLease) -> Result<(), EngineError> {
        Ok(self.parts().store.release_endpoint(&lease.leased).await?)
    }
}

fn settle(settlement: &mut Settlement, sent: &Sent, now: DateTime<Utc>) {
    let Sent { delivery, reply } = sent;
    if reply.is_taken() {
        if delivery.is_retry {
            settlement.done.push(delivery.no);
        }
        return;
    }
    let attempts = delivery.attempts + 1;
    let chance = u16::from_be_bytes(draw());
    let due_at = if delivery.no < 0 { None } else { again_at(reply, attempts, now, chance) };
    tracing::debug!(event.no = delivery.no, attempts, due_ms = due_at.map(millis), "a webhook was not taken");
    settlement.failed.push(Waiting {
        no: delivery.no,
        attempts,
        due_at,
        last_status: reply.status(),
        last_error: Some(reply.words()),
    });
}
