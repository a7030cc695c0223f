//! The description of our doors as OpenAPI 3.1. Every area describes its own routes, beside its handlers; here they are
//! put together, and what is the same at every door is added.

mod examples;
mod sent;
mod shared;

use super::{admin, docs, machines, oauth, partner, till};
use crate::http::problem::Problem;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::LazyLock;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::{IntoParams, OpenApi};

/// What tills present.
pub const TILL_KEY: &str = "till_key";
/// What the house's own programs present.
pub const ADMIN_KEY: &str = "admin_key";
/// What partners present: an access token of ours, got with the client credentials of OAuth 2.0.
pub const PARTNER: &str = "partner";
/// What a client of the authorization server presents, unless it sends an assertion.
pub const CLIENT_SECRET: &str = "client_secret";

/// The document before the areas join it.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Codewell",
        description = "Hands out single-use coupon codes, and takes them at the till exactly once.\n\nTimes are RFC 3339 \
                       in UTC, money is in minor units with its ISO 4217 currency, and errors are RFC 9457 problems \
                       with a stable `code`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "tokens", description = "For partners' programs: OAuth 2.0 client credentials, and how to find them."),
        (name = "partners", description = "For affiliates and apps: one code a customer, what became of it, daily figures."),
        (name = "till", description = "For tills and shops: is a code good, take it, give it back."),
        (name = "house", description = "For the house's own programs: who its partners are, and what they may do."),
        (name = "machines", description = "For those who start, stop and route to this process."),
    ),
    components(schemas(Problem)),
)]
struct Base;

static DOCUMENT: LazyLock<Value> = LazyLock::new(collect);

/// The description of every door, as JSON.
#[must_use]
pub fn document() -> &'static Value {
    &DOCUMENT
}

/// The description as it is published and committed: indented, with a newline at its end.
#[must_use]
pub fn text() -> String {
    // The alternate form of a JSON value is the indented one.
    format!("{:#}\n", document())
}

fn collect() -> Value {
    let mut all = Base::openapi();
    for area in [
        oauth::Api::openapi(),
        partner::Api::openapi(),
        partner::AllocationsApi::openapi(),
        partner::WebhooksApi::openapi(),
        till::Api::openapi(),
        admin::Api::openapi(),
        machines::Api::openapi(),
        docs::Api::openapi(),
    ] {
        all.merge(area);
    }
    // What cannot be written as JSON would be seen by every test of this page.
    let mut document = serde_json::to_value(all).unwrap_or_default();
    shared::complete(&mut document);
    sent::add(&mut document);
    examples::tidy(&mut document);
    examples::add(&mut document);
    document
}

/// `GET /openapi.json`: this description.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "machines",
    summary = "This description",
    responses((status = 200, description = "The description of this API, OpenAPI 3.1", body = Object))
)]
pub(super) async fn show_openapi() -> Response {
    let json = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, json), (header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))], text())
        .into_response()
}

/// The header under which a request may be sent again, as a parameter.
pub(super) struct IdempotencyHeader;

impl IntoParams for IdempotencyHeader {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let schema = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(255))
            .pattern(Some("^[!-~]+$"));
        let header = ParameterBuilder::new()
            .name("Idempotency-Key")
            .parameter_in(ParameterIn::Header)
            .required(Required::True)
            .description(Some(
                "New for everything that is asked anew. The same key with the same body gets the first answer again; \
                 with another body it is refused.",
            ))
            .schema(Some(schema))
            .example(Some(json!("8e03978e-40d5-43e8-bc93-6894a57f9324")));
        vec![header.build()]
    }
}

#[cfg(test)]
mod tests;
