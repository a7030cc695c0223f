//! What messages may cost, and where they may go.

use crate::harness::on_both;

on_both! {
    messages_stop_at_the_hours_cap_and_go_on_in_the_next_hour,
    what_would_wait_longer_than_it_is_worth_expires_at_once,
    an_answer_to_stop_goes_out_whatever_was_spent,
    a_message_that_the_carrier_did_not_take_costs_nothing,
    an_account_has_a_cap_of_its_own_and_each_country_its_price,
    two_processes_that_send_at_once_never_spend_more_than_one_cap,
    a_country_that_is_not_on_the_list_gets_no_reply_but_the_answer_to_stop,
    without_a_list_a_reply_goes_where_its_campaign_may,
}

mod bodies {
    use super::super::line::{Line, config, registry, transient};
    use crate::harness::{House, campaign, keyword};
    use chrono::TimeDelta;
    use codewell::config::{Allowance, SenderConfig};
    use codewell::engine::Engine;
    use codewell::workers::sender::Sender;
    use std::collections::BTreeMap;
    use tokio::task::JoinSet;

    /// A segment costs a cent.
    const CENT: i64 = 10_000;

    fn hourly(cap: i64) -> SenderConfig {
        let allowance = Allowance { rate: Some(1000), spend_hour: Some(cap), spend_day: None };
        SenderConfig { price: CENT, senders: BTreeMap::from([("12345".to_owned(), allowance)]), ..config() }
    }

    fn phone(n: usize) -> String {
        format!("+1202555{n:04}")
    }

    /// So many people text, and each is answered; says how many answers reached the carrier.
    async fn answered(line: &mut Line, people: std::ops::Range<usize>) -> usize {
        let before = line.calls();
        for n in people {
            let due = line.text_from(&format!("m{n}"), &phone(n), "nonsense").await;
            line.attempt(due).await;
        }
        line.calls() - before
    }

    async fn count(line: &Line, what: &str) -> i64 {
        line.house.number(&format!("SELECT count(*) FROM outbox_message WHERE {what}")).await
    }

    const ALERT: (&str, &str) = ("spend_cap", "sender 12345");

    pub(super) async fn messages_stop_at_the_hours_cap_and_go_on_in_the_next_hour(house: House) {
        let mut line = Line::new(house).await;
        line.configure(hourly(3 * CENT + CENT / 2));
        line.forward(TimeDelta::minutes(45));
        assert_eq!(answered(&mut line, 1..6).await, 3);
        assert_eq!(count(&line, "status = 'queued' AND history LIKE '%spend_cap sender 12345 hour%'").await, 2);
        assert_eq!(line.house.number("SELECT spent FROM spend").await, 3 * CENT);
        let alerts = line.alerts().await;
        assert_eq!(alerts, [(ALERT.0.to_owned(), ALERT.1.to_owned(), 2)]);
        assert_eq!(line.claim().await, [], "they wait for the hour's end");
        line.forward(TimeDelta::minutes(15));
        let waiting = line.claim().await;
        assert_eq!(waiting.len(), 2);
        for due in waiting {
            assert_eq!(due.attempts, 0);
            line.attempt(due).await;
        }
        assert_eq!(line.calls(), 5);
        assert_eq!(line.alerts().await, [], "it is over by itself");
    }

    pub(super) async fn what_would_wait_longer_than_it_is_worth_expires_at_once(house: House) {
        let mut line = Line::new(house).await;
        line.configure(hourly(CENT));
        assert_eq!(answered(&mut line, 1..3).await, 1);
        assert_eq!(count(&line, "status = 'expired'").await, 1);
    }

    pub(super) async fn an_answer_to_stop_goes_out_whatever_was_spent(house: House) {
        let mut line = Line::new(house).await;
        line.configure(hourly(CENT));
        assert_eq!(answered(&mut line, 1..3).await, 1);
        let due = line.text_from("stop", &phone(7), "STOP").await;
        line.attempt(due).await;
        assert_eq!(line.calls(), 2);
        assert_eq!(line.house.number("SELECT spent FROM spend").await, 2 * CENT, "it is counted all the same");
    }

