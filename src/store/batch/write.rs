//! What was decided, one statement a table, rows sorted by key, rows counted.

use super::{claims, consent, holds, partners, pulls, session, spend, statements as sql};
use crate::domain::act::MessageStatus;
use crate::domain::campaign::Attribution;
use crate::domain::catalog::Catalog;
use crate::domain::decision::changes::{AlertChange, Changes, EventRow, HoldChange, NewMessage, Noted, RequestRow};
use crate::domain::hold::Hold;
use crate::domain::ids::{CampaignId, Subject, millis};
use crate::domain::world::Held;
use crate::store::bulk::Cell;
use crate::store::{StoreError, Tx, subject_bytes};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// Writes a batch. `lease_ms` is how long a fresh message belongs to this process.
///
/// # Errors
/// [`StoreError::Miscounted`] when rows written differ from rows decided; what the database says.
pub async fn write(tx: &mut Tx<'_>, catalog: &Catalog, changes: &Changes, lease_ms: i64) -> Result<(), StoreError> {
    tx.write(&sql::WRITE_REQUESTS, &sorted(changes.requests.iter().map(request))).await?;
    let issuances = changes.issuances.iter().map(|(subject, held)| issuance(catalog, *subject, held));
    tx.write(&sql::WRITE_ISSUANCES, &sorted(issuances)).await?;
    write_holds(tx, changes).await?;
    tx.write(&sql::WRITE_EVENTS, &sorted(changes.events.iter().map(event))).await?;
    tx.write(&sql::WRITE_MESSAGES, &sorted(changes.messages.iter().map(|one| message(one, lease_ms)))).await?;
    tx.write(&sql::WRITE_STEPS, &steps(&changes.steps, lease_ms)).await?;
    pulls::write(tx, changes).await?;
    claims::write(tx, changes).await?;
    consent::write(tx, changes).await?;
    session::write(tx, changes).await?;
    consent::write_desk_links(tx, changes).await?;
    write_counters(tx, changes).await?;
    let now = changes.requests.iter().map(|row| row.received_at).max().unwrap_or_default();
    session::count_words(tx, changes, now).await?;
    write_alerts(tx, changes).await?;
    partners::write_feed(tx, changes).await
}

async fn write_holds(tx: &mut Tx<'_>, changes: &Changes) -> Result<(), StoreError> {
    tx.write(&holds::WRITE_HOLDS, &sorted(changes.holds.iter().map(|(subject, one)| hold(*subject, one)))).await?;
    let steps = changes.hold_steps.iter().map(|(id, step)| {
        let HoldChange { is_muted, late_at, ended_at, position } = step;
        vec![
            id.0.as_slice().into(),
            is_muted.map(i64::from).into(),
            late_at.map(millis).into(),
            ended_at.map(millis).into(),
            (*position).into(),
        ]
    });
    tx.write(&holds::STEP_HOLDS, &sorted(steps)).await?;
    let checks = changes.peer_checks.iter().map(|(spot, due_at)| {
        vec![spot.campaign.0.into(), spot.pool.into(), spot.position.into(), millis(*due_at).into()]
    });
    tx.write(&holds::WRITE_PEER_CHECKS, &sorted(checks)).await
}

fn hold(subject: Subject, hold: &Hold) -> Vec<Cell> {
    let mut row: Vec<Cell> = vec![
        hold.id.0.as_slice().into(),
        hold.campaign.0.into(),
        hold.pool_no.into(),
        subject_bytes(subject).into(),
        hold.epoch.into(),
        hold.seq.into(),
        hold.offer_no.into(),
        hold.version.into(),
        hold.weight.into(),
        hold.from.channel.word().into(),
        hold.from.sender.map(|id| id.0).into(),
        hold.from.keyword.clone().into(),
        hold.from.placement.0.into(),
        millis(hold.held_at).into(),
    ];
    row.extend(credit(&hold.from));
    row
}

async fn write_alerts(tx: &mut Tx<'_>, changes: &Changes) -> Result<(), StoreError> {
    let (mut raised, mut cleared) = (Vec::new(), Vec::new());
    for ((kind, about), change) in &changes.alerts {
        let mut row: Vec<Cell> = vec![kind.word().into(), about.clone().into()];
        match change {
            AlertChange::Raised { detail, times, at } => {
                row.extend([detail.clone().into(), (*times).into(), millis(*at).into()]);
                raised.push(row);
            }
            AlertChange::Cleared(at) => {
                row.push(millis(*at).into());
                cleared.push(row);
            }
        }
    }
    raised.sort_by(|a, b| key(a).cmp(&key(b)));
    tx.write(&sql::RAISE_ALERTS, &raised).await?;
    tx.run(&sql::CLEAR_ALERTS, &cleared, &[]).await.map(drop)
}

