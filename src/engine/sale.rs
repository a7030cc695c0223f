//! The till: validate, redeem, roll back; and the house's void.

use super::chance::draw;
use super::text::fingerprint;
use super::{Engine, EngineError, Parts, Settled};
use crate::domain::act::{Act, Ask, Presented, Undo, Who};
use crate::domain::campaign::Campaign;
use crate::domain::code::CodeNorm;
use crate::domain::ids::{RequestId, Spot};
use crate::domain::till::{TillRefusal, judge};
use crate::domain::world::Whose;
use crate::store::ledger::Issued;
use std::sync::Arc;

/// A code that was found: what it is, and whose.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its life and its holder.
    pub issued: Issued,
    /// What it promises.
    pub campaign: Arc<Campaign>,
}

impl Engine {
    /// Finds a code that is out. Unknown, mistyped, never issued and voided codes are all nothing; what begins like
    /// ours and fails its check character is nothing before any table is read.
    ///
    /// # Errors
    /// What the database says.
    pub async fn find_code(&self, text: &str) -> Result<Option<Found>, EngineError> {
        let Ok(norm) = CodeNorm::parse(text) else {
            return Ok(None);
        };
        if self.catalog().is_mistyped(&norm) {
            return Ok(None);
        }
        match self.spot_of(&norm).await? {
            Some(spot) => self.find_spot(spot).await,
            None => Ok(None),
        }
    }

    /// Where a code lies, whether or not anybody has it.
    pub(super) async fn spot_of(&self, norm: &CodeNorm) -> Result<Option<Spot>, EngineError> {
        let catalog = self.fresh_catalog().await?;
        Ok(match catalog.derived_pool(norm).and_then(|pool| Some((pool, pool.derived.as_ref()?))) {
            Some((pool, derived)) => derived
                .position_of(norm)
                .ok()
                .filter(|position| *position < pool.size)
                .map(|position| Spot { campaign: pool.campaign, pool: pool.pool_no, position }),
            None => self.parts().store.find_code(norm).await?,
        })
    }

    /// The code at a place, if it is out and was not taken back.
    ///
    /// # Errors
    /// What the database says.
    pub async fn find_spot(&self, spot: Spot) -> Result<Option<Found>, EngineError> {
        let catalog = self.fresh_catalog().await?;
        let Some(issued) = self.parts().store.find_issued(spot).await? else {
            return Ok(None);
        };
        let campaign = catalog.campaigns.get(&spot.campaign).cloned();
        Ok(campaign.map(|campaign| Found { issued, campaign }))
    }

    /// Whether a till may accept the code now. Changes nothing; what the system that honours it says is recorded.
    ///
    /// # Errors
    /// What the database says; [`EngineError::Peer`] when the system that honours the code does not answer.
    pub async fn validate(&self, code: &str, shown: &Presented) -> Result<Result<Found, TillRefusal>, EngineError> {
        let Some(found) = self.find_code(code).await? else {
            return Ok(Err(TillRefusal::UnknownCode));
        };
        if self.peer_of(&found.campaign).is_some() {
            return self.validate_with_peer(found, shown).await;
        }
        let now = self.parts().clock.now();
        let Issued { holder, held } = &found.issued;
        Ok(judge(&found.campaign, held, *holder, shown, now).map(|()| found))
    }

