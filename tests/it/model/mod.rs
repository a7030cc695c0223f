//! Random lists of acts: the reference, `decide` in memory and both databases say the same.

mod memory;
mod reference;
mod steps;

use crate::harness::{Fixture, House, On, campaign, in_one_batch, keyword, on_both, sender};
use chrono::{DateTime, Duration, TimeZone, Utc};
use codewell::domain::act::Act;
use codewell::domain::decision::outcome::{Outcome, Refusal, Told};
use codewell::domain::ids::Spot;
use codewell::domain::till::TillRefusal;
use codewell::domain::world::HeldState;
use codewell::engine::EngineError;
use memory::Memory;
use proptest::prop_assert_eq;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use reference::Reference;
use steps::{Run, Step, lists};

const SENDER: u32 = 1;
const DAY_CAP: i64 = 3;
const TWO_A_DAY: i64 = 2;
const ONE_AN_HOUR: i64 = 1;
const WORD_CAP: i64 = 2;
/// Acts in one batch.
const BATCH: usize = 4;

/// An answer as the reference knows it. Campaigns are 0 and 1, caps count from 0 in their campaign.
#[derive(Debug, Clone, PartialEq)]
enum Said {
    Issued(usize, u64),
    Repeat(usize, u64, HeldState),
    /// `resets`: seconds since the begin of the list.
    Capped {
        campaign: usize,
        cap: u32,
        used: i64,
        resets: Option<i64>,
        unused: Option<u64>,
    },
    Empty,
    Redeemed(usize, u64, String),
    RolledBack(usize, u64, String),
    Voided(usize, u64),
    Declined(usize, u64, TillRefusal),
    Told(&'static str),
    KeyReused,
    /// What no list can lead to.
    Strange(String),
}

impl Said {
    fn of(run: Run, begin: DateTime<Utc>, outcome: Outcome) -> Self {
        let which = |spot: &Spot| usize::from(spot.campaign.0 == run.campaign(1));
        let at = |spot: &Spot| (which(spot), spot.position);
        match outcome {
            Outcome::Issued(spot) => Self::Issued(which(&spot), spot.position),
            Outcome::Repeat(spot, state) => Self::Repeat(which(&spot), spot.position, state),
            Outcome::Refused(Refusal::CapReached(reached), unused) => Self::Capped {
                campaign: usize::from(reached.cap_id.0 / 100 == run.campaign(1)),
                cap: reached.cap_id.0 % 100,
                used: reached.used,
                resets: reached.resets_at.map(|at| (at - begin).num_seconds()),
                unused: unused.map(|spot| spot.position),
            },
            Outcome::Refused(Refusal::PoolEmpty, None) => Self::Empty,
            Outcome::Redeemed(spot, id) => Self::Redeemed(at(&spot).0, at(&spot).1, id),
            Outcome::RolledBack(spot, id) => Self::RolledBack(at(&spot).0, at(&spot).1, id),
            Outcome::Voided(spot) => Self::Voided(which(&spot), spot.position),
            Outcome::Declined(spot, why) => Self::Declined(which(&spot), spot.position, why),
            Outcome::Told(Told::Unknown) => Self::Told("hello"),
            Outcome::Told(Told::Listed) => Self::Told("mycodes"),
            Outcome::Told(Told::Helped) => Self::Told("help"),
            Outcome::Told(Told::OptedOut) => Self::Told("stop"),
            Outcome::Told(Told::OptedIn) => Self::Told("start"),
            strange @ (Outcome::Refused(..)
            | Outcome::Refunded(..)
            | Outcome::Told(_)
            | Outcome::Noted
            | Outcome::Held(_)
            | Outcome::Recorded(..)
            | Outcome::Allocated(..)
            | Outcome::Leased(..)
            | Outcome::Looked(..)) => Self::Strange(format!("{strange:?}")),
        }
    }
}

/// The two campaigns of a run.
fn campaigns(run: Run) -> [Fixture; 2] {
    let zone = "Asia/Kathmandu";
    let first = campaign(run.campaign(0)).size(run.pool(0)).cap("campaign", "count", "day", DAY_CAP);
    let second = campaign(run.campaign(1)).size(run.pool(1)).uncapped();
    let repeat = serde_json::json!({"unused": "next_within_caps", "redeemed": "next_within_caps"});
    [
        first.document(serde_json::json!({"zone": zone, "code": {"expires": {"after_issue": "P2D"}}})),
        second
            .document(serde_json::json!({"zone": zone, "repeat": repeat}))
            .cap("person", "count", "day", TWO_A_DAY)
            .cap("person", "count", "rolling", ONE_AN_HOUR)
            .cap("campaign", "money", "lifetime", run.money_cap())
            .cap_of("keyword", &keyword(run.campaign(1)), "count", "day", WORD_CAP),
    ]
}

fn begin() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 20, 16, 0, 0).unwrap()
}

