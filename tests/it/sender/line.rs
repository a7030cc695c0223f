//! A house whose one number is served by a carrier that answers what it was told to.

use crate::harness::{House, sender};
use chrono::{DateTime, TimeDelta, Utc};
use codewell::config::SenderConfig;
use codewell::domain::decision::changes::NewMessage;
use codewell::domain::ids::SenderId;
use codewell::domain::phone::SenderAddress;
use codewell::engine::{Due, EarlyReports, Engine, Reported, Which};
use codewell::sms::{
    Accepted, Acknowledgement, Authentic, Event, Finding, Forged, Hooks, Inbound, Lookup, Outgoing, Pace, Registry,
    SendError, SmsProvider, Unreadable, Webhook,
};
use codewell::workers::sender::Sender;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::mpsc;

pub(super) const PHONE: &str = "+12025550123";

/// A carrier that answers what it was told to, then accepts, and writes down what it got.
#[derive(Debug, Default)]
pub(super) struct Script {
    pub(super) answers: Mutex<VecDeque<SendError>>,
    /// What it says when asked about a message in doubt; then that it cannot say.
    pub(super) lookups: Mutex<VecDeque<Result<Lookup, SendError>>>,
    /// The times of the hand-overs that it was asked about.
    pub(super) asked: Mutex<Vec<DateTime<Utc>>>,
    /// What a look at the account finds.
    pub(super) findings: Mutex<Vec<Finding>>,
    pub(super) got: Mutex<Vec<(String, String)>>,
    /// Runs while the carrier holds the message.
    pub(super) meanwhile: Mutex<Option<(Engine, EarlyReports, Reported)>>,
}

#[async_trait::async_trait]
impl SmsProvider for Script {
    fn name(&self) -> &'static str {
        "simulator"
    }

    fn authenticate<'a>(&self, _: &'a Webhook<'a>, _: DateTime<Utc>) -> Result<Authentic<'a>, Forged> {
        Err(Forged::Unsigned)
    }

    fn parse(&self, _: Authentic<'_>) -> Result<Vec<Event>, Unreadable> {
        Ok(Vec::new())
    }

    fn acknowledge(&self) -> Acknowledgement {
        Acknowledgement { status: 204, content_type: None, body: "" }
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
        Ok(Accepted { provider_id: Some(format!("p{}", out.attempt)), segments: out.segments })
    }

    async fn lookup(&self, out: &Outgoing) -> Result<Lookup, SendError> {
        self.asked.lock().unwrap().push(out.at);
        self.lookups.lock().unwrap().pop_front().unwrap_or(Ok(Lookup::CannotSay))
    }

    async fn pull(&self, _: &SenderAddress, _: DateTime<Utc>) -> Result<Option<Vec<Inbound>>, SendError> {
        Ok(None)
    }

    async fn check(&self, _: &SenderAddress, _: &Hooks) -> Vec<Finding> {
        self.findings.lock().unwrap().clone()
    }
}

/// A house whose one number is served by the scripted carrier.
pub(super) struct Line {
    pub(super) house: House,
    pub(super) engine: Engine,
    pub(super) carrier: Arc<Script>,
    pub(super) early: EarlyReports,
    pub(super) sender: Sender,
    pub(super) fresh: mpsc::UnboundedReceiver<NewMessage>,
}

impl Line {
    pub(super) async fn new(house: House) -> Self {
        sender(&house).await;
        // The house keeps no messages; this engine, on the same database, hands them to us.
        let parts = house.engine.parts().clone();
        let (engine, committer, fresh) = Engine::new(parts).await.unwrap();
        tokio::spawn(committer.run());
        let carrier = Arc::new(Script::default());
        let early = EarlyReports::default();
        let sender = Sender::new(engine.clone(), registry(&carrier), early.clone(), config());
        Self { house, engine, carrier, early, sender, fresh }
    }

    pub(super) fn forward(&self, by: TimeDelta) {
        self.house.clock.forward(by);
    }

    /// A phone texts; the answer is not yet sent.
    pub(super) async fn text(&mut self, key: &str, words: &str) -> Due {
        self.text_from(key, PHONE, words).await
    }

    /// The same from another phone.
    pub(super) async fn text_from(&mut self, key: &str, phone: &str, words: &str) -> Due {
        let settled = self.engine.receive(SenderId(1), key, phone, words.to_owned());
        settled.await.unwrap();
        let message = self.fresh.try_recv().expect("every text here is answered");
        self.sender.fresh(message)
    }

    pub(super) async fn attempt(&self, due: Due) -> Option<DateTime<Utc>> {
        self.sender.attempt(due).await
    }

    pub(super) async fn claim(&self) -> Vec<Due> {
        self.engine.claim_due(SenderId(1), TimeDelta::seconds(60), 10).await.unwrap()
    }

    /// The same with another configuration.
    pub(super) fn configure(&mut self, config: SenderConfig) {
        self.sender = Sender::new(self.engine.clone(), registry(&self.carrier), self.early.clone(), config);
    }

    /// The one message that is due.
    pub(super) async fn claim_one(&self) -> Due {
        let mut due = self.claim().await;
        assert_eq!(due.len(), 1);
        due.remove(0)
    }

    pub(super) fn calls(&self) -> usize {
        self.carrier.got.lock().unwrap().len()
    }

    pub(super) fn looks_up(&self, answer: Result<Lookup, SendError>) {
        self.carrier.lookups.lock().unwrap().push_back(answer);
    }

    /// The open alerts as kind, about and how often.
    pub(super) async fn alerts(&self) -> Vec<(String, String, i64)> {
        let open = self.engine.alerts(Which::Open, 10).await.unwrap();
        open.into_iter().map(|alert| (alert.kind, alert.about, alert.times)).collect()
    }

    pub(super) fn will(&self, error: SendError) {
        self.carrier.answers.lock().unwrap().push_back(error);
    }

    /// Whether the first message's row is as this SQL says.
    pub(super) async fn is(&self, what: &str) -> bool {
        let sql = format!("SELECT count(*) FROM outbox_message WHERE request_key = 'm1' AND {what}");
        self.house.number(&sql).await == 1
    }
}

pub(super) fn registry(carrier: &Arc<Script>) -> Registry {
    Registry::new([Arc::clone(carrier) as Arc<dyn SmsProvider>])
}

pub(crate) fn config() -> SenderConfig {
    SenderConfig {
        in_flight: 4,
        lease: Duration::from_mins(1),
        retry_steps: [1, 5, 30, 120, 600].map(Duration::from_secs).to_vec(),
        countries: Vec::new(),
        price: 0,
        prices: BTreeMap::new(),
        senders: BTreeMap::new(),
        accounts: BTreeMap::new(),
    }
}

pub(super) fn transient() -> SendError {
    SendError::Transient { detail: "no connection".to_owned() }
}

pub(super) fn ambiguous() -> SendError {
    SendError::Ambiguous { detail: "connection lost".to_owned() }
}
