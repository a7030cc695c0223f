//! Accounts that are broken, filters of networks, and processes that share a number.

use crate::harness::on_both;

on_both! {
    a_broken_account_is_told_of_until_a_message_goes_through,
    what_waits_for_a_broken_account_is_tried_again_without_counting,
    a_filtered_message_is_told_of_and_never_tried_again,
    a_filter_that_only_a_report_tells_of_is_told_of_too,
    a_refused_answer_to_help_is_told_of,
    processes_that_send_are_counted_until_they_leave_or_fall_silent,
    of_two_processes_that_send_at_once_each_message_goes_out_once,
}

mod bodies {
    use super::super::line::{Line, config, registry};
    use crate::harness::House;
    use chrono::TimeDelta;
    use codewell::config::{Allowance, SenderConfig};
    use codewell::domain::act::MessageStatus;
    use codewell::domain::ids::SenderId;
    use codewell::engine::{Engine, Reported};
    use codewell::sms::{Refused, SendError};
    use codewell::workers::sender::Sender;
    use std::collections::{BTreeMap, HashSet};
    use tokio::sync::{mpsc, oneshot};
    use tokio::task::JoinHandle;

    fn broken() -> SendError {
        SendError::Config { code: "20003".to_owned(), detail: "authenticate".to_owned() }
    }

    fn refused(class: Refused) -> SendError {
        SendError::Permanent { class, code: "30007".to_owned(), detail: "no".to_owned() }
    }

    fn about(kind: &str, times: i64) -> Vec<(String, String, i64)> {
        vec![(kind.to_owned(), "sender 12345".to_owned(), times)]
    }

    pub(super) async fn a_broken_account_is_told_of_until_a_message_goes_through(house: House) {
        let mut line = Line::new(house).await;
        line.will(broken());
        line.will(broken());
        for (key, words) in [("m1", "nonsense"), ("m2", "HELP")] {
            let due = line.text(key, words).await;
            line.attempt(due).await.unwrap();
        }
        assert_eq!(line.alerts().await, about("carrier_account", 2));
        line.forward(TimeDelta::seconds(60));
        for due in line.claim().await {
            line.attempt(due).await;
        }
        assert_eq!(line.alerts().await, []);
        assert_eq!(line.calls(), 4);
    }

    pub(super) async fn what_waits_for_a_broken_account_is_tried_again_without_counting(house: House) {
        let mut line = Line::new(house).await;
        let mut due = line.text("m1", "nonsense").await;
        for _ in 0..8 {
            line.will(broken());
            line.attempt(due).await.unwrap();
            line.forward(TimeDelta::seconds(60));
            due = line.claim_one().await;
        }
        assert_eq!(due.attempts, 0);
        line.attempt(due).await;
        assert!(line.is("status = 'submitted'").await);
    }

    pub(super) async fn a_filtered_message_is_told_of_and_never_tried_again(house: House) {
        let mut line = Line::new(house).await;
        let due = line.text("m1", "nonsense").await;
        line.will(refused(Refused::Filtered));
        assert_eq!(line.attempt(due).await, None);
        assert!(line.is("status = 'failed' AND is_open = 0").await);
        assert_eq!(line.alerts().await, about("message_refused", 1));
    }

    pub(super) async fn a_filter_that_only_a_report_tells_of_is_told_of_too(house: House) {
        let mut line = Line::new(house).await;
        let due = line.text("m1", "nonsense").await;
        line.attempt(due).await;
        let report = Reported {
            refused: Some(Refused::Filtered),
            note: Some("30007".to_owned()),
            ..Reported::of("p0", MessageStatus::Undelivered)
        };
        for _ in 0..3 {
            line.engine.report(&line.early, SenderId(1), report.clone()).await.unwrap();
        }
        assert!(line.is("status = 'undelivered'").await);
        assert_eq!(line.alerts().await, about("message_refused", 1), "a doubled report is told once");
    }

    pub(super) async fn a_refused_answer_to_help_is_told_of(house: House) {
        let mut line = Line::new(house).await;
        line.will(refused(Refused::InvalidRecipient));
        let due = line.text("m1", "HELP").await;
        line.attempt(due).await;
        assert_eq!(line.alerts().await, [], "a phone that takes no texts is nobody's mistake");
        line.will(refused(Refused::Other));
        let due = line.text_from("m2", "+12025550199", "HELP").await;
        line.attempt(due).await;
        assert_eq!(line.alerts().await, about("message_refused", 1));
    }

    pub(super) async fn processes_that_send_are_counted_until_they_leave_or_fall_silent(house: House) {
        let life = TimeDelta::seconds(30);
        let beat = async |process: u8| house.engine.beat([process; 16], life).await.unwrap();
        assert_eq!(beat(1).await, 1);
        assert_eq!(beat(2).await, 2);
        assert_eq!(beat(1).await, 2);
        house.engine.leave([2; 16]).await.unwrap();
        assert_eq!(beat(1).await, 1);
        assert_eq!(beat(3).await, 2);
        house.clock.forward(TimeDelta::seconds(31));
        assert_eq!(beat(3).await, 1);
    }

    /// A sender that runs until it is told to stop.
    fn run(sender: Sender, fresh: mpsc::UnboundedReceiver<codewell::domain::decision::changes::NewMessage>) -> Running {
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(sender.run(fresh, async {
            let _ = stopped.await;
        }));
        Running { stop, task }
    }

    struct Running {
        stop: oneshot::Sender<()>,
        task: JoinHandle<()>,
    }

    fn fast() -> SenderConfig {
        let allowance = Allowance { rate: Some(1000), ..Allowance::default() };
        SenderConfig { senders: BTreeMap::from([("12345".to_owned(), allowance)]), ..config() }
    }

    async fn text(engine: &Engine, people: std::ops::Range<usize>) {
        for n in people {
            let phone = format!("+1202555{n:04}");
            engine.receive(SenderId(1), &format!("m{n}"), &phone, "HELP".to_owned()).await.unwrap();
        }
    }

    pub(super) async fn of_two_processes_that_send_at_once_each_message_goes_out_once(house: House) {
        let mut line = Line::new(house).await;
        // These were committed by a process that is gone.
        text(&line.engine, 0..60).await;
        while line.fresh.try_recv().is_ok() {}
        line.forward(TimeDelta::seconds(61));
        let (second, committer, made) = Engine::new(line.engine.parts().clone()).await.unwrap();
        tokio::spawn(committer.run());
        let one = Sender::new(line.engine.clone(), registry(&line.carrier), line.early.clone(), fast());
        let two = Sender::new(second.clone(), registry(&line.carrier), line.early.clone(), fast());
        let running = [run(one, line.fresh), run(two, made)];
        tokio::join!(text(&line.engine, 100..160), text(&second, 200..260));
        let open = "SELECT count(*) FROM outbox_message WHERE status <> 'submitted'";
        while line.house.number(open).await > 0 {
            tokio::task::yield_now().await;
        }
        for Running { stop, task } in running {
            stop.send(()).unwrap();
            task.await.unwrap();
        }
        let got = line.carrier.got.lock().unwrap().clone();
        let phones: HashSet<_> = got.iter().map(|(to, _)| to.as_str()).collect();
        assert_eq!((got.len(), phones.len()), (180, 180));
        assert_eq!(line.house.number("SELECT count(*) FROM sending_process").await, 0, "both have left");
    }
}