async fn write_counters(tx: &mut Tx<'_>, changes: &Changes) -> Result<(), StoreError> {
    let range = |(campaign, pool, last): &(CampaignId, u16, u64), first: Cell| -> Vec<Cell> {
        vec![campaign.0.into(), (*pool).into(), (*last).into(), first]
    };
    let (left, gone): (Vec<_>, Vec<_>) = changes.stock.iter().partition(|(_, first)| first.is_some());
    let left: Vec<_> = left.into_iter().map(|(key, first)| range(key, (*first).into())).collect();
    let gone: Vec<_> = gone.into_iter().map(|(key, _)| range(key, Cell::Null)).collect();
    tx.write(&sql::MOVE_STOCK, &left).await?;
    tx.write(&sql::DELETE_STOCK, &gone).await?;
    let taken: Vec<_> =
        changes.taken.iter().map(|((c, pool), n)| vec![c.0.into(), (*pool).into(), (*n).into()]).collect();
    tx.write(&sql::TAKE_STOCK, &taken).await?;
    let quotas: Vec<_> =
        changes.quotas.iter().map(|((cap, w), used)| vec![cap.0.into(), (*w).into(), (*used).into()]).collect();
    tx.write(&sql::WRITE_QUOTAS, &quotas).await?;
    spend::write(tx, &changes.spend).await?;
    let channels: Vec<Vec<Cell>> = changes
        .channels
        .iter()
        .map(|(key, (n, amount))| {
            vec![
                key.campaign.into(),
                key.quarter.into(),
                key.channel.into(),
                key.placement.0.into(),
                key.outcome.clone().into(),
                (*n).into(),
                (*amount).into(),
            ]
        })
        .collect();
    tx.write(&sql::COUNT_CHANNELS, &channels).await?;
    partners::count_credits(tx, changes).await?;
    let outstanding: Vec<_> = changes
        .outstanding
        .iter()
        .map(|((c, day), (n, value))| vec![c.0.into(), (*day).into(), (*n).into(), (*value).into()])
        .collect();
    tx.write(&sql::COUNT_OUTSTANDING, &outstanding).await
}

/// Rows in the order of their keys, which stand first: every writer inserts in the same order.
pub(super) fn sorted(rows: impl Iterator<Item = Vec<Cell>>) -> Vec<Vec<Cell>> {
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by(|a, b| key(a).cmp(&key(b)));
    rows
}

/// The first three cells decide: no key of these tables is told apart later than that, but by steps of one code.
fn key(row: &[Cell]) -> Vec<(i64, &[u8])> {
    row.iter()
        .take(4)
        .map(|cell| match cell {
            Cell::Null => (i64::MIN, [].as_slice()),
            Cell::Int(n) => (*n, [].as_slice()),
            Cell::Text(text) => (0, text.as_bytes()),
            Cell::Bytes(bytes) => (0, bytes.as_slice()),
        })
        .collect()
}

fn request(row: &RequestRow) -> Vec<Cell> {
    let record = &row.record;
    let campaign = record.spot.map(|spot| spot.campaign).or(row.campaign);
    let mut cells: Vec<Cell> = vec![
        row.request.door.clone().into(),
        row.request.key.clone().into(),
        row.fingerprint.as_slice().into(),
        millis(row.received_at).into(),
        row.subject.map(subject_bytes).into(),
        row.kind.into(),
        record.outcome.clone().into(),
        record.rule.clone().into(),
        record.cap_id.into(),
        record.cap.into(),
        record.used.into(),
        record.resets_at.map(millis).into(),
        campaign.map(|id| id.0).into(),
        record.spot.map(|spot| spot.pool).into(),
        record.spot.map(|spot| spot.position).into(),
        record.reference.clone().into(),
        row.from.channel.word().into(),
        row.from.sender.map(|id| id.0).into(),
        row.word.clone().into(),
        row.from.placement.0.into(),
        i64::from(row.replied).into(),
        row.amount.into(),
    ];
    cells.extend(credit(&row.from));
    cells
}

