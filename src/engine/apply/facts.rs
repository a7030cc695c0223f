//! What a plan must know beside the catalog: looked up before it is made.

use super::{ApplyError, open};
use crate::domain::campaign::PoolKind;
use crate::domain::catalog::{Catalog, PoolRecord};
use crate::domain::document::{CampaignDoc, Document, Located};
use crate::domain::ids::CampaignId;
use crate::domain::pattern::Pattern;
use crate::engine::Engine;
use crate::engine::import::{self, Claims, ImportError, Survey};
use crate::engine::plan::{Facts, creators};
use crate::store::{codes, config};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;

impl Engine {
    pub(super) async fn facts(&self, catalog: &Catalog, documents: &Document) -> Result<Facts, ApplyError> {
        let store = &self.parts().store;
        let mut facts = Facts::default();
        for sender in &documents.senders {
            let brand = catalog.sender_at(&sender.value.address).map(|row| row.brand.clone());
            if let Some(brand) = brand.filter(|brand| *brand != sender.value.brand)
                && config::has_opt_outs(store, &brand).await?
            {
                facts.stopped_brands.insert(brand);
            }
        }
        facts.imported_beginnings = self.imported_beginnings(catalog, documents).await?;
        let claims = claims(catalog, Some(documents));
        for located in &documents.campaigns {
            let doc = &located.value;
            let record = catalog.rows.campaigns.iter().find(|record| record.doc.name == doc.name);
            if let Some(record) = record.filter(|record| record.doc != *doc)
                && config::has_issued(store, record.id).await?
            {
                facts.issued.insert(record.id);
            }
            if let Some(record) = record.filter(|record| record.doc.tz() != doc.tz()) {
                facts.followers.insert(record.id, config::partners_capped(store, record.id).await?);
            }
            if let Some(pattern) = doc.code.pattern.as_ref().filter(|_| record.is_none()) {
                let prefix = pattern.pattern().literal_prefix();
                if let Some(owner) = codes::imported_under(store, prefix).await? {
                    let owner = names(catalog).remove(&owner).unwrap_or_default();
                    facts.imported_under.insert(prefix.to_owned(), owner);
                }
            }
            if doc.pool.source.kind() == PoolKind::Imported && doc.pool.file.is_some() {
                let survey = self.survey(catalog, located, &claims).await?;
                facts.surveys.insert(doc.name.clone(), survey);
            }
        }
        Ok(facts)
    }

    /// The beginnings that creators' new codes would have and imported codes have already.
    async fn imported_beginnings(&self, catalog: &Catalog, documents: &Document) -> Result<Vec<String>, ApplyError> {
        let (mut taken, mut free): (Vec<String>, BTreeSet<String>) = (Vec::new(), BTreeSet::new());
        loop {
            let pools = creators::new_pools(catalog, documents, &taken);
            let wanted = pools.values().flatten().map(|pattern| pattern.literal_prefix().to_owned());
            let Some(next) = wanted.into_iter().find(|prefix| !free.contains(prefix)) else {
                return Ok(taken);
            };
            match codes::imported_under(&self.parts().store, &next).await? {
                // Each round settles one beginning, and a handle has a dozen at most.
                Some(_) if !taken.contains(&next) => taken.push(next),
                Some(_) | None => drop(free.insert(next)),
            }
        }
    }

    /// What the file of an imported pool would bring; a file that cannot be read is a line of the plan.
    async fn survey(
        &self,
        catalog: &Catalog,
        located: &Located<CampaignDoc>,
        claims: &Claims,
    ) -> Result<Result<Survey, String>, ApplyError> {
        let doc = &located.value;
        let folder = Path::new(&located.file).parent().unwrap_or(Path::new(""));
        let path = folder.join(doc.pool.file.as_deref().unwrap_or_default());
        let source = match open(&path) {
            Ok(source) => source,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let record = catalog.rows.campaigns.iter().find(|record| record.doc.name == doc.name);
        let pools = record.and_then(|record| house_pool(catalog, record.id));
        let (live, names) = (pools.map_or(0, |pool| pool.pool.size), names(catalog));
        let campaign = record.map(|record| record.id);
        let ground = import::Ground { store: &self.parts().store, campaign, live, claims, names: &names };
        match import::survey(&ground, source).await {
            Ok(survey) => Ok(Ok(survey)),
            Err(ImportError::Store(error)) => Err(error.into()),
            Err(error) => Ok(Err(format!("{}: {error}", path.display()))),
        }
    }
}

pub(super) fn names(catalog: &Catalog) -> HashMap<CampaignId, String> {
    catalog.rows.campaigns.iter().map(|record| (record.id, record.doc.name.clone())).collect()
}

/// The pool of the house, where the campaign has one.
pub(super) fn house_pool(catalog: &Catalog, campaign: CampaignId) -> Option<&PoolRecord> {
    catalog.rows.pools.iter().find(|pool| pool.campaign == campaign && pool.pool.creator.is_none())
}

/// Every pattern there is and, where documents are given, will be.
pub(super) fn claims(catalog: &Catalog, documents: Option<&Document>) -> Claims {
    let stored = catalog.rows.campaigns.iter().map(|record| &record.doc);
    let written = documents.into_iter().flat_map(|documents| &documents.campaigns).map(|located| &located.value);
    let claim = |doc: &CampaignDoc| -> Option<(String, Pattern)> {
        Some((doc.name.clone(), doc.code.pattern.as_ref()?.pattern().clone()))
    };
    let names = names(catalog);
    let creators = catalog.code_pools.iter().filter(|pool| pool.pool_no != super::POOL_NO);
    let creators =
        creators.map(|pool| (names.get(&pool.campaign).cloned().unwrap_or_default(), pool.pattern.as_ref().clone()));
    stored.chain(written).filter_map(claim).chain(creators).collect()
}
