//! What becomes of a message in every kind of trouble, on both databases.

use crate::harness::on_both;

on_both! {
    a_message_is_handed_over_and_what_the_carrier_said_is_kept,
    a_passing_failure_is_tried_again_at_each_step_until_the_answer_is_worth_nothing,
    an_answer_to_help_that_fails_is_worth_five_minutes,
    a_wait_the_carrier_asks_for_is_no_attempt,
    a_refusal_for_good_is_not_tried_again,
    a_reply_in_doubt_goes_out_once_more_and_never_a_third_time,
    what_the_carrier_has_after_all_is_submitted_and_not_sent_again,
    a_reply_that_the_carrier_does_not_have_goes_out_again_with_the_same_words,
    while_the_carrier_cannot_be_asked_nothing_goes_out_again,
    an_answer_to_stop_in_doubt_is_not_sent_again,
    a_reply_that_a_lost_process_may_have_sent_goes_out_once_more,
    an_answer_to_stop_that_a_lost_process_may_have_sent_does_not,
    two_processes_lost_with_one_message_do_not_make_a_third_send_it,
    nothing_made_before_stop_goes_out_after_it_but_the_answer_to_stop_does,
    a_stop_that_was_taken_back_does_not_revive_what_it_cancelled,
    what_waited_longer_than_it_is_worth_is_not_sent,
    a_message_whose_lease_is_nearly_over_is_left_to_who_takes_it_next,
    a_report_that_overtakes_our_own_note_is_not_lost,
    a_running_sender_sends_fresh_messages_and_orphans_and_ends_when_told,
    of_two_processes_that_claim_at_once_each_message_goes_to_one,
}

mod account;
mod limits;
mod line;

pub(crate) use line::config;

mod bodies {
    use super::line::{Line, PHONE, ambiguous, config, registry, transient};
    use crate::harness::House;
    use chrono::TimeDelta;
    use codewell::domain::act::{MessageStatus, MessageStep};
    use codewell::domain::ids::SenderId;
    use codewell::engine::{Due, Engine, IN_DOUBT, Reported, step};
    use codewell::sms::{Accepted, Lookup, Refused, SendError};
    use codewell::workers::sender::Sender;
    use std::collections::HashSet;
    use std::time::Duration;

    pub(super) async fn a_message_is_handed_over_and_what_the_carrier_said_is_kept(house: House) {
        let mut line = Line::new(house).await;
        let due = line.text("m1", "HELP").await;
        assert_eq!(line.attempt(due).await, None);
        let got = line.carrier.got.lock().unwrap().clone();
        let [(to, body)] = &got[..] else {
            panic!("one message was handed over, not {}", got.len());
        };
        assert_eq!(to, PHONE);
        assert!(body.starts_with("Acme: help at acme.example/help."));
        assert!(line.is("status = 'submitted'").await);
        assert!(line.is("provider_id = 'p0'").await);
        assert!(line.is("length(body_hash) = 32").await);
    }

    pub(super) async fn a_passing_failure_is_tried_again_at_each_step_until_the_answer_is_worth_nothing(house: House) {
        let mut line = Line::new(house).await;
        let mut due = line.text("m1", "nonsense").await;
        let mut waits = Vec::new();
        loop {
            line.will(transient());
            let Some(at) = line.attempt(due).await else { break };
            waits.push((at - line.engine.now()).num_seconds());
            assert_eq!(line.claim().await, []);
            line.forward(at - line.engine.now());
            due = line.claim_one().await;
        }
        assert_eq!(waits, [1, 5, 30, 120, 600, 600]);
        assert!(line.is("status = 'expired'").await);
        assert_eq!(line.calls(), 7);
    }

    pub(super) async fn an_answer_to_help_that_fails_is_worth_five_minutes(house: House) {
        let mut line = Line::new(house).await;
        let mut due = line.text("m1", "HELP").await;
        let start = line.engine.now();
        loop {
            line.will(transient());
            let Some(at) = line.attempt(due).await else { break };
            line.forward(at - line.engine.now());
            due = line.claim_one().await;
        }
        assert_eq!(line.engine.now() - start, TimeDelta::seconds(1 + 5 + 30 + 120));
        assert!(line.is("status = 'expired'").await);
    }

