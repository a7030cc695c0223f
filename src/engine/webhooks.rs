//! Endpoints of partners: made and changed by them, and what the process that delivers asks and says.

mod deliver;
mod signature;

pub use crate::store::webhooks::{Endpoint, EndpointChange, EndpointWork};
pub use deliver::{Delivery, EndpointLease, Outgoing, Sent};

use super::{Engine, EngineError, draw};
use crate::domain::alert::AlertKind;
use crate::domain::feed::{Codes, Cursor, event_id};
use crate::domain::ids::{PartnerId, from_millis, millis};
use crate::domain::keyring::Unreadable;
use crate::domain::secret::Secret;
use crate::domain::webhook::{EndpointId, Health, WantedEvents};
use crate::store::StoreError;
use crate::store::webhooks::{Acted, EndpointAct, Made};
use chrono::{DateTime, TimeDelta, Utc};

/// The most endpoints of one partner: each is a line of its own.
pub const ENDPOINTS: usize = 10;
/// How long the secret before signs beside a new one.
const BOTH_SIGN: TimeDelta = TimeDelta::hours(24);
/// The purpose of the key that secrets are sealed under.
const PURPOSE: &str = "webhook";

/// What a partner wants of a new endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEndpoint {
    /// Where to.
    pub url: String,
    /// Which events.
    pub events: WantedEvents,
    /// How much of a code.
    pub codes: Codes,
}

/// Why there is no new endpoint.
#[derive(Debug, thiserror::Error)]
pub enum NewEndpointError {
    /// The partner has as many as it may.
    #[error("a partner has at most {ENDPOINTS} endpoints")]
    TooMany,
    /// The database.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl From<StoreError> for NewEndpointError {
    fn from(error: StoreError) -> Self {
        Self::Engine(error.into())
    }
}

/// How alerts name an endpoint.
fn about(id: &EndpointId) -> String {
    format!("webhook {id}")
}

/// An event that an endpoint has not taken yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingDelivery {
    /// The event's id.
    pub event: String,
    /// Where to go on in the list.
    pub cursor: i64,
    /// How often it failed.
    pub attempts: u32,
    /// When it goes out again; `None` where it was given up.
    pub next_at: Option<DateTime<Utc>>,
    /// The status of the last answer.
    pub last_status: Option<u16>,
    /// The last failure in words.
    pub last_error: Option<String>,
}

impl Engine {
    /// Makes an endpoint. The same key gets the same endpoint again, as it is by then, and its secret.
    ///
    /// # Errors
    /// [`NewEndpointError`]; [`EngineError::KeyReused`] where the key was used for another endpoint.
    pub async fn add_endpoint(
        &self,
        partner: PartnerId,
        key: &str,
        new: NewEndpoint,
    ) -> Result<(Endpoint, Secret<String>), NewEndpointError> {
        let store = &self.parts().store;
        let id = EndpointId::of(first(self.parts().keys.bearer_hash(&format!("webhook endpoint {partner} {key}"))));
        let endpoint = Endpoint {
            id: id.clone(),
            partner,
            url: new.url,
            events: new.events,
            codes: new.codes,
            secret: self.parts().keys.seal(PURPOSE, id.as_str().as_bytes(), &draw::<32>(), draw()),
            secret_before: None,
            disabled: None,
            created_at: self.now(),
            taken_no: 0,
            health: Health::default(),
        };
        match store.add_endpoint(&endpoint, ENDPOINTS).await? {
            Made::Done => {}
            Made::Otherwise => return Err(EngineError::KeyReused.into()),
            Made::Full => return Err(NewEndpointError::TooMany),
        }
        // Whoever came first with this key made it, with a secret of its own.
        let made = store.endpoint(partner, &id).await?.ok_or(EngineError::Busy)?;
        let secret = self.parts().keys.open(PURPOSE, id.as_str().as_bytes(), &made.secret);
        let secret = secret.map_err(|error| unreadable(&id, error))?;
        Ok((made, Secret::new(signature::secret_text(&secret))))
    }

