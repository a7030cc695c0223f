//! Counters: each counts what the ledger says, and no window had more than its cap allowed at the time.

use super::Check;
use super::book::{ACROSS, Book, ByCampaign, Cap};
use super::issuances::Issued;
use super::snapshot::{PAGE, Snapshot};
use super::windows::Span;
use crate::store::StoreError;
use std::collections::{BTreeMap, HashMap};

/// Promises that no code has kept, in the columns of [`Issued`]: they count from the moment they were made, and for
/// good. 0 stands for every campaign.
const PROMISED: &str = "
    SELECT campaign_id, pool_no, CAST(-1 AS BIGINT), offer_no, campaign_version, weight_minor, channel, keyword,
        placement_id, held_at
    FROM hold WHERE position IS NULL AND ($1 = 0 OR campaign_id = $1)";

/// What the ledger has counted: by cap and window, what was issued under each version. Its size is that of the
/// windows, not of the codes.
#[derive(Default)]
pub(super) struct Tally {
    windows: HashMap<i64, BTreeMap<i64, Vec<(i64, i64)>>>,
}

impl Tally {
    /// Counts a code where its cap counts it.
    pub(super) fn add(&mut self, book: &Book, cap: &Cap, issued: &Issued) {
        let weight = cap.weight(issued.weight);
        if weight == 0 || !issued.is_counted_by(cap) {
            return;
        }
        let version = book.judging(cap, issued.version, issued.at);
        let windows = self.windows.entry(cap.id).or_default();
        let parts = windows.entry(cap.span.key(issued.at, cap.zone)).or_default();
        match parts.iter_mut().find(|(known, _)| *known == version) {
            Some((_, sum)) => *sum += weight,
            None => parts.push((version, weight)),
        }
    }
}

/// Counts codes and compares the counters, one campaign after the other; caps across campaigns last.
pub(super) struct Counters<'a> {
    snapshot: &'a Snapshot,
    book: &'a Book,
    caps: ByCampaign<'a>,
    campaign: Option<i64>,
    own: Tally,
    across: Tally,
    quota: Check,
    over: Check,
}