    pub(super) async fn a_wait_the_carrier_asks_for_is_no_attempt(house: House) {
        let mut line = Line::new(house).await;
        let mut due = line.text("m1", "nonsense").await;
        for _ in 0..5 {
            let retry_after = Duration::from_secs(7);
            line.will(SendError::Throttled { retry_after });
            let wait = line.attempt(due).await.unwrap() - line.engine.now();
            assert!((7_000..=7_700).contains(&wait.num_milliseconds()), "{wait}");
            line.forward(wait);
            due = line.claim_one().await;
        }
        assert_eq!(due.attempts, 0);
        line.attempt(due).await;
        assert!(line.is("status = 'submitted'").await);
    }

    pub(super) async fn a_refusal_for_good_is_not_tried_again(house: House) {
        let mut line = Line::new(house).await;
        let due = line.text("m1", "nonsense").await;
        line.will(SendError::Permanent {
            class: Refused::InvalidRecipient,
            code: "30006".to_owned(),
            detail: "landline".to_owned(),
        });
        assert_eq!(line.attempt(due).await, None);
        assert!(line.is("status = 'failed'").await);
        assert!(line.is("history LIKE '%30006 landline%'").await);
    }

    /// An attempt in doubt, the minute after it, and the message as it is found then.
    async fn doubt(line: &Line, due: Due) -> Due {
        line.will(ambiguous());
        let at = line.attempt(due).await.unwrap();
        assert_eq!(at - line.engine.now(), TimeDelta::seconds(60));
        line.forward(TimeDelta::seconds(60));
        line.claim_one().await
    }

    pub(super) async fn a_reply_in_doubt_goes_out_once_more_and_never_a_third_time(house: House) {
        let mut line = Line::new(house).await;
        let due = line.text("m1", "nonsense").await;
        let start = line.engine.now();
        let again = doubt(&line, due).await;
        assert!(again.in_doubt);
        let third = doubt(&line, again).await;
        assert_eq!(line.attempt(third).await, None);
        assert!(line.is("status = 'failed'").await);
        assert_eq!(line.calls(), 2);
        let asked = line.carrier.asked.lock().unwrap().clone();
        assert_eq!(asked, [start, start + TimeDelta::seconds(60)], "it is asked by the time of each hand-over");
    }

    pub(super) async fn what_the_carrier_has_after_all_is_submitted_and_not_sent_again(house: House) {
        let mut line = Line::new(house).await;
        for (key, words) in [("m1", "nonsense"), ("m2", "STOP")] {
            let due = line.text(key, words).await;
            let again = doubt(&line, due).await;
            let calls = line.calls();
            let name = format!("found-{key}");
            line.looks_up(Ok(Lookup::Taken(Accepted { provider_id: Some(name), segments: 2 })));
            assert_eq!(line.attempt(again).await, None);
            assert_eq!(line.calls(), calls);
        }
        assert!(line.is("status = 'submitted' AND provider_id = 'found-m1' AND segments = 2").await);
    }

    pub(super) async fn a_reply_that_the_carrier_does_not_have_goes_out_again_with_the_same_words(house: House) {
        let mut line = Line::new(house).await;
        let due = line.text("m1", "nonsense").await;
        let again = doubt(&line, due).await;
        line.looks_up(Ok(Lookup::NotTaken));
        assert_eq!(line.attempt(again).await, None);
        let got = line.carrier.got.lock().unwrap().clone();
        assert_eq!(got.len(), 2);
        assert_eq!(got.first(), got.last());
        assert!(line.is("status = 'submitted'").await);
    }

