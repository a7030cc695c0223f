//! Sealing what the house must read again and the database alone must not tell: each purpose under a key of its own.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::{KeyId, Keys, SEAL_VERSION, Unreadable, expand};

impl Keys {
    /// Seals a short secret for one row: version (1 byte) ‖ key id (4) ‖ nonce (12) ‖ AES-256-GCM with its tag. The
    /// header and `about`, the row's name, are authenticated with it, so rows cannot be swapped.
    ///
    /// `nonce` is random and used once.
    #[must_use]
    pub fn seal(&self, purpose: &str, about: &[u8], plain: &[u8], nonce: [u8; NONCE_LEN]) -> Vec<u8> {
        let header = self.header();
        let mut body = plain.to_vec();
        #[expect(clippy::expect_used, reason = "the only failure is a text beyond 64 GiB")]
        self.seal_key(purpose)
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), row(header, about), &mut body)
            .expect("a secret is short");
        [&header[..], &nonce, &body].concat()
    }

    /// Opens what [`Keys::seal`] sealed for this purpose and row.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn open(&self, purpose: &str, about: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Unreadable> {
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
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain = self.seal_key(purpose).open_in_place(nonce, row(*header, about), &mut body);
        Ok(plain.map_err(|_| Unreadable::Damaged)?.to_vec())
    }

    fn seal_key(&self, purpose: &str) -> LessSafeKey {
        let key = expand(&self.prk, "seal", &[purpose.as_bytes()]);
        #[expect(clippy::expect_used, reason = "the only failure is a key of another length")]
        let key = UnboundKey::new(&AES_256_GCM, &key).expect("AES-256 takes 32 bytes");
        LessSafeKey::new(key)
    }
}

fn row(header: [u8; 5], about: &[u8]) -> Aad<Vec<u8>> {
    Aad::from([&header[..], about].concat())
}
