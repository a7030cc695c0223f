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

/// The bytes of the first field of that name, decoded but not yet text: some carriers say in another field which
/// characters they are.
pub(super) fn bytes_of(encoded: &str, name: &str) -> Option<Vec<u8>> {
    let fields = encoded.split('&').map(|field| field.split_once('=').unwrap_or((field, "")));
    let (_, value) = fields.into_iter().find(|(known, _)| *known == name)?;
    let mut decoded = Vec::new();
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        let pair = if *first == b'%' { tail.get(..2).and_then(byte) } else { None };
        let plain = if *first == b'+' { b' ' } else { *first };
        decoded.push(pair.unwrap_or(plain));
        rest = if pair.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    Some(decoded)
}

/// The byte that two hexadecimal digits write.
fn byte(digits: &[u8]) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    u8::from_str_radix(text, 16).ok()
}

/// A digest as carriers write it: lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Encodes fields for a form body or a query.
pub(super) fn encode<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

impl Fields {
    /// The texts and numbers of a JSON object, each as a text; what has parts of its own is left out.
    pub(super) fn flat(object: &serde_json::Map<String, serde_json::Value>) -> Self {
        let named = object.iter().filter_map(|(name, value)| {
            let value = match value {
                serde_json::Value::String(text) => text.clone(),
                serde_json::Value::Number(number) => number.to_string(),
                serde_json::Value::Null
                | serde_json::Value::Bool(_)
                | serde_json::Value::Array(_)
                | serde_json::Value::Object(_) => return None,
            };
            Some((name.clone(), value))
        });
        Self(named.collect())
    }

    /// The same with a capital first letter in every name, as forms have them.
    pub(super) fn camel(object: &serde_json::Map<String, serde_json::Value>) -> Self {
        let capital = |name: &str| {
            let mut letters = name.chars();
            let first = letters.next().map(|letter| letter.to_ascii_uppercase());
            first.into_iter().chain(letters).collect()
        };
        let named = Self::flat(object).0.into_iter();
        Self(named.map(|(name, value)| (capital(&name), value)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_read_as_bytes_before_anybody_knows_its_characters() {
        let query = "id=1&text=%00P%D8%3c+%zz%4&text=no&empty";
        assert_eq!(bytes_of(query, "text").as_deref(), Some(b"\0P\xD8< %zz%4".as_slice()));
        assert_eq!((bytes_of(query, "empty"), bytes_of(query, "none")), (Some(Vec::new()), None));
    }

    #[test]
    fn a_digest_is_written_in_lower_case_with_both_digits_of_every_byte() {
        assert_eq!(hex(&[0, 0x0f, 0xa0, 0xff]), "000fa0ff");
    }
}
