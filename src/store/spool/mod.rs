//! Webhooks that cannot be committed now, on disk: sealed, fsynced, bounded, drained in their order.
//!
//! A folder of segments, each a file that is only ever appended to and removed whole. One writer a process takes what
//! is waiting and makes it durable with one fsync, so a hundred webhooks cost as much as one. A segment that was not
//! written or not synced is never written again: what its pages hold then nobody knows.

mod folder;
mod segment;
#[cfg(test)]
mod tests;
mod writer;

pub use folder::{Found, look};
pub use writer::SpoolWriter;

use crate::domain::act::{CarrierSaid, MessageStatus, Refused};
use crate::domain::ids::SenderId;
use crate::domain::keyring::Keys;
use folder::Folder;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{mpsc, oneshot, watch};
use uuid::Uuid;
use writer::Work;

/// A segment is closed when it is larger, bytes: a drain reads one at a time into memory.
const SEGMENT_BYTES: u64 = 1024 * 1024;

/// Why something was not put on disk, or not found there.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// There is no room by its own limit.
    #[error("the spool is full")]
    Full,
    /// The disk failed; nothing was promised.
    #[error("the spool {path} cannot be used")]
    Disk {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The server is shutting down.
    #[error("the spool has stopped")]
    Stopped,
}

/// One thing a carrier told us.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spooled {
    /// A phone texted us.
    Text {
        /// Our number.
        sender: SenderId,
        /// The carrier's name of it: the request key, so that it is settled once.
        message_id: String,
        /// Who wrote, as the carrier writes numbers.
        from: String,
        /// The words.
        text: String,
        /// What the carrier took it for and has answered.
        carrier_said: Option<CarrierSaid>,
        /// When it came, milliseconds since 1970 UTC; for the log alone.
        at: i64,
    },
    /// What became of a message of ours.
    Report {
        /// Our number.
        sender: SenderId,
        /// The carrier's name of the message.
        provider_id: Option<String>,
        /// Our name of it.
        reference: Option<String>,
        /// The word of its [`MessageStatus`].
        status: String,
        /// Why it failed.
        refused: Option<Refused>,
        /// The carrier's code.
        note: Option<String>,
        /// When it came, milliseconds since 1970 UTC; for the log alone.
        at: i64,
    },
}

/// Personal data is inside.
impl std::fmt::Debug for Spooled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Text { .. } => "Text(…)",
            Self::Report { .. } => "Report(…)",
        })
    }
}

impl Spooled {
    /// When it came, milliseconds since 1970 UTC.
    #[must_use]
    pub fn at(&self) -> i64 {
        match self {
            Self::Text { at, .. } | Self::Report { at, .. } => *at,
        }
    }

    /// The status of a report; `None` for one that a later release wrote, and for a text.
    #[must_use]
    pub fn status(&self) -> Option<MessageStatus> {
        match self {
            Self::Text { .. } => None,
            Self::Report { status, .. } => MessageStatus::parse(status),
        }
    }
}

/// A file of the spool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    name: Uuid,
    /// Bytes of it that are durable; what lies beyond was never promised.
    bytes: u64,
}

/// Everything of one segment, in order of arrival.
#[derive(Debug)]
pub struct Waiting {
    /// Where it lies.
    pub segment: Segment,
    /// What could be read.
    pub records: Vec<Spooled>,
    /// Bytes that could not: the process or the machine ended while they were written, or the disk lost them.
    pub damaged_bytes: u64,
}

/// What becomes of a segment whose records were dealt with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// All of it was settled: it is removed.
    Nothing,
    /// Something in it was not: it is put aside whole, as evidence.
    Evidence,
}

/// What the spool holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SpoolStatus {
    /// Bytes, those under way to the disk included.
    pub bytes: u64,
    /// Segments put aside since the start.
    pub put_aside: u64,
}

/// The way to the spool; cheap to clone.
#[derive(Debug, Clone)]
pub struct Spool {
    shared: Arc<Shared>,
    work: mpsc::UnboundedSender<Work>,
}

#[derive(Debug)]
struct Shared {
    folder: Folder,
    keys: Arc<Keys>,
    max_bytes: u64,
    state: Mutex<State>,
    in_use: watch::Sender<bool>,
    #[cfg(feature = "faults")]
    broken: Mutex<Option<Broken>>,
}

#[derive(Debug, Default)]
struct State {
    /// Oldest first.
    closed: VecDeque<Segment>,
    active: Option<Segment>,
    /// Records on their way to the disk.
    under_way: usize,
    /// Bytes of all segments and of records under way.
    bytes: u64,
    put_aside: u64,
}

/// Where a test breaks the disk.
#[cfg(feature = "faults")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// Half of the bytes are written, then the disk is full.
    Write,
    /// All are written, and the sync fails.
    Sync,
}

impl Spool {
    /// Opens the spool in `dir`, which is made where it is missing, with what an earlier process left there; gives the
    /// writer to run. `max_bytes` bounds everything that waits.
    ///
    /// Of several processes on one directory each has a folder of its own; those of processes that ended are taken over.
    ///
    /// # Errors
    /// [`SpoolError::Disk`].
    pub fn open(dir: PathBuf, max_bytes: u64, keys: Arc<Keys>) -> Result<(Self, SpoolWriter), SpoolError> {
        let (folder, found) = Folder::open(dir)?;
        let bytes = found.iter().map(|segment| segment.bytes).sum();
        let (in_use, _) = watch::channel(!found.is_empty());
        let state = State { closed: found.into(), bytes, ..State::default() };
        let shared = Arc::new(Shared {
            folder,
            keys,
            max_bytes,
            state: Mutex::new(state),
            in_use,
            #[cfg(feature = "faults")]
            broken: Mutex::default(),
        });
        let (work, waiting) = mpsc::unbounded_channel();
        let writer = SpoolWriter::new(Arc::clone(&shared), waiting);
        Ok((Self { shared, work }, writer))
    }

