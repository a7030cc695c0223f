#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::domain::secret::Secret;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

const ROOMY: u64 = 1 << 30;

fn keys(byte: u8) -> Arc<Keys> {
    Arc::new(Keys::from_root(&Secret::new([byte; 32])))
}

fn open_with(dir: &Path, max_bytes: u64) -> Spool {
    let (spool, writer) = Spool::open(dir.join("spool"), max_bytes, keys(7)).unwrap();
    tokio::spawn(writer.run());
    spool
}

fn open(dir: &Path) -> Spool {
    open_with(dir, ROOMY)
}

fn text(n: usize) -> Spooled {
    Spooled::Text {
        sender: SenderId(1),
        message_id: format!("SM{n}"),
        from: "+12025550123".to_owned(),
        text: "PIZZA".to_owned(),
        carrier_said: None,
        at: 1_795_000_000_000,
    }
}

/// Takes everything out, in order, and says how many bytes could not be read.
async fn drained(spool: &Spool) -> (Vec<Spooled>, u64) {
    let (mut all, mut damaged) = (Vec::new(), 0);
    while let Some(waiting) = spool.oldest().await.unwrap() {
        all.extend(waiting.records);
        damaged += waiting.damaged_bytes;
        let leave = if waiting.damaged_bytes > 0 { Leave::Evidence } else { Leave::Nothing };
        spool.finish(waiting.segment, leave).await;
    }
    (all, damaged)
}

/// The files of segments in a folder of the spool.
fn files(dir: &Path, folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir.join("spool").join(folder)).into_iter().flatten();
    let all = entries.map(|entry| entry.unwrap().path());
    all.filter(|path| path.extension().is_some_and(|extension| extension == "spool")).collect()
}

#[tokio::test]
async fn what_is_put_in_comes_out_in_order_and_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    assert!(!spool.is_in_use());
    let all: Vec<_> = (0..100).map(text).collect();
    for record in &all {
        spool.append(record).await.unwrap();
    }
    assert!(spool.is_in_use());
    assert_eq!(drained(&spool).await, (all, 0));
    assert!(!spool.is_in_use());
    assert_eq!(spool.status(), SpoolStatus::default());
    assert!(files(dir.path(), "0").is_empty());
}

#[tokio::test]
async fn a_restarted_process_finds_what_an_earlier_one_left() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    first.append(&text(1)).await.unwrap();
    // Its lock ends with the process, its files do not.
    drop(first);
    tokio::task::yield_now().await;
    let second = open(dir.path());
    assert!(second.is_in_use());
    second.append(&text(2)).await.unwrap();
    assert_eq!(drained(&second).await, (vec![text(1), text(2)], 0));
}

#[tokio::test]
async fn two_processes_have_folders_of_their_own_and_the_next_one_takes_over_both() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (open(dir.path()), open(dir.path()));
    one.append(&text(1)).await.unwrap();
    other.append(&text(2)).await.unwrap();
    assert_eq!((files(dir.path(), "0").len(), files(dir.path(), "1").len()), (1, 1));
    drop((one, other));
    tokio::task::yield_now().await;
    assert_eq!(drained(&open(dir.path())).await, (vec![text(1), text(2)], 0));
}

#[tokio::test]
async fn the_files_name_nobody_and_belong_to_their_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    spool.append(&text(1)).await.unwrap();
    let file = files(dir.path(), "0").pop().unwrap();
    let bytes = fs::read(&file).unwrap();
    for word in ["PIZZA", "2025550123", "SM1"] {
        assert!(!bytes.windows(word.len()).any(|window| window == word.as_bytes()), "{word}");
    }
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(&dir.path().join("spool/0"))), (0o600, 0o700));
    assert_eq!(format!("{:?}", text(1)), "Text(…)");
}

/// A spool file of three records, left by a process that ended, and what a change of its bytes leaves readable.
async fn after(change: impl FnOnce(&mut Vec<u8>)) -> (Vec<Spooled>, u64, usize) {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    for n in 0..3 {
        spool.append(&text(n)).await.unwrap();
    }
    drop(spool);
    tokio::task::yield_now().await;
    let file = files(dir.path(), "0").pop().unwrap();
    let mut bytes = fs::read(&file).unwrap();
    change(&mut bytes);
    fs::write(&file, bytes).unwrap();
    let (records, damaged) = drained(&open(dir.path())).await;
    (records, damaged, files(dir.path(), "quarantine").len())
}

#[tokio::test]
async fn a_torn_tail_is_put_aside_and_what_stands_before_it_is_read() {
    let (records, damaged, aside) = after(|bytes| bytes.truncate(bytes.len() - 5)).await;
    assert_eq!(records, [text(0), text(1)]);
    assert!(damaged > 0);
    assert_eq!(aside, 1);
}

