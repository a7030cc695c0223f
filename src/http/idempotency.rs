//! The Idempotency-Key of requests that change something.

use super::problem::Problem;
use crate::domain::ids::RequestId;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;

/// Characters of the longest Idempotency-Key.
const KEY_CHARS: usize = 255;

/// The Idempotency-Key of a request that changes something: bare, or quoted as the draft of the IETF has it; both are
/// the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// The identity of the request: this door, this key.
    #[must_use]
    pub fn request(self, door: String) -> RequestId {
        RequestId { door, key: self.0 }
    }

    fn read(text: &str) -> Option<Self> {
        let quoted = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let key = quoted.unwrap_or(text);
        let fits = !key.is_empty() && key.len() <= KEY_CHARS;
        let plain = key.chars().all(|sign| sign.is_ascii_graphic() && (quoted.is_none() || !"\"\\".contains(sign)));
        (fits && plain).then(|| Self(key.to_owned()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let wants =
            format!("send an Idempotency-Key of 1 to {KEY_CHARS} visible ASCII characters, new for each request");
        let key = parts.headers.get("idempotency-key").and_then(|value| value.to_str().ok());
        key.and_then(Self::read).ok_or_else(|| Problem::invalid(&[wants]))
    }
}

#[cfg(test)]
mod tests {
    use super::IdempotencyKey;

    #[test]
    fn a_key_is_the_same_quoted_or_bare() {
        let key = Some(IdempotencyKey("a-1".to_owned()));
        assert_eq!(IdempotencyKey::read("a-1"), key);
        assert_eq!(IdempotencyKey::read("\"a-1\""), key);
        for wrong in ["", "\"\"", "a b", "é", "\"a\\\"b\"", &"a".repeat(256)] {
            assert_eq!(IdempotencyKey::read(wrong), None, "{wrong}");
        }
    }
}
