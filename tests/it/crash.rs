//! `kill -9` while texts pour in: what was acknowledged stands, once, and the ledger is sound.

use crate::harness::{On, pg::Cluster, pg::Fsync, skip};
use codewell::engine::draw;
use codewell::store::{Options, Store};
use sea_orm::{ConnectionTrait, Statement};
use std::collections::HashSet;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::pin::Pin;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;
use tokio::sync::Notify;
use tokio::task::JoinSet;

const BINARY: &str = env!("CARGO_BIN_EXE_codewell");
/// Phones that text at once.
const PHONES: usize = 32;
const SIMULATOR_ON: &str = "[simulator]\nenabled = true\n";

/// A house of its own for processes: a configuration, a database, a campaign.
pub(crate) struct Place {
    dir: TempDir,
    url: String,
}

impl Place {
    pub(crate) async fn make(on: On) -> Option<Self> {
        Self::make_with(on, SIMULATOR_ON, "simulator").await
    }

    /// With that much more configuration, and its number at that carrier.
    pub(crate) async fn make_with(on: On, more: &str, carrier: &str) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a directory can be made");
        let url = match on {
            On::Sqlite => format!("sqlite:{}", dir.path().join("codewell.db").display()),
            On::Postgres => Cluster::shared()?.create_database().await,
        };
        Some(Self::at_with(dir, url, more, carrier))
    }

    /// A place on that database, which is empty.
    pub(crate) fn at(dir: TempDir, url: String) -> Self {
        Self::at_with(dir, url, SIMULATOR_ON, "simulator")
    }

    fn at_with(dir: TempDir, url: String, more: &str, carrier: &str) -> Self {
        let data = dir.path().join("data");
        let config = format!(
            "[server]\nlisten = \"127.0.0.1:0\"\ndata_dir = \"{}\"\n[database]\nurl = \"{url}\"\n{more}",
            data.display()
        );
        let campaign = r#"
[[sender]]
address = "12345"
carrier = "CARRIER"
brand = "Acme"
help = "acme.example/help"

[[campaign]]
name = "CRASH"
offer = { type = "amount_off", value = 500, max_discount = 500 }
code = { pattern = "CRA-?????-?????*" }
pool = { source = "derive", size = 1000000 }
keywords = { sender = "12345", main = "CRASH" }
caps = { person = { lifetime = 1 }, campaign = { day = 100000 } }
"#;
        let campaign = campaign.replace("CARRIER", carrier);
        let place = Self { dir, url };
        std::fs::write(place.path("config.toml"), config).expect("a file");
        std::fs::write(place.path("campaign.toml"), campaign).expect("a file");
        let applied = place.command("apply").arg(place.path("campaign.toml")).arg("--yes").output();
        let applied = applied.expect("the binary runs");
        assert!(applied.status.success(), "{}", String::from_utf8_lossy(&applied.stderr));
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn command(&self, name: &str) -> Command {
        let mut command = Command::new(BINARY);
        command.arg(name).arg("--config").arg(self.path("config.toml")).stdin(Stdio::null());
        command
    }

    /// The database, looked at from outside.
    pub(crate) async fn store(&self) -> Store {
        let options = Options { acquire: std::time::Duration::from_secs(20), ..Options::new(self.url.clone()) };
        Store::connect(&options).await.expect("the database can be opened")
    }
}

/// A running `codewell serve`; killed with `kill -9` when dropped.
pub(crate) struct Server {
    process: Child,
    /// Kept open, so that the server never writes into a closed pipe.
    _output: BufReader<ChildStdout>,
    pub(crate) url: String,
    pub(crate) http: reqwest::Client,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().expect("it runs until it is killed");
        self.process.wait().expect("it is gone");
    }
}

impl Server {
    pub(crate) fn start(place: &Place) -> Self {
        let mut process =
            place.command("serve").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the binary starts");
        let mut output = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut line = String::new();
        output.read_line(&mut line).expect("a line");
        let url = line.trim().rsplit(' ').next().expect("the last word is its address");
        let url = url.trim_end_matches('/').to_owned();
        #[expect(clippy::disallowed_methods, reason = "a test speaks to its own server")]
        let http = reqwest::Client::new();
        Self { process, _output: output, url, http }
    }

    /// Texts the keyword; the name of the message where it was acknowledged.
    fn text(&self, phone: usize) -> impl Future<Output = Option<String>> + Send + use<> {
        let body = serde_json::json!({"from": number(phone), "to": "12345", "text": "crash"});
        let request = self.http.post(format!("{}/simulator/messages", self.url)).json(&body);
        async move {
            let answer = request.send().await.ok()?;
            let is_taken = answer.status() == 202;
            let body: serde_json::Value = answer.json().await.ok()?;
            is_taken.then(|| body["id"].as_str().map(str::to_owned))?
        }
    }
}

pub(crate) fn number(phone: usize) -> String {
    format!("+1202{:07}", 5_550_000 + phone)
}

/// Phones text without end, each its own, until the server is killed at a moment of chance; the messages that were
/// acknowledged.
async fn until_killed(server: Server) -> Vec<String> {
    until_killed_by(server, |server, phone| Box::pin(server.text(phone))).await
}

