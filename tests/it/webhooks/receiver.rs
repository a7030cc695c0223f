//! A partner's receiver on this machine: it keeps what it took, and answers as the test says.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use codewell::domain::address::Allowed;
use codewell::net::{GuardedClient, Limits};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// One call as it came in.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Taken {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// The event's number, from its id.
    pub(super) fn no(&self) -> u64 {
        self.header("webhook-id").rsplit('_').next().unwrap().parse().unwrap()
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// How it answers.
#[derive(Debug, Clone, Copy)]
pub(super) enum Says {
    Status(u16),
    /// With `Retry-After`, seconds.
    Later(u16, u64),
    /// Never.
    Nothing,
    /// Never, and it keeps the number alone, apart from what it took.
    Held,
}

/// A receiver that runs until it is killed or dropped.
#[derive(Debug)]
pub(super) struct Receiver {
    pub(super) address: std::net::SocketAddr,
    shared: Shared,
    count: watch::Receiver<usize>,
    held: watch::Receiver<BTreeSet<u64>>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Debug, Clone)]
struct Shared {
    says: Arc<Mutex<Says>>,
    taken: Arc<Mutex<Vec<Taken>>>,
    count: watch::Sender<usize>,
    held: watch::Sender<BTreeSet<u64>>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Receiver {
    pub(super) async fn start(says: Says) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), says).await
    }

    pub(super) async fn at(address: std::net::SocketAddr, says: Says) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let ((counts, count), (holds, held)) = (watch::channel(0), watch::channel(BTreeSet::new()));
        let shared = Shared { says: Arc::new(Mutex::new(says)), taken: Arc::default(), count: counts, held: holds };
        let router = Router::new().route("/hook", post(take)).with_state(shared.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared, count, held, task }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub(super) fn says(&self, says: Says) {
        *self.shared.says.lock().unwrap() = says;
    }

    pub(super) fn taken(&self) -> Vec<Taken> {
        self.shared.taken.lock().unwrap().clone()
    }

    pub(super) fn numbers(&self) -> Vec<u64> {
        self.taken().iter().map(Taken::no).collect()
    }

    /// Waits until it was called so often.
    pub(super) async fn until(&self, count: usize) {
        self.count.clone().wait_for(|got| *got >= count).await.unwrap();
    }

    /// Waits until it holds the calls of so many events; their numbers.
    pub(super) async fn until_held(&self, count: usize) -> BTreeSet<u64> {
        self.held.clone().wait_for(|held| held.len() >= count).await.unwrap().clone()
    }
}

async fn take(State(shared): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let says = *shared.says.lock().unwrap();
    let call = Taken { headers, body: body.to_vec() };
    if matches!(says, Says::Held) {
        shared.held.send_if_modified(|held| held.insert(call.no()));
        return std::future::pending().await;
    }
    shared.taken.lock().unwrap().push(call);
    shared.count.send_modify(|count| *count += 1);
    match says {
        Says::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Says::Later(status, seconds) => {
            (StatusCode::from_u16(status).unwrap(), [("retry-after", seconds.to_string())]).into_response()
        }
        Says::Nothing | Says::Held => std::future::pending().await,
    }
}

/// The way out, with this machine as an exception and calls of at most half a minute.
pub(super) fn client() -> GuardedClient {
    guarded(&["127.0.0.0/8"])
}

/// The way out with those exceptions.
pub(super) fn guarded(allow: &[&str]) -> GuardedClient {
    let limits = Limits { connect: Duration::from_secs(5), total: Duration::from_secs(30), answer_bytes: 8_192 };
    GuardedClient::new(limits, Arc::new(Allowed::read(allow.iter().copied()).unwrap())).unwrap()
}
