//! The one that writes: whatever waits goes to the disk together and shares one fsync.

use super::segment::{self, HEAD, frame_bytes};
use super::{SEGMENT_BYTES, Shared, SpoolError, folder};
use aws_lc_rs::aead::LessSafeKey;
use std::fs::File;
use std::io::{self, Write as _};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

/// Records that share one fsync at the most.
const TOGETHER: usize = 1024;

/// What the writer is asked for.
#[derive(Debug)]
pub(super) enum Work {
    /// Make a record durable.
    Append { plain: Vec<u8>, answer: oneshot::Sender<Result<(), SpoolError>> },
    /// Close the segment, so that it can be drained.
    Close { answer: oneshot::Sender<()> },
}

/// The task that writes; one a process.
#[derive(Debug)]
pub struct SpoolWriter {
    shared: Arc<Shared>,
    work: mpsc::UnboundedReceiver<Work>,
}

/// The open segment.
#[derive(Debug)]
struct Tail {
    name: Uuid,
    key: LessSafeKey,
    file: File,
    bytes: u64,
}

impl SpoolWriter {
    pub(super) fn new(shared: Arc<Shared>, work: mpsc::UnboundedReceiver<Work>) -> Self {
        Self { shared, work }
    }

    /// Writes until every [`super::Spool`] is gone.
    pub async fn run(mut self) {
        let mut tail = None;
        let mut work = Vec::new();
        while self.work.recv_many(&mut work, TOGETHER).await > 0 {
            let (mut plain, mut waiting, mut closers) = (Vec::new(), Vec::new(), Vec::new());
            for one in work.drain(..) {
                match one {
                    Work::Append { plain: record, answer } => {
                        plain.push(record);
                        waiting.push(answer);
                    }
                    Work::Close { answer } => closers.push(answer),
                }
            }
            if !plain.is_empty() {
                let done;
                (tail, done) = self.write(tail, plain).await;
                for answer in waiting {
                    // Who went away was promised nothing; it is drained all the same.
                    let _ = answer.send(done.as_ref().copied().map_err(|error| self.failed(error)));
                }
            }
            let is_full = tail.as_ref().is_some_and(|tail: &Tail| tail.bytes >= SEGMENT_BYTES);
            if is_full || !closers.is_empty() {
                tail = None;
                self.shared.close_active();
            }
            for answer in closers {
                let _ = answer.send(());
            }
        }
    }

    fn failed(&self, error: &io::Error) -> SpoolError {
        let source = io::Error::new(error.kind(), error.to_string());
        SpoolError::Disk { path: self.shared.folder.path().to_owned(), source }
    }

    async fn write(&self, tail: Option<Tail>, records: Vec<Vec<u8>>) -> (Option<Tail>, Result<(), io::Error>) {
        let shared = Arc::clone(&self.shared);
        let count = records.len();
        let bytes = records.iter().map(|plain| frame_bytes(plain.len())).sum();
        let task = tokio::task::spawn_blocking(move || {
            let mut tail = match tail {
                Some(tail) => tail,
                None => Tail::create(&shared)?,
            };
            tail.append(&shared, records)?;
            Ok(tail)
        });
        let written = task.await.unwrap_or_else(|_| Err(io::Error::other("the writer broke off")));
        match written {
            Ok(tail) => {
                self.shared.written(count, tail.name, tail.bytes);
                (Some(tail), Ok(()))
            }
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    records = count,
                    "webhooks cannot be put on disk: their carriers are told to send them again"
                );
                // A file that failed once is not trusted with another record.
                self.shared.close_active();
                self.shared.lost(count, bytes);
                (None, Err(error))
            }
        }
    }
}

impl Tail {
    fn create(shared: &Shared) -> io::Result<Self> {
        let name = Uuid::now_v7();
        let mut file = shared.folder.create(name)?;
        let begun = file.write_all(HEAD).and_then(|()| folder::sync(shared.folder.path()));
        if let Err(error) = begun {
            // Without a record it is only in the way.
            let _ = shared.folder.remove(name);
            return Err(error);
        }
        let key = segment::key(&shared.keys, name);
        Ok(Self { name, key, file, bytes: HEAD.len() as u64 })
    }

    fn append(&mut self, shared: &Shared, records: Vec<Vec<u8>>) -> io::Result<()> {
        let mut frames = Vec::new();
        for plain in records {
            segment::seal(&self.key, self.bytes, &mut frames, plain);
        }
        let written = put(&mut self.file, shared, &frames);
        if written.is_err() {
            // What was not promised should not look like a loss later; where even this fails it does.
            let _ = self.file.set_len(self.bytes);
            if self.bytes == HEAD.len() as u64 {
                let _ = shared.folder.remove(self.name);
            }
            return written;
        }
        self.bytes += frames.len() as u64;
        Ok(())
    }
}

#[cfg(not(feature = "faults"))]
fn put(file: &mut File, _shared: &Shared, frames: &[u8]) -> io::Result<()> {
    file.write_all(frames)?;
    file.sync_data()
}

#[cfg(feature = "faults")]
fn put(file: &mut File, shared: &Shared, frames: &[u8]) -> io::Result<()> {
    use super::Broken;
    let broken = shared.broken.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    match broken {
        None => {
            file.write_all(frames)?;
            file.sync_data()
        }
        Some(Broken::Write) => {
            let (half, _) = frames.split_at(frames.len() / 2);
            file.write_all(half)?;
            Err(io::ErrorKind::StorageFull.into())
        }
        Some(Broken::Sync) => {
            file.write_all(frames)?;
            Err(io::Error::other("the disk did not say that it has it"))
        }
    }
}
