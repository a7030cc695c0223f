//! `GET /v1/issuances/{id}`.

use super::etag::with_tag;
use super::issuance::IssuanceOut;
use super::requires;
use crate::domain::partner::PartnerScope;
use crate::engine::{Engine, Partner};
use crate::http::problem::{Path, Problem};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

/// `GET /v1/issuances/{id}`: what became of a code of the calling partner.
///
/// # Errors
/// 404 for a code of somebody else's, as for one that is not there.
#[utoipa::path(
    get,
    path = "/v1/issuances/{id}",
    tag = "partners",
    summary = "What became of a code",
    description = "Only codes that you gave. Send the `ETag` of the last answer as `If-None-Match`: while nothing \
                   changed, the answer is 304 and empty.",
    security(("partner" = ["codes:read"])),
    params(
        ("id" = String, Path, description = "The `id` of an issuance"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of an earlier answer"),
    ),
    responses(
        (status = 200, description = "The code as it stands", body = IssuanceOut,
         headers(("ETag" = String, description = "Changes with the answer"))),
        (status = 304, description = "Nothing changed"),
        (status = 404, description = "No such code is yours: `not_found`"),
    )
)]
#[tracing::instrument(skip_all, fields(partner.id = partner.client().as_str()))]
pub(super) async fn show_issuance(
    partner: Partner,
    Path(id): Path<String>,
    State(engine): State<Engine>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    requires(&partner, PartnerScope::Read)?;
    let view = engine.issuance_of_partner(&partner, &id).await?.ok_or_else(|| Problem::not_found("issuance"))?;
    Ok(with_tag(&headers, &IssuanceOut::of(view, false)))
}
