//! When somebody is called.

use super::error::ConfigError;
use super::layers::Settings;

/// When somebody is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertsConfig {
    /// Per cent of a campaign's codes, 0 to 100; 0 switches the mark off.
    pub low_stock_percent: u64,
    /// Codes; 0 switches the mark off.
    pub low_stock_codes: u64,
}

impl AlertsConfig {
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self {
            low_stock_percent: settings.integer("alerts.low_stock_percent", "per cent", &(0..=100))?,
            low_stock_codes: settings.integer("alerts.low_stock_codes", "codes", &(0..=1_000_000_000))?,
        })
    }
}
