//! What some documents would change: a plan to read, and the change to write. Pure: what it needs to know is handed in.

mod campaign;
mod compare;
pub(super) mod creators;
mod lint;
mod peers;
mod pools;
mod senders;
#[cfg(test)]
mod tests;

use crate::domain::catalog::{Catalog, SenderRow};
use crate::domain::document::{CampaignDoc, Document, Located};
use crate::domain::ids::CampaignId;
use crate::engine::import::Survey;
use crate::store::config::{Change, PoolWrite};
use chrono::{DateTime, Utc};
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::PathBuf;

/// What a plan must know beside the catalog.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Campaigns of which a code is out.
    pub issued: HashSet<CampaignId>,
    /// How many partners have caps in a campaign that moves to another zone.
    pub followers: HashMap<CampaignId, usize>,
    /// Brands to which somebody said STOP.
    pub stopped_brands: HashSet<String>,
    /// Beginnings of new patterns under which another campaign has imported codes, with its name.
    pub imported_under: HashMap<String, String>,
    /// Beginnings that a creator's codes would have, and under which there are imported codes.
    pub imported_beginnings: Vec<String>,
    /// What the file of an imported pool holds, by campaign name; the text says why it cannot be read.
    pub surveys: HashMap<String, Result<Survey, String>>,
}

/// The house's own circumstances.
#[derive(Debug, Clone)]
pub struct House {
    /// What coupon links begin with.
    pub public_url: String,
    /// The carriers there are.
    pub carriers: Vec<String>,
    /// The systems that may honour codes, each with how many codes it takes at once and its calls a minute.
    pub peers: Vec<PeerFacts>,
    /// The keyring as `pool.key_id` names it.
    pub key_id: i64,
    /// When the plan is made.
    pub now: DateTime<Utc>,
}

/// What a plan must know of a redemption system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerFacts {
    /// Its name in the configuration.
    pub name: String,
    /// How many codes it is asked about in one call.
    pub batch_max: usize,
    /// Calls a minute; `None` where it has no quota.
    pub quota_per_minute: Option<u32>,
}

/// What a line of a plan says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Something new.
    Add,
    /// Something else than before.
    Change,
    /// Something less.
    Remove,
    /// It cannot be: nothing will be applied.
    Refuse,
    /// It can be, and may not be meant.
    Warn,
}

impl Mark {
    /// The sign in front of the line.
    #[must_use]
    pub fn sign(self) -> char {
        match self {
            Self::Add => '+',
            Self::Change => '~',
            Self::Remove => '-',
            Self::Refuse => '!',
            Self::Warn => '?',
        }
    }
}

/// One line of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What it says.
    pub mark: Mark,
    /// In words.
    pub text: String,
    /// `pizza.toml:14`, for what is refused or warned of.
    pub place: String,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.mark.sign(), self.text)?;
        match self.mark {
            Mark::Refuse | Mark::Warn => write!(f, " ({})", self.place),
            Mark::Add | Mark::Change | Mark::Remove => Ok(()),
        }
    }
}

/// Codes to write before the change.
#[derive(Debug, Clone, PartialEq)]
pub struct CodeWork {
    /// The campaign's document.
    pub doc: CampaignDoc,
    /// Its number, where it has one.
    pub id: Option<CampaignId>,
    /// Its pool as it shall be; an imported one gets its size from its file.
    pub pool: PoolWrite,
    /// Positions that are live already.
    pub live: u64,
    /// The file of an imported pool.
    pub file: Option<PathBuf>,
}

/// What some documents would change.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// To read, in the documents' order.
    pub steps: Vec<Step>,
    /// Codes to write first.
    pub codes: Vec<CodeWork>,
    /// The change to write then; sizes of imported pools are filled in by what was imported.
    pub change: Change,
}

impl Plan {
    /// Whether anything forbids it.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.steps.iter().any(|step| step.mark == Mark::Refuse)
    }

    /// Whether everything is as the documents say.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Change { senders, campaigns, across, planned_on: _ } = &self.change;
        senders.is_empty() && campaigns.is_empty() && across.is_empty()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.steps {
            writeln!(f, "{step}")?;
        }
        if self.is_empty() && !self.is_refused() { writeln!(f, "nothing to change") } else { Ok(()) }
    }
}

/// Collects lines that belong to one place.
pub(super) struct Lines<'a> {
    steps: &'a mut Vec<Step>,
    place: String,
    subject: String,
}

impl Lines<'_> {
    fn say(&mut self, mark: Mark, text: String) {
        let text = match mark {
            Mark::Refuse | Mark::Warn => format!("{}: {text}", self.subject),
            Mark::Add | Mark::Change | Mark::Remove => text,
        };
        self.steps.push(Step { mark, text, place: self.place.clone() });
    }

    fn refuse(&mut self, text: impl Into<String>) {
        self.say(Mark::Refuse, text.into());
    }

    fn warn(&mut self, text: impl Into<String>) {
        self.say(Mark::Warn, text.into());
    }
}

/// Everything a campaign is compared with.
pub(super) struct Ground<'a> {
    catalog: &'a Catalog,
    documents: &'a Document,
    facts: &'a Facts,
    house: &'a House,
    /// Every number as it will be.
    senders: Vec<SenderRow>,
    /// What creators' new codes look like.
    new_pools: creators::NewPools,
}

/// Works out what the documents change.
#[must_use]
pub fn plan(catalog: &Catalog, documents: &Document, facts: &Facts, house: &House) -> Plan {
    let senders = senders::after(catalog, documents);
    let new_pools = creators::new_pools(catalog, documents, &facts.imported_beginnings);
    let ground = Ground { catalog, documents, facts, house, senders, new_pools };
    let mut plan = Plan { change: Change { planned_on: catalog.version, ..Change::default() }, ..Plan::default() };
    for sender in &documents.senders {
        senders::plan(&ground, sender, &mut plan);
    }
    for campaign in &documents.campaigns {
        campaign::plan(&ground, campaign, &mut plan);
    }
    for caps in &documents.caps {
        senders::plan_across(&ground, caps, &mut plan);
    }
    plan
}

fn lines<'a, T>(steps: &'a mut Vec<Step>, located: &Located<T>, subject: String) -> Lines<'a> {
    Lines { steps, place: located.place(), subject }
}
