//! A partner's feed, read. Its numbers are given under the lock of its counter, so whoever reads on after a number that
//! was read misses nothing.

use crate::domain::feed::{FeedKind, FeedRow};
use crate::domain::ids::{CampaignId, PartnerId, Spot, from_millis};
use crate::store::{Store, StoreError};
use sea_orm::{FromQueryResult, Value};
use serde_json::Map;

/// An event with what its code's own rows say; the partner's own remarks only where the code is its.
const EVENT: &str = "f.event_no, f.kind, f.happened_at, f.campaign_id, f.pool_no, f.position, f.data,
        p.client_id, i.sub_id, i.note, c.code";
const JOINS: &str = "LEFT JOIN partner p ON p.partner_id = f.partner_id
     LEFT JOIN issuance i ON i.campaign_id = f.campaign_id AND i.pool_no = f.pool_no AND i.position = f.position
         AND i.partner_id = f.partner_id
     LEFT JOIN code c ON c.campaign_id = f.campaign_id AND c.pool_no = f.pool_no AND c.position = f.position";

#[derive(FromQueryResult)]
pub(super) struct EventRow {
    event_no: i64,
    kind: String,
    happened_at: i64,
    campaign_id: Option<i64>,
    pool_no: Option<i64>,
    position: Option<i64>,
    data: String,
    client_id: Option<String>,
    sub_id: Option<String>,
    note: Option<String>,
    code: Option<String>,
}

impl Store {
    /// The events of a partner after that number, the oldest first, at most `limit`.
    ///
    /// # Errors
    /// What the database says.
    pub async fn feed_after(&self, partner: PartnerId, after: u64, limit: u32) -> Result<Vec<FeedRow>, StoreError> {
        let sql = format!(
            "SELECT {EVENT} FROM feed f {JOINS} WHERE f.partner_id = $1 AND f.event_no > $2
             ORDER BY f.event_no LIMIT $3"
        );
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let values = [Value::from(i64::from(partner.0)), after.into(), i64::from(limit).into()];
        self.events(partner, &sql, values).await
    }

    /// The events of a partner that wait for another attempt at an endpoint and are due, the oldest first.
    ///
    /// # Errors
    /// What the database says.
    pub(super) async fn feed_of_retries(
        &self,
        partner: PartnerId,
        endpoint: &str,
        due_ms: i64,
        limit: u32,
    ) -> Result<Vec<FeedRow>, StoreError> {
        let sql = format!(
            "SELECT {EVENT} FROM webhook_retry r JOIN feed f ON f.event_no = r.event_no {JOINS}
             WHERE r.endpoint_id = $2 AND r.due_at <= $3 AND f.partner_id = $1 ORDER BY r.event_no LIMIT $4"
        );
        let values = [Value::from(i64::from(partner.0)), Value::from(endpoint), due_ms.into(), i64::from(limit).into()];
        self.events(partner, &sql, values).await
    }

    async fn events(
        &self,
        partner: PartnerId,
        sql: &str,
        values: impl IntoIterator<Item = Value>,
    ) -> Result<Vec<FeedRow>, StoreError> {
        let rows = EventRow::find_by_statement(self.statement(sql, values)).all(self.read()).await?;
        rows.into_iter().map(|row| event(partner, row)).collect()
    }
}

fn event(partner: PartnerId, row: EventRow) -> Result<FeedRow, StoreError> {
    let id = || format!("{partner} {}", row.event_no);
    let wrong = |column| StoreError::BadRow { table: "feed", column, id: id() };
    let object = |text: &str| serde_json::from_str::<Map<_, _>>(text).ok();
    let campaign = row.campaign_id.map(u32::try_from).transpose().map_err(|_| wrong("campaign_id"))?.map(CampaignId);
    let spot = match (campaign, row.pool_no, row.position) {
        (Some(campaign), Some(pool), Some(position)) => Some(Spot {
            campaign,
            pool: pool.try_into().map_err(|_| wrong("pool_no"))?,
            position: position.try_into().map_err(|_| wrong("position"))?,
        }),
        _ => None,
    };
    Ok(FeedRow {
        partner,
        no: row.event_no.try_into().map_err(|_| wrong("event_no"))?,
        kind: FeedKind::parse(&row.kind).ok_or_else(|| wrong("kind"))?,
        happened_at: from_millis(row.happened_at),
        campaign,
        spot,
        data: object(&row.data).ok_or_else(|| wrong("data"))?,
        note: row.note.as_deref().and_then(object).unwrap_or_default(),
        client: row.client_id.unwrap_or_else(|| partner.to_string()),
        sub_id: row.sub_id,
        code: row.code,
    })
}
