#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::caller::Caller;
use super::edge::{Scheme, layers};
use super::*;
use crate::domain::proxies::Proxies;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use std::net::SocketAddr;
use std::sync::Arc;
use tower::ServiceExt as _;

fn site() -> (Router, watch::Sender<Phase>) {
    site_at(Scheme::Http)
}

fn site_at(scheme: Scheme) -> (Router, watch::Sender<Phase>) {
    let limits =
        HttpConfig { trusted_proxies: Arc::new(Proxies::read(["127.0.0.1"]).unwrap()), ..HttpConfig::default() };
    let (phase, watched) = watch::channel(Phase::Ready);
    let routes = Router::new()
        .merge(web::assets::routes())
        .route("/v1/codes/redeem", axum::routing::post(|| async {}))
        .route("/breaks", get(breaks))
        .route("/who", get(async |Caller(address): Caller| address.map_or_else(String::new, |one| one.to_string())))
        .route("/stream", get(stream))
        .fallback(edge::not_found)
        .method_not_allowed_fallback(edge::method_not_allowed);
    (layers(routes, &watched, &limits, scheme), phase)
}

#[expect(clippy::panic, reason = "the test is about a handler that panics")]
async fn breaks() {
    panic!("4111 1111 1111 1111");
}

async fn stream() -> Response {
    let never = tokio_stream::pending::<Result<String, std::convert::Infallible>>();
    let mut response = Response::new(Body::from_stream(never));
    let kind = header::HeaderValue::from_static("text/event-stream");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

#[tokio::test]
async fn who_calls_through_a_proxy_of_ours_is_who_the_proxy_says() {
    let (router, _phase) = site();
    for (peer, forwarded, caller) in [
        (Some("127.0.0.1:4000"), Some("198.51.100.1, 203.0.113.7"), "203.0.113.7"),
        (Some("127.0.0.1:4000"), None, "127.0.0.1"),
        (Some("203.0.113.9:4000"), Some("203.0.113.7"), "203.0.113.9"),
        (None, Some("203.0.113.7"), ""),
    ] {
        let mut request = Request::get("/who");
        if let Some(forwarded) = forwarded {
            request = request.header("x-forwarded-for", forwarded);
        }
        let mut request = request.body(Body::empty()).unwrap();
        if let Some(peer) = peer {
            request.extensions_mut().insert(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        }
        let response = router.clone().oneshot(request).await.unwrap();
        let body = axum::body::to_bytes(response.into_body(), 1 << 10).await.unwrap();
        assert_eq!(body, caller.as_bytes(), "{peer:?} {forwarded:?}");
    }
}

async fn fetch(router: &Router, path: &str) -> Response {
    let request = Request::get(path).body(Body::empty()).unwrap();
    router.clone().oneshot(request).await.unwrap()
}

#[tokio::test]
async fn every_answer_has_an_id_of_its_own_and_the_security_headers() {
    let (router, _phase) = site();
    let mut ids = std::collections::BTreeSet::new();
    for (path, status) in [
        ("/nothing", StatusCode::NOT_FOUND),
        ("/v1/nothing", StatusCode::NOT_FOUND),
        ("/v1/codes/redeem", StatusCode::METHOD_NOT_ALLOWED),
        ("/breaks", StatusCode::INTERNAL_SERVER_ERROR),
        ("/static/app.css", StatusCode::OK),
    ] {
        let response = fetch(&router, path).await;
        assert_eq!(response.status(), status, "{path}");
        let text = |name: &str| {
            let value = response.headers().get(name);
            value.and_then(|value| value.to_str().ok()).unwrap_or("")
        };
        assert!(text("content-security-policy").starts_with("default-src 'none'"), "{path}");
        assert!(!text("content-security-policy").contains("  "), "{path}");
        assert_eq!(text("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(text("referrer-policy"), "no-referrer", "{path}");
        assert!(!text("cache-control").is_empty(), "{path}");
        ids.insert(text("x-request-id").to_owned());
    }
    assert_eq!(ids.len(), 5);
}

#[tokio::test]
async fn an_unknown_address_is_a_problem_for_programs_and_a_page_for_people() {
    let (router, _phase) = site();
    for (path, kind) in [("/v1/nothing", "application/problem+json"), ("/nothing", "text/html; charset=utf-8")] {
        let response = fetch(&router, path).await;
        assert_eq!(response.headers().get(header::CONTENT_TYPE).unwrap(), kind);
    }
}

#[tokio::test]
async fn an_event_stream_ends_when_the_server_stops() {
    let (router, phase) = site();
    let response = fetch(&router, "/stream").await;
    let whole = axum::body::to_bytes(response.into_body(), 10);
    phase.send_replace(Phase::Stopping);
    assert!(whole.await.unwrap().is_empty());
}

#[tokio::test]
async fn only_a_host_that_is_reached_by_https_tells_browsers_to_stay_with_it() {
    for (scheme, told) in [(Scheme::Http, None), (Scheme::Https, Some("max-age=31536000"))] {
        let (router, _phase) = site_at(scheme);
        let response = fetch(&router, "/nothing").await;
        let header = response.headers().get(header::STRICT_TRANSPORT_SECURITY);
        assert_eq!(header.map(|value| value.to_str().unwrap()), told);
    }
    assert_eq!(Scheme::of("https://c.example.com"), Scheme::Https);
    assert_eq!(Scheme::of("http://127.0.0.1:8080"), Scheme::Http);
}
