//! Whose claim it is: sealed in a hidden field, for one page, under a key of this house.

use crate::domain::act::Who;
use crate::domain::campaign::Campaign;
use crate::domain::creator::Slug;
use crate::domain::ids::Subject;
use crate::domain::phone::PhoneNumber;
use crate::engine::{Engine, draw};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What the key is for.
const PURPOSE: &str = "claim page";

/// A person between the two forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claimant {
    /// Herself.
    pub(super) subject: Subject,
    /// The last two digits of her number, to be shown.
    ending: [u8; 2],
    /// Two capital letters of her number's country; blanks where it has none.
    country: [u8; 2],
}

impl Claimant {
    pub(super) fn of(engine: &Engine, phone: &PhoneNumber) -> Self {
        let country = phone.country().and_then(|country| country.as_bytes().try_into().ok());
        let ending = phone.expose().as_bytes().last_chunk().copied();
        let subject = engine.parts().keys.phone_subject(phone);
        Self { subject, ending: ending.unwrap_or(*b"  "), country: country.unwrap_or(*b"  ") }
    }

    /// Seals her for a page.
    pub(super) fn seal(&self, engine: &Engine, slug: &Slug) -> String {
        let plain = [&self.subject.as_bytes()[..], &self.ending, &self.country].concat();
        URL_SAFE_NO_PAD.encode(engine.parts().keys.seal(PURPOSE, slug.as_str().as_bytes(), &plain, draw()))
    }

    /// Reads [`Claimant::seal`] back; `None` for all else.
    pub(super) fn open(engine: &Engine, slug: &Slug, sealed: &str) -> Option<Self> {
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let plain = engine.parts().keys.open(PURPOSE, slug.as_str().as_bytes(), &sealed).ok()?;
        let (subject, rest) = plain.split_first_chunk::<16>()?;
        let (ending, country) = rest.split_first_chunk::<2>()?;
        let country = country.try_into().ok()?;
        Some(Self { subject: Subject::from_bytes(*subject), ending: *ending, country })
    }

    /// As an act names her; her number is known already.
    pub(super) fn who(&self) -> Who {
        let country = Some(self.country().to_owned()).filter(|country| !country.is_empty());
        Who { subject: self.subject, sealed_phone: None, country }
    }

    /// As an act names her the first time, with her number.
    pub(super) fn who_of(&self, engine: &Engine, typed: &str, campaign: &Campaign) -> Who {
        let phone = PhoneNumber::parse(typed, Some(super::faces::region(campaign)));
        phone.map_or_else(|_| self.who(), |phone| Who { country: self.who().country, ..engine.who(&phone) })
    }

    /// The country of her number; empty where it has none.
    pub(super) fn country(&self) -> &str {
        std::str::from_utf8(&self.country).unwrap_or_default().trim()
    }

    /// Her number as only she knows it: "(•••) •••-••88".
    pub(super) fn masked(&self) -> String {
        let ending = std::str::from_utf8(&self.ending).unwrap_or_default();
        match self.country() {
            "US" | "CA" => format!("(•••) •••-••{ending}"),
            _ => format!("+••• ••• ••{ending}"),
        }
    }
}
