//! Partners: making them, changing them, finding them. Changes run alone in the committer's queue.

mod clients;
mod credentials;
mod failures;
mod jws;
mod public_key;
mod signing;
mod tokens;

pub use clients::Client;
pub use credentials::CredentialError;
pub use failures::{FailureLog, FailureNotes};
pub use jws::Flaw;
pub use public_key::NotAKey;
pub(super) use public_key::PublicKey;
pub use signing::{PublishedKey, TakeOver};
pub(super) use tokens::PARTNER_DOORS;
pub use tokens::{AccessToken, CallError, Partner};

use super::{Engine, EngineError};
use crate::domain::cap::Cap;
use crate::domain::ids::{CampaignId, PartnerId};
use crate::domain::partner::{ClientId, Edit, PartnerDoc, PartnerStatus, PartnerTerms};
use crate::store::StoreError;
use crate::store::partners::{self, Changed, NewPartner, PartnerRecord};
use std::time::Duration;
use thiserror::Error;

/// Each try waits up to 2 s for the locks of batches; a wish repeated is no harm, because it says what shall be.
const TRIES: u32 = 10;
/// Between tries.
const PAUSE: Duration = Duration::from_millis(10);

/// Why a partner stays as it is.
#[derive(Debug, Error)]
pub enum PartnerError {
    /// There is no partner of that client id.
    #[error("there is no partner {0}")]
    Unknown(ClientId),
    /// The client id has an owner.
    #[error("there is a partner {0} already")]
    Taken(ClientId),
    /// A grant names a campaign that is not there.
    #[error("there is no campaign {0}")]
    NoCampaign(String),
    /// What was asked for cannot be meant; each sentence says what is wrong.
    #[error("{}", .0.join("; "))]
    Invalid(Vec<String>),
    /// The engine failed.
    #[error("the partner could not be changed")]
    Engine(#[from] EngineError),
}

impl From<StoreError> for PartnerError {
    fn from(error: StoreError) -> Self {
        Self::Engine(error.into())
    }
}

impl Engine {
    /// Makes a partner. A committer must be running.
    ///
    /// # Errors
    /// [`PartnerError`].
    pub async fn create_partner(&self, client: ClientId, mut doc: PartnerDoc) -> Result<PartnerRecord, PartnerError> {
        doc.tidy();
        refuse(&doc)?;
        self.knows(doc.grants.iter().map(|grant| grant.campaign)).await?;
        let new = NewPartner { client, doc };
        match self.fulfil(&Wish::Make(&new)).await? {
            Changed::Done(record) | Changed::Already(record) => Ok(record),
            Changed::Not => Err(PartnerError::Taken(new.client)),
        }
    }

    /// Changes a partner: all edits, in order, or none. Doing it again changes nothing. A committer must be running.
    ///
    /// # Errors
    /// [`PartnerError`].
    pub async fn change_partner(&self, client: &ClientId, edits: &[Edit]) -> Result<PartnerRecord, PartnerError> {
        let mut probe = PartnerDoc { name: client.to_string(), ..PartnerDoc::default() };
        let mut status = PartnerStatus::Active;
        for edit in edits {
            edit.apply(&mut probe, &mut status);
        }
        refuse(&probe)?;
        let known = self.partner(client).await?;
        self.knows(probe.grants.iter().chain(&known.doc.grants).map(|grant| grant.campaign)).await?;
        match self.fulfil(&Wish::Change(client, edits)).await? {
            Changed::Done(record) | Changed::Already(record) => Ok(record),
            Changed::Not => Err(PartnerError::Unknown(client.clone())),
        }
    }

    /// The partner of a client id.
    ///
    /// # Errors
    /// [`PartnerError::Unknown`]; what the database says.
    pub async fn partner(&self, client: &ClientId) -> Result<PartnerRecord, PartnerError> {
        let found = partners::find(&self.parts().store, client).await?;
        found.ok_or_else(|| PartnerError::Unknown(client.clone()))
    }

    /// So many partners whose client ids come after `after`, in the order of those.
    ///
    /// # Errors
    /// What the database says.
    pub async fn partners(&self, after: &str, limit: u16) -> Result<Vec<PartnerRecord>, EngineError> {
        Ok(partners::list(&self.parts().store, after, limit).await?)
    }

    /// What a partner may do, with its caps.
    ///
    /// # Errors
    /// What the database says.
    pub async fn partner_terms(&self, id: PartnerId) -> Result<Option<PartnerTerms>, EngineError> {
        Ok(partners::terms(&self.parts().store, id).await?)
    }

    /// What each cap of a partner has counted in its present window.
    ///
    /// # Errors
    /// What the database says.
    pub async fn partner_used(&self, terms: &PartnerTerms) -> Result<Vec<(Cap, i64)>, EngineError> {
        let parts = self.parts();
        Ok(partners::used(&parts.store, terms, parts.clock.now()).await?)
    }

    /// Whether every campaign is there.
    async fn knows(&self, mut campaigns: impl Iterator<Item = CampaignId>) -> Result<(), PartnerError> {
        let catalog = self.fresh_catalog().await?;
        let strange = campaigns.find(|id| !catalog.rows.campaigns.iter().any(|record| record.id == *id));
        strange.map_or(Ok(()), |id| Err(PartnerError::NoCampaign(id.to_string())))
    }

    /// Carries a wish out alone in the committer's queue, again while other processes hold its locks.
    async fn fulfil(&self, wish: &Wish<'_>) -> Result<Changed, PartnerError> {
        let parts = self.parts();
        let now = || parts.clock.now();
        let mut tries = 0;
        loop {
            tries += 1;
            let turn = self.turn().await?;
            let result = match wish {
                Wish::Make(new) => partners::create(&parts.store, new, now).await,
                Wish::Change(client, edits) => partners::change(&parts.store, client, edits, now).await,
            };
            drop(turn);
            match result {
                Err(StoreError::Conflict(_)) if tries < TRIES => tokio::time::sleep(PAUSE).await,
                result => return Ok(result?),
            }
        }
    }
}

/// What people want of partners.
enum Wish<'a> {
    Make(&'a NewPartner),
    Change(&'a ClientId, &'a [Edit]),
}

fn refuse(doc: &PartnerDoc) -> Result<(), PartnerError> {
    let faults = doc.faults();
    if faults.is_empty() { Ok(()) } else { Err(PartnerError::Invalid(faults)) }
}
