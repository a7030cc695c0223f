//! Which house a command works on.

use super::console::Console;
use super::failure::Refused;
use crate::app::{FirstRun, House, OldTables};
use crate::config::{self, Config};
use anyhow::Context as _;
use clap::Args;
use std::path::{Path, PathBuf};

/// Where the demo lives unless told otherwise.
pub(super) const DEMO_DIR: &str = "./codewell-demo";

/// Variables that name a place themselves; with one of them set, the demo's directory is not looked for.
const PLACES: [&str; 2] = ["CODEWELL_DATABASE__URL", "CODEWELL_SERVER__DATA_DIR"];

/// Which house.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Which data")]
pub(super) struct PlaceArgs {
    /// A data directory with its embedded database [default: ./codewell-demo if it is there, else the configured one]
    #[arg(long, value_name = "DIR", conflicts_with = "config", global = true)]
    pub(super) dir: Option<PathBuf>,
    /// A configuration file; variables named `CODEWELL_SECTION__KEY` lie over it
    #[arg(long, value_name = "FILE", global = true)]
    pub(super) config: Option<PathBuf>,
}

impl PlaceArgs {
    /// The settings of the house, and a word on stderr about which it is when nobody said.
    pub(super) fn config(&self, console: &mut Console<'_>) -> anyhow::Result<Config> {
        if let Some(file) = &self.config {
            return Config::load(Some(file), config::environment()).context("the configuration is refused");
        }
        if let Some(dir) = &self.dir {
            return of_dir(dir);
        }
        let names_a_place = config::environment().any(|(name, _)| PLACES.contains(&name.as_str()));
        let demo = Path::new(DEMO_DIR);
        if !names_a_place && demo.is_dir() {
            console.note("Using ./codewell-demo; choose other data with --dir or --config.");
            return of_dir(demo);
        }
        let config = Config::load(None, config::environment()).context("the configuration is refused")?;
        let dir = config.server.data_dir.display();
        let url = &config.database.url;
        console.note(&format!("Using {dir} with the database {url}; choose other data with --dir or --config."));
        Ok(config)
    }

    /// Opens the house for a command, which neither makes one nor changes its tables.
    pub(super) async fn open(&self, console: &mut Console<'_>) -> anyhow::Result<House> {
        let config = self.config(console)?;
        start_log(&config);
        Ok(House::open(config, FirstRun::Refuse, OldTables::Refuse).await?)
    }

    /// Opens the house for a command that may be the first.
    pub(super) async fn open_or_make(&self, console: &mut Console<'_>) -> anyhow::Result<House> {
        let config = self.config(console)?;
        start_log(&config);
        let house = House::open(config, FirstRun::Make, OldTables::Refuse).await?;
        for made in &house.made {
            console.note(made);
        }
        Ok(house)
    }

    /// How to name this place again on a command line; empty when it is the default.
    pub(super) fn again(&self) -> String {
        let argument = |name: &str, path: &Path| format!(" --{name} {}", path.display());
        match (&self.dir, &self.config) {
            (Some(dir), _) => argument("dir", dir),
            (None, Some(file)) => argument("config", file),
            (None, None) => String::new(),
        }
    }
}

/// Commands speak for themselves: of the log they show only what somebody must act on.
fn start_log(config: &Config) {
    use crate::config::{LogConfig, LogLevel};
    let level = match config.log.level {
        LogLevel::Info => LogLevel::Warn,
        other @ (LogLevel::Error | LogLevel::Warn | LogLevel::Debug | LogLevel::Trace) => other,
    };
    crate::app::logging::start(LogConfig { level, ..config.log });
}

/// The settings of a directory with its embedded database, whatever database the variables name.
pub(super) fn of_dir(dir: &Path) -> anyhow::Result<Config> {
    if dir.to_str().is_none() {
        return Err(Refused::because(
            format!("the name of {} is not UTF-8", dir.display()),
            "Choose a directory whose name is.",
        ));
    }
    let variables = config::environment().filter(|(name, _)| !PLACES.contains(&name.as_str()));
    Config::for_dir(dir, variables).context("the configuration is refused")
}
