//! How fast the engine issues, as ratios of sides that take turns in one run: `cargo bench --bench issue`
//! (with a word after `--`: only the sides whose name has it).
//!
//! Every side asks for new codes from 512 tasks in a closed loop, for as long, in every round; the order turns from
//! round to round. Rates are medians over the rounds. Machines differ and are noisy: quote the ratios.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark prints, and stops where something is wrong"
)]

#[path = "../tests/it/harness/mod.rs"]
#[expect(dead_code, unused_imports, unused_macros, reason = "the tests use the rest of it")]
mod harness;

use harness::House;
use harness::pg::{Cluster, Fsync};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);
const TASKS: u64 = 512;

/// What one side does.
struct Side {
    name: &'static str,
    house: House,
    /// Codes each person asks for: 1 is new persons only, more are repeats of the first.
    asks: u64,
    next: Arc<AtomicU64>,
    rates: Vec<f64>,
    slowest_p99: Duration,
}

impl Side {
    async fn new(name: &'static str, house: House, pool: u64, asks: u64) -> Self {
        harness::campaign(1).size(pool).cap("campaign", "count", "day", 1 << 40).write(&house).await;
        Self { name, house, asks, next: Arc::default(), rates: Vec::new(), slowest_p99: Duration::ZERO }
    }

    async fn round(&mut self) {
        let stop = Arc::new(AtomicBool::new(false));
        let began = Instant::now();
        let mut tasks = JoinSet::new();
        for _ in 0..TASKS {
            let (house, next, stop, asks) = (self.house.clone(), self.next.clone(), stop.clone(), self.asks);
            tasks.spawn(async move {
                let mut took = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let phone = next.fetch_add(1, Ordering::Relaxed);
                    for _ in 0..asks {
                        let asked = Instant::now();
                        house.issue(1, phone).await.expect("it is settled");
                        took.push(asked.elapsed());
                    }
                }
                took
            });
        }
        tokio::time::sleep(ROUND).await;
        stop.store(true, Ordering::Relaxed);
        let mut took: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
        let rate = took.len() as f64 / began.elapsed().as_secs_f64();
        took.sort_unstable();
        self.slowest_p99 = self.slowest_p99.max(took.get(took.len() * 99 / 100).copied().unwrap_or_default());
        self.rates.push(rate);
    }

    fn median(&self) -> f64 {
        let mut rates = self.rates.clone();
        rates.sort_by(f64::total_cmp);
        rates.get(rates.len() / 2).copied().unwrap_or_default()
    }
}

async fn one_at_a_time(house: &House) -> House {
    let mut sizes = house.engine.parts().sizes;
    (sizes.batch, sizes.backlog_batch) = (1, 1);
    house.second_of(sizes).await
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let mut sides = vec![
        Side::new("sqlite", House::at(None).await, 1 << 30, 1).await,
        Side::new("sqlite, one act a commit", one_at_a_time(&House::at(None).await).await, 1 << 30, 1).await,
        Side::new("sqlite, 9 of 10 repeats", House::at(None).await, 1 << 30, 10).await,
    ];
    let cluster = Cluster::start(Fsync::On);
    if let Some(cluster) = &cluster {
        let house = async || House::at(Some(cluster.create_database().await)).await;
        sides.push(Side::new("postgresql", house().await, 1 << 30, 1).await);
        sides.push(Side::new("postgresql, one act a commit", one_at_a_time(&house().await).await, 1 << 30, 1).await);
        sides.push(Side::new("postgresql, 9 of 10 repeats", house().await, 1 << 30, 10).await);
    } else {
        println!("no PostgreSQL found: its sides are left out");
    }
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    sides.retain(|side| wanted.is_empty() || wanted.iter().any(|word| side.name.contains(word.as_str())));
    for round in 0..ROUNDS {
        let sides_count = sides.len();
        for turn in 0..sides_count {
            sides.get_mut((turn + round) % sides_count).unwrap().round().await;
        }
    }
    println!("{:32} {:>10} {:>8} {:>12}", "side", "acts/s", "ratio", "worst p99 ms");
    let base = sides.first().map_or(1.0, Side::median);
    for side in &sides {
        let (median, p99) = (side.median(), side.slowest_p99.as_secs_f64() * 1000.0);
        println!("{:32} {median:>10.0} {:>8.2} {p99:>12.1}", side.name, median / base);
        side.house.audited().await;
    }
    println!("every ledger audited clean");
}
