//! Creators and links.

use super::{bad, small};
use crate::domain::catalog::{CreatorRow, LinkRow};
use crate::domain::ids::{CampaignId, CreatorId, PlacementId, Subject, from_millis};
use crate::store::StoreError;
use sea_orm::{ConnectionTrait, FromQueryResult, Statement};
use std::collections::HashMap;

/// What stands in `creator.status` of one who may give codes.
const ACTIVE: &str = "active";

#[derive(FromQueryResult)]
struct Row {
    creator_id: i64,
    handle: String,
    name: String,
    status: String,
    subject: Option<Vec<u8>>,
    disclosure: String,
    created_at: i64,
}

#[derive(FromQueryResult)]
struct Phone {
    subject: Vec<u8>,
    creator_id: i64,
    given_at: i64,
}

#[derive(FromQueryResult)]
struct Link {
    slug: String,
    campaign_id: i64,
    creator_id: i64,
    placement_id: i64,
}

/// The creator of that number; 0 is none.
pub(super) fn some(id: i64) -> Option<CreatorId> {
    u32::try_from(id).ok().filter(|id| *id != 0).map(CreatorId)
}

pub(super) async fn creators(db: &impl ConnectionTrait) -> Result<Vec<CreatorRow>, StoreError> {
    let backend = db.get_database_backend();
    let sql = "SELECT subject, creator_id, given_at FROM creator_phone ORDER BY creator_id, given_at";
    let phones = Phone::find_by_statement(Statement::from_string(backend, sql)).all(db).await?;
    let mut numbers: HashMap<i64, Vec<_>> = HashMap::new();
    for Phone { subject: bytes, creator_id, given_at } in phones {
        numbers
            .entry(creator_id)
            .or_default()
            .push((subject("creator_phone", bytes, creator_id)?, from_millis(given_at)));
    }
    let sql =
        "SELECT creator_id, handle, name, status, subject, disclosure, created_at FROM creator ORDER BY creator_id";
    let parse = |row: Row| {
        Ok(CreatorRow {
            id: CreatorId(small("creator", "creator_id", row.creator_id)?),
            handle: row.handle,
            name: row.name,
            is_active: row.status == ACTIVE,
            subject: row.subject.map(|bytes| subject("creator", bytes, row.creator_id)).transpose()?,
            numbers: numbers.remove(&row.creator_id).unwrap_or_default(),
            disclosure: row.disclosure,
            created_at: from_millis(row.created_at),
        })
    };
    Row::find_by_statement(Statement::from_string(backend, sql)).all(db).await?.into_iter().map(parse).collect()
}

fn subject(table: &'static str, bytes: Vec<u8>, id: i64) -> Result<Subject, StoreError> {
    let bytes = bytes.try_into().map_err(|_| bad(table, "subject", id))?;
    Ok(Subject::from_bytes(bytes))
}

pub(super) async fn links(db: &impl ConnectionTrait) -> Result<Vec<LinkRow>, StoreError> {
    let sql = "SELECT slug, campaign_id, creator_id, placement_id FROM link ORDER BY slug";
    let statement = Statement::from_string(db.get_database_backend(), sql);
    let parse = |row: Link| {
        Ok(LinkRow {
            campaign: CampaignId(small("link", "campaign_id", row.campaign_id)?),
            creator: some(row.creator_id),
            placement: PlacementId(small("link", "placement_id", row.placement_id)?),
            slug: row.slug,
        })
    };
    Link::find_by_statement(statement).all(db).await?.into_iter().map(parse).collect()
}
