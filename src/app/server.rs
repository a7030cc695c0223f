//! A running server: engine, workers, doors, and an orderly stop.

use super::carriers::{self, CarriersError};
use super::lock::{LockError, ServerLock};
use super::{FirstRun, House, OldTables, OpenError, make_dir};
use crate::config::{Config, Simulator};
use crate::domain::secret::Secret;
use crate::engine::{EarlyReports, Engine, FailureLog};
use crate::http::claim::ClaimLimits;
use crate::http::oauth::TokenLimits;
use crate::http::partner::{PartnerDoor, WebhookDoor};
use crate::http::simulator::{SimulatorDoor, deliver_reports};
use crate::http::sms::SmsDoor;
use crate::http::till::Guesses;
use crate::http::{self, Phase, Site, listen};
use crate::net::{ClientError, GuardedClient, Limits};
use crate::sms::{self, Notice, Outside, Phones, Registry, SIMULATOR_SECRET};
use crate::store::StoreError;
use crate::store::spool::{Spool, SpoolError};
use crate::workers::catch_up::CatchUp;
use crate::workers::sender::Sender;
use crate::workers::{openings, spool, sweeper, verifier, webhooks};
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// How long workers may take once no request is under way any more; the unit file waits 30 s before it kills.
const DRAIN: Duration = Duration::from_secs(10);

/// Only the status of a receiver's answer counts; a page about an error is as long as this.
const WEBHOOK_ANSWER_BYTES: usize = 8 * 1024;

