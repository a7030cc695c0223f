//! The words of a message, made after the commit from rows that never change.

use super::{Engine, EngineError};
use crate::domain::campaign::Campaign;
use crate::domain::catalog::{Catalog, Texts, choice_words, limit_words};
use crate::domain::code::Code;
use crate::domain::decision::changes::NewMessage;
use crate::domain::gsm7;
use crate::domain::ids::{CampaignId, Spot, from_millis};
use crate::domain::phone::PhoneNumber;
use crate::domain::reply::{
    Compiled, ReplyId, Slot, Values, day_words, join_fitting, opens_words, show_link, time_words,
};
use crate::domain::window::{Window, local_date};
use crate::domain::world::HeldState;
use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use thiserror::Error;

/// A message, ready to hand to a carrier.
#[derive(Debug, Clone, PartialEq)]
pub struct Composed {
    /// To whom.
    pub to: PhoneNumber,
    /// From which of our numbers.
    pub from: String,
    /// The words.
    pub body: String,
    /// How many segments they take.
    pub segments: u16,
    /// SHA-256 of the words under a key of this house.
    pub body_hash: [u8; 32],
}

/// Why a message cannot be written.
#[derive(Debug, Error)]
pub enum ComposeError {
    /// The person's number is unknown or cannot be opened with this keyring.
    #[error("the phone number cannot be read")]
    NoPhone,
    /// Its sender, campaign or text is no longer configured.
    #[error("the text is no longer configured")]
    NoText,
    /// The database failed; later it may not.
    #[error("the rows of the message cannot be read")]
    Store(#[source] EngineError),
}

impl From<EngineError> for ComposeError {
    fn from(error: EngineError) -> Self {
        Self::Store(error)
    }
}

impl Engine {
    /// Writes a message.
    ///
    /// # Errors
    /// [`ComposeError`].
    pub async fn compose(&self, message: &NewMessage) -> Result<Composed, ComposeError> {
        let parts = self.parts();
        let catalog = self.catalog();
        let sender = catalog.senders.get(&message.sender).ok_or(ComposeError::NoText)?;
        let sealed = parts.store.sealed_phone(message.subject).await.map_err(EngineError::from)?;
        let sealed = sealed.ok_or(ComposeError::NoPhone)?;
        let to = parts.keys.open_phone(&message.subject, &sealed).map_err(|_| ComposeError::NoPhone)?;
        let body = match message.campaign {
            _ if message.reply == ReplyId::T23WebCode => self.sender_body(&catalog, message).await?,
            Some(id) => self.campaign_body(&catalog, id, &self.as_seen(message).await?).await?,
            None => self.sender_body(&catalog, message).await?,
        };
        let segments = gsm7::segments(&body).count;
        let body_hash = parts.keys.body_hash(&body);
        Ok(Composed { to, from: sender.address.clone(), body, segments, body_hash })
    }

    /// The text of a code, wherever its pool keeps it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn code_at(&self, spot: Spot) -> Result<Option<Code>, EngineError> {
        let catalog = self.catalog();
        let derived = catalog
            .code_pools
            .iter()
            .find(|pool| pool.campaign == spot.campaign && pool.pool_no == spot.pool)
            .and_then(|pool| pool.derived.as_ref());
        if let Some(derived) = derived {
            return Ok(derived.code_at(spot.position));
        }
        let text = self.parts().store.code_text(spot).await?;
        Ok(text.and_then(|text| Code::parse(&text).ok()))
    }

    /// The coupon page of a code.
    #[must_use]
    pub fn link_path(&self, spot: Spot) -> String {
        format!("/c/{}", self.parts().keys.link_tokens().seal(spot).expose())
    }

    async fn campaign_body(
        &self,
        catalog: &Catalog,
        id: CampaignId,
        message: &NewMessage,
    ) -> Result<String, ComposeError> {
        let campaign = catalog.campaigns.get(&id).ok_or(ComposeError::NoText)?;
        let (texts, compiled) = find(catalog.campaign_texts.get(&id), message.reply)?;
        let now = message.created_at;
        let mut values = texts.fixed.clone();
        if let Some(word) = &message.params.word {
            values = values.with(Slot::Keyword, word);
        }
        if let Some(read) = &message.params.read {
            values = values.with(Slot::Read, read);
        }
        if let Some((cap, limit)) = message.params.cap {
            let cap = campaign.caps.iter().chain(&catalog.caps_across).find(|one| one.id.0 == cap);
            let window = cap.map_or(Window::Lifetime, |cap| cap.window);
            values = values.with(Slot::Limit, &limit_words(limit, window, campaign.zone, now));
        }
        if let Some(when) = when(message, campaign) {
            values = values.with(Slot::When, &when);
        }
        if let (ReplyId::T03RepeatRedeemed, Some(at)) = (message.reply, message.params.at) {
            values = values.with(Slot::UsedAt, &time_words(from_millis(at), campaign.zone, now));
        }
        if let Some(spot) = message.spot {
            values = self.code_values(values, spot, campaign.zone, now).await?;
        }
        Ok(compiled.render(&values))
    }

    async fn code_values(
        &self,
        values: Values,
        spot: Spot,
        zone: Tz,
        now: DateTime<Utc>,
    ) -> Result<Values, ComposeError> {
        let code = self.code_at(spot).await?.ok_or(ComposeError::NoText)?;
        let link = show_link(&self.parts().public_url, &self.link_path(spot));
        let issued = self.parts().store.find_issued(spot).await.map_err(EngineError::from)?;
        let ends = issued.and_then(|issued| issued.held.ends_at());
        let values = values.with(Slot::Code, code.expose()).with(Slot::Ending, &code.ending()).with(Slot::Link, &link);
        Ok(match ends {
            Some(end) => values.with(Slot::Expires, &last_day(end, zone, now)),
            None => values,
        })
    }

