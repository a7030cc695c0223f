//! The directory of a demo: its documents, written once, and its till's key, kept so that a pasted line stays good.

use super::demo::{CODES, PEER, documents, partner};
use super::keyring::write_private;
use super::lock::ServerLock;
use super::server::ServeError;
use crate::config::{DatabaseUrl, OWN_FILE};
use crate::domain::access_key::{BearerKey, KeyKind};
use crate::domain::code::Code;
use crate::domain::secret::Secret;
use crate::engine::{Engine, EngineError, draw};
use chrono::NaiveDate;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Says that a directory is a demo's, so that `--fresh` may empty it and nothing else is taken for one.
const MARKER: &str = "demo.txt";
const MARKER_TEXT: &str = "This directory belongs to `codewell demo`. `codewell demo --fresh` empties it.\n";
const CAMPAIGNS: &str = "campaigns";
const TILL_KEY: &str = "till.key";
const PEER_SECRET: &str = "burger-shop.key";
const PEER_BOOKS: &str = "burger-shop.json";

/// What a demo leaves behind, besides its campaigns.
const FILES: [&str; 8] =
    ["codewell.db", "codewell.db-wal", "codewell.db-shm", "keyring.json", TILL_KEY, PEER_SECRET, PEER_BOOKS, OWN_FILE];

/// A directory that is a demo's.
#[derive(Debug, Clone)]
pub struct DemoDir {
    path: PathBuf,
}

/// Why a directory cannot be a demo's.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// It holds something else.
    #[error("{0} holds something else than a demo")]
    Foreign(PathBuf),
    /// A server is at work in it.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// It cannot be read or written.
    #[error("{path} cannot be used")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl DemoDir {
    /// Takes a directory for the demo: a demo's, an empty one, or none yet.
    ///
    /// # Errors
    /// [`DemoError::Foreign`]: demo campaigns do not belong beside real ones.
    pub fn take(path: &Path) -> Result<Self, DemoError> {
        let dir = Self { path: path.to_owned() };
        let marker = path.join(MARKER);
        if marker.is_file() {
            return Ok(dir);
        }
        match std::fs::read_dir(path).map(Iterator::count) {
            Ok(0) => {}
            Ok(_) => return Err(DemoError::Foreign(path.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                super::make_dir(path).map_err(ServeError::from)?;
            }
            Err(error) => return Err(io_error(path)(error)),
        }
        std::fs::write(&marker, MARKER_TEXT).map_err(io_error(&marker))?;
        Ok(dir)
    }

    /// Forgets everything: database, keyring, campaigns, key. What the demo did not make stays.
    ///
    /// # Errors
    /// [`DemoError::Serve`] while a server runs in it; [`DemoError::Io`].
    pub fn start_over(&self, database: &DatabaseUrl) -> Result<(), DemoError> {
        let _nobody_else = ServerLock::take(database).map_err(ServeError::from)?;
        for name in FILES.into_iter().chain(partner::FILES) {
            remove(&self.path.join(name), |path| std::fs::remove_file(path))?;
        }
        remove(&self.path.join(CAMPAIGNS), |path| std::fs::remove_dir_all(path))
    }

    /// Its documents: the demo's own in their order, then what a person put beside them. Written the first time, with
    /// dates around `today`.
    ///
    /// # Errors
    /// [`DemoError::Io`].
    pub fn documents(&self, today: NaiveDate) -> Result<Vec<PathBuf>, DemoError> {
        let folder = self.path.join(CAMPAIGNS);
        if !folder.is_dir() {
            // Whole or not at all: an interrupted first run leaves a draft, which the next one writes again.
            let draft = self.path.join(".campaigns");
            std::fs::create_dir_all(&draft).map_err(io_error(&draft))?;
            for (name, text) in documents(today, &draw()) {
                let path = draft.join(name);
                std::fs::write(&path, text).map_err(io_error(&path))?;
            }
            std::fs::rename(&draft, &folder).map_err(io_error(&folder))?;
        }
        let entries = std::fs::read_dir(&folder).map_err(io_error(&folder))?;
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(io_error(&folder))?.path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                files.push(path);
            }
        }
        let own = documents(today, &[0; 32]);
        files.sort_by_key(|file| {
            let place = own.iter().position(|(name, _)| file.ends_with(name));
            (place.unwrap_or(usize::MAX), file.clone())
        });
        Ok(files)
    }

    /// The secret that the demo and its redemption system share: the one that is kept, else a new one.
    ///
    /// # Errors
    /// [`DemoError::Io`].
    pub fn peer_secret(&self) -> Result<Secret<String>, DemoError> {
        let path = self.path.join(PEER_SECRET);
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        if !kept.trim().is_empty() {
            return Ok(Secret::new(kept.trim().to_owned()));
        }
        let secret = format!("bs_{:032x}", u128::from_be_bytes(draw()));
        write_private(&path, &secret).map_err(io_error(&path))?;
        Ok(Secret::new(secret))
    }

    /// Where the redemption system keeps its books.
    #[must_use]
    pub fn peer_books(&self) -> PathBuf {
        self.path.join(PEER_BOOKS)
    }

    /// The codes that the redemption system made and honours.
    ///
    /// # Errors
    /// [`DemoError::Io`].
    pub fn peer_codes(&self) -> Result<Vec<Code>, DemoError> {
        let path = self.path.join(CAMPAIGNS).join(CODES);
        let list = std::fs::read_to_string(&path).map_err(io_error(&path))?;
        Ok(list.lines().skip(1).filter_map(|line| Code::parse(line.trim()).ok()).collect())
    }

    /// The demo's affiliate partner.
    ///
    /// # Errors
    /// [`partner::DemoPartnerError`].
    pub async fn partner(&self, engine: &Engine) -> Result<partner::DemoPartner, partner::DemoPartnerError> {
        partner::open(&self.path, engine).await
    }

    /// Writes down where this server and the redemption system are, so that commands beside it know them.
    ///
    /// # Errors
    /// [`DemoError::Io`].
    pub fn write_settings(&self, address: SocketAddr, peer_url: &str) -> Result<(), DemoError> {
        let path = self.path.join(OWN_FILE);
        let secret = toml::Value::from(self.path.join(PEER_SECRET).display().to_string());
        let text = format!(
            "# Written anew at every start of the demo.\n[server]\nlisten = \"{address}\"\n\n[[peers]]\nname = \"{PEER}\"\nkind = \"http\"\n\
             base_url = {}\nsecret_file = {secret}\nwebhook_secret_file = {secret}\n",
            toml::Value::from(peer_url)
        );
        write_private(&path, &text).map_err(io_error(&path))
    }

    /// The key of the demo's till: the one that is kept while it opens, else a new one.
    ///
    /// # Errors
    /// [`DemoError::Io`], [`DemoError::Engine`].
    pub async fn till_key(&self, engine: &Engine) -> Result<BearerKey, DemoError> {
        let path = self.path.join(TILL_KEY);
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        if let Some(key) = BearerKey::parse(KeyKind::Till, kept.trim())
            && engine.till(key.expose()).await?.is_some()
        {
            return Ok(key);
        }
        let key = engine.create_till_key("demo till").await?;
        write_private(&path, key.expose()).map_err(io_error(&path))?;
        Ok(key)
    }
}

