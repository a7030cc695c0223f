//! Whose code is it? Answered by its text alone, before any database is asked.

use super::Catalog;
use crate::domain::campaign::PoolKind;
use crate::domain::code::CodeNorm;
use crate::domain::derived::Derived;
use crate::domain::ids::CampaignId;
use crate::domain::pattern::Pattern;
use std::sync::Arc;

/// A pool of codes with a pattern.
#[derive(Debug, Clone)]
pub struct CodePool {
    /// The campaign.
    pub campaign: CampaignId,
    /// The pool.
    pub pool_no: u16,
    /// Generated or derived.
    pub kind: PoolKind,
    /// What its codes look like.
    pub pattern: Arc<Pattern>,
    /// Positions run from 0 to this, exclusive.
    pub size: u64,
    /// How a derived pool goes from position to code and back.
    pub derived: Option<Arc<Derived>>,
}

impl CodePool {
    /// Whether the code begins as this pool's do.
    #[must_use]
    pub fn claims(&self, code: &CodeNorm) -> bool {
        code.expose().starts_with(self.pattern.literal_prefix())
    }

    /// Whether an imported code would be taken for one of this pool's: it begins with the pool's prefix or, where the
    /// pool has none, has its shape.
    #[must_use]
    pub fn would_take(&self, code: &CodeNorm) -> bool {
        if self.pattern.literal_prefix().is_empty() { self.pattern.matches_shape(code) } else { self.claims(code) }
    }
}

impl Catalog {
    /// The derived pool that a code with this beginning belongs to; derived prefixes are their own, so there is one.
    #[must_use]
    pub fn derived_pool(&self, code: &CodeNorm) -> Option<&CodePool> {
        self.code_pools.iter().find(|pool| pool.kind == PoolKind::Derived && pool.claims(code))
    }

    /// The pool of a campaign, where its codes have a pattern.
    #[must_use]
    pub fn code_pool(&self, campaign: CampaignId, pool_no: u16) -> Option<&CodePool> {
        self.code_pools.iter().find(|pool| pool.campaign == campaign && pool.pool_no == pool_no)
    }

    /// Whether the code was mistyped or made up: it begins like codes of ours, and fits none of their patterns.
    /// No database is needed to refuse it.
    #[must_use]
    pub fn is_mistyped(&self, code: &CodeNorm) -> bool {
        let mut claims =
            self.code_pools.iter().filter(|pool| !pool.pattern.literal_prefix().is_empty() && pool.claims(code));
        let Some(first) = claims.next() else {
            return false;
        };
        !first.pattern.check_ok(code) && !claims.any(|pool| pool.pattern.check_ok(code)) && !self.may_lack_prefix(code)
    }

    /// Codes of a pattern without a fixed beginning may begin with anything.
    fn may_lack_prefix(&self, code: &CodeNorm) -> bool {
        let mut bare = self.code_pools.iter().filter(|pool| pool.pattern.literal_prefix().is_empty());
        bare.any(|pool| pool.pattern.check_ok(code))
    }

    /// The pool that would take an imported code for its own.
    #[must_use]
    pub fn claimant(&self, code: &CodeNorm) -> Option<&CodePool> {
        self.code_pools.iter().find(|pool| pool.would_take(code))
    }
}
