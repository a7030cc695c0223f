//! What a campaign's document means to the engine.

use super::values::{LocalTime, Zone};
use super::{CampaignDoc, OfferDoc, OfferKind, PlaceWord, PlacesDoc, RedemptionDoc};
use crate::domain::campaign::{Authority, Expiry, Offer, PeerTerms, Places, Terms};
use crate::domain::money::Money;
use chrono::{DateTime, Duration, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// A local time that no clock of the zone ever shows: it falls into the hour that is skipped in spring.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{time} does not exist in {zone}: clocks are put forward over it")]
pub struct LocalTimeError {
    time: LocalTime,
    zone: &'static str,
}

/// The first instant that a clock of the zone shows `time`.
pub(super) fn earliest(time: LocalTime, zone: Zone) -> Result<DateTime<Utc>, LocalTimeError> {
    let local = zone.0.from_local_datetime(&time.0).earliest();
    local.map(|at| at.with_timezone(&Utc)).ok_or(LocalTimeError { time, zone: zone.0.name() })
}

/// The last instant that a clock of the zone shows `time`.
pub(super) fn latest(time: LocalTime, zone: Zone) -> Result<DateTime<Utc>, LocalTimeError> {
    let local = zone.0.from_local_datetime(&time.0).latest();
    local.map(|at| at.with_timezone(&Utc)).ok_or(LocalTimeError { time, zone: zone.0.name() })
}

/// A promise as its immutable row keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferRecord {
    /// "$5 off".
    pub title: String,
    /// Which kind of promise.
    #[serde(rename = "type")]
    pub kind: OfferKind,
    /// Minor units or per cent.
    pub value: Option<i64>,
    /// ISO 4217.
    pub currency: String,
    /// The most one code can cost us, minor units.
    pub max_discount: Option<i64>,
    /// The small print.
    pub terms: String,
}

impl OfferRecord {
    /// The promise as the engine has it.
    #[must_use]
    pub fn offer(&self, offer_no: u16) -> Offer {
        Offer {
            offer_no,
            title: self.title.clone(),
            max_discount: self.max_discount,
            currency: self.currency.clone(),
            terms: self.terms.clone(),
        }
    }

    /// Whether codes of both are worth the same.
    #[must_use]
    pub fn same_worth(&self, other: &Self) -> bool {
        let worth = |record: &Self| (record.kind, record.value, record.currency.clone(), record.max_discount);
        worth(self) == worth(other)
    }
}

impl OfferDoc {
    /// What texts and pages say.
    #[must_use]
    pub fn words(&self) -> String {
        if let Some(title) = &self.title {
            return title.clone();
        }
        match (self.kind, self.value) {
            (OfferKind::AmountOff, Some(minor)) => {
                format!("{} off", Money::new(minor, self.currency).words())
            }
            (OfferKind::PercentOff, Some(percent)) => format!("{percent}% off"),
            (OfferKind::FreeItem, _) => "a free item".to_owned(),
            (OfferKind::AmountOff | OfferKind::PercentOff | OfferKind::Other, _) => "an offer".to_owned(),
        }
    }

    /// The most one code can cost us, minor units; `None` where nobody can say.
    #[must_use]
    pub fn most(&self) -> Option<i64> {
        match self.kind {
            OfferKind::AmountOff => self.max_discount.or(self.value),
            OfferKind::PercentOff | OfferKind::FreeItem | OfferKind::Other => self.max_discount,
        }
    }

    /// The row.
    #[must_use]
    pub fn record(&self) -> OfferRecord {
        OfferRecord {
            title: self.words(),
            kind: self.kind,
            value: self.value,
            currency: self.currency.as_str().to_owned(),
            max_discount: self.most(),
            terms: self.terms.clone(),
        }
    }
}

impl CampaignDoc {
    /// The zone of its calendar.
    #[must_use]
    pub fn tz(&self) -> Tz {
        self.zone.0
    }

    /// When it begins to issue.
    ///
    /// # Errors
    /// [`LocalTimeError`].
    pub fn starts_at(&self) -> Result<Option<DateTime<Utc>>, LocalTimeError> {
        self.start.map(|time| earliest(time, self.zone)).transpose()
    }

    /// When it stops issuing.
    ///
    /// # Errors
    /// [`LocalTimeError`].
    pub fn ends_at(&self) -> Result<Option<DateTime<Utc>>, LocalTimeError> {
        self.end.map(|time| latest(time, self.zone)).transpose()
    }

    /// How long its codes are good.
    ///
    /// # Errors
    /// [`LocalTimeError`].
    pub fn expiry(&self) -> Result<Expiry, LocalTimeError> {
        let expires = &self.code.expires;
        let at = expires.at.map(|time| latest(time, self.zone)).transpose()?;
        let end = if expires.cap_at_campaign_end { self.ends_at()? } else { None };
        let at = match (at, end) {
            (Some(at), Some(end)) => Some(at.min(end)),
            (one, other) => one.or(other),
        };
        Ok(Expiry { after: expires.after_issue.as_ref().map(super::IsoDuration::duration), at })
    }

    /// What the till checks.
    ///
    /// # Errors
    /// [`LocalTimeError`].
    pub fn terms(&self) -> Result<Terms, LocalTimeError> {
        Ok(Terms {
            places: self.redemption.places.places(),
            min_spend: self.offer.min_spend,
            holder_only: self.redemption.holder_only,
            stops_with_campaign: self.redemption.stops_with_campaign,
            valid_from: self.code.valid_from.map(|time| earliest(time, self.zone)).transpose()?,
        })
    }
}

/// How long a look at a code stays good unless the document says otherwise.
const VERIFY_MAX_AGE: Duration = Duration::hours(24);

impl CampaignDoc {
    /// Who honours its codes.
    #[must_use]
    pub fn authority(&self) -> Authority {
        let RedemptionDoc { peer, unverified, verify_max_age, ready, .. } = &self.redemption;
        match peer {
            None => Authority::Here,
            Some(name) => Authority::Peer(PeerTerms {
                name: name.clone(),
                unverified: *unverified,
                max_age: verify_max_age.as_ref().map_or(VERIFY_MAX_AGE, super::IsoDuration::duration),
                ready: *ready,
            }),
        }
    }
}

impl PlacesDoc {
    /// The places as the engine has them.
    #[must_use]
    pub fn places(&self) -> Places {
        match self {
            Self::Word(PlaceWord::Any) => Places::Any,
            Self::Word(PlaceWord::Stores) => Places::Stores,
            Self::Word(PlaceWord::Online) => Places::Online,
            Self::Only(stores) => Places::Only(stores.clone()),
        }
    }
}
