//! Loads the configuration.

mod creators;

use crate::domain::campaign::{Pool, PoolKind, Status};
use crate::domain::cap::{Cap, Scope, Unit};
use crate::domain::catalog::{
    CampaignRecord, Catalog, KeywordRecord, Limits, OfferRow, PlacementRecord, PoolRecord, Rows, SenderRecord,
    SenderRow,
};
use crate::domain::document::SenderDoc;
use crate::domain::ids::{CampaignId, CapId, CreatorId, PlacementId, SenderId};
use crate::domain::keyring::Keys;
use crate::domain::window::Window;
use crate::store::{Store, StoreError};
use codewell_entity::{campaign, campaign_version, cap, catalog, keyword, offer, placement, pool, sender};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, Statement, Value};
use std::collections::HashMap;

/// Reading again after a change came between costs a few milliseconds; so often in a row it never happens.
const READS: u32 = 5;

/// Everything that is configured.
///
/// # Errors
/// [`StoreError`] when it cannot be read; [`StoreError::Configuration`] when it makes no picture.
pub async fn load(store: &Store, keys: &Keys, public_url: &str, limits: Limits) -> Result<Catalog, StoreError> {
    let mut reads = 0;
    loop {
        reads += 1;
        let rows = rows(store.read()).await?;
        // Should rows of two versions be mixed after all, the batch finds the first one's number stale.
        if version(store).await? == rows.version || reads == READS {
            return Ok(Catalog::build(rows, keys, public_url, limits)?);
        }
    }
}

/// The version of the configuration.
///
/// # Errors
/// [`StoreError`] when it cannot be read.
pub async fn version(store: &Store) -> Result<i64, StoreError> {
    version_in(store.read()).await
}

pub(super) async fn version_in(db: &impl ConnectionTrait) -> Result<i64, StoreError> {
    let row = catalog::Entity::find_by_id(1).one(db).await?;
    row.map(|row| row.version).ok_or_else(|| bad("catalog", "catalog_id", 1))
}

/// Every row of the configuration; the version is read first, so that rows are never older than it says.
pub(super) async fn rows(db: &impl ConnectionTrait) -> Result<Rows, StoreError> {
    Ok(Rows {
        version: version_in(db).await?,
        senders: senders(db).await?,
        campaigns: campaigns(db).await?,
        offers: offers(db).await?,
        pools: pools(db).await?,
        caps: caps(db).await?,
        keywords: keywords(db).await?,
        placements: placements(db).await?,
        creators: creators::creators(db).await?,
        links: creators::links(db).await?,
    })
}

async fn senders(db: &impl ConnectionTrait) -> Result<Vec<SenderRecord>, StoreError> {
    let rows = sender::Entity::find().order_by_asc(sender::Column::SenderId).all(db).await?;
    let parse = |row: sender::Model| {
        let doc: SenderDoc =
            serde_json::from_str(&row.document).map_err(|_| bad("sender", "document", row.sender_id))?;
        let id = SenderId(small("sender", "sender_id", row.sender_id)?);
        let SenderDoc { address, carrier, brand, help, opt_out_handled_by } = doc;
        Ok(SenderRecord { row: SenderRow { id, address, carrier, brand, help, opt_out_handled_by } })
    };
    rows.into_iter().map(parse).collect()
}

async fn campaigns(db: &impl ConnectionTrait) -> Result<Vec<CampaignRecord>, StoreError> {
    let rows = campaign::Entity::find().order_by_asc(campaign::Column::CampaignId).all(db).await?;
    // Every version is kept, and each document is small: one read, newest wins.
    let versions = campaign_version::Entity::find().filter(campaign_version::Column::CampaignId.ne(ACROSS));
    let versions = versions.order_by_asc(campaign_version::Column::Version).all(db).await?;
    let mut documents: HashMap<(i64, i64), String> =
        versions.into_iter().map(|row| ((row.campaign_id, row.version), row.document)).collect();
    let mut records = Vec::with_capacity(rows.len());
    for row in rows {
        let wrong = |column| bad("campaign", column, row.campaign_id);
        let document = documents.remove(&(row.campaign_id, row.version)).ok_or_else(|| wrong("version"))?;
        records.push(CampaignRecord {
            id: CampaignId(small("campaign", "campaign_id", row.campaign_id)?),
            version: small("campaign", "version", row.version)?,
            status: match row.status.as_str() {
                DRAFT => None,
                word => Some(Status::parse(word).ok_or_else(|| wrong("status"))?),
            },
            doc: serde_json::from_str(&document).map_err(|_| bad("campaign_version", "document", row.campaign_id))?,
        });
    }
    Ok(records)
}

/// The number under which caps across campaigns, and the history of their documents, stand in the tables.
pub(super) const ACROSS: i64 = 0;

/// The status of a campaign whose codes are still being written.
pub(super) const DRAFT: &str = "draft";

async fn offers(db: &impl ConnectionTrait) -> Result<Vec<OfferRow>, StoreError> {
    let rows = offer::Entity::find().order_by_asc(offer::Column::CampaignId).order_by_asc(offer::Column::OfferNo);
    let parse = |row: offer::Model| {
        Ok(OfferRow {
            campaign: CampaignId(small("offer", "campaign_id", row.campaign_id)?),
            offer_no: small("offer", "offer_no", row.offer_no)?,
            record: serde_json::from_str(&row.document).map_err(|_| bad("offer", "document", row.campaign_id))?,
        })
    };
    rows.all(db).await?.into_iter().map(parse).collect()
}

