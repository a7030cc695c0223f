//! Who looked at a code: its page was open in a browser, or a till asked about it. Counted once a window.

use super::sale::act_on;
use super::{Engine, EngineError, Found, draw};
use crate::domain::act::{Ask, Look, Presented, Stray};
use crate::domain::code::CodeNorm;
use crate::domain::ids::{RequestId, Spot, Subject, millis};
use crate::domain::till::TillRefusal;
use std::sync::Arc;

/// One code is counted once in so long, by each who looks.
const WINDOW_MS: i64 = 1_800_000;
/// Looks that wait to be written; further ones are not counted, so that they are in nobody's way.
pub(super) const AT_ONCE: usize = 64;
/// The door of looks.
const DOOR: &str = "look";

impl Engine {
    /// Counts that the page of a code was open; nothing happens where no such code is out.
    ///
    /// # Errors
    /// As [`Engine::settle`].
    pub async fn viewed(&self, spot: Spot) -> Result<(), EngineError> {
        match self.find_spot(spot).await? {
            Some(found) => self.count_look(&found, Look::Viewed, "page").await,
            None => Ok(()),
        }
    }

    /// Counts, after the answer, that a till asked about a code that is somebody's merit.
    pub fn count_validation(&self, found: &Found, till: &str) {
        let from = &found.issued.held.from;
        if from.partner.is_none() && from.creator.is_none() {
            return;
        }
        let (engine, found, till) = (self.clone(), found.clone(), till.to_owned());
        self.afterwards(async move { engine.count_look(&found, Look::Validated, &till).await });
    }

    /// Notes, after the answer, that a till asked about a code in vain, where that may be a sign of a leak: it is
    /// somebody else's, it was used, or nobody was given it.
    pub fn note_vain(&self, code: &str, shown: &Presented, till: &str, why: TillRefusal) {
        let who = shown.customer.map_or_else(|| till.to_owned(), |customer| customer.expose_hex());
        let (engine, code, customer) = (self.clone(), code.to_owned(), shown.customer);
        match why {
            TillRefusal::UnknownCode => self.afterwards(async move { engine.tell_stray(&code, who).await }),
            TillRefusal::AlreadyRedeemed | TillRefusal::WrongRecipient => {
                self.afterwards(async move { engine.tell_tried(&code, customer, who).await });
            }
            TillRefusal::Expired
            | TillRefusal::NotYetActive
            | TillRefusal::WrongStore
            | TillRefusal::ConditionsNotMet
            | TillRefusal::CampaignInactive => {}
        }
    }

    /// Does what nobody waits for; nothing where too much of it waits already.
    fn afterwards(&self, work: impl Future<Output = Result<(), EngineError>> + Send + 'static) {
        let Ok(permit) = Arc::clone(&self.shared.looks).try_acquire_owned() else {
            return;
        };
        tokio::spawn(async move {
            if let Err(error) = work.await {
                tracing::debug!(error = &error as &dyn std::error::Error, "a look was not counted");
            }
            drop(permit);
        });
    }

    /// Writes down who tried somebody's code; her own tries are none.
    async fn tell_tried(&self, code: &str, customer: Option<Subject>, who: String) -> Result<(), EngineError> {
        let Some(Found { issued, .. }) = self.find_code(code).await? else {
            return Ok(());
        };
        if customer.is_some() && customer == issued.holder.person() {
            return Ok(());
        }
        let id: [u8; 16] = draw();
        let request = RequestId { door: DOOR.to_owned(), key: format!("{:032x}", u128::from_be_bytes(id)) };
        let ask = Ask::Stray(Stray { spot: issued.held.spot, who, pull: None });
        self.settle(act_on(&issued, request, [0; 32], ask)).await.map(drop)
    }

    async fn count_look(&self, found: &Found, look: Look, by: &str) -> Result<(), EngineError> {
        let spot = found.issued.held.spot;
        let Spot { campaign, pool, position } = spot;
        let window = millis(self.now()).div_euclid(WINDOW_MS);
        let key = format!("{}-{by}-{campaign}-{pool}-{position}-{window}", look.word());
        let request = RequestId { door: DOOR.to_owned(), key };
        self.settle(act_on(&found.issued, request, [0; 32], Ask::Looked(spot, look))).await.map(drop)
    }

    /// Tells people where a code is shown that nobody was given; `who` showed it.
    pub(super) async fn tell_stray(&self, code: &str, who: String) -> Result<(), EngineError> {
        let Ok(norm) = CodeNorm::parse(code) else {
            return Ok(());
        };
        if self.catalog().is_mistyped(&norm) {
            return Ok(());
        }
        let store = &self.parts().store;
        match self.spot_of(&norm).await? {
            Some(spot) if !store.was_issued(spot).await? => {
                let pull = store.pull_that_waits(spot).await?;
                self.tell(Ask::Stray(Stray { spot, who, pull })).await
            }
            Some(_) | None => Ok(()),
        }
    }
}
