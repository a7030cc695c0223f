//! Claim pages: a phone is proved, a code is claimed, openings are counted.

use super::{Engine, EngineError, Settled, draw, fingerprint};
use crate::domain::act::{Act, Ask, Claim, Digits, Openings, ProofId, Prove, Seeks, Who};
use crate::domain::campaign::Campaign;
use crate::domain::cap::{Quota, Reached, Scope, check_quota};
use crate::domain::catalog::LinkRow;
use crate::domain::creator::{Slug, SubId};
use crate::domain::decision::STRANGERS;
use crate::domain::decision::changes::QUARTER_MS;
use crate::domain::ids::{CreatorId, RequestId, Subject, millis};
use crate::domain::phone::PhoneNumber;
use crate::domain::world::Proof;
use crate::store::claims::Leak;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use std::sync::{Arc, Mutex, PoisonError};

/// The door of claim pages.
const DOOR: &str = "claim";
/// Slugs with sub ids whose openings wait to be written; whoever makes up more of them is not counted.
const WAITING: usize = 10_000;

/// What a claim page shows: where its slug leads.
#[derive(Debug, Clone)]
pub struct ClaimPage {
    /// The link.
    pub link: LinkRow,
    /// The offer's campaign.
    pub campaign: Arc<Campaign>,
}

/// Openings that are not written yet.
#[derive(Debug, Default)]
pub(super) struct Opened(Mutex<Openings>);

