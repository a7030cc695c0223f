//! Connections: who may have one, how long each of its steps may take, and how all of them end.
//!
//! The server of the framework waits for ever for a caller that says nothing. Here every step has an end: the first
//! byte, the head of a request, its body, the pause until the next one, the reading of an answer.

mod pulse;
mod seats;
#[cfg(test)]
mod tests;

use crate::config::HttpConfig;
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use pulse::{Late, Pulse, Watched};
use seats::{Seat, Seats};
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep};
use tower::Service as _;

/// First and longest wait after the system refused to give a connection, mostly for want of file descriptors.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));
/// An HTTP/2 caller that has requests under way is asked so often whether it still lives …
const PING: Duration = Duration::from_secs(20);
/// … and has so long to say so.
const PONG: Duration = Duration::from_secs(10);
/// How long a caller that was told to leave may take for it.
const LEAVING: Duration = Duration::from_secs(1);

/// How serving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were cut with requests under way.
    pub cut: usize,
}

/// What every connection needs.
#[derive(Debug)]
struct Plan {
    router: Router,
    limits: HttpConfig,
    builder: Builder<TokioExecutor>,
}

/// Takes connections and serves `router` on them until `stop` resolves; then takes no more, lets requests under way
/// finish for [`HttpConfig::drain`], and cuts what is left.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: &HttpConfig,
    stop: impl Future<Output = ()>,
) -> Drained {
    let builder = builder(limits);
    let plan = Arc::new(Plan { router, limits: limits.clone(), builder });
    let seats = Seats::new(limits.connections, limits.connections_per_address);
    let (ending, is_ending) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut acceptor = Acceptor { listener, wait: BACK_OFF.0 };
    let mut stop = pin!(stop);
    loop {
        let free = tokio::select! {
            biased;
            () = &mut stop => break,
            free = seats.free() => free,
        };
        let (stream, address) = tokio::select! {
            biased;
            () = &mut stop => break,
            Some(_) = connections.join_next() => continue,
            got = acceptor.accept() => got,
        };
        // Who has too many is not served; what he holds ends by its own limits.
        let Some(seat) = seats.take(free, address.ip()) else { continue };
        connections.spawn(serve_one(stream, address, seat, Arc::clone(&plan), is_ending.clone()));
    }
    drop(acceptor);
    ending.send_replace(true);
    let ended = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.drain, ended).await.is_ok() {
        return Drained { cut: 0 };
    }
    let cut = connections.len();
    connections.shutdown().await;
    Drained { cut }
}

fn builder(limits: &HttpConfig) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // Our own pulse tells silence between requests from a head that does not end; the parser's timer does not.
    builder.http1().header_read_timeout(None).max_buf_size(limits.head_max_bytes);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PONG)
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(u32::try_from(limits.head_max_bytes).unwrap_or(u32::MAX));
    builder
}

/// The listening socket.
#[derive(Debug)]
struct Acceptor {
    listener: TcpListener,
    wait: Duration,
}

impl Acceptor {
    /// The next connection, however long it takes.
    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok(got) => {
                    self.wait = BACK_OFF.0;
                    return got;
                }
                // The caller left before we came.
                Err(error) if is_of_the_caller(&error) => {}
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "connections cannot be taken; are there too few file descriptors?"
                    );
                    let wait = self.wait;
                    self.wait = (wait * 2).min(BACK_OFF.1);
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }
}

fn is_of_the_caller(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// Serves one connection to its end.
async fn serve_one(
    stream: TcpStream,
    address: SocketAddr,
    _seat: Seat,
    plan: Arc<Plan>,
    mut is_ending: watch::Receiver<bool>,
) {
    // Answers are written whole; waiting for more to send only delays them. A socket that refuses is as good without.
    let _ = stream.set_nodelay(true);
    let pulse = Pulse::new(&plan.limits);
    let service = hyper::service::service_fn({
        let (plan, pulse) = (Arc::clone(&plan), Arc::clone(&pulse));
        move |request| answer(request, address, plan.router.clone(), Arc::clone(&pulse))
    });
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&pulse)));
    let mut connection = pin!(plan.builder.serve_connection(io, service));
    let mut timer = pin!(tokio::time::sleep(plan.limits.first_byte_timeout));
    let late = tokio::select! {
        late = until_late(connection.as_mut(), &pulse, timer.as_mut()) => late,
        () = ended(&mut is_ending) => {
            connection.as_mut().graceful_shutdown();
            until_late(connection.as_mut(), &pulse, timer.as_mut()).await
        }
    };
    if late == Some(Late::Idle) {
        connection.as_mut().graceful_shutdown();
        // An HTTP/2 caller is told; one that does not go then is cut.
        let _ = tokio::time::timeout(LEAVING, connection).await;
    }
}

async fn ended(is_ending: &mut watch::Receiver<bool>) {
    // An error means that the server is gone.
    let _ = is_ending.wait_for(|ending| *ending).await;
}

/// Runs a connection until it ends (`None`) or one of its steps takes too long.
async fn until_late<C: Future>(mut connection: Pin<&mut C>, pulse: &Pulse, mut timer: Pin<&mut Sleep>) -> Option<Late> {
    poll_fn(|context| {
        if connection.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        loop {
            let due = match pulse.look(Instant::now()) {
                Ok(due) => due,
                Err(late) => return Poll::Ready(Some(late)),
            };
            // A timer that goes off too early only looks again; setting it anew at every step would cost more.
            if timer.is_elapsed() || due < timer.deadline() {
                timer.as_mut().reset(due);
            }
            if timer.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await
}

/// Hands a request to the routes and counts it as under way until its answer is out.
async fn answer(
    request: Request<Incoming>,
    address: SocketAddr,
    mut router: Router,
    pulse: Arc<Pulse>,
) -> Result<Response, Infallible> {
    let under_way = pulse.begin(request.version());
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(ConnectInfo(address));
    let response = router.call(request).await?;
    Ok(response.map(|body| under_way.until_sent(body)))
}
