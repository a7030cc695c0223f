//! Batches parked under their locks while others act, commits cut at the worst moment, rows that cannot be written.

use crate::harness::on_both;

on_both! {
    two_processes_that_serve_one_person_at_once_give_one_code,
    a_batch_that_waited_for_the_last_code_of_a_cap_finds_it_taken,
    a_cap_raised_while_a_batch_is_parked_counts_what_that_batch_issued,
    stock_added_while_a_batch_is_parked_serves_the_next_one,
    a_pause_waits_for_the_batch_that_is_parked_and_nothing_follows_it,
    a_midnight_between_two_batches_charges_each_day_once,
    a_commit_that_did_not_happen_is_made_up_for_once,
    a_commit_whose_answer_was_lost_is_not_made_twice,
    one_act_that_cannot_be_written_fails_alone,
    a_full_queue_says_busy_and_writes_nothing,
}

mod bodies {
    use crate::harness::{House, campaign, in_one_batch, issued};
    use chrono::{Duration, TimeZone, Utc};
    use codewell::domain::decision::outcome::{Outcome, Refusal};
    use codewell::domain::world::HeldState;
    use codewell::engine::{EngineError, Settled, Sizes};
    use std::collections::HashSet;
    use tokio::task::JoinHandle;

    type Asked = JoinHandle<Result<Settled, EngineError>>;

    fn ask(house: &House, campaign: u32, phone: u64) -> Asked {
        let house = house.clone();
        tokio::spawn(async move { house.issue(campaign, phone).await })
    }

    async fn outcome(asked: Asked) -> Outcome {
        asked.await.expect("no task dies").expect("the act is settled").outcome
    }

    /// Asks, and leaves the batch waiting under its locks until the answer is dropped.
    async fn parked(house: &House, campaign: u32, phone: u64) -> (Asked, impl Drop + use<>) {
        let parked = house.faults.park("after_locks");
        let asked = ask(house, campaign, phone);
        parked.reached.await.expect("the batch comes to its locks");
        (asked, parked.resume)
    }

    pub(super) async fn two_processes_that_serve_one_person_at_once_give_one_code(house: House) {
        campaign(1).write(&house).await;
        let second = house.second().await;
        let (a, resume) = parked(&house, 1, 5).await;
        let b = ask(&second, 1, 5);
        house.until_somebody_waits().await;
        drop(resume);
        let (a, b) = (outcome(a).await, outcome(b).await);
        let spot = a.spot().expect("a code");
        assert_eq!(a, Outcome::Issued(spot));
        assert_eq!(b, Outcome::Repeat(spot, HeldState::Unused));
        house.audited().await;
    }

    pub(super) async fn a_batch_that_waited_for_the_last_code_of_a_cap_finds_it_taken(house: House) {
        campaign(1).cap("campaign", "count", "day", 1).write(&house).await;
        let second = house.second().await;
        let (a, resume) = parked(&house, 1, 1).await;
        let b = ask(&second, 1, 2);
        house.until_somebody_waits().await;
        drop(resume);
        assert_eq!(issued(&[outcome(a).await]).len(), 1);
        let b = outcome(b).await;
        assert!(matches!(b, Outcome::Refused(Refusal::CapReached(cap), None) if cap.used == 1), "{b:?}");
        house.audited().await;
    }

    /// Cap 101 of campaign 1, set as `apply` sets it.
    fn recap(cap: i64) -> Vec<String> {
        vec![
            format!("UPDATE cap SET cap = {cap} WHERE cap_id = 101"),
            format!("UPDATE quota SET cap = CASE WHEN used > {cap} THEN used ELSE {cap} END WHERE cap_id = 101"),
            format!(
                "UPDATE campaign_version SET document = REPLACE(document, '\"total\":1', '\"total\":{cap}')
                 WHERE campaign_id = 1 AND version = 2"
            ),
        ]
    }

