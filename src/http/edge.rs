//! What every answer has, whichever door it came through: an id, the security headers, an end.

use super::Phase;
use super::body::{BodyLimits, limit_body};
use super::caller::RequestTag;
use super::problem::Problem;
use super::web::{self, errors::ErrorView, errors::Missing};
use crate::config::HttpConfig;
use crate::domain::proxies::Proxies;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio_stream::Stream;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;

/// Longer than a batch with its retries, shorter than any caller's patience. What was under way is still committed,
/// and the same request key finds it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Pages bring their own styles and script and nothing from elsewhere; nobody frames them.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// A year, which is what browsers ask of a host that wants to be remembered as https only.
const HTTPS_ONLY: HeaderValue = HeaderValue::from_static("max-age=31536000");

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How the outside reaches us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// In plain text: a desk.
    Http,
    /// Encrypted, by a proxy before us.
    Https,
}

impl Scheme {
    /// That of the public address.
    pub(super) fn of(public_url: &str) -> Self {
        if public_url.starts_with("https://") { Self::Https } else { Self::Http }
    }
}

/// Wraps all routes.
pub(super) fn layers<S>(
    routes: Router<S>,
    phase: &watch::Receiver<Phase>,
    limits: &HttpConfig,
    scheme: Scheme,
) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    routes
        .layer(from_fn_with_state(phase.clone(), end_streams))
        .layer(from_fn_with_state(BodyLimits::from(limits), limit_body))
        .layer(from_fn(limit_time))
        .layer(CatchPanicLayer::custom(|_: Box<dyn std::any::Any + Send>| {
            // The panic itself was reported by the hook; its message may quote what we never log.
            tracing::error!("a request ended in a panic");
            web::server_error()
        }))
        .layer(from_fn_with_state(Arc::clone(&limits.trusted_proxies), look_through))
        .layer(from_fn_with_state(scheme, identify))
}

/// Has a call that a proxy of ours hands on come from where the proxy says.
async fn look_through(State(proxies): State<Arc<Proxies>>, mut request: Request, next: Next) -> Response {
    let lines = request.headers().get_all(FORWARDED_FOR).iter().map(|line| line.to_str().unwrap_or_default());
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
    if let Some(peer) = peer.filter(|_| !proxies.is_empty()) {
        let origin = proxies.origin(peer, lines.collect::<Vec<_>>().into_iter());
        request.extensions_mut().insert(ConnectInfo(SocketAddr::new(origin, 0)));
    }
    next.run(request).await
}

const PROGRAMS: [&str; 7] = ["/v1/", "/admin/v1/", "/oauth2/", "/.well-known/", "/sms/", "/redemption/", "/simulator/"];

/// Whether programs talk to this address: they get a problem, people get a page.
fn is_for_programs(path: &str) -> bool {
    PROGRAMS.iter().any(|begin| path.starts_with(begin))
}

/// Any address we do not serve.
pub(super) async fn not_found(uri: Uri) -> Response {
    if is_for_programs(uri.path()) {
        Problem::not_found("address").into_response()
    } else {
        web::not_found(Missing::Page)
    }
}

/// An address we serve, asked in another way.
pub(super) async fn method_not_allowed(uri: Uri, method: Method) -> Response {
    if is_for_programs(uri.path()) {
        let detail = format!("{method} is not served here; the Allow header names what is");
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "invalid_request", detail);
        problem.into_response()
    } else {
        let mut response = web::not_found(Missing::Page);
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        response
    }
}

/// Gives the request its id, a span and a line in the log, and the answer its headers.
async fn identify(State(scheme): State<Scheme>, mut request: Request, next: Next) -> Response {
    let id = uuid::Uuid::now_v7().simple().to_string();
    let route = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str).to_owned();
    let method = request.method().clone();
    request.extensions_mut().insert(RequestTag::new(id.clone()));
    let span = tracing::info_span!("request", request.id = id);
    let began = Instant::now();
    let mut response = next.run(request).instrument(span).await;
    let duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let status = response.status().as_u16();
    // The route, never the path: a coupon's path is a key to it.
    tracing::debug!(request.id = id, %method, route, status, duration_ms, "answered a request");
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID, id);
    }
    secure(headers, scheme);
    response
}

fn secure(headers: &mut HeaderMap, scheme: Scheme) {
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if scheme == Scheme::Https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HTTPS_ONLY);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

async fn limit_time(request: Request, next: Next) -> Response {
    let is_program = is_for_programs(request.uri().path());
    match tokio::time::timeout(PATIENCE, next.run(request)).await {
        Ok(response) => response,
        Err(_) if is_program => Problem::busy().into_response(),
        Err(_) => web::page(StatusCode::SERVICE_UNAVAILABLE, &ErrorView::busy()),
    }
}

/// Event streams never end by themselves: without this, an open simulator would hold up every stop.
async fn end_streams(State(phase): State<watch::Receiver<Phase>>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let is_stream = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
    if is_stream { response.map(|body| until_stop(body, phase)) } else { response }
}

fn until_stop(body: Body, mut phase: watch::Receiver<Phase>) -> Body {
    let stop = async move {
        // An error means that the server is gone, which is a stop as well.
        let _ = phase.wait_for(|phase| *phase >= Phase::Stopping).await;
    };
    Body::from_stream(UntilStop { chunks: Box::pin(body.into_data_stream()), stop: Box::pin(stop) })
}

struct UntilStop {
    chunks: Pin<Box<axum::body::BodyDataStream>>,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Stream for UntilStop {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.stop.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        self.chunks.as_mut().poll_next(context)
    }
}