    async fn sender_body(&self, catalog: &Catalog, message: &NewMessage) -> Result<String, ComposeError> {
        let texts = catalog.sender_texts.get(&message.sender).ok_or(ComposeError::NoText)?;
        let compiled = texts.get_in(message.reply, message.params.language).ok_or(ComposeError::NoText)?;
        let mut values = texts.fixed.clone();
        if !message.params.choices.is_empty() {
            let choices: Vec<_> = message.params.choices.iter().map(String::as_str).collect();
            values = values.with(Slot::Choices, &choice_words(&choices));
        }
        if message.reply == ReplyId::T23WebCode {
            values = values.with(Slot::Digits, &self.parts().keys.web_digits(&message.id));
        }
        if message.reply == ReplyId::T24Desk {
            let path = self.desk_path(message.id);
            return Ok(compiled.render(&values.with(Slot::Link, &show_link(&self.parts().public_url, &path))));
        }
        if message.reply != ReplyId::T22MyCodes {
            return Ok(compiled.render(&values));
        }
        let mut items = Vec::new();
        for (campaign, pool, position, state, used) in &message.params.codes {
            let spot = Spot { campaign: CampaignId(*campaign), pool: *pool, position: *position };
            items.push(self.listed(catalog, spot, state, *used, message.created_at).await?);
        }
        if items.is_empty() {
            items.push("no codes yet".to_owned());
        }
        let room = compiled.room(&values.clone().with(Slot::Codes, ""));
        let codes = join_fitting(&items, "; ", room);
        Ok(compiled.render(&values.with(Slot::Codes, &codes)))
    }

    /// "PIZZA 4XTD unused to 31 Dec", "DRINK 2HTP used 3 Nov".
    async fn listed(
        &self,
        catalog: &Catalog,
        spot: Spot,
        state: &str,
        used: Option<i64>,
        now: DateTime<Utc>,
    ) -> Result<String, ComposeError> {
        let Some(campaign) = catalog.campaigns.get(&spot.campaign) else {
            return Err(ComposeError::NoText);
        };
        let ending = self.code_at(spot).await?.map(|code| code.ending()).unwrap_or_default();
        let issued = self.parts().store.find_issued(spot).await.map_err(EngineError::from)?;
        let held = issued.map(|issued| issued.held);
        let name = held.as_ref().and_then(|held| held.from.keyword.clone()).unwrap_or_else(|| campaign.name.clone());
        let rest = match (HeldState::parse(state), used, held.and_then(|held| held.expires_at)) {
            (Some(HeldState::Redeemed), Some(at), _) => {
                format!("used {}", day_words(from_millis(at), campaign.zone, now))
            }
            (Some(HeldState::Unused), _, Some(end)) => {
                format!("unused to {}", last_day(end, campaign.zone, now))
            }
            (_, _, _) => state.to_owned(),
        };
        Ok(format!("{name} {ending} {rest}"))
    }
}

fn find(texts: Option<&Texts>, reply: ReplyId) -> Result<(&Texts, &Compiled), ComposeError> {
    let texts = texts.ok_or(ComposeError::NoText)?;
    Ok((texts, texts.get(reply).ok_or(ComposeError::NoText)?))
}

/// The last day on which a code that ends at `end` is good.
fn last_day(end: DateTime<Utc>, zone: Tz, now: DateTime<Utc>) -> String {
    day_words(end - Duration::seconds(1), zone, now)
}

fn when(message: &NewMessage, campaign: &Campaign) -> Option<String> {
    let (zone, now) = (campaign.zone, message.created_at);
    let at = message.params.at.map(from_millis);
    match message.reply {
        ReplyId::Paused => Some("tomorrow".to_owned()),
        ReplyId::Busy => Some(match at {
            Some(at) if at - now > Duration::minutes(1) => day_or_time(at, zone, now),
            Some(_) | None => "in a minute".to_owned(),
        }),
        ReplyId::T08NotStarted => at.map(|at| opens_words(at, zone, now)),
        ReplyId::T09Ended => at.map(|at| last_day(at, zone, now)),
        ReplyId::T07Capped => at.map(|at| day_or_time(at, zone, now)),
        ReplyId::T01FirstIssue
        | ReplyId::T02RepeatUnused
        | ReplyId::T03RepeatRedeemed
        | ReplyId::T04RepeatExpired
        | ReplyId::T05SoldOut
        | ReplyId::T10Unknown
        | ReplyId::T11Typo
        | ReplyId::T12Choice
        | ReplyId::T13Stop
        | ReplyId::T14Help
        | ReplyId::T15Start
        | ReplyId::T16Held
        | ReplyId::T17Late
        | ReplyId::T21NotEligible
        | ReplyId::T22MyCodes
        | ReplyId::T23WebCode
        | ReplyId::T24Desk => None,
    }
}

/// A day when it is the day's first instant, else the time too.
fn day_or_time(at: DateTime<Utc>, zone: Tz, now: DateTime<Utc>) -> String {
    if local_date(at, zone) == local_date(at - Duration::milliseconds(1), zone) {
        opens_words(at, zone, now)
    } else {
        day_words(at, zone, now)
    }
}
