//! What is the same at every door, put into the description: how errors look, who may call, what any call may meet.

use super::{ADMIN_KEY, CLIENT_SECRET, PARTNER, TILL_KEY};
use crate::domain::partner::PartnerScope;
use crate::http::problem::CODES;
use serde_json::{Map, Value, json};

/// Answers that any call with a body may meet.
const WITH_BODY: [(&str, &str); 3] = [
    ("400", "The request is wrong, `errors` say where and how to mend it: `invalid_request`"),
    ("408", "The body took too long; send it again: `invalid_request`"),
    ("413", "The body is too large: `invalid_request`"),
];
const NO_TOKEN: (&str, &str) = ("401", "No token or key, or not one of ours: `invalid_token`");
const NOT_ALLOWED: (&str, &str) =
    ("403", "The partner is suspended, or its token is not for this: `partner_suspended`, `insufficient_scope`");
const TOO_FAST: (&str, &str) = ("429", "Too many requests; wait as `Retry-After` says: `rate_limited`");
const BUSY: (&str, &str) = ("503", "Nothing was done; send the same request again: `busy`");

/// Adds it all.
pub(super) fn complete(document: &mut Value) {
    if let Some(info) = document.get_mut("info").and_then(Value::as_object_mut) {
        info.insert("version".to_owned(), env!("CARGO_PKG_VERSION").into());
    }
    if let Some(components) = document.get_mut("components").and_then(Value::as_object_mut) {
        components.insert("securitySchemes".to_owned(), schemes());
    }
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else { return };
    for (path, item) in paths {
        for operation in item.as_object_mut().into_iter().flat_map(Map::values_mut) {
            if path.starts_with("/v1/") || path.starts_with("/admin/") {
                describe(operation);
            }
            drop_empty(operation);
            problems(operation);
        }
    }
}

/// The kinds of callers; the scopes are those of the domain.
fn schemes() -> Value {
    let scopes: Map<String, Value> =
        PartnerScope::ALL.into_iter().map(|scope| (scope.word().to_owned(), scope_words(scope).into())).collect();
    json!({
        TILL_KEY: { "type": "http", "scheme": "bearer", "description": "The key of a till: `codewell keys create`." },
        ADMIN_KEY: { "type": "http", "scheme": "bearer", "description": "A key of the house's own programs." },
        CLIENT_SECRET: {
            "type": "http",
            "scheme": "basic",
            "description": "A client secret, at the token endpoint alone; a signed assertion in the body does without.",
        },
        PARTNER: {
            "type": "oauth2",
            "description": "Client credentials, proved by a signed assertion (`private_key_jwt`) or the client secret.",
            "flows": { "clientCredentials": { "tokenUrl": "/oauth2/token", "scopes": scopes } },
        },
    })
}

fn scope_words(scope: PartnerScope) -> &'static str {
    match scope {
        PartnerScope::Issue => "Give one code to one customer",
        PartnerScope::Bulk => "Pull many codes at once",
        PartnerScope::Read => "See campaigns, own issuances and allocations",
        PartnerScope::Events => "See what became of own codes",
        PartnerScope::Reports => "Read own daily figures",
        PartnerScope::Webhooks => "Say where own events are sent",
    }
}

/// The answers that every program may meet, where the operation does not say more of its own.
fn describe(operation: &mut Value) {
    let callers: Vec<String> = operation
        .get("security")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .flat_map(|one| one.keys().cloned())
        .collect();
    let has_body = operation.get("requestBody").is_some();
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    let mut add = |(status, words): (&str, &str)| {
        responses.entry(status).or_insert_with(|| json!({ "description": words }));
    };
    add(BUSY);
    if !callers.is_empty() {
        add(NO_TOKEN);
    }
    if has_body {
        WITH_BODY.into_iter().for_each(&mut add);
    }
    if callers.iter().any(|caller| caller == PARTNER) {
        add(NOT_ALLOWED);
        add(TOO_FAST);
    }
}

/// A parameter list without a parameter says nothing, and neither does what a handler's documentation says to those who
/// read its code: that stands where an operation has no description.
fn drop_empty(operation: &mut Value) {
    if let Some(operation) = operation.as_object_mut() {
        operation.retain(|name, value| match name.as_str() {
            "parameters" => value.as_array().is_none_or(|all| !all.is_empty()),
            "description" => value.as_str().is_none_or(|words| !words.starts_with("# Errors")),
            _ => true,
        });
    }
}

/// Every answer above 399 without a body of its own is a problem whose `code` is one of those that its words name.
fn problems(operation: &mut Value) {
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    for (status, response) in responses {
        let is_bare = response.get("content").is_none() && response.get("$ref").is_none();
        if !(is_bare && matches!(status.as_bytes().first(), Some(b'4' | b'5'))) {
            continue;
        }
        let words = response.get("description").and_then(Value::as_str).unwrap_or_default();
        let codes: Vec<&str> = words.split('`').filter(|word| CODES.contains(word)).collect();
        let schema = json!({ "allOf": [
            { "$ref": "#/components/schemas/Problem" },
            { "properties": { "status": { "const": status.parse::<u16>().ok() }, "code": { "enum": codes } } },
        ] });
        if let Some(response) = response.as_object_mut() {
            response.insert("content".to_owned(), json!({ "application/problem+json": { "schema": schema } }));
        }
    }
}
