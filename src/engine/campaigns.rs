//! Pause, resume, end: changes by people, each alone in the committer's queue.

use super::{Engine, EngineError};
use crate::domain::campaign::Status;
use crate::domain::catalog::CampaignRecord;
use crate::domain::ids::CampaignId;
use crate::store::campaign_status::{self, Switched};
use crate::store::counts::{self, CodeCount};
use std::collections::BTreeMap;
use thiserror::Error;

/// Each try waits up to 2 s for the locks of batches; a wish repeated is no harm, because it says what shall be.
const TRIES: u32 = 10;

/// Why a campaign keeps its status.
#[derive(Debug, Error)]
pub enum StatusError {
    /// There is no campaign of that name; the nearest one, where there is one.
    #[error("there is no campaign {name}{}", nearest.as_ref().map(|name| format!("; did you mean {name}?")).unwrap_or_default())]
    NoCampaign {
        /// What was asked for.
        name: String,
        /// What may have been meant.
        nearest: Option<String>,
    },
    /// Its codes are still being written.
    #[error("the codes of {0} are still being written")]
    Draft(String),
    /// It ended, which is for ever.
    #[error("{0} has ended, and an ended campaign stays ended: its unissued codes are retired")]
    Ended(String),
    /// The engine failed.
    #[error("the status could not be changed")]
    Engine(#[from] EngineError),
}

/// What became of a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// It has the new status; after this no issuance commits against it, in any process.
    Done {
        /// Codes that nobody will ever get; 0 unless it ended.
        retired: u64,
    },
    /// It had that status already.
    Already,
}

impl Engine {
    /// The campaign of that name, in any case of letters.
    ///
    /// # Errors
    /// [`StatusError::NoCampaign`]; what the database says.
    pub async fn campaign(&self, name: &str) -> Result<CampaignRecord, StatusError> {
        let catalog = self.fresh_catalog().await.map_err(EngineError::from)?;
        let records = &catalog.rows.campaigns;
        let same = |record: &&CampaignRecord| record.doc.name.eq_ignore_ascii_case(name);
        records.iter().find(same).cloned().ok_or_else(|| {
            let upper = name.to_ascii_uppercase();
            let distance = |known: &str| strsim::osa_distance(&known.to_ascii_uppercase(), &upper);
            let near = records.iter().map(|record| record.doc.name.as_str());
            StatusError::NoCampaign {
                name: name.to_owned(),
                nearest: near
                    .min_by_key(|known| distance(known))
                    .filter(|known| distance(known) <= 2)
                    .map(str::to_owned),
            }
        })
    }

    /// Pauses, resumes or ends a campaign. Doing it again changes nothing.
    ///
    /// # Errors
    /// [`StatusError`].
    pub async fn set_status(&self, name: &str, to: Status) -> Result<Changed, StatusError> {
        let campaign = self.campaign(name).await?;
        let from: &[Status] = match to {
            Status::Live => &[Status::Paused],
            Status::Paused => &[Status::Live],
            Status::Ended => &[Status::Live, Status::Paused],
        };
        let parts = self.parts();
        let turn = self.turn().await?;
        let mut tries = 0;
        let switched = loop {
            tries += 1;
            let now = parts.clock.now();
            match campaign_status::switch(&parts.store, campaign.id, from, to, now).await {
                Err(error) if error.is_passing() && tries < TRIES => {}
                done => break done.map_err(EngineError::from)?,
            }
        };
        drop(turn);
        match switched {
            Switched::Done { retired } => Ok(Changed::Done { retired }),
            Switched::Not(None) => Err(StatusError::Draft(campaign.doc.name)),
            Switched::Not(Some(status)) if status == to => Ok(Changed::Already),
            Switched::Not(Some(_)) => Err(StatusError::Ended(campaign.doc.name)),
        }
    }

    /// The codes of every campaign.
    ///
    /// # Errors
    /// What the database says.
    pub async fn code_counts(&self) -> Result<BTreeMap<CampaignId, CodeCount>, EngineError> {
        Ok(counts::codes(&self.parts().store).await?)
    }
}
