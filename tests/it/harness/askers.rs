//! Many who ask at once, or in one batch exactly.

use super::{House, keyword};
use codewell::domain::act::Act;
use codewell::domain::campaign::{Attribution, Channel};
use codewell::domain::decision::outcome::{Outcome, Refusal};
use codewell::domain::ids::{PlacementId, SenderId, Spot};
use codewell::engine::{EngineError, Settled};
use std::collections::HashSet;
use std::future::{Future, poll_fn};
use std::task::Poll;
use tokio::task::JoinSet;

/// Runs one task an asker (campaign, phone), on one house after the other, and gathers the outcomes.
pub(crate) async fn all(houses: &[House], askers: impl Iterator<Item = (u32, u64)>) -> Vec<Outcome> {
    let mut acts = Vec::new();
    for (i, (campaign, phone)) in askers.enumerate() {
        let house = houses.get(i % houses.len()).expect("a house");
        acts.push((house.clone(), house.act(campaign, phone, house.key())));
    }
    settle_all(acts).await
}

/// Settles each act in a task of its own and gathers the outcomes, in no order.
async fn settle_all(acts: Vec<(House, Act)>) -> Vec<Outcome> {
    let mut tasks: JoinSet<Result<Settled, EngineError>> = JoinSet::new();
    for (house, act) in acts {
        tasks.spawn(async move { house.engine.settle(act).await });
    }
    let answers = tasks.join_all().await;
    answers.into_iter().map(|answer| answer.expect("every act is settled").outcome).collect()
}

/// Settles acts in one batch: they wait for their turn together. The answers come in the order of the acts.
pub(crate) async fn in_one_batch(house: &House, acts: Vec<Act>) -> Vec<Result<Settled, EngineError>> {
    let turn = house.engine.turn().await.expect("the committer runs");
    let mut waiting: Vec<_> = acts.into_iter().map(|act| Box::pin(house.engine.settle(act))).collect();
    let mut answers: Vec<Option<Result<Settled, EngineError>>> = Vec::new();
    for settling in &mut waiting {
        // The first look puts the act into the queue.
        let polled = poll_fn(|cx| Poll::Ready(settling.as_mut().poll(cx))).await;
        answers.push(match polled {
            Poll::Ready(answer) => Some(answer),
            Poll::Pending => None,
        });
    }
    drop(turn);
    let mut settled = Vec::new();
    for (settling, answer) in waiting.into_iter().zip(answers) {
        settled.push(match answer {
            Some(answer) => answer,
            None => settling.await,
        });
    }
    settled
}

/// The codes that were given; no code is given twice.
pub(crate) fn issued(outcomes: &[Outcome]) -> Vec<Spot> {
    let spot = |outcome: &Outcome| {
        if let Outcome::Issued(spot) = outcome { Some(*spot) } else { None }
    };
    let spots: Vec<_> = outcomes.iter().filter_map(spot).collect();
    assert_eq!(spots.iter().collect::<HashSet<_>>().len(), spots.len(), "no code twice");
    spots
}

/// How many were refused because a cap was full.
pub(crate) fn capped(outcomes: &[Outcome]) -> usize {
    let is_capped = |outcome: &&Outcome| matches!(outcome, Outcome::Refused(Refusal::CapReached(_), _));
    outcomes.iter().filter(is_capped).count()
}

/// Somebody who texted the word of a campaign on the billboard that has the campaign's own number.
pub(crate) fn from_word(id: u32) -> Attribution {
    Attribution {
        sender: Some(SenderId(1)),
        keyword: Some(keyword(id)),
        placement: PlacementId(id),
        ..Attribution::by(Channel::Sms)
    }
}

/// Somebody who came another way: counted by the campaign and nothing else.
pub(crate) fn elsewhere(_: u32) -> Attribution {
    Attribution::by(Channel::Web)
}

/// So many phones ask for a code of a campaign, half of them in another process.
pub(crate) async fn asked_from(
    houses: &[House; 2],
    id: u32,
    phones: std::ops::Range<u64>,
    from: &Attribution,
) -> Vec<Outcome> {
    let act = |phone: u64| {
        let house = houses.get(usize::from(phone % 2 == 1)).expect("two houses");
        (house.clone(), house.act_from(id, phone, house.key(), from.clone()))
    };
    settle_all(phones.map(act).collect()).await
}
