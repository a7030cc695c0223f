//! Counters: each counts what the ledger says, and no window had more than its cap allowed at the time.

use super::Check;
use super::book::{ACROSS, Book, ByCampaign, Cap};
use super::issuances::Issued;
use super::snapshot::{PAGE, Snapshot};
use super::windows::Span;
use crate::store::StoreError;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Promises that no code has kept, in the columns of [`Issued`]: they count from the moment they were made, and for
/// good. 0 stands for every campaign.
const PROMISED: &str = "
    SELECT campaign_id, pool_no, CAST(-1 AS BIGINT), offer_no, campaign_version, weight_minor, channel, keyword,
        placement_id, held_at, partner_id, partner_version, creator_id, CAST(1 AS BIGINT)
    FROM hold WHERE position IS NULL AND ($1 = 0 OR campaign_id = $1)";

/// Pulls, less what was given back, in the columns of [`Issued`].
const PULLED: &str = "
    SELECT campaign_id, pool_no, CAST(-1 AS BIGINT), offer_no, campaign_version, weight_minor, 'api',
        CAST(NULL AS TEXT), CAST(0 AS BIGINT), allocated_at, partner_id, partner_version, CAST(0 AS BIGINT),
        count - given_back
    FROM allocation WHERE $1 = 0 OR campaign_id = $1";

/// What the ledger has counted: by cap and window, what was issued under each version. Its size is that of the
/// windows, not of the codes.
#[derive(Default)]
pub(super) struct Tally {
    windows: HashMap<i64, BTreeMap<i64, Vec<(i64, i64)>>>,
}

impl Tally {
    /// Counts a code where its cap counts it.
    pub(super) fn add(&mut self, book: &Book, cap: &Cap, issued: &Issued) {
        let weight = cap.weight(issued.weight) * issued.n;
        if weight == 0 || !issued.is_counted_by(cap) {
            return;
        }
        let version = book.judging(cap, (issued.version, issued.partner_version), issued.at);
        let windows = self.windows.entry(cap.id).or_default();
        let parts = windows.entry(cap.span.key(issued.at, cap.zone)).or_default();
        match parts.iter_mut().find(|(known, _)| *known == version) {
            Some((_, sum)) => *sum += weight,
            None => parts.push((version, weight)),
        }
    }
}

/// Counts a code in every cap of `campaign` that counts it.
fn add(
    book: &Book,
    (caps, partners): (&ByCampaign<'_>, &HashMap<(i64, i64), Vec<&Cap>>),
    tally: &mut Tally,
    campaign: i64,
    issued: &Issued,
) {
    let own = caps.get(&campaign).into_iter().flatten();
    for cap in own.chain(partners.get(&(campaign, issued.partner)).into_iter().flatten()) {
        tally.add(book, cap, issued);
    }
}

/// Counts codes and compares the counters, one campaign after the other; caps across campaigns last.
pub(super) struct Counters<'a> {
    snapshot: &'a Snapshot,
    book: &'a Book,
    caps: ByCampaign<'a>,
    /// Caps of partners, by campaign and partner: there may be thousands, and a code is counted by few.
    partners: HashMap<(i64, i64), Vec<&'a Cap>>,
    campaign: Option<i64>,
    own: Tally,
    across: Tally,
    quota: Check,
    over: Check,
}

impl<'a> Counters<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, book: &'a Book) -> Self {
        let mut partners: HashMap<_, Vec<&Cap>> = HashMap::new();
        for cap in book.caps.iter().filter(|cap| cap.is_partner()) {
            let partner = cap.scope_id.parse().unwrap_or_default();
            partners.entry((cap.campaign, partner)).or_default().push(cap);
        }
        Self {
            snapshot,
            book,
            partners,
            caps: book.caps_by_campaign(|cap| !cap.is_person() && !cap.is_partner()),
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
        add(self.book, (&self.caps, &self.partners), &mut self.own, issued.campaign, issued);
        add(self.book, (&self.caps, &self.partners), &mut self.across, ACROSS, issued);
        Ok(())
    }

    /// Judges the caps of a campaign by what was counted of them.
    async fn close(&mut self, campaign: i64, mut tally: Tally) -> Result<(), StoreError> {
        let is_capped = self.caps.contains_key(&campaign) || self.partners.keys().any(|(of, _)| *of == campaign);
        for sql in [PROMISED, PULLED].into_iter().filter(|_| is_capped) {
            for row in self.snapshot.rows(sql, vec![campaign.into()]).await? {
                add(self.book, (&self.caps, &self.partners), &mut tally, campaign, &Issued::read(&row)?);
            }
        }
        let mut caps = self.caps.remove(&campaign).unwrap_or_default();
        let of_partners = self.partners.extract_if(|(of, _), _| *of == campaign);
        caps.extend(of_partners.flat_map(|(_, caps)| caps));
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
        let idle: BTreeSet<i64> = self.caps.keys().copied().chain(self.partners.keys().map(|(of, _)| *of)).collect();
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
