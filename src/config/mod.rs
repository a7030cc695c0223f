//! Typed settings. Defaults are compiled in, a file lies over them, variables named `CODEWELL_SECTION__KEY` over
//! both; `config/default.toml` documents every key.

mod alerts;
mod allowance;
mod carrier;
mod database;
mod document;
mod engine;
mod error;
mod http;
mod layers;
mod limits;
mod log;
mod peer;
mod read;
mod sender;
mod server;
mod spool;
#[cfg(test)]
mod tests;
mod webhooks;

use std::path::Path;

pub use alerts::AlertsConfig;
pub use allowance::Allowance;
pub use carrier::CarrierConfig;
pub use database::{DatabaseConfig, DatabaseKind, DatabaseUrl};
pub use engine::EngineConfig;
pub use error::{ConfigError, Origin};
pub use http::HttpConfig;
pub use limits::LimitsConfig;
pub use log::{LogConfig, LogFormat, LogLevel};
pub use peer::PeerConfig;
pub use sender::SenderConfig;
pub use server::{PublicUrl, ServerConfig};
pub use spool::SpoolConfig;
pub use webhooks::WebhooksConfig;

use layers::Settings;

/// Every setting, checked. Printing it shows no secret.
#[derive(Debug, Clone)]
pub struct Config {
    /// Whether shortcuts for trying are allowed.
    pub environment: Environment,
    /// Where we listen and keep files.
    pub server: ServerConfig,
    /// Limits of connections and requests.
    pub http: HttpConfig,
    /// The database.
    pub database: DatabaseConfig,
    /// The committer's sizes.
    pub engine: EngineConfig,
    /// Where webhooks wait while the database is away.
    pub spool: SpoolConfig,
    /// Limits on phones and tills.
    pub limits: LimitsConfig,
    /// Redemption systems of others.
    pub peers: Vec<PeerConfig>,
    /// How replies leave.
    pub sender: SenderConfig,
    /// When somebody is called.
    pub alerts: AlertsConfig,
    /// How the partners' feed is sent to them.
    pub webhooks: WebhooksConfig,
    /// The carrier accounts, in the order of the file.
    pub carriers: Vec<CarrierConfig>,
    /// Whether phones in the browser stand in for a carrier.
    pub simulator: Simulator,
    /// Log lines.
    pub log: LogConfig,
}

/// Whether shortcuts for trying are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Environment {
    /// A desk: plain http and the simulator are fine.
    Development,
    /// Real people's phones.
    Production,
}

/// Whether phones in the browser stand in for a carrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Simulator {
    /// They do.
    On,
    /// Only real carriers.
    Off,
}

/// The settings that a data directory may bring with it; `--dir` reads them.
pub const OWN_FILE: &str = "codewell.toml";

impl Config {
    /// The defaults, under `file` if given, under `variables` named `CODEWELL_…`; see [`environment`] for those.
    ///
    /// # Errors
    /// The first thing wrong, with its place: an unreadable file, an unknown key, a value that does not fit, or a
    /// setting that production does not allow.
    pub fn load(file: Option<&Path>, variables: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut settings = Settings::defaults()?;
        if let Some(path) = file {
            let name = path.display().to_string();
            let text = std::fs::read_to_string(path)
                .map_err(|source| ConfigError::Unreadable { file: name.clone(), source })?;
            settings.add_file(&text, &name)?;
        }
        settings.add_variables(variables)?;
        Self::read(&settings)
    }

    /// The defaults with `dir` as data directory, under its own `codewell.toml` where it has one, under `variables`,
    /// which cannot move the directory.
    ///
    /// # Errors
    /// As [`Config::load`]; with no variables there are none but for a `dir` that is not UTF-8.
    pub fn for_dir(dir: &Path, variables: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut settings = Settings::defaults()?;
        let own = dir.join(OWN_FILE);
        if own.is_file() {
            let name = own.display().to_string();
            let text = std::fs::read_to_string(&own)
                .map_err(|source| ConfigError::Unreadable { file: name.clone(), source })?;
            settings.add_file(&text, &name)?;
        }
        settings.add_variables(variables)?;
        let origin = Origin::Variable("--dir".to_owned());
        let text = dir.to_str().unwrap_or_default().to_owned();
        settings.put_text("server.data_dir", text, origin);
        Self::read(&settings)
    }

    fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let places = [("development", Environment::Development), ("production", Environment::Production)];
        let environment = settings.choice("environment", &places)?;
        let server = ServerConfig::read(settings)?;
        let simulator = settings.boolean("simulator.enabled")?;
        let carriers = carrier::read_rows(settings)?;
        let config = Self {
            environment,
            database: DatabaseConfig::read(settings, &server.data_dir)?,
            server,
            http: HttpConfig::read(settings)?,
            engine: EngineConfig::read(settings)?,
            spool: SpoolConfig::read(settings)?,
            limits: LimitsConfig::read(settings)?,
            peers: peer::read_rows(settings)?,
            sender: SenderConfig::read(settings, &carriers)?,
            alerts: AlertsConfig::read(settings)?,
            webhooks: WebhooksConfig::read(settings)?,
            carriers,
            simulator: if simulator { Simulator::On } else { Simulator::Off },
            log: LogConfig::read(settings)?,
        };
        match environment {
            Environment::Development => Ok(config),
            Environment::Production => config.checked_for_production(settings),
        }
    }

    /// What a desk may do and a production may not.
    fn checked_for_production(self, settings: &Settings) -> Result<Self, ConfigError> {
        let refuse = |key: &str, expected: &str| match settings.get(key) {
            Some(setting) => ConfigError::BadValue {
                origin: setting.origin.clone(),
                key: setting.key.clone(),
                shown: setting.shown.clone(),
                expected: format!("{expected}, because environment = \"production\""),
            },
            None => {
                ConfigError::Missing { origin: Origin::Default, key: key.to_owned(), expected: expected.to_owned() }
            }
        };
        if !self.server.public_url.as_ref().is_some_and(PublicUrl::is_https) {
            return Err(refuse("server.public_url", "https:// and a host, without a path"));
        }
        match self.simulator {
            Simulator::On => Err(refuse("simulator.enabled", "false")),
            Simulator::Off => Ok(self),
        }
    }
}

/// The variables of this process, for [`Config::load`]. Names and values that are not UTF-8 are none of ours.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}
