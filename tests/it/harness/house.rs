//! A whole house for a test: a database of its own, an engine, a clock that the test moves.

use super::pg::Cluster;
use chrono::{DateTime, Duration, TimeZone, Utc};
use codewell::domain::act::{Act, Ask, Deliver, Who};
use codewell::domain::campaign::{Attribution, Channel};
use codewell::domain::catalog::Limits;
use codewell::domain::ids::{CampaignId, RequestId, SenderId, millis};
use codewell::domain::keyring::Keys;
use codewell::domain::phone::PhoneNumber;
use codewell::domain::secret::Secret;
use codewell::engine::{Clock, Engine, EngineError, Faults, Parts, Settled, Sizes, draw, fingerprint};
use codewell::redemption::Registry;
use codewell::store::{Options, Store};
use sea_orm::ConnectionTrait;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// The sizes of an engine of tests; few answers are kept, so that most replays come from the database.
fn sizes() -> Sizes {
    Sizes { batch: 256, backlog_batch: 512, queue: 32_768, replays: 100, lease_ms: 60_000, limits: Limits::default() }
}

/// Which database a test runs on.
#[derive(Debug, Clone, Copy)]
pub(crate) enum On {
    Sqlite,
    Postgres,
}

/// A clock that stands until the test moves it.
#[derive(Debug, Clone)]
pub(crate) struct TestClock(Arc<AtomicI64>);

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        codewell::domain::ids::from_millis(self.0.load(Ordering::SeqCst))
    }
}

impl TestClock {
    pub(crate) fn set(&self, at: DateTime<Utc>) {
        self.0.store(millis(at), Ordering::SeqCst);
    }

    pub(crate) fn forward(&self, by: Duration) {
        self.0.fetch_add(by.num_milliseconds(), Ordering::SeqCst);
    }
}

/// An engine on a database that nobody else uses.
#[derive(Debug, Clone)]
pub(crate) struct House {
    pub(crate) engine: Engine,
    pub(crate) store: Store,
    pub(crate) clock: TestClock,
    #[cfg_attr(not(feature = "faults"), expect(dead_code, reason = "there is nothing to arm"))]
    pub(crate) faults: Faults,
    url: String,
    keys: Arc<Keys>,
    asked: Arc<AtomicU64>,
    dir: Arc<tempfile::TempDir>,
}

impl House {
    /// A fresh house, or `None` where there is no such database to be had.
    pub(crate) async fn open(on: On) -> Option<Self> {
        Some(match on {
            On::Sqlite => Self::at(None).await,
            On::Postgres => Self::at(Some(Cluster::shared()?.create_database().await)).await,
        })
    }

    /// A fresh house on that empty database; on SQLite without one.
    pub(crate) async fn at(url: Option<String>) -> Self {
        let dir = Arc::new(tempfile::tempdir().expect("a directory can be made"));
        let url = url.unwrap_or_else(|| format!("sqlite:{}", dir.path().join("codewell.db").display()));
        let clock = TestClock(Arc::default());
        clock.set(Utc.with_ymd_and_hms(2026, 11, 20, 16, 0, 0).unwrap());
        let keys = Arc::new(Keys::from_root(&Secret::new([7; 32])));
        Self::start(url, clock, keys, dir, sizes(), Registry::default()).await
    }

    /// Another process on the same database: its own connections, its own committer.
    pub(crate) async fn second(&self) -> Self {
        self.second_of(sizes()).await
    }

    /// Another process, that lives with other systems.
    pub(crate) async fn living_with(&self, peers: Registry) -> Self {
        let (url, clock, keys) = (self.url.clone(), self.clock.clone(), Arc::clone(&self.keys));
        Self::start(url, clock, keys, Arc::clone(&self.dir), sizes(), peers).await
    }

    /// Another process, of another size.
    pub(crate) async fn second_of(&self, sizes: Sizes) -> Self {
        let (url, clock, keys) = (self.url.clone(), self.clock.clone(), Arc::clone(&self.keys));
        let peers = self.engine.parts().peers.clone();
        let mut second = Self::start(url, clock, keys, Arc::clone(&self.dir), sizes, peers).await;
        second.asked = Arc::clone(&self.asked);
        second
    }

    async fn start(
        url: String,
        clock: TestClock,
        keys: Arc<Keys>,
        dir: Arc<tempfile::TempDir>,
        sizes: Sizes,
        peers: Registry,
    ) -> Self {
        let options = Options { readers: 4, acquire: std::time::Duration::from_secs(20), ..Options::new(url.clone()) };
        let store = Store::connect(&options).await.expect("the database can be opened");
        store.migrate().await.expect("the tables can be made");
        let faults = Faults::default();
        let parts = Parts {
            store: store.clone(),
            keys: Arc::clone(&keys),
            clock: Arc::new(clock.clone()),
            public_url: "https://coupons.acme.example".to_owned(),
            carriers: vec!["simulator".to_owned(), "twilio".to_owned()],
            sizes,
            faults: faults.clone(),
            peers,
        };
        let (engine, committer, _) = Engine::new(parts).await.expect("the engine can be built");
        tokio::spawn(committer.run());
        Self { engine, store, clock, faults, url, keys, asked: Arc::default(), dir }
    }

    /// Runs plain SQL, as a planted breach or a fixture.
    pub(crate) async fn sql(&self, sql: &str) {
        self.store.write().execute_unprepared(sql).await.expect("the statement runs");
    }

