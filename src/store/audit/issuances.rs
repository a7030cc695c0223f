//! Issued codes, in the order of their key: what they name exists, their campaign was open, and every counter counts
//! them.

use super::Check;
use super::book::{Book, Cap, Version};
use super::quotas::Counters;
use super::snapshot::{PAGE, Row, Snapshot, spot};
use crate::store::StoreError;
use sea_orm::Value;

/// One issued code.
pub(super) struct Issued {
    pub(super) campaign: i64,
    pub(super) pool: i64,
    pub(super) position: i64,
    pub(super) offer: i64,
    pub(super) version: i64,
    pub(super) weight: i64,
    pub(super) channel: String,
    pub(super) keyword: Option<String>,
    pub(super) placement: i64,
    /// 0 is none, and so for the creator.
    pub(super) partner: i64,
    pub(super) partner_version: i64,
    pub(super) creator: i64,
    /// How many codes it stands for.
    pub(super) n: i64,
    /// When it was counted: at its promise, where there was one. Milliseconds since 1970 UTC.
    pub(super) at: i64,
}

/// The one status in which a campaign gives out codes.
const LIVE: &str = "live";

/// The columns of [`Issued`], a page in the order of the key. A code of a pull was given when it was pulled, and is
/// counted with its pull.
const ISSUED: &str = "
    SELECT i.campaign_id, i.pool_no, i.position, i.offer_no, i.campaign_version, i.weight_minor, i.channel, i.keyword,
        i.placement_id, coalesce(i.charged_at, a.allocated_at, i.issued_at), i.partner_id, i.partner_version,
        i.creator_id, CAST(CASE WHEN i.allocation_id IS NULL THEN 1 ELSE 0 END AS BIGINT)
    FROM issuance i LEFT JOIN allocation a ON a.allocation_id = i.allocation_id
    WHERE (i.campaign_id, i.pool_no, i.position) > ($1, $2, $3)
    ORDER BY i.campaign_id, i.pool_no, i.position LIMIT";

/// Checks every issued code: `issuance_names`, `issuance_dates`, `issued_while_not_live`; and the counters: `quota`, `counted_cap`,
/// `quota_over_cap`.
pub(super) async fn check(
    snapshot: &Snapshot,
    book: &Book,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<Vec<Check>, StoreError> {
    let sql = format!("{ISSUED} {PAGE}");
    let mut counters = Counters::new(snapshot, book);
    let mut names = Check::new("issuance_names", 0);
    let mut dates = Check::new("issuance_dates", 0);
    let mut status = Check::new("issued_while_not_live", 0);
    let (mut after, mut seen) = ([i64::MIN; 3], 0_u64);
    loop {
        let page = snapshot.rows(&sql, after.map(Value::from).into()).await?;
        for row in &page {
            let issued = Issued::read(row)?;
            judge(book, &issued, [&mut names, &mut dates, &mut status]);
            counters.count(&issued).await?;
            after = [issued.campaign, issued.pool, issued.position];
            seen += 1;
        }
        if page.len() < PAGE {
            break;
        }
        progress(&format!("issuances: {seen} codes"));
    }
    let mut checks = vec![names, dates, status];
    for check in &mut checks {
        check.rows = seen;
    }
    checks.extend(counters.finish().await?);
    Ok(checks)
}

fn judge(book: &Book, issued: &Issued, [names, dates, not_live]: [&mut Check; 3]) {
    let Issued { campaign, pool, offer, version, at, .. } = issued;
    if !book.pools.contains(&(*campaign, *pool)) {
        names.breach(format!("{} is of pool {pool}, which does not exist", issued.name()));
    }
    if !book.offers.contains(&(*campaign, *offer)) {
        names.breach(format!("{} promises offer {offer}, which does not exist", issued.name()));
    }
    let Some(Version { terms, status, .. }) = book.versions.get(campaign).and_then(|versions| versions.get(version))
    else {
        names.breach(format!("{} was issued under version {version}, which does not exist", issued.name()));
        return;
    };
    if terms.starts_at.is_some_and(|start| *at < start) {
        dates.breach(format!("{} was issued at {at}, before version {version} of its campaign starts", issued.name()));
    }
    if terms.ends_at.is_some_and(|end| *at >= end) {
        dates.breach(format!("{} was issued at {at}, after version {version} of its campaign ends", issued.name()));
    }
    if status != LIVE {
        let name = issued.name();
        not_live.breach(format!("{name} was issued under version {version}, in which its campaign was {status}"));
    }
}

impl Issued {
    pub(super) fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            campaign: row.int(0)?,
            pool: row.int(1)?,
            position: row.int(2)?,
            offer: row.int(3)?,
            version: row.int(4)?,
            weight: row.int(5)?,
            channel: row.text(6)?,
            keyword: row.maybe_text(7)?,
            placement: row.int(8)?,
            at: row.int(9)?,
            partner: row.int(10)?,
            partner_version: row.int(11)?,
            creator: row.int(12)?,
            n: row.int(13)?,
        })
    }

    fn name(&self) -> String {
        spot(self.campaign, self.pool, self.position)
    }

    /// Whether a counted cap counts it.
    pub(super) fn is_counted_by(&self, cap: &Cap) -> bool {
        match cap.key.scope.as_str() {
            "campaign" => true,
            "channel" => self.channel == cap.scope_id,
            "keyword" => self.keyword.as_ref() == Some(&cap.scope_id),
            "placement" => self.placement.to_string() == cap.scope_id,
            "partner" => self.partner.to_string() == cap.scope_id,
            "creator" => self.creator.to_string() == cap.scope_id,
            _ => false,
        }
    }
}
