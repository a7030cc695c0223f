//! Rows of caps, and their counters brought to what the ledger says.

use super::write::json;
use super::{AcrossWrite, ints, run, run_one};
use crate::domain::campaign::Status;
use crate::domain::cap::{Cap, Scope, Unit};
use crate::domain::catalog::CreatorRow;
use crate::domain::document::{CampaignDoc, CapDoc, CapSpec, Over};
use crate::domain::ids::{CampaignId, CapId, PartnerId, PlacementId, millis};
use crate::domain::window::Window;
use crate::store::StoreError;
use crate::store::catalog::{ACROSS, parse_cap};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use codewell_entity::{campaign_version, cap};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, FromQueryResult, QueryFilter, QueryOrder,
    Statement, Value,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The longest calendar window with a margin for zones, in milliseconds: what is older is in no running window.
const LOOK_BACK_MS: i64 = 33 * 86_400_000;
/// Windows that may still be charged by a clock that is behind: their keys are at most so far below the current one.
const KEYS_BACK: i64 = 31;

/// Every cap across campaigns, as a document of campaign 0 keeps them.
#[derive(Default, Serialize, Deserialize)]
struct AcrossDoc {
    cap: Vec<CapDoc>,
}

/// A cap that shall be.
pub(in crate::store) struct Wanted {
    /// Of which campaign; `None` counts across all of them.
    pub(in crate::store) campaign: Option<CampaignId>,
    pub(in crate::store) scope: Scope,
    pub(in crate::store) unit: Unit,
    pub(in crate::store) window: Window,
    pub(in crate::store) cap: i64,
    pub(in crate::store) zone: Tz,
}

/// Whether anything can have been issued that a new cap would have counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum History {
    /// Nothing can: what it is over is as new as the cap.
    None,
    /// The ledger tells.
    Ledger,
}

impl Wanted {
    fn campaign_id(&self) -> i64 {
        self.campaign.map_or(ACROSS, |id| id.0.into())
    }

    fn window_ms(&self) -> i64 {
        match self.window {
            Window::Rolling(ms) => ms,
            Window::Lifetime | Window::Minute | Window::Day | Window::Week | Window::Month => 0,
        }
    }

    fn is(&self, row: &cap::Model) -> bool {
        let (scope, scope_id) = self.scope.words();
        row.campaign_id == self.campaign_id()
            && row.scope == scope
            && row.scope_id == scope_id
            && row.unit == self.unit.word()
            && row.window_kind == self.window.word()
            && row.window_ms == self.window_ms()
    }
}

/// Brings a campaign's caps to what its document says.
pub(super) async fn write_own(
    tx: &DatabaseTransaction,
    id: CampaignId,
    doc: &CampaignDoc,
    (places, creators): (&[(String, PlacementId)], &[CreatorRow]),
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let wanted = doc.all_caps().into_iter().filter_map(|spec| {
        let scope = match spec.over {
            Over::Scope(scope) => scope,
            // Lint refuses a cap on a placement that no keyword names.
            Over::Placement(name) => {
                places.iter().find(|(known, _)| *known == name).map(|(_, id)| Scope::Placement(*id))?
            }
            Over::Creator(handle) => {
                creators.iter().find(|row| row.handle == handle).map(|row| Scope::Creator(row.id))?
            }
        };
        Some(Wanted { campaign: Some(id), scope, unit: spec.unit, window: spec.window, cap: spec.cap?, zone: doc.tz() })
    });
    let wanted: Vec<_> = wanted.collect();
    // What partners were granted is theirs to change, not the document's.
    let own = cap::Entity::find().filter(cap::Column::CampaignId.eq(i64::from(id.0)));
    let rows = own.filter(cap::Column::Scope.ne("partner")).all(tx).await?;
    write(tx, &rows, &wanted, History::Ledger, now).await
}

