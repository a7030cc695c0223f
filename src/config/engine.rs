//! `[engine]`: sizes of batches, queue and memory of answers.

use super::error::ConfigError;
use super::layers::Settings;

/// `[engine]`.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Acts in one transaction.
    pub batch_max: usize,
    /// Acts in one transaction while more than one batch waits; at least `batch_max`.
    pub backlog_batch_max: usize,
    /// Acts that may wait.
    pub queue: usize,
    /// Answers kept for exact replays.
    pub replay_cache: u64,
}

impl EngineConfig {
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        // One statement a table carries the batch; beyond some thousand rows its plan and memory suffer.
        let batch_max: u64 = settings.integer("engine.batch_max", "acts", &(1..=4096))?;
        Ok(Self {
            batch_max: settings.integer("engine.batch_max", "acts", &(1..=4096))?,
            backlog_batch_max: settings.integer("engine.backlog_batch_max", "acts", &(batch_max..=4096))?,
            queue: settings.integer("engine.queue", "acts", &(1..=1_000_000))?,
            replay_cache: settings.integer("engine.replay_cache", "answers", &(0..=10_000_000))?,
        })
    }
}