#[tokio::test]
async fn a_spoilt_record_in_the_middle_costs_no_other() {
    let spoil = |bytes: &mut Vec<u8>| {
        let middle = bytes.len() / 2;
        if let Some(byte) = bytes.get_mut(middle) {
            *byte ^= 1;
        }
    };
    let (records, damaged, aside) = after(spoil).await;
    assert_eq!(records, [text(0), text(2)]);
    assert!(damaged > 0);
    assert_eq!(aside, 1);
}

#[tokio::test]
async fn zeros_behind_the_last_record_are_no_record() {
    let (records, damaged, aside) = after(|bytes| bytes.extend([0; 4096])).await;
    assert_eq!((records.len(), damaged, aside), (3, 4096, 1));
}

#[tokio::test]
async fn a_record_that_was_doubled_or_moved_is_not_believed() {
    let double = |bytes: &mut Vec<u8>| {
        let frame = (bytes.len() - segment::HEAD.len()) / 3;
        let last = bytes.split_at(bytes.len() - frame).1.to_vec();
        bytes.extend(last);
    };
    let (records, damaged, _) = after(double).await;
    assert_eq!(records, [text(0), text(1), text(2)]);
    assert!(damaged > 0);
}

#[tokio::test]
async fn a_full_spool_promises_nothing_until_it_is_drained() {
    let dir = tempfile::tempdir().unwrap();
    let one = segment::frame_bytes(serde_json::to_vec(&text(0)).unwrap().len());
    let spool = open_with(dir.path(), 2 * one + 10);
    spool.append(&text(0)).await.unwrap();
    spool.append(&text(1)).await.unwrap();
    assert!(matches!(spool.append(&text(2)).await, Err(SpoolError::Full)));
    assert_eq!(drained(&spool).await.0.len(), 2);
    spool.append(&text(2)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_at_once_share_their_syncs_and_none_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..500 {
        let spool = spool.clone();
        tasks.spawn(async move { spool.append(&text(n)).await });
    }
    assert!(tasks.join_all().await.iter().all(Result::is_ok));
    let (mut names, damaged) = drained(&spool).await;
    names.sort_by_key(|record| format!("{:?}", serde_json::to_string(record)));
    names.dedup();
    assert_eq!((names.len(), damaged), (500, 0));
}

#[tokio::test]
async fn what_comes_while_it_is_drained_waits_in_another_segment() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    spool.append(&text(1)).await.unwrap();
    let first = spool.oldest().await.unwrap().unwrap();
    spool.append(&text(2)).await.unwrap();
    assert_eq!(first.records, [text(1)]);
    spool.finish(first.segment, Leave::Nothing).await;
    assert!(spool.is_in_use());
    assert_eq!(drained(&spool).await, (vec![text(2)], 0));
}

#[cfg(feature = "faults")]
#[tokio::test]
async fn a_disk_that_fails_is_no_promise_and_the_next_record_goes_to_another_file() {
    for how in [Broken::Write, Broken::Sync] {
        let dir = tempfile::tempdir().unwrap();
        let spool = open(dir.path());
        spool.append(&text(1)).await.unwrap();
        spool.break_disk(how);
        assert!(matches!(spool.append(&text(2)).await, Err(SpoolError::Disk { .. })), "{how:?}");
        spool.append(&text(3)).await.unwrap();
        assert_eq!(files(dir.path(), "0").len(), 2, "{how:?}");
        assert_eq!(drained(&spool).await, (vec![text(1), text(3)], 0), "{how:?}");
        assert_eq!(spool.status().bytes, 0);
    }
}

#[cfg(feature = "faults")]
#[tokio::test]
async fn a_disk_that_fails_at_once_leaves_the_spool_out_of_use() {
    let dir = tempfile::tempdir().unwrap();
    let spool = open(dir.path());
    spool.break_disk(Broken::Write);
    assert!(spool.append(&text(1)).await.is_err());
    assert!(!spool.is_in_use());
    assert_eq!(spool.status(), SpoolStatus::default());
    assert!(files(dir.path(), "0").is_empty());
}

#[tokio::test]
async fn another_keyring_reads_nothing_and_nothing_is_thrown_away() {
    let dir = tempfile::tempdir().unwrap();
    let first = open(dir.path());
    first.append(&text(1)).await.unwrap();
    drop(first);
    tokio::task::yield_now().await;
    let (other, writer) = Spool::open(dir.path().join("spool"), ROOMY, keys(8)).unwrap();
    tokio::spawn(writer.run());
    let (records, damaged) = drained(&other).await;
    assert!(records.is_empty() && damaged > 0);
    assert_eq!(files(dir.path(), "quarantine").len(), 1);
}
