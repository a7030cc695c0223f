//! `[log]`: how much is said, and to whom.

use super::error::ConfigError;
use super::layers::Settings;

/// `[log]`.
#[derive(Debug, Clone, Copy)]
pub struct LogConfig {
    /// The least severe lines that are written.
    pub level: LogLevel,
    /// For eyes or for collectors.
    pub format: LogFormat,
}

/// Severity, the most severe first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the words every logger uses")]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl LogLevel {
    /// The word in the configuration and in log lines, lower case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// Shape of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For eyes.
    Text,
    /// One JSON object a line.
    Json,
}

impl LogConfig {
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let levels = [LogLevel::Error, LogLevel::Warn, LogLevel::Info, LogLevel::Debug, LogLevel::Trace]
            .map(|level| (level.as_str(), level));
        let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
        Ok(Self { level: settings.choice("log.level", &levels)?, format: settings.choice("log.format", &formats)? })
    }
}