impl Opened {
    fn add(&self, more: Openings) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, n) in more {
            if waiting.len() < WAITING || waiting.contains_key(&key) {
                *waiting.entry(key).or_default() += n;
            }
        }
    }

    fn take(&self) -> Openings {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Engine {
    /// Where a slug leads; `None` where it leads nowhere.
    ///
    /// # Errors
    /// What the database says.
    pub async fn claim_page(&self, slug: &Slug) -> Result<Option<ClaimPage>, EngineError> {
        let catalog = self.fresh_catalog().await?;
        let link = catalog.links.get(slug.as_str()).cloned();
        Ok(link.and_then(|link| {
            let campaign = catalog.campaigns.get(&link.campaign).cloned()?;
            Some(ClaimPage { link, campaign })
        }))
    }

    /// How many codes are left of the pools that a request of that creator's draws from.
    ///
    /// # Errors
    /// What the database says.
    pub async fn left_for(&self, campaign: &Campaign, creator: Option<CreatorId>) -> Result<u64, EngineError> {
        let left = self.parts().store.left_in(campaign.id).await?;
        let pools = campaign.pools_of(creator).filter_map(|pool| left.get(&pool.pool_no));
        Ok(pools.sum())
    }

    /// The cap of a creator's own that is full now, the one that stays so longest.
    ///
    /// # Errors
    /// What the database says.
    pub async fn full_for(&self, campaign: &Campaign, creator: CreatorId) -> Result<Option<Reached>, EngineError> {
        let now = self.now();
        let mut full: Option<Reached> = None;
        for cap in campaign.caps.iter().filter(|cap| cap.scope == Scope::Creator(creator)) {
            let used = self.parts().store.used_of(cap.id, cap.window.key(now, cap.zone)).await?;
            let Err(reached) = check_quota(cap, Quota { cap: cap.cap, used }, 1, now) else {
                continue;
            };
            let is_longer =
                |known: &Reached| known.resets_at.is_some_and(|at| reached.resets_at.is_none_or(|it| it > at));
            if full.as_ref().is_none_or(is_longer) {
                full = Some(reached);
            }
        }
        Ok(full)
    }

    /// A creator's codes that strangers tried in vain.
    ///
    /// # Errors
    /// What the database says.
    pub async fn leaks_of(&self, creator: CreatorId) -> Result<Vec<Leak>, EngineError> {
        Ok(self.parts().store.leaks_of(creator, STRANGERS).await?)
    }

    /// Whether a number is one that people have: neither ours nor, unless they are served, toll-free.
    #[must_use]
    pub fn is_a_persons(&self, phone: &PhoneNumber) -> bool {
        let catalog = self.catalog();
        let is_ours = catalog.senders.values().any(|row| row.address == phone.expose());
        !is_ours && (catalog.limits.serve_toll_free || !phone.is_toll_free())
    }

    /// Texts digits to a phone, once for the same `nonce`, page and person; the proof is named like its message.
    ///
    /// # Errors
    /// As [`Engine::settle`].
    pub async fn prove(
        &self,
        who: Who,
        slug: &Slug,
        sub_id: Option<&SubId>,
        nonce: &str,
    ) -> Result<Settled, EngineError> {
        let prove = Prove { slug: slug.clone(), sub_id: sub_id.cloned(), seeks: Seeks::AnyCode };
        self.text_digits(who, prove, "prove", nonce).await
    }

    /// As [`Engine::prove`], for the code that a person has, however closed the page is. A number without one gets no
    /// text, and the answer is the same.
    ///
    /// # Errors
    /// As [`Engine::settle`].
    pub async fn prove_own(&self, who: Who, slug: &Slug, nonce: &str) -> Result<Settled, EngineError> {
        let prove = Prove { slug: slug.clone(), sub_id: None, seeks: Seeks::OwnCode };
        self.text_digits(who, prove, "prove-own", nonce).await
    }

    async fn text_digits(&self, who: Who, prove: Prove, what: &str, nonce: &str) -> Result<Settled, EngineError> {
        let page = prove.slug.as_str().as_bytes();
        let asked = [page, prove.sub_id.as_ref().map_or(&[], |sub| sub.as_str().as_bytes())];
        let request = request(what, &[nonce.as_bytes(), who.subject.as_bytes(), page]);
        let print = fingerprint(&asked);
        let act = Act::new(draw(), request, print, Some(who), Ask::Prove(prove));
        self.settle(act).await
    }

    /// The proof of a person on a page whose digits still count, the newest.
    ///
    /// # Errors
    /// What the database says.
    pub async fn open_proof(&self, subject: Subject, slug: &Slug) -> Result<Option<Proof>, EngineError> {
        let now = self.now();
        Ok(self.parts().store.newest_proof(subject, slug.as_str()).await?.filter(|proof| proof.is_open(now)))
    }

    /// Gives digits back for a code; the same digits of the same form are one request.
    ///
    /// # Errors
    /// As [`Engine::settle`].
    pub async fn claim(
        &self,
        who: Who,
        slug: &Slug,
        proof: ProofId,
        digits: &str,
        nonce: &str,
    ) -> Result<Settled, EngineError> {
        let sent = self.parts().keys.web_digits(&proof.0);
        let is_same = verify_slices_are_equal(sent.as_bytes(), digits.as_bytes()).is_ok();
        let compared = if is_same { Digits::Right } else { Digits::Wrong };
        let request = request("claim", &[nonce.as_bytes(), &proof.0, digits.as_bytes()]);
        let print = fingerprint(&[&proof.0, slug.as_str().as_bytes()]);
        let ask = Ask::Claim(Claim { proof, slug: slug.clone(), digits: compared });
        self.settle(Act::new(draw(), request, print, Some(who), ask)).await
    }

    /// Counts an opening of a page; it is written with the next [`Engine::write_openings`].
    pub fn count_opening(&self, slug: &Slug, sub_id: Option<&SubId>) {
        let quarter = millis(self.now()).div_euclid(QUARTER_MS);
        let sub_id = sub_id.map_or("", SubId::as_str);
        let key = (slug.as_str().to_owned(), sub_id.to_owned(), quarter);
        self.shared.opened.add(Openings::from([(key, 1)]));
    }

    /// Writes the openings that were counted since the last time; what cannot be written waits for the next.
    ///
    /// # Errors
    /// As [`Engine::settle`].
    pub async fn write_openings(&self) -> Result<(), EngineError> {
        let openings = self.shared.opened.take();
        if openings.is_empty() {
            return Ok(());
        }
        let id: [u8; 16] = draw();
        // It writes no request row and is told apart by its draw.
        let request = RequestId { door: DOOR.to_owned(), key: format!("{:032x}", u128::from_be_bytes(id)) };
        let act = Act::new(id, request, [0; 32], None, Ask::Opened(openings.clone()));
        let written = self.settle(act).await.map(drop);
        if written.is_err() {
            self.shared.opened.add(openings);
        }
        written
    }
}

/// The request that a form makes: nothing of what was typed can be read from its key.
fn request(what: &str, parts: &[&[u8]]) -> RequestId {
    let half = fingerprint(parts).first_chunk().map_or(0, |half| u128::from_be_bytes(*half));
    RequestId { door: DOOR.to_owned(), key: format!("{what}-{half:032x}") }
}
