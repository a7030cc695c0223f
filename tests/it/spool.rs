//! Webhooks while nothing can be committed: acknowledged from disk, settled once and in order afterwards.

use crate::crash::blocking;
use crate::harness::{House, campaign, on_both, pg::Cluster, pg::Fsync, sender, skip};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use codewell::domain::ids::SenderId;
use codewell::domain::secret::Secret;
use codewell::engine::{Clock as _, EarlyReports, Engine, Received, Sizes, Taken, Turn};
use codewell::http::simulator::SimulatorDoor;
use codewell::http::sms::SmsDoor;
use codewell::sms::{Outside, Phones, Registry, SIMULATOR_SECRET, Simulator};
use codewell::store::spool::Spool;
use codewell::workers;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};
use tower::ServiceExt as _;

on_both! {
    texts_that_cannot_be_committed_are_acknowledged_and_settled_in_their_order,
    one_text_sent_before_during_and_after_is_settled_once,
    a_report_that_cannot_be_committed_reaches_its_message_later,
    texts_that_find_the_queue_full_go_to_disk_at_once,
    a_full_spool_acknowledges_nothing_and_what_is_sent_again_is_settled_once,
    what_a_stopped_process_left_on_disk_is_settled_by_the_next_one,
    a_text_that_the_engine_refuses_for_good_does_not_hold_up_the_others,
}

const ROOMY: u64 = 1 << 30;
/// What comes on a busy machine may take longer than this and go to disk too: tests look when nothing waits there.
const SOON: Duration = Duration::from_millis(50);

/// A house with the door of its carrier, a spool, and the one that drains it.
struct Site {
    house: House,
    engine: Engine,
    router: Router,
    outside: Outside,
    spool: Spool,
    tasks: Vec<JoinHandle<()>>,
}

impl Site {
    async fn open(house: House, dir: &Path, max_bytes: u64) -> Self {
        sender(&house).await;
        campaign(1).write(&house).await;
        Self::process(house, dir, max_bytes, SOON).await
    }

    /// A process on that house; what an earlier one left on disk is its to settle.
    async fn process(house: House, dir: &Path, max_bytes: u64, patience: Duration) -> Self {
        let (engine, committer, _) = Engine::new(house.engine.parts().clone()).await.unwrap();
        let keys = Arc::clone(&engine.parts().keys);
        let (spool, writer) = Spool::open(dir.to_owned(), max_bytes, keys).unwrap();
        let engine = engine.with_spool(spool.clone(), patience);
        let early = EarlyReports::default();
        let drain = engine.spool_drain(early.clone()).unwrap();
        let tasks = vec![
            tokio::spawn(committer.run()),
            tokio::spawn(writer.run()),
            tokio::spawn(workers::spool::drain(drain, std::future::pending())),
        ];
        let phones = Phones::new();
        let secret = Secret::new(engine.parts().keys.derive(SIMULATOR_SECRET));
        let (simulator, _) = Simulator::new(&secret, Arc::new(phones.clone()));
        let outside = simulator.outside();
        let carriers = Registry::new([Arc::new(simulator) as _]);
        let sms = SmsDoor { engine: engine.clone(), carriers, early };
        let door = SimulatorDoor { sms, phones, outside: outside.clone() };
        let router = Router::new().merge(codewell::http::sms::routes()).with_state(door);
        Self { house, engine, router, outside, spool, tasks }
    }

    /// Until it is dropped nothing can be committed.
    async fn away(&self) -> Turn {
        self.engine.turn().await.expect("the committer runs")
    }

    fn webhook(&self, path: &'static str, body: &Value) -> impl Future<Output = StatusCode> + Send + use<> {
        let body = body.to_string().into_bytes();
        let mut request = Request::post(path);
        for (name, value) in self.outside.headers(&body, self.house.clock.now()) {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(body)).unwrap();
        let router = self.router.clone();
        async move { router.oneshot(request).await.unwrap().status() }
    }

    fn text(&self, phone: usize, id: &str) -> impl Future<Output = StatusCode> + Send + use<> {
        self.webhook(INBOUND, &json!({"id": id, "from": number(phone), "to": "12345", "text": "WORDB"}))
    }

