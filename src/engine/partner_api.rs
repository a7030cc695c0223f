//! What a partner's program asks one by one: a code for a customer, what became of it, which campaigns it may give codes
//! of.

mod allocations;
mod campaigns;
mod sandbox;

pub use allocations::{AllocationAnswer, AllocationAsk, AllocationView, LeaseAnswer};
pub use campaigns::{CampaignView, CapView, Opening};

use super::{Engine, EngineError, Lane, Partner, Settled, draw, fingerprint};
use crate::domain::act::{Act, Ask, Deliver, Who};
use crate::domain::campaign::{Attribution, Campaign, Channel, Partnership};
use crate::domain::cap::Cap;
use crate::domain::decision::outcome::{Bar, Outcome, Refusal};
use crate::domain::ids::{CapId, RequestId, Spot};
use crate::domain::partner::Environment;
use crate::domain::phone::PhoneNumber;
use crate::domain::world::{EventKind, HeldState};
use chrono::{DateTime, Utc};
use std::sync::Arc;
use tokio::task::JoinSet;

/// A customer, as a partner knows her.
#[derive(Clone, PartialEq, Eq)]
pub enum Customer {
    /// By her phone number: the same person at every door.
    Phone(PhoneNumber),
    /// By her mail address, lower-cased and trimmed.
    Email(String),
    /// By the partner's own reference; another partner's is another person.
    Reference(String),
}

impl std::fmt::Debug for Customer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Customer(…)")
    }
}

/// One code for one customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuanceAsk {
    /// The campaign's name.
    pub campaign: String,
    /// For whom.
    pub customer: Customer,
    /// What the partner calls the place it came from.
    pub sub_id: Option<String>,
    /// What it wants echoed, a JSON object.
    pub note: Option<String>,
    /// How the code reaches her.
    pub deliver: Deliver,
}

/// A code as its partner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuanceView {
    /// `iss_…`.
    pub id: String,
    /// The campaign's name.
    pub campaign: String,
    /// The code as a till takes it.
    pub code: String,
    /// The coupon page.
    pub live_url: String,
    /// Unused, redeemed, expired or taken back.
    pub state: HeldState,
    /// When it was given.
    pub issued_at: DateTime<Utc>,
    /// It is good before this.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was used, where it is.
    pub redeemed_at: Option<DateTime<Utc>>,
    /// What the partner called the place it came from.
    pub sub_id: Option<String>,
    /// What it wanted echoed.
    pub note: Option<String>,
    /// Whether it is the partner's merit.
    pub merit: Merit,
}

/// Whose merit a code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merit {
    /// The partner's who asks.
    Own,
    /// Somebody else's, who came first.
    Others,
}

/// What a partner is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssuanceAnswer {
    /// A new code.
    Issued(Box<IssuanceView>),
    /// The code that the customer has.
    Repeat(Box<IssuanceView>),
    /// A code follows.
    Promised,
    /// No code, and why; with the name of the cap where one is full.
    Refused(Refusal, Option<String>),
    /// The sandbox plays a system that is away.
    PeerAway,
}

impl Engine {
    /// One code for one customer of a partner: the same request key gets the same answer, the same customer the same
    /// code.
    ///
    /// # Errors
    /// As [`Engine::settle`]; [`EngineError::Barred`].
    pub async fn issue_for_partner(
        &self,
        by: &Partner,
        request: RequestId,
        ask: &IssuanceAsk,
    ) -> Result<IssuanceAnswer, EngineError> {
        let campaign = self.granted(by, &ask.campaign).await?;
        if by.environment() == Environment::Test {
            return self.play_once(by, request, &campaign, ask).await;
        }
        self.can_deliver(&campaign, ask)?;
        let settled = self.settle(self.partner_act(by, request, &campaign, ask, &[])).await?;
        self.told(by, &campaign, settled).await
    }