/// Brings the caps of some scopes across campaigns to what was written, and keeps it as the next version of campaign 0.
pub(super) async fn write_across(
    tx: &DatabaseTransaction,
    scopes: &[AcrossWrite],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for across in scopes {
        write_scope(tx, across, now).await?;
    }
    let versions = campaign_version::Entity::find().filter(campaign_version::Column::CampaignId.eq(ACROSS));
    let last = versions.order_by_desc(campaign_version::Column::Version).one(tx).await?;
    let (version, mut document) = match last {
        None => (1, AcrossDoc::default()),
        Some(row) => {
            let bad = |_| StoreError::BadRow {
                table: "campaign_version",
                column: "document",
                id: format!("{ACROSS}/{}", row.version),
            };
            (row.version + 1, serde_json::from_str(&row.document).map_err(bad)?)
        }
    };
    for across in scopes {
        document.cap.retain(|cap| cap.scope().as_ref() != Some(&across.scope));
        document.cap.push(across.doc.clone());
    }
    let sql = "INSERT INTO campaign_version (campaign_id, version, status, document, created_at)
        VALUES ($1, $2, $3, $4, $5)";
    let status = Status::Live.word();
    let values = vec![ACROSS.into(), version.into(), status.into(), json(&document)?, millis(now).into()];
    run_one(tx, sql, values).await
}

async fn write_scope(tx: &DatabaseTransaction, across: &AcrossWrite, now: DateTime<Utc>) -> Result<(), StoreError> {
    let (scope, scope_id) = across.scope.words();
    let rows = cap::Entity::find()
        .filter(cap::Column::CampaignId.eq(ACROSS))
        .filter(cap::Column::Scope.eq(scope))
        .filter(cap::Column::ScopeId.eq(scope_id));
    let wanted = across.caps.iter().filter_map(|spec: &CapSpec| {
        let scope = across.scope.clone();
        let (unit, window, zone) = (spec.unit, spec.window, across.doc.zone.0);
        Some(Wanted { campaign: None, scope, unit, window, cap: spec.cap?, zone })
    });
    let wanted: Vec<_> = wanted.collect();
    write(tx, &rows.all(tx).await?, &wanted, History::Ledger, now).await
}

/// Brings `rows`, which are all there are of something, to the caps that are wanted of it.
pub(in crate::store) async fn write(
    tx: &DatabaseTransaction,
    rows: &[cap::Model],
    wanted: &[Wanted],
    history: History,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for gone in rows.iter().filter(|row| row.removed_at.is_none() && !wanted.iter().any(|cap| cap.is(row))) {
        run_one(tx, "UPDATE cap SET removed_at = $2 WHERE cap_id = $1", vec![gone.cap_id.into(), millis(now).into()])
            .await?;
        run(tx, "DELETE FROM quota WHERE cap_id = $1", vec![gone.cap_id.into()]).await?;
    }
    for cap in wanted {
        match rows.iter().find(|row| cap.is(row)) {
            Some(row) => change(tx, row, cap, now).await?,
            None => insert(tx, cap, history, now).await?,
        }
    }
    Ok(())
}

async fn change(
    tx: &DatabaseTransaction,
    row: &cap::Model,
    wanted: &Wanted,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let zone = wanted.zone.name();
    if row.cap == wanted.cap && row.zone == zone && row.removed_at.is_none() {
        return Ok(());
    }
    let sql = "UPDATE cap SET cap = $2, zone = $3, removed_at = NULL WHERE cap_id = $1";
    run_one(tx, sql, vec![row.cap_id.into(), wanted.cap.into(), zone.into()]).await?;
    let changed = cap::Model { cap: wanted.cap, zone: zone.to_owned(), removed_at: None, ..row.clone() };
    if row.removed_at.is_some() || row.zone != zone {
        // While it was away nothing was counted, and another zone has other days.
        run(tx, "DELETE FROM quota WHERE cap_id = $1", vec![row.cap_id.into()]).await?;
        return recount(tx, &changed, now).await;
    }
    let sql =
        "UPDATE quota SET cap = CASE WHEN used > $2 THEN used ELSE $2 END WHERE cap_id = $1 AND window_start >= $3";
    let running = wanted.window.key(now, wanted.zone) - KEYS_BACK;
    run(tx, sql, vec![row.cap_id.into(), wanted.cap.into(), running.into()]).await?;
    Ok(())
}

