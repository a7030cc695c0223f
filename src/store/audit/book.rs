//! What is configured: every version of every campaign, its caps, pools and offers. Small beside the ledger.

use super::document::{CapKey, Terms, of_partner, zones_of_partner};
use super::snapshot::Snapshot;
use super::windows::Span;
use super::{Check, DISORDER_MS};
use crate::store::StoreError;
use chrono_tz::Tz;
use std::collections::{BTreeMap, HashMap, HashSet};

/// The campaign number of what holds across campaigns.
pub(super) const ACROSS: i64 = 0;
/// What held across campaigns before their first document.
const NO_VERSION: i64 = 0;

/// Caps by their campaign's number.
pub(super) type ByCampaign<'b> = HashMap<i64, Vec<&'b Cap>>;

/// A row of `cap`.
#[derive(Debug, Clone)]
pub(super) struct Cap {
    pub(super) id: i64,
    pub(super) campaign: i64,
    /// A placement stands here by its number.
    pub(super) scope_id: String,
    pub(super) key: CapKey,
    pub(super) span: Span,
    pub(super) zone: Tz,
    pub(super) most: i64,
    pub(super) removed: bool,
}

/// A version of a campaign, its caps by their numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Version {
    pub(super) status: String,
    /// Milliseconds since 1970 UTC.
    pub(super) created_at: i64,
    pub(super) terms: Terms,
    /// The zones of caps across campaigns.
    zones: HashMap<i64, Tz>,
    /// `None` when its document does not say.
    pub(super) limits: Option<HashMap<i64, i64>>,
}

/// What is configured.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) caps: Vec<Cap>,
    pub(super) versions: HashMap<i64, BTreeMap<i64, Version>>,
    /// Versions of partners, by the partner's number as caps name it.
    partners: HashMap<String, BTreeMap<i64, Version>>,
    pub(super) pools: HashSet<(i64, i64)>,
    pub(super) offers: HashSet<(i64, i64)>,
    unreadable: Vec<String>,
}

impl Cap {
    /// What one code adds.
    pub(super) fn weight(&self, weight_minor: i64) -> i64 {
        if self.key.unit == "money" { weight_minor } else { 1 }
    }

    pub(super) fn is_person(&self) -> bool {
        self.key.scope == "person"
    }

    pub(super) fn is_partner(&self) -> bool {
        self.key.scope == "partner"
    }

    /// How a sentence names it.
    pub(super) fn name(&self) -> String {
        let of = if self.campaign == ACROSS {
            "across campaigns".to_owned()
        } else {
            format!("of campaign {}", self.campaign)
        };
        let CapKey { scope, scope_id, unit, window, .. } = &self.key;
        let id = if scope_id.is_empty() { String::new() } else { format!(" {scope_id}") };
        format!("cap {} {of} ({scope}{id}, {unit}, {window})", self.id)
    }
}

impl Book {
    pub(super) async fn read(snapshot: &Snapshot) -> Result<Self, StoreError> {
        let mut book = Self::default();
        book.read_caps(snapshot).await?;
        book.read_versions(snapshot).await?;
        book.read_partners(snapshot).await?;
        for row in snapshot.rows("SELECT campaign_id, pool_no FROM pool", Vec::new()).await? {
            book.pools.insert((row.int(0)?, row.int(1)?));
        }
        for row in snapshot.rows("SELECT campaign_id, offer_no FROM offer", Vec::new()).await? {
            book.offers.insert((row.int(0)?, row.int(1)?));
        }
        Ok(book)
    }

    async fn read_caps(&mut self, snapshot: &Snapshot) -> Result<(), StoreError> {
        let mut placements = HashMap::new();
        for row in snapshot.rows("SELECT placement_id, name FROM placement", Vec::new()).await? {
            placements.insert(row.int(0)?.to_string(), row.text(1)?);
        }
        let mut creators = HashMap::new();
        for row in snapshot.rows("SELECT creator_id, handle FROM creator", Vec::new()).await? {
            creators.insert(row.int(0)?.to_string(), row.text(1)?);
        }
        let sql =
            "SELECT cap_id, campaign_id, scope, scope_id, unit, window_kind, window_ms, zone, cap, removed_at FROM cap";
        for row in snapshot.rows(sql, Vec::new()).await? {
            let (id, scope, scope_id) = (row.int(0)?, row.text(2)?, row.text(3)?);
            let named = match scope.as_str() {
                "placement" => placements.get(&scope_id),
                "creator" => creators.get(&scope_id),
                _ => None,
            };
            let key =
                CapKey::of_row(scope, named.unwrap_or(&scope_id).clone(), &row.text(4)?, &row.text(5)?, row.int(6)?);
            let span = key.as_ref().and_then(CapKey::span);
            let (Some(key), Some(span), Ok(zone)) = (key, span, row.text(7)?.parse()) else {
                self.unreadable.push(format!("cap {id} has an unknown unit, window or zone"));
                continue;
            };
            let removed = row.maybe_int(9)?.is_some();
            self.caps.push(Cap { id, campaign: row.int(1)?, scope_id, key, span, zone, most: row.int(8)?, removed });
        }
        Ok(())
    }

