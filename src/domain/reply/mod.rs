//! The texts of our answers: their names, their templates, and the words that fill them.

mod set;
mod template;
mod words;

use std::collections::BTreeMap;
use std::fmt;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::domain::gsm7;
use crate::domain::sending::Priority;
use crate::domain::world::Proof;

pub use set::{ReplySet, ReplySetError, compliance};
pub use template::{CompileError, Compiled, Template, TemplateError, TooLong};
pub use words::{day_words, full_words, join_fitting, opens_words, or_list, show_link, stamp_words, time_words};

/// Which text answers. The names in quotes are the keys of `config/replies.en.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub enum ReplyId {
    /// "T01": a new code.
    T01FirstIssue,
    /// "T02": the same code again.
    T02RepeatUnused,
    /// "T03": it was used already.
    T03RepeatRedeemed,
    /// "T04": it has expired.
    T04RepeatExpired,
    /// "T05": no code left, or the campaign's total reached.
    T05SoldOut,
    /// "T07": a cap of this person, with the next date.
    T07Capped,
    /// "T08": the campaign opens later.
    T08NotStarted,
    /// "T09": the campaign is over.
    T09Ended,
    /// "T10": not one of our words.
    T10Unknown,
    /// "T11": a new code for a word with a typo.
    T11Typo,
    /// "T12": which of two campaigns was meant.
    T12Choice,
    /// "T13": opt-out confirmed.
    T13Stop,
    /// "T14": where help is.
    T14Help,
    /// "T15": opt-in confirmed.
    T15Start,
    /// "T16": promised, the code follows.
    T16Held,
    /// "T17": promised, and it takes longer than a day.
    T17Late,
    /// "T21": not for this number; also a voided code.
    T21NotEligible,
    /// "T22": the person's own codes.
    T22MyCodes,
    /// "T23": digits that prove a phone to a web page.
    T23WebCode,
    /// "T24": the link to a creator's desk.
    T24Desk,
    /// "T09P": the campaign is paused.
    Paused,
    /// "T07M": more people at once than the campaign serves a minute.
    Busy,
}

impl ReplyId {
    /// Whether it answers STOP, HELP or START: owed to everyone, cancelled by nothing.
    #[must_use]
    pub fn is_compliance(self) -> bool {
        matches!(self, Self::T13Stop | Self::T14Help | Self::T15Start)
    }

    /// How urgent it is.
    #[must_use]
    pub fn priority(self) -> Priority {
        if self.is_compliance() {
            Priority::Compliance
        } else if self == Self::T12Choice {
            Priority::Prompt
        } else if self == Self::T17Late {
            Priority::Reminder
        } else {
            Priority::Reply
        }
    }

    /// How long it is worth sending after it was made: digits no longer than they count, else as urgent as it is.
    #[must_use]
    pub fn life(self) -> TimeDelta {
        let life = self.priority().life();
        if self == Self::T23WebCode { life.min(Proof::LIFE) } else { life }
    }

    /// Every text, in the order of declaration.
    pub const ALL: [ReplyId; 22] = [
        ReplyId::T01FirstIssue,
        ReplyId::T02RepeatUnused,
        ReplyId::T03RepeatRedeemed,
        ReplyId::T04RepeatExpired,
        ReplyId::T05SoldOut,
        ReplyId::T07Capped,
        ReplyId::T08NotStarted,
        ReplyId::T09Ended,
        ReplyId::T10Unknown,
        ReplyId::T11Typo,
        ReplyId::T12Choice,
        ReplyId::T13Stop,
        ReplyId::T14Help,
        ReplyId::T15Start,
        ReplyId::T16Held,
        ReplyId::T17Late,
        ReplyId::T21NotEligible,
        ReplyId::T22MyCodes,
        ReplyId::T23WebCode,
        ReplyId::T24Desk,
        ReplyId::Paused,
        ReplyId::Busy,
    ];