fn remove(path: &Path, with: impl Fn(&Path) -> io::Result<()>) -> Result<(), DemoError> {
    match with(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(io_error(path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn io_error(path: &Path) -> impl Fn(io::Error) -> DemoError {
    |source| DemoError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn url(dir: &Path) -> DatabaseUrl {
        DatabaseUrl::parse(&format!("sqlite:{}/codewell.db", dir.display())).unwrap()
    }

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 11, 20).unwrap()
    }

    #[test]
    fn documents_are_written_once_and_keep_what_a_person_changed() {
        let dir = tempfile::tempdir().unwrap();
        let demo = DemoDir::take(&dir.path().join("demo")).unwrap();
        let files = demo.documents(today()).unwrap();
        assert_eq!(files.len(), 7, "{files:?}");
        assert!(files.first().unwrap().ends_with("sender.toml"), "{files:?}");
        let pizza = files.iter().find(|file| file.ends_with("pizza.toml")).unwrap();
        std::fs::write(pizza, "# mine").unwrap();
        assert_eq!(demo.documents(today()).unwrap(), files);
        assert_eq!(std::fs::read_to_string(pizza).unwrap(), "# mine");
    }

    #[test]
    fn a_directory_with_other_things_in_it_is_not_taken_for_a_demo() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("codewell.db"), "real").unwrap();
        let error = DemoDir::take(dir.path()).unwrap_err();
        assert!(matches!(error, DemoError::Foreign(_)), "{error}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn starting_over_removes_what_the_demo_made_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let demo = DemoDir::take(dir.path()).unwrap();
        demo.documents(today()).unwrap();
        std::fs::write(dir.path().join("codewell.db"), "").unwrap();
        std::fs::write(dir.path().join("notes.txt"), "mine").unwrap();
        demo.start_over(&url(dir.path())).unwrap();
        let left = |name: &str| dir.path().join(name).exists();
        assert!(!left("codewell.db") && !left(CAMPAIGNS));
        assert!(left("notes.txt") && left(MARKER));
    }

    #[test]
    fn a_demo_that_runs_is_not_started_over_under_its_feet() {
        let dir = tempfile::tempdir().unwrap();
        let demo = DemoDir::take(dir.path()).unwrap();
        std::fs::write(dir.path().join("codewell.db"), "").unwrap();
        let _running = ServerLock::take(&url(dir.path())).unwrap();
        assert!(demo.start_over(&url(dir.path())).is_err());
        assert!(dir.path().join("codewell.db").exists());
    }
}