    /// Whether anything waits. Then whatever comes waits behind it: a STOP must not overtake the text before it.
    #[must_use]
    pub fn is_in_use(&self) -> bool {
        *self.shared.in_use.borrow()
    }

    /// Resolves when something waits (`true`), or nothing does.
    pub async fn until(&self, in_use: bool) {
        // The sender lives as long as we do.
        let _ = self.shared.in_use.subscribe().wait_for(|told| *told == in_use).await;
    }

    /// What it holds.
    #[must_use]
    pub fn status(&self) -> SpoolStatus {
        let state = self.shared.state();
        SpoolStatus { bytes: state.bytes, put_aside: state.put_aside }
    }

    /// Puts something on disk; it is durable when this returns.
    ///
    /// # Errors
    /// [`SpoolError`]; nothing is promised then, though it may be found on disk.
    pub async fn append(&self, record: &Spooled) -> Result<(), SpoolError> {
        // Strings and numbers always serialise.
        let plain = serde_json::to_vec(record).unwrap_or_default();
        self.shared.reserve(segment::frame_bytes(plain.len()))?;
        let (answer, answered) = oneshot::channel();
        self.work.send(Work::Append { plain, answer }).map_err(|_| SpoolError::Stopped)?;
        answered.await.map_err(|_| SpoolError::Stopped)?
    }

    /// Reads the oldest segment; `None` when nothing waits. It stays where it is until [`Spool::finish`].
    ///
    /// # Errors
    /// [`SpoolError::Disk`] when it cannot be read.
    pub async fn oldest(&self) -> Result<Option<Waiting>, SpoolError> {
        let mut oldest = self.shared.oldest();
        if oldest.is_none() {
            let (answer, closed) = oneshot::channel();
            self.work.send(Work::Close { answer }).map_err(|_| SpoolError::Stopped)?;
            closed.await.map_err(|_| SpoolError::Stopped)?;
            oldest = self.shared.oldest();
        }
        let Some(segment) = oldest else { return Ok(None) };
        let shared = Arc::clone(&self.shared);
        let read = tokio::task::spawn_blocking(move || shared.folder.read(&segment, &shared.keys));
        read.await.map_err(|_| SpoolError::Stopped)?.map(Some)
    }

    /// Ends a segment whose records were dealt with. One that cannot be removed is settled once more after the next
    /// start, which changes nothing.
    pub async fn finish(&self, segment: Segment, leave: Leave) {
        let shared = Arc::clone(&self.shared);
        let ended = tokio::task::spawn_blocking(move || {
            if let Err(error) = shared.folder.end(&segment, leave) {
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "a drained file of the spool cannot be removed");
            }
            shared.ended(&segment, leave);
        });
        // A panic is reported by its hook; the segment is drained again.
        let _ = ended.await;
    }

    /// The next write fails so.
    #[cfg(feature = "faults")]
    pub fn break_disk(&self, how: Broken) {
        *self.shared.broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(how);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // No change of it can fail halfway: a poisoned lock holds a good one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps room for a record that is on its way.
    fn reserve(&self, bytes: u64) -> Result<(), SpoolError> {
        let mut state = self.state();
        if state.bytes.saturating_add(bytes) > self.max_bytes {
            return Err(SpoolError::Full);
        }
        state.bytes += bytes;
        state.under_way += 1;
        self.tell(&state);
        Ok(())
    }

    /// Records are durable in a segment, which now has so many bytes.
    fn written(&self, records: usize, name: Uuid, bytes: u64) {
        let mut state = self.state();
        state.under_way = state.under_way.saturating_sub(records);
        if state.active.is_none() {
            state.bytes += segment::HEAD.len() as u64;
        }
        state.active = Some(Segment { name, bytes });
        self.tell(&state);
    }

    /// Records of so many bytes in all were not written.
    fn lost(&self, records: usize, bytes: u64) {
        let mut state = self.state();
        state.under_way = state.under_way.saturating_sub(records);
        state.bytes = state.bytes.saturating_sub(bytes);
        self.tell(&state);
    }

    /// The active segment gets nothing more.
    fn close_active(&self) {
        let mut state = self.state();
        let active = state.active.take();
        state.closed.extend(active);
    }

    fn oldest(&self) -> Option<Segment> {
        self.state().closed.front().cloned()
    }

    fn ended(&self, segment: &Segment, leave: Leave) {
        let mut state = self.state();
        state.closed.retain(|closed| closed != segment);
        state.bytes = state.bytes.saturating_sub(segment.bytes);
        state.put_aside += u64::from(leave == Leave::Evidence);
        self.tell(&state);
    }

    /// Says whether anything waits, while the state is locked, so that the last word is the true one.
    fn tell(&self, state: &State) {
        let in_use = state.under_way > 0 || state.active.is_some() || !state.closed.is_empty();
        self.in_use.send_if_modified(|told| std::mem::replace(told, in_use) != in_use);
    }
}