    async fn count(&self, of: &str) -> i64 {
        self.house.number(&format!("SELECT count(*) FROM {of}")).await
    }

    /// Ends as by `kill -9`: nothing is finished.
    async fn kill(self) -> House {
        let Self { house, engine, router, spool, tasks, .. } = self;
        drop((engine, router, spool));
        for task in tasks {
            task.abort();
            let _ = task.await;
        }
        house
    }
}

const INBOUND: &str = "/sms/12345/inbound";
const STATUS: &str = "/sms/12345/status";

fn number(phone: usize) -> String {
    format!("+1202{:07}", 5_550_000 + phone)
}

fn dir() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

mod bodies {
    use super::*;

    pub(super) async fn texts_that_cannot_be_committed_are_acknowledged_and_settled_in_their_order(house: House) {
        let dir = dir();
        let site = Site::open(house, dir.path(), ROOMY).await;
        let away = site.away().await;
        for phone in 0..40 {
            assert_eq!(site.text(phone, &format!("m{phone}")).await, StatusCode::NO_CONTENT);
        }
        assert_eq!(site.count("request").await, 0);
        assert!(site.spool.is_in_use());
        drop(away);
        site.spool.until(false).await;
        assert_eq!(site.count("issuance").await, 40);
        // Codes are given in the order of positions.
        for phone in [0, 1, 17, 39] {
            let position = format!("SELECT position FROM request WHERE request_key = 'm{phone}'");
            assert_eq!(site.house.number(&position).await, i64::from(phone), "m{phone}");
        }
        let stood = "SELECT count(*) FROM alert WHERE kind = 'spool_in_use'";
        assert_eq!(site.house.number(stood).await, 1);
        assert_eq!(site.text(40, "m40").await, StatusCode::NO_CONTENT);
        site.spool.until(false).await;
        assert_eq!(site.count("issuance").await, 41);
        site.house.audited().await;
    }

    pub(super) async fn one_text_sent_before_during_and_after_is_settled_once(house: House) {
        let dir = dir();
        let site = Site::open(house, dir.path(), ROOMY).await;
        assert_eq!(site.text(1, "before").await, StatusCode::NO_CONTENT);
        let away = site.away().await;
        let mut tasks = JoinSet::new();
        for copy in 0..60 {
            tasks.spawn(site.text(1 + copy % 3, ["before", "during", "another"][copy % 3]));
        }
        assert_eq!(tasks.join_all().await, vec![StatusCode::NO_CONTENT; 60]);
        drop(away);
        site.spool.until(false).await;
        for id in ["before", "during", "another"] {
            let phone = ["before", "during", "another"].iter().position(|known| *known == id).unwrap();
            assert_eq!(site.text(1 + phone, id).await, StatusCode::NO_CONTENT);
        }
        site.spool.until(false).await;
        assert_eq!((site.count("request").await, site.count("issuance").await), (3, 3));
        assert_eq!(site.count("outbox_message").await, 3);
        site.house.audited().await;
    }

    pub(super) async fn texts_that_find_the_queue_full_go_to_disk_at_once(house: House) {
        let dir = dir();
        sender(&house).await;
        campaign(1).write(&house).await;
        let small = Sizes { queue: 4, ..house.engine.parts().sizes };
        let house = house.second_of(small).await;
        let site = Site::process(house, dir.path(), ROOMY, Duration::from_mins(10)).await;
        let away = site.away().await;
        let mut tasks = JoinSet::new();
        for phone in 0..20 {
            tasks.spawn(site.text(phone, &format!("m{phone}")));
        }
        // Four wait for their commit; the others do not.
        for _ in 4..20 {
            assert_eq!(tasks.join_next().await.unwrap().unwrap(), StatusCode::NO_CONTENT);
        }
        drop(away);
        assert_eq!(tasks.join_all().await, [StatusCode::NO_CONTENT; 4]);
        site.spool.until(false).await;
        assert_eq!((site.count("request").await, site.count("issuance").await), (20, 20));
        site.house.audited().await;
    }

