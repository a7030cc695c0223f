//! Everything that is configured, as one immutable picture with a version.

mod build;
mod codes;
mod texts;

pub use build::{
    BuildError, CampaignRecord, KeywordRecord, OfferRow, PlacementRecord, PoolRecord, Rows, SenderRecord, key_number,
};
pub use codes::CodePool;
pub use texts::{
    CAMPAIGN_REPLIES, DESK_LINK, TextError, Texts, campaign_texts, choice_words, limit_words, sender_texts,
};

use crate::domain::act::{CarrierSaid, Text};
use crate::domain::campaign::{Attribution, Campaign, Channel};
use crate::domain::cap::{Cap, Scope};
use crate::domain::ids::{CampaignId, CreatorId, PlacementId, SenderId, Subject};
use crate::domain::keyword::{Book, Matched, Route};
use crate::domain::language::Language;
use crate::domain::reply::{Compiled, ReplyId};
use crate::domain::session::Choice;
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;

/// One picture of the configuration; every apply, pause and end makes a new one.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// Raised by every change; a batch planned with another one starts again.
    pub version: i64,
    /// Every campaign, ended ones too.
    pub campaigns: HashMap<CampaignId, Arc<Campaign>>,
    /// Caps that count over all campaigns.
    pub caps_across: Vec<Cap>,
    /// Our numbers.
    pub senders: HashMap<SenderId, SenderRow>,
    /// How often a person is answered.
    pub limits: Limits,
    /// The words of each number.
    pub books: HashMap<SenderId, Book<Target>>,
    /// The replies of each campaign that has a number.
    pub campaign_texts: HashMap<CampaignId, Texts>,
    /// The replies of each number that belong to no campaign.
    pub sender_texts: HashMap<SenderId, Texts>,
    /// The pools whose codes begin with something of their own.
    pub code_pools: Vec<CodePool>,
    /// Creators, by number.
    pub creators: HashMap<CreatorId, CreatorRow>,
    /// What the last part of `/x/{slug}` leads to.
    pub links: HashMap<String, LinkRow>,
    /// The rows it was built from, for whoever compares or shows them.
    pub rows: Arc<Rows>,
}

/// A creator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatorRow {
    /// Her number in the tables.
    pub id: CreatorId,
    /// Her name in links and keywords.
    pub handle: String,
    /// Her name for people.
    pub name: String,
    /// `false`: a person stopped her; her history stays.
    pub is_active: bool,
    /// Herself, by the number she gave: DESK answers to it.
    pub subject: Option<Subject>,
    /// Every number that is or was hers, and since when: what is claimed by them of her own is no merit.
    pub numbers: Vec<(Subject, DateTime<Utc>)>,
    /// What her audience is told of her interest.
    pub disclosure: String,
    /// Since when she is one.
    pub created_at: DateTime<Utc>,
}

/// What a link leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRow {
    /// The last part of `/x/{slug}`.
    pub slug: String,
    /// The campaign.
    pub campaign: CampaignId,
    /// Whose link it is; `None`: the house's.
    pub creator: Option<CreatorId>,
    /// Where it stands.
    pub placement: PlacementId,
}

/// A short code or number of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderRow {
    /// Its number in the tables.
    pub id: SenderId,
    /// What people text.
    pub address: String,
    /// Which carrier serves it.
    pub carrier: String,
    /// Whose name stands in its texts, and whose opt-out list it obeys.
    pub brand: String,
    /// Where help is, in words.
    pub help: String,
    /// Who answers STOP, START and HELP.
    pub opt_out_handled_by: OptOutBy,
}

/// Who answers STOP, START and HELP on a number: one confirmation is owed, two are a violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptOutBy {
    /// We do, but for a text that its webhook says is answered already.
    #[default]
    App,
    /// The carrier does, whether its webhooks say so or not.
    Provider,
    /// The carrier keeps a list of its own in silence; we answer, whatever its webhooks say.
    Both,
}

impl OptOutBy {
    /// The word in documents.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Provider => "provider",
            Self::Both => "both",
        }
    }

    /// Whether it is for us to answer; `said` is what the carrier's webhook says of the text.
    #[must_use]
    pub fn is_ours(self, said: Option<CarrierSaid>) -> bool {
        match self {
            Self::App => said.is_none(),
            Self::Provider => false,
            Self::Both => true,
        }
    }
}

/// How often a person is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Answers an hour to the same word.
    pub asks_per_hour: usize,
    /// The same answer goes out once in this time.
    pub same_answer: Duration,
    /// Replies in 24 hours, first issuances, STOP, HELP and START apart.
    pub replies_per_day: usize,
    /// How long a question of ours waits for its answer.
    pub question_timeout: Duration,
    /// First codes for phones of one range of numbers within `burst_window`; 0 is no limit.
    pub burst_per_range: usize,
    /// See `burst_per_range`.
    pub burst_window: Duration,
    /// Toll-free numbers are served like phones.
    pub serve_toll_free: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            asks_per_hour: 10,
            same_answer: Duration::seconds(10),
            replies_per_day: 20,
            question_timeout: Duration::minutes(10),
            burst_per_range: 300,
            burst_window: Duration::minutes(10),
            serve_toll_free: false,
        }
    }
}

/// What a keyword leads to.
#[derive(Debug, Clone)]
pub struct Target {
    /// The campaign.
    pub campaign: CampaignId,
    /// The keyword that reports and caps count it under; an alias counts as its main word.
    pub keyword: String,
    /// Where the call to action stood.
    pub placement: PlacementId,
    /// The creator whose word it is.
    pub creator: Option<CreatorId>,
}