    /// One number that SQL answers with.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let statement = sea_orm::Statement::from_string(self.store.read().get_database_backend(), sql);
        let row = self.store.read().query_one_raw(statement).await.expect("the query runs").expect("there is a row");
        row.try_get_by_index(0).expect("it is a number")
    }

    /// Asks for a code of a campaign for somebody, under a key of its own.
    pub(crate) async fn issue(&self, campaign: u32, phone: u64) -> Result<Settled, EngineError> {
        self.issue_as(campaign, phone, self.key()).await
    }

    /// A request key that nobody used.
    pub(crate) fn key(&self) -> String {
        format!("k{}", self.asked.fetch_add(1, Ordering::SeqCst))
    }

    /// Asks for a code under a given key.
    pub(crate) async fn issue_as(&self, campaign: u32, phone: u64, key: String) -> Result<Settled, EngineError> {
        self.engine.settle(self.act(campaign, phone, key)).await
    }

    /// The act of asking for a code.
    pub(crate) fn act(&self, campaign: u32, phone: u64, key: String) -> Act {
        let from = Attribution::by(Channel::Api);
        self.act_from(campaign, phone, key, from)
    }

    /// The act of asking for a code from somewhere.
    pub(crate) fn act_from(&self, campaign: u32, phone: u64, key: String, from: Attribution) -> Act {
        let request = RequestId { door: "engine".to_owned(), key };
        let print = fingerprint(&[&campaign.to_be_bytes(), &phone.to_be_bytes()]);
        let partner = from.partner.map(|by| by.id);
        let ask = Ask::Issue(CampaignId(campaign), from, Deliver::Here);
        Act { partner, ..Act::new(draw(), request, print, Some(self.who(phone)), ask) }
    }

    /// The person with a number.
    pub(crate) fn who(&self, phone: u64) -> Who {
        let phone = PhoneNumber::from_e164(&format!("+1{}", 2_020_000_000 + phone)).expect("a number");
        self.engine.who(&phone)
    }

    /// A text from somebody to sender 1.
    pub(crate) async fn text(&self, phone: u64, words: &str) -> Result<Settled, EngineError> {
        let id = format!("SM{}", self.asked.fetch_add(1, Ordering::SeqCst));
        let from = format!("+1{}", 2_020_000_000 + phone);
        self.engine.receive(SenderId(1), &id, &from, words.to_owned()).await
    }
}

/// Runs one async test body on both databases; the second is skipped, by name, where it cannot be had.
macro_rules! on_both {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$meta])*
        mod $name {
            use crate::harness::{House, On, skip};

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                let house = House::open(On::Sqlite).await.expect("SQLite is built in");
                super::bodies::$name(house).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgresql() {
                match House::open(On::Postgres).await {
                    Some(house) => super::bodies::$name(house).await,
                    None => skip("postgresql"),
                }
            }
        }
    )+};
}
pub(crate) use on_both;

impl House {
    /// Proves the ledger from the tables alone.
    pub(crate) async fn audited(&self) {
        let report = codewell::store::audit::audit(self.store.read(), &mut |_| {}).await.expect("the audit runs");
        let broken: Vec<_> = report.checks.iter().filter(|check| !check.breaches.is_empty()).collect();
        assert!(report.is_clean(), "the audit found: {broken:?}");
    }

    /// Changes the configuration as people do: alone in the queue, in one transaction that first locks `campaign`;
    /// returns when it is acknowledged.
    pub(crate) async fn change(&self, campaign: u32, statements: &[String]) {
        let turn = self.engine.turn().await.expect("the committer runs");
        let tx = self.store.begin_change().await.expect("a change can begin");
        let lock = format!("UPDATE campaign SET version = version + 1 WHERE campaign_id = {campaign}");
        let version = format!(
            "INSERT INTO campaign_version SELECT campaign_id, version + 1, status, document, {} FROM campaign_version
             WHERE campaign_id = {campaign} AND version = (SELECT version - 1 FROM campaign WHERE campaign_id = {campaign})",
            millis(self.clock.now())
        );
        let all = "UPDATE catalog SET version = version + 1".to_owned();
        let status = format!(
            "UPDATE campaign_version SET status = (SELECT status FROM campaign WHERE campaign_id = {campaign})
             WHERE campaign_id = {campaign} AND version = (SELECT version FROM campaign WHERE campaign_id = {campaign})"
        );
        let before = [lock, version];
        for statement in before.iter().chain(statements).chain([&status, &all]) {
            tx.execute_unprepared(statement).await.expect("the change is written");
        }
        tx.commit().await.expect("it is committed");
        drop(turn);
    }

    /// Waits until some writer of this database waits for a lock; SQLite does not tell, so there nothing is waited for.
    #[cfg(feature = "faults")]
    pub(crate) async fn until_somebody_waits(&self) {
        if !self.store.locks_rows() {
            return;
        }
        let waiting =
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let mut looks = 0;
        while self.number(waiting).await == 0 {
            looks += 1;
            assert!(looks < 20_000, "nobody came to wait for a lock");
        }
    }

    /// Pauses a campaign as people do; returns when it is acknowledged.
    pub(crate) async fn pause(&self, campaign: u32) {
        let paused = format!("UPDATE campaign SET status = 'paused' WHERE campaign_id = {campaign}");
        self.change(campaign, &[paused]).await;
    }
}
