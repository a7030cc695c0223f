//! Promises, looks ahead of use, dead codes.

use crate::harness::on_both;

on_both! {
    a_code_is_promised_until_one_was_verified_and_then_given_once,
    promises_count_in_caps_and_against_stock_under_hundreds_of_tasks,
    a_dead_code_is_never_given_out_while_many_ask,
    an_outage_of_ten_minutes_costs_nobody_a_code,
    too_many_dead_codes_stop_verifying_until_a_person_goes_on,
    stop_silences_a_promise_until_she_asks_again,
    an_end_lets_promises_lapse,
    who_waits_for_a_day_is_told_once,
}

mod bodies {
    use super::super::ground::*;
    use crate::harness::{House, Mood, all, capped, issued, keyword};
    use chrono::Duration;

    use codewell::domain::campaign::Status as CampaignStatus;
    use codewell::domain::decision::outcome::{Outcome, Refusal};

    use codewell::domain::world::HeldState;
    use codewell::engine::{Look, Which};
    use codewell::redemption::Status;

    pub(super) async fn a_code_is_promised_until_one_was_verified_and_then_given_once(house: House) {
        let (house, peer) = open(&house, peers(1000)).await;
        let first = house.text(1, &keyword(1)).await.expect("settled").outcome;
        let Outcome::Held(promise) = first else { panic!("{first:?}") };
        let again = house.text(1, &keyword(1)).await.expect("settled").outcome;
        assert_eq!(again, Outcome::Held(promise), "one promise, however often she asks");
        assert_eq!(keep(&house).await, 0, "nothing is verified yet");
        assert!(matches!(look_once(&house).await, Look::Looked { alive: 128, dead: 0 }));
        assert_eq!((keep(&house).await, keep(&house).await), (1, 0), "kept once");
        let outcome = house.text(1, &keyword(1)).await.expect("settled").outcome;
        assert!(matches!(outcome, Outcome::Repeat(_, HeldState::Unused)), "{outcome:?}");
        let texts = "SELECT COUNT(*) FROM outbox_message WHERE reply = ";
        let sent = [house.number(&format!("{texts}'T16'")).await, house.number(&format!("{texts}'T01'")).await];
        assert_eq!(sent, [1, 1], "the second T16 came within ten seconds of the first");
        assert!(matches!(house.issue(1, 2).await.expect("settled").outcome, Outcome::Issued(_)), "at once by now");
        look_at_all(&house).await;
        assert_eq!(peer.validated(), 502, "500 are kept ready beside the two that were given, each looked at once");
        house.audited().await;
    }

