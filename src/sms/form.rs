//! Form fields and queries, decoded as carriers encode them.

use super::Unreadable;

/// The fields of a form body or a query, in their order, `+` and `%xx` decoded; bytes that are no UTF-8 become U+FFFD.
#[derive(Clone)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(super) fn read(encoded: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(encoded);
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// The first value of that name, empty or not.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The first value of that name, unless it is empty.
    pub(super) fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// A value without which the webhook says nothing.
    ///
    /// # Errors
    /// [`Unreadable`] with the name only.
    pub(super) fn need(&self, name: &str) -> Result<&str, Unreadable> {
        self.filled(name).ok_or_else(|| Unreadable(format!("{name} is missing")))
    }

    /// Every field, in its order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// Encodes fields for a form body or a query.
pub(super) fn encode<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

impl Fields {
    /// The texts and numbers of a JSON object, their names with a capital first letter as forms have them.
    pub(super) fn camel(object: &serde_json::Map<String, serde_json::Value>) -> Self {
        let named = object.iter().filter_map(|(name, value)| {
            let value = match value {
                serde_json::Value::String(text) => text.clone(),
                serde_json::Value::Number(number) => number.to_string(),
                serde_json::Value::Null
                | serde_json::Value::Bool(_)
                | serde_json::Value::Array(_)
                | serde_json::Value::Object(_) => return None,
            };
            let mut letters = name.chars();
            let first = letters.next()?.to_ascii_uppercase();
            Some((std::iter::once(first).chain(letters).collect(), value))
        });
        Self(named.collect())
    }
}