impl<'a> Counters<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, book: &'a Book) -> Self {
        Self {
            snapshot,
            book,
            caps: book.caps_by_campaign(|cap| !cap.is_person()),
            campaign: None,
            own: Tally::default(),
            across: Tally::default(),
            quota: Check::new("quota", 0),
            over: Check::new("counted_cap", 0),
        }
    }

    /// Counts a code; codes come campaign by campaign.
    pub(super) async fn count(&mut self, issued: &Issued) -> Result<(), StoreError> {
        if let Some(before) = self.campaign.filter(|before| *before != issued.campaign) {
            let tally = std::mem::take(&mut self.own);
            self.close(before, tally).await?;
        }
        self.campaign = Some(issued.campaign);
        for cap in self.caps.get(&issued.campaign).into_iter().flatten() {
            self.own.add(self.book, cap, issued);
        }
        for cap in self.caps.get(&ACROSS).into_iter().flatten() {
            self.across.add(self.book, cap, issued);
        }
        Ok(())
    }

    /// Judges the caps of a campaign by what was counted of them.
    async fn close(&mut self, campaign: i64, mut tally: Tally) -> Result<(), StoreError> {
        let caps = self.caps.remove(&campaign).unwrap_or_default();
        if !caps.is_empty() {
            for row in self.snapshot.rows(PROMISED, vec![campaign.into()]).await? {
                let promised = Issued::read(&row)?;
                for cap in &caps {
                    tally.add(self.book, cap, &promised);
                }
            }
        }
        for cap in caps {
            let windows = tally.windows.remove(&cap.id).unwrap_or_default();
            // Without documents nobody knows what a cap allowed then; its counters are all there is.
            if self.book.has_history(cap) {
                self.judge_limits(cap, &windows);
            }
            self.compare(cap, windows).await?;
        }
        Ok(())
    }

    /// Versions follow each other in time, and no batch is decided by two of them: when something was issued under
    /// one, all that was issued up to then had to fit its limit.
    fn judge_limits(&mut self, cap: &Cap, windows: &BTreeMap<i64, Vec<(i64, i64)>>) {
        for (window, parts) in windows {
            let mut parts = parts.clone();
            parts.sort_unstable();
            let mut sum = 0;
            for (version, part) in parts {
                sum += part;
                // In another zone the windows were others.
                let limit = self.book.limit(cap, version).filter(|_| self.book.zone(cap, version) == cap.zone);
                if let Some(limit) = limit.filter(|limit| sum > *limit) {
                    let name = cap.name();
                    self.over.breach(format!(
                        "{name} allowed {limit} in window {window} by version {version}, {sum} were issued"
                    ));
                }
            }
        }
        self.over.rows += u64::try_from(windows.len()).unwrap_or(0);
    }

    /// Every window since the cap counts has a counter that says what was issued in all of it. A cap that was removed
    /// has none.
    async fn compare(&mut self, cap: &Cap, mut windows: BTreeMap<i64, Vec<(i64, i64)>>) -> Result<(), StoreError> {
        if cap.removed {
            return Ok(());
        }
        let sql = format!(
            "SELECT window_start, used FROM quota WHERE cap_id = $1 AND window_start > $2 ORDER BY window_start LIMIT {PAGE}"
        );
        let mut since = self.book.counting_since(cap).map(|at| cap.span.key(at, cap.zone));
        if cap.span == Span::Lifetime {
            since = Some(0);
        }
        let mut after = i64::MIN;
        loop {
            let page = self.snapshot.rows(&sql, vec![cap.id.into(), after.into()]).await?;
            for row in &page {
                let (window, used) = (row.int(0)?, row.int(1)?);
                after = window;
                // Where no document tells, a cap counts since its first counter.
                let since = *since.get_or_insert(window);
                let counted: i64 = windows.remove(&window).iter().flatten().map(|(_, sum)| sum).sum();
                if counted != used && window >= since {
                    self.quota
                        .breach(format!("{} says {used} in window {window}, the ledger has {counted}", cap.name()));
                }
                self.quota.rows += 1;
            }
            if page.len() < PAGE {
                break;
            }
        }
        let uncounted = windows.into_iter().filter(|(window, _)| since.is_some_and(|since| *window >= since));
        for (window, parts) in uncounted {
            let counted: i64 = parts.iter().map(|(_, sum)| sum).sum();
            self.quota.breach(format!("{} has no counter for window {window}, the ledger has {counted}", cap.name()));
        }
        Ok(())
    }

    /// Judges what is left, caps of campaigns that have issued nothing too; the checks, with what needs no count.
    pub(super) async fn finish(mut self) -> Result<[Check; 3], StoreError> {
        let (own, across) = (std::mem::take(&mut self.own), std::mem::take(&mut self.across));
        if let Some(last) = self.campaign {
            self.close(last, own).await?;
        }
        self.close(ACROSS, across).await?;
        let idle: Vec<i64> = self.caps.keys().copied().collect();
        for campaign in idle {
            self.close(campaign, Tally::default()).await?;
        }
        let mut quota = self.quota;
        let rows = self.snapshot.count("quota").await?;
        let stray = "
            SELECT q.cap_id, q.window_start FROM quota q LEFT JOIN cap c ON c.cap_id = q.cap_id
            WHERE c.cap_id IS NULL OR c.scope = 'person' OR c.removed_at IS NOT NULL";
        quota.join(
            self.snapshot
                .breaches("", 0, stray, |row| {
                    Ok(format!("the counter of window {} belongs to cap {}, which has none", row.int(1)?, row.int(0)?))
                })
                .await?,
        );
        let full = "SELECT cap_id, window_start, used, cap FROM quota WHERE used > cap OR used < 0";
        let full = self.snapshot.breaches("quota_over_cap", rows, full, |row| {
            let [cap, window, used, limit] = [row.int(0)?, row.int(1)?, row.int(2)?, row.int(3)?];
            Ok(format!("the counter of cap {cap} in window {window} stands at {used} of {limit}"))
        });
        let full = full.await?;
        Ok([quota, self.over, full])
    }
}
