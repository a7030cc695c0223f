//! Rows of stored codes, written in chunks beside the running batches. A row is not live before a stock range has its
//! position, so an interrupted run leaves nothing that anybody could get.

use crate::domain::code::{Code, CodeNorm};
use crate::domain::ids::{CampaignId, Spot};
use crate::store::bulk::{Bulk, Cell, Kind};
use crate::store::{Store, StoreError};
use std::collections::{HashMap, HashSet};

/// Rows in one statement: at 64 bytes each under a megabyte, and a batch never waits long behind one.
pub const CHUNK: usize = 10_000;
/// Another writer may take the same positions or codes; a few looks are plenty.
const TRIES: u32 = 5;

/// A code as shown and as the books know it, worked out once.
pub type NormedCode = (Code, CodeNorm);

const INT: Kind = Kind::Int;
const TEXT: Kind = Kind::Text;

static ADD: Bulk = Bulk::new(
    "code: add",
    &[("position", INT), ("code_norm", TEXT), ("code", TEXT)],
    &[],
    "INSERT INTO code (campaign_id, pool_no, position, code_norm, code)
    SELECT {1}, {2}, t.position, t.code_norm, t.code FROM {rows} WHERE TRUE ON CONFLICT DO NOTHING",
);

static TAKEN: Bulk = Bulk::new(
    "code: positions",
    &[("first", INT), ("last", INT)],
    &[INT],
    "SELECT c.position FROM {rows} JOIN code AS c
    ON c.campaign_id = {1} AND c.pool_no = {2} AND c.position BETWEEN t.first AND t.last",
);

static KNOWN: Bulk = Bulk::new(
    "code: known",
    &[("code_norm", TEXT)],
    &[TEXT, INT, INT, INT],
    "SELECT c.code_norm, c.campaign_id, c.pool_no, c.position FROM {rows} JOIN code AS c ON c.code_norm = t.code_norm",
);

static NEXT: Bulk = Bulk::new(
    "code: next position",
    &[("campaign_id", INT), ("pool_no", INT)],
    &[INT],
    "SELECT COALESCE((SELECT c.position + 1 FROM code AS c WHERE c.campaign_id = t.campaign_id AND c.pool_no = t.pool_no
    ORDER BY c.position DESC LIMIT 1), 0) FROM {rows}",
);

/// The positions of `first..=last` that have no code yet.
///
/// # Errors
/// What the database says.
pub async fn missing(
    store: &Store,
    campaign: CampaignId,
    pool_no: u16,
    first: u64,
    last: u64,
) -> Result<Vec<u64>, StoreError> {
    let mut tx = store.begin().await?;
    let rows = tx.read(&TAKEN, &[vec![first.into(), last.into()]], &[campaign.0.into(), pool_no.into()]).await?;
    let taken = rows.iter().map(|row| row.number(0)).collect::<Result<HashSet<u64>, _>>()?;
    Ok((first..=last).filter(|position| !taken.contains(position)).collect())
}

/// Writes codes at positions; one that anybody has already is left out. Answers with how many were written.
///
/// # Errors
/// What the database says.
pub async fn add(
    store: &Store,
    campaign: CampaignId,
    pool_no: u16,
    codes: &[(u64, &NormedCode)],
) -> Result<u64, StoreError> {
    let mut tx = store.begin().await?;
    let added = tx.run(&ADD, &cells(codes), &[campaign.0.into(), pool_no.into()]).await?;
    tx.commit().await?;
    Ok(added)
}

fn cells(codes: &[(u64, &NormedCode)]) -> Vec<Vec<Cell>> {
    let row = |(position, (code, norm)): &(u64, &NormedCode)| {
        vec![(*position).into(), norm.expose().into(), code.expose().into()]
    };
    codes.iter().map(row).collect()
}

/// Where those of `codes` are that anybody has.
///
/// # Errors
/// What the database says.
pub async fn known(store: &Store, codes: &[&CodeNorm]) -> Result<HashMap<CodeNorm, Spot>, StoreError> {
    let mut tx = store.begin().await?;
    known_in(&mut tx, codes).await
}

