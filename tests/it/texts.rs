//! Received texts: asked once, asked 2 000 times, delivered twice by the carrier, and STOP.

use crate::harness::on_both;

on_both! {
    two_thousand_texts_of_one_phone_give_one_code_and_1_to_10_replies,
    a_webhook_delivered_50_times_is_answered_once,
    stop_against_keywords_in_two_processes_leaves_no_message_behind_it,
    a_keyword_and_a_stop_in_one_batch_are_taken_in_their_order,
    stop_to_one_brand_leaves_the_messages_of_another,
    a_late_or_doubled_report_never_turns_a_message_back,
}

mod bodies {
    use crate::harness::{House, campaign, in_one_batch, issued, sender};
    use chrono::Duration;
    use codewell::domain::act::{Act, Ask, MessageStatus, Text};
    use codewell::domain::decision::outcome::{Outcome, Told};
    use codewell::domain::ids::SenderId;
    use codewell::engine::step;
    use std::collections::HashSet;
    use tokio::task::JoinSet;

    async fn open(house: &House) {
        sender(house).await;
        campaign(1).write(house).await;
    }

    fn text(house: &House, sender: u32, phone: u64, words: &str) -> Act {
        let ask = Ask::Text(Text {
            sender: SenderId(sender),
            text: words.to_owned(),
            from_machine: false,
            range: None,
            carrier_said: None,
        });
        Act { ask, ..house.act(1, phone, house.key()) }
    }

    pub(super) async fn two_thousand_texts_of_one_phone_give_one_code_and_1_to_10_replies(house: House) {
        open(&house).await;
        let houses = [house.clone(), house.second().await];
        let mut tasks = JoinSet::new();
        for i in 0..2_000_usize {
            let house = houses[i % 2].clone();
            tasks.spawn(async move {
                if i % 200 == 0 {
                    // Eleven seconds on, the same answer may go out again.
                    house.clock.forward(Duration::seconds(11));
                }
                house.text(5, "wordb").await.expect("it is settled").outcome
            });
        }
        let outcomes = tasks.join_all().await;
        assert_eq!(issued(&outcomes).len(), 1);
        let spots: HashSet<_> = outcomes.iter().map(Outcome::spot).collect();
        assert_eq!(spots.len(), 1, "every answer is about the one code");
        let replies = house.number("SELECT COUNT(*) FROM outbox_message").await;
        assert!((1..=10).contains(&replies), "{replies} replies");
        house.audited().await;
    }

    pub(super) async fn a_webhook_delivered_50_times_is_answered_once(house: House) {
        open(&house).await;
        let houses = [house.clone(), house.second().await];
        let mut tasks = JoinSet::new();
        for i in 0..50_usize {
            let house = houses[i % 2].clone();
            tasks.spawn(async move {
                let text = "wordb".to_owned();
                let received = house.engine.receive(SenderId(1), "SM1", "+12025550123", text);
                received.await.expect("it is settled")
            });
        }
        let answers = tasks.join_all().await;
        let first = answers.first().expect("an answer");
        assert!(matches!(first.outcome, Outcome::Issued(_)));
        assert!(answers.iter().all(|answer| answer == first));
        for table in ["request", "issuance", "outbox_message"] {
            let rows = format!("SELECT COUNT(*) FROM {table}");
            assert_eq!(house.number(&rows).await, 1, "{table}");
        }
        house.audited().await;
    }

    const UNSAID: &str = "SELECT COUNT(*) FROM outbox_message WHERE status = 'suppressed'";
    const WAITING: &str = "SELECT COUNT(*) FROM outbox_message WHERE status = 'queued' AND reply = 'T01'";

    pub(super) async fn stop_against_keywords_in_two_processes_leaves_no_message_behind_it(house: House) {
        open(&house).await;
        let second = house.second().await;
        let mut tasks = JoinSet::new();
        for phone in 0..200 {
            let (asks, stops) = (house.clone(), second.clone());
            tasks.spawn(async move { asks.text(phone, "wordb").await });
            tasks.spawn(async move {
                stops.clock.forward(Duration::milliseconds(1));
                stops.text(phone, "stop").await
            });
        }
        for answer in tasks.join_all().await {
            answer.expect("every text is settled");
        }
        assert_eq!(house.number("SELECT COUNT(*) FROM issuance").await, 200);
        assert_eq!(house.number("SELECT COUNT(*) FROM opt_out").await, 200);
        let sides = house.number(UNSAID).await + house.number(WAITING).await;
        assert_eq!(sides, 200, "each code was cut by a later STOP or asked for after it");
        house.audited().await;
    }

    pub(super) async fn a_keyword_and_a_stop_in_one_batch_are_taken_in_their_order(house: House) {
        open(&house).await;
        let acts = vec![
            text(&house, 1, 1, "wordb"),
            text(&house, 1, 1, "stop"),
            text(&house, 1, 2, "stop"),
            text(&house, 1, 2, "wordb"),
        ];
        let answers = in_one_batch(&house, acts).await;
        let stopped = Outcome::Told(Told::OptedOut);
        let outcomes: Vec<_> = answers.into_iter().map(|answer| answer.expect("it is settled").outcome).collect();
        assert_eq!(outcomes.iter().filter(|one| **one == stopped).count(), 2);
        assert_eq!(house.number(UNSAID).await, 1, "what she asked for before her STOP");
        assert_eq!(house.number(WAITING).await, 1, "what he asked for after his");
        house.audited().await;
    }

    pub(super) async fn stop_to_one_brand_leaves_the_messages_of_another(house: House) {
        open(&house).await;
        let document =
            serde_json::json!({"address": "67890", "carrier": "simulator", "brand": "Zeta", "help": "zeta.example"});
        house.sql(&format!("INSERT INTO sender VALUES (2, '67890', 'simulator', 'Zeta', '{document}')")).await;
        house.sql("UPDATE catalog SET version = version + 1").await;
        for act in [text(&house, 1, 1, "wordb"), text(&house, 2, 1, "stop")] {
            house.engine.settle(act).await.expect("it is settled");
        }
        assert_eq!(house.number(WAITING).await, 1, "Acme was not told to stop");
        assert_eq!(house.number(UNSAID).await, 0);
        house.audited().await;
    }

    pub(super) async fn a_late_or_doubled_report_never_turns_a_message_back(house: House) {
        use MessageStatus::{Delivered, Failed, Queued, Submitted, Submitting, Suppressed};

        open(&house).await;
        let asked = text(&house, 1, 1, "wordb");
        let (message, who) = (asked.id, asked.who.clone().expect("a person"));
        house.engine.settle(asked).await.expect("it is settled");
        for (status, stands) in [
            (Submitting, Submitting),
            (Queued, Queued),
            (Submitting, Submitting),
            (Submitted, Submitted),
            (Queued, Submitted),
            (Delivered, Delivered),
            (Failed, Delivered),
            (Suppressed, Delivered),
            (Submitted, Delivered),
        ] {
            let noted = house.engine.note(who.subject, step(message, status)).await;
            noted.expect("it is written down");
            let rows = format!("SELECT COUNT(*) FROM outbox_message WHERE status = '{}'", stands.word());
            assert_eq!(house.number(&rows).await, 1, "{status:?} leaves {stands:?}");
        }
        let tried = house.number("SELECT attempts FROM outbox_message").await;
        assert_eq!(tried, 2);
        house.audited().await;
    }
}
