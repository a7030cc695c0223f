//! What a till is told of a code: one table of reasons, in the order in which they are named.

use crate::domain::act::Presented;
use crate::domain::campaign::{Campaign, Status};
use crate::domain::world::{Held, HeldState, Whose};
use chrono::{DateTime, Utc};

/// Why a till must not accept a code; the first that holds is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TillRefusal {
    /// Not a code of ours, of another house, never issued, or voided: all the same to the outside.
    UnknownCode,
    /// The campaign stops redeeming while it is paused or ended.
    CampaignInactive,
    /// Its first day is still to come.
    NotYetActive,
    /// Its last day is over.
    Expired,
    /// It does not count here.
    WrongStore,
    /// It belongs to somebody else.
    WrongRecipient,
    /// The sale is too small, or in another currency.
    ConditionsNotMet,
    /// It was used.
    AlreadyRedeemed,
}

impl TillRefusal {
    /// Every reason, in precedence.
    pub const ALL: [Self; 8] = [
        Self::UnknownCode,
        Self::CampaignInactive,
        Self::NotYetActive,
        Self::Expired,
        Self::WrongStore,
        Self::WrongRecipient,
        Self::ConditionsNotMet,
        Self::AlreadyRedeemed,
    ];

    /// The stable code of the API.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::UnknownCode => "unknown_code",
            Self::CampaignInactive => "campaign_inactive",
            Self::NotYetActive => "not_yet_active",
            Self::Expired => "expired",
            Self::WrongStore => "wrong_store",
            Self::WrongRecipient => "wrong_recipient",
            Self::ConditionsNotMet => "conditions_not_met",
            Self::AlreadyRedeemed => "already_redeemed",
        }
    }

    /// Reads [`TillRefusal::word`] back.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|refusal| refusal.word() == word)
    }
}

/// Judges one presentation of a code; the same rule at validate and, under the lock, at redeem.
///
/// # Errors
/// The first reason that holds, in the order of [`TillRefusal::ALL`].
pub fn judge(
    campaign: &Campaign,
    held: &Held,
    holder: Whose,
    shown: &Presented,
    now: DateTime<Utc>,
) -> Result<(), TillRefusal> {
    let state = held.state(now);
    let terms = &campaign.terms;
    let checks = [
        (state == HeldState::Void, TillRefusal::UnknownCode),
        (terms.stops_with_campaign && campaign.status != Status::Live, TillRefusal::CampaignInactive),
        (terms.valid_from.is_some_and(|from| now < from), TillRefusal::NotYetActive),
        (held.is_past(now), TillRefusal::Expired),
        (!terms.places.allow(shown.store.as_deref()), TillRefusal::WrongStore),
        (
            terms.holder_only && (shown.customer.is_none() || shown.customer != holder.person()),
            TillRefusal::WrongRecipient,
        ),
        (!spends_enough(campaign, held, shown), TillRefusal::ConditionsNotMet),
        (state == HeldState::Redeemed, TillRefusal::AlreadyRedeemed),
    ];
    checks.into_iter().find(|(holds, _)| *holds).map_or(Ok(()), |(_, why)| Err(why))
}

fn spends_enough(campaign: &Campaign, held: &Held, shown: &Presented) -> bool {
    let Some(offer) = campaign.offer(held.offer_no) else {
        return false;
    };
    let same_money = shown.currency.as_ref().is_none_or(|currency| *currency == offer.currency);
    let enough = campaign.terms.min_spend == 0 || shown.amount.is_some_and(|amount| amount >= campaign.terms.min_spend);
    same_money && enough
}