async fn known_in(tx: &mut crate::store::Tx<'_>, codes: &[&CodeNorm]) -> Result<HashMap<CodeNorm, Spot>, StoreError> {
    let rows: Vec<Vec<Cell>> = codes.iter().map(|code| vec![code.expose().into()]).collect();
    let found = tx.read(&KNOWN, &rows, &[]).await?;
    let mut known = HashMap::with_capacity(found.len());
    for row in found {
        let norm = row.text(0)?;
        let norm = CodeNorm::parse(&norm).map_err(|_| StoreError::BadRow {
            table: "code",
            column: "code_norm",
            id: "?".to_owned(),
        })?;
        known.insert(
            norm,
            Spot { campaign: CampaignId(row.number(1)?), pool: row.number(2)?, position: row.number(3)? },
        );
    }
    Ok(known)
}

/// The position after the last code of a pool, live or not.
///
/// # Errors
/// What the database says.
pub async fn next_position(store: &Store, campaign: CampaignId, pool_no: u16) -> Result<u64, StoreError> {
    next_in(&mut store.begin().await?, campaign, pool_no).await
}

async fn next_in(tx: &mut crate::store::Tx<'_>, campaign: CampaignId, pool_no: u16) -> Result<u64, StoreError> {
    let rows = tx.read(&NEXT, &[vec![campaign.0.into(), pool_no.into()]], &[]).await?;
    rows.first().map_or(Ok(0), |row| row.number(0))
}

/// Appends the codes that nobody has, in their order, and says where the others are.
///
/// # Errors
/// [`StoreError::Conflict`]-like trouble is tried again a few times; what the database says.
pub async fn append(
    store: &Store,
    campaign: CampaignId,
    pool_no: u16,
    codes: &[NormedCode],
) -> Result<HashMap<CodeNorm, Spot>, StoreError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match append_once(store, campaign, pool_no, codes).await {
            Err(error) if tries < TRIES && (error.is_passing() || matches!(error, StoreError::Miscounted { .. })) => {}
            result => return result,
        }
    }
}

async fn append_once(
    store: &Store,
    campaign: CampaignId,
    pool_no: u16,
    codes: &[NormedCode],
) -> Result<HashMap<CodeNorm, Spot>, StoreError> {
    let norms: Vec<&CodeNorm> = codes.iter().map(|(_, norm)| norm).collect();
    let mut tx = store.begin().await?;
    let known = known_in(&mut tx, &norms).await?;
    let first = next_in(&mut tx, campaign, pool_no).await?;
    let new = codes.iter().filter(|(_, norm)| !known.contains_key(norm));
    let new: Vec<(u64, &NormedCode)> = (first..).zip(new).collect();
    let written = tx.run(&ADD, &cells(&new), &[campaign.0.into(), pool_no.into()]).await?;
    let expected = new.len() as u64;
    if written != expected {
        return Err(StoreError::Miscounted { statement: ADD.name, written, expected });
    }
    tx.commit().await?;
    Ok(known)
}

/// A campaign that has an imported code with this beginning; none for an empty one. Reads every imported code, once
/// for a new pattern.
///
/// # Errors
/// What the database says.
pub async fn imported_under(store: &Store, prefix: &str) -> Result<Option<CampaignId>, StoreError> {
    if prefix.is_empty() {
        return Ok(None);
    }
    let sql = "SELECT c.campaign_id AS n FROM pool AS p
        JOIN code AS c ON c.campaign_id = p.campaign_id AND c.pool_no = p.pool_no
        WHERE p.kind = 'imported' AND substr(c.code_norm, 1, length($1)) = $1 LIMIT 1";
    let found = super::config::ints(store.read(), sql, vec![prefix.into()]).await?;
    Ok(found.and_then(|id| u32::try_from(id).ok()).map(CampaignId))
}