    pub(super) async fn promises_count_in_caps_and_against_stock_under_hundreds_of_tasks(house: House) {
        let (house, _) = open(&house, peers(300).cap("campaign", "count", "day", 250)).await;
        let houses = [house.clone(), house.second().await];
        let asked = tokio::spawn({
            let houses = houses.clone();
            async move { all(&houses, (0..600).map(|n| (1, n % 400))).await }
        });
        let looked = look_at_all(&house).await;
        assert!(!looked.is_empty());
        let outcomes = asked.await.expect("no task dies");
        let held = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Held(_))).count();
        assert!(capped(&outcomes) >= 150, "150 persons at least find the cap full");
        while keep(&house).await > 0 {}
        let given = house.number("SELECT COUNT(*) FROM issuance").await;
        assert_eq!(given, 250, "exactly the cap, {held} of them promised first");
        assert_eq!(house.number("SELECT COUNT(*) FROM hold WHERE ended_at IS NULL").await, 0);
        assert_eq!(house.number("SELECT used FROM quota").await, 250);
        assert_eq!(house.number("SELECT in_stock FROM pool").await, 50);
        house.audited().await;
    }

    pub(super) async fn a_dead_code_is_never_given_out_while_many_ask(house: House) {
        let (house, peer) = open(&house, peers(900).uncapped()).await;
        let dead: Vec<u64> = (0..900).filter(|position| position % 97 == 3).collect();
        for position in &dead {
            peer.calls(&code(&house, *position).await, Status::Expired(None));
        }
        let houses = [house.clone(), house.second().await];
        let askers: Vec<_> = (0..32)
            .map(|crowd: u64| {
                let houses = houses.clone();
                tokio::spawn(async move { all(&houses, (crowd * 30..crowd * 30 + 30).map(|n| (1, n))).await })
            })
            .collect();
        look_at_all(&house).await;
        for crowd in askers {
            crowd.await.expect("no task dies");
        }
        loop {
            look_at_all(&house).await;
            if keep(&house).await == 0 {
                break;
            }
        }
        let alive = 900 - i64::try_from(dead.len()).expect("small");
        assert_eq!(house.number("SELECT COUNT(*) FROM issuance").await, alive, "every living code, and no other");
        for position in dead {
            let sql = format!("SELECT COUNT(*) FROM issuance WHERE position = {position}");
            assert_eq!(house.number(&sql).await, 0);
        }
        let more = house.issue(1, 5_000).await.expect("settled").outcome;
        assert_eq!(more, Outcome::Refused(Refusal::PoolEmpty, None));
        house.audited().await;
    }

    pub(super) async fn an_outage_of_ten_minutes_costs_nobody_a_code(house: House) {
        let (house, peer) = open(&house, peers(2000)).await;
        look_once(&house).await;
        peer.is(Mood::Down);
        let houses = [house.clone()];
        let first = all(&houses, (0..128).map(|n| (1, n))).await;
        assert_eq!(issued(&first).len(), 128, "from what was ready");
        let mut waiting = Vec::new();
        for minute in 0..10 {
            house.clock.forward(Duration::minutes(1));
            assert!(matches!(look_once(&house).await, Look::Failed(_)));
            let outcomes = all(&houses, (200 + minute * 30..230 + minute * 30).map(|n| (1, n))).await;
            assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Held(_))));
            waiting.extend(outcomes);
            assert_eq!(keep(&house).await, 0);
        }
        assert_eq!(waiting.len(), 300);
        let asked_before = peer.validated();
        peer.is(Mood::Ok);
        house.clock.forward(Duration::seconds(30));
        while !matches!(look_at_all(&house).await.as_slice(), [Look::Enough]) || keep(&house).await > 0 {}
        assert_eq!(house.number("SELECT COUNT(*) FROM issuance").await, 428, "exactly one each");
        assert!(
            peer.validated() - asked_before <= 1_200,
            "no storm: what the busiest quarter needs, and what was promised"
        );
        house.audited().await;
    }

    pub(super) async fn too_many_dead_codes_stop_verifying_until_a_person_goes_on(house: House) {
        let (house, peer) = open(&house, peers(1000)).await;
        for position in [7, 8, 9] {
            peer.calls(&code(&house, position).await, Status::Redeemed { at: None, redemption_id: None });
        }
        assert_eq!(look_once(&house).await, Look::Paused, "3 of 128 are more than 2 %");
        assert_eq!(look_once(&house).await, Look::Paused);
        assert_eq!(peer.validated(), 128);
        let open = house.engine.alerts(Which::Open, 10).await.expect("alerts");
        let kinds: Vec<_> = open.iter().map(|alert| alert.kind.as_str()).collect();
        assert_eq!(kinds, ["dead_codes", "leak_suspected"]);
        assert_eq!(house.number("SELECT COUNT(*) FROM quarantine WHERE verdict = 'dead'").await, 3);
        house.engine.resume_verifying(&the_campaign(&house)).await.expect("it goes on");
        assert!(matches!(look_once(&house).await, Look::Looked { alive: 128, dead: 0 }));
        house.audited().await;
    }

    pub(super) async fn stop_silences_a_promise_until_she_asks_again(house: House) {
        let (house, _) = open(&house, peers(1000)).await;
        house.text(1, &keyword(1)).await.expect("settled");
        house.text(1, "STOP").await.expect("settled");
        look_once(&house).await;
        assert_eq!(keep(&house).await, 0, "she said STOP");
        let outcome = house.text(1, &keyword(1)).await.expect("settled").outcome;
        assert!(matches!(outcome, Outcome::Issued(_)), "a new request: {outcome:?}");
        assert_eq!(keep(&house).await, 0);
        assert_eq!(house.number("SELECT COUNT(*) FROM issuance").await, 1);
        house.audited().await;
    }

    pub(super) async fn an_end_lets_promises_lapse(house: House) {
        let (house, _) = open(&house, peers(1000)).await;
        house.text(1, &keyword(1)).await.expect("settled");
        house.engine.set_status("C1", CampaignStatus::Ended).await.expect("it ends");
        assert_eq!(house.number("SELECT COUNT(*) FROM hold WHERE ended_at IS NULL").await, 0);
        let outcome = house.text(1, &keyword(1)).await.expect("settled").outcome;
        assert_eq!(outcome, Outcome::Refused(Refusal::Ended, None));
        house.audited().await;
    }

    pub(super) async fn who_waits_for_a_day_is_told_once(house: House) {
        let (house, peer) = open(&house, peers(1000)).await;
        peer.is(Mood::Down);
        house.text(1, &keyword(1)).await.expect("settled");
        let tell = async || house.engine.excuse_late(&the_campaign(&house)).await.expect("it can tell");
        assert_eq!(tell().await, 0);
        house.clock.forward(Duration::hours(24));
        assert_eq!((tell().await, tell().await), (1, 0));
        assert_eq!(house.number("SELECT COUNT(*) FROM outbox_message WHERE reply = 'T17'").await, 1);
        peer.is(Mood::Ok);
        look_once(&house).await;
        assert_eq!(keep(&house).await, 1, "her place was kept");
        house.audited().await;
    }
}