impl From<Target> for Choice {
    fn from(Target { campaign, keyword, placement, creator }: Target) -> Self {
        Self { campaign, keyword, placement, creator }
    }
}

/// Two words for one campaign are no ambiguity, wherever they were advertised.
impl PartialEq for Target {
    fn eq(&self, other: &Self) -> bool {
        self.campaign == other.campaign
    }
}

/// What a text asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// No more messages; how it was said, and in which language.
    OptOut(Matched, Language),
    /// Messages again.
    OptIn(Language),
    /// Help.
    Help(Language),
    /// Her codes.
    MyCodes,
    /// A code of this campaign; `read` is what she typed where it was a near miss.
    Keyword {
        /// The campaign.
        campaign: CampaignId,
        /// Where the keyword belongs.
        from: Attribution,
        /// The word as typed.
        read: Option<String>,
    },
    /// Two campaigns fit equally: she is asked which.
    Ambiguous(Vec<Choice>),
    /// A word we do not know.
    Unknown,
    /// Nothing to answer: a reaction, an empty text, the answer of a machine.
    Nothing,
}

impl Catalog {
    /// What a received text asks for: what the carrier took it for outranks its words.
    #[must_use]
    pub fn hear_text(&self, text: &Text) -> Heard {
        match text.carrier_said {
            Some(CarrierSaid::Stop) => Heard::OptOut(Matched::Carrier, self.language(text)),
            Some(CarrierSaid::Start) => Heard::OptIn(self.language(text)),
            Some(CarrierSaid::Help) => Heard::Help(self.language(text)),
            None => self.hear(text.sender, &text.text),
        }
    }

    /// The language of a word of the law; English for other texts.
    fn language(&self, text: &Text) -> Language {
        match self.hear(text.sender, &text.text) {
            Heard::OptOut(_, language) | Heard::OptIn(language) | Heard::Help(language) => language,
            Heard::MyCodes | Heard::Keyword { .. } | Heard::Ambiguous(_) | Heard::Unknown | Heard::Nothing => {
                Language::English
            }
        }
    }

    /// What a text to that number asks for. A number without keywords still knows STOP, START and HELP.
    #[must_use]
    pub fn hear(&self, sender: SenderId, text: &str) -> Heard {
        let route = match self.books.get(&sender) {
            Some(book) => book.route(text),
            None => Book::new([]).map_or(Route::Unknown, |empty| empty.route(text)),
        };
        let keyword = |target: Target, read| {
            let Target { campaign, keyword, placement, creator } = target;
            let from = Attribution {
                sender: Some(sender),
                keyword: Some(keyword),
                placement,
                creator,
                ..Attribution::by(Channel::Sms)
            };
            Heard::Keyword { campaign, from, read }
        };
        match route {
            Route::OptOut { matched, language } => Heard::OptOut(matched, language),
            Route::OptIn(language) => Heard::OptIn(language),
            Route::Help(language) => Heard::Help(language),
            Route::MyCodes => Heard::MyCodes,
            Route::Keyword { target, .. } => keyword(target, None),
            Route::NearMiss { read, target, .. } => keyword(target, Some(read)),
            Route::Ambiguous(two) => Heard::Ambiguous(two.map(|(_, target)| target.into()).to_vec()),
            Route::Unknown => Heard::Unknown,
            Route::Reaction | Route::Automatic | Route::Empty => Heard::Nothing,
        }
    }

    /// Which choice of an open question a text to that number takes, from 0.
    #[must_use]
    pub fn answer(&self, sender: SenderId, text: &str) -> Option<usize> {
        self.books.get(&sender).and_then(|book| book.choice(text))
    }

    /// Every cap with a counter that a request may charge: the campaign's own and those across campaigns.
    pub fn counted<'a>(&'a self, campaign: &'a Campaign, from: &'a Attribution) -> impl Iterator<Item = &'a Cap> {
        campaign.caps.iter().chain(&self.caps_across).filter(|cap| cap.scope != Scope::Person && cap.scope.holds(from))
    }

    /// The campaign of that name.
    #[must_use]
    pub fn campaign_named(&self, name: &str) -> Option<&Arc<Campaign>> {
        self.campaigns.values().find(|campaign| campaign.name == name)
    }

    /// The number and the main keyword of a campaign, where it has them.
    #[must_use]
    pub fn word_of(&self, campaign: CampaignId) -> Option<(SenderId, String)> {
        let house = self.rows.keywords.iter().filter(|row| row.campaign == campaign && row.creator.is_none());
        let mut own = house.clone().filter(|row| row.word == row.keyword);
        own.find(|row| row.placement == PlacementId::NONE)
            .or_else(|| house.clone().next())
            .map(|row| (row.sender, row.keyword.clone()))
    }

    /// The number that sends what a claim page of a campaign needs: the campaign's own, else the first.
    #[must_use]
    pub fn claim_sender(&self, campaign: CampaignId) -> Option<SenderId> {
        self.word_of(campaign).map(|(sender, _)| sender).or_else(|| self.senders.keys().min().copied())
    }

    /// The number with that address.
    #[must_use]
    pub fn sender_at(&self, address: &str) -> Option<&SenderRow> {
        self.senders.values().find(|sender| sender.address == address)
    }

    /// A reply, compiled for one SMS: the campaign's where it has one, else the number's.
    #[must_use]
    pub fn text(&self, sender: SenderId, campaign: Option<CampaignId>, reply: ReplyId) -> Option<&Compiled> {
        let own = campaign.and_then(|id| self.campaign_texts.get(&id)).and_then(|texts| texts.get(reply));
        own.or_else(|| self.sender_texts.get(&sender).and_then(|texts| texts.get(reply)))
    }
}