    pub(super) async fn a_cap_raised_while_a_batch_is_parked_counts_what_that_batch_issued(house: House) {
        campaign(1).cap("campaign", "count", "lifetime", 1).write(&house).await;
        let second = house.second().await;
        let (a, resume) = parked(&house, 1, 1).await;
        let people = second.clone();
        let change = tokio::spawn(async move { people.change(1, &recap(2)).await });
        house.until_somebody_waits().await;
        drop(resume);
        assert_eq!(issued(&[outcome(a).await]).len(), 1);
        change.await.expect("the cap is changed");
        let late = [outcome(ask(&house, 1, 2)).await, outcome(ask(&second, 1, 3)).await];
        assert_eq!(issued(&late).len(), 1, "of two there is one left: {late:?}");
        house.audited().await;
    }

    pub(super) async fn stock_added_while_a_batch_is_parked_serves_the_next_one(house: House) {
        campaign(1).size(1).write(&house).await;
        let second = house.second().await;
        assert_eq!(issued(&[outcome(ask(&house, 1, 1)).await]).len(), 1);
        let (a, resume) = parked(&house, 1, 2).await;
        let people = second.clone();
        let change = tokio::spawn(async move {
            let more = [
                "UPDATE pool SET size = 3, in_stock = in_stock + 2 WHERE campaign_id = 1",
                "INSERT INTO stock (campaign_id, pool_no, last, first) VALUES (1, 1, 2, 1)",
            ];
            people.change(1, &more.map(str::to_owned)).await;
        });
        house.until_somebody_waits().await;
        drop(resume);
        let empty = Outcome::Refused(Refusal::PoolEmpty, None);
        assert_eq!(outcome(a).await, empty, "it came before the codes");
        change.await.expect("the codes are added");
        let late = [outcome(ask(&house, 1, 2)).await, outcome(ask(&second, 1, 3)).await];
        assert_eq!(issued(&late).len(), 2);
        assert_eq!(outcome(ask(&second, 1, 4)).await, empty);
        house.audited().await;
    }

    pub(super) async fn a_pause_waits_for_the_batch_that_is_parked_and_nothing_follows_it(house: House) {
        campaign(1).write(&house).await;
        let second = house.second().await;
        let (a, resume) = parked(&house, 1, 1).await;
        let people = second.clone();
        let pause = tokio::spawn(async move {
            people.pause(1).await;
            people.number("SELECT COUNT(*) FROM issuance").await
        });
        house.until_somebody_waits().await;
        assert!(!pause.is_finished(), "nothing is acknowledged yet");
        let b = ask(&house, 1, 2);
        drop(resume);
        let at_acknowledgement = pause.await.expect("it is paused");
        assert_eq!(issued(&[outcome(a).await]).len(), 1);
        // Behind the pause in the locks, or before it: either is right, but never after its acknowledgement.
        let before = issued(&[outcome(b).await]).len();
        let late = [outcome(ask(&house, 1, 3)).await, outcome(ask(&second, 1, 4)).await];
        assert_eq!(late, [const { Outcome::Refused(Refusal::Paused, None) }; 2]);
        let out = house.number("SELECT COUNT(*) FROM issuance").await;
        assert_eq!(out, at_acknowledgement);
        assert_eq!(usize::try_from(out), Ok(1 + before));
        house.audited().await;
    }

    pub(super) async fn a_midnight_between_two_batches_charges_each_day_once(house: House) {
        let zone = serde_json::json!({"zone": "America/New_York"});
        campaign(1).document(zone).cap("campaign", "count", "day", 1).write(&house).await;
        let second = house.second().await;
        let midnight = Utc.with_ymd_and_hms(2026, 11, 21, 5, 0, 0).unwrap();
        house.clock.set(midnight - Duration::milliseconds(1));
        let (a, resume) = parked(&house, 1, 1).await;
        house.clock.set(midnight);
        let b = ask(&second, 1, 2);
        house.until_somebody_waits().await;
        drop(resume);
        assert_eq!(issued(&[outcome(a).await, outcome(b).await]).len(), 2);
        let friday = 20_777;
        for day in [friday, friday + 1] {
            let used = format!("SELECT used FROM quota WHERE window_start = {day}");
            assert_eq!(house.number(&used).await, 1);
        }
        let late = outcome(ask(&house, 1, 3)).await;
        let tomorrow = midnight + Duration::days(1);
        assert!(
            matches!(&late, Outcome::Refused(Refusal::CapReached(cap), None) if cap.resets_at == Some(tomorrow)),
            "{late:?}"
        );
        house.audited().await;
    }

