#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use std::net::IpAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// Limits that no test comes near, but for the one it is about.
fn limits() -> HttpConfig {
    let never = Duration::from_mins(10);
    HttpConfig {
        first_byte_timeout: never,
        head_timeout: never,
        body_timeout: never,
        idle_timeout: never,
        write_timeout: never,
        drain: never,
        ..HttpConfig::default()
    }
}

const SHORT: Duration = Duration::from_millis(50);

/// A server with a few routes, and the way to stop it.
struct Served {
    address: SocketAddr,
    /// A request to `/wait` is under way; what is sent back ends it.
    waits: mpsc::Receiver<oneshot::Sender<()>>,
    stop: Option<oneshot::Sender<()>>,
    done: JoinHandle<Drained>,
}

async fn start(limits: HttpConfig) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (waiting, waits) = mpsc::channel(8);
    let wait = move || {
        let waiting = waiting.clone();
        async move {
            let (go, gone) = oneshot::channel();
            waiting.send(go).await.unwrap();
            let _ = gone.await;
            "waited"
        }
    };
    let who = |ConnectInfo(address): ConnectInfo<SocketAddr>| async move { address.ip().to_string() };
    let router = Router::new()
        .route("/who", get(who))
        .route("/wait", get(wait))
        .route("/endless", get(|| async { "x".repeat(64 << 20) }))
        .route("/echo", post(|body: String| async move { body }))
        .layer(DefaultBodyLimit::max(limits.body_max_bytes))
        .layer(from_fn_with_state(crate::http::body::BodyLimits::from(&limits), crate::http::body::limit_body));
    let (stop, stopped) = oneshot::channel::<()>();
    let done = tokio::spawn(async move {
        let stopped = async { drop(stopped.await) };
        serve(listener, router, &limits, stopped).await
    });
    Served { address, waits, stop: Some(stop), done }
}

impl Served {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends these bytes and reads until the server closes.
    async fn told(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        rest(&mut stream).await
    }
}

/// Everything until the server closes; a reset ends it as well.
async fn rest(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all).await;
    String::from_utf8_lossy(&all).into_owned()
}

/// One answer with a short body that ends in `last`.
async fn until(stream: &mut TcpStream, last: &str) -> String {
    let mut all = String::new();
    while !all.ends_with(last) {
        let mut byte = [0];
        assert_eq!(stream.read(&mut byte).await.unwrap(), 1, "closed after {all:?}");
        all.extend(byte.map(char::from));
    }
    all
}

const WHO: &[u8] = b"GET /who HTTP/1.1\r\nHost: c.example\r\n\r\n";

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let served = start(HttpConfig { first_byte_timeout: SHORT, ..limits() }).await;
    assert_eq!(served.told(b"").await, "");
}

#[tokio::test]
async fn a_head_that_does_not_end_is_cut() {
    let served = start(HttpConfig { head_timeout: SHORT, ..limits() }).await;
    for begun in [&b"GET /who HTTP/1.1\r\nHost: c.exam"[..], b"PRI * HTTP/2.0\r\n"] {
        assert_eq!(served.told(begun).await, "");
    }
}

#[tokio::test]
async fn a_head_that_dribbles_gains_no_time_by_its_bytes() {
    let pulse = Pulse::new(&HttpConfig { head_timeout: SHORT, ..limits() });
    pulse.received();
    let end = pulse.look(Instant::now()).unwrap();
    pulse.received();
    assert_eq!(pulse.look(Instant::now() - SHORT), Ok(end));
    assert_eq!(pulse.look(end), Err(Late::Stuck));
}

