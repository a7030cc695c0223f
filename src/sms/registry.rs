//! Every carrier by its name in the documents of senders.

use super::account::{Account, AccountError, Kind};
use super::{SmsProvider, generic, kannel, telnyx, twilio, vonage};
use crate::net::Client;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Every kind of carrier that an account can be of: a new one adds its line here.
const KINDS: &[Kind] = &[generic::KIND, kannel::KIND, telnyx::KIND, twilio::KIND, vonage::KIND];

/// The carriers of this process.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    carriers: BTreeMap<String, Arc<dyn SmsProvider>>,
}

impl Registry {
    /// The carriers given; of two with one name the later stands.
    #[must_use]
    pub fn new(carriers: impl IntoIterator<Item = Arc<dyn SmsProvider>>) -> Self {
        let named = carriers.into_iter().map(|carrier| (carrier.name().to_owned(), carrier));
        Self { carriers: named.collect() }
    }

    /// The carrier of one account.
    ///
    /// # Errors
    /// [`AccountError`] when the account cannot be used.
    pub fn open(account: &Account, client: &Client) -> Result<Arc<dyn SmsProvider>, AccountError> {
        account.open(KINDS, client)
    }

    /// With one more.
    #[must_use]
    pub fn with(mut self, carrier: Arc<dyn SmsProvider>) -> Self {
        self.carriers.insert(carrier.name().to_owned(), carrier);
        self
    }

    /// The carrier of that name, unless it is off in this process.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<dyn SmsProvider>> {
        self.carriers.get(name)
    }

    /// The names, for messages that say what there is.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.carriers.keys().map(String::as_str)
    }

    /// The kinds that an account can be of.
    pub fn kinds() -> impl Iterator<Item = &'static str> {
        KINDS.iter().map(|kind| kind.word)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn every_key_of_every_kind_stands_in_the_documented_defaults() {
        let text = include_str!("../../config/default.toml");
        for kind in KINDS {
            let row = text.split("[[carriers]]").find(|row| row.contains(&format!("#   kind = \"{}\"", kind.word)));
            let row = row.unwrap();
            for key in kind.needs.iter().chain(kind.takes) {
                let stands =
                    [format!("#   {key} = "), format!("#   {key}_file = ")].iter().any(|line| row.contains(line));
                assert!(stands, "{} of {} is not in config/default.toml", key, kind.word);
            }
        }
    }
}