fn issuance(catalog: &Catalog, subject: Subject, held: &Held) -> Vec<Cell> {
    let today = catalog.campaigns.get(&held.spot.campaign).map_or(0, |campaign| campaign.version);
    let version = held.promised.map_or(today, |(_, version)| version);
    let mut row: Vec<Cell> = vec![
        held.spot.campaign.0.into(),
        held.spot.pool.into(),
        held.spot.position.into(),
        subject_bytes(subject).into(),
        held.epoch.into(),
        held.seq.into(),
        held.offer_no.into(),
        version.into(),
        held.weight.into(),
        held.from.channel.word().into(),
        held.from.sender.map(|id| id.0).into(),
        held.from.keyword.clone().into(),
        held.from.placement.0.into(),
        millis(held.issued_at).into(),
        held.expires_at.map(millis).into(),
        held.promised.map(|(at, _)| millis(at)).into(),
    ];
    row.extend(credit(&held.from));
    row
}

/// Whose merit it is, in five columns.
fn credit(from: &Attribution) -> [Cell; 5] {
    let (partner, version) = from.partner.map_or((0, 0), |by| (by.id.0, by.version));
    let creator = from.creator.map_or(0, |creator| creator.0);
    [partner.into(), version.into(), creator.into(), from.sub_id.clone().into(), from.note.clone().into()]
}

fn event(row: &EventRow) -> Vec<Cell> {
    vec![
        row.spot.campaign.0.into(),
        row.spot.pool.into(),
        row.spot.position.into(),
        row.event.step.into(),
        row.event.kind.word().into(),
        row.provider.clone().into(),
        row.event.provider_ref.clone().into(),
        row.event.reverses.into(),
        millis(row.event.at).into(),
        row.event.store.clone().into(),
        row.order.clone().into(),
        row.event.amount.into(),
        row.currency.clone().into(),
        row.reason.clone().into(),
        row.event.commission.into(),
    ]
}

fn message(one: &NewMessage, lease_ms: i64) -> Vec<Cell> {
    vec![
        one.id.as_slice().into(),
        subject_bytes(one.subject).into(),
        one.sender.0.into(),
        one.reply.as_str().into(),
        one.reply.priority().number().into(),
        one.spot.map(|spot| spot.campaign).or(one.campaign).map(|id| id.0).into(),
        one.spot.map(|spot| spot.pool).into(),
        one.spot.map(|spot| spot.position).into(),
        serde_json::to_string(&one.params).unwrap_or_default().into(),
        one.request.door.clone().into(),
        one.request.key.clone().into(),
        (millis(one.created_at) + lease_ms).into(),
        millis(one.created_at).into(),
    ]
}

/// One row a message: several steps of one batch are one update with a longer history.
fn steps(noted: &[Noted], lease_ms: i64) -> Vec<Vec<Cell>> {
    let mut merged: BTreeMap<[u8; 16], (Noted, String, i64)> = BTreeMap::new();
    for one in noted {
        let entry = history(one.at, one.step.status, one.step.note.as_deref());
        let attempt = i64::from(one.step.status == MessageStatus::Submitting);
        let (last, lines, tries) = merged.entry(one.step.message).or_insert_with(|| (one.clone(), String::new(), 0));
        lines.push_str(&entry);
        *tries += attempt;
        let before = last.step.clone();
        last.clone_from(one);
        last.step.provider_id = one.step.provider_id.clone().or(before.provider_id);
        last.step.segments = one.step.segments.or(before.segments);
        last.step.body_hash = one.step.body_hash.clone().or(before.body_hash);
    }
    let row = |(id, (one, lines, attempts)): ([u8; 16], (Noted, String, i64))| {
        let is_being_sent = one.step.status == MessageStatus::Submitting;
        let lease = if is_being_sent { millis(one.at) + lease_ms } else { 0 };
        vec![
            id.as_slice().into(),
            one.step.status.word().into(),
            i64::from(one.step.status.is_open()).into(),
            one.step.due_at.map(millis).into(),
            lease.into(),
            attempts.into(),
            one.step.provider_id.into(),
            one.step.segments.into(),
            one.step.body_hash.into(),
            lines.into(),
        ]
    };
    merged.into_iter().map(row).collect()
}

/// One line of a message's history: when, what, why.
fn history(at: DateTime<Utc>, status: MessageStatus, note: Option<&str>) -> String {
    format!("{} {} {}\n", millis(at), status.word(), note.unwrap_or("-"))
}
