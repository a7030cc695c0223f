//! What was decided, for whoever asks why.

use super::{Engine, EngineError};
use crate::domain::catalog::Catalog;
use crate::domain::ids::{RequestId, Spot};
use crate::engine::verify::last_call;
use crate::store::requests::RequestRecord;
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// A decision in words that people and programs share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecisionRecord {
    /// `keyword`, `stop`, `redeem` …
    pub kind: String,
    /// When it was made.
    pub at: DateTime<Utc>,
    /// `issued`, `repeat`, `refused` …
    pub outcome: String,
    /// The rule that refused, or the state that was found.
    pub rule: Option<String>,
    /// The cap that refused: scope, unit and window, as in "person, count, day".
    pub cap: Option<String>,
    /// What that cap had counted.
    pub used: Option<i64>,
    /// The most it counts.
    pub limit: Option<i64>,
    /// When there is room again, or when it opens.
    pub resets_at: Option<DateTime<Utc>>,
    /// The campaign's name.
    pub campaign: Option<String>,
    /// The code it named; for a promise, where its campaign's calls are kept ([`Engine::peer_call`]).
    pub place: Option<Spot>,
}

impl Engine {
    /// What was decided on a request; `None` when it was never asked.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn decision(&self, id: &RequestId) -> Result<Option<DecisionRecord>, EngineError> {
        let mut found = self.decisions(std::slice::from_ref(id)).await?;
        Ok(found.remove(id))
    }

    /// What was decided on several requests; those never asked are missing.
    ///
    /// # Errors
    /// [`EngineError::Store`].
    pub async fn decisions(&self, ids: &[RequestId]) -> Result<HashMap<RequestId, DecisionRecord>, EngineError> {
        let rows = self.parts().store.request_records(ids).await?;
        let catalog = self.catalog();
        let worded = rows.into_iter().map(|(id, row)| (id, words(&catalog, row)));
        Ok(worded.collect())
    }
}

fn words(catalog: &Catalog, row: RequestRecord) -> DecisionRecord {
    let campaign = row.campaign.and_then(|id| catalog.campaigns.get(&id));
    let own = campaign.map_or(&[][..], |campaign| &campaign.caps);
    let cap = row.record.cap_id.map(|id| {
        let known = own.iter().chain(&catalog.caps_across).find(|cap| cap.id.0 == id);
        // A cap that was taken out of the document since has only its number left.
        known.map_or_else(
            || format!("cap {id}"),
            |cap| {
                let (scope, of) = cap.scope.words();
                let gap = if of.is_empty() { "" } else { " " };
                format!("{scope}{gap}{of}, {}, {}", cap.unit.word(), cap.window.word())
            },
        )
    });
    let promised = row.campaign.filter(|_| row.record.outcome == "held").map(last_call);
    let place = row.record.spot.or(promised);
    let rule = row.record.rule;
    DecisionRecord {
        kind: row.kind,
        at: row.received_at,
        outcome: row.record.outcome,
        rule: (!rule.is_empty()).then_some(rule),
        cap,
        used: row.record.used,
        limit: row.record.cap,
        resets_at: row.record.resets_at,
        campaign: campaign.map(|campaign| campaign.name.clone()),
        place,
    }
}
