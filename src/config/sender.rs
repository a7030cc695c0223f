//! `[sender]`: how replies leave; `[[senders]]`: the rates of single addresses.

use std::time::Duration;

use super::error::ConfigError;
use super::layers::{Settings, Value};
use super::read::{as_text, whole};

/// Segments per second of an address without a row of its own: what a new short code gets.
const DEFAULT_RATE: u32 = 10;

/// `[sender]` and `[[senders]]`.
#[derive(Debug, Clone)]
pub struct SenderConfig {
    /// Messages handed to one carrier and not yet answered.
    pub in_flight: usize,
    /// How long a process owns a message it took.
    pub lease: Duration,
    /// Waits before the second, third … attempt; after the last the message has failed.
    pub retry_steps: Vec<Duration>,
    /// Addresses with a rate of their own, in the order of the file; no address stands twice.
    pub rates: Vec<SenderRate>,
}

/// What one short code or number may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SenderRate {
    /// The address as it stands in the carrier's account.
    pub address: String,
    /// Segments per second, 1 to 1000.
    pub rate: u32,
}

impl SenderConfig {
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self {
            in_flight: settings.integer("sender.in_flight", "messages", &(1..=1000))?,
            lease: settings.seconds("sender.lease_s", &(10..=3600))?,
            retry_steps: settings.seconds_list("sender.retry_steps_s", &(1..=86_400))?,
            rates: read_rows(settings)?,
        })
    }

    /// Segments per second that `address` may send.
    #[must_use]
    pub fn rate_of(&self, address: &str) -> u32 {
        let row = self.rates.iter().find(|row| row.address == address);
        row.map_or(DEFAULT_RATE, |row| row.rate)
    }
}

fn read_rows(settings: &Settings) -> Result<Vec<SenderRate>, ConfigError> {
    if let Some(list) = settings.get("senders")
        && list.value != Value::List(Vec::new())
    {
        return Err(settings.bad_value(list, "[[senders]] with address and rate"));
    }
    let mut rows: Vec<SenderRate> = Vec::new();
    while let Some(head) = settings.get(&format!("senders[{}]", rows.len())) {
        let key = format!("{}.address", head.key);
        let expected = "an address of 3 to 15 digits";
        let setting = settings.get(&key).ok_or_else(|| ConfigError::Missing {
            origin: head.origin.clone(),
            key,
            expected: expected.to_owned(),
        })?;
        let address = as_text(&setting.value)
            .filter(|text| is_address(text))
            .ok_or_else(|| settings.bad_value(setting, expected))?;
        if rows.iter().any(|row| row.address == address) {
            return Err(settings.bad_value(setting, "an address that no row above has"));
        }
        let rate = read_rate(settings, &head.key)?;
        rows.push(SenderRate { address: address.to_owned(), rate });
    }
    Ok(rows)
}

fn read_rate(settings: &Settings, row: &str) -> Result<u32, ConfigError> {
    let Some(setting) = settings.get(&format!("{row}.rate")) else {
        return Ok(DEFAULT_RATE);
    };
    let rate = whole(&setting.value, &(1..=1000)).and_then(|rate| u32::try_from(rate).ok());
    let expected = format!("segments per second, 1 to 1000 (default {DEFAULT_RATE})");
    rate.ok_or_else(|| settings.bad_value(setting, &expected))
}

fn is_address(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (3..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}
