//! Locks in the one order that every writer of every process keeps, then the reads.

use super::{claims, holds, partners, pulls, session, spend, statements as sql};
use crate::domain::act::MessageStatus;
use crate::domain::alert::AlertKind;
use crate::domain::campaign::{Attribution, Channel, Partnership};
use crate::domain::cap::Quota;
use crate::domain::decision::outcome::{Outcome, Record};
use crate::domain::hold::{Hold, HoldId};
use crate::domain::ids::{
    AllocationId, CampaignId, CapId, CreatorId, PartnerId, PlacementId, RequestId, SenderId, Spot, Subject,
    from_millis, millis,
};
use crate::domain::partner::PartnerTerms;
use crate::domain::reply::ReplyId;
use crate::domain::sending::SpendKey;
use crate::domain::session::{Session, SessionKey, SessionKind};
use crate::domain::world::{Answered, Event, EventKind, Held, Message, Range, Stored, World};
use crate::store::bulk::{Cell, Row};
use crate::store::{StoreError, Tx, subject_bytes};
use chrono::{DateTime, Duration, Utc};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Everything a batch could need, by the configuration it was planned with.
#[derive(Debug, Clone, Default)]
pub struct Needs {
    /// The version of that configuration.
    pub catalog_version: i64,
    /// How many acts there are: no more stock ranges are read.
    pub acts: usize,
    /// The keys of the requests.
    pub requests: BTreeSet<RequestId>,
    /// The persons, with their sealed numbers where the door knows them.
    pub persons: BTreeMap<Subject, Option<Vec<u8>>>,
    /// The persons who texted: what they were answered lately is read.
    pub texters: BTreeSet<Subject>,
    /// The persons who said STOP: what waits for them is read.
    pub opting_out: BTreeSet<Subject>,
    /// The campaigns that might issue.
    pub campaigns: BTreeSet<CampaignId>,
    /// The counters that might be charged, with the limits they start with.
    pub quotas: BTreeMap<(CapId, i64), i64>,
    /// The counts of what messages cost that might be charged.
    pub spend: BTreeSet<SpendKey>,
    /// The pools that might be drawn from.
    pub pools: BTreeMap<(CampaignId, u16), Stock>,
    /// The messages that might take a step.
    pub messages: BTreeSet<[u8; 16]>,
    /// The partners who ask, with the terms they were planned with.
    pub partners: BTreeMap<PartnerId, Arc<PartnerTerms>>,
    /// The partners who may hear of what is done.
    pub feeds: BTreeSet<PartnerId>,
    /// The pulls that are changed, or whose codes are; `true` where its time may end.
    pub pulls: BTreeMap<AllocationId, bool>,
    /// Codes of those pulls.
    pub loose: BTreeSet<Spot>,
    /// Codes that tills try.
    pub tried: BTreeSet<Spot>,
    /// Alerts that are raised only where they do not stand.
    pub standing: BTreeSet<(AlertKind, String)>,
    /// The persons who prove a phone, or did.
    pub proving: BTreeSet<Subject>,
    /// Counters that may be given something back; none is made.
    pub quotas_back: BTreeSet<(CapId, i64)>,
    /// How many stock ranges may be read beside one an act.
    pub ranges: u64,
    /// The persons who may answer a question, and what was open with them when the locks were chosen.
    pub answering: (BTreeSet<Subject>, HashMap<SessionKey, Session>),
}

/// What is open with persons who may answer it: a look ahead of the locks, so that they can be chosen.
///
/// # Errors
/// What the database says.
pub async fn open_questions(
    tx: &mut Tx<'_>,
    persons: &BTreeSet<Subject>,
) -> Result<HashMap<SessionKey, Session>, StoreError> {
    session::read(tx, persons).await
}

/// Which positions of a pool may be given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stock {
    /// All that are in stock.
    Ours,
    /// Those that the system which honours them was asked about after that time; `None`: all.
    Peers {
        /// Exclusive.
        looked_at_after: Option<DateTime<Utc>>,
    },
}

