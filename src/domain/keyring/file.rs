//! The keyring as it lies on disk. Reading and writing it is not done here.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::super::secret::Secret;
use super::{Keys, first, hex};

/// The only version there is.
const FILE_VERSION: u32 = 1;

/// The keyring as its file has it (JSON). `Debug` shows the id; serialising writes the root, for the file alone.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyringFile {
    version: u32,
    id: String,
    created_at: DateTime<Utc>,
    root: RootText,
}

/// The root as 64 hex digits.
#[derive(Clone, Serialize, Deserialize)]
struct RootText(String);

impl KeyringFile {
    /// A new keyring around 32 random bytes.
    #[must_use]
    pub fn new(root: &Secret<[u8; 32]>, created_at: DateTime<Utc>) -> Self {
        let id = Keys::from_root(root).id().to_string();
        Self { version: FILE_VERSION, id, created_at, root: RootText(hex(root.expose())) }
    }

    /// When it was made.
    #[must_use]
    pub const fn created_at(&self) -> DateTime<Utc> {
        self.created_at
    }

    /// The keys, once root and id agree: a mistyped restore shows here and not at the first phone.
    ///
    /// # Errors
    /// [`BadKeyring`].
    pub fn keys(&self) -> Result<Keys, BadKeyring> {
        if self.version != FILE_VERSION {
            return Err(BadKeyring::Version(self.version));
        }
        let root = unhex(&self.root.0).ok_or(BadKeyring::Root)?;
        let keys = Keys::from_root(&Secret::new(root));
        if keys.id().to_string() == self.id { Ok(keys) } else { Err(BadKeyring::Id) }
    }
}

impl fmt::Debug for KeyringFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyringFile({})", self.id)
    }
}

/// Why a keyring file gives no keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadKeyring {
    /// Written by a later release.
    #[error("the keyring has version {0}; this release knows {FILE_VERSION}")]
    Version(u32),
    /// Not 64 hex digits.
    #[error("the keyring's root is not 64 hex digits")]
    Root,
    /// Root or id were changed.
    #[error("the keyring's root does not belong to its id: restore the file from its backup")]
    Id,
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect::<Option<_>>()?;
    if digits.len() != 64 {
        return None;
    }
    let (pairs, _) = digits.as_chunks::<2>();
    Some(first(&pairs.iter().map(|[high, low]| high << 4 | low).collect::<Vec<u8>>()))
}
