//! `[spool]`: where carriers' webhooks wait while the database is away.

use std::time::Duration;

use super::error::ConfigError;
use super::layers::Settings;

/// `[spool]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpoolConfig {
    /// How long a webhook waits for its commit before it goes to disk.
    pub after: Duration,
    /// The most that waits, bytes; 0 switches the spool off.
    pub max_bytes: u64,
}

impl SpoolConfig {
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self {
            after: settings.milliseconds("spool.after_ms", &(10..=10_000))?,
            max_bytes: settings.integer("spool.max_bytes", "bytes", &(0..=68_719_476_736))?,
        })
    }
}
