//! A segment's bytes. A head that names the form, then frames: mark (4 bytes), length of what follows (4, big endian),
//! the sealed record.
//!
//! AES-256-GCM under a key of the segment's own (by its name, which no other ever has), with the frame's offset as
//! nonce: no nonce can come twice, as offsets are written once, and a frame moved, doubled or taken from another file
//! does not open.

use super::Spooled;
use crate::domain::keyring::Keys;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use uuid::Uuid;

/// What a segment begins with.
pub(super) const HEAD: &[u8; 8] = b"CWSPOOL1";
const MARK: [u8; 4] = [0xC5, b'w', b'\r', b'\n'];
const TAG_BYTES: usize = 16;
/// Mark and length.
const FRONT_BYTES: usize = 8;

/// The bytes that a record of `plain` bytes takes.
pub(super) fn frame_bytes(plain: usize) -> u64 {
    (FRONT_BYTES + plain + TAG_BYTES) as u64
}

/// The key of one segment.
pub(super) fn key(keys: &Keys, name: Uuid) -> LessSafeKey {
    let bytes = keys.derive(&format!("spool/{}", name.simple()));
    #[expect(clippy::expect_used, reason = "the only failure is a key of another length")]
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &bytes).expect("AES-256 takes 32 bytes"))
}

fn nonce(offset: u64) -> Nonce {
    let mut bytes = [0; 12];
    for (slot, byte) in bytes.iter_mut().skip(4).zip(offset.to_be_bytes()) {
        *slot = byte;
    }
    Nonce::assume_unique_for_key(bytes)
}

/// Adds the frame of a record to `frames`, whose first byte stands at `start` of the segment.
pub(super) fn seal(key: &LessSafeKey, start: u64, frames: &mut Vec<u8>, mut plain: Vec<u8>) {
    let offset = start + frames.len() as u64;
    #[expect(clippy::expect_used, reason = "the only failure is a text beyond 64 GiB")]
    key.seal_in_place_append_tag(nonce(offset), Aad::empty(), &mut plain).expect("a webhook is short");
    frames.extend_from_slice(&MARK);
    frames.extend_from_slice(&u32::try_from(plain.len()).unwrap_or(u32::MAX).to_be_bytes());
    frames.append(&mut plain);
}

/// The records of a segment that can be read, and how many bytes cannot.
pub(super) fn read(key: &LessSafeKey, bytes: &[u8]) -> (Vec<Spooled>, u64) {
    let mut records = Vec::new();
    let mut damaged = 0;
    let mut at = HEAD.len().min(bytes.len());
    if !bytes.starts_with(HEAD) {
        damaged += at;
    }
    while at < bytes.len() {
        let frame = open(key, bytes, at);
        let next = match &frame {
            Some((_, next)) => *next,
            None => next_frame(key, bytes, at + 1),
        };
        match frame.and_then(|(plain, _)| serde_json::from_slice(&plain).ok()) {
            Some(record) => records.push(record),
            None => damaged += next - at,
        }
        at = next;
    }
    (records, damaged as u64)
}

/// Opens the frame at `at`; its record and where the next one begins.
fn open(key: &LessSafeKey, bytes: &[u8], at: usize) -> Option<(Vec<u8>, usize)> {
    let rest = bytes.get(at..)?.strip_prefix(&MARK)?;
    let (length, rest) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let mut sealed = rest.get(..length)?.to_vec();
    let plain = key.open_in_place(nonce(at as u64), Aad::empty(), &mut sealed).ok()?;
    Some((plain.to_vec(), at + FRONT_BYTES + length))
}

/// Where the next whole frame begins, from `from` on; the end where there is none.
fn next_frame(key: &LessSafeKey, bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    let marks = rest.windows(MARK.len()).enumerate().filter(|(_, window)| **window == MARK);
    marks.map(|(i, _)| from + i).find(|at| open(key, bytes, *at).is_some()).unwrap_or(bytes.len())
}