async fn insert(
    tx: &DatabaseTransaction,
    wanted: &Wanted,
    history: History,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let next =
        ints(tx, "SELECT CAST(COALESCE(MAX(cap_id), 0) + 1 AS BIGINT) AS n FROM cap", vec![]).await?.unwrap_or(1);
    let (scope, scope_id) = wanted.scope.words();
    let row = cap::Model {
        cap_id: next,
        campaign_id: wanted.campaign_id(),
        scope: scope.to_owned(),
        scope_id,
        unit: wanted.unit.word().to_owned(),
        window_kind: wanted.window.word().to_owned(),
        window_ms: wanted.window_ms(),
        zone: wanted.zone.name().to_owned(),
        cap: wanted.cap,
        removed_at: None,
    };
    cap::Entity::insert(cap::ActiveModel::from(row.clone())).exec_without_returning(tx).await?;
    match history {
        History::None => Ok(()),
        History::Ledger => recount(tx, &row, now).await,
    }
}

/// What was counted in a minute.
#[derive(FromQueryResult)]
pub(super) struct Minute {
    at: i64,
    n: i64,
    money: i64,
}

/// Writes the counter of the cap's running window as if the cap had always been there. Nothing is issued meanwhile:
/// every campaign is locked, or the one partner that it is over.
async fn recount(tx: &DatabaseTransaction, row: &cap::Model, now: DateTime<Utc>) -> Result<(), StoreError> {
    let (campaign, cap) = parse_cap(row)?;
    let Some((column, of_pull, value)) = columns(&cap.scope) else {
        return Ok(());
    };
    // Summed by the minute, in which no zone changes its date twice, and windows are told apart by their own rule. A
    // pull was charged as one, and counts as one whatever it has shown of its codes.
    let sql = format!(
        "SELECT charged / 60000 AS at, CAST(SUM(n) AS BIGINT) AS n, CAST(SUM(money) AS BIGINT) AS money FROM (
            SELECT COALESCE(charged_at, issued_at) AS charged, 1 AS n, weight_minor AS money
            FROM issuance WHERE ($1 = 0 OR campaign_id = $1) AND issued_at >= $2 AND {column} = $3
                AND allocation_id IS NULL
            UNION ALL
            SELECT held_at AS charged, 1 AS n, weight_minor AS money
            FROM hold WHERE ($1 = 0 OR campaign_id = $1) AND held_at >= $2 AND {column} = $3 AND position IS NULL
            UNION ALL
            SELECT allocated_at AS charged, count - given_back AS n, weight_minor * (count - given_back) AS money
            FROM allocation WHERE ($1 = 0 OR campaign_id = $1) AND allocated_at >= $2 AND {of_pull} = $3
        ) AS counted WHERE charged >= $2 GROUP BY charged / 60000"
    );
    let since = if cap.window == Window::Lifetime { 0 } else { millis(now) - LOOK_BACK_MS };
    let values = [Value::from(campaign.map_or(0, |id| i64::from(id.0))), since.into(), value];
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    let minutes = Minute::find_by_statement(statement).all(tx).await?;
    let (window, used) = used_now(&cap, &minutes, now);
    if used == 0 {
        return Ok(());
    }
    let CapId(number) = cap.id;
    let sql = "INSERT INTO quota (cap_id, window_start, used, cap) VALUES ($1, $2, $3, $4)";
    run_one(tx, sql, vec![number.into(), window.into(), used.into(), used.max(cap.cap).into()]).await
}