    async fn read_versions(&mut self, snapshot: &Snapshot) -> Result<(), StoreError> {
        let sql = "SELECT campaign_id, version, document, created_at, status FROM campaign_version ORDER BY campaign_id, version";
        for row in snapshot.rows(sql, Vec::new()).await? {
            let (campaign, number, text) = (row.int(0)?, row.int(1)?, row.text(2)?);
            let terms = if campaign == ACROSS { Terms::read_across(&text) } else { Terms::read(&text) };
            let Some(terms) = terms else {
                self.unreadable.push(format!("the document of version {number} of campaign {campaign} cannot be read"));
                continue;
            };
            let limits = terms.limits.as_ref().map(|limits| self.numbered(campaign, number, limits));
            let (limits, missing) = limits.map_or((None, Vec::new()), |(limits, missing)| (Some(limits), missing));
            let status = row.text(4)?;
            let zones =
                terms.zones.iter().filter_map(|(key, zone)| Some((self.cap(campaign, key)?.id, *zone))).collect();
            // A draft gets its caps when it goes live.
            if status != "draft" {
                self.unreadable.extend(missing);
            }
            let version = Version { status, created_at: row.int(3)?, terms, zones, limits };
            self.versions.entry(campaign).or_default().insert(number, version);
        }
        Ok(())
    }

    async fn read_partners(&mut self, snapshot: &Snapshot) -> Result<(), StoreError> {
        let caps: HashMap<_, _> = self.caps.iter().map(|cap| ((cap.campaign, cap.key.clone()), cap.id)).collect();
        let sql = "SELECT partner_id, version, document, created_at, status FROM partner_version";
        for row in snapshot.rows(sql, Vec::new()).await? {
            let (partner, number) = (row.int(0)?.to_string(), row.int(1)?);
            let Some(limits) = of_partner(&row.text(2)?, &partner) else {
                self.unreadable.push(format!("the document of version {number} of partner {partner} cannot be read"));
                continue;
            };
            let (created_at, status) = (row.int(3)?, row.text(4)?);
            let (mut found, mut zones) = (HashMap::new(), HashMap::new());
            let named: HashMap<_, _> = zones_of_partner(&row.text(2)?).into_iter().collect();
            for (campaign, key, limit) in limits {
                match caps.get(&(campaign, key)) {
                    Some(cap) => {
                        found.insert(*cap, limit);
                        let zone = named.get(&campaign).copied().or_else(|| self.zone_at(campaign, created_at));
                        zones.extend(zone.map(|zone| (*cap, zone)));
                    }
                    None => self.unreadable.push(format!(
                        "version {number} of partner {partner} has a cap of {limit} in campaign {campaign} without a row"
                    )),
                }
            }
            let version = Version { status, created_at, zones, limits: Some(found), ..Version::default() };
            self.partners.entry(partner).or_default().insert(number, version);
        }
        Ok(())
    }

    /// The zone that a campaign had at a time: older versions of partners do not name it.
    fn zone_at(&self, campaign: i64, at_ms: i64) -> Option<Tz> {
        let mut versions = self.versions.get(&campaign)?.values();
        versions.rfind(|version| version.created_at <= at_ms).and_then(|version| version.terms.zone)
    }

    /// The versions that tell what a cap allowed, and when: its campaign's, or its partner's.
    fn history(&self, cap: &Cap) -> Option<&BTreeMap<i64, Version>> {
        if cap.is_partner() { self.partners.get(&cap.scope_id) } else { self.versions.get(&cap.campaign) }
    }

    fn cap(&self, campaign: i64, key: &CapKey) -> Option<&Cap> {
        self.caps.iter().find(|cap| cap.campaign == campaign && cap.key == *key)
    }

    /// The limits of a version by the numbers of their caps, and a sentence for each that has no row.
    fn numbered(&self, campaign: i64, version: i64, limits: &[(CapKey, i64)]) -> (HashMap<i64, i64>, Vec<String>) {
        let (mut found, mut missing) = (HashMap::new(), Vec::new());
        for (key, limit) in limits {
            match self.cap(campaign, key) {
                Some(cap) => drop(found.insert(cap.id, *limit)),
                None => missing.push(format!(
                    "version {version} of campaign {campaign} limits {} {} by {} to {limit}, but no cap has that row",
                    key.scope, key.window, key.unit
                )),
            }
        }
        (found, missing)
    }