    /// A partner's endpoints, the oldest first.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn endpoints(&self, partner: PartnerId) -> Result<Vec<Endpoint>, EngineError> {
        Ok(self.parts().store.endpoints(partner).await?)
    }

    /// One endpoint of a partner.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn endpoint(&self, partner: PartnerId, id: &EndpointId) -> Result<Option<Endpoint>, EngineError> {
        Ok(self.parts().store.endpoint(partner, id).await?)
    }

    /// Changes an endpoint; `None` where the partner has none of that name.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn change_endpoint(
        &self,
        partner: PartnerId,
        id: &EndpointId,
        change: &EndpointChange,
    ) -> Result<Option<Endpoint>, EngineError> {
        let changed = self.parts().store.change_endpoint(partner, id, change, self.now()).await?;
        if changed && change.disabled == Some(None) {
            self.clear(AlertKind::WebhookFailing, &about(id)).await;
        }
        self.feed_written([partner]);
        if changed { self.endpoint(partner, id).await } else { Ok(None) }
    }

    /// Forgets an endpoint; `false` where the partner has none of that name.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn delete_endpoint(&self, partner: PartnerId, id: &EndpointId) -> Result<bool, EngineError> {
        let found = self.parts().store.delete_endpoint(partner, id).await?;
        if found {
            self.clear(AlertKind::WebhookFailing, &about(id)).await;
        }
        Ok(found)
    }

    /// Gives an endpoint a new secret, and says until when the old one signs too. The same key gets the first answer
    /// again, whatever came after it, and changes nothing. `None` where the partner has no such endpoint.
    ///
    /// # Errors
    /// [`EngineError::KeyReused`] where the key was used for something else.
    pub async fn rotate_endpoint_secret(
        &self,
        partner: PartnerId,
        id: &EndpointId,
        key: &str,
    ) -> Result<Option<(Secret<String>, DateTime<Utc>)>, EngineError> {
        let keys = &self.parts().keys;
        // Made of the key, so that the answer can be given again; nobody can make it without the keyring.
        let plain = keys.derive(&format!("webhook secret {id} {key}"));
        let sealed = keys.seal(PURPOSE, id.as_str().as_bytes(), &plain, draw());
        // As rows keep it: the answer names the same moment when it is given again.
        let now = from_millis(millis(self.now()));
        let act = EndpointAct::Rotate { sealed, before_until: now + BOTH_SIGN };
        let rotated = self.act_on_endpoint(partner, id, key, (act, now)).await?;
        let text = Secret::new(signature::secret_text(&plain));
        Ok(rotated.map(|(_, first_at)| (text, first_at + BOTH_SIGN)))
    }

    /// Has a partner's events after the cursor sent once more, once for a key; `false` where it has no such endpoint.
    ///
    /// # Errors
    /// [`EngineError::KeyReused`] where the key was used for something else.
    pub async fn replay_endpoint(
        &self,
        partner: PartnerId,
        id: &EndpointId,
        key: &str,
        Cursor(after): Cursor,
    ) -> Result<bool, EngineError> {
        let act = EndpointAct::Replay { after };
        let done = self.act_on_endpoint(partner, id, key, (act, self.now())).await?;
        Ok(done.is_some())
    }

    /// Has an event of kind `test` sent, once for a key; answers with its id, or `None` where the partner has no such
    /// endpoint.
    ///
    /// # Errors
    /// [`EngineError::KeyReused`] where the key was used for something else.
    pub async fn try_endpoint(
        &self,
        partner: PartnerId,
        id: &EndpointId,
        key: &str,
    ) -> Result<Option<String>, EngineError> {
        let done = self.act_on_endpoint(partner, id, key, (EndpointAct::Trial, self.now())).await?;
        Ok(done.and_then(|(no, _)| no).map(|no| deliver::trial_id(id, no)))
    }

    /// The number of a trial's event, where one is sent, and when it was asked first; `None` where the partner has no
    /// such endpoint.
    async fn act_on_endpoint(
        &self,
        partner: PartnerId,
        id: &EndpointId,
        key: &str,
        (act, now): (EndpointAct, DateTime<Utc>),
    ) -> Result<Option<(Option<i64>, DateTime<Utc>)>, EngineError> {
        let acted = self.parts().store.act_on_endpoint((partner, id), key, act, now).await?;
        self.feed_written([partner]);
        match acted {
            Acted::Done { event_no, first_at } => Ok(Some((event_no, first_at))),
            Acted::KeyReused => Err(EngineError::KeyReused),
            Acted::Missing => Ok(None),
        }
    }

    /// What waits for an endpoint and what was given up, the oldest first, after `after`.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn waiting_deliveries(
        &self,
        endpoint: &Endpoint,
        client: &str,
        after: Option<i64>,
        limit: u32,
    ) -> Result<Vec<WaitingDelivery>, EngineError> {
        let waiting = self.parts().store.waiting_events(endpoint, after.unwrap_or(i64::MIN), limit).await?;
        let shown = |one: crate::store::webhooks::Waiting| WaitingDelivery {
            event: u64::try_from(one.no)
                .map_or_else(|_| deliver::trial_id(&endpoint.id, one.no), |no| event_id(client, no)),
            cursor: one.no,
            attempts: one.attempts,
            next_at: one.due_at,
            last_status: one.last_status,
            last_error: one.last_error,
        };
        Ok(waiting.into_iter().map(shown).collect())
    }
}

/// The first bytes of a keyed hash.
fn first(hash: [u8; 32]) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (slot, byte) in bytes.iter_mut().zip(hash) {
        *slot = byte;
    }
    bytes
}

/// A row that the keyring does not open is a row that cannot be read.
fn unreadable(id: &EndpointId, error: Unreadable) -> EngineError {
    tracing::error!(error = &error as &dyn std::error::Error, endpoint.id = id.as_str(), "a secret stays closed");
    StoreError::BadRow { table: "webhook_endpoint", column: "secret", id: id.to_string() }.into()
}