/// Locks everything, then reads everything; `locked` runs between the two.
///
/// # Errors
/// [`StoreError::Stale`] when the configuration is another one by now; what the database says.
pub async fn read(
    tx: &mut Tx<'_>,
    needs: &Needs,
    now: DateTime<Utc>,
    locked: impl AsyncFnOnce() -> Result<(), StoreError>,
) -> Result<World, StoreError> {
    let mut world = World { now, ..World::default() };
    lock(tx, needs, now, &mut world).await?;
    locked().await?;
    let version = tx.read(&sql::CATALOG_VERSION, &[vec![1_i64.into()]], &[]).await?;
    let version = version.first().map(|row| row.int(0)).transpose()?;
    if version != Some(needs.catalog_version) {
        return Err(StoreError::Stale);
    }
    read_requests(tx, needs, &mut world).await?;
    read_persons(tx, needs, now, &mut world).await?;
    read_stock(tx, needs, &mut world).await?;
    pulls::read(tx, needs, &mut world).await?;
    claims::read(tx, needs, &mut world).await?;
    read_messages(tx, needs, &mut world).await?;
    world.sessions = session::read(tx, &needs.texters).await?;
    let (answering, seen) = &needs.answering;
    let is_asked = |key: &SessionKey| key.kind == SessionKind::Question && answering.contains(&key.subject);
    let count = |open: &HashMap<_, _>| open.keys().filter(|key| is_asked(key)).count();
    let same = world.sessions.iter().filter(|(key, _)| is_asked(key)).all(|(key, open)| seen.get(key) == Some(open));
    // A question that came or went meanwhile leads to other campaigns than were locked.
    if !same || count(&world.sessions) != count(seen) {
        return Err(StoreError::Stale);
    }
    Ok(world)
}

async fn lock(tx: &mut Tx<'_>, needs: &Needs, now: DateTime<Utc>, world: &mut World) -> Result<(), StoreError> {
    let persons: Vec<Vec<Cell>> = needs
        .persons
        .iter()
        .map(|(subject, phone)| vec![subject_bytes(*subject).into(), phone.clone().into(), millis(now).into()])
        .collect();
    tx.run(&sql::ADD_RECIPIENTS, &persons, &[]).await?;
    let persons = subjects(needs.persons.keys());
    for row in tx.read(&sql::LOCK_RECIPIENTS, &persons, &[]).await? {
        let person = world.persons.entry(Subject::from_bytes(row.bytes(0)?)).or_default();
        (person.epoch, person.since) = (row.number(1)?, from_millis(row.int(2)?));
    }
    partners::lock(tx, needs, world).await?;
    let campaigns: Vec<_> = needs.campaigns.iter().map(|id| vec![id.0.into()]).collect();
    tx.read(&sql::LOCK_CAMPAIGNS, &campaigns, &[]).await?;
    let quotas: Vec<Vec<Cell>> = needs
        .quotas
        .iter()
        .map(|((cap, window), limit)| vec![cap.0.into(), (*window).into(), (*limit).into()])
        .collect();
    tx.run(&sql::ADD_QUOTAS, &quotas, &[]).await?;
    let back = needs.quotas_back.iter().filter(|key| !needs.quotas.contains_key(*key));
    let back = back.map(|(cap, window)| vec![cap.0.into(), (*window).into(), Cell::Null]);
    // The statement itself locks in the order of keys.
    let quotas: Vec<_> = quotas.into_iter().chain(back).collect();
    for row in tx.read(&sql::LOCK_QUOTAS, &quotas, &[]).await? {
        let quota = Quota { used: row.int(2)?, cap: row.int(3)? };
        world.quotas.insert((CapId(row.number(0)?), row.int(1)?), quota);
    }
    spend::lock(tx, &needs.spend, world).await?;
    pulls::lock(tx, needs).await?;
    partners::lock_feeds(tx, &needs.feeds, world).await
}

pub(super) fn subjects<'a>(subjects: impl Iterator<Item = &'a Subject>) -> Vec<Vec<Cell>> {
    subjects.map(|subject| vec![subject_bytes(*subject).into()]).collect()
}

async fn read_requests(tx: &mut Tx<'_>, needs: &Needs, world: &mut World) -> Result<(), StoreError> {
    let keys: Vec<Vec<Cell>> =
        needs.requests.iter().map(|request| vec![request.door.clone().into(), request.key.clone().into()]).collect();
    for row in tx.read(&sql::READ_REQUESTS, &keys, &[]).await? {
        let request = RequestId { door: row.text(0)?, key: row.text(1)? };
        let outcome = outcome(&row, 4)?;
        let stored = Stored { fingerprint: row.bytes(2)?, at: from_millis(row.int(3)?), outcome };
        world.requests.insert(request, stored);
    }
    Ok(())
}

