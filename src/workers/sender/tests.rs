#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use super::*;
use crate::domain::act::MessageStatus;
use crate::domain::catalog::Limits;
use crate::domain::keyring::Keys;
use crate::domain::secret::Secret;
use crate::engine::{Clock, Faults, Parts, Reported, Sizes};
use crate::sms::{
    Accepted, Acknowledgement, Authentic, Event, Forged, Outgoing, Pace, SendError, SmsProvider,
    Unreadable, Webhook,
};
use crate::store::{Options, Store};
use sea_orm::ConnectionTrait as _;
use std::collections::VecDeque;
use std::sync::Mutex;

const PHONE: &str = "+12025550123";

/// A clock that tests move.
#[derive(Debug)]
struct Hand(Mutex<DateTime<Utc>>);

impl Hand {
    fn forward(&self, by: TimeDelta) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for Hand {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

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
        "script"
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

struct House {
    engine: Engine,
    clock: Arc<Hand>,
    carrier: Arc<Script>,
    early: EarlyReports,
    sender: Sender,
    fresh: mpsc::UnboundedReceiver<NewMessage>,
    _dir: tempfile::TempDir,
}

impl House {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = Options {
            url: format!("sqlite:{}", dir.path().join("test.db").display()),
            readers: 2,
            acquire: Duration::from_secs(5),
        };
        let store = Store::connect(&options).await.unwrap();
        store.migrate().await.unwrap();
        let document =
            r#"{"address":"12345","carrier":"script","brand":"Acme","help":"acme.example/help"}"#;
        let sender = format!(
            "INSERT INTO sender (sender_id, address, carrier, brand, document)
             VALUES (1, '12345', 'script', 'Acme', '{document}')"
        );
        store.write().execute_unprepared(&sender).await.unwrap();
        let start = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        let clock = Arc::new(Hand(Mutex::new(start)));
        let (engine, committer, fresh) = Engine::new(parts(store, Arc::clone(&clock) as _))
            .await
            .unwrap();
        tokio::spawn(committer.run());
        let carrier = Arc::new(Script::default());
        let early = EarlyReports::default();
        let registry = Registry::new([Arc::clone(&carrier) as Arc<dyn SmsProvider>]);
        let sender = Sender::new(engine.clone(), registry, early.clone(), config());
        Self {
            engine,
            clock,
            carrier,
            early,
            sender,
            fresh,
            _dir: dir,
        }
    }

    /// A phone texts; the answer is not yet sent.
    async fn text(&mut self, key: &str, words: &str) -> Due {
        let sender = SenderId(1);
        let settled = self.engine.receive(sender, key, PHONE, words.to_owned());
        settled.await.unwrap();
        let message = self.fresh.try_recv().expect("every text here is answered");
        self.sender.hands.fresh(message)
    }

    async fn attempt(&self, due: Due) -> Option<DateTime<Utc>> {
        self.sender.hands.attempt(due).await
    }

    async fn claim(&self) -> Vec<Due> {
        let lease = self.sender.hands.lease();
        self.engine.claim_due(lease, 10).await.unwrap()
    }

    fn calls(&self) -> usize {
        self.carrier.got.lock().unwrap().len()
    }

    fn will(&self, error: SendError) {
        self.carrier.answers.lock().unwrap().push_back(error);
    }

    async fn column(&self, column: &str) -> String {
        let sql = format!("SELECT CAST({column} AS TEXT) AS it FROM outbox_message");
        let db = self.engine.parts().store.read();
        let statement = sea_orm::Statement::from_string(db.get_database_backend(), sql);
        let rows = db.query_all_raw(statement).await.unwrap();
        let cells = rows
            .iter()
            .map(|row| row.try_get::<Option<String>>("", "it").unwrap());
        cells
            .map(Option::unwrap_or_default)
            .collect::<Vec<_>>()
            .join(",")
    }
}

fn parts(store: Store, clock: Arc<dyn Clock>) -> Parts {
    Parts {
        store,
        keys: Arc::new(Keys::from_root(&Secret::new([3; 32]))),
        clock,
        public_url: "http://127.0.0.1:8080".to_owned(),
        sizes: Sizes {
            batch: 256,
            backlog_batch: 512,
            queue: 1000,
            replays: 100,
            lease_ms: 60_000,
            limits: Limits::default(),
        },
        faults: Faults::default(),
    }
}

fn config() -> SenderConfig {
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

#[tokio::test]
async fn a_message_is_handed_over_and_what_the_carrier_said_is_kept() {
    let mut house = House::new().await;
    let due = house.text("m1", "HELP").await;
    assert_eq!(house.attempt(due).await, None);
    let [(to, body)] = &house.carrier.got.lock().unwrap()[..] else {
        unreachable!("one message was handed over");
    };
    assert!(to == PHONE && body.starts_with("Acme: help at acme.example/help."));
    assert_eq!(house.column("status").await, "submitted");
    assert_eq!(house.column("provider_id").await, "p0");
    assert_eq!(house.column("length(body_hash)").await, "32");
}

#[tokio::test]
async fn a_passing_failure_is_tried_again_at_each_step_and_then_given_up() {
    let mut house = House::new().await;
    let due = house.text("m1", "nonsense").await;
    for _ in 0..3 {
        house.will(transient());
    }
    let start = house.engine.now();
    let first = house.attempt(due).await.unwrap();
    assert_eq!(first - start, TimeDelta::seconds(5));
    assert_eq!(house.claim().await, []);
    house.clock.forward(TimeDelta::seconds(5));
    let [again] = &house.claim().await[..] else {
        unreachable!("one message is due");
    };
    let second = house.attempt(again.clone()).await.unwrap();
    assert_eq!(second - house.engine.now(), TimeDelta::seconds(30));
    house.clock.forward(TimeDelta::seconds(30));
    let last = house.claim().await.remove(0);
    assert_eq!(house.attempt(last).await, None);
    assert_eq!(
        (house.column("status").await.as_str(), house.calls()),
        ("failed", 3)
    );
}

#[tokio::test]
async fn a_wait_the_carrier_asks_for_is_no_attempt() {
    let mut house = House::new().await;
    let mut due = house.text("m1", "nonsense").await;
    for _ in 0..5 {
        let retry_after = Duration::from_secs(7);
        house.will(SendError::Throttled { retry_after });
        let at = house.attempt(due).await.unwrap();
        assert_eq!(at - house.engine.now(), TimeDelta::seconds(7));
        house.clock.forward(TimeDelta::seconds(7));
        due = house.claim().await.remove(0);
    }
    assert_eq!(due.attempts, 0);
    house.attempt(due).await;
    assert_eq!(house.column("status").await, "submitted");
}

#[tokio::test]
async fn a_refusal_for_good_is_not_tried_again() {
    let mut house = House::new().await;
    let due = house.text("m1", "nonsense").await;
    house.will(SendError::Permanent {
        code: "30006".to_owned(),
        detail: "landline".to_owned(),
    });
    assert_eq!(house.attempt(due).await, None);
    assert_eq!(house.column("status").await, "failed");
    assert!(house.column("history").await.contains("30006 landline"));
}

#[tokio::test]
async fn a_reply_in_doubt_goes_out_once_more_and_never_a_third_time() {
    let mut house = House::new().await;
    let due = house.text("m1", "nonsense").await;
    house.will(ambiguous());
    house.will(ambiguous());
    house.attempt(due).await.unwrap();
    house.clock.forward(TimeDelta::seconds(60));
    let again = house.claim().await.remove(0);
    assert_eq!(house.attempt(again).await, None);
    house.clock.forward(TimeDelta::seconds(120));
    assert_eq!(house.claim().await, []);
    assert_eq!(
        (house.column("status").await.as_str(), house.calls()),
        ("failed", 2)
    );
}

#[tokio::test]
async fn an_answer_to_stop_in_doubt_is_not_sent_again() {
    let mut house = House::new().await;
    let due = house.text("m1", "STOP").await;
    house.will(ambiguous());
    assert_eq!(house.attempt(due).await, None);
    assert_eq!(
        (house.column("status").await.as_str(), house.calls()),
        ("failed", 1)
    );
}

/// The process is lost between its mark and the carrier's answer.
async fn lose(house: &House, due: &Due) -> Vec<Due> {
    let mark = crate::engine::step(due.message.id, MessageStatus::Submitting);
    house.engine.note(due.message.subject, mark).await.unwrap();
    house.clock.forward(TimeDelta::seconds(61));
    house.claim().await
}

#[tokio::test]
async fn what_a_lost_process_may_have_sent_goes_out_once_more_unless_it_answers_stop() {
    for (words, calls, status) in [("nonsense", 1, "submitted"), ("STOP", 0, "failed")] {
        let mut house = House::new().await;
        let due = house.text("m1", words).await;
        let orphan = lose(&house, &due).await.remove(0);
        assert_eq!(orphan.status, MessageStatus::Submitting);
        house.attempt(orphan).await;
        assert_eq!(
            (house.column("status").await.as_str(), house.calls()),
            (status, calls),
            "{words}"
        );
    }
}

#[tokio::test]
async fn two_processes_lost_with_one_message_do_not_make_a_third_send_it() {
    let mut house = House::new().await;
    let due = house.text("m1", "nonsense").await;
    let orphan = lose(&house, &due).await.remove(0);
    let mark = crate::domain::act::MessageStep {
        note: Some(crate::engine::IN_DOUBT.to_owned()),
        ..crate::engine::step(orphan.message.id, MessageStatus::Submitting)
    };
    house
        .engine
        .note(orphan.message.subject, mark)
        .await
        .unwrap();
    house.clock.forward(TimeDelta::seconds(61));
    let again = house.claim().await.remove(0);
    house.attempt(again).await;
    assert_eq!(
        (house.column("status").await.as_str(), house.calls()),
        ("failed", 0)
    );
}

#[tokio::test]
async fn nothing_made_before_stop_goes_out_after_it_but_the_answer_to_stop_does() {
    let mut house = House::new().await;
    let before = house.text("m1", "nonsense").await;
    house.clock.forward(TimeDelta::seconds(1));
    let stop = house.text("m2", "STOP").await;
    house.attempt(before).await;
    assert_eq!(house.calls(), 0);
    house.attempt(stop).await;
    assert_eq!(house.calls(), 1);
    house.clock.forward(TimeDelta::seconds(1));
    let help = house.text("m3", "HELP").await;
    house.attempt(help).await;
    assert_eq!(house.calls(), 2);
}

#[tokio::test]
async fn a_stop_that_was_taken_back_does_not_revive_what_it_cancelled() {
    let mut house = House::new().await;
    let before = house.text("m1", "nonsense").await;
    house.clock.forward(TimeDelta::seconds(1));
    house.text("m2", "STOP").await;
    house.text("m3", "START").await;
    house.attempt(before).await;
    assert_eq!(house.calls(), 0);
}

#[tokio::test]
async fn what_waited_longer_than_it_is_worth_is_not_sent() {
    let mut house = House::new().await;
    let _ = house.text("m1", "nonsense").await;
    house.clock.forward(TimeDelta::minutes(31));
    let due = house.claim().await.remove(0);
    house.attempt(due).await;
    assert_eq!(
        (house.column("status").await.as_str(), house.calls()),
        ("failed", 0)
    );
}

#[tokio::test]
async fn a_message_whose_lease_is_nearly_over_is_left_to_who_takes_it_next() {
    let mut house = House::new().await;
    let due = house.text("m1", "nonsense").await;
    house.clock.forward(TimeDelta::seconds(46));
    let lease_until = due.lease_until;
    let look_at = house.attempt(due).await;
    assert_eq!(look_at, Some(lease_until + TimeDelta::milliseconds(1)));
    assert_eq!(
        (house.column("status").await.as_str(), house.calls()),
        ("queued", 0)
    );
}

#[tokio::test]
async fn a_report_that_overtakes_our_own_note_is_not_lost() {
    let mut house = House::new().await;
    let due = house.text("m1", "nonsense").await;
    let report = Reported {
        provider_id: "p0".to_owned(),
        status: MessageStatus::Delivered,
        note: None,
    };
    let meanwhile = (house.engine.clone(), house.early.clone(), report);
    *house.carrier.meanwhile.lock().unwrap() = Some(meanwhile);
    house.attempt(due).await;
    assert_eq!(house.column("status").await, "delivered");
    assert_eq!(house.column("segments").await, "1");
}

#[tokio::test]
async fn a_running_sender_sends_fresh_messages_and_orphans_and_ends_when_told() {
    let mut house = House::new().await;
    let orphan = house.text("m1", "HELP").await;
    let _ = lose(&house, &orphan).await;
    house.clock.forward(TimeDelta::seconds(61));
    let sender = SenderId(1);
    house
        .engine
        .receive(sender, "m2", PHONE, "nonsense".to_owned())
        .await
        .unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let engine = house.engine.clone();
    let registry = Registry::new([Arc::clone(&house.carrier) as Arc<dyn SmsProvider>]);
    let worker = Sender::new(engine, registry, house.early.clone(), config());
    let running = tokio::spawn(worker.run(house.fresh, async {
        let _ = stopped.await;
    }));
    // Both end: the orphan as failed (nobody knows whether HELP was answered), the fresh one as submitted.
    let sql = "SELECT count(*) AS n FROM outbox_message WHERE is_open = 0";
    let db = house.engine.parts().store.read();
    loop {
        let statement = sea_orm::Statement::from_string(db.get_database_backend(), sql);
        let row = db.query_one_raw(statement).await.unwrap().unwrap();
        if row.try_get::<i64>("", "n").unwrap() == 2 {
            break;
        }
        tokio::task::yield_now().await;
    }
    stop.send(()).unwrap();
    running.await.unwrap();
    assert_eq!(house.carrier.got.lock().unwrap().len(), 1);
}
