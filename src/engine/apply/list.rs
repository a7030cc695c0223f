//! A list of codes for a campaign that is there.

use super::facts::{claims, house_pool};
use super::{ApplyError, OnProgress, POOL_NO, ROUNDS, find};
use crate::domain::campaign::{PoolKind, Status};
use crate::domain::catalog::{CampaignRecord, Catalog};
use crate::domain::ids::CampaignId;
use crate::engine::Engine;
use crate::engine::import::ImportReport;
use crate::store::config::{CampaignWrite, Change, CreatorWrite, PoolWrite};
use crate::store::{StoreError, codes};
use std::path::Path;

impl Engine {
    /// Adds the codes of a file to a campaign's imported pool. Codes that it has already stay where they are.
    ///
    /// # Errors
    /// [`ApplyError`].
    pub async fn import(&self, name: &str, path: &Path, on: OnProgress<'_>) -> Result<ImportReport, ApplyError> {
        let (mut total, mut again) = (None::<ImportReport>, 0);
        loop {
            let catalog = self.fresh_catalog().await?;
            let (record, status) = find(&catalog, name)?;
            if status == Status::Ended {
                return Err(ApplyError::Ended(name.to_owned()));
            }
            let pool = house_pool(&catalog, record.id);
            let Some(pool) = pool.filter(|pool| pool.pool.kind == PoolKind::Imported) else {
                let kind = pool.map_or("no", |pool| pool.pool.kind.word());
                return Err(ApplyError::WrongPool { campaign: name.to_owned(), kind });
            };
            let live = pool.pool.size;
            let report = self.run_import((record.id, live), name, path, &claims(&catalog, None), on).await?;
            // What an earlier round wrote is found again by the next one; the first report is the true one.
            let report = total.get_or_insert(report);
            let size = codes::next_position(&self.parts().store, record.id, POOL_NO).await?;
            if size == live {
                return Ok(report.clone());
            }
            let sender = record.doc.keywords.as_ref().and_then(|_| sender_of(&catalog, record.id));
            let write = PoolWrite { kind: PoolKind::Imported, pattern: String::new(), key_id: 0, size };
            let creators = creators_of(&catalog, record);
            let campaign =
                CampaignWrite { id: Some(record.id), doc: record.doc.clone(), pool: write, creators, sender };
            let change = Change { planned_on: catalog.version, campaigns: vec![campaign], ..Change::default() };
            again += 1;
            match self.commit(&change).await {
                Ok(()) => return Ok(report.clone()),
                Err(ApplyError::Store(StoreError::Stale | StoreError::CommitUnknown(_))) if again < ROUNDS => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// A campaign's creators as they are: nothing of theirs changes.
fn creators_of(catalog: &Catalog, record: &CampaignRecord) -> Vec<CreatorWrite> {
    let rows = catalog.rows.creators.iter().filter(|row| record.doc.creators.contains_key(&row.handle));
    rows.map(|row| CreatorWrite { id: row.id, handle: row.handle.clone(), pool: None }).collect()
}

/// The number that a campaign's words belong to.
fn sender_of(catalog: &Catalog, campaign: CampaignId) -> Option<String> {
    let row = catalog.rows.keywords.iter().find(|row| row.campaign == campaign)?;
    catalog.senders.get(&row.sender).map(|sender| sender.address.clone())
}
