//! Marks of shared secrets over bytes, as peers make them and as we do.

use super::encoding::{base64, hex};
use crate::domain::secret::Secret;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use serde::Deserialize;

/// Which HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Algorithm {
    Sha256,
    Sha1,
}

/// How a mark is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Encoding {
    Hex,
    Base64,
}

/// The secrets of one account, one or more while they are being changed; the first signs, all are believed.
#[derive(Clone)]
pub(super) struct Marks {
    keys: Vec<hmac::Key>,
    encoding: Encoding,
}

impl std::fmt::Debug for Marks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Marks({} secrets)", self.keys.len())
    }
}

impl Marks {
    pub(super) fn new(secrets: &[Secret<String>], algorithm: Algorithm, encoding: Encoding) -> Self {
        let algorithm = match algorithm {
            Algorithm::Sha256 => hmac::HMAC_SHA256,
            Algorithm::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        };
        let key = |secret: &Secret<String>| hmac::Key::new(algorithm, secret.expose().as_bytes());
        Self { keys: secrets.iter().map(key).collect(), encoding }
    }

    /// The mark of the first secret; `None` without one.
    pub(super) fn sign(&self, bytes: &[u8]) -> Option<String> {
        self.keys.first().map(|key| self.mark(key, bytes))
    }

    /// Whether a mark is one of ours, in constant time.
    pub(super) fn hold(&self, bytes: &[u8], mark: &str) -> bool {
        let given = match self.encoding {
            Encoding::Hex => mark.trim().to_ascii_lowercase(),
            Encoding::Base64 => mark.trim().to_owned(),
        };
        self.keys.iter().any(|key| {
            let known = self.mark(key, bytes);
            verify_slices_are_equal(known.as_bytes(), given.as_bytes()).is_ok()
        })
    }

    fn mark(&self, key: &hmac::Key, bytes: &[u8]) -> String {
        let tag = hmac::sign(key, bytes);
        match self.encoding {
            Encoding::Hex => hex(tag.as_ref()),
            Encoding::Base64 => base64(tag.as_ref()),
        }
    }
}

/// What is signed: a template in which `{name}` stands for bytes; other text stands for itself.
pub(super) fn signed(template: &str, values: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        bytes.extend_from_slice(before.as_bytes());
        let named = values.iter().find_map(|(name, value)| {
            let tail = after.strip_prefix(name)?.strip_prefix('}')?;
            Some((*value, tail))
        });
        rest = if let Some((value, tail)) = named {
            bytes.extend_from_slice(value);
            tail
        } else {
            bytes.push(b'{');
            after
        };
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_puts_bytes_where_their_names_stand() {
        let values: [(&str, &[u8]); 2] = [("timestamp", b"17"), ("body", b"{timestamp}")];
        assert_eq!(signed("v0:{timestamp}:{body}", &values), b"v0:17:{timestamp}");
        assert_eq!(signed("{x}{body", &values), b"{x}{body");
    }

    #[test]
    fn the_mark_of_the_secret_before_is_believed_and_any_other_is_not() {
        let secrets = ["new", "old"].map(|text| Secret::new(text.to_owned()));
        for (algorithm, encoding) in [(Algorithm::Sha256, Encoding::Hex), (Algorithm::Sha1, Encoding::Base64)] {
            let marks = Marks::new(&secrets, algorithm, encoding);
            let old = Marks::new(secrets.get(1..).unwrap_or_default(), algorithm, encoding);
            let mark = old.sign(b"body").unwrap_or_default();
            assert!(marks.hold(b"body", &mark));
            assert!(!marks.hold(b"bodY", &mark) && !marks.hold(b"body", "") && !old.hold(b"body", "é"));
            assert_ne!(marks.sign(b"body"), Some(mark));
        }
    }

    #[test]
    fn a_known_vector_holds() {
        // RFC 4231, test case 2.
        let marks = Marks::new(&[Secret::new("Jefe".to_owned())], Algorithm::Sha256, Encoding::Hex);
        let mark = "5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843";
        assert!(marks.hold(b"what do ya want for nothing?", mark));
    }
}
