//! `POST /v1/issuances/batch`.

use super::issuance::{CustomerIn, DeliverIn, IssuanceOut, ItemProblemOut, OriginIn, Told, ask, told};
use super::requires;
use crate::domain::ids::RequestId;
use crate::domain::partner::PartnerScope;
use crate::engine::{Engine, Partner};
use crate::http::idempotency::IdempotencyKey;
use crate::http::openapi::IdempotencyHeader;
use crate::http::problem::{Json, Problem};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// Customers of one call.
const MOST: usize = 1_000;

/// Codes for many customers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct IssuancesIn {
    /// The campaign's name.
    #[schema(example = "PIZZA")]
    campaign: String,
    /// The customers; each stands for one call with a key of its own, made of yours and its place in this list.
    #[schema(min_items = 1, max_items = 1000)]
    customers: Vec<ItemIn>,
    #[serde(default)]
    deliver: DeliverIn,
}

/// One of many customers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemIn {
    customer: CustomerIn,
    /// The place, for your reports: letters, digits, `.`, `_` and `-`.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64, pattern = "^[A-Za-z0-9._-]+$", example = "story1")]
    sub_id: Option<String>,
    /// Your click.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64)]
    click_id: Option<String>,
    /// Your publisher.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64)]
    publisher_id: Option<String>,
    /// Anything you want echoed, at most 2 kB as JSON.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    metadata: Option<Map<String, Value>>,
}

/// What became of each customer, in the order of the request.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct IssuancesOut {
    data: Vec<ItemOut>,
}

/// What became of one customer.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ItemOut {
    /// What a single call would have answered: 201, 200, 202, or an error.
    #[schema(example = 201)]
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuance: Option<Box<IssuanceOut>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ItemProblemOut>,
}

impl ItemOut {
    fn of(told: Result<Told, Problem>) -> Self {
        match told {
            Ok(Told::Code(status, issuance)) => {
                Self { status: status.as_u16(), issuance: Some(issuance), problem: None }
            }
            Ok(Told::Pending) => Self { status: 202, issuance: None, problem: None },
            Err(problem) => {
                let problem = ItemProblemOut::from(problem);
                Self { status: problem.status, issuance: None, problem: Some(problem) }
            }
        }
    }
}

/// `POST /v1/issuances/batch`: codes for many customers of the calling partner; one that fails stops no other.
///
/// # Errors
/// What is wrong with the whole request, as a [`Problem`].
#[utoipa::path(
    post,
    path = "/v1/issuances/batch",
    tag = "partners",
    summary = "Codes for many customers",
    description = "Up to 1 000 customers, each answered as a single call would answer it, in the order of the request, \
                   which is also who comes first where a cap fills up. Sent again with the same key, it gives the same \
                   codes. For codes without customers, pull an allocation.",
    security(("partner" = ["codes:issue"])),
    params(IdempotencyHeader),
    request_body = IssuancesIn,
    responses(
        (status = 200, description = "What became of each customer", body = IssuancesOut),
        (status = 404, description = "No such campaign is yours: `not_found`"),
        (status = 422, description = "The key was used for another list: `idempotency_mismatch`"),
    )
)]
#[tracing::instrument(skip_all, fields(partner.id = partner.client().as_str()))]
pub(super) async fn create_issuances(
    partner: Partner,
    key: IdempotencyKey,
    State(engine): State<Engine>,
    Json(body): Json<IssuancesIn>,
) -> Result<Json<IssuancesOut>, Problem> {
    requires(&partner, PartnerScope::Issue)?;
    if body.customers.is_empty() || body.customers.len() > MOST {
        return Err(Problem::invalid(&[format!("customers: 1 to {MOST} of them")]));
    }
    if !engine.is_granted(&partner, &body.campaign).await? {
        return Err(Problem::not_found("campaign"));
    }
    let RequestId { door, key } = key.request(partner.door());
    let (mut asks, mut places, mut data) = (Vec::new(), Vec::new(), Vec::new());
    for (n, item) in body.customers.into_iter().enumerate() {
        let ItemIn { customer, sub_id, click_id, publisher_id, metadata } = item;
        match ask(&body.campaign, &customer, &OriginIn { sub_id, click_id, publisher_id, metadata }, body.deliver) {
            Ok(ask) => {
                // No key of a single call has a space in it.
                asks.push((RequestId { door: door.clone(), key: format!("{key} {n}") }, ask));
                places.push(n);
            }
            Err(problem) => data.push((n, ItemOut::of(Err(problem)))),
        }
    }
    let answers = engine.issue_many_for_partner(&partner, &body.campaign, asks).await?;
    data.extend(
        places.into_iter().zip(answers.into_iter().map(|one| ItemOut::of(one.map_err(Into::into).and_then(told)))),
    );
    data.sort_by_key(|(n, _)| *n);
    Ok(Json(IssuancesOut { data: data.into_iter().map(|(_, item)| item).collect() }))
}
