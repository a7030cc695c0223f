//! Persons: no one has more than a cap allowed when the code was issued, and her codes are numbered without a gap.

use super::book::{ACROSS, Book, ByCampaign, Cap};
use super::snapshot::{PAGE, Row, Snapshot, hex, spot};
use super::windows::Span;
use super::{Check, DISORDER_MS};
use crate::store::StoreError;
use chrono_tz::Tz;
use std::collections::{HashMap, HashSet};

/// One code of a person.
struct Code {
    subject: Vec<u8>,
    epoch: i64,
    campaign: i64,
    seq: i64,
    pool: i64,
    position: i64,
    version: i64,
    weight: i64,
    at: i64,
}

/// Checks every person: `person_cap` and `seq`.
pub(super) async fn check(
    snapshot: &Snapshot,
    book: &Book,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<[Check; 2], StoreError> {
    // By the index (subject, epoch, campaign_id, seq): a person's codes come together, each campaign's in order.
    let sql = format!(
        "SELECT subject, epoch, campaign_id, seq, pool_no, position, campaign_version, weight_minor,
            coalesce(charged_at, issued_at)
        FROM issuance WHERE subject IS NOT NULL AND (subject, epoch, campaign_id, seq) > ($1, $2, $3, $4)
        ORDER BY subject, epoch, campaign_id, seq LIMIT {PAGE}"
    );
    let mut checks = [Check::new("person_cap", 0), Check::new("seq", 0)];
    let caps = book.caps_by_campaign(Cap::is_person);
    let (mut person, mut seen): (Vec<Code>, u64) = (Vec::new(), 0);
    let mut after = (Vec::new(), i64::MIN, i64::MIN, i64::MIN);
    loop {
        let (subject, epoch, campaign, seq) = after.clone();
        let page = snapshot.rows(&sql, vec![subject.into(), epoch.into(), campaign.into(), seq.into()]).await?;
        for row in &page {
            let code = Code::read(row)?;
            if person.first().is_some_and(|first| (&first.subject, first.epoch) != (&code.subject, code.epoch)) {
                judge(book, &caps, &mut person, &mut checks);
            }
            after = (code.subject.clone(), code.epoch, code.campaign, code.seq);
            person.push(code);
            seen += 1;
        }
        if page.len() < PAGE {
            break;
        }
        progress(&format!("persons: {seen} codes"));
    }
    judge(book, &caps, &mut person, &mut checks);
    for check in &mut checks {
        check.rows = seen;
    }
    Ok(checks)
}

/// Checks one person, all her codes of one epoch, and empties the list.
fn judge(book: &Book, caps: &ByCampaign<'_>, person: &mut Vec<Code>, [over, seq]: &mut [Check; 2]) {
    for codes in person.chunk_by(|a, b| a.campaign == b.campaign) {
        check_seq(codes, seq);
        let Some(campaign) = codes.first().map(|code| code.campaign) else {
            continue;
        };
        for cap in caps.get(&campaign).into_iter().flatten() {
            check_cap(book, cap, codes, over);
        }
    }
    person.sort_by_key(|code| (code.at, code.campaign, code.seq));
    for cap in caps.get(&ACROSS).into_iter().flatten() {
        check_cap(book, cap, person, over);
    }
    person.clear();
}

fn check_seq(codes: &[Code], check: &mut Check) {
    let mut before = i64::MIN;
    for (expected, code) in (1..).zip(codes) {
        if code.seq != expected {
            check.breach(format!(
                "{} is number {} of {}, where {expected} was due",
                code.name(),
                code.seq,
                code.person()
            ));
            return;
        }
        if code.at < before.saturating_sub(DISORDER_MS) {
            check.breach(format!(
                "{} is number {} of {}, but was issued before number {}",
                code.name(),
                code.seq,
                code.person(),
                code.seq - 1
            ));
        }
        before = code.at;
    }
}

/// Judges each code, in order, by the limit and the zone of the version it was issued under.
fn check_cap(book: &Book, cap: &Cap, codes: &[Code], check: &mut Check) {
    let judging = |code: &Code| book.judging(cap, (code.version, 0), code.at);
    let zones: HashSet<Tz> = codes.iter().map(|code| book.zone(cap, judging(code))).collect();
    let mut sums: HashMap<(Tz, i64), i64> = HashMap::new();
    for (place, code) in codes.iter().enumerate() {
        let weight = cap.weight(code.weight);
        let limit = book.limit(cap, judging(code));
        let had = match cap.span {
            Span::Rolling(ms) => {
                rolled(cap, codes.get(..place).unwrap_or_default(), code.at - ms, limit.unwrap_or(i64::MAX))
            }
            Span::Lifetime | Span::Minute | Span::Day | Span::Week | Span::Month => {
                for zone in &zones {
                    *sums.entry((*zone, cap.span.key(code.at, *zone))).or_default() += weight;
                }
                let zone = book.zone(cap, judging(code));
                sums.get(&(zone, cap.span.key(code.at, zone))).copied().unwrap_or(0) - weight
            }
        };
        if let Some(limit) = limit.filter(|limit| weight > 0 && had + weight > *limit) {
            check.breach(format!(
                "{} brought {} to at least {} of {}, which allowed {limit}",
                code.name(),
                code.person(),
                had + weight,
                cap.name()
            ));
        }
    }
}

/// What was issued after `since`, as far as it matters: up to `limit`.
fn rolled(cap: &Cap, before: &[Code], since: i64, limit: i64) -> i64 {
    let mut sum = 0;
    let near = before.iter().rev().take_while(|code| code.at > since - DISORDER_MS);
    for code in near.filter(|code| code.at > since) {
        sum += cap.weight(code.weight);
        if sum > limit {
            break;
        }
    }
    sum
}

impl Code {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            subject: row.bytes(0)?,
            epoch: row.int(1)?,
            campaign: row.int(2)?,
            seq: row.int(3)?,
            pool: row.int(4)?,
            position: row.int(5)?,
            version: row.int(6)?,
            weight: row.int(7)?,
            at: row.int(8)?,
        })
    }

    fn name(&self) -> String {
        spot(self.campaign, self.pool, self.position)
    }

    fn person(&self) -> String {
        format!("person {} (epoch {})", hex(&self.subject), self.epoch)
    }
}
