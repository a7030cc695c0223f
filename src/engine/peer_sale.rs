//! A sale at our till of a code that another system honours: that system decides, and both ledgers end up the same.

use super::text::fingerprint;
use super::{Engine, EngineError, Found};
use crate::domain::act::{PeerAnswer, Presented};
use crate::domain::alert::AlertKind;
use crate::domain::ids::RequestId;
use crate::domain::money::{Currency, Money};
use crate::domain::till::{TillRefusal, judge};
use crate::redemption::{
    CallContext, Effect, Guarded, Idempotency, Peer as _, PeerError, Reason, Redeem, Redemption, Rollback, Status,
};
use crate::store::ledger::Issued;
use std::fmt::Write as _;
use std::time::Duration;

/// A look while a till waits (redemption-and-partners §1.6).
const LOOK: Duration = Duration::from_millis(1500);
/// A redemption while a till waits.
const SALE: Duration = Duration::from_secs(4);

impl Engine {
    pub(super) async fn validate_with_peer(
        &self,
        found: Found,
        shown: &Presented,
    ) -> Result<Result<Found, TillRefusal>, EngineError> {
        // A till is never told from memory.
        if let (Some(peer), Some(code)) = (self.peer_of(&found.campaign), self.code_at(found.issued.held.spot).await?) {
            peer.forget(&code).await;
        }
        let seen = self.see(found, LOOK).await?;
        let Issued { holder, held } = &seen.found.issued;
        if let Err(why) = judge(&seen.found.campaign, held, *holder, shown, self.now()) {
            return Ok(Err(why));
        }
        match seen.reading {
            None => Err(EngineError::Peer(PeerError::Timeout { effect: Effect::None })),
            Some(reading) => Ok(refusal(&reading.status).map_or(Ok(seen.found), Err)),
        }
    }

    /// Asks the system that honours a code to accept it, where our own rules allow it. `None`: our rules, or an earlier
    /// answer to this request, say all.
    pub(super) async fn redeem_at_peer(
        &self,
        request: &RequestId,
        found: &Found,
        shown: &Presented,
        peer: &Guarded,
    ) -> Result<Option<PeerAnswer>, EngineError> {
        let is_answered = self.decision(request).await?.is_some();
        let Issued { holder, held } = &found.issued;
        // What that system took back, our ledger may still call used: only the other rules decide here.
        let ours = judge(&found.campaign, held, *holder, shown, self.now());
        let is_ours = !matches!(ours, Ok(()) | Err(TillRefusal::AlreadyRedeemed | TillRefusal::Expired));
        if is_answered || is_ours {
            return Ok(None);
        }
        let Some(code) = self.code_at(held.spot).await? else {
            return Ok(Some(PeerAnswer::Refused(TillRefusal::UnknownCode)));
        };
        let currency = shown.currency.as_deref().unwrap_or_default();
        let currency = Currency::parse(currency).ok().or_else(|| offered(found));
        let ask = Redeem {
            code,
            reference: reference(request),
            store: shown.store.clone(),
            order: shown.order.clone(),
            amount: shown.amount.zip(currency).map(|(minor, currency)| Money::new(minor, currency)),
        };
        match self.ask_to_redeem(peer, &ask).await {
            Ok(redemption) => {
                peer.forget(&ask.code).await;
                let peer = peer.name().to_owned();
                Ok(Some(PeerAnswer::Accepted { peer, redemption: redemption.redemption_id }))
            }
            Err(PeerError::Rejected { reason, .. }) => {
                peer.forget(&ask.code).await;
                self.see(found.clone(), LOOK).await?;
                Ok(Some(PeerAnswer::Refused(refused(reason))))
            }
            Err(error) => {
                if error.effect() == Effect::Unknown {
                    let about = format!("peer {}", peer.name());
                    let detail = format!("a till asked, and no answer came: reference {}", ask.reference);
                    self.raise(AlertKind::UnknownOutcome, &about, detail).await;
                }
                Err(EngineError::Peer(error))
            }
        }
    }

    /// Never blindly twice: a system without idempotency of its own is first asked whether it knows this use.
    async fn ask_to_redeem(&self, peer: &Guarded, ask: &Redeem) -> Result<Redemption, PeerError> {
        let context = CallContext::unrecorded(self.now(), SALE);
        match peer.capabilities().idempotency {
            Idempotency::Native => {}
            Idempotency::ByReference => {
                if let Some(known) = peer.find_redemption(&ask.code, &ask.reference, &context).await? {
                    return Ok(known);
                }
            }
            Idempotency::None => return Err(PeerError::Unsupported),
        }
        peer.redeem(ask, &context).await
    }

    /// Takes a use back where it was made.
    pub(super) async fn roll_back_at_peer(
        &self,
        request: &RequestId,
        issued: &Issued,
        provider: &str,
        (redemption, reason): (&str, &str),
    ) -> Result<(), EngineError> {
        let Some(peer) = self.parts().peers.get(provider).cloned() else {
            return Ok(());
        };
        let is_open = issued.held.open_redemption().is_some_and(|open| open.provider_ref == redemption);
        let Some(code) = self.code_at(issued.held.spot).await?.filter(|_| is_open) else {
            return Ok(());
        };
        let ask = Rollback {
            code,
            redemption_id: redemption.to_owned(),
            reference: reference(request),
            reason: reason.to_owned(),
        };
        let done = peer.rollback(&ask, &CallContext::unrecorded(self.now(), SALE)).await;
        peer.forget(&ask.code).await;
        done.map_err(EngineError::Peer)
    }
}

/// Our name of a use, the same at every try of one request and telling nothing of it.
fn reference(request: &RequestId) -> String {
    let digest = fingerprint(&[request.door.as_bytes(), request.key.as_bytes()]);
    digest.iter().take(16).fold("cw_".to_owned(), |mut name, byte| {
        // Writing to a string cannot fail.
        let _ = write!(name, "{byte:02x}");
        name
    })
}

fn offered(found: &Found) -> Option<Currency> {
    let offer = found.campaign.offer(found.issued.held.offer_no)?;
    Currency::parse(&offer.currency).ok()
}

/// Why a code that stands like this is not accepted; one that wants a basket may be.
fn refusal(status: &Status) -> Option<TillRefusal> {
    match status {
        Status::Valid | Status::Conditional(_) | Status::IssuedElsewhere => None,
        Status::NotYetActive(_) => Some(TillRefusal::NotYetActive),
        Status::Expired(_) => Some(TillRefusal::Expired),
        Status::Redeemed { .. } => Some(TillRefusal::AlreadyRedeemed),
        Status::Disabled => Some(TillRefusal::CampaignInactive),
        Status::Unknown => Some(TillRefusal::UnknownCode),
        Status::Locked => Some(TillRefusal::ConditionsNotMet),
    }
}

fn refused(reason: Reason) -> TillRefusal {
    match reason {
        Reason::UnknownCode => TillRefusal::UnknownCode,
        Reason::NotYetActive => TillRefusal::NotYetActive,
        Reason::Expired => TillRefusal::Expired,
        Reason::AlreadyRedeemed | Reason::LimitReached => TillRefusal::AlreadyRedeemed,
        Reason::Disabled | Reason::CampaignInactive => TillRefusal::CampaignInactive,
        Reason::WrongRecipient => TillRefusal::WrongRecipient,
        Reason::WrongStore => TillRefusal::WrongStore,
        Reason::ConditionsNotMet | Reason::Locked | Reason::ProviderError => TillRefusal::ConditionsNotMet,
    }
}
