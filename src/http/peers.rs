//! `POST /redemption/{peer}/events`: what the systems that honour our codes report.
//!
//! A report is believed by its signature over the bytes as received; what was settled or kept is acknowledged, anything
//! else is sent again and settled once.

use super::problem::Problem;
use crate::engine::{Engine, EngineError};
use crate::redemption::{Guarded, Peer as _, PeerEvent, Unreadable, Webhook};
use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRef, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use std::sync::Arc;

/// The route of redemption peers.
pub(super) fn routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Engine: FromRef<S>,
{
    Router::new().route("/redemption/{peer}/events", post(receive_events))
}

/// # Errors
/// 401 when it is forged, 404 for a system we do not know, 503 when something in it could not be settled now: all of it
/// may then be sent again.
async fn receive_events(
    State(engine): State<Engine>,
    Path(peer): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Problem> {
    let body = body.map_err(|rejection| Problem::new(rejection.status(), "invalid_request", rejection.body_text()))?;
    let peer = engine.parts().peers.get(&peer).cloned().ok_or_else(|| Problem::not_found("redemption system"))?;
    let named = headers.iter().filter_map(|(name, value)| {
        let value = value.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    });
    let headers: Vec<_> = named.collect();
    let hook = Webhook { headers: &headers, body: &body };
    let proof = peer.authenticate(&hook, engine.now()).map_err(|forged| {
        tracing::warn!(error = &forged as &dyn std::error::Error, peer = peer.name(), "a report was refused");
        Problem::new(StatusCode::UNAUTHORIZED, "invalid_signature", "the report's signature does not hold")
    })?;
    take(&engine, &peer, peer.parse(proof)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes every report, whatever became of the others.
async fn take(
    engine: &Engine,
    peer: &Arc<Guarded>,
    events: Vec<Result<PeerEvent, Unreadable>>,
) -> Result<(), EngineError> {
    let mut failed = None;
    for event in events {
        match event {
            Ok(event) => failed = engine.take_peer_event(peer, &event).await.err().or(failed),
            Err(unreadable) => {
                let error = &unreadable as &dyn std::error::Error;
                tracing::error!(error, peer = peer.name(), "a part of a report cannot be read and is lost");
            }
        }
    }
    failed.map_or(Ok(()), Err)
}
