//! `kill -9` of `codewell serve` while it delivers: every event arrives, and none is skipped on the way.

use super::receiver::{Receiver, Says};
use crate::crash::{Place, Server, column};
use crate::harness::{On, skip};
use codewell::engine::draw;
use codewell::store::Store;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// Many more than are sent before a kill, also where the test itself has to wait for its turn.
const EVENTS: u64 = 3_000;
/// Calls that one endpoint has under way at once: so many events at most may be missing before one that arrived.
const AT_ONCE: usize = 8;
/// Far longer than everything takes, for a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a command says, as JSON.
fn said(place: &Place, words: &[&str]) -> Value {
    let output = place.command("partner").arg("--json").args(words).output().expect("the binary runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("it is JSON")
}

/// Makes a partner with an endpoint as people and its own program do.
async fn make_endpoint(place: &Place, url: String) {
    said(place, &["create", "acme", "--name", "Acme", "--scope", "webhooks:manage"]);
    let made = said(place, &["secret", "new", "acme"]);
    let secret = made["client_secret"].as_str().expect("it is shown once").to_owned();
    let server = Server::start(place);
    let request = server.http.post(format!("{}/oauth2/token", server.url)).basic_auth("acme", Some(secret));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer = request.body("grant_type=client_credentials").send().await.expect("it is served");
    let token: Value = answer.json().await.expect("it is JSON");
    let token = token["access_token"].as_str().expect("a token");
    let request = server.http.post(format!("{}/v1/webhook-endpoints", server.url)).bearer_auth(token);
    let request = request.header("idempotency-key", "made").json(&json!({ "url": url }));
    let answer = request.send().await.expect("it is served");
    assert_eq!(answer.status(), 201, "{:?}", answer.text().await);
}

/// The most events that were missing below one when it arrived first.
fn most_missing(numbers: &[u64]) -> usize {
    let (mut seen, mut most) = (BTreeSet::new(), 0);
    for no in numbers {
        let below = seen.range(..no).count();
        if seen.insert(*no) {
            most = most.max(usize::try_from(*no).unwrap() - 1 - below);
        }
    }
    most
}

/// Writes what happened to the partner, before anybody delivers.
async fn write_feed(store: &Store) {
    let run = async |sql: &str| store.write().execute_unprepared(sql).await.expect("the statement runs");
    let rows = (1..=EVENTS).map(|no| format!("({no}, 'redeemed', 0, '{{}}')")).collect::<Vec<_>>().join(", ");
    run("INSERT INTO feed_counter (partner_id, last_no) SELECT partner_id, 0 FROM partner").await;
    run(&format!(
        "WITH happened (no, kind, at_ms, data) AS (VALUES {rows})
         INSERT INTO feed (partner_id, event_no, kind, happened_at, data)
         SELECT p.partner_id, h.no, h.kind, h.at_ms, h.data FROM partner p, happened h"
    ))
    .await;
    run(&format!("UPDATE feed_counter SET last_no = {EVENTS}")).await;
}

/// Kills a server: at a moment of chance, or with as many calls under way as there may be, none of them taken, and
/// everything before them written down.
async fn kill_while_it_delivers(server: Server, receiver: &Receiver, store: &Store, is_by_chance: bool) {
    let [chance] = draw::<1>();
    receiver.until(receiver.taken().len() + 1 + usize::from(chance)).await;
    if !is_by_chance {
        receiver.says(Says::Held);
        // What the process before this one sent and did not write down is sent again: it may be held too.
        let held = receiver.until_held(AT_ONCE).await;
        let first = held.first().expect("some are held");
        let written = format!("SELECT 'so far' FROM webhook_endpoint WHERE taken_no = {first} - 1");
        while column(store, &written).await.is_empty() {
            tokio::task::yield_now().await;
        }
    }
    drop(server);
    receiver.says(Says::Status(204));
    let seen: BTreeSet<_> = receiver.numbers().into_iter().collect();
    assert!(u64::try_from(seen.len()).unwrap() < EVENTS, "it was killed in the middle");
    // The time passes that a process has to prove that it lives.
    let forward = "UPDATE webhook_endpoint SET lease_until = 0";
    store.write().execute_unprepared(forward).await.expect("the statement runs");
}

async fn webhooks_survive_kills(on: On) -> Option<()> {
    let place = Place::make_with(on, "[webhooks]\nallow = [\"127.0.0.0/8\"]\n", "simulator").await?;
    let receiver = Receiver::start(Says::Status(204)).await;
    make_endpoint(&place, receiver.url()).await;
    let store = place.store().await;
    write_feed(&store).await;
    for is_by_chance in [true, false] {
        let killed = kill_while_it_delivers(Server::start(&place), &receiver, &store, is_by_chance);
        tokio::time::timeout(PATIENCE, killed).await.expect("it delivers");
    }
    let _server = Server::start(&place);
    let everything = async {
        loop {
            let numbers = receiver.numbers();
            if numbers.iter().copied().collect::<BTreeSet<_>>() == (1..=EVENTS).collect() {
                return;
            }
            receiver.until(numbers.len() + 1).await;
        }
    };
    tokio::time::timeout(PATIENCE, everything).await.expect("every event arrives");
    let most = most_missing(&receiver.numbers());
    assert!(most < AT_ONCE, "{most} events were skipped");
    Some(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_it_delivers_sqlite_sends_every_event_and_skips_none() {
    webhooks_survive_kills(On::Sqlite).await.expect("SQLite is built in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_it_delivers_postgresql_sends_every_event_and_skips_none() {
    if webhooks_survive_kills(On::Postgres).await.is_none() {
        skip("postgresql");
    }
}
