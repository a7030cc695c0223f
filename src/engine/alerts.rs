//! What somebody must look at: workers raise it and clear it; batches that see something raise it with their facts.

use super::{Engine, EngineError, chance};
use crate::domain::act::{Act, Ask};
use crate::domain::alert::{Alert, AlertKind};
use crate::domain::campaign::Status;
use crate::domain::ids::RequestId;

pub use crate::store::alerts::{AlertRecord, Which};

impl Engine {
    /// Raises an alert. It is logged in any case; that it cannot be written now is logged too and no reason to stop.
    pub async fn raise(&self, kind: AlertKind, about: &str, detail: impl Into<String>) {
        let detail = detail.into();
        tracing::warn!(alert.kind = kind.word(), alert.about = about, "{detail}");
        self.tell(Ask::Raise(Alert { kind, about: about.to_owned(), detail })).await;
    }

    /// Says that what an alert told is over; nothing happens where none stands.
    pub async fn clear(&self, kind: AlertKind, about: &str) {
        self.tell(Ask::Clear(kind, about.to_owned())).await;
    }

    /// The alerts, newest first, at most `limit`.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn alerts(&self, which: Which, limit: u32) -> Result<Vec<AlertRecord>, EngineError> {
        Ok(self.parts().store.alerts(which, limit).await?)
    }

    /// Raises an alert for each live campaign that has come below either mark, once per crossing, and clears those that
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
            let left = counts.get(&campaign.id).map_or(0, |count| count.in_stock);
            let size: u64 = campaign.pools.iter().map(|pool| pool.size).sum();
            // A pool smaller than the mark is not low from its first day on.
            let few = left < codes.min(size / 2) || left.saturating_mul(100) < size.saturating_mul(percent);
            let is_low = few && campaign.status == Status::Live;
            match (stands(&about), is_low) {
                (false, true) => {
                    let detail = format!("{left} of {size} codes are left");
                    self.raise(AlertKind::LowStock, &about, detail).await;
                }
                (true, false) => self.clear(AlertKind::LowStock, &about).await,
                (true, true) | (false, false) => {}
            }
        }
        Ok(())
    }

    async fn tell(&self, ask: Ask) {
        let id: [u8; 16] = chance::draw();
        let request = RequestId { door: "alert".to_owned(), key: format!("{:032x}", u128::from_be_bytes(id)) };
        let act = Act::new(id, request, [0; 32], None, ask);
        if let Err(error) = self.settle(act).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "an alert cannot be written down");
        }
    }
}