#[tokio::test]
async fn a_connection_is_kept_between_requests_and_closed_when_it_idles() {
    let served = start(HttpConfig { idle_timeout: SHORT, ..limits() }).await;
    let mut stream = served.connect().await;
    for _ in 0..3 {
        stream.write_all(WHO).await.unwrap();
        assert!(until(&mut stream, "127.0.0.1").await.starts_with("HTTP/1.1 200"));
    }
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn the_next_head_of_a_kept_connection_has_the_time_of_a_head() {
    let served = start(HttpConfig { head_timeout: SHORT, ..limits() }).await;
    let mut stream = served.connect().await;
    stream.write_all(WHO).await.unwrap();
    until(&mut stream, "127.0.0.1").await;
    stream.write_all(b"GET ").await.unwrap();
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn a_head_of_20_kb_is_too_large() {
    let served = start(limits()).await;
    let head = format!("GET /who HTTP/1.1\r\nHost: c.example\r\nCookie: {}\r\n\r\n", "x".repeat(20_000));
    assert!(served.told(head.as_bytes()).await.starts_with("HTTP/1.1 431"));
}

#[tokio::test]
async fn a_body_announced_with_100_mb_is_refused_unread() {
    let served = start(limits()).await;
    let head = b"POST /echo HTTP/1.1\r\nHost: c.example\r\nContent-Length: 104857600\r\n\r\n";
    let told = served.told(head).await;
    assert!(told.starts_with("HTTP/1.1 413"), "{told}");
    assert!(told.contains("application/problem+json"), "{told}");
}

#[tokio::test]
async fn a_body_that_turns_out_too_large_is_cut_at_the_limit() {
    let served = start(limits()).await;
    let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
    let body =
        format!("POST /echo HTTP/1.1\r\nHost: c.example\r\nTransfer-Encoding: chunked\r\n\r\n{}", chunk.repeat(5));
    assert!(served.told(body.as_bytes()).await.starts_with("HTTP/1.1 413"));
}

#[tokio::test]
async fn a_body_that_takes_too_long_is_answered_with_408() {
    let served = start(HttpConfig { body_timeout: SHORT, ..limits() }).await;
    let told = served.told(b"POST /echo HTTP/1.1\r\nHost: c.example\r\nContent-Length: 100\r\n\r\nslow").await;
    assert!(told.starts_with("HTTP/1.1 408"), "{told}");
    assert!(told.contains("the body took too long"), "{told}");
}

#[tokio::test]
async fn a_caller_that_reads_nothing_of_its_answer_is_cut() {
    let served = start(HttpConfig { write_timeout: SHORT, ..limits() }).await;
    let mut stream = served.connect().await;
    stream.write_all(b"GET /endless HTTP/1.1\r\nHost: c.example\r\n\r\n").await.unwrap();
    until(&mut stream, "HTTP/1.1 200 OK").await;
    // The stop waits for the answer, which ends only by being cut.
    let Served { stop, done, .. } = served;
    drop(stop);
    assert_eq!(done.await.unwrap(), Drained { cut: 0 });
    assert!(rest(&mut stream).await.len() < 64 << 20);
}

#[tokio::test]
async fn an_address_with_too_many_connections_gets_no_other_until_one_ends() {
    let served = start(HttpConfig { connections_per_address: 2, ..limits() }).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = served.connect().await;
        stream.write_all(WHO).await.unwrap();
        until(&mut stream, "127.0.0.1").await;
        held.push(stream);
    }
    assert_eq!(rest(&mut served.connect().await).await, "", "the third is closed at once");
    let mut first = held.remove(0);
    first.write_all(b"GET /who HTTP/1.1\r\nHost: c.example\r\nConnection: close\r\n\r\n").await.unwrap();
    assert!(rest(&mut first).await.ends_with("127.0.0.1"));
    // The server closes first and counts a moment later.
    loop {
        let mut stream = served.connect().await;
        let _ = stream.write_all(b"GET /who HTTP/1.1\r\nHost: c.example\r\nConnection: close\r\n\r\n").await;
        if rest(&mut stream).await.ends_with("127.0.0.1") {
            return;
        }
    }
}

#[tokio::test]
async fn with_every_place_taken_the_next_caller_waits_for_one() {
    let served = start(HttpConfig { connections: 1, idle_timeout: SHORT, ..limits() }).await;
    let mut first = served.connect().await;
    first.write_all(WHO).await.unwrap();
    until(&mut first, "127.0.0.1").await;
    let mut second = served.connect().await;
    second.write_all(WHO).await.unwrap();
    assert!(until(&mut second, "127.0.0.1").await.starts_with("HTTP/1.1 200"));
    assert_eq!(rest(&mut first).await, "", "it idled, and its place became free");
}

#[tokio::test]
async fn a_stop_waits_for_the_request_under_way_and_takes_no_other() {
    let mut served = start(limits()).await;
    let mut idle = served.connect().await;
    idle.write_all(WHO).await.unwrap();
    until(&mut idle, "127.0.0.1").await;
    let mut asked = served.connect().await;
    asked.write_all(b"GET /wait HTTP/1.1\r\nHost: c.example\r\n\r\n").await.unwrap();
    let go = served.waits.recv().await.unwrap();
    drop(served.stop.take());
    assert_eq!(rest(&mut idle).await, "", "who asks nothing is sent away");
    assert!(TcpStream::connect(served.address).await.is_err(), "nobody listens any more");
    assert!(!served.done.is_finished());
    drop(go);
    let told = rest(&mut asked).await;
    assert!(told.starts_with("HTTP/1.1 200") && told.ends_with("waited"), "{told}");
    assert_eq!(served.done.await.unwrap(), Drained { cut: 0 });
}

#[tokio::test]
async fn a_request_that_outlasts_the_stop_is_cut_and_counted() {
    let mut served = start(HttpConfig { drain: SHORT, ..limits() }).await;
    let mut asked = served.connect().await;
    asked.write_all(b"GET /wait HTTP/1.1\r\nHost: c.example\r\n\r\n").await.unwrap();
    let _go = served.waits.recv().await.unwrap();
    drop(served.stop.take());
    assert_eq!(served.done.await.unwrap(), Drained { cut: 1 });
    assert_eq!(rest(&mut asked).await, "");
}

#[tokio::test]
async fn http_2_is_served_and_knows_who_asks() {
    let served = start(limits()).await;
    let stream = served.connect().await;
    let io = TokioIo::new(stream);
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    let request = axum::http::Request::get(format!("http://{}/who", served.address)).body(Body::empty()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    let body = axum::body::to_bytes(Body::new(response.into_body()), 100).await.unwrap();
    let address: IpAddr = std::str::from_utf8(&body).unwrap().parse().unwrap();
    assert!(address.is_loopback());
    drop(served.stop);
    assert_eq!(served.done.await.unwrap(), Drained { cut: 0 }, "an idle connection is sent away");
}
