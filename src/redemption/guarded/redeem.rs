//! Redeeming once: a try nobody knows the end of is looked up, never repeated blindly.

use super::Guarded;
use super::tries::Tries;
use crate::redemption::{CallContext, Effect, Idempotency, Peer as _, PeerError, Reason, Redeem, Redemption, Verb};
use std::time::Duration;

/// After an unanswered redeem the peer's books are looked at twice, so far apart: it may still be at work.
pub(super) const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// What a look into a peer's books told.
enum Look {
    Found(Redemption),
    NotThere,
    CannotSay,
}

impl Guarded {
    /// Redeems, and looks before it asks again whenever nobody knows what a try did.
    pub(super) async fn redeem_once(&self, ask: &Redeem, context: &CallContext<'_>) -> Result<Redemption, PeerError> {
        let idempotency = self.capabilities().idempotency;
        let mut tries = Tries::new(self, Verb::Redeem, context);
        let mut in_doubt = false;
        loop {
            let turn = match tries.turn().await {
                Ok(turn) => turn,
                Err(_) if in_doubt => return Err(PeerError::OutcomeUnknown),
                Err(error) => return Err(error),
            };
            let asked = turn.context(context);
            let error = match turn.make(1, self.inner.redeem(ask, &asked)).await {
                Ok(redemption) => return Ok(redemption),
                Err(error) => error,
            };
            match self.own_use(ask, &error, &tries, context).await {
                Look::Found(redemption) => return Ok(redemption),
                Look::CannotSay => return Err(PeerError::OutcomeUnknown),
                Look::NotThere => {}
            }
            in_doubt |= error.effect() == Effect::Unknown;
            // A code that a sale under way holds may be held by our own try.
            let open = error.is_passing() || in_doubt && is_locked(&error);
            if !in_doubt || idempotency == Idempotency::Native && open {
                if !open || !tries.again(error.retry_after()).await {
                    return self.last_word(ask, &tries, in_doubt, error, context).await;
                }
                continue;
            }
            match self.look(ask, &tries, context).await {
                Look::Found(redemption) => return Ok(redemption),
                // It answered this try, and none before it stands in its books.
                Look::NotThere if !open => return Err(error),
                // The same key would have got the first answer, so the no is meant.
                Look::CannotSay if idempotency == Idempotency::Native && !open => return Err(error),
                Look::NotThere if idempotency == Idempotency::ByReference && tries.again(None).await => {}
                Look::NotThere | Look::CannotSay => return Err(PeerError::OutcomeUnknown),
            }
        }
    }

    /// A code that is refused as used may have been used by us: a call that arrived twice, or before a restart.
    async fn own_use(&self, ask: &Redeem, error: &PeerError, tries: &Tries<'_>, context: &CallContext<'_>) -> Look {
        let is_used =
            matches!(error, PeerError::Rejected { reason: Reason::AlreadyRedeemed | Reason::LimitReached, .. });
        let capabilities = self.capabilities();
        if !is_used || !capabilities.can_find_redemption || capabilities.idempotency == Idempotency::Native {
            return Look::NotThere;
        }
        let left = context.at_most(tries.left());
        match self.find_redemption(&ask.code, &ask.reference, &left).await {
            Ok(found) => found.map_or(Look::NotThere, Look::Found),
            Err(_) => Look::CannotSay,
        }
    }

    /// No try is left: what a peer's books say, else the error, else that nobody knows.
    async fn last_word(
        &self,
        ask: &Redeem,
        tries: &Tries<'_>,
        in_doubt: bool,
        error: PeerError,
        context: &CallContext<'_>,
    ) -> Result<Redemption, PeerError> {
        if !in_doubt {
            return Err(error);
        }
        match self.look(ask, tries, context).await {
            Look::Found(redemption) => Ok(redemption),
            Look::NotThere | Look::CannotSay => Err(PeerError::OutcomeUnknown),
        }
    }

    /// Looks twice for our reference: one look that finds nothing may have come before the peer was done.
    async fn look(&self, ask: &Redeem, tries: &Tries<'_>, context: &CallContext<'_>) -> Look {
        if !self.capabilities().can_find_redemption {
            return Look::CannotSay;
        }
        for is_last in [false, true] {
            let left = context.at_most(tries.left());
            match self.find_redemption(&ask.code, &ask.reference, &left).await {
                Ok(Some(redemption)) => return Look::Found(redemption),
                Ok(None) if is_last => return Look::NotThere,
                Ok(None) if LOOK_AGAIN < tries.left() => self.surroundings.sleep(LOOK_AGAIN).await,
                Ok(None) | Err(_) => return Look::CannotSay,
            }
        }
        Look::CannotSay
    }
}

fn is_locked(error: &PeerError) -> bool {
    matches!(error, PeerError::Rejected { reason: Reason::Locked, .. })
}