    pub(super) async fn a_message_that_the_carrier_did_not_take_costs_nothing(house: House) {
        let mut line = Line::new(house).await;
        line.configure(hourly(CENT));
        line.will(transient());
        let due = line.text("m1", "nonsense").await;
        line.attempt(due).await.unwrap();
        assert_eq!(line.house.number("SELECT spent FROM spend").await, 0);
        line.forward(TimeDelta::seconds(1));
        let due = line.claim_one().await;
        line.attempt(due).await;
        assert!(line.is("status = 'submitted'").await);
        assert_eq!(line.house.number("SELECT spent FROM spend").await, CENT);
    }

    pub(super) async fn an_account_has_a_cap_of_its_own_and_each_country_its_price(house: House) {
        let mut line = Line::new(house).await;
        let allowance = Allowance { rate: None, spend_hour: None, spend_day: Some(25 * CENT) };
        let accounts = BTreeMap::from([("simulator".to_owned(), allowance)]);
        let prices = BTreeMap::from([("CA".to_owned(), 20 * CENT)]);
        line.configure(SenderConfig { price: CENT, prices, accounts, ..config() });
        for (key, phone) in [("m1", "+14165550100"), ("m2", "+14165550101"), ("m3", "+12025550102")] {
            let due = line.text_from(key, phone, "nonsense").await;
            line.attempt(due).await;
        }
        assert_eq!(line.calls(), 2, "the second one to Canada is more than is left");
        let spent = "SELECT spent FROM spend WHERE scope = 'account simulator' AND span = 'day'";
        assert_eq!(line.house.number(spent).await, 21 * CENT);
    }

    pub(super) async fn two_processes_that_send_at_once_never_spend_more_than_one_cap(house: House) {
        let mut line = Line::new(house).await;
        line.configure(hourly(20 * CENT));
        let mut due = Vec::new();
        for n in 0..200 {
            due.push(line.text_from(&format!("m{n}"), &phone(n), "nonsense").await);
        }
        let second = line.house.second().await;
        let sender = |engine: &Engine| {
            let (carriers, early) = (registry(&line.carrier), line.early.clone());
            std::sync::Arc::new(Sender::new(engine.clone(), carriers, early, hourly(20 * CENT)))
        };
        let senders = [sender(&line.engine), sender(&second.engine)];
        let mut tasks = JoinSet::new();
        for (n, due) in due.into_iter().enumerate() {
            let sender = std::sync::Arc::clone(&senders[n % 2]);
            tasks.spawn(async move { sender.attempt(due).await });
        }
        tasks.join_all().await;
        assert_eq!(line.calls(), 20);
        assert_eq!(line.house.number("SELECT spent FROM spend").await, 20 * CENT);
        line.house.audited().await;
    }

    pub(super) async fn a_country_that_is_not_on_the_list_gets_no_reply_but_the_answer_to_stop(house: House) {
        let mut line = Line::new(house).await;
        line.configure(SenderConfig { countries: vec!["CA".to_owned()], ..config() });
        let due = line.text("m1", "nonsense").await;
        line.attempt(due).await;
        assert!(line.is("status = 'suppressed' AND history LIKE '%country%'").await);
        let due = line.text_from("m2", "+14165550100", "nonsense").await;
        line.attempt(due).await;
        assert_eq!(line.calls(), 1);
        let due = line.text("m3", "STOP").await;
        line.attempt(due).await;
        assert_eq!(line.calls(), 2);
    }

    pub(super) async fn without_a_list_a_reply_goes_where_its_campaign_may(house: House) {
        let mut line = Line::new(house).await;
        campaign(1).document(serde_json::json!({"countries": ["CA"]})).write(&line.house).await;
        line.engine.fresh_catalog().await.unwrap();
        for (key, phone) in [("m1", "+12025550123"), ("m2", "+14165550100")] {
            let due = line.text_from(key, phone, &keyword(1)).await;
            line.attempt(due).await;
        }
        assert_eq!(line.calls(), 1);
        assert!(line.is("status = 'suppressed'").await);
    }
}