    async fn cut(house: House, point: &'static str) {
        campaign(1).write(&house).await;
        let acts: Vec<_> = (0..20).map(|phone| house.act(1, phone, format!("cut-{phone}"))).collect();
        house.faults.cut(point);
        let first: Vec<Settled> = in_one_batch(&house, acts.clone())
            .await
            .into_iter()
            .map(|answer| answer.expect("the act is settled"))
            .collect();
        let outcomes: Vec<_> = first.iter().map(|settled| settled.outcome.clone()).collect();
        assert_eq!(issued(&outcomes).len(), 20, "each answer is the first one");
        assert_eq!(house.number("SELECT COUNT(*) FROM issuance").await, 20);
        let second = house.second().await;
        for (act, first) in acts.into_iter().zip(first) {
            let again = second.engine.settle(act).await.expect("it is replayed");
            assert_eq!(again, first);
        }
        assert_eq!(house.number("SELECT COUNT(*) FROM request").await, 20);
        house.audited().await;
    }

    pub(super) async fn a_commit_that_did_not_happen_is_made_up_for_once(house: House) {
        cut(house, "before_commit").await;
    }

    pub(super) async fn a_commit_whose_answer_was_lost_is_not_made_twice(house: House) {
        cut(house, "after_commit").await;
    }

    pub(super) async fn one_act_that_cannot_be_written_fails_alone(house: House) {
        campaign(1).write(&house).await;
        campaign(2).write(&house).await;
        house
            .sql("INSERT INTO issuance (campaign_id, pool_no, position, subject, epoch, seq, offer_no, campaign_version, weight_minor, channel, sender_id, keyword, placement_id, issued_at, expires_at, charged_at) VALUES (2, 1, 0, NULL, 0, 1, 1, 1, 500, 'api', NULL, NULL, 0, 0, NULL, NULL)")
            .await;
        let mut acts: Vec<_> = (0..20).map(|phone| house.act(1, phone, house.key())).collect();
        let bad = house.act(2, 99, house.key());
        acts.insert(13, bad.clone());
        let answers = in_one_batch(&house, acts).await;
        let failed: HashSet<_> = (0..).zip(&answers).filter(|(_, answer)| answer.is_err()).map(|(i, _)| i).collect();
        assert_eq!(failed, HashSet::from([13]));
        assert!(matches!(answers.get(13), Some(Err(EngineError::Store(_)))));
        assert_eq!(house.number("SELECT COUNT(*) FROM issuance WHERE campaign_id = 1").await, 20);
        house.sql("DELETE FROM issuance WHERE campaign_id = 2").await;
        let again = house.engine.settle(bad).await.expect("now it is settled");
        assert_eq!(issued(&[again.outcome]).len(), 1);
        house.audited().await;
    }

    pub(super) async fn a_full_queue_says_busy_and_writes_nothing(house: House) {
        campaign(1).write(&house).await;
        let small = Sizes { queue: 8, ..house.engine.parts().sizes };
        let second = house.second_of(small).await;
        let acts = (0..20).map(|phone| second.act(1, phone, second.key())).collect();
        let answers = in_one_batch(&second, acts).await;
        let (settled, busy) = answers.split_at(8);
        assert!(settled.iter().all(Result::is_ok));
        assert!(busy.iter().all(|answer| matches!(answer, Err(EngineError::Busy))));
        for table in ["request", "issuance", "recipient"] {
            let rows = format!("SELECT COUNT(*) FROM {table}");
            assert_eq!(house.number(&rows).await, 8, "{table}");
        }
        house.audited().await;
    }
}
