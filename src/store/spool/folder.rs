//! The folder of one process's segments, and those that ended processes left.

use super::segment::{key, read};
use super::{Leave, Segment, SpoolError, Waiting};
use crate::domain::keyring::Keys;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// What a segment's name ends with.
const SUFFIX: &str = "spool";
/// Where segments are put aside.
const ASIDE: &str = "quarantine";
/// Held while a process uses a folder; the system gives it back when the process ends, however it ends.
const LOCK: &str = "lock";

/// The folder of this process.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    aside: PathBuf,
    _lock: File,
}

impl Folder {
    /// Takes the first folder in `dir` that no process uses, with every segment that ended processes left, oldest first.
    pub(super) fn open(dir: PathBuf) -> Result<(Self, Vec<Segment>), SpoolError> {
        let opened = open(&dir);
        opened.map_err(|source| SpoolError::Disk { path: dir, source })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// A new segment's file, which is in its folder for good once [`sync`] was called on that.
    pub(super) fn create(&self, name: Uuid) -> io::Result<File> {
        File::options().write(true).create_new(true).mode(0o600).open(self.file(name))
    }

    pub(super) fn remove(&self, name: Uuid) -> io::Result<()> {
        fs::remove_file(self.file(name))
    }

    pub(super) fn read(&self, segment: &Segment, keys: &Keys) -> Result<Waiting, SpoolError> {
        let path = self.file(segment.name);
        let mut bytes = Vec::new();
        let all = File::open(&path).and_then(|file| file.take(segment.bytes).read_to_end(&mut bytes));
        all.map_err(|source| SpoolError::Disk { path, source })?;
        let (records, damaged_bytes) = read(&key(keys, segment.name), &bytes);
        Ok(Waiting { segment: segment.clone(), records, damaged_bytes })
    }

    pub(super) fn end(&self, segment: &Segment, leave: Leave) -> io::Result<()> {
        match leave {
            Leave::Nothing => self.remove(segment.name)?,
            Leave::Evidence => {
                make(&self.aside)?;
                fs::rename(self.file(segment.name), self.aside.join(file_name(segment.name)))?;
                sync(&self.aside)?;
            }
        }
        sync(&self.path)
    }

    fn file(&self, name: Uuid) -> PathBuf {
        self.path.join(file_name(name))
    }
}

/// What lies in a spool's directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Found {
    /// Bytes of segments that wait, of all processes.
    pub waiting_bytes: u64,
    /// Segments that were put aside.
    pub put_aside: usize,
}

/// Looks at a spool's directory, which may not be there, beside the processes that use it.
///
/// # Errors
/// What the system says.
pub fn look(dir: &Path) -> io::Result<Found> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::default()),
        Err(error) => return Err(error),
    };
    let mut found = Found::default();
    for entry in entries {
        let folder = entry?.path();
        if is_number(&folder) {
            found.waiting_bytes += segments(&folder)?.iter().map(|segment| segment.bytes).sum::<u64>();
        } else if folder.file_name().is_some_and(|name| name == ASIDE) {
            found.put_aside += segments(&folder)?.len();
        }
    }
    Ok(found)
}

fn file_name(name: Uuid) -> String {
    format!("{}.{SUFFIX}", name.simple())
}

fn open(dir: &Path) -> io::Result<(Folder, Vec<Segment>)> {
    make(dir)?;
    let mut number: u32 = 0;
    let (path, lock) = loop {
        let path = dir.join(number.to_string());
        make(&path)?;
        if let Some(lock) = lock(&path)? {
            break (path, lock);
        }
        number += 1;
    };
    sync(dir)?;
    for entry in fs::read_dir(dir)? {
        let other = entry?.path();
        if other != path && is_number(&other) {
            take_over(&other, &path)?;
        }
    }
    let mut found = segments(&path)?;
    // Names begin with their time.
    found.sort_by_key(|segment| segment.name);
    Ok((Folder { path, aside: dir.join(ASIDE), _lock: lock }, found))
}

/// Moves the segments of a process that ended; of one that runs nothing is touched.
fn take_over(other: &Path, ours: &Path) -> io::Result<()> {
    let Some(_lock) = lock(other)? else { return Ok(()) };
    for segment in segments(other)? {
        let name = file_name(segment.name);
        fs::rename(other.join(&name), ours.join(&name))?;
    }
    sync(ours)
}

fn segments(path: &Path) -> io::Result<Vec<Segment>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let file = entry.path();
        let is_segment = file.extension().is_some_and(|extension| extension == SUFFIX);
        let name = file.file_stem().and_then(|stem| Uuid::try_parse(stem.to_str()?).ok());
        let Some(name) = name.filter(|_| is_segment) else { continue };
        match entry.metadata() {
            Ok(metadata) => found.push(Segment { name, bytes: metadata.len() }),
            // Drained by its process while somebody only looks.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn is_number(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.parse::<u32>().is_ok())
}

fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn lock(folder: &Path) -> io::Result<Option<File>> {
    let mut options = File::options();
    let file = options.write(true).create(true).truncate(false).mode(0o600).open(folder.join(LOCK))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Makes the names in a folder durable.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
