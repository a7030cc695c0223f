//! Caps as people write them, and the plain list that they come to.

use super::values::{IsoDuration, Major, Zone};
use crate::domain::campaign::Channel;
use crate::domain::cap::{Scope, Unit};
use crate::domain::keyword::Keyword;
use crate::domain::money::Currency;
use crate::domain::window::Window;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The limits of a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CapsDoc {
    /// Per person; one code a person for ever where it is left out.
    pub person: Option<PersonCaps>,
    /// Over the whole campaign.
    pub campaign: WindowCaps,
    /// Per channel.
    pub channel: BTreeMap<Channel, WindowCaps>,
    /// Per keyword.
    pub keyword: BTreeMap<Keyword, WindowCaps>,
    /// Per placement, by its name.
    pub placement: BTreeMap<String, WindowCaps>,
    /// Money over the whole campaign; short for `campaign.money`.
    pub money: Option<MoneyCaps>,
    /// Codes a minute over the whole campaign; short for `campaign.per_minute`.
    pub per_minute: Option<u64>,
}

/// The limits of one person.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PersonCaps {
    /// For ever.
    pub lifetime: Option<u64>,
    /// A local day.
    #[serde(alias = "daily")]
    pub day: Option<u64>,
    /// A local week from Monday.
    #[serde(alias = "weekly")]
    pub week: Option<u64>,
    /// A local month.
    #[serde(alias = "monthly")]
    pub month: Option<u64>,
    /// In the last so many days or hours.
    pub rolling: Option<Rolling>,
}

/// So many in the last so long.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rolling {
    /// How many.
    pub count: u64,
    /// In the last so long.
    #[serde(alias = "per")]
    pub within: IsoDuration,
}

/// Limits by window.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WindowCaps {
    /// For ever.
    pub total: Option<Total>,
    /// A minute.
    pub per_minute: Option<u64>,
    /// A local day.
    #[serde(alias = "daily")]
    pub day: Option<u64>,
    /// A local week from Monday.
    #[serde(alias = "weekly")]
    pub week: Option<u64>,
    /// A local month.
    #[serde(alias = "monthly")]
    pub month: Option<u64>,
    /// Money, at the highest possible discount.
    pub money: Option<MoneyCaps>,
}

/// A limit for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number or \"pool\"")]
pub enum Total {
    /// So many.
    Number(u64),
    /// As many as the pool has.
    Pool(PoolWord),
}

/// The word for "as many as the pool has".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolWord {
    /// As many as the pool has.
    Pool,
}

/// Limits in money, major units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected money such as 250000.00, or { day = 1000.00 }")]
pub enum MoneyCaps {
    /// For ever.
    Total(Major),
    /// By window.
    Windows(MoneyWindows),
}

/// Limits in money by window, major units.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MoneyWindows {
    /// For ever.
    pub total: Option<Major>,
    /// A minute.
    pub per_minute: Option<Major>,
    /// A local day.
    #[serde(alias = "daily")]
    pub day: Option<Major>,
    /// A local week from Monday.
    #[serde(alias = "weekly")]
    pub week: Option<Major>,
    /// A local month.
    #[serde(alias = "monthly")]
    pub month: Option<Major>,
}

/// Caps across campaigns: `[[cap]]`. One entry holds every cap of its scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CapDoc {
    /// Over what.
    pub scope: AcrossScope,
    /// Which channel, for scope `channel`.
    #[serde(default)]
    pub channel: Option<Channel>,
    /// Which keyword, for scope `keyword`.
    #[serde(default)]
    pub keyword: Option<Keyword>,
    /// The zone of its calendar windows.
    #[serde(default)]
    pub zone: Zone,
    /// The currency of its money.
    #[serde(default = "super::usd")]
    pub currency: Currency,
    /// For ever.
    #[serde(default, alias = "lifetime")]
    pub total: Option<u64>,
    /// A minute.
    #[serde(default)]
    pub per_minute: Option<u64>,
    /// A local day.
    #[serde(default, alias = "daily")]
    pub day: Option<u64>,
    /// A local week from Monday.
    #[serde(default, alias = "weekly")]
    pub week: Option<u64>,
    /// A local month.
    #[serde(default, alias = "monthly")]
    pub month: Option<u64>,
    /// In the last so long; for scope `person`.
    #[serde(default)]
    pub rolling: Option<Rolling>,
    /// Money.
    #[serde(default)]
    pub money: Option<MoneyCaps>,
}

/// What a cap across campaigns counts over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AcrossScope {
    /// Each person.
    Person,
    /// All campaigns together.
    #[serde(alias = "campaign")]
    All,
    /// One channel.
    Channel,
    /// One keyword.
    Keyword,
}

/// Over what a cap counts, before its placement has a number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Over {
    /// A scope that names itself.
    Scope(Scope),
    /// A placement of the campaign, by its name.
    Placement(String),
    /// A creator, by her handle.
    Creator(String),
}

/// One cap, as plain as its row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapSpec {
    /// Over what.
    pub over: Over,
    /// Adding up what.
    pub unit: Unit,
    /// In which stretch of time.
    pub window: Window,
    /// The most; `None` when it was money with more decimals than its currency has.
    pub cap: Option<i64>,
}

