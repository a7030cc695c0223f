//! Everything that one root secret is used for, each purpose under a key of its own. The root lives outside the
//! database: a copy of the database alone names no person and opens no link.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac};

use super::desk::DeskSessions;
use super::phone::PhoneNumber;
use super::secret::Secret;
use super::token::Tokens;

mod file;
mod seal;
mod subject;
#[cfg(test)]
mod tests;

pub use file::{BadKeyring, KeyringFile};
pub use subject::{KeyId, Subject};

/// What the first byte of a sealed phone says.
const SEAL_VERSION: u8 = 1;

/// The keys of every purpose, worked out once from the root (HKDF-SHA256). Keep it and share it; `Debug` shows its id.
pub struct Keys {
    id: KeyId,
    prk: hkdf::Prk,
    subject: hmac::Key,
    bearer: hmac::Key,
    body: hmac::Key,
    digits: hmac::Key,
    phone: LessSafeKey,
}

impl Keys {
    /// Derives all keys of a root.
    #[must_use]
    pub fn from_root(root: &Secret<[u8; 32]>) -> Self {
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, b"codewell keyring v1").extract(root.expose());
        let mac = |purpose: &str| hmac::Key::new(hmac::HMAC_SHA256, &expand(&prk, purpose, &[]));
        #[expect(clippy::expect_used, reason = "the only failure is a key of another length")]
        let phone = UnboundKey::new(&AES_256_GCM, &expand(&prk, "phone", &[])).expect("AES-256 takes 32 bytes");
        let [a, b, c, d, ..] = expand(&prk, "id", &[]);
        Self {
            id: KeyId::from_bytes([a, b, c, d]),
            subject: mac("subject"),
            bearer: mac("bearer"),
            body: mac("body"),
            digits: mac("web digits"),
            phone: LessSafeKey::new(phone),
            prk,
        }
    }

    /// Which root these are of.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// The subject of a kind of person, e.g. `phone/v1` and an E.164 number: HMAC-SHA256(pepper, kind ‖ 0 ‖ material)
    /// cut to 128 bits. `kind` holds no zero byte; material of several parts needs a separator of its own.
    #[must_use]
    pub fn subject(&self, kind: &str, material: &[u8]) -> Subject {
        debug_assert!(!kind.contains('\0'), "kinds are names of ours");
        let mut mac = hmac::Context::with_key(&self.subject);
        mac.update(kind.as_bytes());
        mac.update(&[0]);
        mac.update(material);
        Subject::from_bytes(first(mac.sign().as_ref()))
    }

    /// The subject of a phone.
    #[must_use]
    pub fn phone_subject(&self, phone: &PhoneNumber) -> Subject {
        self.subject("phone/v1", phone.expose().as_bytes())
    }

    /// Seals a phone for its subject's row: version (1 byte) ‖ key id (4) ‖ nonce (12) ‖ AES-256-GCM of the E.164 text
    /// with its tag. The subject and the header are authenticated with it, so rows cannot be swapped.
    ///
    /// `nonce` is random and used once: 2^32 seals under one root stay within GCM's limit for random nonces.
    #[must_use]
    pub fn seal_phone(&self, subject: &Subject, phone: &PhoneNumber, nonce: [u8; NONCE_LEN]) -> Vec<u8> {
        let header = self.header();
        let mut body = phone.expose().as_bytes().to_vec();
        #[expect(clippy::expect_used, reason = "the only failure is a text beyond 64 GiB")]
        self.phone
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad(subject, header), &mut body)
            .expect("a phone number is short");
        [&header[..], &nonce, &body].concat()
    }

    /// Opens what [`Keys::seal_phone`] sealed for this subject.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn open_phone(&self, subject: &Subject, sealed: &[u8]) -> Result<PhoneNumber, Unreadable> {
        let (header, rest) = sealed.split_first_chunk::<5>().ok_or(Unreadable::Damaged)?;
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or(Unreadable::Damaged)?;
        let [version, id @ ..] = *header;
        if version != SEAL_VERSION {
            return Err(Unreadable::Version(version));
        }
        if id != *self.id.as_bytes() {
            return Err(Unreadable::OtherKey(KeyId::from_bytes(id)));
        }
        let mut body = body.to_vec();
        let plain = self
            .phone
            .open_in_place(Nonce::assume_unique_for_key(*nonce), aad(subject, *header), &mut body)
            .map_err(|_| Unreadable::Damaged)?;
        let text = std::str::from_utf8(plain).map_err(|_| Unreadable::Damaged)?;
        PhoneNumber::from_e164(text).map_err(|_| Unreadable::Damaged)
    }

    /// The tokens of live coupon links.
    #[must_use]
    pub fn link_tokens(&self) -> Tokens {
        Tokens::new(&expand(&self.prk, "link", &[]))
    }

    /// The ids of issuances, `iss_…`.
    #[must_use]
    pub fn issuance_ids(&self) -> Tokens {
        Tokens::with_prefix(&expand(&self.prk, "issuance", &[]), "iss_")
    }

    /// The ids of a sandbox's issuances; another's open nothing.
    #[must_use]
    pub fn sandbox_ids(&self, client: &str) -> Tokens {
        Tokens::with_prefix(&expand(&self.prk, "sandbox-issuance", &[client.as_bytes()]), "iss_test_")
    }

    /// The tokens of links to creators' desks.
    #[must_use]
    pub fn desk_tokens(&self) -> Tokens {
        Tokens::new(&expand(&self.prk, "desk-link", &[]))
    }

    /// What signs the sessions of creators at their desks.
    #[must_use]
    pub fn desk_sessions(&self) -> DeskSessions {
        DeskSessions::new(&expand(&self.prk, "desk-session", &[]))
    }

    /// The key of one derived pool. Whoever has it knows every code of the pool.
    #[must_use]
    pub fn pool_key(&self, campaign_id: u32, pool_no: u16) -> [u8; 32] {
        expand(&self.prk, "pool", &[&campaign_id.to_be_bytes(), &pool_no.to_be_bytes()])
    }

    /// What the database keeps of an access key, to know it again.
    #[must_use]
    pub fn bearer_hash(&self, access_key: &str) -> [u8; 32] {
        first(hmac::sign(&self.bearer, access_key.as_bytes()).as_ref())
    }

    /// What the database keeps of a message's text, to prove later what was sent.
    #[must_use]
    pub fn body_hash(&self, body: &str) -> [u8; 32] {
        first(hmac::sign(&self.body, body.as_bytes()).as_ref())
    }

    /// Six digits that prove a phone to a web page: those of a proof are always the same, and no row has them.
    #[must_use]
    pub fn web_digits(&self, proof: &[u8; 16]) -> String {
        let number = u64::from_be_bytes(first(hmac::sign(&self.digits, proof).as_ref()));
        format!("{:06}", number % 1_000_000)
    }

    /// A key for a purpose of the caller's, such as the simulator's webhooks. Never one of those above.
    #[must_use]
    pub fn derive(&self, label: &str) -> [u8; 32] {
        expand(&self.prk, "label", &[label.as_bytes()])
    }

    const fn header(&self) -> [u8; 5] {
        let [a, b, c, d] = *self.id.as_bytes();
        [SEAL_VERSION, a, b, c, d]
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keys({})", self.id)
    }
}

