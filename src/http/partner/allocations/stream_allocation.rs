//! `GET /v1/allocations/{id}/codes`.

use super::find;
use super::stream::{CodeStream, Format};
use crate::domain::decision::outcome::Refusal;
use crate::domain::partner::PartnerScope;
use crate::engine::{Engine, Partner, Piece};
use crate::http::partner::issuance::refused;
use crate::http::partner::requires;
use crate::http::problem::{Path, Problem, Query};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Where to go on, and in which form.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct StreamIn {
    /// The number of the last code that you have; 0 begins with the first.
    #[serde(default)]
    #[param(minimum = 0)]
    after: u64,
    /// Overrides the `Accept` header.
    #[serde(default)]
    format: Option<Format>,
}

/// The codes, as `application/json`; `application/x-ndjson` has one of them a line, `text/csv` too.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CodesOut {
    data: Vec<CodeOut>,
}

/// One code of an allocation.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CodeOut {
    /// Its number in the allocation, from 1.
    #[schema(example = 1)]
    no: u64,
    /// As a till takes it.
    #[schema(example = "PZA-7KMQ-4XTD2")]
    code: String,
}

/// `GET /v1/allocations/{id}/codes`: the codes of a pull in their order, a piece at a time; each is made known before it
/// leaves. A stream that was cut goes on with `after`.
///
/// # Errors
/// 409 when the lease is over.
#[utoipa::path(
    get,
    path = "/v1/allocations/{id}/codes",
    tag = "partners",
    summary = "The codes, streamed",
    description = "Streams the codes in their order, as JSON, NDJSON or CSV. Cut off, go on with `after`: what was \
                   streamed comes again, the same. A stream that ends without its closing part is not whole.",
    security(("partner" = ["codes:bulk"])),
    params(("id" = String, Path, description = "The allocation"), StreamIn),
    responses(
        (status = 200, description = "The codes", content(
            (CodesOut = "application/json"), (String = "application/x-ndjson"), (String = "text/csv"),
        )),
        (status = 400, description = "The query is wrong: `invalid_request`"),
        (status = 404, description = "No such allocation is yours: `not_found`"),
        (status = 409, description = "The lease is over: `lease_expired`"),
    )
)]
#[tracing::instrument(skip_all, fields(partner.id = partner.client().as_str()))]
pub(super) async fn stream_allocation(
    partner: Partner,
    Path(id): Path<String>,
    Query(ask): Query<StreamIn>,
    State(engine): State<Engine>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    requires(&partner, PartnerScope::Bulk)?;
    let view = find(&engine, &partner, &id).await?;
    if view.pull.is_over(engine.now()) {
        return Err(refused(Refusal::LeaseExpired, None));
    }
    let format = ask.format.unwrap_or_else(|| Format::accepted(&headers));
    // The first piece decides about the status; once it is sent, a failure can only cut the stream.
    let first = engine.piece_for_partner(&partner, &view.pull, ask.after).await?;
    if first == Piece::Over {
        return Err(refused(Refusal::LeaseExpired, None));
    }
    let codes = CodeStream::new((engine, partner), view.pull, (format, ask.after), first);
    let kind = [
        (header::CONTENT_TYPE, HeaderValue::from_static(format.media_type())),
        (header::VARY, HeaderValue::from_static("Accept")),
    ];
    Ok((kind, Body::from_stream(codes)).into_response())
}
