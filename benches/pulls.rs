//! What a partner who streams a hundred thousand codes costs the people who text meanwhile:
//! `cargo bench --bench pulls`.
//!
//! Texts come at a steady pace, first alone, then while a pull of 100 000 codes is made and streamed, then alone again;
//! the three parts are one run on one database, so that the ratio holds where the machine is slow. The ledger is audited
//! at the end.

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

use codewell::domain::act::{Pull, PullMode};
use codewell::domain::campaign::{Attribution, Channel, Partnership};
use codewell::domain::decision::outcome::Outcome;
use codewell::domain::ids::{CampaignId, RequestId};
use codewell::domain::partner::{ClientId, Grant, PartnerDoc, PartnerScope};
use codewell::engine::Piece;
use harness::House;
use harness::pg::{Cluster, Fsync};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// Codes of the pull.
const CODES: u64 = 100_000;
/// Between two texts: two hundred a second.
const PACE: Duration = Duration::from_millis(5);
/// How long texts come alone.
const ALONE: Duration = Duration::from_secs(10);

/// Texts until `stop`, one after the other at their pace, each waited for in a task of its own; how long they took.
async fn texts(house: &House, phones: &Arc<AtomicU64>, stop: &AtomicBool) -> Vec<Duration> {
    let mut asked = JoinSet::new();
    let mut tick = tokio::time::interval(PACE);
    while !stop.load(Ordering::Relaxed) {
        tick.tick().await;
        let (house, phone) = (house.clone(), phones.fetch_add(1, Ordering::Relaxed));
        asked.spawn(async move {
            let began = Instant::now();
            house.text(phone, "WORDB").await.expect("it is settled");
            began.elapsed()
        });
    }
    let mut took = asked.join_all().await;
    took.sort_unstable();
    took
}

async fn alone(house: &House, phones: &Arc<AtomicU64>) -> Vec<Duration> {
    let stop = Arc::new(AtomicBool::new(false));
    let end = Arc::clone(&stop);
    tokio::spawn(async move {
        tokio::time::sleep(ALONE).await;
        end.store(true, Ordering::Relaxed);
    });
    texts(house, phones, &stop).await
}

/// Makes a pull and streams all of it; how long that took.
async fn stream(house: &House, partner: Partnership) -> Duration {
    let began = Instant::now();
    let from = Attribution { partner: Some(partner), ..Attribution::by(Channel::Api) };
    let pull = Pull { count: CODES, mode: PullMode::AllOrNothing, lease: chrono::Duration::hours(1), from };
    let request = RequestId { door: "api-bench".to_owned(), key: house.key() };
    let settled = house.engine.allocate(request, [0; 32], CampaignId(1), pull).await.expect("it is settled");
    let Outcome::Allocated(id, CODES) = settled.outcome else { panic!("the pull is served: {:?}", settled.outcome) };
    let pull = house.engine.allocation(partner.id, id).await.unwrap().unwrap();
    let mut after = 0;
    while let Piece::Codes(codes) = house.engine.pull_piece(&pull, after).await.expect("it streams") {
        after += codes.len() as u64;
    }
    assert_eq!(after, CODES);
    began.elapsed()
}

fn p99(took: &[Duration]) -> f64 {
    took[took.len() * 99 / 100].as_secs_f64() * 1_000.0
}

async fn run(name: &str, house: House) {
    harness::sender(&house).await;
    harness::campaign(1).size(1 << 30).write(&house).await;
    let scopes = PartnerScope::ALL.to_vec();
    let doc = PartnerDoc {
        name: "Bench".to_owned(),
        scopes,
        grants: vec![Grant::free(CampaignId(1))],
        ..PartnerDoc::default()
    };
    let id = house.engine.create_partner(ClientId::parse("bench").unwrap(), doc).await.unwrap().id;
    let partner = Partnership { id, version: 1 };
    let phones = Arc::new(AtomicU64::new(0));
    let before = alone(&house, &phones).await;
    let stop = Arc::new(AtomicBool::new(false));
    let streaming = tokio::spawn({
        let (house, stop) = (house.clone(), Arc::clone(&stop));
        async move {
            let took = stream(&house, partner).await;
            stop.store(true, Ordering::Relaxed);
            took
        }
    });
    let during = texts(&house, &phones, &stop).await;
    let streamed = streaming.await.unwrap();
    let after = alone(&house, &phones).await;
    let quiet = p99(&before).midpoint(p99(&after));
    println!(
        "{name:<12} {:>8.1} {:>10.1} {:>8.2} {:>9.1}",
        quiet,
        p99(&during),
        p99(&during) / quiet,
        streamed.as_secs_f64()
    );
    house.audited().await;
}

#[tokio::main]
async fn main() {
    println!("{:<12} {:>8} {:>10} {:>8} {:>9}", "p99 in ms", "alone", "streaming", "ratio", "stream s");
    run("sqlite", House::at(None).await).await;
    match Cluster::start(Fsync::On) {
        Some(cluster) => run("postgresql", House::at(Some(cluster.create_database().await)).await).await,
        None => println!("postgresql   not found: install it, or set PG_BIN"),
    }
}