    pub(super) async fn while_the_carrier_cannot_be_asked_nothing_goes_out_again(house: House) {
        let mut line = Line::new(house).await;
        let due = line.text("m1", "nonsense").await;
        let start = line.engine.now();
        let mut again = doubt(&line, due).await;
        for _ in 0..40 {
            line.looks_up(Err(transient()));
            let Some(at) = line.attempt(again).await else { break };
            assert_eq!(at - line.engine.now(), TimeDelta::seconds(60));
            line.forward(TimeDelta::seconds(60));
            again = line.claim_one().await;
            assert_eq!((again.in_doubt, again.doubts), (true, 1));
        }
        assert!(line.is("status = 'failed'").await);
        assert_eq!(line.engine.now() - start, TimeDelta::minutes(31));
        assert_eq!(line.calls(), 1);
    }

    pub(super) async fn an_answer_to_stop_in_doubt_is_not_sent_again(house: House) {
        let mut line = Line::new(house).await;
        for (words, answer) in [("STOP", Lookup::CannotSay), ("HELP", Lookup::NotTaken)] {
            let due = line.text(words, words).await;
            let calls = line.calls();
            let again = doubt(&line, due).await;
            line.looks_up(Ok(answer));
            assert_eq!(line.attempt(again).await, None);
            assert_eq!(line.calls(), calls + 1);
        }
        let failed = "SELECT count(*) FROM outbox_message WHERE status = 'failed'";
        assert_eq!(line.house.number(failed).await, 2);
    }

    /// The process is lost between its mark and the carrier's answer.
    async fn lose(line: &Line, due: &Due) -> Vec<Due> {
        let mark = step(due.message.id, MessageStatus::Submitting);
        line.engine.note(due.message.subject, mark).await.unwrap();
        line.forward(TimeDelta::seconds(61));
        line.claim().await
    }

    pub(super) async fn a_reply_that_a_lost_process_may_have_sent_goes_out_once_more(house: House) {
        let mut line = Line::new(house).await;
        let due = line.text("m1", "nonsense").await;
        let orphan = lose(&line, &due).await.remove(0);
        assert_eq!(orphan.status, MessageStatus::Submitting);
        line.attempt(orphan).await;
        assert!(line.is("status = 'submitted'").await);
        assert_eq!(line.calls(), 1);
    }

    pub(super) async fn an_answer_to_stop_that_a_lost_process_may_have_sent_does_not(house: House) {
        let mut line = Line::new(house).await;
        let due = line.text("m1", "STOP").await;
        let orphan = lose(&line, &due).await.remove(0);
        line.attempt(orphan).await;
        assert!(line.is("status = 'failed'").await);
        assert_eq!(line.calls(), 0);
    }

    pub(super) async fn two_processes_lost_with_one_message_do_not_make_a_third_send_it(house: House) {
        let mut line = Line::new(house).await;
        let due = line.text("m1", "nonsense").await;
        let orphan = lose(&line, &due).await.remove(0);
        let mark =
            MessageStep { note: Some(IN_DOUBT.to_owned()), ..step(orphan.message.id, MessageStatus::Submitting) };
        line.engine.note(orphan.message.subject, mark).await.unwrap();
        line.forward(TimeDelta::seconds(61));
        let again = line.claim_one().await;
        line.attempt(again).await;
        assert!(line.is("status = 'failed'").await);
        assert_eq!(line.calls(), 0);
    }

    pub(super) async fn nothing_made_before_stop_goes_out_after_it_but_the_answer_to_stop_does(house: House) {
        let mut line = Line::new(house).await;
        let before = line.text("m1", "nonsense").await;
        line.forward(TimeDelta::seconds(1));
        let stop = line.text("m2", "STOP").await;
        line.attempt(before).await;
        assert_eq!(line.calls(), 0);
        line.attempt(stop).await;
        assert_eq!(line.calls(), 1);
        line.forward(TimeDelta::seconds(1));
        let help = line.text("m3", "HELP").await;
        line.attempt(help).await;
        assert_eq!(line.calls(), 2);
    }

