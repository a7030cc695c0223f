//! What somebody must look at: workers raise it and clear it; batches that see something raise it with their facts.

use super::{Engine, EngineError, chance};
use crate::domain::act::{Act, Ask, RunsLow};
use crate::domain::alert::{Alert, AlertKind};
use crate::domain::campaign::{Campaign, Status};
use crate::domain::ids::RequestId;

pub use crate::store::alerts::{AlertCursor, AlertRecord, Which};

impl Engine {
    /// Raises an alert. It is logged in any case; that it cannot be written now is logged too and no reason to stop.
    pub async fn raise(&self, kind: AlertKind, about: &str, detail: impl Into<String>) {
        let detail = detail.into();
        tracing::warn!(alert.kind = kind.word(), alert.about = about, "{detail}");
        self.say(Ask::Raise(Alert { kind, about: about.to_owned(), detail })).await;
    }

    /// Says that what an alert told is over; nothing happens where none stands.
    pub async fn clear(&self, kind: AlertKind, about: &str) {
        self.say(Ask::Clear(kind, about.to_owned())).await;
    }

    /// The alerts, newest first, at most `limit`.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn alerts(&self, which: Which, limit: u32) -> Result<Vec<AlertRecord>, EngineError> {
        Ok(self.parts().store.alerts(which, limit).await?)
    }

    /// Raises an alert for each live campaign whose house pools have come below either mark, once per crossing, and clears those that
    /// are above both again.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn watch_stock(&self, percent: u64, codes: u64) -> Result<(), EngineError> {
        let counts = self.code_counts().await?;
        let open = self.parts().store.alerts(Which::Open, u32::MAX).await?;
        let stands = |about: &str| open.iter().any(|one| one.kind == AlertKind::LowStock.word() && one.about == about);
        for campaign in self.catalog().campaigns.values() {
            let about = format!("campaign {}", campaign.name);
            let left = counts.get(&campaign.id).map_or(0, |count| count.of_house);
            // Codes with a creator's name go to her followers only; her desk tells her when they run low.
            let size: u64 = campaign.pools_of(None).map(|pool| pool.size).sum();
            // A pool smaller than the mark is not low from its first day on.
            let few = left < codes.min(size / 2) || left.saturating_mul(100) < size.saturating_mul(percent);
            let is_low = few && campaign.status == Status::Live;
            match (stands(&about), is_low) {
                (false, true) => {
                    self.tell_low(campaign, about, (left, size)).await?;
                }
                (true, false) => self.clear(AlertKind::LowStock, &about).await,
                (true, true) | (false, false) => {}
            }
        }
        Ok(())
    }

    /// Raises an alert and tells every partner that may give out the campaign's codes, in one transaction; nothing
    /// happens where another process did.
    async fn tell_low(&self, campaign: &Campaign, about: String, (left, size): (u64, u64)) -> Result<(), EngineError> {
        let detail = format!("{left} of {size} codes are left");
        tracing::warn!(alert.kind = AlertKind::LowStock.word(), alert.about = about, "{detail}");
        let partners = crate::store::partners::granted(&self.parts().store, campaign.id).await?;
        let alert = Alert { kind: AlertKind::LowStock, about, detail };
        self.tell(Ask::RunsLow(RunsLow { campaign: campaign.id, alert, left, partners })).await
    }

    /// Clears an alert that a person has looked into; `false` where none stands.
    ///
    /// # Errors
    /// As [`Engine::settle`].
    pub async fn clear_standing(&self, kind: AlertKind, about: &str) -> Result<bool, EngineError> {
        let stands = self.parts().store.stands(kind, about).await?;
        if stands {
            self.tell(Ask::Clear(kind, about.to_owned())).await?;
        }
        Ok(stands)
    }

    /// Clears every alert of a kind that stands; how many they were.
    ///
    /// # Errors
    /// As [`Engine::settle`].
    pub async fn clear_kind(&self, kind: AlertKind) -> Result<usize, EngineError> {
        let open = self.parts().store.alerts(Which::Open, u32::MAX).await?;
        let mut cleared = 0;
        for alert in open.iter().filter(|alert| alert.kind == kind.word()) {
            self.tell(Ask::Clear(kind, alert.about.clone())).await?;
            cleared += 1;
        }
        Ok(cleared)
    }

    /// The alerts that come after one of them, newest first, at most `limit`.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn alerts_after(
        &self,
        which: Which,
        after: Option<AlertCursor>,
        limit: u32,
    ) -> Result<Vec<AlertRecord>, EngineError> {
        Ok(self.parts().store.alerts_after(which, after.as_ref(), limit).await?)
    }

    async fn say(&self, ask: Ask) {
        if let Err(error) = self.tell(ask).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "an alert cannot be written down");
        }
    }

    pub(super) async fn tell(&self, ask: Ask) -> Result<(), EngineError> {
        let id: [u8; 16] = chance::draw();
        let request = RequestId { door: "alert".to_owned(), key: format!("{:032x}", u128::from_be_bytes(id)) };
        let act = Act::new(id, request, [0; 32], None, ask);
        self.settle(act).await.map(drop)
    }
}
