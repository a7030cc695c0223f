//! Requests outside a batch: what was decided.

use crate::domain::decision::outcome::Record;
use crate::domain::ids::{CampaignId, RequestId, from_millis};
use crate::store::outbox::spot_of;
use crate::store::{Store, StoreError};
use chrono::{DateTime, Utc};
use sea_orm::{FromQueryResult, Value};
use std::collections::HashMap;

/// What was decided on a request, as its row says.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestRecord {
    /// `keyword`, `stop`, `redeem` …
    pub kind: String,
    /// When.
    pub received_at: DateTime<Utc>,
    /// What.
    pub record: Record,
    /// The campaign it was about.
    pub campaign: Option<CampaignId>,
}

impl Store {
    /// What was decided on these requests; those never asked are missing.
    ///
    /// # Errors
    /// What the database says; [`StoreError::BadRow`].
    pub async fn request_records(&self, asked: &[RequestId]) -> Result<HashMap<RequestId, RequestRecord>, StoreError> {
        let mut found = HashMap::new();
        // Two parameters a request; both databases take hundreds.
        for some in asked.chunks(200) {
            let pairs: Vec<String> = (0..some.len()).map(|at| format!("(${}, ${})", 2 * at + 1, 2 * at + 2)).collect();
            let sql = format!(
                "SELECT door, request_key, received_at, kind, outcome, rule, cap_id, cap, used, resets_at, campaign_id,
                     pool_no, position, reference
                 FROM request WHERE (door, request_key) IN (VALUES {})",
                pairs.join(", ")
            );
            let values = some.iter().flat_map(|id| [Value::from(id.door.as_str()), Value::from(id.key.as_str())]);
            let rows = RequestRow::find_by_statement(self.statement(&sql, values));
            for row in rows.all(self.read()).await? {
                let (id, record) = request(row)?;
                found.insert(id, record);
            }
        }
        Ok(found)
    }
}

#[derive(FromQueryResult)]
struct RequestRow {
    door: String,
    request_key: String,
    received_at: i64,
    kind: String,
    outcome: String,
    rule: String,
    cap_id: Option<i64>,
    cap: Option<i64>,
    used: Option<i64>,
    resets_at: Option<i64>,
    campaign_id: Option<i64>,
    pool_no: Option<i64>,
    position: Option<i64>,
    reference: Option<String>,
}

fn request(row: RequestRow) -> Result<(RequestId, RequestRecord), StoreError> {
    let id = RequestId { door: row.door, key: row.request_key };
    let wrong = |column| StoreError::BadRow { table: "request", column, id: id.to_string() };
    let number = |column, cell: Option<i64>| -> Result<Option<u32>, StoreError> {
        cell.map(u32::try_from).transpose().map_err(|_| wrong(column))
    };
    let campaign = number("campaign_id", row.campaign_id)?.map(CampaignId);
    let record = Record {
        outcome: row.outcome,
        rule: row.rule,
        cap_id: number("cap_id", row.cap_id)?,
        cap: row.cap,
        used: row.used,
        resets_at: row.resets_at.map(from_millis),
        spot: spot_of(campaign, row.pool_no, row.position).map_err(wrong)?,
        reference: row.reference,
    };
    let received_at = from_millis(row.received_at);
    let decided = RequestRecord { kind: row.kind, received_at, record, campaign };
    Ok((id, decided))
}
