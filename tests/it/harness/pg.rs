//! A throw-away PostgreSQL: made by `initdb` in a temporary directory, gone with the test process.
//!
//! A shell stands between us and the server. It holds the read end of a pipe whose write end is ours; when this
//! process ends, however it ends, the pipe closes, and the shell stops the server and removes its directory.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, mpsc};

mod binaries;
#[cfg(test)]
mod tests;

use sea_orm::{ConnectionTrait, Database, DbErr};

use super::skips;
use binaries::find_binaries;

/// Who the server runs as when we are root, which PostgreSQL refuses. It needs no entry in the password file.
const NOBODY: u32 = 65534;

/// Tests of one binary share a cluster, each with its own databases and pools.
const MAX_CONNECTIONS: u32 = 200;

/// Starts the server, says its process id, waits for a word or the end of the pipe, then stops it: `immediate` as by
/// a power cut, `fast` in order; at the end of the pipe the directory goes too.
const WATCHDOG: &str = r#"
postgres=$1 dir=$2
shift 2
"$postgres" -D "$dir/data" "$@" </dev/null &
pid=$!
echo "$pid"
exec >/dev/null 2>&1
read -r order || order=gone
case $order in
  fast) kill -INT "$pid" ;;
  *) kill -QUIT "$pid" ;;
esac
wait "$pid"
[ "$order" = gone ] && rm -rf "$dir"
"#;

/// Whether commits reach the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fsync {
    /// For tests of crashes.
    On,
    /// For all others: many times as fast.
    Off,
}

/// A running PostgreSQL of our own. Dropping it stops it and removes its directory.
pub(crate) struct Cluster {
    binaries: PathBuf,
    dir: PathBuf,
    port: u16,
    fsync: Fsync,
    server: Mutex<Option<Server>>,
    template: tokio::sync::OnceCell<String>,
    databases: AtomicU32,
}

/// The server's process and the shell that watches over it.
struct Server {
    pid: u32,
    watchdog: Child,
    pipe: ChildStdin,
}

static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();