    pub(super) async fn a_stop_that_was_taken_back_does_not_revive_what_it_cancelled(house: House) {
        let mut line = Line::new(house).await;
        let before = line.text("m1", "nonsense").await;
        line.forward(TimeDelta::seconds(1));
        line.text("m2", "STOP").await;
        line.text("m3", "START").await;
        line.attempt(before).await;
        assert_eq!(line.calls(), 0);
    }

    pub(super) async fn what_waited_longer_than_it_is_worth_is_not_sent(house: House) {
        let mut line = Line::new(house).await;
        let _ = line.text("m1", "nonsense").await;
        line.forward(TimeDelta::minutes(31));
        let due = line.claim_one().await;
        line.attempt(due).await;
        assert!(line.is("status = 'expired'").await);
        assert_eq!(line.calls(), 0);
    }

    pub(super) async fn a_message_whose_lease_is_nearly_over_is_left_to_who_takes_it_next(house: House) {
        let mut line = Line::new(house).await;
        let due = line.text("m1", "nonsense").await;
        line.forward(TimeDelta::seconds(46));
        let lease_until = due.lease_until;
        let look_at = line.attempt(due).await;
        assert_eq!(look_at, Some(lease_until + TimeDelta::milliseconds(1)));
        assert!(line.is("status = 'queued'").await);
        assert_eq!(line.calls(), 0);
    }

    pub(super) async fn a_report_that_overtakes_our_own_note_is_not_lost(house: House) {
        let mut line = Line::new(house).await;
        let due = line.text("m1", "nonsense").await;
        let report = Reported::of("p0", MessageStatus::Delivered);
        let meanwhile = (line.engine.clone(), line.early.clone(), report);
        *line.carrier.meanwhile.lock().unwrap() = Some(meanwhile);
        line.attempt(due).await;
        assert!(line.is("status = 'delivered'").await);
        assert!(line.is("segments = 1").await);
    }

    pub(super) async fn a_running_sender_sends_fresh_messages_and_orphans_and_ends_when_told(house: House) {
        let mut line = Line::new(house).await;
        let orphan = line.text("m1", "nonsense").await;
        let _ = lose(&line, &orphan).await;
        line.forward(TimeDelta::seconds(61));
        let text = line.engine.receive(SenderId(1), "m2", PHONE, "HELP".to_owned());
        text.await.unwrap();
        let worker = Sender::new(line.engine.clone(), registry(&line.carrier), line.early.clone(), config());
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let running = tokio::spawn(worker.run(line.fresh, async {
            let _ = stopped.await;
        }));
        let open = "SELECT count(*) FROM outbox_message WHERE status <> 'submitted'";
        while line.house.number(open).await > 0 {
            tokio::task::yield_now().await;
        }
        stop.send(()).unwrap();
        running.await.unwrap();
        assert_eq!(line.carrier.got.lock().unwrap().len(), 2);
    }

    pub(super) async fn of_two_processes_that_claim_at_once_each_message_goes_to_one(house: House) {
        let mut line = Line::new(house).await;
        for n in 0..60 {
            let from = format!("+1202555{n:04}");
            let settled = line.engine.receive(SenderId(1), &from, &from, "HELP".to_owned());
            settled.await.unwrap();
        }
        line.fresh.close();
        line.forward(TimeDelta::seconds(61));
        let second = line.house.second().await;
        let claim = async |engine: &Engine| {
            let mut taken = Vec::new();
            loop {
                let some = engine.claim_due(SenderId(1), TimeDelta::seconds(60), 7).await.unwrap();
                if some.is_empty() {
                    return taken;
                }
                assert!(some.len() <= 7);
                taken.extend(some.into_iter().map(|due| due.message.id));
            }
        };
        let (mut all, rest) = tokio::join!(claim(&line.engine), claim(&second.engine));
        all.extend(rest);
        assert_eq!(all.len(), 60);
        assert_eq!(all.into_iter().collect::<HashSet<_>>().len(), 60);
    }
}
