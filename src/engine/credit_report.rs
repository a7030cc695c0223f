//! Who brought what: the house's report over partners, creators and itself, which adds up to everything there was.

use super::reports::{ReportAsk, ReportFigures, currency_of};
use super::{Engine, EngineError};
use crate::domain::campaign::Channel;
use crate::store::credit_report::{CountedBy, Credited};
use std::collections::BTreeMap;
use std::ops::{AddAssign, SubAssign};

/// Who stands on a line of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grouping {
    /// Every partner, every creator and the house.
    Party,
    /// Every partner; the creators together.
    Partner,
    /// Every creator; the partners together.
    Creator,
    /// The doors that codes were asked for at.
    Channel,
}

/// Whose line it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// A partner, by its client id.
    Partner(String),
    /// All partners.
    Partners,
    /// A creator, by her handle.
    Creator(String),
    /// All creators.
    Creators,
    /// A door.
    Channel(Channel),
    /// What is nobody else's merit.
    House,
    /// Everybody: the sum of all other lines.
    Total,
}

/// A line of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditLine {
    /// Whose.
    pub party: Party,
    /// ISO 4217, of the money; campaigns of other currencies have lines of their own.
    pub currency: String,
    /// The figures. Doors have no assists: who had a code by another way is one of their repeats.
    pub figures: ReportFigures,
    /// What creators earned less what was taken back, minor units; `None` for who earns none.
    pub commission: Option<i64>,
}

/// Who brought what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditReport {
    /// By whom its lines are.
    pub by: Grouping,
    /// Partners, creators and the house, or doors; who brought nothing has no line.
    pub lines: Vec<CreditLine>,
    /// Their sums, one a currency.
    pub totals: Vec<CreditLine>,
}

/// What one party brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Sum {
    figures: ReportFigures,
    commission: i64,
}

/// What was counted in the campaigns of one currency: all of it by door, and what of it is whose merit.
#[derive(Debug, Default)]
struct Book {
    channels: BTreeMap<Channel, Sum>,
    partners: BTreeMap<String, Sum>,
    creators: BTreeMap<String, Sum>,
}

impl Engine {
    /// What everybody brought in the campaigns that are asked for; `None` where there is no campaign of that name.
    ///
    /// # Errors
    /// What the database says.
    pub async fn credit_report(&self, ask: &ReportAsk, by: Grouping) -> Result<Option<CreditReport>, EngineError> {
        let catalog = self.fresh_catalog().await?;
        let found: Vec<_> = catalog.campaigns.values().filter(|campaign| ask.wants(campaign)).collect();
        if found.is_empty() && ask.is_of_one() {
            return Ok(None);
        }
        let mut books: BTreeMap<String, Book> = BTreeMap::new();
        for campaign in found {
            let rows = self.parts().store.counted_in(campaign.id, ask.quarters(campaign.zone)).await?;
            let book = books.entry(currency_of(campaign)).or_default();
            for row in rows {
                book.add(row);
            }
        }
        let mut report = CreditReport { by, lines: Vec::new(), totals: Vec::new() };
        for (currency, book) in &books {
            let is_something = |(_, sum): &(Party, Sum)| *sum != Sum::default();
            let line = |(party, sum): (Party, Sum)| CreditLine::of(party, currency, sum, by);
            report.lines.extend(book.lines(by).into_iter().filter(is_something).map(line));
            report.totals.extend([(Party::Total, book.total(by))].into_iter().filter(is_something).map(line));
        }
        report.lines.sort_by(|one, other| one.party.cmp(&other.party));
        Ok(Some(report))
    }
}

impl Book {
    fn add(&mut self, row: Credited) {
        let Credited { by, outcome, n, amount, commission } = row;
        let sum = match by {
            CountedBy::Channel(channel) => self.channels.entry(channel).or_default(),
            CountedBy::Creator(handle) => self.creators.entry(handle).or_default(),
            CountedBy::Partner(client) => {
                if outcome == "streamed" {
                    // A pull is one request; the codes it streams are counted as its partner's alone.
                    self.channels.entry(Channel::Api).or_default().figures.count(&outcome, n, amount);
                }
                self.partners.entry(client).or_default()
            }
        };
        sum.figures.count(&outcome, n, amount);
        sum.commission += commission;
    }

    /// Everything. The count by door does not know who only helped: those are among its repeats.
    fn total(&self, by: Grouping) -> Sum {
        let mut total = added(self.channels.values());
        match by {
            Grouping::Channel => {}
            Grouping::Party | Grouping::Partner | Grouping::Creator => {
                let credited = added(self.partners.values().chain(self.creators.values()));
                total.figures.assists = credited.figures.assists;
                total.figures.repeats -= credited.figures.assists;
                total.commission = credited.commission;
            }
        }
        total
    }

    fn lines(&self, by: Grouping) -> Vec<(Party, Sum)> {
        let each = |sums: &BTreeMap<String, Sum>, party: fn(String) -> Party| -> Vec<_> {
            sums.iter().map(|(name, sum)| (party(name.clone()), *sum)).collect()
        };
        let partners = || each(&self.partners, Party::Partner);
        let creators = || each(&self.creators, Party::Creator);
        let mut lines = match by {
            Grouping::Channel => {
                return self.channels.iter().map(|(channel, sum)| (Party::Channel(*channel), *sum)).collect();
            }
            Grouping::Party => [partners(), creators()].concat(),
            Grouping::Partner => [partners(), vec![(Party::Creators, added(self.creators.values()))]].concat(),
            Grouping::Creator => [vec![(Party::Partners, added(self.partners.values()))], creators()].concat(),
        };
        let mut house = self.total(by);
        for (_, sum) in &lines {
            house -= *sum;
        }
        lines.push((Party::House, house));
        lines
    }
}

impl CreditLine {
    fn of(party: Party, currency: &str, sum: Sum, by: Grouping) -> Self {
        let earns = match party {
            Party::Creator(_) | Party::Creators => true,
            Party::Total => by != Grouping::Channel,
            Party::Partner(_) | Party::Partners | Party::Channel(_) | Party::House => false,
        };
        let commission = earns.then_some(sum.commission);
        Self { party, currency: currency.to_owned(), figures: sum.figures, commission }
    }
}

fn added<'a>(sums: impl Iterator<Item = &'a Sum>) -> Sum {
    sums.fold(Sum::default(), |mut all, one| {
        all += *one;
        all
    })
}

impl AddAssign for Sum {
    fn add_assign(&mut self, other: Self) {
        self.figures += other.figures;
        self.commission += other.commission;
    }
}

impl SubAssign for Sum {
    fn sub_assign(&mut self, other: Self) {
        self.figures -= other.figures;
        self.commission -= other.commission;
    }
}
