//! `[sender]`, `[[senders]]` and `[[prices]]`: how replies leave, how fast, and what they may cost.

use std::collections::BTreeMap;
use std::time::Duration;

use super::allowance::{Allowance, MONEY, countries, is_country, millionths, read_money};
use super::carrier::CarrierConfig;
use super::error::{ConfigError, Origin};
use super::layers::{Setting, Settings, Value};
use super::read::as_text;

/// Segments per second of an address without a row of its own: what a new short code gets.
const DEFAULT_RATE: u32 = 10;
/// The highest rate of one address.
const MAX_RATE: u64 = 1000;

/// `[sender]`, `[[senders]]`, `[[prices]]` and the limits of `[[carriers]]`.
#[derive(Debug, Clone)]
pub struct SenderConfig {
    /// Messages handed to one carrier and not yet answered.
    pub in_flight: usize,
    /// How long a process owns a message it took.
    pub lease: Duration,
    /// Waits before the second, third … attempt; the last one is repeated while the message is worth sending.
    pub retry_steps: Vec<Duration>,
    /// The countries that messages go to; empty: those of each campaign.
    pub countries: Vec<String>,
    /// Millionths of a currency that a segment costs to a country without a price of its own.
    pub price: i64,
    /// The same by country.
    pub prices: BTreeMap<String, i64>,
    /// Addresses with limits of their own.
    pub senders: BTreeMap<String, Allowance>,
    /// The limits of accounts, by their names.
    pub accounts: BTreeMap<String, Allowance>,
}

impl SenderConfig {
    pub(super) fn read(settings: &Settings, carriers: &[CarrierConfig]) -> Result<Self, ConfigError> {
        let config = Self {
            in_flight: settings.integer("sender.in_flight", "messages", &(1..=1000))?,
            lease: settings.seconds("sender.lease_s", &(10..=3600))?,
            retry_steps: settings.seconds_list("sender.retry_steps_s", &(1..=86_400))?,
            countries: settings.list("sender.countries", "a list of countries such as [\"US\", \"CA\"]", countries)?,
            price: settings.text("sender.price", MONEY, millionths)?,
            prices: read_prices(settings)?,
            senders: read_senders(settings)?,
            accounts: carriers.iter().map(|row| (row.name.clone(), row.allowance)).collect(),
        };
        let is_capped = config.senders.values().chain(config.accounts.values()).any(Allowance::has_cap);
        if is_capped && config.price == 0 && config.prices.is_empty() {
            return Err(ConfigError::Missing {
                origin: Origin::Default,
                key: "sender.price".to_owned(),
                expected: "the price of a segment, because a row has spend_hour or spend_day".to_owned(),
            });
        }
        Ok(config)
    }

    /// Segments per second that `address` may send.
    #[must_use]
    pub fn rate_of(&self, address: &str) -> u32 {
        self.senders.get(address).and_then(|row| row.rate).unwrap_or(DEFAULT_RATE)
    }

    /// Millionths that a segment to that country costs.
    #[must_use]
    pub fn price_to(&self, country: Option<&str>) -> i64 {
        country.and_then(|country| self.prices.get(country)).copied().unwrap_or(self.price)
    }

    /// Whether money is counted for messages of that address through that account.
    #[must_use]
    pub fn has_cap(&self, address: &str, account: &str) -> bool {
        let rows = [self.senders.get(address), self.accounts.get(account)];
        rows.into_iter().flatten().any(Allowance::has_cap)
    }
}

/// The heads of the rows of a list.
fn heads<'a>(settings: &'a Settings, name: &str, expected: &str) -> Result<Vec<&'a Setting>, ConfigError> {
    if let Some(list) = settings.get(name)
        && list.value != Value::List(Vec::new())
    {
        return Err(settings.bad_value(list, expected));
    }
    Ok((0..).map_while(|number| settings.get(&format!("{name}[{number}]"))).collect())
}

/// A text that every row must have; no two rows the same.
fn name_of<'a>(
    settings: &'a Settings,
    head: &Setting,
    key: &str,
    (expected, fits): (&str, fn(&str) -> bool),
    is_taken: impl Fn(&str) -> bool,
) -> Result<&'a str, ConfigError> {
    let full = format!("{}.{key}", head.key);
    let setting = settings.get(&full).ok_or_else(|| ConfigError::Missing {
        origin: head.origin.clone(),
        key: full,
        expected: expected.to_owned(),
    })?;
    let name = as_text(&setting.value).filter(|text| fits(text));
    let name = name.ok_or_else(|| settings.bad_value(setting, expected))?;
    if is_taken(name) {
        let article = if key.starts_with('a') { "an" } else { "a" };
        return Err(settings.bad_value(setting, &format!("{article} {key} that no row above has")));
    }
    Ok(name)
}

fn read_senders(settings: &Settings) -> Result<BTreeMap<String, Allowance>, ConfigError> {
    let mut rows = BTreeMap::new();
    for head in heads(settings, "senders", "[[senders]] with address and rate")? {
        let shape = ("an address of 3 to 15 digits", is_address as fn(&str) -> bool);
        let address = name_of(settings, head, "address", shape, |name| rows.contains_key(name))?.to_owned();
        rows.insert(address, Allowance::read(settings, &head.key, Some(DEFAULT_RATE), MAX_RATE)?);
    }
    Ok(rows)
}

fn read_prices(settings: &Settings) -> Result<BTreeMap<String, i64>, ConfigError> {
    let mut rows = BTreeMap::new();
    for head in heads(settings, "prices", "[[prices]] with country and segment")? {
        let shape = ("a country such as \"US\"", is_country as fn(&str) -> bool);
        let country = name_of(settings, head, "country", shape, |name| rows.contains_key(name))?.to_owned();
        let key = format!("{}.segment", head.key);
        let setting = settings.get(&key).ok_or_else(|| ConfigError::Missing {
            origin: head.origin.clone(),
            key,
            expected: MONEY.to_owned(),
        })?;
        rows.insert(country, read_money(settings, setting)?);
    }
    Ok(rows)
}

fn is_address(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (3..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}