/// Ten columns: outcome, rule, `cap_id`, cap, used, `resets_at`, campaign, pool, position, reference.
fn outcome(row: &Row, at: usize) -> Result<Outcome, StoreError> {
    let spot = if row.is_null(at + 8) { None } else { Some(spot(row, at + 6)?) };
    let record = Record {
        outcome: row.text(at)?,
        rule: row.text(at + 1)?,
        cap_id: row.maybe_int(at + 2)?.and_then(|id| u32::try_from(id).ok()),
        cap: row.maybe_int(at + 3)?,
        used: row.maybe_int(at + 4)?,
        resets_at: row.maybe_int(at + 5)?.map(from_millis),
        spot,
        reference: row.maybe_text(at + 9)?,
    };
    Outcome::from_record(&record).ok_or_else(|| StoreError::BadRow {
        table: "request",
        column: "outcome",
        id: format!("{} {}", record.outcome, record.rule),
    })
}

pub(super) fn spot(row: &Row, at: usize) -> Result<Spot, StoreError> {
    Ok(Spot { campaign: CampaignId(row.number(at)?), pool: row.number(at + 1)?, position: row.number(at + 2)? })
}

async fn read_persons(tx: &mut Tx<'_>, needs: &Needs, now: DateTime<Utc>, world: &mut World) -> Result<(), StoreError> {
    let rows = tx.read(&sql::READ_HELD, &subjects(needs.persons.keys()), &[]).await?;
    for row in &rows {
        let held = &mut world.persons.entry(Subject::from_bytes(row.bytes(3)?)).or_default().held;
        let spot = spot(row, 0)?;
        if held.last().is_none_or(|last| last.spot != spot) {
            held.push(read_held(row, spot)?);
        }
        if let (Some(held), false) = (held.last_mut(), row.is_null(14)) {
            held.events.push(read_event(row, 14, 27)?);
        }
    }
    for row in tx.read(&holds::READ_HOLDS, &subjects(needs.persons.keys()), &[]).await? {
        let hold = read_hold(&row)?;
        world.persons.entry(Subject::from_bytes(row.bytes(1)?)).or_default().holds.push(hold);
    }
    let since = millis(now - Duration::days(1)).into();
    for row in tx.read(&session::READ_ANSWERED, &subjects(needs.texters.iter()), &[since]).await? {
        let answered = Answered {
            at: from_millis(row.int(1)?),
            kind: row.text(2)?,
            word: row.maybe_text(3)?,
            outcome: outcome(&row, 4)?,
        };
        world.persons.entry(Subject::from_bytes(row.bytes(0)?)).or_default().answered.push(answered);
    }
    Ok(())
}

pub(super) fn read_held(row: &Row, spot: Spot) -> Result<Held, StoreError> {
    let bad = |column| StoreError::BadRow { table: "issuance", column, id: format!("{spot:?}") };
    let from = attribution(row, 8, 22)?.ok_or_else(|| bad("channel"))?;
    Ok(Held {
        spot,
        epoch: row.number(4)?,
        seq: row.number(5)?,
        offer_no: row.number(6)?,
        weight: row.int(7)?,
        from,
        issued_at: from_millis(row.int(12)?),
        promised: row.maybe_int(20)?.map(from_millis).zip(row.maybe_int(21)?.and_then(|n| u32::try_from(n).ok())),
        expires_at: row.maybe_int(13)?.map(from_millis),
        events: Vec::new(),
    })
}

fn read_hold(row: &Row) -> Result<Hold, StoreError> {
    let id = HoldId(row.bytes(0)?);
    let bad = |column| StoreError::BadRow { table: "hold", column, id: id.hex() };
    let from = attribution(row, 9, 16)?.ok_or_else(|| bad("channel"))?;
    Ok(Hold {
        id,
        campaign: CampaignId(row.number(2)?),
        pool_no: row.number(3)?,
        epoch: row.number(4)?,
        seq: row.number(5)?,
        offer_no: row.number(6)?,
        version: row.number(7)?,
        weight: row.int(8)?,
        from,
        held_at: from_millis(row.int(13)?),
        is_muted: row.int(14)? != 0,
        late_at: row.maybe_int(15)?.map(from_millis),
    })
}

