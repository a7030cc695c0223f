//! The keyring on disk: made once, readable by its owner alone, and never made anew beside a database that needs it.

use crate::domain::keyring::{BadKeyring, KeyringFile, Keys};
use crate::domain::secret::Secret;
use crate::engine::draw;
use chrono::{DateTime, Utc};
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Its name in the data directory.
const FILE_NAME: &str = "keyring.json";

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The database was made with a keyring that is not here.
    #[error("there is a database, but its keyring {0} is missing")]
    Missing(PathBuf),
    /// Somebody else could read it.
    #[error("the keyring {path} can be read by others (mode {mode:04o})")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It could not be read or written.
    #[error("the keyring {path} cannot be used")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It is not JSON of our form. The cause is not kept: it could quote the secret.
    #[error("the keyring {0} is not a keyring file")]
    Unreadable(PathBuf),
    /// Its content contradicts itself.
    #[error("the keyring {path} gives no keys")]
    Bad {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: BadKeyring,
    },
}

/// Whether a keyring may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenMissing {
    /// The database is empty: nothing depends on a keyring yet.
    Make,
    /// The database holds what only its keyring opens.
    Refuse,
}

/// The keyring of a data directory.
#[derive(Debug)]
pub struct Keyring {
    /// The keys.
    pub keys: Keys,
    /// The file, when this call made it: the owner must be told to back it up.
    pub made: Option<PathBuf>,
}

/// Reads the keyring of `dir`, or makes it where that is allowed. Two processes that make it at once agree on one.
///
/// # Errors
/// [`KeyringError`].
pub fn open(dir: &Path, when_missing: WhenMissing, now: DateTime<Utc>) -> Result<Keyring, KeyringError> {
    let path = dir.join(FILE_NAME);
    if let Some(keys) = read(&path)? {
        return Ok(Keyring { keys, made: None });
    }
    match when_missing {
        WhenMissing::Refuse => Err(KeyringError::Missing(path)),
        WhenMissing::Make => {
            let is_ours = make(dir, &path, now)?;
            let keys = read(&path)?.ok_or_else(|| KeyringError::Missing(path.clone()))?;
            Ok(Keyring { keys, made: is_ours.then_some(path) })
        }
    }
}

fn read(path: &Path) -> Result<Option<Keys>, KeyringError> {
    let failed = |source| KeyringError::Io { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyringError::Exposed { path: path.to_owned(), mode });
    }
    let text = io::read_to_string(file).map_err(failed)?;
    let ring: KeyringFile = serde_json::from_str(&text).map_err(|_| KeyringError::Unreadable(path.to_owned()))?;
    let keys = ring.keys().map_err(|source| KeyringError::Bad { path: path.to_owned(), source })?;
    Ok(Some(keys))
}

/// Makes the file whole or not at all; `false` when another process was first.
fn make(dir: &Path, path: &Path, now: DateTime<Utc>) -> Result<bool, KeyringError> {
    let ring = KeyringFile::new(&Secret::new(draw()), now);
    let failed = |source| KeyringError::Io { path: path.to_owned(), source };
    let text = serde_json::to_string_pretty(&ring).map_err(|error| failed(error.into()))?;
    let draft = dir.join(format!(".{FILE_NAME}.{}", std::process::id()));
    let made = write_private(&draft, &text).and_then(|()| std::fs::hard_link(&draft, path));
    // The draft is a second copy of the secret: it goes whatever happened.
    let removed = std::fs::remove_file(&draft);
    match made {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(failed(error)),
    }
    removed.map_err(failed)?;
    // A name in a directory is durable only when the directory is.
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed)?;
    Ok(true)
}

/// Writes a file that only its owner can read (mode 0600), and waits until it is on the disk.
///
/// # Errors
/// What the system says.
pub fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = File::options();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_773_000_000, 0).unwrap()
    }

    fn made(dir: &Path) -> PathBuf {
        open(dir, WhenMissing::Make, now()).unwrap().made.unwrap()
    }

    #[test]
    fn a_keyring_is_made_once_for_its_owner_alone_and_read_back_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let first = open(dir.path(), WhenMissing::Make, now()).unwrap();
        let path = first.made.unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        let second = open(dir.path(), WhenMissing::Make, now()).unwrap();
        assert_eq!(second.made, None);
        assert_eq!(second.keys.id(), first.keys.id());
        let names: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["keyring.json"], "no draft stays behind");
    }

    #[test]
    fn two_directories_have_different_keys() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let id = |dir: &Path| open(dir, WhenMissing::Make, now()).unwrap().keys.id();
        assert_ne!(id(one.path()), id(other.path()));
    }

    #[test]
    fn a_missing_keyring_is_not_made_anew_beside_a_database_that_needs_it() {
        let dir = tempfile::tempdir().unwrap();
        let error = open(dir.path(), WhenMissing::Refuse, now()).unwrap_err();
        assert!(matches!(error, KeyringError::Missing(_)), "{error}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_keyring_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = made(dir.path());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let error = open(dir.path(), WhenMissing::Make, now()).unwrap_err();
        assert!(error.to_string().ends_with("(mode 0640)"), "{error}");
    }

    #[test]
    fn a_keyring_whose_root_was_changed_is_refused_without_showing_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = made(dir.path());
        let text = std::fs::read_to_string(&path).unwrap();
        let ring: serde_json::Value = serde_json::from_str(&text).unwrap();
        let root = ring.get("root").and_then(|root| root.as_str()).unwrap();
        let other = "ab".repeat(32);
        write_private(&path, &text.replace(root, &other)).unwrap();
        let error = open(dir.path(), WhenMissing::Make, now()).unwrap_err();
        assert!(matches!(error, KeyringError::Bad { .. }), "{error}");
        write_private(&path, &text.replace(root, "short")).unwrap();
        assert!(open(dir.path(), WhenMissing::Make, now()).is_err());
        write_private(&path, &format!("{{\"root\": \"{other}\", \"x\": 1}}")).unwrap();
        let error = open(dir.path(), WhenMissing::Make, now()).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(&other), "{error:?}");
    }

    #[test]
    fn processes_that_make_the_keyring_at_once_agree_on_one() {
        let dir = tempfile::tempdir().unwrap();
        made(dir.path());
        let path = dir.path().join(FILE_NAME);
        let before = std::fs::read_to_string(&path).unwrap();
        // The other process has looked, found nothing, and comes to its own making now.
        assert!(!make(dir.path(), &path, now()).unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), before);
    }
}
