//! The end of a request's body: by its size before it is read, by its time while it is.

use super::problem::Problem;
use crate::config::HttpConfig;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Sleep;

/// What a body may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct BodyLimits {
    bytes: usize,
    time: Duration,
}

impl From<&HttpConfig> for BodyLimits {
    fn from(config: &HttpConfig) -> Self {
        Self { bytes: config.body_max_bytes, time: config.body_timeout }
    }
}

/// Refuses a body that is announced too large, and ends one that takes too long; one that turns out too large is
/// refused where it is read.
pub(super) async fn limit_body(State(limits): State<BodyLimits>, request: Request, next: Next) -> Response {
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limits.bytes as u64) {
        let detail = format!("the body has more than {} bytes", limits.bytes);
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request", detail).into_response();
    }
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let is_late = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&is_late);
    let timed = |body| Body::new(Timed { body, end: Box::pin(tokio::time::sleep(limits.time)), is_late });
    let response = next.run(request.map(timed)).await;
    if seen.load(Ordering::Relaxed) {
        let detail = "the body took too long; send it again";
        return Problem::new(StatusCode::REQUEST_TIMEOUT, "invalid_request", detail).into_response();
    }
    response
}

/// The body took longer than it may.
#[derive(Debug, thiserror::Error)]
#[error("the body took too long")]
struct TooLong;

struct Timed {
    body: Body,
    end: Pin<Box<Sleep>>,
    is_late: Arc<AtomicBool>,
}

impl HttpBody for Timed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let ready @ Poll::Ready(_) = Pin::new(&mut self.body).poll_frame(context) {
            return ready;
        }
        if self.end.as_mut().poll(context).is_pending() {
            return Poll::Pending;
        }
        self.is_late.store(true, Ordering::Relaxed);
        Poll::Ready(Some(Err(axum::Error::new(TooLong))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
