//! The carriers of this process, from the configuration's accounts.

use crate::config::{CarrierConfig, Config, Origin};
use crate::net::{Client, ClientError, Limits};
use crate::sms::{Account, AccountError, Registry};
use std::time::Duration;

/// Name look-up, connection and TLS; carriers answer in well under a second, so this is an outage.
const CONNECT: Duration = Duration::from_secs(5);
/// A whole call: carriers hold a request for some seconds under load, and the sender's lease is longer.
const TOTAL: Duration = Duration::from_secs(15);
/// A page of 200 messages has some 200 kB.
const ANSWER_BYTES: usize = 2 * 1024 * 1024;

/// Why the configured carriers cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CarriersError {
    /// A row of `[[carriers]]`.
    #[error("{origin}: {wrong}")]
    Account {
        /// Where it stands.
        origin: Origin,
        /// What is wrong with it.
        wrong: Box<AccountError>,
    },
    /// There is no HTTP client.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// The carriers of `[[carriers]]`; the simulator is not among them.
///
/// # Errors
/// [`CarriersError`] for the first row that cannot be used.
pub fn open(config: &Config) -> Result<Registry, CarriersError> {
    let client = Client::new(Limits { connect: CONNECT, total: TOTAL, answer_bytes: ANSWER_BYTES })?;
    let mut registry = Registry::default();
    for row in &config.carriers {
        let carrier = Registry::open(&account(row), &client);
        let carrier =
            carrier.map_err(|wrong| CarriersError::Account { origin: row.origin.clone(), wrong: Box::new(wrong) })?;
        registry = registry.with(carrier);
    }
    Ok(registry)
}

fn account(row: &CarrierConfig) -> Account {
    let CarrierConfig { name, kind, base_url, keys, allowance: _, origin: _ } = row.clone();
    Account { name, kind, base_url, keys }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn opened(text: &str) -> Result<Vec<String>, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("codewell.toml");
        std::fs::write(&path, text).unwrap();
        let config = Config::load(Some(&path), std::iter::empty()).unwrap();
        let registry = open(&config).map_err(|error| error.to_string());
        let place = format!("{}:", path.display());
        registry.map(|all| all.names().map(str::to_owned).collect()).map_err(|error| error.replace(&place, ""))
    }

    const TWILIO: &str = "[[carriers]]\nkind = \"twilio\"\naccount = \"AC1\"\n";

    #[test]
    fn two_accounts_at_one_carrier_are_two_carriers() {
        let text = format!("{TWILIO}token = \"a\"\n{TWILIO}name = \"twilio-eu\"\ntoken = \"b\"\n");
        assert_eq!(opened(&text).unwrap(), ["twilio", "twilio-eu"]);
    }

    #[test]
    fn an_account_that_cannot_be_used_is_refused_by_its_line_and_key_and_never_shows_a_value() {
        let secret = "hunter2hunter2";
        let cases = [
            (String::new(), "1: carrier twilio: token is missing; twilio needs account, token"),
            (
                "tokn = \"{s}\"\ntoken = \"{s}\"".to_owned(),
                "1: carrier twilio: twilio knows no key tokn: did you mean token?",
            ),
            (
                "token = \"{s}\"\nlimit = \"{s}\"".to_owned(),
                "1: carrier twilio: twilio knows no key limit: it knows account, token, token_before, api_key, api_secret, \
                 shared_key, messaging_service",
            ),
            (
                "token = \"{s}\"\napi_key = \"{s}\"".to_owned(),
                "1: carrier twilio: api_secret does not fit: expected the secret of api_key",
            ),
            (
                "token = \"{s}\"\nbase_url = \"api.twilio.com\"".to_owned(),
                "1: carrier twilio: base_url does not fit: expected http:// or https://, a host, maybe a path, no query",
            ),
        ];
        for (rest, said) in cases {
            let error = opened(&format!("{TWILIO}{}", rest.replace("{s}", secret))).unwrap_err();
            assert_eq!(error, said);
        }
        let unknown = opened("[[carriers]]\nkind = \"pigeon\"\n").unwrap_err();
        assert!(unknown.starts_with("1: carrier pigeon: there is no kind \"pigeon\" (known: generic, "), "{unknown}");
        let short =
            opened("[[carriers]]\nkind = \"generic\"\nsecret = \"short\"\nbase_url = \"http://a\"\n").unwrap_err();
        assert_eq!(short, "1: carrier generic: secret does not fit: expected at least 16 characters");
    }
}