    /// A till accepts the code, once. `None` when no such code is out; nothing is written then.
    ///
    /// # Errors
    /// As [`Engine::settle`]; [`EngineError::Peer`] when the system that honours the code does not answer: the same
    /// request may be sent again.
    pub async fn redeem(
        &self,
        request: RequestId,
        code: &str,
        mut shown: Presented,
    ) -> Result<Option<Settled>, EngineError> {
        let Some(found) = self.find_code(code).await? else {
            let who = shown.customer.map_or_else(|| request.door.clone(), |customer| customer.expose_hex());
            if let Err(error) = self.tell_stray(code, who).await {
                tracing::warn!(error = &error as &dyn std::error::Error, "a code of the stock was shown, untold");
            }
            return Ok(None);
        };
        let spot = found.issued.held.spot;
        let customer = shown.customer.map(|customer| customer.expose_hex());
        let Presented { store, order, amount, currency, .. } = &shown;
        let asked = format!("redeem {spot:?} {store:?} {order:?} {customer:?} {amount:?} {currency:?}");
        if let Some(peer) = self.peer_of(&found.campaign) {
            shown.peer = self.redeem_at_peer(&request, &found, &shown, &peer).await?;
        }
        self.sale(request, &asked, &found.issued, Ask::Redeem(spot, shown)).await.map(Some)
    }

    /// A till takes a redemption back. `None` when there is no such redemption.
    ///
    /// # Errors
    /// As [`Engine::redeem`].
    pub async fn roll_back(
        &self,
        request: RequestId,
        redemption: String,
        reason: String,
    ) -> Result<Option<Settled>, EngineError> {
        let Some((issued, provider)) = self.sold(&redemption).await? else {
            return Ok(None);
        };
        self.roll_back_at_peer(&request, &issued, &provider, (&redemption, &reason)).await?;
        let asked = format!("rollback Undo {{ redemption: {redemption:?}, reason: {reason:?} }}");
        let ask = Ask::Rollback(issued.held.spot, Undo { redemption, reason, refund: None, provider });
        self.sale(request, &asked, &issued, ask).await.map(Some)
    }

    /// A till gave `amount` of a redemption's money back, minor units; the code stays used, and no other system is told.
    /// `None` when there is no such redemption.
    ///
    /// # Errors
    /// As [`Engine::settle`].
    pub async fn refund(
        &self,
        request: RequestId,
        redemption: String,
        (amount, reason): (i64, String),
    ) -> Result<Option<Settled>, EngineError> {
        let Some((issued, provider)) = self.sold(&redemption).await? else {
            return Ok(None);
        };
        let asked = format!("refund {redemption:?} {amount} {reason:?}");
        let ask = Ask::Rollback(issued.held.spot, Undo { redemption, reason, refund: Some(amount), provider });
        self.sale(request, &asked, &issued, ask).await.map(Some)
    }

    /// The code of a redemption, and who took it.
    async fn sold(&self, redemption: &str) -> Result<Option<(Issued, String)>, EngineError> {
        let Parts { store, peers, .. } = self.parts();
        let providers: Vec<_> = ["till"].into_iter().chain(peers.names()).collect();
        Ok(store.find_redemption(&providers, redemption).await?)
    }

    /// The house takes a code back. `None` when no such code is out.
    ///
    /// # Errors
    /// As [`Engine::settle`].
    pub async fn void(&self, request: RequestId, code: &str, reason: &str) -> Result<Option<Settled>, EngineError> {
        let Some(found) = self.find_code(code).await? else {
            return Ok(None);
        };
        let spot = found.issued.held.spot;
        let asked = format!("void {spot:?} {reason}");
        self.sale(request, &asked, &found.issued, Ask::Void(spot, reason.to_owned())).await.map(Some)
    }

    async fn sale(&self, request: RequestId, asked: &str, issued: &Issued, ask: Ask) -> Result<Settled, EngineError> {
        self.settle(act_on(issued, request, fingerprint(&[asked.as_bytes()]), ask)).await
    }
}

/// An act on a code that is out: it takes the lock of its person or pull, and its partner hears of it.
pub(super) fn act_on(issued: &Issued, request: RequestId, fingerprint: [u8; 32], ask: Ask) -> Act {
    let (who, allocation) = match issued.holder {
        Whose::Person(subject) => (Some(Who { subject, sealed_phone: None, country: None }), None),
        Whose::Pull(allocation) => (None, Some(allocation)),
    };
    let partner = issued.held.from.partner.map(|by| by.id);
    Act { partner, allocation, ..Act::new(draw(), request, fingerprint, who, ask) }
}
