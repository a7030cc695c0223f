//! `kill -9` while messages leave: none is lost, and no more go out twice than were in the carrier's hands.

use crate::crash::{Place, Server, Texting, column, number, until_killed_by};
use crate::harness::{On, skip};
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use chrono::Utc;
use codewell::domain::secret::Secret;
use codewell::http::problem::Json;
use codewell::sms::Signing;
use sea_orm::ConnectionTrait as _;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

const SECRET: &str = "a secret of sixteen";
/// Messages that one process may have in the gateway's hands.
const IN_FLIGHT: usize = 4;
const KILLS: usize = 2;

/// A gateway that counts how often it was given each message.
type Counts = Arc<Mutex<HashMap<String, usize>>>;

async fn take(State(counts): State<Counts>, Json(message): Json<Value>) -> Json<Value> {
    let reference = message["reference"].as_str().expect("every message has our name").to_owned();
    *counts.lock().unwrap().entry(reference.clone()).or_default() += 1;
    Json(json!({"id": format!("gw-{reference}")}))
}

async fn gateway() -> (Counts, String) {
    let counts = Counts::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/send", listener.local_addr().expect("an address"));
    let router = Router::new().route("/send", post(take)).with_state(Arc::clone(&counts));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (counts, url)
}

/// Texts as the gateway does, signed.
fn text(server: &Server, phone: usize) -> Texting {
    let id = format!("t{phone}-{}", uuid::Uuid::now_v7());
    let body = json!({"id": id, "from": number(phone), "to": "12345", "text": "crash"}).to_string();
    #[expect(clippy::disallowed_methods, reason = "the gateway is another machine with a clock of its own")]
    let now = Utc::now();
    let mark = Signing::of_text(&Secret::new(SECRET.to_owned())).sign(body.as_bytes(), now);
    let request = server.http.post(format!("{}/sms/12345/inbound", server.url));
    let request = request.header("x-signature", mark).header("content-type", "application/json").body(body);
    Box::pin(async move {
        let answer = request.send().await.ok()?;
        answer.status().is_success().then_some(id)
    })
}

async fn messages_survive_kills(on: On) -> Option<()> {
    let (counts, url) = gateway().await;
    let config = format!(
        "[simulator]\nenabled = false\n[sender]\nin_flight = {IN_FLIGHT}\n[[senders]]\naddress = \"12345\"\nrate = 1000\n\
         [[carriers]]\nkind = \"generic\"\nbase_url = \"{url}\"\nsecret = \"{SECRET}\"\n"
    );
    let place = Place::make_with(on, &config, "generic").await?;
    let store = place.store().await;
    let mut acknowledged = Vec::new();
    for _ in 0..KILLS {
        acknowledged.extend(until_killed_by(Server::start(&place), text).await);
        // The time passes that a process has to prove that it lives.
        let forward = "UPDATE outbox_message SET lease_until = 0, due_at = created_at WHERE is_open = 1";
        store.write().execute_unprepared(forward).await.expect("the statement runs");
    }
    let server = Server::start(&place);
    while !column(&store, "SELECT status FROM outbox_message WHERE is_open = 1").await.is_empty() {
        tokio::task::yield_now().await;
    }
    drop(server);
    // What was in flight at both kills may have gone out twice already: it is given up and not sent a third time.
    let given_up = column(&store, "SELECT history FROM outbox_message WHERE status <> 'submitted'").await;
    assert!(given_up.len() <= IN_FLIGHT, "{given_up:?}");
    for history in &given_up {
        assert_eq!(history.matches(" submitting ").count(), KILLS, "{history}");
    }
    let made = column(&store, "SELECT request_key FROM outbox_message").await;
    let answered = acknowledged.iter().filter(|id| made.contains(id)).count();
    assert_eq!(answered, acknowledged.len(), "every acknowledged text has an answer");
    let counts = counts.lock().unwrap().clone();
    assert_eq!(counts.len(), made.len(), "every answer reached the gateway");
    let twice: usize = counts.values().map(|times| times - 1).sum();
    assert!(twice <= KILLS * IN_FLIGHT, "{twice} of {} went out twice", counts.len());
    assert!(counts.values().all(|times| *times <= 2), "a message went out three times");
    Some(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_it_sends_sqlite_loses_no_message_and_doubles_only_those_in_flight() {
    messages_survive_kills(On::Sqlite).await.expect("SQLite is built in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_it_sends_postgresql_loses_no_message_and_doubles_only_those_in_flight() {
    if messages_survive_kills(On::Postgres).await.is_none() {
        skip("postgresql");
    }
}