    pub(super) async fn a_report_that_cannot_be_committed_reaches_its_message_later(house: House) {
        let dir = dir();
        let site = Site::open(house, dir.path(), ROOMY).await;
        site.text(1, "m1").await;
        site.spool.until(false).await;
        site.house.sql("UPDATE outbox_message SET status = 'submitted', provider_id = 'p1'").await;
        let away = site.away().await;
        let report = json!({"id": "p1", "status": "delivered"});
        assert_eq!(site.webhook(STATUS, &report).await, StatusCode::NO_CONTENT);
        assert_eq!(site.count("outbox_message WHERE status = 'delivered'").await, 0);
        drop(away);
        site.spool.until(false).await;
        assert_eq!(site.count("outbox_message WHERE status = 'delivered'").await, 1);
    }

    pub(super) async fn a_full_spool_acknowledges_nothing_and_what_is_sent_again_is_settled_once(house: House) {
        let dir = dir();
        let site = Site::open(house, dir.path(), 1000).await;
        let away = site.away().await;
        let mut told = Vec::new();
        for phone in 0..20 {
            told.push(site.text(phone, &format!("m{phone}")).await);
        }
        let taken = told.iter().filter(|status| **status == StatusCode::NO_CONTENT).count();
        let refused = told.iter().filter(|status| **status == StatusCode::SERVICE_UNAVAILABLE).count();
        assert!(taken > 0 && refused > 0 && taken + refused == 20, "{told:?}");
        drop(away);
        site.spool.until(false).await;
        for phone in 0..20 {
            // On a busy machine a commit may take longer than our short patience, and the small spool be full again:
            // then it is sent again, as carriers do.
            while site.text(phone, &format!("m{phone}")).await != StatusCode::NO_CONTENT {
                site.spool.until(false).await;
            }
        }
        site.spool.until(false).await;
        assert_eq!((site.count("request").await, site.count("issuance").await), (20, 20));
        site.house.audited().await;
    }

    pub(super) async fn what_a_stopped_process_left_on_disk_is_settled_by_the_next_one(house: House) {
        let dir = dir();
        let site = Site::open(house, dir.path(), ROOMY).await;
        let away = site.away().await;
        for phone in 0..5 {
            assert_eq!(site.text(phone, &format!("m{phone}")).await, StatusCode::NO_CONTENT);
        }
        let house = site.kill().await;
        drop(away);
        let next = Site::process(house, dir.path(), ROOMY, SOON).await;
        next.spool.until(false).await;
        assert_eq!((next.count("request").await, next.count("issuance").await), (5, 5));
        next.house.audited().await;
    }

    pub(super) async fn a_text_that_the_engine_refuses_for_good_does_not_hold_up_the_others(house: House) {
        let dir = dir();
        let site = Site::open(house, dir.path(), ROOMY).await;
        // PostgreSQL takes no NUL in a text, and SQLite is told to refuse it too.
        if !site.house.store.locks_rows() {
            let refuse = "CREATE TRIGGER t BEFORE INSERT ON request WHEN NEW.request_key LIKE 'bad%'
                          BEGIN SELECT RAISE(ABORT, 'refused'); END";
            site.house.sql(refuse).await;
        }
        let away = site.away().await;
        for (phone, id) in ["m0", "bad\u{0}", "m2"].into_iter().enumerate() {
            assert_eq!(site.text(phone, id).await, StatusCode::NO_CONTENT);
        }
        drop(away);
        site.spool.until(false).await;
        assert_eq!((site.count("request").await, site.count("issuance").await), (2, 2));
        assert_eq!(site.spool.status().put_aside, 1);
        let alert = "SELECT count(*) FROM alert WHERE kind = 'spool_quarantine'";
        assert_eq!(site.house.number(alert).await, 1);
    }
}