    /// The limit that `cap` had in a version of its campaign; `None` when it was not there.
    ///
    /// A version that is not known, or does not say, is taken to have the caps of today; before their first document
    /// there were no caps across campaigns.
    pub(super) fn limit(&self, cap: &Cap, version: i64) -> Option<i64> {
        let known = self.history(cap).and_then(|versions| versions.get(&version));
        match known.and_then(|version| version.limits.as_ref()) {
            Some(limits) => limits.get(&cap.id).copied(),
            None if version == NO_VERSION && self.has_history(cap) => None,
            None => (!cap.removed).then_some(cap.most),
        }
    }

    /// The version by which `cap` was judged for a code of `campaign_version` issued at `at_ms`: that one. Across
    /// campaigns, it is the most generous of those that were there about then: a batch takes its time before it waits
    /// for the locks of a change, and clocks differ ([`DISORDER_MS`]).
    pub(super) fn judging(&self, cap: &Cap, (campaign_version, partner_version): (i64, i64), at_ms: i64) -> i64 {
        if cap.is_partner() {
            return partner_version;
        }
        if cap.campaign != ACROSS {
            return campaign_version;
        }
        let Some(versions) = self.versions.get(&ACROSS) else {
            return NO_VERSION;
        };
        let at = |ms: i64| {
            let last = versions.iter().rev().find(|(_, version)| version.created_at <= ms);
            last.map_or(NO_VERSION, |(number, _)| *number)
        };
        let about = at(at_ms.saturating_sub(DISORDER_MS))..=at(at_ms.saturating_add(DISORDER_MS));
        about.max_by_key(|version| self.limit(cap, *version).unwrap_or(i64::MAX)).unwrap_or(NO_VERSION)
    }

    /// The zone in which a version of its campaign counts `cap`.
    pub(super) fn zone(&self, cap: &Cap, version: i64) -> Tz {
        let known = self.history(cap).and_then(|versions| versions.get(&version));
        known.and_then(|version| version.zones.get(&cap.id).copied().or(version.terms.zone)).unwrap_or(cap.zone)
    }

    /// The version since which `cap` has counted without a break and in its present zone, and when it came: a cap that
    /// comes, comes back or moves to another zone counts its running window anew. `None` where nobody can tell.
    pub(super) fn counting_since(&self, cap: &Cap) -> Option<i64> {
        let versions = self.history(cap).filter(|_| self.has_history(cap))?;
        let counts = |number: &i64| self.limit(cap, *number).is_some() && self.zone(cap, *number) == cap.zone;
        let newest = versions.iter().rev().take_while(|(number, _)| counts(number));
        newest.last().map(|(_, version)| version.created_at)
    }

    /// The caps of a kind by campaign.
    pub(super) fn caps_by_campaign(&self, is_wanted: impl Fn(&Cap) -> bool) -> ByCampaign<'_> {
        let mut caps = ByCampaign::new();
        for cap in self.caps.iter().filter(|cap| is_wanted(cap)) {
            caps.entry(cap.campaign).or_default().push(cap);
        }
        caps
    }

    /// Whether documents tell since when a cap counts.
    pub(super) fn has_history(&self, cap: &Cap) -> bool {
        let versions = self.history(cap);
        versions.is_some_and(|versions| versions.values().all(|version| version.limits.is_some()))
    }

    pub(super) async fn check(&self, snapshot: &Snapshot) -> Result<Vec<Check>, StoreError> {
        let campaigns = snapshot.count("campaign").await?;
        let latest = "
            SELECT c.campaign_id, c.version, c.status, v.version AS latest, v.status AS was
            FROM campaign c LEFT JOIN campaign_version v ON v.campaign_id = c.campaign_id
                AND v.version = (SELECT max(l.version) FROM campaign_version l WHERE l.campaign_id = c.campaign_id)
            WHERE v.version IS NULL OR v.version <> c.version OR v.status <> c.status";
        let mut documents = Check::new("configuration", snapshot.count("campaign_version").await?);
        self.unreadable.iter().for_each(|what| documents.breach(what.clone()));
        let versions = snapshot.breaches("campaign_version", campaigns, latest, |row| {
            let latest = match row.maybe_int(3)? {
                Some(latest) => format!("its latest document at version {latest} and {}", row.text(4)?),
                None => "it has no document".to_owned(),
            };
            Ok(format!("campaign {} is at version {} and {}, {latest}", row.int(0)?, row.int(1)?, row.text(2)?))
        });
        Ok(vec![documents, versions.await?])
    }
}
