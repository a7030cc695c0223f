//! `GET /v1/allocations/{id}`.

use super::{AllocationOut, find};
use crate::domain::partner::PartnerScope;
use crate::engine::{Engine, Partner};
use crate::http::partner::etag::with_tag;
use crate::http::partner::requires;
use crate::http::problem::{Path, Problem};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

/// `GET /v1/allocations/{id}`: how a pull stands.
///
/// # Errors
/// 404 for a pull that is not the partner's, as for one that is not there.
#[utoipa::path(
    get,
    path = "/v1/allocations/{id}",
    tag = "partners",
    summary = "How an allocation stands",
    security(("partner" = ["codes:read"])),
    params(
        ("id" = String, Path, description = "The allocation"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of an earlier answer"),
    ),
    responses(
        (status = 200, description = "The allocation", body = AllocationOut,
         headers(("ETag" = String, description = "Changes with the answer"))),
        (status = 304, description = "Nothing changed"),
        (status = 404, description = "No such allocation is yours: `not_found`"),
    )
)]
#[tracing::instrument(skip_all, fields(partner.id = partner.client().as_str()))]
pub(super) async fn show_allocation(
    partner: Partner,
    Path(id): Path<String>,
    State(engine): State<Engine>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    requires(&partner, PartnerScope::Read)?;
    let view = find(&engine, &partner, &id).await?;
    Ok(with_tag(&headers, &AllocationOut::from(view)))
}
