//! `[webhooks]`: how the partners' feed is sent to them.

use super::error::ConfigError;
use super::layers::Settings;
use super::read::texts;
use crate::domain::address::Allowed;
use std::sync::Arc;
use std::time::Duration;

/// `[webhooks]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhooksConfig {
    /// Machines of the house that may be called although they are not public, also without TLS.
    pub allow: Arc<Allowed>,
    /// Name look-up, connection and TLS together.
    pub connect_timeout: Duration,
    /// One whole call.
    pub timeout: Duration,
}

impl WebhooksConfig {
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let expected = "a list of host:port and networks, such as hooks.internal:8443 or 10.1.0.0/16";
        Ok(Self {
            allow: Arc::new(settings.list("webhooks.allow", expected, |value| Allowed::read(texts(value)?))?),
            connect_timeout: settings.milliseconds("webhooks.connect_timeout_ms", &(100..=30_000))?,
            timeout: settings.milliseconds("webhooks.timeout_ms", &(1_000..=30_000))?,
        })
    }
}

/// The values of `config/default.toml`.
impl Default for WebhooksConfig {
    fn default() -> Self {
        Self { allow: Arc::default(), connect_timeout: Duration::from_secs(5), timeout: Duration::from_secs(15) }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::super::layers::Value;
    use super::*;

    #[test]
    fn the_defaults_in_code_are_those_of_the_file() {
        let settings = Settings::defaults().unwrap();
        assert_eq!(WebhooksConfig::read(&settings).unwrap(), WebhooksConfig::default());
    }

    fn read(value: &Value) -> Option<Allowed> {
        Allowed::read(texts(value)?)
    }

    #[test]
    fn exceptions_come_as_a_list_or_between_commas() {
        let list = Value::List(vec![Value::Text("a:1".to_owned()), Value::Text("10.0.0.0/8".to_owned())]);
        let variable = Value::Variable("a:1, 10.0.0.0/8".to_owned());
        assert_eq!(read(&list), read(&variable));
        assert!(read(&list).unwrap().names("a", 1));
        assert_eq!(read(&Value::Variable(String::new())), Some(Allowed::default()));
        assert_eq!(read(&Value::Variable("a".to_owned())), None);
    }
}