/// A disk that fails: what was not made durable is not acknowledged.
#[cfg(feature = "faults")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_fails_acknowledges_nothing_and_what_is_sent_again_is_settled_once() {
    use codewell::store::spool::Broken;
    for how in [Broken::Write, Broken::Sync] {
        let dir = dir();
        let site = Site::open(House::at(None).await, dir.path(), ROOMY).await;
        let away = site.away().await;
        site.spool.break_disk(how);
        assert_eq!(site.text(1, "m1").await, StatusCode::SERVICE_UNAVAILABLE, "{how:?}");
        assert_eq!(site.text(2, "m2").await, StatusCode::NO_CONTENT, "{how:?}");
        drop(away);
        site.spool.until(false).await;
        assert_eq!(site.text(1, "m1").await, StatusCode::NO_CONTENT, "{how:?}");
        site.spool.until(false).await;
        assert_eq!((site.count("request").await, site.count("issuance").await), (2, 2), "{how:?}");
        assert_eq!(site.spool.status().put_aside, 0, "{how:?}");
        site.house.audited().await;
    }
}

#[tokio::test]
async fn while_all_is_well_nothing_is_put_on_disk() {
    let dir = dir();
    let house = House::at(None).await;
    sender(&house).await;
    campaign(1).write(&house).await;
    let site = Site::process(house, dir.path(), ROOMY, Duration::from_mins(10)).await;
    let (message_id, from, text) = ("m1".to_owned(), number(1), "WORDB".to_owned());
    let received = Received { message_id, from, text, carrier_said: None };
    let taken = site.engine.receive_or_spool(SenderId(1), received).await;
    assert!(matches!(taken, Ok(Taken::Settled(_))));
    assert_eq!(site.spool.status().bytes, 0);
    assert_eq!(std::fs::read_dir(dir.path().join("0")).unwrap().count(), 1, "only its lock");
}

/// Phones that text side by side.
const PHONES: usize = 16;
/// Texts in all.
const TEXTS: usize = 480;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_stopped_under_load_costs_no_acknowledged_text_and_doubles_none() {
    let Some(cluster) = Cluster::start(Fsync::On) else { return skip("postgresql") };
    let house = House::at(Some(cluster.create_database().await)).await;
    let dir = dir();
    let site = Arc::new(Site::open(house, dir.path(), ROOMY).await);
    let (taken, stopping) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (gone, is_gone) = watch::channel(false);
    let mut tasks = JoinSet::new();
    for first in 0..PHONES {
        let (site, taken, stopping) = (Arc::clone(&site), Arc::clone(&taken), Arc::clone(&stopping));
        let mut is_gone = is_gone.clone();
        tasks.spawn(async move {
            let mut waits = Vec::new();
            for phone in (first..TEXTS).step_by(PHONES) {
                if phone >= TEXTS / 2 {
                    // Half of the texts come when it is gone for sure.
                    is_gone.wait_for(|gone| *gone).await.unwrap();
                }
                let (began, was_in_use) = (Instant::now(), site.spool.is_in_use());
                assert_eq!(site.text(phone, &format!("m{phone}")).await, StatusCode::NO_CONTENT);
                if was_in_use {
                    waits.push(began.elapsed());
                }
                if taken.fetch_add(1, Ordering::SeqCst) + 1 == TEXTS / 4 {
                    stopping.notify_one();
                }
            }
            waits
        });
    }
    stopping.notified().await;
    let cluster = blocking(cluster, Cluster::stop_immediate).await;
    gone.send_replace(true);
    let mut waits: Vec<Duration> = tasks.join_all().await.into_iter().flatten().collect();
    assert!(site.spool.is_in_use());
    waits.sort();
    let median = waits.get(waits.len() / 2).copied().expect("some texts came while it was known to be away");
    assert!(median < Duration::from_millis(500), "acknowledged from disk after {median:?}");
    let _cluster = blocking(cluster, Cluster::restart).await;
    site.spool.until(false).await;
    // Connections that were open when it stopped are of no use to a test that only looks.
    let looking = site.house.second().await;
    for table in ["request", "issuance", "outbox_message"] {
        let rows = looking.number(&format!("SELECT count(*) FROM {table}")).await;
        assert_eq!(usize::try_from(rows), Ok(TEXTS), "{table}");
    }
    looking.audited().await;
}