    /// Codes for many customers of a partner, each as [`Engine::issue_for_partner`] would answer it, in their order:
    /// where a cap fills up, the first ones have the codes. The requests are one call: asked again, it is the same list.
    ///
    /// # Errors
    /// [`EngineError::KeyReused`] where the call was another one, and nothing is done; what the database says. What is
    /// wrong with one customer is in her answer.
    pub async fn issue_many_for_partner(
        &self,
        by: &Partner,
        campaign: &str,
        asks: Vec<(RequestId, IssuanceAsk)>,
    ) -> Result<Vec<Result<IssuanceAnswer, EngineError>>, EngineError> {
        let campaign = self.granted(by, campaign).await?;
        if by.environment() == Environment::Test {
            return Ok(self.play_many(by, &campaign, &asks).await?.into_iter().map(Ok).collect());
        }
        for (_, ask) in &asks {
            self.can_deliver(&campaign, ask)?;
        }
        let call = fingerprint_of(&asks);
        let mut asks = asks.into_iter().map(|(request, ask)| self.partner_act(by, request, &campaign, &ask, &call));
        let mut tasks = JoinSet::new();
        let Some(first) = asks.next() else { return Ok(Vec::new()) };
        // Alone: if the key was another call's, no other customer of this one has a code yet.
        let first = self.submit_to(first, Lane::Bulk)?.settled().await;
        let first = match first {
            Err(EngineError::KeyReused) => return Err(EngineError::KeyReused),
            settled => async { self.told(by, &campaign, settled?).await }.await,
        };
        for (n, act) in asks.enumerate() {
            let submitted = self.submit_to(act, Lane::Bulk);
            let (engine, by, campaign) = (self.clone(), by.clone(), Arc::clone(&campaign));
            tasks.spawn(async move {
                let told = async { engine.told(&by, &campaign, submitted?.settled().await?).await };
                (n, told.await)
            });
        }
        let mut answers = tasks.join_all().await;
        answers.sort_by_key(|(n, _)| *n);
        Ok([first].into_iter().chain(answers.into_iter().map(|(_, answer)| answer)).collect())
    }

    /// The campaign of that name, if it is the partner's. One that is not looks like one that is not there.
    async fn granted(&self, by: &Partner, name: &str) -> Result<Arc<Campaign>, EngineError> {
        let absent = EngineError::Barred(Bar::NotGranted);
        let catalog = self.fresh_catalog().await?;
        let campaign = catalog.campaigns.values().find(|campaign| campaign.name == name).cloned();
        let Some(campaign) = campaign else { return Err(absent) };
        if by.environment() == Environment::Test {
            // Whatever else is judged under the lock of the batch; the sandbox has no batch.
            return if self.is_granted(by, name).await? { Ok(campaign) } else { Err(absent) };
        }
        Ok(campaign)
    }

    /// Whether a code can reach its customer as it shall.
    fn can_deliver(&self, campaign: &Campaign, ask: &IssuanceAsk) -> Result<(), EngineError> {
        match ask.deliver {
            Deliver::BySms if self.catalog().word_of(campaign.id).is_none() => Err(EngineError::Barred(Bar::NoNumber)),
            Deliver::BySms | Deliver::Here => Ok(()),
        }
    }

    /// Whether a partner may give codes of the campaign of that name.
    ///
    /// # Errors
    /// What the database says.
    pub async fn is_granted(&self, by: &Partner, name: &str) -> Result<bool, EngineError> {
        let catalog = self.fresh_catalog().await?;
        let campaign = catalog.campaigns.values().find(|campaign| campaign.name == name);
        let terms = self.partner_terms(by.id()).await?;
        Ok(campaign.is_some_and(|campaign| terms.is_some_and(|terms| terms.grants.contains_key(&campaign.id))))
    }

    /// A customer's act; `call` tells the call apart that she stands in.
    fn partner_act(
        &self,
        by: &Partner,
        request: RequestId,
        campaign: &Campaign,
        ask: &IssuanceAsk,
        call: &[u8],
    ) -> Act {
        let IssuanceAsk { customer, sub_id, note, deliver, .. } = ask;
        let from = Attribution {
            partner: Some(Partnership { id: by.id(), version: by.version() }),
            sub_id: sub_id.clone(),
            note: note.clone(),
            ..Attribution::by(Channel::Api)
        };
        let print = print_of(campaign, ask, call);
        let who = self.customer(by, customer);
        let act = Act::new(draw(), request, print, Some(who), Ask::Issue(campaign.id, from, *deliver));
        Act { partner: Some(by.id()), ..act }
    }

    /// The person a partner means.
    fn customer(&self, by: &Partner, customer: &Customer) -> Who {
        let keys = &self.parts().keys;
        let subject = match customer {
            Customer::Phone(phone) => return self.who(phone),
            Customer::Email(address) => keys.subject("email/v1", address.as_bytes()),
            Customer::Reference(reference) => {
                let material = [by.client().as_str().as_bytes(), &[0], reference.as_bytes()].concat();
                keys.subject("ref/v1", &material)
            }
        };
        Who { subject, sealed_phone: None, country: None }
    }

    async fn told(&self, by: &Partner, campaign: &Campaign, settled: Settled) -> Result<IssuanceAnswer, EngineError> {
        match settled.outcome {
            Outcome::Issued(spot) => Ok(IssuanceAnswer::Issued(Box::new(self.must_see(by, spot).await?))),
            Outcome::Repeat(spot, _) => Ok(IssuanceAnswer::Repeat(Box::new(self.must_see(by, spot).await?))),
            Outcome::Held(_) => Ok(IssuanceAnswer::Promised),
            Outcome::Refused(why, _) => {
                let cap = if let Refusal::CapReached(reached) = why {
                    self.cap_name(by, campaign, reached.cap_id).await?
                } else {
                    None
                };
                Ok(IssuanceAnswer::Refused(why, cap))
            }
            Outcome::Redeemed(..)
            | Outcome::RolledBack(..)
            | Outcome::Refunded(..)
            | Outcome::Recorded(..)
            | Outcome::Voided(_)
            | Outcome::Declined(..)
            | Outcome::Told(_)
            | Outcome::Noted
            | Outcome::Allocated(..)
            | Outcome::Leased(..)
            | Outcome::Looked(..) => Err(EngineError::KeyReused),
        }
    }

