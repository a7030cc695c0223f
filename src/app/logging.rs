//! Log lines go to stderr; what our libraries say below `warn` stays unsaid, because it may quote what we never log.

use crate::config::{LogConfig, LogFormat, LogLevel};
use std::io::IsTerminal as _;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

/// Our own crates, whose lines follow the configured level.
const OURS: [&str; 3] = ["codewell", "codewell_migration", "codewell_entity"];

/// Begins to write log lines. A second call changes nothing.
pub fn start(config: LogConfig) {
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let lines = match config.format {
        LogFormat::Text => lines.with_target(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    let registry = tracing_subscriber::registry().with(lines.with_filter(filter(config.level)));
    // Only tests start it twice.
    let _ = registry.try_init();
}

fn filter(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    Targets::new().with_targets(OURS.map(|target| (target, level))).with_default(level.min(LevelFilter::WARN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tracing::Level;

    #[test]
    fn at_the_finest_level_a_library_still_says_no_more_than_warnings() {
        let filter = filter(LogLevel::Trace);
        assert!(filter.would_enable("codewell::engine", &Level::TRACE));
        assert!(filter.would_enable("sqlx::query", &Level::WARN));
        assert!(!filter.would_enable("sqlx::query", &Level::INFO));
    }

    #[test]
    fn at_error_nobody_warns() {
        let filter = filter(LogLevel::Error);
        assert!(!filter.would_enable("codewell::engine", &Level::WARN));
        assert!(!filter.would_enable("hyper", &Level::WARN));
        assert!(filter.would_enable("hyper", &Level::ERROR));
    }
}