/// Why a server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The house.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// Another server runs here.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The address cannot be had.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The folder of webhooks that wait.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// An account at a carrier.
    #[error(transparent)]
    Carriers(#[from] CarriersError),
    /// The campaigns cannot be read.
    #[error("the campaigns cannot be read")]
    Store(#[from] StoreError),
    /// The way out to partners' webhooks.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Serving failed.
    #[error("the server stopped by itself")]
    Io(#[source] io::Error),
}

/// A server that has its address and is ready to run.
#[derive(Debug)]
pub struct Server {
    /// The way to ask it.
    pub engine: Engine,
    /// What the outside calls it; without a trailing slash.
    pub public_url: String,
    listener: TcpListener,
    workers: JoinSet<()>,
    phase: watch::Sender<Phase>,
    site: Site,
    _lock: ServerLock,
}

/// What to do when a port is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortTaken {
    /// Say so and stop.
    Refuse,
    /// Take the next free one.
    Next,
}

/// Ports that are tried after a taken one.
const NEXT_PORTS: u16 = 50;

/// Opens a house for a server: the lock comes before anything in it is touched.
///
/// # Errors
/// [`ServeError`].
pub async fn open_for_server(config: Config, old_tables: OldTables) -> Result<(House, ServerLock), ServeError> {
    let made = make_dir(&config.server.data_dir)?;
    let lock = ServerLock::take(&config.database.url)?;
    let mut house = House::open(config, FirstRun::Make, old_tables).await?;
    house.made.splice(..0, made);
    Ok((house, lock))
}

/// Takes an address to listen on.
///
/// # Errors
/// [`ServeError::Listen`].
pub async fn listen(address: SocketAddr, taken: PortTaken) -> Result<TcpListener, ServeError> {
    let mut ports = address.port()..=address.port().saturating_add(NEXT_PORTS);
    loop {
        let port = ports.next().unwrap_or_default();
        let error = match TcpListener::bind(SocketAddr::new(address.ip(), port)).await {
            Ok(listener) => return Ok(listener),
            Err(error) => error,
        };
        let goes_on = taken == PortTaken::Next && error.kind() == io::ErrorKind::AddrInUse && !ports.is_empty();
        if !goes_on {
            return Err(ServeError::Listen { address, source: error });
        }
    }
}

impl Server {
    /// Starts the engine and the workers of a house. `lock` is taken before the house is opened.
    ///
    /// # Errors
    /// [`ServeError`].
    pub async fn start(house: &House, listener: TcpListener, lock: ServerLock) -> Result<Self, ServeError> {
        let bound = listener.local_addr().map_err(ServeError::Io)?;
        let public_url = house.config.server.public_url_at(bound).as_str().to_owned();
        let (engine, committer, messages) = house.engine(&public_url).await?;
        let (phase, watched) = watch::channel(Phase::Starting);
        let mut workers = JoinSet::new();
        workers.spawn(committer.run());
        let early = EarlyReports::default();
        let engine = with_spool(engine, house, &mut workers)?;
        if let Some(drain) = engine.spool_drain(early.clone()) {
            let drained = reached(watched.clone(), Phase::Drained);
            workers.spawn(spool::drain(drain, drained));
        }
        let (carriers, phones) = open_carriers(house)?;
        let sms = SmsDoor { engine: engine.clone(), carriers: carriers.clone(), early: early.clone() };
        let simulator = phones.map(|phones| {
            let door = SimulatorDoor { sms: sms.clone(), phones: phones.phones, outside: phones.outside };
            let drained = reached(watched.clone(), Phase::Drained);
            workers.spawn(deliver_reports(door.clone(), phones.notices, drained));
            door
        });
        let catch_up = CatchUp::new(engine.clone(), carriers.clone());
        workers.spawn(catch_up.run(reached(watched.clone(), Phase::Stopping)));
        let sender = Sender::new(engine.clone(), carriers, early, house.config.sender.clone());
        let drained = reached(watched.clone(), Phase::Drained);
        workers.spawn(sender.run(messages, drained));
        let drained = reached(watched.clone(), Phase::Drained);
        workers.spawn(verifier::run(engine.clone(), drained));
        let drained = reached(watched.clone(), Phase::Drained);
        workers.spawn(webhooks::run(engine.clone(), webhook_client(house)?, drained));
        let drained = reached(watched.clone(), Phase::Drained);
        workers.spawn(sweeper::run(engine.clone(), house.config.alerts, drained));
        let drained = reached(watched.clone(), Phase::Drained);
        workers.spawn(openings::run(engine.clone(), drained));
        let limits = &house.config.limits;
        let (failures, notes) = FailureLog::open(&engine);
        workers.spawn(notes.run(reached(watched.clone(), Phase::Drained)));
        let tokens = TokenLimits::new(limits.tokens_per_client_minute, limits.tokens_per_address_minute);
        let webhooks = WebhookDoor { allowed: Arc::clone(&house.config.webhooks.allow) };
        let site = Site {
            webhooks,
            engine: engine.clone(),
            phase: watched,
            limits: house.config.http.clone(),
            partners: PartnerDoor { failures, tokens },
            claims: ClaimLimits::new(
                limits.web_codes_per_address_hour,
                limits.web_codes_per_country_minute,
                limits.web_tries_per_address_minute,
            ),
            guesses: Guesses::new(limits.wrong_codes_per_key_minute, limits.wrong_codes_per_address_minute),
            sms,
            simulator,
        };
        Ok(Self { engine, public_url, listener, workers, phase, site, _lock: lock })
    }

    /// Serves until `stop` resolves, then in order: not ready any more, no new connections, requests under way, workers,
    /// committer.
    ///
    /// # Errors
    /// [`ServeError::Store`] when the database does not close.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) -> Result<(), ServeError> {
        let Self { engine, listener, mut workers, phase, site, .. } = self;
        let store = engine.parts().store.clone();
        drop(engine);
        let limits = site.limits.clone();
        let routes = http::router(site);
        phase.send_replace(Phase::Ready);
        let stopping = async {
            stop.await;
            tracing::info!("stopping: requests under way are finished first");
            phase.send_replace(Phase::Stopping);
            // Whoever routes to us learns it from /readyz and sends nothing more.
            tokio::time::sleep(limits.stop_notice).await;
        };
        let drained = listen::serve(listener, routes, &limits, stopping).await;
        if drained.cut > 0 {
            tracing::warn!(connections = drained.cut, "some requests took longer than the stop allows and were cut");
        }
        // The last engines of doors are gone; then those of workers go; then the committer has nothing to wait for.
        phase.send_replace(Phase::Drained);
        let finished = async { while workers.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, finished).await.is_err() {
            tracing::warn!("some work was left for the next start");
        }
        Ok(store.close().await?)
    }
}

/// The engine with the spool of its data directory, whose writer joins the workers.
fn with_spool(engine: Engine, house: &House, workers: &mut JoinSet<()>) -> Result<Engine, SpoolError> {
    let config = house.config.spool;
    if config.max_bytes == 0 {
        return Ok(engine);
    }
    let dir = house.config.server.data_dir.join("spool");
    let (spool, writer) = Spool::open(dir, config.max_bytes, Arc::clone(&house.keys))?;
    workers.spawn(writer.run());
    Ok(engine.with_spool(spool, config.after))
}

/// The way out to addresses that partners chose.
fn webhook_client(house: &House) -> Result<GuardedClient, ClientError> {
    let config = &house.config.webhooks;
    let limits = Limits { connect: config.connect_timeout, total: config.timeout, answer_bytes: WEBHOOK_ANSWER_BYTES };
    GuardedClient::new(limits, Arc::clone(&config.allow))
}

