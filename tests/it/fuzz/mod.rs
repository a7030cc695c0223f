//! Every operation of `/openapi.json`, asked rightly and wrongly some thousand times: no answer is a 5xx, none is other
//! than described, and every operation is reached.
//!
//! The requests come from the schemas and from a seed, which stands in every message: put it into `SEED` to see a run
//! again.

mod asked;
mod described;
mod made;
mod schema;

use crate::harness::on_both;

on_both! {
    thousands_of_right_and_wrong_requests_are_answered_as_described,
}

/// What the run begins with.
const SEED: u64 = 20_261_128;
/// Requests of one run.
const REQUESTS: usize = 5_200;

mod bodies {
    use super::asked::Doors;
    use super::described::Description;
    use super::made::Maker;
    use super::{REQUESTS, SEED};
    use crate::harness::House;
    use std::collections::BTreeMap;

    pub(super) async fn thousands_of_right_and_wrong_requests_are_answered_as_described(house: House) {
        let doors = Doors::open(house).await;
        let description = Description::of(&doors.ask_openapi().await);
        let mut maker = Maker::new(SEED, doors.known());
        let mut reached: BTreeMap<&str, usize> = BTreeMap::new();
        let operations = description.operations();
        for turn in 0..REQUESTS {
            let operation = &operations[turn % operations.len()];
            let request = maker.request(&description, operation, turn / operations.len());
            let shown = format!("seed {SEED}, request {turn}: {request}");
            let answer = doors.ask(&request).await;
            description.check(operation, &answer).unwrap_or_else(|why| panic!("{why}\n{shown}\n{answer}"));
            if (200..300).contains(&answer.status) {
                *reached.entry(operation.id.as_str()).or_default() += 1;
                maker.learn(operation, &answer);
            }
        }
        let missed: Vec<_> = operations.iter().filter(|one| !reached.contains_key(one.id.as_str())).collect();
        assert!(missed.is_empty(), "never answered with 2xx: {missed:?}");
        doors.house().audited().await;
    }
}
