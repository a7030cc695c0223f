//! Replies compiled with the longest values they can get, so that each is one SMS for ever.

use super::SenderRow;
use crate::domain::cap::{Scope, Unit};
use crate::domain::document::{CampaignDoc, Over};
use crate::domain::language::Language;
use crate::domain::reply::{
    CompileError, Compiled, ReplyId, ReplySet, ReplySetError, Slot, Values, compliance, opens_words, or_list, show_link,
};
use crate::domain::token::TOKEN_CHARS;
use crate::domain::window::Window;
use chrono::{DateTime, TimeZone, Utc};
use chrono_tz::Tz;
use std::collections::BTreeMap;

/// The replies that speak of a campaign; the others belong to the number.
pub const CAMPAIGN_REPLIES: [ReplyId; 14] = [
    ReplyId::T01FirstIssue,
    ReplyId::T02RepeatUnused,
    ReplyId::T03RepeatRedeemed,
    ReplyId::T04RepeatExpired,
    ReplyId::T05SoldOut,
    ReplyId::T07Capped,
    ReplyId::T08NotStarted,
    ReplyId::T09Ended,
    ReplyId::T11Typo,
    ReplyId::T16Held,
    ReplyId::T17Late,
    ReplyId::T21NotEligible,
    ReplyId::Paused,
    ReplyId::Busy,
];

const SENDER_REPLIES: [ReplyId; 8] = [
    ReplyId::T10Unknown,
    ReplyId::T12Choice,
    ReplyId::T13Stop,
    ReplyId::T14Help,
    ReplyId::T15Start,
    ReplyId::T22MyCodes,
    ReplyId::T23WebCode,
    ReplyId::T24Desk,
];

/// Where the link to a creator's desk begins, without the token.
pub const DESK_LINK: &str = "/creator/open/";
/// The longest day a text can name.
const LONGEST_DAY: &str = "30 Sep 2027";
/// Keywords that the answer to an unknown word names at most, MYCODES apart.
const NAMED_WORDS: usize = 2;

/// Compiled replies, with the words that never change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Texts {
    compiled: BTreeMap<ReplyId, Compiled>,
    /// Answers to the law's words in other languages.
    spoken: BTreeMap<(Language, ReplyId), Compiled>,
    /// For a campaign: brand, offer, help. For a number: brand, help, words.
    pub fixed: Values,
}

impl Texts {
    /// One reply.
    #[must_use]
    pub fn get(&self, reply: ReplyId) -> Option<&Compiled> {
        self.compiled.get(&reply)
    }

    /// One reply in a language; in English where there is none in it.
    #[must_use]
    pub fn get_in(&self, reply: ReplyId, language: Language) -> Option<&Compiled> {
        self.spoken.get(&(language, reply)).or_else(|| self.get(reply))
    }
}

/// A reply that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// It is written wrongly.
    #[error(transparent)]
    Set(#[from] ReplySetError),
    /// It is too long, or lacks a value.
    #[error("text {reply}: {source}")]
    Compile {
        /// Which.
        reply: ReplyId,
        /// Why.
        source: CompileError,
    },
    /// A campaign replaces what belongs to the number.
    #[error("text {0} belongs to the sender, not to a campaign")]
    NotOfACampaign(ReplyId),
}

/// Compiles a campaign's replies. `longest_code` is a code as long as any of its pool.
///
/// # Errors
/// [`TextError`], the first one in order of names; one too long says by how much.
pub fn campaign_texts(
    doc: &CampaignDoc,
    sender: &SenderRow,
    public_url: &str,
    longest_code: &str,
) -> Result<Texts, TextError> {
    if let Some(foreign) = doc.texts.keys().find(|reply| !CAMPAIGN_REPLIES.contains(reply)) {
        return Err(TextError::NotOfACampaign(*foreign));
    }
    let set = ReplySet::embedded().with_overrides(&doc.texts)?;
    let fixed = Values::new()
        .with(Slot::Brand, &sender.brand)
        .with(Slot::Offer, &doc.offer.words())
        .with(Slot::Help, &sender.help);
    let keyword = longest_keyword(doc);
    let worst = fixed
        .clone()
        .with(Slot::Keyword, &keyword)
        .with(Slot::Read, &format!("{keyword}W"))
        .with(Slot::Code, longest_code)
        .with(Slot::Ending, "WWWW")
        .with(Slot::Expires, LONGEST_DAY)
        .with(Slot::UsedAt, &format!("{LONGEST_DAY} 12:22 PM"))
        .with(Slot::Link, &show_link(public_url, &format!("/c/{}", "W".repeat(TOKEN_CHARS))))
        .with(Slot::When, &longest_when(doc.tz()))
        .with(Slot::Limit, &longest_limit(doc));
    let compiled = compile(&set, &CAMPAIGN_REPLIES, &worst)?;
    Ok(Texts { compiled, spoken: BTreeMap::new(), fixed })
}