fn aad(subject: &Subject, header: [u8; 5]) -> Aad<[u8; 21]> {
    let mut bytes = [0; 21];
    for (slot, byte) in bytes.iter_mut().zip(subject.as_bytes().iter().chain(&header)) {
        *slot = *byte;
    }
    Aad::from(bytes)
}

/// `purpose` holds no zero byte, so purpose and detail cannot run into each other.
fn expand(prk: &hkdf::Prk, purpose: &str, detail: &[&[u8]]) -> [u8; 32] {
    let mut info: Vec<&[u8]> = vec![purpose.as_bytes(), &[0]];
    info.extend(detail);
    let mut key = [0; 32];
    #[expect(clippy::expect_used, reason = "HKDF-SHA256 gives up to 8160 bytes")]
    prk.expand(&info, hmac::HMAC_SHA256).and_then(|okm| okm.fill(&mut key)).expect("32 bytes are few enough");
    key
}

/// The first bytes of a 32-byte MAC.
fn first<const N: usize>(mac: &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    for (slot, byte) in bytes.iter_mut().zip(mac) {
        *slot = *byte;
    }
    bytes
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}

/// Why a sealed phone or secret stays closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Sealed by a later release.
    #[error("the sealed value has version {0}, which this release does not know")]
    Version(u8),
    /// Another keyring file belongs to this database.
    #[error("the value is sealed under key {0}, which is not in the keyring")]
    OtherKey(KeyId),
    /// Cut, changed, or another person's.
    #[error("the sealed value is damaged or belongs to another row")]
    Damaged,
}