/// A count as the engine has it; a number beyond its reach limits nothing.
fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn counts(over: &Over, windows: &[(Window, Option<u64>)]) -> Vec<CapSpec> {
    let spec = |(window, number): &(Window, Option<u64>)| {
        number.map(|number| CapSpec {
            over: over.clone(),
            unit: Unit::Count,
            window: *window,
            cap: Some(count(number)),
        })
    };
    windows.iter().filter_map(spec).collect()
}

impl PersonCaps {
    /// One code for ever: what a campaign has that says nothing.
    #[must_use]
    pub fn one() -> Self {
        Self { lifetime: Some(1), ..Self::default() }
    }

    fn specs(&self) -> Vec<CapSpec> {
        let over = Over::Scope(Scope::Person);
        let rolling =
            self.rolling.as_ref().map(|rolling| (Window::Rolling(rolling.within.millis()), Some(rolling.count)));
        let mut windows = vec![
            (Window::Lifetime, self.lifetime),
            (Window::Day, self.day),
            (Window::Week, self.week),
            (Window::Month, self.month),
        ];
        windows.extend(rolling);
        counts(&over, &windows)
    }
}

impl WindowCaps {
    fn specs(&self, over: &Over, currency: Currency) -> Vec<CapSpec> {
        let total = match self.total {
            Some(Total::Number(number)) => Some(number),
            Some(Total::Pool(PoolWord::Pool)) | None => None,
        };
        let windows = [
            (Window::Lifetime, total),
            (Window::Minute, self.per_minute),
            (Window::Day, self.day),
            (Window::Week, self.week),
            (Window::Month, self.month),
        ];
        let mut specs = counts(over, &windows);
        specs.extend(self.money.iter().flat_map(|money| money.specs(over, currency)));
        specs
    }
}

impl MoneyCaps {
    fn specs(&self, over: &Over, currency: Currency) -> Vec<CapSpec> {
        let windows = match self {
            Self::Total(total) => MoneyWindows { total: Some(total.clone()), ..MoneyWindows::default() },
            Self::Windows(windows) => windows.clone(),
        };
        let windows = [
            (Window::Lifetime, windows.total),
            (Window::Minute, windows.per_minute),
            (Window::Day, windows.day),
            (Window::Week, windows.week),
            (Window::Month, windows.month),
        ];
        let spec = |(window, major): (Window, Option<Major>)| {
            let cap = major?.minor(currency.decimals());
            Some(CapSpec { over: over.clone(), unit: Unit::Money, window, cap })
        };
        windows.into_iter().filter_map(spec).collect()
    }
}

impl CapsDoc {
    /// Every cap, in the order in which they are checked: the person's first.
    #[must_use]
    pub fn specs(&self, currency: Currency) -> Vec<CapSpec> {
        let mut campaign = self.campaign.clone();
        campaign.per_minute = campaign.per_minute.or(self.per_minute);
        campaign.money = campaign.money.or_else(|| self.money.clone());
        let scoped = |scope: Scope, caps: &WindowCaps| caps.specs(&Over::Scope(scope), currency);
        let mut specs = self.person.clone().unwrap_or_else(PersonCaps::one).specs();
        specs.extend(scoped(Scope::Campaign, &campaign));
        specs.extend(self.channel.iter().flat_map(|(channel, caps)| scoped(Scope::Channel(*channel), caps)));
        let keyword = |(word, caps): (&Keyword, &WindowCaps)| scoped(Scope::Keyword(word.as_str().to_owned()), caps);
        specs.extend(self.keyword.iter().flat_map(keyword));
        let placement = |(name, caps): (&String, &WindowCaps)| caps.specs(&Over::Placement(name.clone()), currency);
        specs.extend(self.placement.iter().flat_map(placement));
        specs
    }
}

impl CapDoc {
    /// What it counts over; `None` when the channel or keyword that its scope needs is missing, or stands there unneeded.
    #[must_use]
    pub fn scope(&self) -> Option<Scope> {
        match (self.scope, self.channel, &self.keyword) {
            (AcrossScope::Person, None, None) => Some(Scope::Person),
            (AcrossScope::All, None, None) => Some(Scope::Campaign),
            (AcrossScope::Channel, Some(channel), None) => Some(Scope::Channel(channel)),
            (AcrossScope::Keyword, None, Some(word)) => Some(Scope::Keyword(word.as_str().to_owned())),
            (AcrossScope::Person | AcrossScope::All | AcrossScope::Channel | AcrossScope::Keyword, _, _) => None,
        }
    }

    /// Every cap of this entry over its scope.
    #[must_use]
    pub fn specs(&self, scope: &Scope) -> Vec<CapSpec> {
        let over = Over::Scope(scope.clone());
        let rolling =
            self.rolling.as_ref().map(|rolling| (Window::Rolling(rolling.within.millis()), Some(rolling.count)));
        let mut windows = vec![
            (Window::Lifetime, self.total),
            (Window::Minute, self.per_minute),
            (Window::Day, self.day),
            (Window::Week, self.week),
            (Window::Month, self.month),
        ];
        windows.extend(rolling);
        let mut specs = counts(&over, &windows);
        specs.extend(self.money.iter().flat_map(|money| money.specs(&over, self.currency)));
        specs
    }
}