/// Compiles the replies of a number that belong to no campaign. `keywords` may be named to who texts an unknown word.
///
/// # Errors
/// [`TextError`].
pub fn sender_texts(sender: &SenderRow, public_url: &str, keywords: &[String]) -> Result<Texts, TextError> {
    let set = ReplySet::embedded();
    let link = show_link(public_url, &format!("{DESK_LINK}{}", "W".repeat(TOKEN_CHARS)));
    let values = |named: usize| {
        let mut words: Vec<&str> = keywords.iter().take(named).map(String::as_str).collect();
        words.push("MYCODES");
        Values::new()
            .with(Slot::Brand, &sender.brand)
            .with(Slot::Help, &sender.help)
            .with(Slot::Words, &or_list(&words))
    };
    let compiled = |named: usize| {
        let fixed = values(named);
        let codes = format!("{} WWWW unused to {LONGEST_DAY}", "W".repeat(crate::domain::keyword::MAX_CHARS));
        let longest = "W".repeat(crate::domain::keyword::MAX_CHARS);
        let choices = choice_words(&[&longest, &longest]);
        let worst = fixed.clone().with(Slot::Codes, &codes).with(Slot::Choices, &choices).with(Slot::Digits, "000000");
        let worst = worst.with(Slot::Link, &link);
        Ok(Texts { compiled: compile(&set, &SENDER_REPLIES, &worst)?, spoken: spoken(&worst)?, fixed })
    };
    let fitting = (1..=NAMED_WORDS).rev().find_map(|named| compiled(named).ok());
    fitting.map_or_else(|| compiled(0), Ok)
}

fn compile(set: &ReplySet, replies: &[ReplyId], worst: &Values) -> Result<BTreeMap<ReplyId, Compiled>, TextError> {
    let one = |reply: &ReplyId| match set.get(*reply).compile(worst) {
        Ok(compiled) => Ok((*reply, compiled)),
        Err(source) => Err(TextError::Compile { reply: *reply, source }),
    };
    replies.iter().map(one).collect()
}

fn spoken(worst: &Values) -> Result<BTreeMap<(Language, ReplyId), Compiled>, TextError> {
    let mut spoken = BTreeMap::new();
    for language in Language::ALL {
        for (reply, template) in compliance(language) {
            let compiled = template.compile(worst).map_err(|source| TextError::Compile { reply, source })?;
            spoken.insert((language, reply), compiled);
        }
    }
    Ok(spoken)
}

fn longest_keyword(doc: &CampaignDoc) -> String {
    let words = doc.keywords.iter().flat_map(|keywords| keywords.placements.keys().chain([&keywords.main]));
    let words = words.cloned().chain(doc.creator_words().into_iter().map(|(word, _, _)| word));
    let longest = words.max_by_key(|word| word.as_str().chars().count());
    longest.map_or_else(|| doc.name.clone(), |word| word.as_str().to_owned())
}

/// The longest day, time and zone that the zone can say, in winter and in summer.
fn longest_when(zone: Tz) -> String {
    let long_ago = DateTime::<Utc>::UNIX_EPOCH;
    let at = |month| Utc.with_ymd_and_hms(2027, month, 27, 10, 10, 0).earliest().unwrap_or(long_ago);
    // Whichever hour it is there, two digits of it and of the day are the longest.
    let words = [1, 7].into_iter().flat_map(|month| {
        let hours = (0..24).map(move |hour| at(month) + chrono::Duration::hours(hour));
        hours.map(|at| opens_words(at, zone, long_ago))
    });
    words.max_by_key(|words| words.chars().count()).unwrap_or_default()
}

fn longest_limit(doc: &CampaignDoc) -> String {
    let caps = doc.caps.specs(doc.offer.currency).into_iter();
    let person = caps.filter(|cap| cap.over == Over::Scope(Scope::Person) && cap.unit == Unit::Count);
    // September has the longest name.
    let september = Utc.with_ymd_and_hms(2026, 9, 15, 12, 0, 0).earliest().unwrap_or_default();
    let words = person.map(|cap| limit_words(cap.cap.unwrap_or(i64::MAX), cap.window, doc.tz(), september));
    words.max_by_key(String::len).unwrap_or_else(|| limit_words(1, Window::Lifetime, doc.tz(), september))
}

/// What may be chosen, in words: "1 PIZZA or 2 PLAZA".
#[must_use]
pub fn choice_words(choices: &[&str]) -> String {
    let numbered: Vec<_> = (1..).zip(choices).map(|(number, choice)| format!("{number} {choice}")).collect();
    or_list(&numbered.iter().map(String::as_str).collect::<Vec<_>>())
}

/// What a person may have, in words that follow "You've had your": "2 coupons for November", "coupon for today".
#[must_use]
pub fn limit_words(cap: i64, window: Window, zone: Tz, now: DateTime<Utc>) -> String {
    let many = if cap == 1 { "coupon".to_owned() } else { format!("{cap} coupons") };
    match window {
        Window::Lifetime => many,
        Window::Minute => format!("{many} for this minute"),
        Window::Day => format!("{many} for today"),
        Window::Week => format!("{many} for this week"),
        Window::Month => format!("{many} for {}", now.with_timezone(&zone).format("%B")),
        Window::Rolling(ms) => {
            let hours = ms / 3_600_000;
            match (hours / 24, hours % 24) {
                (1, 0) => format!("{many} in 24 hours"),
                (days, 0) if days > 0 => format!("{many} in {days} days"),
                (_, _) if hours > 1 => format!("{many} in {hours} hours"),
                (_, _) => format!("{many} in {} minutes", (ms / 60_000).max(1)),
            }
        }
    }
}
