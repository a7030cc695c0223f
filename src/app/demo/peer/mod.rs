//! The demo's redemption peer: a small system of somebody else that honours BURGER's codes. It speaks the Simple
//! Redemption Contract on a port of its own, keeps its own books, and sends signed events.
//!
//! `POST /control {"mode":"ok"|"slow"|"down"|"garbage"}` changes its mood; `POST /codes/{code} {"status":"expired"}`
//! is a person at the peer. Both ask for no key: the peer listens where the demo does.

mod books;
mod doors;
mod events;

use crate::domain::code::Code;
use crate::domain::secret::Secret;
use crate::engine::Clock;
use crate::net::{ClientError, Url};
use books::Books;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// What a peer is started with.
#[derive(Debug)]
pub struct DemoPeerParts {
    /// Where it listens.
    pub listener: TcpListener,
    /// The file of its books.
    pub store: PathBuf,
    /// What callers send as `Authorization: Bearer`, and what it signs its events with.
    pub secret: Secret<String>,
    /// Where its events go.
    pub events_url: Url,
    /// The codes it honours; those that its books have already keep their state.
    pub codes: Vec<Code>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Why a peer does not start.
#[derive(Debug, thiserror::Error)]
pub enum DemoPeerError {
    /// Its books.
    #[error("the peer's books {path} cannot be used")]
    Books {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Its address.
    #[error("the peer cannot listen")]
    Listen(#[source] io::Error),
    /// Its way out.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// How the peer behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// It answers.
    Ok,
    /// It answers after two seconds.
    Slow,
    /// It answers 503.
    Down,
    /// It answers 200 and nothing of sense.
    Garbage,
}

impl Mood {
    /// The word of `POST /control`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Slow => "slow",
            Self::Down => "down",
            Self::Garbage => "garbage",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Ok, Self::Slow, Self::Down, Self::Garbage].into_iter().find(|mood| mood.word() == word)
    }
}

/// What its doors share.
#[derive(Debug)]
struct Inside {
    books: Mutex<Books>,
    mood: Mutex<Mood>,
    secret: Secret<String>,
    clock: Arc<dyn Clock>,
    /// Events to be sent; the books have them too.
    out: mpsc::UnboundedSender<serde_json::Value>,
}

/// A peer at work; dropping it ends it.
#[derive(Debug)]
pub struct DemoPeer {
    address: SocketAddr,
    inside: Arc<Inside>,
    _tasks: JoinSet<()>,
}

impl DemoPeer {
    /// Starts a peer.
    ///
    /// # Errors
    /// [`DemoPeerError`].
    pub fn start(parts: DemoPeerParts) -> Result<Self, DemoPeerError> {
        let DemoPeerParts { listener, store, secret, events_url, codes, clock } = parts;
        let books = Books::open(&store, &codes).map_err(|source| DemoPeerError::Books { path: store, source })?;
        let address = listener.local_addr().map_err(DemoPeerError::Listen)?;
        let (out, waiting) = mpsc::unbounded_channel();
        let messenger = events::Messenger::new(&secret, events_url, Arc::clone(&clock))?;
        let inside = Arc::new(Inside { books: Mutex::new(books), mood: Mutex::new(Mood::Ok), secret, clock, out });
        let mut tasks = JoinSet::new();
        tasks.spawn(messenger.run(waiting));
        let router = doors::router(Arc::clone(&inside));
        tasks.spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the demo's peer stopped by itself");
            }
        });
        Ok(Self { address, inside, _tasks: tasks })
    }

    /// Its address, without a trailing slash: the `base_url` of its row and what `/control` hangs on.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes its mood, as `POST /control` does.
    pub fn set_mood(&self, mood: Mood) {
        if let Ok(mut current) = self.inside.mood.lock() {
            *current = mood;
        }
    }
}