    /// The name used in files, tables and logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            ReplyId::T01FirstIssue => "T01",
            ReplyId::T02RepeatUnused => "T02",
            ReplyId::T03RepeatRedeemed => "T03",
            ReplyId::T04RepeatExpired => "T04",
            ReplyId::T05SoldOut => "T05",
            ReplyId::T07Capped => "T07",
            ReplyId::T08NotStarted => "T08",
            ReplyId::T09Ended => "T09",
            ReplyId::T10Unknown => "T10",
            ReplyId::T11Typo => "T11",
            ReplyId::T12Choice => "T12",
            ReplyId::T13Stop => "T13",
            ReplyId::T14Help => "T14",
            ReplyId::T15Start => "T15",
            ReplyId::T16Held => "T16",
            ReplyId::T17Late => "T17",
            ReplyId::T21NotEligible => "T21",
            ReplyId::T22MyCodes => "T22",
            ReplyId::T23WebCode => "T23",
            ReplyId::T24Desk => "T24",
            ReplyId::Paused => "T09P",
            ReplyId::Busy => "T07M",
        }
    }

    /// Reads a name such as `T01`.
    ///
    /// # Errors
    /// [`UnknownReply`] for any other text.
    pub fn parse(name: &str) -> Result<ReplyId, UnknownReply> {
        let known = ReplyId::ALL.into_iter().find(|id| id.as_str() == name);
        known.ok_or_else(|| UnknownReply { name: name.to_owned() })
    }
}

impl fmt::Display for ReplyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for ReplyId {
    type Error = UnknownReply;

    fn try_from(name: String) -> Result<ReplyId, UnknownReply> {
        ReplyId::parse(&name)
    }
}

impl From<ReplyId> for &'static str {
    fn from(id: ReplyId) -> &'static str {
        id.as_str()
    }
}

/// There is no text of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no text \"{name}\"; the texts are T01 to T05, T07, T07M, T08, T09, T09P, T10 to T17 and T21 to T23")]
pub struct UnknownReply {
    name: String,
}

/// A placeholder of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// `{brand}`: who writes, as consumers know it.
    Brand,
    /// `{offer}`: "$5 off".
    Offer,
    /// `{keyword}`: the word of the campaign.
    Keyword,
    /// `{read}`: the word as the consumer wrote it; what is not GSM-7 in it shows as `?`.
    Read,
    /// `{code}`: the code, grouped.
    Code,
    /// `{ending}`: last four characters of a code.
    Ending,
    /// `{expires}`: last valid day.
    Expires,
    /// `{used_at}`: when a code was used.
    UsedAt,
    /// `{link}`: the coupon page, see [`show_link`].
    Link,
    /// `{when}`: when to try again, or when it ended.
    When,
    /// `{limit}`: what a person may have, in words.
    Limit,
    /// `{codes}`: the person's codes in words.
    Codes,
    /// `{help}`: where help is.
    Help,
    /// `{words}`: words to try.
    Words,
    /// `{choices}`: "1 PIZZA or 2 PLAZA".
    Choices,
    /// `{digits}`: six digits that prove a phone.
    Digits,
}

impl Slot {
    /// Every placeholder.
    pub const ALL: [Slot; 16] = [
        Slot::Brand,
        Slot::Offer,
        Slot::Keyword,
        Slot::Read,
        Slot::Code,
        Slot::Ending,
        Slot::Expires,
        Slot::UsedAt,
        Slot::Link,
        Slot::When,
        Slot::Limit,
        Slot::Codes,
        Slot::Help,
        Slot::Words,
        Slot::Choices,
        Slot::Digits,
    ];

    /// The name between the braces.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Slot::Brand => "brand",
            Slot::Offer => "offer",
            Slot::Keyword => "keyword",
            Slot::Read => "read",
            Slot::Code => "code",
            Slot::Ending => "ending",
            Slot::Expires => "expires",
            Slot::UsedAt => "used_at",
            Slot::Link => "link",
            Slot::When => "when",
            Slot::Limit => "limit",
            Slot::Codes => "codes",
            Slot::Help => "help",
            Slot::Words => "words",
            Slot::Choices => "choices",
            Slot::Digits => "digits",
        }
    }
}

/// Values for placeholders. They are folded to GSM-7 where that changes no language, and inserted
/// literally: braces and brackets in a value mean nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Values(BTreeMap<Slot, String>);

impl Values {
    /// No values yet.
    #[must_use]
    pub fn new() -> Values {
        Values::default()
    }

    /// The same values with one more, or another one.
    #[must_use]
    pub fn with(mut self, slot: Slot, value: &str) -> Values {
        let mut text = gsm7::fold(value).into_owned();
        // a consumer's odd letter must not turn the whole reply into the dear alphabet
        if slot == Slot::Read && !gsm7::is_gsm7(&text) {
            text = text.chars().map(|c| if gsm7::is_gsm7(c.encode_utf8(&mut [0; 4])) { c } else { '?' }).collect();
        }
        self.0.insert(slot, text);
        self
    }

    /// The value of `slot`, folded.
    #[must_use]
    pub fn get(&self, slot: Slot) -> Option<&str> {
        self.0.get(&slot).map(String::as_str)
    }
}

#[cfg(test)]
mod tests;
