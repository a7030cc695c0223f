//! How long a redemption takes to its partner's webhook: `cargo bench --bench webhooks`.
//!
//! A thousand codes of a partner are redeemed, fifty a second, while another endpoint of the same partner takes calls and
//! never answers. Measured from the till's answer to the call's arrival; the rule is a second at the 99th percentile, and
//! the bench fails beyond it. The ledger is audited at the end.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark prints, and stops where something is wrong"
)]

#[path = "../tests/it/harness/mod.rs"]
#[expect(dead_code, unused_imports, unused_macros, reason = "the tests use the rest of it")]
mod harness;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use codewell::domain::act::Presented;
use codewell::domain::address::Allowed;
use codewell::domain::campaign::{Attribution, Channel, Partnership};
use codewell::domain::decision::outcome::Outcome;
use codewell::domain::feed::{Codes, FeedKind};
use codewell::domain::ids::{CampaignId, PartnerId, RequestId};
use codewell::domain::partner::{ClientId, Grant, PartnerDoc, PartnerScope};
use codewell::domain::webhook::WantedEvents;
use codewell::engine::NewEndpoint;
use codewell::http::problem::Json;
use codewell::net::{GuardedClient, Limits};
use codewell::workers::webhooks;
use harness::House;
use harness::pg::{Cluster, Fsync};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Redemptions.
const CODES: u64 = 1_000;
/// Between two of them: fifty a second.
const PACE: Duration = Duration::from_millis(20);
/// The 99th percentile must not be above it.
const RULE: Duration = Duration::from_secs(1);

/// When each code arrived.
#[derive(Clone)]
struct Arrivals {
    at: Arc<Mutex<HashMap<String, Instant>>>,
    count: watch::Sender<usize>,
}

async fn take(State(arrivals): State<Arrivals>, Json(event): Json<Value>) -> StatusCode {
    let now = Instant::now();
    let code = event["data"]["code"].as_str().expect("whole codes are asked for").to_owned();
    let mut at = arrivals.at.lock().unwrap();
    at.entry(code).or_insert(now);
    arrivals.count.send_replace(at.len());
    StatusCode::NO_CONTENT
}

/// Serves one route; its address.
async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn endpoint(house: &House, partner: PartnerId, key: &str, url: String) {
    let new = NewEndpoint { url, events: WantedEvents::new([FeedKind::Redeemed]), codes: Codes::Full };
    house.engine.add_endpoint(partner, key, new).await.expect("an endpoint");
}

/// Codes of a partner's, each given to somebody else.
async fn codes(house: &House) -> (PartnerId, Vec<String>) {
    harness::campaign(1).size(1 << 20).write(house).await;
    let scopes = PartnerScope::ALL.to_vec();
    let grants = vec![Grant::free(CampaignId(1))];
    let doc = PartnerDoc { name: "Bench".to_owned(), scopes, grants, ..PartnerDoc::default() };
    let id = house.engine.create_partner(ClientId::parse("bench").unwrap(), doc).await.unwrap().id;
    let mut codes = Vec::new();
    for phone in 0..CODES {
        let by = Some(Partnership { id, version: 1 });
        let from = Attribution { partner: by, ..Attribution::by(Channel::Api) };
        let settled = house.engine.settle(house.act_from(1, phone, house.key(), from)).await.expect("it is settled");
        let Outcome::Issued(spot) = settled.outcome else { panic!("a code: {:?}", settled.outcome) };
        codes.push(house.engine.code_at(spot).await.unwrap().expect("it is there").expose().to_owned());
    }
    (id, codes)
}

/// Redeems a code; when its till had the answer.
async fn redeem(house: House, code: String) -> (String, Instant) {
    let request = RequestId { door: "till-bench".to_owned(), key: house.key() };
    let settled = house.engine.redeem(request, &code, Presented::default()).await.expect("it is settled");
    assert!(settled.is_some_and(|one| matches!(one.outcome, Outcome::Redeemed(..))), "each code is taken once");
    (code, Instant::now())
}

async fn run(name: &str, house: House) {
    let (partner, codes) = codes(&house).await;
    let (count, mut counted) = watch::channel(0);
    let arrivals = Arrivals { at: Arc::default(), count };
    let works = serve(Router::new().route("/hook", post(take)).with_state(arrivals.clone())).await;
    let hangs = serve(Router::new().route("/hook", post(std::future::pending::<StatusCode>))).await;
    endpoint(&house, partner, "works", works).await;
    endpoint(&house, partner, "hangs", hangs).await;
    let limits = Limits { connect: Duration::from_secs(5), total: Duration::from_secs(15), answer_bytes: 8_192 };
    let client = GuardedClient::new(limits, Arc::new(Allowed::read(["127.0.0.0/8"]).unwrap())).unwrap();
    let worker = tokio::spawn(webhooks::run(house.engine.clone(), client, std::future::pending()));

    let mut tick = tokio::time::interval(PACE);
    let mut redeemed = JoinSet::new();
    for code in codes {
        tick.tick().await;
        redeemed.spawn(redeem(house.clone(), code));
    }
    let answered = redeemed.join_all().await;
    counted.wait_for(|count| *count == answered.len()).await.unwrap();
    worker.abort();
    let at = arrivals.at.lock().unwrap().clone();
    let mut took: Vec<_> = answered.iter().map(|(code, answer)| at[code].saturating_duration_since(*answer)).collect();
    took.sort_unstable();
    let ms = |share: usize| took[(took.len() * share / 1_000).min(took.len() - 1)].as_secs_f64() * 1_000.0;
    println!("{name:<24} {:>8.1} {:>8.1} {:>8.1}", ms(500), ms(990), ms(1_000));
    assert!(took[took.len() * 99 / 100] <= RULE, "a partner hears too late");
    house.audited().await;
}

#[tokio::main]
async fn main() {
    println!("{:<24} {:>8} {:>8} {:>8}", "redeemed to arrived, ms", "p50", "p99", "max");
    run("sqlite", House::at(None).await).await;
    match Cluster::start(Fsync::On) {
        Some(cluster) => run("postgresql", House::at(Some(cluster.create_database().await)).await).await,
        None => println!("postgresql               not found: install it, or set PG_BIN"),
    }
}