async fn pools(db: &impl ConnectionTrait) -> Result<Vec<PoolRecord>, StoreError> {
    let rows = pool::Entity::find().order_by_asc(pool::Column::CampaignId).order_by_asc(pool::Column::PoolNo);
    let mut records = Vec::new();
    for row in rows.all(db).await? {
        let id = row.campaign_id;
        let kind = PoolKind::parse(&row.kind).ok_or_else(|| bad("pool", "kind", id))?;
        let pool = Pool {
            pool_no: small("pool", "pool_no", row.pool_no)?,
            offer_no: small("pool", "offer_no", row.offer_no)?,
            kind,
            pattern: row.pattern,
            size: small("pool", "size", row.size)?,
            creator: row.owner.strip_prefix("creator:").and_then(|id| id.parse().ok()).map(CreatorId),
        };
        let longest_code =
            if kind == PoolKind::Imported { longest_code(db, id, row.pool_no).await? } else { String::new() };
        let campaign = CampaignId(small("pool", "campaign_id", id)?);
        let in_stock = small("pool", "in_stock", row.in_stock)?;
        records.push(PoolRecord { campaign, pool, in_stock, key_id: row.key_id, longest_code });
    }
    Ok(records)
}

#[derive(FromQueryResult)]
struct Longest {
    code: String,
}

/// The longest code of an imported pool: a look at each of its rows, once a change.
async fn longest_code(db: &impl ConnectionTrait, campaign: i64, pool_no: i64) -> Result<String, StoreError> {
    let sql = "SELECT code FROM code WHERE campaign_id = $1 AND pool_no = $2 ORDER BY length(code) DESC LIMIT 1";
    let values = [Value::from(campaign), Value::from(pool_no)];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let row = Longest::find_by_statement(statement).one(db).await?;
    Ok(row.map(|row| row.code).unwrap_or_default())
}

async fn caps(db: &impl ConnectionTrait) -> Result<Vec<(Option<CampaignId>, Cap)>, StoreError> {
    // Thousands of partners have caps of their own: they are read with their partner.
    let rows = cap::Entity::find().filter(cap::Column::RemovedAt.is_null()).filter(cap::Column::Scope.ne("partner"));
    let rows = rows.order_by_asc(cap::Column::CapId);
    rows.all(db).await?.iter().map(parse_cap).collect()
}

pub(super) fn parse_cap(row: &cap::Model) -> Result<(Option<CampaignId>, Cap), StoreError> {
    let wrong = |column| bad("cap", column, row.cap_id);
    let campaign: u32 = small("cap", "campaign_id", row.campaign_id)?;
    let cap = Cap {
        id: CapId(small("cap", "cap_id", row.cap_id)?),
        scope: Scope::parse(&row.scope, &row.scope_id).ok_or_else(|| wrong("scope"))?,
        unit: Unit::parse(&row.unit).ok_or_else(|| wrong("unit"))?,
        window: window(&row.window_kind, row.window_ms).ok_or_else(|| wrong("window_kind"))?,
        cap: row.cap,
        zone: row.zone.parse().map_err(|_| wrong("zone"))?,
        across: campaign == 0,
    };
    Ok(((campaign != 0).then_some(CampaignId(campaign)), cap))
}

fn window(kind: &str, ms: i64) -> Option<Window> {
    let windows = [Window::Lifetime, Window::Minute, Window::Day, Window::Week, Window::Month, Window::Rolling(ms)];
    windows.into_iter().find(|window| window.word() == kind)
}

async fn keywords(db: &impl ConnectionTrait) -> Result<Vec<KeywordRecord>, StoreError> {
    let rows = keyword::Entity::find().order_by_asc(keyword::Column::SenderId).order_by_asc(keyword::Column::Word);
    let parse = |row: keyword::Model| {
        Ok(KeywordRecord {
            sender: SenderId(small("keyword", "sender_id", row.sender_id)?),
            campaign: CampaignId(small("keyword", "campaign_id", row.campaign_id)?),
            placement: PlacementId(small("keyword", "placement_id", row.placement_id)?),
            creator: creators::some(row.creator_id),
            word: row.word,
            keyword: row.keyword,
        })
    };
    rows.all(db).await?.into_iter().map(parse).collect()
}

async fn placements(db: &impl ConnectionTrait) -> Result<Vec<PlacementRecord>, StoreError> {
    let rows = placement::Entity::find().order_by_asc(placement::Column::PlacementId);
    let parse = |row: placement::Model| {
        Ok(PlacementRecord {
            id: PlacementId(small("placement", "placement_id", row.placement_id)?),
            campaign: CampaignId(small("placement", "campaign_id", row.campaign_id)?),
            name: row.name,
            cost_minor: row.cost_minor,
            creator: creators::some(row.creator_id),
        })
    };
    rows.all(db).await?.into_iter().map(parse).collect()
}

fn bad(table: &'static str, column: &'static str, id: i64) -> StoreError {
    StoreError::BadRow { table, column, id: id.to_string() }
}

/// A number that its domain type can hold.
fn small<T: TryFrom<i64>>(table: &'static str, column: &'static str, value: i64) -> Result<T, StoreError> {
    T::try_from(value).map_err(|_| bad(table, column, value))
}
