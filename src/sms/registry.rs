//! Every carrier by its name in the documents of senders.

use super::SmsProvider;
use std::collections::BTreeMap;
use std::sync::Arc;

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

    /// The carrier of that name, unless it is off in this process.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<dyn SmsProvider>> {
        self.carriers.get(name)
    }

    /// The names, for messages that say what there is.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.carriers.keys().map(String::as_str)
    }
}