/// Four columns of the door at `door`, five of the credit at `credit`; `None` for a channel that does not exist.
fn attribution(row: &Row, door: usize, credit: usize) -> Result<Option<Attribution>, StoreError> {
    let Some(channel) = Channel::parse(&row.text(door)?) else {
        return Ok(None);
    };
    let partner = PartnerId(row.number(credit)?);
    let version = row.number(credit + 1)?;
    let creator = CreatorId(row.number(credit + 2)?);
    Ok(Some(Attribution {
        channel,
        sender: row.maybe_int(door + 1)?.and_then(|id| u32::try_from(id).ok()).map(SenderId),
        keyword: row.maybe_text(door + 2)?,
        placement: PlacementId(row.number(door + 3)?),
        partner: (partner.0 != 0).then_some(Partnership { id: partner, version }),
        creator: (creator.0 != 0).then_some(creator),
        sub_id: row.maybe_text(credit + 3)?,
        note: row.maybe_text(credit + 4)?,
    }))
}

/// Six columns of the event at `at`; what a creator earned by it, and the step that it takes back, at `more`.
pub(super) fn read_event(row: &Row, at: usize, more: usize) -> Result<Event, StoreError> {
    let kind = row.text(at + 1)?;
    let bad = |column| StoreError::BadRow { table: "code_event", column, id: kind.clone() };
    Ok(Event {
        step: row.number(at)?,
        kind: EventKind::parse(&kind).ok_or_else(|| bad("kind"))?,
        at: from_millis(row.int(at + 2)?),
        provider_ref: row.text(at + 3)?,
        store: row.maybe_text(at + 4)?,
        amount: row.maybe_int(at + 5)?,
        commission: row.maybe_int(more)?,
        reverses: row.maybe_int(more + 1)?.map(u32::try_from).transpose().map_err(|_| bad("reverses"))?,
    })
}

async fn read_stock(tx: &mut Tx<'_>, needs: &Needs, world: &mut World) -> Result<(), StoreError> {
    let pool = |(campaign, pool): &(CampaignId, u16), looked_at_after: Cell| -> Vec<Cell> {
        vec![campaign.0.into(), (*pool).into(), looked_at_after]
    };
    let pools: Vec<_> = needs
        .pools
        .iter()
        .map(|(key, stock)| match stock {
            Stock::Ours => pool(key, Cell::Null),
            Stock::Peers { looked_at_after } => pool(key, looked_at_after.map(millis).into()),
        })
        .collect();
    let most = u64::try_from(needs.acts).unwrap_or(u64::MAX).saturating_add(needs.ranges);
    let beyond = i64::try_from(most).unwrap_or(i64::MAX).saturating_sub(1).max(0).into();
    for row in tx.read(&sql::READ_STOCK, &pools, &[beyond]).await? {
        let key = (CampaignId(row.number(0)?), row.number(1)?);
        let range = Range { first: row.number(2)?, last: row.number(3)? };
        world.stock.entry(key).or_default().push_back(range);
    }
    let peers = needs.pools.iter().filter(|(_, stock)| matches!(stock, Stock::Peers { .. }));
    let peers: Vec<_> = peers.map(|(key, _)| pool(key, Cell::Null)).collect();
    for row in tx.read(&sql::READ_IN_STOCK, &peers, &[]).await? {
        world.in_stock.insert((CampaignId(row.number(0)?), row.number(1)?), row.int(2)?);
    }
    Ok(())
}

async fn read_messages(tx: &mut Tx<'_>, needs: &Needs, world: &mut World) -> Result<(), StoreError> {
    let named: Vec<Vec<Cell>> = needs.messages.iter().map(|id| vec![id.to_vec().into()]).collect();
    let mut rows = tx.read(&sql::READ_MESSAGES, &named, &[]).await?;
    rows.extend(tx.read(&sql::READ_WAITING, &subjects(needs.opting_out.iter()), &[]).await?);
    for row in rows {
        let (status, reply) = (row.text(2)?, row.text(3)?);
        let bad = |column| StoreError::BadRow { table: "outbox_message", column, id: status.clone() };
        let message = Message {
            subject: Subject::from_bytes(row.bytes(1)?),
            sender: SenderId(row.number(4)?),
            status: MessageStatus::parse(&status).ok_or_else(|| bad("status"))?,
            is_compliance: ReplyId::parse(&reply).map_err(|_| bad("reply"))?.is_compliance(),
            spot: if row.is_null(7) { None } else { Some(spot(&row, 5)?) },
        };
        world.messages.insert(row.bytes(0)?, message);
    }
    Ok(())
}