/// The cap's running window, and what was counted in it.
pub(super) fn used_now(cap: &Cap, minutes: &[Minute], now: DateTime<Utc>) -> (i64, i64) {
    let window = cap.window.key(now, cap.zone);
    let inside = minutes.iter().filter(|minute| in_window(cap, minute, window));
    (window, inside.map(|minute| weight(cap, minute)).sum())
}

/// What was counted lately of each partner in a campaign, for all its calendar windows: one look at the ledger, however
/// many partners there are.
pub(super) async fn counted_of_partners(
    tx: &DatabaseTransaction,
    campaign: CampaignId,
    now: DateTime<Utc>,
) -> Result<BTreeMap<PartnerId, Vec<Minute>>, StoreError> {
    #[derive(FromQueryResult)]
    struct Of {
        partner_id: i64,
        at: i64,
        n: i64,
        money: i64,
    }
    let sql = "SELECT partner_id, charged / 60000 AS at, CAST(SUM(n) AS BIGINT) AS n,
            CAST(SUM(money) AS BIGINT) AS money FROM (
            SELECT partner_id, COALESCE(charged_at, issued_at) AS charged, 1 AS n, weight_minor AS money
            FROM issuance WHERE campaign_id = $1 AND issued_at >= $2 AND partner_id <> 0 AND allocation_id IS NULL
            UNION ALL
            SELECT partner_id, held_at AS charged, 1 AS n, weight_minor AS money
            FROM hold WHERE campaign_id = $1 AND held_at >= $2 AND partner_id <> 0 AND position IS NULL
            UNION ALL
            SELECT partner_id, allocated_at AS charged, count - given_back AS n,
                weight_minor * (count - given_back) AS money
            FROM allocation WHERE campaign_id = $1 AND allocated_at >= $2
        ) AS counted WHERE charged >= $2 GROUP BY partner_id, charged / 60000";
    let values = [Value::from(i64::from(campaign.0)), (millis(now) - LOOK_BACK_MS).into()];
    let statement = Statement::from_sql_and_values(tx.get_database_backend(), sql, values);
    let mut counted: BTreeMap<PartnerId, Vec<Minute>> = BTreeMap::new();
    for Of { partner_id, at, n, money } in Of::find_by_statement(statement).all(tx).await? {
        let bad = |_| StoreError::BadRow { table: "issuance", column: "partner_id", id: partner_id.to_string() };
        let partner = PartnerId(u32::try_from(partner_id).map_err(bad)?);
        counted.entry(partner).or_default().push(Minute { at, n, money });
    }
    Ok(counted)
}

/// The column that says whether a row of issuances or promises counts in a scope, the one that says it of a pull, and
/// what must stand there; nothing for caps of a person, which are counted from her own issuances.
fn columns(scope: &Scope) -> Option<(&'static str, &'static str, Value)> {
    Some(match scope {
        Scope::Person => return None,
        Scope::Campaign => ("''", "''", Value::from("")),
        // Pulls come through the partners' door, are on no keyword and nobody's merit but the partner's.
        Scope::Channel(channel) => ("channel", "'api'", channel.word().into()),
        Scope::Keyword(word) => ("keyword", "CAST(NULL AS TEXT)", word.as_str().into()),
        Scope::Placement(place) => ("CAST(placement_id AS TEXT)", "'0'", place.to_string().into()),
        Scope::Partner(partner) => ("CAST(partner_id AS TEXT)", "CAST(partner_id AS TEXT)", partner.to_string().into()),
        Scope::Creator(creator) => ("CAST(creator_id AS TEXT)", "'0'", creator.to_string().into()),
    })
}

fn in_window(cap: &Cap, minute: &Minute, window: i64) -> bool {
    let at = DateTime::<Utc>::from_timestamp(minute.at * 60, 0);
    at.is_some_and(|at| cap.window.key(at, cap.zone) == window)
}

fn weight(cap: &Cap, minute: &Minute) -> i64 {
    match cap.unit {
        Unit::Count => minute.n,
        Unit::Money => minute.money,
    }
}
