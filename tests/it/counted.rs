//! What a batch costs the database, counted and not timed.

use crate::harness::on_both;

on_both! {
    a_batch_of_256_runs_no_more_statements_than_a_batch_of_8,
}

mod bodies {
    use crate::harness::{House, campaign, in_one_batch, sender};
    use codewell::domain::act::{Act, Ask, Presented, Text};
    use codewell::domain::decision::outcome::Outcome;
    use codewell::domain::ids::SenderId;
    use std::sync::atomic::Ordering;

    /// Settles acts in one batch; says how many statements that took, and what came out.
    async fn statements(house: &House, acts: Vec<Act>) -> (u64, Vec<Outcome>) {
        let counters = &house.store.counters;
        let read = || (counters.statements.load(Ordering::Relaxed), counters.commits.load(Ordering::Relaxed));
        let before = read();
        let answers = in_one_batch(house, acts).await;
        let outcomes = answers.into_iter().map(|answer| answer.expect("every act is settled").outcome).collect();
        let after = read();
        assert_eq!(after.1 - before.1, 1, "it is one batch");
        (after.0 - before.0, outcomes)
    }

    fn text(house: &House, phone: u64, words: &str) -> Act {
        let ask = Ask::Text(Text {
            sender: SenderId(1),
            text: words.to_owned(),
            from_machine: false,
            range: None,
            carrier_said: None,
        });
        Act { ask, ..house.act(1, phone, house.key()) }
    }

    /// New codes by call and by text, the same again, an unknown word, a sale, STOP: `n` of each kind in batches.
    async fn round(house: &House, first: u64, n: u64) -> Vec<u64> {
        let phones = || first..first + n;
        let issue = phones().map(|phone| house.act(1, phone, house.key())).collect();
        let (new, outcomes) = statements(house, issue).await;
        let sales = phones().zip(&outcomes).map(|(phone, outcome)| Act {
            ask: Ask::Redeem(outcome.spot().expect("a code"), Presented::default()),
            ..house.act(1, phone, house.key())
        });
        let (sold, outcomes) = statements(house, sales.collect()).await;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Redeemed(..))));
        let texts = |words: [&'static str; 3]| -> Vec<Act> {
            let word = |phone: u64| words.into_iter().cycle().nth(usize::try_from(phone % 3).expect("small"));
            phones().map(|phone| text(house, phone, word(phone).expect("a word"))).collect()
        };
        let (repeated, _) = statements(house, texts(["WORDB", "hello", "WORDC"])).await;
        let (stopped, _) = statements(house, texts(["STOP", "START", "HELP"])).await;
        vec![new, sold, repeated, stopped]
    }

    pub(super) async fn a_batch_of_256_runs_no_more_statements_than_a_batch_of_8(house: House) {
        sender(&house).await;
        for id in 1..=2 {
            campaign(id)
                .cap("campaign", "count", "day", 100_000)
                .cap("campaign", "money", "month", 100_000_000)
                .write(&house)
                .await;
        }
        let few = round(&house, 0, 8).await;
        let many = round(&house, 1_000, 256).await;
        assert!(many.iter().zip(&few).all(|(many, few)| many <= few), "{few:?} for 8, {many:?} for 256");
        assert!(few.iter().all(|statements| *statements <= 24), "{few:?}");
        house.audited().await;
    }
}
