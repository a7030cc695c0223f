//! What becomes of a message in every kind of trouble, on both databases.

use crate::harness::on_both;

on_both! {
    a_message_is_handed_over_and_what_the_carrier_said_is_kept,
    a_passing_failure_is_tried_again_at_each_step_and_then_given_up,
    a_wait_the_carrier_asks_for_is_no_attempt,
    a_refusal_for_good_is_not_tried_again,
    a_reply_in_doubt_goes_out_once_more_and_never_a_third_time,
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

pub(crate) use bodies::config;

mod bodies {
    use crate::harness::{House, sender};
    use chrono::{DateTime, TimeDelta, Utc};
    use codewell::config::SenderConfig;
    use codewell::domain::act::{MessageStatus, MessageStep};
    use codewell::domain::decision::changes::NewMessage;
    use codewell::domain::ids::SenderId;
    use codewell::engine::{Due, EarlyReports, Engine, IN_DOUBT, Reported, step};
    use codewell::sms::{
        Accepted, Acknowledgement, Authentic, Event, Forged, Outgoing, Pace, Registry, SendError,
        SmsProvider, Unreadable, Webhook,
    };
    use codewell::workers::sender::Sender;
    use std::collections::{HashSet, VecDeque};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;
    use tokio::sync::mpsc;

    const PHONE: &str = "+12025550123";

    /// A carrier that answers what it was told to, then accepts, and writes down what it got.
    #[derive(Debug, Default)]
    struct Script {
        answers: Mutex<VecDeque<SendError>>,
        got: Mutex<Vec<(String, String)>>,
        /// Runs while the carrier holds the message.
        meanwhile: Mutex<Option<(Engine, EarlyReports, Reported)>>,
    }

    #[async_trait::async_trait]
    impl SmsProvider for Script {
        fn name(&self) -> &'static str {
            "simulator"
        }

        fn authenticate<'a>(
            &self,
            _: &'a Webhook<'a>,
            _: DateTime<Utc>,
        ) -> Result<Authentic<'a>, Forged> {
            Err(Forged::Unsigned)
        }

        fn parse(&self, _: Authentic<'_>) -> Result<Vec<Event>, Unreadable> {
            Ok(Vec::new())
        }

        fn acknowledge(&self) -> Acknowledgement {
            Acknowledgement {
                status: 204,
                content_type: None,
                body: "",
            }
        }

        fn pace(&self) -> Pace {
            Pace::PerSender
        }

        async fn send(&self, out: &Outgoing) -> Result<Accepted, SendError> {
            let to = out.to.expose().to_owned();
            self.got.lock().unwrap().push((to, out.body.clone()));
            let meanwhile = self.meanwhile.lock().unwrap().take();
            if let Some((engine, early, report)) = meanwhile {
                engine.report(&early, SenderId(1), report).await.unwrap();
            }
            if let Some(error) = self.answers.lock().unwrap().pop_front() {
                return Err(error);
            }
            Ok(Accepted {
                provider_id: format!("p{}", out.attempt),
                segments: out.segments,
            })
        }
    }

    /// A house whose one number is served by the scripted carrier.
    struct Line {
        house: House,
        engine: Engine,
        carrier: Arc<Script>,
        early: EarlyReports,
        sender: Sender,
        fresh: mpsc::UnboundedReceiver<NewMessage>,
    }

    impl Line {
        async fn new(house: House) -> Self {
            sender(&house).await;
            // The house keeps no messages; this engine, on the same database, hands them to us.
            let parts = house.engine.parts().clone();
            let (engine, committer, fresh) = Engine::new(parts).await.unwrap();
            tokio::spawn(committer.run());
            let carrier = Arc::new(Script::default());
            let early = EarlyReports::default();
            let sender = Sender::new(engine.clone(), registry(&carrier), early.clone(), config());
            Self {
                house,
                engine,
                carrier,
                early,
                sender,
                fresh,
            }
        }

        fn forward(&self, by: TimeDelta) {
            self.house.clock.forward(by);
        }

        /// A phone texts; the answer is not yet sent.
        async fn text(&mut self, key: &str, words: &str) -> Due {
            let settled = self
                .engine
                .receive(SenderId(1), key, PHONE, words.to_owned());
            settled.await.unwrap();
            let message = self.fresh.try_recv().expect("every text here is answered");
            self.sender.fresh(message)
        }

        async fn attempt(&self, due: Due) -> Option<DateTime<Utc>> {
            self.sender.attempt(due).await
        }

        async fn claim(&self) -> Vec<Due> {
            self.engine
                .claim_due(TimeDelta::seconds(60), 10)
                .await
                .unwrap()
        }

        /// The one message that is due.
        async fn claim_one(&self) -> Due {
            let mut due = self.claim().await;
            assert_eq!(due.len(), 1);
            due.remove(0)
        }

        fn calls(&self) -> usize {
            self.carrier.got.lock().unwrap().len()
        }

        fn will(&self, error: SendError) {
            self.carrier.answers.lock().unwrap().push_back(error);
        }

        /// Whether the first message's row is as this SQL says.
        async fn is(&self, what: &str) -> bool {
            let sql =
                format!("SELECT count(*) FROM outbox_message WHERE request_key = 'm1' AND {what}");
            self.house.number(&sql).await == 1
        }
    }

    fn registry(carrier: &Arc<Script>) -> Registry {
        Registry::new([Arc::clone(carrier) as Arc<dyn SmsProvider>])
    }

    pub(crate) fn config() -> SenderConfig {
        SenderConfig {
            in_flight: 4,
            lease: Duration::from_secs(60),
            retry_steps: vec![Duration::from_secs(5), Duration::from_secs(30)],
            rates: Vec::new(),
        }
    }

    fn transient() -> SendError {
        SendError::Transient {
            detail: "no connection".to_owned(),
        }
    }

    fn ambiguous() -> SendError {
        SendError::Ambiguous {
            detail: "connection lost".to_owned(),
        }
    }

    pub(super) async fn a_message_is_handed_over_and_what_the_carrier_said_is_kept(house: House) {
        let mut line = Line::new(house).await;
        let due = line.text("m1", "HELP").await;
        assert_eq!(line.attempt(due).await, None);
        let [(to, body)] = &line.carrier.got.lock().unwrap()[..] else {
            unreachable!("one message was handed over");
        };
        assert!(to == PHONE && body.starts_with("Acme: help at acme.example/help."));
        assert!(line.is("status = 'submitted'").await);
        assert!(line.is("provider_id = 'p0'").await);
        assert!(line.is("length(body_hash) = 32").await);
    }

    pub(super) async fn a_passing_failure_is_tried_again_at_each_step_and_then_given_up(
        house: House,
    ) {
        let mut line = Line::new(house).await;
        let due = line.text("m1", "nonsense").await;
        for _ in 0..3 {
            line.will(transient());
        }
        let start = line.engine.now();
        let first = line.attempt(due).await.unwrap();
        assert_eq!(first - start, TimeDelta::seconds(5));
        assert_eq!(line.claim().await, []);
        line.forward(TimeDelta::seconds(5));
        let [again] = &line.claim().await[..] else {
            unreachable!("one message is due");
        };
        let second = line.attempt(again.clone()).await.unwrap();
        assert_eq!(second - line.engine.now(), TimeDelta::seconds(30));
        line.forward(TimeDelta::seconds(30));
        let last = line.claim_one().await;
        assert_eq!(line.attempt(last).await, None);
        assert!(line.is("status = 'failed'").await);
        assert_eq!(line.calls(), 3);
    }

    pub(super) async fn a_wait_the_carrier_asks_for_is_no_attempt(house: House) {
        let mut line = Line::new(house).await;
        let mut due = line.text("m1", "nonsense").await;
        for _ in 0..5 {
            let retry_after = Duration::from_secs(7);
            line.will(SendError::Throttled { retry_after });
            let at = line.attempt(due).await.unwrap();
            assert_eq!(at - line.engine.now(), TimeDelta::seconds(7));
            line.forward(TimeDelta::seconds(7));
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
            code: "30006".to_owned(),
            detail: "landline".to_owned(),
        });
        assert_eq!(line.attempt(due).await, None);
        assert!(line.is("status = 'failed'").await);
        assert!(line.is("history LIKE '%30006 landline%'").await);
    }

    pub(super) async fn a_reply_in_doubt_goes_out_once_more_and_never_a_third_time(house: House) {
        let mut line = Line::new(house).await;
        let due = line.text("m1", "nonsense").await;
        line.will(ambiguous());
        line.will(ambiguous());
        line.attempt(due).await.unwrap();
        line.forward(TimeDelta::seconds(60));
        let again = line.claim_one().await;
        assert_eq!(line.attempt(again).await, None);
        line.forward(TimeDelta::seconds(120));
        assert_eq!(line.claim().await, []);
        assert!(line.is("status = 'failed'").await);
        assert_eq!(line.calls(), 2);
    }

    pub(super) async fn an_answer_to_stop_in_doubt_is_not_sent_again(house: House) {
        let mut line = Line::new(house).await;
        let due = line.text("m1", "STOP").await;
        line.will(ambiguous());
        assert_eq!(line.attempt(due).await, None);
        assert!(line.is("status = 'failed'").await);
        assert_eq!(line.calls(), 1);
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

    pub(super) async fn two_processes_lost_with_one_message_do_not_make_a_third_send_it(
        house: House,
    ) {
        let mut line = Line::new(house).await;
        let due = line.text("m1", "nonsense").await;
        let orphan = lose(&line, &due).await.remove(0);
        let mark = MessageStep {
            note: Some(IN_DOUBT.to_owned()),
            ..step(orphan.message.id, MessageStatus::Submitting)
        };
        line.engine
            .note(orphan.message.subject, mark)
            .await
            .unwrap();
        line.forward(TimeDelta::seconds(61));
        let again = line.claim_one().await;
        line.attempt(again).await;
        assert!(line.is("status = 'failed'").await);
        assert_eq!(line.calls(), 0);
    }

    pub(super) async fn nothing_made_before_stop_goes_out_after_it_but_the_answer_to_stop_does(
        house: House,
    ) {
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
        assert!(line.is("status = 'failed'").await);
        assert_eq!(line.calls(), 0);
    }

    pub(super) async fn a_message_whose_lease_is_nearly_over_is_left_to_who_takes_it_next(
        house: House,
    ) {
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
        let report = Reported {
            provider_id: "p0".to_owned(),
            status: MessageStatus::Delivered,
            note: None,
        };
        let meanwhile = (line.engine.clone(), line.early.clone(), report);
        *line.carrier.meanwhile.lock().unwrap() = Some(meanwhile);
        line.attempt(due).await;
        assert!(line.is("status = 'delivered'").await);
        assert!(line.is("segments = 1").await);
    }

    pub(super) async fn a_running_sender_sends_fresh_messages_and_orphans_and_ends_when_told(
        house: House,
    ) {
        let mut line = Line::new(house).await;
        let orphan = line.text("m1", "nonsense").await;
        let _ = lose(&line, &orphan).await;
        line.forward(TimeDelta::seconds(61));
        let text = line
            .engine
            .receive(SenderId(1), "m2", PHONE, "HELP".to_owned());
        text.await.unwrap();
        let worker = Sender::new(
            line.engine.clone(),
            registry(&line.carrier),
            line.early.clone(),
            config(),
        );
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
            let settled = line
                .engine
                .receive(SenderId(1), &from, &from, "HELP".to_owned());
            settled.await.unwrap();
        }
        line.fresh.close();
        line.forward(TimeDelta::seconds(61));
        let second = line.house.second().await;
        let claim = async |engine: &Engine| {
            let mut taken = Vec::new();
            loop {
                let some = engine.claim_due(TimeDelta::seconds(60), 7).await.unwrap();
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