/// When a batch runs, and its acts with the numbers of their steps.
type Batch = (DateTime<Utc>, Vec<(usize, Act)>);

/// The acts of a list in batches.
fn batches(house: &House, run: Run, steps: &[Step]) -> Vec<Batch> {
    let (mut now, mut batch, mut batches) = (begin(), Vec::new(), Vec::new());
    for (at, step) in steps.iter().enumerate() {
        if matches!(step, Step::Clock(_)) || batch.len() == BATCH {
            batches.push((now, std::mem::take(&mut batch)));
        }
        if let Step::Clock(seconds) = step {
            now += Duration::seconds(*seconds);
        }
        batch.extend(run.act(house, steps, at).map(|act| (at, act)));
    }
    batches.push((now, batch));
    batches.retain(|(_, batch)| !batch.is_empty());
    batches
}

/// What the reference says to each step, and how many replies and codes that makes.
fn told(run: Run, steps: &[Step]) -> (Vec<Option<Said>>, usize, usize) {
    let mut reference = Reference::at(begin().timestamp());
    let said = (0..steps.len()).map(|at| reference.step(run, steps, at)).collect();
    (said, reference.replies(), reference.issued())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_decided_in_memory_is_what_the_reference_says() {
    let house = House::open(On::Sqlite).await.expect("SQLite is built in");
    sender(&house).await;
    let runs = [Run { number: 0 }, Run { number: 1 }];
    for fixture in runs.into_iter().flat_map(campaigns) {
        fixture.write(&house).await;
    }
    let config = Config { cases: 64, failure_persistence: None, ..Config::default() };
    let checked = TestRunner::new(config)
        .run(&lists(), |steps| runs.into_iter().try_for_each(|run| in_memory(&house, run, &steps)));
    if let Err(error) = checked {
        panic!("{error}");
    }
}

fn in_memory(house: &House, run: Run, steps: &[Step]) -> Result<(), TestCaseError> {
    let (expected, replies, _) = told(run, steps);
    let mut memory = Memory::new(house.engine.catalog());
    for (now, batch) in batches(house, run, steps) {
        let (numbers, acts): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
        for (at, outcome) in numbers.into_iter().zip(memory.settle(&acts, now)) {
            let said = outcome.map_or(Said::KeyReused, |outcome| Said::of(run, begin(), outcome));
            let expected = expected.get(at).map(Option::as_ref);
            prop_assert_eq!(Some(Some(&said)), expected, "step {} of run {}", at, run.number);
        }
    }
    prop_assert_eq!(memory.replies, replies, "texts went out");
    Ok(())
}

on_both! {
    the_same_lists_on_a_database_are_what_the_reference_says,
}

mod bodies {
    use super::*;

    pub(super) async fn the_same_lists_on_a_database_are_what_the_reference_says(house: House) {
        sender(&house).await;
        let mut runner = TestRunner::deterministic();
        for number in 0..8 {
            let run = Run { number };
            house.clock.set(begin());
            for fixture in campaigns(run) {
                fixture.write(&house).await;
            }
            let steps = lists().new_tree(&mut runner).expect("a list").current();
            let (expected, replies, codes) = told(run, &steps);
            for (now, batch) in batches(&house, run, &steps) {
                house.clock.set(now);
                let (numbers, acts): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
                for (at, answer) in numbers.into_iter().zip(in_one_batch(&house, acts).await) {
                    let said = match answer {
                        Ok(settled) => Said::of(run, begin(), settled.outcome),
                        Err(EngineError::KeyReused) => Said::KeyReused,
                        Err(error) => panic!("step {at} of {steps:?}: {error}"),
                    };
                    assert_eq!(Some(Some(&said)), expected.get(at).map(Option::as_ref), "step {at} of {steps:?}");
                }
            }
            let count = async |table: &str| {
                let sql = format!(
                    "SELECT COUNT(*) FROM {table} WHERE door = 'engine' AND request_key LIKE 'model-{number}-%'"
                );
                usize::try_from(house.number(&sql).await).expect("a count")
            };
            assert_eq!(count("outbox_message").await, replies, "texts of {steps:?}");
            let ours = format!(
                "SELECT COUNT(*) FROM issuance WHERE campaign_id IN ({}, {})",
                run.campaign(0),
                run.campaign(1)
            );
            assert_eq!(usize::try_from(house.number(&ours).await), Ok(codes), "codes of {steps:?}");
        }
        house.audited().await;
    }
}