/// A text of a phone under way; the message's name where it was acknowledged.
pub(crate) type Texting = Pin<Box<dyn Future<Output = Option<String>> + Send>>;

/// The same with another way to text.
pub(crate) async fn until_killed_by(server: Server, text: fn(&Server, usize) -> Texting) -> Vec<String> {
    let [chance] = draw::<1>();
    let enough = 40 + usize::from(chance);
    let (taken, reached) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let server = Arc::new(server);
    let mut tasks = JoinSet::new();
    for task in 0..PHONES {
        let (server, taken, reached) = (Arc::downgrade(&server), Arc::clone(&taken), Arc::clone(&reached));
        tasks.spawn(async move {
            let mut acknowledged = Vec::new();
            for phone in (task..).step_by(PHONES) {
                let Some(sent) = server.upgrade().map(|server| text(&server, phone)) else { break };
                let Some(id) = sent.await else { break };
                acknowledged.push(id);
                if taken.fetch_add(1, Ordering::SeqCst) + 1 == enough {
                    reached.notify_one();
                }
            }
            acknowledged
        });
    }
    tokio::select! {
        () = reached.notified() => {}
        stopped = tasks.join_next() => panic!("the server stopped serving before it was killed: {stopped:?}"),
    }
    // The last owner kills it, with texts under way.
    drop(server);
    tasks.join_all().await.into_iter().flatten().collect()
}

pub(crate) async fn column(store: &Store, sql: &str) -> Vec<String> {
    let statement = Statement::from_string(store.read().get_database_backend(), sql);
    let rows = store.read().query_all_raw(statement).await.expect("the query runs");
    rows.iter().map(|row| row.try_get_by_index(0).expect("it is text")).collect()
}

async fn no_acknowledged_code_is_lost(place: Place) {
    let mut acknowledged = Vec::new();
    for _ in 0..2 {
        acknowledged.extend(until_killed(Server::start(&place)).await);
    }
    let server = Server::start(&place);
    for phone in 0..40 {
        acknowledged.push(server.text(phone).await.expect("it is served again"));
    }
    let store = place.store().await;
    // On a busy machine a text may be acknowledged from disk; a lost one is waited for in vain.
    while unanswered(&store, &acknowledged).await > 0 {
        tokio::task::yield_now().await;
    }
    drop(server);
    let report = codewell::store::audit::audit(store.read(), &mut |_| {}).await.expect("the audit runs");
    assert!(report.is_clean(), "the audit found: {report:?}");
}

/// Texts that nobody has answered of those that were acknowledged.
async fn unanswered(store: &Store, acknowledged: &[String]) -> usize {
    let answered = "SELECT request_key FROM request WHERE outcome IN ('issued', 'repeat')";
    let answered: HashSet<_> = column(store, answered).await.into_iter().collect();
    acknowledged.iter().filter(|id| !answered.contains(*id)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_with_texts_on_disk_while_postgresql_is_gone_the_next_server_answers_them_once() {
    let Some(cluster) = Cluster::start(Fsync::On) else { return skip("postgresql") };
    let url = cluster.create_database().await;
    let place = Place::at(tempfile::tempdir().expect("a directory can be made"), url);
    let server = Server::start(&place);
    let mut acknowledged = vec![server.text(0).await.expect("it is served")];
    let cluster = blocking(cluster, Cluster::stop_immediate).await;
    let texts: Vec<_> = (1..120).map(|phone| server.text(phone)).collect();
    let texts: JoinSet<_> = texts.into_iter().collect();
    for id in texts.join_all().await {
        acknowledged.push(id.expect("it is acknowledged from disk"));
    }
    drop(server);
    let spooled = std::fs::read_dir(place.path("data/spool/0")).expect("the spool's folder").count();
    assert!(spooled > 1, "something waits beside the lock");
    let _cluster = blocking(cluster, Cluster::restart).await;
    let server = Server::start(&place);
    let store = place.store().await;
    while unanswered(&store, &acknowledged).await > 0 {
        tokio::task::yield_now().await;
    }
    drop(server);
    let answers = column(&store, "SELECT request_key FROM request WHERE outcome = 'issued'").await;
    assert_eq!(answers.len(), 120);
    let report = codewell::store::audit::audit(store.read(), &mut |_| {}).await.expect("the audit runs");
    assert!(report.is_clean(), "the audit found: {report:?}");
}

/// Does something slow with a cluster beside the test's own threads.
pub(crate) async fn blocking(cluster: Cluster, act: fn(&Cluster)) -> Cluster {
    let done = tokio::task::spawn_blocking(move || {
        act(&cluster);
        cluster
    });
    done.await.expect("it is done")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_a_moment_of_chance_sqlite_loses_no_acknowledged_code() {
    let place = Place::make(On::Sqlite).await.expect("SQLite is built in");
    no_acknowledged_code_is_lost(place).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_a_moment_of_chance_postgresql_loses_no_acknowledged_code() {
    match Place::make(On::Postgres).await {
        Some(place) => no_acknowledged_code_is_lost(place).await,
        None => skip("postgresql"),
    }
}