/// Resolves when the server has come to that phase, or is gone.
async fn reached(mut phase: watch::Receiver<Phase>, to: Phase) {
    // An error means that the server is gone, which is the end of every phase.
    let _ = phase.wait_for(|phase| *phase >= to).await;
}

/// The simulator's side that is not the carrier's.
struct Browser {
    phones: Phones,
    outside: Outside,
    notices: mpsc::UnboundedReceiver<Notice>,
}

/// The carriers of a house, the simulator included where it is on, for a command that only asks them.
///
/// # Errors
/// [`ServeError::Carriers`].
pub fn carriers_of(house: &House) -> Result<Registry, ServeError> {
    Ok(open_carriers(house)?.0)
}

/// The carriers of this process; the simulator comes with its phones.
fn open_carriers(house: &House) -> Result<(Registry, Option<Browser>), CarriersError> {
    let carriers = carriers::open(&house.config)?;
    Ok(match house.config.simulator {
        Simulator::Off => (carriers, None),
        Simulator::On => {
            let phones = Phones::new();
            let secret = Secret::new(house.keys.derive(SIMULATOR_SECRET));
            let (carrier, notices) = sms::Simulator::new(&secret, Arc::new(phones.clone()));
            let browser = Browser { phones, outside: carrier.outside(), notices };
            (carriers.with(Arc::new(carrier)), Some(browser))
        }
    })
}

/// Resolves on SIGTERM or ctrl-c.
///
/// # Errors
/// When the system lets us listen to neither.
pub fn stop_signal() -> io::Result<impl Future<Output = ()> + Send> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use axum::body::Body;
    use axum::http::{Request, StatusCode};
    use tower::ServiceExt as _;

    #[tokio::test]
    async fn a_taken_port_gives_the_next_free_one_only_to_who_asks_for_it() {
        let first = listen("127.0.0.1:0".parse().unwrap(), PortTaken::Refuse).await.unwrap();
        let taken = first.local_addr().unwrap();
        let error = listen(taken, PortTaken::Refuse).await.unwrap_err();
        assert_eq!(error.to_string(), format!("cannot listen on {taken}"));
        let second = listen(taken, PortTaken::Next).await.unwrap();
        assert!(second.local_addr().unwrap().port() > taken.port());
    }

    #[tokio::test]
    async fn a_server_without_the_simulator_says_what_it_is_and_leads_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let off = [("CODEWELL_SIMULATOR__ENABLED".to_owned(), "false".to_owned())];
        let config = Config::for_dir(dir.path(), off.into_iter()).unwrap();
        let (house, lock) = open_for_server(config, OldTables::Refuse).await.unwrap();
        let listener = listen("127.0.0.1:0".parse().unwrap(), PortTaken::Refuse).await.unwrap();
        let server = Server::start(&house, listener, lock).await.unwrap();
        let routes = http::router(server.site.clone());
        let fetch = async |path: &str| {
            let request = Request::get(path).body(Body::empty()).unwrap();
            routes.clone().oneshot(request).await.unwrap()
        };
        let response = fetch("/").await;
        assert_eq!(response.status(), StatusCode::OK);
        let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let html = String::from_utf8(body.to_vec()).unwrap();
        assert!(html.contains("This host sends single-use coupon codes"), "{html}");
        assert!(!html.contains("<a ") && !html.contains("<form"), "{html}");
        for path in ["/simulator", "/till"] {
            assert_eq!(fetch(path).await.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    /// The status line's code, over a connection of its own.
    async fn status(address: SocketAddr, path: &str) -> String {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: c.example\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut told = String::new();
        stream.read_to_string(&mut told).await.unwrap();
        told.split(' ').nth(1).unwrap().to_owned()
    }

    #[tokio::test]
    async fn a_server_that_stops_says_so_before_it_turns_anybody_away() {
        let dir = tempfile::tempdir().unwrap();
        let notice = [("CODEWELL_HTTP__STOP_NOTICE_S".to_owned(), "300".to_owned())];
        let config = Config::for_dir(dir.path(), notice.into_iter()).unwrap();
        let (house, lock) = open_for_server(config, OldTables::Refuse).await.unwrap();
        let listener = listen("127.0.0.1:0".parse().unwrap(), PortTaken::Refuse).await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::start(&house, listener, lock).await.unwrap();
        let mut phase = server.phase.subscribe();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let running = tokio::spawn(server.run(async move { drop(stopped.await) }));
        assert_eq!(status(address, "/readyz").await, "200");
        drop(stop);
        phase.wait_for(|phase| *phase == Phase::Stopping).await.unwrap();
        assert_eq!(status(address, "/readyz").await, "503");
        assert_eq!(status(address, "/healthz").await, "200");
        running.abort();
    }
}
