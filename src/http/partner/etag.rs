//! Answers that need not be sent again while nothing changed.

use crate::http::problem::Json;
use aws_lc_rs::digest::{SHA256, digest};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::fmt::Write as _;

/// The answer with its tag, or 304 where the caller has it.
pub(super) fn with_tag(asked: &HeaderMap, out: &impl Serialize) -> Response {
    let Ok(body) = serde_json::to_value(out) else {
        return Json(out).into_response();
    };
    let hash = digest(&SHA256, body.to_string().as_bytes());
    let mut tag = "\"".to_owned();
    for byte in hash.as_ref().iter().take(12) {
        // Writing into a String cannot fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    let known = asked.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_known = known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag);
    let mut response = if is_known { StatusCode::NOT_MODIFIED.into_response() } else { Json(body).into_response() };
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    }
    response
}
