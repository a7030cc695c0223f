//! Why somebody got a code, or none: the decision as its rows tell it, on one screen.

mod lines;
mod rows;

use crate::domain::ids::{CampaignId, RequestId, Spot};
use crate::store::StoreError;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseConnection;
use serde::Serialize;

/// What is to be explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Explained {
    /// One thing asked, by door and key.
    Request(RequestId),
    /// One code, by its place; its request is found from it.
    Spot(Spot),
}

/// A decision and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// What was asked and decided; `None` for a code whose request is not known.
    pub decision: Option<Asked>,
    /// The campaign it was about.
    pub campaign: Option<CampaignRef>,
    /// The code it was answered with or asked about.
    pub code: Option<CodeLife>,
    /// The reply, where a text went out.
    pub message: Option<MessageLife>,
}

/// What was asked and decided.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Asked {
    /// `dec_DOOR.KEY`.
    pub id: String,
    /// The door it came through.
    pub door: String,
    /// When it was decided.
    pub received_at: DateTime<Utc>,
    /// Who asked: the begin of the keyed hash, in hexadecimal.
    pub person: Option<String>,
    /// `keyword`, `issue`, `redeem`, …
    pub kind: String,
    /// `issued`, `repeat`, `refused`, …
    pub outcome: String,
    /// The rule that refused, or the state that was found.
    pub rule: Option<String>,
    /// The cap that refused.
    pub cap: Option<CapReached>,
    /// When there is room again, or when it opens.
    pub resets_at: Option<DateTime<Utc>>,
    /// `sms`, `web`, `api`.
    pub channel: String,
    /// The number that was texted.
    pub sender: Option<String>,
    /// The keyword as configured.
    pub keyword: Option<String>,
    /// Where the call to action stood.
    pub placement: Option<String>,
    /// A redemption's id.
    pub reference: Option<String>,
    /// The money of the sale, minor units; below zero for one that was taken back.
    pub amount_minor: Option<i64>,
}

/// The cap that refused, as it stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CapReached {
    /// Its number.
    pub cap_id: i64,
    /// `person`, `campaign`, `channel`, `keyword`, `placement`.
    pub scope: String,
    /// Which channel, keyword or placement.
    pub scope_id: Option<String>,
    /// It counts over all campaigns.
    pub across: bool,
    /// `count` or `money`.
    pub unit: String,
    /// `lifetime`, `minute`, `day`, `week`, `month`, `rolling`.
    pub window: String,
    /// The length of a rolling window, milliseconds.
    pub window_ms: Option<i64>,
    /// The zone of its calendar.
    pub zone: String,
    /// The most, in codes or minor units.
    pub limit: i64,
    /// What was counted.
    pub used: i64,
}

/// A campaign, and the version it was decided by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CampaignRef {
    /// Its number.
    pub campaign_id: i64,
    /// Its name.
    pub name: Option<String>,
    /// The version in force then.
    pub version: Option<i64>,
}

/// A code and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CodeLife {
    /// The campaign's number.
    pub campaign_id: i64,
    /// The pool's number in it.
    pub pool_no: i64,
    /// The code's number in its pool.
    pub position: i64,
    /// The code as far as it may be shown; put in by who knows the keys.
    pub masked: Option<String>,
    /// When it was issued; `None` when it was not.
    pub issued_at: Option<DateTime<Utc>>,
    /// Until when it is good, exclusive.
    pub expires_at: Option<DateTime<Utc>>,
    /// The person's how-manieth of the campaign.
    pub seq: Option<i64>,
    /// Whose merit it is: `partner acme-deals, story1`.
    pub merit: Option<String>,
    /// The partner's pull that it belongs to.
    pub pull: Option<String>,
    /// What became of it, in order.
    pub events: Vec<EventLine>,
}

/// A step in the life of a code.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EventLine {
    /// 1, 2, 3 …
    pub step: i64,
    /// `redeemed`, `rolled_back`, `voided`.
    pub kind: String,
    /// When.
    pub at: DateTime<Utc>,
    /// The name that its source gave it.
    pub reference: String,
    /// Where.
    pub store: Option<String>,
    /// The till's number of the sale.
    pub order: Option<String>,
    /// The money of the sale, minor units.
    pub amount_minor: Option<i64>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// Why, in a person's words.
    pub reason: Option<String>,
}

/// A reply and how far it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MessageLife {
    /// Which text: `T01`.
    pub reply: String,
    /// `queued`, `delivered`, …
    pub status: String,
    /// How often it was handed to the carrier.
    pub attempts: i64,
    /// How many segments it took.
    pub segments: Option<i64>,
    /// The carrier's id of it.
    pub provider_id: Option<String>,
}

/// Explains a decision or a code; `None` when there is no such thing.
///
/// A request is found by its key, a code by its own; the request of a code that was answered by a text by the index
/// on answered requests. Only for a code that was given without a text every request is looked through: seconds for
/// millions of rows, and no index that each request would have to pay for.
///
/// # Errors
/// [`StoreError`] when the database fails.
pub async fn explain(db: &DatabaseConnection, what: &Explained) -> Result<Option<Explanation>, StoreError> {
    let request = match what {
        Explained::Request(id) => match rows::request(db, id).await? {
            Some(request) => Some(request),
            None => return Ok(None),
        },
        Explained::Spot(spot) => rows::request_of(db, *spot).await?,
    };
    let spot = match what {
        Explained::Spot(spot) => Some(rows::key(*spot)),
        Explained::Request(_) => request.as_ref().and_then(rows::RequestRow::spot),
    };
    let issuance = match spot {
        Some(spot) => rows::issuance(db, spot).await?,
        None => None,
    };
    if request.is_none() && issuance.is_none() {
        return Ok(None);
    }
    let campaign = match request.as_ref().and_then(|request| request.campaign_id).or(spot.map(|spot| spot.0)) {
        Some(campaign) => Some(rows::campaign(db, campaign, request.as_ref(), issuance.as_ref()).await?),
        None => None,
    };
    let code = match spot {
        Some(spot) => Some(rows::life(db, spot, issuance.as_ref()).await?),
        None => None,
    };
    let (decision, message) = match request {
        Some(request) => (Some(rows::asked(db, &request).await?), rows::message(db, &request).await?),
        None => (None, None),
    };
    Ok(Some(Explanation { decision, campaign, code, message }))
}

impl Explanation {
    /// The code's place, for who wants to put in how it looks.
    #[must_use]
    pub fn spot(&self) -> Option<Spot> {
        let code = self.code.as_ref()?;
        Some(Spot {
            campaign: CampaignId(code.campaign_id.try_into().ok()?),
            pool: code.pool_no.try_into().ok()?,
            position: code.position.try_into().ok()?,
        })
    }
}