    /// A code of a partner's own, by its id.
    ///
    /// # Errors
    /// What the database says.
    pub async fn issuance_of_partner(&self, by: &Partner, id: &str) -> Result<Option<IssuanceView>, EngineError> {
        if by.environment() == Environment::Test {
            self.fresh_catalog().await?;
            return Ok(self.played(by, id));
        }
        let Some(spot) = self.parts().keys.issuance_ids().open(id) else {
            return Ok(None);
        };
        let view = self.seen_by(by, spot).await?;
        Ok(view.filter(|view| view.merit == Merit::Own))
    }

    /// A code that was just given: it is there.
    async fn must_see(&self, by: &Partner, spot: Spot) -> Result<IssuanceView, EngineError> {
        self.seen_by(by, spot).await?.ok_or(EngineError::Busy)
    }

    async fn seen_by(&self, by: &Partner, spot: Spot) -> Result<Option<IssuanceView>, EngineError> {
        let parts = self.parts();
        let Some(found) = self.find_spot(spot).await? else {
            return Ok(None);
        };
        let Some(code) = self.code_at(spot).await? else {
            return Ok(None);
        };
        let held = &found.issued.held;
        let is_own = held.from.partner.is_some_and(|from| from.id == by.id());
        let used = held.events.iter().rev().find(|event| event.kind == EventKind::Redeemed);
        let state = held.state(parts.clock.now());
        Ok(Some(IssuanceView {
            id: parts.keys.issuance_ids().seal(spot).expose().to_owned(),
            campaign: found.campaign.name.clone(),
            code: code.expose().to_owned(),
            live_url: format!("{}{}", parts.public_url, self.link_path(spot)),
            state,
            issued_at: held.issued_at,
            expires_at: held.ends_at(),
            redeemed_at: used.filter(|_| state == HeldState::Redeemed).map(|event| event.at),
            sub_id: held.from.sub_id.clone().filter(|_| is_own),
            note: held.from.note.clone().filter(|_| is_own),
            merit: if is_own { Merit::Own } else { Merit::Others },
        }))
    }

    /// What a cap counts: `partner_day`, `person_lifetime`.
    async fn cap_name(&self, by: &Partner, campaign: &Campaign, id: CapId) -> Result<Option<String>, EngineError> {
        let catalog = self.catalog();
        let house = campaign.caps.iter().chain(&catalog.caps_across).find(|cap| cap.id == id);
        if let Some(cap) = house {
            return Ok(Some(cap_words(cap)));
        }
        let terms = self.partner_terms(by.id()).await?;
        let own = terms.as_ref().and_then(|terms| terms.caps(campaign.id).find(|cap| cap.id == id));
        Ok(own.map(cap_words))
    }
}

/// `partner_day`: over whom it counts, and in which window.
fn cap_words(cap: &Cap) -> String {
    format!("{}_{}", cap.scope.words().0, cap.window.word())
}

/// What an ask says, but for the customer's name; and the name.
fn said(ask: &IssuanceAsk) -> (String, &str) {
    let IssuanceAsk { customer, sub_id, note, deliver, .. } = ask;
    let (kind, named) = named(customer);
    (format!("{kind} {sub_id:?} {note:?} {deliver:?}"), named)
}

/// What tells one customer's request from another; `call` as in [`Engine::partner_act`].
fn print_of(campaign: &Campaign, ask: &IssuanceAsk, call: &[u8]) -> [u8; 32] {
    let (words, named) = said(ask);
    let words = format!("issuance {} {words}", campaign.id);
    fingerprint(&[words.as_bytes(), named.as_bytes(), call])
}

/// What tells one list of customers from another.
fn fingerprint_of(asks: &[(RequestId, IssuanceAsk)]) -> [u8; 32] {
    let parts: Vec<_> = asks.iter().map(|(request, ask)| (request.key.as_bytes(), said(ask))).collect();
    let parts = parts.iter().flat_map(|(key, (words, named))| [*key, words.as_bytes(), named.as_bytes()]);
    fingerprint(&parts.collect::<Vec<_>>())
}

/// The kind of a customer's name, and the name.
fn named(customer: &Customer) -> (&'static str, &str) {
    match customer {
        Customer::Phone(phone) => ("phone", phone.expose()),
        Customer::Email(address) => ("email", address),
        Customer::Reference(reference) => ("reference", reference),
    }
}
