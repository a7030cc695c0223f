#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::store::{Options, subject_bytes};
use chrono::TimeDelta;
use std::time::Duration;

fn at(ms: i64) -> DateTime<Utc> {
    from_millis(ms)
}

async fn store(dir: &tempfile::TempDir) -> Store {
    let url = format!("sqlite:{}", dir.path().join("test.db").display());
    let options = Options { readers: 2, acquire: Duration::from_secs(5), ..Options::new(url) };
    let store = Store::connect(&options).await.unwrap();
    store.migrate().await.unwrap();
    store
}

async fn add(store: &Store, id: u8, due_at: i64, lease_until: i64, rest: &str) {
    let sql = format!(
        "INSERT INTO outbox_message (message_id, subject, sender_id, reply, priority, campaign_id, pool_no, position,
             params, door, request_key, status, is_open, due_at, lease_until, attempts, history, created_at, provider_id)
         VALUES ($1, $2, 1, 'T01', 1, 7, 1, 5, '{{}}', 'sms-12345', $3, {rest}, {due_at}, {lease_until}, 1,
             '900 queued -
1000 submitting {IN_DOUBT}
', 900, $4)"
    );
    let values = [
        Value::from(vec![id; 16]),
        Value::from(vec![9_u8; 16]),
        Value::from(format!("m{id}")),
        Value::from(format!("p{id}")),
    ];
    store.write().execute_raw(store.statement(&sql, values)).await.unwrap();
}

#[tokio::test]
async fn only_open_due_messages_that_belong_to_nobody_are_taken_and_only_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir).await;
    add(&store, 1, 1000, 0, "'queued', 1").await;
    add(&store, 2, 1000, 1999, "'submitting', 1").await;
    add(&store, 3, 1000, 2000, "'queued', 1").await;
    add(&store, 4, 2001, 0, "'queued', 1").await;
    add(&store, 5, 1000, 0, "'submitted', 0").await;
    let first = store.claim_due(SenderId(1), at(2000), at(62_000), 10).await.unwrap();
    let names: Vec<_> = first.iter().map(|due| (due.message.request.key.as_str(), due.status, due.doubts)).collect();
    assert_eq!(names, [("m1", MessageStatus::Queued, 1), ("m2", MessageStatus::Submitting, 2)]);
    assert!(first.iter().all(|due| due.in_doubt && due.marked_at == Some(at(1000))));
    let again = store.claim_due(SenderId(1), at(2000), at(62_000), 10).await.unwrap();
    assert_eq!(again, []);
}

#[tokio::test]
async fn of_two_processes_that_claim_at_once_each_message_goes_to_one() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (store(&dir).await, store(&dir).await);
    for id in 0..200 {
        add(&one, id, 1000, 0, "'queued', 1").await;
    }
    let claim = async |store: &Store| {
        let mut taken = Vec::new();
        loop {
            let some = store.claim_due(SenderId(1), at(2000), at(62_000), 7).await.unwrap();
            if some.is_empty() {
                return taken;
            }
            assert!(some.len() <= 7);
            taken.extend(some.into_iter().map(|due| due.message.id));
        }
    };
    let (mut all, rest) = tokio::join!(claim(&one), claim(&two));
    all.extend(rest);
    all.sort_unstable();
    let expected: Vec<_> = (0..200).map(|id| [id; 16]).collect();
    assert_eq!(all, expected);
}

#[tokio::test]
async fn the_gate_knows_the_state_and_the_stop_of_this_brand_only() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir).await;
    add(&store, 1, 1000, 0, "'submitting', 1").await;
    let stop = "INSERT INTO opt_out (brand, subject, opted_out_at) VALUES ('Acme', $1, 950)";
    let values = [Value::from(subject_bytes(Subject::from_bytes([9; 16])))];
    store.write().execute_raw(store.statement(stop, values)).await.unwrap();
    let status = MessageStatus::Submitting;
    let open = |opted_out_at| Some(Gate { status, due_at: at(1000), opted_out_at });
    assert_eq!(store.gate([1; 16], "Acme").await.unwrap(), open(Some(at(950))));
    assert_eq!(store.gate([1; 16], "Other").await.unwrap(), open(None));
    assert_eq!(store.gate([2; 16], "Acme").await.unwrap(), None);
}

#[tokio::test]
async fn a_carrier_names_a_message_of_its_own_number_only() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir).await;
    add(&store, 1, 1000, 0, "'submitted', 0").await;
    let found = store.find_message(SenderId(1), &MessageName::Carrier("p1")).await.unwrap();
    let message = FoundMessage {
        id: [1; 16],
        subject: Subject::from_bytes([9; 16]),
        status: MessageStatus::Submitted,
        created_at: at(900),
    };
    assert_eq!(found, Some(message));
    let ours = MessageName::Ours([1; 16]);
    let answer = RequestId { door: "sms-12345".to_owned(), key: "m1".to_owned() };
    for name in [ours, MessageName::Answer(&answer)] {
        assert_eq!(store.find_message(SenderId(1), &name).await.unwrap(), Some(message));
        assert_eq!(store.find_message(SenderId(2), &name).await.unwrap(), None);
    }
    assert_eq!(store.find_message(SenderId(2), &MessageName::Carrier("p1")).await.unwrap(), None);
    assert_eq!(store.find_message(SenderId(1), &MessageName::Carrier("p2")).await.unwrap(), None);
}

#[tokio::test]
async fn decisions_are_found_by_door_and_key_together() {
    let dir = tempfile::tempdir().unwrap();
    let store = store(&dir).await;
    for (door, key) in [("sms-1", "a"), ("sms-2", "b")] {
        let sql = "INSERT INTO request (door, request_key, fingerprint, received_at, kind, outcome, rule, cap_id, cap,
                 used, resets_at, campaign_id, channel, placement_id, replied)
             VALUES ($1, $2, $3, 5, 'keyword', 'refused', 'cap_reached', 4, 2, 2, 99, 7, 'sms', 0, 1)";
        let values = [Value::from(door), Value::from(key), Value::from(vec![0_u8; 32])];
        store.write().execute_raw(store.statement(sql, values)).await.unwrap();
    }
    let id = |door: &str, key: &str| RequestId { door: door.to_owned(), key: key.to_owned() };
    let asked = [id("sms-1", "a"), id("sms-1", "b"), id("sms-2", "a")];
    let found = store.request_records(&asked).await.unwrap();
    assert_eq!(found.keys().collect::<Vec<_>>(), [&id("sms-1", "a")]);
    let one = found.values().next().unwrap();
    assert_eq!(
        (one.record.rule.as_str(), one.record.cap, one.record.resets_at),
        ("cap_reached", Some(2), Some(at(0) + TimeDelta::milliseconds(99)))
    );
}