impl Cluster {
    /// The cluster of this test binary, without fsync; `None` where PostgreSQL is not installed.
    ///
    /// It is never dropped, as statics are not: the pipe of the watchdog ends it with the process.
    pub(crate) fn shared() -> Option<&'static Self> {
        SHARED.get_or_init(|| Self::start(Fsync::Off)).as_ref()
    }

    /// A cluster of its own, for tests that stop it. `None` where PostgreSQL is not installed; that is a panic under
    /// `CI=true` or `CODEWELL_REQUIRE_PG=1`.
    pub(crate) fn start(fsync: Fsync) -> Option<Self> {
        let Some(binaries) = find_binaries() else {
            assert!(
                !is_required(),
                "initdb and postgres are neither in $PG_BIN, nor on PATH, nor in /usr/lib/postgresql/*/bin"
            );
            return None;
        };
        let dir = tempfile::Builder::new().prefix("codewell-pg-").tempdir().expect("a temporary directory");
        if runs_as_root(dir.path()) {
            std::os::unix::fs::chown(dir.path(), Some(NOBODY), Some(NOBODY)).expect("root may chown");
        }
        let made = unprivileged(Command::new(binaries.join("initdb")), dir.path())
            .args(["-A", "trust", "-U", "codewell", "-E", "UTF8", "--locale=C", "-N", "-D"])
            .arg(dir.path().join("data"))
            .output()
            .expect("initdb starts");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let cluster = Self {
            binaries,
            dir: dir.keep(),
            port: 0,
            fsync,
            server: Mutex::new(None),
            template: tokio::sync::OnceCell::new(),
            databases: AtomicU32::new(0),
        };
        Some(cluster.on_a_free_port())
    }

    /// Starts the server. A port that was free a moment ago may be taken by now: then another one.
    fn on_a_free_port(mut self) -> Self {
        let mut said = String::new();
        for _ in 0..5 {
            self.port = free_port();
            match self.launch() {
                Ok(server) => {
                    self.server = Mutex::new(Some(server));
                    return self;
                }
                Err(log) => said = log,
            }
        }
        panic!("PostgreSQL does not start:\n{said}");
    }

    /// A new database, empty or as [`Cluster::prepare_template`] left the template, and its URL.
    pub(crate) async fn create_database(&self) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let template = self.template.get().map_or("template0", String::as_str);
        let name = format!("t_{number}");
        self.administer(&format!("CREATE DATABASE {name} TEMPLATE {template}")).await.expect("CREATE DATABASE");
        self.url(&name)
    }

    /// Makes the database that later ones are copied from, once for each cluster: `prepare` gets its URL and must
    /// have closed its connections when it returns, or the copies fail.
    pub(crate) async fn prepare_template(&self, prepare: impl AsyncFnOnce(String)) {
        let made = async || {
            let name = "codewell_template".to_owned();
            self.administer(&format!("CREATE DATABASE {name} TEMPLATE template0")).await.expect("CREATE DATABASE");
            prepare(self.url(&name)).await;
            name
        };
        self.template.get_or_init(made).await;
    }

    /// URL of a database by name; `postgres` always exists.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://codewell@127.0.0.1:{}/{database}", self.port)
    }

    /// Process id of the server, `None` while it is stopped.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.server().as_ref().map(|server| server.pid)
    }

    /// Stops it as a power cut would: no checkpoint, connections cut. Returns when it is gone.
    pub(crate) fn stop_immediate(&self) {
        self.stop("immediate");
    }

    /// Stops it in order: open transactions roll back, connections are told. Returns when it is gone.
    pub(crate) fn stop_fast(&self) {
        self.stop("fast");
    }

    /// Starts it again on the same port, after stopping it (as by a power cut) if it still runs. Returns when it
    /// accepts connections, recovery done.
    pub(crate) fn restart(&self) {
        self.stop_immediate();
        let server = self.launch().unwrap_or_else(|log| panic!("PostgreSQL does not come back:\n{log}"));
        *self.server() = Some(server);
    }

    fn stop(&self, order: &str) {
        if let Some(mut server) = self.server().take() {
            writeln!(server.pipe, "{order}").expect("the watchdog reads its pipe");
            server.watchdog.wait().expect("the watchdog is our child");
        }
    }

    async fn administer(&self, statement: &str) -> Result<(), DbErr> {
        let connection = Database::connect(self.url("postgres")).await?;
        connection.execute_unprepared(statement).await?;
        connection.close().await
    }

    fn server(&self) -> MutexGuard<'_, Option<Server>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the server under its watchdog and returns when it accepts connections, or its log when it ended.
    fn launch(&self) -> Result<Server, String> {
        let mut command = unprivileged(Command::new("sh"), &self.dir);
        command.args(["-c", WATCHDOG, "sh"]).arg(self.binaries.join("postgres")).arg(&self.dir);
        for setting in self.settings() {
            command.args(["-c", &setting]);
        }
        // A group of its own: Ctrl-C in a terminal must reach the watchdog by the pipe alone.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut watchdog = command.spawn().expect("sh starts");
        let pipe = watchdog.stdin.take().expect("stdin is piped");
        let mut said = BufReader::new(watchdog.stdout.take().expect("stdout is piped"));
        let mut pid = String::new();
        said.read_line(&mut pid).expect("the watchdog says the process id");
        match await_ready(watchdog.stderr.take().expect("stderr is piped")) {
            Ok(()) => Ok(Server { pid: pid.trim().parse().expect("a process id"), watchdog, pipe }),
            Err(log) => {
                // The server is gone already; the watchdog must keep the directory for another try.
                let mut pipe = pipe;
                writeln!(pipe, "fast").expect("the watchdog reads its pipe");
                watchdog.wait().expect("the watchdog is our child");
                Err(log)
            }
        }
    }

    fn settings(&self) -> Vec<String> {
        let durable = if self.fsync == Fsync::On { "on" } else { "off" };
        vec![
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={}", self.port),
            "unix_socket_directories=".to_owned(),
            format!("max_connections={MAX_CONNECTIONS}"),
            format!("fsync={durable}"),
            format!("full_page_writes={durable}"),
            // A deadlock that our lock order should have ruled out is to be seen soon.
            "deadlock_timeout=200ms".to_owned(),
            "timezone=UTC".to_owned(),
        ]
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        match self.server().take() {
            Some(server) => {
                let Server { mut watchdog, pipe, .. } = server;
                drop(pipe);
                drop(watchdog.wait());
            }
            None => drop(std::fs::remove_dir_all(&self.dir)),
        }
    }
}

/// Reads the server's log until it accepts connections, then goes on reading so that the server never waits for us.
/// `Err` is the log of a server that ended first.
fn await_ready(log: impl Read + Send + 'static) -> Result<(), String> {
    let (ready, wait) = mpsc::channel();
    std::thread::spawn(move || {
        let mut said = String::new();
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            if line.contains("ready to accept connections") {
                drop(ready.send(Ok(())));
            }
            said.push_str(&line);
            said.push('\n');
        }
        drop(ready.send(Err(said)));
    });
    wait.recv().unwrap_or_else(|_| Err("the log ended".to_owned()))
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}

/// What we made belongs to whom we are.
fn runs_as_root(made_by_us: &Path) -> bool {
    std::fs::metadata(made_by_us).is_ok_and(|data| data.uid() == 0)
}

/// The command as somebody who may run PostgreSQL: the owner of `dir`, if that is not us.
fn unprivileged(mut command: Command, dir: &Path) -> Command {
    let owner = std::fs::metadata(dir).expect("the directory is there").uid();
    let us = std::fs::metadata("/proc/self").map_or(owner, |data| data.uid());
    if owner != us {
        command.uid(owner).gid(owner);
    }
    command.current_dir(dir);
    command
}

/// Whether PostgreSQL must be there: under `CI=true` or `CODEWELL_REQUIRE_PG=1`.
fn is_required() -> bool {
    let is = |name: &str, value: &str| skips::variable(name).as_deref() == Some(value);
    is("CI", "true") || is("CODEWELL_REQUIRE_PG", "1")
}
